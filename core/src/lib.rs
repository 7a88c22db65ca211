//! Tonearm without a window: the library, import and analysis.

pub mod analysis;
pub mod artifact;
pub mod beats;
pub mod failure;
pub mod harmony;
pub mod loudness;
pub mod track;
pub mod units;
pub mod waveform;
