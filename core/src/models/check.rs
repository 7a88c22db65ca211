//! Whether a file is the one that was published.

use super::manifest::{Check, ModelFile};
use crate::control::{Cancelled, Control};
use crate::track::ContentHash;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// What became of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is what was published.
    Right,
    /// Nobody published a whole checksum: it may be anything.
    Unknown,
    Wrong {
        expected: String,
        found: String,
    },
}

/// The checksums of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) sha256: String,
    git_blob: String,
    pub(super) bytes: u64,
}

/// Of what the list says, an unpinned file has at least this: makers publish it anew now and then.
const LEAST_PERCENT: u64 = 90;
const ZIP: &[u8] = b"PK\x03\x04";

/// Why a file cannot be a model, as far as that is seen without a published checksum.
pub(super) fn implausible(path: &Path, file: &ModelFile) -> io::Result<Option<String>> {
    let mut opened = File::open(path)?;
    let bytes = opened.metadata()?.len();
    if bytes < file.about_bytes / 100 * LEAST_PERCENT {
        return Ok(Some(format!(
            "it has {bytes} bytes, not about {}",
            file.about_bytes
        )));
    }
    let mut front = Vec::new();
    opened.by_ref().take(9).read_to_end(&mut front)?;
    let is_plausible = if file.name.ends_with(".safetensors") {
        // The length of a JSON text, which follows.
        let length = front.first_chunk().map(|it| u64::from_le_bytes(*it));
        length.is_some_and(|length| length < bytes) && front.get(8) == Some(&b'{')
    } else {
        front.starts_with(ZIP)
    };
    Ok((!is_plausible).then(|| "it does not begin as one does".to_owned()))
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SumError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads the file once.
pub(super) fn sums(path: &Path, control: &Control) -> Result<Sums, SumError> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut sha256 = Sha256::new();
    let mut git_blob = Sha1::new();
    git_blob.update(format!("blob {bytes}\0"));
    let mut piece = vec![0; 1 << 18];
    loop {
        control.check()?;
        let count = file.read(&mut piece)?;
        let Some(had) = piece.get(..count).filter(|had| !had.is_empty()) else {
            break;
        };
        sha256.update(had);
        git_blob.update(had);
    }
    let git_blob: [u8; 20] = git_blob.finalize().into();
    let mut padded = [0; 32];
    for (to, from) in padded.iter_mut().zip(git_blob) {
        *to = from;
    }
    let git_blob = ContentHash(padded).to_string().chars().take(40).collect();
    Ok(Sums {
        sha256: ContentHash(sha256.finalize().into()).to_string(),
        git_blob,
        bytes,
    })
}

pub(super) fn judge(check: &Check, sums: &Sums) -> Verdict {
    let compare = |expected: &str, found: &str| {
        if expected.eq_ignore_ascii_case(found) {
            Verdict::Right
        } else {
            Verdict::Wrong {
                expected: expected.to_owned(),
                found: found.to_owned(),
            }
        }
    };
    match check {
        Check::Unpinned => Verdict::Unknown,
        Check::Sha256(expected) => compare(expected, &sums.sha256),
        Check::Sha256Begins(expected) => {
            let found: String = sums.sha256.chars().take(expected.len()).collect();
            match compare(expected, &found) {
                // Few digits can be met on purpose.
                Verdict::Right => Verdict::Unknown,
                verdict => verdict,
            }
        }
        Check::GitBlob(expected) => compare(expected, &sums.git_blob),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_published_a_checksum_of_must_at_least_look_like_a_model() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it");
        let says = |name: &str, content: &[u8]| {
            let file = ModelFile {
                name: name.to_owned(),
                also: Vec::new(),
                urls: Vec::new(),
                about_bytes: 1_000,
                most_bytes: 2_000,
                check: Check::Unpinned,
            };
            let mut content = content.to_vec();
            content.resize(content.len().max(900), b' ');
            std::fs::write(&path, content).unwrap();
            implausible(&path, &file).unwrap().is_some()
        };
        let (zip, tensors) = (b"PK\x03\x04", b"\x20\x01\0\0\0\0\0\0{\"a\"");
        assert!(!says("m.ckpt", zip) && !says("m.safetensors", tensors));
        for page in [&b"<!doctype html>"[..], b"{\"error\"", b"PK", b""] {
            assert!(says("m.ckpt", page) && says("m.safetensors", page));
        }
        assert!(says("m.ckpt", tensors) && says("m.safetensors", zip));
        let too_long = b"\x20\x01\0\0\0\0\0\x01{";
        assert!(says("m.safetensors", too_long));
        std::fs::write(&path, zip).unwrap();
        let file = |about_bytes| ModelFile {
            name: "m.ckpt".to_owned(),
            also: Vec::new(),
            urls: Vec::new(),
            about_bytes,
            most_bytes: 2_000,
            check: Check::Unpinned,
        };
        assert_eq!(implausible(&path, &file(4)).unwrap(), None);
        let why = implausible(&path, &file(1_000)).unwrap().unwrap();
        assert_eq!(why, "it has 4 bytes, not about 1000");
    }

    #[test]
    fn each_published_checksum_is_compared_in_its_own_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hello");
        std::fs::write(&path, "hello\n").unwrap();
        let sums = sums(&path, &Control::default()).unwrap();
        // As `sha256sum` and `git hash-object` say.
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let blob = "ce013625030ba8dba906f756967f9e9ca394464a";
        for check in [
            Check::Sha256(sha256.to_owned()),
            Check::GitBlob(blob.to_owned()),
        ] {
            assert_eq!(judge(&check, &sums), Verdict::Right, "{check:?}");
        }
        for check in [
            Check::Unpinned,
            // 32 bits are met on purpose within seconds.
            Check::Sha256Begins("5891B5B5".to_owned()),
        ] {
            assert_eq!(judge(&check, &sums), Verdict::Unknown, "{check:?}");
        }
        let wrong = judge(&Check::Sha256Begins("8726e21a".to_owned()), &sums);
        assert!(matches!(wrong, Verdict::Wrong { found, .. } if found == "5891b5b5"));
    }
}
