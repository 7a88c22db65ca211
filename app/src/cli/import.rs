//! `import` and `analyze`: bring music in, make what is due.

use crate::cli::Context;
use crate::cli::library::{Library, places};
use crate::cli::report::Reporter;
use crate::cli::setup;
use crate::exit::Exit;
use crate::output::Output;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use tonearm_core::artifact::{self, Artifact};
use tonearm_core::core_loop::command::{Command, Extent, RequestId, Selection};
use tonearm_core::setup::run;

/// Which analysis to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// The built-in analysis; models for stems, where there are such, and for beats with --beats-follow
    Auto,
    /// The built-in analysis alone
    Native,
    /// The built-in analysis at once, then every model that is ready
    Neural,
}

/// Bring music in by reference: files, folders, playlists, Engine DJ libraries
///
/// Files are never copied, moved or changed. An Engine DJ library is named by its folder (Engine Library), by what holds
/// it, or by its m.db, and may be in use meanwhile. Importing again changes nothing and is fast. Waits for the
/// analysis of what it found.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm import ~/Music '/media/usb/New tracks'")]
pub(crate) struct Import {
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Do not analyse now
    #[arg(long)]
    no_analyze: bool,
    #[command(flatten)]
    how: How,
}

/// Make what is due: new tracks, changed files, improved analyses, failures whose time has come
#[derive(Debug, Args)]
#[command(
    override_usage = "tonearm analyze [OPTIONS] <TRACK>...\n       tonearm analyze [OPTIONS] --all",
    after_help = "Example:\n  tonearm analyze --all\n  tonearm analyze --force --only beats,key 3f9a\n  tonearm analyze --beats-follow on --all"
)]
pub(crate) struct Analyze {
    /// Ids, beginnings of ids, paths, or whole names of files or titles
    #[arg(value_name = "TRACK", required_unless_present_any = ["all", "beats_follow"])]
    tracks: Vec<OsString>,
    /// Every track of the library
    #[arg(long, conflicts_with = "tracks")]
    all: bool,
    /// Make it again even where it is up to date; what a model made stays, unless a model makes it again or with --engine
    /// native
    #[arg(long)]
    force: bool,
    /// From now on the beats of every track of the library are found by a model, after the built-in analysis, or no more
    #[arg(long, value_enum, value_name = "ON|OFF")]
    beats_follow: Option<Switch>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Args)]
struct How {
    /// Who is to analyse these tracks from now on; left out: as before
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// Only these results: tags, hash, waveform, beats, key, chords, loudness, stems (which are only made when named)
    #[arg(long, value_delimiter = ',', value_name = "ARTIFACT,…", value_parser = artifact)]
    only: Vec<Artifact>,
}

impl How {
    fn extent(&self) -> Extent {
        if self.only.is_empty() {
            Extent::Everything
        } else {
            Extent::Only(self.only.iter().copied().collect())
        }
    }

    /// Says what it takes where models were asked for and none is ready, or not all that are here.
    fn engine(&self) -> Result<Option<artifact::Engine>, Exit> {
        if self.engine == Some(Engine::Neural) {
            let view = run::survey(&places()?);
            if view.ready().is_empty() {
                Output::note(
                    "tonearm: no model is ready: the built-in analysis works alone until tonearm setup has run",
                );
            }
            if let Some(words) = setup::lacking(&view) {
                Output::note(&format!("tonearm: {words}"));
            }
        }
        Ok(self.engine.map(|engine| match engine {
            Engine::Auto => artifact::Engine::Auto,
            Engine::Native => artifact::Engine::Native,
            Engine::Neural => artifact::Engine::Neural,
        }))
    }
}

fn artifact(name: &str) -> Result<Artifact, String> {
    Artifact::from_name(name)
        .ok_or_else(|| format!("there are {}", Artifact::ALL.map(Artifact::name).join(", ")))
}

pub(crate) fn import(context: &Context, job: Import) -> Result<(), Exit> {
    let (extent, engine) = (job.how.extent(), job.how.engine()?);
    let library = Library::open(context)?;
    let command = Command::Import {
        request: RequestId(1),
        paths: job.paths,
        analyze: (!job.no_analyze).then_some(extent),
        engine,
    };
    carry_out(context, &library, command)
}

pub(crate) fn analyze(context: &Context, job: &Analyze) -> Result<(), Exit> {
    let (extent, engine) = (job.how.extent(), job.how.engine()?);
    let library = Library::open(context)?;
    let mut reporter = Reporter::new(context.output);
    if let Some(switch) = job.beats_follow {
        let command = Command::FollowWithBeats(switch == Switch::On);
        library.carry_out(command, true, |_, event| {
            reporter.hear(&event, &library.core.view())
        })?;
        if !job.all && job.tracks.is_empty() {
            return reporter.exit();
        }
    }
    let tracks = if job.all {
        Selection::All
    } else {
        let mut there = Vec::new();
        for named in &job.tracks {
            let row = library.track(named)?;
            if row.track.missing {
                reporter.missing(&row)?;
            } else {
                there.push(row.track.id);
            }
        }
        Selection::Tracks(there)
    };
    let command = Command::Analyze {
        request: RequestId(1),
        tracks,
        extent,
        force: job.force,
        engine,
    };
    follow(context, &library, command, reporter)
}

/// Prints everything that happens until nothing is left to do.
pub(crate) fn carry_out(
    context: &Context,
    library: &Library,
    command: Command,
) -> Result<(), Exit> {
    let mut reporter = Reporter::new(context.output);
    reporter.nothing = "no music was found there";
    follow(context, library, command, reporter)
}

fn follow(
    context: &Context,
    library: &Library,
    command: Command,
    mut reporter: Reporter,
) -> Result<(), Exit> {
    let end = library.carry_out(command, context.output.quiet, |progress, event| {
        progress.suspend(|| reporter.hear(&event, &library.core.view()))
    });
    if end.is_ok() {
        reporter.waiting(&library.core.view().activity)?;
    }
    match end {
        Ok(()) | Err(Exit::Interrupted) => reporter.summary(&library.core.view())?,
        Err(_) => {}
    }
    end?;
    reporter.exit()
}
