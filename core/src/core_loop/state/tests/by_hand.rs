//! Changes by hand, removals, and taking them back.

use super::*;
use crate::edits::{Edit, Refusal};
use crate::harmony::Key;
use crate::row::ArtifactState;

fn steady(bpm: f64) -> Beats {
    let beat = |n: u8| Beat {
        at: Secs(f64::from(n) * 60.0 / bpm),
        position: n % 4 + 1,
    };
    Beats {
        beats: (0..64).map(beat).collect(),
        ..beats(bpm)
    }
}

/// A library of some tracks, each with beats at 120.
fn with_tracks(names: &[&str]) -> (Bench, Vec<TrackId>) {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Only([Artifact::Beats].into())));
    let mut ids = Vec::new();
    for (job, name) in names.iter().enumerate() {
        ids.push(bench.meet(&format!("/music/{name}.mp3"), new));
        made(&mut bench, job, 120.0);
    }
    bench.end_import(&[]);
    bench.said.clear();
    (bench, ids)
}

fn made(bench: &mut Bench, job: usize, bpm: f64) {
    bench.news(
        job,
        JobNews::Made(Made {
            artifact: Artifact::Beats,
            result: Ok(Some(Finding::Beats(steady(bpm)))),
            cpu_secs: 0.5,
        }),
    );
    bench.news(job, JobNews::Ended(JobEnd::Complete));
}

impl Bench {
    fn edit(&mut self, track: TrackId, edit: Edit) {
        self.apply(Input::Command(Command::Edit { track, edit }));
    }

    fn undo(&mut self) {
        self.apply(Input::Command(Command::Undo));
    }

    fn redo(&mut self) {
        self.apply(Input::Command(Command::Redo));
    }

    fn remove(&mut self, tracks: &[TrackId]) {
        self.apply(Input::Command(Command::Remove(tracks.to_vec())));
    }

    fn bpm(&self, id: TrackId) -> Option<f64> {
        self.row(id).knowledge.summary.bpm.map(|bpm| bpm.0)
    }

    fn words(&self) -> (Option<String>, Option<String>) {
        let view = self.state.view();
        let owned = |words: Option<std::sync::Arc<str>>| words.map(|words| words.to_string());
        (owned(view.undo), owned(view.redo))
    }
}

#[test]
fn an_edit_is_written_before_it_is_told_and_can_be_taken_back_and_made_again() {
    let (mut bench, ids) = with_tracks(&["Night Ferry"]);
    bench.held_writes = Some(Vec::new());
    bench.edit(ids[0], Edit::HalveTempo);
    assert_eq!(bench.bpm(ids[0]), Some(60.0));
    assert_eq!(bench.said, [], "told before it was on disk");
    for events in bench.held_writes.take().unwrap() {
        bench.apply(Input::Written(events));
    }
    let edited = Event::Edited {
        track: ids[0],
        edit: Edit::HalveTempo,
    };
    assert_eq!(bench.said, [edited, Event::Idle]);
    let words = Some("half tempo of Night Ferry".to_owned());
    assert_eq!(bench.words(), (words.clone(), None));

    bench.undo();
    assert_eq!(bench.bpm(ids[0]), Some(120.0));
    assert!(!bench.row(ids[0]).knowledge.is_by_hand(Artifact::Beats));
    assert_eq!(bench.words(), (None, words.clone()));
    bench.redo();
    assert_eq!(bench.bpm(ids[0]), Some(60.0));
    assert_eq!(bench.words(), (words, None));
    bench.undo();
    bench.undo();
    bench.edit(ids[0], Edit::DoubleTempo);
    assert_eq!(
        bench.words().1,
        None,
        "a new change ends what could be made again"
    );
    bench.redo();
    assert_eq!(bench.bpm(ids[0]), Some(240.0));
}

