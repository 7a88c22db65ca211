//! The handle that a running job shares with whoever watches or stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Cloning gives another handle on the same job.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    cancelled: AtomicBool,
    abandoned: AtomicBool,
    permille: AtomicU32,
}

/// The job was asked to stop; nothing it did is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl Control {
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Cancels it because everything ends: what it uses is of no use after it.
    pub fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
        self.cancel();
    }

    pub fn is_abandoned(&self) -> bool {
        self.0.abandoned.load(Ordering::Relaxed)
    }

    /// To be asked at least every few tens of milliseconds of work.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.0.cancelled.load(Ordering::Relaxed) {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    /// Tells how much is done, 0 to 1.
    pub fn set_progress(&self, done: f32) {
        let permille = (done.clamp(0.0, 1.0) * 1000.0) as u32;
        self.0.permille.store(permille, Ordering::Relaxed);
    }

    pub fn progress(&self) -> f32 {
        self.0.permille.load(Ordering::Relaxed) as f32 / 1000.0
    }
}
