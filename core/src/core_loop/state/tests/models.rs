//! Models that come, go and fail: what waits for them, what is tried again, what stays.

use super::stems::{STEMS, recipes_of_models, set, with_tracks};
use super::*;
use crate::jobs::plan::Outlook;
use crate::row::ArtifactState;

fn not_whole() -> Failure {
    Failure::new(
        FailureKind::Missing,
        "the environment for models is not whole",
        "Run tonearm setup",
    )
}

fn broken(recipes: Recipes) -> Input {
    Input::Models(Outlook {
        recipes,
        broken: Some(not_whole()),
    })
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl Bench {
    /// How many tracks wait for models, and why.
    fn held(&self) -> (usize, Option<String>) {
        let activity = self.state.view().activity;
        (activity.held, activity.lost_models.map(|it| it.message))
    }

    fn maker(&self, id: TrackId, artifact: Artifact) -> Option<Maker> {
        let record = self.row(id).knowledge.records.get(&artifact).cloned()?;
        Some(record.recipe.maker)
    }

    /// The drive is back, or what was moved on it is found.
    fn meet_again(&mut self, id: TrackId) {
        let path = self.row(id).track.path.as_path().display().to_string();
        self.start_import(Some(Extent::Everything));
        self.meet(&path, |_| Fate::Unchanged(id));
        self.end_import(&[]);
    }
}

#[test]
fn a_batch_whose_models_go_away_waits_for_them_and_burns_nothing() {
    let (mut bench, ids) = with_tracks(1, &["a", "b", "c"]);
    let models = recipes_of_models(&STEMS);
    bench.apply(Input::Models(models.clone().into()));
    bench.ask(&ids, false);
    assert_eq!(bench.jobs[0].by_models(), STEMS.into());
    bench.news(0, JobNews::Ended(JobEnd::Unready(not_whole())));
    assert_eq!(
        bench.jobs.len(),
        1,
        "no drafts, and nobody is asked for nothing"
    );
    assert_eq!(bench.said.last(), Some(&Event::Idle), "a command ends");
    assert_eq!(bench.checks, 1);
    let waits = || (3, Some(not_whole().message));
    assert_eq!(bench.held(), waits());
    for id in &ids {
        let knowledge = bench.row(*id).knowledge;
        assert!(knowledge.stems_asked && knowledge.tried.is_empty());
        assert_eq!(bench.maker(*id, Artifact::Stems), None);
        assert_eq!(bench.stems(*id), ArtifactState::Waiting);
    }
    let activity = bench.state.view().activity;
    assert_eq!((activity.queued, activity.failed), (0, 0));
    assert!(activity.waiting.iter().all(|it| it.is_held && it.is_long));
    bench.apply(broken(models.clone()));
    assert_eq!((bench.held(), bench.jobs.len()), (waits(), 1));
    bench.apply(Input::Models(models.into()));
    bench.work_off(1, 10);
    for id in &ids {
        assert_eq!(bench.maker(*id, Artifact::Stems), Some(Maker::Htdemucs));
    }
    assert_eq!(bench.held(), (0, None));
}

#[test]
fn others_are_watched_while_tracks_wait_for_models_and_after_models_have_worked() {
    let (mut bench, ids) = with_tracks(1, &["a", "b"]);
    let models = recipes_of_models(&STEMS);
    bench.apply(Input::Tick);
    bench.apply(Input::Models(models.clone().into()));
    bench.ask(&ids, false);
    bench.end_job(0, Ok(Some(Finding::Stems(set(1, 10, 20)))));
    assert_eq!(bench.checks, 1, "after a model has worked");
    bench.news(1, JobNews::Ended(JobEnd::Unready(not_whole())));
    assert_eq!(bench.checks, 2, "when one cannot");
    bench.apply(Input::Tick);
    assert_eq!(bench.checks, 3, "while somebody waits");
    bench.apply(Input::Models(models.into()));
    bench.end_job(2, Ok(Some(Finding::Stems(set(1, 10, 20)))));
    let checks = bench.checks;
    bench.apply(Input::Tick);
    assert_eq!(bench.checks, checks, "nobody waits any more");
}

#[test]
fn stems_that_are_asked_for_while_models_are_lost_are_made_by_whoever_can() {
    let (mut bench, ids) = with_tracks(1, &["a", "b"]);
    bench.apply(Input::Models(recipes_of_models(&STEMS).into()));
    bench.now = at(10);
    bench.ask(&ids, false);
    bench.news(0, JobNews::Ended(JobEnd::Unready(not_whole())));
    bench.now = at(20);
    bench.ask(&ids[..1], false);
    assert_eq!(bench.wants()[1], (ids[0], STEMS.into()));
    assert!(bench.jobs[1].by_models().is_empty());
    bench.end_job(1, Ok(Some(Finding::Stems(set(1, 10, 20)))));
    assert_eq!(bench.held().0, 1, "the other one waits on");
    assert_eq!(bench.jobs.len(), 2);
    bench.apply(Input::Command(Command::Withdraw(Selection::All)));
    assert_eq!(bench.held().0, 0);
}

#[test]
fn wishes_from_before_wait_also_where_the_program_starts_without_its_models() {
    let models = recipes_of_models(&STEMS);
    for (lost, reason) in [
        (broken(models.clone()), not_whole().message),
        (
            Input::Models(Outlook::default()),
            "the model for stems is no longer there".to_owned(),
        ),
    ] {
        let (mut bench, ids) = with_tracks(1, &["a"]);
        bench.apply(Input::Command(Command::Pause));
        bench.apply(Input::Models(models.clone().into()));
        bench.ask(&ids, false);
        bench.now = at(10);
        bench.apply(lost);
        bench.apply(Input::Command(Command::Resume));
        assert_eq!(bench.held(), (1, Some(reason)));
        assert!(bench.jobs.is_empty());
    }
    let (mut bench, _) = with_tracks(1, &["a"]);
    bench.apply(Input::Models(models.into()));
    bench.apply(Input::Models(Outlook::default()));
    assert_eq!(bench.held(), (0, None), "nobody waits for what was removed");
}

#[test]
fn chords_wait_for_their_model_with_the_force_that_they_were_asked_for_with() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    let models = recipes_of_models(&[Artifact::Stems, Artifact::Chords]);
    bench.apply(Input::Models(models.clone().into()));
    bench.analyze_by_models(&[Artifact::Beats, Artifact::Chords]);
    bench.work_off(0, 10);
    let jobs = bench.jobs.len();
    let chords = Extent::Only([Artifact::Chords].into());
    bench.analyze(Selection::Tracks(ids), chords, (None, true));
    assert_eq!(bench.jobs[jobs].by_models(), [Artifact::Chords].into());
    bench.news(jobs, JobNews::Ended(JobEnd::Unready(not_whole())));
    assert_eq!((bench.jobs.len(), bench.held().0), (jobs + 1, 1));
    bench.apply(Input::Models(models.into()));
    assert_eq!(bench.jobs[jobs + 1].by_models(), [Artifact::Chords].into());
}

