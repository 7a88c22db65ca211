//! `list`: rows of the library, found by a query.

use crate::cli::Context;
use crate::cli::library::Library;
use crate::cli::show::engine;
use crate::exit::Exit;
use crate::format;
use crate::output::{Output, Style};
use clap::Args;
use std::sync::Arc;
use tonearm_core::core_loop::view::View;
use tonearm_core::export::document::TrackDocument;
use tonearm_core::export::json::JsonWriter;
use tonearm_core::query::{self, Sort};
use tonearm_core::row::{Row, TrackState};

/// Show tracks: all, or those that a query finds
#[derive(Debug, Args)]
#[command(after_help = help())]
pub(crate) struct List {
    /// What to look for; several words are all looked for (put `--` before a query that begins with `-`)
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// Fields to sort by, `-` before one for descending: `bpm,-added`
    #[arg(long, value_name = "FIELDS", allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// The query language, from its one description.
fn help() -> String {
    let lines: Vec<String> = query::HELP
        .iter()
        .map(|(syntax, meaning)| format!("  {syntax:<26} {meaning}"))
        .collect();
    format!(
        "Examples:\n  tonearm list deep house\n  tonearm list 'bpm:120-128 key:8A~ -state:failed' --sort bpm\n\nQueries:\n{}",
        lines.join("\n")
    )
}

pub(crate) fn run(context: &Context, job: &List) -> Result<(), Exit> {
    let found = job.query.join(" ");
    let sort = job.sort.as_deref();
    let library = Library::open_to_look(context)?;
    let mut rows = select(&library.core.view(), &found, sort)?;
    let any = !rows.is_empty();
    rows.truncate(job.limit.unwrap_or(usize::MAX));
    if context.output.json {
        let mut writer = JsonWriter::new(std::io::stdout().lock())?;
        for row in &rows {
            let document = TrackDocument::listed(row, None);
            writer.push(&document.with_stems(row, library.core.store().dir()))?;
        }
        writer.finish()?;
        return Ok(());
    }
    if any && rows.is_empty() {
        return Ok(());
    }
    print_table(context.output, &rows, library.core.view().rows.is_empty())
}

/// The rows that a query finds, sorted.
pub(crate) fn select(view: &View, text: &str, sort: Option<&str>) -> Result<Vec<Arc<Row>>, Exit> {
    let query = query::parse(text).map_err(|error| usage(text, &error))?;
    let mut rows: Vec<Arc<Row>> = view
        .rows
        .iter()
        .filter(|row| query.matches(row))
        .map(Arc::clone)
        .collect();
    if let Some(text) = sort {
        Sort::parse(text)
            .map_err(|error| usage(text, &error))?
            .apply(&mut rows);
    }
    Ok(rows)
}

/// Shows the text with a mark under the place that is wrong.
fn usage(text: &str, error: &query::QueryError) -> Exit {
    Exit::Usage(format!("{error}\n  {text}\n  {}^", " ".repeat(error.at)))
}

fn beside(row: &Row) -> String {
    let failed = row.failed_beside().map(|it| it.name().to_owned());
    let by_models = row
        .failed_by_models()
        .map(|(artifact, record)| format!("{artifact} by {}", engine(record.recipe.maker)));
    let failed: Vec<String> = failed.chain(by_models).collect();
    if failed.is_empty() {
        String::new()
    } else {
        format!(", {} failed", failed.join(" and "))
    }
}

fn print_table(output: Output, rows: &[Arc<Row>], library_is_empty: bool) -> Result<(), Exit> {
    if rows.is_empty() {
        return output.aside(if library_is_empty {
            "no tracks yet (tonearm import FOLDER brings music in)"
        } else {
            "no track fits (tonearm list --help shows how to search)"
        });
    }
    let head = format!(
        "{:16}  {:46}  {:>7}  {:>4}  {:>7}  {}",
        "ID", "TRACK", "BPM", "KEY", "LENGTH", "STATE"
    );
    output.aside(&output.styled(Style::Dim, &head))?;
    for row in rows {
        let unknown = || "–".to_owned();
        let summary = &row.knowledge.summary;
        let name = format::fit(&format::caption(row), 46);
        let pad = " ".repeat(46_usize.saturating_sub(name.chars().count()));
        let bpm = summary.bpm.map_or_else(unknown, format::tempo);
        let key = summary
            .key
            .map_or_else(unknown, tonearm_core::harmony::Key::camelot);
        let length = row
            .track
            .format
            .as_ref()
            .map_or_else(unknown, |format| format::duration(format.duration));
        let style = match row.state {
            TrackState::Ready => Style::Good,
            TrackState::Failed | TrackState::Missing => Style::Bad,
            TrackState::Analyzing | TrackState::Partial | TrackState::Streaming => Style::Dim,
        };
        let state = output.styled(style, row.state.name());
        let state = format!("{state}{}", output.styled(Style::Bad, &beside(row)));
        let id = row.track.id;
        output.line(&format!(
            "{id}  {name}{pad}  {bpm:>7}  {key:>4}  {length:>7}  {state}"
        ))?;
    }
    let count = rows.len();
    output.aside(&output.styled(
        Style::Dim,
        &format!("{count} track{}", if count == 1 { "" } else { "s" }),
    ))
}
