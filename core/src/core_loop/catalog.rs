//! The tracks of the library as the loop knows them: rows to publish, and the index that finds them again.

use crate::artifact::{Artifact, ArtifactRecord};
use crate::core_loop::input::Twin;
use crate::core_loop::view::Rows;
use crate::findings::Knowledge;
use crate::import::dedupe::Index;
use crate::jobs::plan::{self, Recipes};
use crate::query;
use crate::row::Row;
use crate::store::Loaded;
use crate::track::{ContentHash, FilePath, FileStamp, Track, TrackId};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Tracks of one size that a new file is compared with, and tracks of one content that name each other. More than
/// anybody has of one sound; thousands of equal files must not cost their square.
const MOST_TWINS: usize = 32;

#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) rows: Rows,
    pub(crate) index: Index,
    recipes: Recipes,
    running: HashMap<TrackId, BTreeSet<Artifact>>,
}

impl Catalog {
    pub(crate) fn new(loaded: Loaded, recipes: Recipes, now: Timestamp) -> Self {
        let Loaded {
            mut tracks,
            mut knowledge,
            ..
        } = loaded;
        tracks.sort_by(|a, b| (a.added, &a.path).cmp(&(b.added, &b.path)));
        let mut catalog = Self {
            rows: Rows::default(),
            index: Index::new(&tracks),
            recipes,
            running: HashMap::new(),
        };
        let described: Vec<(Track, Knowledge)> = tracks
            .into_iter()
            .map(|track| {
                let known = knowledge.remove(&track.id).unwrap_or_default();
                (track, known)
            })
            .collect();
        let rows = catalog.all_rows(described, now);
        catalog.rows = Rows::new(rows);
        catalog
    }

