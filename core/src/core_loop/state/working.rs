//! Jobs: which start, what their news change.

use super::memory::{self, Load, Standing};
use super::models::Work;
use super::stems::Unready;
use super::{State, WRITES_IN_FLIGHT, stems};
use crate::artifact::{Artifact, ArtifactRecord, Recipe};
use crate::audio::LiveColumns;
use crate::backend::{Heard, Made};
use crate::control::Control;
use crate::core_loop::event::Event;
use crate::core_loop::input::Effect;
use crate::core_loop::queue::{Reach, Wish};
use crate::failure::{Failure, FailureKind};
use crate::findings::Finding;
use crate::import::reading;
use crate::import::tags::TagsRead;
use crate::jobs::plan::{self, Recipes};
use crate::jobs::pool::{JobEnd, JobId, JobNews, TrackJob};
use crate::store::Change;
use crate::track::{ContentHash, FileStamp, TrackId};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A job under way.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) track: TrackId,
    /// Wanted and not yet told of.
    pub(super) left: BTreeSet<Artifact>,
    pub(super) control: Control,
    /// The waveform as far as it is, when it is being made.
    pub(super) live: Option<LiveColumns>,
    made_from: FileStamp,
    load: Load,
    started: Timestamp,
    had_failure: bool,
    /// How models make what they are to make.
    pub(super) by_models: Recipes,
    /// What it was begun for.
    pub(super) wish: Wish,
}

impl State {
    /// What a wish comes to for one track, with what its artifacts need first.
    pub(super) fn wanted(&self, id: TrackId, wish: &Wish, now: Timestamp) -> BTreeSet<Artifact> {
        let due = if wish.named {
            self.catalog.due_when_named(id, now)
        } else {
            self.catalog.due(id, now)
        };
        let pool = if wish.force {
            self.catalog.forced(id)
        } else {
            due.clone()
        };
        let mut wanted: BTreeSet<Artifact> = pool
            .into_iter()
            .filter(|artifact| wish.extent.includes(*artifact))
            .collect();
        let needed: Vec<Artifact> = wanted
            .iter()
            .flat_map(|artifact| plan::needs(*artifact))
            .filter(|needed| due.contains(needed))
            .copied()
            .collect();
        wanted.extend(needed);
        if let Some(row) = self.catalog.get(id) {
            let known = (&*row.track, &*row.knowledge);
            wanted.extend(plan::outlived_drafts(known, &self.recipes, &wanted));
        }
        wanted
    }

    /// Starts waiting jobs while there is room.
    pub(super) fn start_jobs(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut reach = Reach::All;
        while !self.paused
            && self.storage_trouble.is_none()
            && !self.reloading
            && self.running.len() < self.limits.slots
            && self.writes_in_flight < WRITES_IN_FLIGHT
        {
            let busy: BTreeSet<TrackId> = self.running.values().map(|job| job.track).collect();
            let next = self.queue.pop_where(reach, |track| !busy.contains(&track));
            let Some((track, wish, pace)) = next else {
                break;
            };
            let mut work = self.work_at(pace, track, &wish, now);
            if work.wants.is_empty() {
                continue;
            }
            let load = self.load_of(track, &work);
            let running: Vec<Load> = self.running.values().map(|job| job.load).collect();
            let standing = memory::standing(load, &running, self.limits.memory_bytes);
            let way = match standing {
                Standing::Free => self.way_for(track, &work, now),
                Standing::Full | Standing::Taken => Err(Unready::Later),
            };
            match way {
                Ok(way) => effects.extend(way),
                Err(Unready::Later) => {
                    self.queue.push_front(track, wish, pace);
                    if standing == Standing::Full || reach == Reach::QuickOnly {
                        break;
                    }
                    // Whoever waits for the models or for room does not hold up what needs none.
                    reach = Reach::QuickOnly;
                    continue;
                }
                Err(Unready::Never(failure)) => {
                    effects.extend(self.refuse_stems(track, &mut work, &failure, now));
                    if work.wants.is_empty() {
                        continue;
                    }
                }
            }
            effects.extend(self.start_job(track, (work, load), wish, now));
        }
        effects
    }

