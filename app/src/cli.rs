//! The command line: what can be asked for, and which file answers.

mod completions;
mod decks;
pub(crate) mod demo;
mod doctor;
mod export;
mod import;
mod library;
mod list;
mod measure;
mod play;
mod relink;
mod remove;
mod report;
mod setup;
mod show;
mod simulate;
mod stems;
mod upkeep;
mod usage;
mod waveform;

use crate::exit::Exit;
use crate::journal::journal;
use crate::output::{Color, Output};
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The open prep-and-show brain next to a DJ's decks.
///
/// Brings your music in by reference (files are never copied, moved or changed), and finds waveform, beats,
/// tempo, key, chords and loudness of every track.
#[derive(Debug, Parser)]
#[command(name = "tonearm", version, arg_required_else_help = false)]
#[command(
    after_help = "Examples:\n  tonearm                       the window\n  tonearm ~/Music/new.flac      the window, with this brought in and opened\n  tonearm import ~/Music\n  tonearm list 'bpm:120-128 key:8A~'\n  tonearm show 3f9a --json"
)]
#[command(subcommand_precedence_over_arg = true)]
struct Cli {
    /// Files and folders to bring in, or tracks (id or path) to open, in the window
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Where the library lives
    #[arg(long, global = true, env = "TONEARM_LIBRARY", value_name = "DIR")]
    library: Option<PathBuf>,
    /// Machine-readable output
    #[arg(long, global = true)]
    json: bool,
    /// Tell more (twice: even more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Tell only what was asked for and what failed
    #[arg(short, long, global = true)]
    quiet: bool,
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    /// Where the window before this one was; from Tonearm to itself
    #[arg(long, hide = true, value_name = "STATE")]
    again: Option<String>,
    #[command(subcommand)]
    command: Option<Job>,
}

#[derive(Debug, Subcommand)]
enum Job {
    Import(import::Import),
    Analyze(import::Analyze),
    List(list::List),
    Show(show::Show),
    Waveform(waveform::Draw),
    Stems(stems::Stems),
    Play(play::Play),
    Decks(decks::Decks),
    SimulateDecks(simulate::SimulateDecks),
    Relink(relink::Relink),
    Remove(remove::Remove),
    Export(export::Export),
    Setup(setup::Setup),
    Doctor(doctor::Doctor),
    Verify(upkeep::Verify),
    Backup(upkeep::Backup),
    Restore(upkeep::Restore),
    Bench(measure::Bench),
    Completions(completions::Completions),
}

/// Who said where the library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// `--library`, for this one command.
    Argument,
    /// `TONEARM_LIBRARY`: the user's own.
    Environment,
    Default,
}

/// What every subcommand gets.
#[derive(Debug)]
struct Context {
    library: PathBuf,
    library_from: From,
    verbose: bool,
    output: Output,
}

/// All that can be asked for. A number below zero is a value like any other, so that whoever checks it says what is wrong
/// with it, rather than that there is no option of that name.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(|job| {
        job.mut_args(|argument| {
            let takes_values = argument.get_action().takes_values();
            if takes_values && !argument.is_positional() {
                argument.allow_negative_numbers(true)
            } else {
                argument
            }
        })
    })
}

/// Runs the program with these arguments (the first is its name).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    crate::window::mark_start();
    let args: Vec<OsString> = args.into_iter().collect();
    let parsed = command().try_get_matches_from(&args).and_then(|found| {
        let cli = Cli::from_arg_matches(&found)?;
        let from = match found.value_source("library") {
            Some(ValueSource::CommandLine) => From::Argument,
            Some(_) => From::Environment,
            None => From::Default,
        };
        Ok((cli, from))
    });
    let (cli, from) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage::told(&error, &args),
    };
    let output = Output::new(cli.color).in_json(cli.json);
    start_log(cli.verbose, cli.quiet, cli.color);
    quieten_panics();
    let answered = catch_unwind(AssertUnwindSafe(|| answer(cli, from)));
    match answered.unwrap_or_else(|panic| Err(Exit::Failed(broke_down(panic.as_ref())))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            if !exit.is_silent() {
                Output::note(&format!("tonearm: {exit}"));
            }
            if let Some(document) = exit.document() {
                // Where nobody reads it any more, the status says it.
                drop(output.json(&document));
            }
            exit.code()
        }
    }
}

