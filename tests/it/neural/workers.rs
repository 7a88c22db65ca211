//! Each way in which a worker can misbehave, and what becomes of it.

use super::{ends, fake_worker, lives};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tonearm_core::control::Control;
use tonearm_core::failure::FailureKind;
use tonearm_core::python::Workers;
use tonearm_core::python::protocol::{Family, HeardBeats};
use tonearm_core::python::worker::{Launch, Patience, Ran, Setting, Task, TaskError};
use tonearm_core::units::Secs;

/// Two seconds of silence at 22.05 kHz.
const FRAMES: u64 = 44_100;

struct Bench {
    folder: TempDir,
    workers: Workers,
    launch: Launch,
    setting: Setting,
    expected: Duration,
}

impl Bench {
    fn new(mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("sound.f32"),
            vec![0; FRAMES as usize * 4],
        )
        .unwrap();
        let patience = Patience {
            hello: Duration::from_secs(20),
            silence: Duration::from_millis(600),
            cancel: Duration::from_millis(500),
            idle: Duration::from_mins(1),
        };
        fs::write(folder.path().join("model"), "").unwrap();
        let environment = [
            ("FAKE_WORKER", mode.into()),
            ("FAKE_FOLDER", folder.path().as_os_str().to_owned()),
        ];
        Self {
            workers: Workers::new(patience),
            launch: Launch {
                program: fake_worker(),
                arguments: Vec::new(),
                environment: environment
                    .map(|(name, value)| (name.into(), value))
                    .to_vec(),
                home: None,
            },
            setting: Setting {
                sha256: None,
                model: folder.path().join("model"),
                device: "auto".to_owned(),
                threads: 1,
            },
            expected: Duration::from_secs(10),
            folder,
        }
    }

    fn run(&self, control: &Control) -> Result<Ran, TaskError> {
        let task = Task {
            family: Family::Beats,
            setting: &self.setting,
            pcm: &self.path("sound.f32"),
            frames: FRAMES,
            out: self.folder.path(),
            expected: self.expected,
        };
        self.workers.run(&self.launch, &task, control)
    }

    fn failure(&self) -> (FailureKind, String) {
        match self.run(&Control::default()) {
            Err(TaskError::Failed(failure)) => {
                assert!(!failure.remedy.is_empty());
                (failure.kind, failure.message)
            }
            other => panic!("no failure: {other:?}"),
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Workers that were started so far.
    fn started(&self) -> Vec<String> {
        let mut ids: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().to_string_lossy().into_owned();
                let id = Path::new(&name).extension()?.to_string_lossy().into_owned();
                id.bytes().all(|byte| byte.is_ascii_digit()).then_some(id)
            })
            .collect();
        ids.sort();
        ids
    }
}

#[test]
fn one_worker_does_task_after_task_and_goes_with_its_keeper() {
    let bench = Bench::new("normal");
    for _ in 0..3 {
        let control = Control::default();
        let ran = bench.run(&control).unwrap();
        let heard = HeardBeats::read(ran.done.result, Secs(2.0)).unwrap();
        assert_eq!(heard.beats, [0.1, 0.6, 1.1, 1.6]);
        assert_eq!(
            (ran.loaded.device.as_str(), control.progress()),
            ("cpu", 1.0)
        );
    }
    assert_eq!(bench.started().len(), 1);
    assert_eq!(bench.workers.warm(), [Family::Beats]);
    let id = bench.started().remove(0);
    drop(bench.workers);
    assert!(ends(&id));
}

#[test]
fn a_crash_is_tried_once_more_and_then_told_with_its_last_words() {
    let bench = Bench::new("crash_once");
    assert!(bench.run(&Control::default()).is_ok());
    assert_eq!(bench.started().len(), 2);
    let bench = Bench::new("crash");
    let (kind, message) = bench.failure();
    assert_eq!(kind, FailureKind::Bug);
    assert!(message.contains("the roof is on fire"), "{message}");
    let started = bench.started();
    assert_eq!(started.len(), 2);
    assert!(started.iter().all(|id| ends(id)));
}

#[test]
fn whoever_misbehaves_is_ended_and_told_of() {
    for (mode, word) in [
        ("hang", "no sign of life"),
        ("garbage", "nobody understands"),
        ("huge", "16 MiB"),
        ("wrong_id", "no sign of life"),
        ("flood", "would not stop talking"),
    ] {
        let bench = Bench::new(mode);
        let (_, message) = bench.failure();
        assert!(message.contains(word), "{mode}: {message}");
        assert!(bench.started().iter().all(|id| ends(id)), "{mode}");
    }
}

