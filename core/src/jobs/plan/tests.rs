//! What is due, and what a row shows of it.

use super::*;
use crate::failure::{Failure, FailureKind};
use crate::track::{FilePath, FileStamp, Tags, TrackId};
use std::path::PathBuf;

fn recipe(maker: Maker, version: u32) -> Recipe {
    Recipe {
        maker,
        version,
        parameters: String::new(),
        model: None,
    }
}

fn recipes() -> Recipes {
    [Artifact::Hash, Artifact::Beats, Artifact::Chords]
        .map(|artifact| (artifact, recipe(Maker::Native, 2)))
        .into()
}

fn track() -> Track {
    Track {
        id: TrackId(1),
        path: FilePath(PathBuf::from("a.mp3")),
        root: PathBuf::from(".").into(),
        stamp: FileStamp {
            bytes: 10,
            modified_ns: 5,
        },
        tags: Tags::default(),
        format: None,
        hash: None,
        added: Timestamp::UNIX_EPOCH,
        missing: false,
        damage: None,
        sources: Vec::new(),
        borrowed: crate::track::TagFields::default(),
    }
}

fn record(maker: Maker, version: u32) -> ArtifactRecord {
    ArtifactRecord {
        recipe: recipe(maker, version).into(),
        made_from: track().stamp,
        cpu_secs: 0.0,
        failure: None,
        nothing_found: false,
    }
}

fn failed(retry_at: Option<Timestamp>) -> ArtifactRecord {
    let failure = Failure {
        kind: FailureKind::Damaged,
        message: String::new(),
        remedy: String::new(),
        attempts: 1,
        retry_at,
    };
    ArtifactRecord {
        failure: Some(Box::new(failure)),
        ..record(Maker::Native, 2)
    }
}

fn knowing(records: &[(Artifact, ArtifactRecord)]) -> Knowledge {
    Knowledge {
        records: records.iter().cloned().collect(),
        ..Knowledge::default()
    }
}

fn due_at(knowledge: &Knowledge, second: i64) -> Vec<Artifact> {
    let now = Timestamp::from_second(second).unwrap();
    due(&track(), knowledge, &recipes(), now)
        .into_iter()
        .collect()
}

#[test]
fn everything_is_due_for_a_new_track_and_nothing_for_a_missing_one() {
    assert_eq!(
        due_at(&Knowledge::default(), 0),
        [Artifact::Hash, Artifact::Beats, Artifact::Chords]
    );
    let missing = Track {
        missing: true,
        ..track()
    };
    assert!(
        due(
            &missing,
            &Knowledge::default(),
            &recipes(),
            Timestamp::UNIX_EPOCH
        )
        .is_empty()
    );
}

#[test]
fn a_new_version_another_maker_or_a_changed_file_makes_a_result_due_again() {
    let done = |beats| {
        knowing(&[
            (Artifact::Hash, record(Maker::Native, 2)),
            (Artifact::Beats, beats),
            (Artifact::Chords, record(Maker::Native, 2)),
        ])
    };
    assert_eq!(due_at(&done(record(Maker::Native, 2)), 0), []);
    assert_eq!(
        due_at(&done(record(Maker::Native, 1)), 0),
        [Artifact::Beats, Artifact::Chords]
    );
    assert_eq!(
        due_at(&done(record(Maker::EngineDj, 2)), 0),
        [Artifact::Beats, Artifact::Chords]
    );
    let stale = ArtifactRecord {
        made_from: FileStamp {
            bytes: 10,
            modified_ns: 6,
        },
        ..record(Maker::Native, 2)
    };
    assert_eq!(due_at(&done(stale), 0), [Artifact::Beats, Artifact::Chords]);
}

#[test]
fn what_the_user_set_is_never_due_not_even_by_force() {
    let by_hand = knowing(&[(Artifact::Beats, record(Maker::User, 0))]);
    assert_eq!(due_at(&by_hand, 0), [Artifact::Hash, Artifact::Chords]);
    let forced: Vec<Artifact> = forced(&track(), &by_hand, &recipes()).into_iter().collect();
    assert_eq!(forced, [Artifact::Hash, Artifact::Chords]);
}

#[test]
fn a_failure_is_tried_again_when_its_time_has_come_and_not_before() {
    let later = Timestamp::from_second(100).unwrap();
    let rest = [
        (Artifact::Hash, record(Maker::Native, 2)),
        (Artifact::Chords, record(Maker::Native, 2)),
    ];
    let with = |beats: ArtifactRecord| {
        let mut all = rest.to_vec();
        all.push((Artifact::Beats, beats));
        knowing(&all)
    };
    assert_eq!(due_at(&with(failed(Some(later))), 99), []);
    let with_chords = [Artifact::Beats, Artifact::Chords];
    assert_eq!(due_at(&with(failed(Some(later))), 100), with_chords);
    assert_eq!(due_at(&with(failed(None)), 1_000_000), []);
}

#[test]
fn a_failure_is_due_at_once_when_the_user_names_the_track() {
    let mut by_hand = failed(None);
    by_hand.recipe = recipe(Maker::User, 2).into();
    let knowledge = knowing(&[
        (Artifact::Hash, by_hand),
        (Artifact::Beats, failed(None)),
        (Artifact::Chords, record(Maker::Native, 2)),
    ]);
    let due = |track: &Track| due_when_named(track, &knowledge, &recipes(), Timestamp::UNIX_EPOCH);
    assert_eq!(due(&track()), [Artifact::Beats].into());
    let gone = Track {
        missing: true,
        ..track()
    };
    assert_eq!(due(&gone), BTreeSet::new());
}