/// A track whose beats were found, and are to be found by a model.
fn with_beats() -> (Bench, TrackId) {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.analyze_all();
    bench.made(0, Artifact::Beats, Ok(Some(Finding::Beats(beats(128.0)))));
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    let models = recipes_of_models(&[Artifact::Beats]);
    bench.apply(Input::Models(models.into()));
    bench.apply(Input::Command(Command::FollowWithBeats(true)));
    bench.analyze_all();
    assert_eq!(bench.jobs[1].by_models(), [Artifact::Beats].into());
    (bench, ids[0])
}

#[test]
fn a_drive_that_goes_while_a_model_works_leaves_a_missing_track_that_comes_back_whole() {
    let (mut bench, id) = with_beats();
    let gone = Failure::new(FailureKind::Missing, "gone", "");
    bench.made(1, Artifact::Beats, Err(gone));
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    assert_eq!(bench.row(id).state, TrackState::Missing);
    bench.meet_again(id);
    assert!(bench.row(id).knowledge.tried.is_empty());
    assert_eq!(bench.jobs[2].by_models(), [Artifact::Beats].into());
}

#[test]
fn stems_that_were_asked_for_are_asked_for_again_when_the_drive_is_back() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.ask(&ids, false);
    bench.end_job(0, Err(Failure::new(FailureKind::Missing, "gone", "")));
    assert_eq!(bench.row(ids[0]).state, TrackState::Missing);
    bench.meet_again(ids[0]);
    bench.made(1, Artifact::Beats, Ok(None));
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    assert_eq!(bench.jobs[2].wants, STEMS.into());
}

#[test]
fn a_model_that_failed_for_a_passing_reason_works_again_when_its_time_has_come_or_the_file_is_met()
{
    let slow = || Failure::new(FailureKind::Timeout, "too slow", "");
    let (mut bench, id) = with_beats();
    bench.made(1, Artifact::Beats, Err(slow()));
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    bench.meet_again(id);
    assert_eq!(bench.jobs[2].by_models(), [Artifact::Beats].into());

    let (mut bench, _) = with_beats();
    bench.apply(Input::Command(Command::SetEager(true)));
    bench.made(1, Artifact::Beats, Err(slow()));
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    for (second, jobs) in [(0, 2), (3_599, 2), (3_600, 3)] {
        bench.now = at(second);
        bench.apply(Input::Tick);
        assert_eq!(bench.jobs.len(), jobs, "after {second} s");
    }
}

#[test]
fn what_failed_for_want_of_a_model_does_not_keep_it_from_working_once_it_is_there() {
    let (mut bench, id) = with_beats();
    bench.news(1, JobNews::Ended(JobEnd::Cancelled));
    let mut knowledge = *bench.row(id).knowledge;
    let recipe = recipes_of_models(&[Artifact::Beats])[&Artifact::Beats].clone();
    let mut record = knowledge.records[&Artifact::Beats].clone();
    record.recipe = recipe.into();
    record.failure = Some(Box::new(not_whole()));
    knowledge.tried.insert(Artifact::Beats, record);
    bench.state.catalog.put_knowledge(id, knowledge, at(0));
    bench.analyze_all();
    assert_eq!(bench.jobs[2].by_models(), [Artifact::Beats].into());
}

