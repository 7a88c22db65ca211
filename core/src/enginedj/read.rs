//! The tracks of a library one after the other, past whatever is damaged.

use super::Library;
use super::error::EngineError;
use super::guard::Guard;
use super::schema::Columns;
use super::track::{Decoder, EngineTrack};
use super::values::Cell;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, Statement};
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// Rows asked for at a time.
const PAGE: i64 = 256;
/// Damaged places that are worked around. A file with more is beyond sense.
const MOST_DAMAGE: u32 = 10_000;
/// For all of a library. A hundred thousand tracks take a second.
const MOST_TIME: Duration = Duration::from_mins(10);

/// A track, or the news of some that are lost.
pub type Item = Result<EngineTrack, Lost>;

/// Rows that cannot be read at all. The rest is not concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The numbers between which they lie. There need not have been a track for each.
    pub first: i64,
    /// `None`: all that come after.
    pub last: Option<i64>,
    pub why: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) if last == self.first => write!(f, "track {last}: {}", self.why),
            Some(last) => write!(f, "tracks {} to {last}: {}", self.first, self.why),
            None => write!(f, "tracks from {}: {}", self.first, self.why),
        }
    }
}

/// Reads as it goes, a few hundred rows at a time. Ends early when its control is cancelled.
#[derive(Debug)]
pub struct Tracks<'a> {
    guard: &'a Guard,
    columns: &'a Columns,
    decoder: Decoder,
    page: Option<Statement<'a>>,
    ready: VecDeque<Item>,
    /// The number of the last row that is dealt with. `None` at the end.
    after: Option<i64>,
    rows_left: u64,
    damage_left: u32,
    /// Spent in SQLite: the caller's time does not count.
    spent: Duration,
}

impl Iterator for Tracks<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let after = self.after?;
            let start = Instant::now();
            self.after = self.fill(after);
            self.spent = self.spent.saturating_add(start.elapsed());
            if self.spent > MOST_TIME {
                self.end(self.after, "reading the library took too long");
            }
        }
        self.ready.pop_front()
    }
}

/// What a page of rows ended with.
enum PageEnd {
    /// More rows may follow.
    Full,
    /// There are no more.
    Last,
    Broken(EngineError),
}

impl<'a> Tracks<'a> {
    pub(super) fn new(library: &'a Library) -> Self {
        Self {
            guard: &library.guard,
            columns: &library.columns,
            decoder: Decoder::new(library.about.uuid.clone(), library.folder()),
            page: None,
            ready: VecDeque::new(),
            // Engine counts from one.
            after: Some(0),
            rows_left: library.most_rows,
            damage_left: MOST_DAMAGE,
            spent: Duration::ZERO,
        }
    }

    fn end(&mut self, after: Option<i64>, why: &str) {
        if let Some(after) = after {
            self.lose(after, None, why);
        }
        self.after = None;
    }

    fn lose(&mut self, after: i64, last: Option<i64>, why: &str) {
        self.ready.push_back(Err(Lost {
            first: after.saturating_add(1),
            last,
            why: why.to_owned(),
        }));
    }

    /// Reads on after the row `after`, and says after which one to go on.
    fn fill(&mut self, after: i64) -> Option<i64> {
        if self.rows_left == 0 {
            if matches!(self.guard.ask(|_| self.next_number(after)), Ok(None)) {
                return None;
            }
            self.lose(after, None, "the library has more tracks than are accepted");
            return None;
        }
        let (last, end) = self.read_page(after);
        match end {
            PageEnd::Full => Some(last),
            PageEnd::Last | PageEnd::Broken(EngineError::Cancelled) => None,
            PageEnd::Broken(error @ (EngineError::Timeout | EngineError::Memory)) => {
                self.lose(last, None, &error.to_string());
                None
            }
            PageEnd::Broken(error) => self.work_around(last, &error),
        }
    }

    /// Reads rows until the page is full or something is wrong. What was read before that is kept.
    fn read_page(&mut self, after: i64) -> (i64, PageEnd) {
        let mut last = after;
        let read = self.read_rows(&mut last);
        let end = match read {
            Ok(rows) if rows < PAGE => PageEnd::Last,
            Ok(_) => PageEnd::Full,
            Err(error) => PageEnd::Broken(self.guard.error(&error)),
        };
        (last, end)
    }

