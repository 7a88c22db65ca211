//! A stretch of stereo sound at one fixed rate, and the small numbers that voices share.

use std::f64::consts::{FRAC_PI_4, TAU};

/// Frames per second of everything the composer makes.
pub const RATE: u32 = 44_100;

/// Length of one frame in seconds.
pub(crate) const STEP: f64 = 1.0 / RATE as f64;

/// The frame nearest to a time in seconds.
pub fn frame_at(secs: f64) -> usize {
    (secs * f64::from(RATE)).round().max(0.0) as usize
}

/// Sound of a fixed length. What is written past its end is dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Stereo(pub Vec<[f32; 2]>);

impl Stereo {
    pub fn silent(frames: usize) -> Self {
        Self(vec![[0.0; 2]; frames])
    }

    pub fn secs(&self) -> f64 {
        self.0.len() as f64 * STEP
    }

    /// Adds what `sample` gives for `secs` seconds from `at`; it is told the seconds since `at`.
    pub(crate) fn play(&mut self, at: f64, secs: f64, mut sample: impl FnMut(f64) -> [f64; 2]) {
        let start = frame_at(at);
        let Some(place) = self.0.get_mut(start..) else {
            return;
        };
        for (index, frame) in place.iter_mut().take(frame_at(secs)).enumerate() {
            let [left, right] = sample(index as f64 * STEP);
            frame[0] += left as f32;
            frame[1] += right as f32;
        }
    }

    pub(crate) fn mix(&mut self, other: &Self, gain: f64) {
        for (frame, add) in self.0.iter_mut().zip(&other.0) {
            frame[0] += add[0] * gain as f32;
            frame[1] += add[1] * gain as f32;
        }
    }

    /// Replaces every frame by what `change` makes of it and of its time in seconds.
    pub(crate) fn change(&mut self, mut change: impl FnMut(f64, [f64; 2]) -> [f64; 2]) {
        for (index, frame) in self.0.iter_mut().enumerate() {
            let [left, right] = change(index as f64 * STEP, frame.map(f64::from));
            *frame = [left as f32, right as f32];
        }
    }
}

/// Hertz of a MIDI note number; 69 is A at 440 Hz.
pub(crate) fn hz(midi: f64) -> f64 {
    440.0 * ((midi - 69.0) / 12.0).exp2()
}

/// Places a mono sample at equal power; -1 is left, 1 is right.
pub(crate) fn pan(sample: f64, place: f64) -> [f64; 2] {
    let angle = (place + 1.0) * FRAC_PI_4;
    [sample * angle.cos(), sample * angle.sin()]
}

/// A sine of `turns` full circles.
pub(crate) fn sine(turns: f64) -> f64 {
    (turns.fract() * TAU).sin()
}
