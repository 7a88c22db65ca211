//! One track: its waveform at any zoom, beats, chords, key, and the transport.

use crate::action::Action;
use crate::outbox::Outbox;
use crate::scene::Scene;
use eframe::egui::Ui;
use serde::{Deserialize, Serialize};
use tonearm_core::track::TrackId;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrackPanel {
    /// The track on the page; it stays when the selection of the library moves on.
    pub track: Option<TrackId>,
}

/// Fills what is left of the window.
pub fn track_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    let _: (&Scene<'_>, &TrackPanel, &Outbox) = (scene, panel, out);
    ui.label("track");
}

impl TrackPanel {
    /// Does what belongs to this page; false when somebody else has to.
    pub fn act(&mut self, action: Action, scene: &Scene<'_>, out: &mut Outbox) -> bool {
        let _: (&Self, Action, &Scene<'_>, &Outbox) = (self, action, scene, out);
        false
    }
}
