//! The database handle: every use of it goes through here, so that errors, panics on damaged
//! pages and a full disk all end as a [`StoreError`] and the next use starts afresh.

use super::backup;
use super::error::{StoreError, Trouble};
use redb::{Database, ReadTransaction, ReadableDatabase as _, WriteTransaction};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// Memory for pages: rows are decoded once at the start, results are read one by one, so that little is read twice.
pub(super) const CACHE_BYTES: usize = 4 << 20;

pub(super) struct Handle {
    path: PathBuf,
    open: fn(&Path) -> Result<Database, redb::DatabaseError>,
    /// `None` after an error; the next use opens the file again.
    slot: RwLock<Option<Database>>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

pub(super) fn open_file(path: &Path) -> Result<Database, redb::DatabaseError> {
    Database::builder().set_cache_size(CACHE_BYTES).create(path)
}

/// Runs `work`, taking a panic inside it for what it is: a damaged file.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(Trouble::from_panic(&*payload)))
}

impl Handle {
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        Self::open_with(path, open_file)
    }

    /// With another way to open the file (where it cannot be written to; tests: a disk that fills up).
    pub(super) fn open_with(
        path: PathBuf,
        open: fn(&Path) -> Result<Database, redb::DatabaseError>,
    ) -> Result<Self, StoreError> {
        let handle = Self {
            path,
            open,
            slot: RwLock::new(None),
        };
        handle.with(|_| Ok(()))?;
        Ok(handle)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads from one consistent state of the library.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        self.with(|database| work(&database.begin_read()?))
    }

    /// One durable transaction: all of `work` or nothing.
    pub(super) fn write(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<(), Trouble>,
    ) -> Result<(), StoreError> {
        self.with(|database| {
            let mut transaction = database.begin_write()?;
            // A crash must not cost the next start a walk over the whole file.
            transaction.set_quick_repair(true);
            work(&transaction)?;
            transaction.commit()?;
            Ok(())
        })
    }

    /// Checks every page of the file. `false`: there was something to repair, and it is repaired.
    pub(super) fn check_integrity(&self) -> Result<bool, StoreError> {
        self.with(|_| Ok(()))?;
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let checked = match &mut *slot {
            Some(database) => guarded(|| Ok(database.check_integrity()?)),
            None => Err(Trouble::Database(redb::Error::PreviousIo)),
        };
        drop(slot);
        self.conclude(checked)
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let result = self.ensure_open().and_then(|()| {
            let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
            match &*slot {
                Some(database) => guarded(|| work(database)),
                None => Err(Trouble::Database(redb::Error::PreviousIo)),
            }
        });
        self.conclude(result)
    }

    fn conclude<T>(&self, result: Result<T, Trouble>) -> Result<T, StoreError> {
        result.map_err(|trouble| {
            if trouble.breaks_handle() {
                self.close();
            }
            trouble.about(&self.path, || backup::newest(&self.path))
        })
    }

    fn ensure_open(&self) -> Result<(), Trouble> {
        let is_open = self
            .slot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        if is_open {
            return Ok(());
        }
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(guarded(|| Ok((self.open)(&self.path)?))?);
        }
        Ok(())
    }

    fn close(&self) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let database = slot.take();
        // Closing a damaged database may panic as using it did; it is given up anyway.
        drop(guarded(|| {
            drop(database);
            Ok(())
        }));
    }
}
