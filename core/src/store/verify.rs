//! The full check: every page, every record, every file that the library refers to.

use super::database::Handle;
use super::error::{StoreError, Trouble};
use super::load::{self, BadRecord};
use super::records::{BeatsByHand, HandRecord, Record, WaveformFile};
use super::tables::{self, BY_TRACK};
use super::{stems, waveforms};
use crate::artifact::Artifact;
use crate::beats::Beats;
use crate::control::Control;
use crate::failure::Failure;
use crate::findings::Knowledge;
use crate::harmony::{ChordSpan, KeyFinding};
use crate::import::presence::{self, Presence};
use crate::loudness::Loudness;
use crate::track::{FilePath, FileStamp, RootPath, Track, TrackId};
use redb::{ReadTransaction, ReadableTable as _, TableHandle as _};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const ALL_IDS: RangeInclusive<u64> = 0..=u64::MAX;

/// An audio file that is not as the library knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTrouble {
    /// Not there, or not to be read; says why.
    Unreachable {
        id: TrackId,
        path: FilePath,
        failure: Failure,
    },
    /// Other size or time than when it was last looked at: to be imported again.
    Changed {
        id: TrackId,
        path: FilePath,
        found: FileStamp,
    },
}

/// What the full check found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VerifyReport {
    pub tracks: usize,
    /// Records of every kind, the tracks' own included.
    pub records: usize,
    pub has_damaged_pages: bool,
    /// The database could repair itself; never where nothing can be written.
    pub repaired: bool,
    /// Records that cannot be read.
    pub unreadable: Vec<BadRecord>,
    /// Results that are said to be done but are not there, or not sound: to be made again.
    pub redo: Vec<(TrackId, Artifact)>,
    /// Records of tracks that are not in the library.
    pub orphan_records: Vec<(TrackId, String)>,
    /// Files in our own folders that nothing refers to; they may be deleted.
    pub orphan_files: Vec<PathBuf>,
    /// Tracks that claim the same file.
    pub same_path: Vec<Vec<TrackId>>,
    /// Of the user's own files.
    pub files: Vec<FileTrouble>,
    /// The check was stopped before it was through.
    pub stopped: bool,
}

impl VerifyReport {
    /// Nothing is wrong with the library itself; the user's files are another matter.
    pub fn library_is_sound(&self) -> bool {
        !self.has_damaged_pages
            && !self.stopped
            && self.unreadable.is_empty()
            && self.redo.is_empty()
            && self.orphan_records.is_empty()
            && self.same_path.is_empty()
    }

    /// Nothing is wrong with the library nor with the user's files. Files of ours that nothing refers to do
    /// no harm.
    pub fn is_sound(&self) -> bool {
        self.library_is_sound() && self.files.is_empty()
    }
}

pub(super) fn verify(
    dir: &Path,
    handle: &Handle,
    control: &Control,
) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport {
        has_damaged_pages: !handle.check_integrity()?,
        ..VerifyReport::default()
    };
    let tracks = handle.read(|read| check_records(read, &mut report))?;
    check_waveforms(dir, handle, &mut report, control)?;
    check_stems(dir, handle, &mut report, control)?;
    check_audio(&tracks, &mut report, control);
    report.redo.sort_unstable();
    report.redo.dedup();
    Ok(report)
}

fn check_records(read: &ReadTransaction, report: &mut VerifyReport) -> Result<Vec<Track>, Trouble> {
    let mut tracks: Vec<Track> = Vec::new();
    let mut known: Vec<(TrackId, Knowledge)> = Vec::new();
    count::<Track>(read, report, |_, track| tracks.push(track))?;
    count::<Knowledge>(read, report, |id, knowledge| known.push((id, knowledge)))?;
    count::<Beats>(read, report, |_, _| {})?;
    count::<KeyFinding>(read, report, |_, _| {})?;
    count::<Vec<ChordSpan>>(read, report, |_, _| {})?;
    count::<Loudness>(read, report, |_, _| {})?;
    count::<WaveformFile>(read, report, |_, _| {})?;
    count::<HandRecord>(read, report, |_, _| {})?;
    count::<BeatsByHand>(read, report, |_, _| {})?;
    report.tracks = tracks.len();

    for (id, knowledge) in known {
        for (artifact, record) in &knowledge.records {
            let Some(table) = super::table_of(*artifact) else {
                continue;
            };
            let is_there = read.open_table(table)?.get(id.0)?.is_some();
            if record.failure.is_none() && !record.nothing_found && !is_there {
                report.redo.push((id, *artifact));
            }
        }
    }
    find_orphan_records(read, report)?;
    find_same_paths(&tracks, report);
    Ok(tracks)
}

/// A record kind and the table it stands in.
trait Stored: Record {
    const TABLE: tables::ByTrack;
    /// What to make again when it is unreadable.
    const ARTIFACT: Option<Artifact>;
}

macro_rules! stored {
    ($($type:ty: $table:ident, $artifact:expr;)*) => {
        $(impl Stored for $type {
            const TABLE: tables::ByTrack = tables::$table;
            const ARTIFACT: Option<Artifact> = $artifact;
        })*
    };
}

