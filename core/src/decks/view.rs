//! What is to be seen of the decks: immutable, published whole, cheap to clone.

use super::art::PlayerArt;
use super::clock::{Moment, Timing};
use super::network::NetworkView;
use super::place::NetworkPath;
use super::{DeckId, UnitId};
use crate::export::document::TrackDetails;
use crate::failure::Failure;
use crate::harmony::Key;
use crate::row::Row;
use crate::track::{SourceId, TrackId};
use crate::units::{Bpm, Secs};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Whether anybody listens for decks.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum DecksState {
    /// Nobody asked for decks: nothing is sent, heard or open.
    #[default]
    Off,
    Running,
    /// It could not be started.
    Failed(Failure),
}

/// Everything to show of the decks at one moment. Where a deck is right now: [`DeckView::at`].
#[derive(Debug, Clone, Default)]
pub struct DecksView {
    pub state: DecksState,
    /// By player number, then by name. Units that were lost stay for a while, see [`UnitView::link`].
    pub units: Vec<Arc<UnitView>>,
    pub network: Arc<NetworkView>,
    /// What is rehearsed without hardware: the name of the script.
    pub simulated: Option<Arc<str>>,
    /// The session is written into this file.
    pub recording: Option<Arc<PathBuf>>,
    /// A recorded session came to its end.
    pub is_over: bool,
    /// What went wrong last with something that was asked for: a recording, a file of a player.
    pub trouble: Option<Failure>,
}

/// Tells what the decks are doing, from any thread, for as long as somebody holds it. Cloning gives another handle.
#[derive(Debug, Clone, Default)]
pub struct DecksWatch(pub(crate) Arc<ArcSwap<DecksView>>);

impl DecksWatch {
    pub fn now(&self) -> Arc<DecksView> {
        self.0.load_full()
    }
}

impl DecksView {
    /// All decks, in the order in which to show them.
    pub fn decks(&self) -> impl Iterator<Item = (&UnitView, &DeckView)> {
        self.units.iter().flat_map(|unit| {
            let decks = unit.decks.iter();
            decks.map(|deck| (&**unit, &**deck))
        })
    }

    pub fn deck(&self, id: DeckId) -> Option<(&UnitView, &DeckView)> {
        self.decks().find(|(_, deck)| deck.id == id)
    }

    /// Whether any position changes by itself: then it is worth drawing at the display's rate.
    pub fn is_moving(&self) -> bool {
        self.decks().any(|(_, deck)| deck.is_moving)
    }
}

/// How it stands with a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Link {
    /// It announces itself; its values are not known yet.
    #[default]
    Heard,
    /// What is shown holds.
    Live,
    /// What is shown is what it said last. Why, in words.
    Lost(Arc<str>),
}

/// One player on the network.
#[derive(Debug, Clone, Default)]
pub struct UnitView {
    pub id: UnitId,
    /// The machine's name: `sc6000`.
    pub name: Arc<str>,
    /// Its model code (`JP13`), and what stands on its front (`SC6000`) where that is known.
    pub model: Arc<str>,
    pub product: Option<&'static str>,
    /// Of its firmware.
    pub version: Arc<str>,
    /// Its address, as text.
    pub address: Arc<str>,
    pub link: Link,
    /// How often it was connected: one more after each restart.
    pub sessions: u32,
    /// The number that is set on it.
    pub player: Option<u8>,
    /// Another unit has the same number: both are shown, by their names.
    pub has_twin: bool,
    /// Whether the databases of its media were read, and how many tracks stand in them.
    pub databases: Databases,
    /// Of the whole set-up, beats per minute.
    pub master_tempo: Option<Bpm>,
    /// In the order of their numbers.
    pub decks: Vec<Arc<DeckView>>,
}

/// The databases of the media in a unit: with them tracks are known by their origin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Databases {
    #[default]
    Unread,
    Reading,
    /// So many tracks.
    Read(usize),
}

