//! What waits, as the view tells it, and which of it the user takes back.

use super::State;
use crate::core_loop::command::Selection;
use crate::core_loop::input::Effect;
use crate::core_loop::queue::Pace;
use crate::core_loop::view::{MOST_WAITING, Waiting};
use crate::track::TrackId;
use jiff::Timestamp;
use std::collections::BTreeSet;

impl State {
    /// The first that wait.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let places = self.queue.places().take(MOST_WAITING);
        let waiting = places.map(|place| Waiting {
            track: place.track,
            extent: place.wish.extent.clone(),
            is_long: place.pace == Pace::Slow,
            is_first: place.is_first,
        });
        waiting.collect()
    }

    /// These tracks wait for nothing any more, and nothing is being made of them.
    pub(super) fn cancel_tracks(&mut self, tracks: Vec<TrackId>, now: Timestamp) -> Vec<Effect> {
        let meant: BTreeSet<TrackId> = tracks.iter().copied().collect();
        self.queue.remove(&meant);
        for job in self.running.values() {
            if meant.contains(&job.track) {
                job.control.cancel();
            }
        }
        self.set_aside.extend(&meant);
        self.withdraw_stems(Selection::Tracks(tracks), now)
    }
}
