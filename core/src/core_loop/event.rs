//! Things said once: what became of each file, each artifact, each request.

use crate::artifact::{Artifact, Maker};
use crate::core_loop::command::RequestId;
use crate::edits::{Edit, Refusal};
use crate::failure::Failure;
use crate::track::{SourceId, TrackId};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// What an import made of one file.
    Imported {
        request: RequestId,
        outcome: Outcome,
        track: Option<TrackId>,
        path: PathBuf,
        /// Its name in another library: the one that was imported, else the first that holds it.
        source: Option<SourceId>,
        failure: Option<Failure>,
    },
    ImportFinished {
        request: RequestId,
        tally: Tally,
        /// The user did not want to wait for the rest.
        cancelled: bool,
    },
    /// One artifact of one track is done, or failed.
    Made {
        track: TrackId,
        artifact: Artifact,
        maker: Maker,
        seconds: f64,
        cpu_secs: f32,
        failure: Option<Failure>,
    },
    /// A file plays, but not all of it.
    Damaged {
        track: TrackId,
        failure: Failure,
    },
    /// Another track of the library has the same bytes.
    DuplicateFound {
        track: TrackId,
        same_as: TrackId,
    },
    /// A missing track was found at another place, or might have been.
    Relinked {
        request: Option<RequestId>,
        track: TrackId,
        from: PathBuf,
        to: RelinkOutcome,
    },
    RelinkFinished {
        request: RequestId,
    },
    /// A track was changed by hand.
    Edited {
        track: TrackId,
        edit: Edit,
    },
    /// A change by hand could not be made, or not be taken back.
    EditRefused {
        track: TrackId,
        reason: Refusal,
    },
    /// Tracks were taken out of the library.
    Removed {
        tracks: Vec<TrackId>,
    },
    /// The last change was taken back: in the words of [`crate::core_loop::view::View::undo`].
    Undone {
        words: Arc<str>,
        /// The tracks that it was about.
        tracks: Vec<TrackId>,
    },
    /// A change that was taken back was made again.
    Redone {
        words: Arc<str>,
        tracks: Vec<TrackId>,
    },
    /// The library could not be written: what was in flight is not kept.
    StorageFailed(Failure),
    /// Nothing is left to do. Every command is followed by one of these.
    Idle,
}

/// What an import made of one file. The names are those of the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Added,
    Updated,
    Merged,
    Moved,
    Unchanged,
    Missing,
    Failed,
}

impl Outcome {
    pub const ALL: [Self; 7] = [
        Self::Added,
        Self::Updated,
        Self::Merged,
        Self::Moved,
        Self::Unchanged,
        Self::Missing,
        Self::Failed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Merged => "merged",
            Self::Moved => "moved",
            Self::Unchanged => "unchanged",
            Self::Missing => "missing",
            Self::Failed => "failed",
        }
    }
}

/// How many files had which outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    counts: [u64; Outcome::ALL.len()],
    /// Files passed over because they are not music by their name.
    pub skipped: u64,
}

impl Tally {
    pub fn add(&mut self, outcome: Outcome) {
        self.counts[outcome as usize] += 1;
    }

    pub fn of(&self, outcome: Outcome) -> u64 {
        self.counts[outcome as usize]
    }

    /// Files looked at, whatever became of them.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum RelinkOutcome {
    /// The bytes are the same: the track now lives here.
    Moved(PathBuf),
    /// As above, but it was a dry run.
    WouldMove(PathBuf),
    /// Several files have these bytes; the user has to choose.
    Ambiguous(Vec<PathBuf>),
    /// Name and size fit, but the bytes were never known.
    Suggested(Vec<PathBuf>),
    NotFound,
}
