//! Models: what they could make, which tracks want it, what becomes of their failures.

use super::State;
use super::memory::Load;
use crate::artifact::{Artifact, ArtifactRecord, Engine};
use crate::core_loop::command::Extent;
use crate::core_loop::input::Effect;
use crate::core_loop::queue::{Pace, Wish};
use crate::failure::Failure;
use crate::findings::Knowledge;
use crate::jobs::neural;
use crate::jobs::plan::{self, Models, Outlook, Recipes, Redo};
use crate::jobs::pool::JobId;
use crate::setup::{Family, SetupCommand};
use crate::store::Change;
use crate::track::TrackId;
use crate::units::Secs;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What one job is to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) wants: BTreeSet<Artifact>,
    /// Those of them that models make.
    pub(super) by_models: BTreeSet<Artifact>,
}

/// Models that worked, or should, and cannot now. What they would make waits for them.
#[derive(Debug)]
pub(super) struct Lost {
    recipes: Recipes,
    pub(super) failure: Failure,
    /// Stems that were asked for later are made by whoever can.
    since: Timestamp,
}

/// Another Tonearm may have changed what there is.
const LOOK: Effect = Effect::Setup(SetupCommand::Glance);

impl State {
    /// What of a wish is done at this pace; what is left of it waits for the other.
    pub(super) fn work_at(
        &mut self,
        pace: Pace,
        track: TrackId,
        wish: &Wish,
        now: Timestamp,
    ) -> Work {
        let wanted = self.wanted(track, wish, now);
        let (slow, quick): (BTreeSet<Artifact>, BTreeSet<Artifact>) =
            wanted.into_iter().partition(|it| plan::is_on_request(*it));
        if pace == Pace::Slow {
            let slow = self.hold_lost((track, slow), wish, now);
            return self.slow_work(track, slow, wish, now);
        }
        let finer = self.finer_by(&self.hoped(), track, (wish, now));
        if !slow.is_empty() || !finer.is_empty() {
            let extent = Extent::Only(&slow | &finer);
            let (force, named) = (wish.force, wish.named);
            let later = Wish {
                extent,
                force,
                named,
            };
            self.queue.push_slow(track, later);
        }
        Work {
            wants: quick,
            ..Work::default()
        }
    }

    pub(super) fn load_of(&self, track: TrackId, work: &Work) -> Load {
        let of_ours = &work.wants - &work.by_models;
        let models = neural::memory_bytes(work.by_models.iter().copied());
        Load {
            by_models: !work.by_models.is_empty(),
            bytes: (self.limits.job_bytes)(&of_ours, self.duration(track)).max(models),
        }
    }

    pub(super) fn duration(&self, track: TrackId) -> Option<Secs> {
        let format = self.catalog.get(track)?.track.format.as_ref()?;
        Some(format.duration)
    }

    /// What models should make of a track for a wish, after the drafts.
    fn finer(&self, id: TrackId, wish: &Wish, now: Timestamp) -> BTreeSet<Artifact> {
        self.finer_by(self.catalog.models(), id, (wish, now))
    }

    /// What these models should.
    pub(super) fn finer_by(
        &self,
        models: &Models,
        id: TrackId,
        (wish, now): (&Wish, Timestamp),
    ) -> BTreeSet<Artifact> {
        let Some(row) = self.catalog.get(id) else {
            return BTreeSet::new();
        };
        let redo = match (wish.force, wish.named) {
            (true, _) => Redo::All,
            (false, true) => Redo::Failed,
            (false, false) => Redo::Nothing,
        };
        plan::finer(
            (&row.track, &row.knowledge),
            models,
            (&|artifact| wish.extent.includes(artifact), redo),
            now,
        )
    }

