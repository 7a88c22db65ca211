//! Small things that bar and drawer are made of.

use crate::theme;
use eframe::egui::{Color32, Response, RichText, Role, Sense, Ui, WidgetInfo, vec2};

/// A button whose `name` says more than the word on it.
pub(in crate::views) fn button(ui: &mut Ui, text: &str, name: &str) -> Response {
    let response = ui.button(RichText::new(text).color(theme::TEXT));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    response
}

/// A small one for the lines of a list.
pub(in crate::views) fn small_button(ui: &mut Ui, text: &str, name: &str) -> Response {
    let response = ui.small_button(RichText::new(text).color(theme::TEXT));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    response
}

/// A thin line that fills from the left; `part` is 0 to 1.
pub(in crate::views) fn progress(
    ui: &mut Ui,
    width: f32,
    part: f32,
    color: Color32,
    name: &str,
) -> Response {
    let part = if part.is_finite() {
        part.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (rect, response) = ui.allocate_exact_size(vec2(width.max(1.0), 4.0), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, name);
        info.value = Some(f64::from((part * 100.0).round()));
        info
    });
    if ui.is_rect_visible(rect) {
        ui.painter().rect_filled(rect, 2.0, theme::RAISED);
        let filled = rect.with_max_x(rect.left() + rect.width() * part);
        ui.painter().rect_filled(filled, 2.0, color);
    }
    response
}

pub(in crate::views) fn muted(text: impl Into<String>) -> RichText {
    RichText::new(text).color(theme::TEXT_MUTED)
}

/// `1 track`, `12,304 tracks`.
pub(in crate::views) fn counted(count: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        crate::format::count(count),
        if count == 1 { one } else { many }
    )
}
