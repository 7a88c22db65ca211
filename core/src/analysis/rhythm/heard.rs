//! Beats that a model heard, made exact: a constant grid where they lie on one, bars by the downbeats, any meter.

use super::elastic;
use super::line::{self, Fit, Line, Sighting};
use crate::analysis::dsp;
use crate::beats::{Beat, Beats, ConstantGrid, TempoAlternative, TempoSegment};
use crate::units::{Bpm, Secs};

/// Tempi that a library may show.
const RANGE: (f64, f64) = (60.0, 200.0);
/// Fewer beats are none.
const LEAST_BEATS: usize = 4;
/// Beats closer than this (600 BPM) are one heard twice, seconds.
const CLOSEST: f64 = 0.1;
/// A model tells time in frames of 20 ms: a beat this close to the grid is on it.
const ON_GRID: f64 = 0.025;
/// Share of beats that must be.
const LEAST_ON_GRID: f64 = 0.85;
/// The parts of a track lie this close to the grid in the middle, or the tempo wanders.
const MOST_WANDERING: f64 = 0.015;
const PARTS: usize = 8;
/// A grid through fewer beats is a guess.
const LEAST_FOR_GRID: usize = 16;
/// A gap of more beats than this is a break, not missed beats.
const LONGEST_BRIDGE: usize = 64;
/// A tag within this share of half or twice the tempo decides the octave.
const TAG_TOLERANCE: f64 = 0.04;
/// Meters that are told.
const METERS: std::ops::RangeInclusive<usize> = 2..=12;
const USUAL_METER: usize = 4;

/// What a model heard, times in seconds and ascending.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    pub beats: &'a [f64],
    pub downbeats: &'a [f64],
    /// 0 to 1, one for each beat; may be missing.
    pub scores: &'a [f32],
}

/// A beat with its number in the count.
#[derive(Debug, Clone, Copy)]
struct Counted {
    number: i64,
    at: f64,
    is_down: bool,
}

/// Grid, bars and tempo of heard beats. `None` for less than four.
pub fn from_heard(heard: Heard<'_>, length: Secs, tag_bpm: Option<f64>) -> Option<Beats> {
    let counted = octave(count(heard)?, tag_bpm)?;
    let fit = constant(&counted, length);
    let bar = meter(&counted);
    let phase = phase(&counted, bar);
    let score = mean_score(heard.scores);
    let times: Vec<(i64, f64)> = match &fit {
        Some(line) => {
            let (first, last) = (counted.first()?, counted.last()?);
            // A line may put its first beat just before the track, and its last just beyond: there is nothing to count.
            let within = line.numbers(0.0, length.0);
            (first.number.max(*within.start())..=last.number.min(*within.end()))
                .map(|number| (number, line.at(number as f64)))
                .collect()
        }
        None => bridged(&counted),
    };
    let times: Vec<(i64, f64)> = strictly_ascending(times);
    let local = BarLines::new(&counted, bar, phase, fit.is_some());
    let beats: Vec<Beat> = times
        .iter()
        .map(|&(number, at)| Beat {
            at: Secs(at),
            position: local.position(number),
        })
        .collect();
    finish(beats, fit, (bar, score))
}

/// Orders, drops doubles, numbers: a gap of about two beats counts as two.
fn count(heard: Heard<'_>) -> Option<Vec<Counted>> {
    let mut times: Vec<f64> = Vec::with_capacity(heard.beats.len());
    for &at in heard.beats {
        if at.is_finite() && times.last().is_none_or(|last| at > last + CLOSEST) {
            times.push(at);
        }
    }
    if times.len() < LEAST_BEATS {
        return None;
    }
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut number = 0;
    let mut counted = Vec::with_capacity(times.len());
    for (index, &at) in times.iter().enumerate() {
        if let Some(before) = index.checked_sub(1) {
            const AROUND: usize = 8;
            let from = before.saturating_sub(AROUND);
            let to = (before + AROUND).min(gaps.len());
            let usual = dsp::median(gaps.get(from..to)?);
            number += ((gaps[before] / usual).round() as i64).max(1);
        }
        let nearest = heard.downbeats.iter().map(|down| (down - at).abs());
        let is_down = nearest.fold(f64::INFINITY, f64::min) < CLOSEST / 2.0;
        counted.push(Counted {
            number,
            at,
            is_down,
        });
    }
    Some(counted)
}

/// The median tempo.
fn tempo(counted: &[Counted]) -> Option<f64> {
    let periods: Vec<f64> = counted
        .windows(2)
        .map(|pair| (pair[1].at - pair[0].at) / (pair[1].number - pair[0].number) as f64)
        .collect();
    let period = dsp::median(&periods);
    (period > 0.0).then(|| 60.0 / period)
}

