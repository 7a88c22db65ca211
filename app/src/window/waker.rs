//! Wakes the window when there is something new to draw, and no oftener than eyes can use.

use eframe::egui::{Context, ViewportId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Work in the background wakes the window at most this often.
const EVERY: Duration = Duration::from_millis(100);
/// What the name of the overlay's window is made of.
pub(super) const OVERLAY: &str = "deck overlay";
/// For so long after the user asked for something, news is drawn at once.
const ANSWER: Duration = Duration::from_millis(400);

/// Cloning gives another handle on the same window.
#[derive(Debug, Clone)]
pub(super) struct Waker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Set when the window is there; before, its first frame will look anyway.
    window: OnceLock<Context>,
    /// Milliseconds since the start.
    last: AtomicU64,
    asked: AtomicU64,
    /// The overlay is open: it draws by itself and hears of the same news.
    overlay: AtomicBool,
}

impl Default for Waker {
    fn default() -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            window: OnceLock::new(),
            last: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            overlay: AtomicBool::new(false),
        }))
    }
}

impl Waker {
    pub(super) fn attach(&self, ctx: &Context) {
        if self.0.window.set(ctx.clone()).is_err() {
            tracing::error!("a second window took the first one's place");
        }
    }

    /// The user asked for something: what comes next is the answer.
    pub(super) fn asked(&self) {
        self.0.asked.store(self.now(), Ordering::Relaxed);
    }

    /// Something changed in the background.
    pub(super) fn wake(&self) {
        let Some(ctx) = self.0.window.get() else {
            return;
        };
        let now = self.now();
        let last = self.0.last.load(Ordering::Relaxed);
        let asked = self.0.asked.load(Ordering::Relaxed);
        let wait = wait(now, last, asked);
        if wait == Duration::ZERO {
            self.0.last.store(now, Ordering::Relaxed);
        }
        ctx.request_repaint_after_for(wait, ViewportId::ROOT);
        if self.0.overlay.load(Ordering::Relaxed) {
            ctx.request_repaint_after_for(wait, ViewportId::from_hash_of(OVERLAY));
        }
    }

    pub(super) fn has_overlay(&self, has: bool) {
        self.0.overlay.store(has, Ordering::Relaxed);
    }

    /// Something changed that the user is listening to or waiting for.
    pub(super) fn wake_now(&self) {
        if let Some(ctx) = self.0.window.get() {
            ctx.request_repaint_of(ViewportId::ROOT);
        }
    }

    fn now(&self) -> u64 {
        // From 1 on: 0 means never.
        u64::try_from(self.0.start.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    }
}

/// How long a change may wait until it is drawn. All in milliseconds on one clock, 0 for never.
fn wait(now: u64, last: u64, asked: u64) -> Duration {
    let since = |then: u64| (then != 0).then(|| Duration::from_millis(now.saturating_sub(then)));
    let answers = since(asked).is_some_and(|since| since < ANSWER);
    match since(last) {
        Some(since) if !answers => EVERY.saturating_sub(since),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_news_is_drawn_at_once_and_a_flood_ten_times_a_second() {
        assert_eq!(wait(1, 0, 0), Duration::ZERO);
        assert_eq!(wait(1030, 1000, 0), Duration::from_millis(70));
        assert_eq!(wait(1100, 1000, 0), Duration::ZERO);
    }

    #[test]
    fn an_answer_does_not_wait() {
        assert_eq!(wait(1030, 1000, 900), Duration::ZERO);
        assert_eq!(wait(1530, 1500, 900), Duration::from_millis(70));
    }
}
