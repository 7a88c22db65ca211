//! What the user chose about the program itself, kept between runs.

use serde::{Deserialize, Serialize};

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
    /// `None`: one per core.
    pub jobs: Option<usize>,
    /// Name of the audio output; `None`: the system's.
    pub output: Option<String>,
    /// 0 to 1 on the fader.
    pub volume: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key_notation: KeyNotation::Camelot,
            scale: 1.0,
            analyze_on_import: true,
            jobs: None,
            output: None,
            volume: 1.0,
        }
    }
}
