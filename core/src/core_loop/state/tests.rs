//! What the state decides, told by its effects and its rows. No clock, no disk, no thread.

mod by_hand;
mod claiming;
mod models;
mod stems;

use super::*;
use crate::artifact::{Artifact, Maker, Recipe};
use crate::backend::Made;
use crate::beats::{Beat, Beats};
use crate::core_loop::command::Extent;
use crate::core_loop::event::{Outcome, RelinkOutcome};
use crate::core_loop::input::{Fate, Found, ImportNews, ImportReply, Stored};
use crate::failure::FailureKind;
use crate::findings::Finding;
use crate::import::dedupe::{Candidate, Decision};
use crate::import::tags::TagsRead;
use crate::jobs::pool::{JobEnd, JobNews, TrackJob};
use crate::row::{Row, TrackState};
use crate::setup::SetupCommand;
use crate::track::{ContentHash, FileStamp};
use crate::units::Bpm;
use std::collections::HashMap;

fn recipes() -> Recipes {
    [
        Artifact::Tags,
        Artifact::Hash,
        Artifact::Beats,
        Artifact::Key,
    ]
    .map(|artifact| {
        let (maker, version, parameters, model) = (Maker::Native, 1, String::new(), None);
        (
            artifact,
            Recipe {
                maker,
                version,
                parameters,
                model,
            },
        )
    })
    .into()
}

/// A state with its effects collected, and a disk that works unless writes are held back.
struct Bench {
    state: State,
    said: Vec<Event>,
    jobs: Vec<TrackJob>,
    replies: Vec<ImportReply>,
    changes: Vec<Change>,
    held_writes: Option<Vec<Vec<Event>>>,
    reloads: usize,
    /// How often the set-up was to be looked at.
    checks: usize,
    now: Timestamp,
    /// What the disk has of each track.
    stored: HashMap<TrackId, Stored>,
}

impl Bench {
    fn new(slots: usize) -> Self {
        let limits = Limits {
            slots,
            memory_bytes: 100,
            job_bytes: |_, _| 60,
            stem_bytes: 1_000,
        };
        Self {
            state: State::new(
                Loaded::default(),
                recipes(),
                limits,
                7,
                Timestamp::UNIX_EPOCH,
            ),
            said: Vec::new(),
            jobs: Vec::new(),
            replies: Vec::new(),
            changes: Vec::new(),
            held_writes: None,
            reloads: 0,
            checks: 0,
            now: Timestamp::UNIX_EPOCH,
            stored: HashMap::new(),
        }
    }

