//! The engine ladder from the command line: drafts first, models after, failures beside what stands.

use super::{ends, fake_worker, models};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tonearm_tests::program::{Ended, Program, Running, finish, of_event, skipped};
use tonearm_tests::waves;

struct Bench {
    program: Program,
    mode: &'static str,
}

impl Bench {
    /// A track, a worker, and something in the place of each model.
    fn new(mode: &'static str) -> Self {
        let bench = Self {
            program: Program::new(),
            mode,
        };
        bench
            .program
            .put("tune.wav", &waves::tune(7, 30.0, 22_050, 2));
        fs::create_dir(bench.path("from")).unwrap();
        for id in ["beat_this", "htdemucs", "ace"] {
            let content = format!("PK\u{3}\u{4}{id}");
            fs::write(bench.path("from").join(format!("{id}.ckpt")), content).unwrap();
        }
        let list = models(&[
            ("beat_this", "beats", "beat_this.ckpt"),
            ("htdemucs", "stems", "htdemucs.ckpt"),
            ("ace", "harmony", "ace.ckpt"),
        ]);
        fs::write(bench.path("models.json"), list).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.program.folder().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.with_models(self.program.command(["--json"].iter().chain(arguments)))
    }

    fn with_models(&self, mut command: Command) -> Command {
        command
            .env("TONEARM_CACHE", self.path("cache"))
            .env("TONEARM_MODELS", self.path("models.json"))
            .env("TONEARM_WORKER", fake_worker())
            .env("FAKE_WORKER", self.mode)
            .env("FAKE_FOLDER", self.program.folder());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        finish(self.command(arguments))
    }

    fn set_up(&self) -> Vec<Value> {
        self.set_up_with(&["--accept-licence", "htdemucs"])
    }

    fn set_up_with(&self, more: &[&str]) -> Vec<Value> {
        let from = self.path("from");
        let from = from.to_string_lossy();
        let free = ["setup", "--from", &from, "--models", "beat_this,ace"];
        self.run(&[&free[..], more].concat()).with_status(0).lines()
    }

