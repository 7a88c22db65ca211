//! The transport and the mix: pure, without a device, without waiting, without memory of its own to ask for.
//!
//! One clock counts frames of the track. All sources (the track itself, its four stems) are read with that one index, so
//! they cannot drift apart. Each has a gain; a mix that needs sound which is not there yet waits, and the old one is heard on.
//! Every change is a straight ramp of [`RAMP`] frames: start, stop, volume, and a jump, where what was
//! heard goes down (copied aside when the jump is made) while the new place comes up.

use super::block::{BLOCK_FRAMES, Block, Shelf, Table};
use super::gain::Gain;
use rtrb::{Consumer, Producer};

/// 5 ms.
pub(super) const RAMP: usize = 240;
/// So much is there before sound starts at a new place or after a gap: 0.35 s. Decoding it takes a few milliseconds,
/// and the loader may then be kept from its work for so long. Not more than the cue point keeps.
const MARGIN: usize = 16_800;
/// Blocks looked into for [`MARGIN`].
const MARGIN_BLOCKS: u64 = MARGIN.div_ceil(BLOCK_FRAMES) as u64 + 1;
/// New blocks taken in for one buffer, 25 µs at most: all that can be on their way, so that a new place never
/// waits behind what was read ahead for the old one.
const ARRIVALS_AT_ONCE: usize = 512;

/// Sounds that run side by side under the one clock: the track itself, then its four stems.
pub(super) const SOURCES: usize = 5;
/// The gain of each source.
pub(super) type Levels = [f32; SOURCES];
/// The track as it is.
pub(super) const ORIGINAL: Levels = [1.0, 0.0, 0.0, 0.0, 0.0];

/// What is to be played: the whole wish each time, so that the newest one says everything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Order {
    /// Which track, in the order of loading; 0 for none.
    pub(super) epoch: u32,
    /// Counts the jumps: a new number means to go to `to`.
    pub(super) jump: u64,
    pub(super) to: u64,
    pub(super) run: bool,
    /// The sound has faded out at this frame.
    pub(super) until: u64,
    pub(super) volume: f32,
    pub(super) levels: Levels,
    /// Which set of stems the levels are about, in the order of loading.
    pub(super) set: u32,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            epoch: 0,
            jump: 0,
            to: 0,
            run: false,
            until: u64::MAX,
            volume: 1.0,
            levels: ORIGINAL,
            set: 0,
        }
    }
}

/// What the loader brings.
#[derive(Debug)]
pub(super) enum Arrival {
    Block {
        source: usize,
        shelf: Shelf,
        block: Block,
    },
    /// The track has so many frames.
    End { epoch: u32, frames: u64 },
}

/// What one buffer was: it ran from a place for some frames, and stood still for the rest.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not exclude each other"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Passage {
    pub(super) epoch: u32,
    pub(super) jump: u64,
    pub(super) from: u64,
    pub(super) ran: u64,
    /// Should have run and could not.
    pub(super) starved: bool,
    pub(super) ended: bool,
    /// Stopped where the order says.
    pub(super) held: bool,
    /// The place that is played is there.
    pub(super) ready: bool,
}

#[derive(Debug)]
pub(super) struct Mixer {
    orders: Consumer<Order>,
    arrivals: Consumer<Arrival>,
    /// Used blocks go back to the loader: nothing is freed here.
    returns: Producer<Block>,
    sources: Vec<Table>,
    /// One for each source; what of `order` was taken up.
    gains: [Gain; SOURCES],
    /// The set of stems that is read: another is taken up when nothing of this one is heard.
    set: u32,
    order: Order,
    /// The frame of the track that comes next.
    clock: u64,
    /// Of which track, and its length.
    end: Option<(u32, u64)>,
    ended: bool,
    /// Steps of the start and stop ramp taken: 0 is silent, [`RAMP`] is open.
    gate: usize,
    /// Something was played since the last jump.
    primed: bool,
    /// The sound has started, and has not run out since.
    flows: bool,
    /// What was heard before the last jump, going down.
    tail: [[f32; 2]; RAMP],
    /// How much of it has been played.
    tail_at: usize,
    volume: Gain,
}

impl Mixer {
    pub(super) fn new(
        sources: usize,
        orders: Consumer<Order>,
        arrivals: Consumer<Arrival>,
        returns: Producer<Block>,
    ) -> Self {
        Self {
            orders,
            arrivals,
            returns,
            sources: (0..sources.min(SOURCES)).map(Table::new).collect(),
            gains: ORIGINAL.map(Gain::steady),
            set: 0,
            order: Order::default(),
            clock: 0,
            end: None,
            ended: false,
            gate: 0,
            primed: false,
            flows: false,
            tail: [[0.0; 2]; RAMP],
            tail_at: RAMP,
            volume: Gain::steady(1.0),
        }
    }