    fn apply(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in self.state.apply(input, self.now) {
                match effect {
                    Effect::Write { changes, events } => {
                        self.store(&changes);
                        if let Some(held) = &mut self.held_writes {
                            held.push(events);
                        } else {
                            self.changes.extend(changes);
                            inputs.push_back(Input::Written(events));
                        }
                    }
                    Effect::Read(track) => {
                        let stored = self.stored.get(&track).cloned().unwrap_or_default();
                        inputs.push_back(Input::Read(track, Ok(Box::new(stored))));
                    }
                    Effect::Say(event) => self.said.push(event),
                    Effect::StartJob(job) => self.jobs.push(job),
                    Effect::ReplyToImport(reply) => self.replies.push(reply),
                    Effect::Reload => self.reloads += 1,
                    Effect::Setup(command) => {
                        assert_eq!(command, SetupCommand::Glance);
                        self.checks += 1;
                    }
                    Effect::ReplyToRelink
                    | Effect::StartImport { .. }
                    | Effect::StartRelink { .. }
                    | Effect::StopScans
                    | Effect::Decks(_)
                    | Effect::KeepToken(_) => {}
                }
            }
        }
    }

    fn store(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::PutFinding(id, Finding::Beats(beats)) => {
                    self.stored.entry(*id).or_default().found.beats = Some(beats.clone());
                }
                Change::PutFinding(id, Finding::Key(key)) => {
                    self.stored.entry(*id).or_default().found.key = Some(key.clone());
                }
                Change::PutByHand(id, hand) => {
                    self.stored.entry(*id).or_default().by_hand = hand.as_ref().clone();
                }
                Change::RemoveTrack(id) => drop(self.stored.remove(id)),
                _ => {}
            }
        }
    }

    fn start_import(&mut self, analyze: Option<Extent>) {
        let paths = vec!["/music".into()];
        self.apply(Input::Command(Command::Import {
            request: RequestId(1),
            paths,
            analyze,
            engine: None,
        }));
    }

    /// Lets the import meet one file; gives the track that it is.
    fn meet(&mut self, path: &str, fate: impl FnOnce(Decision) -> Fate) -> TrackId {
        let stamp = FileStamp {
            bytes: 1,
            modified_ns: 1,
        };
        let candidate = Candidate {
            path: path.into(),
            stamp,
        };
        self.apply(Input::Import(ImportNews::Ask(vec![candidate.clone()])));
        let Some(ImportReply::Decisions(judgements)) = self.replies.pop() else {
            panic!("no answer");
        };
        let found = Found {
            candidate,
            root: "/music".into(),
            fate: fate(judgements[0].decision),
        };
        self.apply(Input::Import(ImportNews::Found {
            found: vec![found],
            unreachable: Vec::new(),
        }));
        self.state.catalog.index.at_path(path.as_ref()).unwrap()
    }

    fn end_import(&mut self, gone: &[TrackId]) {
        let missing = Failure::new(FailureKind::Missing, "gone", "");
        let gone = gone.iter().map(|id| (*id, missing.clone())).collect();
        self.apply(Input::Import(ImportNews::Gone(gone)));
        self.apply(Input::Import(ImportNews::Ended { skipped: 0 }));
    }

    fn analyze_all(&mut self) {
        self.analyze(Selection::All, Extent::Everything, (None, false));
    }

    fn analyze(
        &mut self,
        tracks: Selection,
        extent: Extent,
        (engine, force): (Option<Engine>, bool),
    ) {
        self.apply(Input::Command(Command::Analyze {
            request: RequestId(2),
            tracks,
            extent,
            force,
            engine,
        }));
    }

    fn news(&mut self, job: usize, news: JobNews) {
        self.apply(Input::Job(self.jobs[job].id, news));
    }

    fn hash(&mut self, job: usize, byte: u8) {
        let result = Ok(ContentHash([byte; 32]));
        self.news(
            job,
            JobNews::Hash {
                result,
                cpu_secs: 0.1,
            },
        );
    }

    fn beats(&mut self, job: usize, found: Option<f64>) {
        let result = Ok(found.map(|bpm| Finding::Beats(beats(bpm))));
        let artifact = Artifact::Beats;
        self.news(
            job,
            JobNews::Made(Made {
                artifact,
                result,
                cpu_secs: 0.5,
            }),
        );
    }

    fn row(&self, id: TrackId) -> Row {
        self.state.catalog.get(id).unwrap().as_ref().clone()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |event: &Event| match event {
            Event::Imported { outcome, .. } => Some(*outcome),
            _ => None,
        };
        self.said.iter().filter_map(outcome).collect()
    }
}

fn new(decision: Decision) -> Fate {
    assert_eq!(decision, Decision::New);
    Fate::New(Ok(TagsRead::default()))
}

fn beats(bpm: f64) -> Beats {
    Beats {
        beats: vec![Beat {
            at: Secs(0.5),
            position: 1,
        }],
        grid: None,
        segments: Vec::new(),
        bpm: Bpm(bpm),
        confidence: 0.9,
        alternatives: Vec::new(),
    }
}

#[test]
fn an_import_stores_before_it_tells_and_ends_with_idle() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    bench.held_writes = Some(Vec::new());
    bench.meet("/music/a.mp3", new);
    assert_eq!(bench.outcomes(), [], "told before it was on disk");
    for events in bench.held_writes.take().unwrap() {
        bench.apply(Input::Written(events));
    }
    assert_eq!(bench.outcomes(), [Outcome::Added]);
    bench.end_import(&[]);
    assert_eq!(bench.said.last(), Some(&Event::Idle));
    assert!(bench.jobs.is_empty(), "nothing was to be analysed");
}

