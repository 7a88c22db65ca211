//! `stems`: tracks taken apart into drums, bass, other and vocals, as files.

mod files;

use crate::cli::Context;
use crate::cli::library::Library;
use crate::cli::list::select;
use crate::cli::report::ErrorDocument;
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use tonearm_core::artifact::{Artifact, Engine};
use tonearm_core::core_loop::command::{Command, Extent, RequestId, Selection};
use tonearm_core::core_loop::event::Event;
use tonearm_core::core_loop::view::View;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::row::Row;
use tonearm_core::setup::Family;
use tonearm_core::stems::export;
use tonearm_core::stems::room::{self, Estimate, Pace, StemRoom};
use tonearm_core::track::TrackId;
use tonearm_core::units::Secs;

/// Take tracks apart into drums, bass, other and vocals
///
/// Writes four files that add up to the track. What was taken apart before is not taken apart again. Without --out the
/// stems are made and kept with the library. The built-in separation makes drafts.
#[derive(Debug, Args)]
#[command(
    override_usage = "tonearm stems [OPTIONS] <TRACK>...\n       tonearm stems [OPTIONS] --query <QUERY>\n       tonearm stems --budget [<GB>]",
    after_help = "Examples:\n  tonearm stems 3f9a --out ~/Stems\n  tonearm stems --query 'genre:house bpm:120-126' --out ~/Stems --format wav\n  tonearm stems --budget 50"
)]
pub(crate) struct Stems {
    /// Ids, beginnings of ids, paths, or whole names of files or titles; the stems of several go into folders named for
    /// their ids
    #[arg(value_name = "TRACK", required_unless_present_any = ["query", "budget"])]
    tracks: Vec<OsString>,
    /// All tracks that this finds, as in list
    #[arg(long, value_name = "QUERY", conflicts_with = "tracks")]
    query: Option<String>,
    /// Where the files go: made when it is not there. The same files that are there already stay; where another one has
    /// the name of one of them, nothing is written
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replaces other files that have the names of ours, but no track of the library
    #[arg(long, requires = "out")]
    overwrite: bool,
    #[arg(long, value_enum, default_value_t = Format::Flac)]
    format: Format,
    /// How many GB all stems of the library together may take from now on; `auto`: as fits the drive. The least recently
    /// used go when others are made. Without a value, or `show`: says what they may take and do, and changes nothing
    #[arg(long, value_name = "GB", num_args = 0..=1, default_missing_value = "show")]
    budget: Option<Budget>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Budget {
    Show,
    Auto,
    Bytes(u64),
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        /// More than any drive has.
        const MOST_GB: f64 = 1e6;
        match text {
            "show" => return Ok(Self::Show),
            "auto" => return Ok(Self::Auto),
            _ => {}
        }
        match text.parse::<f64>() {
            Ok(gigabytes) if gigabytes > 0.0 && gigabytes <= MOST_GB => {
                Ok(Self::Bytes((gigabytes * 1e9) as u64))
            }
            _ => Err("a number of GB is needed, or auto, or show".to_owned()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// 16 bits, compressed without loss
    Flac,
    /// 32-bit floats
    Wav,
}

impl From<Format> for export::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Flac => Self::Flac,
            Format::Wav => Self::Wav,
        }
    }
}

/// What there are no files of.
#[derive(Debug, Serialize)]
struct FailureLine<'a> {
    /// `null`: the library as a whole.
    id: Option<String>,
    error: ErrorDocument<'a>,
}

/// Tells of failures, each on standard error, as the files are what is asked for, and in JSON.
#[derive(Debug)]
struct Troubles {
    output: Output,
    any: bool,
    of: HashSet<TrackId>,
}

impl Troubles {
    fn tell(&mut self, row: Option<&Row>, failure: &Failure) -> Result<(), Exit> {
        self.any = true;
        self.of.extend(row.map(|row| row.track.id));
        let about = row.map_or_else(|| "the library".to_owned(), format::caption);
        let mut text = format!("tonearm: {about}: {}", failure.message);
        if !failure.remedy.is_empty() {
            text.push('\n');
            text.push_str(&failure.remedy);
        }
        Output::note(&text);
        self.output.json(&FailureLine {
            id: row.map(|row| row.track.id.to_string()),
            error: failure.into(),
        })
    }
}

