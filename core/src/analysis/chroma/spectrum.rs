//! Short-time Fourier magnitudes of the decimated sound.

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
use std::f32::consts::TAU;
use std::sync::Arc;

/// Samples per second after decimation.
pub(super) const SOUND_RATE: u32 = 11_025;

/// 0.37 s: long enough to tell semitones apart from about 180 Hz up; below, overtones decide.
pub(super) const WINDOW: usize = 4_096;

/// 46 ms between frames.
pub(super) const HOP: usize = 512;

pub(super) const FRAME_RATE: f64 = SOUND_RATE as f64 / HOP as f64;

/// Hz between two bins of the spectrum.
pub(super) const BIN_HZ: f32 = SOUND_RATE as f32 / WINDOW as f32;

/// Frames that `samples` samples of sound give.
pub(super) fn frame_count(samples: usize) -> usize {
    samples.div_ceil(HOP)
}

/// A Hann-windowed Fourier transform with its working memory.
pub(super) struct Stft {
    transform: Arc<dyn RealToComplex<f32>>,
    hann: Vec<f32>,
    input: Vec<f32>,
    output: Vec<Complex32>,
    scratch: Vec<Complex32>,
    magnitudes: Vec<f32>,
}

impl Stft {
    pub(super) fn new() -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(WINDOW);
        Self {
            hann: (0..WINDOW)
                .map(|i| 0.5 - 0.5 * (TAU * i as f32 / WINDOW as f32).cos())
                .collect(),
            input: transform.make_input_vec(),
            output: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            magnitudes: vec![0.0; WINDOW / 2 + 1],
            transform,
        }
    }

    /// Magnitudes of the window centred on sample `frame * HOP`; beyond the ends is silence.
    pub(super) fn magnitudes(&mut self, sound: &[f32], frame: usize) -> &[f32] {
        let centre = frame * HOP;
        let before = (WINDOW / 2).saturating_sub(centre);
        let inside = sound
            .get(centre.saturating_sub(WINDOW / 2)..)
            .unwrap_or_default();
        self.input.fill(0.0);
        for ((input, sample), hann) in self.input[before..]
            .iter_mut()
            .zip(inside)
            .zip(&self.hann[before..])
        {
            *input = sample * hann;
        }
        let done = self.transform.process_with_scratch(
            &mut self.input,
            &mut self.output,
            &mut self.scratch,
        );
        assert!(done.is_ok(), "buffers come from the transform itself");
        for (magnitude, bin) in self.magnitudes.iter_mut().zip(&self.output) {
            *magnitude = (bin.re * bin.re + bin.im * bin.im).sqrt();
        }
        &self.magnitudes
    }
}
