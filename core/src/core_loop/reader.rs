//! Reading the library beside the loop: heavy things that no view holds.

use crate::core_loop::writer::Writes;
use crate::export::document::TrackDetails;
use crate::row::Row;
use crate::stems::{StemFiles, StemSet};
use crate::store::{Store, StoreError};
use crate::track::TrackId;
use crate::waveform::Waveform;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a read waits for writes that were asked for before it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A handle for threads that may wait for the disk. Cloning gives another one.
///
/// What it gives is never older than the views published before it was asked: those are ahead of the disk, so a
/// read waits for the writes that were under way. The library stays locked while a handle lives.
#[derive(Debug, Clone)]
pub struct Reader {
    store: Arc<Store>,
    writes: Arc<Writes>,
}

impl Reader {
    pub(crate) fn new(store: Arc<Store>, writes: Arc<Writes>) -> Self {
        Self { store, writes }
    }

    /// As [`Store::scratch`].
    pub(crate) fn scratch(&self) -> PathBuf {
        self.store.scratch()
    }

    /// The full results of one track.
    pub fn details(&self, track: TrackId) -> Result<TrackDetails, StoreError> {
        self.writes.wait(PATIENCE);
        let (hand, _damaged) = self.store.by_hand_as_far_as_sound(track)?;
        let by_hand = hand.artifacts();
        Ok(TrackDetails {
            beats: match hand.beats {
                Some(beats) => Some(beats),
                None => self.store.beats(track)?,
            },
            key: match hand.key {
                Some(key) => Some(key),
                None => self.store.key(track)?,
            },
            chords: self.store.chords(track)?,
            by_hand,
        })
    }

    /// Where the stems of a track lie, as long as they are in step with its file. Looks at nothing on the disk: a set
    /// that was evicted meanwhile is gone when it is opened.
    pub fn stems(&self, row: &Row) -> Option<StemFiles> {
        let set = row.stems()?;
        Some(self.stem_files(row.track.id, set))
    }

    /// The waveform of one track, when it has one.
    pub fn waveform(&self, track: TrackId) -> Result<Option<Waveform>, StoreError> {
        self.writes.wait(PATIENCE);
        self.store.waveform(track)
    }

    /// Where the sound of a set lies.
    pub fn stem_files(&self, track: TrackId, set: &StemSet) -> StemFiles {
        set.files(self.store.dir(), track)
    }

    /// The waveform of each stem, by the code that draws the mix. A file that is gone or damaged is a
    /// [`StoreError::Record`].
    pub fn stem_waveforms(
        &self,
        track: TrackId,
        set: &StemSet,
    ) -> Result<[Waveform; 4], StoreError> {
        self.store.stem_waveforms(track, set)
    }
}
