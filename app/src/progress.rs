//! Progress on standard error: a bar on a terminal, elsewhere a line now and then.

use crate::format;
use crate::output::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};
use tonearm_core::core_loop::view::View;
use tonearm_core::units::Secs;

/// Lines come at most so often: a log of a night's work stays one that can be read.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Follows the view. Nothing is shown when quiet.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    analysing: bool,
    /// Where there is no terminal for a bar.
    lines: Option<(Instant, Lines)>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let shown = !quiet && is_shown();
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(spinner());
        Self {
            bar,
            analysing: false,
            lines: (!quiet && !is_shown()).then(|| (Instant::now(), Lines::default())),
        }
    }

    pub(crate) fn follow(&mut self, view: &View) {
        let activity = &view.activity;
        let left = (activity.queued + activity.running.len()) as u64;
        let looked_at = activity.import.as_ref().map(|import| import.tally.total());
        if let Some((begun, lines)) = &mut self.lines {
            let at = Work {
                looked_at,
                done: activity.finished,
                left,
                percent: match activity.running.as_slice() {
                    [only] => Some((only.control.progress() * 100.0) as u8),
                    _ => None,
                },
            };
            if let Some(line) = lines.line(at, begun.elapsed()) {
                Output::note(&line);
            }
        }
        if let (Some(total), Some(import)) = (looked_at, &activity.import) {
            let of = match import.expected {
                Some(expected) => format!("{total} of {}", expected.max(total)),
                None => format!("{total} so far"),
            };
            self.bar
                .set_message(format!("Looking at files: {of}, {left} to analyse"));
            self.bar.tick();
            return;
        }
        if !self.analysing && left > 0 {
            self.analysing = true;
            self.bar.set_style(analysis_bar());
            self.bar.reset_eta();
        }
        if self.analysing {
            self.bar.set_length(activity.finished + left);
            self.bar.set_position(activity.finished);
            let name = activity
                .running
                .first()
                .and_then(|job| view.rows.get(job.track))
                .map(|row| format::fit(&format::caption(row), 40))
                .unwrap_or_default();
            self.bar.set_message(name);
        }
    }

    /// Prints something without tearing the bar.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

/// Whether there is a place for a bar.
pub(crate) fn is_shown() -> bool {
    std::io::stderr().is_terminal()
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Work {
    /// Files, while they are looked for.
    looked_at: Option<u64>,
    done: u64,
    left: u64,
    /// Of what is made at this moment, where that is one track alone.
    percent: Option<u8>,
}

/// When a line is due, and how fast the work goes.
#[derive(Debug, Default)]
struct Lines {
    told: Duration,
    /// When the first track was finished, and how many there were then: what came before says nothing of the pace.
    begun: Option<(Duration, u64)>,
}

impl Lines {
    /// The line that is due after `elapsed` since the start, if one is.
    fn line(&mut self, work: Work, elapsed: Duration) -> Option<String> {
        if self.begun.is_none() && work.done > 0 {
            self.begun = Some((elapsed, work.done));
        }
        if elapsed.saturating_sub(self.told) < TELL_EVERY {
            return None;
        }
        let Work {
            looked_at,
            done,
            left,
            percent,
        } = work;
        if looked_at.is_none() && left == 0 {
            return None;
        }
        self.told = elapsed;
        if let Some(files) = looked_at {
            return Some(format!("looked at {files} files, {left} tracks to analyse"));
        }
        let pace = self.begun.and_then(|(at, before)| {
            let since = elapsed.checked_sub(at).filter(|since| !since.is_zero())?;
            let done = done.checked_sub(before).filter(|done| *done > 0)?;
            Some(since.as_secs_f64() / done as f64)
        });
        let time = pace.map(|pace| {
            let secs = Secs((pace * left as f64).ceil());
            format!(", about {} left", format::duration(secs))
        });
        let all = done.saturating_add(left);
        let tracks = if all == 1 { "track" } else { "tracks" };
        let step = percent.map(|percent| format!(", {percent} % of this step"));
        Some(format!(
            "{done} of {all} {tracks} done{}{}",
            step.unwrap_or_default(),
            time.unwrap_or_default()
        ))
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::default_spinner()
}

fn analysis_bar() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30} {pos}/{len} tracks, {eta} left  {msg}")
        .unwrap_or_else(|_malformed| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_a_line_comes_every_ten_seconds_while_there_is_work() {
        let mut lines = Lines::default();
        let mut at = |secs, looked_at, done, left| {
            let work = Work {
                looked_at,
                done,
                left,
                percent: None,
            };
            lines.line(work, Duration::from_secs(secs))
        };
        assert_eq!(at(1, Some(5), 0, 5), None);
        assert_eq!(at(9, Some(50), 0, 40), None, "short runs say nothing");
        let line = at(10, Some(60), 0, 50);
        assert_eq!(
            line.as_deref(),
            Some("looked at 60 files, 50 tracks to analyse")
        );
        assert_eq!(at(12, None, 2, 98), None);
        assert_eq!(at(19, None, 8, 92), None);
        // 8 tracks in 10 seconds, since two were done.
        let line = at(22, None, 10, 90);
        assert_eq!(
            line.as_deref(),
            Some("10 of 100 tracks done, about 1:53 left")
        );
        assert_eq!(at(31, None, 11, 89), None);
        assert!(at(32, None, 12, 88).is_some());
        assert_eq!(at(50, None, 100, 0), None, "nothing is left to wait for");
    }

    #[test]
    fn no_time_is_told_before_there_is_a_pace() {
        let mut lines = Lines::default();
        let work = Work {
            looked_at: None,
            done: 0,
            left: 1,
            percent: Some(43),
        };
        let line = lines.line(work, Duration::from_secs(11));
        assert_eq!(
            line.as_deref(),
            Some("0 of 1 track done, 43 % of this step")
        );
    }
}
