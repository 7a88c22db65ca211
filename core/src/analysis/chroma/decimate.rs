//! From 44.1 kHz to a quarter of it: harmony needs nothing above 3.5 kHz.

use super::spectrum::SOUND_RATE;
use crate::analysis::RATE;
use crate::control::{Cancelled, Control};
use std::f64::consts::PI;

const FACTOR: usize = (RATE / SOUND_RATE) as usize;

/// Half the filter's length, in input samples. 53 taps are what Kaiser's formula asks for 80 dB of
/// rejection over a transition from 3.4 kHz (top of the analysis) to 7.6 kHz (what would alias
/// to 3.4 kHz).
const REACH: usize = 26;

/// Middle of the transition band, in cycles per input sample.
const CUTOFF: f64 = 5_500.0 / RATE as f64;

/// Shape of the Kaiser window for 80 dB: 0.1102 (80 - 8.7).
const KAISER_BETA: f64 = 7.857;

/// Far above full scale; keeps the squares of hostile floats finite.
const LARGEST_SAMPLE: f32 = 64.0;

/// Output samples between two looks at the control: about 1.5 s of sound.
const BLOCK: usize = 16_384;

/// Output sample `i` stands at the time of input sample `4 i`. What is not finite becomes silence.
pub(super) fn to_quarter_rate(mono: &[f32], control: &Control) -> Result<Vec<f32>, Cancelled> {
    let taps = low_pass();
    let mut sound = vec![0.0; mono.len().div_ceil(FACTOR)];
    let mut input = Vec::with_capacity(BLOCK * FACTOR + 2 * REACH);
    for (block, output) in sound.chunks_mut(BLOCK).enumerate() {
        control.check()?;
        gather(mono, block * BLOCK * FACTOR, output.len(), &mut input);
        pulp::Arch::new().dispatch(|| filter(&input, &taps, output));
    }
    Ok(sound)
}

/// Fills `input` with what `outputs` outputs from `start` on need, silence beyond the ends.
fn gather(mono: &[f32], start: usize, outputs: usize, input: &mut Vec<f32>) {
    input.clear();
    let end = start + outputs * FACTOR + REACH;
    input.resize(REACH.saturating_sub(start), 0.0);
    let inside = start.saturating_sub(REACH)..end.min(mono.len());
    input.extend(mono.get(inside).unwrap_or_default().iter().map(|&sample| {
        if sample.is_finite() {
            sample.clamp(-LARGEST_SAMPLE, LARGEST_SAMPLE)
        } else {
            0.0
        }
    }));
    input.resize(outputs * FACTOR + 2 * REACH, 0.0);
}

#[expect(
    clippy::inline_always,
    reason = "only what is inlined into the dispatch is compiled for its vector registers"
)]
#[inline(always)]
fn filter(input: &[f32], taps: &[f32; TAPS], output: &mut [f32]) {
    for (output, window) in output.iter_mut().zip(input.windows(TAPS).step_by(FACTOR)) {
        // Eight partial sums let the compiler use vector registers.
        let mut sums = [0.0_f32; 8];
        for (window, taps) in window.chunks_exact(8).zip(taps.chunks_exact(8)) {
            for lane in 0..8 {
                sums[lane] += window[lane] * taps[lane];
            }
        }
        *output = sums.iter().sum();
    }
}

/// `2 REACH + 1` rounded up to whole vectors; the last taps are zero.
const TAPS: usize = (2 * REACH + 1).next_multiple_of(8);

/// Windowed sinc (Kaiser 1974), unit gain at 0 Hz.
fn low_pass() -> [f32; TAPS] {
    let mut taps = [0.0_f64; TAPS];
    for (index, tap) in taps.iter_mut().enumerate().take(2 * REACH + 1) {
        let at = index as f64 - REACH as f64;
        let sinc = if at == 0.0 {
            2.0 * CUTOFF
        } else {
            (2.0 * PI * CUTOFF * at).sin() / (PI * at)
        };
        let edge = at / (REACH + 1) as f64;
        *tap = sinc * bessel_i0(KAISER_BETA * (1.0 - edge * edge).sqrt());
    }
    let gain: f64 = taps.iter().sum();
    taps.map(|tap| (tap / gain) as f32)
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / 2.0 / f64::from(k)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level of a sine of `hz` after decimation, relative to its own, in dB.
    fn gain_db(hz: f64) -> f64 {
        let mono: Vec<f32> = (0..44_100)
            .map(|i| (2.0 * PI * hz * f64::from(i) / f64::from(RATE)).sin() as f32)
            .collect();
        let sound = to_quarter_rate(&mono, &Control::default()).unwrap();
        let middle = &sound[2_000..9_000];
        let power = middle.iter().map(|x| f64::from(x * x)).sum::<f64>() / middle.len() as f64;
        10.0 * (2.0 * power).log10()
    }

    #[test]
    fn notes_pass_and_what_would_alias_onto_them_does_not() {
        for hz in [30.0, 440.0, 2_000.0, 3_300.0] {
            assert!(gain_db(hz).abs() < 0.1, "{hz} Hz: {} dB", gain_db(hz));
        }
        for hz in [7_700.0, 9_000.0, 11_025.0, 18_000.0] {
            assert!(gain_db(hz) < -75.0, "{hz} Hz: {} dB", gain_db(hz));
        }
    }

    #[test]
    fn an_impulse_keeps_its_time_across_block_borders() {
        for at in [0, 4_000, 4 * BLOCK, 4 * BLOCK + 8] {
            let mut mono = vec![0.0; 80_000];
            mono[at] = 1.0;
            let sound = to_quarter_rate(&mono, &Control::default()).unwrap();
            let peak = (0..sound.len()).max_by(|&a, &b| sound[a].total_cmp(&sound[b]));
            assert_eq!(peak, Some(at / FACTOR), "{at}");
        }
    }
}
