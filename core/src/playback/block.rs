//! Sound as pieces of fixed size, and the table in which the mixer finds them.

/// Frames of a block: 171 ms.
pub(super) const BLOCK_FRAMES: usize = 8_192;
/// Blocks around the place that is played: 65 s, 25 MB.
pub(super) const WINDOW_BLOCKS: usize = 384;
/// The same for a stem, which comes from a faster place: 22 s, 8 MB.
pub(super) const STEM_WINDOW_BLOCKS: usize = 128;
/// Blocks kept at the cue point. Half a second touches at most so many.
pub(super) const CUE_BLOCKS: usize = 4;

/// Blocks of one source around the place that is played.
pub(super) fn window_blocks(source: usize) -> usize {
    if source == 0 {
        WINDOW_BLOCKS
    } else {
        STEM_WINDOW_BLOCKS
    }
}

/// Blocks that stand a whole shelf apart share a place: the newer one takes it.
pub(super) fn place(index: u64, places: usize) -> usize {
    (index % places.max(1) as u64) as usize
}

/// A piece of stereo sound at the rate of the frame clock. Moving one costs a few words.
#[derive(Debug)]
pub(super) struct Block {
    /// Which track, or of stems which set, each in the order of loading.
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

/// The blocks of one source.
#[derive(Debug)]
pub(super) struct Table {
    window: Vec<Option<Block>>,
    cue: Vec<Option<Block>>,
}

impl Table {
    pub(super) fn new(source: usize) -> Self {
        let places = |count| std::iter::repeat_with(|| None).take(count).collect();
        Self {
            window: places(window_blocks(source)),
            cue: places(CUE_BLOCKS),
        }
    }

    /// Gives back the block that had the place.
    pub(super) fn put(&mut self, shelf: Shelf, block: Block) -> Option<Block> {
        let places = match shelf {
            Shelf::Window => &mut self.window,
            Shelf::Cue => &mut self.cue,
        };
        let place = place(block.index, places.len());
        match places.get_mut(place) {
            Some(old) => old.replace(block),
            None => Some(block),
        }
    }

    pub(super) fn get<'a>(&'a self, epoch: u32, index: u64) -> Option<&'a Block> {
        let found = |places: &'a [Option<Block>]| {
            let block = places.get(place(index, places.len()))?.as_ref()?;
            (block.epoch == epoch && block.index == index).then_some(block)
        };
        found(&self.window).or_else(|| found(&self.cue))
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
