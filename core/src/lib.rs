//! Tonearm without a window: the library, import, analysis and sound.

pub mod analysis;
pub mod artifact;
pub mod audio;
pub mod backend;
pub mod beats;
pub mod control;
pub mod core_loop;
pub mod decks;
pub mod edits;
pub mod enginedj;
pub mod export;
pub mod failure;
pub mod findings;
pub mod harmony;
pub mod import;
pub mod jobs;
pub mod loudness;
pub mod picture;
pub mod playback;
pub mod query;
pub mod row;
pub mod source;
pub mod store;
pub mod track;
pub mod units;
pub mod waveform;
