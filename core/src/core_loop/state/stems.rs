//! Stems: which the user asked for, which are in use, which have to go for others.

use super::State;
use super::models::Work;
use crate::artifact::{Artifact, ArtifactRecord};
use crate::core_loop::command::Selection;
use crate::core_loop::event::Event;
use crate::core_loop::input::Effect;
use crate::failure::{Failure, FailureKind};
use crate::findings::{Finding, Knowledge};
use crate::jobs::plan;
use crate::row::Row;
use crate::stems::room::{self, Held, StemRoom};
use crate::store::Change;
use crate::track::TrackId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Changes that go to the writer at a time.
const PIECE: usize = 1024;
/// That stems are in use is written down again after so long: what is evicted is decided in days.
const USE_HOLDS: SignedDuration = SignedDuration::from_hours(1);

/// How stems are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Those that are not there as they would be made now.
    Anew,
    /// All.
    Force,
    /// Those that failed: the wish is as old as it was.
    Again,
}

/// Why work with stems does not begin.
pub(super) enum Unready {
    /// Once others that are being made have shown what they take, which is less than expected as a rule.
    Later,
    Never(Failure),
}

impl State {
    /// Keeps in mind that stems of these tracks are wanted: also after the program has ended in any way.
    pub(super) fn ask_for_stems(
        &mut self,
        tracks: &[TrackId],
        asking: Asking,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut changes = Vec::new();
        for &id in tracks {
            let Some(row) = self.catalog.get(id) else {
                continue;
            };
            let is_wanting = asking == Asking::Force
                || plan::is_wanting(&row.track, &row.knowledge, &self.recipes)
                || self.has_finer_stems(row, now);
            let Some(mut knowledge) = self.catalog.found(id) else {
                continue;
            };
            match &mut knowledge.stems {
                _ if row.track.missing || knowledge.stems_asked => continue,
                Some(set) if !is_wanting => set.used = now,
                None if !is_wanting => continue,
                _ => {
                    knowledge.stems_asked = true;
                    let since = knowledge.stems_asked_at;
                    let is_old = asking == Asking::Again;
                    knowledge.stems_asked_at = Some(since.filter(|_| is_old).unwrap_or(now));
                }
            }
            self.catalog.put_knowledge(id, knowledge.clone(), now);
            changes.push(Change::PutKnowledge(id, knowledge));
        }
        self.write_all(changes)
    }

    /// What all stems together may take.
    pub(super) fn stem_room(&self) -> StemRoom {
        StemRoom {
            bytes: self.choices.stem_bytes.unwrap_or(self.limits.stem_bytes),
            is_chosen: self.choices.stem_bytes.is_some(),
        }
    }

