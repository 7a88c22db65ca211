//! Durations, tempo, keys and sizes as text for people.

use tonearm_core::row::Row;
use tonearm_core::units::{Bpm, Secs};

/// `3:45`, `1:02:03`.
pub(crate) fn duration(secs: Secs) -> String {
    let total = secs.0.max(0.0).round() as u64;
    let (hours, minutes, secs) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

/// `0:32.1`, `−1:02.0`: a place on a deck.
pub(crate) fn position(secs: f64) -> String {
    let tenths = (secs.abs() * 10.0).floor().min(1e12) as u64;
    let sign = if secs < 0.0 && tenths > 0 { "−" } else { "" };
    format!(
        "{sign}{}:{:02}.{}",
        tenths / 600,
        tenths / 10 % 60,
        tenths % 10
    )
}

/// Two decimals, as all DJ programs show it.
pub(crate) fn tempo(bpm: Bpm) -> String {
    format!("{:.2}", bpm.0)
}

/// `Artist – Title`, else the file's name.
pub(crate) fn caption(row: &Row) -> String {
    let tags = &row.track.tags;
    match (&tags.artist, &tags.title) {
        (Some(artist), Some(title)) => format!("{artist} – {title}"),
        (None, Some(title)) => title.to_string(),
        _ => row
            .track
            .path
            .as_path()
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

/// Cut to `width` characters with an ellipsis; control characters never reach a terminal.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= width {
        clean.collect()
    } else {
        clean.take(width.saturating_sub(1)).chain(['…']).collect()
    }
}

/// `1.4 GB`.
pub(crate) fn bytes(count: u64) -> String {
    let (mut size, mut unit) = (count as f64, "B");
    for larger in ["kB", "MB", "GB", "TB"] {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = larger;
    }
    if unit == "B" {
        format!("{count} B")
    } else {
        format!("{size:.1} {unit}")
    }
}

/// `50,000`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `85 %`.
pub(crate) fn percent(share: f32) -> String {
    format!("{:.0} %", share.clamp(0.0, 1.0) * 100.0)
}

/// With a capital letter first.
pub(crate) fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.collect::<String>() + rest.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_as_people_write_them() {
        assert_eq!(duration(Secs(59.6)), "1:00");
        assert_eq!(duration(Secs(3723.0)), "1:02:03");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_440_000_000), "1.4 GB");
    }

    #[test]
    fn long_text_is_cut_and_terminal_codes_are_disarmed() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("a\u{1b}[2Jb", 10), "a [2Jb");
    }
}
