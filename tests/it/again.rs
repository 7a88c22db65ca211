//! Importing again: nothing twice, nothing redone, changes and moves noticed.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tonearm_tests::program::{Program, of_event, summary};
use tonearm_tests::waves::tune;

/// A program that knows three analysed tunes.
fn with_tunes() -> Program {
    let program = Program::new();
    for (seed, name) in (1..).zip(["a.wav", "sub/b.wav", "sub/deep/c.wav"]) {
        program.put(name, &tune(seed, 4.0, 22_050, 1));
    }
    program.import();
    program
}

pub(crate) fn import(program: &Program, path: &Path) -> Vec<Value> {
    program
        .run(["--json".as_ref(), "import".as_ref(), path.as_os_str()])
        .with_status(0)
        .lines()
}

/// Id and outcome of the file with this name.
pub(crate) fn outcome(lines: &[Value], name: &str) -> (String, String) {
    let tracks = of_event(lines, "track");
    let mut named = tracks
        .iter()
        .filter(|line| line["path"].as_str().unwrap().ends_with(name));
    let line = named
        .next()
        .unwrap_or_else(|| panic!("no {name} in {lines:?}"));
    assert!(named.next().is_none(), "{name} twice in {lines:?}");
    let text = |field: &str| line[field].as_str().unwrap().to_owned();
    (text("id"), text("outcome"))
}

/// Everything shown of all tracks, in the order of their paths.
fn everything(program: &Program) -> Vec<Value> {
    let tracks = program.list(&["--sort", "path"]);
    tracks
        .iter()
        .map(|track| program.show(track["id"].as_str().unwrap()))
        .collect()
}

#[test]
fn importing_again_changes_nothing_and_analyses_nothing() {
    let program = with_tunes();
    let before = everything(&program);
    let lines = program.import();
    assert_eq!(summary(&lines)["unchanged"], 3);
    assert_eq!(of_event(&lines, "artifact"), Vec::<&Value>::new());
    assert_eq!(everything(&program), before);
    // The same folder by other names is the same folder.
    let music = program.music();
    for other in [
        music.join("."),
        music.join("sub/.."),
        music.join("sub/../sub/b.wav"),
    ] {
        let lines = import(&program, &other);
        assert_eq!(
            summary(&lines)["added"],
            0,
            "{}: {lines:?}",
            other.display()
        );
        assert_eq!(of_event(&lines, "artifact"), Vec::<&Value>::new());
    }
    let mut relative = program.command(["--json", "import", "../music"]);
    relative.current_dir(&music);
    let lines = tonearm_tests::program::finish(relative)
        .with_status(0)
        .lines();
    assert_eq!(
        (&summary(&lines)["unchanged"], &summary(&lines)["added"]),
        (&3.into(), &0.into())
    );
    assert_eq!(everything(&program), before);
}

#[test]
fn a_changed_file_is_updated_and_analysed_anew() {
    let program = with_tunes();
    let (before, bytes) = (program.list(&["--sort", "path"]), tune(9, 5.0, 22_050, 1));
    let path = program.put("a.wav", &bytes);
    // Told by its size at once; by its time where the size stays.
    let lines = program.import();
    assert_eq!(
        outcome(&lines, "/a.wav"),
        (
            before[0]["id"].as_str().unwrap().to_owned(),
            "updated".to_owned()
        )
    );
    assert_eq!(summary(&lines)["unchanged"], 2);
    let after = program.show(&path);
    assert_eq!(after["duration"], 5.0);
    assert_ne!(after["sha256"], before[0]["sha256"]);
    let redone = of_event(&lines, "artifact");
    assert!(
        redone.iter().all(|line| line["id"] == before[0]["id"]),
        "{redone:?}"
    );
    assert!(redone.iter().any(|line| line["artifact"] == "beats"));

    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
        .unwrap();
    drop(file);
    assert_eq!(outcome(&program.import(), "/a.wav").1, "updated");
}

#[test]
fn what_is_known_of_the_bytes_is_forgotten_when_they_change() {
    let program = with_tunes();
    let path = program.put("a.wav", &tune(9, 5.0, 22_050, 1));
    let music = program.music();
    program
        .run(["import", "--no-analyze", music.to_str().unwrap()])
        .with_status(0);
    assert_eq!(program.show(&path)["sha256"], Value::Null);
}

