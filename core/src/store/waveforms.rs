//! Waveform files: `waveforms/xx/<id>.wave`, one a track, xx being the last two digits of the id.

use super::error::StoreError;
use super::files;
use super::records::WaveformFile;
use crate::track::TrackId;
use crate::waveform::Waveform;
use codec as waveform;
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

/// Durable before the transaction that refers to it. The file ends with a CRC-32 of the rest:
/// it is sound or not by itself, also when that transaction never came.
pub(super) fn write(
    dir: &Path,
    id: TrackId,
    waveform: &Waveform,
) -> Result<WaveformFile, StoreError> {
    let mut bytes = waveform::encode(waveform);
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    files::write_whole(&path(dir, id), &bytes)?;
    Ok(WaveformFile {
        bytes: bytes.len() as u64,
    })
}

pub(super) fn read(dir: &Path, id: TrackId) -> Result<Waveform, StoreError> {
    let path = path(dir, id);
    let unsound = |reason: String| StoreError::Record {
        id,
        what: "waveform",
        reason,
    };
    let bytes = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unsound("its file is gone".to_owned()),
        _ => StoreError::io(error, &path),
    })?;
    let Some((content, sum)) = bytes.split_last_chunk::<4>() else {
        return Err(unsound("its file is too short".to_owned()));
    };
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Err(unsound("its checksum is wrong".to_owned()));
    }
    waveform::decode(content).map_err(|error| unsound(error.to_owned()))
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

/// The byte form of a waveform.
mod codec {
    use crate::units::SampleRate;
    use crate::waveform::{Column, Waveform};

    pub(super) fn encode(waveform: &Waveform) -> Vec<u8> {
        let mut out = waveform.rate.hz().to_le_bytes().to_vec();
        out.extend_from_slice(&waveform.frames.to_le_bytes());
        for level in &waveform.levels {
            out.extend_from_slice(&(level.len() as u32).to_le_bytes());
            out.extend_from_slice(bytemuck::cast_slice(level));
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Waveform, &'static str> {
        let (rate, rest) = bytes.split_first_chunk::<4>().ok_or("too short")?;
        let (frames, mut rest) = rest.split_first_chunk::<8>().ok_or("too short")?;
        let mut levels = Vec::new();
        while let Some((count, body)) = rest.split_first_chunk::<4>() {
            let size = u32::from_le_bytes(*count) as usize * size_of::<Column>();
            let (level, left) = body.split_at_checked(size).ok_or("too short")?;
            let mut columns = vec![Column::default(); level.len() / size_of::<Column>()];
            bytemuck::cast_slice_mut(&mut columns).copy_from_slice(level);
            levels.push(columns);
            rest = left;
        }
        Ok(Waveform {
            rate: SampleRate::new(u32::from_le_bytes(*rate)).ok_or("no sample rate")?,
            frames: u64::from_le_bytes(*frames),
            levels,
        })
    }
}
