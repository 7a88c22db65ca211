//! What is on the shelf: bounded by bytes, what was used longest ago goes first.

use super::sound::Windows;
use super::wishes::{Job, Wishes};
use super::{Art, ArtSize, Loadable, ShelfSource, Stems};
use lru::LruCache;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tonearm_core::artifact::Artifact;
use tonearm_core::export::document::TrackDetails;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::row::Row;
use tonearm_core::track::{ContentHash, FileStamp, TrackId};
use tonearm_core::waveform::{Column, Waveform};

/// A set of three hours, and the tracks around it.
const WAVEFORM_BYTES: usize = 32 << 20;
/// Of five usual tracks.
const STEM_BYTES: usize = 12 << 20;
/// 10,000 rows that were scrolled through.
const PREVIEW_BYTES: usize = 8 << 20;
/// Beats and chords of some hundred tracks: only those on a page or a deck are needed at once.
const DETAILS_BYTES: usize = 8 << 20;
/// A screen of small covers many times over, and some large ones.
const ART_BYTES: usize = 12 << 20;
/// What an entry takes besides what it holds.
const ENTRY_BYTES: usize = 96;

/// What something on the shelf was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// Counts for all: put there by hand.
    Any,
    Row(u64),
    File(FileStamp),
    /// One making of an artifact.
    Making(u64),
}

impl Edition {
    pub(super) fn of_row(row: &Row) -> Self {
        Self::Row(row.revision)
    }

    /// The making that the row's waveform or stems come from: it stays when anything else of the track changes. What it
    /// took to make tells one making from the next of the same file.
    pub(super) fn of_making(row: &Row, artifact: Artifact) -> Self {
        let Some(record) = row.knowledge.records.get(&artifact) else {
            return Self::of_row(row);
        };
        let mut hasher = DefaultHasher::new();
        let stamp = record.made_from;
        record.recipe.hash(&mut hasher);
        (stamp.bytes, stamp.modified_ns).hash(&mut hasher);
        record.cpu_secs.to_bits().hash(&mut hasher);
        (record.failure.is_some(), record.nothing_found).hash(&mut hasher);
        Self::Making(hasher.finish())
    }

    pub(super) fn of_file(row: &Row) -> Self {
        Self::File(row.track.stamp)
    }

    pub(super) fn serves(self, wanted: Self) -> bool {
        self == Self::Any || self == wanted
    }
}

/// Whose a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ArtOf {
    Track(TrackId),
    /// It came from a player; known by its bytes.
    Player(ContentHash),
}

/// So long a failure is remembered that may be gone with the next look: a drive that was away for a moment.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a wish. Remembered, so that nothing is tried over and over.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer<T> {
    Nothing,
    Is(T),
    Failed(Failure),
}

impl<T> Answer<T> {
    /// Until when it counts; `None`: as long as it is kept.
    pub(super) fn counts_until(&self, now: Instant) -> Option<Instant> {
        let Self::Failed(failure) = self else {
            return None;
        };
        let may_pass = match failure.kind {
            FailureKind::Missing
            | FailureKind::Unreadable
            | FailureKind::Storage
            | FailureKind::Timeout => true,
            FailureKind::Unsupported
            | FailureKind::Damaged
            | FailureKind::Empty
            | FailureKind::Bug => false,
        };
        may_pass.then(|| now + PATIENCE)
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Nothing => Answer::Nothing,
            Self::Is(value) => Answer::Is(change(value)),
            Self::Failed(failure) => Answer::Failed(failure),
        }
    }
}

