//! Why an Engine DJ library as a whole cannot be read.

use crate::control::Cancelled;
use crate::failure::{Failure, FailureKind};
use std::io;
use std::path::PathBuf;

/// One bad track is never an error: see [`super::Lost`].
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("no Engine DJ library is here\nFolder: {}", path.display())]
    NotFound { path: PathBuf },
    #[error("this library was made by Engine Prime (schema {version}), before Engine DJ 2.0")]
    TooOld { version: super::Version },
    #[error("this library has schema {version}, which is newer than any that we know")]
    TooNew { version: super::Version },
    #[error("this database is no Engine DJ library: {lacking}")]
    NotEngine { lacking: &'static str },
    #[error("this file is no database")]
    NotDatabase,
    #[error("the database is damaged: {detail}")]
    Damaged { detail: String },
    #[error("the database has {bytes} bytes, more than the {most} that are accepted")]
    TooLarge { bytes: u64, most: u64 },
    #[error("the database asks for more memory than any library needs")]
    Memory,
    #[error("reading the database took longer than any library needs")]
    Timeout,
    #[error("Engine DJ kept writing while its database was being copied")]
    Busy,
    #[error("the database cannot be read: {error}\nFile: {}", path.display())]
    Unreadable { error: io::Error, path: PathBuf },
    #[error("no private copy can be made: {error}\nFolder: {}", path.display())]
    Scratch { error: io::Error, path: PathBuf },
    #[error("cancelled")]
    Cancelled,
}

impl From<Cancelled> for EngineError {
    fn from(_cancelled: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl EngineError {
    /// From SQLite, by what the caller does next.
    pub(super) fn of_sqlite(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotDatabase,
            Some(ErrorCode::OutOfMemory) => Self::Memory,
            Some(ErrorCode::OperationInterrupted) => Self::Timeout,
            _ => Self::Damaged {
                detail: bounded(&error.to_string()),
            },
        }
    }

    /// The same in the words of a row: what happened and what the user can do.
    pub fn failure(&self) -> Failure {
        let (kind, remedy) = match self {
            Self::NotFound { .. } => (
                FailureKind::Missing,
                "Choose the folder named Engine Library, the drive that holds it, or the file m.db",
            ),
            Self::TooOld { .. } => (
                FailureKind::Unsupported,
                "Open the library once in Engine DJ 2.0 or newer, then import it again",
            ),
            Self::TooNew { .. } => (FailureKind::Unsupported, "Update Tonearm"),
            Self::NotEngine { .. } | Self::NotDatabase => (
                FailureKind::Unsupported,
                "Choose the file m.db in the folder Engine Library/Database2",
            ),
            Self::Damaged { .. } | Self::Memory | Self::Timeout => (
                FailureKind::Damaged,
                "Open the library in Engine DJ to have it repaired, or restore one of its backups",
            ),
            Self::TooLarge { .. } => (
                FailureKind::Unsupported,
                "Check that this is the library that you meant",
            ),
            Self::Busy => (
                FailureKind::Unreadable,
                "Wait until Engine DJ is done with what it is doing, then try again",
            ),
            Self::Unreadable { error, .. } => return Failure::from_io(error),
            Self::Scratch { .. } => (
                FailureKind::Storage,
                "Make room on the drive that holds temporary files",
            ),
            Self::Cancelled => (FailureKind::Timeout, "Start it again"),
        };
        let said = self.to_string();
        let message = said.lines().next().unwrap_or_default();
        Failure::new(kind, message, remedy)
    }
}

/// SQLite quotes from the file: what it says may be endless.
pub(super) fn bounded(text: &str) -> String {
    const MOST_CHARS: usize = 300;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST_CHARS)
        .collect()
}
