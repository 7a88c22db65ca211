//! Chords and key from chroma and beats.
//!
//! Chroma is averaged over the beats (`features`), steadied by repetition (`repetition`),
//! compared with templates (`emission`) and read as a chain that likes to change on downbeats
//! (`decode`). The key of a first reading guides a second one.

mod boundaries;
mod decode;
mod emission;
mod features;
mod repetition;
mod steps;
mod stitch;

use super::chroma::Chromagram;
use super::key::{self, KeyStep};
use crate::beats::Beats;
use crate::harmony::{ChordSpan, Key, KeyFinding};
use crate::units::Secs;
use emission::{Model, NO_CHORD, Scores};
use features::{Features, Listener};
use steps::{Place, Step};
pub use stitch::stitch;

/// Chords and key of one stretch of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Harmony {
    /// In order, without gaps, from 0 to the end; neighbours differ. Empty for no sound at all.
    pub chords: Vec<ChordSpan>,
    /// `None` for silence, percussion and noise.
    pub key: Option<KeyFinding>,
    /// What the key was found from, kept so that stretches can be joined exactly.
    steps: Vec<KeyStep>,
}

/// How much a chord's fit to the key counts in the second reading, in nats.
const KEY_WEIGHT: f32 = 0.3;

/// Bass notes count half towards the key: they are few and strong.
const KEY_BASS_WEIGHT: f32 = 0.5;

/// Divides all scores when probabilities are asked for: beats, overtones and repetitions are no
/// independent witnesses. Chosen so that confidence is the share of right chords on synthetic
/// music.
const DOUBT: f32 = 2.0;

/// Reads chords and key. `length`: of the sound that `chroma` was made of. Beats may be missing,
/// unordered or outside the sound.
pub fn harmony(chroma: &Chromagram, beats: Option<&Beats>, length: Secs) -> Harmony {
    let mut listener = Listener::new(chroma);
    let length = if length.0.is_finite() {
        length.0.clamp(0.0, listener.secs())
    } else {
        listener.secs()
    };
    let steps = steps::steps(beats, length);
    let heard = listener.listen(&steps);
    let notes: Vec<_> = heard.iter().map(|features| features.notes).collect();
    let steadied: Vec<Features> = heard
        .iter()
        .zip(repetition::reinforce(&notes))
        .map(|(heard, notes)| Features { notes, ..*heard })
        .collect();
    let model = Model::new();
    let mut scores: Vec<Scores> = steadied.iter().map(|step| model.scores(step)).collect();
    let costs: Vec<f32> = steps
        .iter()
        .map(|step| decode::change_cost(step.place))
        .collect();

    let first_reading = decode::best_path(&scores, &costs);
    if let Some(key) = key::likeliest(&key_steps(&steps, &steadied, &first_reading)) {
        favour(key, &mut scores);
    }
    let path = decode::best_path(&scores, &costs);
    let certainty = decode::posteriors(&scores, &costs, &path, DOUBT);
    let steps_for_key = key_steps(&steps, &steadied, &path);
    Harmony {
        chords: spans(&Reading {
            listener: &listener,
            model: &model,
            steps: &steps,
            path: &path,
            certainty: &certainty,
        }),
        key: key::find(&steps_for_key),
        steps: steps_for_key,
    }
}

/// Raises the scores of chords that fit the key.
fn favour(key: Key, scores: &mut [Scores]) {
    let bonus: [f32; NO_CHORD] = std::array::from_fn(|state| {
        emission::chord(state).map_or(0.0, |chord| KEY_WEIGHT * key::fit(key, chord))
    });
    for scores in scores {
        for (score, bonus) in scores.iter_mut().zip(bonus) {
            *score += bonus;
        }
    }
}

fn key_steps(steps: &[Step], features: &[Features], path: &[usize]) -> Vec<KeyStep> {
    steps
        .iter()
        .zip(features)
        .zip(path)
        .map(|((step, features), &state)| KeyStep {
            start: step.start,
            end: step.end,
            notes: std::array::from_fn(|pitch| {
                features.notes[pitch] + KEY_BASS_WEIGHT * features.notes[12 + pitch]
            }),
            chord: emission::chord(state),
            starts_bar: step.place == Place::Downbeat,
        })
        .collect()
}

/// A finished decoding, with what is needed to tell when its changes are heard.
struct Reading<'a> {
    listener: &'a Listener,
    model: &'a Model,
    steps: &'a [Step],
    path: &'a [usize],
    certainty: &'a [f32],
}

/// Joins steps of one state to spans.
fn spans(reading: &Reading<'_>) -> Vec<ChordSpan> {
    let mut spans: Vec<ChordSpan> = Vec::new();
    let mut first = 0;
    for group in reading.path.chunk_by(|a, b| a == b) {
        let last = first + group.len();
        let (Some(steps), Some(certainty)) = (
            reading.steps.get(first..last),
            reading.certainty.get(first..last),
        ) else {
            break;
        };
        let heard = reading.heard_start(first);
        let (first_step, last_step) = (steps[0], steps[steps.len() - 1]);
        // Without beats there is nothing to snap to.
        let start = match first_step.place {
            Place::Unknown => heard,
            Place::Downbeat | Place::MidBar | Place::Elsewhere => Secs(first_step.start),
        };
        if let Some(before) = spans.last_mut() {
            before.end = start;
            before.end_raw = heard;
        }
        spans.push(ChordSpan {
            start,
            end: Secs(last_step.end),
            start_raw: heard,
            end_raw: Secs(last_step.end),
            chord: emission::chord(group[0]),
            confidence: mean_over_time(steps, certainty),
        });
        first = last;
    }
    spans
}

impl Reading<'_> {
    /// When the state that starts at step `index` takes over.
    fn heard_start(&self, index: usize) -> Secs {
        let (Some(before), Some(after)) = (
            index
                .checked_sub(1)
                .and_then(|before| self.steps.get(before)),
            self.steps.get(index),
        ) else {
            return Secs(0.0);
        };
        let states = (self.path[index - 1], self.path[index]);
        Secs(boundaries::heard_change(
            self.listener,
            self.model,
            (before, after),
            states,
        ))
    }
}

fn mean_over_time(steps: &[Step], values: &[f32]) -> f32 {
    let secs = |step: &Step| (step.end - step.start) as f32;
    let total: f32 = steps.iter().map(secs).sum();
    let sum: f32 = steps
        .iter()
        .zip(values)
        .map(|(step, value)| secs(step) * value)
        .sum();
    if total > 0.0 {
        (sum / total).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
