//! A constant grid: one tempo and one offset that hold from the first to the last beat, if there is one.

use super::evidence::Evidence;
use super::fine_onsets::Event;
use super::line::{self, Fit, Line, Sighting};
use crate::analysis::dsp;
use std::f64::consts::TAU;

/// The tempo of tracked beats is searched this far to both sides, in steps of 0.005 %.
const SEARCH_WIDTH: f64 = 0.03;
const SEARCH_STEPS: usize = 1201;
const FINE_WIDTH: f64 = 0.0005;
const FINE_STEPS: usize = 401;
/// Fine onsets are gathered around the grid within ever closer windows, in seconds.
const WINDOWS: [f64; 3] = [0.035, 0.02, 0.015];
/// A refit may move the tempo by this much, not to another one.
const LARGEST_MOVE: f64 = 0.004;
/// Fewer beats with an onset do not make a grid.
const LEAST_SIGHTINGS: usize = 12;
/// Loud attacks count alike beyond this rise, in dB.
const MOST_RISE: f64 = 20.0;

/// A grid with the evidence for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) line: Line,
    /// Standard error of the period, seconds.
    pub(super) period_error: f64,
    centre: f64,
    /// Beats on which an onset was found.
    pub(super) sightings: usize,
    pub(super) agreement: Agreement,
}

/// How far the parts of the track, a tenth each, lie on the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Agreement {
    /// Share of the eventful parts that agree.
    pub(super) parts: f64,
    /// Share of all onset weight in parts that agree …
    pub(super) agreeing: f64,
    /// … and in parts that are regular but lie elsewhere.
    pub(super) disagreeing: f64,
}

impl Agreement {
    /// Do they agree well enough to call the tempo constant?
    pub(super) fn is_constant(&self) -> bool {
        self.parts >= 0.65 || (self.parts >= 0.5 && self.agreeing > 0.45 && self.disagreeing < 0.05)
    }
}

/// Fits a grid through tracked `beats` (seconds) of about `period`.
pub(super) fn fit(
    evidence: &Evidence,
    beats: &[f64],
    period: f64,
    cells_per_beat: usize,
) -> Option<Grid> {
    if evidence.events.len() <= 16 || beats.len() <= 12 {
        return None;
    }
    let rough = coherent_rate(&evidence.events, 1.0 / period, SEARCH_WIDTH, SEARCH_STEPS);
    let rate = coherent_rate(&evidence.events, rough, FINE_WIDTH, FINE_STEPS);
    let mut line = Line {
        period: 1.0 / rate,
        phase: mean_phase(beats, 1.0 / rate),
    };
    let mut last: Option<Fit> = None;
    for reach in WINDOWS {
        let sightings = gather(evidence, line, reach);
        if sightings.len() < LEAST_SIGHTINGS {
            break;
        }
        let fitted = line::robust(&sightings)?;
        if (fitted.line.period / line.period - 1.0).abs() < LARGEST_MOVE {
            line = fitted.line;
        }
        last = Some(Fit {
            kept: sightings.len(),
            ..fitted
        });
    }
    let last = last?;
    Some(Grid {
        line,
        period_error: last.period_error,
        centre: last.centre,
        sightings: last.kept,
        agreement: agreement(evidence, line, cells_per_beat),
    })
}

/// The beat rate (Hz) within `width` of `rate` at which the onsets add up best, together with
/// their halves and quarters.
fn coherent_rate(events: &[Event], rate: f64, width: f64, steps: usize) -> f64 {
    const MULTIPLES: [(i32, f64); 3] = [(1, 1.0), (2, 0.7), (4, 0.5)];
    let from = rate * (1.0 - width);
    let step = rate * 2.0 * width / (steps - 1) as f64;
    let mut coherence = vec![0.0_f64; steps];
    for (multiple, weight) in MULTIPLES {
        let mut sums = vec![(0.0_f64, 0.0_f64); steps];
        for event in events {
            let angle = TAU * f64::from(multiple) * event.at;
            let (mut y, mut x) = (angle * from).sin_cos();
            let (turn_y, turn_x) = (angle * step).sin_cos();
            for sum in &mut sums {
                sum.0 += event.weight * x;
                sum.1 += event.weight * y;
                (x, y) = (x * turn_x - y * turn_y, x * turn_y + y * turn_x);
            }
        }
        for (coherence, (x, y)) in coherence.iter_mut().zip(sums) {
            *coherence += weight * x.hypot(y);
        }
    }
    let best = (0..steps).max_by(|&a, &b| coherence[a].total_cmp(&coherence[b]));
    from + step * best.unwrap_or(steps / 2) as f64
}

