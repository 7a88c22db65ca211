//! The format of the library file: made, checked, and brought up to date.

use super::backup::{self, Reason};
use super::database::{Handle, guarded};
use super::error::{StoreError, Trouble};
use super::files;
use super::overlay;
use super::tables::{
    BEATS_BY_HAND, BY_HAND, BY_TRACK, DECK_NAMES, FORMAT, META, META_CHANGES, META_FORMAT, REMOVED,
};
use redb::{ReadTransaction, ReadableDatabase as _, TableError, WriteTransaction};
use std::fs;
use std::path::Path;

/// Brings the file from one format to the next.
type Step = fn(&WriteTransaction) -> Result<(), Trouble>;

/// `STEPS[n]` leads from format n + 1 to n + 2.
const STEPS: [Step; FORMAT as usize - 1] = [with_hands];

/// Format 2 knows what the user sets by hand, and tracks that may be put back.
fn with_hands(write: &WriteTransaction) -> Result<(), Trouble> {
    for table in [BY_HAND, BEATS_BY_HAND, REMOVED] {
        write.open_table(table)?;
    }
    Ok(())
}

/// Opens the library file, which is made if it is not there, in today's format.
pub(super) fn open(path: &Path) -> Result<Handle, StoreError> {
    open_with(path, &STEPS)
}

/// Opens the library file where it cannot be written to. What would be brought up to date is so in memory alone.
pub(super) fn open_to_read(path: &Path) -> Result<Handle, StoreError> {
    refuse_newer(path, &STEPS)?;
    let handle = Handle::open_with(path.to_path_buf(), overlay::open)?;
    let found = check(handle.read(format_of)?, path, &STEPS)?;
    if found != newest(&STEPS) {
        bring_up_to_date(&handle, found, &STEPS)?;
    }
    Ok(handle)
}

fn open_with(path: &Path, steps: &[Step]) -> Result<Handle, StoreError> {
    let length = fs::metadata(path).map(|metadata| metadata.len());
    if length.is_ok_and(|length| length > 0) {
        refuse_newer(path, steps)?;
    } else if let Some(backup) = backup::newest(path) {
        // Backups without a library: something took it away. A new one would hide the loss.
        return Err(StoreError::Damaged {
            reason: "it is gone or empty, although there are backups".to_owned(),
            backup: Some(backup),
            path: path.to_path_buf(),
        });
    } else {
        create(path)?;
    }
    let handle = Handle::open(path.to_path_buf())?;
    let found = check(handle.read(format_of)?, path, steps)?;
    if found == newest(steps) {
        return Ok(handle);
    }
    drop(handle);
    backup::copy_closed(path, Reason::Migration)?;
    let handle = Handle::open(path.to_path_buf())?;
    bring_up_to_date(&handle, found, steps)?;
    Ok(handle)
}

fn bring_up_to_date(handle: &Handle, found: u64, steps: &[Step]) -> Result<(), StoreError> {
    handle.write(|write| {
        for step in steps.iter().skip(found as usize - 1) {
            step(write)?;
        }
        write.open_table(META)?.insert(META_FORMAT, newest(steps))?;
        Ok(())
    })
}

/// The format that `steps` lead to.
fn newest(steps: &[Step]) -> u64 {
    steps.len() as u64 + 1
}

/// Makes an empty library under another name first: a half-made one is never found.
fn create(path: &Path) -> Result<(), StoreError> {
    let temporary = files::unfinished(path);
    files::remove(&temporary).map_err(|error| StoreError::io(error, &temporary))?;
    let handle = Handle::open(temporary.clone())?;
    handle.write(|write| prepare(write, 0))?;
    drop(handle);
    fs::rename(&temporary, path)
        .and_then(|()| files::sync_folder(path.parent().unwrap_or(Path::new("."))))
        .map_err(|error| StoreError::io(error, path))
}

