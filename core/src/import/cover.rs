//! The cover of a track: in the file, or beside it.

use super::{presence, tags};
use crate::failure::Failure;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// Names under which the picture of a whole folder is found, in any case, the better first.
const BESIDE: [&str; 3] = ["cover", "folder", "front"];
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];
/// Entries of a folder that are looked at.
const MOST_ENTRIES: usize = 4_096;

/// The bytes of the cover of the file at `path`: a picture of whatever kind, at most 16 MB, not looked into.
///
/// `None` where there is none. A failure means that the file could not be read.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if let Some((_, bytes)) = tags::art(path) {
        return Ok(Some(bytes));
    }
    // No folder, no file: the reason is worth telling.
    std::fs::metadata(path).map_err(|error| presence::failure_of(&error))?;
    let Some(folder) = path.parent() else {
        return Ok(None);
    };
    beside(folder)
}

fn beside(folder: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(presence::failure_of(&error)),
    };
    let best = entries
        .take(MOST_ENTRIES)
        .filter_map(Result::ok)
        .filter_map(|entry| Some((rank(Path::new(&entry.file_name()))?, entry.path())))
        // Before it is opened: to open a pipe is to wait for whoever writes to it.
        .filter(|(_, path)| std::fs::metadata(path).is_ok_and(|found| found.is_file()))
        .min();
    let Some((_, picture)) = best else {
        return Ok(None);
    };
    let file = File::open(&picture).map_err(|error| presence::failure_of(&error))?;
    let mut bytes = Vec::new();
    let most = tags::MOST_ART_BYTES as u64;
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| presence::failure_of(&error))?;
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty() && bytes.len() as u64 <= most))
}

/// How good a name for a cover this is: 0 is best; `None` is none.
fn rank(name: &Path) -> Option<usize> {
    let of = |names: &[&str], part: Option<&std::ffi::OsStr>| {
        let part = part?.to_str()?;
        names
            .iter()
            .position(|name| part.eq_ignore_ascii_case(name))
    };
    let stem = of(&BESIDE, name.file_stem())?;
    Some(stem * ENDINGS.len() + of(&ENDINGS, name.extension())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn track_in(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("track.wav");
        fs::write(&path, b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0").unwrap();
        path
    }

    #[test]
    fn the_best_picture_beside_a_file_without_one_is_its_cover() {
        let folder = tempfile::tempdir().unwrap();
        let track = track_in(folder.path());
        assert_eq!(read(&track).unwrap(), None);
        fs::write(folder.path().join("front.png"), b"front").unwrap();
        fs::write(folder.path().join("notes.txt"), b"notes").unwrap();
        assert_eq!(read(&track).unwrap().unwrap(), b"front");
        fs::write(folder.path().join("FOLDER.JPG"), b"folder").unwrap();
        assert_eq!(read(&track).unwrap().unwrap(), b"folder");
        fs::write(folder.path().join("Cover.jpeg"), b"cover").unwrap();
        assert_eq!(read(&track).unwrap().unwrap(), b"cover");
    }

    #[test]
    fn a_picture_beyond_all_measure_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let track = track_in(folder.path());
        let picture = File::create(folder.path().join("cover.jpg")).unwrap();
        picture.set_len(tags::MOST_ART_BYTES as u64 + 1).unwrap();
        assert_eq!(read(&track).unwrap(), None);
        picture.set_len(0).unwrap();
        assert_eq!(read(&track).unwrap(), None);
    }

    #[test]
    fn a_folder_with_the_name_of_a_cover_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let track = track_in(folder.path());
        fs::create_dir(folder.path().join("cover.jpg")).unwrap();
        assert_eq!(read(&track).unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_opened_and_a_picture_beside_it_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let track = track_in(folder.path());
        // As a pipe would be: no file, though it has the name of one.
        let _socket =
            std::os::unix::net::UnixListener::bind(folder.path().join("cover.jpg")).unwrap();
        assert_eq!(read(&track).unwrap(), None);
        fs::write(folder.path().join("folder.png"), b"folder").unwrap();
        assert_eq!(read(&track).unwrap().unwrap(), b"folder");
    }

    #[test]
    fn a_file_that_is_gone_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let failure = read(&folder.path().join("gone.mp3")).unwrap_err();
        assert_eq!(failure.kind, crate::failure::FailureKind::Missing);
    }
}
