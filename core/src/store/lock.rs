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

/// Held as long as it lives. The file stays behind; only the system's lock on it counts, and
/// that ends with the process however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
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
            .map_err(|error| StoreError::io(error, &path))?;
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
        Ok(Self { file })
    }

    /// For reading alone, where nothing can be written: nobody who writes has the library, as far as that can be told.
    pub(super) fn share(dir: &Path) -> Result<Option<Self>, StoreError> {
        let Ok(mut file) = File::open(dir.join(NAME)) else {
            return Ok(None);
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { file })),
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

/// Held by `process 123 (tonearm import …)`, as far as the file tells.
fn read_holder(file: &mut File) -> StoreError {
    let mut bytes = Vec::new();
    // What could be read is used: on some systems a locked file cannot be read at all.
    drop(file.take(HOLDER_BYTES).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().map(str::trim);
    let holder = match (lines.next().unwrap_or(""), lines.next().unwrap_or("")) {
        ("", _) => "another process".to_owned(),
        (pid, "") => format!("process {pid}"),
        (pid, command) => format!("process {pid} ({command})"),
    };
    StoreError::Locked {
        holder,
        stays: lines.next() == Some(STAYS),
    }
}
