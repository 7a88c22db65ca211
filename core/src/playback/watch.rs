//! When a device counts as lost, and when the next try is due. Time comes in as a parameter.

use std::time::{Duration, Instant};

/// Shortest silence that means something.
const LEAST: Duration = Duration::from_millis(250);
/// A server that was asleep takes the first buffers at once and then plays what it has: so long a stream counts as
/// new, and so long it may be silent meanwhile.
const WARMING_UP: Duration = Duration::from_secs(2);
const LONGEST_GAP: Duration = Duration::from_millis(2_500);
/// Periods without a callback after which a device is lost.
const PERIODS: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The heartbeat of one stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    beats: u64,
    last: Instant,
    start: Instant,
    patience: Duration,
}

impl Watch {
    pub(super) fn new(period: Duration, now: Instant) -> Self {
        let patience = period.saturating_mul(PERIODS).max(LEAST);
        Self {
            beats: 0,
            last: now,
            start: now,
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
        let is_new = self.last.saturating_duration_since(self.start) < WARMING_UP;
        let patience = if is_new {
            self.patience.max(LONGEST_GAP)
        } else {
            self.patience
        };
        now.saturating_duration_since(self.last) > patience
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
        for (period, patience) in [(21, 250), (100, 800)] {
            let mut watch = Watch::new(Duration::from_millis(period), start);
            assert!(!watch.is_lost(1, after(2_000)));
            assert!(!watch.is_lost(1, after(2_000 + patience)));
            assert!(watch.is_lost(1, after(2_001 + patience)));
            assert!(!watch.is_lost(2, after(2_002 + patience)));
        }
    }

    #[test]
    fn a_server_that_wakes_up_has_longer() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut watch = Watch::new(Duration::from_millis(21), start);
        assert!(!watch.is_lost(6, after(100)));
        assert!(!watch.is_lost(6, after(2_600)));
        assert!(watch.is_lost(6, after(2_601)));
    }

    #[test]
    fn waits_double_up_to_two_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..7).map(|_| backoff.wait().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
    }
}
