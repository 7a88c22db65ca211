//! The built-in analysis: samples in, beats, key and chords out. Pure functions of samples.
//!
//! Order of work on one stretch of sound: [`chroma::chromagram`] → [`rhythm::rhythm`] (it listens for
//! harmonic change) → [`chords::harmony`] (it reads the chroma beat by beat).

pub mod chords;
pub mod chroma;
pub mod draft_stems;
pub mod dsp;
pub mod heard;
mod key;
pub mod rhythm;

/// Frames per second of the mono sound that every function here takes.
pub const RATE: u32 = 44_100;
