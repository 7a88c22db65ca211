//! Bytes ↔ values, both directions, one file per family of messages.
//!
//! All integers are big-endian, and the whole looks like Qt's `QDataStream`: text is a length in bytes
//! and UTF-16, `0xFFFFFFFF` as length is "no text", which is read as empty where the difference
//! says nothing. Nothing here trusts a length before it is compared with what is there.

pub mod beat_info;
pub mod broadcast;
pub mod directory;
pub mod discovery;
pub mod file_transfer;
mod reader;
pub mod state_map;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::Writer;

/// The UDP port on which everybody announces themselves.
pub const DISCOVERY_PORT: u16 = 51337;
/// Bytes of one text: four times the longest path that a player can hold.
pub const MAX_TEXT: usize = 32 << 10;
/// Bytes of one frame of `StateMap`, `BeatInfo` and `Broadcast`.
pub const MAX_FRAME: usize = 256 << 10;
/// Bytes of one frame of `FileTransfer`: old firmware sends pieces of 4 KiB, newer larger ones.
pub const MAX_FILE_FRAME: usize = 4 << 20;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The message ends inside a field.
    #[error("{field} needs {needed} bytes, {left} are left")]
    Short {
        /// The field that is cut.
        field: &'static str,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// A length or a count is beyond the limit.
    #[error("{field} claims {length}, the limit is {limit}")]
    Long {
        /// The field.
        field: &'static str,
        /// What it claims.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A field has a value that has no meaning.
    #[error("{field} cannot be {value:#x}")]
    Unknown {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: u64,
    },
    /// Text is not in its encoding.
    #[error("{field} is not text")]
    NotText {
        /// The field.
        field: &'static str,
    },
    /// There are bytes after the end of the message.
    #[error("{left} bytes after the end of the message")]
    Trailing {
        /// How many.
        left: usize,
    },
}

/// Cuts a stream into frames: a length of four bytes, then that many bytes.
///
/// Holds at most one frame and one piece of what was received.
#[derive(Debug)]
pub struct Frames {
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
}

impl Frames {
    /// Refuses frames beyond `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limit,
        }
    }

    /// Takes what came in. Call [`Self::next`] until `None` before the next piece.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.capacity() > 2 * self.limit && self.buffer.len() < self.limit / 4 {
            self.buffer.shrink_to(self.limit / 4);
        }
    }

    /// The next whole frame without its length, `None` when more must come first.
    ///
    /// After an error the stream has no meaning any more: close it.
    #[expect(
        clippy::should_implement_trait,
        reason = "frames borrow the buffer, which an iterator cannot express"
    )]
    pub fn next(&mut self) -> Result<Option<&[u8]>, DecodeError> {
        let waiting = self.buffer.get(self.start..).unwrap_or_default();
        let Some((length, rest)) = waiting.split_first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > self.limit {
            return Err(DecodeError::Long {
                field: "frame",
                length,
                limit: self.limit,
            });
        }
        let Some(frame) = rest.get(..length) else {
            return Ok(None);
        };
        self.start += 4 + length;
        Ok(Some(frame))
    }
}
