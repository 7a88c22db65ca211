//! What players said, taken together: one entry for each unit, one for each of its decks. Pure: times come with the
//! updates. Order is not to be relied on: a title may come before the path of its track, or a second later.

use super::place::NetworkPath;
use super::resolve::Wanted;
use super::view::{Databases, DeckView, Link, Matching, UnitView};
use super::{DeckId, Live, Timing, UnitId};
use crate::harmony::Key;
use crate::track::SourceId;
use crate::units::{Bpm, Secs};
use stagelinq::clock::{DeckClock, UnitClock};
use stagelinq::identity::Kind;
use stagelinq::path::{DeckPath, StatePath, UnitPath};
use stagelinq::roster::Device;
use stagelinq::wire::beat_info::BeatFrame;
use stagelinq::wire::broadcast::Broadcast;
use stagelinq::wire::state_map::Value;
use stagelinq::{Lost, Update, UpdateKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Units remembered, lost ones too.
const MAX_UNITS: usize = 32;
/// How long a lost unit is shown.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Characters of a title.
const MAX_TITLE: usize = 512;
/// News of loaded tracks that wait for their deck.
const MAX_NEWS: usize = 8;
/// How long they wait.
const NEWS_EXPIRE: Duration = Duration::from_secs(6);
/// A deck whose speed is below this stands.
const STILL: f64 = 1e-3;
/// Loudness below which nobody hears a deck: 50 dB down.
const INAUDIBLE: f64 = 0.003;

/// What an update changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Something that is not position changed: worth waking whoever shows it.
    pub(super) is_news: bool,
    /// Positions came.
    pub(super) has_moved: bool,
    /// Decks are to be looked up in the library again.
    pub(super) is_identity: bool,
}

impl Heard {
    pub(super) const NEWS: Self = Self {
        is_news: true,
        has_moved: false,
        is_identity: false,
    };
    const IDENTITY: Self = Self {
        is_news: true,
        has_moved: false,
        is_identity: true,
    };

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            is_news: self.is_news || other.is_news,
            has_moved: self.has_moved || other.has_moved,
            is_identity: self.is_identity || other.is_identity,
        }
    }
}

/// All units.
#[derive(Debug, Default)]
pub(super) struct Table {
    units: BTreeMap<UnitId, Unit>,
}

/// One player.
#[derive(Debug)]
pub(super) struct Unit {
    device: Device,
    link: Link,
    lost_at: Option<Duration>,
    sessions: u32,
    clock: UnitClock,
    said: UnitSaid,
    /// Tracks that it told to have loaded, with the time; their decks are still to be found.
    pub(super) news: VecDeque<(SourceId, Duration)>,
    pub(super) decks: [Deck; 4],
    pub(super) databases: Databases,
    /// All that it said, for whoever comes later: at most one value of each path that is asked for.
    values: BTreeMap<StatePath, Value>,
}

/// What a player said of itself.
#[derive(Debug, Clone, Default)]
struct UnitSaid {
    player: Option<u8>,
    decks: Option<u8>,
    master_tempo: Option<f64>,
    /// Of the channels 1 to 4.
    faders: [Option<f64>; 4],
}

/// One deck.
#[derive(Debug, Clone, Default)]
pub(super) struct Deck {
    said: Said,
    clock: DeckClock,
    is_moving: bool,
    /// When another track came onto it.
    pub(super) loaded_at: Duration,
    pub(super) source: Option<SourceId>,
    pub(super) matching: Matching,
}

/// What a player said of a deck.
#[derive(Debug, Clone, Default)]
struct Said {
    place: Option<Arc<NetworkPath>>,
    is_loaded: Option<bool>,
    is_playing: Option<bool>,
    title: Option<Arc<str>>,
    artist: Option<Arc<str>>,
    sample_rate: Option<f64>,
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

impl Table {
    pub(super) fn unit_mut(&mut self, id: UnitId) -> Option<&mut Unit> {
        self.units.get_mut(&id)
    }

