//! A track's sound taken apart: the four stems, what is stored of them, and where their files lie.
//!
//! Stems lie at 44.1 kHz, the rate that separation works at, on the track's timeline: their first sample is the first
//! that a listener is meant to hear. They are FLAC in steps of 16 bits with room for sounds up to 16 times full scale
//! ([`GAIN`]), because a stem may be louder than the mix that it came from, so that the four always add up.

pub mod drive;
pub mod export;
pub mod room;
mod writer;

pub use writer::{StemError, StemWriter};
pub(crate) use writer::{UNFINISHED, remove_folder};

use crate::artifact::Maker;
use crate::track::TrackId;
use crate::units::{SampleRate, Secs};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// Frames a second of all stems.
pub const RATE: u32 = 44_100;

/// What decoded stems are multiplied by to be as loud as in the mix: files have four bits more than the steps need,
/// and are quieter by that much.
pub const GAIN: f32 = 16.0;

/// The folder below the library's that holds all stems.
pub(crate) const FOLDER: &str = "stems";

/// One part of a track's sound. The order is that of keys, lanes, files and separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stem {
    Drums,
    Bass,
    Other,
    Vocals,
}

impl Stem {
    pub const ALL: [Self; 4] = [Self::Drums, Self::Bass, Self::Other, Self::Vocals];

    /// The name in JSON, on the command line and of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drums => "drums",
            Self::Bass => "bass",
            Self::Other => "other",
            Self::Vocals => "vocals",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stem| stem.name() == name)
    }

    /// `drums.flac`.
    pub fn file_name(self) -> String {
        format!("{}.flac", self.name())
    }

    /// `drums.wave`, the picture beside the sound.
    pub fn waveform_name(self) -> String {
        format!("{}.wave", self.name())
    }
}

impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Tells sets of one track apart: a set that takes another's place never has its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetKey(pub u32);

/// What is stored of a track's stems.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StemSet {
    pub key: SetKey,
    /// Who took the sound apart: the built-in analysis makes a draft.
    pub maker: Maker,
    pub rate: SampleRate,
    /// Of each of the four, at `rate`.
    pub frames: u64,
    /// What decoded samples are multiplied by: one for all four.
    pub gain: f32,
    /// How far the four together are from the mix, relative to it; `None`: not measured, or the mix is silent.
    pub residual_db: Option<f32>,
    /// Of all files.
    pub bytes: u64,
    pub made: Timestamp,
    /// When they were last played, to the hour or so.
    pub used: Timestamp,
}

/// Where the sound of a set lies, for whoever plays it.
#[derive(Debug, Clone, PartialEq)]
pub struct StemFiles {
    /// In the order of [`Stem::ALL`].
    pub paths: [PathBuf; 4],
    /// What decoded samples are multiplied by, so that the four add up to the mix.
    pub gain: f32,
    pub frames: u64,
    pub rate: SampleRate,
}

impl StemFiles {
    pub fn duration(&self) -> Secs {
        self.rate.secs_from_frame(crate::units::Frame(self.frames))
    }
}

impl StemSet {
    pub fn files(&self, library: &Path, track: TrackId) -> StemFiles {
        StemFiles {
            paths: Stem::ALL.map(|stem| self.sound_path(library, track, stem)),
            gain: self.gain,
            frames: self.frames,
            rate: self.rate,
        }
    }

    pub(crate) fn sound_path(&self, library: &Path, track: TrackId, stem: Stem) -> PathBuf {
        folder(library, track, self.key).join(stem.file_name())
    }

    /// The file of a stem's waveform.
    pub fn waveform_path(&self, library: &Path, track: TrackId, stem: Stem) -> PathBuf {
        folder(library, track, self.key).join(stem.waveform_name())
    }

    pub fn duration(&self) -> Secs {
        self.rate.secs_from_frame(crate::units::Frame(self.frames))
    }
}

/// `stems/xx/<id>.<key>`: xx are the last two digits of the id, as for waveforms.
pub(crate) fn folder(library: &Path, track: TrackId, key: SetKey) -> PathBuf {
    let SetKey(key) = key;
    shelf(library, track).join(format!("{track}.{key:08x}"))
}

/// The folder that holds the sets of this track, among others'.
pub(crate) fn shelf(library: &Path, track: TrackId) -> PathBuf {
    library.join(FOLDER).join(format!("{:02x}", track.0 & 0xff))
}

/// The track and the set that a folder is named for.
pub(crate) fn named(folder: &str) -> Option<(TrackId, SetKey)> {
    let (track, key) = folder.split_once('.')?;
    if key.len() != 8 {
        return None;
    }
    let key = SetKey(u32::from_str_radix(key, 16).ok()?);
    let track: TrackId = track.parse().ok()?;
    (folder == format!("{track}.{:08x}", key.0)).then_some((track, key))
}

#[cfg(test)]
mod tests;
