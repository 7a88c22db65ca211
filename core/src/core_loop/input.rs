//! What the loop hears, and what it wants done. `State` turns the one into the other.

use crate::core_loop::command::{Command, RequestId};
use crate::core_loop::event::{Event, RelinkOutcome};
use crate::decks::DecksCommand;
use crate::decks::run::DecksNews;
use crate::edits;
use crate::failure::Failure;
use crate::import::claim::{Known, Question, Settled};
use crate::import::dedupe::{Candidate, Decision};
use crate::import::tags::TagsRead;
use crate::jobs::plan::Outlook;
use crate::jobs::pool::{JobId, JobNews, TrackJob};
use crate::row::Row;
use crate::setup::SetupCommand;
use crate::store::{Change, Loaded};
use crate::track::{FileStamp, TrackId};
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that can happen to the state.
#[derive(Debug)]
pub(crate) enum Input {
    Command(Command),
    Import(ImportNews),
    Relink(RelinkNews),
    Decks(DecksNews),
    Job(JobId, JobNews),
    /// A write is on disk; the events that waited for it may be said.
    Written(Vec<Event>),
    /// A write did not happen; nor does any after it, until the state has been loaded anew.
    WriteFailed(Failure),
    Reloaded(Loaded),
    /// The library could not be read again either.
    ReloadFailed(Failure),
    /// What is stored of a track that is to be changed by hand, after all writes that were asked for before.
    Read(TrackId, Result<Box<Stored>, Failure>),
    /// How models could make things from now on.
    Models(Outlook),
    /// Time has passed.
    Tick,
}

/// What there is of a track to be changed by hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    pub(crate) found: edits::Found,
    pub(crate) by_hand: edits::ByHand,
    /// A record of what was set by hand cannot be read: it counts as not there, and to forget it takes it away.
    pub(crate) is_damaged: bool,
}

/// What must be done outside. In order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// One transaction; then `Written` with the events.
    Write {
        changes: Vec<Change>,
        events: Vec<Event>,
    },
    /// Ends the writer's refusal after a failed write and sends `Reloaded`.
    Reload,
    /// To the thread of the decks.
    Decks(DecksCommand),
    /// To the set-up's thread.
    Setup(SetupCommand),
    /// How this program announces itself to decks from now on.
    KeepToken([u8; 16]),
    /// Reads what is stored of a track, after all writes asked for before; sends `Read`.
    Read(TrackId),
    Say(Event),
    StartJob(TrackJob),
    StartImport {
        request: RequestId,
        paths: Vec<PathBuf>,
    },
    StartRelink {
        request: RequestId,
        folders: Vec<PathBuf>,
        dry_run: bool,
        rows: Vec<Arc<Row>>,
    },
    ReplyToImport(ImportReply),
    /// The search may go on.
    ReplyToRelink,
    StopScans,
}

/// What the import thread tells. It waits for a reply after `Ask` and `Scanned`, so it never runs ahead.
#[derive(Debug)]
pub(crate) enum ImportNews {
    /// What are these files to us?
    Ask(Vec<Candidate>),
    /// Files looked into, and files and folders that could not be.
    Found {
        found: Vec<Found>,
        unreachable: Vec<(PathBuf, Failure)>,
    },
    /// What are these entries of another library to us?
    AskClaims(Vec<Question>),
    /// Entries whose files were looked at.
    Settled(Vec<Settled>),
    /// All entries of the library of this name have been told of.
    LibraryRead {
        database: String,
    },
    /// How many files and entries it will have told of at its end. Comes while it goes on.
    Counted(u64),
    /// All files have been seen: which tracks should have been among them?
    Scanned {
        roots: Vec<PathBuf>,
    },
    /// Of those, the ones whose file is not there.
    Gone(Vec<(TrackId, Failure)>),
    Ended {
        skipped: u64,
    },
}

#[derive(Debug)]
pub(crate) enum ImportReply {
    /// One for each candidate asked about, in order.
    Decisions(Vec<Judgement>),
    /// One for each entry asked about, in order.
    Claims(Vec<ClaimJudgement>),
    /// Tracks under the scanned roots that the scan did not meet: Id, path and imported folder of each.
    Unseen(Vec<(TrackId, PathBuf, PathBuf)>),
}

/// What a candidate is to the library, and which tracks might have moved to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) decision: Decision,
    /// Tracks of known content and the same size: if the file of one of them is gone, this may be it.
    pub(crate) twins: Vec<Twin>,
}

/// What an entry of another library is to ours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClaimJudgement {
    pub(crate) known: Option<Known>,
    /// Tracks of known content and the size of the entry's file, where it is not known otherwise.
    pub(crate) twins: Vec<Twin>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Twin {
    pub(crate) track: TrackId,
    pub(crate) path: PathBuf,
    /// What was imported to find it.
    pub(crate) root: PathBuf,
    pub(crate) hash: crate::track::ContentHash,
}

/// One file of an import after the import thread looked into it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) candidate: Candidate,
    /// What the user named that led to it.
    pub(crate) root: PathBuf,
    pub(crate) fate: Fate,
}

#[derive(Debug)]
pub(crate) enum Fate {
    New(Result<TagsRead, Failure>),
    Changed(TrackId, Result<TagsRead, Failure>),
    /// The track's file is gone and this one has its bytes.
    Moved(TrackId),
    Unchanged(TrackId),
    /// Another library's copy of the track's file.
    Copy(TrackId),
}

/// What the relink thread tells. It waits for a reply after each `Found`.
#[derive(Debug)]
pub(crate) enum RelinkNews {
    Found {
        request: RequestId,
        found: Vec<RelinkFound>,
    },
    Ended {
        request: RequestId,
    },
}

/// What became of one missing track.
#[derive(Debug)]
pub(crate) struct RelinkFound {
    pub(crate) track: TrackId,
    pub(crate) from: PathBuf,
    pub(crate) to: RelinkOutcome,
    /// Of the file that it moved to.
    pub(crate) stamp: Option<FileStamp>,
}