    /// Stems that there was no room for are tried again.
    pub(super) fn limit_stems(&mut self, stem_bytes: Option<u64>, now: Timestamp) -> Vec<Effect> {
        self.choices.stem_bytes = stem_bytes;
        let mut effects = self.write_all(vec![Change::PutChoices(self.choices)]);
        let lacked_room = |row: &&std::sync::Arc<Row>| {
            let records = [&row.knowledge.records, &row.knowledge.tried];
            let failures = records
                .into_iter()
                .filter_map(|of| of.get(&Artifact::Stems)?.failure.as_ref());
            let mut kinds = failures.map(|failure| failure.kind);
            kinds.any(|kind| kind == FailureKind::Storage)
        };
        let rows = self.catalog.rows.iter().filter(lacked_room);
        let ids: Vec<TrackId> = rows.map(|row| row.track.id).collect();
        effects.extend(self.ask_for_stems(&ids, Asking::Again, now));
        if self.eager && !self.stopped {
            self.look(now);
        }
        effects
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
                changes.extend(self.take_back(id, now));
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

    fn take_back(&mut self, id: TrackId, now: Timestamp) -> Option<Change> {
        let mut knowledge = self.catalog.found(id)?;
        knowledge.stems_asked = false;
        knowledge.stems_asked_at = None;
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

    /// Lets go of the stems that were not used for longest, until there is room for those of a track that are about to
    /// be made. None goes that is in use, or that was made or used since these were asked for: a batch would only take
    /// apart again what it has made. Where that is not enough, nothing goes, and the reason is given.
    pub(super) fn way_for(
        &mut self,
        track: TrackId,
        work: &Work,
        now: Timestamp,
    ) -> Result<Vec<Effect>, Unready> {
        if !work.wants.contains(&Artifact::Stems) {
            return Ok(Vec::new());
        }
        let asked = self.catalog.get(track).map(|row| &row.knowledge);
        let since = asked
            .and_then(|known| known.stems_asked_at)
            .unwrap_or(self.began);
        let mut busy: BTreeSet<TrackId> = self.running.values().map(|job| job.track).collect();
        busy.insert(track);
        let being_made = self.running.values().filter(|job| {
            let is_other = job.track != track;
            is_other && job.left.contains(&Artifact::Stems)
        });
        let growing: Vec<u64> = being_made.map(|job| self.growth(job.track)).collect();
        let is_alone = growing.is_empty();
        let growing = growing.into_iter().fold(0_u64, u64::saturating_add);
        let held = self.catalog.rows.iter().filter_map(|row| {
            let id = row.track.id;
            let set = row.knowledge.stems.as_deref()?;
            Some(Held {
                track: id,
                bytes: set.bytes,
                used: set.used,
                may_go: !busy.contains(&id) && !self.stems_in_use.contains(&id) && set.used < since,
            })
        });
        let budget = self.stem_room().bytes;
        let more = self.growth(track).saturating_add(growing);
        let gone = room::evicted(held.collect(), more, budget).map_err(|crowded| {
            let expected = room::expected_bytes(self.duration(track));
            if is_alone || expected > budget {
                Unready::Never(room::refusal(expected, crowded, budget))
            } else {
                Unready::Later
            }
        })?;
        Ok(self.evict(gone, now))
    }

    /// What the stems of a track will take beyond those that they take the place of, in bytes.
    fn growth(&self, track: TrackId) -> u64 {
        let row = self.catalog.get(track);
        let set = row.and_then(|row| row.knowledge.stems.as_deref());
        let expected = room::expected_bytes(self.duration(track));
        expected.saturating_sub(set.map_or(0, |set| set.bytes))
    }

    fn evict(&mut self, tracks: Vec<TrackId>, now: Timestamp) -> Vec<Effect> {
        let mut changes = Vec::new();
        for id in tracks {
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

    /// There is no room for the stems of a track: that is what becomes of them, and of what models would have read from
    /// them. The rest of the work stays.
    pub(super) fn refuse_stems(
        &mut self,
        track: TrackId,
        work: &mut Work,
        failure: &Failure,
        now: Timestamp,
    ) -> Vec<Effect> {
        let (Some(row), Some(mut knowledge)) =
            (self.catalog.get(track).cloned(), self.catalog.found(track))
        else {
            return Vec::new();
        };
        let reads_stems = |it: &Artifact| work.by_models.contains(it) && plan::reads_stems(*it);
        let is_lost = |it: &Artifact| *it == Artifact::Stems || reads_stems(it);
        let lost: BTreeSet<Artifact> = work
            .wants
            .iter()
            .filter(|it| is_lost(it))
            .copied()
            .collect();
        let models = self.catalog.models().recipes.clone();
        let mut events = Vec::new();
        for &artifact in &lost {
            let by_model = work.by_models.contains(&artifact);
            let recipe = if by_model {
                models.get(&artifact)
            } else {
                self.recipes.get(&artifact)
            };
            let Some(recipe) = recipe.cloned() else {
                continue;
            };
            let before = plan::attempts((&knowledge, by_model), artifact, &recipe);
            let failure = failure.clone().after(before, now);
            events.push(Event::Made {
                track,
                artifact,
                maker: recipe.maker,
                seconds: 0.0,
                cpu_secs: 0.0,
                failure: Some(failure.clone()),
            });
            let record = ArtifactRecord {
                recipe: recipe.into(),
                made_from: row.track.stamp,
                cpu_secs: 0.0,
                failure: Some(Box::new(failure)),
                nothing_found: false,
            };
            // What stands is still of use.
            let stands = row.stems().is_some() || artifact != Artifact::Stems;
            if by_model && stands {
                knowledge.tried.insert(artifact, record);
            } else {
                knowledge.records.insert(artifact, record);
            }
        }
        knowledge.stems_asked = false;
        self.catalog.put_knowledge(track, knowledge.clone(), now);
        work.wants.retain(|it| !lost.contains(it));
        work.by_models.retain(|it| !lost.contains(it));
        self.finished += 1;
        self.failed += 1;
        vec![self.write(vec![Change::PutKnowledge(track, knowledge)], events)]
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