    /// What of the slow part of a wish models make, with the drafts that will not fit their results any more.
    pub(super) fn slow_work(
        &self,
        id: TrackId,
        slow: BTreeSet<Artifact>,
        wish: &Wish,
        now: Timestamp,
    ) -> Work {
        let mut by_models = self.finer(id, wish, now);
        let mut wants = slow;
        if let Some(row) = self.catalog.get(id) {
            let records = &row.knowledge.records;
            for artifact in plan::outlived(&row.knowledge, &self.recipes, &by_models) {
                let of_model = records
                    .get(&artifact)
                    .is_some_and(|it| it.recipe.maker.is_model());
                let has_model = self.catalog.models().recipes.contains_key(&artifact);
                if !of_model {
                    wants.insert(artifact);
                } else if has_model && row.stems().is_some_and(|set| set.maker.is_model()) {
                    by_models.insert(artifact);
                }
            }
        }
        wants.extend(&by_models);
        Work { wants, by_models }
    }

    /// The models with those that were lost: for these it is worth waiting.
    pub(super) fn hoped(&self) -> Cow<'_, Models> {
        let ready = self.catalog.models();
        let Some(lost) = &self.lost else {
            return Cow::Borrowed(ready);
        };
        let mut recipes = lost.recipes.clone();
        recipes.extend(ready.recipes.clone());
        Cow::Owned(Models {
            recipes,
            ..ready.clone()
        })
    }

    /// What of the slow part of a wish need not wait for models that were lost; the rest does.
    fn hold_lost(
        &mut self,
        (id, mut slow): (TrackId, BTreeSet<Artifact>),
        wish: &Wish,
        now: Timestamp,
    ) -> BTreeSet<Artifact> {
        let Some((lost, row)) = self.lost.as_ref().zip(self.catalog.get(id)) else {
            return slow;
        };
        let hoped = self.finer_by(&self.hoped(), id, (wish, now));
        let mut waits = &hoped - &self.finer(id, wish, now);
        let knowledge = &row.knowledge;
        let asked_at = knowledge.stems_asked_at.filter(|_| knowledge.stems_asked);
        if asked_at.is_some_and(|at| at > lost.since)
            && !plan::is_kept((&row.track, knowledge), Artifact::Stems)
        {
            waits.remove(&Artifact::Stems);
        }
        slow.retain(|artifact| !waits.contains(artifact));
        if !waits.is_empty() {
            let (force, named) = (wish.force, wish.named);
            let later = Wish {
                extent: Extent::Only(waits),
                force,
                named,
            };
            self.queue.hold(id, later);
        }
        slow
    }

    pub(super) fn models_are(&mut self, outlook: Outlook, now: Timestamp) {
        let Outlook { recipes, broken } = outlook;
        let before = self.lost.take();
        let since = before.as_ref().map_or(now, |lost| lost.since);
        let (mut lost, told) =
            before.map_or_else(Default::default, |lost| (lost.recipes, Some(lost.failure)));
        let ready = if broken.is_some() {
            lost.extend(self.catalog.models().recipes.clone());
            lost.extend(recipes);
            Recipes::new()
        } else {
            // Drafts would take the place of the stems that somebody waits for.
            let of_stems = self.catalog.models().recipes.get(&Artifact::Stems);
            if let Some(recipe) = of_stems
                && self
                    .catalog
                    .rows
                    .iter()
                    .any(|row| row.knowledge.stems_asked)
            {
                lost.insert(Artifact::Stems, recipe.clone());
            }
            lost.retain(|artifact, _| !recipes.contains_key(artifact));
            recipes
        };
        let family = lost.keys().find_map(|artifact| neural::family(*artifact));
        let missing = || neural::gone(family.map_or(Family::Stems, |(family, _)| family));
        let failure = broken.or(told.filter(|_| ready.is_empty()));
        self.lost = (!lost.is_empty()).then(|| Lost {
            recipes: lost,
            failure: failure.unwrap_or_else(missing),
            since,
        });
        self.queue.release();
        let beats_follow = self.choices.beats_follow;
        let models = Models {
            recipes: ready,
            beats_follow,
        };
        self.set_models(models, now);
    }

    /// What models need for a job is not there any more: no fault of the track. What is left of it waits for them, as
    /// does all that is like it, and the set-up is looked at again.
    pub(super) fn models_went(
        &mut self,
        id: JobId,
        failure: &Failure,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Some(job) = self.running.remove(&id) else {
            return Vec::new();
        };
        self.catalog.set_running(job.track, BTreeSet::new(), now);
        let outlook = Outlook {
            recipes: self.catalog.models().recipes.clone(),
            broken: Some(failure.clone()),
        };
        self.models_are(outlook, now);
        if self.catalog.get(job.track).is_some() && job.control.check().is_ok() {
            let left = Wish {
                extent: Extent::Only(job.left),
                ..job.wish
            };
            self.queue.push_slow(job.track, left);
        }
        vec![LOOK]
    }

    /// Whoever waits for models does not wait longer than until they are there again, whoever has seen to it.
    pub(super) fn look_for_models(&self) -> Option<Effect> {
        (self.queue.held() > 0).then_some(LOOK)
    }

    /// After a job with models it is known what they run on, and others may have changed them meanwhile.
    pub(super) fn models_worked(by_models: &Recipes) -> Option<Effect> {
        (!by_models.is_empty()).then_some(LOOK)
    }

    pub(super) fn follow_with_beats(&mut self, beats_follow: bool, now: Timestamp) -> Vec<Effect> {
        if beats_follow == self.choices.beats_follow {
            return Vec::new();
        }
        self.choices.beats_follow = beats_follow;
        let models = Models {
            beats_follow,
            ..self.catalog.models().clone()
        };
        self.set_models(models, now);
        let mut changes = vec![Change::PutChoices(self.choices)];
        if !beats_follow {
            changes.extend(self.forget_beats(now));
        }
        self.write_all(changes)
    }

    /// Where a model failed at beats that nobody wants of it any more.
    fn forget_beats(&mut self, now: Timestamp) -> Vec<Change> {
        let failed: Vec<TrackId> = self
            .catalog
            .rows
            .iter()
            .filter(|row| row.knowledge.engine == Engine::Auto)
            .filter(|row| row.knowledge.tried.contains_key(&Artifact::Beats))
            .map(|row| row.track.id)
            .collect();
        let mut changes = Vec::new();
        for id in failed {
            if let Some(mut knowledge) = self.catalog.found(id) {
                knowledge.tried.remove(&Artifact::Beats);
                self.catalog.put_knowledge(id, knowledge.clone(), now);
                changes.push(Change::PutKnowledge(id, knowledge));
            }
        }
        changes
    }

    fn set_models(&mut self, models: Models, now: Timestamp) {
        if models == *self.catalog.models() {
            return;
        }
        self.catalog.set_models(models, now);
        if self.eager && !self.stopped {
            self.look(now);
        }
    }

    /// Who analyses these tracks from now on.
    pub(super) fn use_engine(
        &mut self,
        tracks: &[TrackId],
        engine: Option<Engine>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let Some(engine) = engine else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        for &id in tracks {
            let Some(mut knowledge) = self.catalog.found(id) else {
                continue;
            };
            if knowledge.engine != engine {
                knowledge.engine = engine;
                self.catalog.put_knowledge(id, knowledge.clone(), now);
                changes.push(Change::PutKnowledge(id, knowledge));
            }
        }
        self.write_all(changes)
    }

    /// A model failed or found nothing: what there is stays, and stems that were asked for are made by the built-in
    /// analysis where there are none by a model.
    pub(super) fn keep_draft(
        &mut self,
        track: TrackId,
        artifact: Artifact,
        (knowledge, record): (&mut Knowledge, ArtifactRecord),
    ) {
        knowledge.tried.insert(artifact, record);
        let row = self.catalog.get(track);
        if row.is_some_and(|row| plan::is_kept((&row.track, knowledge), artifact)) {
            knowledge.stems_asked &= artifact != Artifact::Stems;
        } else if artifact == Artifact::Stems && knowledge.stems_asked {
            let wish = Wish {
                extent: Extent::Only([Artifact::Stems].into()),
                ..Wish::default()
            };
            self.queue.push_slow(track, wish);
        }
    }
}
