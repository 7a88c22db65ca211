//! `verify`, `backup`, `restore`: looking after the library as a whole.

use crate::cli::Context;
use crate::cli::library::{Library, interruptible, patiently};
use crate::cli::report::{ErrorDocument, told};
use crate::exit::Exit;
use crate::format;
use crate::output::Style;
use clap::Args;
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use tonearm_core::failure::Failure;
use tonearm_core::store::{FileTrouble, Reason, Store, VerifyReport};
use tonearm_core::track::FilePath;

/// Check the library from end to end, and every file that it refers to
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm verify --json")]
pub(crate) struct Verify {}

/// Write a consistent copy of the library into its backups folder
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm backup")]
pub(crate) struct Backup {}

/// Put a backup in the place of the library
///
/// What it replaces is kept as a backup, so that this can be undone.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tonearm restore ~/.local/share/tonearm/library/backups/by-hand-….redb"
)]
pub(crate) struct Restore {
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn verify(context: &Context, _job: &Verify) -> Result<(), Exit> {
    let library = Library::open_to_look(context)?;
    let report = library.core.store().verify(&interruptible())?;
    if report.stopped {
        return Err(Exit::Interrupted);
    }
    context.output.json(&document(&report))?;
    for line in lines(&report) {
        context.output.line(&line)?;
    }
    if report.is_sound() {
        let text = format!(
            "sound: {} tracks, {} records",
            report.tracks, report.records
        );
        context
            .output
            .aside(&context.output.styled(Style::Good, &text))
    } else {
        Err(Exit::SomeFailed)
    }
}

fn document(report: &VerifyReport) -> Value {
    let files: Vec<Value> = report
        .files
        .iter()
        .map(|trouble| match trouble {
            FileTrouble::Unreachable { id, path, failure } => json!({
                "id": id.to_string(), "path": path.as_path().to_string_lossy(), "trouble": "unreachable",
                "error": ErrorDocument::from(failure),
            }),
            FileTrouble::Changed { id, path, .. } => json!({
                "id": id.to_string(), "path": path.as_path().to_string_lossy(), "trouble": "changed",
            }),
        })
        .collect();
    let unreadable: Vec<Value> = report
        .unreadable
        .iter()
        .map(|bad| json!({ "id": bad.track.map(|id| id.to_string()), "what": bad.what, "reason": bad.reason }))
        .collect();
    let redo: Vec<Value> = report
        .redo
        .iter()
        .map(|(id, artifact)| json!({ "id": id.to_string(), "artifact": artifact.name() }))
        .collect();
    json!({
        "sound": report.is_sound(),
        "library_sound": report.library_is_sound(),
        "tracks": report.tracks,
        "records": report.records,
        "damaged_pages": report.has_damaged_pages,
        "repaired": report.repaired,
        "unreadable": unreadable,
        "redo": redo,
        "orphan_records": report.orphan_records.len(),
        "orphan_files": report.orphan_files.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        "same_path": report.same_path.iter().map(|ids| ids.iter().map(ToString::to_string).collect()).collect::<Vec<Vec<String>>>(),
        "files": files,
    })
}

/// A path for people.
fn name(path: &FilePath) -> String {
    format::fit(&path.as_path().display().to_string(), 300)
}

fn lines(report: &VerifyReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.has_damaged_pages {
        let text = if report.repaired {
            "damaged pages were found and repaired"
        } else {
            "damaged pages were found; nothing can be written here, so they are not repaired"
        };
        lines.push(text.to_owned());
    }
    for bad in &report.unreadable {
        let of = bad
            .track
            .map(|id| format!(" of track {id}"))
            .unwrap_or_default();
        lines.push(format!("unreadable: {}{of} ({})", bad.what, bad.reason));
    }
    for (id, artifact) in &report.redo {
        lines.push(format!(
            "lost: {artifact} of track {id}: run tonearm analyze --force --only {artifact} {id}"
        ));
    }
    if !report.orphan_records.is_empty() {
        lines.push(format!(
            "{} records of tracks that are not in the library\n  To be rid of them, restore a backup from before (tonearm restore FILE)",
            report.orphan_records.len()
        ));
    }
    for ids in &report.same_path {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "the same file several times: tracks {}",
            ids.join(", ")
        ));
    }
    for trouble in &report.files {
        lines.push(match trouble {
            FileTrouble::Unreachable { path, failure, .. } => {
                format!("unreachable: {}\n  {}", name(path), told(failure))
            }
            FileTrouble::Changed { path, .. } => format!(
                "changed since it was imported: {}\n  Import it again",
                name(path)
            ),
        });
    }
    if !report.orphan_files.is_empty() {
        lines.push(format!(
            "{} files of ours that nothing refers to any more",
            report.orphan_files.len()
        ));
    }
    lines
}

