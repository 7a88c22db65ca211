//! Reads a library of Engine DJ for an import: its entries as claims, and what the disk says of their files.

use crate::control::Control;
use crate::core_loop::input::Twin;
use crate::enginedj::find::{self, Found};
use crate::enginedj::locate::{Located, Locator};
use crate::enginedj::{EngineTrack, Lost};
use crate::failure::{Failure, FailureKind};
use crate::import::claim::{Claim, Known, Place, Standing};
use crate::import::hash;
use crate::import::presence::{self, Presence, RootState};
use crate::import::session::read;
use crate::track::{ContentHash, FilePath, Source, SourceKind};
use std::path::{Path, PathBuf};

/// What the user named, as a library; and whether the music beside it is meant as well.
#[derive(Debug, PartialEq)]
pub(super) enum Named {
    /// The library itself.
    Library(Found),
    /// A folder or drive that holds one.
    Holder(Found),
    Other,
}

pub(super) fn named(path: &Path) -> Named {
    let is_database = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("db"));
    if path.is_file() {
        if !is_database {
            return Named::Other;
        }
        return match find::find(path).map(|mut found| found.pop()) {
            Ok(Some(found)) => Named::Library(found),
            Ok(None) | Err(_) => Named::Other,
        };
    }
    match find::in_folder(path) {
        None => Named::Other,
        Some(found) => {
            // A database without its folder need not be one of Engine DJ's.
            match found
                .folder
                .as_deref()
                .map(|folder| path.starts_with(folder))
            {
                Some(true) => Named::Library(found),
                Some(false) => Named::Holder(found),
                None => Named::Other,
            }
        }
    }
}

/// Rows that are lost, in the words of a file that cannot be read.
pub(super) fn lost(lost: &Lost) -> Failure {
    Failure::new(
        FailureKind::Damaged,
        format!("the Engine DJ library is damaged: {lost}"),
        "Open the library in Engine DJ to have it repaired, or restore one of its backups, then import it again",
    )
}

/// An entry as a claim. Looks for its file.
pub(super) fn claim(track: EngineTrack, folder: Option<&Path>, locator: &mut Locator) -> Claim {
    for flaw in &track.flaws {
        tracing::warn!(row = track.row, %flaw, "of an Engine DJ library");
    }
    let located = locator.look(&track);
    let is_there = located
        .as_ref()
        .is_some_and(|located| matches!(located.presence, Presence::There(_)));
    let stream = track.stream.as_ref().map(|stream| {
        let name = stream.service.as_ref().or(stream.uri.as_ref());
        name.cloned().unwrap_or_else(|| "streaming".to_owned())
    });
    let (path, root, place) = match located {
        Some(Located {
            path,
            root,
            presence,
        }) if is_there || stream.is_none() => {
            let place = match presence {
                Presence::There(stamp) => Place::There(stamp),
                Presence::Missing(failure) => Place::Absent(failure),
                Presence::Unreachable(failure) => Place::Unreadable(failure),
            };
            (path, root, place)
        }
        _ => {
            let path = nameless(&track);
            let place = if stream.is_some() {
                Place::Streamed
            } else {
                Place::Absent(no_path(&track))
            };
            (path.clone(), folder.map_or(path, Path::to_path_buf), place)
        }
    };
    let file = path.is_absolute().then(|| FilePath(path.clone()));
    let source = track.source.map(|id| Source {
        kind: SourceKind::EngineDj,
        id,
        alias: track.aliases.into_iter().next(),
        stored_path: track.file.map(|file| file.stored),
        file,
        library: folder.map(|folder| FilePath(folder.to_path_buf())),
        stream,
        is_gone: false,
    });
    Claim {
        source,
        tags: track.tags,
        path,
        root,
        bytes: track.file_bytes,
        place,
    }
}

