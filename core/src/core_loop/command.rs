//! What the user can ask for. Imperative, complete, comparable: a list of commands replays a session.

use crate::artifact::{Artifact, Engine};
use crate::decks::DecksCommand;
use crate::edits::Edit;
use crate::setup::SetupCommand;
use crate::track::TrackId;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Told apart by the sender; comes back in the events that answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RequestId(pub u64);

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Brings files and folders in by reference.
    Import {
        request: RequestId,
        paths: Vec<PathBuf>,
        /// What to do with the tracks it finds; `None`: nothing yet.
        analyze: Option<Extent>,
        /// Who is to analyse them; `None`: as for every track.
        engine: Option<Engine>,
    },
    /// Makes what is due. Stems are, for tracks that they were asked for: by an extent that names them. That wish is
    /// kept until it is fulfilled, has failed or is withdrawn.
    Analyze {
        request: RequestId,
        tracks: Selection,
        extent: Extent,
        /// Make it again even where it is up to date.
        force: bool,
        /// Who is to analyse these tracks from now on; `None`: as before.
        engine: Option<Engine>,
    },
    /// Finds files that moved, by content.
    Relink {
        request: RequestId,
        folders: Vec<PathBuf>,
        dry_run: bool,
    },
    /// Changes one track by hand.
    Edit {
        track: TrackId,
        edit: Edit,
    },
    /// Of the decks on the network; what there is to see of them: [`crate::core_loop::Core::decks`].
    Decks(DecksCommand),
    /// Of the environment and the models for neural analysis; what there is to see of them:
    /// [`crate::core_loop::Core::setup`].
    Setup(SetupCommand),
    /// Takes back the last change by hand or removal.
    Undo,
    Redo,
    /// Takes tracks out of the library; their files stay as they are.
    Remove(Vec<TrackId>),
    /// Tries everything that failed once more, now.
    Retry(Selection),
    /// Takes wishes for stems back; those that are being made are not.
    Withdraw(Selection),
    /// Those of these tracks that wait are taken up before all others, in this order.
    Prioritize(Vec<TrackId>),
    /// These tracks no longer wait, what is being made of them stops, and wishes for their stems are taken back. They are
    /// not taken up again unasked while the program runs.
    CancelTracks(Vec<TrackId>),
    /// The tracks whose stems are in use from now on, in place of all that were: they are not evicted.
    UseStems(Vec<TrackId>),
    /// What the stems of all tracks together may take, in bytes; `None`: as fits the drive. Nothing goes at once; stems
    /// that there was no room for are tried again.
    LimitStems(Option<u64>),
    /// Whether beats by a model follow the drafts of every track, unasked; kept with the library. What was asked for
    /// before stays.
    FollowWithBeats(bool),
    /// Whether what is due is taken up without being asked for. What waits already goes on either way.
    SetEager(bool),
    /// Starts nothing new until resumed; what runs goes on.
    Pause,
    Resume,
    /// Stops imports and jobs; what was finished is kept, what was running is due again.
    Cancel,
    /// The same, because the program ends: nobody waits for models to be ready for more.
    End,
}

/// Which tracks are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    All,
    Tracks(Vec<TrackId>),
}

/// Which artifacts are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Extent {
    #[default]
    Everything,
    Only(BTreeSet<Artifact>),
}

impl Extent {
    pub fn includes(&self, artifact: Artifact) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(artifacts) => artifacts.contains(&artifact),
        }
    }

    /// Whether it says so in so many words.
    pub fn names(&self, artifact: Artifact) -> bool {
        match self {
            Self::Everything => false,
            Self::Only(artifacts) => artifacts.contains(&artifact),
        }
    }
}
