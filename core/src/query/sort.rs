//! Orders of rows: by one or more fields, unknown values last.

use super::SHARE_ROWS;
use super::error::QueryError;
use super::field::{self, Field};
use super::fold::{line, with_folded_path};
use crate::harmony::Mode;
use crate::row::{Row, TrackState};
use std::sync::Arc;

/// One field to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SortKey {
    pub field: Field,
    /// Largest, last or newest first.
    pub descending: bool,
}

/// The first key decides, the next where it is equal, and so on; rows equal in all keep their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Sort(pub Vec<SortKey>);

/// Every field but `has`, which has no order.
fn is_sortable(field: Field) -> bool {
    field != Field::Has
}

impl Sort {
    /// Reads `bpm,-added`: field names, `-` for descending. Empty text keeps the order that is there.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut keys: Vec<SortKey> = Vec::new();
        let mut at = 0;
        for part in text.split(',') {
            let name = part.trim();
            let (descending, name) = match name.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, name.strip_prefix('+').unwrap_or(name)),
            };
            if !name.is_empty() {
                let field = Field::from_name(name).filter(|field| is_sortable(*field));
                let Some(field) = field else {
                    let choices: Vec<_> = Field::ALL
                        .into_iter()
                        .filter(|field| is_sortable(*field))
                        .map(Field::name)
                        .collect();
                    return Err(QueryError::unknown_field(name, &choices, at));
                };
                // A field named again can decide nothing.
                if keys.iter().all(|key| key.field != field) {
                    keys.push(SortKey { field, descending });
                }
            }
            at += part.chars().count() + 1;
        }
        Ok(Self(keys))
    }

    /// Sorts `rows` in place.
    pub fn apply(&self, rows: &mut Vec<Arc<Row>>) {
        if !self.0.is_empty() {
            let order = self.order(rows);
            *rows = order
                .into_iter()
                .filter_map(|index| rows.get(index as usize).map(Arc::clone))
                .collect();
        }
    }

    /// The places of `rows` in sorted order.
    pub fn order(&self, rows: &[Arc<Row>]) -> Vec<u32> {
        let columns: Vec<Column> = self.0.iter().map(|key| Column::new(*key, rows)).collect();
        let mut order: Vec<(u64, u32)> = (0..rows.len() as u32).map(|place| (0, place)).collect();
        sort_run(&mut order, &columns, 0);
        order.into_iter().map(|(_, place)| place).collect()
    }
}

/// Sorts rows that are equal in all before `columns` and in the first `chunk` chunks of the first of them:
/// by its next chunk, then each group that is still equal by what follows. The place, which ends every
/// comparison, keeps the order of rows that are equal in all.
fn sort_run(run: &mut [(u64, u32)], columns: &[Column], chunk: usize) {
    let Some((column, later)) = columns.split_first() else {
        return;
    };
    for (head, place) in &mut *run {
        *head = column.head(*place as usize, chunk);
    }
    run.sort_unstable();
    for group in run.chunk_by_mut(|(head, _), (other, _)| head == other) {
        if let [(head, _), _, ..] = group {
            if column.goes_on_after(*head, chunk) {
                sort_run(group, columns, chunk + 1);
            } else {
                sort_run(group, later, 0);
            }
        }
    }
}

/// The sort keys of all rows for one field.
enum Column {
    /// Ascending in the wanted direction.
    Numbers(Vec<u64>),
    Words(Words),
}

/// What stands for an unknown value: last in either direction.
const UNKNOWN: u64 = u64::MAX;

impl Column {
    fn new(key: SortKey, rows: &[Arc<Row>]) -> Self {
        let descending = key.descending;
        if let Some(wanted) = key.field.line() {
            return Self::Words(Words::new(descending, rows, |row, out| {
                natural_key(line(&row.search_text, wanted), out);
            }));
        }
        match key.field {
            Field::Path => Self::Words(Words::new(descending, rows, |row, out| {
                with_folded_path(&row.track, &row.search_text, |path| natural_key(path, out));
            })),
            Field::Codec => Self::Words(Words::new(descending, rows, |row, out| {
                let format = row.track.format.as_ref();
                natural_key(format.map_or("", |format| &format.codec), out);
            })),
            field => {
                let numbers = rows.iter().map(|row| match number(field, row) {
                    None => UNKNOWN,
                    Some(number) if descending => !number,
                    Some(number) => number,
                });
                Self::Numbers(numbers.collect())
            }
        }
    }

