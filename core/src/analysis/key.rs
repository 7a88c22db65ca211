//! The key of a track, and where it moves, from its notes and chords.
//!
//! Three witnesses: how the notes of the track are distributed (the idea of key profiles,
//! Krumhansl 1990, with a shape for dance and pop music), how well its chords fit the scale and the
//! cadences of each key, and which chord phrases start on.

mod segments;

use crate::harmony::{Chord, Key, KeyFinding, Mode, Quality};

/// What one step of the chord analysis says about the key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct KeyStep {
    /// Seconds.
    pub(super) start: f64,
    pub(super) end: f64,
    /// Strength of each pitch class, C first.
    pub(super) notes: [f32; 12],
    pub(super) chord: Option<Chord>,
    pub(super) starts_bar: bool,
}

impl KeyStep {
    fn secs(&self) -> f32 {
        (self.end - self.start) as f32
    }
}

/// Salience of the scale degrees from the tonic up, semitone by semitone. Set by hand: the tonic
/// triad stands out more than in classical profiles, and the minor seventh degree is the natural
/// one, as dance music has it.
const MAJOR_PROFILE: [f32; 12] = [
    1.0, 0.08, 0.55, 0.12, 0.75, 0.5, 0.1, 0.85, 0.12, 0.55, 0.15, 0.35,
];
const MINOR_PROFILE: [f32; 12] = [
    1.0, 0.12, 0.5, 0.8, 0.12, 0.55, 0.1, 0.85, 0.5, 0.15, 0.55, 0.22,
];

const MAJOR_SCALE: [u8; 7] = [0, 2, 4, 5, 7, 9, 11];
const MINOR_SCALE: [u8; 7] = [0, 2, 3, 5, 7, 8, 10];

/// Weights of the witnesses beside the profile's correlation of 1.
const CHORDS_WEIGHT: f32 = 0.55;
const PHRASES_WEIGHT: f32 = 0.2;
const ENDS_WEIGHT: f32 = 0.1;

/// Phrases of four bars, and the half of one.
const PHRASE_BARS: [usize; 2] = [4, 2];

/// A step whose notes sum to less than this is silence before the music; one chord sums to about 3.
const SILENT: f32 = 0.2;

/// From scores to probabilities: chosen so that confidence is the share of right answers on
/// synthetic music.
const SHARPNESS: f32 = 5.0;

/// A best key whose profile fits worse than this is an accident of noise.
const LEAST_CORRELATION: f32 = 0.3;

/// Pitch classes that sound, counted by their share of the power. One tone is no key: with what is heard beside it that is
/// not there, a sine counts up to 1.5. A fifth counts 2, a triad 3, music 4 to 8.
const LONE_TONE: f32 = 1.6;
/// From here on there are enough notes to tell one key from the other.
const ENOUGH_NOTES: f32 = 3.8;

/// The third of a key decides between major and minor where it has this share of the power of the strongest note: 0.2 and
/// more in music. The less of it there is below that, the more alike both are.
const CLEAR_THIRD: f32 = 0.15;

/// Alternatives that are told.
const ALTERNATIVES: usize = 3;

pub(super) const KEYS: usize = 24;

/// The key of all `steps` together; `None` where there are no chords or no scale.
pub(super) fn find(steps: &[KeyStep]) -> Option<KeyFinding> {
    likeliest(steps)?;
    let scores = scores(steps)?;
    let power = distribution(steps).map(|note| note * note);
    if count(&power) < LONE_TONE {
        return None;
    }
    let ranked = ranked(&scores, &power);
    let &(key, confidence) = ranked.first()?;
    Some(KeyFinding {
        key,
        confidence,
        alternatives: ranked.into_iter().skip(1).take(ALTERNATIVES).collect(),
        segments: segments::segments(steps, key),
    })
}

