//! The bar and the drawer as a user meets them.

use super::*;
use crate::action::Action;
use crate::settings::Settings;
use crate::shelf::Shelf;
use eframe::egui::Vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use tonearm_core::artifact::{Artifact, ArtifactRecord, Engine, Maker, Recipe};
use tonearm_core::control::Control;
use tonearm_core::core_loop::command::{Extent, RequestId, Selection};
use tonearm_core::core_loop::event::Outcome;
use tonearm_core::core_loop::view::{ImportProgress, Rows, RunningJob, View, Waiting};
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::playback::PlayerView;
use tonearm_core::row::{ArtifactState, Row, TrackState};
use tonearm_core::setup::{DeviceView, EnvironmentView, SetupView, Variant};
use tonearm_core::track::{FilePath, FileStamp, Tags, Track};

/// A window with bar and drawer alone.
#[derive(Default)]
struct World {
    view: View,
    sound: PlayerView,
    shelf: Shelf,
    settings: Settings,
    setup: SetupView,
    panel: ImportsPanel,
    out: Outbox,
}

impl World {
    fn draw(&mut self, ui: &mut Ui) {
        let scene = Scene {
            view: &self.view,
            sound: &self.sound,
            playhead: None,
            sought: None,
            shelf: &self.shelf,
            settings: &self.settings,
            setup: &self.setup,
            ready: true,
        };
        activity_bar_ui(ui, &scene, &mut self.panel, &mut self.out);
        if self.panel.open {
            imports_ui(ui, &scene, &mut self.panel, &mut self.out);
        }
    }
}

/// Five steps are a second: a click must not take longer.
fn window(world: World, size: Vec2) -> Harness<'static, World> {
    Harness::builder()
        .with_size(size)
        .with_step_dt(0.2)
        .build_ui_state(|ui, world: &mut World| world.draw(ui), world)
}

fn wide(world: World) -> Harness<'static, World> {
    window(world, Vec2::new(1000.0, 320.0))
}

fn row(id: u64, title: &str) -> Row {
    let path = FilePath(format!("/music/{title}.flac").into());
    Row {
        track: Box::new(Track {
            id: TrackId(id),
            path: path.clone(),
            root: path.into(),
            stamp: FileStamp {
                bytes: 1,
                modified_ns: 1,
            },
            tags: Tags {
                title: Some(title.into()),
                ..Tags::default()
            },
            format: None,
            hash: None,
            added: "2026-01-02T03:04:05Z".parse().unwrap(),
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: tonearm_core::track::TagFields::default(),
        }),
        knowledge: Box::default(),
        state: TrackState::Ready,
        artifacts: [ArtifactState::Done; Artifact::ALL.len()],
        duplicates: Vec::new(),
        revision: 0,
        search_text: String::new(),
    }
}

fn failed(id: u64, title: &str) -> Row {
    let mut row = row(id, title);
    let failure = Failure::new(
        FailureKind::Unsupported,
        "no decoder for wma",
        "Convert it to FLAC",
    );
    for artifact in [Artifact::Beats, Artifact::Key] {
        let record = ArtifactRecord {
            recipe: Recipe {
                maker: Maker::Native,
                version: 1,
                parameters: String::new(),
                model: None,
            }
            .into(),
            made_from: row.track.stamp,
            cpu_secs: 0.0,
            failure: Some(Box::new(failure.clone())),
            nothing_found: false,
        };
        row.knowledge.records.insert(artifact, record);
        let place = Artifact::ALL.iter().position(|it| *it == artifact).unwrap();
        row.artifacts[place] = ArtifactState::Failed;
    }
    row.state = TrackState::Failed;
    row
}

fn missing(id: u64, title: &str) -> Row {
    let mut row = row(id, title);
    row.track.missing = true;
    row.state = TrackState::Missing;
    row
}

fn job(track: u64, part: f32) -> RunningJob {
    let control = Control::default();
    control.set_progress(part);
    RunningJob {
        track: TrackId(track),
        wants: BTreeSet::from([Artifact::Beats]),
        by_models: BTreeSet::new(),
        control,
        live: None,
    }
}

/// Two of ten done, one half done.
fn at_work() -> World {
    let mut world = World::default();
    world.view.rows = Rows::new(vec![row(1, "Night Ferry"), row(2, "Low Orbit")]);
    world.view.activity = Activity {
        finished: 2,
        queued: 7,
        running: vec![job(2, 0.5)],
        ..Activity::default()
    };
    world
}