    /// A part of a row's key as a number: the whole of a number, eight bytes of words.
    fn head(&self, place: usize, chunk: usize) -> u64 {
        match self {
            Self::Numbers(numbers) => numbers.get(place).copied().unwrap_or(UNKNOWN),
            Self::Words(words) => words.head(place, chunk),
        }
    }

    /// Whether keys that share this head can differ further on in the same column.
    fn goes_on_after(&self, head: u64, chunk: usize) -> bool {
        match self {
            Self::Numbers(_) => false,
            Self::Words(words) => words.goes_on_after(head, chunk),
        }
    }
}

/// The keys of all rows in one store, free of the byte 0, and without what all of them begin with.
struct Words {
    store: Vec<u8>,
    ends: Vec<u32>,
    /// Bytes that all keys begin with: they decide nothing.
    shared: usize,
    descending: bool,
}

/// The keys of some rows: their bytes and where each ends.
fn written(rows: &[Arc<Row>], write: &(impl Fn(&Row, &mut Vec<u8>) + Sync)) -> (Vec<u8>, Vec<u32>) {
    let mut store = Vec::with_capacity(rows.len() * 24);
    let mut ends = Vec::with_capacity(rows.len());
    for row in rows {
        write(row, &mut store);
        ends.push(store.len() as u32);
    }
    (store, ends)
}

/// The keys of all rows, written on all cores where there are many.
fn written_together(
    rows: &[Arc<Row>],
    write: &(impl Fn(&Row, &mut Vec<u8>) + Sync),
) -> (Vec<u8>, Vec<u32>) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = rows.len().div_ceil(cores).max(SHARE_ROWS);
    if rows.len() <= share {
        return written(rows, write);
    }
    let parts: Vec<(Vec<u8>, Vec<u32>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = rows
            .chunks(share)
            .map(|part| scope.spawn(move || written(part, write)))
            .collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(part) => part,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    let mut store = Vec::with_capacity(parts.iter().map(|(part, _)| part.len()).sum());
    let mut ends = Vec::with_capacity(rows.len());
    for (part, part_ends) in parts {
        let before = store.len() as u32;
        store.extend_from_slice(&part);
        ends.extend(part_ends.into_iter().map(|end| before + end));
    }
    (store, ends)
}

/// How many bytes all keys begin with.
fn shared_beginning(store: &[u8], ends: &[u32]) -> usize {
    let mut start = 0;
    let mut shared: Option<&[u8]> = None;
    for end in ends {
        let key = store.get(start..*end as usize).unwrap_or_default();
        start = *end as usize;
        shared = Some(match shared {
            None => key,
            Some(before) => {
                let same = before.iter().zip(key).take_while(|(a, b)| a == b).count();
                before.get(..same).unwrap_or_default()
            }
        });
        if shared.is_some_and(<[u8]>::is_empty) {
            return 0;
        }
    }
    shared.map_or(0, <[u8]>::len)
}

impl Words {
    fn new(descending: bool, rows: &[Arc<Row>], write: impl Fn(&Row, &mut Vec<u8>) + Sync) -> Self {
        let (store, ends) = written_together(rows, &write);
        // A key that is all shared would look like an unknown one.
        let shared = match shared_beginning(&store, &ends) {
            shared if ends.len() > 1 => shared.saturating_sub(1),
            _ => 0,
        };
        Self {
            store,
            ends,
            shared,
            descending,
        }
    }

    fn head(&self, place: usize, chunk: usize) -> u64 {
        let start = match place.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(place).copied().unwrap_or(start) as usize;
        let from = (start as usize + self.shared + chunk * 8).min(end);
        let rest = self.store.get(from..end).unwrap_or_default();
        let ascending = match rest.first_chunk::<8>() {
            Some(whole) => u64::from_be_bytes(*whole),
            None => rest
                .iter()
                .zip((0..8).rev())
                .fold(0, |head, (byte, place)| {
                    head | u64::from(*byte) << (place * 8)
                }),
        };
        if ascending == 0 && chunk == 0 {
            UNKNOWN
        } else if self.descending {
            !ascending
        } else {
            ascending
        }
    }

