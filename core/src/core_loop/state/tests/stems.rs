//! Stems: only for who asks, after all quick work, kept in mind, and evicted before they are made.

use super::*;
use crate::jobs::neural;
use crate::row::ArtifactState;
use crate::stems::room::StemRoom;
use crate::stems::{GAIN, RATE, SetKey, StemSet};
use crate::store::Choices;
use crate::units::SampleRate;
use std::collections::BTreeSet;

pub(super) const STEMS: [Artifact; 1] = [Artifact::Stems];

pub(super) fn set(key: u32, bytes: u64, used: i64) -> StemSet {
    StemSet {
        key: SetKey(key),
        maker: Maker::Native,
        rate: SampleRate::new(RATE).unwrap(),
        frames: 44_100,
        gain: GAIN,
        residual_db: Some(-90.0),
        bytes,
        made: Timestamp::from_second(used).unwrap(),
        used: Timestamp::from_second(used).unwrap(),
    }
}

/// Tracks of which only beats and stems can be made. Nothing is wanted of them yet.
pub(super) fn with_tracks(slots: usize, names: &[&str]) -> (Bench, Vec<TrackId>) {
    let mut bench = Bench::new(slots);
    let recipe = recipes()[&Artifact::Beats].clone();
    let only: Recipes = [Artifact::Beats, Artifact::Stems]
        .map(|it| (it, recipe.clone()))
        .into();
    let limits = Limits {
        slots,
        memory_bytes: 1_000,
        job_bytes: |_, _| 60,
        stem_bytes: 100_000_000,
    };
    bench.state = State::new(Loaded::default(), only, limits, 7, Timestamp::UNIX_EPOCH);
    bench.start_import(None);
    let ids = names
        .iter()
        .map(|name| bench.meet(&format!("/music/{name}.mp3"), new))
        .collect();
    bench.end_import(&[]);
    (bench, ids)
}

impl Bench {
    pub(super) fn ask(&mut self, tracks: &[TrackId], force: bool) {
        let tracks = Selection::Tracks(tracks.to_vec());
        self.analyze(tracks, Extent::Only(STEMS.into()), (None, force));
    }

    pub(super) fn end_job(&mut self, job: usize, result: Result<Option<Finding>, Failure>) {
        let artifact = *self.jobs[job].wants.first().unwrap();
        self.made(job, artifact, result);
        self.news(job, JobNews::Ended(JobEnd::Complete));
    }

    pub(super) fn made(
        &mut self,
        job: usize,
        artifact: Artifact,
        result: Result<Option<Finding>, Failure>,
    ) {
        let cpu_secs = 1.0;
        self.news(
            job,
            JobNews::Made(Made {
                artifact,
                result,
                cpu_secs,
            }),
        );
    }

    pub(super) fn stems(&self, id: TrackId) -> ArtifactState {
        self.row(id).artifacts[Artifact::Stems as usize]
    }

    pub(super) fn wants(&self) -> Vec<(TrackId, BTreeSet<Artifact>)> {
        self.jobs
            .iter()
            .map(|job| (job.track, job.wants.clone()))
            .collect()
    }

    pub(super) fn dropped(&self) -> Vec<(TrackId, u32)> {
        let drops = self.changes.iter().filter_map(|change| match change {
            Change::DropStems(id, key) => Some((*id, key.0)),
            _ => None,
        });
        drops.collect()
    }
}

#[test]
fn nobody_gets_stems_unasked_not_even_by_force() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.analyze(Selection::All, Extent::Everything, (None, true));
    bench.end_job(0, Ok(None));
    assert_eq!(bench.wants(), [(ids[0], [Artifact::Beats].into())]);
    assert_eq!(bench.stems(ids[0]), ArtifactState::Absent);
    assert_eq!(
        bench.row(ids[0]).state,
        TrackState::Ready,
        "nothing is missing"
    );
}

