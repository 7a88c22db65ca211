//! The table: only the rows that can be seen are looked at. Clicks, keys, tooltips, the menu of a row.

use super::cells::{Cell, Pen, fonts};
use super::columns::Placed;
use super::header::{self, Header, header_ui};
use super::selection::{How, Step};
use super::{LibraryPanel, menu, tips, words};
use crate::action::Action;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{
    EventFilter, Id, Key, Modifiers, PointerButton, Rect, Response, Role, ScrollArea, Sense,
    Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use tonearm_core::row::Row;
use tonearm_core::track::TrackId;

/// Where the table is scrolled to, by track and not by number, so that it stays when rows come and go.
#[derive(Debug, Default)]
pub(super) struct Scroll {
    /// The topmost row that is seen, and how far it is pushed out.
    top: Option<(TrackId, f32)>,
    /// Rows that fit.
    page: usize,
    /// The widget of the row at which the arrows are, if it can be seen.
    spoken: Option<Id>,
    /// To be brought into sight.
    pub(super) reveal: Option<TrackId>,
    /// The listing is new: find the place again.
    pub(super) restore: bool,
    /// Points of table above the topmost that is seen.
    offset: f32,
    /// Where the next frame scrolls to. This frame paints there already: the scroll area would take a place
    /// beyond its old end for a pull at its edge and spring back.
    next: Option<f32>,
}

/// The table with its header, in all of the room there is.
pub(super) fn table_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut LibraryPanel, out: &mut Outbox) {
    let whole = ui.available_rect_before_wrap();
    if whole.width() < 1.0 || whole.height() < 1.0 {
        return;
    }
    let id = ui.scope_id().with("tracks");
    let body_rect = whole.with_min_y((whole.top() + header::HEIGHT).min(whole.bottom()));
    let head_rect = whole.with_max_y(body_rect.top());
    let table = ui.interact(body_rect, id, Sense::CLICK | Sense::FOCUSABLE);
    panel.state.table = Some(id);
    let listed = panel.state.clerk.listing().len();
    table.widget_info(|| {
        WidgetInfo::labeled(
            Role::Table,
            true,
            format!("{} in the table", words::tracks(listed)),
        )
    });
    keys(ui, &table, panel, out);

    let placed = panel
        .columns
        .placed(body_rect.width() - ui.spacing().scroll.allocated_width());
    let offset = panel.state.scroll.next.take();
    let mut child = ui.new_child(eframe::egui::UiBuilder::new().max_rect(body_rect));
    let mut area = ScrollArea::both()
        .id_salt("tracks")
        .auto_shrink(false)
        .content_margin(0.0);
    if let Some(offset) = offset {
        area = area.vertical_scroll_offset(offset);
    }
    let scrolled = area.show_viewport(&mut child, |ui, viewport| {
        let viewport = moved(ui, viewport, panel);
        rows_ui(ui, (scene, &placed, viewport), panel, out);
    });
    let scrolled = scrolled.state.unclamped_offset().x;
    let mut head = Header {
        columns: &mut panel.columns,
        order: &mut panel.order,
        placed: &placed,
        scrolled,
    };
    header_ui(ui, head_rect, &mut head);
    if let Some(row) = panel.state.scroll.spoken {
        // The arrows move among rows, the focus stays on the table.
        ui.ctx().accesskit_node_builder(table.id, |node| {
            node.set_active_descendant(row.accesskit_id());
        });
    }
    if table.has_focus() {
        let stroke = Stroke::new(1.0, theme::ACCENT);
        ui.painter()
            .rect_stroke(body_rect, 0.0, stroke, StrokeKind::Inside);
    }
    // Not by a key, which egui takes for a click: it may be a shortcut that is held.
    if table.clicked_by(PointerButton::Primary) {
        panel.selected.clear();
    }
    ui.advance_cursor_after_rect(whole);
}

