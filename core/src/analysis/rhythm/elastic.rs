//! Beats that breathe: tracked beats moved onto their onsets, and the tempo as a chain of segments.

use super::fine_onsets::{Envelope, REACH};
use super::line::{self, Sighting};

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
    ascending(refined)
}

/// Drops beats that do not come after the one before.
fn ascending(beats: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut kept: Vec<f64> = Vec::new();
    for beat in beats {
        if kept.last().is_none_or(|last| beat > last + 1e-3) {
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
}
