//! `waveform`: a picture of a track.

use crate::cli::Context;
use crate::cli::library::Library;
use crate::exit::Exit;
use crate::format;
use clap::Args;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use tonearm_core::artifact::Artifact;
use tonearm_core::export::file::write_atomic;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::picture::{self, PictureRequest};
use tonearm_core::row::Row;
use tonearm_core::units::Secs;

/// Draw the waveform of a track with its beats and chords
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm waveform 3f9a --png track.png --from 60 --to 75")]
pub(crate) struct Draw {
    /// An id, the beginning of one, a path, or the whole name of the file or the title
    #[arg(value_name = "TRACK")]
    track: OsString,
    /// Where to write the picture
    #[arg(long, value_name = "OUT")]
    png: PathBuf,
    #[arg(long, default_value_t = 1920, value_parser = clap::value_parser!(u32).range(64..=16384))]
    width: u32,
    #[arg(long, default_value_t = 480, value_parser = clap::value_parser!(u32).range(64..=16384))]
    height: u32,
    /// First second shown
    #[arg(long, value_name = "S")]
    from: Option<f64>,
    /// Last second shown
    #[arg(long, value_name = "S")]
    to: Option<f64>,
}

pub(crate) fn run(context: &Context, job: &Draw) -> Result<(), Exit> {
    let library = Library::open_to_look(context)?;
    let row = library.track(&job.track)?;
    draw(&library, &row, job)?;
    context
        .output
        .json(&serde_json::json!({ "png": job.png.to_string_lossy() }))?;
    context
        .output
        .aside(&format!("picture written to {}", job.png.display()))
}

fn draw(library: &Library, row: &Row, job: &Draw) -> Result<(), Exit> {
    // A year is longer than any track.
    let is_odd = |secs: f64| !secs.is_finite() || secs.abs() > 31_536_000.0;
    if job.from.is_some_and(is_odd) || job.to.is_some_and(is_odd) {
        return Err(Exit::Usage(
            "--from and --to are seconds of the track".to_owned(),
        ));
    }
    if let (Some(from), Some(to)) = (job.from, job.to)
        && from >= to
    {
        return Err(Exit::Usage("--from must come before --to".to_owned()));
    }
    let Some(waveform) = library.core.waveform(row.track.id)? else {
        return Err(none_of(row).into());
    };
    let details = library.core.details(row.track.id)?;
    let summary = &row.knowledge.summary;
    let tags = &row.track.tags;
    let name = format::caption(row);
    let request = PictureRequest {
        from: job.from.map(Secs),
        to: job.to.map(Secs),
        beats: details.beats.as_ref(),
        chords: details.chords.as_deref().unwrap_or_default(),
        key: summary.key,
        key_segments: details
            .key
            .as_ref()
            .map(|found| found.segments.as_slice())
            .unwrap_or_default(),
        bpm: summary.bpm,
        loudness: summary.loudness,
        title: Some(tags.title.as_deref().unwrap_or(&name)),
        artist: tags.artist.as_deref(),
        ..PictureRequest::new(&waveform, job.width, job.height)
    };
    let png = picture::render(&request).map_err(|error| Exit::Failed(error.to_string()))?;
    write_png(&job.png, &png)
}

/// Why a track has no waveform.
fn none_of(row: &Row) -> Failure {
    let name = format::caption(row);
    if row.track.missing {
        let (message, remedy) = row.track.missing_reason();
        return Failure::new(
            FailureKind::Missing,
            format!("{name} has no waveform: {message}"),
            remedy,
        );
    }
    let record = row.knowledge.records.get(&Artifact::Waveform);
    match record.and_then(|record| record.failure.as_deref()) {
        Some(failure) => Failure {
            message: format!("{name} has no waveform: {}", failure.message),
            ..failure.clone()
        },
        None => Failure::new(
            FailureKind::Missing,
            format!("{name} has no waveform yet"),
            format!("Run tonearm analyze {}", row.track.id),
        ),
    }
}

fn write_png(path: &Path, png: &[u8]) -> Result<(), Exit> {
    write_atomic(path, |out| out.write_all(png)).map_err(|error| Exit::Failed(error.to_string()))
}

/// The picture that the demonstration makes of each of its tracks.
pub(crate) fn draw_to(library: &Library, row: &Row, png: &Path) -> Result<(), Exit> {
    let job = Draw {
        track: OsString::new(),
        png: png.to_path_buf(),
        width: 1920,
        height: 480,
        from: None,
        to: None,
    };
    draw(library, row, &job)
}
