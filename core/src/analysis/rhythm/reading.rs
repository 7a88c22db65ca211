//! Judges one way of counting the track: how much do these beats sound like beats?
//!
//! The same pulse can be counted at other octaves or half a beat off. What tells readings apart is not
//! how strong the onsets on the beats are but what stands between them, so a reading is scored by drum
//! patterns, by how onsets subdivide its beats, by the metre and by where the harmony changes.

use super::evidence::Evidence;
use super::onsets::FPS;
use super::patterns::{BANK, Pattern};
use crate::analysis::dsp;
use std::f64::consts::TAU;

/// Weights of the terms, tuned on synthetic pieces.
const SUBDIVISION_WEIGHT: f64 = 0.5;
const METRE_WEIGHT: f64 = 0.35;
const HARMONY_WEIGHT: f64 = 0.26;
const TEMPO_WEIGHT: f64 = 0.15;

/// The best pattern for some beats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// Higher is likelier; differences of .05 are weak, of .3 strong.
    pub(super) score: f64,
    pub(super) beats_per_bar: usize,
    /// 3 where the beat divides in three.
    pub(super) cells_per_beat: usize,
    /// Index of the first beat that begins a bar, below `beats_per_bar`.
    pub(super) phase: usize,
}

/// Reads `beats` (seconds); `None` with too few for a bar.
pub(super) fn read(evidence: &Evidence, beats: &[f64]) -> Option<Reading> {
    let bpm = 60.0 / median_interval(beats)?;
    let quarters = Cells::new(evidence, beats, 4);
    let thirds = Cells::new(evidence, beats, 3);
    let metre = quarters.metre();
    let division = Division::of(evidence, beats).binary();
    let harmony = Harmony::new(evidence, beats);
    let mut best: Option<Reading> = None;
    for pattern in &BANK {
        let (cells, division, metre) = if pattern.cells_per_beat == 3 {
            (&thirds, -division, 0.0)
        } else if pattern.beats_per_bar == 3 {
            (&quarters, division, metre.triple())
        } else {
            (&quarters, division, metre.duple())
        };
        let fixed = TEMPO_WEIGHT * pattern.tempo_prior(bpm)
            + SUBDIVISION_WEIGHT * division
            + METRE_WEIGHT * metre;
        for phase in 0..pattern.beats_per_bar {
            let Some(bar) = cells.average_bar(pattern, phase) else {
                continue;
            };
            let score = fixed
                + pattern.likeness(&bar)
                + HARMONY_WEIGHT * harmony.at_downbeats(pattern.beats_per_bar, phase);
            if best.is_none_or(|best| score > best.score) {
                best = Some(Reading {
                    score,
                    beats_per_bar: pattern.beats_per_bar,
                    cells_per_beat: pattern.cells_per_beat,
                    phase,
                });
            }
        }
    }
    best
}

/// Seconds; `None` for fewer than two beats.
pub(super) fn median_interval(beats: &[f64]) -> Option<f64> {
    let intervals: Vec<f64> = beats.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let median = dsp::median(&intervals);
    (median > 0.0).then_some(median)
}

/// The points half way between beats.
pub(super) fn half_shifted(beats: &[f64]) -> Vec<f64> {
    beats
        .windows(2)
        .map(|pair| f64::midpoint(pair[0], pair[1]))
        .collect()
}

/// Kick, snare and hat strength on an even division of every beat.
struct Cells {
    per_beat: usize,
    values: Vec<[f32; 3]>,
}

impl Cells {
    fn new(evidence: &Evidence, beats: &[f64], per_beat: usize) -> Self {
        let mut values = Vec::with_capacity(beats.len() * per_beat);
        for pair in beats.windows(2) {
            for cell in 0..per_beat {
                let at = pair[0] + (pair[1] - pair[0]) * cell as f64 / per_beat as f64;
                let drum = |drum: usize| dsp::interpolate(&evidence.cells[drum], at * FPS);
                values.push([drum(0), drum(1), drum(2)]);
            }
        }
        Self { per_beat, values }
    }

    /// The mean bar when the first bar begins on beat `phase`; `None` for fewer than two bars.
    fn average_bar(&self, pattern: &Pattern, phase: usize) -> Option<[Vec<f64>; 3]> {
        let bar_cells = pattern.beats_per_bar * self.per_beat;
        let from = self.values.get(phase * self.per_beat..)?;
        let count = from.len() / bar_cells;
        if count < 2 {
            return None;
        }
        let mut bar: [Vec<f64>; 3] = std::array::from_fn(|_| vec![0.0; bar_cells]);
        for cells in from.chunks_exact(bar_cells) {
            for (index, cell) in cells.iter().enumerate() {
                for (drum, value) in bar.iter_mut().zip(cell) {
                    drum[index] += f64::from(*value) / count as f64;
                }
            }
        }
        Some(bar)
    }