fn with_failures() -> World {
    let mut world = World::default();
    world.view.rows = Rows::new(vec![
        row(1, "Night Ferry"),
        failed(2, "Old Tape"),
        missing(3, "Lost File"),
    ]);
    world.panel.open = true;
    world
}

#[test]
fn a_quiet_library_has_no_bar() {
    let harness = wide(World::default());
    assert!(
        harness
            .query_by_label("Show imports and analysis")
            .is_none()
    );
}

#[test]
fn work_is_told_with_its_progress_and_can_be_paused() {
    let mut harness = wide(at_work());
    harness.get_by_label("Analysing, 2 of 10");
    let bar = harness.get_by_label("Analysis of all tracks");
    assert_eq!(bar.accesskit_node().numeric_value(), Some(25.0));
    harness.get_by_label("Pause imports and analysis").click();
    harness.run_steps(2);
    assert_eq!(harness.state().out.commands, [Command::Pause]);
    harness.state_mut().view.activity.paused = true;
    harness.run_steps(1);
    harness.get_by_label("Pausing, 1 to finish");
    harness.get_by_label("Resume imports and analysis").click();
    harness.run_steps(2);
    harness.get_by_label("Cancel imports and analysis").click();
    harness.run_steps(2);
    let commands = &harness.state().out.commands;
    assert_eq!(
        commands[1..],
        [
            Command::Resume,
            Command::Cancel,
            Command::Withdraw(Selection::All)
        ]
    );
}

#[test]
fn models_that_go_without_their_card_are_told_while_they_work() {
    let words = "Cuda ran out of memory when models last ran: the processor stands in";
    let mut world = at_work();
    world.panel.open = true;
    world.setup.environment = EnvironmentView::Ready {
        folder: "/cache/python/0123".into(),
        variant: Variant::Cuda,
        versions: std::collections::BTreeMap::new(),
    };
    world.setup.device = DeviceView::Known {
        device: "cpu".to_owned(),
        devices: vec!["cuda".to_owned(), "cpu".to_owned()],
        short: Some("cuda".to_owned()),
    };
    let mut harness = wide(world);
    assert!(harness.query_by_label(words).is_none());
    let job = &mut harness.state_mut().view.activity.running[0];
    job.by_models = job.wants.clone();
    harness.run_steps(1);
    harness.get_by_label(words);
}

#[test]
fn rate_and_time_left_come_when_they_are_known() {
    let mut harness = wide(at_work());
    for _second in 0..10 {
        harness.run_steps(5);
        let activity = &mut harness.state_mut().view.activity;
        activity.finished += 1;
        activity.queued += 29;
    }
    harness.run_steps(1);
    harness.get_by_label_contains("about 5 min left");
    harness.state_mut().view.activity.import = Some(ImportProgress::default());
    harness.run_steps(1);
    assert!(harness.query_by_label_contains("left").is_none());
}

#[test]
fn an_import_tells_what_it_has_found_and_the_drawer_what_became_of_it() {
    let mut world = at_work();
    let mut tally = Tally::default();
    for outcome in [Outcome::Added, Outcome::Added, Outcome::Unchanged] {
        tally.add(outcome);
    }
    tally.skipped = 1_204;
    world.view.activity.import = Some(ImportProgress {
        tally,
        expected: None,
    });
    let mut harness = wide(world);
    harness.get_by_label("Importing, 3 files so far");
    let import = &mut harness.state_mut().view.activity.import;
    import.as_mut().unwrap().expected = Some(12);
    harness.run_steps(1);
    harness.get_by_label("Importing, 3 of 12 files");
    let bar = harness.get_by_label("Import of all files");
    assert_eq!(bar.accesskit_node().numeric_value(), Some(25.0));
    // A folder that grows while it is read.
    let import = &mut harness.state_mut().view.activity.import;
    import.as_mut().unwrap().expected = Some(2);
    harness.run_steps(1);
    harness.get_by_label("Importing, 3 of 3 files");
    harness.get_by_label("Show imports and analysis").click();
    harness.run_steps(2);
    harness.get_by_label("2 added · 1 already there · 1,204 not music");
    harness.state_mut().view.activity.import = None;
    harness.run_steps(1);
    harness.get_by_label("Last import");
    harness.get_by_label("2 added · 1 already there · 1,204 not music");
    harness.get_by_label("Close imports and analysis").click();
    harness.run_steps(2);
    assert!(!harness.state().panel.open);
}

