//! Decodes ahead of the player, into windows of fixed size: the track, and its stems beside it.
//!
//! The loader itself never touches the disk. It says what is missing, a [`hand::Hand`] of the track fetches it, and one whose
//! drive does not answer is left behind when another track is wanted.

mod desk;
mod files;
mod hand;
mod lanes;

use super::block::{BLOCK_FRAMES, Block, CUE_BLOCKS, STEM_WINDOW_BLOCKS, WINDOW_BLOCKS};
use super::mixer::{Arrival, SOURCES};
use crate::failure::{Failure, FailureKind};
use crate::stems::StemFiles;
use crate::units::Secs;
use desk::Patience;
pub(super) use desk::{Desk, Wish};
use files::{Done, Files, Reading, Task};
use hand::Hand;
use lanes::{Gap, Open};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use std::time::Instant;

/// Blocks of a track that exist at all: those in their places, and some on their way.
const MOST_BLOCKS: usize = WINDOW_BLOCKS + CUE_BLOCKS + 64;
/// The same for all stems together.
const MOST_STEM_BLOCKS: usize = (SOURCES - 1) * (STEM_WINDOW_BLOCKS + CUE_BLOCKS);
/// Blocks after which the player is told, while nothing is to be heard.
const TELL_EVERY: u64 = 64;
/// Arrivals and returns that may be on their way: more than there are blocks.
pub(super) const LANES: usize = 1_024;
const _: () = assert!(
    MOST_BLOCKS + MOST_STEM_BLOCKS < LANES,
    "there is always room"
);
/// So many tracks may wait for drives that do not answer; no more are begun then.
const MOST_HANDS: usize = 16;

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
    /// The drive has not answered for some seconds.
    Waits {
        epoch: u32,
    },
    /// It does again.
    Answers {
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
    /// For [`Loader::step`], which reads by itself.
    files: Files,
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
            files: Files::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn made(&self) -> usize {
        self.made
    }

    /// Until the wish is to quit, or nobody listens any more.
    pub(super) fn run(mut self, desk: &Arc<Desk>, say: impl Fn(Loaded) -> bool) {
        let mut hands = Hands::default();
        let mut patience = Patience::None;
        loop {
            let wish = desk.take(patience);
            if wish.quit {
                return;
            }
            let mut heard = true;
            let mut say = |loaded| heard &= say(loaded);
            if wish.epoch != self.open.epoch {
                self.leave(&mut hands);
            }
            self.hear(&mut hands, &mut say);
            patience = match &mut hands.current {
                Some(hand) if hand.is_busy() => {
                    hand.slow_at().map_or(Patience::Endless, Patience::Until)
                }
                _ => self.go_on(&wish, &mut hands, desk, &mut say),
            };
            if !heard {
                return;
            }
        }
    }

    /// Takes what was fetched.
    fn hear(&mut self, hands: &mut Hands, say: &mut dyn FnMut(Loaded)) {
        let Some(hand) = &mut hands.current else {
            return;
        };
        let epoch = self.open.epoch;
        if let Some((done, was_slow)) = hand.take() {
            if was_slow {
                say(Loaded::Answers { epoch });
            }
            self.take(done, say);
        } else if hand.has_died() {
            self.leave(hands);
            self.open.dead = true;
            let failure = died();
            say(Loaded::Trouble { epoch, failure });
        } else if hand.tell_slow(Instant::now()) {
            say(Loaded::Waits { epoch });
        }
    }

    /// Has the next thing fetched.
    fn go_on(
        &mut self,
        wish: &Wish,
        hands: &mut Hands,
        desk: &Arc<Desk>,
        say: &mut dyn FnMut(Loaded),
    ) -> Patience {
        let Some(task) = self.next(wish) else {
            if self.told != self.sent {
                self.told = self.sent;
                say(Loaded::Progress {
                    epoch: self.open.epoch,
                });
            }
            return Patience::Endless;
        };
        match hands.for_more(desk) {
            Ok(hand) => {
                hand.give(task);
                hand.slow_at().map_or(Patience::Endless, Patience::Until)
            }
            Err(failure) => {
                self.take_back(task);
                self.open.dead = true;
                say(Loaded::Trouble {
                    epoch: self.open.epoch,
                    failure,
                });
                Patience::Endless
            }
        }
    }

    /// Another track is wanted: what is being fetched of this one is not waited for.
    fn leave(&mut self, hands: &mut Hands) {
        let Some(mut hand) = hands.current.take() else {
            return;
        };
        let has_block = hand.has_block();
        match hand.take() {
            Some((Done::Read { block, .. }, _)) => self.spare.push(block),
            Some((Done::Opened(_), _)) => {}
            // It goes with the thread.
            None => self.made -= usize::from(has_block),
        }
    }

    /// Brings one block, or opens the track. `false` when there is nothing to do or no room.
    pub(super) fn step(&mut self, wish: &Wish, say: &mut dyn FnMut(Loaded)) -> bool {
        if wish.epoch != self.open.epoch {
            self.files = Files::default();
        }
        let Some(task) = self.next(wish) else {
            return false;
        };
        let done = self.files.carry_out(task);
        self.take(done, say);
        true
    }

    /// What is missing most of what is wished, as far as there is room for it.
    fn next(&mut self, wish: &Wish) -> Option<Task> {
        if wish.epoch != self.open.epoch {
            self.begin(wish.epoch);
        }
        let is_same = is_same(wish.stems.as_ref(), self.open.stems.as_ref());
        if !is_same || wish.set != self.open.set {
            self.open.take_stems(wish.stems.clone());
            self.open.set = wish.set;
            self.with_stems |= wish.stems.is_some();
        }
        self.take_returns();
        if !self.open.asked {
            self.open.asked = true;
            return Some(Task::Open(wish.path.clone()));
        }
        let gap = self.open.next(wish)?;
        if self.arrivals.slots() < 2 || !self.has_spare() {
            return None;
        }
        Some(Task::Read(Reading {
            gap,
            block: self.spare.pop()?,
            path: wish.path.clone(),
            stems: self.open.stems.clone(),
            set: self.open.set,
            end: self.open.end,
        }))
    }

    fn begin(&mut self, epoch: u32) {
        self.open = Open::new(epoch);
        if epoch == 0 {
            self.made -= self.spare.len();
            self.spare = Vec::new();
        }
        self.sent = 0;
        self.told = 0;
    }

    /// A task that nobody can carry out.
    fn take_back(&mut self, task: Task) {
        if let Task::Read(reading) = task {
            self.spare.push(reading.block);
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

    fn take(&mut self, done: Done, say: &mut dyn FnMut(Loaded)) {
        let epoch = self.open.epoch;
        match done {
            Done::Opened(Ok(duration)) => say(Loaded::Opened { epoch, duration }),
            Done::Opened(Err(failure)) => {
                self.open.dead = true;
                say(Loaded::Trouble { epoch, failure });
            }
            Done::Read {
                gap,
                set,
                block,
                frames,
                failure,
            } => {
                if gap.lane == 0 {
                    self.take_track(gap, (block, frames), failure, say);
                } else {
                    self.take_stem(gap, (set, block), failure, say);
                }
                if self.sent == self.told + TELL_EVERY || self.sent <= 2 {
                    self.told = self.sent;
                    say(Loaded::Progress { epoch });
                }
            }
        }
    }

    fn take_track(
        &mut self,
        gap: Gap,
        (block, frames): (Block, usize),
        failure: Option<Failure>,
        say: &mut dyn FnMut(Loaded),
    ) {
        let epoch = self.open.epoch;
        if frames < BLOCK_FRAMES {
            let end = gap.first_frame().saturating_add(frames as u64);
            let end = self.open.end.map_or(end, |known| known.min(end));
            self.open.end = Some(end);
            self.send(Arrival::End { epoch, frames: end });
            say(Loaded::End { epoch, frames: end });
            if let Some(failure) = failure {
                say(Loaded::Trouble { epoch, failure });
            }
        }
        if frames == 0 {
            self.spare.push(block);
        } else {
            self.hand_over(gap, block, frames);
        }
    }

    fn take_stem(
        &mut self,
        gap: Gap,
        (set, block): (u32, Block),
        failure: Option<Failure>,
        say: &mut dyn FnMut(Loaded),
    ) {
        // Others were wished for meanwhile.
        let is_late = set != self.open.set || gap.lane >= self.open.lanes.len();
        match failure {
            None if !is_late => self.hand_over(gap, block, BLOCK_FRAMES),
            None => self.spare.push(block),
            Some(failure) => {
                self.spare.push(block);
                if !is_late {
                    self.open.lanes.truncate(1);
                    let epoch = self.open.epoch;
                    say(Loaded::StemTrouble { epoch, failure });
                }
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

/// Who fetches, and who is still waiting for a drive since other tracks were wanted.
#[derive(Default)]
struct Hands {
    current: Option<Hand>,
    /// Held by each thread that lives.
    alive: Arc<()>,
}

impl Hands {
    fn for_more(&mut self, desk: &Arc<Desk>) -> Result<&mut Hand, Failure> {
        let hand = match self.current.take() {
            Some(hand) => hand,
            None if Arc::strong_count(&self.alive) > MOST_HANDS => return Err(too_many()),
            None => Hand::start(desk, &self.alive).map_err(|error| {
                let message = format!("it cannot be read now: {error}");
                Failure::new(
                    FailureKind::Bug,
                    message,
                    "Close other programs and try again",
                )
            })?,
        };
        Ok(self.current.insert(hand))
    }
}

fn too_many() -> Failure {
    Failure::new(
        FailureKind::Unreadable,
        format!("{MOST_HANDS} tracks wait for drives that do not answer"),
        "Connect those drives again, or start Tonearm again",
    )
}

fn died() -> Failure {
    Failure::new(
        FailureKind::Bug,
        "reading it went wrong inside Tonearm",
        "Load the track again, and send us the log if it stays so",
    )
}

/// What is told of a drive that does not answer.
pub(super) fn no_answer() -> Failure {
    Failure::new(
        FailureKind::Unreadable,
        "the drive does not answer",
        "Wait a moment, or connect the drive again",
    )
}

fn is_same(one: Option<&Arc<StemFiles>>, other: Option<&Arc<StemFiles>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_tracks_wait_for_their_drives() {
        let desk = Arc::default();
        let mut hands = Hands::default();
        let waiting: Vec<Hand> = (0..MOST_HANDS)
            .map(|_| {
                assert!(hands.for_more(&desk).is_ok());
                hands.current.take().unwrap()
            })
            .collect();
        assert_eq!(hands.for_more(&desk).err(), Some(too_many()));
        drop(waiting);
        // Their threads end by themselves.
        while hands.for_more(&desk).is_err() {
            std::thread::yield_now();
        }
    }
}
