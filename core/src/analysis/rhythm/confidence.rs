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

/// Even the clearest readings are wrong about once in twenty synthetic pieces of unusual styles.
const CEILING: f64 = 0.95;

/// How likely the best reading has the right tempo and beat phase, 0 to 1.
pub(super) fn of_best(hypotheses: &[Hypothesis]) -> f32 {
    shares(hypotheses)
        .first()
        .map_or(0.0, |&share| share as f32)
}

/// Softmax over readings: the winner's share, then those of its rivals.
fn shares(hypotheses: &[Hypothesis]) -> Vec<f64> {
    let top = hypotheses.first().map_or(0.0, |best| best.score);
    let weights: Vec<f64> = hypotheses
        .iter()
        .map(|hypothesis| ((hypothesis.score - top) / TEMPERATURE).exp())
        .collect();
    let sum: f64 = weights.iter().sum::<f64>().max(1e-9);
    weights
        .iter()
        .map(|weight| CEILING * weight / sum)
        .collect()
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

#[cfg(test)]
mod tests {
    use super::super::reading::Reading;
    use super::super::tempo::Candidate;
    use super::*;

    fn hypothesis(bpm: f64, score: f64) -> Hypothesis {
        Hypothesis {
            candidate: Candidate { bpm, support: 1.0 },
            beats: Vec::new(),
            reading: Reading {
                score,
                beats_per_bar: 4,
                cells_per_beat: 4,
                phase: 0,
            },
            track_score: -2.7,
            score,
        }
    }

    #[test]
    fn close_rivals_cost_confidence_and_become_alternatives() {
        let clear = [hypothesis(128.0, 1.4), hypothesis(64.0, 0.5)];
        let close = [
            hypothesis(87.0, 1.11),
            hypothesis(174.5, 1.10),
            hypothesis(101.0, 0.9),
        ];
        assert!(of_best(&clear) > 0.9);
        assert!(of_best(&close) < 0.55);
        let found = alternatives(&close, 87.0);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].bpm, Bpm(174.0));
        assert!(found[0].confidence > 0.35);
        assert_eq!(of_best(&[]), 0.0);
    }
}
