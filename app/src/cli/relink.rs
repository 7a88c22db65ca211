//! `relink`: find files that moved, by content.

use crate::cli::Context;
use crate::cli::library::Library;
use crate::cli::report::Reporter;
use crate::exit::Exit;
use clap::Args;
use std::path::PathBuf;
use tonearm_core::core_loop::command::{Command, RequestId};
use tonearm_core::core_loop::event::{Event, RelinkOutcome};
use tonearm_core::failure::Failure;

/// Find tracks whose files moved, by their content, and link them again
///
/// Only tracks whose files are not there are looked for. Where several files fit, nothing is changed and all
/// are named.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm relink --dry-run /media/usb")]
pub(crate) struct Relink {
    /// Where the files may be now
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Change nothing, only tell
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(context: &Context, job: Relink) -> Result<(), Exit> {
    for folder in &job.folders {
        std::fs::metadata(folder).map_err(|error| {
            let failure = Failure::of_named(&error);
            Exit::Because(Failure {
                message: format!("{}\nFolder: {}", failure.message, folder.display()),
                ..failure
            })
        })?;
    }
    let library = Library::open(context)?;
    let command = Command::Relink {
        request: RequestId(1),
        folders: job.folders,
        dry_run: job.dry_run,
    };
    let mut reporter = Reporter::new(context.output);
    let (mut found, mut lost) = (0_u64, 0_u64);
    library.carry_out(command, context.output.quiet, |progress, event| {
        progress.suspend(|| match &event {
            Event::Relinked {
                track, from, to, ..
            } => {
                match to {
                    RelinkOutcome::Moved(_) | RelinkOutcome::WouldMove(_) => found += 1,
                    RelinkOutcome::Ambiguous(_)
                    | RelinkOutcome::Suggested(_)
                    | RelinkOutcome::NotFound => lost += 1,
                }
                reporter.relinked(&track.to_string(), from, to)
            }
            other => reporter.hear(other, &library.core.view()),
        })
    })?;
    let verb = if job.dry_run {
        "would be linked again"
    } else {
        "linked again"
    };
    context.output.json(&serde_json::json!({
        "event": "summary", "moved": found, "missing": lost, "dry_run": job.dry_run,
    }))?;
    context
        .output
        .aside(&format!("{found} {verb}, {lost} still missing"))?;
    reporter.exit()
}
