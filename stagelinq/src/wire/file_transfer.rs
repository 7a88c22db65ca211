//! `FileTransfer`: sources, folders and files of a player.
//!
//! Each frame is `fltx`, the number of the transaction, the kind, then its fields. The same kind
//! means different things in the two directions, so there are a [`Request`] and a [`Reply`].

use super::{DecodeError, Reader, Writer};

const MAGIC: u32 = u32::from_be_bytes(*b"fltx");
/// Names in one piece of a listing.
const MAX_NAMES: usize = 16 << 10;
/// "The last": stands at the end of a listing.
const END: u64 = i64::MAX as u64;

/// From whoever wants files to whoever has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `0x7d1`: what is there at this path?
    Stat(String),
    /// `0x7d2`: names in a folder, the sources for an empty path. Stays alive: changes are told.
    List(String),
    /// `0x7d3`: done with a stat.
    Forget,
    /// `0x7d4`: open a file.
    Open(String),
    /// `0x7d5`: send pieces, both ends included.
    Read {
        /// As the answer to [`Request::Open`] said.
        file: u32,
        /// The first piece.
        first: u64,
        /// The last piece; beyond the end is harmless.
        last: u64,
    },
    /// `0x7d6`: done with a file or a listing.
    Close,
    /// Another kind, as it came.
    Other {
        /// The kind.
        kind: u32,
        /// The rest of the frame.
        body: Vec<u8>,
    },
}

/// A point of time as Qt writes it: day, millisecond, kind of clock. Opaque here.
pub type QtTime = [u8; 13];

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Whether there is anything.
    pub exists: bool,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Permission bits, one hexadecimal digit per group: `0x6644`.
    pub permissions: u32,
    /// Three times, in an order that is not known.
    pub times: [QtTime; 3],
    /// Bytes.
    pub size: u64,
}

/// From whoever has files to whoever wants them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `0x1`: answer to [`Request::Stat`].
    Stat(Stat),
    /// `0x2`: a listing is complete.
    ListEnd {
        /// Whether it worked.
        ok: bool,
    },
    /// `0x3`: names of a listing.
    Names {
        /// As on the medium: any character but `/`.
        names: Vec<String>,
        /// First piece, last piece, folders rather than files.
        flags: [u8; 3],
    },
    /// `0x4`: answer to [`Request::Open`].
    Opened {
        /// Bytes; 0 for a file that is not there.
        size: u64,
        /// To be named in [`Request::Read`].
        file: u32,
    },
    /// `0x5`: bytes of a file. How many the player puts in one is its own choice.
    Chunk {
        /// Where they belong.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// `0x6`: an open file changed.
    Changed(Vec<u8>),
    /// `0x8`: said at the start.
    Greeting(String),
    /// `0x9`: a listing is void, because its medium is gone.
    Void(Vec<u8>),
    /// `0xa`: the player asks how things are.
    StatusQuery(Vec<u8>),
    /// Another kind, as it came. A player that asks for our sources comes here as `0x7d2`.
    Other {
        /// The kind.
        kind: u32,
        /// The rest of the frame.
        body: Vec<u8>,
    },
}

fn frame(transaction: u32, kind: u32, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::default();
    out.frame(|out| {
        out.u32(MAGIC).u32(transaction).u32(kind);
        fill(out);
    });
    out.0
}

impl Request {
    /// The frame with its length.
    pub fn encode(&self, transaction: u32) -> Vec<u8> {
        let kind = match self {
            Self::Stat(_) => 0x7d1,
            Self::List(_) => 0x7d2,
            Self::Forget => 0x7d3,
            Self::Open(_) => 0x7d4,
            Self::Read { .. } => 0x7d5,
            Self::Close => 0x7d6,
            Self::Other { kind, .. } => *kind,
        };
        frame(transaction, kind, |out| match self {
            Self::Stat(path) | Self::List(path) => {
                out.text(path);
            }
            Self::Open(path) => {
                out.text(path).u32(0);
            }
            Self::Read { file, first, last } => {
                out.u32(0).u32(*file).u64(*first).u64(*last);
            }
            Self::Forget | Self::Close => {}
            Self::Other { body, .. } => {
                out.bytes(body);
            }
        })
    }