/// The key that fits best, sure or not: enough to read chords by. `None` where there are no chords or no scale.
pub(super) fn likeliest(steps: &[KeyStep]) -> Option<Key> {
    let scores = scores(steps)?;
    let (key, _) = Key::all().zip(scores).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let fits = correlation(&profile(key), &distribution(steps)) >= LEAST_CORRELATION;
    fits.then_some(key)
}

/// How well each key (in the order of [`Key::all`]) explains the steps; `None` without any chord.
fn scores(steps: &[KeyStep]) -> Option<[f32; KEYS]> {
    let distribution = distribution(steps);
    let sounding: Vec<(Chord, f32)> = steps
        .iter()
        .filter_map(|step| Some((step.chord?, step.secs())))
        .collect();
    let (first, last) = (sounding.first()?.0, sounding.last()?.0);
    let total: f32 = sounding.iter().map(|(_, secs)| secs).sum();
    let mut scores = [0.0; KEYS];
    for (score, key) in scores.iter_mut().zip(Key::all()) {
        let chords = sounding
            .iter()
            .map(|(chord, secs)| secs * fit(key, *chord))
            .sum::<f32>()
            / total;
        let phrases: f32 = PHRASE_BARS
            .iter()
            .map(|&bars| share_of_tonic_starts(steps, bars, key))
            .sum();
        let ends = [first, last]
            .into_iter()
            .filter(|&chord| is_tonic(key, chord))
            .count();
        *score = correlation(&profile(key), &distribution)
            + CHORDS_WEIGHT * chords
            + PHRASES_WEIGHT * phrases
            + ENDS_WEIGHT * ends as f32;
    }
    Some(scores)
}

/// All keys with their probability, best first, as far as notes of this `power` can tell them apart.
fn ranked(scores: &[f32; KEYS], power: &[f32; 12]) -> Vec<(Key, f32)> {
    const ANY: f32 = 1.0 / KEYS as f32;
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights = scores.map(|score| (SHARPNESS * (score - best)).exp());
    let total: f32 = weights.iter().sum();
    let first: Vec<(Key, f32)> = Key::all()
        .zip(weights.map(|weight| weight / total))
        .collect();
    let enough = ((count(power) - LONE_TONE) / (ENOUGH_NOTES - LONE_TONE)).clamp(0.0, 1.0);
    let of = |mode: Mode, key: Key| {
        let mut all = first.iter();
        all.find(|(other, _)| other.tonic == key.tonic && other.mode == mode)
            .map_or(0.0, |(_, probability)| *probability)
    };
    let mut ranked: Vec<(Key, f32)> = first
        .iter()
        .map(|&(key, probability)| {
            let both = f32::midpoint(of(Mode::Major, key), of(Mode::Minor, key));
            let decided = both + clarity_of_mode(key, power) * (probability - both);
            (key, ANY + enough * (decided - ANY))
        })
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked
}

/// How far the notes decide between a key and the one of the other mode on the same tonic, 0 to 1. Chords do not: where
/// no third sounds, theirs is a guess.
fn clarity_of_mode(key: Key, power: &[f32; 12]) -> f32 {
    let tonic = usize::from(key.tonic.semitones());
    let third = power[(tonic + 3) % 12].max(power[(tonic + 4) % 12]);
    let strongest = power.iter().copied().fold(0.0, f32::max);
    if strongest > 0.0 {
        (third / (CLEAR_THIRD * strongest)).min(1.0)
    } else {
        0.0
    }
}

/// How many pitch classes sound, where each counts by its share.
fn count(power: &[f32; 12]) -> f32 {
    let sum: f32 = power.iter().sum();
    let squares: f32 = power.iter().map(|note| note * note).sum();
    if squares > 0.0 {
        sum * sum / squares
    } else {
        0.0
    }
}

/// Strength of each pitch class over the whole time.
fn distribution(steps: &[KeyStep]) -> [f32; 12] {
    let mut sum = [0.0; 12];
    for step in steps {
        for (sum, note) in sum.iter_mut().zip(step.notes) {
            *sum += step.secs() * note;
        }
    }
    sum
}

