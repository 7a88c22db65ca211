//! The sheet as a user meets it, in every state.

use super::*;
use eframe::egui::{self, Vec2};
use eframe::egui_wgpu::RendererOptions;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use std::path::PathBuf;
use std::time::Duration;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::setup::{
    Building, DeviceView, Family, Fetching, ModelView, PossibleVariant, Step, VariantView,
};

#[derive(Default)]
struct World {
    view: SetupView,
    panel: SetupPanel,
    beats_follow: bool,
    out: Outbox,
}

impl World {
    fn of(view: SetupView) -> Self {
        Self {
            view,
            ..Self::default()
        }
    }

    fn asked(&self) -> Vec<&SetupCommand> {
        let asked = self
            .out
            .commands
            .iter()
            .filter_map(|command| match command {
                Command::Setup(setup) => Some(setup),
                _ => None,
            });
        asked.collect()
    }
}

fn show(world: World) -> Harness<'static, World> {
    Harness::builder()
        .with_size(Vec2::new(800.0, 900.0))
        .with_step_dt(0.2)
        .with_context_setup(theme::install)
        .build_ui_state(draw, world)
}

fn draw(ui: &mut egui::Ui, world: &mut World) {
    let frame = egui::Frame::new().fill(theme::PANEL).inner_margin(20.0);
    egui::CentralPanel::default().frame(frame).show(ui, |ui| {
        let follow = (world.beats_follow, &mut world.out);
        setup_ui(ui, &world.view, &mut world.panel, follow);
    });
}

fn model(id: &str, family: Family, title: &str) -> ModelView {
    let is_free = family != Family::Stems;
    ModelView {
        id: id.to_owned(),
        family,
        title: title.to_owned(),
        is_for: family.name().to_owned(),
        bytes: 80_000_000,
        code_licence: "MIT".to_owned(),
        weight_licence: if is_free { "MIT" } else { "research only" }.to_owned(),
        is_free,
        notice: (!is_free).then(|| "These weights are there for research.".to_owned()),
        link: "https://example.org".to_owned(),
        state: ModelState::Absent,
    }
}

fn ready() -> ModelState {
    ModelState::Ready {
        path: PathBuf::from("/cache/m"),
        sha256: "0".repeat(64),
        is_checked: true,
    }
}

/// Python is there, nothing else.
fn fresh() -> SetupView {
    let size = |variant, download| PossibleVariant {
        variant,
        download,
        disk: 2_500_000_000,
    };
    SetupView {
        interpreter: InterpreterView::Found {
            version: "3.12.4".to_owned(),
            path: PathBuf::from("/usr/bin/python3.12"),
        },
        variant: Some(VariantView {
            variant: Variant::Cpu,
            reason: "there is no driver for an NVIDIA card".to_owned(),
            possible: vec![
                size(Variant::Cpu, 450_000_000),
                size(Variant::Cuda, 2_950_000_000),
            ],
        }),
        models: vec![
            model("beat_this", Family::Beats, "Beat This!"),
            model("htdemucs", Family::Stems, "Demucs"),
            model("ace", Family::Harmony, "ACE"),
        ],
        ..SetupView::default()
    }
}

fn with_packages() -> SetupView {
    SetupView {
        environment: EnvironmentView::Ready {
            folder: PathBuf::from("/cache/env"),
            variant: Variant::Cpu,
            versions: [("torch".to_owned(), "2.8.0".to_owned())].into(),
        },
        ..fresh()
    }
}

/// All but the model that is not free.
fn free_ones() -> SetupView {
    let mut view = with_packages();
    view.models[0].state = ready();
    view.models[2].state = ready();
    view
}

fn complete() -> SetupView {
    let mut view = free_ones();
    view.models[1].state = ready();
    view.device = DeviceView::Known {
        device: "cuda:0".to_owned(),
        devices: vec!["cuda:0".to_owned(), "cpu".to_owned()],
        short: None,
    };
    view
}

fn without_python() -> SetupView {
    SetupView {
        interpreter: InterpreterView::Missing {
            reason: "there is 3.11 at /usr/bin/python3".to_owned(),
            remedy: "uv python install 3.12".to_owned(),
            is_command: true,
        },
        ..fresh()
    }
}

/// The one that the user chose is of no use.
fn with_a_bad_python() -> SetupView {
    SetupView {
        interpreter: InterpreterView::Missing {
            reason: "the Python of the settings does not answer".to_owned(),
            remedy: "Choose another Python 3.12 under Models".to_owned(),
            is_command: false,
        },
        python: Some(PathBuf::from("/opt/python3.12")),
        ..fresh()
    }
}