fn force(bench: &mut Bench, engine: Option<Engine>) {
    let extent = Extent::Only([Artifact::Beats, Artifact::Stems].into());
    bench.analyze(Selection::All, extent, (engine, true));
}

#[test]
fn by_force_the_built_in_analysis_replaces_its_own_and_no_models_unless_it_is_wanted_alone() {
    let (mut bench, id) = with_beats();
    bench.made(1, Artifact::Beats, Ok(Some(Finding::Beats(beats(129.0)))));
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    bench.apply(Input::Command(Command::FollowWithBeats(false)));
    bench.apply(Input::Models(recipes_of_models(&STEMS).into()));
    bench.ask(&[id], false);
    bench.work_off(2, 10);
    bench.apply(Input::Models(Outlook::default()));
    let jobs = bench.jobs.len();
    let makers = |bench: &Bench| [Artifact::Beats, Artifact::Stems].map(|it| bench.maker(id, it));
    assert_eq!(
        makers(&bench),
        [Some(Maker::BeatThis), Some(Maker::Htdemucs)]
    );
    force(&mut bench, None);
    bench.analyze_all();
    assert_eq!(bench.jobs.len(), jobs, "all that there is stands");
    assert!(!bench.row(id).knowledge.stems_asked);
    force(&mut bench, Some(Engine::Native));
    bench.end_job(jobs, Ok(Some(Finding::Beats(beats(130.0)))));
    bench.end_job(jobs + 1, Ok(Some(Finding::Stems(set(9, 10, 0)))));
    assert_eq!(makers(&bench), [Some(Maker::Native); 2]);
}

#[test]
fn what_a_model_failed_at_is_found_and_tried_again_by_it() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    bench.apply(Input::Models(recipes_of_models(&STEMS).into()));
    bench.ask(&ids, false);
    bench.end_job(0, Err(Failure::new(FailureKind::Bug, "it ended", "")));
    bench.end_job(1, Ok(Some(Finding::Stems(set(1, 10, 0)))));
    let row = bench.row(ids[0]);
    assert_eq!(row.stems().unwrap().maker, Maker::Native, "the draft");
    let failed: Vec<Artifact> = row.failed_by_models().map(|(it, _)| it).collect();
    assert_eq!((failed.as_slice(), row.has_failure()), (&STEMS[..], true));
    assert_eq!(row.state, TrackState::Partial, "its beats are due");
    bench.apply(Input::Command(Command::Retry(Selection::All)));
    assert_eq!(bench.jobs[2].by_models(), STEMS.into());
    assert!(!bench.row(ids[0]).has_failure(), "it is being tried again");
    bench.work_off(2, 10);
    let row = bench.row(ids[0]);
    assert!(!row.has_failure() && row.knowledge.tried.is_empty());
}

#[test]
fn stems_by_a_model_stay_where_it_fails_to_make_better_ones() {
    let (mut bench, ids) = with_tracks(1, &["a"]);
    let mut models = recipes_of_models(&STEMS);
    bench.apply(Input::Models(models.clone().into()));
    bench.ask(&ids, false);
    bench.work_off(0, 10);
    models.get_mut(&Artifact::Stems).unwrap().version += 1;
    bench.apply(Input::Models(models.into()));
    bench.ask(&ids, false);
    bench.end_job(1, Err(Failure::new(FailureKind::Bug, "it ended", "")));
    assert_eq!(bench.jobs.len(), 2, "no draft in their place");
    let row = bench.row(ids[0]);
    assert_eq!(row.stems().unwrap().maker, Maker::Htdemucs);
    assert!(!row.knowledge.stems_asked && row.has_failure());
}

#[test]
fn what_a_model_failed_at_is_no_failure_where_nobody_wants_it_of_a_model() {
    let broke = || Err(Failure::new(FailureKind::Bug, "it ended", ""));
    for (command, is_left) in [
        (Command::FollowWithBeats(true), true),
        (Command::FollowWithBeats(false), false),
        (
            Command::Analyze {
                request: RequestId(1),
                tracks: Selection::All,
                extent: Extent::Everything,
                engine: Some(Engine::Native),
                force: false,
            },
            false,
        ),
    ] {
        let (mut bench, id) = with_beats();
        bench.made(1, Artifact::Beats, broke());
        assert_eq!(bench.row(id).state, TrackState::Ready);
        assert!(bench.row(id).has_failure());
        bench.news(1, JobNews::Ended(JobEnd::Complete));
        bench.apply(Input::Command(command.clone()));
        assert_eq!(bench.row(id).has_failure(), is_left, "{command:?}");
    }
}
