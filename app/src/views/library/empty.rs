//! What stands in the place of the table when there is nothing to list: what to do next.

use super::LibraryPanel;
use super::listing::Scope;
use super::{menu, words};
use crate::action::Action;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{Align, Button, Label, Layout, RichText, Ui, UiBuilder, vec2};

/// Draws the reason why there is nothing; `false` when there is something to list.
pub(super) fn empty_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    panel: &mut LibraryPanel,
    out: &mut Outbox,
) -> bool {
    let listing = panel.state.clerk.listing();
    if !listing.is_empty() || panel.state.clerk.is_busy() {
        return false;
    }
    let rect = ui.available_rect_before_wrap();
    let height = 220.0_f32.min(rect.height());
    let width = 460.0_f32.min(rect.width());
    let middle = eframe::egui::Rect::from_center_size(rect.center(), vec2(width, height));
    let layout = Layout::top_down(Align::Center);
    let builder = UiBuilder::new().max_rect(middle).layout(layout);
    ui.scope_builder(builder, |ui| {
        if !scene.ready {
            ui.spinner();
            said(ui, "Reading the library…", "");
        } else if !scene.view.rows.is_empty() {
            nothing_found_ui(ui, panel);
        } else if scene.view.activity.import.is_some() {
            ui.spinner();
            said(
                ui,
                "Looking for music…",
                "Tracks appear here as they are found",
            );
        } else {
            first_steps_ui(ui, out);
        }
    });
    true
}

fn said(ui: &mut Ui, title: &str, text: &str) {
    ui.label(RichText::new(title).size(16.0).color(theme::TEXT));
    if !text.is_empty() {
        ui.add_space(4.0);
        ui.add(Label::new(RichText::new(text).color(theme::TEXT_MUTED)).wrap());
    }
    ui.add_space(16.0);
}

fn first_steps_ui(ui: &mut Ui, out: &mut Outbox) {
    said(
        ui,
        "Bring your music in",
        "Your files stay where they are and as they are",
    );
    for action in [Action::AddFolder, Action::AddFiles, Action::TryDemo] {
        let text = RichText::new(menu::name(action)).size(15.0);
        let mut button = Button::new(text).min_size(vec2(260.0, 38.0));
        if action == Action::AddFolder {
            button = button.fill(theme::ACCENT_BACK);
        }
        if ui.add(button).clicked() {
            out.act(action);
        }
        ui.add_space(4.0);
    }
    ui.add_space(8.0);
    ui.label(
        RichText::new("or drop files and folders anywhere in this window").color(theme::TEXT_FAINT),
    );
}

fn nothing_found_ui(ui: &mut Ui, panel: &mut LibraryPanel) {
    let search = words::line(panel.search.trim(), 80).into_owned();
    let place = panel.scope.name();
    let is_everywhere = panel.scope == Scope::All;
    match (search.is_empty(), is_everywhere) {
        (true, _) => said(ui, &format!("{place}: no tracks"), nothing_in(&panel.scope)),
        (false, true) => said(
            ui,
            &format!("Nothing found for “{search}”"),
            "Fewer words find more; “or” between two finds either",
        ),
        (false, false) => said(
            ui,
            &format!("Nothing found for “{search}” in {place}"),
            "It may be elsewhere in the library",
        ),
    }
    if !is_everywhere && ui.button("Look in all tracks").clicked() {
        panel.scope = Scope::All;
    }
    if !search.is_empty() && ui.button("Clear the search").clicked() {
        panel.search.clear();
    }
}

fn nothing_in(scope: &Scope) -> &'static str {
    match scope {
        Scope::All => "",
        Scope::Recent => "Nothing came in within the last 30 days",
        Scope::Ready => "No track is fully analysed yet",
        Scope::InWork => "Nothing is waiting or being worked on",
        Scope::Failed => "Nothing failed",
        Scope::Missing => "All files are where they should be",
        Scope::Duplicates => "No two files are the same",
        Scope::Folder(_) => "All tracks of this folder were taken out",
    }
}
