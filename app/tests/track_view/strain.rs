//! What a window may meet: no size, another scale, no beats, endless and foreign names.

use crate::scenes::{Made, foreign_harness, harness, look};
use egui_kittest::kittest::Queryable as _;
use tonearm::action::Action;
use tonearm_core::core_loop::view::Rows;
use tonearm_core::row::Row;

/// The same scene with another name of its track.
fn named(name: &str) -> Made {
    let mut made = Made::analyzed();
    let mut rows: Vec<Row> = made.view.rows.iter().map(|row| Row::clone(row)).collect();
    for row in &mut rows {
        let tags = &mut row.track.tags;
        for tag in [&mut tags.title, &mut tags.artist, &mut tags.album] {
            *tag = Some(name.into());
        }
    }
    made.view.rows = Rows::new(rows);
    made
}

#[test]
fn the_scale_may_change_while_it_runs() {
    let mut harness = harness(Made::analyzed(), [640.0, 400.0]);
    for scale in [1.0, 2.0, 1.25, 0.5, 1.0] {
        harness.set_pixels_per_point(scale);
        harness.run_steps(2);
        assert!(harness.render().is_ok(), "{scale}");
    }
}

#[test]
fn the_window_may_have_no_size_while_it_runs() {
    let mut harness = harness(Made::analyzed(), [640.0, 400.0]);
    for size in [[0.0, 0.0], [1.0, 400.0], [640.0, 0.0], [640.0, 400.0]] {
        // A picture without pixels cannot be made, a frame can.
        harness.set_size(size.into());
        harness.run_steps(2);
    }
    harness.get_by_label("Waveform");
}

#[test]
fn a_track_without_beats_shows_its_waveform_and_moves_by_time() {
    let mut made = Made::analyzed();
    made.forget_findings();
    look(&mut made, 0.0125);
    let mut harness = harness(made, [640.0, 400.0]);
    harness.run_steps(3);
    assert!(harness.render().is_ok());
    assert!(harness.state_mut().act(Action::BeatForward));
    assert_eq!(harness.state().out.sound.len(), 1);
}

#[test]
fn no_name_is_too_long_or_too_foreign() {
    for name in [
        "x".repeat(100_000),
        "e\u{301}".repeat(50_000),
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{202e}desrever".to_owned(),
        "\u{591c}\u{306e}\u{6e21}\u{3057}\u{8239} \u{bc24}\u{bc30}".to_owned(),
        "line\none\ttwo\u{7}\u{0}".to_owned(),
        String::new(),
    ] {
        let mut harness = foreign_harness(named(&name), [640.0, 400.0]);
        harness.run_steps(3);
        assert!(harness.render().is_ok());
    }
}
