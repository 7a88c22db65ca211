//! One process per library.

use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use tonearm_tests::program::{Program, finish, summary};
use tonearm_tests::waves::tune;

#[test]
fn a_second_process_on_the_same_library_is_told_who_has_it() {
    let program = Program::new();
    for seed in 0..40 {
        program.put(format!("{seed}.wav"), &tune(seed, 4.0, 22_050, 1));
    }
    let music = program.music();
    let mut first = program.start(["--json", "import", music.to_str().unwrap()]);
    first.next_line().unwrap();
    // It is held still, so that it cannot end before the second has looked.
    signal("STOP", first.id());
    let backup = program.folder().join("backup.redb");
    let attempts = [
        &["list"][..],
        &["import", "."],
        &["verify"],
        &["backup"],
        &["restore", backup.to_str().unwrap()],
        &["export", "csv", "-"],
    ];
    for arguments in attempts {
        let second = program.run(arguments);
        let stderr = second.stderr.clone();
        if arguments[0] != "restore" {
            drop(second.with_status(3));
            assert!(
                stderr.contains(&format!("process {}", first.id())),
                "{arguments:?}: {stderr}"
            );
            assert!(stderr.contains("import"), "{stderr}");
        }
    }
    let doctor = program.run(["--json", "doctor"]).with_status(3);
    let report = doctor.json();
    let check = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == "library")
        .unwrap();
    assert_eq!(check["state"], "failed");
    assert!(
        check["reason"]
            .as_str()
            .unwrap()
            .contains(&first.id().to_string())
    );
    // Another library is free.
    let other = program.folder().join("other");
    let mut command = program.command::<&str>([]);
    command.arg("list").env("TONEARM_LIBRARY", &other);
    finish(command).with_status(3);
    let free = Program::new();
    assert_eq!(free.list(&[]), Vec::<Value>::new());

    signal("CONT", first.id());
    let ended = first.end().with_status(0);
    assert_eq!(summary(&ended.lines())["added"], 40);
    assert_eq!(program.list(&["state:ready"]).len(), 40);
}

/// Holds a library as another process would, which is this one.
fn hold(program: &Program, more: &str) -> File {
    fs::create_dir_all(program.library()).unwrap();
    let mut file = File::create(program.library().join("lock")).unwrap();
    file.lock().unwrap();
    let pid = std::process::id();
    write!(file, "{pid}\ntonearm relink /mnt\n{more}").unwrap();
    file
}

#[test]
fn a_command_waits_a_moment_for_another_that_is_about_to_end() {
    let program = Program::new();
    program.put("a.wav", &tune(1, 1.0, 22_050, 1));
    program.import();
    let held = hold(&program, "");
    let mut second = program.command(["list"]).spawn().unwrap();
    let mut told = BufReader::new(second.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(
        line.contains("waiting up to 2 s")
            && line.contains(&format!(
                "process {} (tonearm relink /mnt)",
                std::process::id()
            )),
        "{line}"
    );
    drop(held);
    let ended = second.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("a.wav"));
}

#[test]
fn a_window_is_not_waited_for() {
    let program = Program::new();
    let _held = hold(&program, "window");
    let told = program.run(["list"]).with_status(3).stderr;
    assert!(!told.contains("waiting"), "{told}");
    assert!(
        told.contains(&format!("process {}", std::process::id()))
            && told.contains("do it in that window, or close it first"),
        "{told}"
    );
}

fn signal(name: &str, process: u32) {
    let sent = std::process::Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}
