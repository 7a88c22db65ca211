//! Sessions as JSON lines: what a client heard, with its time, to be kept, sent and heard again.
//!
//! A line holds one [`Update`]. `at` is seconds since the start, `device` the token; then one of `appeared`, `connected`,
//! `state` with `value`, `beats` (clock in ns, then beat, beats in the track, tempo, samples of each deck), `broadcast`,
//! `lost`, `clash`, `token`. Unknown fields are passed over, so that newer programs can add some.

mod redact;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use redact::Redactor;

use crate::client::{Lost, Update, UpdateKind};
use crate::identity::{Identity, Kind, Token};
use crate::path::StatePath;
use crate::roster::Device;
use crate::session::End;
use crate::wire::DecodeError;
use crate::wire::beat_info::{BeatFrame, DeckBeat, MAX_DECKS};
use crate::wire::broadcast::Broadcast;
use crate::wire::state_map::Value;

/// Bytes of one line; a value of the state map fits.
pub const MAX_LINE: usize = 256 << 10;
/// The latest time that a line may have, seconds: a year.
const MAX_SECS: f64 = 3.2e7;

/// Why a line is no update.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// More than [`MAX_LINE`].
    #[error("the line has {0} bytes")]
    Long(usize),
    /// Not the JSON that is wanted.
    #[error("the line is not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// A time, token, address or number of decks that cannot be.
    #[error("the line says what cannot be: {0}")]
    Content(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Line {
    at: f64,
    device: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    appeared: Option<Appeared>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connected: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beats: Option<(u64, Vec<[Option<f64>; 4]>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    broadcast: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clash: Option<[Ipv4Addr; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Appeared {
    name: String,
    software: String,
    version: String,
    address: SocketAddrV4,
    interface: Ipv4Addr,
}

/// The update as one line, without its end.
pub fn encode(update: &Update) -> String {
    let mut line = Line {
        at: (update.at.as_secs_f64() * 1e6).round() / 1e6,
        device: update.device.to_string(),
        appeared: None,
        connected: None,
        state: None,
        value: None,
        beats: None,
        broadcast: None,
        lost: None,
        clash: None,
        token: None,
    };
    match &update.kind {
        UpdateKind::Appeared(device) => {
            line.appeared = Some(Appeared {
                name: device.identity.source.clone(),
                software: device.identity.software.clone(),
                version: device.identity.version.clone(),
                address: device.address,
                interface: device.interface,
            });
        }
        UpdateKind::Connected => line.connected = Some(true),
        UpdateKind::State { path, value } => {
            line.state = Some(path.to_string());
            line.value = Some(value_to_json(value));
        }
        UpdateKind::Beats(frame) => {
            let finite = |number: f64| number.is_finite().then_some(number);
            let decks = frame
                .decks
                .iter()
                .map(|deck| [deck.beat, deck.total_beats, deck.bpm, deck.samples].map(finite));
            line.beats = Some((frame.clock_ns, decks.collect()));
        }
        UpdateKind::Broadcast(news) => line.broadcast = Some(news_to_json(news)),
        UpdateKind::Lost(why) => line.lost = Some(lost_name(why).to_owned()),
        UpdateKind::Clash(places) => line.clash = Some(*places),
        UpdateKind::TokenChanged(token) => line.token = Some(token.to_string()),
    }
    serde_json::to_string(&line).unwrap_or_default()
}

/// The update of one line. `None` for lines that hold none: empty ones, and what newer programs write.
pub fn decode(line: &str) -> Result<Option<Update>, CaptureError> {
    if line.len() > MAX_LINE {
        return Err(CaptureError::Long(line.len()));
    }
    if line.trim().is_empty() {
        return Ok(None);
    }
    let line: Line = serde_json::from_str(line)?;
    if !(0.0..=MAX_SECS).contains(&line.at) {
        return Err(CaptureError::Content("a time"));
    }
    let wrong = |_malformed| CaptureError::Content("a token");
    let device: Token = line.device.parse().map_err(wrong)?;
    let at = Duration::from_secs_f64(line.at);
    let kind = if let Some(appeared) = line.appeared {
        Some(UpdateKind::Appeared(appeared.device(device)))
    } else if line.connected.is_some() {
        Some(UpdateKind::Connected)
    } else if let Some(path) = line.state {
        let path = StatePath::parse(&path);
        let value = value_of_json(line.value);
        Some(UpdateKind::State { path, value })
    } else if let Some((clock_ns, decks)) = line.beats {
        Some(UpdateKind::Beats(frame(clock_ns, &decks)?))
    } else if let Some(news) = line.broadcast {
        Some(UpdateKind::Broadcast(news_of_json(&news)))
    } else if let Some(why) = line.lost {
        Some(UpdateKind::Lost(lost_of_name(&why)))
    } else if let Some(places) = line.clash {
        Some(UpdateKind::Clash(places))
    } else if let Some(token) = line.token {
        let token = token.parse().map_err(wrong)?;
        Some(UpdateKind::TokenChanged(token))
    } else {
        None
    };
    Ok(kind.map(|kind| Update { device, at, kind }))
}

impl Appeared {
    fn device(self, token: Token) -> Device {
        Device {
            kind: Kind::from_software(&self.software),
            identity: Identity {
                token,
                source: self.name,
                software: self.software,
                version: self.version,
            },
            address: self.address,
            interface: self.interface,
        }
    }
}

fn frame(clock_ns: u64, decks: &[[Option<f64>; 4]]) -> Result<BeatFrame, CaptureError> {
    if decks.len() > MAX_DECKS {
        return Err(CaptureError::Content("too many decks"));
    }
    let decks = decks.iter().map(|deck| {
        let [beat, total_beats, bpm, samples] = deck.map(|number| number.unwrap_or(f64::NAN));
        DeckBeat {
            beat,
            total_beats,
            bpm,
            samples,
        }
    });
    Ok(BeatFrame {
        clock_ns,
        decks: decks.collect(),
    })
}

fn value_to_json(value: &Value) -> Json {
    let one =
        |name: &str, value: Json| Json::Object([(name.to_owned(), value)].into_iter().collect());
    match value {
        Value::Text(text) => one("string", text.as_str().into()),
        Value::Flag(flag) => one("state", (*flag).into()),
        Value::Number(number) => one("value", (*number).into()),
        Value::Color(color) => one("color", format!("#{color:08x}").into()),
        Value::Other(text) => one("other", text.as_str().into()),
        Value::Nothing => Json::Null,
    }
}

fn value_of_json(json: Option<Json>) -> Value {
    match json {
        None | Some(Json::Null) => Value::Nothing,
        Some(json) => match json.get("other").and_then(Json::as_str) {
            Some(text) => Value::Other(text.to_owned()),
            None => Value::parse(Some(&json.to_string())),
        },
    }
}

fn news_to_json(news: &Broadcast) -> Json {
    match news {
        Broadcast::TrackChanged { database, track } => {
            serde_json::json!({ "database": database, "track": track })
        }
        Broadcast::Other(text) => text.as_str().into(),
    }
}

fn news_of_json(json: &Json) -> Broadcast {
    let text = |name: &str| Some(json.get(name)?.as_str()?.to_owned());
    match (text("database"), text("track")) {
        (Some(database), Some(track)) => Broadcast::TrackChanged { database, track },
        _ => Broadcast::Other(
            json.as_str()
                .map_or_else(|| json.to_string(), str::to_owned),
        ),
    }
}

fn lost_name(why: &Lost) -> &'static str {
    match why {
        Lost::Goodbye => "goodbye",
        Lost::Silence => "silence",
        Lost::Moved => "moved",
        Lost::Ended(end) => match end {
            End::Unreachable => "unreachable",
            End::Refused => "refused",
            End::HungUp => "hung_up",
            End::NoServices => "no_services",
            End::Silent => "silent",
            End::ServiceLost => "service_lost",
            End::Nonsense(_) => "nonsense",
        },
    }
}

fn lost_of_name(name: &str) -> Lost {
    Lost::Ended(match name {
        "goodbye" => return Lost::Goodbye,
        "silence" => return Lost::Silence,
        "moved" => return Lost::Moved,
        "unreachable" => End::Unreachable,
        "refused" => End::Refused,
        "no_services" => End::NoServices,
        "silent" => End::Silent,
        "service_lost" => End::ServiceLost,
        "nonsense" => End::Nonsense(DecodeError::NotText { field: "recorded" }),
        _ => End::HungUp,
    })
}

#[cfg(test)]
mod tests;
