//! A private copy of a database as it was at one instant, whatever is writing to it meanwhile.
//!
//! The database and its journals are read over and over; what differs from the copy is put right, until one
//! whole pass has found no difference. Every block was then read twice with the same content, once before and
//! once after the moment between the last two passes, so the copy is what the disk held at that moment: what a
//! loss of power would have left. SQLite makes that whole again from the journal, in the copy. Nothing is locked,
//! so the writer is never held up.

mod journal;

use super::Options;
use super::error::EngineError;
use crate::control::Control;
use jiff::Timestamp;
use journal::{JournalFate, Super};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Read and compared at once, in bytes.
const BLOCK: usize = 256 << 10;
/// Looks at the files, at most: about seven seconds with the waits.
const MOST_PASSES: u32 = 24;
/// Longest wait between passes. It grows to that by doubling from one millisecond.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// The copy's own names: nothing of the original's reaches SQLite.
const DATABASE: &str = "m.db";
/// The files that make up a database, by what follows its name. `-shm` is no part of it: SQLite makes a new one.
const SUFFIXES: [&str; 3] = ["", "-journal", "-wal"];

#[derive(Debug)]
pub(super) struct Snapshot {
    folder: TempDir,
    taken_at: Timestamp,
    rolled_back: bool,
}

impl Snapshot {
    pub(super) fn take(
        database: &Path,
        options: &Options,
        control: &Control,
    ) -> Result<Self, EngineError> {
        Self::take_watched(database, options, control, &mut |_pass| ())
    }

    /// `between` is called after each pass, with its number: tests write there.
    fn take_watched(
        database: &Path,
        options: &Options,
        control: &Control,
        between: &mut dyn FnMut(u32),
    ) -> Result<Self, EngineError> {
        let folder = tempfile::Builder::new()
            .prefix("tonearm-engine-")
            .tempdir_in(&options.scratch)
            .map_err(|error| EngineError::Scratch {
                error,
                path: options.scratch.clone(),
            })?;
        // Journals stand beside the file itself, not beside a link to it.
        let database = fs::canonicalize(database).map_err(|error| EngineError::Unreadable {
            error,
            path: database.to_path_buf(),
        })?;
        let mut copy = Copy {
            pairs: SUFFIXES.map(|suffix| Pair::new(&database, folder.path(), suffix)),
            most_bytes: options.most_bytes,
            control,
            named: Super::default(),
        };
        let mut wait = Duration::from_millis(1);
        for pass in 0..MOST_PASSES {
            let changed = copy.pass()?;
            between(pass);
            if !changed {
                let fate = copy.settle()?;
                return Ok(Self {
                    folder,
                    taken_at: Timestamp::now(),
                    rolled_back: fate == JournalFate::Hot,
                });
            }
            if pass > 0 && cfg!(not(test)) {
                std::thread::sleep(wait);
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        Err(EngineError::Busy)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join(DATABASE)
    }

    pub(super) fn taken_at(&self) -> Timestamp {
        self.taken_at
    }

    /// The writer was in the middle of a change, which the copy does not show.
    pub(super) fn rolled_back(&self) -> bool {
        self.rolled_back
    }
}

/// A file and its copy. The copy is absent exactly when the file was.
struct Pair {
    from: PathBuf,
    to: PathBuf,
}

impl Pair {
    fn new(database: &Path, folder: &Path, suffix: &str) -> Self {
        let mut from = database.as_os_str().to_owned();
        from.push(suffix);
        Self {
            from: PathBuf::from(from),
            to: folder.join(format!("{DATABASE}{suffix}")),
        }
    }
}

struct Copy<'a> {
    pairs: [Pair; 3],
    most_bytes: u64,
    control: &'a Control,
    /// What the last pass saw of the journal of a change that spans several databases.
    named: Super,
}

impl Copy<'_> {
    /// Makes the copy like the files, and says whether it was not yet.
    fn pass(&mut self) -> Result<bool, EngineError> {
        let mut left = self.most_bytes;
        let mut changed = false;
        for (number, pair) in self.pairs.iter().enumerate() {
            changed |= self.bring_up_to_date(pair, number == 0, &mut left)?;
        }
        let [database, journal, _] = &self.pairs;
        let seen = Super::look(&database.from, &journal.to)
            .map_err(|error| scratch(error, &journal.to))?;
        changed |= seen != self.named;
        self.named = seen;
        Ok(changed)
    }

