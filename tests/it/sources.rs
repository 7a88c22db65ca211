//! Engine DJ libraries brought in by the program itself: what becomes of their tracks, at first and again.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tonearm_tests::engine_library::{EngineLibrary, EngineRow, OTHER_UUID, UUID, usual_row};
use tonearm_tests::program::{Ended, Program, of_event, summary};
use tonearm_tests::waves::tune;

/// The first and the last schema of both generations.
const SCHEMAS: [(u32, u32, u32); 3] = [(2, 18, 0), (2, 21, 2), (3, 0, 2)];

/// A drive with a library and files for its first tracks, beside the program's own folder.
struct Drive {
    program: Program,
    made: EngineLibrary,
}

impl Drive {
    /// Three tracks with files, in the order of their numbers.
    fn new(schema: (u32, u32, u32)) -> Self {
        let program = Program::new();
        let place = fs::canonicalize(program.folder()).unwrap().join("drive");
        let made = EngineLibrary::create(&place, schema).unwrap();
        let drive = Self { program, made };
        for (seed, name) in (1..).zip(["a.wav", "sub/b.wav", "c.wav"]) {
            drive.put(name, &tune(seed, 1.0, 11_025, 1));
            let mut row = EngineRow::at(&format!("../Music/{name}"));
            row.artist = Some("Of Engine".to_owned());
            row.rating = Some(80);
            row.bpm_analyzed = Some(124.5);
            drive.made.add(&row).unwrap();
        }
        drive
    }