    /// Rows for a whole library, made on all cores.
    fn all_rows(&self, mut described: Vec<(Track, Knowledge)>, now: Timestamp) -> Vec<Row> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = described.len().div_ceil(cores).max(1);
        let mut parts = Vec::new();
        while !described.is_empty() {
            let rest = described.split_off(share.min(described.len()));
            parts.push(std::mem::replace(&mut described, rest));
        }
        let rows_of = |part: Vec<(Track, Knowledge)>| -> Vec<Row> {
            part.into_iter()
                .map(|(track, known)| self.row(track, known, now))
                .collect()
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = parts
                .into_iter()
                .map(|part| scope.spawn(move || rows_of(part)))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| match thread.join() {
                    Ok(rows) => rows,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }

    pub(crate) fn get(&self, id: TrackId) -> Option<&Arc<Row>> {
        self.rows.get(id)
    }

    pub(crate) fn track(&self, id: TrackId) -> Option<Track> {
        self.rows.get(id).map(|row| row.track.clone())
    }

    pub(crate) fn recipe(&self, artifact: Artifact) -> Option<&crate::artifact::Recipe> {
        self.recipes.get(&artifact)
    }

    /// What should be made of a track now.
    pub(crate) fn due(&self, id: TrackId, now: Timestamp) -> BTreeSet<Artifact> {
        self.rows
            .get(id)
            .map(|row| plan::due(&row.track, &row.knowledge, &self.recipes, now))
            .unwrap_or_default()
    }

    /// What should be made of a track that the user named.
    pub(crate) fn due_when_named(&self, id: TrackId, now: Timestamp) -> BTreeSet<Artifact> {
        self.rows
            .get(id)
            .map(|row| plan::due_when_named(&row.track, &row.knowledge, &self.recipes, now))
            .unwrap_or_default()
    }

    /// What a forced run makes of a track.
    pub(crate) fn forced(&self, id: TrackId) -> BTreeSet<Artifact> {
        self.rows
            .get(id)
            .map(|row| plan::forced(&row.track, &row.knowledge, &self.recipes))
            .unwrap_or_default()
    }

    /// Takes a new or changed track in.
    pub(crate) fn put_track(&mut self, track: Track, now: Timestamp) {
        let knowledge = self
            .get(track.id)
            .map(|row| row.knowledge.clone())
            .unwrap_or_default();
        let before = self.get(track.id).and_then(|row| row.track.hash);
        self.index.put(&track);
        let after = track.hash;
        let row = self.row(track, knowledge, now);
        self.rows.put(row);
        if before != after {
            for hash in [before, after].into_iter().flatten() {
                self.refresh_duplicates(hash, now);
            }
        }
    }

    pub(crate) fn put_knowledge(&mut self, id: TrackId, knowledge: Knowledge, now: Timestamp) {
        if let Some(track) = self.track(id) {
            let row = self.row(track, knowledge, now);
            self.rows.put(row);
        }
    }

    pub(crate) fn remove(&mut self, id: TrackId, now: Timestamp) {
        let Some(track) = self.track(id) else { return };
        self.index.remove(id);
        self.rows.remove(id);
        self.running.remove(&id);
        if let Some(hash) = track.hash {
            self.refresh_duplicates(hash, now);
        }
    }

    /// Marks what is being made of a track; empty when nothing is any more.
    pub(crate) fn set_running(
        &mut self,
        id: TrackId,
        artifacts: BTreeSet<Artifact>,
        now: Timestamp,
    ) {
        if artifacts.is_empty() {
            self.running.remove(&id);
        } else {
            self.running.insert(id, artifacts);
        }
        if let Some(row) = self.get(id).cloned() {
            self.put_knowledge(id, row.knowledge.clone(), now);
        }
    }

    /// Tracks of known content and this size; the first few where there are very many.
    pub(crate) fn twins(&self, bytes: u64) -> Vec<Twin> {
        self.index
            .hashed_with_bytes(bytes)
            .take(MOST_TWINS)
            .filter_map(|id| self.get(id))
            .filter_map(|row| {
                Some(Twin {
                    track: row.track.id,
                    path: row.track.path.as_path().to_path_buf(),
                    root: row.track.root.as_path().to_path_buf(),
                    hash: row.track.hash?,
                })
            })
            .collect()
    }

    /// The track that is not there and the newer one of the same folder that has its bytes, when that is
    /// all there is with these bytes: one file, moved.
    ///
    /// The newer one must be a newcomer: a copy that was there before the other went was made on purpose.
    pub(crate) fn moved_pair(
        &self,
        hash: &ContentHash,
        is_newcomer: impl Fn(TrackId) -> bool,
    ) -> Option<(Track, Track)> {
        let same: Vec<&Arc<Row>> = self
            .index
            .with_hash(hash)
            .take(3)
            .filter_map(|id| self.get(id))
            .collect();
        let [one, other] = same.as_slice() else {
            return None;
        };
        let (gone, here) = if one.track.missing {
            (one, other)
        } else {
            (other, one)
        };
        let is_move = gone.track.missing
            && !here.track.missing
            && is_newcomer(here.track.id)
            && here.track.added >= gone.track.added
            && (here.track.root == gone.track.root || is_below(&here.track.path, &gone.track.root));
        is_move.then(|| (gone.track.clone(), here.track.clone()))
    }

    /// Other tracks with these bytes; the first few where there are very many.
    fn some_with(&self, hash: &ContentHash, but: TrackId) -> Vec<TrackId> {
        self.index
            .with_hash(hash)
            .filter(|id| *id != but)
            .take(MOST_TWINS)
            .collect()
    }

    fn refresh_duplicates(&mut self, hash: ContentHash, now: Timestamp) {
        let same: Vec<TrackId> = self.index.with_hash(&hash).take(MOST_TWINS).collect();
        for id in same {
            if let Some(row) = self.get(id).cloned() {
                let fresh = self.row(row.track.clone(), row.knowledge.clone(), now);
                self.rows.put(fresh);
            }
        }
    }

    fn row(&self, track: Track, knowledge: Knowledge, now: Timestamp) -> Row {
        let due = plan::due(&track, &knowledge, &self.recipes, now);
        let nothing = BTreeSet::new();
        let running = self.running.get(&track.id).unwrap_or(&nothing);
        let artifacts = plan::artifact_states(&knowledge, &due, running);
        let duplicates = track
            .hash
            .map(|hash| self.some_with(&hash, track.id))
            .unwrap_or_default();
        Row {
            state: plan::track_state(&track, &artifacts),
            artifacts,
            duplicates,
            revision: 0,
            search_text: query::search_text(&track),
            track,
            knowledge,
        }
    }
}

/// The track at its new place, with everything known of it still counting as made from it: the bytes are
/// the same.
pub(crate) fn moved(
    track: &Track,
    knowledge: &Knowledge,
    to: FilePath,
    stamp: FileStamp,
) -> (Track, Knowledge) {
    let mut knowledge = knowledge.clone();
    for record in knowledge.records.values_mut() {
        if record.made_from == track.stamp {
            record.made_from = stamp;
        }
    }
    // A failure because the file was not there says nothing any more.
    knowledge.records.retain(|_, record: &mut ArtifactRecord| {
        record
            .failure
            .as_ref()
            .is_none_or(|failure| failure.kind != crate::failure::FailureKind::Missing)
    });
    let root = if is_below(&to, &track.root) {
        track.root.clone()
    } else {
        let folder = to.as_path().parent().unwrap_or(to.as_path());
        FilePath(folder.to_path_buf())
    };
    let track = Track {
        path: to,
        root,
        stamp,
        missing: false,
        ..track.clone()
    };
    (track, knowledge)
}

fn is_below(path: &FilePath, folder: &FilePath) -> bool {
    path.as_path().starts_with(folder.as_path())
}
