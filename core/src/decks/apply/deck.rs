//! What a player said of one of its decks.

use super::{Heard, Time, Unit};
use crate::decks::art::PlayerArt;
use crate::decks::place::NetworkPath;
use crate::decks::resolve::Wanted;
use crate::decks::view::{DeckView, Link, Matching};
use crate::decks::{DeckId, Live, Timing};
use crate::harmony::Key;
use crate::track::SourceId;
use crate::units::{Bpm, Secs};
use stagelinq::clock::DeckClock;
use stagelinq::path::DeckPath;
use stagelinq::wire::state_map::Value;
use std::sync::Arc;
use std::time::Duration;

/// Characters of a title.
pub(super) const MAX_TITLE: usize = 512;
/// Loudness below which nobody hears a deck: 50 dB down.
const INAUDIBLE: f64 = 0.003;

/// One deck.
#[derive(Debug, Clone, Default)]
pub(in crate::decks) struct Deck {
    pub(super) said: Said,
    pub(super) clock: DeckClock,
    pub(super) is_moving: bool,
    /// When another track came onto it.
    pub(in crate::decks) loaded_at: Duration,
    pub(in crate::decks) source: Option<SourceId>,
    pub(in crate::decks) matching: Matching,
    pub(in crate::decks) art: Option<Arc<PlayerArt>>,
}

/// What a player said of a deck.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    place: Option<Arc<NetworkPath>>,
    pub(super) is_loaded: Option<bool>,
    is_playing: Option<bool>,
    title: Option<Arc<str>>,
    artist: Option<Arc<str>>,
    pub(super) sample_rate: Option<f64>,
    samples: Option<f64>,
    bytes: Option<u64>,
    key: Option<Key>,
    key_lock: Option<bool>,
    bpm: Option<f64>,
    pitch: Option<f64>,
    is_master: Option<bool>,
    volume: Option<f64>,
    /// A mixer was heard of: until then 0 means that there is none.
    has_mixer: bool,
    is_looping: Option<bool>,
    loop_in: Option<f64>,
    loop_out: Option<f64>,
}

impl Deck {
    pub(super) fn state(&mut self, path: DeckPath, value: &Value, at: Duration) -> Heard {
        let said = &mut self.said;
        let flag = value.as_bool();
        let number = value.as_number();
        match path {
            DeckPath::TrackNetworkPath => return self.place(value, at),
            DeckPath::SongLoaded => {
                said.is_loaded = flag;
                if flag == Some(false) {
                    self.clock.reset();
                    self.is_moving = false;
                }
                return Heard::IDENTITY;
            }
            DeckPath::PlayState => {
                said.is_playing = flag;
                if let Some(is_playing) = flag {
                    self.clock.set_playing(is_playing);
                }
            }
            DeckPath::Play if said.is_playing.is_none() => said.is_playing = flag,
            DeckPath::SampleRate => {
                let rate = number.filter(|rate| (1e3..=1e6).contains(rate));
                if rate != said.sample_rate {
                    said.sample_rate = rate;
                    self.clock.reset();
                }
                return Heard::IDENTITY;
            }
            DeckPath::TrackLength => {
                said.samples = number.filter(|samples| *samples > 0.0);
                return Heard::IDENTITY;
            }
            DeckPath::TrackBytes => {
                said.bytes = number
                    .filter(|bytes| *bytes > 0.0)
                    .map(|bytes| bytes as u64);
                return Heard::IDENTITY;
            }
            DeckPath::SongName => {
                said.title = value.as_text().map(|text| shortened(text).into());
                return Heard::IDENTITY;
            }
            DeckPath::ArtistName => {
                said.artist = value.as_text().map(|text| shortened(text).into());
                return Heard::IDENTITY;
            }
            DeckPath::CurrentKey => said.key = value.as_text().and_then(Key::parse),
            DeckPath::KeyLock => said.key_lock = flag,
            DeckPath::DeckBpm => said.bpm = number.filter(|bpm| *bpm > 0.0),
            DeckPath::Speed => said.pitch = number.filter(|pitch| *pitch > 0.0),
            DeckPath::DeckIsMaster => said.is_master = flag,
            DeckPath::ExternalMixerVolume => {
                said.volume = number.map(|volume| volume.clamp(0.0, 1.0));
                said.has_mixer |= number.is_some_and(|volume| volume > 0.0);
            }
            DeckPath::LoopEnabled => said.is_looping = flag,
            DeckPath::LoopIn => said.loop_in = number,
            DeckPath::LoopOut => said.loop_out = number,
            _ => return Heard::default(),
        }
        Heard::NEWS
    }