fn downloading() -> SetupView {
    SetupView {
        environment: EnvironmentView::Building(Building {
            step: Step::Downloading,
            bytes: 90_000_000,
            total: Some(450_000_000),
            left: Some(Duration::from_secs(200)),
            what: "torch".to_owned(),
        }),
        is_busy: true,
        ..fresh()
    }
}

fn stopped() -> SetupView {
    SetupView {
        trouble: Some(Failure::new(
            FailureKind::Storage,
            "the disk is full",
            "Make room and try again",
        )),
        ..fresh()
    }
}

#[test]
fn one_headline_and_one_button_say_how_it_stands_and_what_comes_next() {
    let damaged = SetupView {
        environment: EnvironmentView::Broken {
            reason: "a file is missing".to_owned(),
            remedy: String::new(),
        },
        ..fresh()
    };
    let no_build = SetupView {
        variant: None,
        ..fresh()
    };
    let mut fetching = with_packages();
    fetching.is_busy = true;
    fetching.models[0].state = ModelState::Fetching(Fetching {
        bytes: 20_000_000,
        total: 80_000_000,
        left: None,
    });
    let looking = SetupView {
        is_busy: true,
        ..fresh()
    };
    for (view, headline, primary) in [
        (
            fresh(),
            "The built-in analysis works. Better stems, beats and chords need about 690 MB more",
            Primary::Start("Get ready"),
        ),
        (
            without_python(),
            "Better analysis needs Python 3.12",
            Primary::Look,
        ),
        (downloading(), "Getting the packages", Primary::Cancel),
        (fetching, "Getting Beat This!", Primary::Cancel),
        (looking, "Looking at what is there", Primary::Cancel),
        (
            stopped(),
            "Getting ready stopped",
            Primary::Start("Try again"),
        ),
        (
            damaged,
            "The packages of the models are damaged",
            Primary::Start("Repair"),
        ),
        (
            no_build,
            "This machine cannot run the models",
            Primary::Nothing,
        ),
        (
            with_packages(),
            "Better beats and chords need about 160 MB more",
            Primary::Start("Go on"),
        ),
        (free_ones(), "Better beats are ready", Primary::Nothing),
        (complete(), "Everything is ready", Primary::Nothing),
    ] {
        let standing = standing::of(&view, &SetupPanel::default());
        assert_eq!(standing.headline, headline);
        assert_eq!(standing.primary, primary, "{headline}");
    }
}

#[test]
fn a_python_is_asked_for_only_where_it_is_of_use_and_only_a_command_is_one_to_copy() {
    let nowhere = SetupView {
        variant: None,
        ..without_python()
    };
    let standing = |view| standing::of(&view, &SetupPanel::default());
    let told = standing(nowhere);
    assert_eq!(told.headline, "This machine cannot run the models");
    let told = standing(without_python());
    assert_eq!(told.command.as_deref(), Some("uv python install 3.12"));
    let told = standing(with_a_bad_python());
    assert_eq!((told.command, told.primary), (None, Primary::Look));
    let remedy = "Choose another Python 3.12 under Models";
    assert!(told.details.iter().any(|line| line == remedy));
}

#[test]
fn the_button_gets_all_that_is_free_and_nothing_that_is_not() {
    let mut harness = show(World::of(fresh()));
    harness.get_by_label("Get ready").click();
    harness.run_steps(2);
    let wish = Wish::default();
    assert_eq!(harness.state().asked(), [&SetupCommand::Start(wish)]);
}

#[test]
fn a_model_that_is_not_free_shows_its_terms_and_comes_only_after_the_tick() {
    let mut harness = show(World::of(free_ones()));
    harness.get_by_label("These weights are there for research.");
    harness.get_by_label("For stems · code MIT, weights research only (not free)");
    harness.get_by_label("Get Demucs").click();
    harness.run_steps(2);
    assert!(harness.state().asked().is_empty());
    harness
        .get_by_label("I have read this, and my use is covered: Demucs")
        .click();
    harness.run_steps(2);
    harness.get_by_label("Get Demucs").click();
    harness.run_steps(2);
    harness.get_by_label("Go on").click();
    harness.run_steps(2);
    let demucs = || vec!["htdemucs".to_owned()];
    let alone = Wish {
        models: Some(demucs()),
        accepted: demucs(),
        ..Wish::default()
    };
    let all = Wish {
        accepted: demucs(),
        ..Wish::default()
    };
    assert_eq!(
        harness.state().asked(),
        [&SetupCommand::Start(alone), &SetupCommand::Start(all)]
    );
}