#[test]
fn a_scan_is_slowed_down_to_the_speed_of_the_disk() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    bench.held_writes = Some(Vec::new());
    for n in 0..WRITES_IN_FLIGHT {
        let failure = Failure::new(FailureKind::Unreadable, "no", "");
        let path = format!("/music/{n}").into();
        bench.apply(Input::Import(ImportNews::Found {
            found: Vec::new(),
            unreachable: vec![(path, failure)],
        }));
    }
    bench.apply(Input::Import(ImportNews::Ask(Vec::new())));
    assert!(
        bench.replies.is_empty(),
        "answered while the disk lags behind"
    );
    let first = bench.held_writes.take().unwrap().swap_remove(0);
    bench.apply(Input::Written(first));
    assert_eq!(bench.replies.len(), 1);
}

#[test]
fn importing_again_changes_nothing_and_still_makes_what_is_due() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    let id = bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    bench.changes.clear();
    bench.start_import(Some(Extent::Everything));
    bench.meet("/music/a.mp3", |decision| {
        assert_eq!(decision, Decision::Unchanged(id));
        Fate::Unchanged(id)
    });
    assert_eq!(bench.changes, []);
    let wants: BTreeSet<Artifact> = [Artifact::Hash, Artifact::Beats, Artifact::Key].into();
    assert_eq!(bench.jobs[0].wants, wants);
}

#[test]
fn a_file_without_music_is_a_failed_row_that_is_told_of() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    let failure = Failure::new(FailureKind::Unsupported, "this is no music", "");
    let id = bench.meet("/music/a.mp3", |_| Fate::New(Err(failure)));
    assert_eq!(bench.outcomes(), [Outcome::Failed]);
    let stored = bench.row(id).knowledge.records[&Artifact::Tags]
        .failure
        .clone()
        .unwrap();
    assert_eq!(stored.message, "this is no music");
}

#[test]
fn jobs_start_within_slots_and_memory_and_never_twice_for_a_track() {
    let mut bench = Bench::new(4);
    bench.start_import(Some(Extent::Everything));
    for name in ["a", "b", "c"] {
        bench.meet(&format!("/music/{name}.mp3"), new);
    }
    // Two jobs would take 120 of 100 bytes.
    assert_eq!(bench.jobs.len(), 1);
    bench.analyze_all();
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    assert_eq!(bench.jobs.len(), 2);
    assert_ne!(bench.jobs[1].track, bench.jobs[0].track);
}

#[test]
fn a_result_is_stored_with_its_recipe_and_shown_in_the_row() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let id = bench.meet("/music/a.mp3", new);
    assert_eq!(bench.row(id).state, TrackState::Analyzing);
    bench.beats(0, Some(128.0));
    let knowledge = bench.row(id).knowledge;
    assert_eq!(knowledge.summary.bpm, Some(Bpm(128.0)));
    assert_eq!(
        knowledge.records[&Artifact::Beats].recipe,
        recipes()[&Artifact::Beats]
    );
    assert!(
        bench
            .changes
            .contains(&Change::PutFinding(id, Finding::Beats(beats(128.0))))
    );
}

#[test]
fn finding_nothing_replaces_what_was_found_before() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let id = bench.meet("/music/a.mp3", new);
    bench.beats(0, Some(128.0));
    bench.beats(0, None);
    let knowledge = bench.row(id).knowledge;
    assert_eq!(knowledge.summary.bpm, None);
    assert!(knowledge.records[&Artifact::Beats].nothing_found);
    assert!(
        bench
            .changes
            .contains(&Change::DropFinding(id, Artifact::Beats))
    );
}

#[test]
fn a_panic_fails_what_was_still_wanted_and_a_cancel_leaves_it_due() {
    for (end, fails) in [
        (JobEnd::Panicked("oh".to_owned()), true),
        (JobEnd::Cancelled, false),
    ] {
        let mut bench = Bench::new(1);
        bench.start_import(Some(Extent::Everything));
        let id = bench.meet("/music/a.mp3", new);
        bench.hash(0, 1);
        bench.news(0, JobNews::Ended(end));
        let records = bench.row(id).knowledge.records;
        let is_bug = |artifact: Artifact| {
            let failure = records
                .get(&artifact)
                .and_then(|record| record.failure.as_ref());
            failure.is_some_and(|failure| failure.kind == FailureKind::Bug)
        };
        assert!(!is_bug(Artifact::Hash));
        assert_eq!(is_bug(Artifact::Beats), fails);
        assert_eq!(is_bug(Artifact::Key), fails);
    }
}

