//! Backups: whole copies of the library file in `backups`, and the way back.

use super::database::{Handle, guarded, open_file};
use super::error::{StoreError, Trouble};
use super::load::{self, BadRecord};
use super::records::{Record as _, WaveformFile};
use super::tables::{self, BY_TRACK, DECK_NAMES};
use super::{files, migrate, waveforms};
use crate::artifact::Artifact;
use crate::control::Control;
use crate::findings::Knowledge;
use crate::track::TrackId;
use jiff::Timestamp;
use redb::{Database, Durability, ReadTransaction, ReadableDatabase as _, ReadableTable as _};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

const FOLDER: &str = "backups";
const EXTENSION: &str = "redb";

/// Copied in one step: bounds the memory that a copy takes.
const STEP_BYTES: usize = 16 << 20;

/// Why a backup was made. Each reason has its own number of backups that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The first use on a day: the last seven are kept, and one a week for four weeks before.
    Daily,
    ByHand,
    /// Before the file was brought to a newer format.
    Migration,
    /// What a restored backup took the place of.
    Replaced,
}

impl Reason {
    const ALL: [Self; 4] = [Self::Daily, Self::ByHand, Self::Migration, Self::Replaced];

    fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::ByHand => "by-hand",
            Self::Migration => "migration",
            Self::Replaced => "replaced",
        }
    }

    /// How many of the newest are kept.
    fn kept(self) -> usize {
        match self {
            Self::Daily => 7,
            Self::ByHand => 20,
            Self::Migration | Self::Replaced => 5,
        }
    }
}

/// Weeks before the daily backups of which one backup each is kept.
const WEEKS_KEPT: usize = 4;

/// One backup, as its name tells: `daily-20261122T101500Z-42.redb`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Backup {
    path: PathBuf,
    reason: Reason,
    /// UTC, as in the name; sorts by time.
    at: String,
    /// The library's count of changes.
    changes: u64,
}

impl Backup {
    fn parse(path: PathBuf) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?;
        let mut parts = stem.strip_suffix('.')?.rsplitn(3, '-');
        let changes = parts.next()?.parse().ok()?;
        let at = parts.next()?.to_owned();
        let name = parts.next()?;
        let reason = Reason::ALL
            .into_iter()
            .find(|reason| reason.name() == name)?;
        let is_time = at.len() == "20261122T101500Z".len()
            && at.bytes().take(8).all(|byte| byte.is_ascii_digit());
        is_time.then_some(Self {
            path,
            reason,
            at,
            changes,
        })
    }

    /// Days since an arbitrary day, for counting weeks. `None` for a date that does not exist.
    fn day(&self) -> Option<i64> {
        let date = jiff::civil::Date::strptime("%Y%m%d", self.at.get(..8)?).ok()?;
        let epoch = jiff::civil::date(2000, 1, 3);
        Some(i64::from(date.since(epoch).ok()?.get_days()))
    }
}

/// What restoring did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The library that was there before; restoring it undoes this. `None`: there was none.
    pub replaced: Option<PathBuf>,
    pub tracks: usize,
    /// Records of the backup that cannot be read.
    pub unreadable: Vec<BadRecord>,
    /// Tracks whose waveform has to be made again.
    pub waveforms_gone: Vec<TrackId>,
}

fn folder(library: &Path) -> PathBuf {
    library.with_file_name(FOLDER)
}

/// Oldest first.
fn list(library: &Path) -> Vec<Backup> {
    let Ok(entries) = fs::read_dir(folder(library)) else {
        return Vec::new();
    };
    let mut backups: Vec<Backup> = entries
        .filter_map(|entry| Backup::parse(entry.ok()?.path()))
        .collect();
    backups.sort_by(|a, b| (&a.at, a.changes, &a.path).cmp(&(&b.at, b.changes, &b.path)));
    backups
}

/// The backup to restore when the library is damaged.
pub(super) fn newest(library: &Path) -> Option<PathBuf> {
    list(library)
        .into_iter()
        .rfind(|backup| backup.reason != Reason::Replaced)
        .map(|backup| backup.path)
}

