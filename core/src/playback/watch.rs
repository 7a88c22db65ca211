//! When a device counts as lost, and when the next try is due. Time comes in as a parameter.

use std::time::{Duration, Instant};

/// Shortest silence that means something: a busy machine is late by less.
const LEAST: Duration = Duration::from_millis(600);
/// Longest that one look may add to a silence. Whoever comes later to look was kept from it, and so, perhaps, were
/// the callbacks: that time says nothing of the device.
const LONGEST_STEP: Duration = Duration::from_millis(100);
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
    /// Silence since the last callback, as far as it was watched.
    silence: Duration,
    looked: Instant,
    last: Instant,
    start: Instant,
    patience: Duration,
}

impl Watch {
    pub(super) fn new(period: Duration, now: Instant) -> Self {
        let patience = period.saturating_mul(PERIODS).max(LEAST);
        Self {
            beats: 0,
            silence: Duration::ZERO,
            looked: now,
            last: now,
            start: now,
            // A device that claims periods of minutes is not waited for.
            patience: patience.min(Duration::from_secs(5)),
        }
    }

    /// Whether callbacks have stopped, given how many there have been.
    pub(super) fn is_lost(&mut self, beats: u64, now: Instant) -> bool {
        let step = now.saturating_duration_since(self.looked);
        self.looked = now;
        self.silence = self.silence.saturating_add(step.min(LONGEST_STEP));
        if beats != self.beats {
            self.silence = Duration::ZERO;
            self.beats = beats;
            self.last = now;
        }
        let is_new = self.last.saturating_duration_since(self.start) < WARMING_UP;
        let patience = if is_new {
            self.patience.max(LONGEST_GAP)
        } else {
            self.patience
        };
        self.silence > patience
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

    /// Looks every 20 ms and tells after how many milliseconds without a callback the device counts as lost.
    fn patience(watch: &mut Watch, from: Instant) -> u64 {
        let after = |millis| from + Duration::from_millis(millis);
        assert!(!watch.is_lost(1, from));
        (1..500)
            .map(|look| look * 20)
            .find(|&millis| watch.is_lost(1, after(millis)))
            .unwrap()
    }

    #[test]
    fn a_device_is_lost_after_eight_periods_or_six_tenths_of_a_second() {
        let start = Instant::now();
        for (period, expected) in [(21, 620), (43, 620), (100, 820)] {
            let mut watch = Watch::new(Duration::from_millis(period), start);
            let steady = start + Duration::from_secs(3);
            assert_eq!(patience(&mut watch, steady), expected);
            assert!(!watch.is_lost(2, steady + Duration::from_secs(1)));
        }
    }

    #[test]
    fn time_in_which_nobody_could_look_is_no_silence() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut watch = Watch::new(Duration::from_millis(43), start);
        assert!(!watch.is_lost(1, after(3_000)));
        // Kept from the processor five times, for three seconds each.
        for look in 1..=5 {
            assert!(!watch.is_lost(1, after(3_000 + look * 3_000)));
        }
    }

    #[test]
    fn a_server_that_wakes_up_has_longer() {
        let start = Instant::now();
        let mut watch = Watch::new(Duration::from_millis(21), start);
        let expected = 2_520;
        assert_eq!(
            patience(&mut watch, start + Duration::from_millis(100)),
            expected
        );
    }

    #[test]
    fn waits_double_up_to_two_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..7).map(|_| backoff.wait().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
    }
}
