//! The frame as its user sees it: menus, sheets, banners, trouble.

use super::*;
use crate::action::{Entry, TABLE};
use crate::shelf::Shelf;
use crate::views::path_entry::{Listing, What};
use eframe::egui::{Key, Modifiers, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::view::View;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::playback::{Device, DeviceId, PlayerCommand, PlayerView};
use tonearm_core::setup::SetupView;
use tracing::Level;

/// A window without core, player and graphics card.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) view: View,
    sound: PlayerView,
    pub(super) shelf: Shelf,
    pub(super) settings: Settings,
    pub(super) setup: SetupView,
    pub(super) panels: Panels,
    pub(super) about: About,
    trouble: Option<Trouble>,
    pub(super) log: Vec<Line>,
    hovering: usize,
    closing: Option<f32>,
    decks: tonearm_core::decks::DecksView,
    out: Outbox,
    wanted: Wanted,
}

fn show(stage: Stage) -> Harness<'static, Stage> {
    Harness::builder()
        .with_size(Vec2::new(1000.0, 700.0))
        .with_context_setup(theme::install)
        .build_ui_state(draw, stage)
}

pub(super) fn draw(ui: &mut Ui, stage: &mut Stage) {
    let mut draft = stage.settings.clone();
    let scene = Scene {
        view: &stage.view,
        sound: &stage.sound,
        playhead: None,
        sought: None,
        shelf: &stage.shelf,
        settings: &stage.settings,
        setup: &stage.setup,
        ready: true,
    };
    let around = Around {
        about: &stage.about,
        trouble: stage.trouble.as_ref(),
        log: &stage.log,
        hovering: stage.hovering,
        closing: stage.closing,
        live: Live {
            decks: &stage.decks,
            now: std::time::Instant::now(),
        },
    };
    let out = &mut stage.out;
    let wanted = frame_ui(ui, &scene, &around, &mut stage.panels, (&mut draft, out));
    stage.wanted.retry |= wanted.retry;
    stage.wanted.abandon |= wanted.abandon;
    stage.settings = draft;
}

fn sheet(sheet: Sheet) -> Stage {
    let panels = Panels {
        sheet: Some(sheet),
        ..Panels::default()
    };
    Stage {
        panels,
        ..Stage::default()
    }
}

pub(super) fn line(level: Level, text: &str) -> Line {
    Line {
        at: jiff::Timestamp::UNIX_EPOCH,
        level,
        target: "tonearm".to_owned(),
        text: text.to_owned(),
    }
}

#[test]
fn a_menu_asks_for_its_action_and_shows_the_key() {
    let mut harness = show(Stage::default());
    harness.get_by_label("Library").click();
    harness.run();
    let keys = Action::AddFolder.entry().and_then(Entry::keys).unwrap();
    let name = format!("Add folder… {keys}");
    harness.get_by_label(&name).click();
    harness.run();
    assert_eq!(harness.state().out.actions, [Action::AddFolder]);
}

#[test]
fn what_cannot_be_done_now_is_not_offered() {
    let mut harness = show(Stage::default());
    harness.get_by_label("Track").click();
    harness.run();
    harness.get_by_label_contains("Undo").click();
    harness.run();
    assert!(harness.state().out.actions.is_empty());
}

#[test]
fn undo_says_what_it_takes_back() {
    let view = View {
        undo: Some("half tempo of Night Ferry".into()),
        ..View::default()
    };
    let mut harness = show(Stage {
        view,
        ..Stage::default()
    });
    harness.get_by_label("Track").click();
    harness.run();
    harness
        .get_by_label_contains("Undo: half tempo of Night Ferry")
        .click();
    harness.run();
    assert_eq!(harness.state().out.actions, [Action::Undo]);
}

#[test]
fn the_help_sheet_names_every_action() {
    let harness = show(sheet(Sheet::Help));
    for entry in TABLE {
        assert!(
            harness.query_all_by_label(entry.name).next().is_some(),
            "{:?} is not on the help sheet",
            entry.action
        );
    }
}

