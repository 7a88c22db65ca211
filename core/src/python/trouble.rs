//! Why a worker or a request is of no use, and what to do about it.

use super::protocol::ErrorKind;
use crate::failure::{Failure, FailureKind};
use std::io;

/// Why a worker is of no more use, or a request is not.
#[derive(Debug)]
pub(super) enum Trouble {
    Cancelled,
    /// The worker is as good as before; another try would end the same way.
    Refused(Failure),
    OutOfMemory(String),
    /// The worker is broken, a new one may do better.
    Broken(Failure),
    /// Broken, and a new one would be as well.
    Hopeless(Failure),
}

pub(super) fn refused(kind: ErrorKind, message: &str) -> Trouble {
    let (kind, remedy) = match kind {
        ErrorKind::OutOfMemory => return Trouble::OutOfMemory(message.to_owned()),
        ErrorKind::BadModel => (
            FailureKind::Unsupported,
            "Remove the model and get it again with tonearm setup",
        ),
        ErrorKind::BadAudio => (FailureKind::Damaged, "Check that the track plays"),
        ErrorKind::NoDevice => (
            FailureKind::Unsupported,
            "Choose another device in the settings, or auto",
        ),
        ErrorKind::Disk => (
            FailureKind::Storage,
            "Make room on the drive that holds the library",
        ),
        ErrorKind::BadRequest | ErrorKind::Internal => (
            FailureKind::Bug,
            "Try again; if it stays so, report it with the output of tonearm doctor",
        ),
    };
    Trouble::Refused(Failure::new(kind, message, remedy))
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
