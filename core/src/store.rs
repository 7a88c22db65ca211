//! Where the library lives on disk: a redb file, waveform files beside it, and backups.
//!
//! The only place that knows redb. `STORE.md` describes what lies in the folder.

mod aside;
mod backup;
mod choices;
mod database;
mod deck_names;
mod error;
mod files;
mod load;
mod lock;
mod migrate;
mod opening;
mod overlay;
mod records;
mod stems;
mod tables;
mod verify;
mod waveforms;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod tests;

pub use backup::{Reason, Restored};
pub use choices::Choices;
pub use deck_names::DeckNames;
pub use error::StoreError;
pub use load::{BadRecord, Loaded};
pub use verify::{FileTrouble, VerifyReport};

use crate::artifact::Artifact;
use crate::beats::Beats;
use crate::control::Control;
use crate::edits::{ByHand, Found};
use crate::findings::{Finding, Knowledge};
use crate::harmony::{ChordSpan, KeyFinding};
use crate::loudness::Loudness;
use crate::stems::{SetKey, Stem, StemSet};
use crate::track::{Track, TrackId};
use crate::waveform::Waveform;
use database::Handle;
use error::Trouble;
use lock::Lock;
use records::{BeatsByHand, HandRecord, Record, RecordError, WaveformFile};
use redb::{ReadableTable as _, TableHandle as _, WriteTransaction};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tables::{BY_TRACK, ByTrack};

/// The library file within the library's folder.
const FILE: &str = "library.redb";
/// Private copies of other programs' databases while they are read.
const SCRATCH: &str = "scratch";
/// Damaged tracks that are told of one by one.
const MOST_TOLD: usize = 1024;

/// One step of a transaction.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "tracks are what most changes are about, and changes are written at once"
)]
pub enum Change {
    PutTrack(Track),
    /// The track and all that is known of it. Never the user's file.
    RemoveTrack(TrackId),
    /// The track leaves the library; all that is known of it stays, for [`Self::PutBack`], until the program ends.
    SetAside(TrackId),
    /// A track that was set aside is in the library again.
    PutBack(TrackId),
    PutKnowledge(TrackId, Knowledge),
    /// The full result. Its short form goes into the knowledge, which is put with it.
    PutFinding(TrackId, Finding),
    /// The full result only; the knowledge is put by whoever drops it.
    DropFinding(TrackId, Artifact),
    /// The files of stems that nothing refers to any more; the knowledge is put by whoever drops them.
    DropStems(TrackId, SetKey),
    /// All that the user set by hand for the track.
    PutByHand(TrackId, Arc<ByHand>),
    /// What a deck calls this is that track; `None`: forget it.
    PutPin(String, Option<TrackId>),
    /// How this program announces itself to decks.
    PutToken([u8; 16]),
    PutChoices(Choices),
}

/// An open library. Holds its lock until dropped.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    handle: Arc<Handle>,
    /// Finishes before the lock is given up.
    daily_backup: Option<backup::Daily>,
    /// Tracks whose damaged records have been told of.
    told: Mutex<BTreeSet<TrackId>>,
    /// Not there where nothing can be written, and nobody has ever locked it.
    lock: Option<Lock>,
    /// Why nothing can be written, and so nothing is.
    read_only: Option<std::io::ErrorKind>,
}

impl Store {
    /// Says to other processes that the library is open until the user closes it.
    pub fn stays_open(&self) {
        if let Some(lock) = &self.lock
            && !self.is_read_only()
        {
            lock.stays();
        }
    }

