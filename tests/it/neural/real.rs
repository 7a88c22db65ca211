//! The same with the real packages and small checkpoints. Their weights are random, but for the last layers: those hear
//! clicks as beats, and C major in all that sounds. `test.sh` makes the environment; without it these tests are skipped,
//! and say so.

use super::models;
use serde_json::Value;
use std::f64::consts::TAU;
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

/// Eight seconds without a beat.
fn hum() -> Vec<u8> {
    let samples: Vec<i16> = (0..8 * 44_100)
        .flat_map(|frame| {
            let secs = f64::from(frame) / 44_100.0;
            [((TAU * 220.0 * secs).sin() * 3_000.0) as i16; 2]
        })
        .collect();
    waves::honest(44_100, 2, &samples)
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
    program.put("hum.wav", &hum());
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
    let shown = |track: &Path| {
        run(&["show", &track.to_string_lossy()])
            .with_status(0)
            .json()
    };
    all_of_the_tune_is_heard(&shown(&tune));
    // Where the network hears no beats, it is told, and the built-in ones stay.
    let hum = program.music().join("hum.wav");
    assert_eq!(engine(&shown(&hum), "beats"), "native");
    let words = program.run(["show", &*hum.to_string_lossy()]);
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

fn engine(shown: &Value, artifact: &str) -> Value {
    let artifacts = shown["artifacts"].as_array().unwrap();
    let found = artifacts.iter().find(|it| it["artifact"] == artifact);
    found.unwrap()["engine"].clone()
}

fn all_of_the_tune_is_heard(shown: &Value) {
    for (artifact, expected) in [
        ("beats", "beat_this"),
        ("stems", "htdemucs"),
        ("chords", "ace"),
        ("key", "ace"),
    ] {
        assert_eq!(engine(shown, artifact), expected, "{shown}");
    }
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{shown}"));
    assert!((number(&shown["grid"]["bpm"]) - 120.0).abs() < 0.01);
    assert!(number(&shown["grid"]["first_beat"]).abs() < 0.03);
    // In 25 seconds; one more may lie at the very end.
    let beats = shown["beats"].as_array().unwrap().len();
    assert!((50..=51).contains(&beats), "{shown}");
    assert_eq!(shown["chords"][0]["label"], "C:maj", "{shown}");
    assert_eq!(shown["key"], "C major", "{shown}");
    for confidence in ["beats_confidence", "key_confidence"] {
        let sure = number(&shown[confidence]);
        assert!(sure > 0.5 && sure <= 1.0, "{confidence} {sure}");
    }
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
