//! `remove`: take tracks out of the library.

use crate::cli::Context;
use crate::cli::library::Library;
use crate::cli::list;
use crate::cli::report::Reporter;
use crate::exit::Exit;
use crate::format::fit;
use clap::Args;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::event::Event;
use tonearm_core::row::Row;

/// Take tracks out of the library, with all that is known of them
///
/// The music files stay as they are. A file that is imported again later comes in as new.
#[derive(Debug, Args)]
#[command(
    override_usage = "tonearm remove [OPTIONS] <TRACK>...\n       tonearm remove [OPTIONS] --query <QUERY>",
    after_help = "Examples:\n  tonearm remove 3f9a\n  tonearm remove --query 'state:missing added:>1y' --dry-run"
)]
pub(crate) struct Remove {
    /// Ids, beginnings of ids, paths, or whole names of files or titles
    #[arg(value_name = "TRACK", required_unless_present = "query")]
    tracks: Vec<OsString>,
    /// Every track that this finds, too
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Change nothing, only tell
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, job: &Remove) -> Result<(), Exit> {
    // A query that finds everything is more likely a slip than a wish.
    if job
        .query
        .as_deref()
        .is_some_and(|text| text.trim().is_empty())
    {
        return Err(Exit::Usage("an empty query means every track".to_owned()));
    }
    let library = Library::open(context)?;
    let mut rows: Vec<Arc<Row>> = Vec::new();
    for named in &job.tracks {
        rows.push(library.track(named)?);
    }
    if let Some(text) = &job.query {
        rows.extend(list::select(&library.core.view(), text, None)?);
    }
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert(row.track.id));
    let mut reporter = Reporter::new(context.output);
    if !job.dry_run && !rows.is_empty() {
        let command = Command::Remove(rows.iter().map(|row| row.track.id).collect());
        library.carry_out(command, context.output.quiet, |progress, event| {
            progress.suspend(|| match &event {
                Event::Removed { .. } => Ok(()),
                other => reporter.hear(other, &library.core.view()),
            })
        })?;
    }
    reporter.exit()?;
    let outcome = if job.dry_run {
        "would_remove"
    } else {
        "removed"
    };
    for row in &rows {
        let path = row.track.path.as_path();
        context.output.json(&serde_json::json!({
            "event": "track", "outcome": outcome, "id": row.track.id.to_string(), "path": path.to_string_lossy(),
        }))?;
        let path = fit(&path.display().to_string(), 300);
        context.output.aside(&format!("{outcome:>12}  {path}"))?;
    }
    let count = rows.len();
    context.output.json(&serde_json::json!({
        "event": "summary", "removed": count, "dry_run": job.dry_run,
    }))?;
    let verb = if job.dry_run {
        "would be removed"
    } else {
        "removed"
    };
    context.output.aside(&format!(
        "{count} track{} {verb}; the files stay where they are",
        if count == 1 { "" } else { "s" }
    ))
}