pub(crate) fn backup(context: &Context, _job: &Backup) -> Result<(), Exit> {
    let library = Library::open(context)?;
    let path = library.core.store().backup(Reason::ByHand)?;
    let bytes = std::fs::metadata(&path)?.len();
    context
        .output
        .json(&json!({ "backup": path.to_string_lossy(), "bytes": bytes }))?;
    context
        .output
        .line(&format!("{} ({})", path.display(), format::bytes(bytes)))
}

/// What is wrong with the file itself is told of it, not of the library.
fn openable(context: &Context, file: &Path) -> Result<(), Exit> {
    let opened = File::open(file).and_then(|opened| {
        if opened.metadata()?.is_file() {
            Ok(())
        } else {
            Err(std::io::ErrorKind::IsADirectory.into())
        }
    });
    opened.map_err(|error| {
        let failure = Failure::of_named(&error);
        Exit::Because(Failure {
            message: format!("{}\nFile: {}", failure.message, file.display()),
            remedy: match Store::newest_backup(&context.library) {
                Some(newest) => format!("The newest backup is {}", newest.display()),
                None => {
                    "There are no backups of this library yet: tonearm backup makes one".to_owned()
                }
            },
            ..failure
        })
    })
}

pub(crate) fn restore(context: &Context, job: &Restore) -> Result<(), Exit> {
    openable(context, &job.file)?;
    let restored = patiently(context.output.quiet, || {
        Ok(Store::restore(&context.library, &job.file)?)
    })?;
    let replaced = restored
        .replaced
        .as_ref()
        .map(|path| path.to_string_lossy().into_owned());
    context.output.json(&json!({
        "restored": job.file.to_string_lossy(), "tracks": restored.tracks, "replaced": replaced,
        "waveforms_due": restored.waveforms_gone.len(),
    }))?;
    context
        .output
        .line(&format!("{} tracks restored", restored.tracks))?;
    if !restored.waveforms_gone.is_empty() {
        let count = restored.waveforms_gone.len();
        context.output.line(&format!(
            "{count} waveforms have to be made again: tonearm analyze --all"
        ))?;
    }
    match replaced {
        Some(path) => context
            .output
            .aside(&format!("what was there before is kept: {path}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonearm_core::failure::FailureKind;
    use tonearm_core::track::TrackId;

    fn lost() -> FileTrouble {
        FileTrouble::Unreachable {
            id: TrackId(1),
            path: FilePath("/m/a.mp3".into()),
            failure: Failure::new(FailureKind::Missing, "gone", "Look for it"),
        }
    }

    #[test]
    fn whatever_makes_verify_fail_is_told_to_people_and_in_json() {
        let sound = VerifyReport::default;
        let wrong = [
            VerifyReport {
                orphan_records: vec![(TrackId(7), "beats".to_owned())],
                ..sound()
            },
            VerifyReport {
                same_path: vec![vec![TrackId(7), TrackId(8)]],
                ..sound()
            },
            VerifyReport {
                has_damaged_pages: true,
                repaired: true,
                ..sound()
            },
            VerifyReport {
                has_damaged_pages: true,
                ..sound()
            },
            VerifyReport {
                files: vec![lost()],
                ..sound()
            },
        ];
        for report in wrong {
            assert!(!report.is_sound());
            assert_eq!(document(&report)["sound"], false, "{report:?}");
            assert_eq!(lines(&report).len(), 1, "{report:?}");
        }
        assert_eq!(document(&sound())["sound"], true);
        assert_eq!(lines(&sound()), Vec::<String>::new());
    }

    #[test]
    fn a_repair_is_told_only_where_it_lasts() {
        for (repaired, told) in [
            (true, "found and repaired"),
            (
                false,
                "nothing can be written here, so they are not repaired",
            ),
        ] {
            let report = VerifyReport {
                has_damaged_pages: true,
                repaired,
                ..VerifyReport::default()
            };
            assert!(lines(&report)[0].contains(told), "{:?}", lines(&report));
            let document = document(&report);
            assert_eq!(
                (&document["damaged_pages"], &document["repaired"]),
                (&true.into(), &repaired.into())
            );
        }
    }
}