fn new_path(library: &Path, reason: Reason, changes: u64) -> Result<PathBuf, StoreError> {
    let folder = folder(library);
    fs::create_dir_all(&folder).map_err(|error| StoreError::io(error, &folder))?;
    let at = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    Ok(folder.join(format!("{}-{at}-{changes}.{EXTENSION}", reason.name())))
}

/// Starts the backup of the day, if there is none yet and something changed since the last.
pub(super) fn spawn_daily(handle: &Arc<Handle>) -> Option<Daily> {
    let changes = handle.read(migrate::changes_of).ok()?;
    let today = Timestamp::now().strftime("%Y%m%d").to_string();
    let last = list(handle.path())
        .into_iter()
        .rfind(|backup| backup.reason == Reason::Daily);
    let due = match last {
        None => changes > 0,
        Some(last) => !last.at.starts_with(&today) && last.changes != changes,
    };
    if !due {
        return None;
    }
    let handle = Arc::clone(handle);
    let control = Control::default();
    let given_up = control.clone();
    let thread = thread::Builder::new()
        .name("daily backup".to_owned())
        .spawn(move || match make(&handle, Reason::Daily, &given_up) {
            Err(error) if given_up.check().is_ok() => {
                tracing::warn!("the daily backup could not be made: {error}");
            }
            Ok(_) | Err(_) => {}
        });
    let thread = thread.ok()?;
    Some(Daily { thread, control })
}

/// A daily backup in the making.
#[derive(Debug)]
pub(super) struct Daily {
    pub(super) thread: JoinHandle<()>,
    /// Given up, it is due again at the next start.
    pub(super) control: Control,
}

/// Copies the open library, as it stands at this moment.
pub(super) fn make(
    handle: &Handle,
    reason: Reason,
    control: &Control,
) -> Result<PathBuf, StoreError> {
    let changes = handle.read(migrate::changes_of)?;
    let path = new_path(handle.path(), reason, changes)?;
    let temporary = files::unfinished(&path);
    files::remove(&temporary).map_err(|error| StoreError::io(error, &temporary))?;
    let copied = handle
        .read(|read| Ok(guarded(|| copy(read, &temporary, control))))
        .and_then(|copied| copied.map_err(|trouble| trouble.about(&temporary, || None)));
    finish(copied, &temporary, &path)?;
    rotate(handle.path(), reason);
    Ok(path)
}

/// Copies the closed library byte by byte, whatever is in it.
pub(super) fn copy_closed(library: &Path, reason: Reason) -> Result<PathBuf, StoreError> {
    let path = new_path(library, reason, 0)?;
    let temporary = files::unfinished(&path);
    let copied = copy_file(library, &temporary);
    finish(copied, &temporary, &path)?;
    rotate(library, reason);
    Ok(path)
}

fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::copy(from, to)
        .and_then(|_| fs::OpenOptions::new().write(true).open(to)?.sync_all())
        .map_err(|error| StoreError::io(error, to))
}

/// Gives a whole copy its name, or takes away what there is of it.
fn finish(copied: Result<(), StoreError>, from: &Path, to: &Path) -> Result<(), StoreError> {
    let finished = copied.and_then(|()| {
        fs::rename(from, to)
            .and_then(|()| files::sync_folder(to.parent().unwrap_or(Path::new("."))))
            .map_err(|error| StoreError::io(error, to))
    });
    if finished.is_err() {
        drop(files::remove(from));
    }
    finished
}

fn copy(read: &ReadTransaction, to: &Path, control: &Control) -> Result<(), Trouble> {
    let target = open_file(to)?;
    let write = target.begin_write()?;
    migrate::prepare(&write, migrate::changes_of(read)?)?;
    {
        let mut roots = write.open_table(DECK_NAMES)?;
        for entry in read.open_table(DECK_NAMES)?.iter()? {
            let (key, value) = entry?;
            roots.insert(key.value(), value.value())?;
        }
    }
    write.commit()?;
    for table in BY_TRACK {
        copy_table(read, &target, (table, control))?;
    }
    // The last commit is durable, and with it all before.
    target.begin_write()?.commit()?;
    Ok(())
}