#[test]
fn stems_wait_for_the_quick_work_of_all_tracks() {
    let (mut bench, ids) = with_tracks(1, &["a", "b"]);
    bench.ask(&[ids[0]], false);
    bench.analyze_all();
    assert_eq!(
        bench.stems(ids[0]),
        ArtifactState::Running,
        "nothing else was there to do"
    );
    bench.ask(&ids, false);
    assert_eq!(
        bench.stems(ids[1]),
        ArtifactState::Waiting,
        "its beats come first"
    );
    bench.end_job(0, Ok(Some(Finding::Stems(set(1, 10, 0)))));
    for job in 1..4 {
        let finding = (job == 3).then(|| Finding::Stems(set(2, 10, 0)));
        bench.end_job(job, Ok(finding));
    }
    let (beats, stems) = (BTreeSet::from([Artifact::Beats]), BTreeSet::from(STEMS));
    let order = bench.wants();
    assert_eq!(order[0], (ids[0], stems.clone()));
    assert_eq!(
        order[1..3].iter().map(|it| &it.1).collect::<Vec<_>>(),
        [&beats, &beats]
    );
    assert_eq!(order[3..], [(ids[1], stems)]);
    assert_eq!(
        bench
            .said
            .iter()
            .filter(|it| matches!(it, Event::Idle))
            .count(),
        1 + 1
    );
}

#[test]
fn a_wish_is_stored_before_work_begins_and_ends_with_what_became_of_it() {
    let broken = || Failure::new(FailureKind::Damaged, "broken", "");
    for (result, state) in [
        (Ok(Some(Finding::Stems(set(1, 10, 0)))), ArtifactState::Done),
        (Err(broken()), ArtifactState::Failed),
    ] {
        let (mut bench, ids) = with_tracks(1, &["a"]);
        bench.changes.clear();
        bench.ask(&ids, false);
        let Some(Change::PutKnowledge(_, knowledge)) = bench.changes.first() else {
            panic!("nothing is stored");
        };
        assert!(knowledge.stems_asked);
        bench.end_job(0, result);
        let row = bench.row(ids[0]);
        assert_eq!(
            (bench.stems(ids[0]), row.knowledge.stems_asked),
            (state, false)
        );
        // Asked again: what stands is not made again, what failed is.
        bench.ask(&ids, false);
        assert_eq!(
            bench.jobs.len(),
            if state == ArtifactState::Done { 1 } else { 2 }
        );
    }
}

#[test]
fn what_was_asked_for_is_taken_up_by_the_next_start_unless_it_was_withdrawn() {
    for withdrawn in [false, true] {
        let (mut bench, ids) = with_tracks(1, &["a"]);
        bench.ask(&ids, false);
        if withdrawn {
            bench.apply(Input::Command(Command::Withdraw(Selection::All)));
            assert!(bench.jobs[0].control.check().is_err(), "it stops");
        }
        bench.apply(Input::Command(Command::Cancel));
        bench.news(0, JobNews::Ended(JobEnd::Cancelled));
        let expected = if withdrawn {
            ArtifactState::Absent
        } else {
            ArtifactState::Waiting
        };
        assert_eq!(bench.stems(ids[0]), expected, "{withdrawn}");
        bench.analyze_all();
        bench.end_job(1, Ok(None));
        let again = bench
            .jobs
            .iter()
            .filter(|job| job.wants.contains(&Artifact::Stems))
            .count();
        assert_eq!(again, if withdrawn { 1 } else { 2 });
    }
}

#[test]
fn a_new_set_takes_the_place_of_the_old_in_one_transaction() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.ask(&ids, false);
    bench.end_job(0, Ok(Some(Finding::Stems(set(1, 10, 0)))));
    assert_eq!(bench.dropped(), []);
    bench.ask(&ids, true);
    assert_eq!(
        bench.row(ids[0]).stems().unwrap().key,
        SetKey(1),
        "it plays meanwhile"
    );
    bench.end_job(1, Ok(Some(Finding::Stems(set(2, 10, 0)))));
    assert_eq!(bench.dropped(), [(ids[0], 1)]);
    assert_eq!(bench.row(ids[0]).stems().unwrap().key, SetKey(2));
}

