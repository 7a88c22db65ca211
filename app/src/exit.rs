//! How a run of the program ends, and with which exit status.

use std::process::ExitCode;
use tonearm_core::core_loop::StartError;
use tonearm_core::store::StoreError;

/// Everything did not go well. Printed once, by whoever called the subcommand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exit {
    /// Failures that have been printed already, each where it happened.
    #[error("some of it failed")]
    SomeFailed,
    #[error("{0}")]
    Failed(String),
    #[error("{0}")]
    Usage(String),
    /// The library is locked, damaged, or from a newer version.
    #[error("{0}")]
    Library(String),
    #[error("interrupted")]
    Interrupted,
    /// Whoever read our output stopped reading: not worth a word.
    #[error("output closed")]
    OutputClosed,
}

impl Exit {
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::SomeFailed | Self::Failed(_) | Self::OutputClosed => 1,
            Self::Usage(_) => 2,
            Self::Library(_) => 3,
            Self::Interrupted => 130,
        })
    }

    /// Whether there is something to say that has not been said.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::SomeFailed | Self::OutputClosed)
    }
}

impl From<StoreError> for Exit {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked { .. } | StoreError::Newer { .. } | StoreError::Damaged { .. } => {
                Self::Library(error.to_string())
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<StartError> for Exit {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            other @ StartError::Thread(_) => Self::Failed(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Exit {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::OutputClosed
        } else {
            Self::Failed(error.to_string())
        }
    }
}
