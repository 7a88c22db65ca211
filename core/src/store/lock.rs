//! One process per library: the lock file, and who holds it.

use super::error::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

const NAME: &str = "lock";

/// Longest text believed of a lock file that somebody else wrote.
const HOLDER_BYTES: u64 = 400;

/// Held as long as it lives. The file stays behind; only the system's lock on it counts, and
/// that ends with the process however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
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
                return Err(StoreError::Locked {
                    holder: read_holder(&mut file),
                });
            }
            // Some network drives cannot lock; the database's own guard is what is left there.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!("the library's drive cannot lock files: open it only once");
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io(error, &path)),
        }
        write_holder(&mut file).map_err(|error| StoreError::io(error, &path))?;
        Ok(Self { _file: file })
    }
}

fn write_holder(file: &mut File) -> io::Result<()> {
    let command: Vec<String> = std::env::args_os()
        .take(12)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}\n{}", std::process::id(), command.join(" "))
}

/// `process 123 (tonearm import …)`, as far as the file tells.
fn read_holder(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // What could be read is used: on some systems a locked file cannot be read at all.
    drop(file.take(HOLDER_BYTES).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().map(str::trim);
    match (lines.next().unwrap_or(""), lines.next().unwrap_or("")) {
        ("", _) => "another process".to_owned(),
        (pid, "") => format!("process {pid}"),
        (pid, command) => format!("process {pid} ({command})"),
    }
}