#[test]
fn escape_and_the_cross_take_a_sheet_away() {
    for kind in [Sheet::Help, Sheet::Settings, Sheet::Log, Sheet::PathEntry] {
        let mut harness = show(sheet(kind));
        harness.run_steps(3);
        harness.key_press(Key::Escape);
        harness.run_steps(3);
        // A text field gives the first one the focus back.
        harness.key_press(Key::Escape);
        harness.run_steps(3);
        assert_eq!(harness.state().panels.sheet, None, "{kind:?}");

        let mut harness = show(sheet(kind));
        harness.run_steps(3);
        harness.get_by_label("Close").click();
        harness.run_steps(3);
        assert_eq!(harness.state().panels.sheet, None, "{kind:?}");
    }
}

#[test]
fn settings_change_by_click_and_devices_are_chosen_by_name() {
    let mut stage = sheet(Sheet::Settings);
    stage.sound.devices = vec![Device {
        id: DeviceId("hw:1".to_owned()),
        name: "Studio box".to_owned(),
        is_default: false,
    }];
    let mut harness = show(stage);
    harness.get_by_label("Analyse at once").click();
    harness.run();
    assert!(!harness.state().settings.analyze_on_import);
    harness.get_by_value("System default").click();
    harness.run();
    harness.get_by_label("Studio box").click();
    harness.run();
    let id = DeviceId("hw:1".to_owned());
    assert_eq!(harness.state().settings.output.as_deref(), Some("hw:1"));
    let asked = &harness.state().out.sound;
    assert!(
        asked.contains(&PlayerCommand::SetDevice(Some(id))),
        "{asked:?}"
    );
}

#[test]
fn the_room_for_stems_is_chosen_from_a_list_and_goes_to_the_library() {
    let mut stage = sheet(Sheet::Settings);
    stage.view.stem_room.bytes = 12_300_000_000;
    let mut harness = show(stage);
    harness.get_by_value("As fits the drive (12.3 GB)").click();
    harness.run();
    harness.get_by_label("50.0 GB").click();
    harness.run();
    let asked = Command::LimitStems(Some(50_000_000_000));
    assert_eq!(harness.state().out.commands, [asked]);
    let room = &mut harness.state_mut().view.stem_room;
    (room.bytes, room.is_chosen) = (50_000_000_000, true);
    harness.run();
    harness.get_by_value("50.0 GB").click();
    harness.run();
    harness.get_by_label("As fits the drive").click();
    harness.run();
    let asked = harness.state().out.commands.last();
    assert_eq!(asked, Some(&Command::LimitStems(None)));
}

#[test]
fn the_log_shows_what_is_important_enough() {
    let mut stage = sheet(Sheet::Log);
    stage.log = vec![line(Level::INFO, "opened"), line(Level::ERROR, "broke")];
    stage.panels.log.level = Level::WARN;
    let mut harness = show(stage);
    harness.run();
    assert!(harness.query_by_label_contains("broke").is_some());
    assert!(harness.query_by_label_contains("opened").is_none());
    harness.get_by_label_contains("Copy diagnostics").click();
    harness.run();
    assert_eq!(harness.state().out.actions, [Action::CopyDiagnostics]);
}

#[test]
fn a_path_is_added_only_when_there_is_something() {
    let listing = |what| Listing {
        text: "/music/x".to_owned(),
        what,
        entries: vec!["/music/xylophone/".to_owned()],
    };
    for (what, chosen) in [
        (What::Nothing, None),
        (What::Folder, Some("/music/x".into())),
    ] {
        let mut stage = sheet(Sheet::PathEntry);
        stage.panels.path_entry.text = "/music/x".to_owned();
        stage.panels.path_entry.listing = listing(what);
        let mut harness = show(stage);
        harness.run_steps(3);
        harness.get_by_label("Add").click();
        harness.run_steps(3);
        assert_eq!(harness.state().panels.path_entry.chosen, chosen, "{what:?}");
    }
}