#[test]
fn room_is_made_before_work_begins_and_what_plays_stays() {
    // Unknown lengths are expected to take 90 MB of the 100.
    let (mut bench, ids) = with_tracks(1, &["a", "b", "c"]);
    for (at, used) in [(0, 30), (1, 10)] {
        bench.ask(&[ids[at]], false);
        let found = set(at as u32, 9_000_000, used);
        bench.end_job(at, Ok(Some(Finding::Stems(found))));
    }
    assert_eq!(bench.dropped(), []);
    bench.now = Timestamp::from_second(100).unwrap();
    bench.apply(Input::Command(Command::UseStems(vec![ids[1]])));
    bench.ask(&[ids[2]], false);
    assert_eq!(
        bench.dropped(),
        [(ids[0], 0)],
        "the other one was used longer ago, and plays"
    );
    assert_eq!(
        bench.stems(ids[0]),
        ArtifactState::Absent,
        "not failed, not due"
    );
    assert_eq!(bench.row(ids[0]).stems(), None);
    bench.end_job(2, Ok(Some(Finding::Stems(set(2, 9_000_000, 140)))));
    assert_eq!(bench.stems(ids[1]), ArtifactState::Done);
}

fn failure_of(bench: &Bench, id: TrackId) -> Option<Failure> {
    let record = bench
        .row(id)
        .knowledge
        .records
        .get(&Artifact::Stems)
        .cloned()?;
    record.failure.map(|failure| *failure)
}

#[test]
fn a_batch_stops_where_the_room_ends_and_evicts_nothing_that_it_made_or_found() {
    // Each is expected to take 90 MB of the 100 and takes 9: two find room.
    let (mut bench, ids) = with_tracks(1, &["old", "found", "a", "b", "c"]);
    for (at, id) in ids[..2].iter().enumerate() {
        bench.ask(&[*id], false);
        bench.end_job(at, Ok(Some(Finding::Stems(set(at as u32, 1_000_000, 5)))));
    }
    bench.now = Timestamp::from_second(100).unwrap();
    bench.ask(&ids[1..], false);
    for (job, key) in [(2, 12), (3, 13)] {
        assert_eq!(bench.jobs.len(), job + 1);
        bench.end_job(job, Ok(Some(Finding::Stems(set(key, 9_000_000, 110)))));
        bench.now = Timestamp::from_second(100 + job as i64 * 10).unwrap();
    }
    let (last, made) = (ids[4], [ids[1], ids[2], ids[3]]);
    assert_eq!(
        bench.dropped(),
        [(ids[0], 0)],
        "only what nobody asked for again"
    );
    assert_eq!(made.map(|id| bench.stems(id)), [ArtifactState::Done; 3]);
    assert_eq!(bench.stems(last), ArtifactState::Failed);
    let failure = failure_of(&bench, last).unwrap();
    assert!(
        failure
            .message
            .contains("19 MB are taken by those that were made or used since"),
        "{}",
        failure.message
    );
    assert!(failure.remedy.contains("--budget"), "{}", failure.remedy);
    assert!(bench.said.iter().any(|event| matches!(
        event,
        Event::Made { track, artifact: Artifact::Stems, failure: Some(_), .. } if *track == last
    )));
    assert_eq!(bench.said.last(), Some(&Event::Idle));
    // Tried again, the wish is as old as it was: nothing goes for it either.
    bench.apply(Input::Command(Command::Retry(Selection::All)));
    assert_eq!((bench.jobs.len(), bench.dropped().len()), (4, 1));
    // With more room it is made.
    bench.apply(Input::Command(Command::LimitStems(Some(109_000_000))));
    bench.analyze_all();
    for beats in 4..9 {
        bench.end_job(beats, Ok(None));
    }
    let wants = bench.wants();
    assert!(
        wants
            .iter()
            .any(|(id, wants)| *id == last && wants.contains(&Artifact::Stems)),
        "{wants:?}"
    );
    assert_eq!(bench.dropped().len(), 1);
}

