//! Rhythms written as text, one character per sixteenth note, and melodies as rows of notes.

use super::score::{Placed, Score};
use super::voices::{Note, Vowel};

/// A stretch of bars, the first and the one after the last.
pub(crate) type Bars = (u32, u32);

/// Every stroke of a pattern in every bar of `bars`, as (seconds, loudness). `X` is loud, `x`
/// middle, `o` soft, anything else a rest. `swing` delays each second sixteenth by that share.
pub(crate) fn strokes(score: &Score, bars: Bars, pattern: &str, swing: f64) -> Vec<(f64, f64)> {
    let mut strokes = Vec::new();
    for bar in bars.0..bars.1 {
        for (index, mark) in pattern.chars().enumerate() {
            let Some(gain) = loudness(mark) else {
                continue;
            };
            let late = if index % 2 == 1 { swing } else { 0.0 };
            strokes.push((score.clock.secs(bar, (index as f64 + late) * 0.25), gain));
        }
    }
    strokes
}

fn loudness(mark: char) -> Option<f64> {
    match mark {
        'X' => Some(1.0),
        'x' => Some(0.72),
        'o' => Some(0.4),
        _ => None,
    }
}

/// The same strokes, each with the chord that sounds there; strokes without a chord are left out.
pub(crate) fn chord_strokes(
    score: &Score,
    bars: Bars,
    pattern: &str,
    swing: f64,
) -> Vec<(f64, f64, Placed)> {
    strokes(score, bars, pattern, swing)
        .into_iter()
        .filter_map(|(at, gain)| {
            let beats = (at - score.clock.first_beat_secs) / score.clock.beat_secs();
            // A swung stroke may be a rounding error short of its beat.
            let chord = score.chord_at((beats + 1e-6).floor() as u32)?;
            Some((at, gain, chord))
        })
        .collect()
}

/// The chords that start within `bars`, as (seconds, length in seconds, chord).
pub(crate) fn chords_in(score: &Score, bars: Bars) -> Vec<(f64, f64, Placed)> {
    let beats = score.clock.beats_per_bar;
    score
        .chords()
        .into_iter()
        .filter(|chord| (bars.0 * beats..bars.1 * beats).contains(&chord.beat))
        .map(|chord| {
            let at = score.clock.secs(0, f64::from(chord.beat));
            (at, f64::from(chord.beats) * score.clock.beat_secs(), chord)
        })
        .collect()
}

/// A melody that starts at `bar`, written as (beat, length in beats, MIDI note, vowel).
pub(crate) fn melody(
    score: &Score,
    bar: u32,
    gain: f64,
    rows: &[(f64, f64, u8, Vowel)],
) -> Vec<(Note, Vowel)> {
    rows.iter()
        .map(|&(beat, beats, midi, vowel)| {
            let note = Note {
                at: score.clock.secs(bar, beat),
                secs: beats * score.clock.beat_secs() * 0.96,
                midi: f64::from(midi),
                gain,
            };
            (note, vowel)
        })
        .collect()
}
