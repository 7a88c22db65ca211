//! What starts beside the window, each on a thread of its own: the library and the player.

use super::Opening;
use super::hearing::Hearing;
use super::waker::Waker;
use crate::settings::Settings;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Instant;
use tonearm_core::core_loop::{Config, Core, StartError};
use tonearm_core::playback::Player;
use tonearm_core::setup::Places;
use tonearm_core::store::StoreError;

/// Something that a thread is making.
#[derive(Debug)]
pub(super) enum Coming<T> {
    Awaited(Receiver<T>),
    /// Taken, or never to come.
    Over,
}

impl<T> Coming<T> {
    /// What has come since the last look, once.
    pub(super) fn take(&mut self) -> Option<T> {
        let Self::Awaited(receiver) = self else {
            return None;
        };
        let came = receiver.try_recv();
        if !matches!(came, Err(TryRecvError::Empty)) {
            *self = Self::Over;
        }
        came.ok()
    }

    /// Waits for what comes, on a thread that may.
    pub(super) fn wait(self) -> Option<T> {
        match self {
            Self::Awaited(receiver) => receiver.recv().ok(),
            Self::Over => None,
        }
    }

    pub(super) fn is_awaited(&self) -> bool {
        matches!(self, Self::Awaited(_))
    }
}

/// Makes something on a thread and wakes the window when it is there.
pub(super) fn make<T: Send + 'static>(
    name: &str,
    waker: &Waker,
    making: impl FnOnce() -> T + Send + 'static,
) -> Coming<T> {
    let (outlet, receiver) = sync_channel(1);
    let waker = waker.clone();
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            if outlet.try_send(making()).is_ok() {
                waker.wake_now();
            }
        });
    match thread {
        Ok(_detached) => Coming::Awaited(receiver),
        Err(error) => {
            tracing::error!(%error, name, "a thread could not be started");
            Coming::Over
        }
    }
}

pub(super) fn open_library(
    opening: &Opening,
    settings: &Settings,
    waker: &Waker,
    hearing: &Hearing,
) -> Coming<Result<Core, StartError>> {
    let config = Config {
        library: opening.library.clone(),
        eager: settings.analyze_on_import,
        or_read: false,
        slots: settings.jobs,
        places: Places {
            python: settings.python.clone(),
            ..opening.places.clone()
        },
    };
    let (wakes, hearing) = (waker.clone(), hearing.clone());
    make("open library", waker, move || {
        let start = Instant::now();
        let tells = wakes.clone();
        let core = Core::start(
            &config,
            move || wakes.wake(),
            move |event| {
                hearing.hear(event);
                tells.wake();
            },
        );
        if let Ok(core) = &core {
            core.store().stays_open();
        }
        tracing::info!(
            tracks = core.as_ref().map_or(0, |core| core.view().rows.len()),
            ms = start.elapsed().as_millis() as u64,
            "library opened"
        );
        core
    })
}

pub(super) fn start_player(waker: &Waker) -> Coming<io::Result<Player>> {
    let wakes = waker.clone();
    make("start player", waker, move || {
        Player::start(move || wakes.wake_now())
    })
}

/// Why the library is not open, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) headline: &'static str,
    /// What happened, as it was told.
    pub(super) reason: String,
    pub(super) remedy: String,
    /// Another try may well succeed.
    pub(super) may_pass: bool,
}

/// Says what keeps the library in `folder` closed, and what to do.
pub(super) fn trouble(error: &StartError, folder: &Path) -> Trouble {
    let at = folder.display();
    let (headline, remedy, may_pass) = match error {
        StartError::Store(StoreError::Locked { .. }) => (
            "The library is in use",
            "Only one program at a time may write to a library. Close the other one and try again, or go on there."
                .to_owned(),
            true,
        ),
        StartError::Store(StoreError::Newer { .. }) => (
            "This library needs a newer Tonearm",
            "Nothing was changed. Install the newer version, or choose another library with --library.".to_owned(),
            false,
        ),
        StartError::Store(StoreError::Damaged {
            backup: Some(backup),
            ..
        }) => (
            "The library is damaged",
            format!(
                "Your music is untouched. Put the newest backup in its place with\n\ntonearm restore {}",
                backup.display()
            ),
            true,
        ),
        StartError::Store(StoreError::Damaged { backup: None, .. }) => (
            "The library is damaged",
            format!("Your music is untouched. There is no backup: move {at} away and bring your music in again."),
            true,
        ),
        StartError::Store(StoreError::ReadOnly { .. }) => (
            "The library can only be read",
            format!("Nothing can be written to {at}. Change its permissions, or copy it and open the copy with --library. In a terminal, tonearm list, show and export work as it is."),
            true,
        ),
        StartError::Store(StoreError::Full { .. }) => (
            "The disk is full",
            "Nothing was changed. Make room on the drive of the library and try again.".to_owned(),
            true,
        ),
        StartError::Store(_) => (
            "The library cannot be opened",
            format!("Check the drive and the permissions of {at}, then try again."),
            true,
        ),
        StartError::Thread(_) => (
            "The system has no room for another thread",
            "Close other programs and try again.".to_owned(),
            true,
        ),
    };
    Trouble {
        headline,
        reason: error.to_string(),
        remedy,
        may_pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn who_waits_gets_what_comes_and_waits_for_nothing_that_never_comes() {
        let (go, gone) = channel::<()>();
        let coming = make("test", &Waker::default(), move || gone.recv().is_ok());
        go.send(()).unwrap();
        assert_eq!(coming.wait(), Some(true));
        assert_eq!(Coming::<bool>::Over.wait(), None);
        let coming = make("test", &Waker::default(), || -> bool {
            std::panic::resume_unwind(Box::new(()))
        });
        assert_eq!(coming.wait(), None);
    }
}
