//! What a cell tells when the pointer rests on it.

use super::cells::{DOTTED, dot, state_of};
use super::columns::ColumnId;
use super::words::{self, Source};
use crate::scene::Scene;
use crate::theme;
use crate::views::makers;
use eframe::egui::{Align, Label, Layout, RichText, Sense, Ui, vec2};
use tonearm_core::artifact::{Artifact, ArtifactRecord};
use tonearm_core::failure::Failure;
use tonearm_core::row::{ArtifactState, Row};
use tonearm_core::track::TrackId;

/// Longer text would cover the window.
const MOST: usize = 400;

/// Points of width that a letter takes at most: shorter text is never cut off.
const LETTER: f32 = 6.0;

/// Whether there is more to tell than the cell shows.
pub(super) fn has_one(column: ColumnId, row: &Row, width: f32) -> bool {
    match column {
        ColumnId::Analysis => true,
        ColumnId::Cover => row.track.missing,
        ColumnId::Tempo => words::tempo(row).is_some(),
        ColumnId::Key => words::key_of(row).is_some(),
        _ => text(column, row).is_some_and(|text| text.len() as f32 * LETTER > width),
    }
}

fn text(column: ColumnId, row: &Row) -> Option<std::borrow::Cow<'_, str>> {
    let tags = &row.track.tags;
    let tag = match column {
        ColumnId::Title => return Some(words::title(row)),
        ColumnId::Path => return Some(row.track.path.as_path().to_string_lossy()),
        ColumnId::Artist => &tags.artist,
        ColumnId::Album => &tags.album,
        ColumnId::Genre => &tags.genre,
        ColumnId::Label => &tags.label,
        ColumnId::Comment => &tags.comment,
        _ => return None,
    };
    tag.as_deref().map(std::borrow::Cow::Borrowed)
}

pub(super) fn tip_ui(ui: &mut Ui, scene: &Scene<'_>, row: &Row, column: ColumnId) {
    ui.set_max_width(360.0);
    match column {
        ColumnId::Analysis => analysis_ui(ui, scene, row),
        ColumnId::Cover => {
            let (message, remedy) = row.track.missing_reason();
            failure_ui(ui, message, remedy);
        }
        ColumnId::Tempo => {
            if let Some(fact) = words::tempo(row) {
                ui.label(format!("{:.2} BPM", fact.value));
                trust_ui(ui, fact.confidence, fact.from);
                if row.knowledge.summary.constant_tempo == Some(false) {
                    muted(ui, "The tempo changes in the course of the track");
                }
            }
        }
        ColumnId::Key => {
            if let Some(fact) = words::key_of(row) {
                let (camelot, open) = (fact.value.camelot(), fact.value.open_key());
                ui.label(format!("{} · {camelot} · {open}", fact.value));
                trust_ui(ui, fact.confidence, fact.from);
            }
        }
        _ => {
            if let Some(text) = text(column, row) {
                ui.add(Label::new(words::line(&text, MOST).into_owned()).wrap());
            }
        }
    }
}

fn muted(ui: &mut Ui, text: impl Into<String>) {
    ui.label(RichText::new(text).color(theme::TEXT_MUTED));
}

/// Where a fact comes from and how sure it is.
pub(super) fn trust_ui(ui: &mut Ui, confidence: Option<f32>, from: Source) {
    match (from, confidence) {
        (Source::Tag, _) => muted(ui, "From the file's tags, not analysed yet"),
        (Source::Hand, _) => muted(ui, "Set by hand"),
        (Source::Analysis, None) => muted(ui, "From analysis"),
        (Source::Analysis, Some(confidence)) => {
            let sure = crate::format::percent(confidence);
            muted(ui, format!("From analysis, {sure} sure"));
        }
    }
}

fn failure_ui(ui: &mut Ui, message: &str, remedy: &str) {
    let message = words::sentence(message, MOST);
    ui.add(Label::new(RichText::new(message).color(theme::ERROR)).wrap());
    if !remedy.is_empty() {
        let remedy = words::line(remedy, MOST).into_owned();
        ui.add(Label::new(RichText::new(remedy).color(theme::TEXT_MUTED)).wrap());
    }
}

/// All artifacts with a dot, and whatever else failed.
fn analysis_ui(ui: &mut Ui, scene: &Scene<'_>, row: &Row) {
    for artifact in Artifact::ALL {
        let state = state_of(row, artifact);
        if DOTTED.contains(&artifact) || state == ArtifactState::Failed {
            artifact_ui(ui, scene, row, artifact);
        }
    }
    if let Some(damage) = &row.track.damage {
        ui.separator();
        failure_ui(ui, &damage.message, &damage.remedy);
    }
}

