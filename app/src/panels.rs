//! What the user is looking at: kept between runs, no facts of the library.

use crate::views::decks::DecksPanel;
use crate::views::imports::ImportsPanel;
use crate::views::library::LibraryPanel;
use crate::views::log::LogPanel;
use crate::views::path_entry::PathEntryPanel;
use crate::views::settings::SettingsPanel;
use crate::views::setup::SetupPanel;
use crate::views::track::TrackPanel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    #[default]
    Library,
    Track,
    Decks,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Panels {
    pub page: Page,
    pub library: LibraryPanel,
    pub track: TrackPanel,
    pub decks: DecksPanel,
    pub imports: ImportsPanel,
    /// What lies above the page.
    #[serde(skip)]
    pub sheet: Option<Sheet>,
    #[serde(skip)]
    pub path_entry: PathEntryPanel,
    #[serde(skip)]
    pub log: LogPanel,
    #[serde(skip)]
    pub settings: SettingsPanel,
    #[serde(skip)]
    pub setup: SetupPanel,
    /// Where the window was, in points.
    pub place: Option<WindowPlace>,
}

/// Size and position of the window, in points of its display.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    pub size: [f32; 2],
    /// Not told by every system.
    pub position: Option<[f32; 2]>,
    pub maximized: bool,
}

impl WindowPlace {
    /// `None` for what no window can be.
    pub fn plausible(self) -> Option<Self> {
        let sizes = self
            .size
            .iter()
            .all(|side| (200.0..16_384.0).contains(side));
        let position = self
            .position
            .filter(|place| place.iter().all(|at| (-16_384.0..16_384.0).contains(at)));
        sizes.then_some(Self { position, ..self })
    }
}

/// One at a time lies above the page; Escape takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    Help,
    Settings,
    /// What analysis by models needs.
    Setup,
    Log,
    /// For those whose system offers no file dialog.
    PathEntry,
}
