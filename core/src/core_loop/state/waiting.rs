//! What runs and waits: as the view tells it, what the user takes back of it, and what is tried again.

use super::State;
use super::stems::Asking;
use crate::artifact::Artifact;
use crate::control::Control;
use crate::core_loop::command::{Extent, Selection};
use crate::core_loop::event::{Event, Tally};
use crate::core_loop::input::Effect;
use crate::core_loop::queue::{Pace, Wish};
use crate::core_loop::view::{Activity, ImportProgress, MOST_WAITING, RunningJob, Waiting};
use crate::track::TrackId;
use jiff::Timestamp;
use std::collections::BTreeSet;

impl State {
    pub(super) fn activity(&self) -> Activity {
        let running = self.running.values().map(|job| RunningJob {
            track: job.track,
            wants: job.left.clone(),
            by_models: job.by_models.keys().copied().collect(),
            control: job.control.clone(),
            live: job.live.clone(),
        });
        Activity {
            import: self.import.as_ref().map(|import| ImportProgress {
                tally: import.tally,
                expected: import.expected,
            }),
            queued: self.queue.len(),
            held: self.queue.held(),
            lost_models: self.lost.as_ref().map(|lost| lost.failure.clone()),
            waiting: self.waiting(),
            running: running.collect(),
            finished: self.finished,
            failed: self.failed,
            paused: self.paused,
            storage_trouble: self.storage_trouble.clone(),
        }
    }

    /// The first that wait.
    fn waiting(&self) -> Vec<Waiting> {
        let places = self.queue.places().take(MOST_WAITING);
        let waiting = places.map(|place| Waiting {
            track: place.track,
            extent: place.wish.extent.clone(),
            is_long: place.pace == Pace::Slow,
            is_first: place.is_first,
            is_held: place.is_held,
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

    /// What failed is tried again, now.
    pub(super) fn retry(&mut self, tracks: Selection, now: Timestamp) -> Vec<Effect> {
        let mut of_stems = Vec::new();
        let is_named = matches!(tracks, Selection::Tracks(_));
        let ids = self.selected(tracks);
        for &id in &ids {
            self.set_aside.remove(&id);
            let Some(row) = self.catalog.get(id) else {
                continue;
            };
            let knowledge = &row.knowledge;
            let failed: BTreeSet<Artifact> = knowledge
                .outcomes()
                .filter(|(_, record)| record.failure.is_some())
                .map(|(artifact, _)| artifact)
                .collect();
            // What a model alone needed stems for does not become a wish for stems.
            let is_lacking = knowledge.records.get(&Artifact::Stems);
            let is_lacking = is_lacking.is_some_and(|record| record.failure.is_some());
            let was_asked = is_lacking || knowledge.stems_asked_at.is_some();
            if was_asked && failed.contains(&Artifact::Stems) {
                of_stems.push(id);
            }
            if !failed.is_empty() {
                self.queue.push(
                    id,
                    Wish {
                        extent: Extent::Only(failed),
                        force: false,
                        named: true,
                    },
                );
            }
        }
        let effects = self.ask_for_stems(&of_stems, Asking::Again, now);
        if is_named {
            self.put_few_first(&ids);
        }
        effects
    }

    pub(super) fn cancel(&mut self, stop: fn(&Control)) -> Vec<Effect> {
        self.queue.clear();
        self.relinks_waiting.clear();
        if let Some(import) = &mut self.import {
            import.cancel();
        }
        for job in self.running.values() {
            stop(&job.control);
        }
        let mut effects: Vec<Effect> = std::mem::take(&mut self.imports_waiting)
            .into_iter()
            .map(|wish| {
                let tally = Tally::default();
                Effect::Say(Event::ImportFinished {
                    request: wish.request,
                    tally,
                    cancelled: true,
                })
            })
            .collect();
        effects.push(Effect::StopScans);
        effects
    }
}
