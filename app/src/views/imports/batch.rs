//! What stems cost before and while they are made, and the one question before very many of them.

use super::{ImportsPanel, pace, parts};
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use crate::views::makers;
use eframe::egui::{
    Align, Button, Frame, Key, Label, Layout, Margin, Modifiers, RichText, Ui, vec2,
};
use std::sync::Arc;
use tonearm_core::artifact::{Artifact, Engine};
use tonearm_core::core_loop::command::{Command, Selection};
use tonearm_core::core_loop::view::Rows;
use tonearm_core::row::Row;
use tonearm_core::setup::Family;
use tonearm_core::stems::room::{self, Estimate, Pace};

/// Tracks whose stems are made without a question.
const UNASKED: usize = 20;
/// Seconds between two looks at a library that changes by itself: each goes through all of it.
const PAUSE: f64 = 2.0;

/// Stems of many tracks that were asked for, with what they cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub command: Command,
    pub estimate: Estimate,
    pub by_model: bool,
    /// What all stems together may take, in bytes, where this takes more.
    pub too_much_for: Option<u64>,
}

impl Batch {
    /// The question before a command; `None`: it may be carried out.
    pub fn before(scene: &Scene<'_>, command: &Command) -> Option<Self> {
        let Command::Analyze {
            tracks: Selection::Tracks(tracks),
            extent,
            force,
            engine,
            ..
        } = command
        else {
            return None;
        };
        // Models hear chords in stems of their own.
        let ready = scene.setup.ready().contains(&Family::Stems);
        let makes_stems = extent.names(Artifact::Stems) || *engine == Some(Engine::Neural) && ready;
        if !makes_stems || tracks.len() <= UNASKED {
            return None;
        }
        let is_to_be_made = |row: &&Arc<Row>| match &row.knowledge.stems {
            Some(set) => *force || ready && !set.maker.is_model(),
            None => true,
        };
        let rows = tracks.iter().filter_map(|id| scene.view.rows.get(*id));
        let rows: Vec<&Arc<Row>> = rows.filter(is_to_be_made).collect();
        if rows.len() <= UNASKED {
            return None;
        }
        let (estimate, by_model) = estimate(scene, &rows);
        let budget = scene.view.stem_room.bytes;
        let is_too_much = room::lacking(estimate.bytes, budget) > 0;
        Some(Self {
            too_much_for: is_too_much.then_some(budget),
            command: command.clone(),
            estimate,
            by_model,
        })
    }

    /// Whether one of its tracks is in the library still.
    fn is_still_meant(&self, rows: &Rows) -> bool {
        match &self.command {
            Command::Analyze {
                tracks: Selection::Tracks(tracks),
                ..
            } => tracks.iter().any(|id| rows.get(*id).is_some()),
            _ => true,
        }
    }
}

fn estimate(scene: &Scene<'_>, rows: &[&Arc<Row>]) -> (Estimate, bool) {
    let ready = scene.setup.ready().contains(&Family::Stems);
    let native = |row: &&&Arc<Row>| row.knowledge.engine == Engine::Native;
    let by_model = ready && rows.iter().filter(native).count() * 2 <= rows.len();
    let pace = Pace::measured(scene.view.rows.iter().map(Arc::as_ref), by_model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // A model takes all cores for one track.
    let threads = match scene.settings.jobs {
        Some(jobs) if !by_model => jobs.min(cores),
        _ => cores,
    };
    let lengths = rows
        .iter()
        .map(|row| row.track.format.as_ref().map(|format| format.duration));
    (pace.estimate(lengths, threads), by_model)
}

/// `40 tracks: about 2 h, 1.6 GB`.
pub(super) fn words(estimate: &Estimate) -> String {
    let tracks = parts::counted(estimate.tracks as u64, "track", "tracks");
    let time = pace::left_text(estimate.secs);
    let time = time.strip_suffix(" left").unwrap_or(&time);
    format!("{tracks}: {time}, {}", format::bytes(estimate.bytes))
}

/// All stems that are still to be made, looked at now and then.
#[derive(Debug, Clone, Default)]
pub(super) struct StemsLeft {
    rows: Rows,
    at: f64,
    estimate: Option<(Estimate, bool)>,
}

impl StemsLeft {
    pub(super) fn follow(&mut self, now: f64, scene: &Scene<'_>) {
        let rows = &scene.view.rows;
        let is_soon = now >= self.at && now - self.at < PAUSE && !self.rows.is_empty();
        if is_soon || self.rows.is_same(rows) {
            return;
        }
        self.at = now;
        self.rows = rows.clone();
        let asked = rows.iter().filter(|row| row.knowledge.stems_asked);
        let asked: Vec<&Arc<Row>> = asked.collect();
        self.estimate = (!asked.is_empty()).then(|| estimate(scene, &asked));
    }

    /// `Stems of 40 tracks: about 2 h, 1.6 GB`; nothing where none are asked for.
    pub(super) fn words(&self) -> Option<String> {
        let (estimate, by_model) = self.estimate.as_ref()?;
        Some(format!("{} of {}", kind(*by_model), words(estimate)))
    }
}

fn kind(by_model: bool) -> &'static str {
    if by_model { "Stems" } else { "Draft stems" }
}

/// The question, as a line along the bottom.
pub fn batch_ui(ui: &mut Ui, rows: &Rows, panel: &mut ImportsPanel, out: &mut Outbox) {
    let Some(batch) = panel.batch.clone() else {
        return;
    };
    // Not for a text field or a page behind it.
    let escape = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    if escape || !batch.is_still_meant(rows) {
        panel.batch = None;
        return;
    }
    let margin = Margin::symmetric(theme::PADDING as i8, 6);
    let frame = Frame::new().fill(theme::ACCENT_BACK).inner_margin(margin);
    frame.show(ui, |ui| {
        let size = vec2(ui.available_width(), theme::CONTROL);
        ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Not now").clicked() {
                panel.batch = None;
            }
            let text = RichText::new("Make them").color(theme::ON_CHIP);
            if ui.add(Button::new(text).fill(theme::ACCENT)).clicked() {
                panel.batch = None;
                out.agreed.push(batch.command.clone());
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let by = if batch.by_model {
                    let by = makers::model_of(Artifact::Stems).unwrap_or_default();
                    format!("by {by}")
                } else {
                    "as drafts: the models are not set up".to_owned()
                };
                let text = format!("Stems of {}", words(&batch.estimate));
                ui.label(RichText::new(text).color(theme::TEXT).strong());
                if let Some(budget) = batch.too_much_for {
                    let text = format!(
                        "more than the {} for stems: not all will be made",
                        format::bytes(budget)
                    );
                    let label = Label::new(RichText::new(text).color(theme::WARN)).truncate();
                    ui.add(label)
                        .on_hover_text("The settings say how much room stems may take");
                }
                ui.add(Label::new(parts::muted(by)).truncate());
            });
        });
    });
}
