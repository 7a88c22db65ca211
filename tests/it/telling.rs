//! What the program tells people of its work, and where it leaves things alone.

use std::fs;
use std::process::Stdio;
use tonearm_tests::program::{Program, binary, finish, of_event, summary};
use tonearm_tests::waves::tune;

#[test]
fn the_demonstration_stays_out_of_the_library_that_the_environment_names() {
    let program = Program::new();
    let mut command = std::process::Command::new(binary());
    command
        .current_dir(program.folder())
        .env("HOME", program.folder())
        .env("TONEARM_LIBRARY", program.library())
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish(command).with_status(0);
    assert!(!program.library().join("library.redb").exists());
    assert!(program.library().join("demo/library.redb").exists());
    assert_eq!(program.list(&[]).len(), 0);
}

#[test]
fn to_analyse_a_missing_track_fails_and_says_why() {
    let program = Program::new();
    let path = program.put("a.wav", &tune(1, 2.0, 22_050, 1));
    program.put("b.wav", &tune(2, 2.0, 22_050, 1));
    program.import();
    fs::remove_file(&path).unwrap();
    program.import();
    let path = path.to_str().unwrap();
    let lines = program
        .run(["--json", "analyze", path])
        .with_status(1)
        .lines();
    let line = of_event(&lines, "track")[0];
    assert_eq!(line["outcome"], "missing");
    assert_eq!(line["error"]["kind"], "missing");
    assert_eq!(summary(&lines)["missing"], 1);
    let shown = program.show(path);
    assert_ne!(shown["missing_reason"]["remedy"].as_str().unwrap(), "");
    let shown = program.run(["show", path]).with_status(0).text();
    assert!(shown.contains("the file is not there"), "{shown}");
    // The others are none the worse.
    program.run(["analyze", "--all"]).with_status(0);
}

#[test]
fn a_track_that_failed_for_good_is_tried_again_when_it_is_named() {
    let program = Program::new();
    let path = program.put("text.mp3", "words and no music\n".repeat(300).as_bytes());
    program
        .run(["import".as_ref(), path.as_os_str()])
        .with_status(1);
    let analyze = |which: &str, status| {
        program
            .run(["--json", "analyze", which])
            .with_status(status)
            .lines()
    };
    assert_eq!(of_event(&analyze("--all", 0), "artifact").len(), 0);
    let lines = analyze(path.to_str().unwrap(), 1);
    assert_ne!(of_event(&lines, "artifact").len(), 0);
    assert_eq!(summary(&lines)["artifacts_done"], 0);
}

#[test]
fn each_finished_track_has_a_line_where_no_bar_can_be_drawn() {
    let program = Program::new();
    for seed in 0..3 {
        program.put(format!("{seed}.wav"), &tune(seed, 2.0, 22_050, 1));
    }
    program.put("text.mp3", "words and no music\n".repeat(300).as_bytes());
    let music = program.music();
    let done = |arguments: &[&str], status| -> Vec<String> {
        let ended = program.run(arguments).with_status(status);
        let mut lines: Vec<String> = ended
            .stdout
            .iter()
            .filter_map(|line| Some(line.strip_prefix("     done  ")?.to_owned()))
            .collect();
        lines.sort();
        lines
    };
    let lines = done(&["import", music.to_str().unwrap()], 1);
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (seed, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("{seed}.wav  ")), "{line}");
    }
    let again = ["analyze", "--all", "--force", "--only", "hash"];
    assert_eq!(done(&again, 0).len(), 3);
    let quietly: Vec<&str> = again.into_iter().chain(["--quiet"]).collect();
    assert_eq!(done(&quietly, 0).len(), 0);
}
