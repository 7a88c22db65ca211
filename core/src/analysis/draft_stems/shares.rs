//! Which share of a bin is whose.

use super::Weights;
use super::spectra::{BINS, Frame, SIZE};
use crate::analysis::RATE;
use crate::analysis::dsp::RunningMedian;
use std::collections::VecDeque;

/// Frames on either side that tell a tone from a blow: 23 frames are half a second.
const SHORT: usize = 11;
/// Frames on either side that tell what stays from what moves: 91 frames are two seconds, a bar or so.
pub(super) const REACH: usize = 45;
/// Bins on either side: 31 bins are 330 Hz.
const ACROSS: usize = 15;
/// Bass fades out between these, in Hz.
const BASS_EDGE: (f32, f32) = (180.0, 320.0);
/// Below this a blow is what rises above what holds between blows: across frequency there is no room to tell, in Hz.
const LOW_EDGE: f32 = 150.0;
/// What holds between blows that come every beat is told by the quieter frames, not by the middle one.
const BETWEEN_BLOWS: f32 = 0.25;
/// Vocals lie between these, in Hz, and fade out over a quarter below and above.
const VOCAL_RANGE: (f32, f32) = (200.0, 9_000.0);
/// How alike both sides are for something in the middle: not at all, fully.
const MIDDLE: (f32, f32) = (0.7, 1.0);

/// Weighs frame after frame. It hears each frame [`REACH`] frames before it weighs it.
#[derive(Debug)]
pub(super) struct Shares {
    short: Vec<RunningMedian<{ 2 * SHORT + 2 }>>,
    long: Vec<RunningMedian<{ 2 * REACH + 2 }>>,
    /// Magnitudes that are in the long windows, oldest first.
    heard: VecDeque<Vec<f32>>,
    /// The number of the oldest of them.
    oldest: usize,
    /// Frames that have entered the short windows.
    entered: usize,
    weighed: usize,
    across: Vec<f32>,
    weights: Weights,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            short: vec![RunningMedian::default(); BINS],
            long: vec![RunningMedian::default(); BINS],
            heard: VecDeque::new(),
            oldest: 0,
            entered: 0,
            weighed: 0,
            across: vec![0.0; BINS],
            weights: [0, 1, 2].map(|_| vec![0.0; BINS]),
        }
    }
}

impl Shares {
    /// The next frame enters the windows.
    pub(super) fn hear(&mut self, frame: &Frame) {
        for (window, &value) in self.long.iter_mut().zip(&frame.magnitude) {
            window.insert(value);
        }
        self.heard.push_back(frame.magnitude.clone());
    }

    /// The weights of the next frame in turn.
    pub(super) fn of(&mut self, frame: &Frame) -> &Weights {
        self.move_windows();
        medians_across(&frame.magnitude, &mut self.across);
        let [left, right] = &frame.sides;
        let [drums, bass, vocals] = &mut self.weights;
        for bin in 0..BINS {
            let hz = bin as f32 * RATE as f32 / SIZE as f32;
            let whole = frame.magnitude[bin];
            let (tone, blow) = if hz < LOW_EDGE {
                let tone = self.short[bin].quantile(BETWEEN_BLOWS);
                (tone, (whole - tone).max(0.0))
            } else {
                (self.short[bin].median(), self.across[bin])
            };
            let percussive = share(blow * blow, tone * tone);
            let harmonic = 1.0 - percussive;
            let low = fade(hz, BASS_EDGE.1, BASS_EDGE.0);
            let cross = (left[bin] * right[bin].conj()).re;
            let alike = 2.0 * cross / (whole * whole + f32::MIN_POSITIVE);
            let steady = self.long[bin].median().min(whole) / (whole + f32::MIN_POSITIVE);
            let sung = fade(alike, MIDDLE.0, MIDDLE.1)
                * fade(hz, VOCAL_RANGE.0 * 0.75, VOCAL_RANGE.0)
                * fade(hz, VOCAL_RANGE.1 * 1.25, VOCAL_RANGE.1)
                * (1.0 - steady * steady);
            drums[bin] = percussive;
            bass[bin] = harmonic * low;
            vocals[bin] = harmonic * (1.0 - low) * sung;
        }
        &self.weights
    }

    /// Brings the windows to the next frame: what is too far behind leaves, what has come near enters the short ones.
    fn move_windows(&mut self) {
        let now = self.weighed;
        self.weighed += 1;
        while self.entered <= now + SHORT {
            if let Some(coming) = self.heard.get(self.entered - self.oldest) {
                for (window, &value) in self.short.iter_mut().zip(coming) {
                    window.insert(value);
                }
            }
            self.entered += 1;
        }
        if let Some(past) = now.checked_sub(SHORT + 1)
            && let Some(leaving) = self.heard.get(past - self.oldest)
        {
            for (window, &value) in self.short.iter_mut().zip(leaving) {
                window.remove(value);
            }
        }
        if now > REACH
            && let Some(leaving) = self.heard.pop_front()
        {
            for (window, &value) in self.long.iter_mut().zip(&leaving) {
                window.remove(value);
            }
            self.oldest += 1;
        }
    }
}

/// The share of `one` beside `other`, both powers.
fn share(one: f32, other: f32) -> f32 {
    one / (one + other + f32::MIN_POSITIVE)
}

/// 0 at `from`, 1 at `to`, a straight line between; `from` may be the higher.
fn fade(value: f32, from: f32, to: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

fn medians_across(frame: &[f32], medians: &mut [f32]) {
    let mut window = RunningMedian::<{ 2 * ACROSS + 2 }>::default();
    for &value in frame.iter().take(ACROSS) {
        window.insert(value);
    }
    for (bin, median) in medians.iter_mut().enumerate() {
        if let Some(&coming) = frame.get(bin + ACROSS) {
            window.insert(coming);
        }
        if bin > ACROSS {
            window.remove(frame[bin - ACROSS - 1]);
        }
        *median = window.median();
    }
}