#[test]
fn the_same_bytes_twice_are_told_of_and_both_kept() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Only([Artifact::Hash].into())));
    let one = bench.meet("/music/a.mp3", new);
    let other = bench.meet("/music/b.mp3", new);
    bench.end_import(&[]);
    bench.hash(0, 9);
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    bench.hash(1, 9);
    assert!(bench.said.contains(&Event::DuplicateFound {
        track: other,
        same_as: one
    }));
    assert_eq!(bench.row(one).duplicates, [other]);
    assert_eq!(bench.row(other).duplicates, [one]);
}

#[test]
fn a_file_that_moved_within_its_folder_keeps_its_id_and_its_analysis() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let old = bench.meet("/music/a.mp3", new);
    bench.hash(0, 9);
    bench.beats(0, Some(128.0));
    bench.news(0, JobNews::Ended(JobEnd::Cancelled));
    bench.end_import(&[]);

    // The next import meets it at another place before it knows that the old one is gone.
    bench.start_import(Some(Extent::Everything));
    let newer = bench.meet("/music/new/a.mp3", new);
    bench.hash(1, 9);
    bench.end_import(&[old]);
    assert!(
        bench.state.catalog.get(newer).is_none(),
        "the newer entry stayed"
    );
    let row = bench.row(old);
    assert_eq!(row.track.path.as_path().to_str(), Some("/music/new/a.mp3"));
    assert!(!row.track.missing);
    assert_eq!(row.knowledge.summary.bpm, Some(Bpm(128.0)));
    let is_move = |event: &Event| matches!(event, Event::Relinked { track, to: RelinkOutcome::Moved(_), .. } if *track == old);
    assert!(bench.said.iter().any(is_move));
    assert!(!bench.outcomes().contains(&Outcome::Missing));
}

#[test]
fn what_was_wished_of_a_file_that_turns_out_to_have_moved_is_wished_of_its_track() {
    let mut bench = Bench::new(1);
    let stems = recipes()[&Artifact::Beats].clone();
    bench.state.recipes.insert(Artifact::Stems, stems);
    bench.start_import(Some(Extent::Only([Artifact::Hash].into())));
    let old = bench.meet("/music/a.mp3", new);
    bench.hash(0, 9);
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    bench.end_import(&[]);
    bench.apply(Input::Command(Command::Import {
        request: RequestId(1),
        paths: vec!["/music".into()],
        analyze: Some(Extent::Only([Artifact::Hash, Artifact::Stems].into())),
        engine: Some(Engine::Neural),
    }));
    bench.now = Timestamp::from_second(5).unwrap();
    let newer = bench.meet("/music/new/a.mp3", new);
    assert!(bench.row(newer).knowledge.stems_asked);
    bench.changes.clear();
    bench.hash(1, 9);
    bench.end_import(&[old]);
    assert!(bench.state.catalog.get(newer).is_none());
    let knowledge = bench.row(old).knowledge.clone();
    assert!(knowledge.stems_asked);
    assert_eq!(knowledge.stems_asked_at, Timestamp::from_second(5).ok());
    assert_eq!(knowledge.engine, Engine::Neural);
    let last = bench.changes.iter().rev().find_map(|change| match change {
        Change::PutKnowledge(id, stored) if *id == old => Some(stored.clone()),
        _ => None,
    });
    assert!(last.unwrap().stems_asked, "on the disk as well");
}

