//! Files of stems in the making, which come to their place together: all of them, or all is as it was.

use super::{ExportError, Outcome};
use crate::stems::writer::sync_folder;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder that is gone when dropped, with what is still in it.
pub(super) struct Draft {
    pub(super) folder: PathBuf,
    /// The folder that the files are for, where it was made for them and none is in it yet.
    made: Option<PathBuf>,
    /// It holds the only copy of something of the user's.
    is_kept: bool,
}

impl Draft {
    pub(super) fn beside(folder: &Path) -> Result<Self, ExportError> {
        let failed = |error| ExportError::Write {
            error,
            path: folder.to_path_buf(),
        };
        let random = getrandom::u64().map_err(io::Error::other).map_err(failed)?;
        let made = (!folder.exists()).then(|| folder.to_path_buf());
        fs::create_dir_all(folder).map_err(failed)?;
        let draft = Self {
            folder: folder.join(format!(".stems.{random:016x}.unfinished")),
            made,
            is_kept: false,
        };
        fs::create_dir(&draft.folder).map_err(failed)?;
        Ok(draft)
    }

    /// Gives all files their names. Where one cannot have its, or it is not certain that all stay, all is as it was before.
    pub(super) fn move_to(
        mut self,
        folder: &Path,
        paths: &[PathBuf; 4],
        outcomes: [Outcome; 4],
    ) -> Result<(), ExportError> {
        let files: Vec<(&PathBuf, Outcome)> = paths.iter().zip(outcomes).collect();
        for (count, (path, outcome)) in files.iter().enumerate() {
            let placed = match outcome {
                Outcome::AlreadyThere => Ok(()),
                Outcome::Written => self.place(path),
                Outcome::Replaced => self.replace(path),
            };
            if let Err(error) = placed {
                return Err(self.take_back(files.get(..count).unwrap_or_default(), error, path));
            }
        }
        sync_folder(folder).map_err(|error| self.take_back(&files, error, folder))
    }

    fn place(&self, path: &Path) -> io::Result<()> {
        let from = self.folder.join(path.file_name().unwrap_or_default());
        // A link is made only where nothing is: what came meanwhile stays. Not every drive knows links.
        match fs::hard_link(&from, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => {
                fs::rename(&from, path)
            }
            placed => placed,
        }
    }

    /// One rename, so that there is the old file or the new one at any moment.
    fn replace(&self, path: &Path) -> io::Result<()> {
        if fs::hard_link(path, self.before(path)).is_err() {
            fs::copy(path, self.before(path))?;
        }
        let from = self.folder.join(path.file_name().unwrap_or_default());
        fs::rename(from, path)
    }

    /// Where the file that is replaced stays until all are.
    fn before(&self, path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default();
        self.folder.join(name).with_extension("before")
    }

    /// As all was before `placed`; says what happened: `error` at `at`.
    fn take_back(
        &mut self,
        placed: &[(&PathBuf, Outcome)],
        error: io::Error,
        at: &Path,
    ) -> ExportError {
        let mut kept = None;
        for (path, outcome) in placed {
            let back = match outcome {
                Outcome::AlreadyThere => Ok(()),
                // Ours, made a moment ago.
                Outcome::Written => fs::remove_file(path),
                Outcome::Replaced => fs::rename(self.before(path), path)
                    .inspect_err(|_| kept = kept.take().or_else(|| Some(self.before(path)))),
            };
            if let Err(error) = back {
                tracing::warn!(%error, path = %path.display(), "a file of stems stays behind");
            }
        }
        let path = at.to_path_buf();
        match kept {
            Some(kept) => {
                self.is_kept = true;
                ExportError::NotPutBack { error, path, kept }
            }
            None if error.kind() == io::ErrorKind::AlreadyExists => ExportError::Taken { path },
            None => ExportError::Write { error, path },
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "unfinished files stay behind");
        }
        if let Some(made) = &self.made {
            // Only where it is empty: what is in it has come to its place.
            let _stays = fs::remove_dir(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, paths};
    use super::*;

    /// A folder where only the first of the four is, and the four new ones in the making.
    fn ready(folder: &Path) -> (Draft, [PathBuf; 4]) {
        let paths = paths(folder, Format::Wav);
        fs::write(&paths[0], b"old").unwrap();
        let draft = Draft::beside(folder).unwrap();
        for path in &paths {
            fs::write(draft.folder.join(path.file_name().unwrap()), b"new").unwrap();
        }
        (draft, paths)
    }

    const OUTCOMES: [Outcome; 4] = [
        Outcome::Replaced,
        Outcome::Written,
        Outcome::Written,
        Outcome::Written,
    ];

    fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|it| {
                let name = it.file_name().to_string_lossy().into_owned();
                (name, fs::read(it.path()).unwrap_or_default())
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn where_one_cannot_be_placed_or_made_durable_all_is_as_before() {
        let dir = tempfile::tempdir().unwrap();
        let as_before = [("drums.wav".to_owned(), b"old".to_vec())];
        let (draft, paths) = ready(dir.path());
        let gone = dir.path().join("gone");
        let error = draft.move_to(&gone, &paths, OUTCOMES).unwrap_err();
        if cfg!(unix) {
            assert!(
                matches!(&error, ExportError::Write { path, .. } if *path == gone),
                "{error}"
            );
            assert_eq!(content(dir.path()), as_before);
        }
        let (draft, paths) = ready(dir.path());
        fs::remove_file(draft.folder.join("vocals.wav")).unwrap();
        draft.move_to(dir.path(), &paths, OUTCOMES).unwrap_err();
        assert_eq!(content(dir.path()), as_before);
        let (draft, paths) = ready(dir.path());
        draft.move_to(dir.path(), &paths, OUTCOMES).unwrap();
        assert!(content(dir.path()).iter().all(|(_, bytes)| bytes == b"new"));
    }

    #[test]
    fn what_cannot_be_put_back_is_kept_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let (mut draft, paths) = ready(dir.path());
        draft.replace(&paths[0]).unwrap();
        // Something takes its place that no file can replace.
        fs::remove_file(&paths[0]).unwrap();
        fs::create_dir(&paths[0]).unwrap();
        let placed = [(&paths[0], OUTCOMES[0])];
        let error = draft.take_back(&placed, io::Error::other("no more"), &paths[1]);
        drop(draft);
        let ExportError::NotPutBack { kept, path, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(
            (fs::read(kept).unwrap(), path),
            (b"old".to_vec(), &paths[1])
        );
        assert!(error.to_string().contains(&kept.display().to_string()));
    }
}
