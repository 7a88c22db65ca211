//! Waveform files: `waveforms/xx/<id>.wave`, one a track, xx being the last two digits of the id.

use super::error::StoreError;
use super::files;
use super::records::WaveformFile;
use crate::track::TrackId;
use crate::waveform::{self, Waveform};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const FOLDER: &str = "waveforms";
pub(super) const EXTENSION: &str = "wave";

pub(super) fn path(dir: &Path, id: TrackId) -> PathBuf {
    dir.join(FOLDER)
        .join(format!("{:02x}", id.0 & 0xff))
        .join(format!("{id}.{EXTENSION}"))
}

/// Durable before the transaction that refers to it. The file carries its own checksum: it is
/// sound or not by itself, also when that transaction never came.
pub(super) fn write(
    dir: &Path,
    id: TrackId,
    waveform: &Waveform,
) -> Result<WaveformFile, StoreError> {
    let bytes = waveform::encode(waveform);
    files::write_whole(&path(dir, id), &bytes)?;
    Ok(WaveformFile {
        bytes: bytes.len() as u64,
    })
}

pub(super) fn read(dir: &Path, id: TrackId) -> Result<Waveform, StoreError> {
    read_at(&path(dir, id), id)
}

/// Reads a waveform of this track, of the mix or of a stem.
pub(super) fn read_at(path: &Path, id: TrackId) -> Result<Waveform, StoreError> {
    let unsound = |reason: String| StoreError::Record {
        id,
        what: "waveform",
        reason,
    };
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unsound("its file is gone".to_owned()),
        _ => StoreError::io(error, path),
    })?;
    waveform::decode(&bytes).map_err(|error| unsound(error.to_string()))
}

/// Every file below the waveforms folder: the track it is named for, where it is named for one.
pub(super) fn list(dir: &Path) -> Result<Vec<(Option<TrackId>, PathBuf)>, StoreError> {
    let mut found = Vec::new();
    for folder in entries(&dir.join(FOLDER))? {
        if !folder.is_dir() {
            found.push((None, folder));
            continue;
        }
        for file in entries(&folder)? {
            let id = file
                .file_name()
                .and_then(OsStr::to_str)
                .and_then(|name| {
                    name.strip_suffix(EXTENSION)?
                        .strip_suffix('.')?
                        .parse()
                        .ok()
                })
                .filter(|id| path(dir, *id) == file);
            found.push((id, file));
        }
    }
    Ok(found)
}

/// In the order of their names; none where there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    match listed {
        Ok(mut entries) => {
            entries.sort();
            Ok(entries)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::io(error, folder)),
    }
}
