//! Tracks as a table for people and their spreadsheets.

use crate::harmony::Key;
use crate::query;
use crate::row::Row;
use csv::{ByteRecord, WriterBuilder};
use std::borrow::Cow;
use std::io::{self, Write};

/// The heading of each column. Tempo and key are those of analysis, else of the tags.
pub const COLUMNS: [&str; 22] = [
    "Title", "Artist", "Album", "Genre", "Label", "Remixer", "Composer", "Year", "Track", "Rating",
    "BPM", "Key", "Camelot", "Duration", "LUFS", "Codec", "kbps", "Comment", "State", "Added",
    "Path", "Id",
];

/// Writes a heading and one line per track, in UTF-8; tells how many tracks. Unknown is an empty cell.
///
/// Text that a spreadsheet would take for a formula gets an apostrophe in front, as does text that begins
/// with one, so that a reader who takes one apostrophe away has the original.
pub fn write<'a>(out: impl Write, rows: impl IntoIterator<Item = &'a Row>) -> io::Result<u64> {
    let mut writer = WriterBuilder::new().from_writer(out);
    writer.write_record(COLUMNS)?;
    let mut written = 0;
    let mut record = ByteRecord::new();
    for row in rows {
        record.clear();
        for cell in cells(row) {
            record.push_field(cell.as_bytes());
        }
        writer.write_byte_record(&record)?;
        written += 1;
    }
    writer.flush()?;
    Ok(written)
}

fn cells(row: &Row) -> [Cow<'_, str>; COLUMNS.len()] {
    let (track, tags) = (&row.track, &row.track.tags);
    let format = track.format.as_ref();
    let key = query::key(row);
    let loudness = row.knowledge.summary.loudness;
    [
        words(tags.title.as_deref()),
        words(tags.artist.as_deref()),
        words(tags.album.as_deref()),
        words(tags.genre.as_deref()),
        words(tags.label.as_deref()),
        words(tags.remixer.as_deref()),
        words(tags.composer.as_deref()),
        figure(tags.year),
        figure(tags.track_number),
        figure(tags.rating),
        decimals(query::bpm(row), 2),
        figure(key),
        figure(key.map(Key::camelot)),
        figure(format.and_then(|format| clock(format.duration.0))),
        decimals(loudness.and_then(|loudness| loudness.integrated), 1),
        words(format.map(|format| format.codec.as_str())),
        figure(format.and_then(|format| format.bitrate_kbps)),
        words(tags.comment.as_deref()),
        Cow::Borrowed(row.state.name()),
        Cow::Owned(track.added.to_string()),
        guarded(track.path.as_path().to_string_lossy()),
        Cow::Owned(track.id.to_string()),
    ]
}

fn words(text: Option<&str>) -> Cow<'_, str> {
    guarded(Cow::Borrowed(text.unwrap_or_default()))
}

fn guarded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        Cow::Owned(format!("'{text}"))
    } else {
        text
    }
}

fn figure<'a>(value: Option<impl ToString>) -> Cow<'a, str> {
    Cow::Owned(value.map_or_else(String::new, |value| value.to_string()))
}

fn decimals<'a>(value: Option<f64>, places: usize) -> Cow<'a, str> {
    let value = value.filter(|value| value.is_finite());
    Cow::Owned(value.map_or_else(String::new, |value| format!("{value:.places$}")))
}

/// `6:02`, `1:02:30`.
pub(crate) fn clock(secs: f64) -> Option<String> {
    if !secs.is_finite() || secs < 0.0 {
        return None;
    }
    let whole = secs.round() as u64;
    let (hours, minutes, secs) = (whole / 3600, whole / 60 % 60, whole % 60);
    Some(if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    fn read(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes);
        reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    #[test]
    fn what_is_written_is_read_back_cell_by_cell() {
        let rows = [samples::full_row(), samples::bare_row()];
        let mut bytes = Vec::new();
        assert_eq!(write(&mut bytes, &rows).unwrap(), 2);
        let table = read(&bytes);
        let cell = |line: usize, column: &str| {
            let place = COLUMNS.iter().position(|name| *name == column).unwrap();
            table[line][place].as_str()
        };
        assert_eq!(table.len(), 3);
        for (column, text) in [
            ("Title", "Night, \"Drive\"\nagain"),
            ("BPM", "128.00"),
            ("Key", "A minor"),
            ("Camelot", "8A"),
            ("Duration", "6:02"),
            ("LUFS", "-9.1"),
            ("Year", "2024"),
            ("Path", "/music/House/Night Drive.mp3"),
            ("Id", "00000000000000fe"),
        ] {
            assert_eq!(cell(1, column), text, "{column}");
        }
        for column in [
            "Title", "Artist", "Year", "BPM", "Key", "Camelot", "Duration", "LUFS",
        ] {
            assert_eq!(cell(2, column), "", "{column}");
        }
    }

    #[test]
    fn no_cell_of_text_is_a_formula() {
        for text in [
            "=1+1", "+49", "-x", "@sum", "\t=1", "'quoted", "plain", "a=b",
        ] {
            let mut row = samples::bare_row();
            row.track.tags.title = Some(text.into());
            let mut bytes = Vec::new();
            write(&mut bytes, [&row]).unwrap();
            let title = read(&bytes)[1][0].clone();
            assert!(!title.starts_with(['=', '+', '-', '@', '\t']), "{title}");
            assert_eq!(title.strip_prefix('\'').unwrap_or(&title), text);
        }
    }

    #[test]
    fn durations_read_as_on_a_clock() {
        for (secs, text) in [
            (0.0, "0:00"),
            (59.6, "1:00"),
            (362.2, "6:02"),
            (3750.0, "1:02:30"),
        ] {
            assert_eq!(clock(secs).unwrap(), text);
        }
        assert_eq!(clock(f64::NAN), None);
        assert_eq!(clock(-1.0), None);
    }
}
