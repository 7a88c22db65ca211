//! The search language of the library: the window's search box and the command line read the same words.

mod error;
mod field;
mod fold;
mod parse;
mod print;
mod sort;
mod value;

pub use error::{Problem, QueryError};
pub use field::Field;
pub(crate) use field::{bpm, key};
pub use fold::{fold, search_text};
pub use sort::{Sort, SortKey};

use crate::harmony::Key;
use crate::row::{Row, TrackState};
use field::Possession;
use fold::{Line, Needle, is_in_path, line, with_folded_path};
use jiff::Zoned;
use value::{Period, Range};

/// How to write queries: what is typed, what it finds.
pub const HELP: &[(&str, &str)] = &[
    (
        "deep house",
        "both words, anywhere in the tags or the path; case and accents do not matter",
    ),
    ("\"deep house\"", "these words in this order"),
    ("-remix", "not this; works before everything below too"),
    ("techno or (house -deep)", "one or the other"),
    (
        "artist:moodymann",
        "in one field: artist title album genre label comment remixer composer path codec",
    ),
    (
        "artist:=\"St Germain\"",
        "the whole field, not a part of it",
    ),
    ("bpm:120-128", "tempo range, ends included"),
    ("bpm:128", "tempo to half a beat per minute"),
    ("bpm:>=120", "also > < <= and 120.. ..128"),
    ("bpm:~128", "half and double tempo too"),
    ("key:8A", "key: also Am, 1m, \"A minor\""),
    ("key:8A~", "every key that mixes with it"),
    ("year:2010-2019", "year of release"),
    ("rating:>=3", "stars, 0 to 5"),
    ("duration:3:00-6:00", "length: also >6m, <90s, 1h.."),
    ("lufs:>-9", "loudness"),
    ("conf:<0.5", "tempo or key that analysis is not sure of"),
    (
        "added:7d",
        "in the last days (h d w m y); >1m for before that",
    ),
    (
        "added:2026-11",
        "in a year, a month, on a day, today, yesterday",
    ),
    (
        "state:failed",
        "something failed, also of a ready track; or ready analyzing partial missing duplicate",
    ),
    (
        "has:stems",
        "analysed: waveform beats key chords stems loudness …; filled in: art bpm genre comment …",
    ),
    ("-has:beats", "not analysed yet"),
    ("id:3f2a", "id, or how it begins"),
];

/// A search, ready to be asked of any number of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    written: Expr,
    /// What is written, with what is soon answered first.
    asked: Expr,
}

#[derive(Debug, Clone, PartialEq)]
enum Expr {
    /// Never of one part; of none it is true.
    All(Vec<Self>),
    /// At least two choices.
    Any(Vec<Self>),
    Not(Box<Self>),
    Word(WordTerm),
    Field(FieldTerm),
}

#[derive(Debug, Clone, PartialEq)]
struct WordTerm {
    raw: String,
    needle: Needle,
}

#[derive(Debug, Clone, PartialEq)]
struct FieldTerm {
    field: Field,
    raw: String,
    /// Written with `=`.
    exact: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Text(Needle),
    Number(Range),
    /// The tempo, half of it or twice it.
    BpmOctaves(Range),
    Key {
        key: Key,
        compatible: bool,
    },
    State(TrackState),
    Duplicate,
    Has(Possession),
    Added(Period),
    Id(String),
}

/// Rows below which no other thread is asked to help.
const SHARE_ROWS: usize = 8_192;

/// Reads a query; ages like `added:7d` count from now. The empty query finds everything.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    parse_at(text, &Zoned::now())
}

/// Reads a query; ages and days count from `now` in its time zone.
pub fn parse_at(text: &str, now: &Zoned) -> Result<Query, QueryError> {
    let written = parse::parse(text, now)?;
    let asked = written.clone().soonest_first();
    Ok(Query { written, asked })
}

impl Query {
    /// Whether it finds everything.
    pub fn is_empty(&self) -> bool {
        matches!(&self.written, Expr::All(parts) if parts.is_empty())
    }

