//! The end: everything that runs is ended beside the frames, and the window waits no longer than makes sense.

use super::app::{App, Library};
use super::frame::PATIENT;
use super::start::{Coming, make};
use eframe::egui::{Context, ViewportCommand};
use std::time::{Duration, Instant};

/// Whoever has not ended by then is left behind: all that was finished is on the disk.
const PATIENCE: Duration = Duration::from_secs(15);
/// A copy of the library that is being made is not done by then.
const PATIENCE_FOR_COPY: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct Closing {
    since: Instant,
    patience: Duration,
    ended: Coming<()>,
    /// The window came back to say what it waits for.
    is_seen: bool,
}

impl Closing {
    pub(super) fn secs(&self) -> f32 {
        self.since.elapsed().as_secs_f32()
    }
}

impl App {
    /// Begins to close when asked to, and closes when everything has ended.
    pub(super) fn close_if_asked(&mut self, ctx: &Context) {
        let asked = ctx.input(|input| input.viewport().close_requested());
        let is_blind = self.is_blind();
        let Some(closing) = &mut self.closing else {
            if asked {
                self.begin_closing(ctx);
            }
            return;
        };
        let ended = closing.ended.take().is_some() || !closing.ended.is_awaited();
        if ended || closing.since.elapsed() > closing.patience {
            // The second time nobody holds the window back.
            self.let_go(ctx);
        } else {
            if asked {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            }
            if !closing.is_seen && !is_blind && closing.secs() > PATIENT {
                closing.is_seen = true;
                ctx.send_viewport_cmd(ViewportCommand::Visible(true));
            }
        }
        ctx.request_repaint_after(Duration::from_millis(50));
    }

    /// Closes the window, whatever still runs.
    pub(super) fn let_go(&mut self, ctx: &Context) {
        if let Some(closing) = &mut self.closing {
            closing.ended = Coming::Over;
        }
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    pub(super) fn begin_closing(&mut self, ctx: &Context) {
        ctx.send_viewport_cmd(ViewportCommand::CancelClose);
        self.remember_place(ctx);
        self.keeper.keep_now(&self.settings, &self.panels);
        let library = std::mem::replace(&mut self.library, Library::Closed);
        let player = self.player.take();
        let coming_player = std::mem::replace(&mut self.coming_player, Coming::Over);
        let patience = if self.errands.backup.is_awaited() {
            PATIENCE_FOR_COPY
        } else {
            PATIENCE
        };
        let backup = std::mem::replace(&mut self.errands.backup, Coming::Over);
        self.shelf.close();
        let ended = make("close", &self.waker, move || {
            // What reads the library goes before the library.
            let start = Instant::now();
            drop((player, coming_player));
            let player = start.elapsed();
            // A copy holds the library; the last to hold it ends it, and that must be here.
            drop(backup.wait());
            drop(library);
            tracing::debug!(?player, all = ?start.elapsed(), "ended");
        });
        self.closing = Some(Closing {
            since: Instant::now(),
            patience,
            ended,
            is_seen: false,
        });
        // Nobody has to watch; drawing the last frames would take longer than the end itself.
        ctx.send_viewport_cmd(ViewportCommand::Visible(false));
        ctx.request_repaint();
    }
}
