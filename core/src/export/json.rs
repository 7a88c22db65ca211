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
