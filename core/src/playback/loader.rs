//! Decodes ahead of the player on a thread of its own, into a window of fixed size.

use super::block::{BLOCK_FRAMES, Block, CUE_BLOCKS, Shelf, WINDOW_BLOCKS};
use super::mixer::Arrival;
use super::reader::Reader;
use crate::failure::Failure;
use crate::units::Secs;
use rtrb::{Consumer, Producer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Blocks read ahead: 45 s.
const AHEAD: u64 = 264;
/// Blocks that exist at all: those in their places, and some on their way.
const MOST_BLOCKS: usize = WINDOW_BLOCKS + CUE_BLOCKS + 64;
/// The half second from the cue point on.
const CUE_FRAMES: u64 = 24_000;
/// Blocks after which the player is told, while nothing is to be heard.
const TELL_EVERY: u64 = 64;
/// Arrivals and returns that may be on their way: more than there are blocks.
pub(super) const LANES: usize = 1_024;

/// What should be in memory. Only the newest wish counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wish {
    /// Which track, in the order of loading; 0 for none.
    pub(super) epoch: u32,
    pub(super) path: PathBuf,
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
}

/// One track being read.
struct Open {
    epoch: u32,
    /// Opened again after a failure, when another place is asked for.
    reader: Option<Reader>,
    /// Reads the cue point, so that the other one stays where it is. Only while it does.
    cue_reader: Option<Reader>,
    /// What the mixer has, or will have when all is taken in.
    window: Vec<Option<u64>>,
    cue: Vec<Option<u64>>,
    end: Option<u64>,
    /// Cannot be read at all.
    dead: bool,
}

impl Open {
    fn new(epoch: u32) -> Self {
        Self {
            epoch,
            reader: None,
            cue_reader: None,
            window: vec![None; WINDOW_BLOCKS],
            cue: vec![None; CUE_BLOCKS],
            end: None,
            dead: epoch == 0,
        }
    }

    /// What is missing most: the sound at the place itself, the cue point, then all that comes.
    fn next(&self, wish: &Wish) -> Option<(Shelf, u64)> {
        if self.dead {
            return None;
        }
        let block = |frame: u64| frame / BLOCK_FRAMES as u64;
        let focus = block(wish.focus);
        let (first, last) = (block(wish.cue), block(wish.cue.saturating_add(CUE_FRAMES)));
        let exists = |index: &u64| {
            self.end
                .is_none_or(|end| index.saturating_mul(BLOCK_FRAMES as u64) < end)
        };
        let lacks = |shelf: Shelf, index: u64| {
            let places = match shelf {
                Shelf::Window => &self.window,
                Shelf::Cue => &self.cue,
            };
            places.get(shelf.place(index)) != Some(&Some(index))
        };
        let window = |range: std::ops::Range<u64>| {
            let mut range = range.take_while(exists);
            range
                .find(|&index| lacks(Shelf::Window, index))
                .map(|index| (Shelf::Window, index))
        };
        let cue = || {
            let mut range = (first..=last).take_while(exists);
            range
                .find(|&index| lacks(Shelf::Cue, index))
                .map(|index| (Shelf::Cue, index))
        };
        window(focus..focus.saturating_add(4))
            .or_else(cue)
            .or_else(|| window(focus..focus.saturating_add(AHEAD)))
    }

    fn reader(&mut self, shelf: Shelf) -> &mut Option<Reader> {
        match shelf {
            Shelf::Window => &mut self.reader,
            Shelf::Cue => &mut self.cue_reader,
        }
    }

    fn note(&mut self, shelf: Shelf, index: u64) {
        let places = match shelf {
            Shelf::Window => &mut self.window,
            Shelf::Cue => &mut self.cue,
        };
        if let Some(place) = places.get_mut(shelf.place(index)) {
            *place = Some(index);
        }
    }
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
        self.take_returns();
        let Some((shelf, index)) = self.open.next(wish) else {
            return false;
        };
        if self.arrivals.slots() < 2 || !self.has_spare() {
            return false;
        }
        self.bring(shelf, index, &wish.path, say);
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
                self.open.reader = Some(reader);
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
        if self.spare.is_empty() && self.made < MOST_BLOCKS {
            self.made += 1;
            self.spare.push(Block::empty());
        }
        !self.spare.is_empty()
    }

    fn bring(&mut self, shelf: Shelf, index: u64, path: &Path, say: &mut dyn FnMut(Loaded)) {
        let Some(mut block) = self.spare.pop() else {
            return;
        };
        let epoch = self.open.epoch;
        let from = index.saturating_mul(BLOCK_FRAMES as u64);
        if shelf == Shelf::Window {
            self.open.cue_reader = None;
        }
        let (frames, failure) = match read(self.open.reader(shelf), path, from, &mut block) {
            Ok(frames) => (frames, None),
            Err(failure) => (0, Some(failure)),
        };
        if frames < BLOCK_FRAMES {
            let end = from.saturating_add(frames as u64);
            let end = self.open.end.map_or(end, |known| known.min(end));
            let reader = self.open.reader(shelf);
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
        block.epoch = epoch;
        block.index = index;
        block.frames = frames;
        self.open.note(shelf, index);
        self.sent += 1;
        self.send(Arrival::Block {
            source: 0,
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
