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

/// Tracks beats in `activation` (0 to 1 at 100 Hz).
pub(super) fn track(
    activation: &[f32],
    search: Search,
    control: &Control,
) -> Result<Path, Cancelled> {
    let frames = activation.len();
    let lattice = Lattice::new(activation, search);
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
            *arrival = begun.get(start, index) + lattice.observed(start, index);
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
struct Lattice {
    frames: usize,
    intervals: Vec<usize>,
    /// Prefix sums of the log likelihood of "beat" and of "no beat".
    beat: Vec<f64>,
    rest: Vec<f64>,
    /// `changes[from * n + to]`: log probability of the next interval.
    changes: Vec<f64>,
    /// Log likelihood of any one state at the start.
    start: f64,
}

impl Lattice {
    fn new(activation: &[f32], search: Search) -> Self {
        let intervals: Vec<usize> = (search.shortest..=search.longest).collect();
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
        let states: usize = intervals.iter().sum();
        Self {
            frames: activation.len(),
            beat: sums(&f64::ln),
            rest: sums(&|a| ((1.0 - a) / (BEAT_SHARE - 1) as f64).ln()),
            changes: changes(&intervals, search.rigidity),
            start: -(states.max(1) as f64).ln(),
            intervals,
        }
    }

    /// Log likelihood of what is heard during the beat that begins at `start`, as far as it lies
    /// inside the track.
    fn observed(&self, start: isize, index: usize) -> f64 {
        let interval = self.intervals[index];
        let inside = |frame: isize| frame.clamp(0, self.frames as isize) as usize;
        let begin = inside(start);
        let onset_end = inside(start + interval.div_ceil(BEAT_SHARE) as isize);
        let end = inside(start + interval as isize);
        self.beat[onset_end] - self.beat[begin] + self.rest[end] - self.rest[onset_end]
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
                let start = self.frames as isize - back as isize;
                let score = begun.get(start, index) + self.observed(start, index);
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
        let path = track(&activation, search, &Control::default()).unwrap();
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
                &vec![0.1; length],
                Search::around(120.0, 0.1, 100.0),
                &Control::default(),
            )
            .unwrap();
            assert!(path.beats.is_sorted(), "{length}");
            assert!(path.beats.iter().all(|&beat| beat <= length as f64 / FPS));
        }
    }
}
