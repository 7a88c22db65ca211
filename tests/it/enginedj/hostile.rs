//! Databases that are damaged, or made to do harm.

use super::{Drive, picture, split};
use proptest::prelude::*;
use std::fs;
use tonearm_core::control::Control;
use tonearm_core::enginedj::find::{Found, find};
use tonearm_core::enginedj::track::FlawKind;
use tonearm_core::enginedj::{EngineError, Library, Options};
use tonearm_tests::engine_library::{EngineRow, SCHEMAS, UUID, usual_row};

/// Reads bytes as a database. Whatever they are, it must end well.
fn read_bytes(drive: &Drive, bytes: &[u8]) -> Result<(usize, usize), EngineError> {
    let database = drive.path().join("some.db");
    fs::write(&database, bytes).unwrap();
    let library = Library::open(
        &Found::lone(database),
        &drive.options(),
        &Control::default(),
    )?;
    let (tracks, lost) = split(&library);
    Ok((tracks.len(), lost.len()))
}

#[test]
fn one_odd_row_never_costs_another() {
    for schema in SCHEMAS {
        let drive = Drive::new();
        let made = drive.library(schema);
        for number in 0..5 {
            made.add(&usual_row(number)).unwrap();
        }
        made.connection
            .execute_batch(
                "UPDATE Track SET title = CAST(x'ff41fe' AS TEXT), artist = x'00ff', path = x'2e2e2f612e6d7033',
                    length = 'long', bpmAnalyzed = 'fast', bpm = 9e99, key = 240, rating = -7, year = 30000,
                    fileBytes = -1, dateAdded = x'ff', originDatabaseUuid = x'ff', originTrackId = 'seven'
                    WHERE id = 2;
                 UPDATE Track SET path = CAST(x'612e00' AS TEXT), key = ' 3 ', year = 2001.0, bpmAnalyzed = '127.5'
                    WHERE id = 4;",
            )
            .unwrap();
        let (tracks, lost) = drive.read();
        assert_eq!((tracks.len(), lost.len()), (5, 0));
        let odd = &tracks[1];
        assert_eq!(odd.tags.title.as_deref(), Some("\u{fffd}A\u{fffd}"));
        assert_eq!(odd.path(), Some(&*drive.path().join("a.mp3")));
        assert_eq!(odd.source.as_ref().unwrap().database, UUID);
        assert!(odd.flaws.len() >= 10, "{:?}", odd.flaws);
        assert!(odd.tags.bpm.is_none() && odd.duration.is_none() && odd.file_bytes.is_none());
        let other = &tracks[3];
        assert_eq!(other.flaws.len(), 1, "{:?}", other.flaws);
        assert_eq!(other.flaws[0].kind, FlawKind::NoPath);
        assert_eq!((other.tags.bpm, other.tags.year), (Some(127.5), Some(2001)));
        assert_eq!(other.tags.key.as_deref(), Some("E minor"));
        for number in [0, 2, 4] {
            assert_eq!(tracks[number].flaws, [], "{number}");
        }
    }
}

#[test]
fn a_value_without_end_costs_its_own_field() {
    let drive = Drive::new();
    let made = drive.library((2, 21, 2));
    for number in 0..600 {
        made.add(&usual_row(number)).unwrap();
    }
    made.connection
        .execute_batch(
            "UPDATE Track SET title = hex(zeroblob(30000000)) WHERE id IN (5, 300);
             UPDATE Track SET path = zeroblob(50000000) WHERE id = 6;",
        )
        .unwrap();
    let (tracks, lost) = drive.read();
    assert_eq!((tracks.len(), lost.len()), (600, 0));
    for (number, track) in tracks.iter().enumerate() {
        let expected: &[&str] = match number + 1 {
            5 | 300 => &["title"],
            6 => &["path"],
            _ => &[],
        };
        let flawed: Vec<_> = track.flaws.iter().map(|flaw| flaw.field).collect();
        assert_eq!(flawed, expected, "{number}");
        assert_eq!(track.tags.album.as_deref(), Some("Some Album"));
    }
}