/// One deck of a unit. Unknown is `None`.
#[derive(Debug, Clone, Default)]
pub struct DeckView {
    pub id: DeckId,
    /// What a DJ calls it: `1A`, `2B`, on machines that are alone `3`.
    pub label: Arc<str>,
    pub is_loaded: Option<bool>,
    pub is_playing: Option<bool>,
    /// The position changes by itself.
    pub is_moving: bool,
    /// As the player says it. What to show: [`Self::title`].
    pub said_title: Option<Arc<str>>,
    pub said_artist: Option<Arc<str>>,
    pub duration: Option<Secs>,
    /// As the player says it. What to show: [`Self::key`].
    pub said_key: Option<Key>,
    pub key_lock: Option<bool>,
    /// As heard, pitch included.
    pub bpm: Option<Bpm>,
    /// Pitch fader: 1 is the file's own tempo.
    pub pitch: Option<f64>,
    pub is_master: Option<bool>,
    /// Loudness at the mixer, fader and crossfader together, 0 to 1. `None`: no mixer says so.
    pub fader: Option<f64>,
    /// Whether the audience hears it. `None`: it plays, and nobody says how loud.
    pub is_audible: Option<bool>,
    /// Start and end, while it loops.
    pub looped: Option<(Secs, Secs)>,
    /// Where the player has its track from.
    pub place: Option<Arc<NetworkPath>>,
    /// The track's identity in the library that the player plays from.
    pub source: Option<SourceId>,
    pub matching: Matching,
    /// The track's picture out of the player's database, where that was read.
    pub art: Option<Arc<PlayerArt>>,
    pub timing: Timing,
}

impl DeckView {
    /// Where the deck is at `now` and what sounds there. `None` before its position is known, and with nothing loaded.
    pub fn at(&self, now: Instant) -> Option<Moment> {
        let place = self.timing.at(now)?.within(self.looped);
        Some(Moment::new(place, self, self.matching.track()))
    }

    /// The library's title where the track is known, the player's otherwise.
    pub fn title(&self) -> Option<&str> {
        let ours = self.matching.track();
        ours.and_then(|track| track.row.track.tags.title.as_deref())
            .or(self.said_title.as_deref())
    }

    pub fn artist(&self) -> Option<&str> {
        let ours = self.matching.track();
        ours.and_then(|track| track.row.track.tags.artist.as_deref())
            .or(self.said_artist.as_deref())
    }

    /// The library's key where the track is known, the player's otherwise.
    pub fn key(&self) -> Option<Key> {
        let ours = self.matching.track();
        ours.and_then(|track| track.row.knowledge.summary.key)
            .or(self.said_key)
    }
}

/// What of the library is on a deck.
#[derive(Debug, Clone, Default)]
pub enum Matching {
    /// Nothing is loaded, or what is loaded is not known yet.
    #[default]
    Nothing,
    Found(Arc<Matched>),
    /// Several tracks, or one that is not sure: the best first.
    Unsure(Arc<Vec<Candidate>>),
    /// Nothing in the library resembles it. Why, in words.
    Unknown(Arc<str>),
}

impl Matching {
    pub fn track(&self) -> Option<&Matched> {
        match self {
            Self::Found(matched) => Some(matched),
            Self::Nothing | Self::Unsure(_) | Self::Unknown(_) => None,
        }
    }
}

/// How a deck was recognised, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchedBy {
    /// The user said so.
    Manual,
    /// The player named the track's identity.
    SourceId,
    /// The place of the file.
    Path,
    /// The database of the medium, read from the player.
    Database,
    /// Name, size, length, title and artist of the file.
    NameSizeDuration,
}

impl MatchedBy {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::SourceId => "source_id",
            Self::Path => "path",
            Self::Database => "database",
            Self::NameSizeDuration => "name_size_duration",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Manual => "chosen by you",
            Self::SourceId => "by its number in the Engine library",
            Self::Path => "by the place of its file",
            Self::Database => "by the database on the player",
            Self::NameSizeDuration => "by name, size and length",
        }
    }
}

/// A track of the library on a deck.
#[derive(Debug, Clone)]
pub struct Matched {
    pub by: MatchedBy,
    /// 0 to 1.
    pub confidence: f32,
    pub row: Arc<Row>,
    /// Beats and chords. `None`: they are still being read, or cannot be.
    pub analysis: Option<Arc<Analysis>>,
}

impl Matched {
    pub fn id(&self) -> TrackId {
        self.row.track.id
    }
}

/// Beats, key and chords of a track, prepared for looking up what is where.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    pub details: TrackDetails,
    /// The bar of each beat; the first downbeat opens bar 1.
    pub(super) bars: Vec<i32>,
}

impl From<TrackDetails> for Analysis {
    fn from(details: TrackDetails) -> Self {
        let mut bar = 0;
        let beats = details.beats.iter().flat_map(|beats| &beats.beats);
        let bars = beats.map(|beat| {
            bar += i32::from(beat.position == 1);
            bar
        });
        Self {
            bars: bars.collect(),
            details,
        }
    }
}

/// A track that may be what is on a deck.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub id: TrackId,
    /// 0 to 1.
    pub confidence: f32,
    /// What speaks for it: `same file name, same length`.
    pub reason: String,
}