/// Twice or half as many beats, where the tag says so or where the tempo would be out of range.
fn octave(counted: Vec<Counted>, tag_bpm: Option<f64>) -> Option<Vec<Counted>> {
    let bpm = tempo(&counted)?;
    let fits = |factor: f64| {
        let wanted = bpm * factor;
        let in_range = (RANGE.0..=RANGE.1).contains(&wanted);
        in_range && tag_bpm.is_some_and(|tag| (tag / wanted - 1.0).abs() < TAG_TOLERANCE)
    };
    if fits(1.0) {
        Some(counted)
    } else if fits(2.0) || bpm < RANGE.0 {
        Some(doubled(&counted))
    } else if fits(0.5) || bpm > RANGE.1 {
        Some(halved(&counted))
    } else {
        Some(counted)
    }
}

fn doubled(counted: &[Counted]) -> Vec<Counted> {
    let mut all = Vec::with_capacity(2 * counted.len());
    for (index, beat) in counted.iter().enumerate() {
        let number = beat.number * 2;
        all.push(Counted { number, ..*beat });
        if let Some(next) = counted
            .get(index + 1)
            .filter(|next| next.number == beat.number + 1)
        {
            all.push(Counted {
                number: number + 1,
                at: f64::midpoint(beat.at, next.at),
                is_down: false,
            });
        }
    }
    all
}

/// Keeps the beats on which more bars begin.
fn halved(counted: &[Counted]) -> Vec<Counted> {
    let downs = |parity: i64| {
        let on_it = counted
            .iter()
            .filter(|beat| beat.number.rem_euclid(2) == parity);
        on_it.filter(|beat| beat.is_down).count()
    };
    let parity = i64::from(downs(1) > downs(0));
    counted
        .iter()
        .filter(|beat| beat.number.rem_euclid(2) == parity)
        .map(|beat| Counted {
            number: (beat.number - parity) / 2,
            ..*beat
        })
        .collect()
}

/// Every beat counts as much as any other.
fn sightings(counted: &[Counted]) -> Vec<Sighting> {
    let sighting = |beat: &Counted| Sighting {
        number: beat.number as f64,
        at: beat.at,
        weight: 1.0,
    };
    counted.iter().map(sighting).collect()
}

/// The line on which all beats lie, if there is one.
fn constant(counted: &[Counted], length: Secs) -> Option<Line> {
    if counted.len() < LEAST_FOR_GRID {
        return None;
    }
    let fit: Fit = line::robust(&sightings(counted))?;
    let off = |beat: &Counted| beat.at - fit.line.at(beat.number as f64);
    let near = counted
        .iter()
        .filter(|beat| off(beat).abs() <= ON_GRID)
        .count();
    if (near as f64) < LEAST_ON_GRID * counted.len() as f64 {
        return None;
    }
    let size = counted.len().div_ceil(PARTS);
    let wanders = counted.chunks(size).any(|part| {
        let offs: Vec<f64> = part.iter().map(off).collect();
        part.len() >= LEAST_BEATS && dsp::median(&offs).abs() > MOST_WANDERING
    });
    (!wanders).then(|| line::rounded(fit.line, fit.period_error, fit.centre, length.0))
}

/// Beats per bar, by how far downbeats are from one another.
fn meter(counted: &[Counted]) -> usize {
    let downs: Vec<i64> = counted
        .iter()
        .filter(|beat| beat.is_down)
        .map(|beat| beat.number)
        .collect();
    let mut counts = [0_usize; 13];
    for pair in downs.windows(2) {
        let bar = (pair[1] - pair[0]) as usize;
        if METERS.contains(&bar) {
            counts[bar] += 1;
        }
    }
    let most = METERS.max_by_key(|&bar| (counts[bar], usize::from(bar == USUAL_METER)));
    most.filter(|&bar| counts[bar] > 0).unwrap_or(USUAL_METER)
}

/// Where in the count bars begin, by vote.
fn phase(counted: &[Counted], bar: usize) -> i64 {
    let mut votes = vec![0_usize; bar];
    for beat in counted.iter().filter(|beat| beat.is_down) {
        votes[beat.number.rem_euclid(bar as i64) as usize] += 1;
    }
    let best = (0..bar).rev().max_by_key(|&phase| votes[phase]);
    best.unwrap_or(0) as i64
}

/// Which beat of its bar a beat is.
struct BarLines {
    bar: i64,
    phase: i64,
    /// Downbeats that another one bears out; empty where one count holds throughout.
    downs: Vec<i64>,
}

impl BarLines {
    /// Share of downbeats that must agree for one count to hold throughout. A DJ's grid has one count.
    const ONE_COUNT: f64 = 0.75;