#[test]
fn beats_that_a_model_does_not_find_do_not_take_those_that_there_are() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let id = bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    bench.hash(0, 9);
    bench.beats(0, Some(128.0));
    bench.news(0, JobNews::Ended(JobEnd::Cancelled));
    let model = Recipe {
        maker: Maker::BeatThis,
        version: 1,
        parameters: String::new(),
        model: Some("f00d".to_owned()),
    };
    let models: Recipes = [(Artifact::Beats, model)].into();
    bench.apply(Input::Models(models.into()));
    bench.apply(Input::Command(Command::FollowWithBeats(true)));
    bench.analyze_all();
    // What the built-in analysis has not made yet comes first.
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    let job = bench.jobs.len() - 1;
    assert!(bench.jobs[job].by_models().contains(&Artifact::Beats));
    bench.changes.clear();
    bench.beats(job, None);
    bench.news(job, JobNews::Ended(JobEnd::Complete));
    let row = bench.row(id);
    assert_eq!(row.knowledge.summary.bpm, Some(Bpm(128.0)));
    let record = &row.knowledge.records[&Artifact::Beats];
    assert_eq!(
        (record.recipe.maker, record.nothing_found),
        (Maker::Native, false)
    );
    let tried = &row.knowledge.tried[&Artifact::Beats];
    assert_eq!(
        (tried.recipe.maker, tried.nothing_found),
        (Maker::BeatThis, true)
    );
    let is_dropped = |change: &Change| matches!(change, Change::DropFinding(_, Artifact::Beats));
    assert!(!bench.changes.iter().any(is_dropped));
    let before = bench.jobs.len();
    bench.analyze_all();
    let again = bench.jobs[before..]
        .iter()
        .any(|job| job.by_models().contains(&Artifact::Beats));
    assert!(!again, "the same model would find none again");
}

#[test]
fn a_copy_made_on_purpose_is_not_taken_for_the_original_that_went() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Only([Artifact::Hash].into())));
    let original = bench.meet("/music/a.mp3", new);
    let copy = bench.meet("/music/copy of a.mp3", new);
    bench.hash(0, 9);
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    bench.hash(1, 9);
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    bench.end_import(&[]);
    bench.start_import(None);
    bench.end_import(&[original]);
    assert_eq!(bench.row(original).state, TrackState::Missing);
    assert_eq!(bench.row(copy).duplicates, [original]);
}

#[test]
fn a_drive_that_goes_during_analysis_leaves_missing_tracks_that_come_back_whole() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let id = bench.meet("/music/a.mp3", new);
    for artifact in [Artifact::Beats, Artifact::Key] {
        let result = Err(Failure::new(FailureKind::Missing, "gone", ""));
        bench.news(
            0,
            JobNews::Made(Made {
                artifact,
                result,
                cpu_secs: 0.0,
            }),
        );
    }
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    bench.end_import(&[]);
    assert_eq!(bench.row(id).state, TrackState::Missing);
    bench.start_import(Some(Extent::Everything));
    bench.meet("/music/a.mp3", |_| Fate::Unchanged(id));
    assert!(
        bench.jobs[1].wants.contains(&Artifact::Beats),
        "never tried again"
    );
}

#[test]
fn after_a_failed_write_nothing_counts_until_the_disk_has_been_read() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let id = bench.meet("/music/a.mp3", new);
    bench.apply(Input::WriteFailed(Failure::new(
        FailureKind::Storage,
        "full",
        "",
    )));
    bench.changes.clear();
    bench.beats(0, Some(128.0));
    assert_eq!(bench.changes, [], "built on what was never written");
    bench.apply(Input::Reloaded(Loaded::default()));
    assert!(
        bench.state.catalog.get(id).is_none(),
        "memory is not what is on disk"
    );
}

#[test]
fn a_library_that_cannot_be_read_again_is_tried_until_it_can() {
    let mut bench = Bench::new(1);
    let gone = || Failure::new(FailureKind::Storage, "drive gone", "");
    let trouble = |bench: &Bench| bench.state.view().activity.storage_trouble;
    bench.apply(Input::WriteFailed(gone()));
    assert_eq!(bench.reloads, 1);
    bench.apply(Input::Tick);
    assert_eq!(
        bench.reloads, 1,
        "asked again before the first was answered"
    );
    for tries in 2..5 {
        bench.apply(Input::ReloadFailed(gone()));
        bench.apply(Input::Tick);
        assert_eq!(bench.reloads, tries);
        bench.analyze_all();
        assert!(trouble(&bench).is_some(), "nobody knows of it any more");
    }
    bench.apply(Input::Reloaded(Loaded::default()));
    assert_eq!(trouble(&bench), None, "it was asked for and is not tried");
    assert_eq!(bench.said.last(), Some(&Event::Idle));
}