    fn place(&self) -> PathBuf {
        self.made.folder.parent().unwrap().to_path_buf()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.place().join("Music").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Does not analyse: that is another test's matter.
    fn import_of(&self, path: &Path) -> Ended {
        self.program.run([
            "--json".as_ref(),
            "import".as_ref(),
            "--no-analyze".as_ref(),
            path.as_os_str(),
        ])
    }

    fn import(&self) -> Vec<Value> {
        self.import_of(&self.made.folder).with_status(0).lines()
    }

    fn hashed(&self) {
        let arguments = ["--json", "analyze", "--all", "--only", "hash"];
        self.program.run(arguments).with_status(0);
    }

    fn execute(&self, statement: &str) {
        self.made.connection.execute_batch(statement).unwrap();
    }
}

fn counts(lines: &[Value]) -> BTreeMap<&str, u64> {
    let fields = [
        "added",
        "updated",
        "merged",
        "moved",
        "unchanged",
        "missing",
        "failed",
    ];
    let summary = summary(lines);
    let counts = fields
        .into_iter()
        .map(|it| (it, summary[it].as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// Bytes of every file below, by path.
fn picture(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut seen = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                seen.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    seen
}

fn by_source(program: &Program, id: &str) -> Value {
    let tracks = program.list(&[&format!("source:={id}")]);
    assert_eq!(tracks.len(), 1, "{id}: {tracks:?}");
    tracks[0].clone()
}

#[test]
fn a_library_of_each_schema_is_brought_in_and_again_nothing_changes() {
    for schema in SCHEMAS {
        let drive = Drive::new(schema);
        let before = picture(&drive.place());
        let lines = drive.import();
        assert_eq!(
            counts(&lines),
            [("added", 3)].into(),
            "{schema:?}: {lines:?}"
        );
        for (number, line) in (1..).zip(of_event(&lines, "track")) {
            assert_eq!(line["source_id"], format!("{UUID}:{number}"));
        }
        let tracks = drive.program.list(&["--sort", "path"]);
        assert_eq!(tracks[0]["title"], "Title of ../Music/a.wav");
        assert_eq!(tracks[0]["artist"], "Of Engine");
        assert_eq!(tracks[0]["rating"], 4);
        assert_eq!(tracks[0]["tag_bpm"], 124.5);
        let source = &tracks[0]["sources"][0];
        assert_eq!(source["source_id"], format!("{UUID}:1"));
        assert_eq!(source["kind"], "engine_dj");
        assert_eq!(source["library_uuid"], UUID);
        assert_eq!(source["origin_uuid"], UUID);
        assert_eq!(source["track_id"], 1);
        assert_eq!(source["path_as_stored"], "../Music/a.wav");

        // By each name that the library has.
        let inner = drive.made.database.parent().unwrap().to_path_buf();
        for path in [
            &drive.made.folder,
            &inner,
            &drive.made.database,
            &drive.place(),
        ] {
            let lines = drive.import_of(path).with_status(0).lines();
            assert_eq!(
                counts(&lines),
                [("unchanged", 3)].into(),
                "{}",
                path.display()
            );
        }
        assert_eq!(drive.program.list(&["--sort", "path"]), tracks);
        assert_eq!(picture(&drive.place()), before, "the library was touched");
        let scratch = drive.program.library().join("scratch");
        let left = fs::read_dir(&scratch).map_or(0, Iterator::count);
        assert_eq!(left, 0, "copies stay behind");
    }
}

#[test]
fn tracks_that_were_there_as_files_are_joined_and_analysed_as_any_other() {
    let drive = Drive::new((3, 0, 2));
    let music = drive.place().join("Music");
    drive.import_of(&music).with_status(0);
    let before = drive.program.list(&["--sort", "path"]);
    let lines = drive.import();
    assert_eq!(counts(&lines), [("merged", 3)].into());
    let after = drive.program.list(&["--sort", "path"]);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before["id"], after["id"]);
        assert_eq!(after["sources"].as_array().unwrap().len(), 1);
        assert_eq!(after["artist"], "Of Engine");
    }
    let whole = drive.program.run([
        "--json".as_ref(),
        "import".as_ref(),
        drive.made.folder.as_os_str(),
    ]);
    let whole = whole.with_status(0).lines();
    assert_eq!(summary(&whole)["artifacts_failed"], 0);
    for track in drive.program.list(&[]) {
        assert_eq!(track["state"], "ready", "{track}");
        assert_eq!(
            track["artist"], "Of Engine",
            "analysis keeps what Engine says"
        );
    }
}

#[test]
fn a_file_that_engine_moved_keeps_its_track_and_what_engine_changed_is_taken_over() {
    let drive = Drive::new((2, 21, 2));
    drive.import();
    drive.hashed();
    let before = by_source(&drive.program, &format!("{UUID}:1"));
    let music = drive.place().join("Music");
    fs::rename(music.join("a.wav"), music.join("moved.wav")).unwrap();
    drive.execute(
        "UPDATE Track SET path = '../Music/moved.wav', artist = 'Corrected' WHERE id = 1;
         UPDATE Track SET rating = 20 WHERE id = 2;",
    );
    let lines = drive.import();
    let expected = [("moved", 1), ("updated", 1), ("unchanged", 1)].into();
    assert_eq!(counts(&lines), expected, "{lines:?}");
    let after = by_source(&drive.program, &format!("{UUID}:1"));
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["sha256"], before["sha256"]);
    assert_eq!(after["path"], music.join("moved.wav").to_str().unwrap());
    assert_eq!(after["artist"], "Corrected");
    assert_eq!(by_source(&drive.program, &format!("{UUID}:2"))["rating"], 1);
    assert_eq!(drive.program.list(&[]).len(), 3);
    assert_eq!(counts(&drive.import()), [("unchanged", 3)].into());

    // A folder was looked through before Engine DJ was asked: two records of one file become one.
    fs::rename(music.join("moved.wav"), music.join("again.wav")).unwrap();
    drive.import_of(&music.join("again.wav")).with_status(0);
    drive.execute("UPDATE Track SET path = '../Music/again.wav' WHERE id = 1");
    drive.import();
    assert_eq!(drive.program.list(&[]).len(), 3);
    let after = by_source(&drive.program, &format!("{UUID}:1"));
    assert_eq!(after["path"], music.join("again.wav").to_str().unwrap());
    assert_eq!(after["id"], before["id"]);
}

#[test]
fn a_track_in_two_libraries_is_one_track_with_two_sources() {
    let drive = Drive::new((3, 0, 2));
    drive.import();
    let usb = drive.program.folder().join("usb");
    let copy = EngineLibrary::create(&usb, (2, 20, 3)).unwrap();
    copy.connection
        .execute("UPDATE Information SET uuid = ?1", [OTHER_UUID])
        .unwrap();
    // As exported by Engine DJ: other numbers, files copied, where they came from told.
    let file = usb.join("Engine Library/Music/b.wav");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::copy(drive.place().join("Music/sub/b.wav"), &file).unwrap();
    copy.add(&EngineRow::at("Music/other.wav")).unwrap();
    let mut row = EngineRow::at("Music/b.wav");
    row.origin = Some((UUID.to_owned(), 2));
    copy.add(&row).unwrap();
    let lines = drive.import_of(&usb).with_status(0).lines();
    assert_eq!(
        counts(&lines),
        [("merged", 1), ("missing", 1)].into(),
        "{lines:?}"
    );
    let track = by_source(&drive.program, &format!("{OTHER_UUID}:2"));
    assert_eq!(
        track["id"],
        by_source(&drive.program, &format!("{UUID}:2"))["id"]
    );
    assert_eq!(
        track["path"],
        drive.place().join("Music/sub/b.wav").to_str().unwrap(),
        "the file that it had"
    );
    let sources = track["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 2);
    assert_eq!(sources[1]["source_id"], format!("{UUID}:2"));
    assert_eq!(sources[1]["library_uuid"], OTHER_UUID);
    assert_eq!(sources[1]["track_id"], 2);
    let lines = drive.import_of(&usb).with_status(0).lines();
    assert_eq!(counts(&lines), [("unchanged", 1), ("missing", 1)].into());

    // The first drive goes: the copy is the file now; it comes back: nothing changes.
    let away = drive.program.folder().join("away");
    fs::rename(drive.place(), &away).unwrap();
    let lines = drive.import_of(&usb).with_status(0).lines();
    assert_eq!(
        counts(&lines),
        [("moved", 1), ("missing", 1)].into(),
        "{lines:?}"
    );
    let moved = by_source(&drive.program, &format!("{UUID}:2"));
    assert_eq!(moved["id"], track["id"]);
    assert_eq!(moved["state"], "partial");
    fs::rename(&away, drive.place()).unwrap();
    drive.import();
    assert_eq!(drive.program.list(&[]).len(), 4);
}

#[test]
fn what_cannot_be_played_stands_in_the_library_with_its_reason() {
    let drive = Drive::new((3, 0, 2));
    drive.made.add(&EngineRow::at("../Music/gone.wav")).unwrap();
    drive
        .made
        .add(&EngineRow::at("/Volumes/NOT THERE/x.wav"))
        .unwrap();
    let mut streamed = EngineRow::at("x");
    streamed.path = None;
    streamed.streaming = Some(("TIDAL".to_owned(), "streaming://tidal/Track/77".to_owned()));
    drive.made.add(&streamed).unwrap();
    let mut nameless = EngineRow::at("x");
    nameless.path = None;
    drive.made.add(&nameless).unwrap();
    drive.put("noise.wav", b"RIFF but no sound");
    drive
        .made
        .add(&EngineRow::at("../Music/noise.wav"))
        .unwrap();
    drive.execute(
        "UPDATE Track SET title = CAST(x'ff41' AS TEXT), bpmAnalyzed = 'fast', rating = 9999 WHERE id = 2",
    );
    let lines = drive.import_of(&drive.made.folder).with_status(1).lines();
    let expected = [("added", 4), ("missing", 3), ("failed", 1)].into();
    assert_eq!(counts(&lines), expected, "{lines:?}");
    for line in of_event(&lines, "track") {
        if matches!(line["outcome"].as_str(), Some("missing" | "failed")) {
            assert!(line["id"].is_string(), "{line}");
            assert!(
                !line["error"]["remedy"].as_str().unwrap().is_empty(),
                "{line}"
            );
        }
    }
    let streamed = by_source(&drive.program, &format!("{UUID}:6"));
    assert_eq!(streamed["state"], "streaming");
    assert_eq!(streamed["title"], "Title of x");
    assert_eq!(streamed["sources"][0]["streaming"], "TIDAL");
    let gone = by_source(&drive.program, &format!("{UUID}:4"));
    assert_eq!(gone["state"], "missing");
    assert_eq!(
        gone["path"],
        drive.place().join("Music/gone.wav").to_str().unwrap()
    );
    let noise = by_source(&drive.program, &format!("{UUID}:8"));
    assert_eq!(noise["artifacts"][0]["state"], "failed", "{noise}");
    assert_eq!(drive.program.list(&["state:streaming"]).len(), 1);
    drive.program.run(["analyze", "--all", "--only", "hash"]);
    let report = drive.program.run(["--json", "verify"]).json();
    assert_eq!(report["redo"], Value::Array(Vec::new()));

    // What was missing comes.
    drive.put("gone.wav", &tune(9, 1.0, 11_025, 1));
    let lines = drive.import_of(&drive.made.folder).lines();
    assert_eq!(counts(&lines)["missing"], 2, "{lines:?}");
    let back = by_source(&drive.program, &format!("{UUID}:4"));
    assert_eq!(
        (&back["id"], &back["state"]),
        (&gone["id"], &"partial".into())
    );
    assert_eq!(drive.program.list(&[]).len(), 8);
}

#[test]
fn damaged_places_cost_their_rows_and_a_broken_library_costs_no_track() {
    let drive = Drive::new((2, 21, 2));
    drive.made.add_many(1_500).unwrap();
    drive.execute("PRAGMA wal_checkpoint; VACUUM");
    let mut bytes = fs::read(&drive.made.database).unwrap();
    // A page of rows in the middle.
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    let Drive { program, made } = drive;
    let (database, folder) = (made.database.clone(), made.folder.clone());
    drop(made);
    fs::write(&database, &bytes).unwrap();
    let import = || {
        let arguments = ["--json", "import", "--no-analyze", folder.to_str().unwrap()];
        program.run(arguments).with_status(1).lines()
    };
    let lines = import();
    let (failed, known) = (counts(&lines)["failed"], program.list(&[]).len());
    assert!(failed > 0, "{:?}", counts(&lines));
    assert!(known > 1_000, "{known} of 1503");
    let told: Vec<_> = of_event(&lines, "track")
        .into_iter()
        .filter(|line| line["outcome"] == "failed")
        .collect();
    assert!(
        told[0]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("damaged"),
        "{told:?}"
    );

    fs::write(&database, vec![0x5a; 10_000]).unwrap();
    let lines = import();
    assert_eq!(counts(&lines), [("failed", 1)].into());
    assert_eq!(program.list(&[]).len(), known);
    assert!(program.list(&["state:ready"]).is_empty());
    let kept = program.list(&["--limit", "1"]);
    assert_eq!(
        kept[0]["sources"][0]["gone"], false,
        "nothing is called gone that was not looked for"
    );
}

#[test]
fn an_entry_that_left_its_library_stays_a_track_and_says_so() {
    let drive = Drive::new((3, 0, 2));
    drive.import();
    drive.execute("DELETE FROM Track WHERE id = 3");
    drive.import();
    let track = by_source(&drive.program, &format!("{UUID}:3"));
    assert_eq!(track["sources"][0]["gone"], true);
    assert_eq!(drive.program.list(&[]).len(), 3);
    let text = drive
        .program
        .run(["show", track["id"].as_str().unwrap()])
        .text();
    assert!(text.contains("no longer in that library"), "{text}");
}

#[test]
fn a_library_that_is_written_to_meanwhile_is_read_whole_and_left_alone() {
    let drive = Drive::new((3, 0, 2));
    drive.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    drive.made.add_many(2_000).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let database = drive.made.database.clone();
    let writer = {
        let stop = Arc::clone(&stop);
        std::thread::Builder::new()
            .spawn(move || {
                let connection = rusqlite::Connection::open(&database).unwrap();
                let mut played = 0_i64;
                while !stop.load(Ordering::Relaxed) {
                    let statement = "UPDATE Track SET timeLastPlayed = ?1 WHERE id % 97 = ?1 % 97";
                    connection.execute(statement, [played]).unwrap();
                    played += 1;
                    std::thread::yield_now();
                }
                played
            })
            .unwrap()
    };
    let ended = drive.import_of(&drive.made.folder);
    stop.store(true, Ordering::Relaxed);
    let written = writer.join().unwrap();
    assert!(written > 0);
    let lines = ended.lines();
    // Either one instant of it was read, or it says that Engine DJ was too busy.
    let counts_now = counts(&lines);
    assert!(
        counts_now == [("added", 3), ("missing", 2_000)].into()
            || counts_now == [("failed", 1)].into(),
        "{counts_now:?}"
    );
    let before = picture(&drive.made.folder);
    let lines = drive.import();
    assert_eq!(counts(&lines)["missing"], 2_000);
    assert_eq!(picture(&drive.made.folder), before, "not a byte");
    assert_eq!(drive.program.list(&["--limit", "5000"]).len(), 2_003);
}

#[test]
fn killed_at_any_moment_an_import_of_a_library_is_completed_by_the_next() {
    let drive = Drive::new((2, 21, 2));
    for number in 0..1_200 {
        let mut row = usual_row(number);
        row.path = Some(format!("../Music/not there/{number}.flac"));
        drive.made.add(&row).unwrap();
    }
    let folder = drive.made.folder.clone();
    let before = picture(&folder);
    for after in [0, 1, 300, 700] {
        let arguments = ["--json", "import", "--no-analyze", folder.to_str().unwrap()];
        let mut running = drive.program.start(arguments);
        for _ in 0..after {
            if running.next_line().is_none() {
                break;
            }
        }
        running.kill();
        let told: Vec<Value> = running
            .end()
            .stdout
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let known = drive.program.list(&["--limit", "5000"]);
        for line in of_event(&told, "track") {
            assert!(
                known.iter().any(|track| track["id"] == line["id"]),
                "lost: {line}"
            );
        }
    }
    // Copies of libraries that the kills left are swept.
    let scratch = drive.program.library().join("scratch");
    fs::create_dir_all(scratch.join("tonearm-engine-old")).unwrap();
    drive.import();
    assert_eq!(fs::read_dir(&scratch).map_or(0, Iterator::count), 0);
    let tracks = drive.program.list(&["--limit", "5000"]);
    assert_eq!(tracks.len(), 1_203);
    let mut names: Vec<String> = tracks
        .iter()
        .map(|track| track["sources"][0]["source_id"].to_string())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 1_203, "every entry once");
    assert_eq!(picture(&folder), before);
}
