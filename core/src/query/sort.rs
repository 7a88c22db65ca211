//! Orders of rows: by one or more fields, unknown values last.

use super::error::QueryError;
use super::field::{self, Field};
use super::fold::{folded_path, line};
use crate::harmony::Mode;
use crate::row::{Row, TrackState};
use std::cmp::Ordering;
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
        let columns: Vec<KeyColumn> = self.0.iter().map(|key| column(*key, rows)).collect();
        let heads = columns.first().map(|column| column.heads.as_slice());
        let mut order: Vec<(u64, u32)> = (0..rows.len() as u32)
            .map(|index| {
                let head = heads.and_then(|heads| heads.get(index as usize));
                (head.copied().unwrap_or(0), index)
            })
            .collect();
        order.sort_unstable_by(|(head, index), (other_head, other_index)| {
            head.cmp(other_head)
                .then_with(|| {
                    compare_beyond_first_head(&columns, *index as usize, *other_index as usize)
                })
                .then_with(|| index.cmp(other_index))
        });
        order.into_iter().map(|(_, index)| index).collect()
    }
}

/// The sort keys of all rows for one field. `heads` decide most comparisons.
struct KeyColumn {
    /// Ascending in the wanted direction; unknown is the largest.
    heads: Vec<u64>,
    /// For words: the whole key of each row in one store, and whether it counts backwards.
    words: Option<Words>,
}

struct Words {
    store: Vec<u8>,
    ends: Vec<u32>,
    descending: bool,
}

impl Words {
    fn get(&self, index: usize) -> &[u8] {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.store
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    fn compare(&self, index: usize, other: usize) -> Ordering {
        let ascending = self.get(index).cmp(self.get(other));
        if self.descending {
            ascending.reverse()
        } else {
            ascending
        }
    }
}

fn compare_beyond_first_head(columns: &[KeyColumn], index: usize, other: usize) -> Ordering {
    for (place, column) in columns.iter().enumerate() {
        if place > 0 {
            let by_head = column.heads.get(index).cmp(&column.heads.get(other));
            if by_head.is_ne() {
                return by_head;
            }
        }
        if let Some(words) = &column.words {
            let by_words = words.compare(index, other);
            if by_words.is_ne() {
                return by_words;
            }
        }
    }
    Ordering::Equal
}

fn column(key: SortKey, rows: &[Arc<Row>]) -> KeyColumn {
    if let Some(line_kind) = key.field.line() {
        return words(key.descending, rows, |row, out| {
            natural_key(line(&row.search_text, line_kind), out);
        });
    }
    match key.field {
        Field::Path => words(key.descending, rows, |row, out| {
            natural_key(&folded_path(&row.track, &row.search_text), out);
        }),
        Field::Codec => words(key.descending, rows, |row, out| {
            let format = row.track.format.as_ref();
            natural_key(format.map_or("", |format| &format.codec), out);
        }),
        _ => {
            let heads = rows.iter().map(|row| match number(key.field, row) {
                None => u64::MAX,
                Some(number) if key.descending => !number,
                Some(number) => number,
            });
            KeyColumn {
                heads: heads.collect(),
                words: None,
            }
        }
    }
}

fn words(descending: bool, rows: &[Arc<Row>], write: impl Fn(&Row, &mut Vec<u8>)) -> KeyColumn {
    let mut store = Vec::with_capacity(rows.len() * 24);
    let mut ends = Vec::with_capacity(rows.len());
    let mut heads = Vec::with_capacity(rows.len());
    for row in rows {
        let start = store.len();
        write(row, &mut store);
        let written = store.get(start..).unwrap_or_default();
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(written) {
            *to = *from;
        }
        // Text never begins with the byte 255, so no head of a known value is the largest.
        let head = u64::from_be_bytes(head);
        heads.push(match (written.is_empty(), descending) {
            (true, _) => u64::MAX,
            (false, true) => u64::MAX - 1 - head,
            (false, false) => head,
        });
        ends.push(store.len() as u32);
    }
    let words = Words {
        store,
        ends,
        descending,
    };
    KeyColumn {
        heads,
        words: Some(words),
    }
}

/// Longer texts are compared by their beginnings: the store stays bounded whatever tags hold.
const LONGEST_KEY: usize = 256;

/// Bytes whose order is that of folded text with numbers taken as numbers: `track 2` before `track 10`.
///
/// A run of digits becomes a `0`, its length without leading zeros, and the digits.
fn natural_key(folded: &str, out: &mut Vec<u8>) {
    let mut rest = folded.as_bytes();
    if rest.len() > LONGEST_KEY {
        rest = rest.get(..LONGEST_KEY).unwrap_or_default();
    }
    while let Some((first, after)) = rest.split_first() {
        if first.is_ascii_digit() {
            let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, after) = rest.split_at(run);
            let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
            let (_, digits) = digits.split_at(zeros);
            out.extend([b'0', digits.len().min(255) as u8]);
            out.extend_from_slice(digits);
            rest = after;
        } else {
            out.push(*first);
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
