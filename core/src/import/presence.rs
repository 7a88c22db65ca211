//! Is a file still there? A drive that was unplugged is told apart from a file that was deleted.

use crate::failure::{Failure, FailureKind};
use crate::track::FileStamp;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What a look at a file showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    There(FileStamp),
    /// Not there; the failure says whether the file is gone or its drive is.
    Missing(Failure),
    /// Perhaps there, but we may not look. It is not to be called missing.
    Unreachable(Failure),
}

/// What a look at an imported folder showed. Files below an absent one are not gone themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootState {
    There,
    /// The uppermost folder that is not there, or the folder that is there but empty.
    Away(PathBuf),
}

/// Size and time of a file. Times outside of what 64 bits of nanoseconds hold are cut off.
pub fn stamp(metadata: &Metadata) -> FileStamp {
    let modified_ns =
        metadata
            .modified()
            .map_or(0, |modified| match modified.duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
                Err(before) => {
                    i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns)
                }
            });
    FileStamp {
        bytes: metadata.len(),
        modified_ns,
    }
}

/// To be asked once for each imported folder before looking at the files below it.
pub fn look_at_root(root: &Path) -> RootState {
    match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() && is_empty(root) => {
            // What is left where a drive was mounted.
            RootState::Away(root.to_path_buf())
        }
        Err(error) if is_absence(&error) => match uppermost_absent(root) {
            // A file imported by itself: gone alone, or with the folder that it was in.
            absent if absent == root && super::scan::is_audio(root) => RootState::There,
            absent => RootState::Away(absent),
        },
        Ok(_) | Err(_) => RootState::There,
    }
}

/// Looks at one file. `root` is the state of the folder through which it was imported.
pub fn look(path: &Path, root: &RootState) -> Presence {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Presence::There(stamp(&metadata)),
        Ok(_) => Presence::Missing(missing(
            "what stands in its place is not a file".to_owned(),
            "Run relink on the folder where the file is now",
        )),
        Err(error) if is_absence(&error) => Presence::Missing(match root {
            RootState::There => missing(
                "the file is not there any more".to_owned(),
                "If it was moved, run relink on the folder where it is now",
            ),
            RootState::Away(folder) => missing(
                format!("drive or folder {} is not there", folder.display()),
                "Connect it and import its folder again: the track will be back as it was",
            ),
        }),
        Err(error) => Presence::Unreachable(unreadable(&error)),
    }
}

/// A failure for a file that is there but cannot be read.
pub(crate) fn unreadable(error: &io::Error) -> Failure {
    Failure {
        kind: FailureKind::Unreadable,
        ..Failure::from_io(error)
    }
}

/// A failure for a file that could not be opened or read, whatever the reason.
pub(crate) fn failure_of(error: &io::Error) -> Failure {
    if is_absence(error) {
        missing(
            "the file is not there any more".to_owned(),
            "If it was moved, run relink on the folder where it is now",
        )
    } else {
        unreadable(error)
    }
}

fn missing(message: String, remedy: &str) -> Failure {
    Failure {
        kind: FailureKind::Missing,
        message,
        remedy: remedy.to_owned(),
        attempts: 1,
        retry_at: None,
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// The first folder on the way down to `path` that is not there.
fn uppermost_absent(path: &Path) -> PathBuf {
    path.ancestors()
        .take_while(|folder| {
            fs::symlink_metadata(folder).is_err_and(|error| is_absence(&error))
                || fs::metadata(folder).is_err_and(|error| is_absence(&error))
        })
        .last()
        .unwrap_or(path)
        .to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, remove_dir_all, remove_file, write};

    fn message(path: &Path, root: &Path) -> String {
        match look(path, &look_at_root(root)) {
            Presence::Missing(failure) => failure.message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_deleted_file_and_an_unplugged_drive_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let drive = dir.path().join("drive");
        let root = drive.join("music");
        let path = root.join("x/a.mp3");
        create_dir_all(root.join("x")).unwrap();
        write(&path, "abc").unwrap();
        write(root.join("b.mp3"), "abc").unwrap();
        let there = look(&path, &look_at_root(&root));
        assert!(matches!(there, Presence::There(stamp) if stamp.bytes == 3));

        remove_file(&path).unwrap();
        assert!(message(&path, &root).contains("the file is not there"));
        remove_dir_all(root.join("x")).unwrap();
        assert!(message(&path, &root).contains("the file is not there"));

        remove_dir_all(&drive).unwrap();
        let told = message(&path, &root);
        assert!(told.contains(&drive.display().to_string()), "{told}");
        assert!(
            !told.contains("music"),
            "the uppermost folder is named: {told}"
        );

        // The mount point of a drive stays behind, empty.
        create_dir_all(&root).unwrap();
        let told = message(&path, &root);
        assert!(told.contains(&root.display().to_string()), "{told}");

        create_dir_all(root.join("x")).unwrap();
        write(&path, "abc").unwrap();
        assert_eq!(look(&path, &look_at_root(&root)), there_again(&path));
    }

    fn there_again(path: &Path) -> Presence {
        Presence::There(stamp(&fs::metadata(path).unwrap()))
    }

    #[test]
    fn a_file_imported_by_itself_is_gone_alone_or_with_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/a.mp3");
        let told = message(&path, &path);
        assert!(
            told.contains(&dir.path().join("sub").display().to_string()),
            "{told}"
        );
        create_dir_all(path.parent().unwrap()).unwrap();
        assert!(message(&path, &path).contains("the file is not there"));
        create_dir_all(&path).unwrap();
        assert!(message(&path, &path).contains("not a file"));
    }
}
