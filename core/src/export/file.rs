//! Files written whole or not at all, and never over music.

use crate::failure::Failure;
use crate::import::scan::is_sound;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

/// Why nothing was written. The file that was there, if any, is as it was.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("this is a music file and stays as it is\nFile: {}", path.display())]
    Music { path: PathBuf },
    #[error("this is a folder, not a file\nFolder: {}", path.display())]
    Folder { path: PathBuf },
    #[error("cannot write: {}\nFile: {}", Failure::words_of_writing(error), path.display())]
    Io { error: io::Error, path: PathBuf },
}

/// Writes `target` through `write`: into a file beside it that takes its place when all is on the disk.
///
/// A link is followed; what is no file but can be written to (a terminal, a pipe) is written to.
pub fn write_atomic<T>(
    target: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, FileError> {
    let failed = |error| FileError::Io {
        error,
        path: target.to_owned(),
    };
    let target = fs::canonicalize(target).unwrap_or_else(|_not_there_yet| target.to_owned());
    let present = match fs::metadata(&target) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if present.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(FileError::Folder { path: target });
    }
    if let Some(present) = &present
        && !present.is_file()
    {
        let device = OpenOptions::new()
            .write(true)
            .open(&target)
            .map_err(failed)?;
        let mut out = BufWriter::new(device);
        let value = write(&mut out).map_err(failed)?;
        out.flush().map_err(failed)?;
        return Ok(value);
    }
    if is_sound(&target) || (present.is_some() && begins_like_music(&target)) {
        return Err(FileError::Music { path: target });
    }
    let draft = Draft::beside(&target).map_err(failed)?;
    let value = draft
        .fill(write)
        .and_then(|value| {
            if let Some(present) = present {
                fs::set_permissions(&draft.path, present.permissions())?;
            }
            fs::rename(&draft.path, &target)?;
            Ok(value)
        })
        .map_err(failed)?;
    Ok(value)
}

/// Writes a sound file where nothing is yet, through `write`, whole or not at all.
///
/// What is no file but can be written to (a terminal, a pipe) cannot go back to a header, and is refused.
pub fn write_new_sound<T>(
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<T>,
) -> Result<T, FileError> {
    let failed = |error| FileError::Io {
        error,
        path: target.to_owned(),
    };
    let taken = || io::Error::new(io::ErrorKind::AlreadyExists, "something is there already");
    if fs::symlink_metadata(target).is_ok() {
        return Err(failed(taken()));
    }
    let draft = Draft::beside(target).map_err(failed)?;
    let value = draft.fill_with(write).map_err(failed)?;
    // A link is made only where nothing is: what came meanwhile stays. Not every drive knows links.
    let linked = fs::hard_link(&draft.path, target);
    match linked {
        Ok(()) => Ok(value),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(failed(error)),
        Err(_no_links) => {
            fs::rename(&draft.path, target).map_err(failed)?;
            Ok(value)
        }
    }
}

/// The file that is being written; gone when dropped, unless it has been renamed.
struct Draft {
    file: File,
    path: PathBuf,
}

impl Draft {
    fn beside(target: &Path) -> io::Result<Self> {
        let name = target
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
        // Names may be at most 255 bytes: a long one is not made longer.
        let short: String = name.to_string_lossy().chars().take(40).collect();
        let random = getrandom::u64().map_err(io::Error::other)?;
        let path = target.with_file_name(format!(".{short}.{random:016x}.tmp"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self { file, path })
    }

    fn fill<T>(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        self.fill_with(|out| write(out))
    }

    fn fill_with<T>(
        &self,
        write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut out = BufWriter::with_capacity(1 << 16, &self.file);
        let value = write(&mut out)?;
        out.flush()?;
        self.file.sync_all()?;
        Ok(value)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Renamed: there is nothing to remove, and that is what is wanted.
        let _gone_either_way = fs::remove_file(&self.path);
    }
}

/// Looks at the first bytes: a file that cannot be read is not taken for music, nor does it need to be.
fn begins_like_music(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(12).read_to_end(&mut head));
    if read.is_err() {
        return false;
    }
    let kind_at_8 = head.get(8..12).unwrap_or_default();
    match head.as_slice() {
        [b'I', b'D', b'3', ..]
        | [b'f', b'L', b'a', b'C', ..]
        | [b'O', b'g', b'g', b'S', ..]
        | [_, _, _, _, b'f', b't', b'y', b'p', ..] => true,
        [b'R', b'I', b'F', b'F', ..] | [b'R', b'F', b'6', b'4', ..] => kind_at_8 == b"WAVE",
        [b'F', b'O', b'R', b'M', ..] => kind_at_8 == b"AIFF" || kind_at_8 == b"AIFC",
        // The sync word of MPEG audio; UTF-16 text begins FF FE too, but layer bits 11 are reserved there.
        [0xff, second, ..] => second & 0xe0 == 0xe0 && *second != 0xfe && *second != 0xff,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_only_by_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("list.csv");
        write_atomic(&target, |out| out.write_all(b"first")).unwrap();
        let broken = write_atomic(&target, |out| {
            out.write_all(b"half")?;
            Err::<(), _>(io::Error::other("disk full"))
        });
        assert!(matches!(broken, Err(FileError::Io { .. })));
        assert_eq!(fs::read(&target).unwrap(), b"first");
        let count = write_atomic(&target, |out| out.write_all(b"second").map(|()| 7)).unwrap();
        assert_eq!((count, fs::read(&target).unwrap()), (7, b"second".to_vec()));
        assert_eq!(entries(folder.path()), ["list.csv"]);
    }

    #[test]
    fn music_is_never_written_over_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("track.mp3", &b"anything"[..]),
            ("TRACK.FLAC", b""),
            ("old.wma", b"anything"),
            ("old.ape", b"anything"),
            ("old.wv", b"anything"),
            ("field recording.bwf", b"anything"),
            ("export.json", b"ID3\x04rest of the file"),
            ("a.csv", b"fLaC...."),
            ("b.csv", b"RIFF\0\0\0\0WAVEfmt "),
            ("c.csv", b"\0\0\0\x20ftypM4A "),
            ("d.csv", b"\xff\xfb\x90\x64"),
            ("e.csv", b"OggS"),
        ] {
            let target = folder.path().join(name);
            fs::write(&target, bytes).unwrap();
            let result = write_atomic(&target, |out| out.write_all(b"x"));
            assert!(matches!(result, Err(FileError::Music { .. })), "{name}");
            assert_eq!(fs::read(&target).unwrap(), bytes, "{name}");
        }
        let absent = folder.path().join("new.wav");
        assert!(write_atomic(&absent, |out| out.write_all(b"x")).is_err());
        assert!(!absent.exists());
        let text = folder.path().join("utf16.csv");
        fs::write(&text, b"\xff\xfea\0").unwrap();
        assert!(write_atomic(&text, |out| out.write_all(b"x")).is_ok());
    }

    #[test]
    fn a_folder_and_a_missing_folder_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let result = write_atomic(folder.path(), |out| out.write_all(b"x"));
        assert!(matches!(result, Err(FileError::Folder { .. })));
        let nowhere = folder.path().join("no/such/place.csv");
        let error = write_atomic(&nowhere, |out| out.write_all(b"x")).unwrap_err();
        assert!(error.to_string().contains("place.csv"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("real.csv");
        fs::write(&target, b"old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_atomic(&link, |out| out.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        write_atomic(Path::new("/dev/null"), |out| out.write_all(b"x")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