#[test]
fn a_cancelled_import_takes_in_what_it_found_and_works_on_none_of_it() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    bench.apply(Input::Command(Command::Cancel));
    bench.meet("/music/a.mp3", new);
    assert_eq!(bench.outcomes(), [Outcome::Added]);
    assert!(bench.jobs.is_empty());
}

#[test]
fn new_beats_make_chords_and_key_due_that_rest_on_the_old_ones() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let id = bench.meet("/music/a.mp3", new);
    bench.beats(0, Some(128.0));
    let (artifact, result) = (Artifact::Key, Ok(None));
    bench.news(
        0,
        JobNews::Made(Made {
            artifact,
            result,
            cpu_secs: 0.1,
        }),
    );
    bench.hash(0, 1);
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    bench.end_import(&[]);
    let beats = Extent::Only([Artifact::Beats].into());
    bench.analyze(Selection::Tracks(vec![id]), beats, (None, true));
    assert_eq!(bench.jobs[1].wants, [Artifact::Beats, Artifact::Key].into());
}

#[test]
fn a_missing_track_that_is_met_again_is_back() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    let id = bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    bench.start_import(None);
    bench.end_import(&[id]);
    assert_eq!(bench.row(id).state, TrackState::Missing);
    bench.start_import(None);
    bench.meet("/music/a.mp3", |decision| {
        assert_eq!(decision, Decision::Returned(id));
        Fate::Unchanged(id)
    });
    assert!(!bench.row(id).track.missing);
    assert_eq!(
        bench.outcomes(),
        [Outcome::Added, Outcome::Missing, Outcome::Updated]
    );
}

#[test]
fn a_full_disk_stops_the_work_says_so_once_and_a_new_command_tries_again() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    bench.meet("/music/a.mp3", new);
    bench.meet("/music/b.mp3", new);
    let tracks = bench
        .state
        .catalog
        .rows
        .iter()
        .map(|row| row.track.clone())
        .collect();
    bench.held_writes = Some(Vec::new());
    bench.hash(0, 1);
    let failure = Failure::new(FailureKind::Storage, "full", "make room");
    bench.apply(Input::WriteFailed(failure.clone()));
    bench.apply(Input::WriteFailed(failure));
    let told = bench
        .said
        .iter()
        .filter(|event| matches!(event, Event::StorageFailed(_)));
    assert_eq!(told.count(), 1);
    assert!(bench.jobs[0].control.check().is_err(), "the job goes on");
    bench.news(0, JobNews::Ended(JobEnd::Cancelled));
    assert_eq!(bench.jobs.len(), 1, "another job was started");
    bench.held_writes = None;
    bench.end_import(&[]);
    bench.apply(Input::Reloaded(Loaded {
        tracks,
        ..Loaded::default()
    }));
    bench.analyze_all();
    assert_eq!(bench.jobs.len(), 2);
}

#[test]
fn paused_means_that_nothing_new_starts() {
    let mut bench = Bench::new(1);
    bench.apply(Input::Command(Command::Pause));
    bench.start_import(Some(Extent::Everything));
    bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    assert!(bench.jobs.is_empty());
    bench.apply(Input::Command(Command::Resume));
    assert_eq!(bench.jobs.len(), 1);
}

#[test]
fn what_the_user_stopped_is_not_taken_up_again_unasked() {
    let mut bench = Bench::new(1);
    bench.apply(Input::Command(Command::SetEager(true)));
    bench.start_import(None);
    let id = bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    bench.apply(Input::Tick);
    assert_eq!(bench.jobs.len(), 1);
    bench.apply(Input::Command(Command::Cancel));
    bench.news(0, JobNews::Ended(JobEnd::Cancelled));
    bench.apply(Input::Command(Command::Undo));
    bench.start_import(None);
    bench.end_import(&[]);
    for _ in 0..3 {
        bench.apply(Input::Tick);
    }
    assert_eq!(bench.jobs.len(), 1);
    // Asked for, it is.
    bench.apply(Input::Command(Command::Retry(Selection::Tracks(vec![id]))));
    bench.apply(Input::Tick);
    assert_eq!(bench.jobs.len(), 2);
}

