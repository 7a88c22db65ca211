//! `Broadcast`: news of the player's library, as JSON in UTF-8, one object per frame.

use serde_json::Value as Json;

use super::{DecodeError, Writer};

/// News of the player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broadcast {
    /// `engine.track.changed`: a track of a library was loaded or changed.
    TrackChanged {
        /// The UUID of the library's database.
        database: String,
        /// The track's number in it.
        track: String,
    },
    /// Something else, as it came.
    Other(String),
}

impl Broadcast {
    /// The frame with its length.
    pub fn encode(&self) -> Vec<u8> {
        let json = match self {
            Self::TrackChanged { database, track } => {
                let (database, track) = (Json::from(database.as_str()), Json::from(track.as_str()));
                format!(
                    r#"{{"engine.track.changed":{{"databaseUuid":{database},"trackId":{track}}}}}"#
                )
            }
            Self::Other(json) => json.clone(),
        };
        let mut out = Writer::default();
        out.frame(|out| {
            out.bytes(json.as_bytes());
        });
        out.0
    }

    /// Of a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let Ok(text) = std::str::from_utf8(frame) else {
            return Err(DecodeError::NotText { field: "broadcast" });
        };
        let changed = serde_json::from_str::<Json>(text).ok().and_then(|json| {
            let news = json.get("engine.track.changed")?;
            Some(Self::TrackChanged {
                database: news.get("databaseUuid")?.as_str()?.to_owned(),
                track: match news.get("trackId")? {
                    Json::String(id) => id.clone(),
                    Json::Number(id) => id.to_string(),
                    Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
                },
            })
        });
        Ok(changed.unwrap_or_else(|| Self::Other(text.to_owned())))
    }
}
