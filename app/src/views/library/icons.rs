//! Small buttons with drawn signs, so that no font has to have them.

use super::LibraryPanel;
use super::header;
use crate::theme;
use eframe::egui::{
    Color32, Painter, Popup, PopupCloseBehavior, Rect, Response, Role, Sense, Stroke, StrokeKind,
    Ui, WidgetInfo, vec2,
};

/// What is drawn on a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    LeftSide,
    RightSide,
    Columns,
    Question,
}

/// A square button; `on` for one that is pressed in.
pub(super) fn sign_button(ui: &mut Ui, sign: Sign, name: &str, on: Option<bool>) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(vec2(theme::CONTROL, theme::CONTROL), Sense::click());
    response.widget_info(|| match on {
        Some(on) => WidgetInfo::selected(Role::Button, true, on, name),
        None => WidgetInfo::labeled(Role::Button, true, name),
    });
    if ui.is_rect_visible(rect) {
        let painter = ui.painter();
        if response.hovered() {
            painter.rect_filled(rect, theme::RADIUS, theme::HOVER);
        }
        if response.has_focus() {
            let stroke = Stroke::new(1.0, theme::ACCENT);
            painter.rect_stroke(rect, theme::RADIUS, stroke, StrokeKind::Inside);
        }
        let color = match (on, response.hovered()) {
            (Some(true), _) => theme::ACCENT,
            (_, true) => theme::TEXT,
            _ => theme::TEXT_MUTED,
        };
        paint(ui, painter, (rect, sign), color);
    }
    response.on_hover_text(name)
}

fn paint(ui: &Ui, painter: &Painter, (rect, sign): (Rect, Sign), color: Color32) {
    let frame = Rect::from_center_size(rect.center(), vec2(15.0, 12.0));
    let stroke = Stroke::new(1.2, color);
    match sign {
        Sign::LeftSide | Sign::RightSide => {
            painter.rect_stroke(frame, 2.0, stroke, StrokeKind::Inside);
            let side = if sign == Sign::LeftSide {
                frame.with_max_x(frame.left() + 5.0)
            } else {
                frame.with_min_x(frame.right() - 5.0)
            };
            painter.rect_filled(side, 2.0, color);
        }
        Sign::Columns => {
            painter.rect_stroke(frame, 2.0, stroke, StrokeKind::Inside);
            for share in [1.0 / 3.0, 2.0 / 3.0] {
                let x = frame.left() + frame.width() * share;
                painter.vline(x, frame.y_range(), stroke);
            }
        }
        Sign::Question => {
            let font = super::cells::fonts(ui).0;
            let middle = eframe::egui::Align2::CENTER_CENTER;
            painter.text(rect.center(), middle, "?", font, color);
        }
    }
}

/// Opens and closes a side of the window.
pub(super) fn toggle(ui: &mut Ui, open: &mut bool, (sign, name): (Sign, &str)) {
    if sign_button(ui, sign, name, Some(*open)).clicked() {
        *open = !*open;
    }
}

/// The menu of columns.
pub(super) fn columns_button(ui: &mut Ui, panel: &mut LibraryPanel) {
    let response = sign_button(ui, Sign::Columns, "Columns", None);
    let popup = Popup::from_toggle_button_response(&response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    if std::mem::take(&mut panel.state.open_columns) {
        Popup::open_id(ui.ctx(), popup.get_id());
    }
    popup.show(|ui| header::chooser_ui(ui, &mut panel.columns));
}
