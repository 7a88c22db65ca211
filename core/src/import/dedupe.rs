//! What is a file that was found: new, known, changed, moved, or another copy? Pure.

use crate::track::{ContentHash, FileStamp, Track, TrackId};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

/// What deciding needs of the library. Kept up to date by whoever owns the tracks.
///
/// Paths are known by their names of 128 bits, which no two paths share: they are kept nowhere twice.
#[derive(Debug, Clone, Default)]
pub struct Index {
    tracks: HashMap<TrackId, Entry>,
    by_path: HashMap<PathName, TrackId>,
    /// Files of other libraries that are copies of a track's.
    by_copy: HashMap<PathName, TrackId>,
    by_hash: BTreeSet<(ContentHash, TrackId)>,
    /// Of tracks of known content.
    by_bytes: BTreeSet<(u64, TrackId)>,
    names: Names,
}

#[derive(Debug, Clone)]
struct Entry {
    path: PathName,
    copies: Vec<PathName>,
    stamp: FileStamp,
    hash: Option<ContentHash>,
    missing: bool,
}

/// Two keyed hashes (`SipHash`, as the standard library keys it) of a path: nobody can make two paths that share them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PathName(u64, u64);

#[derive(Debug, Clone, Default)]
struct Names(RandomState, RandomState);

impl Names {
    fn of(&self, path: &Path) -> PathName {
        let key = path_key(path);
        PathName(self.0.hash_one(&*key), self.1.hash_one(&*key))
    }
}

/// A file that may be a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub path: PathBuf,
    pub stamp: FileStamp,
}

/// What to do with a candidate before its content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A file that the library does not know. By its content it may still be a moved one.
    New,
    /// Nothing to do.
    Unchanged(TrackId),
    /// The file was written to since: tags, hash and analysis are due again.
    Changed(TrackId),
    /// It was missing and is there again as it was: only that mark is to be cleared.
    Returned(TrackId),
    /// Another library's copy of a track that has a file of its own.
    Copy(TrackId),
}

/// The form in which paths are compared: as the system does.
fn path_key(path: &Path) -> Cow<'_, Path> {
    if cfg!(any(windows, target_os = "macos")) {
        use unicode_normalization::UnicodeNormalization as _;
        let folded: String = path
            .to_string_lossy()
            .nfc()
            .collect::<String>()
            .to_lowercase();
        Cow::Owned(PathBuf::from(folded))
    } else {
        Cow::Borrowed(path)
    }
}

impl Index {
    pub fn new<'a>(tracks: impl IntoIterator<Item = &'a Track>) -> Self {
        let mut index = Self::default();
        for track in tracks {
            index.put(track);
        }
        index
    }

    /// Adds the track, or brings what is known of it up to date.
    pub fn put(&mut self, track: &Track) {
        self.remove(track.id);
        let path = self.names.of(track.path.as_path());
        self.by_path.insert(path, track.id);
        let files = track.sources.iter().filter_map(|it| it.file.as_ref());
        let copies: Vec<PathName> = files
            .filter(|file| **file != track.path)
            .map(|file| self.names.of(file.as_path()))
            .collect();
        for copy in &copies {
            self.by_copy.insert(*copy, track.id);
        }
        if let Some(hash) = track.hash {
            self.by_hash.insert((hash, track.id));
            self.by_bytes.insert((track.stamp.bytes, track.id));
        }
        self.tracks.insert(
            track.id,
            Entry {
                path,
                copies,
                stamp: track.stamp,
                hash: track.hash,
                missing: track.missing,
            },
        );
    }

    pub fn remove(&mut self, id: TrackId) {
        let Some(entry) = self.tracks.remove(&id) else {
            return;
        };
        // Another track may have taken the path over.
        if self.by_path.get(&entry.path) == Some(&id) {
            self.by_path.remove(&entry.path);
        }
        for copy in entry.copies {
            if self.by_copy.get(&copy) == Some(&id) {
                self.by_copy.remove(&copy);
            }
        }
        if let Some(hash) = entry.hash {
            self.by_hash.remove(&(hash, id));
            self.by_bytes.remove(&(entry.stamp.bytes, id));
        }
    }

    pub fn at_path(&self, path: &Path) -> Option<TrackId> {
        self.by_path.get(&self.names.of(path)).copied()
    }

    /// The track that this file is a copy of, as another library says. One whose own file is not there has no copies.
    fn copied_at(&self, path: &Path) -> Option<TrackId> {
        let id = self.by_copy.get(&self.names.of(path)).copied()?;
        self.tracks
            .get(&id)
            .is_some_and(|entry| !entry.missing)
            .then_some(id)
    }

    /// Tracks with this content, by id.
    pub fn with_hash(&self, hash: &ContentHash) -> impl Iterator<Item = TrackId> {
        let all = (*hash, TrackId(0))..=(*hash, TrackId(u64::MAX));
        self.by_hash.range(all).map(|(_, id)| *id)
    }

    /// Tracks of known content whose file has this size, by id. Only those can be found again by content.
    pub fn hashed_with_bytes(&self, bytes: u64) -> impl Iterator<Item = TrackId> {
        let all = (bytes, TrackId(0))..=(bytes, TrackId(u64::MAX));
        self.by_bytes.range(all).map(|(_, id)| *id)
    }

    /// Other tracks with the same content as `id`, by id.
    pub fn duplicates(&self, id: TrackId) -> Vec<TrackId> {
        let Some(hash) = self.tracks.get(&id).and_then(|entry| entry.hash) else {
            return Vec::new();
        };
        self.with_hash(&hash).filter(|other| *other != id).collect()
    }
}