    /// Decks that were not heard of for too long stand still.
    pub(super) fn settle(&mut self, now: Duration) -> Heard {
        let mut heard = Heard::default();
        for unit in self.units.values_mut() {
            let device = unit.clock.device_time(now);
            for deck in unit.decks.iter_mut().filter(|deck| deck.is_moving) {
                let reading = device.and_then(|device| deck.clock.at(device));
                if reading.is_none_or(|reading| reading.is_stale) {
                    deck.is_moving = false;
                    heard.is_news = true;
                }
            }
        }
        heard
    }

    pub(super) fn units_mut(&mut self) -> impl Iterator<Item = (UnitId, &mut Unit)> {
        self.units.iter_mut().map(|(id, unit)| (*id, unit))
    }

    /// Takes one update.
    pub(super) fn apply(&mut self, update: Update) -> Heard {
        let id = UnitId::from(update.device);
        if let UpdateKind::Appeared(device) = update.kind {
            return self.appeared(id, device);
        }
        if update.kind == UpdateKind::Lost(Lost::Goodbye) {
            return match self.units.remove(&id) {
                Some(_) => Heard::IDENTITY,
                None => Heard::default(),
            };
        }
        let Some(unit) = self.units.get_mut(&id) else {
            return Heard::default();
        };
        match update.kind {
            UpdateKind::Connected => {
                unit.connected();
                Heard::IDENTITY
            }
            UpdateKind::State { path, value } => unit.state(&path, &value, update.at),
            UpdateKind::Beats(frame) => unit.beats(&frame, update.at),
            UpdateKind::Broadcast(news) => unit.broadcast(news, update.at),
            UpdateKind::Lost(why) => {
                unit.lost(&why, update.at);
                Heard::NEWS
            }
            UpdateKind::Clash(_) => Heard::NEWS,
            UpdateKind::Appeared(_) | UpdateKind::TokenChanged(_) => Heard::default(),
        }
    }

    /// All that is known, as updates at `at`.
    pub(super) fn history(&self, at: Duration) -> impl Iterator<Item = Update> {
        self.units
            .iter()
            .flat_map(move |(id, unit)| unit.history(*id, at))
    }

    /// Forgets units that were lost long ago.
    pub(super) fn expire(&mut self, now: Duration) -> Heard {
        let before = self.units.len();
        self.units.retain(|_, unit| {
            unit.lost_at
                .is_none_or(|lost| now.saturating_sub(lost) < REMEMBERED)
        });
        if self.units.len() == before {
            Heard::default()
        } else {
            Heard::NEWS
        }
    }

    fn appeared(&mut self, id: UnitId, device: Device) -> Heard {
        if let Some(unit) = self.units.get_mut(&id) {
            unit.device = device;
            return Heard::NEWS;
        }
        if self.units.len() >= MAX_UNITS {
            return Heard::default();
        }
        self.units.insert(id, Unit::new(device));
        Heard::NEWS
    }

    /// Everything as it is to be shown, by player number and name.
    pub(super) fn views(&self, time: Time) -> Vec<Arc<UnitView>> {
        let mut players: Vec<u8> = self
            .units
            .values()
            .filter_map(|unit| unit.said.player)
            .collect();
        players.sort_unstable();
        let twins: BTreeSet<u8> = players
            .windows(2)
            .filter_map(|pair| (pair[0] == pair[1]).then_some(pair[0]))
            .collect();
        let mut views: Vec<_> = self
            .units
            .iter()
            .map(|(id, unit)| unit.view(*id, &twins, time))
            .collect();
        views.sort_by(|one, other| {
            let order = |view: &UnitView| {
                (
                    view.player.unwrap_or(u8::MAX),
                    Arc::clone(&view.name),
                    view.id,
                )
            };
            order(one).cmp(&order(other))
        });
        views.into_iter().map(Arc::new).collect()
    }
}

/// How the times of updates stand to those of the machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    /// Zero of the updates' times.
    pub(super) epoch: Instant,
    /// Seconds of theirs in one of ours: not 1 in a replay alone.
    pub(super) rate: f64,
}

