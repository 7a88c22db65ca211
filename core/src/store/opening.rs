//! How a library is opened: to be worked with, or where nothing can be written, to be read.

use super::error::{StoreError, is_unwritable};
use super::load::{self, Loaded};
use super::lock::Lock;
use super::{FILE, SCRATCH, Store, aside, backup, migrate, stems};
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

impl Store {
    /// Opens the library in `dir`, which is made if it is not there. A backup that is due is
    /// written meanwhile. [`StoreError::ReadOnly`] where a library is there and can be read, but not written to.
    pub fn open(dir: &Path) -> Result<(Self, Loaded), StoreError> {
        Self::open_to_write(dir).map_err(|error| match error {
            StoreError::Io { source, .. }
                if is_unwritable(&source) && is_readable(&dir.join(FILE)) =>
            {
                StoreError::ReadOnly {
                    source,
                    path: dir.to_path_buf(),
                }
            }
            other => other,
        })
    }

    /// The same, and where nothing can be written, opens it all the same: every write is refused then.
    pub fn open_or_read(dir: &Path) -> Result<(Self, Loaded), StoreError> {
        let (kind, lock) = match Self::open(dir) {
            Err(StoreError::ReadOnly { source, .. }) => (source.kind(), Lock::share(dir)?),
            // Perhaps by others who can only read it, too: a lock file may be writable where the library is not.
            Err(locked @ StoreError::Locked { .. }) => {
                let Some(kind) = refusal(&dir.join(FILE)) else {
                    return Err(locked);
                };
                (kind, Some(Lock::share(dir)?.ok_or(locked)?))
            }
            other => return other,
        };
        let handle = Arc::new(migrate::open_to_read(&dir.join(FILE))?);
        let loaded = load::load(&handle)?;
        let store = Self {
            dir: dir.to_path_buf(),
            handle,
            daily_backup: None,
            told: Mutex::default(),
            lock,
            read_only: Some(kind),
        };
        Ok((store, loaded))
    }

    /// Whether it was opened where nothing can be written.
    pub fn is_read_only(&self) -> bool {
        self.read_only.is_some()
    }

    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        self.read_only.map_or(Ok(()), |kind| {
            Err(StoreError::ReadOnly {
                source: kind.into(),
                path: self.dir.clone(),
            })
        })
    }

    fn open_to_write(dir: &Path) -> Result<(Self, Loaded), StoreError> {
        fs::create_dir_all(dir).map_err(|error| StoreError::opening(error, dir))?;
        let lock = Lock::take(dir)?;
        // What a crash left; nobody else may be using it, for the lock is ours.
        if let Err(error) = fs::remove_dir_all(dir.join(SCRATCH))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "old scratch files stay behind");
        }
        let handle = Arc::new(migrate::open(&dir.join(FILE))?);
        // Only room is lost where this fails: what was set aside is read by nobody.
        if let Err(error) = aside::forget(dir, &handle) {
            tracing::warn!(%error, "removed tracks are let go of at the next start");
        }
        let mut loaded = load::load(&handle)?;
        stems::sweep(dir, &mut loaded);
        let daily_backup = backup::spawn_daily(&handle);
        let store = Self {
            dir: dir.to_path_buf(),
            handle,
            daily_backup,
            told: Mutex::default(),
            lock: Some(lock),
            read_only: None,
        };
        Ok((store, loaded))
    }
}

fn is_readable(path: &Path) -> bool {
    path.is_file() && File::open(path).is_ok()
}

/// Why the file can be read and not written to, where it is so. It is not touched.
fn refusal(path: &Path) -> Option<ErrorKind> {
    let error = OpenOptions::new().write(true).open(path).err()?;
    (is_unwritable(&error) && is_readable(path)).then(|| error.kind())
}