#[test]
fn beats_of_every_track_are_left_to_the_model_only_by_a_tick() {
    let name = "Find the beats of every track with it, after the built-in analysis";
    let mut harness = show(World::of(with_packages()));
    assert!(harness.query_by_label(name).is_none());
    harness.state_mut().view = complete();
    harness.run_steps(2);
    harness.get_by_label(name).click();
    harness.run_steps(2);
    let asked = |follow| Command::FollowWithBeats(follow);
    assert_eq!(harness.state().out.commands, [asked(true)]);
    harness.state_mut().beats_follow = true;
    harness.run_steps(2);
    harness.get_by_label(name).click();
    harness.run_steps(2);
    assert_eq!(harness.state().out.commands, [asked(true), asked(false)]);
}

#[test]
fn a_missing_python_is_one_line_to_copy_and_a_look() {
    let mut harness = show(World::of(without_python()));
    harness.get_by_label("uv python install 3.12");
    harness.get_by_label("Copy the command").click();
    harness.run_steps(2);
    let copied = harness.state().out.copied.clone();
    assert_eq!(copied.as_deref(), Some("uv python install 3.12"));
    harness.get_by_label("Look again").click();
    harness.run_steps(2);
    assert_eq!(harness.state().asked(), [&SetupCommand::Check]);
}

#[test]
fn another_python_can_be_chosen_and_the_choice_taken_back() {
    let mut harness = show(World::of(fresh()));
    assert!(harness.query_by_label("Look for one").is_none());
    harness.get_by_label("Choose another…").click();
    harness.run_steps(2);
    assert_eq!(harness.state().panel.asked, Some(Asked::Python));
    harness.state_mut().view = with_a_bad_python();
    harness.run_steps(2);
    assert!(harness.query_by_label("Copy the command").is_none());
    let remedy = "Choose another Python 3.12 under Models";
    assert!(harness.query_all_by_label(remedy).count() > 0);
    harness.get_by_label("Chosen by you for whenever packages are made: /opt/python3.12");
    harness.get_by_label("Look for one").click();
    harness.run_steps(2);
    assert_eq!(harness.state().panel.asked, Some(Asked::AnyPython));
    let found = InterpreterView::Found {
        version: "3.12.4".to_owned(),
        path: PathBuf::from("/opt/python3.12"),
    };
    harness.state_mut().view.interpreter = found;
    harness.run_steps(2);
    harness.get_by_label("/opt/python3.12");
}

#[test]
fn progress_is_told_in_bytes_with_the_time_left_and_can_be_cancelled() {
    let mut harness = show(World::of(downloading()));
    let words = "Downloading · 90.0 MB of 450.0 MB · about 3 min left · torch";
    assert!(harness.query_all_by_label(words).count() > 0);
    let bar = harness.query_all_by_label("Packages").find_map(|node| {
        let node = node.accesskit_node();
        node.numeric_value()
    });
    assert_eq!(bar, Some(20.0));
    harness.get_by_label("Cancel").click();
    harness.run_steps(2);
    assert_eq!(harness.state().asked(), [&SetupCommand::Cancel]);
}

#[test]
fn trouble_says_what_to_do_and_can_be_copied_and_tried_again() {
    let mut harness = show(World::of(stopped()));
    harness.get_by_label("The disk is full");
    harness.get_by_label("Make room and try again");
    harness.get_by_label("Copy details").click();
    harness.run_steps(2);
    let copied = harness.state().out.copied.clone().unwrap();
    assert!(
        copied.contains("trouble: the disk is full. Make room"),
        "{copied}"
    );
    assert!(copied.contains("htdemucs: not there"), "{copied}");
    harness.get_by_label("Try again").click();
    harness.run_steps(2);
    let again = SetupCommand::Start(Wish::default());
    assert_eq!(harness.state().asked(), [&again]);
}

#[test]
fn the_build_of_torch_is_shown_with_its_reason_and_can_be_changed() {
    let mut harness = show(World::of(complete()));
    harness.get_by_label(
        "PyTorch for the processor: there is no driver for an NVIDIA card · 450 MB to fetch, 2.5 GB on the disk",
    );
    harness
        .get_by_label("What the packages are made for")
        .click();
    harness.run_steps(3);
    harness.get_by_label("An NVIDIA card (CUDA)").click();
    harness.run_steps(3);
    harness.get_by_label("Change over").click();
    harness.run_steps(2);
    let wish = Wish {
        torch: Some(Variant::Cuda),
        ..Wish::default()
    };
    assert_eq!(harness.state().asked(), [&SetupCommand::Start(wish)]);
}

