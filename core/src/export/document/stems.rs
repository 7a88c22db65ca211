//! What the track object tells of stems.

use super::round::measure;
use crate::artifact::Maker;
use crate::row::Row;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct StemsDocument {
    files: StemPaths,
    /// What decoded samples are multiplied by.
    gain: f32,
    residual_db: Option<f64>,
    engine: Maker,
    bytes: u64,
}

/// The four files by their names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StemPaths {
    drums: String,
    bass: String,
    other: String,
    vocals: String,
}

impl StemPaths {
    /// From paths in the order of [`crate::stems::Stem::ALL`].
    pub fn of(paths: &[PathBuf; 4]) -> Self {
        let [drums, bass, other, vocals] = paths
            .each_ref()
            .map(|path| path.to_string_lossy().into_owned());
        Self {
            drums,
            bass,
            other,
            vocals,
        }
    }

    /// In the order of [`crate::stems::Stem::ALL`].
    pub fn all(&self) -> [&str; 4] {
        [&self.drums, &self.bass, &self.other, &self.vocals]
    }
}

impl StemsDocument {
    /// Of the stems in `library` that are in step with the track's file.
    pub(super) fn of(row: &Row, library: &Path) -> Option<Self> {
        let set = row.stems()?;
        Some(Self {
            files: StemPaths::of(&set.files(library, row.track.id).paths),
            gain: set.gain,
            residual_db: set.residual_db.and_then(|it| measure(f64::from(it))),
            engine: set.maker,
            bytes: set.bytes,
        })
    }
}
