//! Which notes sound when: tuned, percussion-free treble and bass chroma.
//!
//! The method is that of NNLS chroma (Mauch & Dixon, "Approximate note transcription for the
//! improved identification of difficult chords", ISMIR 2010), with percussion removed first by
//! median filtering (Fitzgerald, "Harmonic/percussive separation using median filtering", 2010). The implementation is our own.

mod decimate;
mod log_spectrum;
mod nnls;
mod percussion;
mod spectrum;
mod tuning;
mod whitening;

use super::dsp;
use crate::control::{Cancelled, Control};
use log_spectrum::{LogSpectrum, PitchBins};
use nnls::{LOWEST_NOTE, NOTES};

/// Twelve pitch classes (C first) in two registers, at an even frame rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Chromagram {
    /// Frames per second; frame `i` is centred at `i / frame_rate` seconds.
    pub frame_rate: f64,
    pub treble: Vec<[f32; 12]>,
    pub bass: Vec<[f32; 12]>,
    /// Loudness of each frame relative to the loud parts of the track (95th percentile = 1).
    pub level: Vec<f32>,
    /// Concert pitch of the recording.
    pub tuning_hz: f64,
}

/// Frames quieter than this share of the loud parts hold no notes: -34 dB, below reverb tails.
const AUDIBLE_LEVEL: f32 = 0.02;

/// The chroma of `mono` (44.1 kHz). Samples that are not finite count as silence.
pub fn chromagram(mono: &[f32], control: &Control) -> Result<Chromagram, Cancelled> {
    let sound = decimate::to_quarter_rate(mono, control)?;
    let tuning = tuning::semitones_from_a440(&sound, control)?;
    let mut spectrum = LogSpectrum::of(&sound, &PitchBins::new(tuning), control)?;
    percussion::remove(&mut spectrum, control)?;
    let level = levels(&spectrum);
    whitening::whiten(&mut spectrum);
    let notes = nnls::transcribe(&spectrum, |frame| level[frame] > AUDIBLE_LEVEL, control)?;
    let treble = Register::treble();
    let bass = Register::bass();
    Ok(Chromagram {
        frame_rate: spectrum::FRAME_RATE,
        treble: notes.iter().map(|notes| treble.fold(notes)).collect(),
        bass: notes.iter().map(|notes| bass.fold(notes)).collect(),
        level,
        tuning_hz: 440.0 * (f64::from(tuning) / 12.0).exp2(),
    })
}

/// Loudness of each frame, the 95th percentile being 1; all zero in silence.
fn levels(spectrum: &LogSpectrum) -> Vec<f32> {
    let mut levels: Vec<f32> = spectrum
        .frames()
        .map(|bins| bins.iter().map(|bin| bin * bin).sum::<f32>().sqrt())
        .collect();
    let loud = dsp::quantile(&levels, 0.95);
    for level in &mut levels {
        *level = if loud > SILENCE { *level / loud } else { 0.0 };
    }
    levels
}

/// A track whose loud parts stay below this spectral norm is digital silence or dither:
/// one full-scale sine gives about 10^3.
const SILENCE: f32 = 1e-2;

/// How much each note counts towards one register's chroma.
struct Register([f32; NOTES]);

impl Register {
    /// Chords: from C3 with a fade-in of 8 semitones, fading out over the octave below G#6.
    fn treble() -> Self {
        Self::fade(48.0, 8.0, 92.0, 14.0)
    }

    /// Bass lines: from C1 to a fade-out below G#3.
    fn bass() -> Self {
        Self::fade(23.0, 3.0, 56.0, 10.0)
    }

    /// Rises from MIDI note `from` over `rise` semitones, falls to nothing at `to` over `fall`.
    fn fade(from: f32, rise: f32, to: f32, fall: f32) -> Self {
        Self(std::array::from_fn(|note| {
            let midi = (LOWEST_NOTE + note) as f32;
            ((midi - from) / rise).clamp(0.0, 1.0) * ((to - midi) / fall).clamp(0.0, 1.0)
        }))
    }

    fn fold(&self, notes: &[f32; NOTES]) -> [f32; 12] {
        let mut chroma = [0.0; 12];
        for (note, (strength, weight)) in notes.iter().zip(&self.0).enumerate() {
            chroma[(LOWEST_NOTE + note) % 12] += strength * weight;
        }
        chroma
    }
}

#[cfg(test)]
mod tests;
