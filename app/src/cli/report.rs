//! What is printed of events: lines for people, JSON lines for programs.

use crate::exit::Exit;
use crate::format::{self, fit};
use crate::output::{Output, Style};
use crate::progress;
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use tonearm_core::artifact::Maker;
use tonearm_core::core_loop::event::{Event, Outcome, RelinkOutcome, Tally};
use tonearm_core::core_loop::view::{Activity, View};
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::harmony::Key;
use tonearm_core::import::presence::{self, Presence};
use tonearm_core::row::Row;
use tonearm_core::track::{SourceId, TrackId};

/// A failure as JSON. The fields of the track object's `error`.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorDocument<'a> {
    #[serde(flatten)]
    failure: &'a Failure,
}

impl<'a> From<&'a Failure> for ErrorDocument<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self { failure }
    }
}

#[derive(Debug, Serialize)]
struct TrackLine<'a> {
    event: &'static str,
    outcome: &'static str,
    id: Option<String>,
    path: String,
    source_id: Option<String>,
    error: Option<ErrorDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct ArtifactLine<'a> {
    event: &'static str,
    id: String,
    artifact: &'static str,
    outcome: &'static str,
    engine: Maker,
    seconds: f64,
    cpu_seconds: f64,
    error: Option<ErrorDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct Summary {
    event: &'static str,
    added: u64,
    updated: u64,
    merged: u64,
    moved: u64,
    unchanged: u64,
    missing: u64,
    failed: u64,
    /// Tracks of which something failed, or whose file is damaged: those of this run that `state:failed` finds.
    tracks_failed: u64,
    skipped: u64,
    artifacts_done: u64,
    artifacts_failed: u64,
    seconds: f64,
    cpu_seconds: f64,
}

/// What an outcome is about.
struct Met<'a> {
    id: Option<String>,
    path: &'a Path,
    source: Option<&'a SourceId>,
}

/// Prints events and keeps count of what failed.
#[derive(Debug)]
pub(crate) struct Reporter {
    output: Output,
    pub(crate) tally: Tally,
    pub(crate) artifacts_done: u64,
    pub(crate) artifacts_failed: u64,
    pub(crate) trouble: bool,
    /// The failures printed: a file that cannot be decoded fails for every artifact, and once is enough to read.
    told: HashSet<(TrackId, String)>,
    /// Of which something failed on the way.
    suspects: BTreeSet<TrackId>,
    /// What failed without becoming a track.
    strays: u64,
    /// What is said where there was nothing to do.
    pub(crate) nothing: &'static str,
    started: std::time::Instant,
    /// Whether each finished track gets a line: where no bar shows how far the work is.
    tells_finished: bool,
    finished: HashSet<TrackId>,
}