#[test]
fn an_environment_in_which_no_worker_gets_up_counts_as_broken() {
    let home = |mode: &str| {
        let mut bench = Bench::new(mode);
        fs::create_dir(bench.path("home")).unwrap();
        fs::write(bench.path("home/ready.json"), "{}").unwrap();
        bench.launch.home = Some(bench.path("home"));
        bench
    };
    let bench = home("stillborn");
    let Err(TaskError::Unready(failure)) = bench.run(&Control::default()) else {
        panic!("no fault of the task");
    };
    assert!(failure.message.contains("no such module"), "{failure:?}");
    assert_eq!(bench.started().len(), 2);
    assert!(!bench.path("home/ready.json").exists());
    let bench = home("crash");
    bench.failure();
    assert!(bench.path("home/ready.json").exists());
}

#[test]
fn a_worker_keeps_its_environment_and_is_not_used_in_another() {
    let mut bench = Bench::new("normal");
    for name in ["one", "two"] {
        fs::create_dir(bench.path(name)).unwrap();
    }
    let is_free = |path: &Path| {
        let lock = fs::File::open(path.join("in-use")).unwrap();
        // Another test that starts a process has a copy of the lock for a moment.
        (0..100_000).any(|_| lock.try_lock().is_ok())
    };
    bench.launch.home = Some(bench.path("one"));
    bench.run(&Control::default()).unwrap();
    assert!(!is_free(&bench.path("one")));
    bench.launch.home = Some(bench.path("two"));
    bench.run(&Control::default()).unwrap();
    assert_eq!(bench.started().len(), 2);
    assert!(is_free(&bench.path("one")) && !is_free(&bench.path("two")));
    bench.workers.cool();
    assert!(is_free(&bench.path("two")));
}

#[test]
fn a_worker_of_another_version_is_not_tried_again() {
    let bench = Bench::new("wrong_protocol");
    let (_, message) = bench.failure();
    assert!(message.contains("version 2"), "{message}");
    assert_eq!(bench.started().len(), 1);
}

#[test]
fn a_bad_model_is_told_and_the_worker_stays() {
    let bench = Bench::new("bad_model");
    for _ in 0..2 {
        assert_eq!(
            bench.failure(),
            (FailureKind::Unsupported, "not a checkpoint".to_owned())
        );
    }
    assert_eq!(bench.started().len(), 1);
}

#[test]
fn a_card_without_memory_is_tried_once_and_not_again_by_whoever_starts_next() {
    // When the model is loaded, and in the middle of a track.
    for mode in ["card_is_full", "card_fills"] {
        let bench = Bench::new(mode);
        for _ in 0..2 {
            let ran = bench.run(&Control::default()).unwrap();
            assert_eq!(ran.device(), "cpu", "{mode}");
        }
        assert_eq!(bench.started().len(), 1, "{mode}: one does it all");
        assert_eq!(bench.workers.short().as_deref(), Some("cuda"), "{mode}");
        bench.workers.cool();
        bench.run(&Control::default()).unwrap();
        assert_eq!(bench.started().len(), 2, "{mode}");
        let asked = fs::read_to_string(bench.path("asked")).unwrap();
        assert_eq!(asked, "auto\ncpu\n", "{mode}");
    }
}

#[test]
fn what_went_between_two_looks_is_no_fault_of_the_task() {
    // The model: the worker does not find it.
    let bench = Bench::new("bad_model");
    fs::remove_file(&bench.setting.model).unwrap();
    let ended = bench.run(&Control::default());
    assert!(matches!(ended, Err(TaskError::Unready(_))), "{ended:?}");
    // The environment, with its Python.
    let mut bench = Bench::new("normal");
    bench.launch.home = Some(bench.path("home"));
    bench.launch.program = bench.path("home/bin/python");
    let ended = bench.run(&Control::default());
    assert!(matches!(ended, Err(TaskError::Unready(_))), "{ended:?}");
}

#[test]
fn without_memory_on_the_processor_nothing_is_tried_twice() {
    for mode in ["memory_everywhere", "no_memory_to_load"] {
        let bench = Bench::new(mode);
        let (_, message) = bench.failure();
        assert!(message.contains("not enough memory"), "{mode}: {message}");
        assert_eq!(bench.started().len(), 1, "{mode}");
        assert_eq!(bench.workers.warm(), [], "{mode}: it gives its memory back");
    }
}