#[test]
fn a_path_that_is_not_there_is_told_of_and_names_complete() {
    let mut stage = sheet(Sheet::PathEntry);
    stage.panels.path_entry.text = "/nowhere".to_owned();
    stage.panels.path_entry.listing.text = "/nowhere".to_owned();
    let mut harness = show(stage);
    harness.run_steps(3);
    assert!(
        harness
            .query_by_label("There is no such file or folder")
            .is_some()
    );
    harness.state_mut().panels.path_entry.listing.entries = vec!["/nowhere else/".to_owned()];
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::NONE, Key::Tab);
    harness.run_steps(3);
    assert_eq!(harness.state().panels.path_entry.text, "/nowhere else/");
    let field = harness.get_by_role(eframe::egui::Role::TextInput);
    assert!(field.is_focused(), "one types on");
    field.type_text("more");
    harness.run_steps(2);
    assert_eq!(harness.state().panels.path_entry.text, "/nowhere else/more");
}

#[test]
fn enter_waits_for_the_disk_and_counts_only_for_what_was_typed_then() {
    for (typed_on, chosen) in [("", Some("/music".into())), ("/a", None)] {
        let mut harness = show(sheet(Sheet::PathEntry));
        harness.state_mut().panels.path_entry.text = "/music".to_owned();
        harness.run_steps(3);
        harness.key_press(Key::Enter);
        harness.run_steps(3);
        assert_eq!(harness.state().panels.path_entry.chosen, None);
        let entry = &mut harness.state_mut().panels.path_entry;
        entry.text.push_str(typed_on);
        entry.listing = Listing {
            text: entry.text.clone(),
            what: What::Folder,
            entries: Vec::new(),
        };
        harness.run_steps(3);
        assert_eq!(harness.state().panels.path_entry.chosen, chosen);
    }
}

#[test]
fn trouble_with_the_library_explains_itself_and_is_tried_again() {
    let mut harness = show(Stage {
        trouble: Some(Trouble {
            headline: "The library is in use",
            reason: "process 12".to_owned(),
            remedy: "Close the other one".to_owned(),
            may_pass: true,
        }),
        ..Stage::default()
    });
    assert!(harness.query_by_label("The library is in use").is_some());
    assert!(harness.query_by_label_contains("process 12").is_some());
    harness.get_by_label("Try again").click();
    harness.run();
    assert!(harness.state().wanted.retry);
    harness.get_by_label("Quit").click();
    harness.run();
    assert_eq!(harness.state().out.actions, [Action::Quit]);
}

#[test]
fn slow_drawing_is_told_until_it_is_understood() {
    let mut harness = show(Stage {
        about: About {
            software: true,
            ..About::default()
        },
        ..Stage::default()
    });
    assert!(
        harness
            .query_by_label_contains("No graphics card")
            .is_some()
    );
    harness.get_by_label("Understood").click();
    harness.run();
    assert!(
        harness
            .query_by_label_contains("No graphics card")
            .is_none()
    );
    assert!(harness.state().settings.slow_drawing_known);
}

#[test]
fn a_library_that_cannot_be_written_is_told_with_what_to_do() {
    let mut view = View::default();
    view.activity.storage_trouble = Some(Failure::new(
        FailureKind::Storage,
        "the disk is full",
        "Make room on the drive that holds the library",
    ));
    let harness = show(Stage {
        view,
        ..Stage::default()
    });
    assert!(
        harness
            .query_by_label_contains("the disk is full")
            .is_some()
    );
    assert!(harness.query_by_label_contains("Make room").is_some());
}