impl<T> From<Result<Option<T>, Failure>> for Answer<T> {
    fn from(result: Result<Option<T>, Failure>) -> Self {
        match result {
            Ok(Some(value)) => Self::Is(value),
            Ok(None) => Self::Nothing,
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// What a look at the shelf shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<T> {
    Nothing,
    Older(T),
    Current(Answer<T>),
}

impl<T> Found<T> {
    /// Without what is older.
    pub(super) fn current(self) -> Self {
        match self {
            Self::Older(_) => Self::Nothing,
            Self::Nothing | Self::Current(_) => self,
        }
    }
}

/// How to come by something that is not there.
#[derive(Debug)]
pub(super) enum Fetch {
    Wish(Job),
    /// There is none.
    Nothing,
    Failed(Failure),
}

/// What counts for a bound in bytes.
pub(super) trait Weight {
    fn bytes(&self) -> usize;
}

impl Weight for Arc<Waveform> {
    fn bytes(&self) -> usize {
        self.levels
            .iter()
            .map(|level| size_of_val(level.as_slice()))
            .sum()
    }
}

impl Weight for Arc<Stems> {
    fn bytes(&self) -> usize {
        self.waveforms.iter().map(Weight::bytes).sum()
    }
}

impl Weight for Arc<[Column]> {
    fn bytes(&self) -> usize {
        size_of_val::<[Column]>(self)
    }
}

impl Weight for Arc<TrackDetails> {
    fn bytes(&self) -> usize {
        let beats = self.beats.as_ref().map_or(0, |beats| {
            size_of_val(beats.beats.as_slice()) + size_of_val(beats.segments.as_slice())
        });
        let key = self
            .key
            .as_ref()
            .map_or(0, |key| size_of_val(key.segments.as_slice()));
        let chords = self
            .chords
            .as_ref()
            .map_or(0, |chords| size_of_val(chords.as_slice()));
        size_of::<TrackDetails>() + beats + key + chords
    }
}

impl Weight for Arc<Art> {
    fn bytes(&self) -> usize {
        self.rgb.len()
    }
}

#[derive(Debug)]
struct Entry<T> {
    edition: Edition,
    answer: Answer<T>,
    until: Option<Instant>,
}

/// Answers of one kind.
#[derive(Debug)]
pub(super) struct Keep<K: Hash + Eq, T> {
    entries: LruCache<K, Entry<T>>,
    bytes: usize,
    most_bytes: usize,
}

impl<K: Hash + Eq, T: Weight + Clone> Keep<K, T> {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            entries: LruCache::unbounded(),
            bytes: 0,
            most_bytes,
        }
    }

    pub(super) fn look(&mut self, key: &K, wanted: Edition) -> Found<T> {
        self.look_at(key, wanted, Instant::now())
    }

    fn look_at(&mut self, key: &K, wanted: Edition, now: Instant) -> Found<T> {
        let Some(entry) = self.entries.get(key) else {
            return Found::Nothing;
        };
        let is_over = entry.until.is_some_and(|until| now >= until);
        match &entry.answer {
            answer if entry.edition.serves(wanted) && !is_over => Found::Current(answer.clone()),
            Answer::Is(value) => Found::Older(value.clone()),
            Answer::Nothing | Answer::Failed(_) => Found::Nothing,
        }
    }

    /// Gives back what had to go, to be dropped when nobody waits for the lock.
    #[must_use]
    pub(super) fn put(&mut self, key: K, edition: Edition, answer: Answer<T>) -> Vec<Answer<T>> {
        self.bytes += weight(&answer);
        let mut gone = Vec::new();
        let entry = Entry {
            edition,
            until: answer.counts_until(Instant::now()),
            answer,
        };
        if let Some(earlier) = self.entries.put(key, entry) {
            self.bytes -= weight(&earlier.answer);
            gone.push(earlier.answer);
        }
        // One always may stay, however large it is.
        while self.bytes > self.most_bytes
            && self.entries.len() > 1
            && let Some((_, oldest)) = self.entries.pop_lru()
        {
            self.bytes -= weight(&oldest.answer);
            gone.push(oldest.answer);
        }
        gone
    }
}

fn weight<T: Weight>(answer: &Answer<T>) -> usize {
    ENTRY_BYTES
        + match answer {
            Answer::Is(value) => value.bytes(),
            Answer::Nothing => 0,
            Answer::Failed(failure) => failure.message.len() + failure.remedy.len(),
        }
}

/// Everything behind the lock.
#[derive(Debug)]
pub(super) struct Shelves {
    pub(super) waveforms: Keep<TrackId, Arc<Waveform>>,
    pub(super) stems: Keep<TrackId, Arc<Stems>>,
    pub(super) previews: Keep<TrackId, Arc<[Column]>>,
    pub(super) details: Keep<TrackId, Arc<TrackDetails>>,
    pub(super) art: Keep<(ArtOf, ArtSize), Arc<Art>>,
    pub(super) samples: Windows,
    pub(super) wishes: Wishes,
    pub(super) source: Option<Arc<dyn ShelfSource>>,
    pub(super) is_closed: bool,
}

impl Default for Shelves {
    fn default() -> Self {
        Self {
            waveforms: Keep::new(WAVEFORM_BYTES),
            stems: Keep::new(STEM_BYTES),
            previews: Keep::new(PREVIEW_BYTES),
            details: Keep::new(DETAILS_BYTES),
            art: Keep::new(ART_BYTES),
            samples: Windows::default(),
            wishes: Wishes::default(),
            source: None,
            is_closed: false,
        }
    }
}