    fn bring_up_to_date(
        &self,
        pair: &Pair,
        is_needed: bool,
        left: &mut u64,
    ) -> Result<bool, EngineError> {
        let unreadable = |error| EngineError::Unreadable {
            error,
            path: pair.from.clone(),
        };
        let mut from = match open_file(&pair.from) {
            Ok(from) => from,
            Err(error) if error.kind() == ErrorKind::NotFound && !is_needed => {
                return match fs::remove_file(&pair.to) {
                    Ok(()) => Ok(true),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                    Err(error) => Err(scratch(error, &pair.to)),
                };
            }
            Err(error) => return Err(unreadable(error)),
        };
        let is_new = !pair.to.exists();
        let mut to = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&pair.to)
            .map_err(|error| scratch(error, &pair.to))?;
        let mut changed = is_new;
        let mut fresh = vec![0; BLOCK];
        let mut kept = vec![0; BLOCK];
        let mut at: u64 = 0;
        loop {
            self.control.check()?;
            let count = read_block(&mut from, &mut fresh).map_err(unreadable)?;
            let fresh = fresh.get(..count).unwrap_or_default();
            *left = left
                .checked_sub(count as u64)
                .ok_or_else(|| self.too_large())?;
            changed |=
                put(&mut to, at, fresh, &mut kept).map_err(|error| scratch(error, &pair.to))?;
            at += count as u64;
            if count < BLOCK {
                break;
            }
        }
        let length = to
            .metadata()
            .map_err(|error| scratch(error, &pair.to))?
            .len();
        if length != at {
            to.set_len(at).map_err(|error| scratch(error, &pair.to))?;
            changed = true;
        }
        Ok(changed)
    }

    fn too_large(&self) -> EngineError {
        let bytes = self
            .pairs
            .iter()
            .filter_map(|pair| fs::metadata(&pair.from).ok())
            .map(|metadata| metadata.len())
            .fold(0, u64::saturating_add);
        EngineError::TooLarge {
            bytes: bytes.max(self.most_bytes.saturating_add(1)),
            most: self.most_bytes,
        }
    }

    /// Makes the copied journal one that SQLite reads as it should, and touches nothing else for.
    fn settle(&self) -> Result<JournalFate, EngineError> {
        let [_, journal, _] = &self.pairs;
        let fate = journal::settle(&journal.to, self.named, self.most_bytes)
            .map_err(|error| scratch(error, &journal.to))?;
        if let JournalFate::TooLarge(bytes) = fate {
            return Err(EngineError::TooLarge {
                bytes,
                most: self.most_bytes,
            });
        }
        Ok(fate)
    }
}

/// Opens what is a file; a pipe or a device would hold us up for ever.
fn open_file(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"))
    }
}

/// Fills `block` as far as the file reaches.
fn read_block(file: &mut File, block: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while let Some(rest) = block.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Writes `fresh` at `at` where something else, or nothing, is; says whether.
fn put(to: &mut File, at: u64, fresh: &[u8], kept: &mut [u8]) -> io::Result<bool> {
    let kept = kept.get_mut(..fresh.len()).unwrap_or_default();
    to.seek(SeekFrom::Start(at))?;
    let count = read_block(to, kept)?;
    if count == fresh.len() && kept == fresh {
        return Ok(false);
    }
    to.seek(SeekFrom::Start(at))?;
    to.write_all(fresh)?;
    Ok(true)
}

fn scratch(error: io::Error, path: &Path) -> EngineError {
    EngineError::Scratch {
        error,
        path: path.parent().unwrap_or(path).to_path_buf(),
    }
}

#[cfg(test)]
mod tests;
