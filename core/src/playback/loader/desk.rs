//! Where wishes are left for the loader, and where it waits.

use crate::stems::StemFiles;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// What should be in memory. Only the newest wish counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::playback) struct Wish {
    /// Which track, in the order of loading; 0 for none.
    pub(in crate::playback) epoch: u32,
    pub(in crate::playback) path: PathBuf,
    /// Its stems, where they are to be played as well.
    pub(in crate::playback) stems: Option<Arc<StemFiles>>,
    /// Which set of stems, in the order of loading.
    pub(in crate::playback) set: u32,
    /// The frame that is played.
    pub(in crate::playback) focus: u64,
    pub(in crate::playback) cue: u64,
    pub(in crate::playback) quit: bool,
}

/// Whoever leaves a wish here, or rings, never waits for the disk.
#[derive(Debug, Default)]
pub(in crate::playback) struct Desk {
    /// The wish, and whether anything is new since it was looked at.
    wish: Mutex<(Wish, bool)>,
    bell: Condvar,
}

/// How long the loader waits for news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl Desk {
    pub(in crate::playback) fn change(&self, change: impl FnOnce(&mut Wish)) {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut wish.0);
        wish.1 = true;
        self.bell.notify_one();
    }

    /// Something was read.
    pub(super) fn ring(&self) {
        self.change(|_| ());
    }

    /// The newest wish, at the latest when `patience` is over.
    pub(super) fn take(&self, patience: Patience) -> Wish {
        let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
        while !wish.1 {
            wish = match patience {
                Patience::None => break,
                Patience::Endless => self.bell.wait(wish).unwrap_or_else(PoisonError::into_inner),
                Patience::Until(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    let waited = self.bell.wait_timeout(wish, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        wish.1 = false;
        wish.0.clone()
    }
}
