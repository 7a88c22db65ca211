//! How far the analysis of the track is, in words: what is missing, why, and what to do about it.

use super::{Page, TrackPanel};
use crate::action::Action;
use crate::outbox::Outbox;
use crate::shelf::Loadable;
use crate::theme;
use crate::views::makers;
use eframe::egui::{self, Color32, Frame, Margin, ProgressBar, RichText, Ui};
use std::collections::BTreeSet;
use tonearm_core::artifact::Artifact;
use tonearm_core::core_loop::command::{Command, Extent, RequestId, Selection};
use tonearm_core::failure::Failure;
use tonearm_core::playback::StemSound;
use tonearm_core::row::{ArtifactState, Row};

/// One line to tell.
struct Line {
    colour: Color32,
    text: String,
    remedy: String,
    offer: Offer,
}

#[derive(PartialEq)]
enum Offer {
    Nothing,
    Progress(f32),
    Analyze,
    Retry,
    Stems,
}

/// Nothing is drawn where everything is as it should be.
pub(super) fn status_ui(ui: &mut Ui, page: &Page<'_>, panel: &TrackPanel, out: &mut Outbox) {
    for line in lines(page, panel) {
        let frame = Frame::new()
            .fill(theme::RAISED)
            .corner_radius(theme::RADIUS)
            .inner_margin(Margin::symmetric(10, 6));
        frame.show(ui, |ui| {
            ui.set_min_width((ui.available_width() - 2.0).max(0.0));
            ui.horizontal_wrapped(|ui| line_ui(ui, page.row, &line, out));
        });
    }
}

fn line_ui(ui: &mut Ui, row: &Row, line: &Line, out: &mut Outbox) {
    let (dot, _) = ui.allocate_exact_size(egui::vec2(8.0, 8.0), egui::Sense::hover());
    ui.painter().circle_filled(dot.center(), 4.0, line.colour);
    ui.label(RichText::new(&line.text).color(theme::TEXT));
    if !line.remedy.is_empty() {
        ui.label(RichText::new(&line.remedy).color(theme::TEXT_MUTED));
    }
    let id = row.track.id;
    match line.offer {
        Offer::Nothing => {}
        Offer::Progress(done) => {
            let percent = format!("{:.0} %", done * 100.0);
            ui.scope(|ui| {
                ui.visuals_mut().extreme_bg_color = theme::LINE;
                ui.add(
                    ProgressBar::new(done)
                        .desired_width(160.0)
                        .desired_height(6.0)
                        .fill(theme::ACCENT),
                );
            });
            ui.label(RichText::new(percent).color(theme::TEXT_MUTED));
        }
        Offer::Analyze => {
            if ui.button("Analyse now").clicked() {
                out.commands.push(Command::Analyze {
                    request: RequestId::default(),
                    tracks: Selection::Tracks(vec![id]),
                    extent: Extent::Everything,
                    force: false,
                    engine: None,
                });
            }
        }
        Offer::Stems => {
            if ui.button("Make stems again").clicked() {
                out.commands.push(Command::Analyze {
                    request: RequestId::default(),
                    tracks: Selection::Tracks(vec![id]),
                    extent: Extent::Only(BTreeSet::from([Artifact::Stems])),
                    engine: None,
                    force: true,
                });
            }
        }
        Offer::Retry => {
            if ui.button("Try again").clicked() {
                out.commands
                    .push(Command::Retry(Selection::Tracks(vec![id])));
            }
            if ui.button("Copy details").clicked() {
                out.act(Action::CopyFailures);
            }
        }
    }
}

fn lines(page: &Page<'_>, panel: &TrackPanel) -> Vec<Line> {
    let row = page.row;
    let mut lines = Vec::new();
    let player = page.scene.sound.loaded.as_ref();
    let trouble = player
        .filter(|loaded| loaded.track == row.track.id)
        .and_then(|loaded| loaded.trouble.as_ref());
    if row.track.missing {
        let (text, remedy) = row.track.missing_reason();
        lines.push(line(
            theme::ERROR,
            crate::format::capitalised(text),
            remedy,
            Offer::Nothing,
        ));
    } else if let Some(trouble) = trouble.filter(|it| !is_told(row, it)) {
        lines.push(failed(trouble, Offer::Nothing));
    }
    let player = player.filter(|loaded| loaded.track == row.track.id);
    if let Some(StemSound::Broken(failure)) = player.map(|loaded| &loaded.stems) {
        let text = format!("The stems cannot be played: {}", failure.message);
        let remedy = "Make them again";
        lines.push(line(theme::WARN, text, remedy, Offer::Stems));
    }
    let damage = row.track.damage.as_ref();
    if let Some(damage) = damage.filter(|it| !fails(row, it)) {
        lines.push(line(
            theme::WARN,
            crate::format::capitalised(&damage.message),
            &damage.remedy,
            Offer::Nothing,
        ));
    }
    lines.extend(work(page));
    if !row.track.missing {
        lines.extend(failures(row));
    }
    if let Some(Loadable::Failed(failure)) = &panel.kept.waveform
        && !is_told(row, failure)
    {
        lines.push(failed(failure, Offer::Retry));
    }
    lines
}