/// Circular mean of the beats modulo the period.
fn mean_phase(beats: &[f64], period: f64) -> f64 {
    let (mut x, mut y) = (0.0, 0.0);
    for beat in beats {
        let (sin, cos) = (TAU * beat / period).sin_cos();
        x += cos;
        y += sin;
    }
    y.atan2(x) / TAU * period
}

/// Fine onsets at most `reach` away from the beats of `line`.
fn gather(evidence: &Evidence, line: Line, reach: f64) -> Vec<Sighting> {
    line.numbers(0.0, evidence.length)
        .filter_map(|number| {
            let number = number as f64;
            let onset = evidence.envelope.onset_near(line.at(number), reach)?;
            Some(Sighting {
                number,
                at: onset.at,
                weight: onset.rise.min(MOST_RISE).powi(2),
            })
        })
        .collect()
}

/// One tenth of the track.
struct Part {
    weight: f64,
    /// Resultant length of its onsets at the best division of the beat, 0 to 1 …
    coherence: f64,
    /// … and where they lie relative to the grid, seconds.
    offset: f64,
    /// Onsets on the beats themselves are on time.
    on_time: bool,
}

impl Part {
    fn is_regular(&self) -> bool {
        self.coherence > 0.33
    }
}

fn agreement(evidence: &Evidence, line: Line, cells_per_beat: usize) -> Agreement {
    const TOLERANCE: f64 = 0.010;
    let parts = parts(evidence, line, cells_per_beat);
    let weights: Vec<f64> = parts.iter().map(|part| part.weight).collect();
    let eventful = |part: &&Part| part.weight > 0.35 * dsp::median(&weights);
    let offsets: Vec<f64> = parts
        .iter()
        .filter(eventful)
        .filter(|part| part.is_regular())
        .map(|part| part.offset)
        .collect();
    let common = dsp::median(&offsets);
    let agrees = |part: &Part| {
        part.on_time || (part.is_regular() && (part.offset - common).abs() < TOLERANCE)
    };
    let total = weights.iter().sum::<f64>() + 1e-9;
    let share = |chosen: &dyn Fn(&Part) -> bool| {
        let chosen = parts.iter().filter(|part| chosen(part));
        chosen.map(|part| part.weight).sum::<f64>() / total
    };
    let counted = parts.iter().filter(eventful).count().max(1);
    let agreeing = parts.iter().filter(eventful).filter(|p| agrees(p)).count();
    Agreement {
        parts: agreeing as f64 / counted as f64,
        agreeing: share(&agrees),
        disagreeing: share(&|part| part.is_regular() && !agrees(part)),
    }
}

fn parts(evidence: &Evidence, line: Line, cells_per_beat: usize) -> Vec<Part> {
    const COUNT: usize = 10;
    /// Beats may carry onsets this far off and still be looked at.
    const REACH: f64 = 0.045;
    let sightings = gather(evidence, line, REACH);
    let divisions: &[f64] = if cells_per_beat == 3 {
        &[1.0, 3.0]
    } else {
        &[1.0, 2.0, 4.0]
    };
    (0..COUNT)
        .map(|index| {
            let bound = |index: usize| evidence.length * index as f64 / COUNT as f64;
            let span = bound(index)..bound(index + 1);
            let events: Vec<Event> = evidence
                .events
                .iter()
                .filter(|event| span.contains(&event.at))
                .copied()
                .collect();
            let weight = events.iter().map(|event| event.weight).sum();
            let (coherence, offset) = divisions
                .iter()
                .map(|&division| concentration(&events, line, division))
                .fold(
                    (0.0, 0.0),
                    |best, next| if next.0 > best.0 { next } else { best },
                );
            let offsets: Vec<f64> = sightings
                .iter()
                .filter(|sighting| span.contains(&sighting.at))
                .map(|sighting| sighting.at - line.at(sighting.number))
                .collect();
            Part {
                weight,
                coherence,
                offset,
                on_time: is_on_time(&offsets),
            }
        })
        .collect()
}

