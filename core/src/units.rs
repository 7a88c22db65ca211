//! Time inside a track. The only file that converts between frames, seconds and beats.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// A position in decoded audio, counted in frames at the file's own rate from the first frame
/// that a listener is meant to hear.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Frame(pub u64);

/// Frames per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleRate(NonZeroU32);

impl SampleRate {
    /// `None` when a file header claims a rate of zero.
    pub fn new(hz: u32) -> Option<Self> {
        NonZeroU32::new(hz).map(Self)
    }

    pub fn hz(self) -> u32 {
        self.0.get()
    }

    /// Seconds from the start of the track to `frame`.
    pub fn secs_from_frame(self, frame: Frame) -> Secs {
        Secs(frame.0 as f64 / f64::from(self.hz()))
    }

    /// The frame nearest to `at`; times before the start give the first frame.
    pub fn frame_from_secs(self, at: Secs) -> Frame {
        Frame((at.0 * f64::from(self.hz())).round().max(0.0) as u64)
    }
}

/// Seconds on the track's timeline: 0 is the first sample presented to a listener.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secs(pub f64);

/// Beats per minute.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bpm(pub f64);

impl Bpm {
    /// Seconds from one beat to the next.
    pub fn beat_period(self) -> Secs {
        Secs(60.0 / self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_seconds_round_trip_at_every_common_rate() {
        for hz in [8_000, 22_050, 44_100, 48_000, 96_000, 384_000] {
            let rate = SampleRate::new(hz).unwrap();
            for frame in [0, 1, 44_099, 10_000_000_000] {
                let frame = Frame(frame);
                assert_eq!(rate.frame_from_secs(rate.secs_from_frame(frame)), frame);
            }
        }
        assert_eq!(SampleRate::new(0), None);
    }
}