    fn goes_on_after(&self, head: u64, chunk: usize) -> bool {
        let ascending = if self.descending { !head } else { head };
        let unknown = chunk == 0 && head == UNKNOWN;
        // A key that ends within a chunk leaves its last byte at 0.
        !unknown && ascending & 0xff != 0
    }
}

/// Longer texts are compared by their beginnings: the store stays bounded whatever tags hold.
const LONGEST_KEY: usize = 256;

/// Bytes whose order is that of folded text with numbers taken as numbers: `track 2` before `track 10`.
///
/// A run of digits becomes a `0`, one more than its length without leading zeros, and the digits.
fn natural_key(folded: &str, out: &mut Vec<u8>) {
    let mut rest = folded.as_bytes();
    rest = rest.get(..LONGEST_KEY).unwrap_or(rest);
    while let Some(first) = rest.first() {
        if first.is_ascii_digit() {
            let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, after) = rest.split_at(run);
            let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
            let (_, digits) = digits.split_at(zeros);
            out.extend([b'0', (digits.len() + 1).min(255) as u8]);
            out.extend_from_slice(digits);
            rest = after;
        } else {
            let run = rest
                .iter()
                .take_while(|byte| !byte.is_ascii_digit())
                .count();
            let (letters, after) = rest.split_at(run);
            out.extend_from_slice(letters);
            rest = after;
        }
    }
}

/// A number as an integer of the same order. The largest integer stands for the unknown; of the fields that
/// can be unknown none reaches it, nor zero, which is the largest when the order is turned round.
fn number(field: Field, row: &Row) -> Option<u64> {
    match field {
        Field::Added => {
            let nanos = row.track.added.as_nanosecond();
            // i128 nanoseconds of year -9999 to 9999 in steps of 64 ns: fits in 63 bits.
            Some(((nanos >> 6) + (1 << 62)) as u64)
        }
        Field::Key => field::key(row).map(|key| {
            let letter = match key.mode {
                Mode::Minor => 0,
                Mode::Major => 1,
            };
            u64::from(key.camelot_number()) * 2 + letter
        }),
        Field::State => Some(match row.state {
            TrackState::Ready => 0,
            TrackState::Analyzing => 1,
            TrackState::Partial => 2,
            TrackState::Failed => 3,
            TrackState::Missing => 4,
            TrackState::Streaming => 5,
        }),
        Field::Id => Some(row.track.id.0),
        _ => field.number(row).map(ordered),
    }
}

/// Bits of a finite number in an order that integers keep.
fn ordered(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | (1 << 63)
    } else {
        !bits
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold;
    use super::*;

    #[test]
    fn numbers_in_text_sort_as_numbers() {
        let mut names = [
            "b",
            "track 10",
            "a9",
            "track 2",
            "track",
            "a 1",
            "track 002b",
            "10",
            "9",
            "é",
        ];
        let key = |name: &str| {
            let mut out = Vec::new();
            natural_key(&fold(name), &mut out);
            out
        };
        names.sort_by_key(|name| key(name));
        assert_eq!(
            names,
            [
                "9",
                "10",
                "a 1",
                "a9",
                "b",
                "é",
                "track",
                "track 2",
                "track 002b",
                "track 10"
            ]
        );
    }

    #[test]
    fn float_bits_keep_the_order_of_numbers() {
        let numbers = [f64::MIN, -12.0, -1e-9, 0.0, 1e-9, 127.99, 128.0, f64::MAX];
        assert!(
            numbers
                .windows(2)
                .all(|pair| ordered(pair[0]) < ordered(pair[1]))
        );
        assert_eq!(ordered(-0.0), ordered(0.0));
    }

    #[test]
    fn sort_orders_are_read_and_slips_are_named() {
        let sort = Sort::parse("bpm, -added,bpm,").unwrap();
        assert_eq!(sort.0.len(), 2);
        assert_eq!(
            sort.0[1],
            SortKey {
                field: Field::Added,
                descending: true
            }
        );
        assert_eq!(Sort::parse("").unwrap(), Sort::default());
        let error = Sort::parse("bpm,titel").unwrap_err();
        assert_eq!(error.at, 4);
        assert!(error.to_string().contains("did you mean title?"), "{error}");
        assert!(Sort::parse("has").is_err());
    }
}