    /// Fills `out` (interleaved stereo, any length) with what comes next.
    pub(super) fn render(&mut self, out: &mut [f32]) -> Passage {
        self.take_orders();
        self.take_arrivals(ARRIVALS_AT_ONCE);
        self.take_levels();
        let (out, odd) = out.as_chunks_mut::<2>();
        odd.fill(0.0);
        out.fill([0.0; 2]);
        let from = self.clock;
        let starved = self.run(out);
        self.add_tail(out);
        self.volume.apply(out);
        Passage {
            from,
            ran: self.clock - from,
            starved,
            ..self.standing()
        }
    }

    /// Takes in what waits while nothing is to be heard: no ramps.
    pub(super) fn settle(&mut self) -> Passage {
        self.take_orders();
        self.take_arrivals(usize::MAX);
        self.interrupt();
        self.take_levels();
        let epochs: [u32; SOURCES] = std::array::from_fn(|source| self.epoch_of(source));
        for (table, epoch) in self.sources.iter_mut().zip(epochs) {
            while !self.returns.is_full()
                && let Some(block) = table.take_stale(epoch)
            {
                let room = self.returns.push(block);
                debug_assert!(room.is_ok(), "there was room");
            }
        }
        self.standing()
    }

    /// The device went away: what is heard next comes up from silence.
    pub(super) fn interrupt(&mut self) {
        self.gate = 0;
        self.tail_at = RAMP;
        self.volume.arrive();
        for gain in &mut self.gains {
            gain.arrive();
        }
    }

    fn standing(&self) -> Passage {
        let (frames, ends) = self.ahead(2);
        Passage {
            epoch: self.order.epoch,
            jump: self.order.jump,
            from: self.clock,
            ran: 0,
            starved: false,
            ended: self.ended,
            held: self.until_stop() == 0 && self.gate == 0,
            ready: ends || frames > RAMP,
        }
    }

    fn take_orders(&mut self) {
        while let Ok(order) = self.orders.pop() {
            if order.jump != self.order.jump || order.epoch != self.order.epoch {
                self.leave();
                self.clock = order.to;
            }
            self.volume.aim_at(order.volume);
            self.order = order;
        }
    }

    /// Goes over to the levels of the order when all that they need is there, or nothing is heard anyway.
    fn take_levels(&mut self) {
        let is_silent = self.gate == 0;
        if self.set != self.order.set {
            // What is heard of the set before fades out first, into the track itself.
            let is_heard = self.gains.iter().skip(1).any(|gain| !gain.is_silent());
            if is_heard && !is_silent {
                for (gain, level) in self.gains.iter_mut().zip(ORIGINAL) {
                    gain.aim_at(level);
                }
                return;
            }
            self.set = self.order.set;
        }
        let lacks = |source: usize, level: f32| {
            let (there, ends) = self.ahead_of(source, MARGIN_BLOCKS);
            level > 0.0 && !ends && there <= MARGIN
        };
        let levels = self.order.levels;
        let mut sources = (0..self.sources.len()).zip(levels);
        if !is_silent && sources.any(|(source, level)| lacks(source, level)) {
            return;
        }
        for (gain, level) in self.gains.iter_mut().zip(levels) {
            gain.aim_at(level);
            if is_silent {
                gain.arrive();
            }
        }
    }

    /// Copies aside what would have been heard next, going down.
    fn leave(&mut self) {
        let mut tail = [[0.0; 2]; RAMP];
        let rest = self.tail.get(self.tail_at..).unwrap_or_default();
        for (to, from) in tail.iter_mut().zip(rest) {
            *to = *from;
        }
        let (frames, _) = self.ahead(2);
        let frames = frames.min(RAMP);
        if self.gate > 0 && frames > 0 {
            let mut heard = [[0.0; 2]; RAMP];
            let heard = heard.get_mut(..frames).unwrap_or_default();
            self.read(heard);
            let level = self.gate as f32 / RAMP as f32;
            for (step, (to, from)) in tail.iter_mut().zip(heard).enumerate() {
                let down = (frames - 1 - step) as f32 / frames as f32;
                to[0] += from[0] * level * down;
                to[1] += from[1] * level * down;
            }
        }
        self.tail = tail;
        self.tail_at = 0;
        self.gate = 0;
        self.primed = false;
        self.flows = false;
        self.ended = false;
    }

    fn take_arrivals(&mut self, most: usize) {
        for _ in 0..most {
            if self.returns.is_full() {
                return;
            }
            match self.arrivals.pop() {
                Ok(Arrival::Block {
                    source,
                    shelf,
                    block,
                }) => {
                    let old = match self.sources.get_mut(source) {
                        Some(table) => table.put(shelf, block),
                        None => Some(block),
                    };
                    if let Some(old) = old {
                        let room = self.returns.push(old);
                        debug_assert!(room.is_ok(), "there was room");
                    }
                }
                Ok(Arrival::End { epoch, frames }) => self.end = Some((epoch, frames)),
                Err(_empty) => return,
            }
        }
    }

