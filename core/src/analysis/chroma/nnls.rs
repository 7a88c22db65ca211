//! Approximate transcription: the notes whose overtones add up to a frame.
//!
//! Non-negative least squares over a dictionary of idealised notes (Mauch & Dixon 2010), solved by
//! multiplicative updates (Lee & Seung, "Algorithms for non-negative matrix factorization",
//! NIPS 2000, with the dictionary held fixed).

use super::log_spectrum::{BINS, BINS_PER_SEMITONE, LogSpectrum, midi_of_bin};
use crate::control::{Cancelled, Control};
use std::f32::consts::PI;

/// MIDI number of the lowest note of the dictionary, C1.
pub(super) const LOWEST_NOTE: usize = 24;

/// C1 to D#7.
pub(super) const NOTES: usize = 76;

const OVERTONES: usize = 8;

/// Each overtone is this much weaker than the one before: between strings and organ.
const OVERTONE_DECAY: f32 = 0.7;

/// Half the width of a partial, in bins: the main lobe of the window in the middle register.
const PARTIAL_REACH: f32 = 1.5;

/// Updates from a flat start. More of them sharpen the notes at the cost of weak chord tones.
const UPDATES: usize = 40;

/// Frames solved side by side: eight vector registers of eight lanes.
const LANES: usize = 64;

/// Keeps divisions finite.
const TINY: f32 = 1e-9;

type Lanes = [f32; LANES];

/// Strength of each note in every frame; all zero where not `audible`.
pub(super) fn transcribe(
    spectrum: &LogSpectrum,
    audible: impl Fn(usize) -> bool,
    control: &Control,
) -> Result<Vec<[f32; NOTES]>, Cancelled> {
    let dictionary = Dictionary::new();
    let mut notes = vec![[0.0; NOTES]; spectrum.len()];
    let audible: Vec<usize> = (0..spectrum.len())
        .filter(|&frame| audible(frame))
        .collect();
    for group in audible.chunks(LANES) {
        control.check()?;
        let mut bins = vec![[0.0; LANES]; BINS];
        for (lane, &frame) in group.iter().enumerate() {
            for (row, value) in bins
                .iter_mut()
                .zip(spectrum.frame(frame).unwrap_or_default())
            {
                row[lane] = *value;
            }
        }
        let solved = pulp::Arch::new().dispatch(|| dictionary.solve(&bins));
        for (lane, &frame) in group.iter().enumerate() {
            notes[frame] = std::array::from_fn(|note| solved[note][lane]);
        }
    }
    Ok(notes)
}

struct Dictionary {
    /// Each note's spectrum, of norm 1.
    notes: Vec<[f32; BINS]>,
    /// Inner products of all notes.
    gram: Vec<[f32; NOTES]>,
}

impl Dictionary {
    fn new() -> Self {
        let notes: Vec<_> = (0..NOTES)
            .map(|note| spectrum_of(LOWEST_NOTE + note))
            .collect();
        let gram = notes
            .iter()
            .map(|a| std::array::from_fn(|b| dot(a, &notes[b])))
            .collect();
        Self { notes, gram }
    }

    #[expect(
        clippy::inline_always,
        reason = "only what is inlined into the dispatch is compiled for its vector registers"
    )]
    #[inline(always)]
    fn solve(&self, bins: &[Lanes]) -> Vec<Lanes> {
        let wanted: Vec<Lanes> = self.notes.iter().map(|note| combine(note, bins)).collect();
        let mut strengths = wanted.clone();
        for lanes in &mut strengths {
            for strength in lanes {
                *strength = strength.max(1e-6);
            }
        }
        for _ in 0..UPDATES {
            let explained: Vec<Lanes> = self
                .gram
                .iter()
                .map(|row| combine(row, &strengths))
                .collect();
            for ((strengths, wanted), explained) in
                strengths.iter_mut().zip(&wanted).zip(&explained)
            {
                for lane in 0..LANES {
                    strengths[lane] *= wanted[lane] / (explained[lane] + TINY);
                }
            }
        }
        strengths
    }
}

/// The sum of `rows`, each times its weight.
#[expect(
    clippy::inline_always,
    reason = "only what is inlined into the dispatch is compiled for its vector registers"
)]
#[inline(always)]
fn combine(weights: &[f32], rows: &[Lanes]) -> Lanes {
    let mut sum = [0.0; LANES];
    for (&weight, row) in weights.iter().zip(rows) {
        for lane in 0..LANES {
            sum[lane] += weight * row[lane];
        }
    }
    sum
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A note with overtones of geometrically falling strength, of norm 1.
fn spectrum_of(midi: usize) -> [f32; BINS] {
    let mut bins = [0.0; BINS];
    for overtone in 1..=OVERTONES {
        let pitch = midi as f32 + 12.0 * (overtone as f32).log2();
        let strength = OVERTONE_DECAY.powi(overtone as i32 - 1);
        for (bin, value) in bins.iter_mut().enumerate() {
            let away = (midi_of_bin(bin) - pitch).abs() * BINS_PER_SEMITONE as f32 / PARTIAL_REACH;
            if away < 1.0 {
                *value += strength * (0.5 + 0.5 * (PI * away).cos());
            }
        }
    }
    let norm = dot(&bins, &bins).sqrt();
    bins.map(|value| value / norm)
}
