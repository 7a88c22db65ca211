//! The main connection: which services there are, and signs of life. Not framed by lengths.
//!
//! | id | after the id | meaning |
//! |---|---|---|
//! | 0 | token, service as text, port u16 | a service; also the first message on every service's own connection |
//! | 1 | token of the sender, token of the answerer or zeros, 8 bytes of clock | a reference, sent back with the second token filled in |
//! | 2 | token | who is there, and which services? |

use super::{DecodeError, MAX_TEXT, Reader, Writer};
use crate::identity::Token;

/// Bytes of the largest message.
const MAX_MESSAGE: usize = 4 + 16 + 4 + MAX_TEXT + 2;

/// A message of the main connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// "I offer this service on this port", or on a service's connection: "I want this service".
    Service {
        /// Who says it.
        token: Token,
        /// `StateMap`, `BeatInfo`, and so on.
        service: String,
        /// TCP port.
        port: u16,
    },
    /// A sign of life, or the answer to one.
    Reference {
        /// Who sent it first.
        from: Token,
        /// Who answered, [`Token::NONE`] before the answer.
        to: Token,
        /// The sender's clock, in a form that only the sender knows; goes back untouched.
        clock: [u8; 8],
    },
    /// "This is me; which services do you offer?"
    Request {
        /// Who asks.
        token: Token,
    },
}

impl Directory {
    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        match self {
            Self::Service {
                token,
                service,
                port,
            } => out.u32(0).token(*token).text(service).u16(*port),
            Self::Reference { from, to, clock } => out.u32(1).token(*from).token(*to).bytes(clock),
            Self::Request { token } => out.u32(2).token(*token),
        };
        out.0
    }

    /// The message at the front, and the bytes behind it.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut reader = Reader(bytes);
        let message = match reader.u32("id")? {
            0 => Self::Service {
                token: reader.token("token")?,
                service: reader.text("service")?,
                port: reader.u16("port")?,
            },
            1 => Self::Reference {
                from: reader.token("sender")?,
                to: reader.token("answerer")?,
                clock: reader.array("clock")?,
            },
            2 => Self::Request {
                token: reader.token("token")?,
            },
            // Without a length in front there is no way past it.
            id => {
                return Err(DecodeError::Unknown {
                    field: "id",
                    value: u64::from(id),
                });
            }
        };
        Ok((message, reader.0))
    }
}

/// Cuts the main connection into messages, however the bytes arrive.
#[derive(Debug, Default)]
pub struct DirectoryStream {
    buffer: Vec<u8>,
    start: usize,
}

impl DirectoryStream {
    /// Takes what came in. Call [`Self::next`] until `None` before the next piece.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, `None` when more must come first.
    ///
    /// After an error the stream has no meaning any more: close it.
    #[expect(
        clippy::should_implement_trait,
        reason = "the same shape as `Frames::next`, which cannot be an iterator"
    )]
    pub fn next(&mut self) -> Result<Option<Directory>, DecodeError> {
        let waiting = self.buffer.get(self.start..).unwrap_or_default();
        match Directory::decode(waiting) {
            Ok((message, rest)) => {
                self.start += waiting.len() - rest.len();
                Ok(Some(message))
            }
            Err(DecodeError::Short { .. }) if waiting.len() < MAX_MESSAGE => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What came in behind the last message: on a service's connection, its first frames.
    pub fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        self.buffer
    }
}
