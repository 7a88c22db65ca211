//! The files of one track's stems: written, or why not, and told.

use super::Stems;
use crate::cli::Context;
use crate::cli::library::Library;
use crate::exit::Exit;
use crate::format;
use serde::Serialize;
use std::ffi::OsStr;
use std::path::Path;
use tonearm_core::artifact::Maker;
use tonearm_core::control::Control;
use tonearm_core::export::document::StemPaths;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::row::Row;
use tonearm_core::stems::export::{self, ExportError, Others, Outcome};
use tonearm_core::track::TrackId;

/// What was made of one track.
#[derive(Debug, Serialize)]
pub(super) struct Document {
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

/// A track of the library is never replaced, also where it has the name of a stem or is a link to what has.
fn spare_tracks(library: &Library, folder: &Path, format: export::Format) -> Result<(), Refused> {
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
            let message = format!(
                "this is a track of the library and stays as it is: name another folder with --out\nFile: {}",
                path.display()
            );
            return Err(Failure::new(FailureKind::Storage, message, "").into());
        }
    }
    Ok(())
}

/// Why stems are not handed out.
pub(super) enum Refused {
    Failed(Failure),
    Exit(Exit),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Refused {
    fn of(error: &ExportError, track: TrackId) -> Self {
        let kind = match error {
            ExportError::Cancelled(_) => return Self::Exit(Exit::Interrupted),
            ExportError::Read { .. } | ExportError::Damaged { .. } => FailureKind::Damaged,
            ExportError::TooLong => FailureKind::Unsupported,
            ExportError::Taken { .. }
            | ExportError::NoFile { .. }
            | ExportError::Write { .. }
            | ExportError::NotPutBack { .. } => FailureKind::Storage,
        };
        let remedy = if error.is_of_the_library() {
            format!("Make them again: tonearm analyze {track} --force --only stems")
        } else {
            String::new()
        };
        Self::Failed(Failure::new(kind, error.to_string(), remedy))
    }
}

pub(super) fn write(
    library: &Library,
    row: &Row,
    (folder, job): (Option<&Path>, &Stems),
    control: &Control,
) -> Result<Option<Document>, Refused> {
    let (Some(set), Some(files)) = (row.stems(), library.core.reader().stems(row)) else {
        return Ok(None);
    };
    let (paths, gain, outcomes) = match folder {
        None => (files.paths, files.gain, None),
        Some(folder) => {
            let folder = std::path::absolute(folder).map_err(|error| Failure::from_io(&error))?;
            let format = export::Format::from(job.format);
            let others = if job.overwrite {
                spare_tracks(library, &folder, format)?;
                Others::Replace
            } else {
                Others::Keep
            };
            let written = export::export(&files, &folder, (format, others), control);
            let written = written.map_err(|error| Refused::of(&error, row.track.id))?;
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

pub(super) fn tell(context: &Context, row: &Row, document: &Document) -> Result<(), Exit> {
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