    fn read_rows(&mut self, last: &mut i64) -> rusqlite::Result<i64> {
        self.guard.start_clock();
        let statement = match &mut self.page {
            Some(statement) => statement,
            empty => empty.insert(self.guard.connection().prepare(&format!(
                "SELECT {} FROM Track NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT ?2",
                self.columns.list()
            ))?),
        };
        let most = PAGE.min(i64::try_from(self.rows_left).unwrap_or(PAGE));
        let mut rows = statement.query([*last, most])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            // In a damaged file numbers may go round in circles.
            if number <= *last {
                return Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                    Some("tracks are out of order".to_owned()),
                ));
            }
            let track = self.decoder.track(number, &|place| cell(row, place));
            self.ready.push_back(Ok(track));
            *last = number;
            count += 1;
            self.rows_left = self.rows_left.saturating_sub(1);
        }
        // Fewer than a full page because no more are accepted is not the end.
        Ok(if count == most { PAGE } else { count })
    }

    /// Goes on behind a place that cannot be read: a row whose values are bad one by one, pages of rows by
    /// looking further and further ahead.
    fn work_around(&mut self, after: i64, error: &EngineError) -> Option<i64> {
        if self.damage_left == 0 {
            self.lose(after, None, "the database is damaged in too many places");
            return None;
        }
        self.damage_left -= 1;
        match self.guard.ask(|_| self.next_number(after)) {
            Ok(None) => {
                self.lose(after, None, &error.to_string());
                None
            }
            Ok(Some(number)) => {
                let track = self.piece_together(number);
                self.ready.push_back(Ok(track));
                self.rows_left = self.rows_left.saturating_sub(1);
                Some(number)
            }
            Err(EngineError::Cancelled) => None,
            Err(_) => self.leap(after, error),
        }
    }

    /// The number of the first row after `after`, without its values.
    fn next_number(&self, after: i64) -> rusqlite::Result<Option<i64>> {
        // From the table itself: an index may tell of rows that are lost.
        let next = self
            .guard
            .connection()
            .query_row(
                "SELECT id FROM Track NOT INDEXED WHERE id > ?1 ORDER BY id LIMIT 1",
                [after],
                |row| row.get::<_, i64>(0),
            )
            .optional()?;
        match next {
            Some(next) if next <= after => Err(rusqlite::Error::InvalidQuery),
            next => Ok(next),
        }
    }

    /// The row `number`, each value by itself.
    fn piece_together(&mut self, number: i64) -> EngineTrack {
        let values: Vec<Option<Value>> = self
            .columns
            .each()
            .map(|column| {
                let Some(column) = column else {
                    return Some(Value::Null);
                };
                let question = format!("SELECT {column} FROM Track NOT INDEXED WHERE id = ?1");
                self.guard
                    .ask(|connection| {
                        connection.query_row(&question, [number], |row| Ok(owned(cell(row, 0))))
                    })
                    .ok()
                    .flatten()
            })
            .collect();
        self.decoder.track(number, &|place| {
            values
                .get(place)
                .and_then(Option::as_ref)
                .map_or(Cell::Unreadable, |value| {
                    Cell::from(rusqlite::types::ValueRef::from(value))
                })
        })
    }

    /// Finds the first row behind a stretch that cannot be read at all.
    fn leap(&mut self, after: i64, error: &EngineError) -> Option<i64> {
        let probe = |step: i64| {
            self.guard
                .ask(|_| self.next_number(after.saturating_add(step)))
        };
        let mut near = 0;
        let mut far = 1;
        let mut found = None;
        // Numbers are far below 2^40 in any library; from there on it is the end that is not found.
        while found.is_none() && far < 1 << 40 {
            match probe(far) {
                Ok(next) => found = Some(next),
                Err(EngineError::Cancelled) => return None,
                Err(_) => {
                    near = far;
                    far *= 2;
                }
            }
        }
        while found.is_some() && far - near > 1 {
            let middle = near + (far - near) / 2;
            match probe(middle) {
                Ok(next) => {
                    found = Some(next);
                    far = middle;
                }
                Err(EngineError::Cancelled) => return None,
                Err(_) => near = middle,
            }
        }
        let next = found.flatten();
        self.lose(after, next.map(|next| next - 1), &error.to_string());
        next.map(|next| next - 1)
    }
}

fn cell<'r>(row: &'r Row<'_>, place: usize) -> Cell<'r> {
    row.get_ref(place).map_or(Cell::Unreadable, Cell::from)
}

/// `None` for text in no encoding, which has no owned form.
fn owned(cell: Cell<'_>) -> Option<Value> {
    Some(match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(number),
        Cell::Real(number) => Value::Real(number),
        // Whoever reads it takes bytes for text where they are text.
        Cell::Text(bytes) | Cell::Blob(bytes) => Value::Blob(bytes.to_vec()),
        Cell::Unreadable => return None,
    })
}
