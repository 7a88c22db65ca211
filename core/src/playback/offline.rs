//! The player without a device: the same mixer and loader, as fast as the disk gives.

use super::block::Block;
use super::loader::{LANES, Loaded, Loader, Wish};
use super::mixer::{Arrival, Mixer, Order, SOURCES};
use super::{RATE, StemMix};
use crate::failure::Failure;
use crate::stems::StemFiles;
use crate::units::Secs;
use rtrb::{Producer, RingBuffer};
use std::path::Path;
use std::sync::Arc;

/// Renders what the player would send to a stereo device of floats at [`RATE`].
pub struct Offline {
    loader: Loader,
    mixer: Mixer,
    orders: Producer<Order>,
    order: Order,
    wish: Wish,
    duration: Secs,
    trouble: Option<Failure>,
    ended: bool,
}

impl std::fmt::Debug for Offline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offline")
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

impl Offline {
    /// Plays from `from` to `until` or the end.
    pub fn open(path: &Path, from: Secs, until: Option<Secs>) -> Result<Self, Failure> {
        let (orders, to_mixer) = RingBuffer::new(4);
        let (arrivals, arriving) = RingBuffer::<Arrival>::new(LANES);
        let (returning, returns) = RingBuffer::<Block>::new(LANES);
        let frame = |secs: Secs| (secs.0.max(0.0) * f64::from(RATE)).round() as u64;
        let from = frame(from);
        let mut offline = Self {
            loader: Loader::new(arrivals, returns),
            mixer: Mixer::new(SOURCES, to_mixer, arriving, returning),
            orders,
            order: Order {
                epoch: 1,
                jump: 1,
                to: from,
                run: true,
                until: until.map_or(u64::MAX, frame),
                ..Order::default()
            },
            wish: Wish {
                epoch: 1,
                path: path.to_owned(),
                stems: None,
                set: 0,
                focus: from,
                cue: from,
                quit: false,
            },
            duration: Secs(0.0),
            trouble: None,
            ended: false,
        };
        offline.send();
        // Opened, and the first block.
        offline.supply(2);
        match offline.trouble.take() {
            Some(failure) if offline.duration.0 == 0.0 => Err(failure),
            trouble => {
                offline.trouble = trouble;
                Ok(offline)
            }
        }
    }

    /// Plays stems in this mix instead of the whole track.
    pub fn set_stems(&mut self, files: &Arc<StemFiles>, mix: &StemMix) {
        self.wish.stems = Some(Arc::clone(files));
        self.wish.set += 1;
        self.order.set = self.wish.set;
        self.set_mix(mix);
    }

    pub fn set_mix(&mut self, mix: &StemMix) {
        self.order.levels = mix.levels();
        self.send();
    }

    /// Linear: 1 is the file's own level.
    pub fn set_volume(&mut self, volume: f32) {
        self.order.volume = volume;
        self.send();
    }

    pub fn seek(&mut self, to: Secs) {
        self.order.jump += 1;
        self.order.to = (to.0.max(0.0) * f64::from(RATE)).round() as u64;
        self.wish.focus = self.order.to;
        self.ended = false;
        self.send();
    }

    pub fn run(&mut self, run: bool) {
        self.order.run = run;
        self.send();
    }

    fn send(&mut self) {
        // The next render takes it; there are never four in between.
        if self.orders.push(self.order).is_err() {
            self.mixer.settle();
            self.ended |= self.orders.push(self.order).is_err();
        }
    }

    /// Decodes ahead, at most so many blocks.
    pub fn supply(&mut self, blocks: usize) {
        let Self {
            loader,
            wish,
            duration,
            trouble,
            ..
        } = self;
        let mut say = |news| match news {
            Loaded::Opened { duration: told, .. } => *duration = told,
            Loaded::Trouble { failure, .. } | Loaded::StemTrouble { failure, .. } => {
                *trouble = Some(failure);
            }
            Loaded::End { .. }
            | Loaded::Progress { .. }
            | Loaded::Waits { .. }
            | Loaded::Answers { .. } => {}
        };
        for _ in 0..blocks {
            if !loader.step(wish, &mut say) {
                return;
            }
        }
    }

    /// Fills `out` (interleaved stereo); tells how many frames of it are the track's, the others are silence.
    pub fn render(&mut self, out: &mut [f32]) -> usize {
        let passage = self.mixer.render(out);
        self.wish.focus = passage.from + passage.ran;
        self.ended = passage.ended || passage.held;
        passage.ran as usize
    }

    /// The last frame, or the place to stop at, has been rendered.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Blocks of memory that exist.
    #[cfg(test)]
    pub(super) fn blocks(&self) -> usize {
        self.loader.made()
    }

    /// Why it cannot be played on, or not to its end.
    pub fn trouble(&self) -> Option<&Failure> {
        self.trouble.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_refused_with_a_remedy() {
        let refused = Offline::open(Path::new("no/such/file.wav"), Secs(0.0), None).unwrap_err();
        assert!(!refused.remedy.is_empty());
    }
}
