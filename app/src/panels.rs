//! What the user is looking at: kept between runs, no facts of the library.

use crate::views::imports::ImportsPanel;
use crate::views::library::LibraryPanel;
use crate::views::track::TrackPanel;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    #[default]
    Library,
    Track,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Panels {
    pub page: Page,
    pub library: LibraryPanel,
    pub track: TrackPanel,
    pub imports: ImportsPanel,
    /// What lies above the page.
    #[serde(skip)]
    pub sheet: Option<Sheet>,
}

/// One at a time lies above the page; Escape takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    Help,
    Settings,
    Log,
    /// For those whose system offers no file dialog.
    PathEntry,
}
