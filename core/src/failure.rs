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
