//! Decodes ahead of the player on a thread of its own, into windows of fixed size: the track, and its stems beside it.

mod lanes;

use super::block::{BLOCK_FRAMES, Block, CUE_BLOCKS, STEM_WINDOW_BLOCKS, Shelf, WINDOW_BLOCKS};
use super::mixer::{Arrival, SOURCES};
use super::reader::Reader;
use crate::failure::{Failure, FailureKind};
use crate::stems::StemFiles;
use crate::units::Secs;
use lanes::{Gap, Open};
use rtrb::{Consumer, Producer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Blocks of a track that exist at all: those in their places, and some on their way.
const MOST_BLOCKS: usize = WINDOW_BLOCKS + CUE_BLOCKS + 64;
/// The same for all stems together.
const MOST_STEM_BLOCKS: usize = (SOURCES - 1) * (STEM_WINDOW_BLOCKS + CUE_BLOCKS);
/// A stem may be so many frames shorter than it says: conversion of rates rounds.
const STEM_SLACK: u64 = 1_024;
/// Blocks after which the player is told, while nothing is to be heard.
const TELL_EVERY: u64 = 64;
/// Arrivals and returns that may be on their way: more than there are blocks.
pub(super) const LANES: usize = 1_024;
const _: () = assert!(
    MOST_BLOCKS + MOST_STEM_BLOCKS < LANES,
    "there is always room"
);

/// What should be in memory. Only the newest wish counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wish {
    /// Which track, in the order of loading; 0 for none.
    pub(super) epoch: u32,
    pub(super) path: PathBuf,
    /// Its stems, where they are to be played as well.
    pub(super) stems: Option<Arc<StemFiles>>,
    /// Which set of stems, in the order of loading.
    pub(super) set: u32,
    /// The frame that is played.
    pub(super) focus: u64,
    pub(super) cue: u64,
    pub(super) quit: bool,
}

/// Where a wish is left. Whoever leaves one never waits for the disk.
#[derive(Debug, Default)]
pub(super) struct Desk {
    wish: Mutex<(Wish, bool)>,
    bell: Condvar,
}

impl Desk {
    pub(super) fn change(&self, change: impl FnOnce(&mut Wish)) {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut wish.0);
        wish.1 = true;
        self.bell.notify_one();
    }

    /// The newest wish; waits for a change of it when asked to.
    fn take(&self, wait: bool) -> Wish {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        while wait && !wish.1 {
            wish = self.bell.wait(wish).unwrap_or_else(PoisonError::into_inner);
        }
        wish.1 = false;
        wish.0.clone()
    }
}

/// What the loader has to say.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Loaded {
    Opened {
        epoch: u32,
        duration: Secs,
    },
    /// Blocks are on their way.
    Progress {
        epoch: u32,
    },
    End {
        epoch: u32,
        frames: u64,
    },
    /// It cannot be played, or not to its end.
    Trouble {
        epoch: u32,
        failure: Failure,
    },
    /// Its stems cannot be played; the track itself can.
    StemTrouble {
        epoch: u32,
        failure: Failure,
    },
}

pub(super) struct Loader {
    arrivals: Producer<Arrival>,
    returns: Consumer<Block>,
    spare: Vec<Block>,
    /// Blocks that exist.
    made: usize,
    open: Open,
    told: u64,
    sent: u64,
    /// Stems were read once: their blocks stay where they are until others take their places.
    with_stems: bool,
}

impl Loader {
    pub(super) fn new(arrivals: Producer<Arrival>, returns: Consumer<Block>) -> Self {
        Self {
            arrivals,
            returns,
            spare: Vec::new(),
            made: 0,
            open: Open::new(0),
            told: 0,
            sent: 0,
            with_stems: false,
        }
    }

    #[cfg(test)]
    pub(super) fn made(&self) -> usize {
        self.made
    }

    /// Until the wish is to quit, or nobody listens any more.
    pub(super) fn run(mut self, desk: &Arc<Desk>, say: impl Fn(Loaded) -> bool) {
        let mut idle = false;
        loop {
            let wish = desk.take(idle);
            if wish.quit {
                return;
            }
            let mut heard = true;
            idle = !self.step(&wish, &mut |loaded| heard &= say(loaded));
            if idle && self.told != self.sent {
                self.told = self.sent;
                heard &= say(Loaded::Progress {
                    epoch: self.open.epoch,
                });
            }
            if !heard {
                return;
            }
        }
    }

    /// Brings one block. `false` when there is nothing to do or no room.
    pub(super) fn step(&mut self, wish: &Wish, say: &mut dyn FnMut(Loaded)) -> bool {
        if wish.epoch != self.open.epoch {
            self.open = Open::new(wish.epoch);
            if wish.epoch == 0 {
                self.made -= self.spare.len();
                self.spare = Vec::new();
            }
            self.open_file(&wish.path, say);
        }
        let is_same = is_same(wish.stems.as_ref(), self.open.stems.as_ref());
        if !is_same || wish.set != self.open.set {
            self.open.take_stems(wish.stems.clone());
            self.open.set = wish.set;
            self.with_stems |= wish.stems.is_some();
        }
        self.take_returns();
        let Some(gap) = self.open.next(wish) else {
            return false;
        };
        if self.arrivals.slots() < 2 || !self.has_spare() {
            return false;
        }
        if gap.lane == 0 {
            self.bring(gap, &wish.path, say);
        } else {
            self.bring_stem(gap, say);
        }
        if self.sent == self.told + TELL_EVERY || self.sent <= 2 {
            self.told = self.sent;
            say(Loaded::Progress {
                epoch: self.open.epoch,
            });
        }
        true
    }