    /// The transaction and the request, of a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<(u32, Self), DecodeError> {
        let mut reader = Reader(frame);
        reader.expect_u32("magic", MAGIC)?;
        let transaction = reader.u32("transaction")?;
        let request = match reader.u32("kind")? {
            0x7d1 => Self::Stat(reader.text("path")?),
            0x7d2 => Self::List(reader.text("path")?),
            0x7d3 => Self::Forget,
            0x7d4 => {
                let path = reader.text("path")?;
                reader.expect_u32("zero", 0)?;
                Self::Open(path)
            }
            0x7d5 => {
                reader.expect_u32("zero", 0)?;
                Self::Read {
                    file: reader.u32("file")?,
                    first: reader.u64("first piece")?,
                    last: reader.u64("last piece")?,
                }
            }
            0x7d6 => Self::Close,
            kind => Self::Other {
                kind,
                body: reader.rest().to_vec(),
            },
        };
        reader.end()?;
        Ok((transaction, request))
    }
}

impl Reply {
    /// The frame with its length.
    pub fn encode(&self, transaction: u32) -> Vec<u8> {
        let kind = match self {
            Self::Stat(_) => 1,
            Self::ListEnd { .. } => 2,
            Self::Names { .. } => 3,
            Self::Opened { .. } => 4,
            Self::Chunk { .. } => 5,
            Self::Changed(_) => 6,
            Self::Greeting(_) => 8,
            Self::Void(_) => 9,
            Self::StatusQuery(_) => 0xa,
            Self::Other { kind, .. } => *kind,
        };
        frame(transaction, kind, |out| match self {
            Self::Stat(stat) => {
                out.u8(u8::from(stat.exists))
                    .u8(u8::from(stat.is_folder))
                    .u32(stat.permissions);
                for time in &stat.times {
                    out.bytes(time);
                }
                out.u64(stat.size);
            }
            Self::ListEnd { ok } => {
                out.u8(u8::from(*ok)).u32(0).u64(END);
            }
            Self::Names { names, flags } => {
                out.u32(names.len() as u32);
                for name in names {
                    out.text(name);
                }
                out.bytes(flags);
            }
            Self::Opened { size, file } => {
                out.u64(*size).u32(*file);
            }
            Self::Chunk { offset, bytes } => {
                out.u64(*offset).u32(bytes.len() as u32).bytes(bytes);
            }
            Self::Greeting(text) => {
                out.text(text);
            }
            Self::Changed(body)
            | Self::Void(body)
            | Self::StatusQuery(body)
            | Self::Other { body, .. } => {
                out.bytes(body);
            }
        })
    }

    /// The transaction and the reply, of a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<(u32, Self), DecodeError> {
        let mut reader = Reader(frame);
        reader.expect_u32("magic", MAGIC)?;
        let transaction = reader.u32("transaction")?;
        let reply = match reader.u32("kind")? {
            1 => Self::Stat(Stat {
                exists: reader.u8("exists")? != 0,
                is_folder: reader.u8("is a folder")? != 0,
                permissions: reader.u32("permissions")?,
                times: [
                    reader.array("time")?,
                    reader.array("time")?,
                    reader.array("time")?,
                ],
                size: reader.u64("size")?,
            }),
            2 => {
                let ok = reader.u8("ok")? != 0;
                reader.rest();
                Self::ListEnd { ok }
            }
            3 => {
                let length = reader.count("names", 4)?;
                if length > MAX_NAMES {
                    return Err(DecodeError::Long {
                        field: "names",
                        length,
                        limit: MAX_NAMES,
                    });
                }
                let names = (0..length)
                    .map(|_| reader.text("name"))
                    .collect::<Result<_, _>>()?;
                Self::Names {
                    names,
                    flags: reader.array("flags")?,
                }
            }
            4 => Self::Opened {
                size: reader.u64("size")?,
                file: reader.u32("file")?,
            },
            5 => {
                let offset = reader.u64("offset")?;
                let length = reader.u32("length")? as usize;
                Self::Chunk {
                    offset,
                    bytes: reader.bytes("bytes", length)?.to_vec(),
                }
            }
            6 => Self::Changed(reader.rest().to_vec()),
            8 => Self::Greeting(reader.text("greeting")?),
            9 => Self::Void(reader.rest().to_vec()),
            0xa => Self::StatusQuery(reader.rest().to_vec()),
            kind => Self::Other {
                kind,
                body: reader.rest().to_vec(),
            },
        };
        reader.end()?;
        Ok((transaction, reply))
    }
}