    fn new(counted: &[Counted], bar: usize, phase: i64, is_grid: bool) -> Self {
        let bar = bar as i64;
        let downs: Vec<i64> = counted
            .iter()
            .filter(|beat| beat.is_down)
            .map(|beat| beat.number)
            .collect();
        let agreeing = downs
            .iter()
            .filter(|down| (*down - phase).rem_euclid(bar) == 0)
            .count();
        let one_count = is_grid || agreeing as f64 >= Self::ONE_COUNT * downs.len() as f64;
        let borne_out = |index: usize| {
            let down = downs[index];
            let neighbours = [index.checked_sub(1), Some(index + 1)];
            neighbours
                .into_iter()
                .flatten()
                .filter_map(|other| downs.get(other))
                .any(|other| (other - down).rem_euclid(bar) == 0)
        };
        let kept = (0..downs.len()).filter(|&index| !one_count && borne_out(index));
        Self {
            bar,
            phase,
            downs: kept.map(|index| downs[index]).collect(),
        }
    }

    fn position(&self, number: i64) -> u8 {
        let before = self.downs.partition_point(|down| *down <= number);
        let from = before
            .checked_sub(1)
            .and_then(|index| self.downs.get(index))
            .or(self.downs.first())
            .unwrap_or(&self.phase);
        ((number - from).rem_euclid(self.bar) + 1) as u8
    }
}

/// Beats of a tempo that breathes: each on the line through its neighbours, missed ones filled in.
fn bridged(counted: &[Counted]) -> Vec<(i64, f64)> {
    const NEIGHBOURS: usize = 2;
    const LARGEST_MOVE: f64 = 0.02; // seconds: one frame
    let smooth = |index: usize| {
        let from = index.saturating_sub(NEIGHBOURS);
        let to = (index + NEIGHBOURS + 1).min(counted.len());
        let near = counted.get(from..to).unwrap_or_default();
        let beat = counted[index];
        let smoothed = line::through(&sightings(near)).map(|line| line.at(beat.number as f64));
        let smoothed = smoothed.filter(|at| (at - beat.at).abs() <= LARGEST_MOVE);
        (beat.number, smoothed.unwrap_or(beat.at).max(0.0))
    };
    let mut all: Vec<(i64, f64)> = Vec::with_capacity(counted.len());
    for index in 0..counted.len() {
        let (number, at) = smooth(index);
        if let Some(&(last, before)) = all.last() {
            let missed = (number - last - 1) as usize;
            if missed <= LONGEST_BRIDGE {
                let step = (at - before) / (missed + 1) as f64;
                all.extend(
                    (1..=missed).map(|count| (last + count as i64, before + step * count as f64)),
                );
            }
        }
        all.push((number, at));
    }
    all
}

fn strictly_ascending(times: Vec<(i64, f64)>) -> Vec<(i64, f64)> {
    let mut kept: Vec<(i64, f64)> = Vec::with_capacity(times.len());
    for (number, at) in times {
        if kept.last().is_none_or(|(_, last)| at > last + 1e-3) {
            kept.push((number, at));
        }
    }
    kept
}

fn mean_score(scores: &[f32]) -> f32 {
    if scores.is_empty() {
        return 0.5;
    }
    (scores.iter().sum::<f32>() / scores.len() as f32).clamp(0.0, 1.0)
}