    /// Reads everything again.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        load::load(&self.handle)
    }

    /// The library's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// For files that nobody needs after this run; whatever is there at the next start goes.
    pub fn scratch(&self) -> PathBuf {
        self.dir.join(SCRATCH)
    }

    /// Makes all of `changes` durable, in their order, or none of them.
    pub fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.check_writable()?;
        let mut prepared = Vec::with_capacity(changes.len());
        for change in changes {
            self.prepare(change, &mut prepared)?;
        }
        self.handle.write(|write| {
            for change in &prepared {
                apply(write, change)?;
            }
            let mut meta = write.open_table(tables::META)?;
            let count = meta
                .get(tables::META_CHANGES)?
                .map_or(0, |count| count.value());
            meta.insert(tables::META_CHANGES, count.saturating_add(1))?;
            Ok(())
        })?;
        self.remove_dropped_files(&prepared);
        Ok(())
    }

    pub fn beats(&self, id: TrackId) -> Result<Option<Beats>, StoreError> {
        self.get(tables::BEATS, id)
    }

    pub fn key(&self, id: TrackId) -> Result<Option<KeyFinding>, StoreError> {
        self.get(tables::KEYS, id)
    }

    /// What analysis found, as far as it can be changed by hand.
    pub fn found(&self, id: TrackId) -> Result<Found, StoreError> {
        Ok(Found {
            beats: self.beats(id)?,
            key: self.key(id)?,
        })
    }

    /// What the user set by hand.
    pub fn by_hand(&self, id: TrackId) -> Result<ByHand, StoreError> {
        let record: Option<HandRecord> = self.get(tables::BY_HAND, id)?;
        let record = record.unwrap_or_default();
        let beats: Option<BeatsByHand> = match record.tempo {
            Some(_) => self.get(tables::BEATS_BY_HAND, id)?,
            None => None,
        };
        Ok(ByHand {
            beats: beats.map(|BeatsByHand(beats)| beats),
            key: record.key,
        })
    }

    /// What the user set by hand, and whether a record of it is damaged: that counts as not there.
    pub(crate) fn by_hand_as_far_as_sound(
        &self,
        id: TrackId,
    ) -> Result<(ByHand, bool), StoreError> {
        match self.by_hand(id) {
            Ok(hand) => Ok((hand, false)),
            Err(error @ StoreError::Record { .. }) => {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                if told.len() < MOST_TOLD && told.insert(id) {
                    tracing::warn!(track = %id, %error, "what was set by hand is damaged and not shown");
                }
                Ok((ByHand::default(), true))
            }
            Err(error) => Err(error),
        }
    }

    /// Lets go of the tracks that were set aside, for good.
    pub fn forget_removed(&self) -> Result<(), StoreError> {
        if self.is_read_only() {
            return Ok(());
        }
        aside::forget(&self.dir, &self.handle)
    }

    pub fn chords(&self, id: TrackId) -> Result<Option<Vec<ChordSpan>>, StoreError> {
        self.get(tables::CHORDS, id)
    }

    pub fn loudness(&self, id: TrackId) -> Result<Option<Loudness>, StoreError> {
        self.get(tables::LOUDNESS, id)
    }

    /// A file that is gone or damaged is a [`StoreError::Record`].
    pub fn waveform(&self, id: TrackId) -> Result<Option<Waveform>, StoreError> {
        let entry: Option<WaveformFile> = self.get(tables::WAVEFORMS, id)?;
        entry.map(|_| waveforms::read(&self.dir, id)).transpose()
    }

    /// The waveforms of a set. A file that is gone or damaged is a [`StoreError::Record`].
    pub fn stem_waveforms(&self, id: TrackId, set: &StemSet) -> Result<[Waveform; 4], StoreError> {
        let read = |stem| waveforms::read_at(&set.waveform_path(&self.dir, id, stem), id);
        let [drums, bass, other, vocals] = Stem::ALL.map(read);
        Ok([drums?, bass?, other?, vocals?])
    }

    /// Reads every record and looks at every file that the library refers to.
    pub fn verify(&self, control: &Control) -> Result<VerifyReport, StoreError> {
        let mut report = verify::verify(&self.dir, &self.handle, control)?;
        report.repaired = report.has_damaged_pages && !self.is_read_only();
        Ok(report)
    }

    /// Copies the library into its `backups` folder, as it stands now.
    pub fn backup(&self, reason: Reason) -> Result<PathBuf, StoreError> {
        self.check_writable()?;
        backup::make(&self.handle, reason, &Control::default())
    }

    /// The end is near and nobody wants to wait: a daily backup in the making is left to the next start.
    pub fn give_up_daily_backup(&self) {
        if let Some(daily) = &self.daily_backup {
            daily.control.cancel();
        }
    }

    /// The backup to restore when the library in `dir` is damaged.
    pub fn newest_backup(dir: &Path) -> Option<PathBuf> {
        backup::newest(&dir.join(FILE))
    }

    /// Puts `backup` in the place of the library in `dir`, which must not be open. What it
    /// replaces is kept as a backup.
    pub fn restore(dir: &Path, backup: &Path) -> Result<Restored, StoreError> {
        fs::create_dir_all(dir).map_err(|error| StoreError::opening(error, dir))?;
        let _lock = Lock::take(dir)?;
        backup::restore(&dir.join(FILE), backup)
    }

    fn get<T: Record>(&self, table: ByTrack, id: TrackId) -> Result<Option<T>, StoreError> {
        self.handle.read(|read| {
            let Some(bytes) = read.open_table(table)?.get(id.0)? else {
                return Ok(None);
            };
            let value = T::from_bytes(bytes.value()).map_err(|error| StoreError::Record {
                id,
                what: T::WHAT,
                reason: error.to_string(),
            })?;
            Ok(Some(value))
        })
    }

    /// Everything that can fail before the transaction: encoding, and files it will refer to.
    fn prepare(&self, change: Change, out: &mut Vec<Prepared>) -> Result<(), StoreError> {
        let prepared = match change {
            Change::PutTrack(track) => put(tables::TRACKS, track.id, &track)?,
            Change::RemoveTrack(id) => Prepared::RemoveTrack(id),
            Change::SetAside(id) => Prepared::Move {
                from: tables::TRACKS,
                to: tables::REMOVED,
                id,
            },
            Change::PutBack(id) => Prepared::Move {
                from: tables::REMOVED,
                to: tables::TRACKS,
                id,
            },
            Change::PutKnowledge(id, knowledge) => put(tables::KNOWLEDGE, id, &knowledge)?,
            Change::PutFinding(id, finding) => match finding {
                Finding::Waveform(waveform) => {
                    let entry = waveforms::write(&self.dir, id, &waveform)?;
                    put(tables::WAVEFORMS, id, &entry)?
                }
                Finding::Beats(beats) => put(tables::BEATS, id, &beats)?,
                Finding::Key(key) => put(tables::KEYS, id, &key)?,
                Finding::Chords(chords) => put(tables::CHORDS, id, &chords)?,
                Finding::Loudness(loudness) => put(tables::LOUDNESS, id, &loudness)?,
                // All that is to be said of them stands in the knowledge.
                Finding::Stems(_) => return Ok(()),
            },
            Change::DropStems(id, key) => Prepared::DropStems(id, key),
            Change::PutPin(name, track) => Prepared::Named(
                deck_names::pin_key(&name),
                match track {
                    Some(track) => Some(encode(track, &deck_names::Pin(track))?),
                    None => None,
                },
            ),
            Change::PutToken(token) => {
                let record = deck_names::OwnToken(token);
                let record = encode(TrackId(0), &record)?;
                Prepared::Named(deck_names::TOKEN_KEY.to_vec(), Some(record))
            }
            Change::PutChoices(choices) => {
                let record = encode(TrackId(0), &choices)?;
                Prepared::Named(choices::KEY.to_vec(), Some(record))
            }
            Change::DropFinding(id, artifact) => match table_of(artifact) {
                Some(table) => Prepared::Remove(table, id),
                None => return Ok(()),
            },
            Change::PutByHand(id, hand) => {
                out.push(if hand.is_empty() {
                    Prepared::Remove(tables::BY_HAND, id)
                } else {
                    put(tables::BY_HAND, id, &HandRecord::of(&hand))?
                });
                match &hand.beats {
                    Some(beats) => put(tables::BEATS_BY_HAND, id, &BeatsByHand(beats.clone()))?,
                    None => Prepared::Remove(tables::BEATS_BY_HAND, id),
                }
            }
        };
        out.push(prepared);
        Ok(())
    }

    /// The files that the transaction gave up. What a crash leaves of waveforms, `verify` lists; stems go at the next
    /// start.
    fn remove_dropped_files(&self, prepared: &[Prepared]) {
        let mut kept = BTreeMap::new();
        for change in prepared {
            match change {
                Prepared::RemoveTrack(id) => {
                    stems::remove_all(&self.dir, *id);
                    kept.insert(*id, false);
                }
                Prepared::DropStems(id, key) => stems::remove(&self.dir, *id, *key),
                Prepared::Remove(table, id) if table.name() == tables::WAVEFORMS.name() => {
                    kept.insert(*id, false);
                }
                Prepared::Put(table, id, _) if table.name() == tables::WAVEFORMS.name() => {
                    kept.insert(*id, true);
                }
                _ => {}
            }
        }
        for (id, _) in kept.into_iter().filter(|(_, kept)| !kept) {
            let path = waveforms::path(&self.dir, id);
            if let Err(error) = files::remove(&path) {
                tracing::warn!("an old waveform stays behind: {error}: {}", path.display());
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(daily) = self.daily_backup.take() {
            drop(daily.thread.join());
        }
    }
}

/// A change as it goes into the tables.
enum Prepared {
    Put(ByTrack, TrackId, Vec<u8>),
    Remove(ByTrack, TrackId),
    RemoveTrack(TrackId),
    DropStems(TrackId, SetKey),
    /// A record whose key is text; `None` removes it.
    Named(Vec<u8>, Option<Vec<u8>>),
    /// The record of a track goes from one table to another.
    Move {
        from: ByTrack,
        to: ByTrack,
        id: TrackId,
    },
}

fn put<T: Record>(table: ByTrack, id: TrackId, value: &T) -> Result<Prepared, StoreError> {
    Ok(Prepared::Put(table, id, encode(id, value)?))
}

fn encode<T: Record>(id: TrackId, value: &T) -> Result<Vec<u8>, StoreError> {
    value
        .to_bytes()
        .map_err(|error: RecordError| StoreError::Record {
            id,
            what: T::WHAT,
            reason: error.to_string(),
        })
}

fn table_of(artifact: Artifact) -> Option<ByTrack> {
    match artifact {
        Artifact::Waveform => Some(tables::WAVEFORMS),
        Artifact::Beats => Some(tables::BEATS),
        Artifact::Key => Some(tables::KEYS),
        Artifact::Chords => Some(tables::CHORDS),
        Artifact::Loudness => Some(tables::LOUDNESS),
        Artifact::Tags | Artifact::Hash | Artifact::Stems => None,
    }
}

fn apply(write: &WriteTransaction, change: &Prepared) -> Result<(), Trouble> {
    match change {
        Prepared::Put(table, id, bytes) => {
            write.open_table(*table)?.insert(id.0, bytes.as_slice())?;
        }
        Prepared::Named(key, record) => {
            let mut table = write.open_table(tables::DECK_NAMES)?;
            match record {
                Some(record) => table.insert(key.as_slice(), record.as_slice())?,
                None => table.remove(key.as_slice())?,
            };
        }
        Prepared::Remove(table, id) => {
            write.open_table(*table)?.remove(id.0)?;
        }
        Prepared::RemoveTrack(id) => {
            for table in BY_TRACK {
                write.open_table(table)?.remove(id.0)?;
            }
        }
        // Only files: see `remove_dropped_files`.
        Prepared::DropStems(..) => {}
        Prepared::Move { from, to, id } => {
            let mut source = write.open_table(*from)?;
            if let Some(record) = source.remove(id.0)? {
                write.open_table(*to)?.insert(id.0, record.value())?;
            }
        }
    }
    Ok(())
}
