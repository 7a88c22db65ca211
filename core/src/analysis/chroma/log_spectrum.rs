//! The spectrum on a pitch scale: three bins a semitone, aligned with the recording's own tuning.

use super::spectrum::{BIN_HZ, HOP, WINDOW};
use super::tuning::midi_from_hz;
use crate::analysis::dsp::Stft;
use crate::control::{Cancelled, Control};

pub(super) const BINS_PER_SEMITONE: usize = 3;

/// C1, 32.7 Hz: the bottom of bass lines.
const LOWEST_MIDI: usize = 24;

/// G#7, 3.3 kHz: overtones above tell nothing more.
const HIGHEST_MIDI: usize = 104;

/// A third of a semitone beyond the outermost notes on either side.
pub(super) const BINS: usize = (HIGHEST_MIDI - LOWEST_MIDI) * BINS_PER_SEMITONE + 3;

/// The MIDI note, fractional, at the centre of `bin`.
pub(super) fn midi_of_bin(bin: usize) -> f32 {
    LOWEST_MIDI as f32 + (bin as f32 - 1.0) / BINS_PER_SEMITONE as f32
}

/// How Fourier bins add up to pitch bins.
pub(super) struct PitchBins(Vec<Kernel>);

struct Kernel {
    first: usize,
    weights: Vec<f32>,
}

impl PitchBins {
    /// `tuning`: semitones that the recording stands above A = 440 Hz.
    pub(super) fn new(tuning: f32) -> Self {
        Self((0..BINS).map(|bin| Kernel::new(bin, tuning)).collect())
    }
}

impl Kernel {
    /// A raised cosine around the bin's pitch, of constant power. Its half width is a third of a
    /// semitone, or the distance of Fourier bins where that is wider.
    fn new(bin: usize, tuning: f32) -> Self {
        let midi = midi_of_bin(bin);
        let hz = 440.0 * ((midi - 69.0 + tuning) / 12.0).exp2();
        let half_width = (1.0 / BINS_PER_SEMITONE as f32).max(12.0 * (1.0 + BIN_HZ / hz).log2());
        let weight = |fourier_bin: usize| {
            let away = (midi_from_hz(fourier_bin as f32 * BIN_HZ) - tuning - midi) / half_width;
            if away.abs() < 1.0 {
                0.5 + 0.5 * (std::f32::consts::PI * away).cos()
            } else {
                0.0
            }
        };
        let first = (1..WINDOW / 2)
            .find(|&fourier_bin| weight(fourier_bin) > 0.0)
            .unwrap_or(1);
        let mut weights: Vec<f32> = (first..WINDOW / 2)
            .map(weight)
            .take_while(|&weight| weight > 0.0)
            .collect();
        let norm = weights.iter().sum::<f32>().sqrt();
        for weight in &mut weights {
            *weight /= norm;
        }
        Self { first, weights }
    }

    fn apply(&self, magnitudes: &[f32]) -> f32 {
        self.weights
            .iter()
            .zip(magnitudes.get(self.first..).unwrap_or_default())
            .map(|(weight, magnitude)| weight * magnitude)
            .sum()
    }
}

/// Magnitudes by frame and pitch bin.
pub(super) struct LogSpectrum {
    values: Vec<f32>,
}

impl LogSpectrum {
    pub(super) fn of(
        sound: &[f32],
        pitch_bins: &PitchBins,
        control: &Control,
    ) -> Result<Self, Cancelled> {
        let stft = Stft::new(WINDOW, HOP);
        let mut values = Vec::with_capacity(stft.frames(sound.len()) * BINS);
        stft.magnitudes(sound, control, |_, magnitudes| {
            values.extend(pitch_bins.0.iter().map(|kernel| kernel.apply(magnitudes)));
        })?;
        Ok(Self { values })
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / BINS
    }

    pub(super) fn frames(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(BINS)
    }

    pub(super) fn frames_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(BINS)
    }

    /// `None` past the end.
    pub(super) fn frame(&self, index: usize) -> Option<&[f32]> {
        self.values.get(index * BINS..(index + 1) * BINS)
    }

    /// `None` past the end.
    pub(super) fn frame_mut(&mut self, index: usize) -> Option<&mut [f32]> {
        self.values.get_mut(index * BINS..(index + 1) * BINS)
    }
}
