//! A library that cannot be written: clear words, and nothing lost.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tonearm_tests::program::{Program, of_event, skipped, summary};
use tonearm_tests::waves::tune;

/// A small file system of its own, unmounted at the end. `None` where this user may not mount.
pub(super) struct SmallDisk(PathBuf);

impl SmallDisk {
    pub(super) fn mount(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(at)
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            skipped("no file system can be mounted here");
        }
        mounted.then(|| Self(at.to_path_buf()))
    }

    pub(super) fn remount(&self, how: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_is_told_and_everything_written_before_stays() {
    let program = Program::new();
    let place = program.folder().join("disk");
    let Some(disk) = SmallDisk::mount(&place, "6m") else {
        return;
    };
    let program = program.with_library(place.join("library"));
    for seed in 0..4 {
        program.put(format!("{seed}.wav"), &tune(seed, 2.0, 22_050, 1));
    }
    program.import();
    let before = program.list(&["--sort", "path"]);
    let mut filler = 0_usize;
    for chunk in [1 << 20, 1 << 16, 4096] {
        while fs::write(place.join(format!("filler {filler}")), vec![1_u8; chunk]).is_ok() {
            filler += 1;
        }
    }
    for seed in 10..80 {
        program.put(format!("more/{seed}.wav"), &tune(seed, 2.0, 22_050, 1));
    }
    let music = program.music();
    let ended = program.run(["--json", "import", music.to_str().unwrap()]);
    assert!(matches!(ended.status.code(), Some(1 | 3)), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let told = ended.text() + &ended.stderr;
    assert!(
        told.contains("disk is full") || told.contains("room"),
        "{told}"
    );
    // What was said to be there is there once there is room again.
    disk.remount("size=64m");
    let after = program.list(&["--sort", "path"]);
    for track in &before {
        assert!(after.contains(track), "lost: {track}");
    }
    for line in of_event(&ended.lines(), "track") {
        assert!(
            after.iter().any(|track| track["id"] == line["id"]),
            "told and not kept: {line}"
        );
    }
    program.import();
    assert_eq!(program.list(&["state:ready"]).len(), 74);
    let report = program.run(["--json", "verify"]).with_status(0).json();
    assert_eq!(report["sound"], true);
}

#[test]
fn a_read_only_library_is_told_and_left_as_it_is() {
    let program = Program::new();
    let place = program.folder().join("disk");
    let Some(disk) = SmallDisk::mount(&place, "32m") else {
        return;
    };
    let program = program.with_library(place.join("library"));
    program.put("a.wav", &tune(1, 2.0, 22_050, 1));
    program.import();
    let before = program.list(&[]);
    let shown = program.show(before[0]["id"].as_str().unwrap());
    disk.remount("ro");
    program.put("b.wav", &tune(2, 2.0, 22_050, 1));
    let music = program.music();
    for arguments in [
        &["import", music.to_str().unwrap()][..],
        &["analyze", "--all", "--force"],
        &["remove", "a.wav"],
        &["stems", "a.wav"],
        &["backup"],
    ] {
        let ended = program.run(arguments).with_status(1);
        let told = &ended.stderr;
        assert!(
            told.contains("can only be read") && told.contains("--library"),
            "{told}"
        );
    }
    // What looks at it alone works, and says once how it is.
    let out = program.folder().join("out.csv");
    let png = program.folder().join("out.png");
    for arguments in [
        &["list"][..],
        &["show", "a.wav"],
        &["export", "csv", out.to_str().unwrap()],
        &["waveform", "a.wav", "--png", png.to_str().unwrap()],
        &["verify"],
        &["doctor"],
    ] {
        let ended = program.run(arguments);
        if arguments[0] != "doctor" {
            assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        }
        let told = &ended.stderr;
        assert_eq!(
            told.matches("only read").count(),
            1,
            "{arguments:?}: {told}"
        );
    }
    assert_eq!(program.list(&[]), before);
    assert_eq!(program.show(before[0]["id"].as_str().unwrap()), shown);
    assert!(fs::read_to_string(&out).unwrap().contains("a.wav"));
    disk.remount("rw");
    assert_eq!(program.list(&[]), before);
    assert_eq!(summary(&program.import())["added"], 1);
}

/// Everything in the library's folder, by its path.
fn bytes_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes_below(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

#[test]
fn what_a_killed_import_left_is_read_where_nothing_can_be_written() {
    let program = Program::new();
    let place = program.folder().join("disk");
    let Some(disk) = SmallDisk::mount(&place, "64m") else {
        return;
    };
    let program = program.with_library(place.join("library"));
    for seed in 0..30 {
        program.put(format!("{seed}.wav"), &tune(seed, 3.0, 11_025, 1));
    }
    let music = program.music();
    // Output lines after which the power goes: among the tracks, and among the results.
    for after in [5, 50] {
        let mut running = program.start(["--json", "import", music.to_str().unwrap()]);
        for _ in 0..after {
            drop(running.next_line());
        }
        running.kill();
        let ended = running.end();
        assert_eq!(ended.status.code(), None, "it was killed: {}", ended.stderr);
        disk.remount("ro");
        let before = bytes_below(program.library());
        let known = program.list(&[]);
        // The last line may have been cut off.
        let told: Vec<Value> = ended
            .stdout
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let tracks = of_event(&told, "track");
        assert!(!tracks.is_empty());
        for line in tracks {
            assert!(
                known.iter().any(|track| track["id"] == line["id"]),
                "lost: {line}"
            );
        }
        assert!(bytes_below(program.library()) == before);
        disk.remount("rw");
    }
    program.import();
    assert_eq!(program.list(&["state:ready"]).len(), 30);
}

/// One file that nobody can write to, whatever its folder says.
struct Sealed(PathBuf);

impl Sealed {
    fn new(path: &Path) -> Option<Self> {
        let mount = |arguments: &[&str]| {
            let mut command = Command::new("mount");
            command.args(arguments).arg(path);
            command.output().is_ok_and(|it| it.status.success())
        };
        if !mount(&["--bind", path.to_str().unwrap()]) {
            skipped("no file can be mounted over another here");
            return None;
        }
        let sealed = Self(path.to_path_buf());
        assert!(mount(&["-o", "remount,bind,ro"]));
        Some(sealed)
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn those_who_only_read_do_not_shut_each_other_out() {
    let program = Program::new();
    program.put("a.wav", &tune(1, 2.0, 22_050, 1));
    program.import();
    let before = program.list(&[]);
    // The lock file can be written to, the library cannot.
    let Some(_sealed) = Sealed::new(&program.library().join("library.redb")) else {
        return;
    };
    let lock = fs::File::open(program.library().join("lock")).unwrap();
    lock.lock_shared().unwrap();
    assert_eq!(program.list(&[]), before);
    let told = program.run(["remove", "a.wav"]).with_status(3).stderr;
    assert!(told.contains("another process"), "{told}");
    drop(lock);
    let told = program.run(["remove", "a.wav"]).with_status(1).stderr;
    assert!(told.contains("can only be read"), "{told}");
    // Who writes, from where that can be done, keeps readers out.
    let lock = fs::File::open(program.library().join("lock")).unwrap();
    lock.lock().unwrap();
    program.run(["list"]).with_status(3);
}

#[test]
fn a_library_where_no_folder_can_be_is_told() {
    let program = Program::new();
    let file = program.put("file", b"in the way");
    let program = program.with_library(file.join("library"));
    let ended = program.run(["--json", "list"]).with_status(1);
    assert!(ended.stderr.contains("file"), "{}", ended.stderr);
    let lines = ended.lines();
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(line["event"], "error");
    let error = &line["error"];
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("a library is a folder"), "{error}");
    assert!(
        !error["remedy"].as_str().unwrap().contains("right"),
        "{error}"
    );
}
