//! What is being read of a track and its stems, and what of it is missing most.

use super::Wish;
use crate::playback::block::{BLOCK_FRAMES, CUE_BLOCKS, Shelf, place, window_blocks};
use crate::playback::mixer::SOURCES;
use crate::stems::StemFiles;
use std::sync::Arc;

/// Blocks read ahead: 45 s.
const AHEAD: u64 = 264;
/// Blocks of a stem read ahead: 14 s.
const STEM_AHEAD: u64 = 80;
/// The half second from the cue point on.
const CUE_FRAMES: u64 = 24_000;
/// What is at the place itself: brought before all else, of every source.
const AT_ONCE: u64 = 4;

/// One source being read.
pub(super) struct Lane {
    pub(super) source: usize,
    /// What the mixer has, or will have when all is taken in.
    pub(super) window: Vec<Option<u64>>,
    pub(super) cue: Vec<Option<u64>>,
}

impl Lane {
    pub(super) fn new(source: usize) -> Self {
        Self {
            source,
            window: vec![None; window_blocks(source)],
            cue: vec![None; CUE_BLOCKS],
        }
    }

    pub(super) fn ahead(&self) -> u64 {
        if self.source == 0 { AHEAD } else { STEM_AHEAD }
    }

    fn places(&mut self, shelf: Shelf) -> &mut Vec<Option<u64>> {
        match shelf {
            Shelf::Window => &mut self.window,
            Shelf::Cue => &mut self.cue,
        }
    }

    fn lacks(&self, shelf: Shelf, index: u64) -> bool {
        let places = match shelf {
            Shelf::Window => &self.window,
            Shelf::Cue => &self.cue,
        };
        places.get(place(index, places.len())) != Some(&Some(index))
    }

    pub(super) fn note(&mut self, shelf: Shelf, index: u64) {
        let places = self.places(shelf);
        let at = place(index, places.len());
        if let Some(place) = places.get_mut(at) {
            *place = Some(index);
        }
    }
}

/// A block that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// Which of the open lanes.
    pub(super) lane: usize,
    pub(super) shelf: Shelf,
    pub(super) index: u64,
}

impl Gap {
    pub(super) fn first_frame(self) -> u64 {
        self.index.saturating_mul(BLOCK_FRAMES as u64)
    }
}

/// One track being read.
pub(super) struct Open {
    pub(super) epoch: u32,
    /// The track, and its stems where they are read.
    pub(super) lanes: Vec<Lane>,
    pub(super) stems: Option<Arc<StemFiles>>,
    pub(super) set: u32,
    pub(super) end: Option<u64>,
    /// Its file was asked for.
    pub(super) asked: bool,
    /// Cannot be read at all.
    pub(super) dead: bool,
}

impl Open {
    pub(super) fn new(epoch: u32) -> Self {
        Self {
            epoch,
            lanes: vec![Lane::new(0)],
            stems: None,
            set: 0,
            end: None,
            asked: epoch == 0,
            dead: epoch == 0,
        }
    }

    /// Reads other stems from now on, or none. Blocks of the ones before are replaced as far as they are needed.
    pub(super) fn take_stems(&mut self, stems: Option<Arc<StemFiles>>) {
        self.lanes.truncate(1);
        if stems.is_some() {
            self.lanes.extend((1..SOURCES).map(Lane::new));
        }
        self.stems = stems;
    }

    /// What is missing most: the sound at the place itself, the cue point, then all that comes, of all lanes alike.
    pub(super) fn next(&self, wish: &Wish) -> Option<Gap> {
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
        let missing = |shelf: Shelf, from: u64, to: &dyn Fn(&Lane) -> u64| {
            let gaps = self.lanes.iter().enumerate().filter_map(|(lane, open)| {
                let mut range = (from..to(open)).take_while(exists);
                let index = range.find(|&index| open.lacks(shelf, index))?;
                Some(Gap { lane, shelf, index })
            });
            gaps.min_by_key(|gap| gap.index)
        };
        missing(Shelf::Window, focus, &|_| focus.saturating_add(AT_ONCE))
            .or_else(|| missing(Shelf::Cue, first, &|_| last.saturating_add(1)))
            .or_else(|| {
                missing(Shelf::Window, focus, &|lane| {
                    focus.saturating_add(lane.ahead())
                })
            })
    }
}
