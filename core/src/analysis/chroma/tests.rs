//! Chroma of sounds whose notes are known.

use super::*;
use crate::analysis::RATE;
use std::f32::consts::TAU;

/// Saw-like tones of six partials at the given MIDI notes, `secs` long.
fn tones(midi: &[f32], secs: f32) -> Vec<f32> {
    (0..(secs * RATE as f32) as usize)
        .map(|i| {
            let at = i as f32 / RATE as f32;
            let partials = midi.iter().flat_map(|note| {
                let hz = 440.0 * ((note - 69.0) / 12.0).exp2();
                (1..=6_u8)
                    .map(move |k| (TAU * (hz * at * f32::from(k)).fract()).sin() / f32::from(k))
            });
            0.1 * partials.sum::<f32>()
        })
        .collect()
}

/// A reproducible hiss between -1 and 1.
fn noise(samples: usize) -> Vec<f32> {
    let mut state = 1_u32;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn chroma_of(mono: &[f32]) -> Chromagram {
    chromagram(mono, &Control::default()).unwrap()
}

/// The `count` strongest pitch classes, ascending.
fn strongest(chroma: &[f32; 12], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..12).collect();
    order.sort_by(|&a, &b| chroma[b].total_cmp(&chroma[a]));
    let mut top = order[..count].to_vec();
    top.sort_unstable();
    top
}

#[test]
fn a_seventh_chord_shows_its_four_notes_and_its_bass_in_every_transposition() {
    for shift in 0_u8..12 {
        let shift_by = f32::from(shift);
        let notes = [36.0, 60.0, 64.0, 67.0, 70.0].map(|note| note + shift_by);
        let chroma = chroma_of(&tones(&notes, 3.0));
        let middle = chroma.treble.len() / 2;
        let mut expected: Vec<usize> = [0, 4, 7, 10]
            .iter()
            .map(|interval| (interval + usize::from(shift)) % 12)
            .collect();
        expected.sort_unstable();
        assert_eq!(strongest(&chroma.treble[middle], 4), expected, "{shift}");
        assert_eq!(strongest(&chroma.bass[middle], 1), [usize::from(shift)]);
    }
}

#[test]
fn tuning_is_found_and_compensated() {
    for cents in [-30.0, -10.0, 0.0, 20.0, 30.0] {
        let notes = [57.0, 60.0, 64.0, 69.0].map(|note| note + cents / 100.0);
        let chroma = chroma_of(&tones(&notes, 4.0));
        let found = 1200.0 * (chroma.tuning_hz / 440.0).log2();
        assert!((found - f64::from(cents)).abs() < 3.0, "{cents}: {found}");
        let middle = chroma.treble.len() / 2;
        assert_eq!(strongest(&chroma.treble[middle], 3), [0, 4, 9], "{cents}");
    }
}

#[test]
fn a_drum_over_a_chord_leaves_the_chord() {
    let mut sound = tones(&[60.0, 63.0, 67.0], 4.0);
    let hiss = noise(sound.len());
    for (i, sample) in sound.iter_mut().enumerate() {
        let since_hit = (i % (RATE as usize / 2)) as f32 / RATE as f32;
        *sample += hiss[i] * (-since_hit / 0.03).exp();
    }
    let chroma = chroma_of(&sound);
    for frame in 10..chroma.treble.len() - 10 {
        assert_eq!(strongest(&chroma.treble[frame], 3), [0, 3, 7], "{frame}");
    }
}

#[test]
fn silence_has_no_notes_and_standard_tuning() {
    let chroma = chroma_of(&vec![0.0; 100_000]);
    assert_eq!(chroma.tuning_hz, 440.0);
    assert!(
        chroma
            .treble
            .iter()
            .chain(&chroma.bass)
            .all(|frame| *frame == [0.0; 12])
    );
    assert!(chroma.level.iter().all(|&level| level == 0.0));
}

#[test]
fn every_length_and_every_sample_value_is_survived() {
    for samples in [0, 1, 3, 2_047, 2_048, 2_049, 8_192, 50_000] {
        let chroma = chroma_of(&noise(samples));
        assert_eq!(chroma.treble.len(), samples.div_ceil(4).div_ceil(512));
        assert_eq!(chroma.level.len(), chroma.bass.len());
    }
    for value in [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN_POSITIVE, -1e30] {
        let mut sound = noise(30_000);
        sound[10_000..20_000].fill(value);
        let chroma = chroma_of(&sound);
        let finite = |frames: &[[f32; 12]]| frames.iter().flatten().all(|value| value.is_finite());
        assert!(finite(&chroma.treble) && finite(&chroma.bass), "{value}");
        assert!(
            chroma.level.iter().all(|level| level.is_finite()),
            "{value}"
        );
    }
}

#[test]
fn a_cancelled_job_stops() {
    let control = Control::default();
    control.cancel();
    assert_eq!(chromagram(&noise(10_000), &control), Err(Cancelled));
}
