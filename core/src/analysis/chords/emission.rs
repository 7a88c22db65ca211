//! How well each chord explains what is heard.
//!
//! A log-linear model: chord and bass templates, a cost for rarer kinds of chord, and a score for
//! silence of harmony. Its few numbers are maximum-likelihood estimates (multinomial logistic
//! regression), scaled by 0.8 and rounded, on 120 synthetic pieces of ours; the templates
//! themselves were not fitted.

use super::features::{Features, Notes, Presence, norm};
use crate::harmony::{Chord, PitchClass, Quality};

/// Every quality with its score in nats over a plain template match: negative for what is heard
/// into other chords more often than it is played. The estimates for rare kinds (diminished,
/// augmented, minor sixth) came out positive and are held at or below zero.
const QUALITIES: [(Quality, f32); 16] = [
    (Quality::Major, 0.0),
    (Quality::Minor, 0.1),
    (Quality::Dominant7, 0.2),
    (Quality::Major7, -0.65),
    (Quality::Minor7, -0.15),
    (Quality::Sus4, -1.0),
    (Quality::Sus2, -1.1),
    (Quality::Diminished, 0.0),
    (Quality::HalfDiminished7, 0.0),
    (Quality::Minor9, -1.8),
    (Quality::Major9, -2.4),
    (Quality::Dominant9, -1.8),
    (Quality::Major6, -2.8),
    (Quality::Minor6, -1.0),
    (Quality::Diminished7, 0.0),
    (Quality::Augmented, -1.0),
];

/// Nats that a perfect match of all treble notes is worth, and of the bass.
const TREBLE_GAIN: f32 = 29.0;
const BASS_GAIN: f32 = 16.0;

/// Nats for "no chord": it wins where nothing else scores.
const SILENCE: f32 = 22.6;
/// Per unit of log strength.
const SILENCE_BY_PRESENCE: Presence = Presence {
    treble: -1.6,
    level: -0.55,
    bass: 0.9,
};

/// Chord tones are equal in theory; the seventh counts more since overtones do not fake it as they
/// fake fifths and thirds, the ninth less since melodies pass through it.
const SEVENTH: f32 = 1.2;
const NINTH: f32 = 0.8;

/// What basses play beside the root.
const BASS_FIFTH: f32 = 0.25;
const BASS_THIRD: f32 = 0.2;

/// States of the decoder: all chords, then silence.
pub(super) const CHORDS: usize = 12 * QUALITIES.len();
pub(super) const STATES: usize = CHORDS + 1;
pub(super) const NO_CHORD: usize = CHORDS;

pub(super) type Scores = [f32; STATES];

/// The chord of a state.
pub(super) fn chord(state: usize) -> Option<Chord> {
    let (quality, _) = QUALITIES.get(state / 12)?;
    Some(Chord {
        root: PitchClass::new((state % 12) as u8),
        quality: *quality,
        bass: None,
    })
}

/// Log-likelihoods, up to a constant.
pub(super) struct Model {
    /// By state: template for treble and bass, gains included, and the quality's own score.
    templates: Vec<(Notes, f32)>,
}

impl Model {
    pub(super) fn new() -> Self {
        let templates = (0..CHORDS)
            .filter_map(|state| Some((template(chord(state)?), QUALITIES[state / 12].1)));
        Self {
            templates: templates.collect(),
        }
    }

    pub(super) fn scores(&self, features: &Features) -> Scores {
        let mut scores = [0.0; STATES];
        for (state, score) in scores.iter_mut().enumerate() {
            *score = self
                .score(state, &features.notes)
                .unwrap_or_else(|| silence(&features.presence));
        }
        scores
    }

    /// `None` for the state of no chord.
    pub(super) fn score(&self, state: usize, notes: &Notes) -> Option<f32> {
        let (template, own) = self.templates.get(state)?;
        Some(
            own + template
                .iter()
                .zip(notes)
                .map(|(weight, note)| weight * note)
                .sum::<f32>(),
        )
    }
}

pub(super) fn silence(presence: &Presence) -> f32 {
    SILENCE
        + SILENCE_BY_PRESENCE.treble * presence.treble
        + SILENCE_BY_PRESENCE.level * presence.level
        + SILENCE_BY_PRESENCE.bass * presence.bass
}

fn template(chord: Chord) -> Notes {
    let root = usize::from(chord.root.semitones());
    let intervals = chord.quality.intervals();
    let mut treble = [0.0; 12];
    let mut bass = [0.0; 12];
    for &interval in intervals {
        let weight = match interval {
            9..=11 => SEVENTH,
            2 if intervals.len() > 3 => NINTH,
            _ => 1.0,
        };
        treble[(root + usize::from(interval)) % 12] = weight;
        let in_bass = match interval {
            0 => 1.0,
            3..=5 => BASS_THIRD,
            2 if intervals.len() == 3 => BASS_THIRD,
            6..=8 => BASS_FIFTH,
            _ => 0.0,
        };
        bass[(root + usize::from(interval)) % 12] = in_bass;
    }
    let (treble_norm, bass_norm) = (norm(&treble), norm(&bass));
    std::array::from_fn(|i| {
        if i < 12 {
            TREBLE_GAIN * treble[i] / treble_norm
        } else {
            BASS_GAIN * bass[i - 12] / bass_norm
        }
    })
}
