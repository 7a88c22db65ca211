//! How a run of the program ends, and with which exit status.

use serde::Serialize;
use std::process::ExitCode;
use tonearm_core::core_loop::StartError;
use tonearm_core::failure::Failure;
use tonearm_core::store::StoreError;

/// Everything did not go well. Printed once, by whoever called the subcommand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exit {
    /// Failures that have been printed already, each where it happened.
    #[error("some of it failed")]
    SomeFailed,
    /// The same, of a library that cannot be used.
    #[error("the library cannot be used")]
    LibraryTold,
    #[error("{0}")]
    Failed(String),
    /// With what to do about it.
    #[error("{}", in_words(.0))]
    Because(Failure),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Store(StoreError),
    #[error("interrupted")]
    Interrupted,
    /// Whoever read our output stopped reading: not worth a word.
    #[error("output closed")]
    OutputClosed,
}

fn in_words(failure: &Failure) -> String {
    [&*failure.message, &*failure.remedy]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is printed with `--json` where nothing else says what failed: the last line, or the only one.
#[derive(Debug, Serialize)]
pub(crate) struct ExitDocument {
    event: &'static str,
    error: ErrorFields,
    exit_status: u8,
}

/// As in a track object.
#[derive(Debug, Serialize)]
struct ErrorFields {
    kind: serde_json::Value,
    message: String,
    remedy: Option<String>,
    retry_at: Option<()>,
}

impl ExitDocument {
    pub(crate) fn of_usage(message: String) -> Self {
        Self {
            event: "error",
            error: ErrorFields {
                kind: "usage".into(),
                message,
                remedy: None,
                retry_at: None,
            },
            exit_status: 2,
        }
    }
}

impl Exit {
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.status())
    }

    /// In use, from a newer version, or damaged.
    pub(crate) fn is_of_unusable_library(error: &StoreError) -> bool {
        matches!(
            error,
            StoreError::Locked { .. } | StoreError::Newer { .. } | StoreError::Damaged { .. }
        )
    }

    fn status(&self) -> u8 {
        match self {
            Self::Store(error) if Self::is_of_unusable_library(error) => 3,
            Self::LibraryTold => 3,
            Self::SomeFailed
            | Self::Failed(_)
            | Self::Because(_)
            | Self::Store(_)
            | Self::OutputClosed => 1,
            Self::Usage(_) => 2,
            Self::Interrupted => 130,
        }
    }

    /// Whether there is something to say that has not been said.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(
            self,
            Self::SomeFailed | Self::LibraryTold | Self::OutputClosed
        )
    }

    /// What a program is told; `None` where it was told, or the exit status says all.
    pub(crate) fn document(&self) -> Option<ExitDocument> {
        let (kind, message, remedy) = match self {
            Self::SomeFailed | Self::LibraryTold | Self::Interrupted | Self::OutputClosed => {
                return None;
            }
            Self::Failed(message) => ("failed".into(), message.clone(), None),
            Self::Usage(message) => ("usage".into(), message.clone(), None),
            Self::Store(error) => ("library".into(), error.to_string(), Some(error.remedy())),
            Self::Because(failure) => {
                let kind = serde_json::to_value(failure.kind).unwrap_or_default();
                let remedy = (!failure.remedy.is_empty()).then(|| failure.remedy.clone());
                (kind, failure.message.clone(), remedy)
            }
        };
        Some(ExitDocument {
            event: "error",
            error: ErrorFields {
                kind,
                message,
                remedy,
                retry_at: None,
            },
            exit_status: self.status(),
        })
    }
}

impl From<StoreError> for Exit {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for Exit {
    fn from(failure: Failure) -> Self {
        Self::Because(failure)
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
