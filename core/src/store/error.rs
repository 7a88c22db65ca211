//! Why the library could not be read or written, and what to do about it.

use crate::track::TrackId;
use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};

/// Variants by what the caller does next; each message says what the user can do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the library is in use by {holder}; {}, or choose another library", way_out(*stays))]
    Locked {
        holder: String,
        /// It holds the library until its user closes it: waiting a moment is of no use.
        stays: bool,
    },
    #[error(
        "the library was written by a newer Tonearm (format {found}, this one knows {known}); \
         update Tonearm. Nothing was changed"
    )]
    Newer { found: u64, known: u64 },
    #[error("the library file is damaged: {reason}; {}\nFile: {}", remedy(backup.as_deref()), path.display())]
    Damaged {
        reason: String,
        /// The newest backup, where there is one.
        backup: Option<PathBuf>,
        path: PathBuf,
    },
    #[error("the disk is full: nothing was changed; make room and try again\nFile: {}", path.display())]
    Full { path: PathBuf },
    /// Where the library is to be, no folder can be.
    #[error("{}\nFile: {}", no_place_words(source), path.display())]
    NoPlace { source: io::Error, path: PathBuf },
    #[error("{}\nFile: {}", io_words(source), path.display())]
    Io { source: io::Error, path: PathBuf },
    #[error(
        "the library can only be read here ({source}); get the right to write to its folder, or copy it and name the copy \
         with --library\nFolder: {}",
        path.display()
    )]
    ReadOnly { source: io::Error, path: PathBuf },
    /// One stored result is unusable; the rest of the library is fine.
    #[error("the stored {what} of track {id} is damaged ({reason}); analyse the track again")]
    Record {
        id: TrackId,
        what: &'static str,
        reason: String,
    },
    #[error("this is not a sound backup: {reason}; choose another\nFile: {}", path.display())]
    BadBackup { reason: String, path: PathBuf },
}

fn way_out(stays: bool) -> &'static str {
    if stays {
        "do it in that window, or close it first"
    } else {
        "close that first"
    }
}

fn remedy(backup: Option<&Path>) -> String {
    match backup {
        Some(backup) => format!("restore the backup {}", backup.display()),
        None => "there is no backup: move the file away and import your music again".to_owned(),
    }
}

fn no_place_words(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::NotFound {
        "there is no place for a library here; name another folder with --library"
    } else {
        "a library is a folder, and this is a file; name a folder with --library"
    }
}

fn io_words(source: &io::Error) -> String {
    if source.kind() == io::ErrorKind::PermissionDenied {
        "the library may not be read or written; get the right to, or name another folder with --library".to_owned()
    } else {
        format!("the library cannot be read or written: {source}; check the drive")
    }
}

impl StoreError {
    /// What the user can do about it, as a sentence of its own.
    pub fn remedy(&self) -> String {
        match self {
            Self::Locked { stays, .. } => {
                if *stays {
                    "Do it in that window, or close it first"
                } else {
                    "Close the other program, then try again"
                }
            }
            .to_owned(),
            Self::Newer { .. } => "Update Tonearm".to_owned(),
            Self::Damaged {
                backup: Some(backup),
                ..
            } => format!("Run tonearm restore '{}'", backup.display()),
            Self::Damaged { backup: None, .. } => {
                "Move the file away and import your music again".to_owned()
            }
            Self::Full { .. } => "Make room on the drive that holds the library".to_owned(),
            Self::NoPlace { .. } => "Name another folder with --library".to_owned(),
            Self::Io { source, .. } if source.kind() != io::ErrorKind::PermissionDenied => {
                "Check the drive that holds the library, then try again".to_owned()
            }
            Self::Io { .. } | Self::ReadOnly { .. } => {
                "Get the right to read and write there, or name another folder with --library"
                    .to_owned()
            }
            Self::Record { id, .. } => format!("Run tonearm analyze --force {id}"),
            Self::BadBackup { .. } => "Choose another backup".to_owned(),
        }
    }

    /// Of a folder that is to become a library.
    pub(super) fn opening(source: io::Error, path: &Path) -> Self {
        use io::ErrorKind::{AlreadyExists, NotADirectory, NotFound};
        let path = path.to_path_buf();
        match source.kind() {
            AlreadyExists | NotADirectory | NotFound => Self::NoPlace { source, path },
            _ => Self::io(source, &path),
        }
    }

    pub(super) fn io(source: io::Error, path: &Path) -> Self {
        let path = path.to_path_buf();
        if is_full(&source) {
            Self::Full { path }
        } else {
            Self::Io { source, path }
        }
    }
}

/// This user may not write there, or nobody can.
pub(super) fn is_unwritable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// No room, for whatever reason the system gives.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// What went wrong inside a transaction, before it is known which file it was about.
#[derive(Debug)]
pub(super) enum Trouble {
    Database(redb::Error),
    Panic(String),
    Known(StoreError),
}

impl Trouble {
    /// From a panic inside the database: damaged pages can bring it to that.
    pub(super) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        Self::Panic(text.unwrap_or("the database gave up").to_owned())
    }

    /// The database handle is not to be used again after this.
    pub(super) fn breaks_handle(&self) -> bool {
        match self {
            Self::Database(_) | Self::Panic(_) => true,
            Self::Known(_) => false,
        }
    }

    /// As the caller sees it. `backup` is asked only when the file is damaged.
    pub(super) fn about(self, path: &Path, backup: impl FnOnce() -> Option<PathBuf>) -> StoreError {
        let damaged = |reason| StoreError::Damaged {
            reason,
            backup: backup(),
            path: path.to_path_buf(),
        };
        match self {
            Self::Known(error) => error,
            Self::Panic(reason) => damaged(reason),
            Self::Database(redb::Error::DatabaseAlreadyOpen) => StoreError::Locked {
                holder: "another program".to_owned(),
                stays: false,
            },
            Self::Database(redb::Error::Io(source)) => match source.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    damaged(source.to_string())
                }
                _ => StoreError::io(source, path),
            },
            Self::Database(redb::Error::PreviousIo) => {
                StoreError::io(io::Error::other("an earlier write failed"), path)
            }
            Self::Database(error) => damaged(error.to_string()),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Known(error)
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Trouble {
            fn from(error: redb::$error) -> Self {
                Self::Database(error.into())
            }
        })*
    };
}

from_redb!(
    StorageError,
    TableError,
    TransactionError,
    CommitError,
    DatabaseError,
    SetDurabilityError
);
