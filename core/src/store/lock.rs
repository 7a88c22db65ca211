//! One process per library: the lock file, and who holds it.

use super::error::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

const NAME: &str = "lock";

/// The third line where a window holds the library.
const STAYS: &str = "window";

/// Longest text believed of a lock file that somebody else wrote.
const HOLDER_BYTES: u64 = 4_000;

/// Held as long as it lives. The file stays behind, empty where nothing went wrong; only the system's lock on it counts, and
/// that ends with the process however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// For writing: the file says who has it.
    is_ours: bool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Readers write nothing there: whoever they keep out is not to take us for the holder.
        if self.is_ours
            && let Err(error) = self.file.set_len(0)
        {
            tracing::debug!(%error, "the lock file goes on telling who had the library");
        }
    }
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| StoreError::opening(error, &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(read_holder(&mut file));
            }
            // Some network drives cannot lock; the database's own guard is what is left there.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!("the library's drive cannot lock files: open it only once");
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io(error, &path)),
        }
        write_holder(&file, "").map_err(|error| StoreError::io(error, &path))?;
        Ok(Self {
            file,
            is_ours: true,
        })
    }

    /// For reading alone, where nothing can be written: nobody who writes has the library, as far as that can be told.
    pub(super) fn share(dir: &Path) -> Result<Option<Self>, StoreError> {
        let Ok(mut file) = File::open(dir.join(NAME)) else {
            return Ok(None);
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self {
                file,
                is_ours: false,
            })),
            Err(TryLockError::WouldBlock) => Err(read_holder(&mut file)),
            Err(TryLockError::Error(_cannot_lock)) => Ok(None),
        }
    }

    /// Whoever is kept out hears that this goes on until the user closes it.
    pub(super) fn stays(&self) {
        if let Err(error) = write_holder(&self.file, STAYS) {
            tracing::debug!(%error, "others are not told that the library stays open");
        }
    }
}

fn write_holder(mut file: &File, more: &str) -> io::Result<()> {
    let command: Vec<String> = std::env::args_os()
        .take(12)
        .map(|argument| {
            // Within what is read again, and on one line.
            let text: String = argument.to_string_lossy().chars().take(80).collect();
            text.replace(['\n', '\r'], " ")
        })
        .collect();
    file.set_len(0)?;
    file.rewind()?;
    // In one piece: others may read at any moment.
    let text = format!("{}\n{}\n{more}", std::process::id(), command.join(" "));
    file.write_all(text.as_bytes())
}

/// Held by `process 123 (tonearm import …)`, as far as the file tells. What a process left that ended without a word says
/// nothing of those that came after it and only read.
fn read_holder(file: &mut File) -> StoreError {
    let mut bytes = Vec::new();
    // What could be read is used: on some systems a locked file cannot be read at all.
    drop(file.take(HOLDER_BYTES).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().map(str::trim);
    let pid = lines.next().unwrap_or("");
    let is_alive = may_be_alive(pid);
    let holder = match (pid, lines.next().unwrap_or("")) {
        ("", _) => "another process".to_owned(),
        _ if !is_alive => "another process".to_owned(),
        (pid, "") => format!("process {pid}"),
        (pid, command) => format!("process {pid} ({command})"),
    };
    StoreError::Locked {
        holder,
        stays: is_alive && lines.next() == Some(STAYS),
    }
}

/// `false` where it is certain that no process has this number.
fn may_be_alive(pid: &str) -> bool {
    let all = Path::new("/proc");
    !all.join("self").exists()
        || pid
            .parse::<u32>()
            .is_ok_and(|pid| all.join(pid.to_string()).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who keeps us out, and whether it stays.
    fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> (String, bool) {
        match result.unwrap_err() {
            StoreError::Locked { holder, stays } => (holder, stays),
            other => panic!("{other}"),
        }
    }

    fn nobody_in_particular() -> (String, bool) {
        ("another process".to_owned(), false)
    }

    #[test]
    fn who_writes_keeps_readers_out_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            Lock::share(dir.path()).unwrap().is_none(),
            "nobody was ever there"
        );
        let writer = Lock::take(dir.path()).unwrap();
        let us = format!("process {} (", std::process::id());
        let (holder, stays) = refused(Lock::share(dir.path()));
        assert!(holder.starts_with(&us) && !stays, "{holder}");
        writer.stays();
        let (holder, stays) = refused(Lock::share(dir.path()));
        assert!(holder.starts_with(&us) && stays, "{holder}");
        drop(writer);
        Lock::share(dir.path()).unwrap().unwrap();
    }

    #[test]
    fn readers_share_and_keep_writers_out_who_do_not_hear_of_those_before() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Lock::take(dir.path()).unwrap();
        writer.stays();
        drop(writer);
        let readers = [Lock::share(dir.path()), Lock::share(dir.path())];
        assert!(readers.iter().all(|reader| matches!(reader, Ok(Some(_)))));
        assert_eq!(refused(Lock::take(dir.path())), nobody_in_particular());
        drop(readers);
        Lock::take(dir.path()).unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_window_that_was_killed_is_not_taken_for_the_holder() {
        let dir = tempfile::tempdir().unwrap();
        // More than any process has for a number.
        for pid in [u32::MAX.to_string(), "../self".to_owned()] {
            let left = format!("{pid}\ntonearm\n{STAYS}");
            std::fs::write(dir.path().join(NAME), left).unwrap();
            let _reader = Lock::share(dir.path()).unwrap().unwrap();
            assert_eq!(refused(Lock::take(dir.path())), nobody_in_particular());
        }
    }
}
