//! Which fetched databases are held, so that all together stay small.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// Bytes of all databases that are held, of all players: as many as one may have.
pub(super) const MOST_HELD: u64 = 1 << 30;

/// Those that somebody holds, the oldest first, and how many bytes each takes.
#[derive(Debug)]
pub(super) struct Held<T>(VecDeque<(Weak<T>, u64)>);

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Held<T> {
    /// Makes room for so many bytes more: the oldest that have to go for that.
    #[must_use]
    pub(super) fn make_room(&mut self, bytes: u64) -> Vec<Arc<T>> {
        let most = MOST_HELD.saturating_sub(bytes);
        self.0.retain(|(held, _)| held.strong_count() > 0);
        let mut gone = Vec::new();
        while self.0.iter().map(|(_, bytes)| bytes).sum::<u64>() > most {
            let Some((oldest, _)) = self.0.pop_front() else {
                break;
            };
            gone.extend(oldest.upgrade());
        }
        gone
    }

    /// Holds another one, the youngest: those that have to go for it.
    #[must_use]
    pub(super) fn hold(&mut self, held: &Arc<T>, bytes: u64) -> Vec<Arc<T>> {
        let gone = self.make_room(bytes);
        self.0.push_back((Arc::downgrade(held), bytes));
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_oldest_go_when_all_together_are_more_than_a_gibibyte() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(Arc::new);
        let mut held = Held::default();
        assert!(held.hold(&a, 300 * MIB).is_empty());
        assert!(held.hold(&b, 300 * MIB).is_empty());
        assert!(held.hold(&c, 424 * MIB).is_empty(), "just as many");
        assert_eq!(held.make_room(1), [Arc::clone(&a)]);
        assert!(held.make_room(300 * MIB).is_empty(), "it went already");
        assert_eq!(held.hold(&d, 1024 * MIB), [b, c]);
        assert_eq!(held.make_room(1024 * MIB), [d]);
    }

    #[test]
    fn what_nobody_holds_any_more_takes_no_room() {
        let mut held = Held::default();
        let [gone, kept] = ["gone", "kept"].map(Arc::new);
        assert!(held.hold(&gone, 900 * MIB).is_empty());
        drop(gone);
        assert!(held.hold(&kept, 900 * MIB).is_empty());
    }
}
