//! A constant grid: one tempo and one offset that hold from the first to the last beat, if there is one.

use super::evidence::Evidence;
use super::fine_onsets::Event;
use super::line::{self, Fit, Line, Sighting};
use super::onsets::FPS;
use super::tracking;
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
    /// Log likelihood per frame under the beat model.
    pub(super) score: f64,
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

/// Fits a grid through tracked `beats` (seconds) of about `period`: the onsets, fine or rough,
/// propose tempi, the beat model chooses.
pub(super) fn fit(
    evidence: &Evidence,
    beats: &[f64],
    period: f64,
    cells_per_beat: usize,
) -> Option<Grid> {
    const LEAST_BEATS: usize = 12;
    const LEAST_EVENTS: usize = 16;
    if beats.len() <= LEAST_BEATS {
        return None;
    }
    let bpm = 60.0 / period;
    let mut rates = vec![bpm.floor() / 60.0, bpm.ceil() / 60.0];
    for events in [&evidence.events, &rough_events(evidence)] {
        if events.len() > LEAST_EVENTS {
            rates.extend(coherent_rates(events, 1.0 / period));
        }
    }
    rates
        .into_iter()
        .filter(|&rate| rate > 0.0)
        .filter_map(|rate| {
            let line = Line {
                period: 1.0 / rate,
                phase: phase(evidence, beats, 1.0 / rate),
            };
            settle(evidence, line, cells_per_beat)
        })
        .max_by(|a, b| a.score.total_cmp(&b.score))
}

/// The likeliest beat rates (Hz) around `rate`, each found roughly, then finely.
fn coherent_rates(events: &[Event], rate: f64) -> Vec<f64> {
    const MOST: usize = 3;
    const DISTANCE: usize = 8; // steps: 0.04 %
    let (from, step) = search(rate, SEARCH_WIDTH, SEARCH_STEPS);
    let coherence = coherence(events, from, step, SEARCH_STEPS);
    let mut peaks = dsp::peaks(&coherence, DISTANCE);
    peaks.sort_by(|&a, &b| coherence[b].total_cmp(&coherence[a]));
    peaks.truncate(MOST);
    peaks
        .into_iter()
        .map(|peak| coherent_rate(events, from + step * peak as f64))
        .collect()
}

/// The exact rate of one peak.
fn coherent_rate(events: &[Event], rate: f64) -> f64 {
    let (from, step) = search(rate, FINE_WIDTH, FINE_STEPS);
    let coherence = coherence(events, from, step, FINE_STEPS);
    let best = (0..FINE_STEPS).max_by(|&a, &b| coherence[a].total_cmp(&coherence[b]));
    from + step * best.unwrap_or(FINE_STEPS / 2) as f64
}

/// First rate and step of a search to both sides.
fn search(rate: f64, width: f64, steps: usize) -> (f64, f64) {
    let step = 2.0 * rate * width / (steps - 1) as f64;
    (rate * (1.0 - width), step)
}

/// Moves the line onto the fine onsets near its beats.
fn settle(evidence: &Evidence, mut line: Line, cells_per_beat: usize) -> Option<Grid> {
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
        score: score(evidence, line),
    })
}

/// Peaks of the activation: less exact than fine onsets, but there where noise hides those.
fn rough_events(evidence: &Evidence) -> Vec<Event> {
    const DISTANCE: usize = 6; // frames
    const LEAST: f32 = 0.1;
    dsp::peaks(&evidence.activation, DISTANCE)
        .into_iter()
        .filter(|&frame| evidence.activation[frame] > LEAST)
        .map(|frame| Event {
            at: dsp::refine_peak(&evidence.activation, frame) / FPS,
            weight: f64::from(evidence.activation[frame]),
        })
        .collect()
}

/// Log likelihood per frame of even beats on the line or half way between: which of the two is the
/// beat is not the question here.
fn score(evidence: &Evidence, line: Line) -> f64 {
    /// Activation rises some milliseconds before the attack, more for soft ones; seconds.
    const AHEAD: [f64; 3] = [0.0, 0.008, 0.016];
    let places = [0.0, line.period / 2.0];
    let lines = places.into_iter().flat_map(|later| {
        AHEAD.map(|ahead| Line {
            phase: line.phase + later - ahead,
            ..line
        })
    });
    lines
        .map(|line| {
            let numbers = line.numbers(-line.period, evidence.length + line.period);
            tracking::score_even(
                &evidence.heard,
                numbers.map(|number| line.at(number as f64)),
            )
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

/// Time of a beat: where the tracked beats agree, else where the beat model likes it best.
fn phase(evidence: &Evidence, beats: &[f64], period: f64) -> f64 {
    const CLEAR: f64 = 0.7; // resultant length
    const STEPS: i32 = 64;
    let (x, y) = beats
        .iter()
        .map(|beat| (TAU * beat / period).sin_cos())
        .fold((0.0, 0.0), |(x, y), (sin, cos)| (x + cos, y + sin));
    let mean = y.atan2(x) / TAU * period;
    if x.hypot(y) / beats.len() as f64 > CLEAR {
        return mean;
    }
    let at = |step: i32| Line {
        period,
        phase: mean + period * f64::from(step) / f64::from(STEPS),
    };
    let scored = (0..STEPS).map(|step| (at(step).phase, score(evidence, at(step))));
    scored
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(mean, |best| best.0)
}

/// How well the onsets add up at each beat rate, together with their halves and quarters.
fn coherence(events: &[Event], from: f64, step: f64, steps: usize) -> Vec<f32> {
    const MULTIPLES: [(i32, f64); 3] = [(1, 1.0), (2, 0.7), (4, 0.5)];
    let mut coherence = vec![0.0_f32; steps];
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
            *coherence += (weight * x.hypot(y)) as f32;
        }
    }
    coherence
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

    /// The same grid a share of a beat later.
    pub(super) fn shifted(mut self, share: f64) -> Self {
        self.line.phase += self.line.period * share;
        self.centre -= share;
        self
    }

    /// The same grid on a round tempo, where that is as likely.
    pub(super) fn snapped(mut self, length: f64) -> Self {
        self.line = line::rounded(self.line, self.period_error, self.centre, length);
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
        let rate = coherent_rates(&train(0.4878), 1.0 / 0.483)[0];
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
            score: -2.7,
        };
        for (bpm, snapped) in [(128.004, 128.0), (127.496, 127.5), (128.1, 128.1)] {
            let found = grid(bpm).snapped(100.0).bpm();
            assert!((found - snapped).abs() < 1e-9, "{bpm}: {found}");
        }
        let long = grid(128.011).snapped(700.0).bpm();
        assert!((long - 128.011).abs() < 1e-9, "{long}");
    }
}
