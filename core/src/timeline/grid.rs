//! Beats and bars as lines, only as dense as can be read; going from one to the next.

use crate::beats::Beats;

/// Beats of a track, made ready to be drawn and jumped to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    /// Ascending times; the number of the bar where one begins.
    beats: Vec<(f64, Option<u32>)>,
    /// Places of the downbeats within `beats`.
    bars: Vec<usize>,
    beat_length: f64,
    bar_length: f64,
}

/// One line across the waveform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Seconds.
    pub at: f64,
    /// Number of the bar that begins here; `None` on other beats.
    pub bar: Option<u32>,
    pub labelled: bool,
}

/// Points that lines need between them.
const LEAST_BEATS: f64 = 9.0;
const LEAST_BARS: f64 = 20.0;
const LEAST_LABELS: f64 = 60.0;
/// More lines than fit on any screen.
const MOST_LINES: usize = 2000;

impl Grid {
    pub fn new(beats: &Beats) -> Self {
        let mut number = 0;
        let mut listed = Vec::with_capacity(beats.beats.len());
        let mut bars = Vec::new();
        for beat in beats.beats.iter().filter(|beat| beat.at.0.is_finite()) {
            let bar = (beat.position == 1).then(|| {
                number += 1;
                bars.push(listed.len());
                number
            });
            listed.push((beat.at.0, bar));
        }
        let downbeats = bars.iter().filter_map(|&at| Some(listed.get(at)?.0));
        let bar_length = typical_step(downbeats);
        Self {
            beat_length: typical_step(listed.iter().map(|beat| beat.0)),
            bar_length,
            beats: listed,
            bars,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.beats.is_empty()
    }

    /// The lines between two times, left to right, where a point shows `per_point` seconds.
    pub fn lines(&self, from: f64, to: f64, per_point: f64) -> Vec<Line> {
        let spacing = |secs: f64| secs / per_point;
        let every_bar = doubled_until(|bars| spacing(self.bar_length * bars) >= LEAST_BARS);
        let every_label = doubled_until(|bars| spacing(self.bar_length * bars) >= LEAST_LABELS);
        let beats = spacing(self.beat_length) >= LEAST_BEATS && every_bar == 1;
        let line = |at: f64, bar: Option<u32>| Line {
            at,
            bar,
            labelled: bar.is_some_and(|bar| (bar - 1).is_multiple_of(every_label)),
        };
        if beats {
            let first = self.beats.partition_point(|beat| beat.0 < from);
            let seen = self.beats.iter().skip(first);
            return seen
                .take_while(|beat| beat.0 <= to)
                .take(MOST_LINES)
                .map(|&(at, bar)| line(at, bar))
                .collect();
        }
        let time = |place: &usize| self.beats.get(*place).map_or(f64::NAN, |beat| beat.0);
        let first = self.bars.partition_point(|place| time(place) < from);
        let seen = self.bars.iter().skip(first);
        seen.map_while(|&place| self.beats.get(place))
            .take_while(|beat| beat.0 <= to)
            .filter(|beat| {
                beat.1
                    .is_some_and(|bar| (bar - 1).is_multiple_of(every_bar))
            })
            .take(MOST_LINES)
            .map(|&(at, bar)| line(at, bar))
            .collect()
    }

    /// The bar that `at` lies in; 0 before the first.
    pub fn bar_at(&self, at: f64) -> usize {
        self.bars.partition_point(|place| {
            self.beats
                .get(*place)
                .is_some_and(|beat| beat.0 <= at + 1e-4)
        })
    }

    /// The beat before or after `at`, or where a bar begins.
    pub fn step(&self, at: f64, step: Step) -> Option<f64> {
        let found = |place: Option<usize>| Some(self.beats.get(place?)?.0);
        let bar = |place: Option<usize>| found(self.bars.get(place?).copied());
        // What lies nearer is where we are.
        let near = 0.02;
        let past_beats = self.beats.partition_point(|beat| beat.0 <= at + near);
        let before_beats = self.beats.partition_point(|beat| beat.0 < at - near);
        let time = |place: &usize| self.beats.get(*place).map_or(f64::NAN, |beat| beat.0);
        let past_bars = self.bars.partition_point(|place| time(place) <= at + near);
        let before_bars = self.bars.partition_point(|place| time(place) < at - near);
        match step {
            Step::BeatForward => found(Some(past_beats)),
            Step::BeatBack => found(before_beats.checked_sub(1)),
            Step::BarForward => bar(Some(past_bars)),
            Step::BarBack => bar(before_bars.checked_sub(1)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    BeatBack,
    BeatForward,
    BarBack,
    BarForward,
}

impl Step {
    /// Seconds to go where there are no beats.
    pub fn without_beats(self) -> f64 {
        match self {
            Self::BeatBack => -0.5,
            Self::BeatForward => 0.5,
            Self::BarBack => -2.0,
            Self::BarForward => 2.0,
        }
    }
}

/// The median distance; a year where there are not two.
fn typical_step(times: impl Iterator<Item = f64>) -> f64 {
    const YEAR: f64 = 31_557_600.0;
    let times: Vec<f64> = times.collect();
    let mut steps: Vec<f64> = times
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)? - pair.first()?))
        .filter(|step| *step > 0.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(YEAR)
}

fn doubled_until(enough: impl Fn(f64) -> bool) -> u32 {
    (0..20)
        .map(|power| 1_u32 << power)
        .find(|count| enough(f64::from(*count)))
        .unwrap_or(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beats::{Beat, TempoSegment};
    use crate::units::{Bpm, Secs};

    fn grid(count: u32) -> Grid {
        Grid::new(&Beats {
            beats: (0..count)
                .map(|beat| Beat {
                    at: Secs(1.0 + f64::from(beat) * 0.5),
                    position: (beat % 4 + 1) as u8,
                })
                .collect(),
            grid: None,
            segments: vec![TempoSegment {
                start: Secs(0.0),
                bpm: Bpm(120.0),
                beats_per_bar: 4,
            }],
            bpm: Bpm(120.0),
            confidence: 1.0,
            alternatives: Vec::new(),
        })
    }

    #[test]
    fn beats_are_hidden_when_closer_than_nine_points_and_bars_thin_out() {
        let grid = grid(20_000);
        for (spacing, beats) in [(8.9, false), (9.1, true), (20.0, true)] {
            let per_point = 0.5 / spacing;
            let lines = grid.lines(100.0, 100.0 + 1000.0 * per_point, per_point);
            let found = lines.iter().any(|line| line.bar.is_none());
            assert_eq!(found, beats, "{spacing}");
        }
        for per_point in [0.001, 0.01, 0.1, 1.0, 10.0] {
            let lines = grid.lines(0.0, 1000.0 * per_point, per_point);
            assert!(lines.len() <= 170, "{} at {per_point}", lines.len());
            let labels = lines.iter().filter(|line| line.labelled).count();
            assert!(labels <= 18, "{labels} labels at {per_point}");
        }
    }

    #[test]
    fn steps_go_to_neighbouring_beats_and_bars() {
        let grid = grid(16);
        for (at, step, wanted) in [
            (0.0, Step::BeatForward, Some(1.0)),
            (1.0, Step::BeatForward, Some(1.5)),
            (1.4, Step::BeatForward, Some(1.5)),
            (1.5, Step::BeatBack, Some(1.0)),
            (1.7, Step::BeatBack, Some(1.5)),
            (0.5, Step::BeatBack, None),
            (1.2, Step::BarForward, Some(3.0)),
            (3.0, Step::BarBack, Some(1.0)),
            (3.3, Step::BarBack, Some(3.0)),
            (8.5, Step::BarForward, None),
        ] {
            assert_eq!(grid.step(at, step), wanted, "{at} {step:?}");
        }
        assert_eq!(Grid::default().step(3.0, Step::BarBack), None);
    }

    #[test]
    fn bars_count_from_one() {
        let grid = grid(16);
        for (at, bar) in [(0.0, 0), (1.0, 1), (2.9, 1), (3.0, 2), (100.0, 4)] {
            assert_eq!(grid.bar_at(at), bar, "{at}");
        }
    }
}
