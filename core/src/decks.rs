//! The decks on the network: what each plays, where it is, and which track of the library that is.
//!
//! Nothing of this runs, listens or costs anything until it is asked for.

pub mod clock;
pub mod command;
pub mod lines;
pub mod network;
pub mod place;
pub mod rehearsal;
pub mod scripts;
pub mod view;

mod apply;
mod art;
mod catalog;
mod fetch;
mod recognise;
mod resolve;
pub(crate) mod run;
mod tape;
mod twins;

pub use art::PlayerArt;
pub use clock::{BeatPlace, Live, Moment, NextChord, Place, Sounding, Timing};
pub use command::{DecksCommand, Listen, Recording, Source};
pub use network::NetworkView;
pub use view::{
    Analysis, Candidate, Databases, DeckView, DecksState, DecksView, DecksWatch, Link, Matched,
    MatchedBy, Matching, UnitView,
};

use serde::{Deserialize, Serialize};
use std::fmt;

/// A machine with decks, by the token that it announces: the same until it is reset to factory settings.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct UnitId(pub [u8; 16]);

impl From<stagelinq::Token> for UnitId {
    fn from(token: stagelinq::Token) -> Self {
        Self(token.0)
    }
}

impl From<UnitId> for stagelinq::Token {
    fn from(unit: UnitId) -> Self {
        Self(unit.0)
    }
}

impl fmt::Display for UnitId {
    /// As a UUID.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        stagelinq::Token(self.0).fmt(f)
    }
}

/// A deck: of which machine, and which of its decks, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DeckId {
    pub unit: UnitId,
    pub deck: u8,
}