impl Reporter {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            output,
            tally: Tally::default(),
            artifacts_done: 0,
            artifacts_failed: 0,
            trouble: false,
            told: HashSet::new(),
            suspects: BTreeSet::new(),
            strays: 0,
            nothing: "nothing to do",
            started: std::time::Instant::now(),
            tells_finished: !output.json && !output.quiet && !progress::is_shown(),
            finished: HashSet::new(),
        }
    }

    pub(crate) fn hear(&mut self, event: &Event, view: &View) -> Result<(), Exit> {
        match event {
            Event::Imported {
                outcome,
                track,
                path,
                source,
                failure,
                ..
            } => {
                if *outcome == Outcome::Failed {
                    self.suspect(*track, failure.as_ref());
                }
                self.tally.add(*outcome);
                let id = track.map(|id| id.to_string());
                let source = source.as_ref();
                self.imported(*outcome, Met { id, path, source }, failure.as_ref())
            }
            Event::ImportFinished { tally, .. } => {
                self.tally.skipped += tally.skipped;
                Ok(())
            }
            Event::Made { .. } => self.made(event, view),
            Event::Damaged { track, failure } => self.damaged(*track, failure, view),
            Event::DuplicateFound { track, same_as } => {
                let line = serde_json::json!({
                    "event": "duplicate", "id": track.to_string(), "same_as": same_as.to_string(),
                });
                self.output.json(&line)?;
                let name = |id| {
                    view.rows
                        .get(id)
                        .map(|row| row.track.path.as_path().display().to_string())
                };
                if let (Some(this), Some(other)) = (name(*track), name(*same_as)) {
                    let text = format!(
                        "same bytes twice: {}\n               and {}",
                        fit(&this, 200),
                        fit(&other, 200)
                    );
                    self.output.aside(&self.output.styled(Style::Dim, &text))?;
                }
                Ok(())
            }
            Event::Relinked {
                request: None,
                track,
                from,
                to,
            } => self.relinked(&track.to_string(), from, to),
            Event::StorageFailed(failure) => {
                self.trouble = true;
                self.output.json(&serde_json::json!({
                    "event": "storage_failed", "error": ErrorDocument::from(failure),
                }))?;
                Output::note(&format!("the library cannot be written: {}", told(failure)));
                Ok(())
            }
            Event::EditRefused { reason, .. } => {
                self.trouble = true;
                Output::note(&format!("tonearm: not done: {reason}"));
                Ok(())
            }
            // Whoever asks for these tells of them.
            Event::Edited { .. }
            | Event::Removed { .. }
            | Event::Undone { .. }
            | Event::Redone { .. }
            | Event::Relinked { .. }
            | Event::RelinkFinished { .. }
            | Event::Idle => Ok(()),
        }
    }

    /// A track that something was asked of while its file is not there.
    pub(crate) fn missing(&mut self, row: &Row) -> Result<(), Exit> {
        let path = row.track.path.as_path();
        let failure = if row.track.has_path() {
            let root = presence::look_at_root(row.track.root.as_path());
            match presence::look(path, &root) {
                Presence::There(_) => Failure::new(
                    FailureKind::Missing,
                    "the file was not there when it was last looked for",
                    "It is there now: import its folder again",
                ),
                Presence::Missing(failure) | Presence::Unreachable(failure) => failure,
            }
        } else {
            let (message, remedy) = row.track.missing_reason();
            Failure::new(FailureKind::Missing, message, remedy)
        };
        self.trouble = true;
        self.tally.add(Outcome::Missing);
        let met = Met {
            id: Some(row.track.id.to_string()),
            path,
            source: row.track.sources.first().map(|source| &source.id),
        };
        self.imported(Outcome::Missing, met, Some(&failure))
    }

    fn imported(
        &self,
        outcome: Outcome,
        met: Met<'_>,
        failure: Option<&Failure>,
    ) -> Result<(), Exit> {
        let Met { id, path, source } = met;
        self.output.json(&TrackLine {
            event: "track",
            outcome: outcome.name(),
            id,
            path: path.to_string_lossy().into_owned(),
            source_id: source.map(SourceId::to_string),
            error: failure.map(ErrorDocument::from),
        })?;
        let name = fit(&path.display().to_string(), 300);
        match failure {
            Some(failure) => {
                let word = self.output.styled(Style::Bad, outcome.name());
                self.output
                    .line(&format!("{word:>9}  {name}\n           {}", told(failure)))
            }
            None if outcome == Outcome::Unchanged => Ok(()),
            None => self.output.aside(&format!("{:>9}  {name}", outcome.name())),
        }
    }

    /// Takes note of a failure, of a track or of what did not become one. Whether it is still to be told to people.
    fn suspect(&mut self, track: Option<TrackId>, failure: Option<&Failure>) -> bool {
        self.trouble = true;
        let Some(track) = track else {
            self.strays += 1;
            return true;
        };
        self.suspects.insert(track);
        failure.is_none_or(|failure| self.told.insert((track, failure.message.clone())))
    }

    fn damaged(&mut self, track: TrackId, failure: &Failure, view: &View) -> Result<(), Exit> {
        self.trouble = true;
        self.suspects.insert(track);
        self.output.json(&serde_json::json!({
            "event": "damaged", "id": track.to_string(), "error": ErrorDocument::from(failure),
        }))?;
        let word = self.output.styled(Style::Bad, "  damaged");
        self.output.line(&format!(
            "{word}  {}\n           {}",
            path_of(track, view),
            told(failure)
        ))
    }

    fn made(&mut self, event: &Event, view: &View) -> Result<(), Exit> {
        let Event::Made {
            track,
            artifact,
            maker,
            seconds,
            cpu_secs,
            failure,
        } = event
        else {
            return Ok(());
        };
        if failure.is_some() {
            self.artifacts_failed += 1;
            self.trouble = true;
        } else {
            self.artifacts_done += 1;
        }
        self.output.json(&ArtifactLine {
            event: "artifact",
            id: track.to_string(),
            artifact: artifact.name(),
            outcome: if failure.is_some() { "failed" } else { "done" },
            engine: *maker,
            seconds: *seconds,
            cpu_seconds: f64::from(*cpu_secs),
            error: failure.as_ref().map(ErrorDocument::from),
        })?;
        let Some(failure) = failure else {
            return self.finished(*track, view);
        };
        if !self.suspect(Some(*track), Some(failure)) {
            return Ok(());
        }
        let word = self.output.styled(Style::Bad, "   failed");
        let path = path_of(*track, view);
        self.output.line(&format!(
            "{word}  {artifact} of {path}\n           {}",
            told(failure)
        ))
    }

    /// Tells once of a track that nothing more is made of. Failures have been told by themselves.
    fn finished(&mut self, id: TrackId, view: &View) -> Result<(), Exit> {
        let mut running = view.activity.running.iter();
        let is_at_work = running.any(|job| job.track == id && !job.wants.is_empty());
        let Some(row) = view.rows.get(id) else {
            return Ok(());
        };
        let is_well = !row.track.missing && !row.has_failure();
        if !self.tells_finished || is_at_work || !is_well || !self.finished.insert(id) {
            return Ok(());
        }
        let summary = &row.knowledge.summary;
        let mut line = format!("     done  {}", fit(&format::caption(row), 100));
        for fact in [
            summary.bpm.map(format::tempo),
            summary.key.map(Key::camelot),
        ] {
            line.push_str("  ");
            line.push_str(fact.as_deref().unwrap_or("–"));
        }
        self.output.aside(&line)
    }

    /// A missing track that was found again, or not.
    pub(crate) fn relinked(&self, id: &str, from: &Path, to: &RelinkOutcome) -> Result<(), Exit> {
        let paths = |paths: &[std::path::PathBuf]| -> Vec<String> {
            paths
                .iter()
                .map(|path| path.to_string_lossy().into_owned())
                .collect()
        };
        let (outcome, targets) = match to {
            RelinkOutcome::Moved(path) => ("moved", paths(std::slice::from_ref(path))),
            RelinkOutcome::WouldMove(path) => ("would_move", paths(std::slice::from_ref(path))),
            RelinkOutcome::Ambiguous(found) => ("ambiguous", paths(found)),
            RelinkOutcome::Suggested(found) => ("suggested", paths(found)),
            RelinkOutcome::NotFound => ("missing", Vec::new()),
        };
        let to = if targets.len() == 1 {
            targets.first()
        } else {
            None
        };
        self.output.json(&serde_json::json!({
            "event": "relink", "outcome": outcome, "id": id,
            "from": from.to_string_lossy(), "to": to, "candidates": targets,
        }))?;
        let mut text = format!("{outcome:>10}  {}", fit(&from.display().to_string(), 300));
        for target in &targets {
            text.push_str("\n        to  ");
            text.push_str(&fit(target, 300));
        }
        self.output.line(&text)
    }

    /// What waits for models that cannot work, once nothing else is left to do.
    pub(crate) fn waiting(&mut self, activity: &Activity) -> Result<(), Exit> {
        let held = activity.held;
        let Some(failure) = activity.lost_models.as_ref().filter(|_| held > 0) else {
            return Ok(());
        };
        self.trouble = true;
        self.output.json(&serde_json::json!({
            "event": "waiting", "tracks": held, "error": ErrorDocument::from(failure),
        }))?;
        let word = self.output.styled(Style::Bad, "  waiting");
        let tracks = if held == 1 { "track" } else { "tracks" };
        self.output.line(&format!(
            "{word}  {held} {tracks} for models\n           {}",
            told(failure)
        ))
    }

    /// The closing line. What became well in the end, as with another try, is no failure.
    pub(crate) fn summary(&self, view: &View) -> Result<(), Exit> {
        let of = |outcome| self.tally.of(outcome);
        let has_failure = |id: &&TrackId| view.rows.get(**id).is_some_and(|row| row.has_failure());
        let tracks_failed = self.suspects.iter().filter(has_failure).count() as u64;
        let seconds = self.started.elapsed().as_secs_f64();
        self.output.json(&Summary {
            event: "summary",
            added: of(Outcome::Added),
            updated: of(Outcome::Updated),
            merged: of(Outcome::Merged),
            moved: of(Outcome::Moved),
            unchanged: of(Outcome::Unchanged),
            missing: of(Outcome::Missing),
            failed: of(Outcome::Failed),
            tracks_failed,
            skipped: self.tally.skipped,
            artifacts_done: self.artifacts_done,
            artifacts_failed: self.artifacts_failed,
            seconds,
            cpu_seconds: cpu_seconds(),
        })?;
        let parts: Vec<String> = Outcome::ALL
            .into_iter()
            // Those are told below: as tracks, so that it is the same number wherever they are counted.
            .filter(|outcome| of(*outcome) > 0 && *outcome != Outcome::Failed)
            .map(|outcome| format!("{} {}", of(outcome), outcome.name()))
            .collect();
        let files = (!parts.is_empty()).then(|| parts.join(", "));
        let results = (self.artifacts_done > 0).then(|| counted(self.artifacts_done, "result"));
        let tracks = (tracks_failed > 0).then(|| {
            format!(
                "{} failed or damaged (tonearm list state:failed finds them, tonearm show says why)",
                counted(tracks_failed, "track")
            )
        });
        let strays = (self.strays > 0).then(|| format!("{} failed", self.strays));
        let all = [files, results, tracks, strays];
        let told: Vec<String> = all.into_iter().flatten().collect();
        let told = if told.is_empty() {
            self.nothing.to_owned()
        } else {
            told.join("; ")
        };
        self.output.aside(&format!("{told} in {seconds:.1} s"))
    }

    /// Success, unless something failed along the way.
    pub(crate) fn exit(&self) -> Result<(), Exit> {
        if self.trouble {
            Err(Exit::SomeFailed)
        } else {
            Ok(())
        }
    }
}

/// `1 track`, `2 tracks`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Where a track's file is, fit for a terminal.
fn path_of(track: TrackId, view: &View) -> String {
    let row = view.rows.get(track);
    row.map(|row| fit(&row.track.path.as_path().display().to_string(), 300))
        .unwrap_or_default()
}

/// What happened and what to do.
pub(crate) fn told(failure: &Failure) -> String {
    if failure.remedy.is_empty() {
        failure.message.clone()
    } else {
        format!("{}. {}", failure.message, failure.remedy)
    }
}

/// Processor time of this process so far.
fn cpu_seconds() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}