/// The part of the table to paint: that of the scroll area, or another that it will be scrolled to.
fn moved(ui: &Ui, viewport: Rect, panel: &mut LibraryPanel) -> Rect {
    panel.state.scroll.offset = viewport.top();
    let height = panel.state.clerk.listing().len() as f32 * theme::ROW;
    let Some(wanted) = wanted_offset(panel, viewport.height()) else {
        return viewport;
    };
    let wanted = wanted.min(height - viewport.height()).max(0.0);
    if (wanted - viewport.top()).abs() < 0.01 {
        return viewport;
    }
    panel.state.scroll.next = Some(wanted);
    ui.ctx().request_repaint();
    viewport.translate(vec2(0.0, wanted - viewport.top()))
}

/// Where to scroll to when it is not for the user to say.
fn wanted_offset(panel: &mut LibraryPanel, height: f32) -> Option<f32> {
    let listing = panel.state.clerk.listing();
    let scroll = &mut panel.state.scroll;
    let restore = std::mem::take(&mut scroll.restore);
    if let Some(place) = scroll.reveal.and_then(|id| listing.place(id)) {
        scroll.reveal = None;
        let top = place as f32 * theme::ROW;
        let now = scroll.offset;
        if top < now {
            return Some(top);
        }
        if top + theme::ROW > now + height {
            return Some(top + theme::ROW - height);
        }
        return restore.then_some(now);
    }
    if restore {
        // Not even the new listing has it.
        scroll.reveal = None;
    }
    if restore && let Some((id, pushed)) = scroll.top {
        // At the very top stays at the very top.
        if scroll.offset < 1.0 {
            return Some(0.0);
        }
        if let Some(place) = listing.place(id) {
            return Some((place as f32 * theme::ROW + pushed).max(0.0));
        }
    }
    None
}