    fn open_file(&mut self, path: &Path, say: &mut dyn FnMut(Loaded)) {
        self.sent = 0;
        self.told = 0;
        let epoch = self.open.epoch;
        if epoch == 0 {
            return;
        }
        match Reader::open(path) {
            Ok(reader) => {
                say(Loaded::Opened {
                    epoch,
                    duration: reader.duration(),
                });
                if let Some(lane) = self.open.lanes.first_mut() {
                    lane.reader = Some(reader);
                }
            }
            Err(failure) => {
                self.open.dead = true;
                say(Loaded::Trouble { epoch, failure });
            }
        }
    }

    /// Blocks that come back while no track is there are let go.
    fn take_returns(&mut self) {
        while let Ok(block) = self.returns.pop() {
            if self.open.epoch == 0 {
                self.made -= 1;
            } else {
                self.spare.push(block);
            }
        }
    }

    fn has_spare(&mut self) -> bool {
        let most = if self.with_stems {
            MOST_BLOCKS + MOST_STEM_BLOCKS
        } else {
            MOST_BLOCKS
        };
        if self.spare.is_empty() && self.made < most {
            self.made += 1;
            self.spare.push(Block::empty());
        }
        !self.spare.is_empty()
    }

    fn bring(&mut self, gap: Gap, path: &Path, say: &mut dyn FnMut(Loaded)) {
        let Gap { shelf, index, .. } = gap;
        let (Some(mut block), Some(lane)) = (self.spare.pop(), self.open.lanes.first_mut()) else {
            return;
        };
        let epoch = self.open.epoch;
        let from = index.saturating_mul(BLOCK_FRAMES as u64);
        if shelf == Shelf::Window {
            lane.cue_reader = None;
        }
        let (frames, failure) = match read(lane.reader(shelf), path, from, &mut block) {
            Ok(frames) => (frames, None),
            Err(failure) => (0, Some(failure)),
        };
        if frames < BLOCK_FRAMES {
            let end = from.saturating_add(frames as u64);
            let end = self.open.end.map_or(end, |known| known.min(end));
            let reader = lane.reader(shelf);
            let trouble = reader.as_ref().and_then(|reader| reader.trouble(end));
            if failure.is_some() {
                *reader = None;
            }
            self.open.end = Some(end);
            self.send(Arrival::End { epoch, frames: end });
            say(Loaded::End { epoch, frames: end });
            if let Some(failure) = failure.or(trouble) {
                say(Loaded::Trouble { epoch, failure });
            }
        }
        if frames == 0 {
            self.spare.push(block);
            return;
        }
        self.hand_over(gap, block, frames);
    }

    /// Where a stem ends it goes on in silence: the track tells when it is over.
    fn bring_stem(&mut self, gap: Gap, say: &mut dyn FnMut(Loaded)) {
        let Gap { shelf, index, .. } = gap;
        let (Some(stems), Some(lane)) = (&self.open.stems, self.open.lanes.get_mut(gap.lane))
        else {
            return;
        };
        let (Some(mut block), Some(path)) = (self.spare.pop(), stems.paths.get(gap.lane - 1))
        else {
            return;
        };
        let gain = stems.gain;
        let from = index.saturating_mul(BLOCK_FRAMES as u64);
        if shelf == Shelf::Window {
            lane.cue_reader = None;
        }
        let read = if from >= end_of(stems) {
            Ok(0)
        } else {
            read(lane.reader(shelf), path, from, &mut block)
        };
        let read = read.and_then(|frames| {
            let end = from.saturating_add(frames as u64);
            let is_cut = frames < BLOCK_FRAMES && end.saturating_add(STEM_SLACK) < end_of(stems);
            if is_cut {
                return Err(cut_off(end));
            }
            Ok(frames)
        });
        match read {
            Ok(frames) => {
                let (heard, after) = block.samples.split_at_mut(frames * 2);
                if gain != 1.0 {
                    for sample in heard {
                        *sample *= gain;
                    }
                }
                after.fill(0.0);
                self.hand_over(gap, block, BLOCK_FRAMES);
            }
            Err(failure) => {
                self.spare.push(block);
                self.open.lanes.truncate(1);
                let epoch = self.open.epoch;
                say(Loaded::StemTrouble { epoch, failure });
            }
        }
    }

    fn hand_over(&mut self, gap: Gap, mut block: Block, frames: usize) {
        let Gap { lane, shelf, index } = gap;
        block.epoch = if lane == 0 {
            self.open.epoch
        } else {
            self.open.set
        };
        block.index = index;
        block.frames = frames;
        if let Some(lane) = self.open.lanes.get_mut(lane) {
            lane.note(shelf, index);
        }
        self.sent += 1;
        self.send(Arrival::Block {
            source: lane,
            shelf,
            block,
        });
    }

    fn send(&mut self, arrival: Arrival) {
        // There was room for two.
        let sent = self.arrivals.push(arrival);
        debug_assert!(sent.is_ok(), "there was room");
    }
}

/// A stem that ended at this frame of the clock, long before it should have.
fn cut_off(end: u64) -> Failure {
    let secs = end as f64 / f64::from(super::RATE);
    Failure::new(
        FailureKind::Damaged,
        format!("a file of the stems ends after {secs:.1} s"),
        "Make the stems again",
    )
}

fn is_same(one: Option<&Arc<StemFiles>>, other: Option<&Arc<StemFiles>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The frame of the clock at which stems are over.
fn end_of(stems: &StemFiles) -> u64 {
    let rate = u64::from(stems.rate.hz());
    stems
        .frames
        .saturating_mul(u64::from(super::RATE))
        .div_ceil(rate)
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
