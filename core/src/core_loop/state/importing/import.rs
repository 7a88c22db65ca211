//! One import: what was asked for, and what it has met so far.

use crate::artifact::Engine;
use crate::core_loop::command::{Extent, RequestId};
use crate::core_loop::event::{Event, Tally};
use crate::import::claim::Question;
use crate::import::dedupe::Candidate;
use crate::track::TrackId;
use std::collections::HashSet;
use std::path::PathBuf;

/// An import that waits for its turn.
#[derive(Debug, Clone)]
pub(in super::super) struct ImportWish {
    pub(in super::super) request: RequestId,
    pub(in super::super) paths: Vec<PathBuf>,
    pub(in super::super) analyze: Option<Extent>,
    pub(in super::super) engine: Option<Engine>,
}

/// The import under way.
#[derive(Debug)]
pub(in super::super) struct Import {
    pub(super) wish: ImportWish,
    pub(in super::super) tally: Tally,
    /// Of the tally at the end, once the files have been counted.
    pub(in super::super) expected: Option<u64>,
    pub(super) seen: HashSet<TrackId>,
    /// Tracks that it brought in.
    pub(super) newcomers: HashSet<TrackId>,
    /// The numbers of the entries met so far of the library that is being read.
    pub(in super::super) entries: HashSet<u64>,
    /// Tracks whose stems it asks for, and has not yet.
    pub(super) asked: Vec<TrackId>,
    /// Tracks that are analysed as the import says.
    pub(super) engined: Vec<TrackId>,
    /// A question that waits until the disk has caught up.
    pub(super) waiting: Option<Waiting>,
    cancelled: bool,
}

impl Import {
    pub(in super::super) fn new(wish: ImportWish) -> Self {
        Self {
            wish,
            tally: Tally::default(),
            expected: None,
            seen: HashSet::new(),
            newcomers: HashSet::new(),
            entries: HashSet::new(),
            asked: Vec::new(),
            engined: Vec::new(),
            waiting: None,
            cancelled: false,
        }
    }

    /// What it still finds is taken in, but nothing is to be made of it any more.
    pub(in super::super) fn cancel(&mut self) {
        self.cancelled = true;
    }

    pub(in super::super) fn finished(self) -> Event {
        Event::ImportFinished {
            request: self.wish.request,
            tally: self.tally,
            cancelled: self.cancelled,
        }
    }

    /// What is to be made of the tracks that it meets.
    pub(in super::super) fn extent(&self) -> Option<Extent> {
        self.wish.analyze.clone().filter(|_| !self.cancelled)
    }

    pub(in super::super) fn brought_in(&self, track: TrackId) -> bool {
        self.newcomers.contains(&track)
    }
}

/// What an import asks.
#[derive(Debug)]
pub(super) enum Waiting {
    Files(Vec<Candidate>),
    Claims(Vec<Question>),
}
