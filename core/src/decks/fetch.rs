//! The databases of the media in a player, fetched over the network: slowly, one after the other, beside everything else.

use crate::control::Control;
use crate::enginedj::paths::Paths;
use crate::failure::{Failure, FailureKind};
use stagelinq::files::{FileError, FilePlace, Files, Interrupted, Limits};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

/// Media of one player that are looked at.
const MAX_MEDIA: usize = 8;
/// A database beyond this is not fetched, bytes.
const MAX_BYTES: u64 = 1 << 30;
/// Bytes in a second: a fifth of what players manage, which have music to play.
const PACE: u64 = 2 << 20;
/// Downloads that break off go on this often.
const TRIES: u32 = 3;
/// Where the database is, newer layouts first.
const PLACES: [&str; 2] = ["Engine Library/Database2/m.db", "Engine Library/m.db"];

/// What the databases of a player say, by the name of the medium.
pub(super) type Databases = Vec<(String, Arc<Medium>)>;

/// One database, as it was when it was fetched.
#[derive(Debug)]
pub(super) struct Medium {
    // Closed before the folder is removed: fields are dropped in this order.
    pub(super) paths: Paths,
    _folder: TempDir,
}

/// Reads the databases of all media. One that cannot be read does not stop the others, but is told when none can.
pub(super) async fn databases(place: FilePlace) -> Result<Databases, Failure> {
    let limits = Limits {
        bytes_per_sec: PACE,
        max_bytes: MAX_BYTES,
    };
    let files = Files::connect(place, limits).await.map_err(failure)?;
    let media = files.sources().await.map_err(failure)?;
    let mut read = Vec::new();
    let mut trouble = None;
    for medium in media.into_iter().take(MAX_MEDIA) {
        match database(&files, &medium).await {
            Ok(Some(database)) => read.push((medium, Arc::new(database))),
            Ok(None) => {}
            Err(failure) => trouble = Some(failure),
        }
    }
    match trouble {
        Some(failure) if read.is_empty() => Err(failure),
        _ => Ok(read),
    }
}

/// `None`: the medium has no library.
async fn database(files: &Files, medium: &str) -> Result<Option<Medium>, Failure> {
    for place in PLACES {
        let path = format!("/{medium}/{place}");
        let stat = files.stat(&path).await.map_err(failure)?;
        if !stat.exists || stat.is_folder {
            continue;
        }
        let folder = TempDir::new().map_err(|error| Failure::from_io(&error))?;
        let fetched = folder.path().join("m.db");
        download(files, &path, fetched.clone()).await?;
        let read = tokio::task::spawn_blocking(move || {
            let scratch = folder.path().join("scratch");
            std::fs::create_dir_all(&scratch).map_err(|error| Failure::from_io(&error))?;
            let paths = Paths::read(&fetched, &scratch, &Control::default()).map_err(|error| {
                let text = format!("the database of the player cannot be read: {error}");
                Failure::new(
                    FailureKind::Damaged,
                    text,
                    "Open the library on the player once",
                )
            })?;
            // What is read from now on is a copy of it.
            std::fs::remove_file(&fetched).map_err(|error| Failure::from_io(&error))?;
            Ok(Medium {
                paths,
                _folder: folder,
            })
        });
        return match read.await {
            Ok(medium) => medium.map(Some),
            Err(error) => Err(Failure::new(
                FailureKind::Bug,
                error.to_string(),
                "Report it",
            )),
        };
    }
    Ok(None)
}

async fn download(files: &Files, path: &str, to: PathBuf) -> Result<(), Failure> {
    let mut out = tokio::fs::File::create(to)
        .await
        .map_err(|error| Failure::from_io(&error))?;
    let mut kept = 0;
    for tried in 1.. {
        match files.download(path, kept, &mut out).await {
            Ok(_) => break,
            Err(Interrupted { kept: more, error }) if tried < TRIES && more > kept => {
                tracing::debug!(%error, more, "a download goes on");
                kept = more;
            }
            Err(Interrupted { error, .. }) => return Err(failure(error)),
        }
    }
    out.shutdown()
        .await
        .map_err(|error| Failure::from_io(&error))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failure(error: FileError) -> Failure {
    Failure::new(
        FailureKind::Unreadable,
        format!("files of the player cannot be read: {error}"),
        "Try again when the player is connected",
    )
}
