//! The search for files that moved: looks at the disk for what [`relink::plan`] decides on.

use crate::control::{Cancelled, Control};
use crate::core_loop::event::RelinkOutcome;
use crate::core_loop::input::RelinkFound;
use crate::import::presence::{self, Presence, RootState};
use crate::import::relink::{self, Candidate, Choice, Missing, Plan};
use crate::import::scan::{self, Scanned};
use crate::import::{hash, tags};
use crate::row::Row;
use crate::track::{FileStamp, TrackId};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Tracks told of at a time.
const BATCH: usize = 256;

/// Takes what became of some missing tracks; an error ends the telling.
pub(crate) type Report<'a> = &'a mut dyn FnMut(Vec<RelinkFound>) -> Result<(), Cancelled>;

/// Looks below `folders` for the files of all tracks whose file is not there. Changes nothing.
pub(crate) fn search(
    rows: &[Arc<Row>],
    folders: &[PathBuf],
    dry_run: bool,
    control: &Control,
    report: Report<'_>,
) -> Result<(), Cancelled> {
    let (missing, present) = look_for_all(rows, control)?;
    if missing.is_empty() {
        return Ok(());
    }
    let (mut found, stamps) = files_below(folders, &present, control)?;
    let sizes: HashSet<u64> = missing.iter().map(|track| track.bytes).collect();
    found.retain(|file| sizes.contains(&file.bytes));
    for place in relink::to_hash(&missing, &found) {
        control.check()?;
        if let Some(file) = found.get_mut(place) {
            file.hash = hash::sha256(&file.path, control, &mut |_bytes| ()).ok();
        }
    }
    describe_suggestible(&missing, &mut found, control)?;
    let plan = relink::plan(&missing, &found);
    let mut told = what_became(&plan, &missing, &stamps, dry_run);
    while !told.is_empty() {
        let rest = told.split_off(BATCH.min(told.len()));
        report(std::mem::replace(&mut told, rest))?;
    }
    Ok(())
}

/// The tracks whose file is not there, and the paths of all others.
fn look_for_all(
    rows: &[Arc<Row>],
    control: &Control,
) -> Result<(Vec<Missing>, HashSet<PathBuf>), Cancelled> {
    let mut missing = Vec::new();
    let mut present = HashSet::new();
    for row in rows {
        control.check()?;
        let track = &row.track;
        if !track.has_path() {
            continue;
        }
        let path = track.path.as_path().to_path_buf();
        match presence::look(&path, &RootState::There) {
            Presence::There(_) | Presence::Unreachable(_) => {
                present.insert(path);
            }
            Presence::Missing(_) => missing.push(Missing {
                id: track.id,
                path,
                bytes: track.stamp.bytes,
                hash: track.hash,
                title: track.tags.title.clone(),
                duration: track.format.as_ref().map(|format| format.duration),
            }),
        }
    }
    Ok((missing, present))
}

/// Files below `folders` that no track of the library has.
fn files_below(
    folders: &[PathBuf],
    taken: &HashSet<PathBuf>,
    control: &Control,
) -> Result<(Vec<Candidate>, HashMap<PathBuf, FileStamp>), Cancelled> {
    let mut found = Vec::new();
    let mut stamps = HashMap::new();
    scan::walk(folders, control, &mut |scanned| match scanned {
        Scanned::File(file) if !taken.contains(&file.path) => {
            found.push(Candidate {
                path: file.path.clone(),
                bytes: file.stamp.bytes,
                hash: None,
                title: None,
                duration: None,
            });
            stamps.insert(file.path, file.stamp);
        }
        Scanned::File(_) | Scanned::Playlist { .. } => {}
        Scanned::Unreadable { path, failure } => {
            tracing::warn!(path = %path.display(), reason = failure.message, "not searched");
        }
    })?;
    Ok((found, stamps))
}

/// Reads title and length of files that can only be recognised by them.
fn describe_suggestible(
    missing: &[Missing],
    found: &mut [Candidate],
    control: &Control,
) -> Result<(), Cancelled> {
    let sizes: HashSet<u64> = missing
        .iter()
        .filter(|track| track.hash.is_none())
        .map(|track| track.bytes)
        .collect();
    for file in found.iter_mut().filter(|file| sizes.contains(&file.bytes)) {
        control.check()?;
        if let Ok(read) = tags::read(&file.path) {
            file.title = read.tags.title;
            file.duration = read.format.map(|format| format.duration);
        }
    }
    Ok(())
}

/// The plan in the words of the loop, in the order of certainty.
fn what_became(
    plan: &Plan,
    missing: &[Missing],
    stamps: &HashMap<PathBuf, FileStamp>,
    dry_run: bool,
) -> Vec<RelinkFound> {
    let paths: HashMap<TrackId, &Path> = missing
        .iter()
        .map(|track| (track.id, track.path.as_path()))
        .collect();
    let found = |track: TrackId, to: RelinkOutcome, stamp: Option<FileStamp>| {
        let from = paths
            .get(&track)
            .map(|path| path.to_path_buf())
            .unwrap_or_default();
        RelinkFound {
            track,
            from,
            to,
            stamp,
        }
    };
    let moves = plan.moves.iter().map(|known| {
        let to = known.to.clone();
        let stamp = stamps.get(&to).copied();
        let outcome = if dry_run {
            RelinkOutcome::WouldMove(to)
        } else {
            RelinkOutcome::Moved(to)
        };
        found(known.id, outcome, stamp)
    });
    let choices = |choices: &[Choice], outcome: fn(Vec<PathBuf>) -> RelinkOutcome| {
        let told = |choice: &Choice| found(choice.id, outcome(choice.candidates.clone()), None);
        choices.iter().map(told).collect::<Vec<_>>()
    };
    let ambiguous = choices(&plan.ambiguous, RelinkOutcome::Ambiguous);
    let suggested = choices(&plan.suggestions, RelinkOutcome::Suggested);
    let lost = plan
        .unmatched
        .iter()
        .map(|id| found(*id, RelinkOutcome::NotFound, None));
    moves
        .chain(ambiguous)
        .chain(suggested)
        .chain(lost)
        .collect()
}