#[test]
fn a_file_that_cannot_be_decoded_is_not_told_to_lack_room() {
    // No stems of any length would fit.
    let (mut bench, ids) = with_tracks(1, &["text"]);
    bench.apply(Input::Command(Command::LimitStems(Some(1))));
    bench.apply(Input::Command(Command::Analyze {
        request: RequestId(1),
        tracks: Selection::All,
        extent: Extent::Only([Artifact::Beats].into()),
        engine: None,
        force: false,
    }));
    let unsupported = || Failure::new(FailureKind::Unsupported, "no sound", "Use FLAC");
    bench.end_job(0, Err(unsupported()));
    bench.ask(&ids, false);
    assert_eq!(bench.jobs.len(), 2, "it is tried again");
    bench.end_job(1, Err(unsupported()));
    assert_eq!(failure_of(&bench, ids[0]).unwrap().message, "no sound");
}

#[test]
fn stems_wait_for_room_until_it_is_seen_what_others_take() {
    // Each is expected to take 90 MB of the 100.
    let (mut bench, ids) = with_tracks(2, &["a", "b"]);
    bench.ask(&ids, false);
    assert_eq!(bench.wants(), [(ids[0], STEMS.into())]);
    assert_eq!(bench.stems(ids[1]), ArtifactState::Waiting);
    bench.end_job(0, Ok(Some(Finding::Stems(set(1, 9_000_000, 10)))));
    assert_eq!(bench.wants()[1], (ids[1], STEMS.into()));
    // With room for both they are made at a time.
    let (mut bench, ids) = with_tracks(2, &["a", "b"]);
    bench.apply(Input::Command(Command::LimitStems(Some(180_000_000))));
    bench.ask(&ids, false);
    assert_eq!(bench.jobs.len(), 2);
    // What never fits does not wait.
    let (mut bench, ids) = with_tracks(2, &["a", "b"]);
    bench.apply(Input::Command(Command::LimitStems(Some(89_000_000))));
    bench.ask(&ids, false);
    assert_eq!(
        ids.iter().map(|id| bench.stems(*id)).collect::<Vec<_>>(),
        [ArtifactState::Failed; 2]
    );
}

#[test]
fn how_much_stems_may_take_is_kept_and_told() {
    let (mut bench, _) = with_tracks(1, &[]);
    assert_eq!(
        bench.state.view().stem_room,
        StemRoom {
            bytes: 100_000_000,
            is_chosen: false
        }
    );
    bench.apply(Input::Command(Command::LimitStems(Some(7))));
    assert_eq!(
        bench.state.view().stem_room,
        StemRoom {
            bytes: 7,
            is_chosen: true
        }
    );
    let choices = Choices {
        stem_bytes: Some(7),
        ..Choices::default()
    };
    assert_eq!(bench.changes.last(), Some(&Change::PutChoices(choices)));
    bench.apply(Input::Reloaded(Loaded::default()));
    assert!(!bench.state.view().stem_room.is_chosen, "the disk counts");
}

#[test]
fn stems_of_a_file_that_changed_are_not_in_step_with_it_and_made_again() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.ask(&ids, false);
    bench.end_job(0, Ok(Some(Finding::Stems(set(1, 10, 0)))));
    let mut track = bench.row(ids[0]).track;
    track.stamp.bytes = 99;
    bench.state.catalog.put_track(*track, Timestamp::UNIX_EPOCH);
    assert_eq!(bench.row(ids[0]).stems(), None);
    assert!(matches!(
        bench.stems(ids[0]),
        ArtifactState::Due | ArtifactState::Waiting
    ));
}

pub(super) fn recipes_of_models(artifacts: &[Artifact]) -> Recipes {
    let recipe = |artifact: &Artifact| {
        let recipe = Recipe {
            maker: neural::family(*artifact).unwrap().1,
            version: 1,
            parameters: String::new(),
            model: Some("f00d".to_owned()),
        };
        (*artifact, recipe)
    };
    artifacts.iter().map(recipe).collect()
}

impl Bench {
    pub(super) fn analyze_by_models(&mut self, only: &[Artifact]) {
        let extent = Extent::Only(only.iter().copied().collect());
        self.analyze(Selection::All, extent, (Some(Engine::Neural), false));
    }