pub(crate) fn run(context: &Context, job: &Stems) -> Result<(), Exit> {
    let library = Library::open(context)?;
    if let Some(budget) = job.budget {
        match budget {
            Budget::Show => {}
            Budget::Auto => limit(&library, None)?,
            Budget::Bytes(bytes) => limit(&library, Some(bytes))?,
        }
        tell_room(context, &library)?;
        if job.query.is_none() && job.tracks.is_empty() {
            return Ok(());
        }
    }
    // Before all the work, not after it.
    if let Some(out) = job.out.as_deref().filter(|out| out.is_file()) {
        return Err(Exit::Usage(format!(
            "--out is a folder, and this is a file\nFile: {}",
            out.display()
        )));
    }
    let rows = chosen(context, &library, job)?;
    let mut troubles = Troubles {
        output: context.output,
        any: false,
        of: HashSet::new(),
    };
    let (missing, there): (Vec<Arc<Row>>, Vec<Arc<Row>>) =
        rows.into_iter().partition(|row| row.track.missing);
    for row in missing {
        let (message, remedy) = row.track.missing_reason();
        let failure = Failure::new(FailureKind::Missing, message, remedy);
        troubles.tell(Some(&row), &failure)?;
    }
    // None of them goes for another.
    let ids = there.iter().map(|row| row.track.id).collect();
    library.carry_out(Command::UseStems(ids), true, |_, _| Ok(()))?;
    // A draft gives way where the model is ready.
    let by_model = library.core.setup().ready().contains(&Family::Stems);
    let is_due = |row: &&Arc<Row>| {
        let may_be_better = by_model && row.knowledge.engine != Engine::Native;
        row.stems()
            .is_none_or(|set| may_be_better && !set.maker.is_model())
    };
    let due: Vec<Arc<Row>> = there.iter().filter(is_due).cloned().collect();
    if !due.is_empty() {
        separate(context, &library, &due, &mut troubles)?;
    }
    hand_out(context, &library, (&there, job), &mut troubles)?;
    if troubles.any {
        Err(Exit::SomeFailed)
    } else {
        Ok(())
    }
}

/// Writes the stems that there are, and tells why there are none of the others.
fn hand_out(
    context: &Context,
    library: &Library,
    (rows, job): (&[Arc<Row>], &Stems),
    troubles: &mut Troubles,
) -> Result<(), Exit> {
    let control = super::library::interruptible();
    let many = job.query.is_some() || job.tracks.len() > 1;
    for row in rows {
        let view = library.core.view();
        let Some(row) = view.rows.get(row.track.id) else {
            continue;
        };
        let folder = job.out.as_deref().map(|out| {
            if many {
                out.join(row.track.id.to_string())
            } else {
                out.to_path_buf()
            }
        });
        match files::write(library, row, (folder.as_deref(), job), &control) {
            Ok(Some(document)) => {
                files::tell(context, row, &document)?;
                // A draft, while better ones cannot be made.
                if row.knowledge.stems_asked && view.activity.lost_models.is_some() {
                    troubles.tell(Some(row), &none_of(row, &view))?;
                }
            }
            Ok(None) if troubles.of.contains(&row.track.id) => {}
            Ok(None) => troubles.tell(Some(row), &none_of(row, &view))?,
            Err(files::Refused::Failed(failure)) => troubles.tell(Some(row), &failure)?,
            Err(files::Refused::Exit(exit)) => return Err(exit),
        }
    }
    Ok(())
}

/// Why there are no stems of a track where nothing failed.
fn none_of(row: &Row, view: &View) -> Failure {
    let lost = view.activity.lost_models.as_ref();
    match lost.filter(|_| row.knowledge.stems_asked) {
        Some(lost) => Failure {
            message: format!("its stems wait for the model: {}", lost.message),
            ..lost.clone()
        },
        None => Failure::new(
            FailureKind::Missing,
            "there are no stems of it",
            format!("Ask for them once more: tonearm stems {}", row.track.id),
        ),
    }
}

