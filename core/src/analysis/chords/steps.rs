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
    let mut marks = beats.map(|beats| marks(beats, length)).unwrap_or_default();
    if marks.len() < FEWEST_BEATS {
        return even_steps(length);
    }
    let per_bar = marks.iter().map(|mark| mark.position).max().unwrap_or(1);
    lead_in(&mut marks, per_bar);
    let mut steps = Vec::with_capacity(marks.len() + 8);
    let ends = marks.iter().skip(1).map(|mark| mark.at).chain([length]);
    for (mark, end) in marks.iter().zip(ends) {
        divide(mark.at, end, mark.place(per_bar), &mut steps);
    }
    steps
}

/// A usable beat.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: f64,
    position: u8,
}

impl Mark {
    fn place(self, per_bar: u8) -> Place {
        let middle = per_bar / 2 + 1;
        match self.position {
            1 => Place::Downbeat,
            position if position == middle && per_bar >= 4 && per_bar.is_multiple_of(2) => {
                Place::MidBar
            }
            _ => Place::Elsewhere,
        }
    }
}

/// The beats inside the sound, in order of time.
fn marks(beats: &Beats, length: f64) -> Vec<Mark> {
    let mut marks: Vec<Mark> = beats
        .beats
        .iter()
        .map(|beat| Mark {
            at: beat.at.0,
            position: beat.position,
        })
        .filter(|mark| (0.0..length - SHORTEST_STEP).contains(&mark.at))
        .collect();
    marks.sort_by(|a, b| a.at.total_cmp(&b.at));
    marks.dedup_by(|later, kept| later.at - kept.at < SHORTEST_STEP);
    marks
}

/// Continues the beats back to the start of the sound: beat trackers begin with the first clear
/// beat, chords before it.
fn lead_in(marks: &mut Vec<Mark>, per_bar: u8) {
    let &[first, second, ..] = marks.as_slice() else {
        return;
    };
    let period = second.at - first.at;
    let missing = ((first.at + SHORTEST_STEP) / period) as usize;
    let per_bar = usize::from(per_bar.max(1));
    let position = usize::from(first.position.max(1)) - 1;
    let before = (1..=missing).rev().map(|count| Mark {
        at: (first.at - count as f64 * period).max(0.0),
        position: ((position + per_bar - count % per_bar) % per_bar) as u8 + 1,
    });
    marks.splice(..0, before.collect::<Vec<_>>());
    // What is left at the front is shorter than a beat: it joins the first when it is very short.
    match marks.first_mut() {
        Some(mark) if mark.at <= SHORTEST_STEP => mark.at = 0.0,
        _ => marks.insert(
            0,
            Mark {
                at: 0.0,
                position: 0,
            },
        ),
    }
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
