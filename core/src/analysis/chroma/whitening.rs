//! Evens out the spectrum so that quiet notes beside loud ones still count.

use super::log_spectrum::{BINS, BINS_PER_SEMITONE, LogSpectrum};

/// Bins on either side of the running statistics: 9 semitones, 1.5 octaves in all.
const REACH: usize = 9 * BINS_PER_SEMITONE;

/// How far the running deviation is divided out: 0 keeps the spectrum, 1 flattens it wholly.
const FLATTENING: f32 = 0.7;

/// Added to the divisor; far below the deviation of any audible frame.
const FLOOR: f32 = 1e-6;

/// Subtracts the running mean and divides by a power of the running standard deviation
/// (Mauch & Dixon 2010, section 3.1, with their exponent between 0 and 1).
pub(super) fn whiten(spectrum: &mut LogSpectrum) {
    for frame in spectrum.frames_mut() {
        let sums = running_sums(frame);
        for (value, (mean, deviation)) in frame.iter_mut().zip(sums) {
            *value = (*value - mean).max(0.0) / (deviation.powf(FLATTENING) + FLOOR);
        }
    }
}

/// Mean and standard deviation around every bin, the spectrum being mirrored at its ends.
fn running_sums(frame: &[f32]) -> [(f32, f32); BINS] {
    let mut cumulated = [[0.0_f64; 2]; BINS + 2 * REACH + 1];
    for index in 0..BINS + 2 * REACH {
        let value = f64::from(frame[mirrored(index)]);
        let [sum, squares] = cumulated[index];
        cumulated[index + 1] = [sum + value, squares + value * value];
    }
    let width = (2 * REACH + 1) as f64;
    std::array::from_fn(|bin| {
        let (before, after) = (cumulated[bin], cumulated[bin + 2 * REACH + 1]);
        let mean = (after[0] - before[0]) / width;
        let variance = (after[1] - before[1]) / width - mean * mean;
        (mean as f32, variance.max(0.0).sqrt() as f32)
    })
}

/// The bin that stands `index - REACH` bins from the start, reflected at both ends.
fn mirrored(index: usize) -> usize {
    const { assert!(REACH < BINS) };
    if index < REACH {
        REACH - 1 - index
    } else if index - REACH < BINS {
        index - REACH
    } else {
        2 * BINS - 1 - (index - REACH)
    }
}
