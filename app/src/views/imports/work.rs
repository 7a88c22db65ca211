//! What is being done now: the import's count, the analysis, the tracks in hand.

use super::pace::{self, Pace};
use super::{ImportsPanel, parts};
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use crate::views::makers;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui, vec2};
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::event::{Outcome, Tally};
use tonearm_core::core_loop::view::{Activity, ImportProgress, RunningJob};

/// Characters of a title that are looked at: no line is longer.
const MOST_CHARS: usize = 200;
/// Running tracks that are listed.
const MOST_RUNNING: usize = 64;

/// Tracks of this queue, done or not.
pub(super) fn total(activity: &Activity) -> u64 {
    activity.finished + activity.running.len() as u64 + activity.queued as u64
}

/// Tracks still to do; running ones count as far as they are not done.
fn rest(activity: &Activity) -> f64 {
    let running: f32 = activity
        .running
        .iter()
        .map(|job| 1.0 - job.control.progress().clamp(0.0, 1.0))
        .sum();
    activity.queued as f64 + f64::from(running)
}

pub(super) fn part_done(activity: &Activity) -> f32 {
    match total(activity) {
        0 => 0.0,
        total => (1.0 - rest(activity) / total as f64) as f32,
    }
}

/// Nothing while an import goes on finding more.
pub(super) fn secs_left(activity: &Activity, pace: &Pace) -> Option<f64> {
    if activity.import.is_some() || activity.paused {
        return None;
    }
    pace.secs_left(rest(activity))
}

/// `1,234 of 20,000 files`, or how many there were until now.
pub(super) fn met(import: &ImportProgress) -> String {
    let met = import.tally.total();
    match expected(import) {
        Some(expected) => format!(
            "{} of {}",
            format::count(met),
            parts::counted(expected, "file", "files")
        ),
        None => format!("{} so far", parts::counted(met, "file", "files")),
    }
}

/// A folder that has grown since it was counted is no reason to tell nonsense.
fn expected(import: &ImportProgress) -> Option<u64> {
    import
        .expected
        .map(|expected| expected.max(import.tally.total()))
}

pub(super) fn part_met(import: &ImportProgress) -> Option<f32> {
    let expected = expected(import).filter(|expected| *expected > 0)?;
    Some((import.tally.total() as f64 / expected as f64) as f32)
}

/// Rate and time left of an import, as far as they are known.
pub(super) fn import_facts(import: &ImportProgress, pace: &Pace) -> String {
    let rate = pace.per_minute().map(pace::files_text);
    let rest = expected(import).map(|expected| expected - import.tally.total());
    let left = rest.and_then(|rest| pace.secs_left(rest as f64));
    let facts = rate.into_iter().chain(left.map(pace::left_text));
    facts.collect::<Vec<_>>().join(" · ")
}

/// All of it.
pub(super) fn work_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &ImportsPanel, out: &mut Outbox) {
    ScrollArea::vertical()
        .id_salt("work")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            import_ui(ui, scene, panel);
            analysis_ui(ui, &scene.view.activity, panel);
            slower_ui(ui, scene);
            for job in scene.view.activity.running.iter().take(MOST_RUNNING) {
                running_ui(ui, scene, (job, &panel.state.pace), out);
            }
        });
}

/// One line, for narrow windows: the bar below tells the rest.
pub(super) fn brief_ui(ui: &mut Ui, panel: &ImportsPanel) {
    if let Some(tally) = &panel.state.tally {
        ui.add(Label::new(parts::muted(outcomes(tally))).truncate());
    }
}

fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).size(11.0).color(theme::TEXT_FAINT));
}

fn import_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &ImportsPanel) {
    let Some(tally) = &panel.state.tally else {
        return;
    };
    let running = scene.view.activity.import.as_ref();
    heading(ui, running.map_or("Last import", |_| "Import"));
    let told = match running {
        Some(import) => met(import),
        None => parts::counted(tally.total(), "file", "files"),
    };
    ui.label(RichText::new(told).color(theme::TEXT));
    if let Some(import) = running {
        if let Some(part) = part_met(import) {
            let width = ui.available_width();
            parts::progress(ui, width, part, theme::ACCENT, "Files of the import");
        }
        let facts = import_facts(import, &panel.state.import_pace);
        if !facts.is_empty() {
            ui.add(Label::new(parts::muted(facts)).truncate());
        }
    }
    let outcomes = outcomes(tally);
    if !outcomes.is_empty() {
        ui.add(Label::new(parts::muted(outcomes)).wrap());
    }
    ui.add_space(8.0);
}