#[test]
fn a_model_is_removed_and_a_folder_named_by_a_click() {
    let mut harness = show(World::of(complete()));
    harness.get_by_label("Remove Demucs").click();
    harness.run_steps(2);
    let gone = SetupCommand::RemoveModel("htdemucs".to_owned());
    assert_eq!(harness.state().asked(), [&gone]);
    harness.get_by_label("Take from a folder…").click();
    harness.run_steps(2);
    assert_eq!(harness.state().panel.asked, Some(Asked::Folder));
    harness.get_by_label("The NVIDIA card (cuda:0)");
}

#[test]
fn every_control_can_be_reached_with_the_keyboard() {
    let mut harness = show(World::of(free_ones()));
    harness.run_steps(2);
    let mut left = vec![
        "Choose another…",
        "What the packages are made for",
        "Remove Beat This!",
        "Where Demucs comes from",
        "I have read this, and my use is covered: Demucs",
        "Take from a folder…",
        "Check again",
    ];
    for _press in 0..24 {
        harness.key_press(egui::Key::Tab);
        harness.run_steps(1);
        left.retain(|name| !harness.get_by_label(name).is_focused());
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn texts_of_any_length_and_windows_of_any_size_are_drawn() {
    for size in [
        Vec2::new(1.0, 1.0),
        Vec2::new(120.0, 300.0),
        Vec2::new(3000.0, 100.0),
    ] {
        let mut view = stopped();
        view.models[0].title = "x".repeat(10_000);
        view.models[0].state = ModelState::Failed(Failure::new(
            FailureKind::Bug,
            "y\n".repeat(10_000),
            "z".repeat(10_000),
        ));
        let mut harness = show(World::of(view));
        harness.set_size(size);
        harness.run_steps(3);
    }
}

#[test]
fn python_is_looked_for_once_and_not_over_what_went_wrong() {
    let unknown = || SetupView {
        interpreter: InterpreterView::Unknown,
        ..fresh()
    };
    assert!(should_look(&unknown()));
    assert!(!should_look(&fresh()));
    assert!(!should_look(&SetupView {
        trouble: stopped().trouble,
        ..unknown()
    }));
    assert!(!should_look(&SetupView {
        interpreter: InterpreterView::Unknown,
        ..complete()
    }));
}

#[test]
fn where_models_run_is_looked_up_until_it_is_known() {
    let view = |device| SetupView {
        device,
        ..complete()
    };
    assert!(should_look(&view(DeviceView::Unknown)));
    assert!(!should_look(&view(DeviceView::Known {
        device: "cpu".to_owned(),
        devices: vec!["cpu".to_owned()],
        short: None,
    })));
    assert!(!should_look(&SetupView {
        is_busy: true,
        ..view(DeviceView::Unknown)
    }));
}

#[test]
fn packages_for_a_card_that_is_not_there_are_told_with_what_helps() {
    let mut view = complete();
    let EnvironmentView::Ready { variant, .. } = &mut view.environment else {
        panic!("no packages");
    };
    *variant = Variant::Cuda;
    let words = "The packages are for an NVIDIA card, and PyTorch finds none that computes: models run on the processor";
    let mut harness = show(World::of(view));
    assert!(harness.query_by_label(words).is_none());
    harness.state_mut().view.device = DeviceView::Known {
        device: "cpu".to_owned(),
        devices: vec!["cpu".to_owned()],
        short: None,
    };
    harness.run_steps(2);
    harness.get_by_label(words);
    let told = details::text(&harness.state().view);
    assert!(told.contains("finds none that computes"), "{told}");
}

#[test]
fn the_sheet_looks_as_it_should() {
    let mut results = SnapshotResults::new();
    for (name, view, scale) in [
        ("setup_fresh", fresh as fn() -> SetupView, 1.0),
        ("setup_busy", downloading, 1.0),
        ("setup_terms", free_ones, 2.0),
    ] {
        let state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
        let mut harness = Harness::builder()
            .with_size(Vec2::new(760.0, 720.0))
            .with_pixels_per_point(scale)
            .with_step_dt(0.2)
            .with_context_setup(theme::install)
            .renderer(WgpuTestRenderer::from_render_state(state))
            .build_ui_state(draw, World::of(view()));
        harness.run_steps(6);
        results.add(harness.try_snapshot_options(name, &SnapshotOptions::new()));
    }
}
