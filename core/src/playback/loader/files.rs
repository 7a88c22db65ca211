//! The only part of the loader that touches the disk: carries out one task at a time, and may stand in it for as long as
//! a drive does not answer.

use super::lanes::Gap;
use crate::failure::{Failure, FailureKind};
use crate::playback::RATE;
use crate::playback::block::{BLOCK_FRAMES, Block, Shelf};
use crate::playback::mixer::SOURCES;
use crate::playback::reader::Reader;
use crate::stems::StemFiles;
use crate::units::Secs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A stem may be so many frames shorter than it says: conversion of rates rounds.
const STEM_SLACK: u64 = 1_024;

/// One thing to be done.
pub(super) enum Task {
    /// Opens the track.
    Open(PathBuf),
    Read(Reading),
}

/// A block that is to be filled.
pub(super) struct Reading {
    pub(super) gap: Gap,
    pub(super) block: Block,
    pub(super) path: PathBuf,
    /// Of which stems it is, for their lanes, and which set of them is read now.
    pub(super) stems: Option<Arc<StemFiles>>,
    pub(super) set: u32,
    /// Where the track ends, if that is known.
    pub(super) end: Option<u64>,
}

/// What became of it.
pub(super) enum Done {
    Opened(Result<Secs, Failure>),
    Read {
        gap: Gap,
        set: u32,
        block: Block,
        /// Of the block, that were filled: fewer than all where the track ends.
        frames: usize,
        /// Why there are no more, where that is not simply the end.
        failure: Option<Failure>,
    },
}

/// Of one source: for the place that is played, and for the cue point. The second is there only while it is read from, so that the
/// first stays where it is.
#[derive(Default)]
struct Readers {
    window: Option<Reader>,
    cue: Option<Reader>,
}

impl Readers {
    fn of(&mut self, shelf: Shelf) -> &mut Option<Reader> {
        match shelf {
            Shelf::Window => {
                self.cue = None;
                &mut self.window
            }
            Shelf::Cue => &mut self.cue,
        }
    }
}

/// The open files of one track and its stems. Each is opened again after a failure, when another place is asked for.
#[derive(Default)]
pub(super) struct Files {
    sources: [Readers; SOURCES],
    /// Of the stems that are open.
    set: u32,
}

impl Files {
    pub(super) fn carry_out(&mut self, task: Task) -> Done {
        match task {
            Task::Open(path) => Done::Opened(self.open(&path)),
            Task::Read(mut reading) => {
                if self.set != reading.set {
                    self.set = reading.set;
                    self.sources
                        .iter_mut()
                        .skip(1)
                        .for_each(|of| *of = Readers::default());
                }
                let (frames, failure) = if reading.gap.lane == 0 {
                    self.read_track(&mut reading)
                } else {
                    self.read_stem(&mut reading)
                };
                Done::Read {
                    gap: reading.gap,
                    set: reading.set,
                    block: reading.block,
                    frames,
                    failure,
                }
            }
        }
    }

    fn open(&mut self, path: &Path) -> Result<Secs, Failure> {
        let reader = Reader::open(path)?;
        let duration = reader.duration();
        self.sources[0].window = Some(reader);
        Ok(duration)
    }

    /// Frames that there are, and why there are no more.
    fn read_track(&mut self, reading: &mut Reading) -> (usize, Option<Failure>) {
        let from = reading.gap.first_frame();
        let reader = self.sources[0].of(reading.gap.shelf);
        match read(reader, &reading.path, from, &mut reading.block) {
            Ok(BLOCK_FRAMES) => (BLOCK_FRAMES, None),
            Ok(frames) => {
                let here = from.saturating_add(frames as u64);
                let end = reading.end.map_or(here, |known| known.min(here));
                let reader = reader.as_ref();
                (frames, reader.and_then(|reader| reader.trouble(end)))
            }
            Err(failure) => {
                *reader = None;
                (0, Some(failure))
            }
        }
    }

    /// Where a stem ends it goes on in silence: the track tells when it is over.
    fn read_stem(&mut self, reading: &mut Reading) -> (usize, Option<Failure>) {
        let Reading {
            gap, block, stems, ..
        } = reading;
        let read = match (&stems, self.sources.get_mut(gap.lane)) {
            (Some(stems), Some(readers)) => fill_stem(readers, stems, *gap, block),
            _ => Ok(0),
        };
        match read {
            Ok(frames) => {
                let (heard, after) = block.samples.split_at_mut(frames * 2);
                let gain = stems.as_ref().map_or(1.0, |stems| stems.gain);
                if gain != 1.0 {
                    for sample in heard {
                        *sample *= gain;
                    }
                }
                after.fill(0.0);
                (BLOCK_FRAMES, None)
            }
            Err(failure) => (0, Some(failure)),
        }
    }
}

fn fill_stem(
    readers: &mut Readers,
    stems: &StemFiles,
    gap: Gap,
    block: &mut Block,
) -> Result<usize, Failure> {
    let from = gap.first_frame();
    let end = end_of(stems);
    let path = stems.paths.get(gap.lane - 1).filter(|_| from < end);
    let Some(path) = path else {
        return Ok(0);
    };
    let frames = read(readers.of(gap.shelf), path, from, block)?;
    let here = from.saturating_add(frames as u64);
    if frames < BLOCK_FRAMES && here.saturating_add(STEM_SLACK) < end {
        return Err(cut_off(here));
    }
    Ok(frames)
}

/// A stem that ended at this frame of the clock, long before it should have.
fn cut_off(end: u64) -> Failure {
    let secs = end as f64 / f64::from(RATE);
    Failure::new(
        FailureKind::Damaged,
        format!("a file of the stems ends after {secs:.1} s"),
        "Make the stems again",
    )
}

/// The frame of the clock at which stems are over.
fn end_of(stems: &StemFiles) -> u64 {
    let rate = u64::from(stems.rate.hz());
    stems.frames.saturating_mul(u64::from(RATE)).div_ceil(rate)
}

/// Reads with `reader`, opening it first if there is none.
fn read(
    reader: &mut Option<Reader>,
    path: &Path,
    from: u64,
    block: &mut Block,
) -> Result<usize, Failure> {
    let open = match reader {
        Some(open) => open,
        None => reader.insert(Reader::open(path)?),
    };
    open.fill(from, &mut block.samples)
}