#[test]
fn damaged_pages_cost_their_own_rows() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add_many(5_000).unwrap();
    let pages: Vec<i64> = made
        .connection
        .prepare(
            "SELECT pageno FROM dbstat WHERE name = 'Track' AND pagetype = 'leaf' ORDER BY path",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    drop(made.connection);
    let mut bytes = fs::read(&made.database).unwrap();
    for page in [pages[0], pages[7], pages[8], pages[pages.len() - 1]] {
        let start = (page as usize - 1) * 4096;
        bytes[start..start + 4096].fill(0x5a);
    }
    fs::write(&made.database, &bytes).unwrap();
    let before = picture(drive.place.path());
    let library = drive.open().unwrap();
    assert_eq!(library.about().warnings.len(), 1, "it is told of");
    let (tracks, lost) = split(&library);
    let share = 5_000.0 * (pages.len() - 4) as f64 / pages.len() as f64;
    assert!(
        (tracks.len() as f64 - share).abs() < 40.0,
        "{} of {share} are left",
        tracks.len()
    );
    assert_eq!(lost.len(), 3, "{lost:?}");
    assert_eq!(lost[2].last, None);
    // No row is both read and lost, and none is forgotten in between.
    let known: usize = tracks.len()
        + lost
            .iter()
            .map(|lost| (lost.last.unwrap_or(5_000) - lost.first.max(1) + 1) as usize)
            .sum::<usize>();
    assert_eq!(known, 5_000);
    assert_eq!(picture(drive.place.path()), before);
}

#[test]
fn what_only_looks_like_a_library_is_refused_without_running_it() {
    for (statements, lacking) in [
        ("", "Information"),
        ("CREATE TABLE Information (id, uuid)", "Track"),
        (
            "CREATE TABLE Information (id, uuid); CREATE TABLE Track (path TEXT)",
            "numbers",
        ),
        (
            "CREATE TABLE Information (id, uuid); CREATE TABLE Track (id INTEGER PRIMARY KEY)",
            "paths",
        ),
        (
            "CREATE TABLE Information (id, uuid);
             CREATE VIEW Track AS WITH RECURSIVE n(id, path) AS (SELECT 1, 'a' UNION ALL SELECT id + 1, 'a' FROM n)
                SELECT * FROM n",
            "Track",
        ),
        (
            "CREATE TABLE Information (id, uuid); CREATE VIRTUAL TABLE Track USING fts5(path)",
            "Track",
        ),
        (
            "CREATE VIEW Information AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
                SELECT max(id) FROM n",
            "Information",
        ),
    ] {
        let drive = Drive::new();
        let made = rusqlite::Connection::open(drive.path().join("some.db")).unwrap();
        made.execute_batch(statements).unwrap();
        drop(made);
        let bytes = fs::read(drive.path().join("some.db")).unwrap();
        let error = read_bytes(&drive, &bytes).unwrap_err();
        assert!(
            matches!(error, EngineError::NotEngine { lacking: said } if said.contains(lacking)),
            "{statements}: {error}"
        );
    }
    let drive = Drive::new();
    for bytes in [
        &b"no database at all, but text that goes on for a while"[..],
        &[0; 9_000],
    ] {
        let error = read_bytes(&drive, bytes).unwrap_err();
        assert!(matches!(error, EngineError::NotDatabase), "{error}");
    }
}

#[test]
fn computed_columns_are_not_computed() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&EngineRow::at("../a.mp3")).unwrap();
    made.connection
        .execute_batch(
            "ALTER TABLE Track DROP COLUMN title;
             ALTER TABLE Track ADD COLUMN title TEXT AS (hex(zeroblob(400000000))) VIRTUAL;",
        )
        .unwrap();
    let (tracks, lost) = drive.read();
    assert_eq!((tracks.len(), lost.len()), (1, 0));
    assert_eq!((&tracks[0].tags.title, tracks[0].flaws.len()), (&None, 0));
}

