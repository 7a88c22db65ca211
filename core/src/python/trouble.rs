//! Why a worker or a request is of no use, and what to do about it.

use super::environment::Replaced;
use super::protocol::ErrorKind;
use crate::failure::{Failure, FailureKind};
use std::borrow::Cow;
use std::io;
use std::path::Path;

/// Why a worker is of no more use, or a request is not.
#[derive(Debug)]
pub(super) enum Trouble {
    Cancelled,
    /// The worker is as good as before; another try would end the same way.
    Refused(Failure),
    OutOfMemory(String),
    /// The worker is broken, a new one may do better.
    Broken(Failure),
    /// It ended before it could say hello; a new one may do better.
    Stillborn(Failure),
    /// Broken, and a new one would be as well.
    Hopeless(Failure),
    /// Its environment is not there at this moment.
    Unready(Failure),
}

/// What a worker says that it cannot do with this model.
pub(super) fn refused(kind: ErrorKind, message: &str, model: &Path) -> Trouble {
    let (kind, remedy) = match kind {
        ErrorKind::OutOfMemory => return Trouble::OutOfMemory(message.to_owned()),
        // It was sound when it was loaded.
        ErrorKind::BadModel => {
            return Trouble::Refused(Failure::new(
                FailureKind::Unsupported,
                message,
                format!(
                    "Try it on the processor (TONEARM_DEVICE=cpu); if it stays so, get the model again with tonearm setup --again {}",
                    id_of(model)
                ),
            ));
        }
        ErrorKind::BadAudio => (FailureKind::Damaged, "Check that the track plays"),
        ErrorKind::NoDevice => (
            FailureKind::Unsupported,
            "Set TONEARM_DEVICE to another device, or to auto",
        ),
        ErrorKind::Disk => (
            FailureKind::Storage,
            "Make room on the drive that holds the library",
        ),
        ErrorKind::Unreadable => (
            FailureKind::Unreadable,
            "Check that the file can be read, and the drive that it is on, then try again",
        ),
        ErrorKind::BadRequest | ErrorKind::Internal => (
            FailureKind::Bug,
            "Try again; if it stays so, report it with the output of tonearm doctor",
        ),
    };
    Trouble::Refused(Failure::new(kind, message, remedy))
}

/// A model lies at `models/<id>/<sha256>/<file>`.
fn id_of(model: &Path) -> Cow<'_, str> {
    let folder = model.parent().and_then(Path::parent);
    let id = folder.and_then(Path::file_name).unwrap_or_default();
    id.to_string_lossy()
}

/// A file that is no model.
pub(super) fn bad_model(path: &Path, message: &str) -> Trouble {
    Trouble::Refused(Failure::new(
        FailureKind::Unsupported,
        message,
        format!(
            "Get the model again with tonearm setup --again {}",
            id_of(path)
        ),
    ))
}

/// One that went between two looks.
pub(super) fn missing_model(message: &str) -> Failure {
    Failure::new(
        FailureKind::Missing,
        format!("the model went while it was to be loaded: {message}"),
        "Get it again with tonearm setup",
    )
}

pub(super) fn being_replaced(replaced: &Replaced) -> Failure {
    Failure::new(
        FailureKind::Missing,
        replaced.to_string(),
        "Try again when the set-up has ended",
    )
}

pub(super) fn out_of_memory(message: &str) -> Failure {
    Failure::new(
        FailureKind::Unsupported,
        format!("not enough memory for the model: {message}"),
        "Close other programs and try again",
    )
}

pub(super) fn not_started(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Unreadable,
        format!("the worker cannot be started: {error}"),
        "Run tonearm setup to repair the environment",
    )
}
