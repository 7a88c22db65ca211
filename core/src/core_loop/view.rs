//! The published state: immutable, cheap to clone, all that a window or a command line may know.

use crate::artifact::Artifact;
use crate::audio::LiveColumns;
use crate::control::Control;
use crate::core_loop::by_source::BySource;
use crate::core_loop::command::Extent;
use crate::core_loop::event::Tally;
use crate::failure::Failure;
use crate::row::Row;
use crate::stems::room::StemRoom;
use crate::track::{SourceId, TrackId};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Rows of one chunk are shared between views until one of them changes.
const CHUNK: usize = 512;

/// All rows of the library in the order in which they came. Cloning copies one pointer per 512 rows.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    chunks: Vec<Arc<Vec<Arc<Row>>>>,
    places: Places,
    by_source: BySource,
}

/// Places are shared between views in this many parts, by the last digits of the ids: a row that comes in costs a
/// copy of one part, not of all.
const PARTS: usize = 1024;

/// Where each row is.
#[derive(Debug, Clone)]
struct Places {
    len: usize,
    parts: Arc<Vec<Arc<Part>>>,
}

/// Ascending by id.
type Part = Vec<(TrackId, u32)>;

impl Default for Places {
    fn default() -> Self {
        let part = Arc::default();
        Self {
            len: 0,
            parts: Arc::new(vec![part; PARTS]),
        }
    }
}

impl Places {
    fn of(rows: &[Arc<Row>]) -> Self {
        let mut parts: Vec<Part> = vec![Part::new(); PARTS];
        for (at, row) in rows.iter().enumerate() {
            let id = row.track.id;
            if let Some(part) = parts.get_mut(Self::part_of(id)) {
                part.push((id, at as u32));
            }
        }
        for part in &mut parts {
            part.sort_unstable();
            part.shrink_to_fit();
        }
        Self {
            len: rows.len(),
            parts: Arc::new(parts.into_iter().map(Arc::new).collect()),
        }
    }

    fn part_of(id: TrackId) -> usize {
        (id.0 % PARTS as u64) as usize
    }

    fn get(&self, id: TrackId) -> Option<usize> {
        let part = self.parts.get(Self::part_of(id))?;
        let at = part.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        part.get(at).map(|(_, place)| *place as usize)
    }

    /// Takes in an id that is not there yet.
    fn insert(&mut self, id: TrackId, place: usize) {
        if let Some(part) = Arc::make_mut(&mut self.parts).get_mut(Self::part_of(id)) {
            let part = Arc::make_mut(part);
            let at = part.partition_point(|(known, _)| *known < id);
            part.insert(at, (id, place as u32));
            self.len += 1;
        }
    }
}

impl Rows {
    pub fn new(rows: Vec<Row>) -> Self {
        let rows: Vec<Arc<Row>> = rows.into_iter().map(Arc::new).collect();
        Self::of(&rows)
    }

    pub(crate) fn of(rows: &[Arc<Row>]) -> Self {
        let places = Places::of(rows);
        let mut by_source = BySource::default();
        for row in rows {
            by_source.put(row.track.id, &row.track.sources);
        }
        Self {
            chunks: rows
                .chunks(CHUNK)
                .map(|chunk| Arc::new(chunk.to_vec()))
                .collect(),
            places,
            by_source,
        }
    }

    pub fn len(&self) -> usize {
        self.places.len
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, id: TrackId) -> Option<&Arc<Row>> {
        let at = self.places.get(id)?;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// The track that came from `id` first, else one that a library calls so.
    pub fn with_source(&self, id: &SourceId) -> Option<&Arc<Row>> {
        let rows = || self.by_source.named(id).filter_map(|track| self.get(track));
        rows()
            .find(|row| row.track.sources.iter().any(|source| source.id == *id))
            .or_else(|| rows().find(|row| row.track.sources.iter().any(|it| it.is_called(id))))
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
        let id = row.track.id;
        if let Some(at) = self.places.get(id) {
            if let Some(chunk) = self.chunks.get_mut(at / CHUNK) {
                let place = &mut Arc::make_mut(chunk)[at % CHUNK];
                if place.track.sources != row.track.sources {
                    self.by_source.remove(id, &place.track.sources);
                    self.by_source.put(id, &row.track.sources);
                }
                *place = row;
            }
            return;
        }
        self.by_source.put(id, &row.track.sources);
        let at = self.len();
        self.places.insert(id, at);
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
    /// Files that it will have met at its end; `None` before they have been counted.
    pub expected: Option<u64>,
}

/// A job under way.
#[derive(Debug, Clone)]
pub struct RunningJob {
    pub track: TrackId,
    pub wants: BTreeSet<Artifact>,
    /// Those of them that models make, one after the other: beats, stems, then chords and key.
    pub by_models: BTreeSet<Artifact>,
    /// Asked for progress when drawn.
    pub control: Control,
    /// The waveform as far as it is, when it is being made.
    pub live: Option<LiveColumns>,
}

impl RunningJob {
    /// What is in hand at this moment, and whether a model has it: the built-in analysis makes all of its part at once.
    /// The progress is that of this part.
    pub fn stage(&self) -> (BTreeSet<Artifact>, bool) {
        let stages: [&[Artifact]; 3] = [
            &[Artifact::Beats],
            &[Artifact::Stems],
            &[Artifact::Chords, Artifact::Key],
        ];
        let left = &self.wants & &self.by_models;
        let now = stages.into_iter().find_map(|stage| {
            let stage: BTreeSet<Artifact> = stage.iter().copied().collect();
            let stage = &stage & &left;
            (!stage.is_empty()).then_some(stage)
        });
        match now {
            Some(stage) => (stage, true),
            None => (self.wants.clone(), false),
        }
    }
}

/// Waiting tracks that are told of one by one.
pub const MOST_WAITING: usize = 200;

/// A track that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub track: TrackId,
    /// What is wanted of it, as far as it is not made already.
    pub extent: Extent,
    /// Waits for long work: stems, and whatever models make.
    pub is_long: bool,
    /// The user wants it before all others.
    pub is_first: bool,
    /// Waits for models that cannot work: see [`Activity::lost_models`].
    pub is_held: bool,
}

/// What goes on in the background.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    pub import: Option<ImportProgress>,
    /// Tracks waiting for their turn.
    pub queued: usize,
    /// Tracks that wait for models, beside those.
    pub held: usize,
    /// Why models cannot work that did, or should.
    pub lost_models: Option<Failure>,
    /// The first [`MOST_WAITING`] of all that wait, in their order. A track that waits for quick and for long work comes twice.
    pub waiting: Vec<Waiting>,
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
    /// What the user said is on decks, by network path or identity in an Engine library.
    pub pins: Arc<BTreeMap<String, TrackId>>,
    /// What the stems of all tracks together may take.
    pub stem_room: StemRoom,
    /// Beats by a model follow the drafts of every track.
    pub beats_follow: bool,
}