#[test]
fn a_journal_that_asks_for_an_endless_file_is_refused() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&EngineRow::at("../a.mp3")).unwrap();
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [0_u32, 1, u32::MAX, 512, 65_536] {
        journal.extend_from_slice(&number.to_be_bytes());
    }
    journal.resize(512, 0);
    fs::write(made.database.with_extension("db-journal"), &journal).unwrap();
    let error = drive.open().unwrap_err();
    assert!(matches!(error, EngineError::TooLarge { .. }), "{error}");
}

#[test]
fn names_of_journals_in_a_journal_lead_nowhere() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&EngineRow::at("../a.mp3")).unwrap();
    // SQLite would remove such a file once nothing refers to it.
    let victim = drive.path().join("victim-mj012345678");
    fs::write(&victim, "").unwrap();
    let name = victim.to_str().unwrap().as_bytes();
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [0_u32, 1, 1, 512, 4096] {
        journal.extend_from_slice(&number.to_be_bytes());
    }
    journal.resize(512, 0);
    for _ in 0..2 {
        journal.extend_from_slice(name);
        journal.extend_from_slice(&u32::try_from(name.len()).unwrap().to_be_bytes());
        let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
        journal.extend_from_slice(&sum.to_be_bytes());
        journal.extend_from_slice(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    }
    fs::write(made.database.with_extension("db-journal"), &journal).unwrap();
    let before = picture(drive.place.path());
    drop(drive.open());
    assert_eq!(picture(drive.place.path()), before);
}

/// A library of some hundred rows, as bytes.
fn sample(schema: (u32, u32, u32)) -> Vec<u8> {
    let drive = Drive::new();
    let made = drive.library(schema);
    made.add_many(120).unwrap();
    drop(made.connection);
    fs::read(&made.database).unwrap()
}

#[test]
fn a_library_cut_off_anywhere_ends_well() {
    let drive = Drive::new();
    let bytes = sample((3, 0, 2));
    let mut most = 0;
    let lengths = (0..200)
        .chain((200..bytes.len()).step_by(3_001))
        .chain((0..bytes.len()).step_by(4_096));
    for length in lengths {
        if let Ok((tracks, _)) = read_bytes(&drive, &bytes[..length]) {
            most = most.max(tracks);
        }
    }
    assert!(most > 0, "what is left is read");
    assert_eq!(read_bytes(&drive, &bytes).unwrap(), (120, 0));
}

#[test]
fn an_absent_or_unusual_file_is_told_of() {
    let drive = Drive::new();
    let gone = Found::lone(drive.path().join("gone.db"));
    let error = Library::open(&gone, &Options::default(), &Control::default()).unwrap_err();
    assert!(matches!(error, EngineError::Unreadable { .. }), "{error}");
    fs::create_dir_all(drive.path().join("Engine Library/Database2/m.db")).unwrap();
    if let Ok(found) = find(&drive.path()) {
        assert!(Library::open(&found[0], &drive.options(), &Control::default()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_bytes_never_end_the_program(
        which in 0..SCHEMAS.len(),
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..40),
    ) {
        thread_local! {
            static SAMPLES: Vec<Vec<u8>> = SCHEMAS.iter().map(|schema| sample(*schema)).collect();
        }
        let mut bytes = SAMPLES.with(|samples| samples[which].clone());
        for (place, value, in_header) in hits {
            // The first pages hold the schema and the tops of trees.
            let reach = if in_header { 8_192 } else { bytes.len() };
            let place = place.index(reach);
            bytes[place] = value;
        }
        let drive = Drive::new();
        if let Ok((tracks, lost)) = read_bytes(&drive, &bytes) {
            prop_assert!(tracks <= 5_000 && lost <= 5_000);
        }
    }
}