fn finish(beats: Vec<Beat>, line: Option<Line>, (bar, score): (usize, f32)) -> Option<Beats> {
    /// What the other octaves get of the confidence.
    const ALTERNATIVE: f32 = 0.3;
    let first = beats.first()?.at;
    let first_downbeat = beats
        .iter()
        .find(|beat| beat.position == 1)
        .map_or(first, |beat| beat.at);
    let segment = |start: Secs, bpm: f64| TempoSegment {
        start,
        bpm: Bpm(bpm),
        beats_per_bar: bar as u8,
    };
    let times: Vec<f64> = beats.iter().map(|beat| beat.at.0).collect();
    let (bpm, grid, segments) = if let Some(line) = line {
        let bpm = 60.0 / line.period;
        let grid = ConstantGrid {
            bpm: Bpm(bpm),
            first_beat: first,
            first_downbeat,
        };
        (bpm, Some(grid), vec![segment(first, bpm)])
    } else {
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let bpm = 60.0 / dsp::median(&gaps);
        let segments = elastic::segments(&times);
        let segments = segments
            .into_iter()
            .map(|(index, bpm)| segment(beats[index].at, bpm));
        (bpm, None, segments.collect())
    };
    let alternatives = [bpm * 2.0, bpm / 2.0]
        .into_iter()
        .filter(|other| (RANGE.0..=RANGE.1).contains(other))
        .map(|other| TempoAlternative {
            bpm: Bpm(other),
            confidence: score * ALTERNATIVE,
        });
    Some(Beats {
        grid,
        segments,
        bpm: Bpm(bpm),
        confidence: score,
        alternatives: alternatives.collect(),
        beats,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beats as a model tells them: on frames of 20 ms.
    fn frames(times: impl Iterator<Item = f64>) -> Vec<f64> {
        times.map(|at| (at * 50.0).round() / 50.0).collect()
    }

    fn even(bpm: f64, first: f64, count: usize) -> Vec<f64> {
        frames((0..count).map(|index| first + 60.0 / bpm * index as f64))
    }

    fn every(beats: &[f64], bar: usize, from: usize) -> Vec<f64> {
        beats.iter().skip(from).step_by(bar).copied().collect()
    }

    fn read(beats: &[f64], downbeats: &[f64], tag: Option<f64>) -> Option<Beats> {
        let heard = Heard {
            beats,
            downbeats,
            scores: &[],
        };
        from_heard(heard, Secs(beats.last().copied().unwrap_or(0.0) + 1.0), tag)
    }

    #[test]
    fn a_constant_tempo_is_found_to_a_hundredth_through_frames_of_20_ms() {
        for bpm in [87.31, 120.0, 123.45, 128.02, 174.0] {
            let beats = even(bpm, 0.41, 400);
            let found = read(&beats, &every(&beats, 4, 1), None).unwrap();
            assert!((found.bpm.0 - bpm).abs() < 0.011, "{bpm}: {}", found.bpm.0);
            let grid = found.grid.unwrap();
            // Where the period is a whole number of frames, all beats are off by the same half frame.
            assert!((grid.first_beat.0 - 0.41).abs() <= 0.0101, "{grid:?}");
            assert_eq!(found.beats.len(), 400);
            assert_eq!(found.beats[0].position, 4, "{bpm}");
        }
    }

    #[test]
    fn the_meter_is_the_one_that_was_heard() {
        for bar in [3, 4, 5, 7] {
            let beats = even(110.0, 0.2, 211);
            let mut downs = every(&beats, bar, 0);
            downs.remove(5);
            let found = read(&beats, &downs, None).unwrap();
            assert_eq!(usize::from(found.segments[0].beats_per_bar), bar);
            let positions: Vec<u8> = found
                .beats
                .iter()
                .take(bar + 1)
                .map(|beat| beat.position)
                .collect();
            let expected: Vec<u8> = (1..=bar as u8).chain([1]).collect();
            assert_eq!(positions, expected);
        }
    }

    #[test]
    fn missed_and_doubled_beats_do_not_move_the_grid() {
        let whole = even(126.0, 0.1, 300);
        let mut beats: Vec<f64> = whole
            .iter()
            .enumerate()
            .filter(|(index, _)| index % 13 != 5)
            .map(|(_, at)| *at)
            .collect();
        beats.insert(40, beats[40] - 0.04);
        let found = read(&beats, &[], None).unwrap();
        assert!((found.bpm.0 - 126.0).abs() < 0.01, "{}", found.bpm.0);
        assert_eq!(found.beats.len(), 300);
    }

    #[test]
    fn the_tag_decides_the_octave_and_the_range_bounds_it() {
        let slow = even(87.0, 0.3, 200);
        assert!(
            (read(&slow, &every(&slow, 4, 0), Some(174.0)).unwrap().bpm.0 - 174.0).abs() < 0.05
        );
        assert!((read(&slow, &[], Some(120.0)).unwrap().bpm.0 - 87.0).abs() < 0.05);
        let fast = even(170.0, 0.3, 200);
        assert!((read(&fast, &[], Some(85.0)).unwrap().bpm.0 - 85.0).abs() < 0.05);
        let very_slow = even(50.0, 0.3, 100);
        assert!((read(&very_slow, &[], None).unwrap().bpm.0 - 100.0).abs() < 0.05);
        let very_fast = even(240.0, 0.3, 400);
        assert!((read(&very_fast, &[], None).unwrap().bpm.0 - 120.0).abs() < 0.05);
    }

    #[test]
    fn a_tempo_that_moves_is_not_called_constant() {
        let mut at = 0.5;
        let beats = frames((0..200).map(|index| {
            at += 60.0 / (120.0 + 10.0 * f64::from(index) / 200.0);
            at
        }));
        let found = read(&beats, &every(&beats, 4, 0), None).unwrap();
        assert_eq!(found.grid, None);
        assert!(found.segments.len() > 1);
        for (beat, truth) in found.beats.iter().zip(&beats) {
            assert!((beat.at.0 - truth).abs() < 0.021);
        }
    }

    #[test]
    fn nothing_heard_is_no_rhythm() {
        assert_eq!(read(&[], &[], None), None);
        assert_eq!(read(&[1.0, 1.5, 2.0], &[], None), None);
    }
}