#[test]
fn an_import_that_was_counted_tells_its_rate_and_the_time_left() {
    let mut world = at_work();
    world.view.activity.import = Some(ImportProgress {
        tally: Tally::default(),
        expected: Some(1_000),
    });
    let mut harness = wide(world);
    for _second in 0..20 {
        let import = harness.state_mut().view.activity.import.as_mut().unwrap();
        for _file in 0..10 {
            import.tally.add(Outcome::Added);
        }
        harness.run_steps(5);
    }
    harness.get_by_label_contains("10 files/s · about 1 min left");
}

#[test]
fn tracks_in_hand_are_named_with_their_progress() {
    let mut world = at_work();
    world.panel.open = true;
    let harness = wide(world);
    harness.get_by_label("Low Orbit");
    let bar = harness.get_by_label("Analysis of Low Orbit");
    assert_eq!(bar.accesskit_node().numeric_value(), Some(50.0));
}

#[test]
fn the_summary_goes_by_itself_unless_something_failed() {
    let mut harness = wide(at_work());
    harness.state_mut().view.activity = Activity {
        finished: 10,
        ..Activity::default()
    };
    harness.run_steps(1);
    harness.get_by_label("Finished 10 tracks");
    harness.run_steps(150);
    assert!(harness.query_by_label("Finished 10 tracks").is_none());
    harness.state_mut().view.activity.failed = 2;
    harness.run_steps(1);
    harness.get_by_label("2 failed");
    harness.get_by_label("Dismiss the summary").click();
    harness.run_steps(2);
    assert!(harness.query_by_label("2 failed").is_none());
}

#[test]
fn each_failure_says_why_and_can_be_tried_again() {
    let mut harness = wide(with_failures());
    harness.get_by_label("2 failures");
    harness.get_by_label("Beats, key: no decoder for wma");
    harness.get_by_label("The file is not there");
    harness.get_by_label("Try Old Tape again").click();
    harness.run_steps(2);
    harness
        .get_by_label("Try everything that failed again")
        .click();
    harness
        .get_by_label("Show Lost File in the library")
        .click();
    harness.run_steps(2);
    let world = harness.state();
    assert_eq!(
        world.out.commands,
        [
            Command::Retry(Selection::Tracks(vec![TrackId(2)])),
            Command::Retry(Selection::All),
        ]
    );
    assert_eq!(world.panel.wanted, Some(TrackId(3)));
}

#[test]
fn the_list_of_failures_can_be_copied() {
    let mut harness = wide(with_failures());
    harness.get_by_label("Copy the list of failures").click();
    harness.run_steps(2);
    let copied = harness.state().out.copied.clone().unwrap();
    let lines: Vec<&str> = copied.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[0],
        "/music/Old Tape.flac\tBeats, key: no decoder for wma\tConvert it to FLAC"
    );
    assert!(lines[1].starts_with("/music/Lost File.flac\tThe file is not there\t"));
}

#[test]
fn the_list_follows_what_is_mended_and_what_goes() {
    let mut troubles = Troubles::default();
    let mut rows: Vec<Row> = (0..1_200).map(|id| row(id, "fine")).collect();
    rows[3] = failed(3, "a");
    rows[700] = missing(700, "b");
    rows[1_100] = failed(1_100, "c");
    for (mended, left) in [
        (None, vec![3, 700, 1_100]),
        (Some(700), vec![3, 1_100]),
        (Some(3), vec![1_100]),
    ] {
        if let Some(place) = mended {
            rows[place] = row(place as u64, "mended");
        }
        troubles.follow(&Rows::new(rows.clone()));
        let found: Vec<u64> = troubles.all().iter().map(|id| id.0).collect();
        assert_eq!(found, left);
    }
    rows.truncate(600);
    troubles.follow(&Rows::new(rows));
    assert!(troubles.all().is_empty());
}

#[test]
fn titles_of_any_length_and_windows_of_any_size_are_drawn() {
    for size in [
        Vec2::new(1.0, 1.0),
        Vec2::new(300.0, 60.0),
        Vec2::new(700.0, 240.0),
    ] {
        let mut world = with_failures();
        let long = "x".repeat(100_000);
        world.view.rows = Rows::new(vec![
            failed(1, &long),
            failed(2, "line\nbreak"),
            row(3, &long),
        ]);
        world.view.activity = Activity {
            running: vec![job(3, f32::NAN), job(99, 2.0)],
            ..Activity::default()
        };
        window(world, size).run_steps(3);
    }
}

