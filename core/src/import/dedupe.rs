//! What is a file that was found: new, known, changed, moved, or another copy? Pure.

use crate::track::{ContentHash, FilePath, FileStamp, Track, TrackId};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

/// Finds tracks by path, content and size. Kept up to date by whoever owns the tracks.
///
/// Nothing of a track is kept twice: paths are known by names of 128 bits, which no two paths share, content by as
/// many bits of its hash, and the rest is looked up in the track itself.
#[derive(Debug, Clone, Default)]
pub struct Index {
    by_path: HashMap<PathName, TrackId>,
    /// Files of other libraries that are copies of a track's.
    by_copy: HashMap<PathName, TrackId>,
    by_hash: BTreeSet<(HashStart, TrackId)>,
    /// Of tracks of known content.
    by_bytes: BTreeSet<(u64, TrackId)>,
    names: Names,
}

/// The first half of a content hash: no two files share it by chance.
type HashStart = [u8; 16];

fn start_of(hash: &ContentHash) -> HashStart {
    std::array::from_fn(|at| hash.0[at])
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
            index.put(None, track);
        }
        index
    }

    /// Adds the track; `before` is how it was put last.
    pub fn put(&mut self, before: Option<&Track>, track: &Track) {
        if let Some(before) = before {
            self.remove(before);
        }
        let path = self.names.of(track.path.as_path());
        self.by_path.insert(path, track.id);
        for copy in copies(track) {
            self.by_copy.insert(self.names.of(copy), track.id);
        }
        if let Some(hash) = &track.hash {
            self.by_hash.insert((start_of(hash), track.id));
            self.by_bytes.insert((track.stamp.bytes, track.id));
        }
    }

    /// Takes the track out, which is as it was put last.
    pub fn remove(&mut self, track: &Track) {
        let id = track.id;
        // Another track may have taken the path over.
        let path = self.names.of(track.path.as_path());
        if self.by_path.get(&path) == Some(&id) {
            self.by_path.remove(&path);
        }
        for copy in copies(track) {
            let copy = self.names.of(copy);
            if self.by_copy.get(&copy) == Some(&id) {
                self.by_copy.remove(&copy);
            }
        }
        if let Some(hash) = &track.hash {
            self.by_hash.remove(&(start_of(hash), id));
            self.by_bytes.remove(&(track.stamp.bytes, id));
        }
    }

    pub fn at_path(&self, path: &Path) -> Option<TrackId> {
        self.by_path.get(&self.names.of(path)).copied()
    }

    /// The track that this file is a copy of, as another library says.
    fn copied_at(&self, path: &Path) -> Option<TrackId> {
        self.by_copy.get(&self.names.of(path)).copied()
    }

    /// Tracks whose content has a hash that begins like this one, by id. Its 128 bits are proof enough to show copies;
    /// whoever moves a track for it compares the rest.
    pub fn with_hash(&self, hash: &ContentHash) -> impl Iterator<Item = TrackId> {
        let start = start_of(hash);
        let all = (start, TrackId(0))..=(start, TrackId(u64::MAX));
        self.by_hash.range(all).map(|(_, id)| *id)
    }

    /// Tracks of known content whose file has this size, by id. Only those can be found again by content.
    pub fn hashed_with_bytes(&self, bytes: u64) -> impl Iterator<Item = TrackId> {
        let all = (bytes, TrackId(0))..=(bytes, TrackId(u64::MAX));
        self.by_bytes.range(all).map(|(_, id)| *id)
    }
}

/// Files of other libraries that are copies of the track's own.
fn copies(track: &Track) -> impl Iterator<Item = &Path> {
    let files = track.sources.iter().filter_map(|it| it.file.as_ref());
    files
        .filter(|file| **file != track.path)
        .map(FilePath::as_path)
}

/// What `candidate` is, by its path, size and time alone. `track_of`: the tracks that the index was made of.
pub fn decide<'a>(
    index: &Index,
    track_of: impl Fn(TrackId) -> Option<&'a Track>,
    candidate: &Candidate,
) -> Decision {
    match index.at_path(&candidate.path).and_then(&track_of) {
        None => index
            .copied_at(&candidate.path)
            .and_then(track_of)
            // One whose own file is not there has no copies.
            .filter(|track| !track.missing)
            .map_or(Decision::New, |track| Decision::Copy(track.id)),
        Some(track) if track.stamp != candidate.stamp => Decision::Changed(track.id),
        Some(track) if track.missing => Decision::Returned(track.id),
        Some(track) => Decision::Unchanged(track.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::Tags;

    fn track(id: u64, path: &str, hash: Option<u8>) -> Track {
        Track {
            id: TrackId(id),
            path: FilePath(path.into()),
            root: "/m".into(),
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
        let tracks = [track(1, "/m/a", None), gone];
        let index = Index::new(&tracks);
        let track_of = |id| tracks.iter().find(|track| track.id == id);
        for (path, modified_ns, decision) in [
            ("/m/a", 1, Decision::Unchanged(TrackId(1))),
            ("/m/a", 2, Decision::Changed(TrackId(1))),
            ("/m/b", 1, Decision::Returned(TrackId(2))),
            ("/m/b", 2, Decision::Changed(TrackId(2))),
            ("/m/c", 1, Decision::New),
        ] {
            assert_eq!(
                decide(&index, track_of, &candidate(path, modified_ns)),
                decision,
                "{path}"
            );
        }
    }

    #[test]
    fn the_index_follows_every_change() {
        let [one, two] = [track(1, "/m/a", Some(7)), track(2, "/m/b", Some(7))];
        let mut index = Index::new([&one, &two]);
        let with_hash = |index: &Index, hash| -> Vec<TrackId> {
            index.with_hash(&ContentHash([hash; 32])).collect()
        };
        assert_eq!(with_hash(&index, 7), [TrackId(1), TrackId(2)]);
        let moved = track(1, "/m/c", Some(8));
        index.put(Some(&one), &moved);
        assert_eq!(index.at_path(Path::new("/m/a")), None);
        assert_eq!(index.at_path(Path::new("/m/c")), Some(TrackId(1)));
        assert_eq!(with_hash(&index, 7), [TrackId(2)]);
        // A moved track takes over the path of the one that was found there.
        index.put(Some(&two), &track(2, "/m/c", Some(7)));
        index.remove(&moved);
        assert_eq!(index.at_path(Path::new("/m/c")), Some(TrackId(2)));
        assert_eq!(
            index.hashed_with_bytes(10).collect::<Vec<_>>(),
            [TrackId(2)]
        );
        assert_eq!(with_hash(&index, 8), []);
    }
}
