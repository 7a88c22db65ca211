//! An open library for one subcommand: the core, its events, Ctrl-C, and tracks by id, path or name.

use crate::cli::Context;
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use crate::progress::Progress;
use crate::settings::{Settings, file};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tonearm_core::control::Control;
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::event::Event;
use tonearm_core::core_loop::view::View;
use tonearm_core::core_loop::{Config, Core, StartError};
use tonearm_core::import::named;
use tonearm_core::query::fold;
use tonearm_core::row::Row;
use tonearm_core::setup::Places;
use tonearm_core::store::StoreError;

/// Events that may wait to be printed; more hold the core up.
const EVENTS: usize = 4096;
const REDRAW_EVERY: Duration = Duration::from_millis(100);
/// How soon Ctrl-C is noticed.
const HEED_EVERY: Duration = Duration::from_millis(25);
/// How long a command waits for another to let go of the library: as long as short ones take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Tracks that are told of where a name means several.
const MOST_CANDIDATES: usize = 10;

/// The platform's data folder.
pub(crate) fn default_dir() -> Result<PathBuf, Exit> {
    directories::ProjectDirs::from("org", "Tonearm", "tonearm")
        .map(|dirs| dirs.data_dir().join("library"))
        .ok_or_else(|| {
            Exit::Usage("there is no home folder: name a library with --library DIR".to_owned())
        })
}

/// Where environments and models lie: in the platform's cache folder, unless the environment says otherwise. What lies
/// there is run: a folder that others can write to, as that for temporary files, will not do.
pub(crate) fn places() -> Result<Places, Exit> {
    let dirs = directories::ProjectDirs::from("org", "Tonearm", "tonearm");
    let places = Places::here(dirs.map(|dirs| dirs.cache_dir().to_path_buf()));
    let places = places.ok_or_else(|| {
        Exit::Usage("there is no home folder: name a cache folder with TONEARM_CACHE".to_owned())
    })?;
    let settings = file::Places::of_user().map(|user| user.settings);
    // The Python that was chosen in the window counts here too.
    let chosen = settings.and_then(|path| file::glance::<Settings>(&path).python);
    Ok(Places {
        python: chosen,
        ..places
    })
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

/// Opens the library, and waits a moment where another command has it: most are about to end. A window is not, and is
/// not waited for.
pub(crate) fn patiently<T>(
    quiet: bool,
    mut open: impl FnMut() -> Result<T, StartError>,
) -> Result<T, Exit> {
    let began = Instant::now();
    let mut told = quiet;
    loop {
        match open() {
            Err(StartError::Store(StoreError::Locked {
                holder,
                stays: false,
            })) if began.elapsed() < PATIENCE => {
                if !told {
                    let secs = PATIENCE.as_secs();
                    Output::note(&format!(
                        "tonearm: waiting up to {secs} s for the library, in use by {holder}"
                    ));
                    told = true;
                }
                std::thread::sleep(LOOK_EVERY);
            }
            ended => return Ok(ended?),
        }
    }
}

/// What a library is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Work,
    /// To see what is there, also where nothing can be written.
    Look,
}

impl Library {
    pub(crate) fn open(context: &Context) -> Result<Self, Exit> {
        Self::open_at(context, context.library.clone())
    }

    /// Also where nothing can be written to it, which is told.
    pub(crate) fn open_to_look(context: &Context) -> Result<Self, Exit> {
        let library = Self::start(context, context.library.clone(), Access::Look, || ())?;
        if library.core.store().is_read_only() && !context.output.quiet {
            Output::note("tonearm: nothing can be written to this library: it is only read");
        }
        Ok(library)
    }

    pub(crate) fn open_at(context: &Context, library: PathBuf) -> Result<Self, Exit> {
        Self::open_woken(context, library, || ())
    }

    /// `wake` is called whenever there is something new to see.
    pub(crate) fn open_woken(
        context: &Context,
        library: PathBuf,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, Exit> {
        Self::start(context, library, Access::Work, wake)
    }

    fn start(
        context: &Context,
        library: PathBuf,
        access: Access,
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
            or_read: access == Access::Look,
            slots: None,
            places: places()?,
        };
        let wake = Arc::new(wake);
        let core = patiently(context.output.quiet, || {
            let wake = Arc::clone(&wake);
            Core::start(&config, move || wake(), say.clone())
        })?;
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
            match self.events.recv_timeout(HEED_EVERY) {
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
                cancelled = self.core.send(Command::End);
                self.core.store().give_up_daily_backup();
            }
        }
        if cancelled {
            Err(Exit::Interrupted)
        } else {
            Ok(())
        }
    }

    /// The track that `named` means: a path, an id, or what one track alone has: the beginning of its id, the whole name of
    /// its file or its title.
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
        if let Some(row) = view
            .rows
            .iter()
            .find(|row| row.track.id.to_string().eq_ignore_ascii_case(&text))
        {
            return Ok(Arc::clone(row));
        }
        // A file that is there and not in the library is not another one that is called so.
        if path.is_file() {
            return Err(unknown(&text));
        }
        named_so(&view, &text)
    }
}

/// The one track whose id begins with `name`, or whose file, with or without its ending, or title is called so, in
/// whatever case. What could be the one or the other is for the user to say: a title may well look like an id.
fn named_so(view: &View, name: &str) -> Result<Arc<Row>, Exit> {
    let (wanted, prefix) = (fold(name), name.to_lowercase());
    let is_id = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is = |text: &OsStr| fold(&text.to_string_lossy()) == wanted;
    let fits = |row: &&Arc<Row>| {
        let (path, title) = (row.track.path.as_path(), row.track.tags.title.as_deref());
        (is_id && row.track.id.to_string().starts_with(&prefix))
            || [path.file_name(), path.file_stem()]
                .into_iter()
                .flatten()
                .any(is)
            || title.is_some_and(|title| fold(title) == wanted)
    };
    let fitting: Vec<&Arc<Row>> = view.rows.iter().filter(fits).collect();
    let more = fitting.len().saturating_sub(MOST_CANDIDATES);
    match fitting.as_slice() {
        [] => Err(unknown(name)),
        [row] => Ok(Arc::clone(row)),
        several => {
            let mut lines = vec![format!(
                "several tracks are called {name}, or have ids that begin so: name one by its whole id"
            )];
            lines.extend(several.iter().take(MOST_CANDIDATES).map(|row| {
                let path = row.track.path.as_path().display().to_string();
                format!("  {}  {}", row.track.id, format::fit(&path, 300))
            }));
            if more > 0 {
                lines.push(format!("  … and {more} more"));
            }
            Err(Exit::Failed(lines.join("\n")))
        }
    }
}

fn unknown(text: &str) -> Exit {
    Exit::Failed(format!(
        "no track of the library has the id, path, file name or title {text} (import it first, or see `tonearm list`)"
    ))
}
