//! Copies of files that change between one look and the next.

use super::*;

struct Files {
    place: TempDir,
    options: Options,
    scratch: TempDir,
}

impl Files {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        Self {
            place: tempfile::tempdir().unwrap(),
            options: Options {
                scratch: scratch.path().to_path_buf(),
                ..Options::default()
            },
            scratch,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Takes a copy; `between` is called after each pass. Gives the copied files and how many passes it took.
    fn take(&self, mut between: impl FnMut(u32)) -> (Vec<(String, Vec<u8>)>, u32) {
        let mut passes = 0;
        let snapshot = Snapshot::take_watched(
            &self.path("m.db"),
            &self.options,
            &Control::default(),
            &mut |pass| {
                passes += 1;
                between(pass);
            },
        )
        .unwrap();
        let mut files: Vec<_> = fs::read_dir(snapshot.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read(path).unwrap())
            })
            .collect();
        files.sort();
        drop(snapshot);
        assert_eq!(fs::read_dir(self.scratch.path()).unwrap().count(), 0);
        (files, passes)
    }
}

#[test]
fn a_quiet_file_is_read_twice_and_copied_as_it_is() {
    for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
        let files = Files::new();
        let bytes: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
        fs::write(files.path("m.db"), &bytes).unwrap();
        fs::write(files.path("m.db-shm"), "not wanted").unwrap();
        fs::write(files.path("m.db-wal"), "frames").unwrap();
        let (copied, passes) = files.take(|_| ());
        assert_eq!(passes, 2, "{length}");
        assert_eq!(
            copied,
            [
                ("m.db".to_owned(), bytes),
                ("m.db-wal".to_owned(), b"frames".to_vec())
            ]
        );
    }
}

#[test]
fn the_copy_follows_what_is_written_between_passes() {
    let files = Files::new();
    let database = files.path("m.db");
    fs::write(&database, vec![1; 2 * BLOCK]).unwrap();
    let journal = files.path("m.db-journal");
    let (copied, passes) = files.take(|pass| match pass {
        // A change begins: first the journal, then the file, which grows.
        0 => fs::write(&journal, "journal").unwrap(),
        1 => {
            let mut bytes = vec![1; 3 * BLOCK];
            bytes[BLOCK + 7] = 2;
            fs::write(&database, bytes).unwrap();
        }
        2 => fs::remove_file(&journal).unwrap(),
        // And it shrinks.
        3 => fs::write(&database, vec![3; BLOCK / 2]).unwrap(),
        _ => {}
    });
    assert_eq!(passes, 6);
    assert_eq!(copied, [("m.db".to_owned(), vec![3; BLOCK / 2])]);
}

#[test]
fn a_file_that_vanishes_or_grows_too_large_ends_the_copy() {
    let files = Files::new();
    fs::write(files.path("m.db"), vec![1; 1_000]).unwrap();
    let options = Options {
        most_bytes: 1_500,
        ..files.options.clone()
    };
    let take = |between: &mut dyn FnMut(u32)| {
        Snapshot::take_watched(&files.path("m.db"), &options, &Control::default(), between)
            .unwrap_err()
    };
    let error = take(&mut |_| fs::write(files.path("m.db-wal"), vec![1; 501]).unwrap());
    assert!(matches!(error, EngineError::TooLarge { .. }), "{error}");
    fs::remove_file(files.path("m.db-wal")).unwrap();
    let error = take(&mut |pass| {
        if pass == 0 {
            fs::remove_file(files.path("m.db")).unwrap();
        }
    });
    assert!(matches!(error, EngineError::Unreadable { .. }), "{error}");
    assert_eq!(fs::read_dir(files.scratch.path()).unwrap().count(), 0);
}

#[test]
fn a_writer_that_never_rests_is_told_of() {
    let files = Files::new();
    fs::write(files.path("m.db"), [0]).unwrap();
    let error = Snapshot::take_watched(
        &files.path("m.db"),
        &files.options,
        &Control::default(),
        &mut |pass| fs::write(files.path("m.db"), [pass as u8 + 1]).unwrap(),
    )
    .unwrap_err();
    assert!(matches!(error, EngineError::Busy), "{error}");
}
