//! Progress on standard error: a bar on a terminal, nothing elsewhere (there each finished item has its line).

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use tonearm_core::core_loop::view::View;

/// A bar that follows the view. Hidden when quiet or not on a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    analysing: bool,
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
        }
    }

    pub(crate) fn follow(&mut self, view: &View) {
        let activity = &view.activity;
        let left = (activity.queued + activity.running.len()) as u64;
        if let Some(import) = &activity.import {
            let total = import.tally.total();
            self.bar.set_message(format!(
                "Looking at files: {total} so far, {left} to analyse"
            ));
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
                .map(|row| crate::format::fit(&crate::format::caption(row), 40))
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

fn spinner() -> ProgressStyle {
    ProgressStyle::default_spinner()
}

fn analysis_bar() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30} {pos}/{len} tracks, {eta} left  {msg}")
        .unwrap_or_else(|_malformed| ProgressStyle::default_bar())
}
