//! What the rhythm analysis finds: beats, bars, tempo.

use crate::units::{Bpm, Secs};
use serde::{Deserialize, Serialize};

/// One beat and its place in the bar.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    pub at: Secs,
    /// 1 is the downbeat.
    pub position: u8,
}

/// A tempo that holds for the whole track.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConstantGrid {
    pub bpm: Bpm,
    pub first_beat: Secs,
    pub first_downbeat: Secs,
}

/// From `start` until the next segment, beats come at `bpm`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TempoSegment {
    pub start: Secs,
    pub bpm: Bpm,
    pub beats_per_bar: u8,
}

/// Another reading of the same rhythm that a DJ may take with one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TempoAlternative {
    pub bpm: Bpm,
    /// 0 to 1, on the same scale as [`Beats::confidence`].
    pub confidence: f32,
}

/// Beats of one track, ascending in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beats {
    pub beats: Vec<Beat>,
    /// Only when the tempo is judged constant.
    pub grid: Option<ConstantGrid>,
    /// At least one, the first at or before the first beat.
    pub segments: Vec<TempoSegment>,
    /// The tempo to show for the whole track: of the grid, else the median over beats.
    pub bpm: Bpm,
    /// 0 to 1: how likely tempo octave and beat phase are right.
    pub confidence: f32,
    /// Best first; the chosen tempo is not among them.
    pub alternatives: Vec<TempoAlternative>,
}

impl Beats {
    /// The beats of the stretch from `start` to `end`, on a timeline that begins at `start`.
    #[must_use]
    pub fn between(&self, start: Secs, end: Secs) -> Self {
        let moved = |at: Secs| Secs(at.0 - start.0);
        let beats = self
            .beats
            .iter()
            .filter(|beat| beat.at >= start && beat.at < end)
            .map(|beat| Beat {
                at: moved(beat.at),
                position: beat.position,
            })
            .collect();
        let segments = self
            .segments
            .iter()
            .map(|segment| TempoSegment {
                start: moved(segment.start),
                ..*segment
            })
            .collect();
        Self {
            beats,
            segments,
            grid: None,
            ..self.clone()
        }
    }
}
