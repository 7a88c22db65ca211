//! Tonearm without a window: the library, import and analysis.

pub mod analysis;
pub mod artifact;
pub mod beats;
pub mod control;
pub mod export;
pub mod failure;
pub mod findings;
pub mod harmony;
pub mod loudness;
pub mod picture;
pub mod query;
pub mod row;
pub mod track;
pub mod units;
pub mod waveform;