#[test]
fn a_row_shows_running_before_failed_before_due() {
    let knowledge = knowing(&[(Artifact::Hash, failed(None))]);
    let due: BTreeSet<Artifact> = [Artifact::Beats, Artifact::Chords].into();
    let idle = artifact_states(&knowledge, &due, &BTreeSet::new());
    assert_eq!(idle[1], ArtifactState::Failed);
    assert_eq!(idle[3], ArtifactState::Due);
    assert_eq!(idle[5], ArtifactState::Waiting);
    assert_eq!(idle[2], ArtifactState::Absent);
    assert_eq!(track_state(&track(), &idle), TrackState::Partial);

    let busy = artifact_states(&knowledge, &due, &[Artifact::Beats].into());
    assert_eq!(busy[3], ArtifactState::Running);
    assert_eq!(track_state(&track(), &busy), TrackState::Analyzing);

    let at_rest = artifact_states(&knowledge, &BTreeSet::new(), &BTreeSet::new());
    assert_eq!(track_state(&track(), &at_rest), TrackState::Failed);
}

#[test]
fn stems_that_failed_leave_a_track_ready_that_is() {
    let knowledge = knowing(&[(Artifact::Stems, failed(None))]);
    let states = artifact_states(&knowledge, &BTreeSet::new(), &BTreeSet::new());
    assert!(states.contains(&ArtifactState::Failed));
    assert_eq!(track_state(&track(), &states), TrackState::Ready);
}

/// Models for everything that models make.
fn models(beats_follow: bool) -> Models {
    let recipes = [
        (Artifact::Beats, Maker::BeatThis),
        (Artifact::Stems, Maker::Htdemucs),
        (Artifact::Chords, Maker::Ace),
        (Artifact::Key, Maker::Ace),
    ];
    Models {
        recipes: recipes
            .map(|(artifact, maker)| (artifact, recipe(maker, 1)))
            .into(),
        beats_follow,
    }
}

fn finer_of(knowledge: &Knowledge, models: &Models) -> Vec<Artifact> {
    let all = |_| true;
    finer(
        (&track(), knowledge),
        models,
        (&all, Redo::Nothing),
        Timestamp::UNIX_EPOCH,
    )
    .into_iter()
    .collect()
}

fn with_engine(engine: Engine, records: &[(Artifact, ArtifactRecord)]) -> Knowledge {
    Knowledge {
        engine,
        ..knowing(records)
    }
}

#[test]
fn models_work_where_they_are_asked_for_and_chords_bring_stems() {
    use Artifact::{Beats, Chords, Key, Stems};
    let draft = [(Beats, record(Maker::Native, 2))];
    let auto = with_engine(Engine::Auto, &draft);
    assert_eq!(finer_of(&auto, &models(false)), []);
    assert_eq!(finer_of(&auto, &models(true)), [Beats]);
    let asked = Knowledge {
        stems_asked: true,
        ..auto
    };
    assert_eq!(finer_of(&asked, &models(false)), [Stems]);
    let neural = with_engine(Engine::Neural, &draft);
    assert_eq!(
        finer_of(&neural, &models(false)),
        [Beats, Key, Chords, Stems]
    );
    let mut without_stems = models(false);
    without_stems.recipes.remove(&Stems);
    assert_eq!(finer_of(&neural, &without_stems), [Beats]);
    assert_eq!(
        finer_of(&with_engine(Engine::Native, &draft), &models(true)),
        []
    );
}

#[test]
fn what_a_model_made_stands_until_file_model_or_wish_change() {
    let made = record(Maker::BeatThis, 1);
    let due_of = |knowledge: &Knowledge| {
        due(&track(), knowledge, &recipes(), Timestamp::UNIX_EPOCH).contains(&Artifact::Beats)
    };
    let neural = with_engine(Engine::Neural, &[(Artifact::Beats, made.clone())]);
    assert!(!finer_of(&neural, &models(false)).contains(&Artifact::Beats));
    assert!(!due_of(&neural));
    let native = with_engine(Engine::Native, &[(Artifact::Beats, made.clone())]);
    assert!(due_of(&native), "the user wants the built-in result");
    let newer = with_engine(
        Engine::Neural,
        &[(Artifact::Beats, record(Maker::BeatThis, 0))],
    );
    assert!(finer_of(&newer, &models(false)).contains(&Artifact::Beats));
    let mut of_another_file = made;
    of_another_file.made_from.bytes += 1;
    let changed = with_engine(Engine::Neural, &[(Artifact::Beats, of_another_file)]);
    assert!(due_of(&changed), "a draft of the file as it is comes first");
    let by_hand = with_engine(Engine::Neural, &[(Artifact::Beats, record(Maker::User, 1))]);
    assert!(!finer_of(&by_hand, &models(true)).contains(&Artifact::Beats));
}

#[test]
fn a_model_that_failed_is_not_asked_again_by_itself() {
    let mut knowledge = with_engine(
        Engine::Neural,
        &[(Artifact::Beats, record(Maker::Native, 2))],
    );
    let failure = ArtifactRecord {
        recipe: recipe(Maker::BeatThis, 1).into(),
        ..failed(None)
    };
    knowledge.tried.insert(Artifact::Beats, failure);
    assert!(!finer_of(&knowledge, &models(false)).contains(&Artifact::Beats));
    for redo in [Redo::Failed, Redo::All] {
        let again = finer(
            (&track(), &knowledge),
            &models(false),
            (&|_| true, redo),
            Timestamp::UNIX_EPOCH,
        );
        assert!(again.contains(&Artifact::Beats), "{redo:?}");
    }
    let retry = Some(Timestamp::UNIX_EPOCH);
    let later = ArtifactRecord {
        recipe: recipe(Maker::BeatThis, 1).into(),
        ..failed(retry)
    };
    knowledge.tried.insert(Artifact::Beats, later);
    assert!(finer_of(&knowledge, &models(false)).contains(&Artifact::Beats));
}
