//! Where exactly an onset is: the energy envelope at one millisecond, searched around a rough time.

use super::onsets::FPS;
use crate::analysis::{RATE, dsp};
use std::f64::consts::PI;

/// Samples per envelope step: 1 ms at 44.1 kHz.
const STEP: usize = 44;
/// Seconds per envelope step.
const STEP_SECS: f64 = STEP as f64 / RATE as f64;
/// Below this lies rumble, not attack.
const HIGH_PASS_HZ: f64 = 35.0;
/// Above this a kick's click and every hat stand out from a busy bass line.
const CLICK_HIGH_PASS_HZ: f64 = 1500.0;
/// A rise compares the mean of 10 steps (10 ms) before and after.
const RISE_STEPS: usize = 10;
/// Smaller rises, in dB, are texture.
const LEAST_RISE_DB: f32 = 4.0;
/// The attack begins where the envelope has gone this share of the way up.
const ATTACK_SHARE: f32 = 0.3;
/// How far a rough time may be off, in seconds.
pub(super) const REACH: f64 = 0.03;

/// Energy in dB, one value a millisecond.
#[derive(Debug)]
pub(super) struct Envelope {
    full: Vec<f32>,
    /// Only what is brighter than bass and voice.
    bright: Vec<f32>,
}

/// An onset, to about a millisecond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FineOnset {
    /// Seconds from the start.
    pub(super) at: f64,
    /// Rise of the level, dB.
    pub(super) rise: f64,
}

/// An onset of the track with the weight it has for the beat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event {
    pub(super) at: f64,
    pub(super) weight: f64,
}

impl Envelope {
    pub(super) fn new(mono: &[f32]) -> Self {
        Self {
            full: levels(mono, HIGH_PASS_HZ),
            bright: levels(mono, CLICK_HIGH_PASS_HZ),
        }
    }

    /// The steepest sustained rise within `reach` seconds of `near`: of the whole sound, else of its
    /// bright part.
    pub(super) fn onset_near(&self, near: f64, reach: f64) -> Option<FineOnset> {
        rise_near(&self.full, near, reach).or_else(|| rise_near(&self.bright, near, reach))
    }

    /// First and last second that are within `range` dB of the loudest.
    pub(super) fn sounding(&self, range: f32) -> Option<(f64, f64)> {
        let peak = self.full.iter().copied().fold(f32::MIN, f32::max);
        let first = self.full.iter().position(|&level| level > peak - range)?;
        let last = self.full.iter().rposition(|&level| level > peak - range)?;
        Some((first as f64 * STEP_SECS, (last + 1) as f64 * STEP_SECS))
    }
}

/// Energy above `high_pass` Hz, dB, one value a step.
fn levels(mono: &[f32], high_pass: f64) -> Vec<f32> {
    let mut filter = HighPass::new(high_pass);
    let level = |step: &[f32]| {
        let energy: f64 = step
            .iter()
            .map(|&x| filter.next(f64::from(x)).powi(2))
            .sum();
        (10.0 * (energy / STEP as f64 + 1e-7).log10()) as f32
    };
    mono.chunks_exact(STEP).map(level).collect()
}

/// The steepest sustained rise of one envelope.
fn rise_near(envelope: &[f32], near: f64, reach: f64) -> Option<FineOnset> {
    let margin = RISE_STEPS as f64 + 2.0;
    let from = ((near - reach) / STEP_SECS - margin).floor();
    let to = ((near + reach) / STEP_SECS + margin).ceil();
    if from < 0.0 || to > envelope.len() as f64 {
        return None;
    }
    let (from, to) = (from as usize, to as usize);
    let window = &envelope[from..to];
    let (mut steepest, mut rise, mut floor) = (0, f32::MIN, 0.0);
    let mean = |steps: &[f32]| steps.iter().sum::<f32>() / RISE_STEPS as f32;
    for (index, around) in window.windows(2 * RISE_STEPS).enumerate() {
        let (before, after) = around.split_at(RISE_STEPS);
        let (before, after) = (mean(before), mean(after));
        if after - before > rise {
            (steepest, rise, floor) = (index + RISE_STEPS, after - before, before);
        }
    }
    if rise < LEAST_RISE_DB {
        return None;
    }
    let top = window[steepest..(steepest + RISE_STEPS).min(window.len())]
        .iter()
        .copied()
        .fold(f32::MIN, f32::max);
    let threshold = floor + ATTACK_SHARE * (top - floor);
    let at = (from as f64 + crossing(window, threshold, steepest)) * STEP_SECS;
    ((at - near).abs() <= reach).then_some(FineOnset {
        at,
        rise: f64::from(rise),
    })
}

