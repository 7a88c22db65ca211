//! The track page with hand-made scenes: what it says, what clicks ask for, what it looks like.

mod access;
mod looks;
mod pixels;
mod scenes;
mod stems;
mod strain;

use eframe::egui::{self, accesskit::Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use scenes::{Made, harness, hear, look};
use tonearm::action::Action;
use tonearm::views::track::strip;
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::view::Rows;
use tonearm_core::edits::Edit;
use tonearm_core::playback::{OutputState, PlayerCommand, Transport};
use tonearm_core::row::Row;

#[test]
fn the_page_names_the_track_and_what_is_known_of_it() {
    let mut harness = harness(Made::analyzed(), [1200.0, 640.0]);
    harness.run_steps(3);
    for label in [
        "Night Ferry",
        "Waveform",
        "Overview of the whole track",
        "Play",
    ] {
        harness.get_by_label(label);
    }
    harness.get_by_role_and_label(Role::Slider, "Volume");
    let wave = harness.get_by_label("Waveform");
    assert_eq!(wave.value().as_deref(), Some("0:30 of 2:00, bar 15"));
    harness.get_by_label_contains("85 % sure of tempo and beats");
}

#[test]
fn the_small_player_says_what_plays_and_can_be_asked_for_all_of_it() {
    let builder = Harness::builder()
        .with_size([900.0, strip::HEIGHT])
        .with_context_setup(tonearm::theme::install);
    let mut harness =
        builder.build_ui_state(|ui, made: &mut Made| made.show_strip(ui), Made::analyzed());
    harness.run_steps(2);
    harness.get_by_label("0:29.8 / 2:00.0");
    harness.get_by_role_and_label(Role::Slider, "Volume");
    harness.get_by_label("Play").click();
    harness.get_by_label("Show Night Ferry").click();
    harness.run_steps(2);
    let out = &harness.state().out;
    assert_eq!(out.actions, [Action::ShowPlaying]);
    assert_eq!(out.sound, [PlayerCommand::Toggle]);
}

#[test]
fn the_small_player_says_when_nothing_can_be_heard() {
    let builder = Harness::builder()
        .with_size([900.0, strip::HEIGHT])
        .with_context_setup(tonearm::theme::install);
    let mut made = Made::analyzed();
    made.sound.output = OutputState::Absent {
        reason: "no device".to_owned(),
    };
    let mut harness = builder.build_ui_state(|ui, made: &mut Made| made.show_strip(ui), made);
    harness.run_steps(2);
    harness.get_by_label("No sound output");
}

#[test]
fn the_cue_is_set_by_its_button_also_while_the_track_plays() {
    let mut made = Made::analyzed();
    made.sound.transport = Transport::Playing;
    let mut harness = harness(made, [1400.0, 640.0]);
    harness.run_steps(3);
    harness.get_by_label("Set the cue point here").click();
    harness.run_steps(2);
    let out = &harness.state().out;
    let [PlayerCommand::SetCue(at)] = out.sound.as_slice() else {
        panic!("{:?}", out.sound);
    };
    assert!((at.0 - 29.8).abs() < 0.1, "{at:?}");
    assert_eq!(out.actions, []);
}

#[test]
fn an_alternative_is_one_click() {
    let mut harness = harness(Made::analyzed(), [1200.0, 640.0]);
    harness.run_steps(3);
    harness.get_by_label_contains("Half the tempo").click();
    harness
        .get_by_label_contains("Take C major instead")
        .click();
    harness.run_steps(2);
    let edits: Vec<Edit> = harness
        .state()
        .out
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Edit { edit, .. } => Some(*edit),
            _ => None,
        })
        .collect();
    assert!(edits.contains(&Edit::HalveTempo), "{edits:?}");
    assert!(
        edits
            .iter()
            .any(|edit| matches!(edit, Edit::SetKey(key) if key.to_string() == "C major")),
        "{edits:?}"
    );
}

#[test]
fn a_click_on_the_overview_goes_there() {
    let mut harness = harness(Made::analyzed(), [1200.0, 640.0]);
    harness.run_steps(3);
    harness.get_by_label("Overview of the whole track").click();
    harness.run_steps(2);
    let seeks: Vec<f64> = harness
        .state()
        .out
        .sound
        .iter()
        .filter_map(|command| match command {
            PlayerCommand::Seek(at) => Some(at.0),
            _ => None,
        })
        .collect();
    assert!(
        matches!(seeks[..], [at] if (at - 60.0).abs() < 0.5),
        "{seeks:?}"
    );
}

