//! What the user chose about the program itself, kept between runs.

pub mod file;

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyNotation {
    #[default]
    Camelot,
    OpenKey,
    Musical,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub key_notation: KeyNotation,
    /// 0.75 to 3, on top of the display's own scale.
    pub scale: f32,
    /// Analyse what comes in without being asked.
    pub analyze_on_import: bool,
    /// Where older versions kept whether a model finds the beats of every track: told to the library once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beats_by_model: Option<bool>,
    /// `None`: one per core.
    pub jobs: Option<usize>,
    /// The Python for the models' environment; `None`: whichever fits.
    pub python: Option<PathBuf>,
    /// Id of the audio output (`playback::DeviceId`); `None`: the system's.
    pub output: Option<String>,
    /// 0 to 1 on the fader.
    pub volume: f32,
    /// Listen for decks from the start on, not only when they are first looked at.
    pub listen_for_decks: bool,
    /// How opaque the deck overlay is, 0.3 to 1. Less than 1 takes effect at the next start.
    pub overlay_opacity: f32,
    /// The word about drawing without a graphics card was read.
    pub slow_drawing_known: bool,
}

/// Bounds of [`Settings::scale`], and its step.
pub const SCALE_MIN: f32 = 0.75;
pub const SCALE_MAX: f32 = 3.0;
pub const SCALE_STEP: f32 = 0.125;

/// Less could not be seen at all.
pub const OPACITY_MIN: f32 = 0.3;

impl Settings {
    /// Whether an older version was told to let a model find all beats: once.
    pub fn take_beats_by_model(&mut self) -> bool {
        self.beats_by_model.take().unwrap_or(false)
    }

    /// What can be used of what a file said.
    #[must_use]
    pub fn within_bounds(self) -> Self {
        let usual = Self::default();
        let or = |value: f32, other: f32| if value.is_finite() { value } else { other };
        Self {
            scale: or(self.scale, usual.scale).clamp(SCALE_MIN, SCALE_MAX),
            jobs: self.jobs.map(|jobs| jobs.clamp(1, 64)),
            volume: or(self.volume, usual.volume).clamp(0.0, 1.0),
            overlay_opacity: or(self.overlay_opacity, 1.0).clamp(OPACITY_MIN, 1.0),
            ..self
        }
    }
}

/// The gain of a place on the volume fader: its cube, so that the ear hears even steps.
pub fn gain_from_fader(fader: f32) -> f32 {
    fader.clamp(0.0, 1.0).powi(3)
}

/// The other way round.
pub fn fader_from_gain(gain: f32) -> f32 {
    gain.clamp(0.0, 1.0).cbrt()
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key_notation: KeyNotation::Camelot,
            scale: 1.0,
            analyze_on_import: true,
            beats_by_model: None,
            jobs: None,
            python: None,
            output: None,
            volume: 1.0,
            listen_for_decks: false,
            overlay_opacity: 1.0,
            slow_drawing_known: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_that_went_to_the_library_is_read_from_an_old_file_and_taken_once() {
        let mut settings: Settings =
            serde_json::from_str(r#"{"scale": 2.0, "beats_by_model": true}"#).unwrap();
        assert!(settings.take_beats_by_model());
        assert!(!settings.take_beats_by_model());
        let text = serde_json::to_string(&settings).unwrap();
        assert!(!text.contains("beats_by_model"), "{text}");
        let mut unset: Settings = serde_json::from_str(r#"{"beats_by_model": false}"#).unwrap();
        assert!(!unset.take_beats_by_model());
    }

    #[test]
    fn nonsense_in_a_file_does_not_reach_the_window() {
        let settings = Settings {
            scale: f32::NAN,
            jobs: Some(0),
            volume: 7.0,
            ..Settings::default()
        };
        let settings = settings.within_bounds();
        assert_eq!(settings.scale, 1.0);
        assert_eq!(settings.jobs, Some(1));
        assert_eq!(settings.volume, 1.0);
    }

    #[test]
    fn fader_and_gain_are_each_others_inverse() {
        for fader in [0.0, 0.1, 0.5, 1.0] {
            let back = fader_from_gain(gain_from_fader(fader));
            assert!((back - fader).abs() < 1e-6, "{fader} {back}");
        }
    }
}