fn copy_table(
    read: &ReadTransaction,
    target: &Database,
    (table, control): (tables::ByTrack, &Control),
) -> Result<(), Trouble> {
    let source = read.open_table(table)?;
    let mut entries = source.iter()?;
    loop {
        let given_up = |_| io::Error::from(io::ErrorKind::Interrupted);
        control
            .check()
            .map_err(|cancelled| StoreError::io(given_up(cancelled), Path::new("")))?;
        let mut write = target.begin_write()?;
        write.set_durability(Durability::None)?;
        let mut room = STEP_BYTES;
        {
            let mut into = write.open_table(table)?;
            while room > 0 {
                let Some(entry) = entries.next() else { break };
                let (id, bytes) = entry?;
                into.insert(id.value(), bytes.value())?;
                room = room.saturating_sub(bytes.value().len().max(1));
            }
        }
        write.commit()?;
        if room > 0 {
            return Ok(());
        }
    }
}

/// Deletes the backups of `reason` that are more than are kept.
fn rotate(library: &Path, reason: Reason) {
    let backups: Vec<Backup> = list(library)
        .into_iter()
        .filter(|backup| backup.reason == reason)
        .collect();
    for backup in surplus(backups, reason) {
        if let Err(error) = files::remove(&backup.path) {
            tracing::warn!("an old backup stays: {error}: {}", backup.path.display());
        }
    }
}

/// Those of `backups` (all of one reason, oldest first) that need not be kept.
fn surplus(mut backups: Vec<Backup>, reason: Reason) -> Vec<Backup> {
    let older = backups.len().saturating_sub(reason.kept());
    backups.truncate(older);
    if reason != Reason::Daily {
        return backups;
    }
    // Of each week the newest; `insert` says whether the week is a new one.
    let mut weeks = BTreeSet::new();
    let mut given_up: Vec<Backup> = backups
        .into_iter()
        .rev()
        .filter(|backup| {
            let week = backup.day().map(|day| day.div_euclid(7));
            let is_kept = weeks.len() < WEEKS_KEPT && weeks.insert(week);
            !is_kept
        })
        .collect();
    given_up.reverse();
    given_up
}

/// Puts a copy of `backup` in the place of `library`, which is closed and locked.
pub(super) fn restore(library: &Path, backup: &Path) -> Result<Restored, StoreError> {
    let temporary = files::unfinished(library);
    let mut restored = copy_file(backup, &temporary)
        .and_then(|()| examine(&temporary, backup))
        .inspect_err(|_| drop(files::remove(&temporary)))?;
    if library.exists() {
        restored.replaced = Some(
            copy_closed(library, Reason::Replaced)
                .inspect_err(|_| drop(files::remove(&temporary)))?,
        );
    }
    finish(Ok(()), &temporary, library)?;
    Ok(restored)
}

/// Checks a copy of `backup` down to its last record.
fn examine(copy: &Path, backup: &Path) -> Result<Restored, StoreError> {
    let bad = |reason: String| StoreError::BadBackup {
        reason,
        path: backup.to_path_buf(),
    };
    if fs::metadata(copy).map_or(0, |metadata| metadata.len()) == 0 {
        return Err(bad("it is empty".to_owned()));
    }
    let examined = guarded(|| {
        let database = Database::builder()
            .set_check_integrity_on_open(true)
            .open(copy)?;
        let read = database.begin_read()?;
        let format = migrate::format_of(&read)?;
        if !(1..=u64::from(tables::FORMAT)).contains(&format) {
            return Ok(Err(format));
        }
        let restored = survey(&read, copy)?;
        drop(read);
        forget_waveforms(&database, &restored.waveforms_gone)?;
        Ok(Ok(restored))
    });
    match examined {
        Ok(Ok(restored)) => Ok(restored),
        Ok(Err(0)) => Err(bad("it is a database, but not a library".to_owned())),
        Ok(Err(found)) => Err(StoreError::Newer {
            found,
            known: u64::from(tables::FORMAT),
        }),
        Err(Trouble::Database(redb::Error::Io(error)))
            if !matches!(
                error.kind(),
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
            ) =>
        {
            Err(StoreError::io(error, copy))
        }
        Err(Trouble::Database(error)) => Err(bad(error.to_string())),
        Err(Trouble::Panic(reason)) => Err(bad(reason)),
        Err(Trouble::Known(error)) => Err(error),
    }
}

