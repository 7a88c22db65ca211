//! The help sheet: everything that can be done, with its key.

use crate::action::{Entry, Group, TABLE};
use crate::theme;
use eframe::egui::{self, Label, RichText, ScrollArea, Stroke, Ui};

/// Columns in which the groups stand.
const COLUMNS: [&[Group]; 2] = [
    &[Group::Library, Group::Everywhere],
    &[Group::Sound, Group::Track, Group::Decks],
];

/// Height of a line and width of the column of keys, in points.
const LINE: f32 = 20.0;
const KEYS: f32 = 104.0;

pub fn help_ui(ui: &mut Ui) {
    ui.label("Everything has a name and a place in the menus; most has a key.");
    ui.add_space(4.0);
    ScrollArea::vertical()
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            ui.spacing_mut().interact_size.y = LINE;
            ui.columns(2, |columns| {
                for (ui, groups) in columns.iter_mut().zip(COLUMNS) {
                    for group in groups {
                        group_ui(ui, *group);
                    }
                }
            });
            ui.add_space(8.0);
            ui.label(
                RichText::new("Drop files or folders anywhere on the window to bring them in.")
                    .color(theme::TEXT_MUTED),
            );
        });
}

fn group_ui(ui: &mut Ui, group: Group) {
    let name = match group {
        Group::Library => "Library",
        Group::Sound => "Sound",
        Group::Track => "Track",
        Group::Decks => "Decks",
        Group::Everywhere => "Everywhere",
    };
    ui.label(
        RichText::new(name)
            .font(theme::strong(13.0))
            .color(theme::ACCENT),
    );
    for entry in TABLE.iter().filter(|entry| entry.group == group) {
        ui.horizontal(|ui| {
            key_ui(ui, entry);
            ui.add(Label::new(entry.name).selectable(false))
                .on_hover_text(entry.tooltip);
        });
    }
    ui.add_space(12.0);
}

/// The key, at the right edge of its column.
fn key_ui(ui: &mut Ui, entry: &Entry) {
    let size = egui::vec2(KEYS, LINE);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let Some(keys) = entry.keys() else { return };
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(layout));
    egui::Frame::new()
        .fill(theme::RAISED)
        .stroke(Stroke::new(1.0, theme::LINE))
        .corner_radius(4)
        .inner_margin(egui::Margin::symmetric(6, 1))
        .show(&mut ui, |ui| {
            ui.label(RichText::new(keys).monospace().size(11.0));
        });
}
