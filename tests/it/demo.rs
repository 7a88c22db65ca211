//! The demo music: what is written beside each piece is true of it.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tonearm_tests::compose::{Piece, RATE, frame_at};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../assets/demo")
}

#[test]
fn the_truth_beside_each_piece_is_what_the_composer_plays() {
    for piece in Piece::all() {
        let name = piece.score.name;
        let sound = folder().join(format!("{name}.{}", piece.codec.extension()));
        assert!(sound.is_file(), "{} is missing", sound.display());
        let text = fs::read_to_string(folder().join(format!("{name}.truth.json"))).unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        let mut played = piece.score.truth();
        played["audio"] = written["audio"].clone();
        // Through text, so that both have been rounded the same way.
        let played: Value = serde_json::from_str(&played.to_string()).unwrap();
        assert_eq!(written, played, "{name}: run the composer again");
    }
}

#[test]
fn chords_fill_every_piece_without_a_gap() {
    for piece in Piece::all() {
        let truth = piece.score.truth();
        let mut end = 0.0;
        for chord in truth["chords"].as_array().unwrap() {
            assert_eq!(
                chord["start"].as_f64(),
                Some(end),
                "{}: {chord}",
                piece.score.name
            );
            end = chord["end"].as_f64().unwrap();
        }
        assert_eq!(
            truth["duration"].as_f64(),
            Some(end),
            "{}",
            piece.score.name
        );
    }
}

#[test]
fn every_drum_stroke_on_a_beat_is_heard_within_a_millisecond_of_it() {
    let millisecond = RATE as usize / 1_000;
    for piece in Piece::all() {
        let beats = piece.score.beats();
        let drums = piece.drums_alone();
        let mut on_beats = 0;
        for kick in piece.kicks() {
            if !beats.iter().any(|(beat, _)| (beat - kick).abs() < 1e-9) {
                continue;
            }
            on_beats += 1;
            // Steps between samples: large in the attack, small in the tail of the stroke before.
            let steepest = |from: usize| {
                let part = &drums.0[from..=from + millisecond];
                let steps = part.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
                steps.fold(0.0, f32::max)
            };
            let at = frame_at(kick);
            let (before, after) = (steepest(at - millisecond - 1), steepest(at));
            assert!(
                after > 0.02,
                "{}: {after}, no drum at {kick} s",
                piece.score.name
            );
            assert!(
                before < 0.005,
                "{}: {before}, a drum before {kick} s",
                piece.score.name
            );
        }
        assert!(
            on_beats > 20,
            "{}: {on_beats} beats with a drum",
            piece.score.name
        );
    }
}