/// The profile of `key` by pitch class from C.
fn profile(key: Key) -> [f32; 12] {
    let shape = match key.mode {
        Mode::Major => MAJOR_PROFILE,
        Mode::Minor => MINOR_PROFILE,
    };
    let tonic = usize::from(key.tonic.semitones());
    std::array::from_fn(|pitch| shape[(pitch + 12 - tonic) % 12])
}

/// Pearson's correlation; 0 when either side is flat.
fn correlation(a: &[f32; 12], b: &[f32; 12]) -> f32 {
    let centred = |values: &[f32; 12]| {
        let mean = values.iter().sum::<f32>() / 12.0;
        values.map(|value| value - mean)
    };
    let (a, b) = (centred(a), centred(b));
    let product = |a: &[f32; 12], b: &[f32; 12]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let norms = (product(&a, &a) * product(&b, &b)).sqrt();
    if norms > 0.0 {
        product(&a, &b) / norms
    } else {
        0.0
    }
}

/// Share of the phrases that start on the tonic. Phrases are counted off from the first sound, in
/// groups of `bars` bars; those that start without a chord are left out.
fn share_of_tonic_starts(steps: &[KeyStep], bars: usize, key: Key) -> f32 {
    let starts = steps
        .iter()
        .skip_while(|step| step.notes.iter().sum::<f32>() < SILENT)
        .filter(|step| step.starts_bar)
        .step_by(bars)
        .filter_map(|step| step.chord);
    let (mut tonics, mut all) = (0.0_f32, 0.0_f32);
    for chord in starts {
        all += 1.0;
        tonics += f32::from(u8::from(is_tonic(key, chord)));
    }
    tonics / all.max(1.0)
}

/// The third decides the mode of a chord; suspended chords have none.
fn mode_of(quality: Quality) -> Option<Mode> {
    let intervals = quality.intervals();
    if intervals.contains(&3) {
        Some(Mode::Minor)
    } else if intervals.contains(&4) {
        Some(Mode::Major)
    } else {
        None
    }
}

fn is_tonic(key: Key, chord: Chord) -> bool {
    chord.root == key.tonic && mode_of(chord.quality).is_none_or(|mode| mode == key.mode)
}

/// How much `chord` speaks for `key`: against it for every note outside the scale, for it as
/// tonic, subdominant, dominant, and with the chords that minor borrows for its cadences.
pub(super) fn fit(key: Key, chord: Chord) -> f32 {
    const OUTSIDE: f32 = -1.1;
    const TONIC: f32 = 0.9;
    const FOURTH_OR_FIFTH: f32 = 0.25;
    const MAJOR_DOMINANT_IN_MINOR: f32 = 1.2;
    const MAJOR_ON_SIX_OR_SEVEN: f32 = 0.2;
    let scale = match key.mode {
        Mode::Major => MAJOR_SCALE,
        Mode::Minor => MINOR_SCALE,
    };
    let degree = (chord.root.semitones() + 12 - key.tonic.semitones()) % 12;
    let outside = chord
        .quality
        .intervals()
        .iter()
        .filter(|&interval| !scale.contains(&((degree + interval) % 12)))
        .count();
    let mut fit = OUTSIDE * outside as f32;
    if is_tonic(key, chord) {
        fit += TONIC;
    }
    if degree == 5 || degree == 7 {
        fit += FOURTH_OR_FIFTH;
    }
    if key.mode == Mode::Minor && mode_of(chord.quality) == Some(Mode::Major) {
        fit += match degree {
            7 => MAJOR_DOMINANT_IN_MINOR,
            8 | 10 => MAJOR_ON_SIX_OR_SEVEN,
            _ => 0.0,
        };
    }
    fit
}

#[cfg(test)]
mod tests;
