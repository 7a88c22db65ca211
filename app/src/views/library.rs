//! The library: search, table, inspector.

mod acting;
mod cells;
mod clerk;
mod columns;
mod covers;
mod empty;
mod header;
mod icons;
mod inspector;
mod listing;
mod menu;
mod search;
mod selection;
mod sidebar;
mod table;
mod tips;
mod words;

pub use columns::{ColumnChoice, ColumnId, Columns, Order};
pub use listing::Scope;

use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use clerk::Clerk;
use covers::Covers;
use eframe::egui::{CentralPanel, Context, Frame, Id, Label, Margin, Panel, RichText, Ui};
use icons::Sign;
use listing::Wish;
use search::Understood;
use selection::{Marks, Step};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use table::Scroll;
use tonearm_core::track::TrackId;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct LibraryPanel {
    /// What narrows the list is not kept: a program that starts shows the whole library, whichever it is.
    #[serde(skip)]
    pub search: String,
    /// Ascending order of selection; the last is the one the inspector shows.
    #[serde(serialize_with = "selection::keep_few")]
    pub selected: Vec<TrackId>,
    pub columns: Columns,
    pub order: Order,
    #[serde(skip)]
    pub scope: Scope,
    /// Whether the left side is open.
    pub sidebar: bool,
    /// Whether the right side is open.
    pub inspector: bool,
    /// In points, as far as the window has room.
    pub sidebar_width: f32,
    pub inspector_width: f32,
    #[serde(skip)]
    state: State,
}

impl Default for LibraryPanel {
    fn default() -> Self {
        Self {
            search: String::new(),
            selected: Vec::new(),
            columns: Columns::default(),
            order: Order::default(),
            scope: Scope::All,
            sidebar: true,
            inspector: true,
            sidebar_width: 168.0,
            inspector_width: 272.0,
            state: State::default(),
        }
    }
}

/// What can be made again from the rest and is not kept.
#[derive(Debug, Default)]
struct State {
    clerk: Clerk,
    understood: Understood,
    marks: Marks,
    scroll: Scroll,
    covers: Covers,
    table: Option<Id>,
    inspected: inspector::Inspected,
    focus_search: bool,
    open_help: bool,
    open_columns: bool,
}

impl State {
    /// Nothing is there to search: what was asked for is not to come up when something is.
    fn forget_asked(&mut self) {
        self.focus_search = false;
        self.open_help = false;
        self.open_columns = false;
    }
}

impl Clone for State {
    /// A copy starts afresh.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl LibraryPanel {
    /// The track that keyboard actions mean.
    pub fn focus(&self) -> Option<TrackId> {
        self.selected.last().copied()
    }

    /// The table's widget, once drawn: it wants the arrows and nothing else of the keyboard.
    pub fn table(&self) -> Option<Id> {
        self.state.table
    }

    /// Whether the table is about to change without anybody doing anything.
    pub fn is_listing(&self) -> bool {
        self.state.clerk.is_busy()
    }

    fn select_all(&mut self) {
        let listing = Arc::clone(self.state.clerk.listing());
        self.state.marks.select_all(&mut self.selected, &listing);
    }

    /// Moves the focus and brings it into sight.
    fn step(&mut self, step: Step, extend: bool) {
        let listing = Arc::clone(self.state.clerk.listing());
        let marks = &mut self.state.marks;
        let reached = marks.step(&mut self.selected, &listing, step, extend);
        self.state.scroll.reveal = reached;
    }

    /// Selects a track, widening what is listed when it is not among it.
    pub fn go_to(&mut self, id: TrackId) {
        if self.state.clerk.listing().place(id).is_none() {
            self.search.clear();
            self.scope = Scope::All;
        }
        self.selected = vec![id];
        self.state.scroll.reveal = Some(id);
    }

    /// Brings the listing up to date with what the user wants and what the library is: on other pages too, where the
    /// next and the previous track are those of the list.
    pub fn attend(&mut self, ctx: &Context, scene: &Scene<'_>) {
        self.state.understood.read(&self.search);
        self.state.covers.begin_frame();
        let wish = Wish {
            rows: scene.view.rows.clone(),
            query: self.state.understood.query.clone(),
            sort: self.order.sort(),
            scope: self.scope.clone(),
        };
        if self.state.clerk.attend(ctx, &wish) {
            self.state.scroll.restore = true;
            // Before the library is there, and after it went, no track is gone because of that.
            if scene.ready {
                self.selected
                    .retain(|id| scene.view.rows.get(*id).is_some());
            }
        }
        self.state.marks.follow(&self.selected);
    }
}

