//! Which tracks have a failure, and what it is in words. Looks at new rows only.

use crate::views::makers;
use std::fmt::Write as _;
use std::sync::Arc;
use tonearm_core::artifact::Artifact;
use tonearm_core::core_loop::view::Rows;
use tonearm_core::row::Row;
use tonearm_core::track::TrackId;

/// Lines that are copied at most.
const MOST_LINES: usize = 100_000;

type Chunk = Arc<Vec<Arc<Row>>>;

/// The tracks with a failure, in the order of the library.
#[derive(Debug, Clone, Default)]
pub(super) struct Troubles {
    /// What was looked at, and what was found there.
    seen: Vec<(Chunk, Vec<TrackId>)>,
    all: Vec<TrackId>,
    missing: usize,
}

impl Troubles {
    /// Catches up with `rows`: one comparison for each chunk that has not changed.
    pub(super) fn follow(&mut self, rows: &Rows) {
        let mut has_changed = false;
        let mut count = 0;
        for chunk in rows.chunks() {
            match self.seen.get_mut(count) {
                Some((seen, _)) if Arc::ptr_eq(seen, chunk) => {}
                Some(place) => {
                    *place = (Arc::clone(chunk), found_in(chunk));
                    has_changed = true;
                }
                None => {
                    self.seen.push((Arc::clone(chunk), found_in(chunk)));
                    has_changed = true;
                }
            }
            count += 1;
        }
        has_changed |= self.seen.len() > count;
        self.seen.truncate(count);
        if has_changed {
            self.all.clear();
            self.all
                .extend(self.seen.iter().flat_map(|(_, ids)| ids).copied());
            let is_missing = |id: &&TrackId| rows.get(**id).is_some_and(|row| row.track.missing);
            self.missing = self.all.iter().filter(is_missing).count();
        }
    }

    pub(super) fn all(&self) -> &[TrackId] {
        &self.all
    }

    /// How many of them are not there at all.
    pub(super) fn missing(&self) -> usize {
        self.missing
    }
}

fn found_in(chunk: &Chunk) -> Vec<TrackId> {
    chunk
        .iter()
        .filter(|row| is_trouble(row))
        .map(|row| row.track.id)
        .collect()
}

pub(super) fn is_trouble(row: &Row) -> bool {
    row.track.missing || row.has_failure()
}

/// One reason, with everything that failed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason<'a> {
    /// Empty where the file itself is meant.
    pub(super) artifacts: Vec<Artifact>,
    /// The model that failed, where the built-in analysis did not.
    pub(super) model: Option<&'static str>,
    pub(super) message: &'a str,
    pub(super) remedy: &'a str,
}

impl Reason<'_> {
    /// `Beats, key: the file ends after 3 s`, `Beats by Beat This!: it ended`.
    pub(super) fn told(&self) -> String {
        let names: Vec<&str> = self
            .artifacts
            .iter()
            .map(|artifact| artifact.name())
            .collect();
        let by = self
            .model
            .map_or_else(String::new, |model| format!(" by {model}"));
        let mut text = if names.is_empty() {
            self.message.to_owned()
        } else {
            format!("{}{by}: {}", names.join(", "), self.message)
        };
        if let Some(first) = text.get(..1) {
            let upper = first.to_uppercase();
            text.replace_range(..1, &upper);
        }
        text
    }
}

/// Everything that is wrong with a track; the same reason stands once.
pub(super) fn reasons(row: &Row) -> Vec<Reason<'_>> {
    if row.track.missing {
        let (message, remedy) = row.track.missing_reason();
        return vec![Reason {
            artifacts: Vec::new(),
            model: None,
            message,
            remedy,
        }];
    }
    let mut reasons: Vec<Reason<'_>> = Vec::new();
    if let Some(damage) = &row.track.damage {
        reasons.push(Reason {
            artifacts: Vec::new(),
            model: None,
            message: &damage.message,
            remedy: &damage.remedy,
        });
    }
    let built_in = row.failed().filter_map(|artifact| {
        let record = row.knowledge.records.get(&artifact)?;
        Some((artifact, None, record.failure.as_ref()?))
    });
    let by_models = row.failed_by_models().filter_map(|(artifact, record)| {
        let model = makers::model_of(artifact);
        Some((artifact, model, record.failure.as_ref()?))
    });
    for (artifact, model, failure) in built_in.chain(by_models) {
        let is_same = |reason: &&mut Reason<'_>| {
            let words = (reason.message, reason.remedy);
            reason.model == model && words == (failure.message.as_str(), failure.remedy.as_str())
        };
        match reasons.iter_mut().find(is_same) {
            Some(reason) => reason.artifacts.push(artifact),
            None => reasons.push(Reason {
                artifacts: vec![artifact],
                model,
                message: &failure.message,
                remedy: &failure.remedy,
            }),
        }
    }
    reasons
}

/// One line for each reason: path, what happened, what can be done.
pub(super) fn as_text(rows: &Rows, tracks: &[TrackId]) -> String {
    let mut text = String::new();
    for row in tracks
        .iter()
        .take(MOST_LINES)
        .filter_map(|id| rows.get(*id))
    {
        let path = row.track.path.as_path().to_string_lossy();
        for reason in reasons(row) {
            let line = format!("{path}\t{}\t{}", reason.told(), reason.remedy);
            let clean = line.replace(['\n', '\r'], " ");
            let _infallible = writeln!(text, "{clean}");
        }
    }
    text
}
