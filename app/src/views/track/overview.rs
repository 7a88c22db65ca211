//! The whole track at a glance: what is in view, where the sound is, a click to go anywhere.

use super::viewport::Viewport;
use super::{Page, TrackPanel, jump};
use crate::format;
use crate::outbox::Outbox;
use crate::theme;
use crate::widgets::wave::{self, Drawing};
use eframe::egui::{self, CornerRadius, CursorIcon, Id, Rect, Stroke, StrokeKind, Ui};
use tonearm_core::units::Secs;

const HEIGHT: f32 = 48.0;

pub(super) fn overview_ui(ui: &mut Ui, page: &Page<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    let size = egui::vec2(ui.available_width().max(1.0), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, jump::POINTED_AT);
    let label = "Overview of the whole track";
    let value = format!(
        "{} of {}",
        format::duration(Secs(page.at)),
        format::duration(Secs(page.duration))
    );
    response.widget_info(|| super::stage::place_info(label, &value));
    jump::asked(ui, &response, page, panel, out);
    let whole = Viewport {
        start: 0.0,
        per_point: (page.duration / f64::from(size.x)).max(1e-6),
    };
    act(&response, page, panel, &whole, out);
    if !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter_at(rect);
    match panel.kept.source() {
        Some(source) => {
            let drawing = Drawing {
                slot: Id::unique("overview"),
                source,
                start: 0.0,
                per_point: whole.per_point,
                gain: panel.kept.gain * 0.92,
                samples: None,
                ground: theme::WAVE,
                bands: theme::BANDS,
            };
            wave::paint(&painter, rect, &drawing);
        }
        None => {
            painter.rect_filled(rect, CornerRadius::same(4), theme::WAVE);
        }
    }
    let view = panel.view();
    let from = rect.left() + whole.x(view.start);
    let to = rect.left() + whole.x(view.time(panel.kept.limits.width));
    let seen = Rect::from_x_y_ranges(from..=to.max(from + 3.0), rect.y_range()).intersect(rect);
    let shade = theme::APP.gamma_multiply(0.55);
    painter.rect_filled(rect.with_max_x(seen.left()), 0.0, shade);
    painter.rect_filled(rect.with_min_x(seen.right()), 0.0, shade);
    let frame = Stroke::new(1.0, theme::TEXT.gamma_multiply(0.75));
    painter.rect_stroke(seen, CornerRadius::same(3), frame, StrokeKind::Inside);
    let x = rect.left() + whole.x(page.at);
    painter.vline(x, rect.y_range(), Stroke::new(1.5, theme::PLAYHEAD));
}

/// A click goes there, pulling at the frame moves it.
fn act(
    response: &egui::Response,
    page: &Page<'_>,
    panel: &mut TrackPanel,
    whole: &Viewport,
    out: &mut Outbox,
) {
    let Some(pointer) = response.interact_pointer_pos() else {
        return;
    };
    let at = whole.time(pointer.x - response.rect.left());
    if response.double_clicked() {
        jump::seek(page, at, true, out);
    } else if response.clicked() {
        jump::seek(page, at, false, out);
        if !page.loaded {
            let centred = panel.view().centred(at, &panel.kept.limits);
            panel.look(centred);
        }
    } else if response.dragged() {
        panel.follow = false;
        response.ctx.set_cursor_icon(CursorIcon::Grabbing);
        let moved = f64::from(response.drag_delta().x) * whole.per_point;
        let view = panel.view();
        let moved = Viewport {
            start: view.start + moved,
            ..view
        };
        panel.look(moved.within(&panel.kept.limits));
    }
}
