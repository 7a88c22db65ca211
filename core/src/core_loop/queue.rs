//! Tracks waiting for work, each at most once, in the order in which they were asked for; those whose long work waits
//! until nobody waits for quick work any more; and those that wait for models to work again.

use crate::core_loop::command::Extent;
use crate::track::TrackId;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// Tracks that may stand before all others: more than anybody would name by hand, few enough to be looked through.
const MOST_FIRST: usize = 4_096;

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

/// All that waits. A track may wait in both lanes.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    quick: Lane,
    slow: Lane,
    /// Not taken up until they are released.
    held: Lane,
    /// Before all others, quick or slow. A track stays here until it has waited in no lane for one look.
    first: VecDeque<TrackId>,
}

/// One that waits, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) track: TrackId,
    pub(crate) wish: &'a Wish,
    pub(crate) pace: Pace,
    pub(crate) is_first: bool,
    pub(crate) is_held: bool,
}

/// Which part of the queue is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    All,
    QuickOnly,
}

/// Which of the two a track waited in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Quick,
    Slow,
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.quick.len() + self.slow.len()
    }

    /// Whether nothing waits that could be taken up.
    pub(crate) fn is_empty(&self) -> bool {
        self.quick.is_empty() && self.slow.is_empty()
    }

    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// For long work that cannot be done at present.
    pub(crate) fn hold(&mut self, track: TrackId, wish: Wish) {
        self.held.push(track, wish);
    }

    /// All that is held waits for its turn again.
    pub(crate) fn release(&mut self) {
        while let Some((track, wish)) = self.held.pop_where(|_| true) {
            self.slow.push(track, wish);
        }
    }

    pub(crate) fn push(&mut self, track: TrackId, wish: Wish) {
        self.quick.push(track, wish);
    }

    /// For what is only done when no track waits for anything else.
    pub(crate) fn push_slow(&mut self, track: TrackId, wish: Wish) {
        self.slow.push(track, wish);
    }

    /// Puts a track back that could not start yet.
    pub(crate) fn push_front(&mut self, track: TrackId, wish: Wish, pace: Pace) {
        match pace {
            Pace::Quick => self.quick.push_front(track, wish),
            Pace::Slow => self.slow.push_front(track, wish),
        }
    }

    /// The first waiting track that `may_start`: those that stand before all others, then quick work before slow. The
    /// others keep their places.
    pub(crate) fn pop_where(
        &mut self,
        reach: Reach,
        mut may_start: impl FnMut(TrackId) -> bool,
    ) -> Option<(TrackId, Wish, Pace)> {
        self.first
            .retain(|track| self.quick.holds(*track) || self.slow.holds(*track));
        for track in self.first.iter().copied().filter(|track| may_start(*track)) {
            if let Some(wish) = self.quick.take(track) {
                return Some((track, wish, Pace::Quick));
            }
            if reach == Reach::All
                && let Some(wish) = self.slow.take(track)
            {
                return Some((track, wish, Pace::Slow));
            }
        }
        if let Some((track, wish)) = self.quick.pop_where(&mut may_start) {
            return Some((track, wish, Pace::Quick));
        }
        if reach == Reach::QuickOnly {
            return None;
        }
        let (track, wish) = self.slow.pop_where(may_start)?;
        Some((track, wish, Pace::Slow))
    }

    /// Those of these tracks that wait stand before all others from now on, in this order.
    pub(crate) fn prioritize(&mut self, tracks: &[TrackId]) {
        let mut named = HashSet::new();
        let mut first: VecDeque<TrackId> = tracks
            .iter()
            .copied()
            .filter(|track| self.quick.holds(*track) || self.slow.holds(*track))
            .filter(|track| named.insert(*track))
            .collect();
        first.extend(self.first.iter().filter(|track| !named.contains(*track)));
        first.truncate(MOST_FIRST);
        self.first = first;
    }

    /// The first of those that wait, in the order in which they will be taken up, as far as that can be told. Each
    /// lane for itself: a track that waits in both comes twice. What is held comes last.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let first: HashSet<TrackId> = self.first.iter().copied().collect();
        let of_first = self.first.iter().flat_map(|track| {
            [
                self.quick.place(*track, Pace::Quick, true),
                self.slow.place(*track, Pace::Slow, true),
            ]
        });
        let lanes = [(&self.quick, Pace::Quick), (&self.slow, Pace::Slow)];
        let others = lanes
            .into_iter()
            .flat_map(|(lane, pace)| lane.order.iter().map(move |track| (lane, pace, *track)))
            .filter(move |(_, _, track)| !first.contains(track))
            .map(|(lane, pace, track)| lane.place(track, pace, false));
        let held = self.held.order.iter().map(|track| {
            let place = self.held.place(*track, Pace::Slow, false)?;
            let is_held = true;
            Some(Place { is_held, ..place })
        });
        of_first.chain(others).chain(held).flatten()
    }

    /// These tracks no longer wait.
    pub(crate) fn remove(&mut self, tracks: &BTreeSet<TrackId>) {
        self.quick.remove(tracks);
        self.remove_slow(tracks);
    }

    /// These tracks no longer wait for long work.
    pub(crate) fn remove_slow(&mut self, tracks: &BTreeSet<TrackId>) {
        self.slow.remove(tracks);
        self.held.remove(tracks);
    }

    pub(crate) fn clear(&mut self) {
        self.quick.clear();
        self.slow.clear();
        self.held.clear();
        self.first.clear();
    }
}

