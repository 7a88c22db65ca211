//! What better stems, beats and chords need: how it stands, and one button that does the next sensible thing.

mod details;
mod models;
mod packages;
mod parts;
mod standing;

use crate::action::Action;
use crate::outbox::Outbox;
use crate::panels::{Panels, Sheet};
use crate::theme::{self, icon};
use eframe::egui::{
    Align, Button, Label, Layout, Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2,
};
use standing::{Primary, Standing};
use std::collections::BTreeSet;
use tonearm_core::core_loop::command::Command;
use tonearm_core::setup::{
    DeviceView, EnvironmentView, InterpreterView, ModelState, SetupCommand, SetupView, Variant,
    Wish,
};

/// What the user has said on the sheet and not yet asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetupPanel {
    /// Ids of models whose terms are agreed to.
    pub accepted: BTreeSet<String>,
    /// The build of torch in place of the one that was chosen.
    pub torch: Option<Variant>,
    /// What the window is to see to; it takes it.
    pub asked: Option<Asked>,
}

/// What the sheet cannot do by a command alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A folder with models is to be named.
    Folder,
    /// The program of a Python.
    Python,
    /// No particular Python any more.
    AnyPython,
}

impl SetupPanel {
    /// Everything that may be had.
    pub fn wish(&self, view: &SetupView) -> Wish {
        let accepted = |id: &&String| view.models.iter().any(|model| model.id == **id);
        Wish {
            accepted: self.accepted.iter().filter(accepted).cloned().collect(),
            torch: self.torch,
            ..Wish::default()
        }
    }

    /// Packages and this model alone.
    fn wish_for(&self, id: &str) -> Wish {
        Wish {
            models: Some(vec![id.to_owned()]),
            accepted: self
                .accepted
                .iter()
                .filter(|it| *it == id)
                .cloned()
                .collect(),
            torch: self.torch,
            ..Wish::default()
        }
    }
}

/// Whether a look may show more than is known: it takes a moment, and forgets what went wrong.
pub(crate) fn should_look(view: &SetupView) -> bool {
    let is_ready = matches!(view.environment, EnvironmentView::Ready { .. });
    let is_python_wanted = view.interpreter == InterpreterView::Unknown && !is_ready;
    // Once the packages are there, a model may have run since.
    let may_have_run = view.device == DeviceView::Unknown && is_ready;
    (is_python_wanted || may_have_run) && view.trouble.is_none() && !view.is_busy
}

/// The sheet.
pub fn setup_ui(
    ui: &mut Ui,
    view: &SetupView,
    panel: &mut SetupPanel,
    (beats_follow, out): (bool, &mut Outbox),
) {
    let standing = standing::of(view, panel);
    headline_ui(ui, &standing, (view, &*panel), out);
    ui.add_space(8.0);
    ScrollArea::vertical()
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            packages::packages_ui(ui, view, panel, out);
            for model in &view.models {
                models::model_ui(ui, (view, model), panel, (beats_follow, out));
            }
            footer_ui(ui, view, panel, out);
        });
}

fn headline_ui(
    ui: &mut Ui,
    standing: &Standing,
    (view, panel): (&SetupView, &SetupPanel),
    out: &mut Outbox,
) {
    let headline = RichText::new(&standing.headline).font(theme::strong(17.0));
    ui.add(Label::new(headline.color(standing.colour)).wrap());
    for line in &standing.details {
        let line = RichText::new(line).color(theme::TEXT_MUTED);
        ui.add(Label::new(line).wrap());
    }
    if let Some(command) = &standing.command {
        parts::command_ui(ui, command, out);
    }
    if let Some(progress) = &standing.progress {
        parts::progress_ui(ui, progress);
    }
    if standing.primary == Primary::Nothing && view.trouble.is_none() {
        return;
    }
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        if let Some((name, command)) = primary(&standing.primary, view, panel) {
            let size = vec2(150.0, theme::CONTROL + 4.0);
            let button = match standing.primary {
                // Who presses without looking means to go on.
                Primary::Cancel => Button::new(name),
                Primary::Nothing | Primary::Start(_) | Primary::Look => {
                    Button::new(RichText::new(name).color(theme::ON_CHIP)).fill(theme::ACCENT)
                }
            };
            let button = button.min_size(size);
            if ui.add(button).clicked() {
                out.commands.push(Command::Setup(command));
            }
        }
        if view.trouble.is_some() && ui.button("Copy details").clicked() {
            out.copied = Some(details::text(view));
        }
    });
}

