//! Tag text → values that can be trusted: bounded, cleaned, in range. Pure.

/// Longest text kept of one field, in characters.
const MOST_CHARS: usize = 1_000;
/// Longest comment kept.
pub(super) const MOST_COMMENT_CHARS: usize = 10_000;
/// Examined at most: enough for any text that is kept, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// Text without control characters and blank edges, cut where it is endless. `None` if nothing is left.
pub(crate) fn text(raw: &str) -> Option<String> {
    bounded(raw, MOST_CHARS)
}

pub(crate) fn comment(raw: &str) -> Option<String> {
    bounded(raw, MOST_COMMENT_CHARS)
}

fn bounded(raw: &str, most_chars: usize) -> Option<String> {
    let raw = raw
        .get(..raw.floor_char_boundary(MOST_BYTES))
        .unwrap_or(raw);
    let mut clean = String::new();
    // ID3v2.4 separates several values by zero, which becomes a comma.
    for value in raw.split('\0').map(trim).filter(|value| !value.is_empty()) {
        if !clean.is_empty() {
            clean.push_str(", ");
        }
        clean.extend(value.chars().filter_map(printable));
    }
    let clean = trim(&clean);
    match clean.char_indices().nth(most_chars) {
        None if clean.is_empty() => None,
        None => Some(clean.to_owned()),
        Some((end, _)) => clean.get(..end).map(|kept| format!("{}…", kept.trim_end())),
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// Marks of byte order, which some programs leave inside of text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{fffe}' | '\u{200b}')
}

fn printable(c: char) -> Option<char> {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() || is_invisible(c) => None,
        c => Some(c),
    }
}

/// Beats per minute: `128`, `127,98`, `128.00 BPM`. More than 1,000 is no tempo, nor is less than 1.
pub(super) fn bpm(raw: &str) -> Option<f64> {
    let raw = trim(raw);
    let end = raw
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
        .unwrap_or(raw.len());
    let number = raw.get(..end)?.replace(',', ".");
    let bpm: f64 = number.parse().ok()?;
    (1.0..=1000.0).contains(&bpm).then_some(bpm)
}

/// The year that a date begins with: `1998`, `1998-05-01`, `1998/05`.
pub(super) fn year(raw: &str) -> Option<i32> {
    let raw = trim(raw);
    let digits = raw.bytes().take_while(u8::is_ascii_digit).count();
    // Dates without separators, 19980501, have eight digits.
    if digits != 4 && digits != 8 {
        return None;
    }
    let year: i32 = raw.get(..4)?.parse().ok()?;
    (1000..=2999).contains(&year).then_some(year)
}

/// `7`, `07`, `7/12`.
pub(super) fn track_number(raw: &str) -> Option<u32> {
    let number = trim(raw).split('/').next()?.trim();
    let number: u32 = number.parse().ok()?;
    (1..=99_999).contains(&number).then_some(number)
}

/// Stars from ID3's `POPM`, whose 255 steps every program uses in its own way.
pub(super) fn popularimeter(writer: &str, value: u8) -> Option<u8> {
    const FIFTY_ONES: [&str; 3] = ["traktor", "rekordbox", "musicbrainz"];
    if value == 0 {
        return None;
    }
    let writer = writer.to_lowercase();
    let by_fifty_ones = FIFTY_ONES.iter().any(|name| writer.contains(name))
        || (!writer.contains("windows media player") && value.is_multiple_of(51));
    Some(if by_fifty_ones {
        ((f32::from(value) / 51.0).round() as u8).clamp(1, 5)
    } else {
        // Windows Media Player writes 1, 64, 128, 196, 255; MusicBee half stars between them.
        match value {
            1..=31 => 1,
            32..=95 => 2,
            96..=159 => 3,
            160..=223 => 4,
            _ => 5,
        }
    })
}

/// Stars from a rating as text: `4` of 5, `80` of 100, `204` of 255, `0.8` of 1.
pub(super) fn rating(raw: &str) -> Option<u8> {
    let raw = trim(raw);
    let value: f64 = raw.replace(',', ".").parse().ok()?;
    if !(value > 0.0 && value <= 255.0) {
        return None;
    }
    let stars = if raw.contains(['.', ',']) && value <= 1.0 {
        value * 5.0
    } else if value <= 5.0 {
        value
    } else if value <= 100.0 {
        value / 20.0
    } else {
        value / 51.0
    };
    Some((stars.round() as u8).clamp(1, 5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cleaned_and_blank_is_absent() {
        for (raw, expected) in [
            ("  Title ", Some("Title")),
            ("\u{feff}Title\0", Some("Title")),
            ("a\0b\0", Some("a, b")),
            ("line\nbreak\u{7}", Some("line break")),
            ("", None),
            (" \t\0 ", None),
        ] {
            assert_eq!(text(raw).as_deref(), expected, "{raw:?}");
        }
        let long = text(&"ä".repeat(100_000)).unwrap();
        assert_eq!(long.chars().count(), MOST_CHARS + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn tempos_years_and_numbers_are_read_and_nonsense_is_absent() {
        for (raw, expected) in [
            ("127.98", Some(127.98)),
            ("127,98", Some(127.98)),
            ("128 BPM", Some(128.0)),
            ("0", None),
            ("-5", None),
            ("12800", None),
            ("NaN", None),
            ("1.2.3", None),
            ("", None),
        ] {
            assert_eq!(bpm(raw), expected, "{raw:?}");
        }
        for (raw, expected) in [
            ("1998", Some(1998)),
            ("1998-05-01", Some(1998)),
            ("19980501", Some(1998)),
            ("0", None),
            ("0000", None),
            ("98", None),
            ("99999", None),
        ] {
            assert_eq!(year(raw), expected, "{raw:?}");
        }
        for (raw, expected) in [
            ("03/12", Some(3)),
            ("7", Some(7)),
            ("0", None),
            ("A1", None),
        ] {
            assert_eq!(track_number(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn each_program_s_stars_are_understood() {
        let wmp = "Windows Media Player 9 Series";
        for (writer, values) in [
            (wmp, [1, 64, 128, 196, 255]),
            ("traktor@native-instruments.de", [51, 102, 153, 204, 255]),
            ("users@musicbrainz.org", [51, 102, 153, 204, 255]),
            ("MusicBee", [1, 64, 128, 196, 255]),
            ("", [51, 102, 153, 204, 255]),
        ] {
            let stars: Vec<_> = values
                .iter()
                .filter_map(|&value| popularimeter(writer, value))
                .collect();
            assert_eq!(stars, [1, 2, 3, 4, 5], "{writer}");
            assert_eq!(popularimeter(writer, 0), None);
        }
        for (raw, expected) in [
            ("80", Some(4)),
            ("4", Some(4)),
            ("100", Some(5)),
            ("204", Some(4)),
            ("0.8", Some(4)),
            ("0", None),
            ("good", None),
            ("300", None),
        ] {
            assert_eq!(rating(raw), expected, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_values_in_range(raw in ".{0,60}") {
            prop_assert!(bpm(&raw).is_none_or(|bpm| (1.0..=1000.0).contains(&bpm)));
            prop_assert!(year(&raw).is_none_or(|year| (1000..3000).contains(&year)));
            prop_assert!(rating(&raw).is_none_or(|stars| (1..=5).contains(&stars)));
            prop_assert!(track_number(&raw) != Some(0));
            prop_assert!(text(&raw).is_none_or(|text| !text.trim().is_empty()));
        }
    }
}