fn chosen(context: &Context, library: &Library, job: &Stems) -> Result<Vec<Arc<Row>>, Exit> {
    let Some(query) = &job.query else {
        return job.tracks.iter().map(|it| library.track(it)).collect();
    };
    let rows = select(&library.core.view(), query, None)?;
    if rows.is_empty() {
        context
            .output
            .aside("no track fits (tonearm list --help shows how to search)")?;
    }
    Ok(rows)
}

/// Keeps with the library how much stems may take; `None`: as fits the drive.
fn limit(library: &Library, bytes: Option<u64>) -> Result<(), Exit> {
    let mut failure = None;
    library.carry_out(Command::LimitStems(bytes), true, |_, event| {
        if let Event::StorageFailed(trouble) = event {
            failure = Some(trouble);
        }
        Ok(())
    })?;
    match failure {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

/// Says how much stems may take, and do.
fn tell_room(context: &Context, library: &Library) -> Result<(), Exit> {
    let view = library.core.view();
    let sets = view
        .rows
        .iter()
        .filter_map(|row| row.knowledge.stems.as_deref());
    let (taken, room) = (room::taken(sets), view.stem_room);
    context.output.json(
        &serde_json::json!({"budget": room.bytes, "chosen": room.is_chosen, "taken": taken}),
    )?;
    context.output.line(&format!(
        "Stems may take {}{} and take {}",
        format::bytes(room.bytes),
        if room.is_chosen {
            ""
        } else {
            ", as fits the drive,"
        },
        format::bytes(taken),
    ))
}

/// Makes stems of these tracks, and tells where that failed.
fn separate(
    context: &Context,
    library: &Library,
    due: &[Arc<Row>],
    troubles: &mut Troubles,
) -> Result<(), Exit> {
    let view = library.core.view();
    // What cannot be decoded takes neither time nor room: it fails once more, and says why.
    let likely: Vec<&Arc<Row>> = due.iter().filter(|row| !row.is_undecodable()).collect();
    let lengths = likely
        .iter()
        .map(|row| row.track.format.as_ref().map(|format| format.duration));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let by_model = library.core.setup().ready().contains(&Family::Stems);
    let pace = Pace::measured(view.rows.iter().map(Arc::as_ref), by_model);
    let estimate = pace.estimate(lengths, threads);
    if !context.output.quiet && !likely.is_empty() {
        Output::note(&expected(estimate));
    }
    let StemRoom { bytes: budget, .. } = view.stem_room;
    if room::lacking(estimate.bytes, budget) > 0 {
        Output::note(&format!(
            "That is more than the {} that stems may take: those that do not fit will not be made\n{}",
            format::bytes(budget),
            view.stem_room.remedy()
        ));
    }
    let tracks = due.iter().map(|row| row.track.id).collect();
    let command = Command::Analyze {
        request: RequestId(1),
        tracks: Selection::Tracks(tracks),
        extent: Extent::Only([Artifact::Stems].into()),
        engine: None,
        force: false,
    };
    library.carry_out(command, context.output.quiet, |progress, event| {
        let Some((id, failure)) = failure_in(&event) else {
            return Ok(());
        };
        let view = library.core.view();
        let row = id.and_then(|id| view.rows.get(id)).map(Arc::as_ref);
        progress.suspend(|| troubles.tell(row, failure))
    })
}

fn failure_in(event: &Event) -> Option<(Option<TrackId>, &Failure)> {
    match event {
        Event::Made {
            track,
            artifact: Artifact::Stems,
            failure: Some(failure),
            ..
        } => Some((Some(*track), failure)),
        Event::StorageFailed(failure) => Some((None, failure)),
        _ => None,
    }
}

fn expected(estimate: Estimate) -> String {
    let Estimate {
        tracks,
        audio_secs,
        secs,
        bytes,
    } = estimate;
    format!(
        "{tracks} track{} to take apart, {} of sound: about {} of work and {} of disk",
        if tracks == 1 { "" } else { "s" },
        format::duration(Secs(audio_secs)),
        format::duration(Secs(secs.max(1.0))),
        format::bytes(bytes),
    )
}