/// All tables, empty, in today's format.
pub(super) fn prepare(write: &WriteTransaction, changes: u64) -> Result<(), Trouble> {
    let mut meta = write.open_table(META)?;
    meta.insert(META_FORMAT, u64::from(FORMAT))?;
    meta.insert(META_CHANGES, changes)?;
    for table in BY_TRACK {
        write.open_table(table)?;
    }
    write.open_table(DECK_NAMES)?;
    Ok(())
}

/// Looks at the format without write access: a newer library is left as it is, to the byte.
fn refuse_newer(path: &Path, steps: &[Step]) -> Result<(), StoreError> {
    let found = guarded(|| {
        let database = redb::ReadOnlyDatabase::open(path)?;
        format_of(&database.begin_read()?)
    });
    match found {
        Ok(found) => check(found, path, steps).map(drop),
        // Not closed properly last time: repairing it is what an ordinary open does.
        Err(Trouble::Database(redb::Error::RepairAborted)) => Ok(()),
        Err(trouble) => Err(trouble.about(path, || backup::newest(path))),
    }
}

/// `found` again, when it is one that we can work with.
fn check(found: u64, path: &Path, steps: &[Step]) -> Result<u64, StoreError> {
    let known = newest(steps);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == 0 {
        return Err(StoreError::Damaged {
            reason: "it is a database, but not a library".to_owned(),
            backup: backup::newest(path),
            path: path.to_path_buf(),
        });
    }
    Ok(found)
}

pub(super) fn format_of(read: &ReadTransaction) -> Result<u64, Trouble> {
    Ok(meta(read, META_FORMAT)?.unwrap_or(0))
}

pub(super) fn changes_of(read: &ReadTransaction) -> Result<u64, Trouble> {
    Ok(meta(read, META_CHANGES)?.unwrap_or(0))
}

fn meta(read: &ReadTransaction, name: &str) -> Result<Option<u64>, Trouble> {
    match read.open_table(META) {
        Ok(table) => Ok(table.get(name)?.map(|value| value.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(write: &WriteTransaction) -> Result<(), Trouble> {
        write
            .open_table(DECK_NAMES)?
            .insert(b"new".as_slice(), b"x".as_slice())?;
        Ok(())
    }

    fn failing_step(write: &WriteTransaction) -> Result<(), Trouble> {
        step(write)?;
        Err(Trouble::Panic("cannot".to_owned()))
    }

    fn roots(handle: &Handle) -> u64 {
        use redb::ReadableTableMetadata as _;
        handle
            .read(|read| Ok(read.open_table(DECK_NAMES)?.len()?))
            .unwrap()
    }

    #[test]
    fn an_older_library_is_backed_up_and_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("library.redb");
        drop(open(&path).unwrap());
        let old = fs::read(&path).unwrap();

        open_with(&path, &[with_hands, failing_step]).unwrap_err();
        let handle = open_with(&path, &[with_hands]).unwrap();
        assert_eq!(roots(&handle), 0, "a failed step leaves nothing");
        drop(handle);

        let handle = open_with(&path, &[with_hands, step]).unwrap();
        assert_eq!((handle.read(format_of).unwrap(), roots(&handle)), (3, 1));
        drop(handle);
        let backup = backup::newest(&path).unwrap();
        assert!(backup.to_string_lossy().contains("migration-"));
        assert_eq!(fs::read(&backup).unwrap().len(), old.len());

        // With the step done it is newer than the program that does not know it.
        let error = open_with(&path, &[with_hands]).unwrap_err();
        assert!(
            matches!(error, StoreError::Newer { found: 3, known: 2 }),
            "{error}"
        );
        let handle = open_with(&path, &[with_hands, step]).unwrap();
        assert_eq!(roots(&handle), 1);
    }

    #[test]
    fn a_database_that_is_no_library_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("library.redb");
        drop(redb::Database::create(&path).unwrap());
        let error = open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }
}
