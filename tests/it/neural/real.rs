//! The same with the real packages and small checkpoints of random weights. `test.sh` makes the environment; without it
//! these tests are skipped, and say so.

use super::models;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tonearm_tests::program::{Ended, Program, finish, repository, skipped};
use tonearm_tests::waves;

/// The cache folder of an environment that works.
fn cache() -> Option<PathBuf> {
    let cache = std::env::var_os("TONEARM_TEST_CACHE").map(PathBuf::from)?;
    cache.join("python/current.json").is_file().then_some(cache)
}

/// A cache of its own with that environment in it, and checkpoints.
fn prepare(program: &Program, cache: &Path) -> Option<()> {
    let mine = program.folder().join("cache");
    fs::create_dir_all(&mine).ok()?;
    #[cfg(unix)]
    std::os::unix::fs::symlink(cache.join("python"), mine.join("python")).ok()?;
    let current: Value =
        serde_json::from_slice(&fs::read(cache.join("python/current.json")).ok()?).ok()?;
    let python = cache
        .join("python")
        .join(current["fingerprint"].as_str()?)
        .join("bin/python");
    let made = Command::new(python)
        .arg(repository().join("python/tests/make_checkpoints.py"))
        .arg(program.folder().join("from"))
        .status();
    made.ok()?.success().then_some(())
}

#[test]
fn the_real_chain_runs_from_the_command_line() {
    let Some(cache) = cache() else {
        return skipped("no environment: test.sh makes one and names it in TONEARM_TEST_CACHE");
    };
    let program = Program::new();
    program.put("tune.wav", &waves::tune(3, 25.0, 44_100, 2));
    assert!(
        prepare(&program, &cache).is_some(),
        "the environment is of no use"
    );
    let list = models(&[
        ("beat_this", "beats", "beat_this-tiny.ckpt"),
        ("htdemucs", "stems", "htdemucs-tiny.safetensors"),
        ("ace", "harmony", "ace-tiny.ckpt"),
    ]);
    fs::write(program.folder().join("models.json"), list).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = program.command(["--json"].iter().chain(arguments));
        command
            .env("TONEARM_CACHE", program.folder().join("cache"))
            .env("TONEARM_MODELS", program.folder().join("models.json"));
        finish(command)
    };
    let from = program.folder().join("from");
    run(&[
        "setup",
        "--from",
        &from.to_string_lossy(),
        "--models",
        "beat_this,htdemucs,ace",
        "--accept-licence",
        "htdemucs",
    ])
    .with_status(0);
    let music = program.music();
    let lines = run(&["import", &music.to_string_lossy(), "--engine", "neural"])
        .with_status(0)
        .lines();
    assert!(!lines.is_empty());
    let tune = program.music().join("tune.wav");
    let shown = run(&["show", &tune.to_string_lossy()])
        .with_status(0)
        .json();
    let engine = |artifact: &str| {
        let artifacts = shown["artifacts"].as_array().unwrap();
        artifacts
            .iter()
            .find(|it| it["artifact"] == artifact)
            .unwrap()["engine"]
            .clone()
    };
    for (artifact, expected) in [("stems", "htdemucs"), ("chords", "ace")] {
        assert_eq!(engine(artifact), expected, "{shown}");
    }
    // The small network hears no beats in anything: it is told, and the built-in ones stay.
    assert_eq!(engine("beats"), "native", "{shown}");
    let words = program.run(["show", &*tune.to_string_lossy()]);
    let words = words.with_status(0).text();
    assert!(
        words.contains("beat_this found none, so the built-in result stays"),
        "{words}"
    );
    models_are_measured(&run, &tune.to_string_lossy());
    // Without the model for stems the others are measured all the same.
    fs::remove_dir_all(program.folder().join("cache/models/htdemucs")).unwrap();
    let bench = run(&["bench", "--runs", "1", "--models", &tune.to_string_lossy()]);
    let told = bench.with_status(0).json();
    assert_eq!(told["models"].as_array().unwrap().len(), 1, "{told}");
}

fn models_are_measured(run: &dyn Fn(&[&str]) -> Ended, tune: &str) {
    let bench = run(&["bench", "--runs", "1", "--models", tune]);
    let told = bench.with_status(0).json();
    let lines = told["models"].as_array().unwrap();
    let models: Vec<&Value> = lines.iter().map(|line| &line["model"]).collect();
    assert_eq!(models, ["beat_this", "htdemucs", "ace"], "{told}");
    for line in lines {
        let (took, for_all) = (line["seconds"].as_f64(), line["seconds_per_track"].as_f64());
        // Of 25 seconds for 210.
        let ratio = for_all.unwrap() / took.unwrap();
        assert!((ratio - 8.4).abs() < 0.05, "{told}");
        assert_eq!(line["device"], "cpu", "{told}");
    }
    let seconds = |of: &str| told["chain"][of].as_f64().unwrap();
    let (program, workers) = (
        seconds("program_cpu_seconds"),
        seconds("workers_cpu_seconds"),
    );
    let networks = seconds("networks_cpu_seconds");
    assert!(
        program > 0.0 && workers > networks && networks > 0.0,
        "{told}"
    );
    let overhead = (program + workers) / networks - 1.0;
    assert!(
        (seconds("overhead") / overhead - 1.0).abs() < 1e-6,
        "{told}"
    );
}
