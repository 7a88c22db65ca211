//! What virtual players do and when, as JSON that a person can write.
//!
//! ```json
//! {
//!   "players": [{ "name": "sc6000", "model": "JP13", "player": 1 }],
//!   "tracks": { "a": { "title": "First", "artist": "Somebody", "secs": 180, "bpm": 124 } },
//!   "events": [
//!     { "at": 0, "deck": 1, "act": { "load": "a" } },
//!     { "at": 1, "deck": 1, "act": "play" },
//!     { "at": 9, "deck": 1, "act": { "scratch": { "secs": 2, "depth": 0.1, "hz": 3 } } },
//!     { "at": 20, "act": { "fault": { "power_cut": { "secs": 15 } } } }
//!   ]
//! }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Players in one script.
pub const MAX_PLAYERS: usize = 8;
/// Tracks in one script.
const MAX_TRACKS: usize = 1000;
/// Events in one script.
const MAX_EVENTS: usize = 10_000;

/// Everything that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The machines.
    pub players: Vec<PlayerSpec>,
    /// Music by name.
    #[serde(default)]
    pub tracks: BTreeMap<String, TrackSpec>,
    /// What happens, in any order.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Seconds after which everything starts over; `None` ends with the last event.
    #[serde(default)]
    pub repeat_secs: Option<f64>,
    /// Decides the jitter of frames.
    #[serde(default)]
    pub seed: u64,
}

/// One machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlayerSpec {
    /// How it announces itself.
    pub name: String,
    /// Model code: `JP13`, `JC11`.
    pub model: String,
    /// Firmware.
    pub version: String,
    /// 32 hexadecimal digits, made from the place in the list when missing.
    pub token: Option<String>,
    /// The number set on it, 1 to 4.
    pub player: u8,
    /// 1 to 4.
    pub decks: u8,
    /// Subscribes to mixer values of whoever connects, as stand-alone players do.
    pub subscribes: bool,
    /// Hangs up on callers whose announcement was not heard.
    pub strict: bool,
    /// Bytes in one piece of a file: 4096 on old firmware, more on new.
    pub chunk: u32,
    /// Calls whoever announces a directory, as mixers do.
    pub dials: bool,
    /// Writes in pieces of this many bytes, to try readers; 0 writes whole messages.
    pub split: usize,
    /// Positions are sent up to this much later than they are true, milliseconds, another time for each: 11.4 is the
    /// ±5.7 ms of a busy network.
    pub jitter_ms: f64,
}

/// Most of [`PlayerSpec::jitter_ms`]: less than there is between two frames, so that they stay in order.
const MAX_JITTER_MS: f64 = 25.0;

impl Default for PlayerSpec {
    /// An SC6000.
    fn default() -> Self {
        Self {
            name: "sc6000".to_owned(),
            model: "JP13".to_owned(),
            version: "2.3.1".to_owned(),
            token: None,
            player: 1,
            decks: 2,
            subscribes: true,
            strict: true,
            chunk: 4096,
            dials: false,
            split: 0,
            jitter_ms: 0.0,
        }
    }
}

/// One piece of music.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackSpec {
    /// Title.
    pub title: String,
    /// Artist.
    pub artist: String,
    /// Length in seconds.
    pub secs: f64,
    /// Samples per second.
    pub sample_rate: f64,
    /// Beats per minute at normal speed.
    pub bpm: f64,
    /// Where the grid's beat 0 is, seconds.
    pub first_beat_secs: f64,
    /// As the player writes it: `Am`.
    pub key: String,
    /// The player's number of the key.
    pub key_index: u8,
    /// Bytes of the file.
    pub bytes: u64,
    /// Below the source: `Engine Library/Music/Artist/x.mp3`.
    pub path: String,
    /// The medium: `PRIME 4 (Internal)`.
    pub source: String,
    /// UUID of the library's database and number in it, for the broadcast.
    pub library: Option<(String, String)>,
}

impl Default for TrackSpec {
    fn default() -> Self {
        Self {
            title: "Untitled".to_owned(),
            artist: String::new(),
            secs: 240.0,
            sample_rate: 44_100.0,
            bpm: 120.0,
            first_beat_secs: 0.0,
            key: "Am".to_owned(),
            key_index: 1,
            bytes: 9_600_000,
            path: "Engine Library/Music/untitled.mp3".to_owned(),
            source: "DEMO (USB 1)".to_owned(),
            library: None,
        }
    }
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Seconds from the start.
    pub at: f64,
    /// Place in the list of players, from 0.
    #[serde(default)]
    pub player: usize,
    /// From 1.
    #[serde(default = "one")]
    pub deck: u8,
    /// What.
    pub act: Act,
}

