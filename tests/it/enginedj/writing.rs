//! Libraries that somebody writes to while they are read.

use super::{Drive, picture, split};
use rusqlite::Connection;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use tonearm_core::control::Control;
use tonearm_core::enginedj::find::Found;
use tonearm_core::enginedj::{EngineError, Library, Options};
use tonearm_tests::engine_library::EngineLibrary;

/// Every title of a library, which must all be the same.
fn generation(drive: &Drive) -> Result<String, EngineError> {
    let library = drive.open()?;
    assert_eq!(library.about().warnings, [], "the copy is torn");
    let (tracks, lost) = split(&library);
    assert_eq!((tracks.len(), lost.len()), (600, 0));
    let title = tracks[0].tags.title.clone().unwrap();
    assert!(
        tracks
            .iter()
            .all(|track| track.tags.title.as_ref() == Some(&title)),
        "a change is seen half"
    );
    Ok(title.into())
}

/// Gives all tracks the same title, in one change.
fn write_generation(connection: &Connection, number: i64) {
    connection
        .execute(
            "UPDATE Track SET title = 'generation ' || ?1, comment = hex(zeroblob(?1 % 7 * 20))",
            [number],
        )
        .unwrap();
}

fn library_of_600(drive: &Drive, journal: &str) -> EngineLibrary {
    let made = drive.library((2, 21, 2));
    made.add_many(600).unwrap();
    made.connection
        .query_row(&format!("PRAGMA journal_mode = {journal}"), [], |row| {
            row.get::<_, String>(0)
        })
        .unwrap();
    // Even a small change is then written to the file before it is complete.
    made.connection
        .execute_batch("PRAGMA cache_size = 5; PRAGMA synchronous = OFF")
        .unwrap();
    write_generation(&made.connection, 0);
    made
}

const JOURNALS: [&str; 4] = ["DELETE", "TRUNCATE", "PERSIST", "WAL"];

#[test]
fn a_half_written_change_is_not_seen_and_the_folder_is_left_as_it_was() {
    for journal in JOURNALS {
        let drive = Drive::new();
        let made = library_of_600(&drive, journal);
        made.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        write_generation(&made.connection, 1);
        let before = picture(drive.place.path());
        assert_eq!(generation(&drive).unwrap(), "generation 0", "{journal}");
        assert_eq!(picture(drive.place.path()), before, "{journal}");
        made.connection.execute_batch("COMMIT").unwrap();
        let before = picture(drive.place.path());
        assert_eq!(generation(&drive).unwrap(), "generation 1", "{journal}");
        assert_eq!(picture(drive.place.path()), before, "{journal}");
    }
}

#[test]
fn a_writer_that_locks_everybody_out_is_not_in_the_way_nor_held_up() {
    for journal in JOURNALS {
        let drive = Drive::new();
        let made = library_of_600(&drive, journal);
        made.connection
            .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
            .unwrap();
        write_generation(&made.connection, 1);
        assert_eq!(generation(&drive).unwrap(), "generation 0", "{journal}");
        let library = drive.open().unwrap();
        made.connection.execute_batch("COMMIT").unwrap();
        write_generation(&made.connection, 2);
        assert_eq!(generation(&drive).unwrap(), "generation 2", "{journal}");
        // The older copy still shows its own moment.
        let title = library.tracks().next().unwrap().unwrap().tags.title;
        assert_eq!(title.as_deref(), Some("generation 0"));
    }
}

#[test]
fn what_a_crash_left_is_made_whole_in_the_copy_alone() {
    for journal in JOURNALS {
        let drive = Drive::new();
        let made = library_of_600(&drive, journal);
        made.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        write_generation(&made.connection, 1);
        // What stands on the drive now is what a player without power leaves.
        let crashed = Drive::new();
        let from = made.database.parent().unwrap();
        let to = crashed.path().join("Engine Library/Database2");
        fs::create_dir_all(&to).unwrap();
        for name in ["m.db", "m.db-journal", "m.db-wal"] {
            if from.join(name).exists() {
                fs::copy(from.join(name), to.join(name)).unwrap();
            }
        }
        let before = picture(crashed.place.path());
        assert_eq!(generation(&crashed).unwrap(), "generation 0", "{journal}");
        assert_eq!(picture(crashed.place.path()), before, "{journal}");
    }
}