/// Points of width from which the table has both sides beside it.
const BOTH_SIDES: f32 = 900.0;

/// Fills what is left of the window.
pub fn library_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut LibraryPanel, out: &mut Outbox) {
    panel.attend(ui.ctx(), scene);
    let frame = |inner: Margin| Frame::new().fill(theme::PANEL).inner_margin(inner);
    let room = ui.available_width();
    let has_rows = !scene.view.rows.is_empty();
    if !has_rows && scene.ready {
        panel.state.forget_asked();
    }
    // In a narrow window the table keeps its room, and what was asked for last stays: the right side.
    let least = if panel.inspector && room > 720.0 {
        BOTH_SIDES
    } else {
        480.0
    };
    if has_rows && panel.sidebar && room > least {
        let side = Panel::left("library parts")
            .frame(frame(Margin::same(6)))
            .default_size(panel.sidebar_width)
            .size_range(120.0..=320.0)
            .show(ui, |ui| sidebar::sidebar_ui(ui, panel));
        panel.sidebar_width = side.response.rect.width();
    }
    let inspects = has_rows && panel.inspector && room > 720.0;
    if inspects {
        let side = Panel::right("library inspector")
            .frame(frame(Margin::same(theme::PADDING as i8)))
            .default_size(panel.inspector_width)
            .size_range(200.0..=480.0)
            .show(ui, |ui| inspector::inspector_ui(ui, scene, panel, out));
        panel.inspector_width = side.response.rect.width();
    }
    if !inspects || panel.selected.len() < 2 {
        panel.state.inspected.forget();
    }
    CentralPanel::default()
        .frame(Frame::new().fill(theme::APP))
        .show(ui, |ui| {
            if has_rows {
                Frame::new()
                    .inner_margin(Margin::symmetric(8, 6))
                    .show(ui, |ui| strip_ui(ui, scene, panel));
            }
            if !empty::empty_ui(ui, scene, panel, out) {
                table::table_ui(ui, scene, panel, out);
            }
        });
}

/// Above the table: the search, what it found, and what is shown of it.
fn strip_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut LibraryPanel) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let side = (Sign::LeftSide, "Parts of the library");
        icons::toggle(ui, &mut panel.sidebar, side);
        let text = found_text(panel, scene.view.rows.len());
        let font = cells::fonts(ui).0;
        let galley = ui
            .painter()
            .layout_no_wrap(text.clone(), font, theme::TEXT_MUTED);
        let rest = galley.size().x + 4.0 * (theme::CONTROL + 6.0) + 14.0;
        let width = (ui.available_width() - rest).clamp(60.0, 620.0);
        search::search_ui(ui, panel, width);
        search::help_button(ui, panel);
        let gap = ui.available_width() - galley.size().x - 2.0 * (theme::CONTROL + 6.0) - 6.0;
        ui.add_space(gap.max(0.0));
        ui.add(Label::new(RichText::new(text).color(theme::TEXT_MUTED)).extend());
        icons::columns_button(ui, panel);
        let side = (Sign::RightSide, "Inspector");
        icons::toggle(ui, &mut panel.inspector, side);
    });
    search::error_ui(ui, panel);
}

/// `312 of 50,000 · 21 h 4 m`.
fn found_text(panel: &LibraryPanel, total: usize) -> String {
    let listing = panel.state.clerk.listing();
    let length = words::total(listing.secs);
    if listing.len() == total {
        format!("{} · {length}", words::tracks(total))
    } else {
        let (found, total) = (
            crate::format::count(listing.len() as u64),
            crate::format::count(total as u64),
        );
        format!("{found} of {total} · {length}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::shelf::Shelf;
    use eframe::egui;
    use tonearm_core::core_loop::view::View;
    use tonearm_core::playback::PlayerView;

    fn selected_after(ready: bool) -> Vec<TrackId> {
        let mut panel = LibraryPanel {
            selected: vec![TrackId(7)],
            ..LibraryPanel::default()
        };
        let scene = Scene {
            view: &View::default(),
            sound: &PlayerView::default(),
            playhead: None,
            sought: None,
            shelf: &Shelf::default(),
            settings: &Settings::default(),
            setup: &tonearm_core::setup::SetupView::default(),
            ready,
        };
        egui::__run_test_ui(|ui| panel.attend(ui.ctx(), &scene));
        panel.selected
    }

    #[test]
    fn the_selection_outlives_a_library_that_is_not_there_yet() {
        assert_eq!(selected_after(false), [TrackId(7)]);
        assert_eq!(selected_after(true), []);
    }
}
