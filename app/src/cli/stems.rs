//! `stems`: tracks taken apart into drums, bass, other and vocals, as files.

use crate::cli::Context;
use crate::cli::library::Library;
use crate::cli::list::select;
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use tonearm_core::artifact::{Artifact, Maker};
use tonearm_core::control::Control;
use tonearm_core::core_loop::command::{Command, Extent, RequestId, Selection};
use tonearm_core::core_loop::event::Event;
use tonearm_core::export::document::StemPaths;
use tonearm_core::failure::Failure;
use tonearm_core::row::Row;
use tonearm_core::setup::Family;
use tonearm_core::stems::export::{self, ExportError, Others, Outcome};
use tonearm_core::stems::room::{self, Estimate, Pace, StemRoom};
use tonearm_core::units::Secs;

/// Take tracks apart into drums, bass, other and vocals
///
/// Writes four files that add up to the track. What was taken apart before is not taken apart again. Without --out the
/// stems are made and kept with the library. The built-in separation makes drafts.
#[derive(Debug, Args)]
#[command(
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

/// What was made of one track.
#[derive(Debug, Serialize)]
struct Document {
    id: String,
    files: StemPaths,
    /// What came of each file, where they were asked for in a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcomes: Option<Outcomes>,
    /// What the samples of the files are multiplied by to add up to the track.
    gain: f32,
    residual_db: Option<f32>,
    engine: Maker,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Outcomes {
    drums: Outcome,
    bass: Outcome,
    other: Outcome,
    vocals: Outcome,
}

impl From<[Outcome; 4]> for Outcomes {
    fn from([drums, bass, other, vocals]: [Outcome; 4]) -> Self {
        Self {
            drums,
            bass,
            other,
            vocals,
        }
    }
}

impl Outcomes {
    fn all(self) -> [Outcome; 4] {
        [self.drums, self.bass, self.other, self.vocals]
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
    let rows = chosen(context, &library, job)?;
    let mut trouble = false;
    let (missing, there): (Vec<Arc<Row>>, Vec<Arc<Row>>) =
        rows.into_iter().partition(|row| row.track.missing);
    for row in missing {
        trouble = true;
        let (message, remedy) = row.track.missing_reason();
        Output::note(&format!("{}: {message}\n{remedy}", format::caption(&row)));
    }
    // A draft gives way where the model is ready.
    let by_model = library.core.setup().ready().contains(&Family::Stems);
    let due: Vec<Arc<Row>> = there
        .iter()
        .filter(|row| {
            row.stems()
                .is_none_or(|set| by_model && !set.maker.is_model())
        })
        .cloned()
        .collect();
    if !due.is_empty() {
        trouble |= !separate(context, &library, &due)?;
    }
    let control = super::library::interruptible();
    let many = job.query.is_some() || job.tracks.len() > 1;
    for row in there {
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
        match write(&library, row, (folder.as_deref(), job), &control) {
            Ok(Some(document)) => tell(context, row, &document)?,
            // It has been told why there are none.
            Ok(None) => {}
            Err(Exit::Failed(reason)) => {
                trouble = true;
                Output::note(&format!("tonearm: {}: {reason}", format::caption(row)));
            }
            Err(other) => return Err(other),
        }
    }
    if trouble {
        Err(Exit::SomeFailed)
    } else {
        Ok(())
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
    if let Some(Failure {
        message, remedy, ..
    }) = failure
    {
        return Err(Exit::Failed(format!("{message}\n{remedy}")));
    }
    Ok(())
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

/// Makes stems of these tracks; `false` when some failed, which has been told.
fn separate(context: &Context, library: &Library, due: &[Arc<Row>]) -> Result<bool, Exit> {
    let view = library.core.view();
    let lengths = due
        .iter()
        .map(|row| row.track.format.as_ref().map(|format| format.duration));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let by_model = library.core.setup().ready().contains(&Family::Stems);
    let pace = Pace::measured(view.rows.iter().map(Arc::as_ref), by_model);
    let estimate = pace.estimate(lengths, threads);
    if !context.output.quiet {
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
    let mut failed = false;
    library.carry_out(command, context.output.quiet, |progress, event| {
        failed |= progress.suspend(|| has_failed(&event, library));
        Ok(())
    })?;
    Ok(!failed)
}

/// Tells of a failure; of stems on standard error, as the files are what is asked for.
fn has_failed(event: &Event, library: &Library) -> bool {
    let (id, failure) = match event {
        Event::Made {
            track,
            artifact: Artifact::Stems,
            failure: Some(failure),
            ..
        } => (Some(*track), failure),
        Event::StorageFailed(failure) => (None, failure),
        _ => return false,
    };
    let view = library.core.view();
    let row = id.and_then(|id| view.rows.get(id));
    let about = row.map_or_else(|| "the library".to_owned(), |row| format::caption(row));
    Output::note(&format!(
        "tonearm: {about}: {}\n{}",
        failure.message, failure.remedy
    ));
    true
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

/// A track of the library is never replaced, also where it has the name of a stem or is a link to what has.
fn spare_tracks(library: &Library, folder: &Path, format: export::Format) -> Result<(), Exit> {
    let view = library.core.view();
    for path in export::paths(folder, format) {
        // Names differ in case where the drive does not mind it.
        let named = |path: &Path| path.file_name().map(OsStr::to_ascii_lowercase);
        let Ok(there) = std::fs::canonicalize(&path) else {
            continue;
        };
        let bytes = std::fs::metadata(&there)
            .map(|metadata| metadata.len())
            .ok();
        let is_track = view.rows.iter().any(|row| {
            let track = row.track.path.as_path();
            // Only those are looked up on the disk that may be it: there are many, perhaps on a slow drive.
            let may_be = named(track) == named(&path)
                || named(track) == named(&there)
                || bytes == Some(row.track.stamp.bytes);
            may_be && std::fs::canonicalize(track).is_ok_and(|track| track == there)
        });
        if is_track {
            return Err(Exit::Failed(format!(
                "this is a track of the library and stays as it is: name another folder with --out\nFile: {}",
                path.display()
            )));
        }
    }
    Ok(())
}

fn write(
    library: &Library,
    row: &Row,
    (folder, job): (Option<&Path>, &Stems),
    control: &Control,
) -> Result<Option<Document>, Exit> {
    let (Some(set), Some(files)) = (row.stems(), library.core.reader().stems(row)) else {
        return Ok(None);
    };
    let (paths, gain, outcomes) = match folder {
        None => (files.paths, files.gain, None),
        Some(folder) => {
            let folder = std::path::absolute(folder)?;
            let format = export::Format::from(job.format);
            let others = if job.overwrite {
                spare_tracks(library, &folder, format)?;
                Others::Replace
            } else {
                Others::Keep
            };
            let written = export::export(&files, &folder, (format, others), control);
            let written = written.map_err(|error| match error {
                ExportError::Cancelled(_) => Exit::Interrupted,
                other if other.is_of_the_library() => Exit::Failed(format!(
                    "{other}\nMake them again: tonearm analyze {} --force --only stems",
                    row.track.id
                )),
                other => Exit::Failed(other.to_string()),
            })?;
            (
                written.paths,
                written.gain,
                Some(Outcomes::from(written.outcomes)),
            )
        }
    };
    Ok(Some(Document {
        id: row.track.id.to_string(),
        files: StemPaths::of(&paths),
        outcomes,
        gain,
        residual_db: set.residual_db,
        engine: set.maker,
    }))
}

fn tell(context: &Context, row: &Row, document: &Document) -> Result<(), Exit> {
    context.output.json(document)?;
    let files = &document.files;
    context.output.line(&format!(
        "{}{}",
        format::caption(row),
        draft(document.engine)
    ))?;
    let outcomes = document.outcomes.map(Outcomes::all);
    for (at, path) in files.all().into_iter().enumerate() {
        let outcome = outcomes.and_then(|all| all.get(at).copied());
        let aside = match outcome {
            None | Some(Outcome::Written) => "",
            Some(Outcome::AlreadyThere) => "  already there",
            Some(Outcome::Replaced) => "  replaced",
        };
        context.output.line(&format!("  {path}{aside}"))?;
    }
    Ok(())
}

fn draft(engine: Maker) -> &'static str {
    if engine == Maker::Native {
        " (draft)"
    } else {
        ""
    }
}