impl Unit {
    fn new(device: Device) -> Self {
        Self {
            device,
            link: Link::Heard,
            lost_at: None,
            sessions: 0,
            clock: UnitClock::default(),
            said: UnitSaid::default(),
            news: VecDeque::new(),
            decks: Default::default(),
            databases: Databases::Unread,
            values: BTreeMap::new(),
        }
    }

    /// What a recording that begins now has to know.
    fn history(&self, id: UnitId, at: Duration) -> impl Iterator<Item = Update> {
        let device = id.into();
        let mut kinds = vec![UpdateKind::Appeared(self.device.clone())];
        if self.link == Link::Live {
            kinds.push(UpdateKind::Connected);
            let values = self.values.iter();
            kinds.extend(values.map(|(path, value)| UpdateKind::State {
                path: path.clone(),
                value: value.clone(),
            }));
        }
        kinds
            .into_iter()
            .map(move |kind| Update { device, at, kind })
    }

    fn connected(&mut self) {
        self.link = Link::Live;
        self.lost_at = None;
        self.sessions = self.sessions.saturating_add(1);
        self.clock = UnitClock::default();
        self.said = UnitSaid::default();
        self.news.clear();
        self.values.clear();
        self.databases = Databases::Unread;
        self.decks = Default::default();
    }

    /// News of tracks whose deck was not found in time.
    pub(super) fn forget_news(&mut self, now: Duration) {
        self.news
            .retain(|(_, at)| now.saturating_sub(*at) < NEWS_EXPIRE);
    }

    fn lost(&mut self, why: &Lost, at: Duration) {
        let words: Arc<str> = match why {
            Lost::Goodbye => "it was switched off".into(),
            Lost::Silence => "it is not heard any more".into(),
            Lost::Moved => "it restarts".into(),
            Lost::Ended(end) => end.to_string().into(),
        };
        self.link = Link::Lost(words);
        self.lost_at = Some(at);
        for deck in &mut self.decks {
            deck.is_moving = false;
        }
    }

    fn state(&mut self, path: &StatePath, value: &Value, at: Duration) -> Heard {
        if !matches!(path, StatePath::Other(_)) {
            self.values.insert(path.clone(), value.clone());
        }
        match path {
            StatePath::Deck(side, path) => match self.decks.get_mut(side.index()) {
                Some(deck) => deck.state(*path, value, at),
                None => Heard::default(),
            },
            StatePath::Unit(path) => {
                let number = value.as_number();
                let small = number.filter(|number| (1.0..=99.0).contains(number));
                match path {
                    UnitPath::Player => self.said.player = small.map(|number| number as u8),
                    UnitPath::DeckCount => self.said.decks = small.map(|number| number as u8),
                    UnitPath::MasterTempo => {
                        self.said.master_tempo = number.filter(|bpm| *bpm > 0.0);
                    }
                    UnitPath::Fader1 => self.said.faders[0] = number,
                    UnitPath::Fader2 => self.said.faders[1] = number,
                    UnitPath::Fader3 => self.said.faders[2] = number,
                    UnitPath::Fader4 => self.said.faders[3] = number,
                    _ => return Heard::default(),
                }
                Heard::NEWS
            }
            StatePath::Other(_) => Heard::default(),
        }
    }

    fn beats(&mut self, frame: &BeatFrame, at: Duration) -> Heard {
        let mut heard = Heard::default();
        let Some(device) = self.clock.frame(frame.clock_ns, at) else {
            return heard;
        };
        for (deck, beat) in self.decks.iter_mut().zip(&frame.decks) {
            // Positions flow from empty decks too.
            let Some(rate) = deck
                .said
                .sample_rate
                .filter(|_| deck.said.is_loaded != Some(false))
            else {
                continue;
            };
            deck.clock.frame(device, beat, rate);
            let speed = deck.clock.at(device).map_or(0.0, |reading| reading.speed);
            let was_moving = std::mem::replace(&mut deck.is_moving, speed.abs() > STILL);
            heard.has_moved = true;
            heard.is_news |= was_moving != deck.is_moving;
        }
        heard
    }

