//! Decks as JSON, a line for each thing that happens: schema 1 of the command line. Pure.

use super::clock::{Moment, Sounding};
use super::view::{Candidate, DeckView, DecksView, Link, Matching, UnitView};
use super::{DeckId, NetworkView, UnitId};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Raised when a field is renamed or dropped, not when one is added.
const SCHEMA: u32 = 1;
/// A deck that moves is told again after this time.
const AGAIN: Duration = Duration::from_secs(1);

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    schema: u32,
    at: Timestamp,
    pub kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deck: Option<DeckDocument>,
    /// Why a device was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to try, and what was sent and heard.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "inner")]
    pub network: Option<Arc<NetworkView>>,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Appeared,
    Connected,
    Deck,
    Lost,
    Diagnosis,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceDocument {
    token: String,
    name: String,
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'static str>,
    version: String,
    address: String,
}

/// A deck at one moment. Unknown is `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DeckDocument {
    pub player: Option<u8>,
    pub deck: u8,
    /// What a DJ calls it.
    pub label: String,
    pub title: Option<String>,
    pub artist: Option<String>,
    pub loaded: Option<bool>,
    pub playing: Option<bool>,
    /// Seconds from the first sample.
    pub position: Option<f64>,
    pub duration: Option<f64>,
    /// 0 stands, negative goes backwards.
    pub speed: Option<f64>,
    pub bpm: Option<f64>,
    pub beat: Option<f64>,
    pub beat_in_bar: Option<u8>,
    pub bar: Option<i64>,
    pub key: Option<String>,
    pub pitch: Option<f64>,
    pub master: Option<bool>,
    pub fader: Option<f64>,
    pub audible: Option<bool>,
    /// What is told is what was heard last; nothing is heard now.
    pub stale: bool,
    pub track: Option<TrackOnDeck>,
    #[serde(rename = "match")]
    pub matched: Option<MatchDocument>,
    /// Tracks that it may be, where none is sure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<CandidateDocument>,
    /// In Harte's notation; `N` for none.
    pub chord: Option<String>,
    pub next_chord: Option<NextChordDocument>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackOnDeck {
    pub network_path: Option<String>,
    pub source_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchDocument {
    pub id: String,
    pub by: &'static str,
    pub confidence: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateDocument {
    pub id: String,
    pub confidence: f64,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextChordDocument {
    pub label: String,
    pub in_beats: f64,
}

impl Line {
    fn new(kind: Kind, unit: Option<&UnitView>, at: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            at,
            kind,
            device: unit.map(DeviceDocument::new),
            deck: None,
            reason: None,
            network: None,
        }
    }
}

impl DeviceDocument {
    pub fn name(&self) -> &str {
        &self.name
    }

    fn new(unit: &UnitView) -> Self {
        Self {
            token: unit.id.to_string(),
            name: unit.name.to_string(),
            model: unit.model.to_string(),
            product: unit.product,
            version: unit.version.to_string(),
            address: unit.address.to_string(),
        }
    }
}

/// Three decimals: a millisecond, a thousandth of a beat.
fn short(value: f64) -> Option<f64> {
    value.is_finite().then(|| (value * 1e3).round() / 1e3)
}

impl DeckDocument {
    pub fn new(unit: &UnitView, deck: &DeckView, now: Instant) -> Self {
        let moment = deck.at(now);
        let beat = moment.and_then(|moment| moment.beat);
        let matched = deck.matching.track();
        let candidates = match &deck.matching {
            Matching::Unsure(candidates) => candidates.iter().map(CandidateDocument::new).collect(),
            Matching::Nothing | Matching::Found(_) | Matching::Unknown(_) => Vec::new(),
        };
        let track = TrackOnDeck {
            network_path: deck.place.as_ref().map(|place| place.text.clone()),
            source_id: deck.source.as_ref().map(ToString::to_string),
        };
        Self {
            player: unit.player,
            deck: deck.id.deck,
            label: deck.label.to_string(),
            title: deck.title().map(str::to_owned),
            artist: deck.artist().map(str::to_owned),
            loaded: deck.is_loaded,
            playing: deck.is_playing,
            position: moment.and_then(|moment| short(moment.position.0)),
            duration: deck.duration.and_then(|duration| short(duration.0)),
            speed: moment.and_then(|moment| short(moment.speed)),
            bpm: moment
                .and_then(|moment| moment.bpm)
                .or(deck.bpm)
                .and_then(|bpm| short(bpm.0)),
            beat: beat.and_then(|beat| short(beat.beat)),
            beat_in_bar: beat.map(|beat| beat.in_bar),
            bar: beat.map(|beat| beat.bar),
            key: deck.key().map(crate::harmony::Key::camelot),
            pitch: deck.pitch.and_then(short),
            master: deck.is_master,
            fader: deck.fader.and_then(short),
            audible: deck.is_audible,
            stale: unit.link != Link::Live || moment.is_some_and(|moment| moment.is_stale),
            track: (track.network_path.is_some() || track.source_id.is_some()).then_some(track),
            matched: matched.map(|matched| MatchDocument {
                id: matched.id().to_string(),
                by: matched.by.name(),
                confidence: short(f64::from(matched.confidence)).unwrap_or_default(),
            }),
            candidates,
            chord: moment.as_ref().and_then(chord),
            next_chord: moment
                .and_then(|moment| moment.next_chord)
                .and_then(|next| {
                    Some(NextChordDocument {
                        label: next.chord.to_string(),
                        in_beats: short(next.in_beats)?,
                    })
                }),
        }
    }

    /// Without what changes by itself.
    fn still(&self) -> Self {
        Self {
            position: None,
            beat: None,
            beat_in_bar: None,
            bar: None,
            chord: None,
            next_chord: None,
            // As the hand moves it, speed is never twice the same.
            speed: self.speed.map(|speed| (speed * 20.0).round() / 20.0),
            bpm: self.bpm.map(|bpm| (bpm * 10.0).round() / 10.0),
            ..self.clone()
        }
    }
}

impl CandidateDocument {
    fn new(candidate: &Candidate) -> Self {
        Self {
            id: candidate.id.to_string(),
            confidence: short(f64::from(candidate.confidence)).unwrap_or_default(),
            reason: candidate.reason.clone(),
        }
    }
}

#[expect(clippy::ref_option, reason = "serde calls it like this")]
fn inner<S: Serializer>(
    network: &Option<Arc<NetworkView>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    network.as_deref().serialize(serializer)
}

fn chord(moment: &Moment) -> Option<String> {
    match moment.chord {
        Sounding::Unknown => None,
        Sounding::NoChord => Some("N".to_owned()),
        Sounding::Chord(chord) => Some(chord.to_string()),
    }
}

/// Remembers what was told, and tells what is new.
#[derive(Debug, Default)]
pub struct Teller {
    units: BTreeMap<UnitId, (u32, Link)>,
    decks: BTreeMap<DeckId, (DeckDocument, Instant)>,
    network: Option<Arc<NetworkView>>,
    gone: BTreeMap<UnitId, Arc<UnitView>>,
}

impl Teller {
    /// What happened since the last view.
    pub fn tell(&mut self, view: &DecksView, now: Instant, at: Timestamp) -> Vec<Line> {
        let mut lines = Vec::new();
        for unit in &view.units {
            self.unit(unit, at, &mut lines);
            for deck in unit.decks.iter().filter(|deck| deck.is_loaded.is_some()) {
                self.deck(unit, deck, (now, at), &mut lines);
            }
        }
        let here = |id: &UnitId| view.units.iter().any(|unit| unit.id == *id);
        for (id, unit) in std::mem::take(&mut self.gone) {
            let told = self.units.get(&id).map(|(_, link)| link.clone());
            if !here(&id) && told.is_some() {
                if !matches!(told, Some(Link::Lost(_))) {
                    let reason = Some("it was switched off".into());
                    let line = Line::new(Kind::Lost, Some(&unit), at);
                    lines.push(Line { reason, ..line });
                }
                self.units.remove(&id);
            }
        }
        self.decks.retain(|id, _| here(&id.unit));
        let units = view.units.iter();
        self.gone = units.map(|unit| (unit.id, Arc::clone(unit))).collect();
        self.diagnosis(view, at, &mut lines);
        lines
    }

    fn unit(&mut self, unit: &UnitView, at: Timestamp, lines: &mut Vec<Line>) {
        let told = self
            .units
            .insert(unit.id, (unit.sessions, unit.link.clone()));
        let mut push = |kind| lines.push(Line::new(kind, Some(unit), at));
        let (sessions, link) = match &told {
            None => {
                push(Kind::Appeared);
                (0, &Link::Heard)
            }
            Some((sessions, link)) => (*sessions, link),
        };
        let is_again = unit.sessions > sessions;
        if is_again && *link == Link::Live {
            // It was away for too short a time to be seen.
            push(Kind::Lost);
        }
        if is_again {
            push(Kind::Connected);
            self.decks.retain(|id, _| id.unit != unit.id);
        }
        if let Link::Lost(reason) = &unit.link
            && (is_again || !matches!(link, Link::Lost(_)))
        {
            let line = Line::new(Kind::Lost, Some(unit), at);
            let reason = Some(reason.to_string());
            lines.push(Line { reason, ..line });
        }
    }

    fn deck(
        &mut self,
        unit: &UnitView,
        deck: &DeckView,
        (now, at): (Instant, Timestamp),
        lines: &mut Vec<Line>,
    ) {
        let document = DeckDocument::new(unit, deck, now);
        let still = document.still();
        let told = self.decks.get(&deck.id);
        let is_new = told.is_none_or(|(told, _)| *told != still);
        let is_due = told.is_some_and(|(_, when)| now.saturating_duration_since(*when) >= AGAIN);
        if is_new || (deck.is_moving && is_due) {
            self.decks.insert(deck.id, (still, now));
            let line = Line::new(Kind::Deck, Some(unit), at);
            let deck = Some(document);
            lines.push(Line { deck, ..line });
        }
    }

    fn diagnosis(&mut self, view: &DecksView, at: Timestamp, lines: &mut Vec<Line>) {
        let is_like = |told: &Arc<NetworkView>| told.is_like(&view.network);
        if self.network.as_ref().is_some_and(is_like) || *view.network == NetworkView::default() {
            return;
        }
        self.network = Some(Arc::clone(&view.network));
        let line = Line::new(Kind::Diagnosis, None, at);
        let network = Some(Arc::clone(&view.network));
        lines.push(Line { network, ..line });
    }
}

#[cfg(test)]
mod tests;
