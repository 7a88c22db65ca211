//! `export`: the library and its analysis in open formats.

use crate::cli::Context;
use crate::cli::library::Library;
use crate::cli::list::select;
use crate::exit::Exit;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tonearm_core::export::document::TrackDocument;
use tonearm_core::export::file::write_atomic;
use tonearm_core::export::{csv, json::JsonWriter, m3u8};
use tonearm_core::row::Row;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Everything, as an array of track objects
    Json,
    /// A table for spreadsheets
    Csv,
    /// A playlist
    M3u8,
}

/// Write tracks and their analysis to a file
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm export m3u8 warmup.m3u8 --query 'bpm:118-122 key:8A~'")]
pub(crate) struct Export {
    #[arg(value_enum)]
    format: Format,
    /// The file to write; `-` for standard output
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Only what this query finds
    #[arg(long, default_value = "", hide_default_value = true)]
    query: String,
    /// Fields to sort by
    #[arg(long, allow_hyphen_values = true)]
    sort: Option<String>,
}

pub(crate) fn run(context: &Context, job: &Export) -> Result<(), Exit> {
    let library = Library::open_to_look(context)?;
    let rows = select(&library.core.view(), &job.query, job.sort.as_deref())?;
    if job.out == Path::new("-") {
        write(
            &library,
            job.format,
            &rows,
            Path::new("."),
            &mut std::io::stdout().lock(),
        )?;
        return Ok(());
    }
    let folder = std::path::absolute(&job.out)?
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let count = write_atomic(&job.out, |out| {
        let mut out = std::io::BufWriter::new(out);
        let count = write(&library, job.format, &rows, &folder, &mut out)?;
        out.flush()?;
        Ok(count)
    })
    .map_err(|error| Exit::Failed(error.to_string()))?;
    context
        .output
        .json(&serde_json::json!({ "tracks": count, "out": job.out.to_string_lossy() }))?;
    context
        .output
        .aside(&format!("{count} tracks written to {}", job.out.display()))
}

fn write(
    library: &Library,
    format: Format,
    rows: &[Arc<Row>],
    folder: &Path,
    out: &mut impl Write,
) -> std::io::Result<u64> {
    let plain = rows.iter().map(Arc::as_ref);
    match format {
        Format::Csv => csv::write(out, plain),
        Format::M3u8 => m3u8::write(out, folder, plain),
        Format::Json => {
            let mut writer = JsonWriter::new(out)?;
            for row in plain {
                let details = library
                    .core
                    .details(row.track.id)
                    .map_err(std::io::Error::other)?;
                writer.push(
                    &TrackDocument::full(row, &details).with_stems(row, library.core.store().dir()),
                )?;
            }
            writer.finish()
        }
    }
}