    fn start_job(
        &mut self,
        track: TrackId,
        (work, load): (Work, Load),
        wish: Wish,
        now: Timestamp,
    ) -> Option<Effect> {
        let Work { wants, by_models } = work;
        let row = Arc::clone(self.catalog.get(track)?);
        let id = JobId(self.next_job);
        self.next_job += 1;
        let control = Control::default();
        let live = wants
            .contains(&Artifact::Waveform)
            .then(LiveColumns::default);
        let mut recipes = self.catalog.models().recipes.clone();
        recipes.retain(|artifact, _| by_models.contains(artifact));
        let running = Running {
            track,
            left: wants.clone(),
            control: control.clone(),
            live: live.clone(),
            made_from: row.track.stamp,
            load,
            started: now,
            had_failure: false,
            wish,
            by_models: recipes.clone(),
        };
        self.running.insert(id, running);
        self.catalog.set_running(track, wants.clone(), now);
        Some(Effect::StartJob(TrackJob {
            id,
            track,
            path: row.track.path.as_path().to_path_buf(),
            wants,
            recipes,
            stems: row.stems().filter(|set| set.maker.is_model()).copied(),
            duration: row.track.format.as_ref().map(|format| format.duration),
            tag_bpm: row.track.tags.bpm,
            live,
            control,
        }))
    }

    pub(super) fn job_news(&mut self, id: JobId, news: JobNews, now: Timestamp) -> Vec<Effect> {
        let Some(track) = self.running.get(&id).map(|job| job.track) else {
            return Vec::new();
        };
        if let JobNews::Ended(end) = news {
            return self.job_ended(id, &end, now);
        }
        // A track that was removed meanwhile (it turned out to be another one that moved) wants nothing.
        if self.catalog.get(track).is_none() {
            return Vec::new();
        }
        let from = Source { job: id, track };
        match news {
            JobNews::Tags(result) => self.tags_read(from, result, now),
            JobNews::Hash { result, cpu_secs } => self.hash_made(from, result, cpu_secs, now),
            JobNews::Heard(heard) => self.heard(track, heard, now),
            JobNews::Made(made) => self.made(from, made, now),
            JobNews::Ended(_) => Vec::new(),
        }
    }

    fn tags_read(
        &mut self,
        from: Source,
        result: Result<TagsRead, Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Source { track, .. } = from;
        let mut changes = Vec::new();
        let failure = match result {
            Ok(read) => {
                if let Some(mut fresh) = self.catalog.track(track) {
                    reading::describe(&mut fresh, read);
                    self.catalog.put_track(fresh.clone(), now);
                    changes.push(Change::PutTrack(fresh));
                }
                None
            }
            Err(failure) => Some(failure),
        };
        self.record(
            from,
            Outcome {
                artifact: Artifact::Tags,
                failure,
                cpu_secs: 0.0,
                nothing_found: false,
            },
            changes,
            now,
        )
    }

    fn hash_made(
        &mut self,
        from: Source,
        result: Result<ContentHash, Failure>,
        cpu_secs: f32,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Source { track, .. } = from;
        let artifact = Artifact::Hash;
        let hash = match result {
            Err(failure) => {
                let outcome = Outcome {
                    artifact,
                    failure: Some(failure),
                    cpu_secs,
                    nothing_found: false,
                };
                return self.record(from, outcome, Vec::new(), now);
            }
            Ok(hash) => hash,
        };
        let mut changes = Vec::new();
        let mut is_first = false;
        if let Some(mut fresh) = self.catalog.track(track) {
            is_first = fresh.hash.is_none();
            fresh.hash = Some(hash);
            self.catalog.put_track(fresh.clone(), now);
            changes.push(Change::PutTrack(fresh));
        }
        let outcome = Outcome {
            artifact,
            failure: None,
            cpu_secs,
            nothing_found: false,
        };
        let mut effects = self.record(from, outcome, changes, now);
        let newcomer = is_first.then_some(track);
        if let Some((changes, event)) = self.reconcile(&hash, newcomer, now) {
            effects.push(self.write(changes, vec![event]));
        }
        if let Some(row) = self.catalog.get(track)
            && let Some(same_as) = row.duplicates.first()
        {
            let event = Event::DuplicateFound {
                track,
                same_as: *same_as,
            };
            effects.push(self.write(Vec::new(), vec![event]));
        }
        effects
    }

