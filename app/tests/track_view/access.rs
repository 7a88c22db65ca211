//! The page by keyboard and by ear: the fader, the place in the track, what is painted on the time axis.

use crate::scenes::{Made, harness, look};
use eframe::egui::accesskit::{Action, ActionData, ActionRequest, Role};
use eframe::egui::{Event, Key, Memory, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tonearm::views::track::fader;
use tonearm_core::playback::PlayerCommand;

fn page() -> Harness<'static, Made> {
    let mut made = Made::analyzed();
    look(&mut made, 0.0125);
    made.sound.volume = 0.5;
    let mut harness = harness(made, [1000.0, 500.0]);
    harness.run_steps(3);
    harness
}

/// As a screen reader does.
fn ask(harness: &Harness<'_, Made>, label: &str, action: Action, data: Option<ActionData>) {
    let node = harness.get_by_role_and_label(Role::Slider, label);
    let (target_node, target_tree) = node.accesskit_node().locate();
    harness.event(Event::AccessKitActionRequest(ActionRequest {
        action,
        target_node,
        target_tree,
        data,
    }));
}

/// The places of the fader that the page asks for.
fn volumes(harness: &Harness<'_, Made>) -> Vec<f32> {
    let asked = harness.state().out.sound.iter();
    asked
        .filter_map(|command| match command {
            PlayerCommand::SetVolume(gain) => Some(fader::place(*gain)),
            _ => None,
        })
        .collect()
}

fn seeks(harness: &Harness<'_, Made>) -> Vec<f64> {
    let asked = harness.state().out.sound.iter();
    asked
        .filter_map(|command| match command {
            PlayerCommand::Seek(at) => Some(at.0),
            _ => None,
        })
        .collect()
}

#[test]
fn arrows_move_the_fader_and_stay_with_it() {
    let mut harness = page();
    harness
        .get_by_role_and_label(Role::Slider, "Volume")
        .focus();
    harness.run_steps(2);
    let start = fader::place(0.5);
    for (key, step) in [
        (Key::ArrowUp, 0.05),
        (Key::ArrowDown, -0.05),
        (Key::ArrowRight, 0.05),
        (Key::ArrowLeft, -0.05),
    ] {
        harness.state_mut().out.sound.clear();
        harness.key_press_modifiers(Modifiers::NONE, key);
        harness.run_steps(2);
        let volumes = volumes(&harness);
        assert!(
            matches!(volumes[..], [place] if (place - start - step).abs() < 1e-3),
            "{key:?}: {volumes:?}"
        );
        let fader = harness.get_by_role_and_label(Role::Slider, "Volume");
        assert!(fader.is_focused(), "{key:?} took the focus away");
    }
}

#[test]
fn a_screen_reader_moves_the_fader() {
    for (action, data, place) in [
        (Action::Increment, None, fader::place(0.5) + 0.05),
        (Action::Decrement, None, fader::place(0.5) - 0.05),
        (Action::SetValue, Some(ActionData::NumericValue(0.25)), 0.25),
        (Action::SetValue, Some(ActionData::NumericValue(9.0)), 1.0),
    ] {
        let mut harness = page();
        ask(&harness, "Volume", action, data);
        harness.run_steps(2);
        let volumes = volumes(&harness);
        assert!(
            matches!(volumes[..], [found] if (found - place).abs() < 1e-3),
            "{action:?}: {volumes:?}"
        );
    }
}

#[test]
fn a_screen_reader_goes_from_beat_to_beat_on_the_waveform_and_the_overview() {
    for label in ["Waveform", "Overview of the whole track"] {
        for (action, at) in [(Action::Increment, 30.0), (Action::Decrement, 29.5)] {
            let mut harness = page();
            ask(&harness, label, action, None);
            harness.run_steps(2);
            let seeks = seeks(&harness);
            assert!(
                matches!(seeks[..], [found] if (found - at).abs() < 1e-6),
                "{label} {action:?}: {seeks:?}"
            );
        }
    }
}

#[test]
fn neither_a_click_nor_tab_gives_the_waveform_the_keys_of_the_page() {
    let mut harness = page();
    for label in ["Waveform", "Overview of the whole track"] {
        harness.get_by_label(label).click();
        harness.run_steps(2);
        assert_eq!(harness.ctx.memory(Memory::focused), None, "{label}");
    }
    for _tab in 0..60 {
        harness.key_press(Key::Tab);
        harness.run_steps(1);
        for label in ["Waveform", "Overview of the whole track"] {
            assert!(!harness.get_by_label(label).is_focused());
        }
    }
}

#[test]
fn chords_keys_and_the_cue_point_in_view_are_told() {
    let mut harness = page();
    harness.get_by_label("Chord Am, 0:32 to 0:34, 80 % sure");
    harness.get_by_label("Chord G7, 0:28 to 0:30, 80 % sure");
    harness.get_by_label("No chord, 0:30 to 0:32");
    harness.get_by_label("Key 8A, A minor, 0:00 to 0:34");
    harness.get_by_label("Cue point at 0:29");
    // What is out of view is not; and all of a track is not read out.
    assert!(harness.query_by_label_contains("Chord Am, 1:").is_none());
    look(harness.state_mut(), 1.0);
    harness.run_steps(3);
    let told = harness.query_all_by_label_contains("Chord ").count();
    assert!((20..=64).contains(&told), "{told}");
}

#[test]
fn a_screen_reader_moves_the_place_in_the_small_player() {
    let builder = Harness::builder()
        .with_size([900.0, tonearm::views::track::strip::HEIGHT])
        .with_context_setup(tonearm::theme::install);
    let mut harness =
        builder.build_ui_state(|ui, made: &mut Made| made.show_strip(ui), Made::analyzed());
    harness.run_steps(2);
    let name = "Place in the track";
    let node = harness.get_by_role_and_label(Role::Slider, name);
    assert_eq!(node.value().as_deref(), Some("0:29.8 of 2:00.0"));
    ask(&harness, name, Action::Increment, None);
    harness.run_steps(2);
    ask(
        &harness,
        name,
        Action::SetValue,
        Some(ActionData::NumericValue(60.0)),
    );
    harness.run_steps(2);
    let seeks = seeks(&harness);
    assert!(
        (seeks[0] - 39.8).abs() < 0.1 && (seeks[1] - 60.0).abs() < 1e-9,
        "{seeks:?}"
    );
}

#[test]
fn the_picture_moves_without_the_sound() {
    let mut harness = page();
    let chords = |harness: &Harness<'_, Made>| -> Vec<String> {
        let told = harness.query_all_by_label_contains("Chord ");
        let nodes = told.map(|node| node.accesskit_node());
        nodes
            .filter_map(|node| node.label().or_else(|| node.value()))
            .collect()
    };
    let before = chords(&harness);
    assert!(harness.state_mut().act(tonearm::action::Action::LookLater));
    harness.run_steps(2);
    assert!(!harness.state().panel.follow);
    let later = chords(&harness);
    assert_ne!(later, before);
    assert!(
        harness
            .state_mut()
            .act(tonearm::action::Action::LookEarlier)
    );
    harness.run_steps(2);
    assert_eq!(chords(&harness), before);
    assert!(seeks(&harness).is_empty());
}