    /// Adds the sources from the clock on. `true` when there should have been more of them.
    fn run(&mut self, out: &mut [[f32; 2]]) -> bool {
        let mut rest = out;
        while !rest.is_empty() {
            let (blocks, least) = if self.flows {
                (2, RAMP)
            } else {
                (MARGIN_BLOCKS, MARGIN)
            };
            let (ahead, ends) = self.ahead(blocks);
            let wants = self.order.run && !self.ended && self.until_stop() > 0;
            if wants && ends && ahead == 0 {
                self.ended = true;
                self.gate = 0;
                return false;
            }
            let opens = wants && (ends || ahead > least);
            let frames = if opens {
                (ahead - if ends { 0 } else { RAMP }).min(self.until_stop())
            } else {
                ahead.min(self.gate)
            };
            if frames == 0 {
                self.gate = 0;
                self.flows &= !wants;
                return wants && self.primed;
            }
            let (now, later) = rest.split_at_mut(frames.min(rest.len()));
            self.read(now);
            self.clock += now.len() as u64;
            for gain in &mut self.gains {
                gain.advance(now.len());
            }
            self.ramp(now, opens);
            self.primed |= opens;
            self.flows |= opens;
            rest = later;
        }
        false
    }

    /// Frames until the fade-out that the order asks for.
    fn until_stop(&self) -> usize {
        let left = self.order.until.saturating_sub(self.clock);
        usize::try_from(left)
            .unwrap_or(usize::MAX)
            .saturating_sub(RAMP)
    }

    /// Frames of all that is to be heard that are there without a gap, looking into so many blocks, and whether the track
    /// ends after them. The track itself is always among them: its length is the length of all.
    fn ahead(&self, blocks: u64) -> (usize, bool) {
        let heard = |source: &usize| {
            let aim = self.gains.get(*source).map_or(0.0, Gain::aim);
            *source == 0 || aim > 0.0
        };
        (0..self.sources.len())
            .filter(heard)
            .map(|source| self.ahead_of(source, blocks))
            .min_by_key(|(there, _)| *there)
            .unwrap_or((0, false))
    }

    /// What the blocks of a source are marked with.
    fn epoch_of(&self, source: usize) -> u32 {
        if source == 0 {
            self.order.epoch
        } else {
            self.set
        }
    }

    fn ahead_of(&self, source: usize, blocks: u64) -> (usize, bool) {
        let epoch = self.epoch_of(source);
        let left = match self.end {
            Some((of, frames)) if of == self.order.epoch => {
                usize::try_from(frames.saturating_sub(self.clock)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        };
        let index = self.clock / BLOCK_FRAMES as u64;
        let into = (self.clock % BLOCK_FRAMES as u64) as usize;
        let mut there = 0;
        for index in index..index.saturating_add(blocks) {
            let block = self
                .sources
                .get(source)
                .and_then(|table| table.get(epoch, index));
            let frames = block.map_or(0, |block| block.frames);
            there += frames;
            if frames < BLOCK_FRAMES {
                break;
            }
        }
        let there = there.saturating_sub(into);
        (there.min(left), there >= left)
    }

    /// Sums the sources over `out`, from the clock on, whose frames are known to be there.
    fn read(&self, out: &mut [[f32; 2]]) {
        let mut done = 0;
        let mut rest = out;
        while !rest.is_empty() {
            let at = self.clock + done as u64;
            let index = at / BLOCK_FRAMES as u64;
            let into = (at % BLOCK_FRAMES as u64) as usize;
            let (now, later) = rest.split_at_mut((BLOCK_FRAMES - into).min(rest.len()));
            now.fill([0.0; 2]);
            for (source, (table, gain)) in self.sources.iter().zip(&self.gains).enumerate() {
                if gain.is_silent() {
                    continue;
                }
                let Some(block) = table.get(self.epoch_of(source), index) else {
                    continue;
                };
                let frames = block.samples.as_chunks::<2>().0;
                gain.add(done, now, frames.get(into..).unwrap_or_default());
            }
            done += now.len();
            rest = later;
        }
    }

    fn ramp(&mut self, out: &mut [[f32; 2]], opens: bool) {
        for frame in out {
            if opens && self.gate == RAMP {
                return;
            }
            self.gate = if opens {
                self.gate + 1
            } else {
                self.gate.saturating_sub(1)
            };
            let level = self.gate as f32 / RAMP as f32;
            frame[0] *= level;
            frame[1] *= level;
        }
    }

    fn add_tail(&mut self, out: &mut [[f32; 2]]) {
        let rest = self.tail.get(self.tail_at..).unwrap_or_default();
        let frames = rest.len().min(out.len());
        for (out, tail) in out.iter_mut().zip(rest) {
            out[0] += tail[0];
            out[1] += tail[1];
        }
        self.tail_at += frames;
    }
}