/// Two that wait, one of them for stems.
fn with_waiting() -> World {
    let mut world = at_work();
    let mut asked = row(1, "Night Ferry");
    asked.knowledge.stems_asked = true;
    world.view.rows = Rows::new(vec![asked, row(2, "Low Orbit"), row(3, "Slow Tide")]);
    world.view.activity.queued = 7;
    world.view.activity.waiting = vec![
        Waiting {
            track: TrackId(3),
            extent: Extent::Everything,
            is_long: false,
            is_first: false,
            is_held: false,
        },
        Waiting {
            track: TrackId(1),
            extent: Extent::Only(BTreeSet::from([Artifact::Stems])),
            is_long: true,
            is_first: false,
            is_held: false,
        },
    ];
    world.panel.open = true;
    world
}

#[test]
fn what_waits_is_told_in_order_and_can_go_first_or_be_taken_back() {
    let mut harness = wide(with_waiting());
    harness.get_by_label("Waiting 7");
    harness.get_by_label("draft stems");
    harness.get_by_label("and 5 more");
    assert!(harness.query_by_label("Do Slow Tide next").is_none());
    harness.get_by_label("Do Night Ferry next").click();
    harness.run_steps(2);
    harness.get_by_label("Cancel Slow Tide").click();
    harness.run_steps(2);
    harness.get_by_label("Cancel Low Orbit").click();
    harness.run_steps(2);
    assert_eq!(
        harness.state().out.commands,
        [
            Command::Prioritize(vec![TrackId(1)]),
            Command::CancelTracks(vec![TrackId(3)]),
            Command::CancelTracks(vec![TrackId(2)]),
        ]
    );
    harness.get_by_label("Failures 0").click();
    harness.run_steps(2);
    harness.get_by_label("No failures");
}

#[test]
fn tracks_that_wait_for_models_are_told_with_the_reason_and_the_way_to_help() {
    let mut world = with_waiting();
    let activity = &mut world.view.activity;
    activity.queued = 1;
    activity.held = 1;
    activity.waiting[1].is_held = true;
    activity.lost_models = Some(Failure::new(
        FailureKind::Missing,
        "the environment for models is not whole: it is not there",
        "Run tonearm setup; it makes it anew",
    ));
    let mut harness = wide(world);
    harness.get_by_label("Waiting 2");
    harness.get_by_label(
        "1 track waits for models: the environment for models is not whole: it is not there",
    );
    harness.get_by_label("stems once models work again");
    assert!(harness.query_by_label("Do Night Ferry next").is_none());
    harness.get_by_label("Set up models…").click();
    harness.run_steps(2);
    assert_eq!(harness.state().out.actions, [Action::Setup]);
}

#[test]
fn what_a_model_failed_at_stands_among_the_failures_of_a_ready_track() {
    let mut ready = row(1, "Night Ferry");
    ready.knowledge.engine = Engine::Neural;
    let mut record = failed(2, "x").knowledge.records[&Artifact::Beats].clone();
    let failure = Failure::new(FailureKind::Bug, "it ended", "Try again");
    record.failure = Some(Box::new(failure));
    ready.knowledge.tried.insert(Artifact::Beats, record);
    let mut world = at_work();
    world.panel.open = true;
    world.view.activity = Activity::default();
    world.view.rows = Rows::new(vec![ready]);
    let mut harness = wide(world);
    harness.get_by_label("Failures 1");
    harness.get_by_label("Beats by Beat This!: it ended");
    harness.get_by_label("Try Night Ferry again").click();
    harness.run_steps(2);
    let tracks = Selection::Tracks(vec![TrackId(1)]);
    assert_eq!(harness.state().out.commands, [Command::Retry(tracks)]);
}

#[test]
fn stems_that_are_left_are_told_with_time_and_room() {
    let harness = wide(with_waiting());
    // Five minutes are taken for a track of unknown length.
    harness.get_by_label("Draft stems of 1 track: a few seconds, 90.0 MB");
}

#[test]
fn the_part_in_hand_is_told_with_who_makes_it() {
    let mut world = at_work();
    world.panel.open = true;
    let job = &mut world.view.activity.running[0];
    job.wants = BTreeSet::from([Artifact::Stems, Artifact::Key, Artifact::Chords]);
    job.by_models = job.wants.clone();
    let mut harness = wide(world);
    harness.get_by_label("50 % · stems by HT Demucs, then key and chords");
    let job = &mut harness.state_mut().view.activity.running[0];
    job.wants.remove(&Artifact::Stems);
    job.by_models.clear();
    harness.run_steps(1);
    harness.get_by_label("50 % · key and chords by the built-in analysis");
}