/// Whether an artifact above this one failed for the same reason, which is said once.
fn is_told(row: &Row, artifact: Artifact, failure: &Failure) -> bool {
    let above = Artifact::ALL.iter().take_while(|other| **other != artifact);
    let mut failed = above.filter(|other| state_of(row, **other) == ArtifactState::Failed);
    failed.any(|other| {
        let record = row.knowledge.records.get(other);
        let earlier = record.and_then(|record| record.failure.as_ref());
        earlier.is_some_and(|earlier| {
            earlier.message == failure.message && earlier.remedy == failure.remedy
        })
    })
}

/// One artifact: its state, who made it, and why not.
pub(super) fn artifact_ui(ui: &mut Ui, scene: &Scene<'_>, row: &Row, artifact: Artifact) {
    let state = state_of(row, artifact);
    let record = row.knowledge.records.get(&artifact);
    let line = vec2(ui.available_width(), 16.0);
    ui.allocate_ui_with_layout(line, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let (rect, _) = ui.allocate_exact_size(vec2(10.0, 16.0), Sense::hover());
        dot(ui.painter(), rect.center(), state);
        let named = ui.label(RichText::new(name(artifact)).color(theme::TEXT));
        ui.add_space((72.0 - named.rect.width()).max(0.0));
        let detail = detail(scene, (row.track.id, artifact), (state, record));
        let detail = RichText::new(detail).color(theme::TEXT_MUTED);
        ui.add(Label::new(detail).truncate());
    });
    if let Some(failure) = record.and_then(|record| record.failure.as_ref())
        && state == ArtifactState::Failed
        && !is_told(row, artifact, failure)
    {
        ui.indent(artifact, |ui| {
            failure_ui(ui, &failure.message, &failure.remedy);
            if let Some(retry) = retry(failure) {
                muted(ui, retry);
            }
        });
    }
    let mut by_models = row.failed_by_models().filter(|(it, _)| *it == artifact);
    if let Some(failure) = by_models.find_map(|(_, record)| record.failure.as_ref()) {
        let model = makers::model_of(artifact).unwrap_or("The model");
        ui.indent((artifact, "model"), |ui| {
            let message = format!("{model} failed: {}", failure.message);
            failure_ui(ui, &message, &failure.remedy);
            if let Some(retry) = retry(failure) {
                muted(ui, retry);
            }
        });
    }
}

fn retry(failure: &Failure) -> Option<String> {
    let tried = match failure.attempts {
        0 | 1 => String::new(),
        times => format!("Tried {times} times. "),
    };
    let next = failure.retry_at.map(|at| {
        let zoned = at.to_zoned(jiff::tz::TimeZone::system());
        format!("Tried again by itself at {}", zoned.strftime("%H:%M"))
    });
    (!tried.is_empty() || next.is_some()).then(|| tried + next.as_deref().unwrap_or_default())
}

fn detail(
    scene: &Scene<'_>,
    (track, artifact): (TrackId, Artifact),
    (state, record): (ArtifactState, Option<&ArtifactRecord>),
) -> String {
    let activity = &scene.view.activity;
    match (state, record) {
        (ArtifactState::Running, _) => {
            let job = activity.running.iter().find(|job| job.track == track);
            job.map_or_else(
                || "being made".to_owned(),
                |job| {
                    format!(
                        "being made, {}",
                        crate::format::percent(job.control.progress())
                    )
                },
            )
        }
        (ArtifactState::Waiting | ArtifactState::Due, _)
            if artifact == Artifact::Stems && activity.lost_models.is_some() =>
        {
            "waits for the model".to_owned()
        }
        (ArtifactState::Due, _) if activity.paused => "due, work is paused".to_owned(),
        (ArtifactState::Due, _) => "due".to_owned(),
        (ArtifactState::Waiting, _) => "waits for another".to_owned(),
        (ArtifactState::Absent, _) => "not made".to_owned(),
        (ArtifactState::Failed, _) => "failed".to_owned(),
        (ArtifactState::Done, None) => "done".to_owned(),
        (ArtifactState::Done, Some(record)) => {
            let found = if record.nothing_found {
                "nothing found, "
            } else {
                ""
            };
            let by = makers::made_by(artifact, record);
            let secs = record.cpu_secs;
            let took = if secs > 0.0 && secs.is_finite() {
                format!(", {secs:.1} s")
            } else {
                String::new()
            };
            format!("{found}{by}{took}")
        }
    }
}

pub(super) fn name(artifact: Artifact) -> &'static str {
    match artifact {
        Artifact::Tags => "Tags",
        Artifact::Hash => "Fingerprint",
        Artifact::Waveform => "Waveform",
        Artifact::Beats => "Beats",
        Artifact::Key => "Key",
        Artifact::Chords => "Chords",
        Artifact::Stems => "Stems",
        Artifact::Loudness => "Loudness",
    }
}
