//! Why a model gives no result, and what to do about it.

use crate::control::Cancelled;
use crate::failure::{Failure, FailureKind};
use crate::python::protocol::{Family, Malformed};
use crate::python::worker::TaskError;
use crate::stems::StemError;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Trouble {
    Cancelled,
    /// The environment or the model is not there any more.
    Unready(Failure),
    Failed(Failure),
}

impl From<Cancelled> for Trouble {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<TaskError> for Trouble {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Cancelled(_) => Self::Cancelled,
            TaskError::Unready(failure) => Self::Unready(failure),
            TaskError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<StemError> for Trouble {
    fn from(error: StemError) -> Self {
        error.failure().map_or(Self::Cancelled, Self::Failed)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        let mut failure = Failure::from_io(&error);
        failure.kind = FailureKind::Storage;
        "Make room on the drive that holds the library".clone_into(&mut failure.remedy);
        Self::Failed(failure)
    }
}

impl From<Malformed> for Trouble {
    fn from(error: Malformed) -> Self {
        Self::Failed(Failure::new(
            FailureKind::Bug,
            error.to_string(),
            "Try again; if it stays so, run tonearm setup to repair the environment",
        ))
    }
}

/// Why nothing can be asked of any model.
pub(super) fn not_whole(reason: &str) -> Failure {
    Failure::new(
        FailureKind::Missing,
        format!("the environment for models is not whole: {reason}"),
        "Run tonearm setup; it makes it anew",
    )
}

/// Why nothing can be asked of one.
pub(crate) fn gone(family: Family) -> Failure {
    Failure::new(
        FailureKind::Missing,
        format!("the model for {family} is no longer there"),
        "Get it again with tonearm setup",
    )
}

/// Another Tonearm has got it again.
pub(super) fn replaced(family: Family) -> Failure {
    Failure::new(
        FailureKind::Missing,
        format!("the model for {family} is another one now"),
        "What waits for it goes on by itself",
    )
}
