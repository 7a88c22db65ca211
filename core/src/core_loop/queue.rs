//! Tracks waiting for work, each at most once, in the order in which they were asked for.

use crate::core_loop::command::Extent;
use crate::track::TrackId;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// What is wanted of one waiting track.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Wish {
    pub(crate) extent: Extent,
    pub(crate) force: bool,
    /// The user named the track: what failed is tried again.
    pub(crate) named: bool,
}

impl Wish {
    /// Both wishes at once.
    fn join(&mut self, other: Self) {
        self.force |= other.force;
        self.named |= other.named;
        self.extent = match (std::mem::take(&mut self.extent), other.extent) {
            (Extent::Only(mut mine), Extent::Only(theirs)) => {
                mine.extend(theirs);
                Extent::Only(mine)
            }
            _ => Extent::Everything,
        };
    }
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    order: VecDeque<TrackId>,
    wishes: HashMap<TrackId, Wish>,
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.wishes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wishes.is_empty()
    }

    pub(crate) fn push(&mut self, track: TrackId, wish: Wish) {
        match self.wishes.entry(track) {
            std::collections::hash_map::Entry::Occupied(mut waiting) => {
                waiting.get_mut().join(wish);
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(wish);
                self.order.push_back(track);
            }
        }
    }

    /// Puts a track back that could not start yet.
    pub(crate) fn push_front(&mut self, track: TrackId, wish: Wish) {
        if self.wishes.insert(track, wish).is_none() {
            self.order.push_front(track);
        }
    }

    /// The first waiting track that `may_start`; the others keep their places.
    pub(crate) fn pop_where(
        &mut self,
        mut may_start: impl FnMut(TrackId) -> bool,
    ) -> Option<(TrackId, Wish)> {
        let at = self.order.iter().position(|track| may_start(*track))?;
        let track = self.order.remove(at)?;
        let wish = self.wishes.remove(&track)?;
        Some((track, wish))
    }

    /// These tracks no longer wait.
    pub(crate) fn remove(&mut self, tracks: &BTreeSet<TrackId>) {
        let before = self.wishes.len();
        self.wishes.retain(|track, _| !tracks.contains(track));
        if self.wishes.len() < before {
            self.order.retain(|track| !tracks.contains(track));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.order.clear();
        self.wishes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Artifact;

    fn only(artifact: Artifact, force: bool) -> Wish {
        Wish {
            extent: Extent::Only([artifact].into()),
            force,
            named: false,
        }
    }

    #[test]
    fn a_track_waits_once_and_its_wishes_add_up() {
        let mut queue = Queue::default();
        queue.push(TrackId(1), only(Artifact::Beats, false));
        queue.push(TrackId(2), Wish::default());
        queue.push(TrackId(1), only(Artifact::Key, true));
        assert_eq!(queue.len(), 2);
        let both = Extent::Only([Artifact::Beats, Artifact::Key].into());
        let (track, wish) = queue.pop_where(|_| true).unwrap();
        assert_eq!(
            (track, wish),
            (
                TrackId(1),
                Wish {
                    extent: both,
                    force: true,
                    named: false,
                }
            )
        );
    }

    #[test]
    fn a_track_that_may_not_start_keeps_its_place() {
        let mut queue = Queue::default();
        for id in 1..=3 {
            queue.push(TrackId(id), Wish::default());
        }
        assert_eq!(
            queue.pop_where(|track| track != TrackId(1)).unwrap().0,
            TrackId(2)
        );
        assert_eq!(queue.pop_where(|_| true).unwrap().0, TrackId(1));
        assert_eq!(queue.pop_where(|_| true).unwrap().0, TrackId(3));
        assert_eq!(queue.pop_where(|_| true), None);
        assert!(queue.is_empty());
    }
}
