//! Which decks there is room for, and whose keys go together.

use super::Live;
use crate::format;
use tonearm_core::decks::{DeckView, Link, Moment, UnitView};
use tonearm_core::harmony::{Key, PitchClass};

/// More are not to be read at a glance.
const MOST: usize = 4;
/// Decks that are looked at, for every player of a network that has gone mad.
const LOOKED_AT: usize = 256;

/// A deck that is shown, with what holds at this moment.
#[derive(Debug, Clone)]
pub(super) struct One<'a> {
    pub(super) unit: &'a UnitView,
    pub(super) deck: &'a DeckView,
    pub(super) moment: Option<Moment>,
    /// Place among all decks: gives it its colour.
    pub(super) number: usize,
}

/// What is shown in a frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown<'a> {
    pub(super) decks: Vec<One<'a>>,
    /// Who found no room, or has nothing to show, in a sentence.
    pub(super) left_out: String,
}

impl<'a> Shown<'a> {
    pub(super) fn of(live: Live<'a>) -> Self {
        Self::at_most(live, MOST)
    }

    /// No more than there is room for, and than can be read at a glance.
    pub(super) fn at_most(live: Live<'a>, most: usize) -> Self {
        let all: Vec<One<'a>> = live
            .decks
            .decks()
            .take(LOOKED_AT)
            .enumerate()
            .map(|(number, (unit, deck))| One {
                unit,
                deck,
                moment: deck.at(live.now),
                number,
            })
            .collect();
        let mut order: Vec<usize> = (0..all.len()).collect();
        // Those that play come first, then those that could.
        order.sort_by_key(|index| all.get(*index).map_or(3, One::rank));
        let loaded = all.iter().filter(|one| one.rank() < 2).count();
        let wanted = if loaded == 0 { all.len() } else { loaded };
        order.truncate(wanted.min(most.min(MOST)));
        let (mut decks, mut empty, mut crowded) = (Vec::new(), Vec::new(), 0);
        for (index, one) in all.into_iter().enumerate() {
            if order.contains(&index) {
                decks.push(one);
            } else if one.rank() < 2 {
                crowded += 1;
            } else {
                empty.push(format::fit(&one.deck.label, 12));
            }
        }
        let mut parts = Vec::new();
        match crowded {
            0 => {}
            1 => parts.push("One more deck finds no room here".to_owned()),
            count => parts.push(format!("{count} more decks find no room here")),
        }
        empty.truncate(8);
        if !empty.is_empty() {
            parts.push(format!("Nothing loaded on {}", empty.join(", ")));
        }
        Self {
            decks,
            left_out: parts.join(" · "),
        }
    }

    /// The decks that the audience hears.
    pub(super) fn audible(&self) -> impl Iterator<Item = &One<'a>> {
        self.decks.iter().filter(|one| one.is_audible())
    }
}

impl One<'_> {
    /// 0 plays, 1 has a track, 2 has none.
    fn rank(&self) -> u8 {
        match (self.deck.is_playing, self.deck.is_loaded) {
            (Some(true), _) => 0,
            (_, Some(true)) => 1,
            (_, None) if self.deck.title().is_some() => 1,
            (_, Some(false) | None) => 2,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rank() == 2
    }

    /// It plays, and no fader keeps it from the audience.
    pub(super) fn is_audible(&self) -> bool {
        self.deck.is_playing == Some(true) && self.deck.is_audible != Some(false)
    }

    /// What it shows holds no longer.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self.unit.link, Link::Lost(_)) || self.moment.is_some_and(|moment| moment.is_stale)
    }

    /// The key that is heard: the pitch fader moves it where key lock is off.
    pub(super) fn sounding_key(&self) -> Option<Key> {
        let key = self.deck.key()?;
        let pitch = self
            .deck
            .pitch
            .filter(|_| self.deck.key_lock == Some(false));
        Some(moved(key, pitch.unwrap_or(1.0)))
    }

    /// Labels of the other decks that are heard, and whether this one's key goes with theirs.
    pub(super) fn relations(&self, shown: &Shown<'_>) -> Vec<(String, bool)> {
        let Some(key) = self.sounding_key() else {
            return Vec::new();
        };
        let others = shown.audible().filter(|one| one.deck.id != self.deck.id);
        let relation = |one: &One<'_>| {
            let other = one.sounding_key()?;
            Some((format::fit(&one.deck.label, 8), fits(key, other)))
        };
        others.filter_map(relation).collect()
    }
}

/// Whether two keys sound well together.
pub fn fits(one: Key, other: Key) -> bool {
    one.is_compatible_with(other)
}

/// `key` at another speed without key lock: by whole semitones, the nearest.
fn moved(key: Key, pitch: f64) -> Key {
    if !pitch.is_finite() || pitch <= 0.0 {
        return key;
    }
    let semitones = (12.0 * pitch.log2()).round().clamp(-24.0, 24.0) as i32;
    let tonic = (i32::from(key.tonic.semitones()) + semitones).rem_euclid(12);
    Key {
        tonic: PitchClass::new(tonic as u8),
        mode: key.mode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Instant;
    use tonearm_core::decks::{DeckId, DecksView, UnitId};

    fn view(states: &[(bool, bool)]) -> DecksView {
        let decks = states.iter().enumerate().map(|(index, (loaded, playing))| {
            Arc::new(DeckView {
                id: DeckId {
                    unit: UnitId([1; 16]),
                    deck: index as u8 + 1,
                },
                label: format!("{}", index + 1).into(),
                is_loaded: Some(*loaded),
                is_playing: Some(*playing),
                ..DeckView::default()
            })
        });
        DecksView {
            units: vec![Arc::new(UnitView {
                decks: decks.collect(),
                ..UnitView::default()
            })],
            ..DecksView::default()
        }
    }

    fn labels(view: &DecksView) -> (Vec<String>, String) {
        let live = Live {
            decks: view,
            now: Instant::now(),
        };
        let shown = Shown::of(live);
        let labels = shown.decks.iter().map(|one| one.deck.label.to_string());
        (labels.collect(), shown.left_out)
    }

    #[test]
    fn decks_that_play_find_room_first_and_keep_their_order() {
        let (on, off, empty) = ((true, true), (true, false), (false, false));
        let (shown, left_out) = labels(&view(&[off, off, empty, off, off, on]));
        assert_eq!(shown, ["1", "2", "4", "6"]);
        assert_eq!(
            left_out,
            "One more deck finds no room here · Nothing loaded on 3"
        );
        assert_eq!(labels(&view(&[empty, empty])).0, ["1", "2"]);
        assert_eq!(labels(&DecksView::default()).0, [""; 0]);
    }

    #[test]
    fn without_key_lock_the_pitch_fader_moves_the_key() {
        let key = Key::parse("8A").unwrap();
        assert_eq!(moved(key, 1.0), key);
        assert_eq!(moved(key, 1.06).camelot(), "3A");
        assert_eq!(moved(key, 0.944).camelot(), "1A");
        assert_eq!(moved(key, f64::NAN), key);
        assert_eq!(moved(key, 0.0), key);
    }
}
