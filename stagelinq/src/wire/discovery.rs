//! The datagram by which everybody tells the network, every second, that they are there.
//!
//! | field | bytes |
//! |---|---|
//! | `airD` | 4 |
//! | token | 16 |
//! | source, action, software, version | text each |
//! | TCP port of the directory, 0 for "I take no calls" | 2 |

use super::{DecodeError, Reader, Writer};
use crate::identity::{Identity, Token};

const MAGIC: [u8; 4] = *b"airD";
/// Bytes of the largest announcement that is looked at; real ones have 100 to 130.
pub const MAX_ANNOUNCEMENT: usize = 1024;

/// Coming or going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `DISCOVERER_HOWDY_`: present.
    Present,
    /// `DISCOVERER_EXIT_`: leaving.
    Leaving,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "DISCOVERER_HOWDY_",
            Self::Leaving => "DISCOVERER_EXIT_",
        }
    }
}

/// One datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Who.
    pub identity: Identity,
    /// Coming or going.
    pub action: Action,
    /// TCP port of the directory; 0 when there is none.
    pub port: u16,
}

impl Announcement {
    /// The datagram.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.bytes(&MAGIC)
            .token(self.identity.token)
            .text(&self.identity.source)
            .text(self.action.as_str())
            .text(&self.identity.software)
            .text(&self.identity.version)
            .u16(self.port);
        out.0
    }

    /// Of one datagram.
    pub fn decode(datagram: &[u8]) -> Result<Self, DecodeError> {
        if datagram.len() > MAX_ANNOUNCEMENT {
            return Err(DecodeError::Long {
                field: "announcement",
                length: datagram.len(),
                limit: MAX_ANNOUNCEMENT,
            });
        }
        let mut reader = Reader(datagram);
        let magic = reader.array("magic")?;
        if magic != MAGIC {
            return Err(DecodeError::Unknown {
                field: "magic",
                value: u64::from(u32::from_be_bytes(magic)),
            });
        }
        let token: Token = reader.token("token")?;
        let source = reader.text("source")?;
        let action = match reader.text("action")?.as_str() {
            "DISCOVERER_HOWDY_" => Action::Present,
            // A client in the field writes two underscores.
            "DISCOVERER_EXIT_" | "DISCOVERER_EXIT__" => Action::Leaving,
            _ => return Err(DecodeError::NotText { field: "action" }),
        };
        let software = reader.text("software")?;
        let version = reader.text("version")?;
        let port = reader.u16("port")?;
        reader.end()?;
        Ok(Self {
            identity: Identity {
                token,
                source,
                software,
                version,
            },
            action,
            port,
        })
    }
}
