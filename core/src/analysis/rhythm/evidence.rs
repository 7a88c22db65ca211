//! Everything the rhythm analysis hears in a track, measured once and then only read.

use super::fine_onsets::{self, Envelope, Event};
use super::harmonic_change;
use super::onsets::{self, OnsetBands};
use super::tempo::{self, Candidate};
use super::tracking::Observations;
use crate::analysis::chroma::Chromagram;
use crate::analysis::{RATE, dsp};
use crate::control::{Cancelled, Control};

/// Weights of low, snare, full and high onsets in the beat activation: kick and snare lead.
const ACTIVATION_MIX: [f32; 4] = [1.0, 0.8, 0.8, 0.15];
/// Activations above this quantile are certain beats …
const CERTAIN_QUANTILE: f64 = 0.98;
/// … as certain as this.
const CERTAINTY: f32 = 0.85;
/// Weights of low, snare, full and high onsets for the weight of an event.
const EVENT_MIX: [f32; 4] = [1.0, 0.7, 0.5, 0.15];
/// A pattern cell hears onsets up to this many frames away.
const CELL_RADIUS: usize = 2;

/// What is heard in a track.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Seconds.
    pub(super) length: f64,
    pub(super) bands: OnsetBands,
    /// Levelled onsets of kick, snare and hats.
    pub(super) drums: [Vec<f32>; 3],
    /// The same, widened for looking up in pattern cells.
    pub(super) cells: [Vec<f32>; 3],
    /// How much each frame sounds like a beat, 0 to 1.
    pub(super) activation: Vec<f32>,
    /// The same as the beat model reads it.
    pub(super) heard: Observations,
    /// Empty without chroma.
    pub(super) harmonic_change: Vec<f32>,
    pub(super) envelope: Envelope,
    pub(super) events: Vec<Event>,
    pub(super) candidates: Vec<Candidate>,
}

impl Evidence {
    pub(super) fn hear(
        mono: &[f32],
        chroma: &Chromagram,
        control: &Control,
    ) -> Result<Self, Cancelled> {
        let bands = onsets::onset_bands(mono, control)?;
        let drums = [&bands.low, &bands.snare, &bands.high].map(|band| onsets::levelled(band));
        let full = onsets::levelled(&bands.full);
        let [low, snare, high] = &drums;
        let registers = [low.as_slice(), snare, &full, high];
        let activation = activation(&mixed(&registers, ACTIVATION_MIX));
        control.check()?;
        let envelope = Envelope::new(mono);
        control.check()?;
        let events = fine_onsets::events(&envelope, &mixed(&registers, EVENT_MIX));
        let candidates = tempo::candidates(&[(low, 1.0), (snare, 1.0), (&full, 1.0), (high, 0.5)]);
        control.check()?;
        Ok(Self {
            length: mono.len() as f64 / f64::from(RATE),
            cells: [low, snare, high].map(|band| dsp::running_max(band, CELL_RADIUS)),
            harmonic_change: harmonic_change::harmonic_change(chroma, activation.len()),
            bands,
            drums,
            heard: Observations::new(&activation),
            activation,
            envelope,
            events,
            candidates,
        })
    }
}

/// Weighted sum of registers.
fn mixed(registers: &[&[f32]; 4], weights: [f32; 4]) -> Vec<f32> {
    let mut sum = vec![0.0; registers[0].len()];
    for (register, weight) in registers.iter().zip(weights) {
        for (sum, value) in sum.iter_mut().zip(*register) {
            *sum += weight * value;
        }
    }
    sum
}

fn activation(mixed: &[f32]) -> Vec<f32> {
    let certain = dsp::quantile(mixed, CERTAIN_QUANTILE).max(1e-9);
    mixed
        .iter()
        .map(|value| (value / certain).clamp(0.0, 1.0) * CERTAINTY)
        .collect()
}