fn rows_ui(
    ui: &mut Ui,
    (scene, placed, viewport): (&Scene<'_>, &[Placed], Rect),
    panel: &mut LibraryPanel,
    out: &mut Outbox,
) {
    let listing = std::sync::Arc::clone(panel.state.clerk.listing());
    let width = placed.last().map_or(0.0, |last| last.left + last.width);
    let height = listing.len() as f32 * theme::ROW;
    ui.set_min_size(vec2(width, height));
    let clip = ui.clip_rect();
    let left = ui.min_rect().left();
    let first = (viewport.top() / theme::ROW).floor().max(0.0) as usize;
    let pushed = viewport.top() - first as f32 * theme::ROW;
    let seen = ((viewport.height() + pushed) / theme::ROW).ceil() as usize;
    panel.state.scroll.page = ((viewport.height() / theme::ROW).floor() as usize).max(2) - 1;
    panel.state.scroll.offset = viewport.top();
    panel.state.scroll.top = listing.at(first).map(|id| (id, pushed));

    let mut covers = std::mem::take(&mut panel.state.covers);
    let (body, small) = fonts(ui);
    let mut clicked = None;
    panel.state.scroll.spoken = None;
    let focus = panel.focus();
    let mut pen = Pen {
        ui,
        painter: ui.painter().clone(),
        scene,
        body,
        small,
        covers: &mut covers,
    };
    for step in 0..seen {
        let Some(id) = listing.at(first + step) else {
            break;
        };
        let Some(row) = scene.view.rows.get(id) else {
            continue;
        };
        let top = clip.top() - pushed + step as f32 * theme::ROW;
        let rect = Rect::from_min_size(pos2(left, top), vec2(width.max(clip.width()), theme::ROW));
        let response = row_ui(&mut pen, row, (rect, placed), panel);
        if response.clicked() || response.secondary_clicked() {
            clicked = Some((first + step, id, response.clone()));
        }
        if focus == Some(id) {
            panel.state.scroll.spoken = Some(response.id);
        }
        menu::row_menu(&response, out);
    }
    panel.state.covers = covers;
    if let Some((place, id, response)) = clicked {
        click(ui, (place, id, &response), panel, out);
    }
}

fn row_ui(
    pen: &mut Pen<'_>,
    row: &Row,
    (rect, placed): (Rect, &[Placed]),
    panel: &LibraryPanel,
) -> Response {
    let id = row.track.id;
    let clip = pen.painter.clip_rect();
    let name = Id::unique("track").with(id.0);
    let response = pen.ui.interact(rect.intersect(clip), name, Sense::CLICK);
    let is_selected = panel.state.marks.contains(id);
    response.widget_info(|| {
        let spoken = words::spoken(row, pen.scene.settings.key_notation);
        WidgetInfo::selected(Role::Row, true, is_selected, spoken)
    });
    if is_selected {
        pen.painter.rect_filled(rect, 0.0, theme::ACCENT_BACK);
    } else if response.hovered() {
        pen.painter
            .rect_filled(rect, 0.0, theme::HOVER.gamma_multiply(0.6));
    }
    if panel.focus() == Some(id) && is_selected {
        let bar = rect.with_max_x(rect.left() + 2.0);
        pen.painter.rect_filled(bar, 0.0, theme::ACCENT);
    }
    let is_faint = row.track.missing;
    let pointer = response.hover_pos().filter(|_| response.hovered());
    let mut under = None;
    for placed in placed {
        let cell = Rect::from_min_size(
            pos2(rect.left() + placed.left, rect.top()),
            vec2(placed.width, rect.height()),
        );
        if cell.right() < clip.left() || cell.left() > clip.right() {
            continue;
        }
        if pointer.is_some_and(|pointer| cell.contains(pointer)) {
            under = Some((placed.column, cell));
        }
        let cell = Cell {
            row,
            rect: cell,
            is_faint,
        };
        pen.cell(placed.column, &cell);
    }
    if let (Some((column, cell)), Some(table)) = (under, panel.state.table)
        && tips::has_one(column, row, cell.width())
    {
        // The tip is the table's: the toolkit remembers each widget that ever had one.
        let mut response = response.clone();
        response.id = table;
        response.on_hover_ui_at_pointer(|ui| tips::tip_ui(ui, pen.scene, row, column));
    }
    response
}

fn click(
    ui: &Ui,
    (place, id, response): (usize, TrackId, &Response),
    panel: &mut LibraryPanel,
    out: &mut Outbox,
) {
    if let Some(table) = panel.state.table {
        ui.memory_mut(|memory| memory.request_focus(table));
    }
    let listing = std::sync::Arc::clone(panel.state.clerk.listing());
    let modifiers = ui.input(|input| input.modifiers);
    if response.secondary_clicked() {
        // The menu is about the selection; a row outside of it becomes the selection.
        if panel.state.marks.contains(id) {
            panel.selected.retain(|known| *known != id);
            panel.selected.push(id);
            panel.state.marks.follow(&panel.selected);
        } else {
            let marks = &mut panel.state.marks;
            marks.select(&mut panel.selected, &listing, place, How::Only);
        }
        return;
    }
    let how = match (modifiers.command, modifiers.shift) {
        (false, false) => How::Only,
        (true, false) => How::Toggle,
        (false, true) => How::Through,
        (true, true) => How::ThroughToo,
    };
    let marks = &mut panel.state.marks;
    marks.select(&mut panel.selected, &listing, place, how);
    if response.double_clicked() && how == How::Only {
        out.act(Action::OpenTrack);
    }
}

/// Arrows and the like belong to the table while nothing else has the focus.
fn keys(ui: &Ui, table: &Response, panel: &mut LibraryPanel, out: &mut Outbox) {
    if table.has_focus() {
        let filter = EventFilter {
            vertical_arrows: true,
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(table.id, filter));
    } else if ui.memory(|memory| memory.focused().is_some() || memory.top_modal_layer().is_some())
        || eframe::egui::Popup::is_any_open(ui.ctx())
    {
        return;
    }
    let page = panel.state.scroll.page as isize;
    let steps = [
        (Key::ArrowUp, Step::Rows(-1)),
        (Key::ArrowDown, Step::Rows(1)),
        (Key::PageUp, Step::Rows(-page)),
        (Key::PageDown, Step::Rows(page)),
        (Key::Home, Step::Start),
        (Key::End, Step::End),
    ];
    for (key, step) in steps {
        for (modifiers, extend) in [(Modifiers::SHIFT, true), (Modifiers::NONE, false)] {
            let count = ui.input_mut(|input| input.count_and_consume_key(modifiers, key));
            for _ in 0..count.min(100) {
                panel.step(step, extend);
            }
        }
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::A)) {
        panel.select_all();
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
        && panel.focus().is_some()
    {
        out.act(Action::OpenTrack);
    }
}
