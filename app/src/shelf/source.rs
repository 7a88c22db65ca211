//! Where the shelf fetches from: the library on disk and the user's files.

use super::{Samples, sound};
use std::fmt::Debug;
use std::path::Path;
use tonearm_core::core_loop::Reader;
use tonearm_core::export::document::TrackDetails;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::import;
use tonearm_core::stems::{StemFiles, StemSet};
use tonearm_core::store::StoreError;
use tonearm_core::track::TrackId;
use tonearm_core::units::Frame;
use tonearm_core::waveform::Waveform;

/// Called on the shelf's threads; may block on the disk. A panic in it becomes a failure of that one thing.
pub trait ShelfSource: Debug + Send + Sync + 'static {
    fn waveform(&self, id: TrackId) -> Result<Option<Waveform>, Failure>;

    fn details(&self, id: TrackId) -> Result<Option<TrackDetails>, Failure>;

    /// Where the stems of `set` lie, and their waveforms.
    fn stems(&self, id: TrackId, set: &StemSet) -> Result<(StemFiles, [Waveform; 4]), Failure>;

    /// The bytes of a picture file.
    fn cover(&self, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
        import::cover::read(path)
    }

    /// Sound from `from` to `to`, less where the file ends.
    fn samples(&self, path: &Path, from: Frame, to: Frame) -> Result<Samples, Failure> {
        sound::read(path, from, to)
    }
}

impl ShelfSource for Reader {
    fn waveform(&self, id: TrackId) -> Result<Option<Waveform>, Failure> {
        Self::waveform(self, id).map_err(|error| failed(&error))
    }

    fn details(&self, id: TrackId) -> Result<Option<TrackDetails>, Failure> {
        let details = Self::details(self, id).map_err(|error| failed(&error))?;
        Ok(Some(details))
    }

    fn stems(&self, id: TrackId, set: &StemSet) -> Result<(StemFiles, [Waveform; 4]), Failure> {
        let waveforms = self.stem_waveforms(id, set);
        let waveforms = waveforms.map_err(|error| failed(&error))?;
        Ok((self.stem_files(id, set), waveforms))
    }
}

fn failed(error: &StoreError) -> Failure {
    Failure::new(
        FailureKind::Storage,
        error.to_string(),
        "Analyse the track again; if that does not help, run doctor",
    )
}
