//! The list of failures: what, why, what to do about it.

use super::trouble::{self, Reason};
use super::{ImportsPanel, parts};
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Sense, Ui, UiBuilder, vec2};
use tonearm_core::core_loop::command::{Command, Selection};
use tonearm_core::row::Row;

/// Points: caption and reason.
const LINE: f32 = 42.0;
/// Characters of a text that are looked at: no line is longer.
const MOST_CHARS: usize = 300;

pub(super) fn troubles_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    panel: &mut ImportsPanel,
    out: &mut Outbox,
) {
    let count = panel.state.troubles.all().len();
    if count == 0 {
        let text = if scene.view.rows.is_empty() {
            "No tracks yet"
        } else {
            "No failures"
        };
        ui.label(parts::muted(text));
        return;
    }
    heading_ui(ui, scene, panel, out);
    ui.spacing_mut().item_spacing.y = 2.0;
    ScrollArea::vertical()
        .id_salt("failures")
        .auto_shrink([false, false])
        .show_rows(ui, LINE, count, |ui, range| {
            let shown = panel.state.troubles.all().get(range).unwrap_or_default();
            for row in shown.iter().filter_map(|id| scene.view.rows.get(*id)) {
                let open = ui.push_id(row.track.id, |ui| line_ui(ui, row, out)).inner;
                if open {
                    panel.wanted = Some(row.track.id);
                }
            }
        });
}

fn heading_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &ImportsPanel, out: &mut Outbox) {
    let troubles = &panel.state.troubles;
    ui.horizontal(|ui| {
        let text = parts::counted(troubles.all().len() as u64, "failure", "failures");
        ui.label(RichText::new(text).color(theme::ERROR).strong());
        if troubles.missing() > 0 {
            let text = format!(
                "{} missing",
                crate::format::count(troubles.missing() as u64)
            );
            ui.label(parts::muted(text));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if parts::button(ui, "Copy list", "Copy the list of failures").clicked() {
                let text = trouble::as_text(&scene.view.rows, troubles.all());
                out.copied = Some(text);
            }
            if parts::button(ui, "Try all again", "Try everything that failed again").clicked() {
                out.commands.push(Command::Retry(Selection::All));
            }
        });
    });
}

/// True when the user wants to see the track.
fn line_ui(ui: &mut Ui, row: &Row, out: &mut Outbox) -> bool {
    let caption = format::fit(&format::caption(row), MOST_CHARS);
    let width = ui.available_width();
    let (rect, _) = ui.allocate_exact_size(vec2(width, LINE), Sense::hover());
    let mut open = false;
    let inner = rect.shrink2(vec2(8.0, 2.0));
    ui.painter().rect_filled(rect, 4.0, theme::RAISED);
    let builder = UiBuilder::new()
        .max_rect(inner)
        .layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(builder, |ui| {
        let name = format!("Try {caption} again");
        if parts::small_button(ui, "Try again", &name).clicked() {
            out.commands
                .push(Command::Retry(Selection::Tracks(vec![row.track.id])));
        }
        let name = format!("Show {caption} in the library");
        open = parts::small_button(ui, "Show", &name).clicked();
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.add_space(3.0);
            text_ui(ui, row, &caption);
        });
    });
    open
}

fn text_ui(ui: &mut Ui, row: &Row, caption: &str) {
    let path = row.track.path.as_path().to_string_lossy();
    let title = RichText::new(caption).color(theme::TEXT);
    ui.add(Label::new(title).truncate()).on_hover_text(path);
    let reasons = trouble::reasons(row);
    let told: Vec<String> = reasons.iter().map(Reason::told).collect();
    let line = format::fit(&told.join("; "), MOST_CHARS);
    let color = if row.track.missing || row.track.damage.is_some() {
        theme::WARN
    } else {
        theme::ERROR
    };
    ui.add(Label::new(RichText::new(line).size(11.0).color(color)).truncate())
        .on_hover_ui(|ui| {
            for reason in &reasons {
                ui.label(format::fit(&reason.told(), MOST_CHARS));
                ui.label(parts::muted(format::fit(reason.remedy, MOST_CHARS)));
            }
        });
}
