//! `StateMap`: values by path, told when they change. Subscribing works in both directions.
//!
//! Each frame is `smaa`, a type of four bytes, the path, then:
//!
//! | type | tail | meaning |
//! |---|---|---|
//! | `0x000` | JSON as text | the value, after subscribing and on every change |
//! | `0x7d1` | JSON as text | write a value into the peer; a client never sends it |
//! | `0x7d2` | interval i32 | subscribe; milliseconds, 0 and -1 for "on change" |

use serde_json::Value as Json;

use super::{DecodeError, Reader, Writer};

const MAGIC: u32 = u32::from_be_bytes(*b"smaa");
const EMIT: u32 = 0;
const WRITE: u32 = 0x7d1;
const SUBSCRIBE: u32 = 0x7d2;

/// One frame of `StateMap`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateMap {
    /// "Tell me this value."
    Subscribe {
        /// Which.
        path: String,
        /// Milliseconds between values; 0 and -1 tell on change. An interval delays the first value too.
        interval_ms: i32,
    },
    /// "It is this now."
    Emit {
        /// Which.
        path: String,
        /// JSON; `None` is the null string.
        json: Option<String>,
    },
    /// "Make it this": mixers write into players.
    Write {
        /// Which.
        path: String,
        /// JSON; `None` is the null string.
        json: Option<String>,
    },
}

impl StateMap {
    /// The frame with its length.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.frame(|out| {
            out.u32(MAGIC);
            match self {
                Self::Subscribe { path, interval_ms } => {
                    out.u32(SUBSCRIBE).text(path).i32(*interval_ms)
                }
                Self::Emit { path, json } => out.u32(EMIT).text(path).text_or_null(json.as_deref()),
                Self::Write { path, json } => {
                    out.u32(WRITE).text(path).text_or_null(json.as_deref())
                }
            };
        });
        out.0
    }

    /// Of a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(frame);
        reader.expect_u32("magic", MAGIC)?;
        let kind = reader.u32("type")?;
        let path = reader.text("path")?;
        let message = match kind {
            EMIT => Self::Emit {
                path,
                json: reader.text_or_null("value")?,
            },
            WRITE => Self::Write {
                path,
                json: reader.text_or_null("value")?,
            },
            SUBSCRIBE => Self::Subscribe {
                path,
                interval_ms: reader.i32("interval")?,
            },
            _ => {
                return Err(DecodeError::Unknown {
                    field: "type",
                    value: u64::from(kind),
                });
            }
        };
        reader.end()?;
        Ok(message)
    }
}

/// A value, read by the name under which it stands; the `type` beside it is not trusted, because
/// firmware versions disagree on it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `string`.
    Text(String),
    /// `state`.
    Flag(bool),
    /// `value`.
    Number(f64),
    /// `color`, alpha first: `0xffea2828`.
    Color(u32),
    /// Something else, as it came.
    Other(String),
    /// The null string or no JSON at all.
    Nothing,
}

impl Value {
    /// Of the JSON in an emission.
    pub fn parse(json: Option<&str>) -> Self {
        let Some(text) = json.filter(|text| !text.is_empty()) else {
            return Self::Nothing;
        };
        let Ok(Json::Object(fields)) = serde_json::from_str::<Json>(text) else {
            return Self::Other(text.to_owned());
        };
        for name in ["string", "state", "value", "color"] {
            match fields.get(name) {
                Some(Json::String(text)) if name == "color" => {
                    let digits = text.strip_prefix('#').unwrap_or(text);
                    if let Ok(color) = u32::from_str_radix(digits, 16) {
                        return Self::Color(color);
                    }
                }
                Some(Json::String(text)) => return Self::Text(text.clone()),
                Some(Json::Bool(flag)) => return Self::Flag(*flag),
                Some(Json::Number(number)) if name == "state" => {
                    return Self::Flag(number.as_f64().is_some_and(|number| number != 0.0));
                }
                Some(Json::Number(number)) => {
                    if let Some(number) = number.as_f64() {
                        return Self::Number(number);
                    }
                }
                None | Some(Json::Null | Json::Array(_) | Json::Object(_)) => {}
            }
        }
        Self::Other(text.to_owned())
    }

    /// As a player writes it. `kind` is the number it puts beside the value: 0 and 14 for fractions,
    /// 1 to 3 for states, 4 and 8 for text, 10 for whole numbers, 16 for colours.
    pub fn to_json(&self, kind: u8) -> String {
        match self {
            Self::Text(text) => {
                let quoted = Json::String(text.clone());
                format!(r#"{{"string":{quoted},"type":{kind}}}"#)
            }
            Self::Flag(flag) => format!(r#"{{"state":{flag},"type":{kind}}}"#),
            Self::Number(number) => format!(r#"{{"type":{kind},"value":{number}}}"#),
            Self::Color(color) => format!(r##"{{"color":"#{color:08x}","type":{kind}}}"##),
            Self::Other(json) => json.clone(),
            Self::Nothing => String::new(),
        }
    }

    /// True for a set state and for numbers but zero.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Number(number) => Some(*number != 0.0),
            Self::Text(_) | Self::Color(_) | Self::Other(_) | Self::Nothing => None,
        }
    }

    /// A finite number; text that is one counts.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Color(_) | Self::Other(_) | Self::Nothing => None,
        }
        .filter(|number| number.is_finite())
    }

    /// The text; empty text is `None`, as players write it for "nothing loaded".
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
            Self::Flag(_) | Self::Number(_) | Self::Color(_) | Self::Other(_) | Self::Nothing => {
                None
            }
        }
    }
}