    /// Ends job after job; each set of stems takes `bytes`.
    pub(super) fn work_off(&mut self, from: usize, bytes: u64) {
        let mut at = from;
        while let Some(job) = self.jobs.get(at) {
            for artifact in job.wants.clone() {
                let maker = Maker::Htdemucs;
                let of_stems = StemSet {
                    maker,
                    ..set(at as u32, bytes, self.now.as_second())
                };
                let finding = match artifact {
                    Artifact::Stems => Some(Finding::Stems(of_stems)),
                    Artifact::Chords => Some(Finding::Chords(Vec::new())),
                    _ => None,
                };
                let made = Made {
                    artifact,
                    result: Ok(finding),
                    cpu_secs: 1.0,
                };
                self.news(at, JobNews::Made(made));
            }
            self.news(at, JobNews::Ended(JobEnd::Complete));
            self.now += jiff::SignedDuration::from_secs(1);
            at += 1;
        }
    }
}

#[test]
fn stems_of_the_file_as_it_was_go_where_there_is_no_room_for_new_ones() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.ask(&ids, false);
    bench.end_job(0, Ok(Some(Finding::Stems(set(1, 10, 0)))));
    let mut track = bench.row(ids[0]).track;
    track.stamp.bytes = 99;
    bench.state.catalog.put_track(*track, Timestamp::UNIX_EPOCH);
    bench.apply(Input::Command(Command::LimitStems(Some(50_000_000))));
    bench.ask(&ids, false);
    assert_eq!(bench.stems(ids[0]), ArtifactState::Failed);
    assert_eq!(bench.row(ids[0]).stems(), None, "they are of another sound");
    assert_eq!(bench.row(ids[0]).knowledge.stems, None);
    assert_eq!(bench.dropped(), [(ids[0], 1)]);
}

#[test]
fn stems_that_stand_stay_where_there_is_no_room_to_make_them_again() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.ask(&ids, false);
    bench.end_job(0, Ok(Some(Finding::Stems(set(1, 10, 0)))));
    bench.apply(Input::Command(Command::LimitStems(Some(50_000_000))));
    bench.ask(&ids, true);
    assert_eq!(bench.jobs.len(), 1);
    assert_eq!(bench.stems(ids[0]), ArtifactState::Done);
    assert_eq!(bench.row(ids[0]).stems().unwrap().key, SetKey(1));
    assert!(!bench.row(ids[0]).knowledge.stems_asked);
}

#[test]
fn what_a_model_had_no_room_for_it_makes_once_there_is_more_and_not_by_itself() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.apply(Input::Models(recipes_of_models(&STEMS).into()));
    bench.apply(Input::Command(Command::LimitStems(Some(50_000_000))));
    bench.ask(&ids, false);
    let knowledge = bench.row(ids[0]).knowledge;
    for (records, maker) in [
        (&knowledge.records, Maker::Native),
        (&knowledge.tried, Maker::Htdemucs),
    ] {
        let record = &records[&Artifact::Stems];
        let failure = record.failure.as_deref().unwrap();
        assert_eq!((record.recipe.maker, failure.attempts), (maker, 1));
        assert_eq!(failure.retry_at, None, "time alone brings no room");
    }
    bench.now = Timestamp::from_second(1_000_000).unwrap();
    bench.analyze_all();
    bench.work_off(0, 10);
    assert!(
        !bench
            .jobs
            .iter()
            .any(|job| job.wants.contains(&Artifact::Stems))
    );
    let before = bench.jobs.len();
    bench.apply(Input::Command(Command::LimitStems(Some(100_000_000))));
    bench.analyze_all();
    bench.work_off(before, 10);
    let set = *bench.row(ids[0]).stems().unwrap();
    assert_eq!(set.maker, Maker::Htdemucs);
    assert!(bench.row(ids[0]).knowledge.tried.is_empty());
}