#[test]
fn a_file_moved_within_the_imported_folder_keeps_its_id_and_its_analysis() {
    let program = with_tunes();
    let before = program.show(program.music().join("a.wav"));
    let id = before["id"].as_str().unwrap();
    fs::rename(
        program.music().join("a.wav"),
        program.music().join("sub/moved.wav"),
    )
    .unwrap();
    let lines = program.import();
    assert_eq!(
        outcome(&lines, "moved.wav"),
        (id.to_owned(), "moved".to_owned())
    );
    assert_eq!(
        (&summary(&lines)["moved"], &summary(&lines)["missing"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        of_event(&lines, "artifact"),
        Vec::<&Value>::new(),
        "nothing is analysed again"
    );

    // Again, and only the folder where it is now is imported.
    fs::create_dir(program.music().join("other")).unwrap();
    fs::rename(
        program.music().join("sub/moved.wav"),
        program.music().join("other/again.wav"),
    )
    .unwrap();
    let lines = import(&program, &program.music().join("other"));
    assert_eq!(
        outcome(&lines, "again.wav"),
        (id.to_owned(), "moved".to_owned())
    );
    let mut after = program.show(id);
    assert_eq!(after["state"], "ready");
    after["path"] = before["path"].clone();
    assert_eq!(after, before);
    assert_eq!(program.list(&[]).len(), 3);
}

#[test]
fn a_file_that_was_moved_and_copied_is_found_once_and_its_copy_is_a_track_of_its_own() {
    let program = with_tunes();
    let id = program.show(program.music().join("a.wav"))["id"].clone();
    fs::copy(
        program.music().join("a.wav"),
        program.music().join("sub/x.wav"),
    )
    .unwrap();
    fs::rename(
        program.music().join("a.wav"),
        program.music().join("sub/y.wav"),
    )
    .unwrap();
    let lines = program.import();
    assert_eq!(
        (&summary(&lines)["moved"], &summary(&lines)["added"]),
        (&1.into(), &1.into()),
        "{lines:?}"
    );
    let (one, other) = (
        program.show(program.music().join("sub/x.wav")),
        program.show(program.music().join("sub/y.wav")),
    );
    assert_ne!(one["id"], other["id"]);
    assert!(one["id"] == id || other["id"] == id);
    assert_eq!(summary(&program.import())["unchanged"], 4);
}

#[test]
fn a_copy_is_offered_as_a_duplicate_and_never_merged() {
    let program = with_tunes();
    fs::copy(
        program.music().join("a.wav"),
        program.music().join("sub/copy.wav"),
    )
    .unwrap();
    let lines = program.import();
    let (id, what) = outcome(&lines, "copy.wav");
    assert_eq!(what, "added");
    let duplicates = of_event(&lines, "duplicate");
    assert_eq!(duplicates.len(), 1);
    let original = program.show(program.music().join("a.wav"));
    assert_eq!(duplicates[0]["id"], id.as_str());
    assert_eq!(duplicates[0]["same_as"], original["id"]);
    assert_eq!(original["duplicates"][0], id.as_str());
    assert_eq!(program.list(&[]).len(), 4);
    // The copy goes: what is left is alone again.
    fs::remove_file(program.music().join("sub/copy.wav")).unwrap();
    let lines = program.import();
    assert_eq!(outcome(&lines, "copy.wav").1, "missing");
    assert_eq!(outcome(&lines, "/a.wav").1, "unchanged");
}

#[test]
fn a_copy_on_another_drive_is_not_taken_for_the_file_while_its_drive_is_away() {
    let program = Program::new();
    let drive = program.folder().join("drive");
    fs::create_dir_all(drive.join("music")).unwrap();
    fs::write(drive.join("music/a.wav"), tune(1, 1.0, 22_050, 1)).unwrap();
    let (id, _) = outcome(&import(&program, &drive.join("music")), "a.wav");
    program.put("copy.wav", &tune(1, 1.0, 22_050, 1));
    fs::rename(&drive, program.folder().join("unplugged")).unwrap();
    let lines = import(&program, &program.music());
    let (copy, what) = outcome(&lines, "copy.wav");
    assert_eq!(what, "added");
    assert_ne!(copy, id);
    fs::rename(program.folder().join("unplugged"), &drive).unwrap();
    assert_eq!(
        outcome(&import(&program, &drive.join("music")), "a.wav").0,
        id
    );
}

#[test]
fn playlists_bring_in_the_files_that_they_name_and_tell_what_is_not_there() {
    let program = Program::new();
    program.put("a.wav", &tune(1, 1.0, 22_050, 1));
    program.put("sub/größe b.wav", &tune(2, 1.0, 22_050, 1));
    program.put("not named.wav", &tune(3, 1.0, 22_050, 1));
    let list = program.put(
        "sub/set.m3u8",
        "#EXTM3U\n#EXTINF:1,A\n../a.wav\r\ngröße b.wav\n../gone.wav\nhttp://radio/stream\n../a.wav\n".as_bytes(),
    );
    let ended = program
        .run(["--json", "import", list.to_str().unwrap()])
        .with_status(1);
    let lines = ended.lines();
    assert_eq!(outcome(&lines, "/a.wav").1, "added");
    assert_eq!(outcome(&lines, "größe b.wav").1, "added");
    let failed = of_event(&lines, "track")
        .into_iter()
        .find(|line| line["outcome"] == "failed")
        .unwrap();
    assert!(failed["path"].as_str().unwrap().ends_with("gone.wav"));
    assert_eq!(failed["error"]["kind"], "missing");
    assert_eq!(
        (&summary(&lines)["added"], &summary(&lines)["failed"]),
        (&2.into(), &1.into())
    );
    // The folder itself brings the third; what the playlist brought is known.
    let lines = program.import();
    assert_eq!(
        (&summary(&lines)["added"], &summary(&lines)["unchanged"]),
        (&1.into(), &2.into())
    );
}