fn one() -> u8 {
    1
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A track by name; the deck stands at its start.
    Load(String),
    /// Empty the deck.
    Unload,
    /// Go.
    Play,
    /// Stand at once.
    Pause,
    /// Stand after so many seconds, as a platter does.
    Brake(f64),
    /// To seconds from the start, negative allowed: hot cue, beat jump.
    Seek(f64),
    /// 1 is normal speed.
    Pitch(f64),
    /// Backwards, or forwards again.
    Reverse(bool),
    /// The hand moves the platter to and fro.
    Scratch {
        /// For so long.
        secs: f64,
        /// Seconds of music to either side.
        depth: f64,
        /// How often a second.
        hz: f64,
    },
    /// From here, so many seconds of music.
    Loop(f64),
    /// Out of the loop.
    EndLoop,
    /// Loudness at the mixer, 0 to 1.
    Fader(f64),
    /// This deck gives the tempo.
    Master,
    /// Something breaks.
    Fault(Fault),
}

/// What can break.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Connections close, and everything is back on other ports.
    Restart {
        /// Away for so long, seconds.
        secs: f64,
    },
    /// Silence; nobody is told.
    PowerCut {
        /// For so long, seconds.
        secs: f64,
    },
    /// All connections are reset.
    Reset,
    /// Half a frame in every state map, then nothing more there.
    HalfFrame,
    /// A frame in every state map that claims two gigabytes.
    Oversize,
    /// A title with half a pair of UTF-16.
    LoneSurrogate,
    /// A value that is no string at all.
    NullString,
}

/// Why a script cannot be performed.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// Not the JSON that is wanted.
    #[error("the script is not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// A number, name or size that cannot be.
    #[error("the script cannot be performed: {0}")]
    Content(String),
}

impl Script {
    /// Of JSON, checked.
    pub fn parse(json: &str) -> Result<Self, ScriptError> {
        let script: Self = serde_json::from_str(json)?;
        script.check()?;
        Ok(script)
    }

    /// Whether all numbers and names can be performed.
    pub fn check(&self) -> Result<(), ScriptError> {
        let wrong = |text: String| Err(ScriptError::Content(text));
        if !(1..=MAX_PLAYERS).contains(&self.players.len()) {
            return wrong(format!("1 to {MAX_PLAYERS} players are possible"));
        }
        if self.tracks.len() > MAX_TRACKS || self.events.len() > MAX_EVENTS {
            return wrong(format!(
                "{MAX_TRACKS} tracks and {MAX_EVENTS} events are possible"
            ));
        }
        if self
            .repeat_secs
            .is_some_and(|secs| !(0.1..=1e6).contains(&secs))
        {
            return wrong("repeat_secs goes from 0.1 to 1000000".to_owned());
        }
        for player in &self.players {
            let numbers = (1..=4).contains(&player.decks)
                && (1..=1 << 20).contains(&player.chunk)
                && (0.0..=MAX_JITTER_MS).contains(&player.jitter_ms);
            let token = player
                .token
                .as_ref()
                .is_none_or(|token| token.parse::<crate::Token>().is_ok());
            if !numbers
                || !token
                || player.name.len() > 100
                || player.model.len() > 100
                || player.version.len() > 100
            {
                return wrong(format!("player {:?}", player.name));
            }
        }
        for (name, track) in &self.tracks {
            let numbers = [track.secs, track.sample_rate, track.bpm];
            let possible = numbers.iter().all(|number| (1.0..=1e6).contains(number));
            if !possible || !(-1e4..=1e4).contains(&track.first_beat_secs) {
                return wrong(format!("track {name:?}"));
            }
        }
        for event in &self.events {
            if let Some(complaint) = self.complaint(event) {
                return wrong(format!("{complaint} at {} s", event.at));
            }
        }
        Ok(())
    }

    fn complaint(&self, event: &Event) -> Option<&'static str> {
        let Some(player) = self.players.get(event.player) else {
            return Some("no such player");
        };
        if !(1..=player.decks).contains(&event.deck) {
            return Some("no such deck");
        }
        if !(0.0..=1e6).contains(&event.at) {
            return Some("a time");
        }
        let possible = match &event.act {
            Act::Load(name) => return (!self.tracks.contains_key(name)).then_some("no such track"),
            Act::Brake(secs) | Act::Loop(secs) => (0.001..=1e4).contains(secs),
            Act::Seek(secs) => (-1e4..=1e6).contains(secs),
            Act::Pitch(speed) => (0.01..=4.0).contains(speed),
            Act::Scratch { secs, depth, hz } => [secs, depth, hz]
                .iter()
                .all(|number| (0.001..=1e3).contains(*number)),
            Act::Fader(value) => (0.0..=1.0).contains(value),
            Act::Fault(Fault::Restart { secs } | Fault::PowerCut { secs }) => {
                (0.0..=1e4).contains(secs)
            }
            Act::Unload
            | Act::Play
            | Act::Pause
            | Act::Reverse(_)
            | Act::EndLoop
            | Act::Master
            | Act::Fault(_) => true,
        };
        (!possible).then_some("a number out of range")
    }
}
