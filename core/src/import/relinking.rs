//! The search for files that moved: looks at the disk for what [`relink::plan`] decides on.

use crate::control::{Cancelled, Control};
use crate::core_loop::event::RelinkOutcome;
use crate::import::presence::{self, Presence, RootState};
use crate::import::relink::{self, Candidate, Choice, Missing, Plan};
use crate::import::scan::{self, Scanned};
use crate::import::{hash, tags};
use crate::row::Row;
use crate::track::{FileStamp, TrackId};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Told of each missing track: id, where it was, what was found, and the stamp of the file it moved to.
pub(crate) type Say<'a> = &'a mut dyn FnMut(TrackId, PathBuf, RelinkOutcome, Option<FileStamp>);

/// Looks below `folders` for the files of all tracks whose file is not there. Changes nothing.
pub(crate) fn search(
    rows: &[Arc<Row>],
    folders: &[PathBuf],
    dry_run: bool,
    control: &Control,
    say: Say<'_>,
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
    tell(
        &relink::plan(&missing, &found),
        &missing,
        &stamps,
        dry_run,
        say,
    );
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

fn tell(
    plan: &Plan,
    missing: &[Missing],
    stamps: &HashMap<PathBuf, FileStamp>,
    dry_run: bool,
    say: Say<'_>,
) {
    let paths: HashMap<TrackId, &Path> = missing
        .iter()
        .map(|track| (track.id, track.path.as_path()))
        .collect();
    let from = |id: &TrackId| {
        paths
            .get(id)
            .map(|path| path.to_path_buf())
            .unwrap_or_default()
    };
    for found in &plan.moves {
        let to = found.to.clone();
        let stamp = stamps.get(&to).copied();
        let outcome = if dry_run {
            RelinkOutcome::WouldMove(to)
        } else {
            RelinkOutcome::Moved(to)
        };
        say(found.id, from(&found.id), outcome, stamp);
    }
    let mut choices = |choices: &[Choice], outcome: fn(Vec<PathBuf>) -> RelinkOutcome| {
        for choice in choices {
            say(
                choice.id,
                from(&choice.id),
                outcome(choice.candidates.clone()),
                None,
            );
        }
    };
    choices(&plan.ambiguous, RelinkOutcome::Ambiguous);
    choices(&plan.suggestions, RelinkOutcome::Suggested);
    for id in &plan.unmatched {
        say(*id, from(id), RelinkOutcome::NotFound, None);
    }
}