    /// The places of the rows that are found, ascending; on all cores where there are many.
    pub fn places<R: AsRef<Row> + Sync>(&self, rows: &[R]) -> Vec<u32> {
        let found = |part: &[R], first: usize| -> Vec<u32> {
            let places = part.iter().enumerate();
            places
                .filter(|(_, row)| self.matches(row.as_ref()))
                .map(|(at, _)| (first + at) as u32)
                .collect()
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = rows.len().div_ceil(cores).max(SHARE_ROWS);
        if rows.len() <= share {
            return found(rows, 0);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = rows
                .chunks(share)
                .enumerate()
                .map(|(number, part)| scope.spawn(move || found(part, number * share)))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| match thread.join() {
                    Ok(places) => places,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }

    /// Whether `row` is found. Words are looked up in [`Row::search_text`] as [`search_text`] makes it.
    pub fn matches(&self, row: &Row) -> bool {
        self.asked.matches(row)
    }
}

impl Expr {
    /// The same with the parts of each choice and each sum in the order of what they cost: the answer is that of the
    /// first that settles it.
    fn soonest_first(self) -> Self {
        let sorted = |parts: Vec<Self>| {
            let mut parts: Vec<Self> = parts.into_iter().map(Self::soonest_first).collect();
            parts.sort_by_key(Self::cost);
            parts
        };
        match self {
            Self::All(parts) => Self::All(sorted(parts)),
            Self::Any(choices) => Self::Any(sorted(choices)),
            Self::Not(inner) => Self::Not(Box::new(inner.soonest_first())),
            one @ (Self::Word(_) | Self::Field(_)) => one,
        }
    }

    /// What a look costs, roughly, in looks at a number.
    fn cost(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts
                .iter()
                .fold(0, |sum, part| sum.saturating_add(part.cost())),
            Self::Not(inner) => inner.cost(),
            Self::Word(_) => 4,
            Self::Field(term) => match &term.test {
                Test::Number(_)
                | Test::BpmOctaves(_)
                | Test::Key { .. }
                | Test::State(_)
                | Test::Duplicate
                | Test::Has(_)
                | Test::Added(_) => 1,
                Test::Text(_) | Test::Id(_) => 8,
            },
        }
    }

    fn matches(&self, row: &Row) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(row)),
            Self::Any(choices) => choices.iter().any(|choice| choice.matches(row)),
            Self::Not(inner) => !inner.matches(row),
            Self::Word(word) => word.needle.is_in(&row.search_text),
            Self::Field(term) => term.matches(row),
        }
    }
}

impl FieldTerm {
    fn matches(&self, row: &Row) -> bool {
        match &self.test {
            Test::Text(needle) => self.text_matches(needle, row),
            Test::Number(range) => self
                .field
                .number(row)
                .is_some_and(|number| range.contains(number)),
            Test::BpmOctaves(range) => self.field.number(row).is_some_and(|bpm| {
                range.contains(bpm) || range.contains(bpm / 2.0) || range.contains(bpm * 2.0)
            }),
            Test::Key {
                key: wanted,
                compatible,
            } => key(row).is_some_and(|key| {
                key == *wanted || (*compatible && key.is_compatible_with(*wanted))
            }),
            // Found also where all but the stems is ready.
            Test::State(TrackState::Failed) => row.has_failure(),
            Test::State(state) => row.state == *state,
            Test::Duplicate => !row.duplicates.is_empty(),
            Test::Has(possession) => possession.of(row),
            Test::Added(period) => period.contains(row.track.added),
            Test::Id(prefix) => row.track.id.to_string().starts_with(prefix),
        }
    }

    fn text_matches(&self, needle: &Needle, row: &Row) -> bool {
        let found_in = |text: &str| {
            if self.exact {
                text == needle.text()
            } else {
                needle.is_in(text)
            }
        };
        if let Some(wanted) = self.field.line() {
            // Most rows are settled by one look over all lines.
            return needle.is_in(&row.search_text) && found_in(line(&row.search_text, wanted));
        }
        if self.field == Field::Codec {
            let format = row.track.format.as_ref();
            return format.is_some_and(|format| found_in(&fold(&format.codec)));
        }
        if self.field == Field::Source {
            return row.track.sources.iter().any(|source| {
                let mut names = source.names();
                found_in(source.kind.name()) || names.any(|it| found_in(&fold(&it.to_string())))
            });
        }
        // What lies above the imported folder is not in the search text. A name alone is not looked for there:
        // it would find all tracks or none.
        let reaches_above = self.exact || needle.text().contains(['/', '\\']);
        if reaches_above && !self.exact {
            return is_in_path(&row.track, &row.search_text, needle);
        }
        found_in(line(&row.search_text, Line::Place))
            || (self.exact && with_folded_path(&row.track, &row.search_text, found_in))
    }
}

#[cfg(test)]
mod tests;
