//! What players said, taken together: one entry for each unit, one for each of its decks. Pure: times come with the
//! updates. Order is not to be relied on: a title may come before the path of its track, or a second later.

mod deck;

use super::view::{Databases, Link, UnitView};
use super::{DeckId, UnitId};
use crate::track::SourceId;
use crate::units::Bpm;
use stagelinq::clock::UnitClock;
use stagelinq::identity::Kind;
use stagelinq::path::{StatePath, UnitPath};
use stagelinq::roster::Device;
use stagelinq::wire::beat_info::BeatFrame;
use stagelinq::wire::broadcast::Broadcast;
use stagelinq::wire::state_map::Value;
use stagelinq::{Lost, Update, UpdateKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use deck::Deck;

/// Units remembered, lost ones too.
const MAX_UNITS: usize = 32;
/// How long a lost unit is shown.
const REMEMBERED: Duration = Duration::from_mins(1);
/// News of loaded tracks that wait for their deck.
const MAX_NEWS: usize = 8;
/// How long they wait.
const NEWS_EXPIRE: Duration = Duration::from_secs(6);
/// A deck whose speed is below this stands.
const STILL: f64 = 1e-3;

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
                    let id = DeckId {
                        unit: id,
                        deck: number,
                    };
                    Arc::new(deck.view(self, id, time))
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
}

#[cfg(test)]
mod tests;