    /// Another path is another track: where the deck was counts no more.
    fn place(&mut self, value: &Value, at: Duration) -> Heard {
        let place = value.as_text().and_then(NetworkPath::parse);
        if self.said.place.as_deref() == place.as_ref() {
            return Heard::default();
        }
        self.said.place = place.map(Arc::new);
        self.source = None;
        self.matching = Matching::Nothing;
        self.art = None;
        self.loaded_at = at;
        self.is_moving = false;
        self.clock.reset();
        Heard::IDENTITY
    }

    /// What it has, as far as it helps to find it. `None`: nothing.
    pub(in crate::decks) fn wanted(&self) -> Option<Wanted<'_>> {
        let said = &self.said;
        let is_empty = said.place.is_none() && said.title.is_none();
        if is_empty || said.is_loaded == Some(false) {
            return None;
        }
        Some(Wanted {
            source: self.source.as_ref(),
            place: said.place.as_deref(),
            bytes: said.bytes,
            duration: said
                .samples
                .zip(said.sample_rate)
                .map(|(samples, rate)| Secs(samples / rate)),
            title: said.title.as_deref(),
            artist: said.artist.as_deref(),
        })
    }

    /// As it is to be shown.
    pub(super) fn view(&self, unit: &Unit, id: DeckId, time: Time) -> DeckView {
        let said = &self.said;
        let is_live = unit.link == Link::Live;
        let channel = usize::from(id.deck.saturating_sub(1));
        let fader = said.volume.filter(|_| said.has_mixer).or(unit
            .said
            .faders
            .get(channel)
            .copied()
            .flatten());
        let rate = said.sample_rate;
        let secs = |samples: Option<f64>| Some(Secs(samples? / rate?));
        let is_playing = said.is_playing.filter(|_| is_live);
        DeckView {
            id,
            label: unit.label(id.deck).into(),
            is_loaded: said.is_loaded,
            is_playing,
            is_moving: self.is_moving && is_live,
            said_title: said.title.clone(),
            said_artist: said.artist.clone(),
            duration: secs(said.samples).filter(|duration| duration.0 > 0.0),
            said_key: said.key,
            key_lock: said.key_lock,
            bpm: said.bpm.map(Bpm),
            pitch: said.pitch,
            is_master: said.is_master,
            fader,
            is_audible: match (is_playing, fader) {
                (Some(false), _) => Some(false),
                (Some(true), Some(fader)) => Some(fader > INAUDIBLE),
                (Some(true), None) | (None, _) => None,
            },
            looped: secs(said.loop_in)
                .zip(secs(said.loop_out))
                .filter(|(start, end)| said.is_looping == Some(true) && end > start),
            place: said.place.clone(),
            source: self.source.clone(),
            matching: self.matching.clone(),
            art: self.art.clone(),
            timing: if said.is_loaded == Some(false) || rate.is_none() {
                Timing::Unknown
            } else {
                Timing::Live(Box::new(Live {
                    epoch: time.epoch,
                    rate: time.rate,
                    unit: unit.clock.clone(),
                    deck: self.clock.clone(),
                    is_lost: !is_live,
                }))
            },
        }
    }
}

/// What may be shown of a text: its first characters, and none that control a terminal.
fn shortened(text: &str) -> String {
    let end = text
        .char_indices()
        .nth(MAX_TITLE)
        .map_or(text.len(), |(end, _)| end);
    let kept = text.get(..end).unwrap_or_default();
    kept.replace(char::is_control, " ")
}