stored! {
    Track: TRACKS, None;
    Knowledge: KNOWLEDGE, None;
    Beats: BEATS, Some(Artifact::Beats);
    KeyFinding: KEYS, Some(Artifact::Key);
    Vec<ChordSpan>: CHORDS, Some(Artifact::Chords);
    Loudness: LOUDNESS, Some(Artifact::Loudness);
    WaveformFile: WAVEFORMS, Some(Artifact::Waveform);
    HandRecord: BY_HAND, None;
    BeatsByHand: BEATS_BY_HAND, None;
}

fn count<T: Stored>(
    read: &ReadTransaction,
    report: &mut VerifyReport,
    mut sink: impl FnMut(TrackId, T),
) -> Result<(), Trouble> {
    load::each::<T>(read, T::TABLE, ALL_IDS, |id, result| {
        report.records += 1;
        match result {
            Ok(value) => sink(id, value),
            Err(bad) => {
                report
                    .redo
                    .extend(T::ARTIFACT.map(|artifact| (id, artifact)));
                report.unreadable.push(bad);
            }
        }
    })
}

fn find_orphan_records(read: &ReadTransaction, report: &mut VerifyReport) -> Result<(), Trouble> {
    let tracks = read.open_table(tables::TRACKS)?;
    let removed = read.open_table(tables::REMOVED)?;
    for table in BY_TRACK {
        for entry in read.open_table(table)?.iter()? {
            let (id, _) = entry?;
            let is_known = tracks.get(id.value())?.is_some() || removed.get(id.value())?.is_some();
            if !is_known {
                report
                    .orphan_records
                    .push((TrackId(id.value()), table.name().to_owned()));
            }
        }
    }
    Ok(())
}

fn find_same_paths(tracks: &[Track], report: &mut VerifyReport) {
    let mut by_path: BTreeMap<&FilePath, Vec<TrackId>> = BTreeMap::new();
    for track in tracks {
        by_path.entry(&track.path).or_default().push(track.id);
    }
    report.same_path = by_path.into_values().filter(|ids| ids.len() > 1).collect();
}

/// Files without an entry are orphans; entries whose file is not sound are to be made again.
fn check_waveforms(
    dir: &Path,
    handle: &Handle,
    report: &mut VerifyReport,
    control: &Control,
) -> Result<(), StoreError> {
    let mut entries = BTreeSet::new();
    handle.read(|read| {
        for entry in read.open_table(tables::WAVEFORMS)?.iter()? {
            entries.insert(TrackId(entry?.0.value()));
        }
        Ok(())
    })?;
    for &id in &entries {
        if control.check().is_err() {
            report.stopped = true;
            return Ok(());
        }
        if let Err(error) = waveforms::read(dir, id) {
            report.redo.push((id, Artifact::Waveform));
            report.unreadable.push(BadRecord {
                track: Some(id),
                what: "waveform",
                reason: error.to_string(),
            });
        }
    }
    report.orphan_files = waveforms::list(dir)?
        .into_iter()
        .filter(|(id, _)| id.is_none_or(|id| !entries.contains(&id)))
        .map(|(_, path)| path)
        .collect();
    Ok(())
}

/// Sets that the library refers to must be there, whole by the sizes of their files; others are orphans.
fn check_stems(
    dir: &Path,
    handle: &Handle,
    report: &mut VerifyReport,
    control: &Control,
) -> Result<(), StoreError> {
    let mut sets = BTreeMap::new();
    handle.read(|read| {
        load::each::<Knowledge>(read, tables::KNOWLEDGE, ALL_IDS, |id, known| {
            sets.extend(
                known
                    .ok()
                    .and_then(|known| known.stems)
                    .map(|set| (id, *set)),
            );
        })
    })?;
    for (&id, set) in &sets {
        if control.check().is_err() {
            report.stopped = true;
            return Ok(());
        }
        if let Err(reason) = stems::check(dir, id, set) {
            report.redo.push((id, Artifact::Stems));
            report.unreadable.push(BadRecord {
                track: Some(id),
                what: "stems",
                reason,
            });
        }
    }
    let found = stems::list(dir).map_err(|error| StoreError::io(error, dir))?;
    let orphans = found.into_iter().filter(|(named, _)| {
        named.is_none_or(|(id, key)| sets.get(&id).is_none_or(|set| set.key != key))
    });
    report.orphan_files.extend(orphans.map(|(_, path)| path));
    Ok(())
}

fn check_audio(tracks: &[Track], report: &mut VerifyReport, control: &Control) {
    let mut roots: HashMap<&RootPath, presence::RootState> = HashMap::new();
    for (done, track) in tracks.iter().enumerate() {
        if control.check().is_err() {
            report.stopped = true;
            return;
        }
        control.set_progress(done as f32 / tracks.len() as f32);
        if !track.has_path() {
            continue;
        }
        let root = roots
            .entry(&track.root)
            .or_insert_with(|| presence::look_at_root(track.root.as_path()));
        let (id, path) = (track.id, track.path.clone());
        match presence::look(track.path.as_path(), root) {
            Presence::There(found) if found != track.stamp => {
                report.files.push(FileTrouble::Changed { id, path, found });
            }
            Presence::There(_) => {}
            Presence::Missing(failure) | Presence::Unreachable(failure) => {
                report
                    .files
                    .push(FileTrouble::Unreachable { id, path, failure });
            }
        }
    }
}
