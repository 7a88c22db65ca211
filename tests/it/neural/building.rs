//! Environments that are built, break and are built again, by a Python that only pretends.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tonearm_core::control::Control;
use tonearm_core::failure::Failure;
use tonearm_core::python::Step;
use tonearm_core::python::environment::{self, Environment, InUse, Ready};
use tonearm_core::setup::run::{self, SetupError, Told};
use tonearm_core::setup::{EnvironmentView, Places, Variant, Wish};

/// Answers as Python does, and writes down what it was asked in the folder that it was made for. In an environment
/// nothing can be loaded where a file named `damaged` lies beside it.
const PYTHON: &str = r#"#!/bin/sh
log=@FOLDER@
case "$1 $2 $3" in
"-I -c "*)
    [ -e "$log/slow" ] && { echo > "$log/asked"; sleep 60; }
    echo "{\"version\": [3, 12, 1], \"implementation\": \"cpython\", \"platform\": \"linux-x86_64\","\
        "\"executable\": \"$log/python3.12\", \"venv\": true, \"bits\": 64}"
    exit 0 ;;
esac
echo "$6" "cache=$PIP_CACHE_DIR" "root=$PIP_ROOT" "index=$PIP_INDEX_URL" >> "$log/calls"
case "$6" in
venv)
    mkdir -p "$8/bin" && cp "$0" "$8/bin/python" ;;
ensurepip) ;;
pip)
    [ -e "$log/no-net" ] && { echo "ERROR: Max retries exceeded"; exit 1; }
  [ ! -e "$log/endless" ] || { echo > "$log/installs"; cat; exit 70; }
    ;;
*)
    [ -e "${0%/*}/../damaged" ] && { echo "ModuleNotFoundError: torch" >&2; exit 1; }
    # As with all of them: it is to end with whoever asked.
    case "$5" in *os._exit*) ;; *) exit 1 ;; esac
    echo '{"torch": "2.11.0"}' ;;
esac
"#;

struct Bench {
    folder: TempDir,
    places: Places,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python3.12");
        let text = PYTHON.replace("@FOLDER@", &folder.path().to_string_lossy());
        fs::write(&python, text).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let places = Places {
            cache: folder.path().join("cache"),
            ..Places::default()
        };
        Self { folder, places }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn set_up(&self, control: &Control, tell: &mut dyn FnMut(&Told)) -> Result<(), SetupError> {
        let wish = Wish {
            models: Some(Vec::new()),
            torch: Some(Variant::Cpu),
            python: Some(self.path("python3.12")),
            ..Wish::default()
        };
        run::run(&self.places, &wish, control, &mut |told| tell(&told))
    }

    fn succeeds(&self) -> Ready {
        self.set_up(&Control::default(), &mut |_| ()).unwrap();
        match environment::check(&self.places.cache) {
            Environment::Ready(ready) => *ready,
            other => panic!("not ready: {other:?}"),
        }
    }

    fn fails(&self) -> Failure {
        match self.set_up(&Control::default(), &mut |_| ()) {
            Err(SetupError::Failed(failure)) => failure,
            other => panic!("no failure: {other:?}"),
        }
    }

    /// Times that packages were installed.
    fn installed(&self) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls
            .lines()
            .filter(|line| line.starts_with("pip "))
            .count()
    }

    /// Whatever is neither an environment nor a note of one.
    fn leftovers(&self) -> Vec<String> {
        let names = fs::read_dir(self.places.cache.join("python")).unwrap();
        let names = names.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("unfinished")).collect()
    }
}

fn waits(told: &Told) -> bool {
    matches!(told, Told::Environment(EnvironmentView::Building(it)) if it.step == Step::Waiting)
}

#[test]
fn an_environment_is_built_once_and_found_again() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    assert_eq!(ready.versions["torch"], "2.11.0");
    assert_eq!(bench.installed(), 2);
    assert_eq!(bench.succeeds(), ready);
    assert_eq!(bench.installed(), 2);
    let calls = fs::read_to_string(bench.path("calls")).unwrap();
    let cache = format!(
        "cache={} root= ",
        bench.places.cache.join("python/pip").display()
    );
    assert!(
        calls
            .lines()
            .filter(|it| it.starts_with("pip "))
            .all(|it| it.contains(&cache)),
        "{calls}"
    );
}

