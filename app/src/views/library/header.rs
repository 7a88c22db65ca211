//! The headings above the table: click to sort, drag to move, drag an edge to resize, right click to choose.

use super::cells::INSET;
use super::columns::{ColumnChoice, ColumnId, Columns, Order, Placed, Side};
use crate::theme;
use eframe::egui::{
    Button, CursorIcon, Grid, Id, Key, Painter, Popup, PopupCloseBehavior, Rect, Response, Role,
    Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

/// In points.
pub(super) const HEIGHT: f32 = 26.0;

/// On either side of an edge, in points.
const GRIP: f32 = 4.0;

/// What the header needs to know and may change.
pub(super) struct Header<'a> {
    pub(super) columns: &'a mut Columns,
    pub(super) order: &'a mut Order,
    pub(super) placed: &'a [Placed],
    /// Points that the table is scrolled to the right.
    pub(super) scrolled: f32,
}

pub(super) fn header_ui(ui: &Ui, rect: Rect, header: &mut Header<'_>) {
    let clip = ui.clip_rect().intersect(rect);
    let painter = ui.painter_at(clip);
    painter.hline(
        rect.x_range(),
        rect.bottom() - 0.5,
        Stroke::new(1.0, theme::LINE),
    );
    let back = ui.interact(rect, ui.scope_id().with("headings"), Sense::CLICK);
    chooser_on(&back, header.columns);
    let mut moved: Option<(ColumnId, f32)> = None;
    for placed in header.placed {
        let left = rect.left() + placed.left - header.scrolled;
        let place = Rect::from_min_size(pos2(left, rect.top()), vec2(placed.width, HEIGHT));
        if place.right() < clip.left() || place.left() > clip.right() {
            continue;
        }
        let id = ui.scope_id().with(("heading", placed.column));
        let response = heading(ui, place, id, (placed.column, header.order));
        if response.clicked() || pressed(ui, &response) {
            let extend = ui.input(|input| input.modifiers.shift);
            header.order.click(placed.column, extend);
        }
        chooser_on(&response, header.columns);
        paint(
            &painter,
            ui,
            place,
            (placed.column, header.order, &response),
        );
        if (response.dragged() || response.drag_stopped())
            && let Some(pointer) = response.interact_pointer_pos()
        {
            paint_moving(&painter, place, (rect, pointer.x, header));
            if response.drag_stopped() {
                moved = Some((placed.column, pointer.x));
            }
        }
        resize(ui, place, placed, header.columns);
    }
    if let Some((column, x)) = moved {
        let next = next_of(header, rect, x);
        header.columns.put_before(column, next);
    }
}

fn heading(ui: &Ui, place: Rect, id: Id, (column, order): (ColumnId, &Order)) -> Response {
    let grab = place.shrink2(vec2(GRIP, 0.0));
    let response = ui.interact(grab, id, Sense::CLICK | Sense::DRAG | Sense::FOCUSABLE);
    response.widget_info(|| {
        let order = match order.of(column) {
            Some((true, _)) => ", sorted descending",
            Some((false, _)) => ", sorted ascending",
            None => "",
        };
        WidgetInfo::labeled(
            Role::ColumnHeader,
            true,
            format!("{}{order}", column.name()),
        )
    });
    response
}

/// Enter or space on the focused heading counts as a click already; the context menu key does not exist.
fn pressed(ui: &Ui, response: &Response) -> bool {
    response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter)) && !response.clicked()
}

fn paint(
    painter: &Painter,
    ui: &Ui,
    place: Rect,
    (column, order, response): (ColumnId, &Order, &Response),
) {
    let sorted = order.of(column);
    let color = if sorted.is_some() || response.hovered() {
        theme::TEXT
    } else {
        theme::TEXT_FAINT
    };
    let font = super::cells::fonts(ui).1;
    let text = match sorted {
        Some((_, rank)) if order.is_by_several() => format!("{} {rank}", column.heading()),
        _ => column.heading().to_owned(),
    };
    let galley = painter.layout_no_wrap(text, font, color);
    let arrow = if sorted.is_some() { 12.0 } else { 0.0 };
    let size = galley.size();
    let left = match column.side() {
        Side::Left => place.left() + INSET,
        Side::Centre => place.center().x - f32::midpoint(size.x, arrow),
        // Above the digits, which leave room for a mark in the tempo's column.
        Side::Right if column == ColumnId::Tempo => place.right() - INSET - 7.0 - size.x - arrow,
        Side::Right => place.right() - INSET - size.x - arrow,
    };
    let inside = painter.with_clip_rect(painter.clip_rect().intersect(place));
    let at = pos2(
        left.max(place.left() + 2.0),
        place.center().y - size.y / 2.0,
    );
    inside.galley(at, galley, color);
    if let Some((descending, _)) = sorted {
        arrow_at(&inside, at.x + size.x + 7.0, place.center().y, descending);
    }
    let edge = place.right() - 0.5;
    let line = Stroke::new(1.0, theme::LINE.gamma_multiply(0.6));
    painter.vline(edge, place.top() + 6.0..=place.bottom() - 6.0, line);
    if response.has_focus() {
        let stroke = Stroke::new(1.0, theme::ACCENT);
        painter.rect_stroke(
            place.shrink(2.0),
            3.0,
            stroke,
            eframe::egui::StrokeKind::Inside,
        );
    }
}

