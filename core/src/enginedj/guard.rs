//! SQLite on a short leash: a file that we did not write may be anything.
//!
//! Nothing in the file is run (no views, triggers, virtual tables or extensions), values and statements have
//! lengths, memory has a limit, and every question has a deadline.

use super::error::{EngineError, bounded};
use super::schema::Warning;
use crate::control::Control;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest text or blob, and longest statement, in bytes. The texts of a track are shorter than a page.
const MOST_VALUE: i32 = 1 << 20;
/// For all of SQLite in this process, in bytes.
const MOST_MEMORY: u64 = 256 << 20;
/// Steps of SQLite's machine between looks at the clock.
const STEPS: i32 = 1_000;
/// For a look through the whole file. What takes longer is left unfinished.
const CHECK_TIME: Duration = Duration::from_secs(30);
/// For every other question.
const QUESTION_TIME: Duration = Duration::from_secs(20);
/// For one value of one row, which is found at once in a sound file.
const LOOK_TIME: Duration = Duration::from_secs(2);

pub(super) struct Guard {
    connection: Connection,
    clock: Clock,
    control: Control,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

/// When the running question must be answered.
#[derive(Debug, Clone)]
struct Clock {
    start: Instant,
    /// Milliseconds after `start`.
    deadline: Arc<AtomicU64>,
}

impl Clock {
    fn allow(&self, time: Duration) {
        let deadline = self.start.elapsed().saturating_add(time).as_millis();
        self.deadline.store(
            u64::try_from(deadline).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    fn is_over(&self) -> bool {
        self.start.elapsed().as_millis() > u128::from(self.deadline.load(Ordering::Relaxed))
    }
}

impl Guard {
    /// Opens a private copy. It may be written to: SQLite makes it whole from its journal.
    pub(super) fn open(
        database: &Path,
        most_bytes: u64,
        control: &Control,
    ) -> Result<Self, EngineError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags)
            .map_err(|error| EngineError::of_sqlite(&error))?;
        let mut guard = Self {
            connection,
            clock: Clock {
                start: Instant::now(),
                deadline: Arc::default(),
            },
            control: control.clone(),
        };
        guard
            .restrict()
            .map_err(|error| EngineError::of_sqlite(&error))?;
        let (pages, page_bytes) = guard.ask(|connection| {
            let number =
                |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
            Ok((number("PRAGMA page_count")?, number("PRAGMA page_size")?))
        })?;
        // A journal's last word may be a size that the file never had.
        let bytes = pages
            .max(0)
            .cast_unsigned()
            .saturating_mul(page_bytes.max(0).cast_unsigned());
        if bytes > most_bytes {
            return Err(EngineError::TooLarge {
                bytes,
                most: most_bytes,
            });
        }
        Ok(guard)
    }

    fn restrict(&mut self) -> rusqlite::Result<()> {
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_LENGTH, MOST_VALUE),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, MOST_VALUE),
            (Limit::SQLITE_LIMIT_COLUMN, 500),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
            (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
            (Limit::SQLITE_LIMIT_FUNCTION_ARG, 50),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 50),
            (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
            (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        ] {
            self.connection.set_limit(limit, most)?;
        }
        for (switch, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false),
        ] {
            self.connection.set_db_config(switch, on)?;
        }
        let clock = self.clock.clone();
        let control = self.control.clone();
        let must_stop = move || clock.is_over() || control.check().is_err();
        self.connection.progress_handler(STEPS, Some(must_stop))?;
        self.clock.allow(QUESTION_TIME);
        self.connection.execute_batch(&format!(
            "PRAGMA hard_heap_limit={MOST_MEMORY};
             PRAGMA cell_size_check=ON;
             PRAGMA mmap_size=0;
             PRAGMA temp_store=MEMORY;
             PRAGMA cache_size=-16384;
             PRAGMA query_only=ON;"
        ))
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Gives the next question its time.
    pub(super) fn start_clock(&self) {
        self.clock.allow(QUESTION_TIME);
    }

    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EngineError> {
        self.start_clock();
        question(&self.connection).map_err(|error| self.error(&error))
    }

    /// As [`Self::ask`], with less time: for a single value.
    pub(super) fn look_up<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EngineError> {
        self.clock.allow(LOOK_TIME);
        question(&self.connection).map_err(|error| self.error(&error))
    }

    /// What stopped a question.
    pub(super) fn error(&self, error: &rusqlite::Error) -> EngineError {
        match EngineError::of_sqlite(error) {
            EngineError::Timeout if self.control.check().is_err() => EngineError::Cancelled,
            error => error,
        }
    }

    /// Looks through the whole file. `None`: all is well.
    pub(super) fn damage(&self) -> Result<Option<Warning>, EngineError> {
        self.clock.allow(CHECK_TIME);
        let said = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match said {
            Ok(said) if said == "ok" => Ok(None),
            Ok(said) => Ok(Some(Warning::Damaged(bounded(&said)))),
            Err(error) => match self.error(&error) {
                EngineError::Cancelled => Err(EngineError::Cancelled),
                EngineError::Timeout | EngineError::Memory => Ok(Some(Warning::Unchecked)),
                error => Ok(Some(Warning::Damaged(error.to_string()))),
            },
        }
    }
}