#[test]
fn an_environment_in_which_nothing_can_be_loaded_is_built_anew() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    assert_eq!(bench.succeeds().folder, ready.folder);
    assert!(!ready.folder.join("damaged").exists());
    assert_eq!(bench.installed(), 4);
}

#[test]
fn what_cannot_be_loaded_counts_as_broken_until_it_is_built() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    fs::write(bench.path("no-net"), "").unwrap();
    assert!(bench.fails().remedy.contains("connection"));
    let now = environment::check(&bench.places.cache);
    assert!(matches!(now, Environment::Broken { .. }), "{now:?}");
    assert_eq!(bench.leftovers(), Vec::<String>::new());
    fs::remove_file(bench.path("no-net")).unwrap();
    bench.succeeds();
}

#[test]
fn an_environment_with_workers_in_it_is_not_replaced() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    let in_use = InUse::hold(&ready.folder).unwrap();
    let control = Control::default();
    let ended = bench.set_up(&control, &mut |told| {
        if waits(told) {
            control.cancel();
        }
    });
    assert_eq!(ended, Err(SetupError::Cancelled));
    assert!(ready.python.is_file());
    // As soon as they are let go, it is.
    let mut in_use = Some(in_use);
    bench
        .set_up(&Control::default(), &mut |told| {
            if waits(told) {
                in_use = None;
            }
        })
        .unwrap();
    assert!(in_use.is_none());
    bench.succeeds();
}

#[test]
fn cancelled_while_it_installs_it_leaves_nothing() {
    let bench = Bench::new();
    fs::write(bench.path("endless"), "").unwrap();
    let control = Control::default();
    let ended = std::thread::scope(|scope| {
        let under_way = scope.spawn(|| bench.set_up(&control, &mut |_| ()));
        wait_for(&bench.path("installs"));
        control.cancel();
        under_way.join().unwrap()
    });
    assert_eq!(ended, Err(SetupError::Cancelled));
    assert_eq!(environment::check(&bench.places.cache), Environment::Absent);
    assert_eq!(bench.leftovers(), Vec::<String>::new());
}

#[test]
fn what_a_killed_set_up_left_is_removed_by_the_next() {
    let bench = Bench::new();
    let left = bench
        .places
        .cache
        .join("python/0123456789abcdef.unfinished-1");
    fs::create_dir_all(left.join("bin")).unwrap();
    bench.succeeds();
    assert!(!left.exists());
}

#[test]
fn a_second_program_waits_and_finds_what_the_first_has_built() {
    let bench = Bench::new();
    let root = bench.places.cache.join("python");
    fs::create_dir_all(&root).unwrap();
    let lock = File::create(root.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut lock = Some(lock);
    bench
        .set_up(&Control::default(), &mut |told| {
            if waits(told) {
                lock = None;
            }
        })
        .unwrap();
    assert!(lock.is_none(), "it did not wait");
    bench.succeeds();
}

#[test]
fn cancelled_while_a_python_is_asked_it_does_not_say_that_there_is_none() {
    let bench = Bench::new();
    fs::write(bench.path("slow"), "").unwrap();
    let control = Control::default();
    let mut told = Vec::new();
    let ended = std::thread::scope(|scope| {
        let under_way = scope.spawn(|| bench.set_up(&control, &mut |it| told.push(it.clone())));
        wait_for(&bench.path("asked"));
        control.cancel();
        under_way.join().unwrap()
    });
    assert_eq!(ended, Err(SetupError::Cancelled));
    assert_eq!(told, []);
}

fn wait_for(path: &Path) {
    let began = std::time::Instant::now();
    while !path.exists() {
        assert!(
            began.elapsed().as_secs() < 60,
            "{} does not come",
            path.display()
        );
        std::thread::yield_now();
    }
}