#[test]
fn chords_by_a_model_take_the_room_of_stems_that_nobody_asked_for() {
    // Each is expected to take 90 MB of the 100, and takes 60.
    let (mut bench, ids) = with_tracks(1, &["a", "b", "c"]);
    let models = recipes_of_models(&[Artifact::Stems, Artifact::Chords]);
    bench.apply(Input::Models(models.into()));
    bench.now = Timestamp::from_second(10).unwrap();
    bench.analyze_by_models(&[Artifact::Beats, Artifact::Chords]);
    bench.work_off(0, 60_000_000);
    for id in &ids {
        let records = bench.row(*id).knowledge.records;
        let record = records.get(&Artifact::Chords);
        let record = record.unwrap_or_else(|| panic!("no chords of {id}"));
        assert_eq!((record.recipe.maker, &record.failure), (Maker::Ace, &None));
    }
    assert_eq!(bench.dropped().len(), 2, "each makes way for the next");
    let jobs = bench.jobs.len();
    bench.analyze_by_models(&[Artifact::Beats, Artifact::Chords]);
    assert_eq!(bench.jobs.len(), jobs, "nor are they made again for it");
}

#[test]
fn chords_that_found_no_room_for_stems_are_made_once_there_is_and_stems_become_no_wish() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    let models = recipes_of_models(&[Artifact::Stems, Artifact::Chords]);
    bench.apply(Input::Models(models.into()));
    bench.apply(Input::Command(Command::LimitStems(Some(50_000_000))));
    bench.analyze_by_models(&[Artifact::Chords]);
    bench.work_off(0, 10);
    assert_eq!(
        bench.stems(ids[0]),
        ArtifactState::Absent,
        "nobody asked for them"
    );
    bench.apply(Input::Command(Command::Retry(Selection::All)));
    assert!(!bench.row(ids[0]).knowledge.stems_asked);
    let before = bench.jobs.len();
    bench.apply(Input::Command(Command::LimitStems(Some(100_000_000))));
    bench.analyze_all();
    bench.work_off(before, 10);
    let knowledge = bench.row(ids[0]).knowledge;
    assert_eq!(
        knowledge.records[&Artifact::Chords].recipe.maker,
        Maker::Ace
    );
}

#[test]
fn who_asks_again_asks_now_and_what_is_tried_again_was_asked_then() {
    let (mut bench, ids) = with_tracks(1, &["a", "b"]);
    let at = |second| Timestamp::from_second(second).unwrap();
    bench.now = at(10);
    bench.ask(&ids, false);
    let asked = |bench: &Bench| bench.row(ids[1]).knowledge.stems_asked_at;
    bench.now = at(50);
    bench.apply(Input::Command(Command::LimitStems(Some(200_000_000))));
    assert_eq!(asked(&bench), Some(at(10)));
    bench.ask(&ids, false);
    assert_eq!(asked(&bench), Some(at(50)));
    bench.now = at(90);
    bench.ask(&ids, true);
    assert_eq!(asked(&bench), Some(at(90)));
}

#[test]
fn a_use_is_written_down_at_once_while_a_wish_is_newer_than_the_last() {
    for (wished, used) in [(false, 5), (true, 40)] {
        let (mut bench, ids) = with_tracks(1, &["a", "b"]);
        bench.ask(&[ids[0]], false);
        bench.end_job(0, Ok(Some(Finding::Stems(set(1, 10, 5)))));
        bench.now = Timestamp::from_second(30).unwrap();
        if wished {
            bench.ask(&[ids[1]], false);
        }
        bench.now = Timestamp::from_second(40).unwrap();
        bench.apply(Input::Command(Command::UseStems(vec![ids[0]])));
        let set = *bench.row(ids[0]).stems().unwrap();
        assert_eq!(set.used.as_second(), used, "{wished}");
    }
}

#[test]
fn a_job_whose_stems_find_no_room_counts_once() {
    let (mut bench, _) = with_tracks(1, &["a"]);
    let models = recipes_of_models(&[Artifact::Stems, Artifact::Beats]);
    bench.apply(Input::Models(models.into()));
    bench.apply(Input::Command(Command::LimitStems(Some(50_000_000))));
    bench.analyze_by_models(&[Artifact::Beats, Artifact::Stems]);
    bench.end_job(0, Ok(None));
    assert_eq!(bench.jobs[1].by_models(), [Artifact::Beats].into());
    let activity = bench.state.view().activity;
    assert_eq!((activity.finished, activity.failed), (1, 0));
}
