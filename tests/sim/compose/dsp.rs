//! The parts instruments are built of: noise, oscillators, a filter, an envelope.

use super::stereo::STEP;
use std::f64::consts::PI;

/// A seeded stream of numbers (the `SplitMix64` generator), the same on every run.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Evenly between -1 and 1.
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// A sawtooth whose step is rounded off over one sample, so that it hardly aliases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saw {
    phase: f64,
}

impl Saw {
    /// `phase` is where in its cycle it starts, 0 to 1.
    pub(crate) fn new(phase: f64) -> Self {
        Self {
            phase: phase.rem_euclid(1.0),
        }
    }

    pub(crate) fn next(&mut self, hz: f64) -> f64 {
        let step = hz * STEP;
        let out = 2.0 * self.phase - 1.0 - rounding(self.phase, step);
        self.phase = (self.phase + step).fract();
        out
    }

    /// The same cycle read as a square wave.
    pub(crate) fn next_square(&mut self, hz: f64) -> f64 {
        let step = hz * STEP;
        let half_on = (self.phase + 0.5).fract();
        let level = if self.phase < 0.5 { 1.0 } else { -1.0 };
        let out = level + rounding(self.phase, step) - rounding(half_on, step);
        self.phase = (self.phase + step).fract();
        out
    }
}

/// The difference between a sharp unit step at phase 0 and its two-sample polynomial rounding.
fn rounding(phase: f64, step: f64) -> f64 {
    if phase < step {
        let x = phase / step;
        2.0 * x - x * x - 1.0
    } else if phase > 1.0 - step {
        let x = (phase - 1.0) / step;
        x * x + 2.0 * x + 1.0
    } else {
        0.0
    }
}

/// What a filter lets through below, around and above its corner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bands {
    pub(crate) low: f64,
    pub(crate) band: f64,
    pub(crate) high: f64,
}

/// A two-pole state variable filter in trapezoidal form: stable while its corner moves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filter {
    first: f64,
    second: f64,
}

impl Filter {
    /// `q` is the resonance: 0.7 is flat. The band output has gain 1 at its centre.
    pub(crate) fn next(&mut self, input: f64, corner_hz: f64, q: f64) -> Bands {
        let g = (PI * (corner_hz * STEP).clamp(0.000_1, 0.45)).tan();
        let damping = 1.0 / q;
        let scale = 1.0 / (1.0 + g * (g + damping));
        let high = (input - (damping + g) * self.first - self.second) * scale;
        let band = g * high + self.first;
        let low = g * band + self.second;
        self.first = g * high + band;
        self.second = g * band + low;
        Bands {
            low,
            band: band * damping,
            high,
        }
    }
}

/// Loudness over the life of a note, all times in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) attack: f64,
    pub(crate) decay: f64,
    /// Level held until the note ends, 0 to 1.
    pub(crate) sustain: f64,
    pub(crate) release: f64,
}

impl Envelope {
    /// Level at `t` for a note that is let go at `held`.
    pub(crate) fn at(self, t: f64, held: f64) -> f64 {
        let level = self.while_held(t.min(held));
        if t <= held {
            level
        } else {
            let left = 1.0 - (t - held) / self.release;
            level * left.max(0.0).powi(2)
        }
    }

    fn while_held(self, t: f64) -> f64 {
        if t < self.attack {
            return t / self.attack;
        }
        let fallen = (-(t - self.attack) / self.decay).exp();
        self.sustain + (1.0 - self.sustain) * fallen
    }
}
