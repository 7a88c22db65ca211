//! The mix as short spectra of both sides, and weighed spectra as sound again.

use super::Weights;
use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

/// Samples in a frame: 93 ms, tones half a semitone apart from 220 Hz on.
pub(super) const SIZE: usize = 4096;
/// From one frame to the next: 23 ms.
pub(super) const HOP: usize = 1024;
/// Frames that reach each sample.
pub(super) const OVERLAP: usize = SIZE / HOP;
/// Bin `k` lies at `k · 44100 / 4096` Hz.
pub(super) const BINS: usize = SIZE / 2 + 1;

/// One frame.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) sides: [Vec<Complex32>; 2],
    /// Of both sides together.
    pub(super) magnitude: Vec<f32>,
}

/// Cuts and puts together. The window is the root of a Hann window both times: four of their squares sum to 2.
pub(super) struct Spectra {
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// The last [`SIZE`] samples of each side.
    recent: [Vec<f32>; 2],
    cut: Vec<f32>,
    weighed: Vec<Complex32>,
    scratch: Vec<Complex32>,
    spare: Vec<Frame>,
}

impl fmt::Debug for Spectra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spectra").finish_non_exhaustive()
    }
}

impl Default for Spectra {
    fn default() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(SIZE);
        let inverse = planner.plan_fft_inverse(SIZE);
        let longest = forward.get_scratch_len().max(inverse.get_scratch_len());
        let hann = |at: usize| 0.5 - 0.5 * (TAU * at as f64 / SIZE as f64).cos();
        Self {
            window: (0..SIZE).map(|at| hann(at).sqrt() as f32).collect(),
            recent: [vec![0.0; SIZE], vec![0.0; SIZE]],
            cut: vec![0.0; SIZE],
            weighed: vec![Complex32::default(); BINS],
            scratch: vec![Complex32::default(); longest],
            spare: Vec::new(),
            forward,
            inverse,
        }
    }
}

impl Spectra {
    /// The frame that ends with this hop.
    pub(super) fn next(&mut self, hop: &[f32]) -> Frame {
        let mut frame = self.spare.pop().unwrap_or_default();
        frame.magnitude.clear();
        frame.magnitude.resize(BINS, 0.0);
        for (side, (recent, spectrum)) in self.recent.iter_mut().zip(&mut frame.sides).enumerate() {
            recent.copy_within(HOP.., 0);
            for (to, pair) in recent[SIZE - HOP..].iter_mut().zip(hop.chunks_exact(2)) {
                *to = pair[side];
            }
            for ((cut, sample), weight) in self.cut.iter_mut().zip(&*recent).zip(&self.window) {
                *cut = sample * weight;
            }
            spectrum.resize(BINS, Complex32::default());
            let done =
                self.forward
                    .process_with_scratch(&mut self.cut, spectrum, &mut self.scratch);
            if done.is_err() {
                spectrum.fill(Complex32::default()); // lengths come from the plan: not reached
            }
            for (magnitude, bin) in frame.magnitude.iter_mut().zip(&*spectrum) {
                *magnitude += bin.norm_sqr();
            }
        }
        for magnitude in &mut frame.magnitude {
            *magnitude = magnitude.sqrt();
        }
        frame
    }

    /// Adds a frame's part of each stem to what sounds at its time.
    pub(super) fn voices(&mut self, frame: &Frame, weights: &Weights, voices: &mut Voices) {
        // The transforms together are SIZE times too loud, the windows twice.
        let scale = 0.5 / SIZE as f32;
        for (weights, voice) in weights.iter().zip(&mut voices.0) {
            for (spectrum, sum) in frame.sides.iter().zip(voice) {
                for ((to, bin), weight) in self.weighed.iter_mut().zip(spectrum).zip(weights) {
                    *to = bin * (weight * scale);
                }
                // Real sound has none at both ends.
                for end in [0, BINS - 1] {
                    self.weighed[end].im = 0.0;
                }
                let done = self.inverse.process_with_scratch(
                    &mut self.weighed,
                    &mut self.cut,
                    &mut self.scratch,
                );
                if done.is_err() {
                    self.cut.fill(0.0); // as above
                }
                for ((sum, sample), weight) in sum.iter_mut().zip(&self.cut).zip(&self.window) {
                    *sum += sample * weight;
                }
            }
        }
    }

    /// A frame whose memory the next may have.
    pub(super) fn recycle(&mut self, frame: Frame) {
        self.spare.push(frame);
    }
}

/// Drums, bass and vocals of both sides, from the oldest sample that is not complete on.
#[derive(Debug)]
pub(super) struct Voices([[Vec<f32>; 2]; 3]);

impl Default for Voices {
    fn default() -> Self {
        let silent = || [vec![0.0; SIZE], vec![0.0; SIZE]];
        Self([silent(), silent(), silent()])
    }
}

impl Voices {
    /// Replaces each of `out` by its oldest hop, interleaved, and moves on.
    pub(super) fn take(&mut self, out: [&mut Vec<f32>; 3]) {
        for (out, [left, right]) in out.into_iter().zip(&self.0) {
            out.clear();
            let both = left.iter().zip(right).take(HOP);
            out.extend(both.flat_map(|(left, right)| [left, right]));
        }
        self.step();
    }

    /// The next frame lies a hop later.
    pub(super) fn step(&mut self) {
        for side in self.0.iter_mut().flatten() {
            side.copy_within(HOP.., 0);
            side[SIZE - HOP..].fill(0.0);
        }
    }
}
