//! The right side: everything that is known of the selection.

mod many;
mod one;

use super::LibraryPanel;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui, vec2};
pub(super) use many::Inspected;

pub(super) fn inspector_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    panel: &mut LibraryPanel,
    out: &mut Outbox,
) {
    ScrollArea::vertical()
        .id_salt("inspector")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            match panel.selected.len() {
                0 => nothing_ui(ui),
                1 => {
                    let row = panel.focus().and_then(|id| scene.view.rows.get(id));
                    if let Some(row) = row {
                        one::track_ui(ui, (scene, row), panel, out);
                    }
                }
                _ => many::tracks_ui(ui, scene, panel, out),
            }
        });
}

fn nothing_ui(ui: &mut Ui) {
    let text = RichText::new("Select a track to see what is known of it");
    ui.add(Label::new(text.color(theme::TEXT_FAINT)).wrap());
}

/// The heading of a group of facts.
fn group(ui: &mut Ui, name: &str) {
    ui.add_space(10.0);
    ui.label(RichText::new(name).size(11.0).color(theme::TEXT_FAINT));
}

/// Where values start, in points.
const NAMES: f32 = 82.0;

/// One fact: its name on the left, its value on the right, which wraps.
fn fact(ui: &mut Ui, name: &str, value: impl Into<String>) {
    let value = value.into();
    named(ui, name, |ui| {
        ui.add(Label::new(RichText::new(value).color(theme::TEXT)).wrap());
    });
}

/// A name on the left and what is drawn beside it.
fn named(ui: &mut Ui, name: &str, value: impl FnOnce(&mut Ui)) {
    let line = vec2(ui.available_width(), 16.0);
    ui.allocate_ui_with_layout(line, Layout::left_to_right(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let name = Label::new(RichText::new(name).color(theme::TEXT_MUTED));
        let used = ui.add(name).rect.width();
        ui.add_space((NAMES - used).max(0.0));
        value(ui);
    });
}