    /// Artifact and engine of the one track.
    fn engines(&self) -> Vec<(String, String)> {
        let shown = self.run(&["show", &self.path("music/tune.wav").to_string_lossy()]);
        let shown = shown.with_status(0).json();
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        let artifacts = shown["artifacts"].as_array().unwrap();
        artifacts
            .iter()
            .filter(|it| {
                ["beats", "key", "chords", "stems"].contains(&it["artifact"].as_str().unwrap())
            })
            .map(|it| (text(&it["artifact"]), text(&it["engine"])))
            .collect()
    }
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn the_size_of_a_model_is_that_of_its_file_once_it_is_there() {
    let bench = Bench::new("normal");
    let sizes = || -> Vec<(String, u64)> {
        let lines = bench.run(&["setup", "--check"]).with_status(0).lines();
        let models = of_event(&lines, "model").into_iter();
        models
            .map(|it| {
                (
                    it["id"].as_str().unwrap().to_owned(),
                    it["bytes"].as_u64().unwrap(),
                )
            })
            .collect()
    };
    let all = |beats, stems, harmony| {
        let sizes = [("beat_this", beats), ("htdemucs", stems), ("ace", harmony)];
        sizes.map(|(id, bytes)| (id.to_owned(), bytes)).to_vec()
    };
    assert_eq!(sizes(), all(4, 4, 4), "as announced");
    bench.set_up();
    // Four bytes and the name of each.
    assert_eq!(sizes(), all(13, 12, 7));
}

#[test]
fn models_are_taken_from_a_folder_under_their_terms() {
    let bench = Bench::new("normal");
    let from = bench.path("from");
    let refused = bench.run(&[
        "setup",
        "--from",
        &from.to_string_lossy(),
        "--models",
        "htdemucs",
    ]);
    let refused = refused.with_status(1).lines();
    assert_eq!(of_event(&refused, "model")[0]["state"], "not_accepted");
    let lines = bench.set_up();
    let last = lines.last().unwrap();
    assert_eq!(last["ready"], json!(["beats", "stems", "harmony"]));
    assert_eq!(of_event(&lines, "model").len(), 3);
    let unknown = bench
        .run(&["setup", "--models", "what"])
        .with_status(1)
        .lines();
    assert!(
        unknown.last().unwrap()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("what")
    );
}

#[test]
fn a_model_is_got_again_in_place_of_the_one_that_is_there() {
    let bench = Bench::new("normal");
    let sums = |lines: &[Value]| -> Vec<String> {
        let models = of_event(lines, "model");
        models.iter().map(|it| it["sha256"].to_string()).collect()
    };
    let first = sums(&bench.set_up());
    let from = bench.path("from");
    fs::write(from.join("htdemucs.ckpt"), "PK\u{3}\u{4}better").unwrap();
    let folder = from.to_string_lossy();
    // Its terms were agreed to before.
    let again = bench.run(&["setup", "--again", "htdemucs", "--from", &folder]);
    let again = sums(&again.with_status(0).lines());
    assert_eq!(again.len(), 1);
    assert!(!first.contains(&again[0]), "{again:?}");
    let unknown = bench.run(&["setup", "--again", "what", "--from", &folder]);
    unknown.with_status(1);
}

#[test]
fn drafts_come_first_and_models_after_them() {
    let bench = Bench::new("normal");
    bench.set_up();
    let music = bench.program.music();
    let lines = bench
        .run(&["import", &music.to_string_lossy(), "--engine", "neural"])
        .with_status(0)
        .lines();
    let made: Vec<(&str, &str)> = of_event(&lines, "artifact")
        .iter()
        .map(|line| {
            (
                line["artifact"].as_str().unwrap(),
                line["engine"].as_str().unwrap(),
            )
        })
        .collect();
    let at = |wanted| {
        made.iter()
            .position(|it| *it == wanted)
            .unwrap_or(usize::MAX)
    };
    for (artifact, engine) in [("beats", "beat_this"), ("chords", "ace"), ("key", "ace")] {
        assert!(
            at((artifact, "native")) < at((artifact, engine)),
            "{made:?}"
        );
    }
    assert_eq!(
        bench.engines(),
        pairs(&[
            ("beats", "beat_this"),
            ("key", "ace"),
            ("chords", "ace"),
            ("stems", "htdemucs")
        ])
    );
    let shown = bench
        .run(&["show", &bench.path("music/tune.wav").to_string_lossy()])
        .with_status(0)
        .json();
    assert_eq!(shown["bpm"], 120.0);
    assert_eq!(shown["tempo_segments"][0]["beats_per_bar"], 3);
    assert_eq!(shown["chords"][0]["label"], "A:min7/b7");
    let versions: BTreeMap<&str, u64> = shown["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| Some((it["artifact"].as_str()?, it["version"].as_u64()?)))
        .collect();
    // Raised whenever the same model gives another result: that makes what older versions made due again.
    for (artifact, version) in [("beats", 1), ("key", 2), ("chords", 3), ("stems", 1)] {
        assert_eq!(versions[artifact], version, "{artifact}");
    }
    // Nothing is due any more, and the user's word brings the built-in analysis back.
    let again = bench.run(&["analyze", "--all"]).with_status(0).lines();
    assert_eq!(of_event(&again, "artifact").len(), 0, "{again:?}");
    bench
        .run(&["analyze", "--all", "--engine", "native"])
        .with_status(0);
    let engines = bench.engines();
    assert!(
        engines[..3].iter().all(|(_, engine)| engine == "native"),
        "{engines:?}"
    );
}

#[test]
fn a_failure_of_a_model_leaves_the_draft() {
    let bench = Bench::new("crash");
    bench.set_up();
    let music = bench.program.music();
    let lines = bench
        .run(&["import", &music.to_string_lossy(), "--engine", "neural"])
        .with_status(1)
        .lines();
    let failed: Vec<&Value> = of_event(&lines, "artifact")
        .into_iter()
        .filter(|line| line["outcome"] == "failed")
        .collect();
    assert!(
        failed.iter().any(|line| line["engine"] == "beat_this"),
        "{failed:?}"
    );
    let engines = bench.engines();
    assert!(
        engines[..3].iter().all(|(_, engine)| engine == "native"),
        "{engines:?}"
    );
    // It is not tried again by itself.
    let again = bench.run(&["analyze", "--all"]).with_status(0).lines();
    assert_eq!(of_event(&again, "artifact").len(), 0, "{again:?}");
    // It is found, though the track is ready.
    let found = bench.run(&["list", "state:failed"]).with_status(0).json();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["state"], "ready");
    let table = finish(bench.program.command(["list", "state:failed"]));
    assert!(
        table.text().contains("ready, beats by beat_this and"),
        "{table:?}"
    );
    let shown = bench.run(&["show", &bench.path("music/tune.wav").to_string_lossy()]);
    let shown = shown.with_status(0).json();
    let beats = &shown["artifacts"][3];
    assert_eq!(
        (&beats["engine"], &beats["error"]),
        (&json!("native"), &Value::Null)
    );
    assert_eq!(beats["tried"]["engine"], "beat_this");
    let words = beats["tried"]["error"]["message"].as_str().unwrap();
    assert!(words.contains("the roof is on fire"), "{words}");
    let doctor = finish(bench.program.command(["doctor"]));
    assert!(
        doctor.text().contains("tonearm list state:failed"),
        "{doctor:?}"
    );
}

#[test]
fn models_that_vanish_in_the_middle_leave_a_batch_that_waits_for_them() {
    let mut bench = Bench::new("vanish");
    bench
        .program
        .put("other.wav", &waves::tune(8, 30.0, 22_050, 2));
    bench.set_up();
    let music = bench.program.music();
    bench
        .run(&["import", &music.to_string_lossy()])
        .with_status(0);
    let told = bench.run(&["stems", "--query", ""]).with_status(1).lines();
    let (made, waits): (Vec<&Value>, Vec<&Value>) =
        told.iter().partition(|line| line["error"].is_null());
    assert_eq!((made.len(), waits.len()), (1, 1), "{told:?}");
    assert_eq!(made[0]["engine"], "htdemucs");
    let words = waits[0]["error"]["message"].as_str().unwrap();
    assert!(
        words.contains("the model for stems is no longer there"),
        "{words}"
    );
    let stems_of = |bench: &Bench, line: &Value| {
        let shown = bench.run(&["show", line["id"].as_str().unwrap()]);
        shown.with_status(0).json()["artifacts"][6].clone()
    };
    let waiting = stems_of(&bench, waits[0]);
    assert_eq!(
        (&waiting["state"], &waiting["engine"]),
        (&json!("due"), &Value::Null)
    );
    assert_eq!(waiting.get("tried"), None);
    bench.mode = "normal";
    bench.set_up();
    bench.run(&["analyze", "--all"]).with_status(0);
    for line in [made[0], waits[0]] {
        assert_eq!(stems_of(&bench, line)["engine"], "htdemucs");
    }
}

#[test]
fn who_asks_for_models_that_are_gone_is_told_what_waits_and_why() {
    let mut bench = Bench::new("vanish");
    bench.set_up();
    let music = bench.program.music();
    let import = ["import", &music.to_string_lossy(), "--engine", "neural"];
    let lines = bench.run(&import).with_status(1).lines();
    assert_eq!(bench.engines()[0].1, "beat_this");
    let waiting = of_event(&lines, "waiting");
    assert_eq!((waiting.len(), &waiting[0]["tracks"]), (1, &json!(1)));
    let words = waiting[0]["error"]["message"].as_str().unwrap();
    assert!(
        words.contains("the model for stems is no longer there"),
        "{words}"
    );
    let failed = of_event(&lines, "artifact")
        .into_iter()
        .filter(|line| line["outcome"] == "failed");
    assert_eq!(failed.count(), 0, "no fault of the track");
    bench.mode = "normal";
    bench.set_up();
    bench.run(&["analyze", "--all"]).with_status(0);
    assert!(bench.engines().iter().all(|(_, engine)| engine != "native"));
}

#[test]
fn without_a_whole_environment_what_models_are_to_make_waits() {
    let bench = Bench::new("normal");
    bench.set_up();
    fs::create_dir_all(bench.path("cache/python")).unwrap();
    fs::write(bench.path("cache/python/current.json"), "{").unwrap();
    let music = bench.program.music();
    let mut command = bench.command(&["import", &music.to_string_lossy(), "--engine", "neural"]);
    command.env_remove("TONEARM_WORKER");
    let lines = finish(command).with_status(1).lines();
    let waiting = of_event(&lines, "waiting");
    let words = waiting[0]["error"]["message"].as_str().unwrap();
    assert!(words.contains("not whole"), "{words}");
    assert_eq!(bench.engines()[0].1, "native", "the drafts are there");
    bench.run(&["analyze", "--all"]).with_status(0);
    assert_eq!(bench.engines()[0].1, "beat_this");
}

#[test]
fn stems_that_a_worker_did_not_write_are_no_stems() {
    let bench = Bench::new("partial");
    bench.set_up();
    let music = bench.program.music();
    bench
        .run(&["import", &music.to_string_lossy(), "--engine", "neural"])
        .with_status(1);
    let engines = bench.engines();
    assert_eq!(engines[0].1, "beat_this");
    assert_eq!(engines[2].1, "native", "chords need whole stems");
}

#[test]
fn without_models_the_built_in_analysis_works_and_says_so() {
    let bench = Bench::new("normal");
    let music = bench.program.music();
    let ended = bench
        .run(&["import", &music.to_string_lossy(), "--engine", "neural"])
        .with_status(0);
    assert!(ended.stderr.contains("tonearm setup"), "{}", ended.stderr);
    assert_eq!(bench.engines()[0].1, "native");
}

#[test]
fn chords_are_not_said_to_be_ready_without_stems_by_a_model() {
    let bench = Bench::new("normal");
    let lines = bench.set_up_with(&[]);
    assert_eq!(lines.last().unwrap()["ready"], json!(["beats"]));
    let checked = bench.run(&["setup", "--check"]).with_status(0).lines();
    assert_eq!(checked.last().unwrap()["ready"], json!(["beats"]));
    let music = bench.program.music();
    let ended = bench
        .run(&["import", &music.to_string_lossy(), "--engine", "neural"])
        .with_status(0);
    let told = "--accept-licence htdemucs";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(
        bench.engines(),
        pairs(&[
            ("beats", "beat_this"),
            ("key", "native"),
            ("chords", "native"),
            ("stems", "none")
        ])
    );
    bench.set_up();
    let ended = bench.run(&["analyze", "--all"]).with_status(0);
    assert!(!ended.stderr.contains(told), "{}", ended.stderr);
}

#[test]
fn a_broken_list_of_models_is_told_wherever_models_are() {
    let bench = Bench::new("normal");
    fs::write(bench.path("models.json"), "{").unwrap();
    let checked = bench.run(&["setup", "--check"]).with_status(1).lines();
    let error = &checked.last().unwrap()["error"];
    let words = "the list of models cannot be read";
    assert!(error["message"].as_str().unwrap().contains(words));
    assert!(error["remedy"].as_str().unwrap().contains("TONEARM_MODELS"));
    let doctor = bench.run(&["doctor"]).with_status(1).json();
    let checks = doctor["checks"].as_array().unwrap().iter();
    let failed: Vec<&Value> = checks.filter(|it| it["state"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{doctor}");
    assert!(failed[0]["reason"].as_str().unwrap().contains(words));
}

#[test]
fn at_an_open_question_ctrl_c_ends_the_program() {
    let is_there = Command::new("script").arg("--version").output().is_ok();
    if !is_there || !cfg!(target_os = "linux") {
        return skipped("there is no script, which gives a terminal");
    }
    let bench = Bench::new("normal");
    let asking = bench.program.command(["setup", "--models", "htdemucs"]);
    let words = std::iter::once(asking.get_program()).chain(asking.get_args());
    let quoted: Vec<String> = words
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let mut command = Command::new("script");
    command.args(["-qec", &quoted.join(" "), "/dev/null"]);
    for (name, value) in asking.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let (stdin, mut keys) = std::io::pipe().unwrap();
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = Running::start(bench.with_models(command));
    while !running.next_line().expect("a question").contains("[y/N]") {}
    keys.write_all(b"\x03").unwrap();
    assert_eq!(running.end().status.code(), Some(130));
}

#[test]
fn a_program_that_is_killed_leaves_no_worker() {
    let bench = Bench::new("slow");
    bench.set_up();
    let music = bench.program.music();
    let arguments = ["import", &music.to_string_lossy(), "--engine", "neural"];
    let mut running = Running::start(bench.command(&arguments));
    let pid = bench.path("beats.pid");
    let began = Instant::now();
    let written = || fs::read_to_string(&pid).ok().filter(|id| !id.is_empty());
    while written().is_none() && began.elapsed() < Duration::from_mins(2) {
        std::thread::yield_now();
    }
    let id = written().expect("a worker was started");
    running.kill();
    running.end();
    assert!(ends(&id), "an orphan: {id}");
}
