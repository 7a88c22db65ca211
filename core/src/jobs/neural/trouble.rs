//! Why a model gives no result, and what to do about it.

use crate::control::Cancelled;
use crate::failure::{Failure, FailureKind};
use crate::python::protocol::{Family, Malformed};
use crate::python::worker::TaskError;
use crate::stems::StemError;
use std::io;
use std::path::Path;

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

impl From<Malformed> for Trouble {
    fn from(error: Malformed) -> Self {
        Self::Failed(Failure::new(
            FailureKind::Bug,
            error.to_string(),
            "Try again; if it stays so, run tonearm setup to repair the environment",
        ))
    }
}

/// A file in the library's folder for scratch that cannot be written or read.
pub(super) fn of_file(error: &io::Error, path: &Path) -> Trouble {
    use std::io::ErrorKind;
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Make room on the drive that holds the library"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "Get the right to read and write in the library's folder, or take another library"
        }
        _ => "Check the drive that holds the library, then try again",
    };
    Trouble::Failed(Failure::new(
        FailureKind::Storage,
        format!(
            "the sound cannot be handed over to the model: {error}\nFile: {}",
            path.display()
        ),
        remedy,
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_asked_for_only_where_there_is_none() {
        use std::io::ErrorKind;
        for (kind, words) in [
            (ErrorKind::StorageFull, "Make room"),
            (ErrorKind::QuotaExceeded, "Make room"),
            (ErrorKind::PermissionDenied, "Get the right"),
            (ErrorKind::ReadOnlyFilesystem, "Get the right"),
            (ErrorKind::NotFound, "Check the drive"),
            (ErrorKind::Other, "Check the drive"),
        ] {
            let Trouble::Failed(failure) = of_file(&kind.into(), Path::new("scratch/sound.f32"))
            else {
                panic!("no failure");
            };
            assert!(failure.remedy.starts_with(words), "{kind:?}: {failure:?}");
            assert!(failure.message.ends_with("sound.f32"), "{failure:?}");
        }
    }
}