#[derive(Debug, Default)]
struct Lane {
    order: VecDeque<TrackId>,
    wishes: HashMap<TrackId, Wish>,
}

impl Lane {
    fn len(&self) -> usize {
        self.wishes.len()
    }

    fn is_empty(&self) -> bool {
        self.wishes.is_empty()
    }

    fn push(&mut self, track: TrackId, wish: Wish) {
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

    fn push_front(&mut self, track: TrackId, wish: Wish) {
        if self.wishes.insert(track, wish).is_none() {
            self.order.push_front(track);
        }
    }

    fn pop_where(&mut self, mut may_start: impl FnMut(TrackId) -> bool) -> Option<(TrackId, Wish)> {
        let at = self.order.iter().position(|track| may_start(*track))?;
        let track = self.order.remove(at)?;
        let wish = self.wishes.remove(&track)?;
        Some((track, wish))
    }

    fn place(&self, track: TrackId, pace: Pace, is_first: bool) -> Option<Place<'_>> {
        let wish = self.wishes.get(&track)?;
        Some(Place {
            track,
            wish,
            pace,
            is_first,
            is_held: false,
        })
    }

    fn holds(&self, track: TrackId) -> bool {
        self.wishes.contains_key(&track)
    }

    fn take(&mut self, track: TrackId) -> Option<Wish> {
        let wish = self.wishes.remove(&track)?;
        self.order.retain(|other| *other != track);
        Some(wish)
    }

    fn remove(&mut self, tracks: &BTreeSet<TrackId>) {
        let before = self.wishes.len();
        self.wishes.retain(|track, _| !tracks.contains(track));
        if self.wishes.len() < before {
            self.order.retain(|track| !tracks.contains(track));
        }
    }

