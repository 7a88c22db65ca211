//! The tracks of the library as the loop knows them: rows to publish, and the index that finds them again.

use crate::artifact::{Artifact, ArtifactRecord, Engine};
use crate::core_loop::input::Twin;
use crate::core_loop::view::Rows;
use crate::edits::ShortByHand;
use crate::failure::FailureKind;
use crate::findings::Knowledge;
use crate::import::dedupe::Index;
use crate::jobs::plan::{self, Models, Recipes};
use crate::query;
use crate::row::Row;
use crate::store::Loaded;
use crate::track::{ContentHash, FilePath, FileStamp, Track, TrackId};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Tracks of one size that a new file is compared with, and tracks of one content that name each other. More than
/// anybody has of one sound; thousands of equal files must not cost their square.
const MOST_TWINS: usize = 32;
/// Rows that are made at once when a library is opened: what it takes beside them is gone before the next.
const AT_ONCE: usize = 8_192;

#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) rows: Rows,
    pub(crate) index: Index,
    recipes: Recipes,
    /// What models could make now.
    models: Models,
    running: HashMap<TrackId, BTreeSet<Artifact>>,
    /// Tracks that the user changed by hand.
    beneath: HashMap<TrackId, Beneath>,
    /// The number that the last row made has.
    revision: u64,
}

/// A track as it was read, with what is known of it.
type Described = (Box<Track>, Box<Knowledge>);

/// What rows do not tell of a track that was changed by hand.
#[derive(Debug, Clone)]
pub(crate) struct Beneath {
    pub(crate) hand: ShortByHand,
    /// What is known without the hand.
    pub(crate) found: Knowledge,
}

/// A track that was taken out, with all that it takes to put it back.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    pub(crate) row: Arc<Row>,
    beneath: Option<Beneath>,
}

impl Catalog {
    /// `revision`: the last that rows of an earlier reading had.
    pub(crate) fn new(
        loaded: Loaded,
        (recipes, models): (Recipes, Models),
        revision: u64,
        now: Timestamp,
    ) -> Self {
        let Loaded {
            mut tracks,
            mut knowledge,
            by_hand,
            ..
        } = loaded;
        tracks.sort_by(|a, b| (a.added, &a.path).cmp(&(b.added, &b.path)));
        let mut catalog = Self {
            rows: Rows::default(),
            index: Index::new(tracks.iter().map(|track| &**track)),
            recipes,
            models,
            running: HashMap::new(),
            beneath: HashMap::new(),
            revision: revision + 1,
        };
        for track in &tracks {
            if let Some(hand) = by_hand.get(&track.id) {
                let (hand, found) = (*hand, knowledge.get(&track.id).cloned());
                let found = *found.unwrap_or_default();
                catalog.beneath.insert(track.id, Beneath { hand, found });
            }
        }
        let mut rows = Vec::with_capacity(tracks.len());
        let mut tracks = tracks.into_iter();
        loop {
            let batch: Vec<Described> = tracks
                .by_ref()
                .take(AT_ONCE)
                .map(|track| {
                    let known = knowledge.remove(&track.id).unwrap_or_default();
                    (track, known)
                })
                .collect();
            if batch.is_empty() {
                break;
            }
            rows.extend(catalog.all_rows(batch, now));
        }
        catalog.rows = Rows::of(&rows);
        catalog
    }

