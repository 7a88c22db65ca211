//! What is free on the drive of the library, shared out among jobs that run side by side.

use super::room::in_words;
use crate::disk::free_bytes;
use crate::failure::{Failure, FailureKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What is left free on the drive at least, in bytes: the library itself has to go on.
const LEFT_FREE: u64 = 256_000_000;

/// The drive that a library lies on.
#[derive(Debug)]
pub struct Drive {
    library: PathBuf,
    /// What jobs may still write of what they were promised, in bytes.
    promised: Mutex<u64>,
}

/// Room that is kept for one job, until it is dropped.
#[derive(Debug)]
pub struct Booking {
    drive: Arc<Drive>,
    bytes: u64,
}

impl Drive {
    pub fn of(library: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            library,
            promised: Mutex::default(),
        })
    }

    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Keeps room for `bytes`, so that all that were promised some can write theirs and enough is left for the library.
    pub fn book(self: &Arc<Self>, bytes: u64) -> Result<Booking, Failure> {
        // Held while the drive is asked: two jobs must not be promised the same room.
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        judge(bytes, *promised, free_bytes(&self.library))?;
        *promised = promised.saturating_add(bytes);
        Ok(Booking {
            drive: Arc::clone(self),
            bytes,
        })
    }
}

impl Booking {
    /// So many bytes may still be written; what was given up, and what is on the disk, is no longer kept free.
    pub fn shrink_to(&mut self, bytes: u64) {
        let given_up = self.bytes.saturating_sub(bytes);
        self.bytes -= given_up;
        let mut promised = self
            .drive
            .promised
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *promised = promised.saturating_sub(given_up);
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

fn judge(bytes: u64, promised: u64, free: Option<u64>) -> Result<(), Failure> {
    let needed = bytes.saturating_add(promised).saturating_add(LEFT_FREE);
    match free {
        Some(free) if free < needed => {
            let others = if promised > 0 {
                format!(", {} of them for other jobs", in_words(promised))
            } else {
                String::new()
            };
            let message = format!(
                "the work takes about {} of disk, and the drive of the library has {} left{others}; {} stay free",
                in_words(bytes),
                in_words(free),
                in_words(LEFT_FREE),
            );
            let remedy = "Make room on the drive that holds the library, then try again";
            Err(Failure::new(FailureKind::Storage, message, remedy))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_does_not_fit_the_drive_is_refused_with_what_to_do() {
        for (bytes, promised, free, refused) in [
            (u64::MAX, u64::MAX, None, None),
            (1_000_000, 0, Some(257_000_000), None),
            (
                1_000_000,
                0,
                Some(256_999_999),
                Some("has 257 MB left; 256"),
            ),
            (1_000_000, 9_000_000, Some(266_000_000), None),
            (
                1_000_000,
                9_000_000,
                Some(265_999_999),
                Some("has 266 MB left, 9 MB of them for other jobs"),
            ),
            (u64::MAX, u64::MAX, Some(u64::MAX), None),
            (0, 0, Some(0), Some("has 0 MB left")),
        ] {
            match (judge(bytes, promised, free), refused) {
                (Ok(()), None) => {}
                (Err(failure), Some(words)) => {
                    assert!(failure.message.contains(words), "{}", failure.message);
                    assert_eq!(failure.kind, FailureKind::Storage);
                }
                (judged, refused) => panic!("{bytes} {promised} {free:?}: {judged:?} {refused:?}"),
            }
        }
    }

    #[test]
    fn jobs_side_by_side_are_not_promised_the_same_room() {
        let dir = tempfile::tempdir().unwrap();
        let drive = Drive::of(dir.path().to_path_buf());
        let free = free_bytes(dir.path()).unwrap();
        // What others write meanwhile does not matter: each share is far more than half of it, or far less.
        let most = (free.saturating_sub(LEFT_FREE) / 10) * 8;
        let mut first = drive.book(most).unwrap();
        let refused = drive.book(most).unwrap_err();
        assert!(
            refused.message.contains("for other jobs"),
            "{}",
            refused.message
        );
        first.shrink_to(most / 80);
        let second = drive.book(most).unwrap();
        assert!(drive.book(most).is_err());
        drop((first, second));
        assert_eq!(*drive.promised.lock().unwrap(), 0);
        drop(drive.book(most).unwrap());
    }
}