#[test]
fn every_copy_is_of_one_moment_while_a_thread_writes() {
    for journal in ["DELETE", "WAL"] {
        let drive = Drive::new();
        let made = library_of_600(&drive, journal);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let connection = made.connection;
            let stop = &stop;
            let writer = scope.spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    write_generation(&connection, number);
                }
                number
            });
            for _ in 0..2 {
                // A writer that never rests may keep us from getting a copy; a wrong one is never taken.
                match generation(&drive) {
                    Ok(_) | Err(EngineError::Busy) => {}
                    Err(error) => panic!("{journal}: {error}"),
                }
            }
            stop.store(true, Ordering::Relaxed);
            let last = writer.join().unwrap();
            assert_eq!(generation(&drive).unwrap(), format!("generation {last}"));
        });
    }
}

#[test]
fn a_change_over_several_databases_is_complete_when_its_own_journal_is_gone() {
    let drive = Drive::new();
    let made = library_of_600(&drive, "DELETE");
    let folder = made.database.parent().unwrap().to_path_buf();
    made.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    write_generation(&made.connection, 1);
    let crashed = Drive::new();
    let to = crashed.path().join("Engine Library/Database2");
    fs::create_dir_all(&to).unwrap();
    fs::copy(&made.database, to.join("m.db")).unwrap();
    let mut journal = fs::read(folder.join("m.db-journal")).unwrap();
    // The name that the journal ends with is of the player where it was written.
    let name = b"/media/az01/USB/Engine Library/Database2/m.db-mj0A1B2C9F3";
    journal.extend_from_slice(&[0, 16, 0, 1]);
    journal.extend_from_slice(name);
    journal.extend_from_slice(&u32::try_from(name.len()).unwrap().to_be_bytes());
    let sum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    journal.extend_from_slice(&sum.to_be_bytes());
    journal.extend_from_slice(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    fs::write(to.join("m.db-journal"), &journal).unwrap();
    let common = to.join("m.db-mj0A1B2C9F3");
    fs::write(&common, "m.db-journal\0").unwrap();
    let before = picture(crashed.place.path());
    assert_eq!(generation(&crashed).unwrap(), "generation 0");
    assert_eq!(picture(crashed.place.path()), before);
    // Without it the file is taken as it stands, whatever that is.
    fs::remove_file(&common).unwrap();
    let (tracks, _) = crashed.read();
    assert!(
        tracks
            .iter()
            .any(|track| track.tags.title.as_deref() == Some("generation 1"))
    );
}

#[test]
fn a_copy_may_be_refused_for_its_size_or_cancelled_and_leaves_nothing() {
    let drive = Drive::new();
    let made = library_of_600(&drive, "DELETE");
    let found = Found {
        folder: Some(made.folder.clone()),
        database: made.database.clone(),
    };
    let small = Options {
        most_bytes: 100_000,
        ..drive.options()
    };
    let error = Library::open(&found, &small, &Control::default()).unwrap_err();
    assert!(
        matches!(error, EngineError::TooLarge { most: 100_000, .. }),
        "{error}"
    );
    let control = Control::default();
    control.cancel();
    let error = Library::open(&found, &drive.options(), &control).unwrap_err();
    assert!(matches!(error, EngineError::Cancelled), "{error}");
    let nowhere = Options {
        scratch: drive.path().join("nowhere"),
        ..Options::default()
    };
    let error = Library::open(&found, &nowhere, &Control::default()).unwrap_err();
    assert!(matches!(error, EngineError::Scratch { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_library_on_a_read_only_drive_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    for journal in JOURNALS {
        let drive = Drive::new();
        let made = library_of_600(&drive, journal);
        let folder = made.database.parent().unwrap().to_path_buf();
        let allow = |folder_mode, file_mode| {
            fs::set_permissions(&made.database, fs::Permissions::from_mode(file_mode)).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(folder_mode)).unwrap();
        };
        allow(0o555, 0o444);
        assert_eq!(generation(&drive).unwrap(), "generation 0", "{journal}");
        allow(0o755, 0o644);
    }
}
