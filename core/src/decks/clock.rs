//! Where a deck is at any moment, and what of its track sounds there.

use super::view::{Analysis, DeckView, Matched};
use crate::harmony::{Chord, Spelling};
use crate::units::{Bpm, Secs};
use stagelinq::clock::{DeckClock, Reading, UnitClock};
use std::time::Instant;

/// How far a deck can have been believed to go on, seconds: the clock believes no longer.
const OVERRUN: f64 = 0.25;
/// Beats of a bar where only the player says where they are.
const PLAYER_BAR: i64 = 4;

/// The movement of a deck between two published views.
#[derive(Debug, Clone, Default)]
pub enum Timing {
    #[default]
    Unknown,
    /// Followed by the player's own clock.
    Live(Box<Live>),
    /// Stands, or stands in for a player in tests: this place at that moment, going on at its speed.
    Fixed(Place, Instant),
}

/// Clocks as they were when the view was published. They tell the present too.
#[derive(Debug, Clone)]
pub struct Live {
    /// Zero of all times that the clocks know.
    pub(super) epoch: Instant,
    /// Seconds of the clocks in one of ours: not 1 in a replay alone.
    pub(super) rate: f64,
    pub(super) unit: UnitClock,
    pub(super) deck: DeckClock,
    /// The player's values hold no longer.
    pub(super) is_lost: bool,
}

/// A position and how it changes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Place {
    /// From the first sample; negative before it.
    pub position: Secs,
    /// Seconds of music in a second: 0 stands, negative goes backwards.
    pub speed: f64,
    /// Beats along the player's own grid.
    pub beat: Option<f64>,
    pub bpm: Option<Bpm>,
    /// Nothing was heard of it for a quarter of a second: it stands where it was.
    pub is_stale: bool,
}

impl From<Reading> for Place {
    fn from(reading: Reading) -> Self {
        Self {
            position: Secs(reading.position_secs),
            speed: reading.speed,
            beat: Some(reading.beat),
            bpm: reading.bpm.map(Bpm),
            is_stale: reading.is_stale,
        }
    }
}

impl Place {
    /// A deck that reaches the end of its loop is at its start: between two frames it was only believed to go on.
    fn wrapped(self, start: Secs, end: Secs) -> Self {
        let (beyond, length) = (self.position.0 - end.0, end.0 - start.0);
        let is_overrun = self.speed > 0.0 && (0.0..OVERRUN * self.speed).contains(&beyond);
        if !is_overrun || length <= 0.0 {
            return self;
        }
        let back = length * (1.0 + (beyond / length).floor());
        let per_sec = self.bpm.map_or(0.0, |bpm| bpm.0 / 60.0 / self.speed);
        Self {
            position: Secs(self.position.0 - back),
            beat: self.beat.map(|beat| beat - back * per_sec),
            ..self
        }
    }

    pub(super) fn within(self, looped: Option<(Secs, Secs)>) -> Self {
        looped.map_or(self, |(start, end)| self.wrapped(start, end))
    }
}

impl Timing {
    pub fn at(&self, now: Instant) -> Option<Place> {
        match self {
            Self::Unknown => None,
            Self::Live(live) => {
                let since = now.saturating_duration_since(live.epoch);
                let now = since.mul_f64(live.rate);
                let reading = live.deck.at(live.unit.device_time(now)?)?;
                let mut place = Place::from(reading);
                if live.is_lost {
                    (place.speed, place.is_stale) = (0.0, true);
                }
                Some(place)
            }
            Self::Fixed(place, since) => {
                let elapsed = now.saturating_duration_since(*since).as_secs_f64();
                let way = place.speed * elapsed;
                let per_sec = place.bpm.map_or(0.0, |bpm| bpm.0 / 60.0);
                Some(Place {
                    position: Secs(place.position.0 + way),
                    beat: place.beat.map(|beat| beat + per_sec * elapsed),
                    ..*place
                })
            }
        }
    }
}

/// Everything that holds at one moment of one deck.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    pub position: Secs,
    /// Of music at the file's own tempo; negative beyond the end.
    pub remaining: Option<Secs>,
    pub speed: f64,
    pub bpm: Option<Bpm>,
    pub is_stale: bool,
    pub beat: Option<BeatPlace>,
    pub chord: Sounding,
    /// How notes are written here.
    pub spelling: Spelling,
    pub next_chord: Option<NextChord>,
}

/// A place among beats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeatPlace {
    /// Beats from the first, with fraction; negative before it.
    pub beat: f64,
    /// The bar with the first downbeat is 1; 0 and less before it.
    pub bar: i64,
    /// 1 is the downbeat.
    pub in_bar: u8,
    /// 0 on the beat, almost 1 before the next.
    pub phase: f64,
    /// Of the track in the library, not the player's own.
    pub is_from_library: bool,
}

/// The chord that sounds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Sounding {
    /// The track's chords are not known.
    #[default]
    Unknown,
    /// Drums, or silence: Harte's `N`.
    NoChord,
    Chord(Chord),
}

impl Sounding {
    pub fn chord(self) -> Option<Chord> {
        match self {
            Self::Chord(chord) => Some(chord),
            Self::Unknown | Self::NoChord => None,
        }
    }
}

