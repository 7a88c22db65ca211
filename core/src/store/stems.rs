//! Folders of stems: which there are, and those that go. `crate::stems` says how they are named and makes them.

use super::load::Loaded;
use crate::artifact::Artifact;
use crate::stems::{self, SetKey, Stem, StemSet};
use crate::track::TrackId;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder of stems: of which track and set, where its name says so.
pub(super) type Found = (Option<(TrackId, SetKey)>, PathBuf);

/// Everything below the folder of stems, in the order of its names.
pub(super) fn list(dir: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for shelf in entries(&dir.join(stems::FOLDER))? {
        if !shelf.is_dir() {
            found.push((None, shelf));
            continue;
        }
        for folder in entries(&shelf)? {
            let name = folder.file_name().and_then(|name| name.to_str());
            let named = name
                .and_then(stems::named)
                .filter(|(track, key)| stems::folder(dir, *track, *key) == folder);
            found.push((named, folder));
        }
    }
    Ok(found)
}

/// Removes what nothing refers to, and forgets sets whose folder is gone (deleted by hand, or not in a backup), when the
/// library is opened: nobody makes stems yet.
///
/// Where the record of a track cannot be read, what it refers to is not known, and stays.
pub(super) fn sweep(dir: &Path, loaded: &mut Loaded) {
    let sets = loaded.knowledge.iter().filter_map(|(track, known)| {
        let set = known.stems.as_ref()?;
        Some((*track, set.key))
    });
    let sets: HashSet<(TrackId, SetKey)> = sets.collect();
    let unreadable: HashSet<TrackId> = loaded
        .unreadable
        .iter()
        .filter_map(|bad| bad.track)
        .collect();
    let found = match list(dir) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "the folder of stems cannot be read");
            return;
        }
    };
    forget_lost(loaded, &found);
    for (named, folder) in found {
        let stays = named.is_some_and(|(track, key)| {
            sets.contains(&(track, key)) || unreadable.contains(&track)
        });
        // Only what we named goes: a whole set, or one that was in the making.
        let is_ours = named.is_some() || is_unfinished(&folder);
        if is_ours && !stays {
            remove_folder(&folder);
        }
    }
}

/// What is known of stems that are not there any more would only mislead: they are made when they are asked for again.
fn forget_lost(loaded: &mut Loaded, found: &[Found]) {
    let there: HashSet<(TrackId, SetKey)> = found.iter().filter_map(|(named, _)| *named).collect();
    #[expect(clippy::iter_over_hash_type, reason = "each by itself")]
    for (track, known) in &mut loaded.knowledge {
        let lost = known
            .stems
            .as_ref()
            .is_some_and(|set| !there.contains(&(*track, set.key)));
        if lost {
            tracing::warn!(%track, "stems are gone from the disk");
            known.stems = None;
            known.records.remove(&Artifact::Stems);
        }
    }
}

fn is_unfinished(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    let set = name.and_then(|name| name.strip_suffix(stems::UNFINISHED)?.strip_suffix('.'));
    set.and_then(stems::named).is_some()
}

/// Whether a set is there as it was made, as far as sizes tell; the pictures are read.
pub(super) fn check(dir: &Path, track: TrackId, set: &StemSet) -> Result<(), String> {
    let mut bytes = 0;
    for stem in Stem::ALL {
        let picture = set.waveform_path(dir, track, stem);
        super::waveforms::read_at(&picture, track).map_err(|error| error.to_string())?;
        for path in [set.sound_path(dir, track, stem), picture] {
            let length =
                fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()));
            bytes += length?.len();
        }
    }
    if bytes == set.bytes {
        Ok(())
    } else {
        Err(format!("{bytes} bytes in the place of {}", set.bytes))
    }
}

/// Removes one set.
pub(super) fn remove(dir: &Path, track: TrackId, key: SetKey) {
    remove_folder(&stems::folder(dir, track, key));
}

/// Removes all sets of a track.
pub(super) fn remove_all(dir: &Path, track: TrackId) {
    let Ok(folders) = entries(&stems::shelf(dir, track)) else {
        return;
    };
    for folder in folders {
        let name = folder.file_name().and_then(|name| name.to_str());
        if name
            .and_then(stems::named)
            .is_some_and(|(of, _)| of == track)
        {
            remove_folder(&folder);
        }
    }
}

fn remove_folder(folder: &Path) {
    if let Err(error) = stems::remove_folder(folder) {
        tracing::warn!(%error, folder = %folder.display(), "old stems stay behind until the next start");
    }
}

/// In the order of their names; none where there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    match listed {
        Ok(mut entries) => {
            entries.sort();
            Ok(entries)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
