//! Stems: which the user asked for, which are in use, which have to go for others.

use super::State;
use crate::artifact::Artifact;
use crate::core_loop::command::Selection;
use crate::core_loop::input::Effect;
use crate::findings::{Finding, Knowledge};
use crate::jobs::plan;
use crate::row::Row;
use crate::stems::room::{self, Held};
use crate::store::Change;
use crate::track::TrackId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Changes that go to the writer at a time.
const PIECE: usize = 1024;
/// That stems are in use is written down again after so long: what is evicted is decided in days.
const USE_HOLDS: SignedDuration = SignedDuration::from_hours(1);

impl State {
    /// Keeps in mind that stems of these tracks are wanted: also after the program has ended in any way.
    pub(super) fn ask_for_stems(
        &mut self,
        tracks: &[TrackId],
        force: bool,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut changes = Vec::new();
        for &id in tracks {
            let Some(row) = self.catalog.get(id) else {
                continue;
            };
            let is_wanting = force
                || plan::is_wanting(&row.track, &row.knowledge, &self.recipes)
                || self.has_finer_stems(row, now);
            if row.knowledge.stems_asked || !is_wanting || row.track.missing {
                continue;
            }
            changes.extend(self.put_asked(id, true, now));
        }
        self.write_all(changes)
    }

    /// Whether a model would put better stems in the place of those of a track.
    fn has_finer_stems(&self, row: &Row, now: Timestamp) -> bool {
        let mut knowledge = row.knowledge.clone();
        knowledge.stems_asked = true;
        let chosen = |artifact| artifact == Artifact::Stems;
        let models = self.catalog.models();
        !plan::finer(
            (&row.track, &knowledge),
            models,
            (&chosen, plan::Redo::Failed),
            now,
        )
        .is_empty()
    }

    /// Wishes for stems are taken back; those in the making stop.
    pub(super) fn withdraw_stems(&mut self, tracks: Selection, now: Timestamp) -> Vec<Effect> {
        let asked = self.selected(tracks);
        let mut changes = Vec::new();
        for &id in &asked {
            if self
                .catalog
                .get(id)
                .is_some_and(|row| row.knowledge.stems_asked)
            {
                changes.extend(self.put_asked(id, false, now));
            }
        }
        let asked: BTreeSet<TrackId> = asked.into_iter().collect();
        self.queue.remove_slow(&asked);
        for job in self.running.values() {
            if asked.contains(&job.track) && job.left.contains(&Artifact::Stems) {
                job.control.cancel();
            }
        }
        self.write_all(changes)
    }

    fn put_asked(&mut self, id: TrackId, asked: bool, now: Timestamp) -> Option<Change> {
        let mut knowledge = self.catalog.found(id)?;
        knowledge.stems_asked = asked;
        self.catalog.put_knowledge(id, knowledge.clone(), now);
        Some(Change::PutKnowledge(id, knowledge))
    }

    /// From now on these are in use, and no others.
    pub(super) fn use_stems(&mut self, tracks: Vec<TrackId>, now: Timestamp) -> Vec<Effect> {
        let before = std::mem::take(&mut self.stems_in_use);
        self.stems_in_use = tracks.into_iter().collect();
        let touched: Vec<TrackId> = self.stems_in_use.union(&before).copied().collect();
        let mut changes = Vec::new();
        for id in touched {
            let Some(mut knowledge) = self.catalog.found(id) else {
                continue;
            };
            let Some(set) = &mut knowledge.stems else {
                continue;
            };
            if now.duration_since(set.used) >= USE_HOLDS {
                set.used = now;
                self.catalog.put_knowledge(id, knowledge.clone(), now);
                changes.push(Change::PutKnowledge(id, knowledge));
            }
        }
        self.write_all(changes)
    }

    /// Lets go of the stems that were not used for longest, until those that are left and `more` bytes fit into the
    /// budget.
    pub(super) fn make_room(&mut self, more: u64, now: Timestamp) -> Vec<Effect> {
        let busy: BTreeSet<TrackId> = self.running.values().map(|job| job.track).collect();
        let held: Vec<Held> = self
            .catalog
            .rows
            .iter()
            .filter_map(|row| {
                let id = row.track.id;
                let set = row.knowledge.stems.as_deref()?;
                Some(Held {
                    track: id,
                    bytes: set.bytes,
                    used: set.used,
                    may_go: !busy.contains(&id) && !self.stems_in_use.contains(&id),
                })
            })
            .collect();
        let mut changes = Vec::new();
        for id in room::evicted(held, more, self.limits.stem_bytes) {
            let Some(mut knowledge) = self.catalog.found(id) else {
                continue;
            };
            let Some(set) = knowledge.stems.take() else {
                continue;
            };
            knowledge.records.remove(&Artifact::Stems);
            self.catalog.put_knowledge(id, knowledge.clone(), now);
            changes.push(Change::PutKnowledge(id, knowledge));
            changes.push(Change::DropStems(id, set.key));
        }
        self.write_all(changes)
    }

    /// As above, for the stems of a track that are about to be made.
    pub(super) fn room_for_stems(&mut self, track: TrackId, now: Timestamp) -> Vec<Effect> {
        let expected = room::expected_bytes(self.duration(track));
        // What does not fit by itself does not drive out what is there: it will be refused.
        if expected > self.limits.stem_bytes {
            return Vec::new();
        }
        self.make_room(expected, now)
    }

    pub(super) fn write_all(&mut self, mut changes: Vec<Change>) -> Vec<Effect> {
        let mut effects = Vec::new();
        while !changes.is_empty() {
            let later = changes.split_off(PIECE.min(changes.len()));
            effects.push(self.write(changes, Vec::new()));
            changes = later;
        }
        effects
    }
}

/// What the library does with a result beside the knowledge: nothing, when it is none.
pub(super) fn kept(track: TrackId, before: &Knowledge, finding: &Finding) -> Vec<Change> {
    let mut changes = vec![Change::PutFinding(track, finding.clone())];
    if let (Finding::Stems(set), Some(old)) = (finding, &before.stems)
        && set.key != old.key
    {
        changes.push(Change::DropStems(track, old.key));
    }
    changes
}

/// How the full result of `artifact` goes.
pub(super) fn dropped(track: TrackId, before: &Knowledge, artifact: Artifact) -> Option<Change> {
    match (artifact, &before.stems) {
        (Artifact::Stems, Some(set)) => Some(Change::DropStems(track, set.key)),
        (Artifact::Stems, None) => None,
        _ => Some(Change::DropFinding(track, artifact)),
    }
}
