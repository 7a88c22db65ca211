//! Decides what is due and what may start. Pure: the clock is a parameter.

use crate::artifact::{Artifact, ArtifactRecord, Engine, Maker, Recipe};
use crate::failure::{Failure, FailureKind};
use crate::findings::Knowledge;
use crate::row::{ArtifactState, TrackState};
use crate::track::Track;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How each artifact would be made now. Artifacts without an entry are not asked for.
pub type Recipes = BTreeMap<Artifact, Recipe>;

/// What models could make now, and what they make without being asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Models {
    pub recipes: Recipes,
    /// Beats of every track, after all drafts.
    pub beats_follow: bool,
}

impl Models {
    /// None yet.
    pub fn following(beats_follow: bool) -> Self {
        let recipes = Recipes::new();
        Self {
            recipes,
            beats_follow,
        }
    }
}

/// What the models of this machine make.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    pub recipes: Recipes,
    /// Why they cannot work at present, although they were made ready once.
    pub broken: Option<Failure>,
}

impl From<Recipes> for Outlook {
    fn from(recipes: Recipes) -> Self {
        Self {
            recipes,
            broken: None,
        }
    }
}

/// What has to be there before `artifact` can be made.
///
/// Chords are snapped to beats, and the key is read from chords as much as from notes: both wait for
/// the beats. A job that makes the needed artifact itself satisfies the need.
pub fn needs(artifact: Artifact) -> &'static [Artifact] {
    match artifact {
        Artifact::Key | Artifact::Chords => &[Artifact::Beats],
        Artifact::Tags
        | Artifact::Hash
        | Artifact::Waveform
        | Artifact::Beats
        | Artifact::Stems
        | Artifact::Loudness => &[],
    }
}

/// What is made only for tracks that the user asks it for: too long and too large for a whole library. It is made
/// after everything else, of all tracks.
pub fn is_on_request(artifact: Artifact) -> bool {
    match artifact {
        Artifact::Stems => true,
        Artifact::Tags
        | Artifact::Hash
        | Artifact::Waveform
        | Artifact::Beats
        | Artifact::Key
        | Artifact::Chords
        | Artifact::Loudness => false,
    }
}

/// Whether models read this from stems.
pub fn reads_stems(artifact: Artifact) -> bool {
    matches!(artifact, Artifact::Key | Artifact::Chords)
}

/// Whether the user asked for this and has neither got it nor been told that it failed.
fn is_asked(knowledge: &Knowledge, artifact: Artifact) -> bool {
    artifact == Artifact::Stems && knowledge.stems_asked
}

/// Whether asking for stems changes anything: they are not there as they would be made now.
pub fn is_wanting(track: &Track, knowledge: &Knowledge, recipes: &Recipes) -> bool {
    let Some(recipe) = recipes.get(&Artifact::Stems) else {
        return false;
    };
    let record = knowledge.records.get(&Artifact::Stems);
    let stands = knowledge.stems.is_some()
        && record.is_some_and(|record| {
            record.failure.is_none() && !is_outdated(record, recipe, (track, knowledge))
        });
    !track.missing && !stands
}

/// Whether `record` no longer answers for the file as it is and the recipe as it is. What a model made stands above the
/// built-in recipe, unless the user wants that.
fn is_outdated(
    record: &ArtifactRecord,
    recipe: &Recipe,
    (track, knowledge): (&Track, &Knowledge),
) -> bool {
    let is_finer = is_above(record, (track, knowledge));
    record.made_from != track.stamp || (record.recipe != *recipe && !is_finer)
}

/// Whether a model made this from the file as it is, and nobody wants the built-in analysis alone.
fn is_above(record: &ArtifactRecord, (track, knowledge): (&Track, &Knowledge)) -> bool {
    let is_of_model = record.recipe.maker.is_model() && record.failure.is_none();
    is_of_model && record.made_from == track.stamp && knowledge.engine != Engine::Native
}

/// Whether what a model made stays: the built-in analysis takes its place neither by force nor because what it rests on
/// was made anew.
pub fn is_kept((track, knowledge): (&Track, &Knowledge), artifact: Artifact) -> bool {
    let record = knowledge.records.get(&artifact);
    record.is_some_and(|record| is_above(record, (track, knowledge)))
}

/// What of the work of models is meant besides what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redo {
    Nothing,
    /// What failed, whenever its next try would be.
    Failed,
    /// That, and what stands.
    All,
}

