//! Why something did not work, in words a DJ can act on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a failure is about; decides whether and when another try makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The file is not there, or its drive is not.
    Missing,
    /// The file is there but may not be read.
    Unreadable,
    /// Not audio, or audio in a codec we have no decoder for.
    Unsupported,
    /// Audio, but broken.
    Damaged,
    /// Nothing to analyse: no samples, or silence where sound is needed.
    Empty,
    /// The disk is full or the library cannot be written.
    Storage,
    /// Took longer than any honest job would.
    Timeout,
    /// Our own fault.
    Bug,
}

/// A stored failure: shown in its row, retried when `retry_at` has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// What happened. One sentence, no final period; the path is not repeated.
    pub message: String,
    /// What the user can do about it.
    pub remedy: String,
    /// How often it has been tried.
    pub attempts: u32,
    /// `None`: only when the file changes or the user asks.
    pub retry_at: Option<Timestamp>,
}

impl From<&crate::audio::AudioError> for Failure {
    fn from(error: &crate::audio::AudioError) -> Self {
        let (kind, message, remedy) = error.failure_parts();
        Self::new(kind, message, remedy)
    }
}

impl Failure {
    /// What is said of a missing track when nobody has just looked: message and remedy.
    pub const MISSING: (&'static str, &'static str) = (
        "the file is not there",
        "Connect its drive and import its folder again, or run relink on the folder where it is now",
    );

    /// A first failure that is not tried again by itself.
    pub fn new(kind: FailureKind, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            remedy: remedy.into(),
            attempts: 1,
            retry_at: None,
        }
    }

    /// What the user named cannot be opened.
    pub fn of_named(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => {
                Self::new(
                    FailureKind::Missing,
                    "there is no such file or folder",
                    "Check how it is written, or connect the drive that it is on",
                )
            }
            ErrorKind::IsADirectory => Self::new(
                FailureKind::Unreadable,
                "this is a folder, not a file",
                "Name a file in it",
            ),
            _ => Self::from_io(error),
        }
    }

    /// Why nothing can be written where the user said, and what to do, in one sentence.
    pub fn words_of_writing(error: &std::io::Error) -> String {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound => {
                "its folder is not there: make it, or name another place".to_owned()
            }
            ErrorKind::NotADirectory => {
                "what should be its folder is a file: name another place".to_owned()
            }
            ErrorKind::AlreadyExists => {
                "something is there already and stays as it is: choose another name".to_owned()
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "you may not write there: name another place".to_owned()
            }
            _ => error.to_string(),
        }
    }

    /// What the operating system says, with what the user can do about it.
    pub fn from_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let (kind, message, remedy) = match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => (
                FailureKind::Missing,
                Self::MISSING.0.to_owned(),
                Self::MISSING.1,
            ),
            ErrorKind::PermissionDenied => (
                FailureKind::Unreadable,
                "the file may not be read".to_owned(),
                "Give yourself permission to read it",
            ),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
                FailureKind::Storage,
                error.to_string(),
                "Make room on the drive that holds the library",
            ),
            ErrorKind::ReadOnlyFilesystem => (
                FailureKind::Storage,
                error.to_string(),
                "Get the right to write there, or choose another place",
            ),
            _ => (
                FailureKind::Unreadable,
                format!("the file cannot be read: {error}"),
                "Check the drive and the cable, then try again",
            ),
        };
        Self::new(kind, message, remedy)
    }

    /// The same failure after `earlier` tries, with the time of the next one where another try by itself
    /// makes sense: drives come back, broken files do not mend.
    #[must_use]
    pub fn after(self, earlier: u32, now: Timestamp) -> Self {
        let attempts = earlier.saturating_add(1);
        let wait_secs: Option<i64> = match self.kind {
            FailureKind::Unreadable | FailureKind::Storage => Some(60),
            FailureKind::Timeout => Some(3600),
            FailureKind::Missing
            | FailureKind::Unsupported
            | FailureKind::Damaged
            | FailureKind::Empty
            | FailureKind::Bug => None,
        };
        // Doubling, at most a day.
        let retry_at = wait_secs.map(|secs| {
            let secs = secs.saturating_mul(1 << (attempts - 1).min(12)).min(86_400);
            now.saturating_add(jiff::SignedDuration::from_secs(secs))
                .unwrap_or(Timestamp::MAX)
        });
        Self {
            attempts,
            retry_at,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_drive_is_tried_again_later_and_later_and_a_broken_file_never() {
        let now = Timestamp::UNIX_EPOCH;
        let wait = |kind, earlier| {
            Failure::new(kind, "", "")
                .after(earlier, now)
                .retry_at
                .map(Timestamp::as_second)
        };
        assert_eq!(wait(FailureKind::Unreadable, 0), Some(60));
        assert_eq!(wait(FailureKind::Unreadable, 1), Some(120));
        assert_eq!(wait(FailureKind::Unreadable, 1_000), Some(86_400));
        assert_eq!(wait(FailureKind::Damaged, 0), None);
    }
}
