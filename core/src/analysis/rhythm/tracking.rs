//! Follows beats through the track: the bar-pointer model of Whiteley, Cemgil & Godsill (ISMIR 2006)
//! with the tempo moving only at beats (Krebs, Böck & Widmer, ISMIR 2015), for one beat at a time.
//!
//! Because the tempo is fixed between beats, the best path needs to be known only where a beat begins:
//! a semi-Markov chain over (beat frame, interval) whose observations come from prefix sums.

use super::onsets::FPS;
use crate::control::{Cancelled, Control};

/// The first 1/16 of a beat carries the onset, the rest is expected to be quiet.
const BEAT_SHARE: usize = 16;
/// Activations of exactly 0 or 1 would forbid paths.
const LEAST_ACTIVATION: f64 = 1e-4;
/// Frames between two looks at the cancel flag: under 10 ms of work.
const FRAMES_PER_CHECK: usize = 512;

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// Frames between beats.
    pub(super) shortest: usize,
    pub(super) longest: usize,
    /// Cost of a relative change of the interval from one beat to the next.
    pub(super) rigidity: f64,
}

impl Search {
    /// Beats around `bpm`, faster or slower by the factor `1 + width`.
    pub(super) fn around(bpm: f64, width: f64, rigidity: f64) -> Self {
        let period = 60.0 * FPS / bpm;
        Self {
            shortest: (period / (1.0 + width)).floor().max(2.0) as usize,
            longest: (period * (1.0 + width)).ceil().max(3.0) as usize,
            rigidity,
        }
    }
}

/// The most likely beats.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// Seconds, ascending.
    pub(super) beats: Vec<f64>,
    /// Log likelihood per frame; comparable between searches of one activation.
    pub(super) score: f64,
}

/// Log likelihood per frame of evenly spaced beats, on the same scale as [`Path::score`].
pub(super) fn score_even(heard: &Observations, beats: impl Iterator<Item = f64>) -> f64 {
    let mut frames = beats.map(|beat| (beat * FPS).round() as isize);
    let Some(mut from) = frames.next() else {
        return f64::NEG_INFINITY;
    };
    let mut score = 0.0;
    for to in frames {
        score += heard.beat(from, (to - from).max(1) as usize);
        from = to;
    }
    score / heard.frames.max(1) as f64
}

/// Tracks the most likely beats.
pub(super) fn track(
    heard: &Observations,
    search: Search,
    control: &Control,
) -> Result<Path, Cancelled> {
    let frames = heard.frames;
    let lattice = Lattice::new(heard, search);
    let count = lattice.intervals.len();
    let longest = search.longest.max(1);
    // Best log likelihood of a path on which a beat with this interval begins, by frame.
    let mut begun = Ring::new(longest, count);
    let mut arrivals = vec![0.0; count];
    let mut previous = vec![0_u16; frames * count];
    for frame in 1..frames {
        if frame % FRAMES_PER_CHECK == 0 {
            control.check()?;
        }
        for (index, arrival) in arrivals.iter_mut().enumerate() {
            let start = frame as isize - lattice.intervals[index] as isize;
            *arrival =
                begun.get(start, index) + lattice.heard.beat(start, lattice.intervals[index]);
        }
        let from = &mut previous[frame * count..(frame + 1) * count];
        lattice.advance(&arrivals, begun.row_mut(frame), from);
    }
    control.check()?;
    let (score, end) = lattice.finish(&begun);
    Ok(Path {
        beats: lattice.trace_back(&previous, end),
        score: score / frames.max(1) as f64,
    })
}

/// Observations and transitions of one search.
struct Lattice<'a> {
    heard: &'a Observations,
    intervals: Vec<usize>,
    /// `changes[from * n + to]`: log probability of the next interval.
    changes: Vec<f64>,
    /// Log likelihood of any one state at the start.
    start: f64,
}

impl<'a> Lattice<'a> {
    fn new(heard: &'a Observations, search: Search) -> Self {
        let intervals: Vec<usize> = (search.shortest..=search.longest).collect();
        let states: usize = intervals.iter().sum();
        Self {
            heard,
            changes: changes(&intervals, search.rigidity),
            start: -(states.max(1) as f64).ln(),
            intervals,
        }
    }

    /// Best arrival for every next interval.
    fn advance(&self, arrivals: &[f64], next: &mut [f64], from: &mut [u16]) {
        next.fill(f64::NEG_INFINITY);
        let rows = self.changes.chunks_exact(arrivals.len().max(1));
        for (index, (arrival, row)) in arrivals.iter().zip(rows).enumerate() {
            for ((next, from), change) in next.iter_mut().zip(from.iter_mut()).zip(row) {
                let score = arrival + change;
                if score > *next {
                    *next = score;
                    *from = index as u16;
                }
            }
        }
    }