/// What models should make of a track, now or later, beside and after the drafts of the built-in analysis. `chosen`:
/// what is meant.
pub fn finer(
    (track, knowledge): (&Track, &Knowledge),
    models: &Models,
    (chosen, redo): (&dyn Fn(Artifact) -> bool, Redo),
    now: Timestamp,
) -> BTreeSet<Artifact> {
    if track.missing || knowledge.engine == Engine::Native {
        return BTreeSet::new();
    }
    let is_behind = |artifact: Artifact, recipe: &Recipe| {
        if knowledge.is_by_hand(artifact) {
            return false;
        }
        let is_same =
            |record: &&ArtifactRecord| record.recipe == *recipe && record.made_from == track.stamp;
        let stands = knowledge.records.get(&artifact).filter(is_same);
        let stands = stands.filter(|record| record.failure.is_none());
        let failed = knowledge.tried.get(&artifact).filter(is_same);
        let may_try = |record: &ArtifactRecord| {
            redo == Redo::Failed && record.failure.is_some()
                || may_retry(record, now)
                || was_away(record)
        };
        redo == Redo::All || stands.is_none() && failed.is_none_or(may_try)
    };
    let is_wished = |artifact: Artifact| match artifact {
        Artifact::Stems => is_asked(knowledge, artifact),
        Artifact::Beats => models.beats_follow || knowledge.engine == Engine::Neural,
        _ => knowledge.engine == Engine::Neural,
    };
    let mut finer: BTreeSet<Artifact> = models
        .recipes
        .iter()
        .filter(|(artifact, recipe)| {
            chosen(**artifact) && is_wished(**artifact) && is_behind(**artifact, recipe)
        })
        .map(|(artifact, _)| *artifact)
        .collect();
    let are_split = knowledge
        .stems_of(track.stamp)
        .is_some_and(|set| set.maker.is_model());
    if finer.iter().any(|it| reads_stems(*it)) && !are_split {
        match models.recipes.get(&Artifact::Stems) {
            Some(recipe) if is_behind(Artifact::Stems, recipe) => {
                finer.insert(Artifact::Stems);
            }
            _ => finer.retain(|artifact| !reads_stems(*artifact)),
        }
    }
    finer
}

/// How often the same recipe failed before.
pub fn attempts(
    (knowledge, by_model): (&Knowledge, bool),
    artifact: Artifact,
    recipe: &Recipe,
) -> u32 {
    let records = if by_model {
        &knowledge.tried
    } else {
        &knowledge.records
    };
    records
        .get(&artifact)
        .filter(|record| record.recipe == *recipe)
        .and_then(|record| record.failure.as_ref())
        .map_or(0, |failure| failure.attempts)
}

/// Whether a stored failure may be tried again.
fn may_retry(record: &ArtifactRecord, now: Timestamp) -> bool {
    record
        .failure
        .as_ref()
        .and_then(|failure| failure.retry_at)
        .is_some_and(|at| at <= now)
}

/// Whether it failed because something was not there: the file, the model or its environment. Of a file and a model that
/// are there, that says nothing any more.
fn was_away(record: &ArtifactRecord) -> bool {
    let failure = record.failure.as_ref();
    failure.is_some_and(|failure| failure.kind == FailureKind::Missing)
}

/// Artifacts of one track that should be made now or later. A missing file has none.
pub fn due(
    track: &Track,
    knowledge: &Knowledge,
    recipes: &Recipes,
    now: Timestamp,
) -> BTreeSet<Artifact> {
    if track.missing {
        return BTreeSet::new();
    }
    let mut due: BTreeSet<Artifact> = recipes
        .iter()
        .filter(|(artifact, recipe)| match knowledge.records.get(artifact) {
            _ if is_asked(knowledge, **artifact) => !is_kept((track, knowledge), **artifact),
            None => !is_on_request(**artifact),
            // What the user set by hand outranks every analysis, for ever.
            Some(record) if record.recipe.maker == Maker::User => false,
            // Once asked for, it is kept in step with the file; a better recipe waits until it is asked for again.
            Some(record) if is_on_request(**artifact) => {
                record.made_from != track.stamp || may_retry(record, now)
            }
            Some(record) if is_outdated(record, recipe, (track, knowledge)) => true,
            Some(record) => may_retry(record, now),
        })
        .map(|(artifact, _)| *artifact)
        .collect();
    due.extend(outlived_drafts((track, knowledge), recipes, &due));
    due
}

/// What the built-in analysis made, or is to take the place of, of [`outlived`].
pub fn outlived_drafts(
    (track, knowledge): (&Track, &Knowledge),
    recipes: &Recipes,
    remade: &BTreeSet<Artifact>,
) -> Vec<Artifact> {
    let mut outlived = outlived(knowledge, recipes, remade);
    outlived.retain(|artifact| !is_kept((track, knowledge), *artifact));
    outlived
}

