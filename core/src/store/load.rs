//! Everything that the program keeps in memory, read at the start on all cores.

use super::choices::{self, Choices};
use super::database::Handle;
use super::deck_names::{self, DeckNames};
use super::error::{StoreError, Trouble};
use super::records::{HandRecord, Record};
use super::tables::{self, ByTrack};
use crate::edits::ShortByHand;
use crate::findings::Knowledge;
use crate::track::{Track, TrackId};
use redb::ReadTransaction;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::thread;

/// More threads than this wait for the disk rather than decode.
const MOST_THREADS: usize = 8;

/// A record that is there but cannot be read. It stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// `None`: not about one track.
    pub track: Option<TrackId>,
    /// What it held: `description`, `analysis summary`, `beats` …
    pub what: &'static str,
    pub reason: String,
}

impl BadRecord {
    /// What the record that a track is made of holds: without it the track is not there.
    pub const OF_A_TRACK: &'static str = Track::WHAT;
}

/// The library as it stood when it was opened.
#[derive(Debug, Default)]
pub struct Loaded {
    /// By ascending id. Rows take them over as they are: in one piece they would be tens of megabytes for a moment, which
    /// allocators do not give back.
    pub tracks: Vec<Box<Track>>,
    /// No entry: nothing is known.
    pub knowledge: HashMap<TrackId, Box<Knowledge>>,
    /// What the user set by hand. No entry: nothing.
    pub by_hand: HashMap<TrackId, ShortByHand>,
    /// What decks are called.
    pub deck_names: DeckNames,
    /// What the user chose about the library.
    pub choices: Choices,
    /// Records that could not be read. The library works without them.
    pub unreadable: Vec<BadRecord>,
}

/// What one thread read of its part of the ids.
#[derive(Default)]
struct Part {
    #[expect(clippy::vec_box, reason = "see `Loaded`")]
    tracks: Vec<Box<Track>>,
    knowledge: Vec<(TrackId, Box<Knowledge>)>,
    by_hand: Vec<(TrackId, ShortByHand)>,
    unreadable: Vec<BadRecord>,
}

pub(super) fn load(handle: &Handle) -> Result<Loaded, StoreError> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_THREADS);
    let parts = thread::scope(|scope| {
        let running: Vec<_> = id_ranges(threads)
            .map(|ids| {
                thread::Builder::new()
                    .name("load library".to_owned())
                    .spawn_scoped(scope, move || handle.read(|read| load_part(read, ids)))
            })
            .collect();
        running
            .into_iter()
            .map(|spawned| {
                let thread = spawned.map_err(|error| StoreError::io(error, handle.path()))?;
                thread.join().unwrap_or_else(|payload| {
                    Err(Trouble::from_panic(&*payload).about(handle.path(), || None))
                })
            })
            .collect::<Result<Vec<Part>, StoreError>>()
    })?;
    let mut loaded = Loaded {
        deck_names: deck_names::load(handle)?,
        choices: choices::load(handle)?,
        ..Loaded::default()
    };
    for part in parts {
        loaded.tracks.extend(part.tracks);
        loaded.knowledge.extend(part.knowledge);
        loaded.by_hand.extend(part.by_hand);
        loaded.unreadable.extend(part.unreadable);
    }
    Ok(loaded)
}

/// All ids, cut into `count` stretches of the same width.
fn id_ranges(count: usize) -> impl Iterator<Item = RangeInclusive<u64>> {
    let count = count as u64;
    let width = u64::MAX / count;
    (0..count).map(move |part| {
        let last = if part + 1 == count {
            u64::MAX
        } else {
            (part + 1) * width - 1
        };
        part * width..=last
    })
}

fn load_part(read: &ReadTransaction, ids: RangeInclusive<u64>) -> Result<Part, Trouble> {
    let mut part = Part::default();
    let Part {
        tracks,
        knowledge,
        by_hand,
        unreadable,
    } = &mut part;
    each(
        read,
        tables::TRACKS,
        ids.clone(),
        |id, result| match result {
            Ok(track) => tracks.push(Box::new(Track { id, ..track })),
            Err(bad) => unreadable.push(bad),
        },
    )?;
    each(
        read,
        tables::KNOWLEDGE,
        ids.clone(),
        |id, result| match result {
            Ok(known) => knowledge.push((id, Box::new(known))),
            Err(bad) => unreadable.push(bad),
        },
    )?;
    each(
        read,
        tables::BY_HAND,
        ids,
        |id, result: Result<HandRecord, _>| match result {
            Ok(hand) => by_hand.push((id, hand.short())),
            Err(bad) => unreadable.push(bad),
        },
    )?;
    Ok(part)
}

/// Decodes the records of `table` within `ids`, in their order.
pub(super) fn each<T: Record>(
    read: &ReadTransaction,
    table: ByTrack,
    ids: RangeInclusive<u64>,
    mut sink: impl FnMut(TrackId, Result<T, BadRecord>),
) -> Result<(), Trouble> {
    for entry in read.open_table(table)?.range(ids)? {
        let (id, bytes) = entry?;
        let id = TrackId(id.value());
        sink(
            id,
            T::from_bytes(bytes.value()).map_err(|error| BadRecord {
                track: Some(id),
                what: T::WHAT,
                reason: error.to_string(),
            }),
        );
    }
    Ok(())
}