#[test]
fn edits_asked_for_at_once_build_on_each_other() {
    let (mut bench, ids) = with_tracks(&["a"]);
    let commands = [
        Command::Edit {
            track: ids[0],
            edit: Edit::DoubleTempo,
        },
        Command::Edit {
            track: ids[0],
            edit: Edit::DoubleTempo,
        },
        Command::Undo,
        Command::Edit {
            track: ids[0],
            edit: Edit::HalveTempo,
        },
        Command::Edit {
            track: ids[0],
            edit: Edit::HalveTempo,
        },
    ];
    // Answers come only after all has been asked for.
    let mut effects = VecDeque::new();
    for command in commands {
        effects.extend(
            bench
                .state
                .apply(Input::Command(command), Timestamp::UNIX_EPOCH),
        );
    }
    while let Some(effect) = effects.pop_front() {
        match effect {
            Effect::Read(track) => {
                let stored = Box::new(bench.stored.get(&track).cloned().unwrap_or_default());
                let read = Input::Read(track, Ok(stored));
                effects.extend(bench.state.apply(read, Timestamp::UNIX_EPOCH));
            }
            Effect::Write { changes, events } => {
                bench.store(&changes);
                bench.apply(Input::Written(events));
            }
            _ => {}
        }
    }
    assert_eq!(bench.bpm(ids[0]), Some(60.0));
    assert_eq!(bench.said.last(), Some(&Event::Idle));
}

#[test]
fn no_later_analysis_nor_import_changes_what_was_set_by_hand() {
    let (mut bench, ids) = with_tracks(&["a"]);
    let id = ids[0];
    bench.edit(id, Edit::HalveTempo);
    bench.edit(id, Edit::SetKey(Key::parse("5A").unwrap()));
    let row = bench.row(id);
    assert_eq!(row.artifacts[Artifact::Key as usize], ArtifactState::Done);
    // A forced run leaves it out; a run that began before finds something else.
    bench.analyze(Selection::All, Extent::Everything, (None, true));
    let job = bench.jobs.len() - 1;
    assert!(!bench.jobs[job].wants.contains(&Artifact::Beats));
    bench.hash(job, 4);
    made(&mut bench, job, 90.0);
    assert_eq!(bench.bpm(id), Some(60.0));
    // The file is another; its tags are read again.
    bench.start_import(None);
    let stamp = FileStamp {
        bytes: 9,
        modified_ns: 9,
    };
    let found = Found {
        candidate: Candidate {
            path: "/music/a.mp3".into(),
            stamp,
        },
        root: "/music".into(),
        fate: Fate::Changed(id, Ok(TagsRead::default())),
    };
    bench.apply(Input::Import(ImportNews::Found {
        found: vec![found],
        unreachable: Vec::new(),
    }));
    bench.end_import(&[]);
    let summary = bench.row(id).knowledge.summary;
    assert_eq!(summary.bpm, Some(Bpm(60.0)));
    assert_eq!(summary.key, Key::parse("5A"));
    // What was found beneath is stored as found, and shown when the hand is taken away.
    let stored = bench.changes.iter().rev().find_map(|change| match change {
        Change::PutKnowledge(_, knowledge) => Some(knowledge.clone()),
        _ => None,
    });
    assert_eq!(stored.unwrap().summary.bpm, Some(Bpm(90.0)));
    bench.edit(id, Edit::ForgetBeats);
    assert_eq!(bench.bpm(id), Some(90.0));
    assert!(bench.row(id).knowledge.is_by_hand(Artifact::Key));
}

#[test]
fn beats_and_key_are_forgotten_and_brought_back_in_one_step() {
    let (mut bench, ids) = with_tracks(&["a"]);
    bench.edit(ids[0], Edit::HalveTempo);
    bench.edit(ids[0], Edit::SetKey(Key::parse("5A").unwrap()));
    bench.edit(ids[0], Edit::ForgetAll);
    let knowledge = bench.row(ids[0]).knowledge;
    assert_eq!(bench.bpm(ids[0]), Some(120.0));
    assert!(!knowledge.is_by_hand(Artifact::Key));
    bench.undo();
    assert_eq!(bench.bpm(ids[0]), Some(60.0));
    assert_eq!(bench.row(ids[0]).knowledge.summary.key, Key::parse("5A"));
}

