//! The line along the bottom: what goes on, how far, how long.

use super::{ImportsPanel, controls_ui, pace, parts, work};
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{Align, Color32, Frame, Label, Layout, Margin, RichText, Ui, vec2};
use tonearm_core::core_loop::view::Activity;

/// How long a summary without failures stays.
const SUMMARY_SECS: f64 = 20.0;

pub(super) fn bar_ui(ui: &mut Ui, activity: &Activity, panel: &mut ImportsPanel, out: &mut Outbox) {
    let is_summary = activity.is_idle() && !activity.paused;
    if !has_bar(ui, activity, panel) {
        return;
    }
    let margin = Margin::symmetric(theme::PADDING as i8, 4);
    Frame::new()
        .fill(theme::PANEL)
        .inner_margin(margin)
        .show(ui, |ui| {
            let size = vec2(ui.available_width(), theme::CONTROL);
            ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
                if is_summary && parts::button(ui, "Dismiss", "Dismiss the summary").clicked() {
                    panel.state.closed = Some((activity.finished, activity.failed));
                }
                // The open drawer has them.
                if !panel.open {
                    controls_ui(ui, activity, out);
                }
                let (text, name) = if panel.open {
                    ("Hide details", "Hide imports and analysis")
                } else {
                    ("Details", "Show imports and analysis")
                };
                if parts::button(ui, text, name).clicked() {
                    panel.open = !panel.open;
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    told_ui(ui, activity, panel);
                });
            });
        });
}

pub(super) fn has_bar(ui: &Ui, activity: &Activity, panel: &ImportsPanel) -> bool {
    !activity.is_idle() || activity.paused || has_summary(ui, activity, panel)
}

/// Work that is over is told for a while; failures until the user has seen them.
fn has_summary(ui: &Ui, activity: &Activity, panel: &ImportsPanel) -> bool {
    let state = &panel.state;
    let now = ui.input(|input| input.time);
    let left = state.seen_busy.map_or(0.0, |at| SUMMARY_SECS - (now - at));
    let is_new = left > 0.0;
    if is_new {
        // It goes by itself.
        ui.ctx().request_repaint_after_secs(left as f32 + 0.05);
    }
    let is_urgent = activity.failed > 0 || activity.held > 0;
    (activity.finished > 0 || activity.held > 0)
        && state.closed != Some((activity.finished, activity.failed))
        && (is_new || is_urgent)
}

/// What goes on, on one line; what does not fit is cut.
fn told_ui(ui: &mut Ui, activity: &Activity, panel: &ImportsPanel) {
    let (headline, color) = headline(activity);
    ui.label(RichText::new(headline).color(color).strong());
    if let Some((part, name)) = part_done(activity) {
        let width = (ui.available_width() * 0.25).clamp(40.0, 220.0);
        parts::progress(ui, width, part, theme::ACCENT, name);
    }
    if activity.failed > 0 {
        let text = format!("{} failed", crate::format::count(activity.failed));
        ui.label(RichText::new(text).color(theme::ERROR));
    }
    if let Some(lost) = activity.lost_models.as_ref().filter(|_| activity.held > 0) {
        let verb = if activity.held == 1 { "waits" } else { "wait" };
        let text = format!(
            "{} {verb} for models",
            crate::format::count(activity.held as u64)
        );
        ui.label(RichText::new(text).color(theme::WARN))
            .on_hover_text(format!("{}. {}", lost.message, lost.remedy));
    }
    let facts = facts(activity, panel);
    if !facts.is_empty() {
        ui.add(Label::new(parts::muted(facts)).truncate());
    }
}

/// How far what the headline tells has come.
fn part_done(activity: &Activity) -> Option<(f32, &'static str)> {
    if let Some(import) = activity.import.as_ref().filter(|_| !activity.paused) {
        return Some((work::part_met(import)?, "Import of all files"));
    }
    let is_known = !activity.is_idle() && work::total(activity) > 0;
    is_known.then(|| (work::part_done(activity), "Analysis of all tracks"))
}

fn headline(activity: &Activity) -> (String, Color32) {
    let waiting = activity.queued as u64;
    if activity.storage_trouble.is_some() {
        return ("The library cannot be written".to_owned(), theme::ERROR);
    }
    let text = if activity.paused && activity.running.is_empty() {
        if waiting == 0 {
            "Paused".to_owned()
        } else {
            format!(
                "Paused, {} waiting",
                parts::counted(waiting, "track", "tracks")
            )
        }
    } else if activity.paused {
        format!("Pausing, {} to finish", activity.running.len())
    } else if let Some(import) = &activity.import {
        format!("Importing, {}", work::met(import))
    } else if activity.is_idle() {
        let tracks = parts::counted(activity.finished, "track", "tracks");
        format!("Finished {tracks}")
    } else {
        let done = crate::format::count(activity.finished);
        format!(
            "Analysing, {done} of {}",
            crate::format::count(work::total(activity))
        )
    };
    let color = if activity.paused {
        theme::WARN
    } else {
        theme::TEXT
    };
    (text, color)
}

/// Rate and time left, as far as they are known.
fn facts(activity: &Activity, panel: &ImportsPanel) -> String {
    if activity.paused || activity.is_idle() {
        return String::new();
    }
    if let Some(import) = &activity.import {
        return work::import_facts(import, &panel.state.import_pace);
    }
    let mut facts = Vec::new();
    if let Some(rate) = panel.state.pace.per_minute() {
        facts.push(pace::rate_text(rate));
    }
    if let Some(left) = work::secs_left(activity, &panel.state.pace) {
        facts.push(pace::left_text(left));
    }
    facts.join(" · ")
}