#[test]
fn due_work_is_taken_up_unasked_only_while_that_is_wished() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    bench.apply(Input::Tick);
    assert!(bench.jobs.is_empty());
    bench.apply(Input::Command(Command::SetEager(true)));
    assert_eq!(bench.jobs.len(), 1);
    bench.news(0, JobNews::Ended(JobEnd::Cancelled));
    bench.apply(Input::Tick);
    assert_eq!(bench.jobs.len(), 2, "what became due again was not seen");
    bench.apply(Input::Command(Command::SetEager(false)));
    bench.news(1, JobNews::Ended(JobEnd::Cancelled));
    bench.apply(Input::Tick);
    assert_eq!(bench.jobs.len(), 2);
}

#[test]
fn what_failed_for_good_is_tried_again_only_for_a_track_that_is_named() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Only([Artifact::Hash].into())));
    let id = bench.meet("/music/a.mp3", new);
    let result = Err(Failure::new(FailureKind::Damaged, "broken", ""));
    let cpu_secs = 0.0;
    bench.news(0, JobNews::Hash { result, cpu_secs });
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    bench.end_import(&[]);
    let ask = |tracks| {
        Input::Command(Command::Analyze {
            request: RequestId(2),
            tracks,
            extent: Extent::Only([Artifact::Hash].into()),
            force: false,
            engine: None,
        })
    };
    bench.apply(ask(Selection::All));
    assert_eq!(bench.jobs.len(), 1);
    bench.apply(ask(Selection::Tracks(vec![id])));
    assert_eq!(bench.jobs.len(), 2);
    assert_eq!(bench.jobs[1].wants, [Artifact::Hash].into());
}

#[test]
fn tracks_that_the_user_wants_first_are_next_and_cancelled_ones_come_only_when_named() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    let ids = ["/music/a", "/music/b", "/music/c"].map(|path| bench.meet(path, new));
    bench.end_import(&[]);
    bench.analyze_all();
    assert_eq!(bench.jobs[0].track, ids[0]);
    bench.apply(Input::Command(Command::Prioritize(vec![ids[2], ids[0]])));
    let waiting: Vec<(TrackId, bool)> = bench
        .state
        .view()
        .activity
        .waiting
        .iter()
        .map(|waiting| (waiting.track, waiting.is_first))
        .collect();
    assert_eq!(waiting, [(ids[2], true), (ids[1], false)]);
    bench.apply(Input::Command(Command::CancelTracks(vec![ids[0], ids[1]])));
    assert!(bench.jobs[0].control.check().is_err());
    bench.news(0, JobNews::Ended(JobEnd::Cancelled));
    assert_eq!(bench.jobs[1].track, ids[2]);
    bench.news(1, JobNews::Ended(JobEnd::Cancelled));
    drop(bench.state.be_eager(Timestamp::UNIX_EPOCH));
    assert_eq!(bench.state.view().activity.queued, 0);
    assert_eq!(bench.state.view().activity.running[0].track, ids[2]);
    bench.apply(Input::Command(Command::CancelTracks(vec![ids[2]])));
    bench.analyze_all();
    assert_eq!(bench.state.view().activity.queued, 3);
}

#[test]
fn a_few_tracks_that_are_named_go_before_a_library_that_waits() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    let ids = ["/music/a", "/music/b", "/music/c", "/music/d"].map(|path| bench.meet(path, new));
    bench.end_import(&[]);
    bench.analyze_all();
    bench.apply(Input::Command(Command::Analyze {
        request: RequestId(3),
        tracks: Selection::Tracks(vec![ids[3], ids[2]]),
        extent: Extent::Everything,
        force: true,
        engine: None,
    }));
    let waiting = &bench.state.view().activity.waiting;
    let waiting: Vec<TrackId> = waiting.iter().map(|waiting| waiting.track).collect();
    assert_eq!(waiting, [ids[3], ids[2], ids[1]]);
}
