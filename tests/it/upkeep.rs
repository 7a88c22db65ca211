//! Looking after the library: verify, backup, restore, older libraries.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tonearm_tests::program::{Program, repository};
use tonearm_tests::waves::tune;

fn with_tunes() -> Program {
    let program = Program::new();
    for seed in 0..3 {
        program.put(format!("{seed}.wav"), &tune(seed, 2.0, 22_050, 1));
    }
    program.import();
    program
}

fn backup(program: &Program) -> PathBuf {
    let report = program.run(["--json", "backup"]).with_status(0).json();
    let path = PathBuf::from(report["backup"].as_str().unwrap());
    assert_eq!(report["bytes"], fs::metadata(&path).unwrap().len());
    path
}

#[test]
fn a_backup_brings_back_everything_and_can_itself_be_undone() {
    let program = with_tunes();
    let before = program.list(&["--sort", "path"]);
    let shown = program.show(before[0]["id"].as_str().unwrap());
    let saved = backup(&program);
    fs::remove_file(program.music().join("0.wav")).unwrap();
    program.put("new.wav", &tune(9, 2.0, 22_050, 1));
    program.import();
    let later = program.list(&["--sort", "path"]);
    assert_eq!(later.len(), 4);

    let report = program
        .run(["--json", "restore", saved.to_str().unwrap()])
        .with_status(0)
        .json();
    assert_eq!(report["tracks"], 3);
    assert_eq!(program.list(&["--sort", "path"]), before);
    assert_eq!(program.show(before[0]["id"].as_str().unwrap()), shown);
    let replaced = report["replaced"].as_str().unwrap();
    program.run(["restore", replaced]).with_status(0);
    assert_eq!(program.list(&["--sort", "path"]), later);
}

#[test]
fn what_is_no_backup_changes_nothing() {
    let program = with_tunes();
    let before = program.list(&[]);
    let nonsense = program.folder().join("nonsense.redb");
    fs::write(&nonsense, b"not a backup").unwrap();
    let saved = backup(&program);
    let half = program.folder().join("half.redb");
    let bytes = fs::read(saved).unwrap();
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    for file in [&nonsense, &half, &program.folder().join("nowhere.redb")] {
        let ended = program.run(["restore".as_ref(), file.as_os_str()]);
        assert!(matches!(ended.status.code(), Some(1 | 3)), "{ended:?}");
        assert!(
            ended
                .stderr
                .contains(file.file_name().unwrap().to_str().unwrap()),
            "{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        assert_eq!(program.list(&[]), before);
    }
}

#[test]
fn verify_finds_changed_and_missing_files_and_lost_results() {
    let program = with_tunes();
    let report = program.run(["--json", "verify"]).with_status(0).json();
    assert_eq!(
        (&report["sound"], &report["tracks"]),
        (&true.into(), &3.into())
    );
    fs::remove_file(program.music().join("0.wav")).unwrap();
    program.put("1.wav", b"something else");
    let report = program.run(["--json", "verify"]).with_status(1).json();
    assert_eq!(report["sound"], false, "as the exit status says");
    assert_eq!(report["library_sound"], true);
    let files = report["files"].as_array().unwrap();
    let trouble = |name: &str| {
        let found = files
            .iter()
            .find(|file| file["path"].as_str().unwrap().ends_with(name))
            .unwrap();
        found["trouble"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (files.len(), trouble("0.wav"), trouble("1.wav")),
        (2, "unreachable".to_owned(), "changed".to_owned())
    );
    let waveforms = program.library().join("waveforms");
    fs::remove_dir_all(&waveforms).unwrap();
    let report = program.run(["--json", "verify"]).with_status(1).json();
    assert_eq!(report["redo"].as_array().unwrap().len(), 3, "{report}");
    let path = program.music().join("2.wav");
    program
        .run([
            "analyze",
            "--force",
            "--only",
            "waveform",
            path.to_str().unwrap(),
        ])
        .with_status(0);
    let report = program.run(["--json", "verify"]).with_status(1).json();
    assert_eq!(report["redo"].as_array().unwrap().len(), 2, "{report}");
}

#[test]
fn a_damaged_library_is_told_with_the_way_back_and_left_alone() {
    let program = with_tunes();
    let before = program.list(&[]);
    let saved = backup(&program);
    let file = program.library().join("library.redb");
    let damaged = b"damaged".repeat(5_000);
    fs::write(&file, &damaged).unwrap();
    let ended = program.run(["list"]).with_status(3);
    assert!(
        ended.stderr.contains("damaged") && ended.stderr.contains("backup"),
        "{}",
        ended.stderr
    );
    assert_eq!(fs::read(&file).unwrap(), damaged);
    program
        .run(["restore", saved.to_str().unwrap()])
        .with_status(0);
    assert_eq!(program.list(&[]), before);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_library_of_the_first_format_still_opens_and_still_takes_music() {
    let program = Program::new();
    copy(
        &repository().join("tests/fixtures/library-v1"),
        program.library(),
    );
    let tracks = program.list(&[]);
    assert_eq!(tracks.len(), 2);
    let shown = program.show(tracks[0]["id"].as_str().unwrap());
    for field in ["title", "beats", "chords", "key", "bpm", "sha256"] {
        assert_ne!(shown[field], Value::Null, "{field}");
    }
    program.put("new.wav", &tune(1, 2.0, 22_050, 1));
    program.import();
    assert_eq!(program.list(&[]).len(), 3);
    assert_eq!(program.list(&["state:ready", "new"]).len(), 1);
}
