//! Onset strength in six registers, 100 times a second: the log-spectral flux of Böck & Widmer
//! ("Maximum filter vibrato suppression for onset detection", 2013).

use crate::analysis::RATE;
use crate::analysis::dsp::{self, Stft};
use crate::control::{Cancelled, Control};

/// Onset frames per second: 10 ms is finer than the 46 ms window resolves, and enough for tracking.
pub(super) const FPS: f64 = 100.0;

const HOP: usize = RATE as usize / FPS as usize;
const WINDOW: usize = 2048; // 46 ms
const LOWEST_HZ: f64 = 30.0;
const HIGHEST_HZ: f64 = 16_000.0;
const BANDS_PER_OCTAVE: f64 = 24.0;
/// Magnitudes are compressed by `log10(1 + COMPRESSION * m)` where 1 is the loudest half percent.
const COMPRESSION: f32 = 1000.0;
const LOUD_QUANTILE: f64 = 0.995;
/// Flux compares with the frame before last: attacks smear over two hops of the window.
const LAG: usize = 2;
/// Levels follow the music over this many frames (4 s), about two bars.
const LEVEL_FRAMES: usize = 400;

/// Onset strength by register, one value a frame.
#[derive(Debug)]
pub(super) struct OnsetBands {
    /// 30-140 Hz: kick and bass.
    pub(super) low: Vec<f32>,
    /// 140-600 Hz.
    pub(super) low_mid: Vec<f32>,
    /// 600-2500 Hz.
    pub(super) mid: Vec<f32>,
    /// 1.5-6 kHz: snare and clap.
    pub(super) snare: Vec<f32>,
    /// 6-16 kHz: hats.
    pub(super) high: Vec<f32>,
    /// Everything.
    pub(super) full: Vec<f32>,
}

/// Measures onset strength over the whole of `mono`.
pub(super) fn onset_bands(mono: &[f32], control: &Control) -> Result<OnsetBands, Cancelled> {
    let stft = Stft::new(WINDOW, HOP);
    let bands = triangles(stft.bins());
    let mut levels = Vec::with_capacity(stft.frames(mono.len()) * bands.len());
    stft.magnitudes(mono, control, |_, spectrum| {
        levels.extend(bands.iter().map(|band| band.level(spectrum)));
    })?;
    compress(&mut levels);
    control.check()?;
    Ok(flux(&levels, &bands))
}

/// One triangular filter over spectrum bins; its weights sum to 1.
struct Triangle {
    first_bin: usize,
    weights: Vec<f32>,
    centre_hz: f64,
}

impl Triangle {
    fn level(&self, spectrum: &[f32]) -> f32 {
        let bins = spectrum.get(self.first_bin..).unwrap_or_default();
        self.weights.iter().zip(bins).map(|(w, m)| w * m).sum()
    }
}

/// Filters evenly spaced in pitch, as far as whole bins allow.
fn triangles(bins: usize) -> Vec<Triangle> {
    let bin_hz = f64::from(RATE) / WINDOW as f64;
    let count = ((HIGHEST_HZ / LOWEST_HZ).log2() * BANDS_PER_OCTAVE) as i32;
    let mut edges: Vec<usize> = (-1..=count + 1)
        .map(|i| LOWEST_HZ * (f64::from(i) / BANDS_PER_OCTAVE).exp2() / bin_hz)
        .map(|bin| bin.round() as usize)
        .filter(|&bin| bin < bins)
        .collect();
    edges.dedup();
    edges
        .windows(3)
        .filter_map(|edges| <[usize; 3]>::try_from(edges).ok())
        .map(|[left, centre, right]| {
            let rise = (left..centre).map(|bin| (bin - left) as f32 / (centre - left) as f32);
            let fall = (centre..right).map(|bin| (right - bin) as f32 / (right - centre) as f32);
            let mut weights: Vec<f32> = rise.chain(fall).collect();
            let sum: f32 = weights.iter().sum();
            for weight in &mut weights {
                *weight /= sum;
            }
            Triangle {
                first_bin: left,
                weights,
                centre_hz: centre as f64 * bin_hz,
            }
        })
        .collect()
}

