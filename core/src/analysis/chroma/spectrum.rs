//! The resolution of the analysis in time and frequency.

/// Samples per second after decimation.
pub(super) const SOUND_RATE: u32 = 11_025;

/// 0.37 s: long enough to tell semitones apart from about 180 Hz up; below, overtones decide.
pub(super) const WINDOW: usize = 4_096;

/// 46 ms between frames.
pub(super) const HOP: usize = 512;

pub(super) const FRAME_RATE: f64 = SOUND_RATE as f64 / HOP as f64;

/// Hz between two bins of the spectrum.
pub(super) const BIN_HZ: f32 = SOUND_RATE as f32 / WINDOW as f32;
