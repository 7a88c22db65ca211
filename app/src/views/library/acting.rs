//! The actions that are the table's business.

use super::LibraryPanel;
use super::selection::Step;
use crate::action::Action;
use crate::notices::{Notice, Tone};
use crate::outbox::Outbox;
use crate::scene::Scene;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use tonearm_core::core_loop::command::{Command, Extent, RequestId, Selection};
use tonearm_core::row::Row;
use tonearm_core::track::TrackId;

/// More lines would not be read by anyone.
const MOST_LINES: usize = 10_000;

impl LibraryPanel {
    /// Carries `action` out where it is about the table or its selection; `false` when it is not.
    pub fn act(&mut self, action: Action, scene: &Scene<'_>, out: &mut Outbox) -> bool {
        match action {
            Action::SelectAll => self.select_all(),
            Action::SelectNone => self.selected.clear(),
            Action::Search => self.state.focus_search = true,
            Action::SearchHelp => self.state.open_help = true,
            Action::ChooseColumns => self.state.open_columns = true,
            Action::ToggleInspector => self.inspector = !self.inspector,
            Action::PreviousTrack => self.step(Step::Rows(-1), false),
            Action::NextTrack => self.step(Step::Rows(1), false),
            Action::CopyPath => self.copy_paths(scene, out),
            Action::CopyFailures => self.copy_failures(scene, out),
            Action::AnalyzeSelected | Action::AnalyzeAgain => {
                let tracks = self.targets();
                if !tracks.is_empty() {
                    out.commands.push(Command::Analyze {
                        request: RequestId::default(),
                        tracks: Selection::Tracks(tracks),
                        extent: Extent::Everything,
                        force: action == Action::AnalyzeAgain,
                        engine: None,
                    });
                }
            }
            Action::RetryFailed => {
                let tracks = self.targets();
                let which = if tracks.is_empty() {
                    Selection::All
                } else {
                    Selection::Tracks(tracks)
                };
                out.commands.push(Command::Retry(which));
            }
            Action::RemoveSelected => self.remove(out),
            _ => return false,
        }
        true
    }

    /// The selected tracks that can be seen: what a search hides is not meant.
    pub fn targets(&self) -> Vec<TrackId> {
        let listing = self.state.clerk.listing();
        let seen = self.selected.iter().copied();
        seen.filter(|id| listing.place(*id).is_some()).collect()
    }

    fn remove(&mut self, out: &mut Outbox) {
        let tracks = self.targets();
        if tracks.is_empty() {
            return;
        }
        // The keyboard goes on from the next track that stays.
        let listing = Arc::clone(self.state.clerk.listing());
        let gone: HashSet<TrackId> = tracks.iter().copied().collect();
        let last = self.focus().and_then(|id| listing.place(id)).unwrap_or(0);
        let stays = |id: &&TrackId| !gone.contains(*id);
        let (before, after) = listing.ids().split_at(last.min(listing.len()));
        let next = after
            .iter()
            .find(stays)
            .or_else(|| before.iter().rfind(stays));
        self.selected = next.copied().into_iter().collect();
        out.commands.push(Command::Remove(tracks));
    }

    fn copy_paths(&self, scene: &Scene<'_>, out: &mut Outbox) {
        let tracks = self.targets();
        let rows = tracks.iter().filter_map(|id| scene.view.rows.get(*id));
        let paths: Vec<String> = rows
            .take(MOST_LINES)
            .map(|row| row.track.path.as_path().to_string_lossy().into_owned())
            .collect();
        if !paths.is_empty() {
            out.copied = Some(paths.join("\n"));
        }
    }

    /// Of the selection, or of the whole library where nothing is selected.
    fn copy_failures(&self, scene: &Scene<'_>, out: &mut Outbox) {
        let tracks = self.targets();
        let mut text = String::new();
        if tracks.is_empty() {
            write_all(scene.view.rows.iter(), &mut text);
        } else {
            let rows = tracks.iter().filter_map(|id| scene.view.rows.get(*id));
            write_all(rows, &mut text);
        }
        if text.is_empty() {
            out.notices.push(Notice {
                tone: Tone::News,
                text: "Nothing failed".to_owned(),
            });
        } else {
            out.copied = Some(text);
        }
    }
}

/// Failures of rows, one a line.
fn write_all<'a>(rows: impl Iterator<Item = &'a Arc<Row>>, text: &mut String) {
    for row in rows.filter(|row| has_failed(row)).take(MOST_LINES) {
        write_failures(row, text);
    }
}

fn has_failed(row: &Row) -> bool {
    row.track.missing || row.has_failed()
}

fn write_failures(row: &Row, text: &mut String) {
    let path = row.track.path.as_path().display();
    if row.track.missing {
        let _infallible = writeln!(text, "{path}: the file is not there");
    }
    let records = row.failed().filter_map(|artifact| {
        let record = row.knowledge.records.get(&artifact)?;
        Some((artifact, record))
    });
    for (artifact, record) in records.chain(row.failed_by_models()) {
        if let Some(failure) = &record.failure {
            let (message, remedy) = (&failure.message, &failure.remedy);
            let _infallible = writeln!(text, "{path}: {artifact}: {message}. {remedy}");
        }
    }
}