fn arrow_at(painter: &Painter, x: f32, y: f32, descending: bool) {
    let tip = if descending { 3.0 } else { -3.0 };
    let points = vec![
        pos2(x - 3.5, y - tip * 0.6),
        pos2(x + 3.5, y - tip * 0.6),
        pos2(x, y + tip),
    ];
    painter.add(eframe::egui::Shape::convex_polygon(
        points,
        theme::ACCENT,
        Stroke::NONE,
    ));
}

/// Before which column one that is let go at `x` would come.
fn next_of(header: &Header<'_>, rect: Rect, x: f32) -> Option<ColumnId> {
    let at = x - rect.left() + header.scrolled;
    let next = header
        .placed
        .iter()
        .find(|placed| at < placed.left + placed.width / 2.0);
    next.map(|placed| placed.column)
}

fn paint_moving(painter: &Painter, place: Rect, (rect, x, header): (Rect, f32, &Header<'_>)) {
    painter.rect_filled(place, 0.0, theme::ACCENT.gamma_multiply(0.15));
    let next = next_of(header, rect, x);
    let edge = next.and_then(|next| header.placed.iter().find(|placed| placed.column == next));
    let end = header
        .placed
        .last()
        .map_or(0.0, |placed| placed.left + placed.width);
    let edge = rect.left() + edge.map_or(end, |placed| placed.left) - header.scrolled;
    painter.vline(edge, rect.y_range(), Stroke::new(2.0, theme::ACCENT));
}

fn resize(ui: &Ui, place: Rect, placed: &Placed, columns: &mut Columns) {
    let grip = Rect::from_center_size(
        pos2(place.right(), place.center().y),
        vec2(2.0 * GRIP, HEIGHT),
    );
    let id = ui.scope_id().with(("edge", placed.column));
    let response = ui
        .interact(grip, id, Sense::CLICK | Sense::DRAG)
        .on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
    if response.double_clicked() {
        columns.resize(placed.column, placed.column.usual_width());
    } else if response.dragged() {
        // From the width the user gave it: what the window adds is not to be kept.
        let kept = columns
            .choices()
            .iter()
            .find(|choice| choice.column == placed.column);
        if let Some(kept) = kept {
            columns.resize(placed.column, kept.width + response.drag_delta().x);
        }
    }
    if response.hovered() || response.dragged() {
        let stroke = Stroke::new(2.0, theme::ACCENT);
        ui.painter()
            .vline(place.right() - 0.5, place.y_range(), stroke);
    }
}

/// The menu of columns on a right click.
fn chooser_on(response: &Response, columns: &mut Columns) {
    Popup::context_menu(response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| chooser_ui(ui, columns));
}

/// Points by which a press changes a column's width.
const WIDTH_STEP: f32 = 16.0;
/// Points that a line of the chooser is tall.
const LINE: f32 = 22.0;

/// What dragging a heading does, for the keyboard: further left or right, narrower or wider.
fn place_ui(ui: &mut Ui, choice: ColumnChoice, columns: &mut Columns) {
    let (column, name) = (choice.column, choice.column.name());
    let mut button = |face: &str, does: &str| {
        let response = ui.add_enabled(choice.shown, Button::new(face).small());
        let words = format!("{does}: {name}");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, choice.shown, &words));
        response.on_hover_text(does).clicked()
    };
    if button("\u{2039}", "Further left") {
        columns.step(column, false);
    }
    if button("\u{203a}", "Further right") {
        columns.step(column, true);
    }
    if button("\u{2212}", "Narrower") {
        columns.resize(column, choice.width - WIDTH_STEP);
    }
    if button("+", "Wider") {
        columns.resize(column, choice.width + WIDTH_STEP);
    }
}

/// One tick box for each column, and where it stands.
pub(super) fn chooser_ui(ui: &mut Ui, columns: &mut Columns) {
    let choices: Vec<ColumnChoice> = columns.choices().to_vec();
    // As tall as its text, or the list would be taller than a window.
    ui.spacing_mut().interact_size.y = LINE;
    let grid = Grid::new("columns").spacing(vec2(4.0, 2.0));
    grid.show(ui, |ui| {
        for choice in choices {
            let mut shown = choice.shown;
            if ui.checkbox(&mut shown, choice.column.name()).changed() {
                columns.show(choice.column, shown);
            }
            place_ui(ui, choice, columns);
            ui.end_row();
        }
    });
    ui.separator();
    if ui.button("Back to the usual columns").clicked() {
        *columns = Columns::default();
    }
}
