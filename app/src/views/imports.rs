//! What goes on in the background: imports, analysis, rates, time left, failures.

mod bar;
mod batch;
pub(crate) mod failed;
pub(super) mod pace;
pub(super) mod parts;
mod trouble;
mod trouble_list;
mod waiting;
mod work;

pub use batch::{Batch, batch_ui};

use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{Align, Frame, Layout, RichText, Ui, vec2};
use pace::Pace;
use serde::{Deserialize, Serialize};
use tonearm_core::core_loop::command::{Command, Selection};
use tonearm_core::core_loop::event::Tally;
use tonearm_core::core_loop::view::Activity;
use tonearm_core::track::TrackId;
use trouble::Troubles;

/// Below this width the two halves of the drawer stand one above the other.
const TWO_COLUMNS: f32 = 760.0;
/// Of the left half, at most.
const WORK_WIDTH: f32 = 380.0;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportsPanel {
    pub open: bool,
    /// In points; `None` until the drawer was open: a part of the window.
    pub height: Option<f32>,
    /// A track that the user wants to see in the library; whoever shows it takes it out.
    #[serde(skip)]
    pub wanted: Option<TrackId>,
    /// Stems of so many tracks that the user is asked first.
    #[serde(skip)]
    pub batch: Option<Batch>,
    #[serde(skip)]
    state: State,
}

/// What is worked out from frame to frame.
#[derive(Debug, Clone, Default)]
struct State {
    pace: Pace,
    /// Of the files that an import meets.
    import_pace: Pace,
    troubles: Troubles,
    /// Of the import under way, or of the last one.
    tally: Option<Tally>,
    /// When work was last seen, in seconds since the start.
    seen_busy: Option<f64>,
    /// Finished and failed tracks of the summary that the user has closed.
    closed: Option<(u64, u64)>,
    stems_left: batch::StemsLeft,
    /// What the right half of the drawer shows; `None`: what there is more to say of.
    shown: Option<List>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Waiting,
    Failures,
}

impl ImportsPanel {
    /// What became of an import: one that is over in a blink is seen in no frame.
    pub(crate) fn ended(&mut self, tally: Tally) {
        self.state.tally = Some(tally);
    }

    /// Takes in what has happened since the last frame; the same frame twice changes nothing.
    fn watch(&mut self, ui: &Ui, activity: &Activity) {
        let now = ui.input(|input| input.time);
        if !self.open {
            // They would keep the library as it was alive.
            self.state.troubles = Troubles::default();
            self.state.stems_left = batch::StemsLeft::default();
        }
        let state = &mut self.state;
        if let Some(import) = &activity.import {
            state.tally = Some(import.tally);
        }
        if !activity.is_idle() {
            state.seen_busy = Some(now);
            state.closed = None;
        }
        let is_moving = !activity.paused && !activity.running.is_empty();
        state.pace.note(now, activity.finished, is_moving);
        let met = state.tally.map_or(0, |tally| tally.total());
        let is_importing = activity.import.is_some();
        state.import_pace.note(now, met, is_importing);
        let running = activity.running.iter();
        let done = running.map(|job| (job.track, job.control.progress()));
        state.pace.note_jobs(done);
    }
}

/// Whether there is anything to tell along the bottom of the window.
pub fn has_activity_bar(ui: &Ui, scene: &Scene<'_>, panel: &mut ImportsPanel) -> bool {
    panel.watch(ui, &scene.view.activity);
    bar::has_bar(ui, &scene.view.activity, panel)
}

/// The line along the bottom of the window; absent when there is nothing to tell.
pub fn activity_bar_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut ImportsPanel, out: &mut Outbox) {
    panel.watch(ui, &scene.view.activity);
    bar::bar_ui(ui, &scene.view.activity, panel, out);
}

/// The drawer with everything: stages, rates, failures.
pub fn imports_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut ImportsPanel, out: &mut Outbox) {
    panel.watch(ui, &scene.view.activity);
    panel.state.troubles.follow(&scene.view.rows);
    let now = ui.input(|input| input.time);
    panel.state.stems_left.follow(now, scene);
    Frame::new().inner_margin(theme::PADDING).show(ui, |ui| {
        header_ui(ui, &scene.view.activity, panel, out);
        ui.add_space(4.0);
        if ui.available_width() >= TWO_COLUMNS {
            ui.horizontal_top(|ui| {
                let width = (ui.available_width() * 0.4).min(WORK_WIDTH);
                let size = vec2(width, ui.available_height());
                ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                    ui.set_width(width);
                    work::work_ui(ui, scene, panel, out);
                });
                ui.separator();
                ui.vertical(|ui| lists_ui(ui, scene, panel, out));
            });
        } else {
            work::brief_ui(ui, panel);
            lists_ui(ui, scene, panel, out);
        }
    });
}

/// What waits, or what failed.
fn lists_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut ImportsPanel, out: &mut Outbox) {
    let waiting = (scene.view.activity.queued + scene.view.activity.held) as u64;
    let failures = panel.state.troubles.all().len() as u64;
    let shown = panel.state.shown.unwrap_or(if waiting > 0 {
        List::Waiting
    } else {
        List::Failures
    });
    ui.horizontal(|ui| {
        for (list, name, count) in [
            (List::Waiting, "Waiting", waiting),
            (List::Failures, "Failures", failures),
        ] {
            let text = format!("{name} {}", crate::format::count(count));
            if ui.selectable_label(shown == list, text).clicked() {
                panel.state.shown = Some(list);
            }
        }
    });
    match shown {
        List::Waiting => waiting::waiting_ui(ui, scene, panel, out),
        List::Failures => trouble_list::troubles_ui(ui, scene, panel, out),
    }
}

fn header_ui(ui: &mut Ui, activity: &Activity, panel: &mut ImportsPanel, out: &mut Outbox) {
    ui.horizontal(|ui| {
        let title = RichText::new("Imports and analysis").size(16.0).strong();
        ui.label(title.color(theme::TEXT));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if parts::button(ui, "Close", "Close imports and analysis").clicked() {
                panel.open = false;
            }
            controls_ui(ui, activity, out);
        });
    });
}

/// Pause, resume, cancel; from right to left.
fn controls_ui(ui: &mut Ui, activity: &Activity, out: &mut Outbox) {
    let has_work = activity.import.is_some()
        || !activity.running.is_empty()
        || activity.queued + activity.held > 0;
    if has_work
        && parts::button(ui, "Cancel", "Cancel imports and analysis")
            .on_hover_text("Stops everything; what was finished is kept")
            .clicked()
    {
        out.commands.push(Command::Cancel);
        out.commands.push(Command::Withdraw(Selection::All));
    }
    if activity.paused {
        if parts::button(ui, "Resume", "Resume imports and analysis").clicked() {
            out.commands.push(Command::Resume);
        }
    } else if has_work
        && parts::button(ui, "Pause", "Pause imports and analysis")
            .on_hover_text("Starts nothing new; what runs goes on to its end")
            .clicked()
    {
        out.commands.push(Command::Pause);
    }
}

#[cfg(test)]
mod tests;