/// Resultant length and mean offset (seconds) of events on a grid `division` times as fine.
fn concentration(events: &[Event], line: Line, division: f64) -> (f64, f64) {
    let period = line.period / division;
    let (mut x, mut y, mut total) = (0.0, 0.0, 1e-9);
    for event in events {
        let (sin, cos) = (TAU * (event.at - line.phase) / period).sin_cos();
        x += event.weight * cos;
        y += event.weight * sin;
        total += event.weight;
    }
    (x.hypot(y) / total, y.atan2(x) / TAU * period)
}

/// At least four beats carry onsets, centred within 6 ms and spread no wider.
fn is_on_time(offsets: &[f64]) -> bool {
    const LEAST: usize = 4;
    const TOLERANCE: f64 = 0.006;
    let sizes: Vec<f64> = offsets.iter().map(|offset| offset.abs()).collect();
    offsets.len() >= LEAST
        && dsp::median(offsets).abs() < TOLERANCE
        && dsp::median(&sizes) < TOLERANCE
}

impl Grid {
    pub(super) fn bpm(&self) -> f64 {
        60.0 / self.line.period
    }

    /// The same grid half a beat later.
    pub(super) fn shifted(mut self) -> Self {
        self.line.phase += self.line.period / 2.0;
        self.centre -= 0.5;
        self
    }

    /// Producers like round tempi: takes the nearest half BPM where the measurement allows it and the
    /// far end of the track moves by less than 8 ms.
    pub(super) fn snapped(mut self, length: f64) -> Self {
        const MOST_BPM: f64 = 0.03;
        const LEAST_BPM: f64 = 0.012;
        const MOST_DRIFT: f64 = 0.008;
        let bpm = self.bpm();
        let round = (bpm * 2.0).round() / 2.0;
        let bpm_error = bpm / self.line.period * self.period_error;
        let allowed = (3.0 * bpm_error).clamp(LEAST_BPM, MOST_BPM);
        let period = 60.0 / round;
        let drift = (period - self.line.period).abs() * (length / self.line.period) / 2.0;
        if (round - bpm).abs() < allowed && drift < MOST_DRIFT {
            self.line = Line {
                period,
                phase: self.line.at(self.centre) - period * self.centre,
            };
        }
        self
    }

    /// Beat times while the track sounds (`range`, seconds).
    pub(super) fn beats(&self, sounding: (f64, f64)) -> Vec<f64> {
        const EARLY: f64 = 0.05; // a first beat may sit on the fade-in of its own sound
        let first = (sounding.0 - EARLY).max(0.0);
        self.line
            .numbers(first, sounding.1)
            .map(|number| self.line.at(number as f64).max(0.0))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(period: f64) -> Vec<Event> {
        (0..200)
            .map(|i| Event {
                at: 0.2 + period * f64::from(i),
                weight: 1.0,
            })
            .collect()
    }

    #[test]
    fn the_coherent_rate_is_exact() {
        let rough = coherent_rate(&train(0.4878), 1.0 / 0.483, SEARCH_WIDTH, SEARCH_STEPS);
        let rate = coherent_rate(&train(0.4878), rough, FINE_WIDTH, FINE_STEPS);
        assert!((1.0 / rate - 0.4878).abs() < 2e-6, "{}", 1.0 / rate);
    }

    #[test]
    fn a_nearly_round_tempo_is_rounded_and_others_are_not() {
        let grid = |bpm: f64| Grid {
            line: Line {
                period: 60.0 / bpm,
                phase: 0.1,
            },
            period_error: 1e-5,
            centre: 100.0,
            sightings: 200,
            agreement: Agreement {
                parts: 1.0,
                agreeing: 1.0,
                disagreeing: 0.0,
            },
        };
        for (bpm, snapped) in [(128.004, 128.0), (127.496, 127.5), (128.1, 128.1)] {
            let found = grid(bpm).snapped(100.0).bpm();
            assert!((found - snapped).abs() < 1e-9, "{bpm}: {found}");
        }
        let long = grid(128.011).snapped(700.0).bpm();
        assert!((long - 128.011).abs() < 1e-9, "{long}");
    }
}