/// What stands for the path of a track without one. No file has such a name: it is not absolute.
fn nameless(track: &EngineTrack) -> PathBuf {
    if let Some(uri) = track.stream.as_ref().and_then(|stream| stream.uri.as_ref()) {
        let path = PathBuf::from(uri);
        if !path.is_absolute() {
            return path;
        }
    }
    let name = track
        .source
        .as_ref()
        .map_or_else(|| format!("row {}", track.row), ToString::to_string);
    let file = track.file.as_ref().and_then(|file| {
        let last = file.stored.rsplit(['/', '\\']).next();
        last.filter(|name| !name.is_empty()).map(str::to_owned)
    });
    let mut path = PathBuf::from(format!("engine-dj:{name}"));
    path.extend(file);
    path
}

fn no_path(track: &EngineTrack) -> Failure {
    let message = if track.file.is_some() {
        "the Engine DJ library stands alone: where its music is cannot be told"
    } else {
        "the Engine DJ library does not say where the file is"
    };
    Failure::new(
        FailureKind::Missing,
        message,
        "Import the folder Engine Library on the drive with the music, or relocate the track in Engine DJ",
    )
}

/// Looks at the files that a claim is about.
pub(super) fn settle(
    control: &Control,
    claim: &Claim,
    known: Option<&Known>,
    twins: &[Twin],
) -> Standing {
    match (&claim.place, known) {
        (Place::Streamed, Some(known)) if is_there(&known.path) => Standing::Elsewhere,
        (Place::Streamed, _) => Standing::Streamed,
        (Place::There(stamp), None) => match same_bytes(control, &claim.path, twins) {
            Some(twin) if is_gone(&twin.path, &twin.root) => Standing::Moved(twin.track, *stamp),
            Some(twin) => Standing::Copy(twin.track),
            None => Standing::Read(*stamp, Box::new(read(&claim.path))),
        },
        (Place::There(stamp), Some(known)) if known.path == claim.path => {
            if known.stamp == *stamp {
                Standing::Same
            } else {
                Standing::Read(*stamp, Box::new(read(&claim.path)))
            }
        }
        (Place::There(stamp), Some(known)) => {
            if is_there(&known.path) {
                Standing::Elsewhere
            } else if let Some(holder) = known.holder {
                Standing::Held(holder)
            } else if stamp.bytes == known.stamp.bytes && has_hash(control, claim, known.hash) {
                Standing::Moved(known.track, *stamp)
            } else {
                Standing::Read(*stamp, Box::new(read(&claim.path)))
            }
        }
        (Place::Absent(_) | Place::Unreadable(_), Some(known))
            if known.path != claim.path && is_there(&known.path) =>
        {
            Standing::Elsewhere
        }
        (Place::Absent(failure), _) => Standing::Absent(failure.clone()),
        (Place::Unreadable(_), Some(_)) => Standing::Elsewhere,
        (Place::Unreadable(failure), None) => {
            let stamp = crate::track::FileStamp {
                bytes: claim.bytes.unwrap_or_default(),
                modified_ns: 0,
            };
            Standing::Read(stamp, Box::new(Err(failure.clone())))
        }
    }
}

fn has_hash(control: &Control, claim: &Claim, hash: Option<ContentHash>) -> bool {
    // Without one nothing was made of the track that other bytes could make false.
    hash.is_none_or(|hash| {
        hash::sha256(&claim.path, control, &mut |_bytes| ()).is_ok_and(|found| found == hash)
    })
}

fn is_there(path: &Path) -> bool {
    path.is_absolute()
        && !matches!(
            presence::look(path, &RootState::There),
            Presence::Missing(_)
        )
}

/// A file whose drive is away is not gone.
fn is_gone(path: &Path, root: &Path) -> bool {
    !is_there(path) && presence::look_at_root(root) == RootState::There
}

/// The track that has the bytes of the file at `path`.
fn same_bytes<'a>(control: &Control, path: &Path, twins: &'a [Twin]) -> Option<&'a Twin> {
    if twins.is_empty() {
        return None;
    }
    let found = hash::sha256(path, control, &mut |_bytes| ()).ok()?;
    let same = || twins.iter().filter(|twin| twin.hash == found);
    // One whose file is gone needs it most.
    same()
        .find(|twin| is_gone(&twin.path, &twin.root))
        .or_else(|| same().next())
}

#[cfg(test)]
mod tests;