fn answer(cli: Cli, library_from: From) -> Result<(), Exit> {
    if let (Some(path), Some(_)) = (cli.paths.first(), &cli.command) {
        return Err(Exit::Usage(format!(
            "{} stands before a command: name it after the command, or leave the command out",
            path.display()
        )));
    }
    let context = Context {
        library_from,
        verbose: cli.verbose > 0,
        library: match cli.library {
            Some(dir) => dir,
            None => library::default_dir()?,
        },
        output: Output::new(cli.color).in_json(cli.json).quietly(cli.quiet),
    };
    match cli.command {
        None if crate::window::has_display() => {
            crate::window::settle_heap();
            let mut opening = opening(context.library, cli.paths)?;
            opening.again = cli.again.as_deref().and_then(crate::window::Again::read);
            opening.words = words(&opening.library, cli.verbose, cli.quiet);
            crate::window::open(opening)
        }
        None if cli.paths.is_empty() => demo::run(&context),
        None => {
            opening(context.library, cli.paths)?;
            Err(Exit::Failed(
                "there is no screen to open a window on; tonearm import and tonearm show work without"
                    .to_owned(),
            ))
        }
        Some(Job::Import(job)) => import::import(&context, job),
        Some(Job::Analyze(job)) => import::analyze(&context, &job),
        Some(Job::List(job)) => list::run(&context, &job),
        Some(Job::Show(job)) => show::run(&context, &job),
        Some(Job::Waveform(job)) => waveform::run(&context, &job),
        Some(Job::Stems(job)) => stems::run(&context, &job),
        Some(Job::Play(job)) => play::run(&context, &job),
        Some(Job::Decks(job)) => decks::run(&context, &job),
        Some(Job::SimulateDecks(job)) => simulate::run(&context, &job),
        Some(Job::Relink(job)) => relink::run(&context, job),
        Some(Job::Remove(job)) => remove::run(&context, &job),
        Some(Job::Export(job)) => export::run(&context, &job),
        Some(Job::Setup(job)) => setup::run(&context, job),
        Some(Job::Doctor(job)) => doctor::run(&context, &job),
        Some(Job::Verify(job)) => upkeep::verify(&context, &job),
        Some(Job::Backup(job)) => upkeep::backup(&context, &job),
        Some(Job::Restore(job)) => upkeep::restore(&context, &job),
        Some(Job::Bench(job)) => measure::run(&context, &job),
        Some(Job::Completions(job)) => completions::run(&job, command()),
    }
}

/// What the window is to open with. A word that is neither a path nor the beginning of an id is a mistyped command.
fn opening(library: PathBuf, named: Vec<PathBuf>) -> Result<crate::window::Opening, Exit> {
    let mut opening = crate::window::Opening {
        library,
        places: library::places()?,
        ..crate::window::Opening::default()
    };
    for path in named {
        let text = path.to_string_lossy().to_lowercase();
        let is_id =
            (4..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if path.symlink_metadata().is_ok() {
            opening.paths.push(path);
        } else if is_id {
            opening.tracks.push(text);
        } else {
            return Err(Exit::Usage(format!(
                "there is no command, file or folder named {} (see tonearm --help)",
                path.display()
            )));
        }
    }
    Ok(opening)
}

/// The arguments that open the same library in the same way.
fn words(library: &Path, verbose: u8, quiet: bool) -> Vec<OsString> {
    let told = std::iter::repeat_n("--verbose", usize::from(verbose));
    let quiet = quiet.then_some("--quiet");
    [OsStr::new("--library"), library.as_os_str()]
        .into_iter()
        .chain(told.chain(quiet).map(OsStr::new))
        .map(OsStr::to_owned)
        .collect()
}

/// Panics in decoders, in the database and in jobs are caught where they happen and told as what they are to the user.
/// Their traces are for `-vv`.
fn quieten_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
}

fn broke_down(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    format!("this is a bug of Tonearm, please report it: {words}")
}

/// Logs go to standard error: warnings, unless asked otherwise (`TONEARM_LOG` takes a filter).
fn start_log(verbose: u8, quiet: bool, color: Color) {
    let colored = color != Color::Never && std::env::var_os("NO_COLOR").is_none();
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("TONEARM_LOG").unwrap_or_else(|_none| {
            // Decoders warn about every blemish of a file; what matters of it is in the track's row. What the
            // parts of the window grumble about while they start stands in its log.
            let others = "symphonia=off,lofty=off,pulseaudio=off";
            let parts = [
                "winit",
                // The locale C, which it cannot make anything of.
                "egui_system_font_provider",
                "egui_winit",
                "egui_wgpu",
                "eframe",
                "wgpu_core",
                "wgpu_hal",
            ];
            let quiet: String = parts.map(|part| format!(",{part}=error")).concat();
            let quiet = if verbose == 0 { quiet } else { String::new() };
            format!("{level},{others}{quiet}").into()
        });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colored && std::io::stderr().is_terminal())
        .without_time()
        .with_filter(filter);
    // For the log view of the window, which cannot be told beforehand what to keep.
    let kept = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_targets([
            ("tonearm", LevelFilter::INFO),
            ("tonearm_core", LevelFilter::INFO),
            ("egui_system_font_provider", LevelFilter::ERROR),
            ("symphonia", LevelFilter::OFF),
            ("lofty", LevelFilter::OFF),
            ("pulseaudio", LevelFilter::OFF),
        ]);
    tracing_subscriber::registry()
        .with(lines)
        .with(journal().clone().with_filter(kept))
        .init();
}
