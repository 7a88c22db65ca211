//! Keeps the listing up to date: small libraries at once, large ones on a thread of its own, so that no frame
//! waits for a sort.

use super::listing::{Listing, Wish};
use eframe::egui::{Context, ViewportId};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// Libraries up to this size are listed within the frame: about a millisecond.
const AT_ONCE: usize = 1500;

/// Seconds between two listings while a large library changes by itself.
const PAUSE: f64 = 0.3;

/// The thread that lists, as seen from the window.
struct Desk {
    wishes: SyncSender<(Wish, Context)>,
    listings: Receiver<Arc<Listing>>,
}

#[derive(Default)]
pub(super) struct Clerk {
    listing: Arc<Listing>,
    /// What the last listing was asked for.
    asked: Option<Wish>,
    desk: Option<Desk>,
    is_busy: bool,
    /// When the last was asked for, in seconds of the window's clock.
    asked_at: f64,
}

impl fmt::Debug for Clerk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clerk")
            .field("listed", &self.listing.len())
            .finish_non_exhaustive()
    }
}

impl Clerk {
    pub(super) fn listing(&self) -> &Arc<Listing> {
        &self.listing
    }

    /// Whether a newer listing is on its way.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Sees to it that what is wished for gets listed. `true` when the listing is another than before.
    pub(super) fn attend(&mut self, ctx: &Context, wish: &Wish) -> bool {
        let arrived = self.collect();
        if self.is_busy {
            return arrived;
        }
        let time = ctx.input(|input| input.time);
        if let Some(asked) = &self.asked {
            let asks_the_same = wish.asks_the_same(asked);
            if asks_the_same && wish.rows.is_same(&asked.rows) {
                return arrived;
            }
            let wait = self.asked_at + PAUSE - time;
            if asks_the_same && wish.rows.len() > AT_ONCE && wait > 0.0 {
                ctx.request_repaint_after_secs(wait as f32);
                return arrived;
            }
        }
        self.asked_at = time;
        let is_first = self.asked.is_none();
        self.asked = Some(wish.clone());
        if is_first || wish.rows.len() <= AT_ONCE || !self.hand_over(ctx, wish) {
            self.listing = Arc::new(Listing::of(wish, jiff::Timestamp::now()));
            return true;
        }
        arrived
    }

    /// Takes what the thread has finished.
    fn collect(&mut self) -> bool {
        let Some(desk) = &self.desk else {
            return false;
        };
        match desk.listings.try_recv() {
            Ok(listing) => {
                self.listing = listing;
                self.is_busy = false;
                true
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Disconnected) => {
                self.desk = None;
                self.is_busy = false;
                self.asked = None;
                false
            }
        }
    }

    /// `false` when there is no thread to be had.
    fn hand_over(&mut self, ctx: &Context, wish: &Wish) -> bool {
        if self.desk.is_none() {
            self.desk = open_desk();
        }
        let Some(desk) = &self.desk else {
            return false;
        };
        self.is_busy = desk.wishes.try_send((wish.clone(), ctx.clone())).is_ok();
        self.is_busy
    }
}

/// The thread ends when the window lets go of its end.
fn open_desk() -> Option<Desk> {
    let (wishes, wished) = sync_channel::<(Wish, Context)>(1);
    let (done, listings) = sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("listing".to_owned())
        .spawn(move || {
            while let Ok((wish, ctx)) = wished.recv() {
                let listing = Listing::of(&wish, jiff::Timestamp::now());
                if done.send(Arc::new(listing)).is_err() {
                    return;
                }
                // Whichever window is drawn at that moment, it is the main one that waits.
                ctx.request_repaint_of(ViewportId::ROOT);
            }
        });
    match thread {
        Ok(_ends_by_itself) => Some(Desk { wishes, listings }),
        Err(error) => {
            tracing::warn!(%error, "no thread for listing");
            None
        }
    }
}