    /// The best last beat: the one still sounding when the track ends.
    fn finish(&self, begun: &Ring) -> (f64, (isize, usize)) {
        let mut best = (f64::NEG_INFINITY, (0, 0));
        for (index, &interval) in self.intervals.iter().enumerate() {
            for back in 1..=interval {
                let start = self.heard.frames as isize - back as isize;
                let score = begun.get(start, index) + self.heard.beat(start, interval);
                if score > best.0 {
                    best = (score, (start, index));
                }
            }
        }
        (best.0 + self.start, best.1)
    }

    /// Beat times, walking back from the last.
    fn trace_back(&self, previous: &[u16], (mut start, mut index): (isize, usize)) -> Vec<f64> {
        let mut beats = Vec::new();
        while start >= 0 {
            beats.push(start as f64 / FPS);
            if start == 0 {
                break;
            }
            index = usize::from(previous[start as usize * self.intervals.len() + index]);
            start -= self.intervals[index] as isize;
        }
        beats.reverse();
        beats
    }
}

/// Prefix sums of the log likelihood of every frame.
#[derive(Debug)]
pub(super) struct Observations {
    frames: usize,
    /// That a beat begins here, and that none does.
    onset: Vec<f64>,
    rest: Vec<f64>,
}

impl Observations {
    pub(super) fn new(activation: &[f32]) -> Self {
        let clamped = |&a: &f32| f64::from(a).clamp(LEAST_ACTIVATION, 1.0 - LEAST_ACTIVATION);
        let sums = |term: &dyn Fn(f64) -> f64| {
            let mut sum = 0.0;
            let mut sums = vec![0.0];
            sums.extend(activation.iter().map(clamped).map(|a| {
                sum += term(a);
                sum
            }));
            sums
        };
        Self {
            frames: activation.len(),
            onset: sums(&f64::ln),
            rest: sums(&|a| ((1.0 - a) / (BEAT_SHARE - 1) as f64).ln()),
        }
    }

    /// Log likelihood of what is heard during the beat that begins at frame `start`, as far as it
    /// lies inside the track.
    fn beat(&self, start: isize, interval: usize) -> f64 {
        let inside = |frame: isize| frame.clamp(0, self.frames as isize) as usize;
        let begin = inside(start);
        let onset_end = inside(start + interval.div_ceil(BEAT_SHARE) as isize);
        let end = inside(start + interval as isize);
        self.onset[onset_end] - self.onset[begin] + self.rest[end] - self.rest[onset_end]
    }
}

/// Log probabilities `exp(-rigidity * |to / from - 1|)`, normalised over `to`.
fn changes(intervals: &[usize], rigidity: f64) -> Vec<f64> {
    let mut table = Vec::with_capacity(intervals.len() * intervals.len());
    for &from in intervals {
        let cost = |&to: &usize| -rigidity * (to as f64 / from as f64 - 1.0).abs();
        let sum: f64 = intervals.iter().map(|to| cost(to).exp()).sum();
        table.extend(intervals.iter().map(|to| cost(to) - sum.ln()));
    }
    table
}

/// The last `rows` frames of path scores. Beats that began before the track are free.
struct Ring {
    rows: usize,
    width: usize,
    scores: Vec<f64>,
}

impl Ring {
    fn new(rows: usize, width: usize) -> Self {
        Self {
            rows,
            width,
            scores: vec![0.0; rows * width],
        }
    }

    fn get(&self, frame: isize, index: usize) -> f64 {
        let Ok(frame) = usize::try_from(frame) else {
            return 0.0;
        };
        self.scores[frame % self.rows * self.width + index]
    }

    fn row_mut(&mut self, frame: usize) -> &mut [f64] {
        let row = frame % self.rows * self.width;
        &mut self.scores[row..row + self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_that_speeds_up_is_followed() {
        let mut truth = vec![30_usize];
        for beat in 0..60 {
            let interval = 55 - beat / 10;
            truth.push(truth[beat] + interval);
        }
        let mut activation = vec![0.02_f32; truth[60] + 40];
        for &frame in &truth {
            activation[frame] = 0.9;
            activation[frame + 1] = 0.6;
        }
        let search = Search::around(114.0, 0.15, 60.0);
        let path = track(&Observations::new(&activation), search, &Control::default()).unwrap();
        for &frame in &truth[2..58] {
            let near = path
                .beats
                .iter()
                .map(|beat| (beat * FPS - frame as f64).abs())
                .fold(f64::MAX, f64::min);
            assert!(near <= 3.0, "{frame}: {near}");
        }
    }

    #[test]
    fn any_length_is_tracked() {
        for length in [0, 1, 2, 30, 49, 50, 51, 130] {
            let path = track(
                &Observations::new(&vec![0.1; length]),
                Search::around(120.0, 0.1, 100.0),
                &Control::default(),
            )
            .unwrap();
            assert!(path.beats.is_sorted(), "{length}");
            assert!(path.beats.iter().all(|&beat| beat <= length as f64 / FPS));
        }
    }
}