/// Results that rest on one of `remade` and will not fit it any more once that has been made anew.
pub fn outlived(
    knowledge: &Knowledge,
    recipes: &Recipes,
    remade: &BTreeSet<Artifact>,
) -> Vec<Artifact> {
    let rests_on_remade =
        |artifact: &Artifact| needs(*artifact).iter().any(|it| remade.contains(it));
    let stands = |artifact: &Artifact| {
        knowledge
            .records
            .get(artifact)
            .is_some_and(|record| record.recipe.maker != Maker::User && record.failure.is_none())
    };
    recipes
        .keys()
        .copied()
        .filter(|it| rests_on_remade(it) && stands(it))
        .collect()
}

/// What a track is due when the user names it: failures too, whenever their next try would be.
pub fn due_when_named(
    track: &Track,
    knowledge: &Knowledge,
    recipes: &Recipes,
    now: Timestamp,
) -> BTreeSet<Artifact> {
    let failed = |artifact: &Artifact| {
        knowledge
            .records
            .get(artifact)
            .is_some_and(|record| record.failure.is_some())
    };
    let mut due = due(track, knowledge, recipes, now);
    due.extend(
        remakable(track, knowledge, recipes)
            .into_iter()
            .filter(failed),
    );
    due
}

/// What a forced run makes again: everything asked for that the user did not set by hand and no model made.
pub fn forced(track: &Track, knowledge: &Knowledge, recipes: &Recipes) -> BTreeSet<Artifact> {
    let mut forced = remakable(track, knowledge, recipes);
    forced.retain(|artifact| {
        let is_meant = !is_on_request(*artifact) || is_asked(knowledge, *artifact);
        is_meant && !is_kept((track, knowledge), *artifact)
    });
    forced
}

/// What analysis may make at all.
fn remakable(track: &Track, knowledge: &Knowledge, recipes: &Recipes) -> BTreeSet<Artifact> {
    if track.missing {
        return BTreeSet::new();
    }
    let by_hand = |artifact: &&Artifact| {
        knowledge
            .records
            .get(artifact)
            .is_some_and(|record| record.recipe.maker == Maker::User)
    };
    recipes
        .keys()
        .filter(|artifact| !by_hand(artifact))
        .copied()
        .collect()
}

/// The state of every artifact, in the order of [`Artifact::ALL`].
pub fn artifact_states(
    knowledge: &Knowledge,
    due: &BTreeSet<Artifact>,
    running: &BTreeSet<Artifact>,
) -> [ArtifactState; Artifact::ALL.len()] {
    Artifact::ALL.map(|artifact| {
        if running.contains(&artifact) {
            return ArtifactState::Running;
        }
        let record = knowledge.records.get(&artifact);
        // A failure waiting for its next try is shown as the failure it is.
        if let Some(record) = record
            && record.failure.is_some()
            && !is_asked(knowledge, artifact)
        {
            return ArtifactState::Failed;
        }
        if due.contains(&artifact) {
            let comes = |other: &Artifact| due.contains(other) || running.contains(other);
            let waits = needs(artifact).iter().any(comes)
                || is_on_request(artifact)
                    && Artifact::ALL
                        .iter()
                        .any(|other| !is_on_request(*other) && comes(other));
            return if waits {
                ArtifactState::Waiting
            } else {
                ArtifactState::Due
            };
        }
        match record {
            Some(_) => ArtifactState::Done,
            None => ArtifactState::Absent,
        }
    })
}

/// The state of a track as a whole.
pub fn track_state(track: &Track, artifacts: &[ArtifactState; Artifact::ALL.len()]) -> TrackState {
    let any = |state| artifacts.contains(&state);
    // What was asked for beyond that and failed leaves a track ready that is.
    let lacks = || {
        let states = Artifact::ALL.into_iter().zip(artifacts);
        let mut usual = states.filter(|(artifact, _)| !is_on_request(*artifact));
        usual.any(|(_, state)| *state == ArtifactState::Failed)
    };
    if track.missing && track.is_streamed() {
        TrackState::Streaming
    } else if track.missing {
        TrackState::Missing
    } else if any(ArtifactState::Running) {
        TrackState::Analyzing
    } else if any(ArtifactState::Due) || any(ArtifactState::Waiting) {
        TrackState::Partial
    } else if track.damage.is_some() || lacks() {
        TrackState::Failed
    } else {
        TrackState::Ready
    }
}

#[cfg(test)]
mod tests;
