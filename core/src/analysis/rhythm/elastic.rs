//! Beats that breathe: tracked beats moved onto their onsets, and the tempo as a chain of segments.

use super::fine_onsets::{Envelope, REACH};
use super::line::{self, Line, Sighting};

/// Neighbours on each side that a beat is smoothed over.
const NEIGHBOURS: usize = 2;
/// A smoothed beat stays this close to the tracked one, in seconds.
const LARGEST_MOVE: f64 = 0.04;
/// Within a segment beats lie this close to even spacing, in seconds.
const EVENNESS: f64 = 0.012;
/// A segment is at least this many beats long where the tempo allows.
const LEAST_BEATS: usize = 4;

/// Moves beats to where onsets say they are, each on a line through it and its neighbours.
pub(super) fn refine(envelope: &Envelope, beats: &[f64]) -> Vec<f64> {
    let onsets: Vec<Option<f64>> = beats
        .iter()
        .map(|&beat| envelope.onset_near(beat, REACH).map(|onset| onset.at))
        .collect();
    let refined = (0..beats.len()).map(|index| {
        let from = index.saturating_sub(NEIGHBOURS);
        let to = (index + NEIGHBOURS + 1).min(beats.len());
        let sightings: Vec<Sighting> = (from..to)
            .filter_map(|number| {
                Some(Sighting {
                    number: number as f64,
                    at: onsets[number]?,
                    weight: 1.0,
                })
            })
            .collect();
        let tracked = beats[index];
        match line::through(&sightings) {
            Some(line) if sightings.len() > NEIGHBOURS => {
                let smoothed = line.at(index as f64);
                if (smoothed - tracked).abs() < LARGEST_MOVE {
                    smoothed.max(0.0)
                } else {
                    tracked
                }
            }
            _ => tracked,
        }
    });
    ascending(refined, 1e-3)
}

/// Drops beats that come less than `gap` seconds after the one before.
fn ascending(beats: impl Iterator<Item = f64>, gap: f64) -> Vec<f64> {
    let mut kept: Vec<f64> = Vec::new();
    for beat in beats {
        if kept.last().is_none_or(|last| beat > last + gap) {
            kept.push(beat);
        }
    }
    kept
}

/// Cuts beats into runs of even spacing: indices at which a new tempo begins, the first 0, and the tempo.
pub(super) fn segments(beats: &[f64]) -> Vec<(usize, f64)> {
    let mut cuts = Vec::new();
    let mut start = 0;
    while start + 1 < beats.len() {
        let end = longest_even_run(beats, start);
        let period = (beats[end] - beats[start]) / (end - start) as f64;
        cuts.push((start, 60.0 / period));
        start = end;
    }
    cuts
}

/// The furthest beat that a line from beat `start` reaches with every beat between in tolerance.
fn longest_even_run(beats: &[f64], start: usize) -> usize {
    let mut reached = start + 1;
    // The slopes that keep every beat so far within tolerance form an interval.
    let (mut least, mut most) = (0.0_f64, f64::INFINITY);
    for end in start + 1..beats.len() {
        let count = (end - start) as f64;
        let slope = (beats[end] - beats[start]) / count;
        if slope >= least && slope <= most {
            reached = end;
        } else if end - start >= LEAST_BEATS {
            break;
        }
        least = least.max(slope - EVENNESS / count);
        most = most.min(slope + EVENNESS / count);
        if least > most {
            break;
        }
    }
    reached
}

/// Where the tempo steps from one steady value to another, trackers stumble, most of all in a
/// breakdown. Continues the steady beats on both sides to a beat that they share.
pub(super) fn bridge_steps(beats: &[f64]) -> Vec<f64> {
    let mut bridged: Vec<f64> = Vec::with_capacity(beats.len());
    let mut copied = 0;
    for pair in steady_runs(beats).windows(2) {
        let [before, after] = pair else { continue };
        let Some(joint) = shared_beat(before, after) else {
            continue;
        };
        bridged.extend(beats.iter().take(before.end).skip(copied));
        let last = beats[before.end - 1];
        let until_joint = before.line.numbers(last, joint + EVENNESS);
        bridged.extend(until_joint.map(|n| before.line.at(n as f64)));
        let until_steady = after.line.numbers(joint + EVENNESS, beats[after.start]);
        bridged.extend(until_steady.map(|n| after.line.at(n as f64)));
        copied = after.start;
    }
    bridged.extend(beats.iter().skip(copied));
    // Half a fast beat: what lies closer was continued and tracked.
    ascending(bridged.into_iter(), 0.15)
}

/// A long run of even beats.
struct Run {
    line: Line,
    /// Indices of its beats.
    start: usize,
    end: usize,
}

fn steady_runs(beats: &[f64]) -> Vec<Run> {
    const LEAST: usize = 24; // beats: live playing is never that even
    let mut starts: Vec<usize> = segments(beats)
        .into_iter()
        .map(|(start, _)| start)
        .collect();
    starts.push(beats.len().saturating_sub(1));
    starts
        .windows(2)
        .filter(|pair| pair[1] - pair[0] >= LEAST)
        .filter_map(|pair| {
            let (start, end) = (pair[0], pair[1] + 1);
            let sightings: Vec<Sighting> = (start..end)
                .map(|index| Sighting {
                    number: (index - start) as f64,
                    at: beats[index],
                    weight: 1.0,
                })
                .collect();
            let line = line::robust(&sightings)?.line;
            Some(Run { line, start, end })
        })
        .collect()
}

/// The first time after `before` at which both lines have a beat; `None` unless the tempi differ.
fn shared_beat(before: &Run, after: &Run) -> Option<f64> {
    const LEAST_STEP: f64 = 0.04;
    const TOLERANCE: f64 = 0.02; // seconds
    let ratio = before.line.period / after.line.period;
    if (ratio.ln()).abs() < LEAST_STEP {
        return None;
    }
    let last = before.line.at((before.end - 1 - before.start) as f64);
    let first = after.line.at(0.0);
    before
        .line
        .numbers(last - EVENNESS, first + EVENNESS)
        .map(|number| before.line.at(number as f64))
        .find(|&at| after.line.offset(at).abs() < TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_beats_are_one_segment_and_a_step_makes_two() {
        let even: Vec<f64> = (0..50).map(|i| 0.1 + 0.5 * f64::from(i)).collect();
        assert_eq!(segments(&even), [(0, 120.0)]);
        let mut step = even.clone();
        let last = even[49];
        step.extend((1..=50).map(|i| last + 0.4 * f64::from(i)));
        let found = segments(&step);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1].0, 49);
        assert!((found[1].1 - 150.0).abs() < 1e-6);
        assert!(segments(&[1.0]).is_empty());
    }

    #[test]
    fn a_step_lost_in_a_breakdown_is_bridged() {
        let mut truth: Vec<f64> = (0..60).map(|i| 0.5 * f64::from(i)).collect();
        let step = truth[59];
        truth.extend((1..=60).map(|i| step + 0.4 * f64::from(i)));
        let mut tracked = truth.clone();
        tracked.drain(60..66);
        tracked.splice(60..60, [step + 0.55, step + 1.1, step + 1.7, step + 2.1]);
        let bridged = bridge_steps(&tracked);
        assert_eq!(bridged.len(), truth.len());
        for (at, expected) in bridged.iter().zip(&truth) {
            assert!((at - expected).abs() < 1e-6, "{at} {expected}");
        }
        let live: Vec<f64> = (0..100)
            .map(|i| 0.5 * f64::from(i) + 0.05 * (f64::from(i) / 7.0).sin())
            .collect();
        assert_eq!(bridge_steps(&live), live);
    }
}
