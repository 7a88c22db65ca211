//! The published state: immutable, cheap to clone, all that a window or a command line may know.

use crate::artifact::Artifact;
use crate::audio::LiveColumns;
use crate::control::Control;
use crate::core_loop::event::Tally;
use crate::failure::Failure;
use crate::row::Row;
use crate::track::TrackId;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Rows of one chunk are shared between views until one of them changes.
const CHUNK: usize = 512;

/// All rows of the library in the order in which they came. Cloning copies one pointer per 512 rows.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    chunks: Vec<Arc<Vec<Arc<Row>>>>,
    places: Arc<HashMap<TrackId, usize>>,
}

impl Rows {
    pub fn new(rows: Vec<Row>) -> Self {
        let rows: Vec<Arc<Row>> = rows.into_iter().map(Arc::new).collect();
        Self::of(&rows)
    }

    fn of(rows: &[Arc<Row>]) -> Self {
        let places = rows
            .iter()
            .enumerate()
            .map(|(at, row)| (row.track.id, at))
            .collect();
        Self {
            chunks: rows
                .chunks(CHUNK)
                .map(|chunk| Arc::new(chunk.to_vec()))
                .collect(),
            places: Arc::new(places),
        }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn get(&self, id: TrackId) -> Option<&Arc<Row>> {
        let at = *self.places.get(&id)?;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// Whether nothing has changed between the two, as far as can be told at the price of one look per 512 rows:
    /// `true` is certain.
    pub fn is_same(&self, other: &Self) -> bool {
        self.chunks.len() == other.chunks.len()
            && self
                .chunks
                .iter()
                .zip(&other.chunks)
                .all(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// The rows as they are shared between views: a chunk that is the same pointer has not changed.
    pub fn chunks(&self) -> impl Iterator<Item = &Arc<Vec<Arc<Row>>>> {
        self.chunks.iter()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Puts a row in the place of the one with the same id, or at the end.
    pub(crate) fn put(&mut self, row: Row) {
        let row = Arc::new(row);
        if let Some(&at) = self.places.get(&row.track.id) {
            if let Some(chunk) = self.chunks.get_mut(at / CHUNK) {
                Arc::make_mut(chunk)[at % CHUNK] = row;
            }
            return;
        }
        let at = self.len();
        Arc::make_mut(&mut self.places).insert(row.track.id, at);
        if at.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::default());
        }
        if let Some(last) = self.chunks.last_mut() {
            Arc::make_mut(last).push(row);
        }
    }

    /// Takes rows out and gives them, in their order. As slow as the library is long, however many they are.
    pub(crate) fn remove_all(&mut self, ids: &HashSet<TrackId>) -> Vec<Arc<Row>> {
        let (gone, rest): (Vec<Arc<Row>>, Vec<Arc<Row>>) = self
            .iter()
            .cloned()
            .partition(|row| ids.contains(&row.track.id));
        if !gone.is_empty() {
            *self = Self::of(&rest);
        }
        gone
    }
}

/// An import under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportProgress {
    pub tally: Tally,
}

/// A job under way.
#[derive(Debug, Clone)]
pub struct RunningJob {
    pub track: TrackId,
    pub wants: BTreeSet<Artifact>,
    /// Asked for progress when drawn.
    pub control: Control,
    /// The waveform as far as it is, when it is being made.
    pub live: Option<LiveColumns>,
}

/// What goes on in the background.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    pub import: Option<ImportProgress>,
    /// Tracks waiting for their turn.
    pub queued: usize,
    pub running: Vec<RunningJob>,
    /// Tracks finished since the queue was last empty, and those of them with a failure.
    pub finished: u64,
    pub failed: u64,
    pub paused: bool,
    /// Why the library cannot be written, when it cannot.
    pub storage_trouble: Option<Failure>,
}

impl Activity {
    pub fn is_idle(&self) -> bool {
        self.import.is_none() && self.running.is_empty() && (self.queued == 0 || self.paused)
    }
}

/// Everything there is to show, at one moment.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub rows: Rows,
    pub activity: Activity,
    /// What undo would take back, in words ("half tempo of Night Ferry"); `None`: nothing.
    pub undo: Option<Arc<str>>,
    pub redo: Option<Arc<str>>,
}
