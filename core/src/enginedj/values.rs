//! Values of a database whose columns may hold anything → values that can be trusted. Pure.

use crate::import::tags_values;
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use std::borrow::Cow;

/// One value as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
    /// SQLite could not get at it.
    Unreadable,
}

impl<'a> From<ValueRef<'a>> for Cell<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(bytes),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

/// A whole number, from whichever type it was stored as.
pub(super) fn integer(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Integer(number) => Some(number),
        Cell::Real(number) if number.abs() < 9e15 => Some(number.round() as i64),
        Cell::Text(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
        Cell::Null | Cell::Real(_) | Cell::Blob(_) | Cell::Unreadable => None,
    }
}

pub(super) fn real(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Integer(number) => Some(number as f64),
        Cell::Real(number) if number.is_finite() => Some(number),
        Cell::Text(bytes) => {
            let number: f64 = std::str::from_utf8(bytes).ok()?.trim().parse().ok()?;
            number.is_finite().then_some(number)
        }
        Cell::Null | Cell::Real(_) | Cell::Blob(_) | Cell::Unreadable => None,
    }
}

/// The text of a value, damaged characters replaced; and whether it is what the column should hold.
pub(super) fn raw_text(cell: Cell<'_>) -> (Option<Cow<'_, str>>, bool) {
    match cell {
        Cell::Null => (None, true),
        Cell::Integer(number) => (Some(number.to_string().into()), true),
        Cell::Real(number) => (Some(number.to_string().into()), true),
        Cell::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let is_whole = matches!(text, Cow::Borrowed(_));
            (Some(text), is_whole)
        }
        // Other tools store text so.
        Cell::Blob(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => (Some(text.into()), true),
            Err(_not_text) => (None, false),
        },
        Cell::Unreadable => (None, false),
    }
}

/// The name of a database in a [`crate::track::SourceId`]: one spelling for each.
pub(super) fn database_name(cell: Cell<'_>) -> Option<String> {
    let (text, _) = raw_text(cell);
    crate::source::database_name(&text?)
}

/// Seconds since 1970. Zero and less mean never; what lies far ahead is an error of whoever wrote it.
pub(super) fn timestamp(seconds: i64) -> Option<Timestamp> {
    const YEAR_2200: i64 = 7_258_118_400;
    (1..YEAR_2200)
        .contains(&seconds)
        .then(|| Timestamp::from_second(seconds).ok())
        .flatten()
}

/// Stars from Engine's 0 to 100. Zero is unrated.
pub(super) fn stars(rating: i64) -> Option<u8> {
    (1..=100)
        .contains(&rating)
        .then(|| (((rating + 10) / 20) as u8).clamp(1, 5))
}

/// The musical name of Engine's key number: around the wheel of fifths from C, majors even, minors odd.
pub(super) fn key_name(number: i64) -> Option<String> {
    use crate::harmony::{Key, Mode};
    let number = u8::try_from(number).ok().filter(|number| *number < 24)?;
    let mode = if number.is_multiple_of(2) {
        Mode::Major
    } else {
        Mode::Minor
    };
    Key::from_camelot((number / 2 + 7) % 12 + 1, mode).map(|key| key.to_string())
}

pub(super) fn clean(text: &str) -> Option<String> {
    tags_values::text(text)
}

pub(super) fn clean_comment(text: &str) -> Option<String> {
    tags_values::comment(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harmony::Key;
    use proptest::prelude::*;

    #[test]
    fn every_key_number_is_the_key_that_players_show() {
        // Camelot names by number, from the table of two independent readers of the format.
        let camelot = [
            "8B", "8A", "9B", "9A", "10B", "10A", "11B", "11A", "12B", "12A", "1B", "1A", "2B",
            "2A", "3B", "3A", "4B", "4A", "5B", "5A", "6B", "6A", "7B", "7A",
        ];
        for (number, camelot) in camelot.into_iter().enumerate() {
            let name = key_name(number as i64).unwrap();
            assert_eq!(Key::parse(&name), Key::parse(camelot), "{number}: {name}");
        }
        assert_eq!(key_name(0).as_deref(), Some("C major"));
        for number in [-1, 24, 255, 256, i64::MAX, i64::MIN] {
            assert_eq!(key_name(number), None, "{number}");
        }
    }

    #[test]
    fn ratings_are_rounded_to_stars_and_zero_is_none() {
        for (rating, expected) in [
            (0, None),
            (1, Some(1)),
            (20, Some(1)),
            (50, Some(3)),
            (60, Some(3)),
            (100, Some(5)),
            (101, None),
            (-20, None),
        ] {
            assert_eq!(stars(rating), expected, "{rating}");
        }
    }

    #[test]
    fn databases_have_one_name_however_it_is_spelled() {
        let uuid = "a1b2c3d4-0000-4000-8000-0123456789ab";
        for text in [
            uuid.to_owned(),
            uuid.to_uppercase(),
            format!(" {{{uuid}}} "),
        ] {
            assert_eq!(
                database_name(Cell::Text(text.as_bytes())).as_deref(),
                Some(uuid),
                "{text}"
            );
        }
        let long = "x".repeat(101);
        for cell in [
            Cell::Null,
            Cell::Text(b""),
            Cell::Text(b" {} "),
            Cell::Text(b"\xff\xfe"),
            Cell::Text(b"a\0b"),
            Cell::Text(long.as_bytes()),
            Cell::Unreadable,
        ] {
            assert_eq!(database_name(cell), None, "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn any_value_gives_numbers_in_range_or_none(number in any::<i64>(), float in any::<f64>(), bytes in any::<Vec<u8>>()) {
            for cell in [Cell::Integer(number), Cell::Real(float), Cell::Text(&bytes), Cell::Blob(&bytes)] {
                prop_assert!(real(cell).is_none_or(f64::is_finite));
                let whole = integer(cell).unwrap_or(0);
                prop_assert!(timestamp(whole).is_none_or(|time| time.as_second() == whole));
                prop_assert!(stars(whole).is_none_or(|stars| (1..=5).contains(&stars)));
            }
        }
    }
}
