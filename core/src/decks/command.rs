//! What can be asked of the decks.

use super::{DeckId, UnitId};
use crate::track::TrackId;
use std::net::Ipv4Addr;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub enum DecksCommand {
    /// Listens to decks. What runs already ends first.
    Start(Listen),
    /// Says goodbye and closes everything.
    Stop,
    /// What is on this deck is this track, now and whenever it is loaded again; `None` forgets that.
    Pin {
        deck: DeckId,
        track: Option<TrackId>,
    },
    /// Writes all that is heard from now on into a file, that can be replayed.
    Record(Recording),
    StopRecording,
    /// Reads the databases of the media in a player, to recognise tracks by them. Slow on purpose.
    ReadDatabases(UnitId),
}

/// Which decks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listen {
    pub from: Source,
    /// Only on the network where this is our address; `None`: on all.
    pub interface: Option<Ipv4Addr>,
    /// Recorded from the first word on.
    pub record: Option<Recording>,
}

/// Into which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Nothing is written over.
    pub file: PathBuf,
    /// Names, titles, places and tokens are replaced by others, the same by the same.
    pub redact: bool,
}

/// Where decks come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Source {
    #[default]
    Network,
    /// Virtual players on this machine: a ready script by its name ([`super::scripts::READY`]), or a file.
    Simulation(String),
    /// A recorded session, at so many times its speed.
    Replay { file: PathBuf, rate: f64 },
}