/// `312 added · 4 already there · 2 failed`.
fn outcomes(tally: &Tally) -> String {
    let named = Outcome::ALL.into_iter().map(|outcome| {
        let words = match outcome {
            Outcome::Added => "added",
            Outcome::Updated => "changed since",
            Outcome::Merged => "copies of others",
            Outcome::Moved => "moved",
            Outcome::Unchanged => "already there",
            Outcome::Missing => "missing",
            Outcome::Failed => "failed",
        };
        (tally.of(outcome), words)
    });
    let skipped = [(tally.skipped, "not music")];
    let told: Vec<String> = named
        .chain(skipped)
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{} {words}", crate::format::count(count)))
        .collect();
    told.join(" · ")
}

fn analysis_ui(ui: &mut Ui, activity: &Activity, panel: &ImportsPanel) {
    heading(ui, "Analysis");
    let total = total(activity);
    if total == 0 {
        ui.label(parts::muted("Nothing to do"));
        return;
    }
    let done = crate::format::count(activity.finished);
    let text = if activity.is_idle() && !activity.paused {
        format!(
            "{} finished",
            parts::counted(activity.finished, "track", "tracks")
        )
    } else {
        format!("{done} of {}", parts::counted(total, "track", "tracks"))
    };
    ui.label(RichText::new(text).color(theme::TEXT));
    let width = ui.available_width();
    let color = if activity.paused {
        theme::WARN
    } else {
        theme::ACCENT
    };
    parts::progress(
        ui,
        width,
        part_done(activity),
        color,
        "Analysis, all tracks",
    );
    let mut facts: Vec<String> = Vec::new();
    if activity.paused {
        facts.push("paused".to_owned());
    } else {
        facts.extend(panel.state.pace.per_minute().map(pace::rate_text));
        facts.extend(secs_left(activity, &panel.state.pace).map(pace::left_text));
    }
    if activity.failed > 0 {
        facts.push(format!("{} failed", crate::format::count(activity.failed)));
    }
    if !facts.is_empty() {
        ui.add(Label::new(parts::muted(facts.join(" · "))).wrap());
    }
    ui.add_space(8.0);
}

/// Work with models that could go on a card and does not.
fn slower_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let mut running = scene.view.activity.running.iter();
    if !running.any(|job| !job.by_models.is_empty()) {
        return;
    }
    let Some(trouble) = scene.setup.without_card() else {
        return;
    };
    let told = format::fit(&format::capitalised(&trouble.message), MOST_CHARS);
    ui.add(Label::new(RichText::new(told).color(theme::WARN)).wrap())
        .on_hover_text(trouble.remedy);
}

fn running_ui(ui: &mut Ui, scene: &Scene<'_>, (job, pace): (&RunningJob, &Pace), out: &mut Outbox) {
    let Some(row) = scene.view.rows.get(job.track) else {
        return;
    };
    let caption = format::fit(&format::caption(row), MOST_CHARS);
    let part = job.control.progress();
    let size = vec2(ui.available_width(), 18.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        let name = format!("Cancel {caption}");
        if parts::small_button(ui, "Cancel", &name).clicked() {
            out.commands.push(Command::CancelTracks(vec![job.track]));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let label = Label::new(RichText::new(&caption).color(theme::TEXT)).truncate();
            ui.add(label).on_hover_text(makers::list(&job.wants));
        });
    });
    let width = ui.available_width();
    let name = format!("Analysis of {caption}");
    parts::progress(ui, width, part, theme::ACCENT, &name);
    let mut facts = vec![format!("{:.0} %", f64::from(part) * 100.0)];
    facts.extend(pace.secs_of(job.track).map(pace::left_text));
    facts.push(stage(job));
    ui.add(Label::new(parts::muted(facts.join(" · ")).size(11.0)).truncate());
    ui.add_space(4.0);
}

/// `stems by HT Demucs, then chords and key`, `beats, key and chords by the built-in analysis`.
fn stage(job: &RunningJob) -> String {
    let (now, by_model) = job.stage();
    let model = now
        .iter()
        .find_map(|artifact| makers::model_of(*artifact))
        .filter(|_| by_model);
    let by = model.unwrap_or("the built-in analysis");
    let later = &job.wants - &now;
    let then = if later.is_empty() {
        String::new()
    } else {
        format!(", then {}", makers::list(&later))
    };
    format!("{} by {by}{then}", makers::list(&now))
}
