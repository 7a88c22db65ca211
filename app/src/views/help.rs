//! The help sheet: everything that can be done, with its key.

use crate::action::{Entry, Group, TABLE};
use crate::panels::Page;
use crate::theme;
use eframe::egui::{self, Grid, Label, RichText, ScrollArea, Stroke, Ui};

/// Columns in which the groups stand.
const COLUMNS: [&[Group]; 2] = [
    &[Group::Library, Group::Everywhere],
    &[Group::Sound, Group::Track],
];

pub fn help_ui(ui: &mut Ui) {
    ui.label("Everything has a name and a place in the menus; most has a key.");
    ui.add_space(4.0);
    ScrollArea::vertical()
        .auto_shrink([false, true])
        .show(ui, |ui| {
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
        Group::Everywhere => "Everywhere",
    };
    ui.label(
        RichText::new(name)
            .font(theme::strong(13.0))
            .color(theme::ACCENT),
    );
    Grid::new(name)
        .num_columns(2)
        .spacing([12.0, 4.0])
        .min_row_height(22.0)
        .show(ui, |ui| {
            for entry in TABLE.iter().filter(|entry| entry.group == group) {
                key_ui(ui, entry);
                let mut name = entry.name.to_owned();
                if entry.scope == Some(Page::Library) && group == Group::Everywhere {
                    name.push_str(" (library)");
                }
                ui.add(Label::new(name).selectable(false))
                    .on_hover_text(entry.tooltip);
                ui.end_row();
            }
        });
    ui.add_space(12.0);
}

fn key_ui(ui: &mut Ui, entry: &Entry) {
    ui.allocate_ui_with_layout(
        egui::vec2(92.0, 20.0),
        egui::Layout::right_to_left(egui::Align::Center),
        |ui| {
            if let Some(keys) = entry.keys() {
                egui::Frame::new()
                    .fill(theme::RAISED)
                    .stroke(Stroke::new(1.0, theme::LINE))
                    .corner_radius(4)
                    .inner_margin(egui::Margin::symmetric(6, 1))
                    .show(ui, |ui| {
                        ui.label(RichText::new(keys).monospace().size(11.0));
                    });
            }
        },
    );
}
