//! Models: what they could make, which tracks want it, what becomes of their failures.

use super::State;
use super::memory::Load;
use crate::artifact::{Artifact, ArtifactRecord, Engine};
use crate::core_loop::command::Extent;
use crate::core_loop::input::Effect;
use crate::core_loop::queue::{Pace, Wish};
use crate::findings::Knowledge;
use crate::jobs::neural;
use crate::jobs::plan::{self, Models, Recipes, Redo};
use crate::store::Change;
use crate::track::TrackId;
use crate::units::Secs;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What one job is to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) wants: BTreeSet<Artifact>,
    /// Those of them that models make.
    pub(super) by_models: BTreeSet<Artifact>,
}

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
            return self.slow_work(track, slow, wish, now);
        }
        let finer = self.finer(track, wish, now);
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
    pub(super) fn finer(&self, id: TrackId, wish: &Wish, now: Timestamp) -> BTreeSet<Artifact> {
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
            self.catalog.models(),
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

    pub(super) fn models_are(&mut self, recipes: Recipes, now: Timestamp) {
        let beats_follow = self.choices.beats_follow;
        let models = Models {
            recipes,
            beats_follow,
        };
        self.set_models(models, now);
    }

    pub(super) fn follow_with_beats(&mut self, beats_follow: bool, now: Timestamp) -> Vec<Effect> {
        if beats_follow == self.choices.beats_follow {
            return Vec::new();
        }
        self.choices.beats_follow = beats_follow;
        let recipes = self.catalog.models().recipes.clone();
        self.models_are(recipes, now);
        self.write_all(vec![Change::PutChoices(self.choices)])
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

    /// A model failed or found nothing: what there is stays, and stems that were asked for are made by the built-in analysis.
    pub(super) fn keep_draft(
        &mut self,
        track: TrackId,
        artifact: Artifact,
        (knowledge, record): (&mut Knowledge, ArtifactRecord),
    ) {
        knowledge.tried.insert(artifact, record);
        if artifact == Artifact::Stems && knowledge.stems_asked {
            let wish = Wish {
                extent: Extent::Only([Artifact::Stems].into()),
                ..Wish::default()
            };
            self.queue.push_slow(track, wish);
        }
    }
}