fn primary(
    primary: &Primary,
    view: &SetupView,
    panel: &SetupPanel,
) -> Option<(&'static str, SetupCommand)> {
    match primary {
        Primary::Nothing => None,
        Primary::Start(name) => Some((name, SetupCommand::Start(panel.wish(view)))),
        Primary::Look => Some(("Look again", SetupCommand::Check)),
        Primary::Cancel => Some(("Cancel", SetupCommand::Cancel)),
    }
}

fn footer_ui(ui: &mut Ui, view: &SetupView, panel: &mut SetupPanel, out: &mut Outbox) {
    ui.horizontal_wrapped(|ui| {
        let idle = !view.is_busy;
        let folder = ui.add_enabled(idle, Button::new("Take from a folder…"));
        let hint = "For machines without a net: models, and packages if there are such, from a stick or a drive";
        if folder.on_hover_text(hint).clicked() {
            panel.asked = Some(Asked::Folder);
        }
        if ui.add_enabled(idle, Button::new("Check again")).clicked() {
            out.commands.push(Command::Setup(SetupCommand::Check));
        }
        if view.trouble.is_none() && ui.button("Copy details").clicked() {
            out.copied = Some(details::text(view));
        }
    });
    let text = "Everything goes into Tonearm's own cache folder. Your music is never sent anywhere, and the built-in analysis needs none of this.";
    ui.add(Label::new(RichText::new(text).size(11.0).color(theme::TEXT_FAINT)).wrap());
}

/// In the bar at the top, left of the decks: how far a set-up is that goes on behind the page.
pub fn sign_ui(ui: &mut Ui, view: &SetupView, panels: &Panels, out: &mut Outbox) {
    /// Points that the decks take at the right end, and what this takes.
    const DECKS: f32 = 112.0;
    const WIDTH: f32 = 128.0;
    /// And what the menus keep.
    const MENUS: f32 = 340.0;
    let bar = ui.min_rect();
    let shows = panels.sheet != Some(Sheet::Setup) && (view.is_busy || view.trouble.is_some());
    if !shows || bar.width() < MENUS + DECKS + WIDTH {
        return;
    }
    let right = bar.right() - DECKS;
    let place = Rect::from_min_max(pos2(right - WIDTH, bar.top()), pos2(right, bar.bottom()));
    let builder = UiBuilder::new()
        .max_rect(place)
        .layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(builder, |ui| {
        let (text, colour) = match (view.is_busy, part(view)) {
            (true, Some(part)) => (
                format!("{}  Models {:.0} %", icon::DOWNLOAD_SIMPLE, part * 100.0),
                theme::ACCENT,
            ),
            (true, None) => (format!("{}  Models…", icon::DOWNLOAD_SIMPLE), theme::ACCENT),
            (false, _) => (format!("{}  Models", icon::WARNING), theme::WARN),
        };
        let button = ui.add(Button::new(RichText::new(text).color(colour)).frame(false));
        if button.on_hover_text(Action::Setup.hint()).clicked() {
            out.act(Action::Setup);
        }
    });
}

/// How much of what is being fetched is there.
fn part(view: &SetupView) -> Option<f32> {
    let of = |bytes: u64, total: u64| (total > 0).then(|| (bytes as f32 / total as f32).min(1.0));
    if let EnvironmentView::Building(building) = &view.environment {
        return of(building.bytes, building.total?);
    }
    view.models.iter().find_map(|model| match &model.state {
        ModelState::Fetching(fetching) => of(fetching.bytes, fetching.total),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
