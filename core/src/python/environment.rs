//! Whether the environment on the disk is the one that is wanted. Reads two small files and starts nothing.

use super::fingerprint::{Variant, fingerprint};
use super::interpreter::Interpreter;
use super::resources;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const CURRENT: &str = "current.json";
const MARKER: &str = "ready.json";
const IN_USE: &str = "in-use";
/// A marker is a few hundred bytes; what is longer is none.
const LONGEST_MARKER: u64 = 64 << 10;

/// What stands in both small files: that this environment was made whole, and of what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) fingerprint: String,
    pub(super) variant: Variant,
    pub(super) interpreter: Interpreter,
    /// Length and time of change (nanoseconds since 1970) of the interpreter.
    pub(super) stamp: (u64, i64),
    /// Of the packages that matter, by name.
    pub(super) versions: BTreeMap<String, String>,
    pub(super) built: Timestamp,
}

/// An environment that workers can run in.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    pub folder: PathBuf,
    /// The program in it.
    pub python: PathBuf,
    pub interpreter: Interpreter,
    pub variant: Variant,
    pub versions: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Environment {
    Absent,
    Ready(Box<Ready>),
    /// There is something, and it is not to be trusted.
    Broken {
        reason: String,
    },
}

/// Where environments lie.
pub(super) fn root(cache: &Path) -> PathBuf {
    cache.join("python")
}

pub(super) fn folder_of(cache: &Path, fingerprint: &str) -> PathBuf {
    root(cache).join(fingerprint)
}

/// The Python of an environment.
pub(super) fn python_in(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    }
}

/// What there is now.
pub fn check(cache: &Path) -> Environment {
    let broken = |reason: &str| Environment::Broken {
        reason: reason.to_owned(),
    };
    let current = match read(&root(cache).join(CURRENT)) {
        Ok(current) => current,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Environment::Absent,
        Err(_) => return broken("the note of what was installed cannot be read"),
    };
    let Some(locks) = resources::locks(current.variant) else {
        return broken("this build of Tonearm carries no workers");
    };
    if fingerprint(&locks, &current.interpreter, current.variant) != current.fingerprint {
        return broken("it was made for another version of Tonearm");
    }
    let folder = folder_of(cache, &current.fingerprint);
    match read(&folder.join(MARKER)) {
        Ok(marker) if marker == current => {}
        Ok(_) | Err(_) => return broken("it is not whole"),
    }
    let python = python_in(&folder);
    if stamp_of(&current.interpreter.path).ok() != Some(current.stamp) {
        return broken("the Python that it was made with was changed or removed");
    }
    if !python.is_file() {
        return broken("its Python is missing");
    }
    Environment::Ready(Box::new(Ready {
        folder,
        python,
        interpreter: current.interpreter,
        variant: current.variant,
        versions: current.versions,
    }))
}

fn read(path: &Path) -> io::Result<Marker> {
    if fs::metadata(path)?.len() > LONGEST_MARKER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    serde_json::from_slice(&fs::read(path)?).map_err(io::Error::from)
}

/// Length and time of change of a file.
pub(super) fn stamp_of(path: &Path) -> io::Result<(u64, i64)> {
    let metadata = fs::metadata(path)?;
    let modified = metadata.modified()?;
    let ns = modified
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i64);
    Ok((metadata.len(), ns))
}

/// Says in `folder` that it is whole.
pub(super) fn mark(folder: &Path, marker: &Marker) -> io::Result<()> {
    write(&folder.join(MARKER), marker)
}

/// Makes an environment the one that is used.
pub(super) fn point_to(cache: &Path, marker: &Marker) -> io::Result<()> {
    write(&root(cache).join(CURRENT), marker)
}

fn write(path: &Path, marker: &Marker) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let file = File::create(&unfinished)?;
    serde_json::to_writer_pretty(&file, marker)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

/// Held while an environment is used: so long nobody removes it.
#[derive(Debug)]
pub struct InUse {
    _file: File,
}

/// The environment is being replaced right now.
#[derive(Debug, thiserror::Error)]
#[error("the environment is being replaced")]
pub struct Replaced;

impl InUse {
    /// Where it cannot be locked, an environment is used all the same.
    pub fn hold(folder: &Path) -> Result<Option<Self>, Replaced> {
        let Ok(file) = lock_file(folder) else {
            return Ok(None);
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(Replaced),
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }
}

fn lock_file(folder: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(IN_USE))
}

/// Removes environments with other fingerprints that nobody uses now.
pub(super) fn remove_others(cache: &Path, kept: &str) {
    let Ok(entries) = fs::read_dir(root(cache)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_environment = name.len() == kept.len()
            && name.bytes().all(|byte| byte.is_ascii_hexdigit())
            && entry.path().is_dir();
        if is_environment && *name != *kept {
            discard(&entry.path());
        }
    }
}

/// Whether a worker runs in it.
pub(super) fn is_used(folder: &Path) -> bool {
    matches!(claim(folder), Err(TryLockError::WouldBlock))
}

/// Held, nobody begins to use it.
fn claim(folder: &Path) -> Result<File, TryLockError> {
    let file = lock_file(folder).map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

/// Removes a folder that nobody uses, so that what is left of it after a crash cannot pass for an environment.
/// Whether it is gone from its place.
pub(super) fn discard(folder: &Path) -> bool {
    let claimed = match claim(folder) {
        Ok(file) => Some(file),
        Err(TryLockError::WouldBlock) => return false,
        Err(TryLockError::Error(_)) => None,
    };
    // Windows moves no folder with an open file in it.
    let claimed = claimed.filter(|_| cfg!(not(windows)));
    let aside = folder.with_extension(format!("unfinished-{}-old", std::process::id()));
    let moved = fs::rename(folder, &aside);
    drop(claimed);
    let is_gone = match &moved {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if let Err(error) = moved.and_then(|()| fs::remove_dir_all(&aside))
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, folder = %folder.display(), "an old environment stays");
    }
    is_gone
}

/// From now on an environment counts as broken: something in it does not work. Whether it does.
pub(super) fn distrust(folder: &Path) -> bool {
    match fs::remove_file(folder.join(MARKER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, folder = %folder.display(), "a broken environment still counts as whole");
            false
        }
        Ok(()) | Err(_) => true,
    }
}

/// What the last environment was built for, whether it is whole or not.
pub fn last_variant(cache: &Path) -> Option<Variant> {
    Some(read(&root(cache).join(CURRENT)).ok()?.variant)
}

/// And with which Python.
pub fn last_python(cache: &Path) -> Option<PathBuf> {
    Some(read(&root(cache).join(CURRENT)).ok()?.interpreter.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_in_use_is_not_removed() {
        let cache = tempfile::tempdir().unwrap();
        let folder = folder_of(cache.path(), "0123456789abcdef");
        fs::create_dir_all(&folder).unwrap();
        let (first, second) = (InUse::hold(&folder).unwrap(), InUse::hold(&folder).unwrap());
        assert!(first.is_some() && second.is_some());
        drop(first);
        assert!(is_used(&folder));
        assert!(!discard(&folder));
        remove_others(cache.path(), "fedcba9876543210");
        assert!(folder.is_dir());
        drop(second);
        remove_others(cache.path(), "fedcba9876543210");
        assert!(!folder.exists());
        assert!(discard(&folder), "what is not there is gone");
    }

    #[test]
    fn nobody_begins_in_an_environment_that_is_being_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let claimed = claim(folder.path()).unwrap();
        assert!(InUse::hold(folder.path()).is_err());
        drop(claimed);
        assert!(InUse::hold(folder.path()).is_ok());
    }
}
