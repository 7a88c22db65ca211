//! Loudness of a track (EBU R 128).

use serde::{Deserialize, Serialize};

/// `None` where the measure is undefined (silence, or too short).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Loudness {
    /// LUFS.
    pub integrated: Option<f64>,
    /// LU.
    pub range: Option<f64>,
    /// dBTP over all channels.
    pub true_peak: Option<f64>,
}
