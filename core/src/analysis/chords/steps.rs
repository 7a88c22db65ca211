//! The time steps that chords are decided on: beats, or parts of them when they are slow.

use crate::beats::Beats;

/// Beats slower than this (80 BPM) are divided: chords change within them.
const LONGEST_STEP: f64 = 0.75;

/// Where there are no beats.
const STEP_WITHOUT_BEATS: f64 = 0.5;

/// Beats closer than this (400 BPM) are an error; bounds the number of steps.
const SHORTEST_STEP: f64 = 0.15;

/// With fewer beats than one bar the list says nothing.
const FEWEST_BEATS: usize = 4;

/// Where in the bar a step starts: how likely the harmony is to change there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Downbeat,
    /// The middle of an even bar of four beats or more.
    MidBar,
    Elsewhere,
    /// No beats are known.
    Unknown,
}

/// From `start` to the start of the next step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) place: Place,
}

/// Steps that cover 0 to `length` without gaps. `length` is finite and not negative.
pub(super) fn steps(beats: Option<&Beats>, length: f64) -> Vec<Step> {
    let marks = beats.map(|beats| marks(beats, length)).unwrap_or_default();
    if marks.len() < FEWEST_BEATS {
        return even_steps(length);
    }
    let mut steps = Vec::with_capacity(marks.len() + 8);
    // Too short a lead-in joins the first beat.
    if marks[0].0 > SHORTEST_STEP {
        divide(0.0, marks[0].0, Place::Elsewhere, &mut steps);
    }
    let ends = marks.iter().skip(1).map(|mark| mark.0).chain([length]);
    for (&(start, place), end) in marks.iter().zip(ends) {
        divide(start, end, place, &mut steps);
    }
    if let Some(first) = steps.first_mut() {
        first.start = 0.0;
    }
    steps
}

/// Usable beats in order of time, each with its place in the bar.
fn marks(beats: &Beats, length: f64) -> Vec<(f64, Place)> {
    let beats_per_bar = beats.beats.iter().map(|beat| beat.position).max();
    let middle = beats_per_bar
        .filter(|per_bar| per_bar % 2 == 0 && *per_bar >= 4)
        .map(|per_bar| per_bar / 2 + 1);
    let mut marks: Vec<(f64, Place)> = beats
        .beats
        .iter()
        .map(|beat| {
            let place = match beat.position {
                1 => Place::Downbeat,
                position if Some(position) == middle => Place::MidBar,
                _ => Place::Elsewhere,
            };
            (beat.at.0, place)
        })
        .filter(|(at, _)| (0.0..length - SHORTEST_STEP).contains(at))
        .collect();
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    marks.dedup_by(|later, kept| later.0 - kept.0 < SHORTEST_STEP);
    marks
}

fn even_steps(length: f64) -> Vec<Step> {
    let count = (length / STEP_WITHOUT_BEATS).ceil() as usize;
    (0..count)
        .map(|index| Step {
            start: index as f64 * STEP_WITHOUT_BEATS,
            end: ((index + 1) as f64 * STEP_WITHOUT_BEATS).min(length),
            place: Place::Unknown,
        })
        .collect()
}

/// Cuts `start..end` into equal steps that are short enough; only the first keeps the place.
fn divide(start: f64, end: f64, place: Place, steps: &mut Vec<Step>) {
    let parts = ((end - start) / LONGEST_STEP).ceil().max(1.0) as usize;
    let part = (end - start) / parts as f64;
    steps.extend((0..parts).map(|index| Step {
        start: start + index as f64 * part,
        end: if index + 1 == parts {
            end
        } else {
            start + (index + 1) as f64 * part
        },
        place: if index == 0 { place } else { Place::Elsewhere },
    }));
}