/// What is in a backup. Records of older formats are read by the steps that lead here.
fn survey(read: &ReadTransaction, copy: &Path) -> Result<Restored, Trouble> {
    let dir = copy.parent().unwrap_or(Path::new("."));
    let mut tracks = 0;
    let mut unreadable = Vec::new();
    let mut waveforms_gone = Vec::new();
    load::each::<crate::track::Track>(
        read,
        tables::TRACKS,
        0..=u64::MAX,
        |_, result| match result {
            Ok(_) => tracks += 1,
            Err(bad) => unreadable.push(bad),
        },
    )?;
    load::each::<WaveformFile>(read, tables::WAVEFORMS, 0..=u64::MAX, |id, _| {
        if !waveforms::path(dir, id).exists() {
            waveforms_gone.push(id);
        }
    })?;
    Ok(Restored {
        replaced: None,
        tracks,
        unreadable,
        waveforms_gone,
    })
}

/// Drops every word of waveforms whose file is gone, so that they are due.
fn forget_waveforms(database: &Database, gone: &[TrackId]) -> Result<(), Trouble> {
    if gone.is_empty() {
        return Ok(());
    }
    let write = database.begin_write()?;
    {
        let mut entries = write.open_table(tables::WAVEFORMS)?;
        let mut knowledge = write.open_table(tables::KNOWLEDGE)?;
        for id in gone {
            entries.remove(id.0)?;
            let known = knowledge
                .get(id.0)?
                .and_then(|bytes| Knowledge::from_bytes(bytes.value()).ok());
            // What cannot be read is no record of anything: all of that track is due as it is.
            let Some(mut known) = known else { continue };
            known.records.remove(&Artifact::Waveform);
            known.forget(Artifact::Waveform);
            if let Ok(bytes) = known.to_bytes() {
                knowledge.insert(id.0, bytes.as_slice())?;
            }
        }
    }
    write.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_other_files_are_left_alone() {
        let backup = Backup::parse("/x/by-hand-20261122T101500Z-42.redb".into()).unwrap();
        assert_eq!((backup.reason, backup.changes), (Reason::ByHand, 42));
        for name in [
            "mine.redb",
            "daily-20261122T101500Z-42.redb.unfinished",
            "daily-2026-42.redb",
            "weekly-20261122T101500Z-42.redb",
            "daily-20261122T101500Z-x.redb",
        ] {
            assert_eq!(Backup::parse(name.into()), None, "{name}");
        }
    }

    #[test]
    fn a_week_of_days_and_a_month_of_weeks_are_kept() {
        let start = jiff::civil::date(2026, 1, 1);
        let mut kept: Vec<Backup> = Vec::new();
        for day in 0..100_i64 {
            let date = start.saturating_add(jiff::Span::new().days(day));
            let name = date.strftime("daily-%Y%m%dT120000Z-1.redb").to_string();
            kept.push(Backup::parse(name.into()).unwrap());
            let given_up = surplus(kept.clone(), Reason::Daily);
            kept.retain(|backup| !given_up.contains(backup));
            assert!(kept.len() <= 7 + WEEKS_KEPT);
        }
        let days: Vec<i64> = kept.iter().filter_map(Backup::day).collect();
        let newest = *days.last().unwrap();
        assert_eq!(kept.len(), 7 + WEEKS_KEPT);
        assert_eq!(
            days[WEEKS_KEPT..],
            [6, 5, 4, 3, 2, 1, 0].map(|ago| newest - ago)
        );
        assert!(newest - days[0] >= 7 * (WEEKS_KEPT as i64 - 1), "{days:?}");

        let by_hand = vec![kept[0].clone(); 25];
        assert_eq!(surplus(by_hand, Reason::ByHand).len(), 5);
    }
}
