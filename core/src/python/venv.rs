//! Builds an environment beside the old one, tries it out, and only then puts it in place.

use super::environment::{self, Environment, Marker, Ready};
use super::fingerprint::{Variant, fingerprint};
use super::interpreter::Interpreter;
use super::pip::Wheels;
use super::resources;
use super::site::{Site, downloads};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use jiff::Timestamp;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{io, thread};

/// How often the lock of another program is tried.
const LOCK_EVERY: Duration = Duration::from_millis(250);
/// So often it is tried to replace an environment that somebody has just begun to use: three seconds.
const REPLACE_TRIES: usize = 12;
/// Workers of another program finish what they have in hand, and are dropped when nobody has asked for a while.
const WORKERS_LONGEST: Duration = Duration::from_mins(10);

/// What to build.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    pub cache: &'a Path,
    pub interpreter: &'a Interpreter,
    pub variant: Variant,
    /// Packages in place of those of the net.
    pub wheels: Option<&'a Wheels>,
    /// The folder with all that workers run.
    pub workers: &'a Path,
    /// What counts as free on the drive of the cache; `None`: what the system says.
    pub free_bytes: Option<u64>,
}

/// How far a build is.
#[derive(Debug, Clone, PartialEq)]
pub struct Building {
    pub step: Step,
    /// Of downloads.
    pub bytes: u64,
    /// Estimated.
    pub total: Option<u64>,
    pub left: Option<Duration>,
    /// The package in hand.
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another program builds the same.
    Waiting,
    Preparing,
    Downloading,
    Installing,
    Trying,
}

impl Step {
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preparing => "preparing",
            Self::Downloading => "downloading",
            Self::Installing => "installing",
            Self::Trying => "trying",
        }
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BuildError {
    #[error("cancelled")]
    Cancelled,
    #[error("{}", .0.message)]
    Failed(Failure),
}

impl From<io::Error> for BuildError {
    fn from(error: io::Error) -> Self {
        let mut failure = Failure::from_io(&error);
        failure.message = format!("the cache folder cannot be written: {}", failure.message);
        "Make room, or change its permissions, then set up again".clone_into(&mut failure.remedy);
        Self::Failed(failure)
    }
}

/// Bytes that are downloaded, and that the environment with its temporary files takes. Measured on Linux.
pub(crate) fn sizes(variant: Variant) -> (u64, u64) {
    match (variant, cfg!(target_os = "linux")) {
        (Variant::Cuda, true) => (2_750_000_000, 8_500_000_000),
        (Variant::Cuda, false) => (2_700_000_000, 8_000_000_000),
        (Variant::Cpu | Variant::Mps, _) => (450_000_000, 2_500_000_000),
    }
}

/// Builds the environment, or finds that it is there. One program at a time; a second one waits and then finds it.
/// What is interrupted leaves nothing that could be taken for an environment.
pub fn build(
    job: &Build<'_>,
    control: &Control,
    tell: &mut dyn FnMut(Building),
) -> Result<Ready, BuildError> {
    let locks = resources::locks(job.variant).ok_or_else(|| {
        BuildError::Failed(Failure::new(
            FailureKind::Bug,
            "this build of Tonearm carries no workers",
            "Build it from the whole source tree",
        ))
    })?;
    let root = environment::root(job.cache);
    fs::create_dir_all(&root)?;
    let _lock = take_lock(&root, control, tell)?;
    let print = fingerprint(&locks, job.interpreter, job.variant);
    if let Environment::Ready(ready) = environment::check(job.cache)
        && ready.folder == environment::folder_of(job.cache, &print)
    {
        return Ok(*ready);
    }
    remove_leftovers(&root);
    enough_room(job)?;
    wait_for_workers(
        &environment::folder_of(job.cache, &print),
        (WORKERS_LONGEST, control),
        tell,
    )?;
    let unfinished = root.join(format!("{print}.unfinished-{}", std::process::id()));
    let site = Site {
        job,
        folder: unfinished.clone(),
        control,
    };
    let placed = site.make(&locks, tell).and_then(|versions| {
        let marker = Marker {
            fingerprint: print,
            variant: job.variant,
            interpreter: job.interpreter.clone(),
            stamp: environment::stamp_of(&job.interpreter.path)?,
            versions,
            built: Timestamp::now(),
        };
        put_in_place(job.cache, &unfinished, &marker)
    });
    if let Err(error) = placed {
        drop(fs::remove_dir_all(&unfinished));
        // What is not of its hash would be taken from there again.
        if matches!(&error, BuildError::Failed(failure) if failure.kind == FailureKind::Damaged) {
            forget_downloads(job.cache);
        }
        return Err(error);
    }
    forget_downloads(job.cache);
    match environment::check(job.cache) {
        Environment::Ready(ready) => Ok(*ready),
        Environment::Absent | Environment::Broken { .. } => Err(BuildError::Failed(Failure::new(
            FailureKind::Storage,
            "the environment was built and cannot be found again",
            "Check the drive that holds the cache folder, then set up again",
        ))),
    }
}