/// What `candidate` is, by its path, size and time alone.
pub fn decide(index: &Index, candidate: &Candidate) -> Decision {
    let known = index
        .at_path(&candidate.path)
        .and_then(|id| Some((id, index.tracks.get(&id)?)));
    match known {
        None => index
            .copied_at(&candidate.path)
            .map_or(Decision::New, Decision::Copy),
        Some((id, entry)) if entry.stamp != candidate.stamp => Decision::Changed(id),
        Some((id, entry)) if entry.missing => Decision::Returned(id),
        Some((id, _)) => Decision::Unchanged(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::{FilePath, Tags};

    fn track(id: u64, path: &str, hash: Option<u8>) -> Track {
        Track {
            id: TrackId(id),
            path: FilePath(path.into()),
            root: FilePath("/m".into()),
            stamp: FileStamp {
                bytes: 10,
                modified_ns: 1,
            },
            tags: Tags::default(),
            format: None,
            hash: hash.map(|hash| ContentHash([hash; 32])),
            added: "2026-01-02T03:04:05Z".parse().unwrap(),
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: crate::track::TagFields::default(),
        }
    }

    fn candidate(path: &str, modified_ns: i64) -> Candidate {
        Candidate {
            path: path.into(),
            stamp: FileStamp {
                bytes: 10,
                modified_ns,
            },
        }
    }

    #[test]
    fn files_are_decided_by_path_size_and_time() {
        let mut gone = track(2, "/m/b", None);
        gone.missing = true;
        let index = Index::new(&[track(1, "/m/a", None), gone]);
        for (path, modified_ns, decision) in [
            ("/m/a", 1, Decision::Unchanged(TrackId(1))),
            ("/m/a", 2, Decision::Changed(TrackId(1))),
            ("/m/b", 1, Decision::Returned(TrackId(2))),
            ("/m/b", 2, Decision::Changed(TrackId(2))),
            ("/m/c", 1, Decision::New),
        ] {
            assert_eq!(
                decide(&index, &candidate(path, modified_ns)),
                decision,
                "{path}"
            );
        }
    }

    #[test]
    fn the_index_follows_every_change() {
        let mut index = Index::new(&[track(1, "/m/a", Some(7)), track(2, "/m/b", Some(7))]);
        assert_eq!(index.duplicates(TrackId(1)), [TrackId(2)]);
        index.put(&track(1, "/m/c", Some(8)));
        assert_eq!(index.at_path(Path::new("/m/a")), None);
        assert_eq!(index.at_path(Path::new("/m/c")), Some(TrackId(1)));
        assert_eq!(index.duplicates(TrackId(2)), []);
        // A moved track takes over the path of the one that was found there.
        index.put(&track(2, "/m/c", Some(7)));
        index.remove(TrackId(1));
        assert_eq!(index.at_path(Path::new("/m/c")), Some(TrackId(2)));
        assert_eq!(
            index.hashed_with_bytes(10).collect::<Vec<_>>(),
            [TrackId(2)]
        );
        assert_eq!(index.with_hash(&ContentHash([8; 32])).count(), 0);
    }
}
