//! Which tracks are selected, and what clicks and keys make of it. Pure.

use super::listing::Listing;
use serde::{Serialize as _, Serializer};
use std::collections::HashSet;
use tonearm_core::track::TrackId;

/// How a click or a key changes the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// This one alone.
    Only,
    /// In or out, the others stay.
    Toggle,
    /// From where the selection began to here.
    Through,
    /// The same, and what was selected stays.
    ThroughToo,
}

/// Where the keyboard goes in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Rows(isize),
    Start,
    End,
}

/// A larger selection is not kept between runs, but for the track in focus.
const KEPT: usize = 200;

/// Serialises a selection without ever making much of it.
pub(super) fn keep_few<S: Serializer>(selected: &[TrackId], to: S) -> Result<S::Ok, S::Error> {
    let from = match selected.len() {
        0..=KEPT => 0,
        many => many - 1,
    };
    selected.get(from..).unwrap_or_default().serialize(to)
}

/// What is selected as a set, and where ranges start.
#[derive(Debug, Default)]
pub(super) struct Marks {
    set: HashSet<TrackId>,
    /// What `set` was made of: others may change the selection too.
    of: Vec<TrackId>,
    anchor: Option<TrackId>,
}

impl Marks {
    pub(super) fn follow(&mut self, selected: &[TrackId]) {
        if self.of != selected {
            self.of.clear();
            self.of.extend_from_slice(selected);
            self.set = selected.iter().copied().collect();
        }
    }

    pub(super) fn contains(&self, id: TrackId) -> bool {
        self.set.contains(&id)
    }

    /// Selects the track at `place`.
    pub(super) fn select(
        &mut self,
        selected: &mut Vec<TrackId>,
        listing: &Listing,
        place: usize,
        how: How,
    ) {
        let Some(id) = listing.at(place) else {
            return;
        };
        match how {
            How::Only => {
                *selected = vec![id];
                self.anchor = Some(id);
            }
            How::Toggle => {
                let before = selected.len();
                selected.retain(|known| *known != id);
                if selected.len() == before {
                    selected.push(id);
                }
                self.anchor = Some(id);
            }
            How::Through | How::ThroughToo => {
                let anchor = self.anchor.or_else(|| selected.last().copied());
                let from = anchor
                    .and_then(|anchor| listing.place(anchor))
                    .unwrap_or(place);
                self.anchor = listing.at(from);
                let range = listing
                    .ids()
                    .get(from.min(place)..=from.max(place))
                    .unwrap_or_default();
                if how == How::Through {
                    selected.clear();
                } else {
                    let within: HashSet<TrackId> = range.iter().copied().collect();
                    selected.retain(|known| !within.contains(known));
                }
                if from <= place {
                    selected.extend_from_slice(range);
                } else {
                    selected.extend(range.iter().rev());
                }
            }
        }
        self.follow(selected);
    }

    /// Moves from the focused track; from nowhere to the first or last.
    pub(super) fn step(
        &mut self,
        selected: &mut Vec<TrackId>,
        listing: &Listing,
        step: Step,
        extend: bool,
    ) -> Option<TrackId> {
        let last = listing.len().checked_sub(1)?;
        let here = selected.last().and_then(|id| listing.place(*id));
        let place = match (step, here) {
            (Step::Start, _) => 0,
            (Step::End, _) => last,
            (Step::Rows(rows), Some(here)) => here.saturating_add_signed(rows).min(last),
            (Step::Rows(rows), None) => {
                if rows < 0 {
                    last
                } else {
                    0
                }
            }
        };
        let how = if extend { How::Through } else { How::Only };
        self.select(selected, listing, place, how);
        listing.at(place)
    }

    /// Everything that is listed; the focus stays where it is.
    pub(super) fn select_all(&mut self, selected: &mut Vec<TrackId>, listing: &Listing) {
        let focus = selected
            .last()
            .copied()
            .filter(|id| listing.place(*id).is_some());
        selected.clear();
        selected.extend(listing.ids().iter().filter(|id| Some(**id) != focus));
        selected.extend(focus);
        self.follow(selected);
    }
}