#[test]
fn what_a_model_cannot_do_is_told_with_what_helps() {
    for (mode, words) in [
        (
            "bad_model",
            "Get the model again with tonearm setup --again beat_this",
        ),
        ("no_number", "TONEARM_DEVICE=cpu"),
        ("no_number", "tonearm setup --again beat_this"),
        ("no_device", "Set TONEARM_DEVICE"),
        ("full_drive", "Make room"),
        ("unreadable", "Check that the file can be read"),
    ] {
        let mut bench = Bench::new(mode);
        let folder = bench.path("models/beat_this/0123");
        fs::create_dir_all(&folder).unwrap();
        bench.setting.model = folder.join("final0.ckpt");
        fs::write(&bench.setting.model, "").unwrap();
        let Err(TaskError::Failed(failure)) = bench.run(&Control::default()) else {
            panic!("no failure");
        };
        assert!(failure.remedy.contains(words), "{mode}: {}", failure.remedy);
    }
}

#[test]
fn a_program_that_is_not_there_is_a_failure_with_a_remedy() {
    let mut bench = Bench::new("normal");
    bench.launch.program = bench.path("nothing");
    let (_, message) = bench.failure();
    assert!(message.contains("cannot be started"), "{message}");
}

#[test]
fn a_cancel_is_obeyed_at_once_and_the_worker_used_on() {
    let bench = Bench::new("slow");
    let ended = cancelled(&bench, |control| control.progress() > 0.0);
    assert_eq!(
        ended,
        Err(TaskError::Cancelled(tonearm_core::control::Cancelled))
    );
    assert_eq!(bench.workers.warm(), [Family::Beats]);
}

#[test]
fn a_worker_is_not_waited_for_where_everything_ends() {
    // It takes a moment to obey, which nobody gives it.
    let bench = Bench::new("slow_to_stop");
    let is_so_far = |control: &Control| control.progress() > 0.0;
    assert!(stopped(&bench, is_so_far, Control::abandon).is_err());
    assert_eq!(bench.workers.warm(), []);
    assert!(stopped(&bench, is_so_far, Control::cancel).is_err());
    assert_eq!(bench.workers.warm(), [Family::Beats]);
}

#[test]
fn a_worker_that_does_not_hear_a_cancel_is_ended() {
    let bench = Bench::new("deaf");
    let is_loaded = |_: &Control| bench.path("device").exists();
    assert!(cancelled(&bench, is_loaded).is_err());
    assert_eq!(bench.workers.warm(), []);
    assert!(bench.started().iter().all(|id| ends(id)));
}

#[test]
fn a_cancel_is_not_held_up_by_a_worker_that_goes_on_and_the_next_one_waits_for_its_end() {
    // While it works, while it loads its model, and before it has said a word.
    for (mode, mark) in [
        ("deaf", "running"),
        ("slow_to_load", "device"),
        ("speechless", "beats.pid"),
    ] {
        let mut bench = Bench::new(mode);
        let at = Cell::new(None);
        let is_so_far = |_: &Control| {
            let is_so_far = bench.path(mark).exists();
            at.set(is_so_far.then(Instant::now));
            is_so_far
        };
        let ended = cancelled(&bench, is_so_far);
        let took = at.get().expect("it came so far").elapsed();
        assert!(
            matches!(ended, Err(TaskError::Cancelled(_))),
            "{mode}: {ended:?}"
        );
        assert!(took < Duration::from_secs(2), "{mode}: {took:?}");
        assert_eq!(bench.workers.warm(), [], "{mode}");
        let first = bench.started().remove(0);
        bench.launch.environment[0].1 = "normal".into();
        bench.run(&Control::default()).unwrap();
        assert!(!lives(&first), "{mode}");
        assert_eq!(bench.started().len(), 2, "{mode}");
    }
}

#[test]
fn a_model_that_takes_far_too_long_is_ended_told_and_not_tried_again() {
    // With signs of life, and without.
    for mode in ["deaf", "hang"] {
        let mut bench = Bench::new(mode);
        // Twenty times that is less than the silence that is borne.
        bench.expected = Duration::from_millis(20);
        let (kind, message) = bench.failure();
        assert_eq!(kind, FailureKind::Timeout, "{mode}: {message}");
        assert_eq!(bench.workers.warm(), [], "{mode}");
        let started = bench.started();
        assert_eq!(started.len(), 1, "{mode}");
        assert!(started.iter().all(|id| ends(id)), "{mode}");
    }
}

fn cancelled(bench: &Bench, is_so_far: impl Fn(&Control) -> bool) -> Result<Ran, TaskError> {
    stopped(bench, is_so_far, Control::cancel)
}

/// Stops as soon as the worker is so far.
fn stopped(
    bench: &Bench,
    is_so_far: impl Fn(&Control) -> bool,
    stop: fn(&Control),
) -> Result<Ran, TaskError> {
    let control = Control::default();
    std::thread::scope(|scope| {
        let task = scope.spawn(|| bench.run(&control));
        let began = Instant::now();
        while !is_so_far(&control) && began.elapsed() < Duration::from_mins(1) {
            std::thread::yield_now();
        }
        stop(&control);
        task.join().unwrap()
    })
}
