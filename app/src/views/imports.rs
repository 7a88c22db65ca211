//! What goes on in the background: imports, analysis, rates, time left, failures.

use crate::outbox::Outbox;
use crate::scene::Scene;
use eframe::egui::Ui;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportsPanel {
    pub open: bool,
}

/// The line along the bottom of the window; absent when there is nothing to tell.
pub fn activity_bar_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut ImportsPanel, out: &mut Outbox) {
    let _: (&Ui, &Scene<'_>, &ImportsPanel, &Outbox) = (ui, scene, panel, out);
}

/// The drawer with everything: stages, rates, failures.
pub fn imports_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut ImportsPanel, out: &mut Outbox) {
    let _: (&Ui, &Scene<'_>, &ImportsPanel, &Outbox) = (ui, scene, panel, out);
}