    /// Rows for many tracks, made on all cores.
    fn all_rows(&self, mut described: Vec<Described>, now: Timestamp) -> Vec<Arc<Row>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = described.len().div_ceil(cores).max(1);
        let mut parts = Vec::new();
        while !described.is_empty() {
            let rest = described.split_off(share.min(described.len()));
            parts.push(std::mem::replace(&mut described, rest));
        }
        let rows_of = |part: Vec<Described>| -> Vec<Arc<Row>> {
            part.into_iter()
                .map(|(track, known)| Arc::new(self.row(track, known, self.revision, now)))
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

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// What analysis knows of a track: what the row shows, without the user's hand.
    pub(crate) fn found(&self, id: TrackId) -> Option<Knowledge> {
        let row = self.get(id)?;
        let beneath = self.beneath.get(&id).map(|beneath| &beneath.found);
        Some(beneath.unwrap_or(&*row.knowledge).clone())
    }

    pub(crate) fn is_by_hand(&self, id: TrackId) -> bool {
        self.beneath.contains_key(&id)
    }

    /// What the user set by hand is this from now on.
    pub(crate) fn put_by_hand(&mut self, id: TrackId, hand: ShortByHand, now: Timestamp) {
        let Some(found) = self.found(id) else { return };
        if hand.is_empty() {
            self.beneath.remove(&id);
        } else {
            let found = found.clone();
            self.beneath.insert(id, Beneath { hand, found });
        }
        self.put_knowledge(id, found, now);
    }

    pub(crate) fn track(&self, id: TrackId) -> Option<Track> {
        self.rows.get(id).map(|row| Track::clone(&row.track))
    }

    pub(crate) fn recipe(&self, artifact: Artifact) -> Option<&crate::artifact::Recipe> {
        self.recipes.get(&artifact)
    }

    /// What models could make from now on. Rows for which that may change something are made anew.
    pub(crate) fn set_models(&mut self, models: Models, now: Timestamp) {
        let all = models.beats_follow != self.models.beats_follow;
        self.models = models;
        let touched: Vec<TrackId> = self
            .rows
            .iter()
            .filter(|row| {
                let knowledge = &row.knowledge;
                all || knowledge.engine == Engine::Neural || knowledge.stems_asked
            })
            .map(|row| row.track.id)
            .collect();
        for id in touched {
            if let Some(found) = self.found(id) {
                self.put_knowledge(id, found, now);
            }
        }
    }

    pub(crate) fn models(&self) -> &Models {
        &self.models
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
        let found = self.found(track.id).unwrap_or_default();
        let known = self.rows.get(track.id).map(|row| &*row.track);
        let before = known.and_then(|known| known.hash);
        self.index.put(known, &track);
        let after = track.hash;
        self.put_row(track, found, now);
        if before != after {
            for hash in [before, after].into_iter().flatten() {
                self.refresh_duplicates(hash, now);
            }
        }
    }

    /// Takes in what analysis knows of a track now.
    pub(crate) fn put_knowledge(&mut self, id: TrackId, found: Knowledge, now: Timestamp) {
        if let Some(track) = self.track(id) {
            if let Some(beneath) = self.beneath.get_mut(&id) {
                beneath.found = found.clone();
            }
            self.put_row(track, found, now);
        }
    }

    fn put_row(&mut self, track: Track, found: Knowledge, now: Timestamp) {
        self.revision += 1;
        let row = self.row(Box::new(track), Box::new(found), self.revision, now);
        self.rows.put(row);
    }

    pub(crate) fn remove(&mut self, id: TrackId, now: Timestamp) {
        self.remove_all(&[id], now);
    }

    /// Takes tracks out; gives those that were there, in the order of the library.
    pub(crate) fn remove_all(&mut self, ids: &[TrackId], now: Timestamp) -> Vec<Aside> {
        let gone = self.rows.remove_all(&ids.iter().copied().collect());
        let mut asides = Vec::with_capacity(gone.len());
        for row in gone {
            let id = row.track.id;
            self.index.remove(&row.track);
            self.running.remove(&id);
            let beneath = self.beneath.remove(&id);
            asides.push(Aside { row, beneath });
        }
        let hashes: BTreeSet<ContentHash> = asides
            .iter()
            .filter_map(|aside| aside.row.track.hash)
            .collect();
        for hash in hashes {
            self.refresh_duplicates(hash, now);
        }
        asides
    }

    /// Takes a track in again, as it was when it was taken out.
    pub(crate) fn put_back(&mut self, aside: Aside, now: Timestamp) {
        let Aside { row, beneath } = aside;
        let id = row.track.id;
        let found = match beneath {
            Some(beneath) => {
                let found = beneath.found.clone();
                self.beneath.insert(id, beneath);
                found
            }
            None => Knowledge::clone(&row.knowledge),
        };
        self.index.put(None, &row.track);
        let hash = row.track.hash;
        self.put_row(Track::clone(&row.track), found, now);
        if let Some(hash) = hash {
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
        if let Some(found) = self.found(id) {
            self.put_knowledge(id, found, now);
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
            .filter_map(|id| self.get(id))
            .filter(|row| row.track.hash == Some(*hash))
            .take(3)
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
            && (here.track.root == gone.track.root
                || is_below(&here.track.path, gone.track.root.as_path()));
        is_move.then(|| (Track::clone(&gone.track), Track::clone(&here.track)))
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
            if let Some(found) = self.found(id) {
                self.put_knowledge(id, found, now);
            }
        }
    }

    fn row(&self, track: Box<Track>, found: Box<Knowledge>, revision: u64, now: Timestamp) -> Row {
        let knowledge = match self.beneath.get(&track.id) {
            Some(beneath) => Box::new(found.under_hand(&beneath.hand, track.stamp)),
            None => found,
        };
        let mut due = plan::due(&track, &knowledge, &self.recipes, now);
        due.extend(plan::finer(
            (&track, &knowledge),
            &self.models,
            (&|_| true, plan::Redo::Nothing),
            now,
        ));
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
            revision,
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
    let is_sound = |record: &ArtifactRecord| {
        let failure = record.failure.as_ref();
        failure.is_none_or(|failure| failure.kind != FailureKind::Missing)
    };
    // Nobody could make the stems that were asked for.
    if knowledge
        .records
        .get(&Artifact::Stems)
        .is_some_and(|it| !is_sound(it))
    {
        knowledge.stems_asked |= knowledge.stems_asked_at.is_some();
    }
    for records in [&mut knowledge.records, &mut knowledge.tried] {
        // A failure because the file was not there says nothing any more.
        records.retain(|_, record| is_sound(record));
        for record in records.values_mut() {
            if record.made_from == track.stamp {
                record.made_from = stamp;
            }
        }
    }
    let root = if is_below(&to, track.root.as_path()) {
        track.root.clone()
    } else {
        let folder = to.as_path().parent().unwrap_or(to.as_path());
        folder.to_path_buf().into()
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

fn is_below(path: &FilePath, folder: &Path) -> bool {
    path.as_path().starts_with(folder)
}
