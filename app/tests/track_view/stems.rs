//! Stems beneath the waveform: what they say, what is asked of them.

use crate::scenes::{Made, harness, made_by, take_apart};
use eframe::egui::accesskit::{Role, Toggled};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tonearm::action::Action;
use tonearm::views::track::stems::meant;
use tonearm_core::artifact::{Artifact, Engine, Maker};
use tonearm_core::core_loop::command::{Command, Extent, RequestId, Selection};
use tonearm_core::playback::{PlayerCommand, StemMix};
use tonearm_core::setup::{EnvironmentView, Family, ModelState, ModelView, SetupView, Variant};
use tonearm_core::stems::Stem;
use tonearm_core::track::TrackId;

const SIZE: [f32; 2] = [1200.0, 700.0];

#[test]
fn each_stem_has_a_toggle_a_solo_and_a_fader_that_say_how_they_stand() {
    let mut made = Made::analyzed();
    let mix = StemMix::default().toggled(Stem::Bass);
    take_apart(&mut made, false, Some(mix));
    let mut harness = harness(made, SIZE);
    harness.run_steps(3);
    let on = |name: &str| {
        harness
            .get_by_role_and_label(Role::Button, name)
            .accesskit_node()
            .toggled()
    };
    for (name, expected) in [
        ("Drums", Toggled::True),
        ("Bass", Toggled::False),
        ("Other", Toggled::True),
        ("Vocals", Toggled::True),
        ("Vocals alone", Toggled::False),
    ] {
        assert_eq!(on(name), Some(expected), "{name}");
    }
    harness.get_by_role_and_label(Role::Slider, "Volume of vocals");
    harness.get_by_label("Drums").click();
    harness.run_steps(2);
    harness.get_by_label("Vocals alone").click();
    harness.run_steps(2);
    let asked = &harness.state().out.actions;
    assert_eq!(*asked, [Action::ToggleDrums, Action::SoloVocals]);
}

#[test]
fn a_fader_of_a_stem_asks_for_its_volume_alone() {
    let mut made = Made::analyzed();
    take_apart(&mut made, false, Some(StemMix::default()));
    let mut harness = harness(made, SIZE);
    harness.run_steps(3);
    harness
        .get_by_role_and_label(Role::Slider, "Volume of other")
        .click();
    harness.run_steps(2);
    // The hand-made scene does not take the new volume in, so that it is asked for once more.
    for asked in &harness.state().out.sound {
        assert!(
            matches!(asked, PlayerCommand::SetStemVolume(Stem::Other, volume) if (volume - 0.125).abs() < 0.01),
            "{asked:?}"
        );
    }
    assert!(!harness.state().out.sound.is_empty());
}

#[test]
fn lanes_are_there_before_the_player_has_the_stems_and_do_nothing_then() {
    let mut made = Made::analyzed();
    take_apart(&mut made, true, None);
    let mut harness = harness(made, SIZE);
    harness.run_steps(3);
    harness
        .get_by_role_and_label(Role::Slider, "Volume of drums")
        .click();
    harness.run_steps(2);
    assert!(harness.state().out.sound.is_empty());
}

#[test]
fn where_there_is_little_room_the_waveform_comes_first() {
    let mut made = Made::analyzed();
    take_apart(&mut made, false, Some(StemMix::default()));
    let mut harness = harness(made, [900.0, 300.0]);
    harness.run_steps(3);
    assert!(harness.query_by_label("Drums").is_none());
    harness.get_by_label("Waveform");
}

#[test]
fn the_keys_of_stems_mean_the_stems() {
    assert_eq!(meant(Action::ToggleVocals), Some((Stem::Vocals, false)));
    assert_eq!(meant(Action::SoloDrums), Some((Stem::Drums, true)));
    assert_eq!(meant(Action::VolumeUp), None);
}

#[test]
fn draft_stems_say_so_and_lead_to_better_ones() {
    let mut made = Made::analyzed();
    take_apart(&mut made, true, Some(StemMix::default()));
    let mut harness = harness(made, SIZE);
    harness.run_steps(3);
    harness.get_by_label("Stems are a draft").click();
    harness.run_steps(2);
    assert_eq!(harness.state().out.actions, [Action::Setup]);
    harness.state_mut().setup = with_stems_model();
    harness.run_steps(1);
    harness.get_by_label("Stems are a draft").click();
    harness.run_steps(2);
    let asked = &harness.state().out.actions;
    assert_eq!(*asked, [Action::Setup, Action::MakeStems]);
}

#[test]
fn stems_by_a_model_have_no_mark() {
    let mut made = Made::analyzed();
    take_apart(&mut made, false, Some(StemMix::default()));
    let mut harness = harness(made, SIZE);
    harness.run_steps(3);
    assert!(harness.query_by_label("Stems are a draft").is_none());
}

#[test]
fn who_made_a_track_is_told_and_chosen_on_its_page() {
    let mut made = Made::analyzed();
    made_by(&mut made, Artifact::Beats, Maker::BeatThis);
    made_by(&mut made, Artifact::Key, Maker::User);
    made_by(&mut made, Artifact::Stems, Maker::Native);
    let mut harness = harness(made, SIZE);
    harness.run_steps(3);
    harness.get_by_label("Who made this, and who is to").click();
    harness.run_steps(3);
    harness.get_by_label("Beat This! 3");
    harness.get_by_label("set by hand");
    harness.get_by_label("draft by the built-in analysis");
    harness.get_by_label("not made");
    harness.get_by_label("Engine: Models").click();
    harness.run_steps(2);
    let wanted = Command::Analyze {
        request: RequestId::default(),
        tracks: Selection::Tracks(vec![TrackId(7)]),
        extent: Extent::Everything,
        force: false,
        engine: Some(Engine::Neural),
    };
    assert_eq!(harness.state().out.commands, [wanted]);
}

/// Packages and the model for stems are there.
fn with_stems_model() -> SetupView {
    SetupView {
        environment: EnvironmentView::Ready {
            folder: PathBuf::new(),
            variant: Variant::Cpu,
            versions: BTreeMap::new(),
        },
        models: vec![ModelView {
            id: "htdemucs".to_owned(),
            family: Family::Stems,
            title: String::new(),
            is_for: String::new(),
            bytes: 1,
            code_licence: String::new(),
            weight_licence: String::new(),
            is_free: false,
            notice: None,
            link: String::new(),
            state: ModelState::Ready {
                path: PathBuf::new(),
                sha256: String::new(),
                is_checked: true,
            },
        }],
        ..SetupView::default()
    }
}
