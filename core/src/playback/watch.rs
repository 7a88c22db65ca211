//! When a device counts as lost, and when the next try is due. Time comes in as a parameter.

use std::time::{Duration, Instant};

/// Shortest silence that means something.
const LEAST: Duration = Duration::from_millis(250);
/// Periods without a callback after which a device is lost.
const PERIODS: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The heartbeat of one stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    beats: u64,
    last: Instant,
    patience: Duration,
}

impl Watch {
    pub(super) fn new(period: Duration, now: Instant) -> Self {
        let patience = period.saturating_mul(PERIODS).max(LEAST);
        Self {
            beats: 0,
            last: now,
            // A device that claims periods of minutes is not waited for.
            patience: patience.min(Duration::from_secs(5)),
        }
    }

    /// Whether callbacks have stopped, given how many there have been.
    pub(super) fn is_lost(&mut self, beats: u64, now: Instant) -> bool {
        if beats != self.beats {
            self.beats = beats;
            self.last = now;
        }
        now.saturating_duration_since(self.last) > self.patience
    }

    pub(super) fn has_beaten(&self) -> bool {
        self.beats > 0
    }
}

/// Waits that double.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST_WAIT)
    }
}

impl Backoff {
    /// How long to wait now.
    pub(super) fn wait(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST_WAIT);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_lost_after_eight_periods_or_a_quarter_second() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut watch = Watch::new(Duration::from_millis(21), start);
        assert!(!watch.is_lost(0, after(250)));
        assert!(watch.is_lost(0, after(251)));
        assert!(!watch.is_lost(1, after(260)));
        assert!(!watch.is_lost(1, after(500)));
        assert!(watch.is_lost(1, after(511)));
        let mut slow = Watch::new(Duration::from_millis(100), start);
        assert!(!slow.is_lost(0, after(800)));
        assert!(slow.is_lost(0, after(801)));
    }

    #[test]
    fn waits_double_up_to_two_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..7).map(|_| backoff.wait().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
    }
}