/// What pip has kept of what it fetched is of use until it is installed.
fn forget_downloads(cache: &Path) {
    let kept = downloads(cache);
    if let Err(error) = fs::remove_dir_all(&kept)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, folder = %kept.display(), "what was fetched for the environment stays");
    }
}

fn put_in_place(cache: &Path, unfinished: &Path, marker: &Marker) -> Result<(), BuildError> {
    environment::mark(unfinished, marker)?;
    let folder = environment::folder_of(cache, &marker.fingerprint);
    let is_free = || !folder.exists() || environment::discard(&folder);
    if !patiently(is_free, || thread::sleep(LOCK_EVERY)) {
        return Err(in_use());
    }
    fs::rename(unfinished, &folder)?;
    environment::point_to(cache, marker)?;
    environment::remove_others(cache, &marker.fingerprint);
    Ok(())
}

/// Whether something succeeds within a few tries: a worker that began between two looks finds out that it has to leave.
fn patiently(mut attempt: impl FnMut() -> bool, mut pause: impl FnMut()) -> bool {
    for _ in 0..REPLACE_TRIES {
        if attempt() {
            return true;
        }
        pause();
    }
    attempt()
}

/// Until nobody uses the folder that is to be replaced.
fn wait_for_workers(
    folder: &Path,
    (longest, control): (Duration, &Control),
    tell: &mut dyn FnMut(Building),
) -> Result<(), BuildError> {
    let began = Instant::now();
    while environment::is_used(folder) {
        control
            .check()
            .map_err(|_cancelled| BuildError::Cancelled)?;
        if began.elapsed() > longest {
            return Err(in_use());
        }
        tell(still(Step::Waiting, "models that are at work"));
        thread::sleep(LOCK_EVERY);
    }
    Ok(())
}

fn in_use() -> BuildError {
    BuildError::Failed(Failure::new(
        FailureKind::Storage,
        "the environment cannot be replaced while models work in it",
        "Wait for them or close the other Tonearm, then set up again",
    ))
}

fn take_lock(
    root: &Path,
    control: &Control,
    tell: &mut dyn FnMut(Building),
) -> Result<File, BuildError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(root.join("lock"))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                control
                    .check()
                    .map_err(|_cancelled| BuildError::Cancelled)?;
                tell(still(Step::Waiting, "another Tonearm sets up"));
                thread::sleep(LOCK_EVERY);
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// With the lock in hand nobody else builds: what is unfinished was left by a crash.
fn remove_leftovers(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains(".unfinished") {
            let path = entry.path();
            drop(if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            });
        }
    }
}

fn enough_room(job: &Build<'_>) -> Result<(), BuildError> {
    let (_, needed) = sizes(job.variant);
    let free = job.free_bytes;
    match free.or_else(|| crate::disk::free_bytes(job.cache)) {
        Some(free) if free < needed => Err(BuildError::Failed(Failure::new(
            FailureKind::Storage,
            format!(
                "the environment needs {:.1} GB and its drive has {:.1} GB left\nFolder: {}",
                needed as f64 / 1e9,
                free as f64 / 1e9,
                job.cache.display()
            ),
            "Make room, or name another cache folder with TONEARM_CACHE",
        ))),
        Some(_) | None => Ok(()),
    }
}

pub(crate) fn still(step: Step, what: &str) -> Building {
    Building {
        step,
        bytes: 0,
        total: None,
        left: None,
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_for_a_moment_is_waited_for_and_what_stays_is_given_up() {
        for (free_at, expected) in [(0, true), (5, true), (12, true), (13, false)] {
            let (mut tries, mut pauses) = (0, 0);
            let is_free = || {
                tries += 1;
                tries > free_at
            };
            assert_eq!(patiently(is_free, || pauses += 1), expected, "{free_at}");
            assert_eq!(pauses, free_at.min(12));
        }
    }
}