/// The chord that comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextChord {
    pub chord: Chord,
    /// How notes are written where it begins.
    pub spelling: Spelling,
    pub in_beats: f64,
    /// Of music at the file's own tempo.
    pub in_secs: Secs,
}

impl Moment {
    pub(super) fn new(place: Place, deck: &DeckView, matched: Option<&Matched>) -> Self {
        let analysis = matched.and_then(|matched| matched.analysis.as_deref());
        let own = analysis.and_then(|analysis| analysis.beat_at(place.position));
        let beat = own.or_else(|| player_beat(place.beat?));
        let (chord, next_chord) = match analysis {
            Some(analysis) => analysis.chords_at(place.position, place.bpm.or(deck.bpm)),
            None => (Sounding::Unknown, None),
        };
        Self {
            position: place.position,
            remaining: deck
                .duration
                .map(|duration| Secs(duration.0 - place.position.0)),
            speed: place.speed,
            bpm: place.bpm.or(deck.bpm),
            is_stale: place.is_stale,
            beat,
            chord,
            spelling: analysis.map_or_else(Spelling::default, |it| it.spelling(place.position)),
            next_chord,
        }
    }
}

/// Among the beats that the player counts: its grid need not begin with a bar, so bars are a guess.
fn player_beat(beat: f64) -> Option<BeatPlace> {
    if !beat.is_finite() || beat.abs() > 1e9 {
        return None;
    }
    let whole = beat.floor() as i64;
    Some(BeatPlace {
        beat,
        bar: whole.div_euclid(PLAYER_BAR) + 1,
        in_bar: whole.rem_euclid(PLAYER_BAR) as u8 + 1,
        phase: beat - beat.floor(),
        is_from_library: false,
    })
}

impl Analysis {
    /// Beats from the first, with fraction: before the first and behind the last they go on as they went there.
    fn beats_until(&self, at: Secs) -> Option<f64> {
        let beats = &self.details.beats.as_ref()?.beats;
        let last = beats.len().checked_sub(1).filter(|last| *last > 0)?;
        let before = beats.partition_point(|beat| beat.at <= at);
        let from = before.saturating_sub(1).min(last - 1);
        let (start, end) = (beats.get(from)?.at.0, beats.get(from + 1)?.at.0);
        let period = end - start;
        (period > 0.0).then(|| from as f64 + (at.0 - start) / period)
    }

    /// Where `at` is among the track's beats.
    pub fn beat_at(&self, at: Secs) -> Option<BeatPlace> {
        let beat = self.beats_until(at).filter(|beat| beat.abs() < 1e9)?;
        let beats = &self.details.beats.as_ref()?.beats;
        let whole = beat.floor() as i64;
        let (bar, in_bar) = match usize::try_from(whole) {
            Ok(index) if index < beats.len() => (
                i64::from(*self.bars.get(index)?),
                beats.get(index)?.position,
            ),
            // Outside, bars go on with the length of the nearest one.
            outside => {
                let anchor = if outside.is_err() { 0 } else { beats.len() - 1 };
                let segments = &self.details.beats.as_ref()?.segments;
                let segment = if anchor == 0 {
                    segments.first()
                } else {
                    segments.last()
                };
                let length = segment.map_or(4, |segment| i64::from(segment.beats_per_bar.max(1)));
                let position = i64::from(beats.get(anchor)?.position.max(1));
                let from_bar = whole - anchor as i64 + position - 1;
                let bar = i64::from(*self.bars.get(anchor)?) + from_bar.div_euclid(length);
                (bar, from_bar.rem_euclid(length) as u8 + 1)
            }
        };
        Some(BeatPlace {
            beat,
            bar,
            in_bar,
            phase: beat - beat.floor(),
            is_from_library: true,
        })
    }

    /// How notes are written at `at`.
    fn spelling(&self, at: Secs) -> Spelling {
        Spelling::of(self.details.key.as_ref(), at)
    }

    /// The chord at `at`, and the next other one.
    fn chords_at(&self, at: Secs, bpm: Option<Bpm>) -> (Sounding, Option<NextChord>) {
        let spans = self.details.chords.as_deref().unwrap_or_default();
        if spans.is_empty() {
            return (Sounding::Unknown, None);
        }
        let begun = spans.partition_point(|span| span.start <= at);
        let now = begun
            .checked_sub(1)
            .and_then(|index| spans.get(index))
            .and_then(|span| span.chord.filter(|_| at < span.end));
        let mut later = spans.get(begun..).unwrap_or_default().iter();
        let next = later.find_map(|span| {
            let chord = span.chord.filter(|chord| Some(*chord) != now)?;
            Some((span.start, chord))
        });
        let next = next.and_then(|(start, chord)| {
            let in_secs = Secs(start.0 - at.0);
            let by_grid = || Some(self.beats_until(start)? - self.beats_until(at)?);
            let in_beats = by_grid().or_else(|| Some(in_secs.0 * bpm?.0 / 60.0))?;
            Some(NextChord {
                chord,
                spelling: self.spelling(start),
                in_beats,
                in_secs,
            })
        });
        (now.map_or(Sounding::NoChord, Sounding::Chord), next)
    }
}

#[cfg(test)]
mod tests;
