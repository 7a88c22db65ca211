//! How far to trust the result, and what else the track may be.

use super::hypotheses::Hypothesis;
use crate::beats::TempoAlternative;
use crate::units::Bpm;

/// Alternatives worth a key press.
const MOST_ALTERNATIVES: usize = 4;
/// Score difference at which a rival is `e` times less likely than the winner.
const TEMPERATURE: f64 = 0.1;
/// Tempi within 4 % are the same answer (MIREX tolerance).
const SAME_TEMPO: f64 = 0.04;

/// Softmax over readings: the winner's share, then those of its rivals.
pub(super) fn shares(hypotheses: &[Hypothesis]) -> Vec<f64> {
    let top = hypotheses.first().map_or(0.0, |best| best.score);
    let weights: Vec<f64> = hypotheses
        .iter()
        .map(|hypothesis| ((hypothesis.score - top) / TEMPERATURE).exp())
        .collect();
    let sum: f64 = weights.iter().sum::<f64>().max(1e-9);
    weights.iter().map(|weight| weight / sum).collect()
}

/// The rivals of `chosen` BPM as multiples of it, best first.
pub(super) fn alternatives(hypotheses: &[Hypothesis], chosen: f64) -> Vec<TempoAlternative> {
    const RATIOS: [f64; 8] = [0.5, 2.0, 1.5, 2.0 / 3.0, 0.75, 4.0 / 3.0, 3.0, 1.0 / 3.0];
    let mut found: Vec<TempoAlternative> = Vec::new();
    for (hypothesis, share) in hypotheses.iter().zip(shares(hypotheses)) {
        let ratio = hypothesis.candidate.bpm / chosen;
        let near = |other: &f64| (ratio / other - 1.0).abs() < SAME_TEMPO;
        let Some(ratio) = RATIOS.into_iter().find(|other| near(other)) else {
            continue;
        };
        let bpm = Bpm(chosen * ratio);
        if found.iter().all(|known| known.bpm != bpm) {
            found.push(TempoAlternative {
                bpm,
                confidence: share as f32,
            });
        }
    }
    found.truncate(MOST_ALTERNATIVES);
    found
}
