//! Where a track changes its key.

use super::{KEYS, KeyStep, fit, scores};
use crate::harmony::{Key, KeySpan};
use crate::units::Secs;
use std::ops::Range;

/// A key that holds for less is a turn of phrase, not a modulation: eight bars, less the two at
/// the border whose chords may belong to both keys.
const FEWEST_BARS: usize = 6;

/// What a change must gain over all its bars. Four bars of I-vi-IV-V a whole tone away gain 4.5, a
/// semitone away more, a fifth away about 2.
const CHANGE_COST: f32 = 8.5;

/// The relative key has the same notes: a verse that leans on it is not told apart.
const RELATIVE_COST: f32 = 60.0;

/// Steps taken for a bar where bars are unknown: two seconds.
const STEPS_WITHOUT_BARS: usize = 4;

/// Inside a segment, the mode of the whole track is preferred by this much score.
const SAME_MODE: f32 = 0.3;

/// A stretch of steps in one key.
type Run = (Range<usize>, Key);

/// Keys of all stretches of the track in order, without gaps. `main` is the key of the whole.
pub(super) fn segments(steps: &[KeyStep], main: Key) -> Vec<KeySpan> {
    let bars = bars(steps);
    let evidence: Vec<[f32; KEYS]> = bars
        .iter()
        .map(|bar| evidence(steps.get(bar.clone()).unwrap_or_default()))
        .collect();
    let runs = long_runs(&best_path(&evidence), &bars)
        .into_iter()
        .map(|(run, scale)| {
            let key = key_within(scale, steps.get(run.clone()).unwrap_or_default(), main);
            (run, key)
        });
    let runs = joined(runs.collect());
    // A main key that holds nowhere means that the two methods disagree: trust the whole.
    if runs.iter().any(|(_, key)| *key == main) {
        spans(steps, &runs)
    } else {
        spans(steps, &[(0..steps.len(), main)])
    }
}

/// Steps from one bar line to the next.
fn bars(steps: &[KeyStep]) -> Vec<Range<usize>> {
    let barred = steps.iter().any(|step| step.starts_bar);
    let mut starts: Vec<usize> = (0..steps.len())
        .filter(|&index| {
            if barred {
                index == 0 || steps[index].starts_bar
            } else {
                index % STEPS_WITHOUT_BARS == 0
            }
        })
        .collect();
    starts.push(steps.len());
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// How well one bar's chords fit each key.
fn evidence(bar: &[KeyStep]) -> [f32; KEYS] {
    let secs: f32 = bar.iter().map(KeyStep::secs).sum();
    let mut evidence = [0.0; KEYS];
    for step in bar {
        let Some(chord) = step.chord else { continue };
        for (evidence, key) in evidence.iter_mut().zip(Key::all()) {
            *evidence += fit(key, chord) * step.secs() / secs.max(f32::MIN_POSITIVE);
        }
    }
    evidence
}

/// The most likely key (index in [`Key::all`]) of every bar.
fn best_path(evidence: &[[f32; KEYS]]) -> Vec<usize> {
    let keys: Vec<Key> = Key::all().collect();
    let mut total = [0.0; KEYS];
    let mut reached_from: Vec<[usize; KEYS]> = Vec::with_capacity(evidence.len());
    for bar in evidence {
        let mut from = [0; KEYS];
        let before = total;
        for (to, total) in total.iter_mut().enumerate() {
            let (best, value) = (0..KEYS)
                .map(|origin| (origin, before[origin] - change_cost(keys[origin], keys[to])))
                .fold((to, before[to]), |a, b| if b.1 > a.1 { b } else { a });
            from[to] = best;
            *total = value + bar[to];
        }
        reached_from.push(from);
    }
    let mut key = (0..KEYS).fold(0, |a, b| if total[b] > total[a] { b } else { a });
    let mut path = vec![key; evidence.len()];
    for (bar, from) in reached_from.iter().enumerate().rev() {
        path[bar] = key;
        key = from[key];
    }
    path
}

fn change_cost(from: Key, to: Key) -> f32 {
    if from == to {
        0.0
    } else if from.camelot_number() == to.camelot_number() {
        RELATIVE_COST
    } else {
        CHANGE_COST
    }
}

/// Runs of one key, as ranges of steps; what is too short joins the run before it, or the one
/// after when it comes first.
fn long_runs(path: &[usize], bars: &[Range<usize>]) -> Vec<Run> {
    let keys: Vec<Key> = Key::all().collect();
    let mut runs: Vec<(usize, Run)> = Vec::new();
    for (&key, bar) in path.iter().zip(bars) {
        match runs.last_mut() {
            Some((count, (range, last))) if *last == keys[key] => {
                *count += 1;
                range.end = bar.end;
            }
            _ => runs.push((1, (bar.clone(), keys[key]))),
        }
    }
    let mut kept: Vec<(usize, Run)> = Vec::new();
    for (count, (range, key)) in runs {
        match kept.last_mut() {
            Some((_, last)) if count < FEWEST_BARS || last.1 == key => last.0.end = range.end,
            Some((length, last)) if *length < FEWEST_BARS => *last = (last.0.start..range.end, key),
            _ => kept.push((count, (range, key))),
        }
    }
    kept.into_iter().map(|(_, run)| run).collect()
}

/// The key of a run among those that share the notes of `scale`.
fn key_within(scale: Key, run: &[KeyStep], main: Key) -> Key {
    if scale.camelot_number() == main.camelot_number() {
        return main;
    }
    let Some(scores) = scores(run) else {
        return scale;
    };
    Key::all()
        .zip(scores)
        .filter(|(key, _)| key.camelot_number() == scale.camelot_number())
        .map(|(key, score)| {
            (
                key,
                score
                    + if key.mode == main.mode {
                        SAME_MODE
                    } else {
                        0.0
                    },
            )
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(scale, |(key, _)| key)
}

fn joined(runs: Vec<Run>) -> Vec<Run> {
    let mut joined: Vec<Run> = Vec::with_capacity(runs.len());
    for (range, key) in runs {
        match joined.last_mut() {
            Some(last) if last.1 == key => last.0.end = range.end,
            _ => joined.push((range, key)),
        }
    }
    joined
}

fn spans(steps: &[KeyStep], runs: &[Run]) -> Vec<KeySpan> {
    runs.iter()
        .filter_map(|(range, key)| {
            let run = steps.get(range.clone())?;
            Some(KeySpan {
                start: Secs(run.first()?.start),
                end: Secs(run.last()?.end),
                key: *key,
            })
        })
        .collect()
}
