//! Sound as pieces of fixed size, and the table in which the mixer finds them.

/// Frames of a block: 171 ms.
pub(super) const BLOCK_FRAMES: usize = 8_192;
/// Blocks around the place that is played: 65 s, 25 MB.
pub(super) const WINDOW_BLOCKS: usize = 384;
/// Blocks kept at the cue point. Half a second touches at most so many.
pub(super) const CUE_BLOCKS: usize = 4;

/// A piece of stereo sound at the rate of the frame clock. Moving one costs a few words.
#[derive(Debug)]
pub(super) struct Block {
    /// Which track, in the order of loading.
    pub(super) epoch: u32,
    /// Its first frame is `index · BLOCK_FRAMES`.
    pub(super) index: u64,
    /// Fewer than [`BLOCK_FRAMES`] only where the track ends.
    pub(super) frames: usize,
    /// Interleaved, room for [`BLOCK_FRAMES`].
    pub(super) samples: Box<[f32]>,
}

impl Block {
    pub(super) fn empty() -> Self {
        Self {
            epoch: 0,
            index: 0,
            frames: 0,
            samples: vec![0.0; BLOCK_FRAMES * 2].into_boxed_slice(),
        }
    }
}

/// Where a block is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Window,
    Cue,
}

impl Shelf {
    /// Blocks that stand a whole shelf apart share a place: the newer one takes it.
    pub(super) fn place(self, index: u64) -> usize {
        let places = match self {
            Self::Window => WINDOW_BLOCKS,
            Self::Cue => CUE_BLOCKS,
        };
        (index % places as u64) as usize
    }
}

/// The blocks of one source.
#[derive(Debug)]
pub(super) struct Table {
    window: Vec<Option<Block>>,
    cue: Vec<Option<Block>>,
}

impl Default for Table {
    fn default() -> Self {
        let places = |count| std::iter::repeat_with(|| None).take(count).collect();
        Self {
            window: places(WINDOW_BLOCKS),
            cue: places(CUE_BLOCKS),
        }
    }
}

impl Table {
    /// Gives back the block that had the place.
    pub(super) fn put(&mut self, shelf: Shelf, block: Block) -> Option<Block> {
        let place = shelf.place(block.index);
        let places = match shelf {
            Shelf::Window => &mut self.window,
            Shelf::Cue => &mut self.cue,
        };
        match places.get_mut(place) {
            Some(old) => old.replace(block),
            None => Some(block),
        }
    }

    pub(super) fn get(&self, epoch: u32, index: u64) -> Option<&Block> {
        let at = |places: &'_ [Option<Block>], shelf: Shelf| -> Option<usize> {
            let place = shelf.place(index);
            let block = places.get(place)?.as_ref()?;
            (block.epoch == epoch && block.index == index).then_some(place)
        };
        if let Some(place) = at(&self.window, Shelf::Window) {
            return self.window.get(place)?.as_ref();
        }
        let place = at(&self.cue, Shelf::Cue)?;
        self.cue.get(place)?.as_ref()
    }

    /// Takes out one block of another track, if there is any.
    pub(super) fn take_stale(&mut self, epoch: u32) -> Option<Block> {
        self.window
            .iter_mut()
            .chain(&mut self.cue)
            .find(|place| place.as_ref().is_some_and(|block| block.epoch != epoch))
            .and_then(Option::take)
    }
}