    /// How alike beats are that lie 2, 3 and 4 beats apart, after removing what all beats share.
    fn metre(&self) -> Metre {
        let mut beats: Vec<Vec<f64>> = self
            .values
            .chunks_exact(self.per_beat)
            .map(|beat| beat.iter().flatten().map(|&v| f64::from(v)).collect())
            .collect();
        let width = self.per_beat * 3;
        let mut mean = vec![0.0; width];
        for beat in &beats {
            for (mean, value) in mean.iter_mut().zip(beat) {
                *mean += value / beats.len() as f64;
            }
        }
        for beat in &mut beats {
            beat.iter_mut().zip(&mean).for_each(|(v, mean)| *v -= mean);
        }
        let norm = |beat: &Vec<f64>| beat.iter().map(|v| v * v).sum::<f64>().sqrt();
        let floor = 0.3 * dsp::median(&beats.iter().map(norm).collect::<Vec<_>>()) + 1e-9;
        for beat in &mut beats {
            let scale = norm(beat) + floor;
            for value in beat {
                *value /= scale;
            }
        }
        let likeness = |lag: usize| {
            let pairs = beats.iter().zip(beats.iter().skip(lag));
            let count = beats.len().saturating_sub(lag);
            if count <= 4 {
                return 0.0;
            }
            let dots = pairs.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>());
            dots.sum::<f64>() / count as f64
        };
        Metre {
            even: likeness(2).max(likeness(4)),
            three: likeness(3),
        }
    }
}

/// Likeness of beats at even and at triple distance.
struct Metre {
    even: f64,
    three: f64,
}

impl Metre {
    fn duple(&self) -> f64 {
        self.even - self.three
    }

    fn triple(&self) -> f64 {
        self.three - self.even
    }
}

/// Share of onset weight that agrees on a division of the beat: resultant lengths of the onsets'
/// phases at 1, 2, 3, 4 and 6 times the beat rate (Mardia's circular statistics).
struct Division {
    whole: f64,
    halves: f64,
    thirds: f64,
    quarters: f64,
    sixths: f64,
}

impl Division {
    fn of(evidence: &Evidence, beats: &[f64]) -> Self {
        let phases: Vec<(f64, f64)> = evidence
            .events
            .iter()
            .filter_map(|event| Some((beat_phase(beats, event.at)?, event.weight)))
            .collect();
        let total: f64 = phases.iter().map(|(_, weight)| weight).sum::<f64>() + 1e-9;
        let resultant = |times: f64| {
            let (mut x, mut y) = (0.0, 0.0);
            for (phase, weight) in &phases {
                let (sin, cos) = (TAU * times * phase).sin_cos();
                x += weight * cos;
                y += weight * sin;
            }
            x.hypot(y) / total
        };
        Self {
            whole: resultant(1.0),
            halves: resultant(2.0),
            thirds: resultant(3.0),
            quarters: resultant(4.0),
            sixths: resultant(6.0),
        }
    }

    /// Evidence for division in two or four over division in three, -1 to 1.
    fn binary(&self) -> f64 {
        self.halves.max(self.quarters).max(0.8 * self.whole) - self.thirds.max(self.sixths)
    }
}

/// Place of `at` within its beat, 0 to 1.
fn beat_phase(beats: &[f64], at: f64) -> Option<f64> {
    let next = beats.partition_point(|&beat| beat <= at);
    let (from, to) = (beats.get(next.checked_sub(1)?)?, beats.get(next)?);
    Some((at - from) / (to - from))
}

/// Harmonic change on every beat.
struct Harmony(Vec<f64>);

impl Harmony {
    fn new(evidence: &Evidence, beats: &[f64]) -> Self {
        let change =
            |beat: &f64| f64::from(dsp::interpolate(&evidence.harmonic_change, beat * FPS));
        Self(beats.iter().map(change).collect())
    }

    /// Mean change on would-be downbeats, squashed to -1 to 1.
    fn at_downbeats(&self, beats_per_bar: usize, phase: usize) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0_f64);
        for change in self.0.iter().skip(phase).step_by(beats_per_bar) {
            sum += change;
            count += 1.0;
        }
        (sum / count.max(1.0)).tanh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_and_intervals_are_those_of_the_beats() {
        let beats = [1.0, 1.5, 2.5];
        assert_eq!(beat_phase(&beats, 1.25), Some(0.5));
        assert_eq!(beat_phase(&beats, 1.75), Some(0.25));
        assert_eq!(beat_phase(&beats, 0.5), None);
        assert_eq!(beat_phase(&beats, 2.5), None);
        assert_eq!(median_interval(&beats), Some(0.75));
        assert_eq!(median_interval(&[1.0]), None);
        assert_eq!(half_shifted(&beats), [1.25, 2.0]);
    }
}
