//! SHA-256 of a file's bytes: what a track is recognised by wherever its file goes.

use super::presence;
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use crate::track::ContentHash;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Read at once: large enough for drives, small enough to stop within milliseconds.
const BUFFER_BYTES: usize = 256 << 10;

/// Hashes the file at `path`. `progress` hears how many bytes are done.
///
/// A file that changes meanwhile is a failure: its hash would belong to neither state. So is a
/// cancelled job; `control` tells the two apart.
pub fn sha256(
    path: &Path,
    control: &Control,
    progress: &mut dyn FnMut(u64),
) -> Result<ContentHash, Failure> {
    let mut file = File::open(path).map_err(|error| presence::failure_of(&error))?;
    let before = stamp(&file)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut done = 0;
    loop {
        control.check().map_err(|Cancelled| cancelled())?;
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(presence::unreadable(&error)),
        };
        hasher.update(buffer.get(..count).unwrap_or_default());
        done += count as u64;
        if done > before.bytes {
            return Err(changed());
        }
        progress(done);
    }
    if done != before.bytes || stamp(&file)? != before {
        return Err(changed());
    }
    Ok(ContentHash(hasher.finalize().into()))
}

fn stamp(file: &File) -> Result<crate::track::FileStamp, Failure> {
    let metadata = file
        .metadata()
        .map_err(|error| presence::unreadable(&error))?;
    if metadata.is_file() {
        Ok(presence::stamp(&metadata))
    } else {
        Err(failure(
            FailureKind::Unsupported,
            "this is not a file",
            "Choose a file",
        ))
    }
}

fn changed() -> Failure {
    failure(
        FailureKind::Unreadable,
        "the file changed while it was being read",
        "Try again when the program that writes it is done",
    )
}

fn cancelled() -> Failure {
    failure(FailureKind::Timeout, "cancelled", "Start it again")
}

fn failure(kind: FailureKind, message: &str, remedy: &str) -> Failure {
    Failure {
        kind,
        message: message.to_owned(),
        remedy: remedy.to_owned(),
        attempts: 1,
        retry_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn hashes_are_those_of_the_standard() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for (content, expected) in [
            (
                Vec::new(),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                b"abc".to_vec(),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            // FIPS 180-4's third example: longer than one buffer.
            (
                vec![b'a'; 1_000_000],
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            ),
        ] {
            fs::write(&path, &content).unwrap();
            let mut heard = 0;
            let hash = sha256(&path, &Control::default(), &mut |done| heard = done).unwrap();
            assert_eq!(hash.to_string(), expected);
            assert_eq!(heard, content.len() as u64);
        }
    }

    #[test]
    fn a_cancelled_hash_stops_and_a_missing_file_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, b"abc").unwrap();
        let control = Control::default();
        control.cancel();
        assert!(sha256(&path, &control, &mut |_| {}).is_err());

        let control = Control::default();
        let failure = sha256(&dir.path().join("y"), &control, &mut |_| {}).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Missing);
        let failure = sha256(dir.path(), &control, &mut |_| {}).unwrap_err();
        assert_ne!(failure.kind, FailureKind::Bug);
    }

    #[test]
    fn a_file_that_grows_while_it_is_hashed_has_no_hash() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, vec![1; BUFFER_BYTES + 1]).unwrap();
        let mut first = true;
        let result = sha256(&path, &Control::default(), &mut |_| {
            if std::mem::take(&mut first) {
                use std::io::Write as _;
                let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
                file.write_all(b"more").unwrap();
            }
        });
        assert_eq!(result.unwrap_err().kind, FailureKind::Unreadable);
    }
}