#[test]
fn a_track_that_is_not_in_the_player_is_loaded_where_it_was_clicked() {
    let mut made = Made::analyzed();
    hear(&mut made, None);
    let mut harness = harness(made, [1200.0, 640.0]);
    harness.run_steps(3);
    harness.get_by_label("Play").click();
    harness.run_steps(2);
    let out = &harness.state().out;
    assert!(
        matches!(&out.sound[..], [PlayerCommand::Load { play: true, .. }]),
        "{:?}",
        out.sound
    );
}

#[test]
fn steps_go_by_beat_and_bar() {
    let mut made = Made::analyzed();
    for (action, at) in [
        (Action::BeatForward, 30.0),
        (Action::BeatBack, 29.5),
        (Action::BarForward, 31.5),
        (Action::BarBack, 29.5),
    ] {
        made.out.sound.clear();
        assert!(made.act(action), "{action:?}");
        let [PlayerCommand::Seek(found)] = made.out.sound[..] else {
            panic!("{action:?}: {:?}", made.out.sound);
        };
        assert!((found.0 - at).abs() < 1e-6, "{action:?}: {found:?}");
    }
    assert!(!made.act(Action::Quit));
}

#[test]
fn every_state_of_a_track_is_told_in_words() {
    for (made, words) in [
        (Made::bare(), "has not been analysed yet"),
        (Made::working(), "Finding waveform, beats and key"),
        (Made::missing(), "The file is not there"),
        (Made::failed(), "No beats: the rhythm could not be followed"),
    ] {
        let mut harness = harness(made, [900.0, 500.0]);
        harness.run_steps(3);
        harness.get_by_label_contains(words);
    }
}

#[test]
fn no_size_and_no_scale_makes_it_fall_over() {
    for size in [[1.0, 1.0], [40.0, 30.0], [300.0, 2000.0], [3000.0, 90.0]] {
        for scale in [0.75, 1.0, 3.0] {
            let mut harness = harness(Made::analyzed(), size);
            harness.set_pixels_per_point(scale);
            harness.run_steps(2);
            assert!(harness.render().is_ok());
        }
    }
}

/// Turns the wheel upwards over the waveform, `part` of its width from the left; what time was there, before and after.
fn turn_wheel(harness: &mut Harness<'_, Made>, part: f32) -> (f64, f64) {
    let wave = harness.get_by_label("Waveform").rect();
    let at = wave.left() + wave.width() * part;
    let time = |harness: &Harness<'_, Made>| {
        let panel = &harness.state().panel;
        panel.time_at(at - wave.left())
    };
    harness.event(egui::Event::PointerMoved(egui::pos2(at, wave.center().y)));
    harness.run_steps(2);
    let before = time(harness);
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 200.0),
        modifiers: egui::Modifiers::NONE,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    });
    harness.run_steps(30);
    (before, time(harness))
}

#[test]
fn the_wheel_zooms_under_the_pointer_while_the_sound_rests_and_around_the_playhead_while_it_moves()
{
    let mut made = Made::analyzed();
    look(&mut made, 0.05);
    let mut harness = harness(made, [1200.0, 640.0]);
    harness.run_steps(3);
    let (before, after) = turn_wheel(&mut harness, 0.7);
    assert!((before - after).abs() < 0.01, "{before} {after}");
    harness.state_mut().sound.transport = Transport::Playing;
    harness.run_steps(3);
    let (before, after) = turn_wheel(&mut harness, 0.5);
    assert!((before - after).abs() < 0.01, "{before} {after}");
    let (before, after) = turn_wheel(&mut harness, 0.7);
    assert!((before - after).abs() > 0.1, "{before} {after}");
}

#[test]
fn a_track_without_sound_leaves_the_zoom_as_it_was() {
    let mut made = Made::bare();
    look(&mut made, 0.05);
    hear(&mut made, None);
    let mut row = Row::clone(made.view.rows.iter().next().unwrap());
    row.track.format = None;
    made.view.rows = Rows::new(vec![row]);
    let mut harness = harness(made, [1200.0, 640.0]);
    harness.run_steps(3);
    assert!((harness.state().panel.per_point - 0.05).abs() < 1e-9);
}