#[test]
fn a_closing_is_seen_only_when_it_takes_long_and_never_holds_the_user() {
    let closing = |secs| {
        show(Stage {
            closing: Some(secs),
            ..Stage::default()
        })
    };
    assert!(closing(0.1).query_by_label("Closing").is_none());
    assert!(closing(2.9).query_by_label("Closing").is_none());
    assert!(closing(3.1).query_by_label("Closing").is_some());
    assert!(
        closing(0.1).query_by_label("Library").is_none(),
        "a closed library looks like an empty one"
    );
    let mut harness = closing(5.0);
    harness.get_by_label("Close anyway").click();
    harness.run();
    assert!(harness.state().wanted.abandon);
}

#[test]
fn a_window_of_any_size_is_drawn() {
    for size in [[1.0, 1.0], [40.0, 2000.0], [640.0, 400.0]] {
        for kind in [
            None,
            Some(Sheet::Help),
            Some(Sheet::Settings),
            Some(Sheet::Log),
        ] {
            let mut stage = Stage::default();
            stage.panels.sheet = kind;
            stage.panels.imports.open = true;
            stage.hovering = 1;
            let mut harness = show(stage);
            harness.set_size(size.into());
            harness.run_steps(3);
        }
    }
}

#[test]
fn tab_moves_on_where_there_is_nothing_to_complete() {
    let mut stage = sheet(Sheet::PathEntry);
    stage.panels.path_entry.text = "/music/".to_owned();
    stage.panels.path_entry.listing = Listing {
        text: "/music/".to_owned(),
        what: What::Folder,
        entries: vec!["/music/".to_owned()],
    };
    let mut harness = show(stage);
    harness.run_steps(3);
    let mut reached = false;
    for _tab in 0..8 {
        harness.key_press_modifiers(Modifiers::NONE, Key::Tab);
        harness.run_steps(3);
        reached |= harness.get_by_label("Add").is_focused();
    }
    assert!(reached, "the button is reached by keyboard");
    assert_eq!(harness.state().panels.path_entry.text, "/music/");
}

#[test]
fn an_output_is_gone_only_after_it_was_looked_for() {
    let mut stage = sheet(Sheet::Settings);
    stage.settings.output = Some("hw:7".to_owned());
    let mut harness = show(stage);
    harness.get_by_value("hw:7");
    harness.state_mut().sound.devices_known = true;
    harness.run_steps(2);
    harness.get_by_value("hw:7 (not there)");
}

#[test]
fn the_drawer_is_as_high_as_it_was() {
    let mut stage = Stage::default();
    stage.panels.imports.open = true;
    stage.panels.imports.height = Some(300.0);
    let mut harness = show(stage);
    harness.run_steps(3);
    assert_eq!(harness.state().panels.imports.height, Some(300.0));
}

#[test]
fn what_is_selected_in_the_library_is_not_meant_where_it_cannot_be_seen() {
    let harness = show(Stage::default());
    let stage = harness.state();
    let scene = Scene {
        view: &stage.view,
        sound: &stage.sound,
        playhead: None,
        sought: None,
        shelf: &stage.shelf,
        settings: &stage.settings,
        setup: &stage.setup,
        ready: true,
    };
    let mut panels = stage.panels.clone();
    panels.library.selected = vec![tonearm_core::track::TrackId(1)];
    for action in [Action::RemoveSelected, Action::AnalyzeAgain] {
        panels.page = Page::Library;
        assert!(views::menu::is_possible(action, &scene, &panels));
        panels.page = Page::Decks;
        assert!(!views::menu::is_possible(action, &scene, &panels));
    }
}

#[test]
fn a_sheet_stays_in_the_window_when_that_changes() {
    let mut harness = show(sheet(Sheet::Settings));
    harness.run();
    for size in [[420.0, 300.0], [1200.0, 800.0]] {
        harness.set_size(Vec2::from(size));
        harness.run_steps(10);
        let close = harness.get_by_label("Close").rect();
        let window = eframe::egui::Rect::from_min_size(eframe::egui::Pos2::ZERO, size.into());
        assert!(window.contains_rect(close), "{close:?} in {size:?}");
    }
}