    /// Decoding knows better than the container.
    fn heard(&mut self, id: TrackId, heard: Heard, now: Timestamp) -> Vec<Effect> {
        let Some(mut track) = self.catalog.track(id) else {
            return Vec::new();
        };
        let Heard { format, damage } = heard;
        let damage = damage.map(Box::new);
        let event = damage.clone().map(|failure| Event::Damaged {
            track: id,
            failure: *failure,
        });
        if track.format.as_ref() == Some(&format) && track.damage == damage {
            return vec![self.write(Vec::new(), event.into_iter().collect())];
        }
        track.format = Some(format);
        track.damage = damage;
        self.catalog.put_track(track.clone(), now);
        vec![self.write(vec![Change::PutTrack(track)], event.into_iter().collect())]
    }

    fn made(&mut self, from: Source, made: Made, now: Timestamp) -> Vec<Effect> {
        let Source { track, .. } = from;
        let Made {
            artifact,
            result,
            cpu_secs,
        } = made;
        let before = self.catalog.found(track).unwrap_or_default();
        let by_model = self.recipe_of_model(from, artifact).is_some();
        let (changes, failure, finding) = match result {
            Ok(Some(finding)) => (stems::kept(track, &before, &finding), None, Some(finding)),
            // What the built-in analysis found stays.
            Ok(None) if by_model => (Vec::new(), None, None),
            Ok(None) => {
                let changes = stems::dropped(track, &before, artifact);
                (changes.into_iter().collect(), None, None)
            }
            Err(failure) => {
                let mut changes = Vec::new();
                if failure.kind == FailureKind::Missing {
                    changes.extend(self.vanished(track, now));
                }
                if !by_model {
                    changes.extend(self.drop_outdated(from, artifact, now));
                }
                (changes, Some(failure), None)
            }
        };
        if finding.is_some() || failure.is_none() && !by_model {
            self.note(track, artifact, finding.as_ref(), now);
        }
        let nothing_found = failure.is_none() && finding.is_none();
        self.record(
            from,
            Outcome {
                artifact,
                failure,
                cpu_secs,
                nothing_found,
            },
            changes,
            now,
        )
    }

    /// A result of the file as it was before must not stand for the file as it is now, which failed.
    fn drop_outdated(&mut self, from: Source, artifact: Artifact, now: Timestamp) -> Vec<Change> {
        let Source { job, track } = from;
        let made_from = self.running.get(&job).map(|job| job.made_from);
        let found = self.catalog.found(track).unwrap_or_default();
        let record = found.records.get(&artifact);
        let is_outdated = record.is_some_and(|record| Some(record.made_from) != made_from);
        if !is_outdated {
            return Vec::new();
        }
        self.note(track, artifact, None, now);
        stems::dropped(track, &found, artifact)
            .into_iter()
            .collect()
    }

    fn note(&mut self, id: TrackId, artifact: Artifact, finding: Option<&Finding>, now: Timestamp) {
        let Some(mut knowledge) = self.catalog.found(id) else {
            return;
        };
        knowledge.forget(artifact);
        if let Some(finding) = finding {
            knowledge.note(finding);
        }
        self.catalog.put_knowledge(id, knowledge, now);
    }

