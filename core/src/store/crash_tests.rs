//! Killed at any moment, on a full disk: what was acknowledged is there, and nothing by halves.

use super::database::{Handle, open_file};
use super::tests::{changes, knowledge, track};
use super::*;
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the test below that it is to be the child.
const FOLDER_OF_CHILD: &str = "TONEARM_CRASH_TEST_FOLDER";

#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(FOLDER_OF_CHILD) else {
        return;
    };
    let (store, loaded) = Store::open(Path::new(&dir)).unwrap();
    for number in loaded.tracks.len() as u64.. {
        store.write(changes(number)).unwrap();
        let mut out = io::stdout().lock();
        writeln!(out, "written {number}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_library_whose_writer_was_killed_has_all_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..6_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::crash_tests::child_that_writes_until_it_is_killed",
                "--nocapture",
            ])
            .env(FOLDER_OF_CHILD, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers = lines.map_while(Result::ok).filter_map(|line| {
            // The harness's own words may stand before the first.
            line.split("written ").nth(1)?.parse::<u64>().ok()
        });
        for (count, number) in numbers.enumerate() {
            acknowledged = number + 1;
            if count as u64 == 2 + round {
                // Some work, so that the blow falls elsewhere each time.
                std::hint::black_box((0..round * 100_000).fold(0_u64, |sum, n| sum ^ n));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged >= 3 * (round + 1), "the child did not write");

        let (store, loaded) = Store::open(dir.path()).unwrap();
        let count = loaded.tracks.len() as u64;
        assert!(
            (acknowledged..=acknowledged + 1).contains(&count),
            "{count}"
        );
        assert_eq!(loaded.unreadable, []);
        for (number, found) in (0..).zip(&loaded.tracks) {
            assert_eq!(**found, track(number));
            assert_eq!(*loaded.knowledge[&found.id], knowledge());
        }
        let report = store.verify(&Control::default()).unwrap();
        assert!(report.library_is_sound(), "{report:?}");
        // At most the picture of the track that was being written.
        assert!(report.orphan_files.len() <= 2, "{report:?}");
    }
}

/// How many bytes fit on the disk of [`SmallDisk`].
static ROOM: AtomicU64 = AtomicU64::new(u64::MAX);

/// A file on a disk that fills up.
#[derive(Debug)]
struct SmallDisk(FileBackend);

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl StorageBackend for SmallDisk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let room = ROOM.load(Ordering::Relaxed);
        let left = room.checked_sub(data.len() as u64).ok_or_else(full)?;
        ROOM.store(left, Ordering::Relaxed);
        self.0.write(offset, data)
    }
}

fn open_small(path: &Path) -> Result<redb::Database, redb::DatabaseError> {
    let file = fs::OpenOptions::new().read(true).write(true).open(path)?;
    redb::Database::builder().create_with_backend(SmallDisk(FileBackend::new(file)?))
}

#[test]
fn a_full_disk_is_an_error_and_changes_nothing_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path()).unwrap();
    store.write(changes(1)).unwrap();
    drop(store);
    let path = dir.path().join(FILE);
    let handle = Handle::open_with(path.clone(), open_small).unwrap();
    let write_large = |id: u64| {
        handle.write(|write| {
            let large = vec![id as u8; 3 << 20];
            write
                .open_table(tables::BEATS)?
                .insert(id, large.as_slice())?;
            Ok(())
        })
    };
    let count = || {
        handle
            .read(|read| Ok(read.open_table(tables::BEATS)?.iter()?.count()))
            .unwrap()
    };
    for room in [0, 5_000, 100_000, 2 << 20] {
        ROOM.store(room, Ordering::Relaxed);
        let error = write_large(2).unwrap_err();
        assert!(
            matches!(error, StoreError::Full { .. }),
            "{room}: {error:?}"
        );
        ROOM.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(count(), 1, "nothing by halves");
    }
    write_large(3).unwrap();
    assert_eq!(count(), 2);
    drop(handle);
    drop(open_file(&path).unwrap());
}
