//! An open library for one subcommand: the core, its events, Ctrl-C, and tracks by id or path.

use crate::cli::Context;
use crate::exit::Exit;
use crate::output::Output;
use crate::progress::Progress;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tonearm_core::control::Control;
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::event::Event;
use tonearm_core::core_loop::{Config, Core};
use tonearm_core::import::named;
use tonearm_core::row::Row;
use tonearm_core::setup::Places;

/// Events that may wait to be printed; more hold the core up.
const EVENTS: usize = 4096;
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// The platform's data folder.
pub(crate) fn default_dir() -> Result<PathBuf, Exit> {
    directories::ProjectDirs::from("org", "Tonearm", "tonearm")
        .map(|dirs| dirs.data_dir().join("library"))
        .ok_or_else(|| {
            Exit::Usage("there is no home folder: name a library with --library DIR".to_owned())
        })
}

/// Where environments and models lie: in the platform's cache folder, unless the environment says otherwise. Without
/// a home folder they go to the folder for temporary files.
pub(crate) fn places() -> Places {
    let cache = directories::ProjectDirs::from("org", "Tonearm", "tonearm").map_or_else(
        || std::env::temp_dir().join("tonearm-cache"),
        |dirs| dirs.cache_dir().to_path_buf(),
    );
    Places::here(cache)
}

pub(crate) struct Library {
    /// Dropped before the core: a core that ends must not wait for somebody to listen.
    events: Receiver<Event>,
    pub(crate) core: Core,
}

/// From now on Ctrl-C is a request to end. Before, it ends the program at once, as is right while nothing
/// can be half done.
pub(crate) fn interruptible() -> Control {
    // One for the whole run: a subcommand may do several things one after the other.
    static INTERRUPT: OnceLock<Control> = OnceLock::new();
    let control = INTERRUPT.get_or_init(|| {
        let control = Control::default();
        let cancelled = control.clone();
        if let Err(error) = ctrlc::set_handler(move || cancelled.cancel()) {
            tracing::warn!(%error, "no handler for Ctrl-C");
        }
        control
    });
    control.clone()
}

impl Library {
    pub(crate) fn open(context: &Context) -> Result<Self, Exit> {
        Self::open_at(context.library.clone())
    }

    pub(crate) fn open_at(library: PathBuf) -> Result<Self, Exit> {
        Self::open_woken(library, || ())
    }

    /// `wake` is called whenever there is something new to see.
    pub(crate) fn open_woken(
        library: PathBuf,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, Exit> {
        let (outlet, events) = sync_channel(EVENTS);
        let say = move |event| {
            if outlet.send(event).is_err() {
                tracing::debug!("an event that nobody waits for");
            }
        };
        let config = Config {
            library,
            eager: false,
            slots: None,
            places: places(),
        };
        let core = Core::start(&config, wake, say)?;
        let unreadable = core.unreadable().len();
        if unreadable > 0 {
            Output::note(&format!(
                "tonearm: {unreadable} records of the library cannot be read: see tonearm doctor"
            ));
        }
        Ok(Self { events, core })
    }

    /// Sends `command` and hands every event to `hear` until nothing is left to do.
    pub(crate) fn carry_out(
        &self,
        command: Command,
        quiet: bool,
        mut hear: impl FnMut(&Progress, Event) -> Result<(), Exit>,
    ) -> Result<(), Exit> {
        let mut progress = Progress::new(quiet);
        let mut cancelled = false;
        let mut followed = Instant::now();
        let interrupt = interruptible();
        if !self.core.send(command) {
            return Err(Exit::Failed("the core does not listen".to_owned()));
        }
        loop {
            match self.events.recv_timeout(REDRAW_EVERY) {
                Ok(Event::Idle) => break,
                Ok(event) => hear(&progress, event)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Exit::Failed("the core ended unexpectedly".to_owned()));
                }
            }
            // Also while one event follows the other.
            if followed.elapsed() >= REDRAW_EVERY {
                progress.follow(&self.core.view());
                followed = Instant::now();
            }
            if !cancelled && interrupt.check().is_err() {
                cancelled = self.core.send(Command::Cancel);
                self.core.store().give_up_daily_backup();
            }
        }
        if cancelled {
            Err(Exit::Interrupted)
        } else {
            Ok(())
        }
    }

    /// The track that `text` means: an id, an unambiguous beginning of one, or a path.
    pub(crate) fn track(&self, named: &OsStr) -> Result<Arc<Row>, Exit> {
        let view = self.core.view();
        let path = named::plain(Path::new(named));
        if let Some(row) = view
            .rows
            .iter()
            .find(|row| row.track.path.as_path() == path)
        {
            return Ok(Arc::clone(row));
        }
        let text = named.to_string_lossy();
        let prefix = text.to_lowercase();
        let is_id =
            (1..=16).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut fitting = view
            .rows
            .iter()
            .filter(|row| is_id && row.track.id.to_string().starts_with(&prefix));
        match (fitting.next(), fitting.next()) {
            (Some(row), None) => Ok(Arc::clone(row)),
            (Some(_), Some(_)) => Err(Exit::Failed(format!(
                "several tracks have ids that begin with {text}: give more of it"
            ))),
            (None, _) => Err(Exit::Failed(format!(
                "no track of the library has the id or path {text} (import it first, or see `tonearm list`)"
            ))),
        }
    }
}