#[test]
fn the_words_of_a_step_fit_into_a_menu() {
    let (mut bench, ids) = with_tracks(&["ü".repeat(90).as_str()]);
    bench.edit(ids[0], Edit::HalveTempo);
    let words = format!("half tempo of {}…", "ü".repeat(60));
    assert_eq!(bench.words().0, Some(words));
}

#[test]
fn a_failed_write_costs_only_the_steps_that_were_not_on_disk() {
    let (mut bench, ids) = with_tracks(&["a", "b"]);
    let kept = bench.row(ids[1]).track;
    bench.remove(&[ids[0]]);
    bench.held_writes = Some(Vec::new());
    bench.edit(ids[1], Edit::HalveTempo);
    assert_eq!(bench.words().0.as_deref(), Some("half tempo of b"));
    let full = Failure::new(FailureKind::Storage, "full", "");
    bench.apply(Input::WriteFailed(full));
    bench.held_writes = None;
    bench.apply(Input::Reloaded(Loaded {
        tracks: vec![kept],
        ..Loaded::default()
    }));
    assert_eq!(bench.words().0.as_deref(), Some("removal of a"));
    bench.undo();
    assert_eq!(bench.bpm(ids[0]), Some(120.0));
    assert_eq!(bench.changes.last(), Some(&Change::PutBack(ids[0])));
}

#[test]
fn what_is_damaged_can_be_forgotten() {
    let (mut bench, ids) = with_tracks(&["a"]);
    bench.stored.get_mut(&ids[0]).unwrap().is_damaged = true;
    bench.edit(ids[0], Edit::HalveTempo);
    assert!(
        bench
            .changes
            .iter()
            .all(|change| !matches!(change, Change::PutByHand(..)))
    );
    bench.edit(ids[0], Edit::ForgetBeats);
    let gone = Change::PutByHand(ids[0], std::sync::Arc::default());
    assert_eq!(bench.changes.last(), Some(&gone));
}

#[test]
fn what_cannot_be_done_is_said_and_leaves_nothing_to_undo() {
    let mut bench = Bench::new(1);
    bench.start_import(None);
    let id = bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    bench.said.clear();
    bench.edit(id, Edit::HalveTempo);
    bench.edit(TrackId(99), Edit::HalveTempo);
    bench.undo();
    let refused = |track, reason| Event::EditRefused { track, reason };
    let said: Vec<&Event> = bench
        .said
        .iter()
        .filter(|event| **event != Event::Idle)
        .collect();
    assert_eq!(
        said,
        [
            &refused(id, Refusal::NoBeats),
            &refused(TrackId(99), Refusal::NotThere)
        ]
    );
    assert_eq!(bench.words(), (None, None));
}

#[test]
fn undo_reaches_back_a_bounded_way() {
    let (mut bench, ids) = with_tracks(&["a"]);
    for _ in 0..300 {
        bench.edit(ids[0], Edit::ShiftDownbeat(1));
    }
    let mut steps = 0;
    while bench.words().0.is_some() {
        bench.undo();
        steps += 1;
    }
    assert_eq!(steps, 200);
}