/// Log compression relative to the loud parts of the track.
fn compress(levels: &mut [f32]) {
    // A prime stride samples all bands alike; the quantile needs no more.
    let sampled: Vec<f32> = levels.iter().step_by(7).copied().collect();
    let loud = dsp::quantile(&sampled, LOUD_QUANTILE).max(1e-9);
    let scale = COMPRESSION / loud;
    for level in levels {
        *level = (1.0 + scale * *level).log10();
    }
}

/// Rise of each band over the loudest of it and its neighbours `LAG` frames ago, mean by register.
fn flux(levels: &[f32], bands: &[Triangle]) -> OnsetBands {
    let frames: Vec<&[f32]> = levels.chunks_exact(bands.len().max(1)).collect();
    let register = |from: f64, to: f64| {
        let first = bands.partition_point(|band| band.centre_hz < from);
        let end = bands.partition_point(|band| band.centre_hz < to);
        first..end
    };
    let registers = [
        register(30.0, 140.0),
        register(140.0, 600.0),
        register(600.0, 2500.0),
        register(1500.0, 6000.0),
        register(6000.0, HIGHEST_HZ),
        register(0.0, f64::INFINITY),
    ];
    let mut means = registers.clone().map(|_| vec![0.0_f32; frames.len()]);
    let mut rise = vec![0.0_f32; bands.len()];
    let mut before = vec![0.0_f32; bands.len()];
    for (index, pair) in frames.windows(LAG + 1).enumerate() {
        let (Some(old), Some(new)) = (pair.first(), pair.last()) else {
            continue;
        };
        widen(old, &mut before);
        for ((rise, new), before) in rise.iter_mut().zip(*new).zip(&before) {
            *rise = (new - before).max(0.0);
        }
        for (mean, register) in means.iter_mut().zip(&registers) {
            let count = register.len().max(1) as f32;
            mean[index + LAG] = rise[register.clone()].iter().sum::<f32>() / count;
        }
    }
    let [low, low_mid, mid, snare, high, full] = means;
    OnsetBands {
        low,
        low_mid,
        mid,
        snare,
        high,
        full,
    }
}

/// Largest of each level and its two neighbours.
fn widen(levels: &[f32], out: &mut [f32]) {
    for (index, out) in out.iter_mut().enumerate() {
        let near = &levels[index.saturating_sub(1)..(index + 2).min(levels.len())];
        *out = near.iter().copied().fold(f32::MIN, f32::max);
    }
}

/// Divides by a level that is mostly local (RMS over 4 s) and partly global, so that quiet passages
/// count without being blown up.
pub(super) fn levelled(onsets: &[f32]) -> Vec<f32> {
    let squares: Vec<f32> = onsets.iter().map(|v| v * v).collect();
    let global = dsp::rms(onsets);
    let local = dsp::running_mean(&squares, LEVEL_FRAMES);
    onsets
        .iter()
        .zip(local)
        .map(|(onset, local)| onset / (0.6 * local.max(0.0).sqrt() + 0.4 * global + 1e-9))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_is_an_onset_in_every_register_and_silence_is_none() {
        let mut mono = vec![0.0_f32; 44_100 * 2];
        mono[44_100] = 1.0;
        let onsets = onset_bands(&mono, &Control::default()).unwrap();
        for band in [&onsets.low, &onsets.snare, &onsets.high, &onsets.full] {
            let peak = (0..band.len())
                .max_by(|&a, &b| band[a].total_cmp(&band[b]))
                .unwrap();
            assert!((97..=102).contains(&peak), "{peak}");
        }
        let silent = onset_bands(&vec![0.0; 44_100], &Control::default()).unwrap();
        assert!(silent.full.iter().all(|&onset| onset == 0.0));
    }

    #[test]
    fn levelling_lifts_a_quiet_passage() {
        let onsets: Vec<f32> = (0..2000)
            .map(|i| if i % 50 == 0 { 1.0 } else { 0.0 })
            .enumerate()
            .map(|(i, v)| if i < 1000 { v * 0.1 } else { v })
            .collect();
        let levelled = levelled(&onsets);
        let ratio = levelled[1500] / levelled[300];
        assert!(ratio < 5.0, "{ratio}");
    }
}
