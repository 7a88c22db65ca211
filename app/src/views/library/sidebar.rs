//! The left side: parts of the library with their numbers, and the folders it came from.

use super::LibraryPanel;
use super::listing::Scope;
use super::words;
use crate::theme;
use eframe::egui::{
    Align2, Color32, FontId, Rect, Response, RichText, Role, ScrollArea, Sense, StrokeKind, Ui,
    WidgetInfo, vec2,
};

const LINE: f32 = 26.0;

pub(super) fn sidebar_ui(ui: &mut Ui, panel: &mut LibraryPanel) {
    ui.spacing_mut().item_spacing.y = 1.0;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        heading(ui, "Library");
        for scope in Scope::USUAL {
            let color = match scope {
                Scope::Failed => theme::ERROR,
                Scope::Missing => theme::WARN,
                _ => theme::TEXT_MUTED,
            };
            line_ui(ui, panel, scope, color);
        }
        let listing = std::sync::Arc::clone(panel.state.clerk.listing());
        if !listing.counts.folders.is_empty() {
            ui.add_space(12.0);
            heading(ui, "Folders");
        }
        for (folder, _) in &listing.counts.folders {
            let scope = Scope::Folder(folder.clone());
            let path = words::line(&folder.as_path().to_string_lossy(), 300).into_owned();
            line_ui(ui, panel, scope, theme::TEXT_MUTED).on_hover_text(path);
        }
    });
}

fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.add_space(8.0);
        ui.label(RichText::new(text).size(11.0).color(theme::TEXT_FAINT));
    });
}

/// One part: its name, and on the right how many tracks it has.
fn line_ui(ui: &mut Ui, panel: &mut LibraryPanel, scope: Scope, alarm: Color32) -> Response {
    let count = panel.state.clerk.listing().counts.of(&scope);
    let name = scope.name();
    let is_chosen = panel.scope == scope;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::click());
    response.widget_info(|| {
        let text = format!("{name}, {}", words::tracks(count));
        WidgetInfo::selected(Role::Button, true, is_chosen, text)
    });
    if response.clicked() {
        panel.scope = scope;
    }
    if ui.is_rect_visible(rect) {
        let color = if is_chosen {
            theme::TEXT
        } else if count == 0 {
            theme::TEXT_FAINT
        } else {
            theme::TEXT_MUTED
        };
        back(ui, rect, &response, is_chosen);
        let (body, small) = super::cells::fonts(ui);
        let figure = if count == 0 { theme::TEXT_FAINT } else { alarm };
        let width = number(ui, rect, count, (small, figure));
        let mut job = eframe::egui::text::LayoutJob::simple_singleline(name, body, color);
        let room = rect.width() - width - 26.0;
        job.wrap = eframe::egui::text::TextWrapping::truncate_at_width(room.max(0.0));
        let galley = ui.painter().layout_job(job);
        let at = rect.left_center() + vec2(10.0, -galley.size().y / 2.0);
        ui.painter().galley(at, galley, color);
    }
    response
}

fn back(ui: &Ui, rect: Rect, response: &Response, is_chosen: bool) {
    let painter = ui.painter();
    if is_chosen {
        painter.rect_filled(rect, theme::RADIUS, theme::ACCENT_BACK);
    } else if response.hovered() {
        painter.rect_filled(rect, theme::RADIUS, theme::HOVER);
    }
    if response.has_focus() {
        let stroke = eframe::egui::Stroke::new(1.0, theme::ACCENT);
        painter.rect_stroke(rect, theme::RADIUS, stroke, StrokeKind::Inside);
    }
}

fn number(ui: &Ui, rect: Rect, count: usize, (font, color): (FontId, Color32)) -> f32 {
    let text = crate::format::count(count as u64);
    let at = rect.right_center() - vec2(10.0, 0.0);
    let painted = ui
        .painter()
        .text(at, Align2::RIGHT_CENTER, text, font, color);
    painted.width()
}
