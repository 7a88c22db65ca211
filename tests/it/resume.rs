//! An import that is cut off: what was finished stays, what was not is made later, and nothing is doubled.

use serde_json::Value;
use std::collections::BTreeSet;
use tonearm_tests::program::{Program, of_event, summary};
use tonearm_tests::waves::tune;

const FILES: u32 = 60;

fn with_files() -> Program {
    let program = Program::new();
    for seed in 0..FILES {
        program.put(
            format!("{}/{seed}.wav", seed % 7),
            &tune(seed, 3.0, 11_025, 1),
        );
    }
    program
}

/// Every file once, everything made of it, the library sound.
fn assert_whole(program: &Program) {
    let tracks = program.list(&[]);
    let paths: BTreeSet<&str> = tracks
        .iter()
        .map(|track| track["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        (tracks.len(), paths.len()),
        (FILES as usize, FILES as usize)
    );
    for track in &tracks {
        assert_eq!(track["state"], "ready", "{track}");
    }
    let report = program.run(["--json", "verify"]).with_status(0).json();
    assert_eq!(
        (&report["sound"], &report["tracks"]),
        (&true.into(), &FILES.into())
    );
    for trouble in ["unreadable", "redo", "files", "same_path"] {
        assert_eq!(report[trouble], Value::Array(Vec::new()), "{trouble}");
    }
}

#[test]
fn killed_at_any_moment_an_import_is_completed_by_the_next() {
    let program = with_files();
    let music = program.music();
    // Output lines after which the power goes: before the first, among the tracks, among the results.
    for after in [0, 1, 17, 59, 61, 75, 110, 167, 23] {
        let mut running = program.start(["--json", "import", music.to_str().unwrap()]);
        for _ in 0..after {
            if running.next_line().is_none() {
                break;
            }
        }
        running.kill();
        let ended = running.end();
        assert_eq!(ended.status.code(), None, "it was killed: {}", ended.stderr);
        // What was told has been written.
        let told: Vec<Value> = ended
            .stdout
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let known = program.list(&[]);
        for line in of_event(&told, "track") {
            assert!(
                known.iter().any(|track| track["id"] == line["id"]),
                "lost: {line}"
            );
        }
        for line in of_event(&told, "artifact") {
            let track = known
                .iter()
                .find(|track| track["id"] == line["id"])
                .unwrap();
            let states = track["artifacts"].as_array().unwrap();
            let state = states
                .iter()
                .find(|state| state["artifact"] == line["artifact"])
                .unwrap();
            assert_eq!(state["state"], "done", "lost: {line}");
        }
    }
    let lines = program.import();
    assert_eq!(summary(&lines)["failed"], 0);
    assert_whole(&program);
    assert_eq!(
        of_event(&program.import(), "artifact"),
        Vec::<&Value>::new()
    );
}

#[test]
fn interrupted_an_import_ends_cleanly_and_keeps_what_was_finished() {
    let program = with_files();
    let music = program.music();
    let mut running = program.start(["--json", "import", music.to_str().unwrap()]);
    let mut results = 0;
    while results < 8 {
        let line = running.next_line().unwrap();
        results += usize::from(line.contains("\"artifact\""));
    }
    running.interrupt();
    let ended = running.end().with_status(130);
    let lines = ended.lines();
    assert_eq!(summary(&lines)["added"], FILES);
    let done = of_event(&lines, "artifact").len() as u64;
    assert_eq!(summary(&lines)["artifacts_done"], done);
    assert!(
        of_event(&lines, "artifact")
            .iter()
            .all(|line| line["outcome"] == "done")
    );
    assert!(
        !program.list(&["--", "-state:ready"]).is_empty(),
        "it went on to the end"
    );

    let kept: BTreeSet<String> = of_event(&lines, "artifact")
        .iter()
        .map(|line| key(line))
        .collect();
    let again = program.import();
    let redone: BTreeSet<String> = of_event(&again, "artifact")
        .iter()
        .map(|line| key(line))
        .collect();
    assert!(
        kept.is_disjoint(&redone),
        "made twice: {:?}",
        kept.intersection(&redone)
    );
    assert_whole(&program);
}

fn key(line: &Value) -> String {
    format!("{} {}", line["id"], line["artifact"])
}

#[test]
fn interrupted_before_anything_was_found_an_import_still_tells_its_summary() {
    let program = with_files();
    let music = program.music();
    let mut running = program.start(["--json", "import", music.to_str().unwrap()]);
    drop(running.next_line());
    running.interrupt();
    let ended = running.end().with_status(130);
    assert_eq!(summary(&ended.lines())["failed"], 0);
    program.import();
    assert_whole(&program);
}

#[test]
fn analysis_can_be_put_off_and_done_in_parts() {
    let program = Program::new();
    for seed in 0..2 {
        program.put(format!("{seed}.wav"), &tune(seed, 3.0, 11_025, 1));
    }
    let music = program.music();
    let ended = program.run(["--json", "import", "--no-analyze", music.to_str().unwrap()]);
    let lines = ended.with_status(0).lines();
    assert_eq!(of_event(&lines, "artifact"), Vec::<&Value>::new());
    let tracks = program.list(&[]);
    assert_eq!(tracks[0]["state"], "partial");
    let artifacts = |arguments: &[&str]| -> BTreeSet<String> {
        let all = ["--json", "analyze"].iter().chain(arguments);
        let lines = program.run(all).with_status(0).lines();
        summary(&lines);
        let lines = of_event(&lines, "artifact");
        lines.iter().map(|line| key(line)).collect()
    };
    let id = tracks[0]["id"].as_str().unwrap();
    assert_eq!(artifacts(&["--only", "loudness", id]).len(), 1);
    assert_eq!(
        artifacts(&["--only", "loudness", id]).len(),
        0,
        "it is up to date"
    );
    assert_eq!(artifacts(&["--only", "loudness", "--force", id]).len(), 1);
    // Chords need beats, which come with them.
    assert_eq!(artifacts(&["--only", "chords", id]).len(), 2);
    assert_eq!(artifacts(&["--all"]).len(), 12 - 3);
    assert_eq!(artifacts(&["--all"]).len(), 0);
    assert_eq!(program.list(&["state:ready"]).len(), 2);
    program.run(["analyze", "nothing"]).with_status(1);
}