/// Fractional step near `steepest` at which the envelope first exceeds `threshold`.
fn crossing(window: &[f32], threshold: f32, steepest: usize) -> f64 {
    let first = steepest.saturating_sub(4).max(1);
    let last = (steepest + 6).min(window.len() - 1);
    let step = (first..last)
        .find(|&step| window[step] >= threshold)
        .unwrap_or(last);
    let (before, after) = (window[step - 1], window[step]);
    let share = if after > before {
        f64::from((threshold - before) / (after - before)).clamp(0.0, 1.0)
    } else {
        0.0
    };
    // A step's energy is centred half a step after its start; one step is lost to the ramp.
    (step - 1) as f64 + share
}

/// Every clear onset of the track, weighted for the beat by the rough strength `combined` at 100 Hz.
pub(super) fn events(envelope: &Envelope, combined: &[f32]) -> Vec<Event> {
    const LEAST_STRENGTH: f32 = 0.6; // of the local level
    const MOST_WEIGHT: f64 = 2.5;
    const DISTANCE: usize = 6; // frames: closer ones are one event
    dsp::peaks(combined, DISTANCE)
        .into_iter()
        .filter(|&frame| combined[frame] >= LEAST_STRENGTH)
        .filter_map(|frame| {
            let near = dsp::refine_peak(combined, frame) / FPS;
            let onset = envelope.onset_near(near, REACH)?;
            Some(Event {
                at: onset.at,
                weight: f64::from(combined[frame]).min(MOST_WEIGHT),
            })
        })
        .collect()
}

/// Second-order Butterworth high-pass (bilinear transform).
struct HighPass {
    gain: f64,
    a1: f64,
    a2: f64,
    z1: f64,
    z2: f64,
}

impl HighPass {
    fn new(hz: f64) -> Self {
        let k = (PI * hz / f64::from(RATE)).tan();
        let norm = 1.0 / (1.0 + 2.0_f64.sqrt() * k + k * k);
        Self {
            gain: norm,
            a1: 2.0 * (k * k - 1.0) * norm,
            a2: (1.0 - 2.0_f64.sqrt() * k + k * k) * norm,
            z1: 0.0,
            z2: 0.0,
        }
    }

    /// Transposed direct form II; the numerator is `gain * (1 - 2 z^-1 + z^-2)`.
    fn next(&mut self, input: f64) -> f64 {
        let scaled = self.gain * input;
        let output = scaled + self.z1;
        self.z1 = self.z2 - 2.0 * scaled - self.a1 * output;
        self.z2 = scaled - self.a2 * output;
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_is_found_within_two_milliseconds() {
        let truth = 0.7345;
        let mono: Vec<f32> = (0..88_200)
            .map(|i| f64::from(i) / f64::from(RATE) - truth)
            .map(|t| {
                if t < 0.0 {
                    0.0
                } else {
                    (-t * 20.0).exp() * (t * 900.0).sin()
                }
            })
            .map(|x| x as f32)
            .collect();
        let envelope = Envelope::new(&mono);
        for off in [-0.025, 0.0, 0.025] {
            let onset = envelope.onset_near(truth + off, REACH).unwrap();
            assert!((onset.at - truth).abs() < 0.002, "{off}: {}", onset.at);
        }
        assert_eq!(envelope.onset_near(1.5, REACH), None);
        assert_eq!(envelope.onset_near(0.0, REACH), None);
        assert_eq!(envelope.onset_near(99.0, REACH), None);
    }

    #[test]
    fn the_high_pass_stops_dc_and_passes_a_kick() {
        let mut filter = HighPass::new(35.0);
        let end = (0..44_100).map(|_| filter.next(1.0)).last().unwrap();
        assert!(end.abs() < 1e-6, "{end}");
        let mut filter = HighPass::new(35.0);
        let peak = (0..44_100)
            .map(|i| (f64::from(i) * 200.0 / 44_100.0 * 2.0 * PI).sin())
            .map(|x| filter.next(x))
            .skip(22_050)
            .fold(0.0, f64::max);
        assert!((peak - 1.0).abs() < 0.02, "{peak}");
    }
}
