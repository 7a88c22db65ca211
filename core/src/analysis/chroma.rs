//! Which notes sound when: tuned, percussion-free treble and bass chroma.

/// Twelve pitch classes (C first) in two registers, at an even frame rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Chromagram {
    /// Frames per second; frame `i` is centred at `i / frame_rate` seconds.
    pub frame_rate: f64,
    pub treble: Vec<[f32; 12]>,
    pub bass: Vec<[f32; 12]>,
    /// Loudness of each frame relative to the loud parts of the track (95th percentile = 1).
    pub level: Vec<f32>,
    /// Concert pitch of the recording.
    pub tuning_hz: f64,
}