/// Whether the failures of the analysis give the same reason: they also say what it keeps from being there.
fn fails(row: &Row, failure: &Failure) -> bool {
    let mut records = row.knowledge.records.values();
    records.any(|record| {
        let known = record.failure.as_ref();
        known.is_some_and(|known| known.message == failure.message)
    })
}

/// Whether that, or the damage of the file, gives the same reason.
fn is_told(row: &Row, failure: &Failure) -> bool {
    let damage = row.track.damage.as_ref();
    damage.is_some_and(|damage| damage.message == failure.message) || fails(row, failure)
}

/// What is being done, or could be.
fn work(page: &Page<'_>) -> Option<Line> {
    let row = page.row;
    let mut jobs = page.scene.view.activity.running.iter();
    if let Some(job) = jobs.find(|job| job.track == row.track.id) {
        let text = format!("Finding {}", makers::list(&job.wants));
        let done = job.control.progress();
        return Some(line(theme::ACCENT, text, "", Offer::Progress(done)));
    }
    if row.track.missing {
        return None;
    }
    let is = |state: ArtifactState| row.artifacts.contains(&state);
    if is(ArtifactState::Due) || is(ArtifactState::Waiting) || is(ArtifactState::Running) {
        let activity = &page.scene.view.activity;
        let text = match (activity.paused, activity.queued) {
            (true, _) => "Work is paused: this track is waiting",
            // Nothing waits in the queue: nobody will take this up unasked.
            (false, 0) if activity.import.is_none() => return Some(not_yet()),
            (false, _) => "This track is waiting for its turn",
        };
        return Some(line(theme::TEXT_MUTED, text, "", Offer::Nothing));
    }
    let waveform = state(row, Artifact::Waveform) == ArtifactState::Absent;
    let beats = state(row, Artifact::Beats) == ArtifactState::Absent;
    (waveform || beats).then(not_yet)
}

fn not_yet() -> Line {
    let text = "This track has not been analysed yet";
    line(theme::TEXT_MUTED, text, "", Offer::Analyze)
}

/// Every failure once, with all that it keeps from being there.
fn failures(row: &Row) -> Vec<Line> {
    let mut told: Vec<(&Failure, BTreeSet<Artifact>)> = Vec::new();
    for (artifact, record) in &row.knowledge.records {
        let Some(failure) = &record.failure else {
            continue;
        };
        let same = told
            .iter_mut()
            .find(|(other, _)| other.message == failure.message);
        match same {
            Some((_, artifacts)) => {
                artifacts.insert(*artifact);
            }
            None => told.push((failure, BTreeSet::from([*artifact]))),
        }
    }
    let line = |(failure, artifacts): (&Failure, BTreeSet<Artifact>)| Line {
        text: format!("No {}: {}", makers::list(&artifacts), failure.message),
        ..failed(failure, Offer::Retry)
    };
    let mut lines: Vec<Line> = told.into_iter().map(line).collect();
    let silent: BTreeSet<Artifact> = row
        .knowledge
        .records
        .iter()
        .filter(|(_, record)| record.failure.is_none() && record.nothing_found)
        .map(|(artifact, _)| *artifact)
        .collect();
    if !silent.is_empty() {
        let text = format!("No {} in this sound", makers::list(&silent));
        lines.push(Line {
            colour: theme::TEXT_MUTED,
            text,
            remedy: String::new(),
            offer: Offer::Nothing,
        });
    }
    lines
}

fn state(row: &Row, artifact: Artifact) -> ArtifactState {
    let place = Artifact::ALL.iter().position(|it| *it == artifact);
    place
        .and_then(|place| row.artifacts.get(place))
        .copied()
        .unwrap_or(ArtifactState::Absent)
}

fn line(colour: Color32, text: impl Into<String>, remedy: &str, offer: Offer) -> Line {
    Line {
        colour,
        text: text.into(),
        remedy: remedy.to_owned(),
        offer,
    }
}

fn failed(failure: &Failure, offer: Offer) -> Line {
    let text = crate::format::capitalised(&failure.message);
    line(theme::ERROR, text, &failure.remedy, offer)
}
