//! The databases of the media in a player, fetched over the network: slowly, one after the other, beside everything else.

mod held;

use crate::control::Control;
use crate::enginedj::paths::Paths;
use crate::failure::{Failure, FailureKind};
use held::Held;
use stagelinq::files::{FileError, FilePlace, Files, Interrupted, Limits};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinError;

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

/// Players whose databases are fetched at a time. Others wait. While one is read it lies on the disk twice.
const AT_ONCE: usize = 2;

/// What the databases of a player say, by the name of the medium.
pub(super) type Databases = Vec<(String, Arc<Paths>)>;

/// Where databases lie: those that are being fetched, and the private copies of those that were read.
#[derive(Debug)]
pub(super) struct Copies {
    /// Emptied at the next start, should this program be killed.
    scratch: PathBuf,
    held: Mutex<Held<Paths>>,
    turns: Semaphore,
}

impl Copies {
    /// Makes nothing until something is fetched.
    pub(super) fn new(scratch: PathBuf) -> Self {
        Self {
            scratch,
            held: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    fn folder(&self) -> io::Result<TempDir> {
        std::fs::create_dir_all(&self.scratch)?;
        tempfile::Builder::new()
            .prefix("player-")
            .tempdir_in(&self.scratch)
    }

    /// Reads what was fetched into a copy of our own, for which older ones may have to go.
    fn read(&self, fetched: &Path) -> Result<Arc<Paths>, Failure> {
        let about = std::fs::metadata(fetched).map_err(|error| Failure::from_io(&error))?;
        let bytes = about.len();
        // The lock is given back before: to let go is to close files.
        let gone = self.held().make_room(bytes);
        for old in &gone {
            old.let_go();
        }
        let paths = Paths::read(fetched, &self.scratch, &Control::default()).map_err(|error| {
            let text = format!("the database of the player cannot be read: {error}");
            Failure::new(
                FailureKind::Damaged,
                text,
                "Open the library on the player once",
            )
        })?;
        let paths = Arc::new(paths);
        let gone = self.held().hold(&paths, bytes);
        for old in &gone {
            old.let_go();
        }
        Ok(paths)
    }

    fn held(&self) -> MutexGuard<'_, Held<Paths>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the databases of all media. One that cannot be read does not stop the others, but is told when none can.
pub(super) async fn databases(place: FilePlace, copies: Arc<Copies>) -> Result<Databases, Failure> {
    // Never closed, so it is always had.
    let _turn = copies.turns.acquire().await.ok();
    let limits = Limits {
        bytes_per_sec: PACE,
        max_bytes: MAX_BYTES,
    };
    let files = Files::connect(place, limits).await.map_err(failure)?;
    let media = files.sources().await.map_err(failure)?;
    let mut read = Vec::new();
    let mut trouble = None;
    for medium in media.into_iter().take(MAX_MEDIA) {
        match database(&files, &medium, &copies).await {
            Ok(Some(database)) => read.push((medium, database)),
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
async fn database(
    files: &Files,
    medium: &str,
    copies: &Arc<Copies>,
) -> Result<Option<Arc<Paths>>, Failure> {
    for place in PLACES {
        let path = format!("/{medium}/{place}");
        let stat = files.stat(&path).await.map_err(failure)?;
        if !stat.exists || stat.is_folder {
            continue;
        }
        let folder = copies.folder().map_err(|error| Failure::from_io(&error))?;
        let fetched = folder.path().join("m.db");
        download(files, &path, fetched.clone()).await?;
        let copies = Arc::clone(copies);
        // The folder goes with what was fetched: what is read from now on is a copy of it.
        let read = tokio::task::spawn_blocking(move || {
            let read = copies.read(&fetched);
            drop(folder);
            read
        });
        return match read.await {
            Ok(paths) => paths.map(Some),
            Err(error) => Err(broken(&error)),
        };
    }
    Ok(None)
}

/// What to say where our own code panicked.
pub(super) fn broken(error: &JoinError) -> Failure {
    Failure::new(FailureKind::Bug, error.to_string(), "Report it")
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
