//! How much the harmony changes around each moment: bars tend to begin where chords do.

use super::onsets::FPS;
use crate::analysis::chroma::Chromagram;
use crate::analysis::dsp;

/// Chroma before and after a moment is averaged over this long.
const SIDE_SECS: f64 = 0.4;
const TREBLE_WEIGHT: f64 = 1.0;
const BASS_WEIGHT: f64 = 0.8;
/// Slow swells are subtracted over this many onset frames (2 s).
const BASELINE_FRAMES: usize = 200;
/// Normalised change is kept inside these bounds, in RMS units.
const BOUNDS: (f32, f32) = (-2.0, 4.0);

/// Harmonic change at the onset frame rate, zero mean, RMS about 1. Empty without chroma.
pub(super) fn harmonic_change(chroma: &Chromagram, frames: usize) -> Vec<f32> {
    let side = ((SIDE_SECS * chroma.frame_rate) as usize).max(3);
    let treble = novelty(&chroma.treble, side);
    let bass = novelty(&chroma.bass, side);
    let sum: Vec<f32> = treble
        .iter()
        .zip(&bass)
        .map(|(treble, bass)| (TREBLE_WEIGHT * treble + BASS_WEIGHT * bass) as f32)
        .collect();
    if sum.is_empty() || chroma.frame_rate <= 0.0 {
        return Vec::new();
    }
    let step = chroma.frame_rate / FPS;
    let resampled: Vec<f32> = (0..frames)
        .map(|frame| dsp::interpolate(&sum, frame as f64 * step))
        .collect();
    let baseline = dsp::running_mean(&resampled, BASELINE_FRAMES);
    let mut change: Vec<f32> = resampled.iter().zip(baseline).map(|(v, b)| v - b).collect();
    let scale = dsp::rms(&change) + 1e-9;
    for value in &mut change {
        *value = (*value / scale).clamp(BOUNDS.0, BOUNDS.1);
    }
    change
}

/// Cosine distance of the mean chroma after a frame from that before it, damped where it is quiet.
fn novelty(chroma: &[[f32; 12]], side: usize) -> Vec<f64> {
    let compressed: Vec<[f64; 12]> = chroma
        .iter()
        .map(|frame| frame.map(|v| f64::from(v.max(0.0)).sqrt()))
        .collect();
    let energies: Vec<f32> = compressed.iter().map(|frame| norm(frame) as f32).collect();
    let reference = 0.3 * f64::from(dsp::quantile(&energies, 0.8)) + 1e-9;
    let mut sums = vec![[0.0; 12]];
    for frame in &compressed {
        let mut sum = sums.last().copied().unwrap_or_default();
        sum.iter_mut().zip(frame).for_each(|(sum, v)| *sum += v);
        sums.push(sum);
    }
    let mean = |from: usize, to: usize| -> [f64; 12] {
        std::array::from_fn(|pitch| (sums[to][pitch] - sums[from][pitch]) / side as f64)
    };
    (0..chroma.len())
        .map(|frame| {
            if frame < side || frame + side > chroma.len() {
                return 0.0;
            }
            let before = mean(frame - side, frame);
            let after = mean(frame, frame + side);
            let (a, b) = (norm(&before), norm(&after));
            let audible = (a.min(b) / reference).min(1.0);
            (1.0 - dot(&before, &after) / ((a + 1e-9) * (b + 1e-9))) * audible
        })
        .collect()
}

pub(super) fn dot(a: &[f64; 12], b: &[f64; 12]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(v: &[f64; 12]) -> f64 {
    dot(v, v).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_chord_stands_out() {
        let mut treble = vec![[0.0; 12]; 400];
        for (index, frame) in treble.iter_mut().enumerate() {
            let root = if index < 200 { 0 } else { 2 };
            for note in [0, 4, 7] {
                frame[(root + note) % 12] = 1.0;
            }
        }
        let chroma = Chromagram {
            frame_rate: 20.0,
            bass: treble.clone(),
            level: vec![1.0; treble.len()],
            treble,
            tuning_hz: 440.0,
        };
        let change = harmonic_change(&chroma, 2000);
        let most = change.iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(change[1000], most);
        assert!(change[500] < 0.1 && change[1500] < 0.1);
    }

    #[test]
    fn no_chroma_no_change() {
        let chroma = Chromagram {
            frame_rate: 20.0,
            treble: Vec::new(),
            bass: Vec::new(),
            level: Vec::new(),
            tuning_hz: 440.0,
        };
        assert!(harmonic_change(&chroma, 100).is_empty());
    }
}
