//! Tracks that were taken out and may be put back while the program runs. Afterwards they go for good.

use super::database::Handle;
use super::error::StoreError;
use super::tables::{self, BY_TRACK};
use super::{files, stems, waveforms};
use crate::track::TrackId;
use std::path::Path;

/// Takes out all records of the tracks that were set aside, then their files.
pub(super) fn forget(dir: &Path, handle: &Handle) -> Result<(), StoreError> {
    let ids = handle.read(|read| {
        let mut ids = Vec::new();
        for entry in read.open_table(tables::REMOVED)?.range(0..=u64::MAX)? {
            ids.push(TrackId(entry?.0.value()));
        }
        Ok(ids)
    })?;
    if ids.is_empty() {
        return Ok(());
    }
    handle.write(|write| {
        for table in BY_TRACK {
            let mut table = write.open_table(table)?;
            for id in &ids {
                table.remove(id.0)?;
            }
        }
        Ok(())
    })?;
    for id in ids {
        stems::remove_all(dir, id);
        let path = waveforms::path(dir, id);
        if let Err(error) = files::remove(&path) {
            tracing::warn!("an old waveform stays behind: {error}: {}", path.display());
        }
    }
    Ok(())
}