    fn broadcast(&mut self, news: Broadcast, at: Duration) -> Heard {
        let Broadcast::TrackChanged { database, track } = news else {
            return Heard::default();
        };
        let Ok(source) = format!("{database}:{}", track.trim()).parse() else {
            return Heard::default();
        };
        self.news.push_back((source, at));
        if self.news.len() > MAX_NEWS {
            self.news.pop_front();
        }
        Heard::IDENTITY
    }

    /// Decks that the machine has: what it says, else what its model has, else two; more if they are used.
    fn count(&self) -> usize {
        let known = match self.device.kind {
            Kind::Player { decks, .. } => decks,
            _ => None,
        };
        let said = usize::from(self.said.decks.or(known).unwrap_or(2));
        let is_used = |deck: &Deck| deck.said.is_loaded == Some(true);
        let used = self
            .decks
            .iter()
            .rposition(is_used)
            .map_or(0, |last| last + 1);
        said.max(used).clamp(1, self.decks.len())
    }

    fn view(&self, id: UnitId, twins: &BTreeSet<u8>, time: Time) -> UnitView {
        let identity = &self.device.identity;
        let product = match self.device.kind {
            Kind::Player { name, .. } => name,
            _ => None,
        };
        let numbered = self.decks.iter().take(self.count()).zip(1..);
        UnitView {
            id,
            name: identity.source.as_str().into(),
            model: identity.software.as_str().into(),
            product,
            version: identity.version.as_str().into(),
            address: self.device.address.ip().to_string().into(),
            link: self.link.clone(),
            sessions: self.sessions,
            player: self.said.player,
            has_twin: self
                .said
                .player
                .is_some_and(|player| twins.contains(&player)),
            databases: self.databases,
            master_tempo: self.said.master_tempo.map(Bpm),
            decks: numbered
                .map(|(deck, number)| {
                    Arc::new(self.deck_view(
                        deck,
                        DeckId {
                            unit: id,
                            deck: number,
                        },
                        time,
                    ))
                })
                .collect(),
        }
    }

    /// Players of one pair of layers are known by number and layer, machines that are alone by the deck.
    fn label(&self, deck: u8) -> String {
        let is_layered = matches!(
            self.device.kind,
            Kind::Player {
                name: Some("SC5000" | "SC5000M" | "SC6000" | "SC6000M"),
                ..
            }
        );
        match (self.said.player, deck) {
            (Some(player), 1 | 2) if is_layered => {
                format!("{player}{}", if deck == 1 { 'A' } else { 'B' })
            }
            _ => deck.to_string(),
        }
    }

    fn deck_view(&self, deck: &Deck, id: DeckId, time: Time) -> DeckView {
        let said = &deck.said;
        let is_live = self.link == Link::Live;
        let channel = usize::from(id.deck.saturating_sub(1));
        let fader = said.volume.filter(|_| said.has_mixer).or(self
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
            label: self.label(id.deck).into(),
            is_loaded: said.is_loaded,
            is_playing,
            is_moving: deck.is_moving && is_live,
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
            source: deck.source.clone(),
            matching: deck.matching.clone(),
            timing: if said.is_loaded == Some(false) || rate.is_none() {
                Timing::Unknown
            } else {
                Timing::Live(Box::new(Live {
                    epoch: time.epoch,
                    rate: time.rate,
                    unit: self.clock.clone(),
                    deck: deck.clock.clone(),
                    is_lost: !is_live,
                }))
            },
        }
    }
}

impl Deck {
    fn state(&mut self, path: DeckPath, value: &Value, at: Duration) -> Heard {
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
        self.loaded_at = at;
        self.is_moving = false;
        self.clock.reset();
        Heard::IDENTITY
    }

    /// What it has, as far as it helps to find it. `None`: nothing.
    pub(super) fn wanted(&self) -> Option<Wanted<'_>> {
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

#[cfg(test)]
mod tests;
