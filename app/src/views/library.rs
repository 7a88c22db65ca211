//! The library: search, table, inspector.

use crate::outbox::Outbox;
use crate::scene::Scene;
use eframe::egui::Ui;
use serde::{Deserialize, Serialize};
use tonearm_core::track::TrackId;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LibraryPanel {
    pub search: String,
    /// Ascending order of selection; the last is the one the inspector shows.
    pub selected: Vec<TrackId>,
}

impl LibraryPanel {
    /// The track that keyboard actions mean.
    pub fn focus(&self) -> Option<TrackId> {
        self.selected.last().copied()
    }
}

/// Fills what is left of the window.
pub fn library_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut LibraryPanel, out: &mut Outbox) {
    let _: (&LibraryPanel, &Outbox) = (panel, out);
    ui.label(format!("{} tracks", scene.view.rows.len()));
}
