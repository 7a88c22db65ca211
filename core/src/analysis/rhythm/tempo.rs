//! Which tempi are worth tracking: peaks of the autocorrelation of onset strength and their simple ratios.

use super::onsets::FPS;
use crate::analysis::dsp;

/// Beats slower or faster than this are counted in other units by dancers and DJs alike.
const BEAT_BPM: std::ops::RangeInclusive<f64> = 44.0..=190.0;
/// Periodicities searched, in BPM; wider than the beat because bars and subdivisions vote too.
const SEARCH_FROM: f64 = 40.0;
const SEARCH_TO: f64 = 260.0;
const SEARCH_STEP: f64 = 0.25;
/// Longest lag looked at: four beats of the slowest period and a little more.
const LAGS: usize = 900;
/// A period's weight at 1, 2, 3 and 4 times its length.
const COMB: [f64; 4] = [1.0, 1.0, 0.5, 1.0];
/// Peaks taken from the comb.
const SEEDS: usize = 3;
/// Other tempi that the same pulse may be counted in.
const RATIOS: [f64; 9] = [
    1.0,
    2.0,
    0.5,
    1.5,
    2.0 / 3.0,
    3.0,
    1.0 / 3.0,
    4.0 / 3.0,
    0.75,
];
/// Tempi with less of the top support are not tracked.
const LEAST_SUPPORT: f64 = 0.35;
/// Tempi closer than this are one.
const SAME_TEMPO: f64 = 1.03;

/// A tempo and how periodic the track is at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) bpm: f64,
    /// 0 to 1, the best candidate has 1.
    pub(super) support: f64,
}

/// Tempi worth tracking, slow to fast. `pulses` are levelled onset strengths with weights.
pub(super) fn candidates(pulses: &[(&[f32], f32)]) -> Vec<Candidate> {
    let comb = comb(&periodicity(pulses));
    let support = |bpm: f64| f64::from(dsp::interpolate(&comb, (bpm - SEARCH_FROM) / SEARCH_STEP));
    let mut family: Vec<Candidate> = seeds(&comb)
        .into_iter()
        .flat_map(|seed| RATIOS.map(|ratio| seed * ratio))
        .filter(|bpm| BEAT_BPM.contains(bpm))
        .map(|bpm| (bpm * 2.0).round() / 2.0)
        .map(|bpm| Candidate {
            bpm,
            support: support(bpm),
        })
        .collect();
    family.sort_by(|a, b| a.bpm.total_cmp(&b.bpm));
    let top = family.iter().map(|c| c.support).fold(0.0, f64::max);
    if top <= 0.0 {
        return Vec::new();
    }
    let mut kept: Vec<Candidate> = Vec::new();
    for mut candidate in family {
        candidate.support /= top;
        if candidate.support <= LEAST_SUPPORT {
            continue;
        }
        match kept.last_mut() {
            Some(last) if candidate.bpm / last.bpm < SAME_TEMPO => {
                if candidate.support > last.support {
                    *last = candidate;
                }
            }
            _ => kept.push(candidate),
        }
    }
    kept
}

/// Weighted sum of autocorrelations by lag in frames.
fn periodicity(pulses: &[(&[f32], f32)]) -> Vec<f32> {
    let mut sum = vec![0.0; LAGS];
    for (pulse, weight) in pulses {
        let correlated = dsp::autocorrelation(pulse, LAGS);
        for (sum, value) in sum.iter_mut().zip(correlated) {
            *sum += weight * value;
        }
    }
    sum
}

/// Support of every searched tempo.
fn comb(periodicity: &[f32]) -> Vec<f32> {
    let count = ((SEARCH_TO - SEARCH_FROM) / SEARCH_STEP) as usize;
    (0..count)
        .map(|index| {
            let period = 60.0 * FPS / (SEARCH_FROM + SEARCH_STEP * index as f64);
            let teeth = (1..).zip(COMB).map(|(multiple, weight)| {
                let lag = period * f64::from(multiple);
                let inside = lag < (LAGS - 2) as f64;
                if inside {
                    weight * f64::from(dsp::interpolate(periodicity, lag))
                } else {
                    0.0
                }
            });
            teeth.sum::<f64>() as f32
        })
        .collect()
}

/// The strongest periodicities, in BPM.
fn seeds(comb: &[f32]) -> Vec<f64> {
    const DISTANCE: usize = 6; // steps: 1.5 BPM
    let mut peaks = dsp::peaks(comb, DISTANCE);
    peaks.sort_by(|&a, &b| comb[b].total_cmp(&comb[a]));
    peaks.truncate(SEEDS);
    peaks
        .into_iter()
        .map(|index| SEARCH_FROM + SEARCH_STEP * index as f64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_yields_its_tempo_and_octaves() {
        let pulse: Vec<f32> = (0..6000)
            .map(|i| if i % 50 == 0 { 1.0 } else { 0.0 })
            .collect();
        let found = candidates(&[(&pulse, 1.0)]);
        assert!(
            found.iter().any(|c| (c.bpm - 120.0).abs() < 1.0),
            "{found:?}"
        );
        assert!(
            found.iter().any(|c| (c.bpm - 60.0).abs() < 1.0),
            "{found:?}"
        );
    }

    #[test]
    fn silence_has_no_tempo() {
        assert!(candidates(&[(&[0.0; 3000], 1.0)]).is_empty());
        assert!(candidates(&[(&[], 1.0)]).is_empty());
    }
}