    /// Books the outcome for one artifact, writes it, and tells of it once it is written.
    fn record(
        &mut self,
        from: Source,
        outcome: Outcome,
        mut changes: Vec<Change>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Source { job: id, track } = from;
        let Outcome {
            artifact,
            failure,
            cpu_secs,
            nothing_found,
        } = outcome;
        let of_model = self.recipe_of_model(from, artifact);
        let by_model = of_model.is_some();
        let (Some(recipe), Some(mut knowledge)) = (
            of_model.or_else(|| self.catalog.recipe(artifact).cloned()),
            self.catalog.found(track),
        ) else {
            return Vec::new();
        };
        let Some(job) = self.running.get_mut(&id) else {
            return Vec::new();
        };
        job.left.remove(&artifact);
        job.had_failure |= failure.is_some();
        let (made_from, left, started) = (job.made_from, job.left.clone(), job.started);
        let failure = failure.map(|failure| {
            failure.after(
                plan::attempts((&knowledge, by_model), artifact, &recipe),
                now,
            )
        });
        let event = Event::Made {
            track,
            artifact,
            maker: recipe.maker,
            seconds: now.duration_since(started).as_secs_f64(),
            cpu_secs,
            failure: failure.clone(),
        };
        let record = ArtifactRecord {
            recipe: recipe.into(),
            made_from,
            cpu_secs,
            failure: failure.map(Box::new),
            nothing_found,
        };
        if by_model && (record.failure.is_some() || record.nothing_found) {
            self.keep_draft(track, artifact, (&mut knowledge, record));
        } else {
            knowledge.records.insert(artifact, record);
            if by_model {
                knowledge.tried.remove(&artifact);
            }
            if artifact == Artifact::Stems {
                knowledge.stems_asked = false;
                let has_failed = knowledge
                    .outcomes()
                    .any(|(it, record)| it == artifact && record.failure.is_some());
                knowledge.stems_asked_at = knowledge.stems_asked_at.filter(|_| has_failed);
            }
        }
        self.catalog.put_knowledge(track, knowledge.clone(), now);
        self.catalog.set_running(track, left, now);
        changes.push(Change::PutKnowledge(track, knowledge));
        vec![self.write(changes, vec![event])]
    }

    /// How a model makes this in that job, if one does.
    fn recipe_of_model(&self, from: Source, artifact: Artifact) -> Option<Recipe> {
        let job = self.running.get(&from.job)?;
        job.by_models.get(&artifact).cloned()
    }

    fn job_ended(&mut self, id: JobId, end: &JobEnd, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let reason = match end {
            JobEnd::Complete => Some("an analysis ended without a result".to_owned()),
            JobEnd::Panicked(words) => Some(format!("an analysis broke down: {words}")),
            JobEnd::Cancelled => None,
            JobEnd::Unready(failure) => return self.models_went(id, failure, now),
        };
        let (track, left) = match self.running.get(&id) {
            Some(job) => (job.track, job.left.clone()),
            None => return effects,
        };
        if let Some(reason) = reason
            && self.catalog.get(track).is_some()
        {
            for artifact in left {
                let remedy =
                    "Please report it with the file, if you may; try again after an update";
                let failure = Some(Failure::new(FailureKind::Bug, reason.clone(), remedy));
                let outcome = Outcome {
                    artifact,
                    failure,
                    cpu_secs: 0.0,
                    nothing_found: false,
                };
                effects.extend(self.record(Source { job: id, track }, outcome, Vec::new(), now));
            }
        }
        self.catalog.set_running(track, BTreeSet::new(), now);
        if let Some(job) = self.running.remove(&id) {
            self.finished += 1;
            self.failed += u64::from(job.had_failure);
            effects.extend(Self::models_worked(&job.by_models));
        }
        effects
    }
}

/// Whose news it is.
#[derive(Debug, Clone, Copy)]
struct Source {
    job: JobId,
    track: TrackId,
}

/// What came of one artifact.
struct Outcome {
    artifact: Artifact,
    failure: Option<Failure>,
    cpu_secs: f32,
    nothing_found: bool,
}
