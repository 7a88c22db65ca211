//! Concert pitch: by how much the notes of a recording miss the equal-tempered scale on A = 440 Hz.

use super::spectrum::{BIN_HZ, HOP, WINDOW};
use crate::analysis::dsp::{self, Stft};
use crate::control::{Cancelled, Control};
use std::f32::consts::TAU;

/// Where notes are dense and bins are narrower than a semitone.
const RANGE_HZ: [f32; 2] = [100.0, 2_000.0];

/// Tuning does not move: one frame in four (0.19 s) is plenty.
const FRAME_STEP: usize = 4;

/// Peaks below this share of the frame's highest are sidelobes and noise.
const PEAK_SHARE: f32 = 0.05;

/// Below this agreement among the peaks there is no tuning to speak of: percussion, noise.
/// Tuned music gives 0.3 and more, noise about one over the root of the number of peaks.
const LEAST_AGREEMENT: f32 = 0.04;

/// Spectral magnitude of a sine at -100 dB of full scale.
const INAUDIBLE: f32 = WINDOW as f32 / 4.0 * 1e-5;

/// The deviation in semitones, -0.5 to 0.5: the direction of the mean of all spectral peaks put on
/// a circle whose turn is one semitone, weighted by the root of their magnitude.
pub(super) fn semitones_from_a440(sound: &[f32], control: &Control) -> Result<f32, Cancelled> {
    let mut sum = [0.0_f64; 2];
    let mut total = 0.0_f64;
    Stft::new(WINDOW, FRAME_STEP * HOP).magnitudes(sound, control, |_, magnitudes| {
        for (hz, magnitude) in peaks(magnitudes) {
            let turn = TAU * midi_from_hz(hz).rem_euclid(1.0);
            let weight = f64::from(magnitude.sqrt());
            sum[0] += weight * f64::from(turn.cos());
            sum[1] += weight * f64::from(turn.sin());
            total += weight;
        }
    })?;
    if sum[0].hypot(sum[1]) <= f64::from(LEAST_AGREEMENT) * total {
        return Ok(0.0);
    }
    Ok(sum[1].atan2(sum[0]) as f32 / TAU)
}

/// MIDI note number, fractional, on A = 440 Hz.
pub(super) fn midi_from_hz(hz: f32) -> f32 {
    69.0 + 12.0 * (hz / 440.0).log2()
}

/// Frequency and magnitude of the local maxima, refined by a parabola through the logarithms.
fn peaks(magnitudes: &[f32]) -> impl Iterator<Item = (f32, f32)> {
    let [low, high] = RANGE_HZ.map(|hz| (hz / BIN_HZ) as usize);
    let inside = magnitudes.get(low..=high).unwrap_or_default();
    let highest = inside.iter().copied().fold(0.0, f32::max);
    let least = (PEAK_SHARE * highest).max(INAUDIBLE);
    let neighbours = magnitudes.get(low - 1..=high + 1).unwrap_or_default();
    neighbours
        .windows(3)
        .zip(low..)
        .filter_map(move |(window, bin)| {
            let &[left, middle, right] = window else {
                return None;
            };
            let is_peak = middle > left && middle > right && middle > least;
            let offset = dsp::refine_peak(&[left, middle, right].map(logarithm), 1) as f32 - 1.0;
            is_peak.then_some(((bin as f32 + offset) * BIN_HZ, middle))
        })
}

fn logarithm(magnitude: f32) -> f32 {
    (magnitude + f32::MIN_POSITIVE).ln()
}