#[test]
fn stems_of_very_many_tracks_are_asked_about_once_with_what_they_cost() {
    let tracks: Vec<TrackId> = (0..40).map(TrackId).collect();
    let mut world = World::default();
    world.view.rows = Rows::new((0..40).map(|id| row(id, "Night Ferry")).collect());
    world.settings.jobs = Some(1);
    world.view.stem_room.bytes = 4_000_000_000;
    let scene = Scene {
        view: &world.view,
        sound: &world.sound,
        playhead: None,
        sought: None,
        shelf: &world.shelf,
        settings: &world.settings,
        setup: &world.setup,
        ready: true,
    };
    let stems = |tracks: Vec<TrackId>, extent| Command::Analyze {
        request: RequestId::default(),
        tracks: Selection::Tracks(tracks),
        extent,
        force: false,
        engine: None,
    };
    let only = || Extent::Only(BTreeSet::from([Artifact::Stems]));
    let few = tracks.iter().copied().take(20).collect();
    assert_eq!(Batch::before(&scene, &stems(few, only())), None);
    let everything = stems(tracks.clone(), Extent::Everything);
    assert_eq!(Batch::before(&scene, &everything), None);
    let many = stems(tracks, only());
    let batch = Batch::before(&scene, &many).unwrap();
    assert_eq!(batch.too_much_for, None);
    world.panel.batch = Some(batch.clone());
    let mut harness = Harness::builder()
        .with_size(Vec2::new(1000.0, 200.0))
        .with_step_dt(0.2)
        .build_ui_state(
            |ui, world: &mut World| {
                batch_ui(ui, &world.view.rows, &mut world.panel, &mut world.out);
            },
            world,
        );
    harness.get_by_label("Stems of 40 tracks: about 10 min, 3.6 GB");
    harness.get_by_label("Not now").click();
    harness.run_steps(2);
    assert_eq!(harness.state().panel.batch, None);
    assert!(harness.state().out.commands.is_empty());
    harness.state_mut().panel.batch = Some(batch.clone());
    harness.run_steps(1);
    harness.get_by_label("Make them").click();
    harness.run_steps(2);
    assert_eq!(harness.state().out.agreed, [many]);
    let again = batch.clone();
    harness.state_mut().panel.batch = Some(Batch {
        too_much_for: Some(2_000_000_000),
        ..batch
    });
    harness.run_steps(1);
    harness.get_by_label("more than the 2.0 GB for stems: not all will be made");
    harness.key_press(eframe::egui::Key::Escape);
    harness.run_steps(2);
    assert_eq!(harness.state().panel.batch, None);
    harness.state_mut().panel.batch = Some(again);
    harness.state_mut().view.rows = Rows::default();
    harness.run_steps(2);
    assert_eq!(
        harness.state().panel.batch,
        None,
        "all of them were removed"
    );
}

#[test]
fn a_batch_that_does_not_fit_is_known_before() {
    let mut world = World::default();
    world.view.rows = Rows::new((0..40).map(|id| row(id, "Night Ferry")).collect());
    world.view.stem_room.bytes = 3_599_999_999;
    let scene = Scene {
        view: &world.view,
        sound: &world.sound,
        playhead: None,
        sought: None,
        shelf: &world.shelf,
        settings: &world.settings,
        setup: &world.setup,
        ready: true,
    };
    let command = Command::Analyze {
        request: RequestId::default(),
        tracks: Selection::Tracks((0..40).map(TrackId).collect()),
        extent: Extent::Only(BTreeSet::from([Artifact::Stems])),
        force: false,
        engine: None,
    };
    let batch = Batch::before(&scene, &command).unwrap();
    assert_eq!(batch.estimate.bytes, 3_600_000_000);
    assert_eq!(batch.too_much_for, Some(3_599_999_999));
}

#[test]
fn the_library_as_it_was_is_let_go_of_when_the_drawer_is_closed() {
    let mut harness = wide(with_failures());
    let old = Arc::downgrade(harness.state().view.rows.chunks().next().unwrap());
    harness.get_by_label("Close imports and analysis").click();
    harness.run_steps(2);
    harness.state_mut().view.rows = Rows::default();
    harness.run_steps(1);
    assert!(old.upgrade().is_none());
}
