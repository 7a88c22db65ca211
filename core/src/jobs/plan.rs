//! Decides what is due and what may start. Pure: the clock is a parameter.

use crate::artifact::{Artifact, ArtifactRecord, Maker, Recipe};
use crate::findings::Knowledge;
use crate::row::{ArtifactState, TrackState};
use crate::track::{FileStamp, Track};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How each artifact would be made now. Artifacts without an entry are not asked for.
pub type Recipes = BTreeMap<Artifact, Recipe>;

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

/// Whether `record` no longer answers for the file as it is and the recipe as it is.
fn is_outdated(record: &ArtifactRecord, recipe: &Recipe, stamp: FileStamp) -> bool {
    record.recipe != *recipe || record.made_from != stamp
}

/// Whether a stored failure may be tried again.
fn may_retry(record: &ArtifactRecord, now: Timestamp) -> bool {
    record
        .failure
        .as_ref()
        .and_then(|failure| failure.retry_at)
        .is_some_and(|at| at <= now)
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
            None => true,
            // What the user set by hand outranks every analysis, for ever.
            Some(record) if record.recipe.maker == Maker::User => false,
            Some(record) if is_outdated(record, recipe, track.stamp) => true,
            Some(record) => may_retry(record, now),
        })
        .map(|(artifact, _)| *artifact)
        .collect();
    due.extend(outlived(knowledge, recipes, &due));
    due
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
    due.extend(forced(track, knowledge, recipes).into_iter().filter(failed));
    due
}

/// What a forced run makes again: everything asked for that the user did not set by hand.
pub fn forced(track: &Track, knowledge: &Knowledge, recipes: &Recipes) -> BTreeSet<Artifact> {
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
        {
            return ArtifactState::Failed;
        }
        if due.contains(&artifact) {
            let waits = needs(artifact)
                .iter()
                .any(|needed| due.contains(needed) || running.contains(needed));
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
    if track.missing && track.is_streamed() {
        TrackState::Streaming
    } else if track.missing {
        TrackState::Missing
    } else if any(ArtifactState::Running) {
        TrackState::Analyzing
    } else if any(ArtifactState::Due) || any(ArtifactState::Waiting) {
        TrackState::Partial
    } else if any(ArtifactState::Failed) || track.damage.is_some() {
        TrackState::Failed
    } else {
        TrackState::Ready
    }
}

#[cfg(test)]
mod tests;