impl Shelves {
    /// What the view is told of what was found; a wish goes out where something newer may be had.
    pub(super) fn answer<T>(
        &mut self,
        found: Found<T>,
        wanted: Edition,
        fetch: impl FnOnce() -> Fetch,
    ) -> Loadable<T> {
        let older = match found {
            Found::Current(Answer::Is(value)) => return Loadable::Ready(value),
            Found::Current(Answer::Nothing) => return Loadable::Absent,
            Found::Current(Answer::Failed(failure)) => return Loadable::Failed(failure),
            Found::Older(value) => Some(value),
            Found::Nothing => None,
        };
        match fetch() {
            Fetch::Nothing => Loadable::Absent,
            Fetch::Failed(failure) => Loadable::Failed(failure),
            Fetch::Wish(job) => {
                let is_coming = self.wishes.add(job, wanted);
                match older {
                    Some(value) => Loadable::Ready(value),
                    None if is_coming => Loadable::Pending,
                    None => Loadable::Absent,
                }
            }
        }
    }
}

/// The shelves with their lock, and the bell for whoever fetches.
#[derive(Debug, Default)]
pub(super) struct Kept {
    shelves: Mutex<Shelves>,
    wished: Condvar,
}

impl Kept {
    /// Holds the lock for `look`, which only looks things up and moves pointers.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Shelves) -> T) -> T {
        let mut shelves = self.lock();
        let result = look(&mut shelves);
        let is_news = shelves.wishes.take_news();
        drop(shelves);
        if is_news {
            self.wished.notify_all();
        }
        result
    }

    pub(super) fn open(&self, source: Arc<dyn ShelfSource>) {
        let earlier = self.with(|shelves| shelves.source.replace(source));
        drop(earlier);
        self.wished.notify_all();
    }

    pub(super) fn close(&self) {
        let earlier = self.with(|shelves| {
            shelves.is_closed = true;
            shelves.wishes.stop();
            shelves.source.take()
        });
        drop(earlier);
        self.wished.notify_all();
    }

    /// Waits until `ready` gives something; `None` when the shelf is closed.
    pub(super) fn wait<T>(&self, mut ready: impl FnMut(&mut Shelves) -> Option<T>) -> Option<T> {
        let mut shelves = self.lock();
        loop {
            if shelves.is_closed {
                return None;
            }
            if let Some(value) = ready(&mut shelves) {
                return Some(value);
            }
            shelves = self
                .wished
                .wait(shelves)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_that_was_away_is_asked_again_and_a_broken_file_is_not() {
        let mut keep: Keep<u8, Arc<[Column]>> = Keep::new(1_000);
        let failed = |kind| Answer::Failed(Failure::new(kind, "it failed", "mend it"));
        drop(keep.put(1, Edition::Any, failed(FailureKind::Missing)));
        drop(keep.put(2, Edition::Any, failed(FailureKind::Damaged)));
        let now = Instant::now();
        for (key, after, is_known) in [
            (1, Duration::ZERO, true),
            (1, 2 * PATIENCE, false),
            (2, 1_000 * PATIENCE, true),
        ] {
            let found = keep.look_at(&key, Edition::Row(1), now + after);
            assert_eq!(found != Found::Nothing, is_known, "{key} {after:?}");
        }
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let mut keep = Keep::new(3 * (ENTRY_BYTES + 60));
        let columns: Arc<[Column]> = vec![Column::default(); 10].into();
        for id in 1..=3 {
            let gone = keep.put(id, Edition::Row(1), Answer::Is(Arc::clone(&columns)));
            assert_eq!(gone, []);
        }
        assert_eq!(
            keep.look(&1, Edition::Row(1)),
            Found::Current(Answer::Is(Arc::clone(&columns)))
        );
        let gone = keep.put(4, Edition::Row(1), Answer::Is(Arc::clone(&columns)));
        assert_eq!(gone.len(), 1);
        assert_eq!(keep.look(&2, Edition::Row(1)), Found::Nothing);
        let gone = keep.put(4, Edition::Row(2), Answer::Nothing);
        assert_eq!(gone.len(), 1);
        assert_eq!(keep.bytes, 2 * (ENTRY_BYTES + 60) + ENTRY_BYTES);
        let whole: Arc<[Column]> = vec![Column::default(); 1_000].into();
        assert_eq!(keep.put(5, Edition::Row(1), Answer::Is(whole)).len(), 3);
        assert_eq!(keep.entries.len(), 1);
    }
}
