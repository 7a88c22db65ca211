//! What the program tells people of its work, and where it leaves things alone.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use tonearm_tests::program::{Ended, Program, binary, finish, of_event, summary};
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

/// The error that a program reads.
fn error_in(ended: &Ended, status: i32) -> Value {
    let document = ended.json();
    assert_eq!(document["event"], "error", "{document}");
    assert_eq!(document["exit_status"], status, "{document}");
    assert_ne!(document["error"]["message"], "", "{document}");
    document["error"].clone()
}

#[test]
fn what_ends_a_command_is_told_in_json_as_well() {
    let program = Program::new();
    program.put("a.wav", &tune(1, 2.0, 22_050, 1));
    program.import();
    let nowhere = program.folder().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 12] = [
        (&["show", "nothing"], 1, "failed"),
        (&["analyze", "nothing"], 1, "failed"),
        (&["waveform", "nothing", "--png", "x.png"], 1, "failed"),
        (&["stems", "nothing"], 1, "failed"),
        (&["play", "nothing", "--render", "x.wav"], 1, "failed"),
        (&["restore", nowhere], 1, "missing"),
        (&["decks", "--replay", nowhere], 1, "missing"),
        (&["decks", "--simulate", nowhere], 1, "missing"),
        (&["bench", nowhere], 1, "missing"),
        (&["list", "bmp:1"], 2, "usage"),
        (&["analyze"], 2, "usage"),
        (&["nonsense"], 2, "usage"),
    ];
    for (arguments, status, kind) in cases {
        let all = [&["--json"], arguments].concat();
        let ended = program.run(all).with_status(status);
        assert_eq!(error_in(&ended, status)["kind"], kind, "{arguments:?}");
        assert_ne!(ended.stderr, "", "people are told too: {arguments:?}");
    }
    let file = program.folder().join("file");
    fs::write(&file, "no library").unwrap();
    let elsewhere = Program::new().with_library(file);
    let ended = elsewhere.run(["--json", "list"]);
    let error = error_in(&ended.with_status(1), 1);
    assert_eq!(error["kind"], "library");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("a library is a folder"), "{message}");
    // A list that is one document stays one.
    fs::write(program.library().join("library.redb"), "damaged").unwrap();
    let ended = program.run(["--json", "doctor"]).with_status(3);
    assert!(ended.json()["checks"].is_array());
    let ended = program.run(["--json", "list"]).with_status(3);
    let error = error_in(&ended, 3);
    assert!(
        error["remedy"]
            .as_str()
            .unwrap()
            .contains("tonearm restore"),
        "{error}"
    );
}

#[test]
fn an_error_says_what_is_wrong_and_what_helps() {
    let program = Program::new();
    let path = program.put("empty.mp3", b"");
    let empty = path.to_str().unwrap();
    program.run(["import", empty]).with_status(1);
    let backup = program.run(["--json", "backup"]).with_status(0).json();
    // The first use of a day makes a backup as well: either may be the newest.
    let backups = Path::new(backup["backup"].as_str().unwrap()).parent();
    let newest = format!("The newest backup is {}", backups.unwrap().display());
    let nowhere = program.folder().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["import", nowhere], 1, "Check how it is written"),
        (
            &["decks", "--replay", nowhere],
            1,
            "decks --record has written",
        ),
        (
            &["waveform", empty, "--png", "x.png"],
            1,
            "The file is empty",
        ),
        (&["restore", nowhere], 1, &newest),
        (&["analyze"], 2, "tonearm analyze --all"),
        (&["import"], 2, "tonearm import ~/Music"),
        (&["stems"], 2, "--query"),
        (&["show"], 2, "tonearm show 3f9a"),
    ];
    for (arguments, status, words) in cases {
        let ended = program.run(arguments).with_status(status);
        let told = format!("{}\n{}", ended.text(), ended.stderr);
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
}

#[test]
fn what_failed_is_one_number_wherever_it_is_counted_and_told_once() {
    let program = Program::new();
    program.put("good.wav", &tune(1, 2.0, 22_050, 1));
    program.put("text.mp3", "words and no music\n".repeat(300).as_bytes());
    program.put("more.flac", &[7; 5_000]);
    let whole = tune(5, 2.0, 22_050, 1);
    let cut = program.put("cut.wav", &whole[..whole.len() / 2]);
    let music = program.music();
    let json = program.run(["--json".as_ref(), "import".as_ref(), music.as_os_str()]);
    assert_eq!(summary(&json.with_status(1).lines())["tracks_failed"], 3);
    assert_eq!(program.list(&["state:failed"]).len(), 3);
    let doctor = program.run(["doctor"]).text();
    assert!(doctor.contains("3 tracks failed or damaged"), "{doctor}");

    let again = program
        .run(["analyze", "--all", "--force"])
        .with_status(1)
        .text();
    assert!(again.contains("3 tracks failed or damaged"), "{again}");
    assert_eq!(
        again.matches("This is not an audio file").count(),
        2,
        "{again}"
    );
    let shown = program.run(["show", "text.mp3"]).with_status(0).text();
    assert_eq!(
        shown.matches("This is not an audio file").count(),
        1,
        "{shown}"
    );
    assert!(
        shown.contains("waveform, beats, key, chords, loudness failed:"),
        "{shown}"
    );
    let shown = program
        .run(["show".as_ref(), cut.as_os_str()])
        .with_status(0)
        .text();
    assert!(shown.contains("cut off"), "{shown}");
}

#[test]
fn a_python_that_is_not_there_is_told_once_and_is_no_success() {
    let program = Program::new();
    for arguments in [
        &["setup", "--python", "nonsense"][..],
        &["setup", "--check", "--python", "nonsense"],
    ] {
        let ended = program.run(arguments).with_status(1);
        let told = format!("{}\n{}", ended.text(), ended.stderr);
        let count = |words: &str| told.matches(words).count();
        assert_eq!(count("the Python of --python is not there"), 1, "{told}");
        assert_eq!(count("Name another Python 3.12"), 1, "{told}");
    }
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