#[test]
fn removed_tracks_go_at_once_and_come_back_with_all_that_was_known() {
    let (mut bench, ids) = with_tracks(&["a", "b", "c"]);
    bench.edit(ids[1], Edit::HalveTempo);
    let before = bench.row(ids[1]);
    bench.said.clear();
    bench.remove(&[ids[1], ids[2]]);
    let tracks = vec![ids[1], ids[2]];
    assert_eq!(bench.said, [Event::Removed { tracks }, Event::Idle]);
    assert_eq!(bench.state.catalog.rows.len(), 1);
    assert_eq!(bench.state.catalog.rows.get(ids[1]), None);
    assert_eq!(bench.words().0.as_deref(), Some("removal of 2 tracks"));

    bench.undo();
    let after = bench.row(ids[1]);
    assert_eq!(
        (&after.track, &after.knowledge),
        (&before.track, &before.knowledge)
    );
    assert_ne!(after.revision, before.revision);
    assert_eq!(
        bench.state.catalog.index.at_path("/music/c.mp3".as_ref()),
        Some(ids[2])
    );
    bench.undo();
    assert_eq!(bench.bpm(ids[1]), Some(120.0));
    bench.redo();
    bench.redo();
    assert_eq!(bench.state.catalog.rows.len(), 1);
}

#[test]
fn a_removed_track_is_no_longer_worked_on() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Everything));
    let first = bench.meet("/music/a.mp3", new);
    let second = bench.meet("/music/b.mp3", new);
    bench.end_import(&[]);
    bench.remove(&[first, second]);
    assert!(bench.jobs[0].control.check().is_err(), "the job goes on");
    let writes = bench.changes.len();
    bench.hash(0, 1);
    bench.news(0, JobNews::Ended(JobEnd::Cancelled));
    assert_eq!(bench.changes.len(), writes, "something was written of it");
    assert_eq!(bench.jobs.len(), 1, "the other was started");
    assert_eq!(bench.said.last(), Some(&Event::Idle));
}

#[test]
fn a_removed_file_that_is_imported_again_is_a_new_track_and_undo_does_not_double_it() {
    let (mut bench, ids) = with_tracks(&["a"]);
    bench.remove(&ids);
    bench.start_import(None);
    let again = bench.meet("/music/a.mp3", new);
    bench.end_import(&[]);
    assert_ne!(again, ids[0]);
    bench.undo();
    assert_eq!(bench.state.catalog.rows.len(), 1);
    assert!(bench.said.iter().any(|event| matches!(
        event,
        Event::EditRefused {
            reason: Refusal::BackAlready,
            ..
        }
    )));
}

#[test]
fn what_failed_is_tried_again_when_asked_and_nothing_else() {
    let mut bench = Bench::new(1);
    bench.start_import(Some(Extent::Only([Artifact::Hash].into())));
    bench.meet("/music/a.mp3", new);
    let result = Err(Failure::new(FailureKind::Damaged, "broken", ""));
    bench.news(
        0,
        JobNews::Hash {
            result,
            cpu_secs: 0.0,
        },
    );
    bench.news(0, JobNews::Ended(JobEnd::Complete));
    bench.meet("/music/b.mp3", new);
    bench.hash(1, 2);
    bench.news(1, JobNews::Ended(JobEnd::Complete));
    bench.end_import(&[]);
    assert_eq!(bench.jobs.len(), 2);
    bench.apply(Input::Command(Command::Retry(Selection::All)));
    assert_eq!(bench.jobs.len(), 3);
    assert_eq!(bench.jobs[2].track, bench.jobs[0].track);
    assert_eq!(bench.jobs[2].wants, [Artifact::Hash].into());
}

#[test]
fn every_change_of_a_row_gives_it_another_number_also_after_the_disk_was_read_again() {
    let (mut bench, ids) = with_tracks(&["a", "b"]);
    let numbers = |bench: &Bench| {
        ids.iter()
            .map(|id| bench.row(*id).revision)
            .collect::<Vec<_>>()
    };
    let first = numbers(&bench);
    bench.edit(ids[0], Edit::HalveTempo);
    let second = numbers(&bench);
    assert!(second[0] > first[0] && second[1] == first[1]);
    let tracks = ids.iter().map(|id| bench.row(*id).track).collect();
    bench.apply(Input::Reloaded(Loaded {
        tracks,
        ..Loaded::default()
    }));
    assert!(numbers(&bench).iter().min() > second.iter().max());
}
