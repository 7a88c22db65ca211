//! Concert pitch: by how much the notes of a recording miss the equal-tempered scale on A = 440 Hz.

use super::spectrum::{BIN_HZ, SOUND_RATE, Stft, WINDOW, frame_count};
use crate::control::{Cancelled, Control};
use std::f32::consts::TAU;
use std::ops::RangeInclusive;

/// Where notes are dense and bins are narrower than a semitone.
const RANGE_HZ: (f32, f32) = (100.0, 2_000.0);

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
pub(super) fn semitones_from_a440(
    sound: &[f32],
    stft: &mut Stft,
    control: &Control,
) -> Result<f32, Cancelled> {
    let mut sum = [0.0_f64; 2];
    let mut total = 0.0_f64;
    for frame in (0..frame_count(sound.len())).step_by(FRAME_STEP) {
        control.check()?;
        for (hz, magnitude) in peaks(stft.magnitudes(sound, frame)) {
            let turn = TAU * (midi_from_hz(hz)).rem_euclid(1.0);
            let weight = f64::from(magnitude.sqrt());
            sum[0] += weight * f64::from(turn.cos());
            sum[1] += weight * f64::from(turn.sin());
            total += weight;
        }
    }
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
    let range = bins_between(RANGE_HZ);
    let start = *range.start();
    let highest = magnitudes
        .get(range)
        .unwrap_or_default()
        .iter()
        .fold(0.0_f32, |a, &b| a.max(b));
    let least = (PEAK_SHARE * highest).max(INAUDIBLE);
    let last = bins_between(RANGE_HZ).count() + 2;
    magnitudes
        .windows(3)
        .skip(start - 1)
        .take(last - 2)
        .enumerate()
        .filter_map(move |(offset, window)| {
            let [left, middle, right] = *window else {
                return None;
            };
            let is_peak = middle > left && middle > right && middle > least;
            is_peak.then(|| {
                let place = (start + offset) as f32 + summit(left, middle, right);
                (place * BIN_HZ, middle)
            })
        })
}

fn bins_between((low, high): (f32, f32)) -> RangeInclusive<usize> {
    debug_assert!(high < SOUND_RATE as f32 / 2.0);
    (low / BIN_HZ) as usize..=(high / BIN_HZ) as usize
}

/// Offset of a parabola's summit from its middle point, -0.5 to 0.5.
fn summit(left: f32, middle: f32, right: f32) -> f32 {
    let [a, b, c] = [left, middle, right].map(|value| (value + f32::MIN_POSITIVE).ln());
    (0.5 * (a - c) / (a - 2.0 * b + c)).clamp(-0.5, 0.5)
}