    fn clear(&mut self) {
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
        let (track, wish, _) = queue.pop_where(Reach::All, |_| true).unwrap();
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
            queue
                .pop_where(Reach::All, |track| track != TrackId(1))
                .unwrap()
                .0,
            TrackId(2)
        );
        assert_eq!(queue.pop_where(Reach::All, |_| true).unwrap().0, TrackId(1));
        assert_eq!(queue.pop_where(Reach::All, |_| true).unwrap().0, TrackId(3));
        assert_eq!(queue.pop_where(Reach::All, |_| true), None);
        assert!(queue.is_empty());
    }

    #[test]
    fn long_work_waits_for_the_quick_work_of_every_track() {
        let mut queue = Queue::default();
        queue.push_slow(TrackId(1), Wish::default());
        queue.push(TrackId(2), Wish::default());
        queue.push(TrackId(1), Wish::default());
        queue.push_slow(TrackId(3), Wish::default());
        let mut taken = Vec::new();
        while let Some((track, _, pace)) = queue.pop_where(Reach::All, |_| true) {
            if taken.is_empty() {
                queue.push_front(track, Wish::default(), pace);
                queue.push(TrackId(4), Wish::default());
                taken.push((TrackId(0), Pace::Quick));
                continue;
            }
            taken.push((track, pace));
        }
        let quick = [0, 2, 1, 4].map(|id| (TrackId(id), Pace::Quick));
        let slow = [1, 3].map(|id| (TrackId(id), Pace::Slow));
        assert_eq!(taken, [quick.as_slice(), &slow].concat());
        queue.push_slow(TrackId(5), Wish::default());
        queue.push(TrackId(5), Wish::default());
        assert_eq!(queue.len(), 2);
        queue.remove_slow(&[TrackId(5)].into());
        assert_eq!(queue.len(), 1);
        queue.remove(&[TrackId(5)].into());
        assert!(queue.is_empty());
    }

    #[test]
    fn what_is_held_is_shown_and_taken_up_once_it_is_released() {
        let mut queue = Queue::default();
        queue.hold(TrackId(1), only(Artifact::Stems, false));
        queue.hold(TrackId(2), Wish::default());
        queue.hold(TrackId(1), only(Artifact::Beats, true));
        queue.push_slow(TrackId(3), Wish::default());
        let shown: Vec<(u64, bool)> = queue
            .places()
            .map(|place| (place.track.0, place.is_held))
            .collect();
        assert_eq!(shown, [(3, false), (1, true), (2, true)]);
        assert_eq!((queue.len(), queue.held()), (1, 2));
        queue.pop_where(Reach::All, |_| true).unwrap();
        assert!(queue.is_empty(), "nothing that could be taken up");
        queue.remove(&[TrackId(2)].into());
        queue.release();
        let (track, wish, pace) = queue.pop_where(Reach::All, |_| true).unwrap();
        assert_eq!((track, pace, wish.force), (TrackId(1), Pace::Slow, true));
        assert!(wish.extent.names(Artifact::Stems) && wish.extent.names(Artifact::Beats));
        assert!(queue.is_empty());
        assert_eq!(queue.held(), 0);
    }

    #[test]
    fn whoever_is_named_first_goes_before_quick_and_slow_work_of_all_others() {
        let mut queue = Queue::default();
        for id in 1..=3 {
            queue.push(TrackId(id), Wish::default());
        }
        queue.push_slow(TrackId(4), Wish::default());
        queue.push_slow(TrackId(5), Wish::default());
        queue.prioritize(&[TrackId(5), TrackId(3), TrackId(5), TrackId(99)]);
        let shown: Vec<(u64, bool)> = queue
            .places()
            .map(|place| (place.track.0, place.is_first))
            .collect();
        let order = [(5, true), (3, true), (1, false), (2, false), (4, false)];
        assert_eq!(shown, order);
        let mut taken = Vec::new();
        while let Some((track, ..)) = queue.pop_where(Reach::All, |_| true) {
            taken.push(track.0);
        }
        assert_eq!(taken, [5, 3, 1, 2, 4]);
    }

    #[test]
    fn the_long_part_of_a_first_track_stays_first_and_does_not_hold_quick_work_up() {
        let mut queue = Queue::default();
        queue.push(TrackId(1), Wish::default());
        queue.push(TrackId(2), Wish::default());
        queue.prioritize(&[TrackId(2)]);
        let (track, wish, _) = queue.pop_where(Reach::All, |_| true).unwrap();
        assert_eq!(track, TrackId(2));
        queue.push_slow(track, wish);
        let quick = queue.pop_where(Reach::QuickOnly, |_| true).unwrap();
        assert_eq!((quick.0, quick.2), (TrackId(1), Pace::Quick));
        queue.push_front(quick.0, quick.1, quick.2);
        let next = queue.pop_where(Reach::All, |_| true).unwrap();
        assert_eq!((next.0, next.2), (TrackId(2), Pace::Slow));
    }
}
