//! Tracks as a JSON array, one track to a line.

use super::document::TrackDocument;
use std::io::{self, Write};

/// Writes track after track: for sources that can fail in between.
#[derive(Debug)]
pub struct JsonWriter<W: Write> {
    out: W,
    written: u64,
}

impl<W: Write> JsonWriter<W> {
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self { out, written: 0 })
    }

    pub fn push(&mut self, document: &TrackDocument<'_>) -> io::Result<()> {
        self.out
            .write_all(if self.written == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.out, document)?;
        self.written += 1;
        Ok(())
    }

    /// Ends the array; without it the file is no JSON. Tells how many tracks it holds.
    pub fn finish(mut self) -> io::Result<u64> {
        self.out.write_all(b"\n]\n")?;
        self.out.flush()?;
        Ok(self.written)
    }
}

/// Writes all of `documents`; tells how many. `out` should be buffered.
pub fn write<'a>(
    out: impl Write,
    documents: impl IntoIterator<Item = TrackDocument<'a>>,
) -> io::Result<u64> {
    let mut writer = JsonWriter::new(out)?;
    for document in documents {
        writer.push(&document)?;
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn the_file_is_one_array_with_a_track_to_a_line() {
        let rows = [samples::full_row(), samples::bare_row()];
        for (count, lines) in [(0, 2), (1, 3), (2, 4)] {
            let mut bytes = Vec::new();
            let documents = rows
                .iter()
                .take(count)
                .map(|row| TrackDocument::listed(row, None));
            assert_eq!(write(&mut bytes, documents).unwrap(), count as u64);
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(text.lines().count(), lines);
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            let ids: Vec<_> = read
                .as_array()
                .unwrap()
                .iter()
                .map(|it| &it["id"])
                .collect();
            assert_eq!(
                ids,
                ["00000000000000fe", "00000000000000ff"]
                    .into_iter()
                    .take(count)
                    .collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let row = samples::bare_row();
        let error = write(Full, [TrackDocument::listed(&row, None)]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
