//! Stems: which the user asked for, which are in use, which have to go for others.

use super::State;
use super::models::Work;
use crate::artifact::{Artifact, ArtifactRecord, Recipe};
use crate::core_loop::command::Selection;
use crate::core_loop::event::Event;
use crate::core_loop::input::Effect;
use crate::failure::{Failure, FailureKind};
use crate::findings::records::Records;
use crate::findings::{Finding, Knowledge};
use crate::jobs::plan;
use crate::row::Row;
use crate::stems::room::{self, Held, StemRoom};
use crate::store::Change;
use crate::track::{FileStamp, TrackId};
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
            let by_force = asking == Asking::Force
                && (self.hoped().recipes.contains_key(&Artifact::Stems)
                    || !plan::is_kept((&row.track, &row.knowledge), Artifact::Stems));
            let is_wanting = by_force
                || plan::is_wanting(&row.track, &row.knowledge, &self.recipes)
                || self.has_finer_stems(row, now);
            let Some(mut knowledge) = self.catalog.found(id) else {
                continue;
            };
            match &mut knowledge.stems {
                _ if row.track.missing => continue,
                // Of what is wanted already, only the user makes the wish a new one.
                _ if knowledge.stems_asked && asking == Asking::Again => continue,
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

    /// What there was no room for is tried again, as it was wished: stems where the user asked for them, otherwise what
    /// models read from stems.
    pub(super) fn limit_stems(&mut self, stem_bytes: Option<u64>, now: Timestamp) -> Vec<Effect> {
        self.choices.stem_bytes = stem_bytes;
        let mut effects = self.write_all(vec![Change::PutChoices(self.choices)]);
        let mut changes = Vec::new();
        let mut asked = Vec::new();
        let lacked_room: Vec<TrackId> = self
            .catalog
            .rows
            .iter()
            .filter(|row| has_lacked_room(&row.knowledge))
            .map(|row| row.track.id)
            .collect();
        for id in lacked_room {
            let Some(mut knowledge) = self.catalog.found(id) else {
                continue;
            };
            let_retry(&mut knowledge.records, now);
            let_retry(&mut knowledge.tried, now);
            if knowledge.stems_asked_at.is_some() {
                asked.push(id);
            }
            self.catalog.put_knowledge(id, knowledge.clone(), now);
            changes.push(Change::PutKnowledge(id, knowledge));
        }
        effects.extend(self.write_all(changes));
        effects.extend(self.ask_for_stems(&asked, Asking::Again, now));
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
        let wishes = self.catalog.rows.iter().map(|row| &row.knowledge);
        let newest_wish = wishes
            .filter(|known| known.stems_asked)
            .filter_map(|known| known.stems_asked_at)
            .max();
        let mut changes = Vec::new();
        for id in touched {
            let Some(mut knowledge) = self.catalog.found(id) else {
                continue;
            };
            let Some(set) = &mut knowledge.stems else {
                continue;
            };
            // Nothing of them goes for a wish that is older than their use.
            let is_wished_since = newest_wish.is_some_and(|at| at > set.used);
            if is_wished_since || now.duration_since(set.used) >= USE_HOLDS {
                set.used = now;
                self.catalog.put_knowledge(id, knowledge.clone(), now);
                changes.push(Change::PutKnowledge(id, knowledge));
            }
        }
        self.write_all(changes)
    }

    /// Lets go of the stems that were not used for longest, until there is room for those of a track that are about to
    /// be made. None goes that is in use, or that was made or used since these were asked for: a batch would only take
    /// apart again what it has made. For stems that nobody asked for, which a model only reads from, any goes that is not
    /// in use. Where that is not enough, nothing goes, and the reason is given.
    pub(super) fn way_for(
        &mut self,
        track: TrackId,
        work: &Work,
        now: Timestamp,
    ) -> Result<Vec<Effect>, Unready> {
        // What cannot be decoded needs no room: the job that tries it again says why.
        if !work.wants.contains(&Artifact::Stems) || self.is_undecodable(track) {
            return Ok(Vec::new());
        }
        let known = self.catalog.get(track).map(|row| &row.knowledge);
        let since = match known.filter(|known| known.stems_asked) {
            Some(known) => known.stems_asked_at.unwrap_or(self.began),
            None => Timestamp::MAX,
        };
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
        let room = self.stem_room();
        let budget = room.bytes;
        let more = self.growth(track).saturating_add(growing);
        let gone = room::evicted(held.collect(), more, budget).map_err(|crowded| {
            let expected = room::expected_bytes(self.duration(track));
            if is_alone || expected > budget {
                Unready::Never(room::refusal(expected, crowded, room))
            } else {
                Unready::Later
            }
        })?;
        Ok(self.evict(gone, now))
    }

    /// Whether no sound was found in the file of a track as it is.
    fn is_undecodable(&self, track: TrackId) -> bool {
        let row = self.catalog.get(track);
        row.is_some_and(|row| row.is_undecodable())
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
    /// them, until there is more room or the user asks again. The rest of the work stays, and so do stems that stand; of
    /// the file as it was before they do not.
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
        let stamp = row.track.stamp;
        let mut changes = drop_outdated(track, &mut knowledge, stamp);
        let reads_stems = |it: &Artifact| work.by_models.contains(it) && plan::reads_stems(*it);
        let is_lost = |it: &Artifact| *it == Artifact::Stems || reads_stems(it);
        let lost: BTreeSet<Artifact> = work.wants.iter().copied().filter(is_lost).collect();
        let mut events = Vec::new();
        for &artifact in &lost {
            let by_model = work.by_models.contains(&artifact);
            let models = &self.catalog.models().recipes;
            let recipes = if by_model { models } else { &self.recipes };
            let Some(recipe) = recipes.get(&artifact) else {
                continue;
            };
            let earlier = plan::attempts((&knowledge, by_model), artifact, recipe);
            let record = refused((recipe, earlier), failure, stamp);
            events.push(Event::Made {
                track,
                artifact,
                maker: recipe.maker,
                seconds: 0.0,
                cpu_secs: 0.0,
                failure: record.failure.as_deref().cloned(),
            });
            if by_model {
                knowledge.tried.insert(artifact, record);
            }
        }
        // Stems that stand are no failure, nor are those that a model alone wanted.
        let is_known = knowledge.stems_asked || knowledge.records.contains_key(&Artifact::Stems);
        if is_known
            && knowledge.stems_of(stamp).is_none()
            && let Some(recipe) = self.recipes.get(&Artifact::Stems)
        {
            let earlier = plan::attempts((&knowledge, false), Artifact::Stems, recipe);
            let record = refused((recipe, earlier), failure, stamp);
            knowledge.records.insert(Artifact::Stems, record);
        }
        knowledge.stems_asked = false;
        self.catalog.put_knowledge(track, knowledge.clone(), now);
        changes.push(Change::PutKnowledge(track, knowledge));
        work.wants.retain(|it| !lost.contains(it));
        work.by_models.retain(|it| !lost.contains(it));
        if work.wants.is_empty() {
            self.finished += 1;
            self.failed += 1;
        }
        vec![self.write(changes, events)]
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

/// Stems of the file as it was before must not stand for the file as it is now.
fn drop_outdated(track: TrackId, knowledge: &mut Knowledge, stamp: FileStamp) -> Vec<Change> {
    let record = knowledge.records.get(&Artifact::Stems);
    if record.is_none_or(|record| record.made_from == stamp) {
        return Vec::new();
    }
    let drop = dropped(track, knowledge, Artifact::Stems);
    knowledge.forget(Artifact::Stems);
    drop.into_iter().collect()
}

fn is_of_stems(artifact: Artifact) -> bool {
    artifact == Artifact::Stems || plan::reads_stems(artifact)
}

fn has_lacked_room(knowledge: &Knowledge) -> bool {
    let mut failures = knowledge
        .outcomes()
        .filter(|(artifact, _)| is_of_stems(*artifact))
        .filter_map(|(_, record)| record.failure.as_ref());
    failures.any(|failure| failure.kind == FailureKind::Storage)
}

/// What room was lacking for may be tried again from then on.
fn let_retry(records: &mut Records, at: Timestamp) {
    records.retain(|artifact, record| {
        if let Some(failure) = &mut record.failure
            && is_of_stems(*artifact)
            && failure.kind == FailureKind::Storage
        {
            failure.retry_at = Some(at);
        }
        true
    });
}

/// The record of what is not made for lack of room, after earlier tries.
fn refused(
    (recipe, earlier): (&Recipe, u32),
    failure: &Failure,
    made_from: FileStamp,
) -> ArtifactRecord {
    let failure = Failure {
        attempts: earlier.saturating_add(1),
        // Time alone brings no room.
        retry_at: None,
        ..failure.clone()
    };
    ArtifactRecord {
        recipe: recipe.clone().into(),
        made_from,
        cpu_secs: 0.0,
        failure: Some(Box::new(failure)),
        nothing_found: false,
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
