//! Takes out of a session what tells whose it is: the same text always becomes the same other text, so that what
//! belonged together still does.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use crate::client::{Update, UpdateKind};
use crate::identity::Token;
use crate::path::{DeckPath, StatePath, UnitPath};
use crate::roster::Device;
use crate::wire::broadcast::Broadcast;
use crate::wire::state_map::Value;

/// Texts remembered; those beyond all become the same.
const MAX_TEXTS: usize = 100_000;
/// Names of folders that every player has.
const COMMON: [&str; 4] = ["Engine Library", "Music", "Database2", "m.db"];

/// Replaces names of machines, titles, artists, places, media, libraries, tokens and addresses. Kinds of device, times,
/// positions, tempo, keys, sizes and lengths stay.
#[derive(Debug, Default)]
pub struct Redactor {
    texts: BTreeMap<(&'static str, String), usize>,
    counts: BTreeMap<&'static str, usize>,
}

impl Redactor {
    /// The update with others in the place of names.
    pub fn redact(&mut self, update: Update) -> Update {
        Update {
            device: self.token(update.device),
            at: update.at,
            kind: match update.kind {
                UpdateKind::Appeared(device) => UpdateKind::Appeared(self.device(device)),
                UpdateKind::State { path, value } => self.state(path, value),
                UpdateKind::Broadcast(news) => UpdateKind::Broadcast(self.news(news)),
                UpdateKind::Clash(places) => {
                    UpdateKind::Clash(places.map(|place| self.address(place)))
                }
                UpdateKind::TokenChanged(token) => UpdateKind::TokenChanged(self.token(token)),
                kind @ (UpdateKind::Connected | UpdateKind::Beats(_) | UpdateKind::Lost(_)) => kind,
            },
        }
    }

    /// From 1, the same for the same text.
    fn number(&mut self, what: &'static str, text: &str) -> usize {
        let is_full = self.texts.len() >= MAX_TEXTS;
        let key = (what, text.to_owned());
        if let Some(number) = self.texts.get(&key) {
            return *number;
        }
        if is_full {
            return 0;
        }
        let count = self.counts.entry(what).or_default();
        *count += 1;
        self.texts.insert(key, *count);
        *count
    }

    fn text(&mut self, what: &'static str, text: &str) -> String {
        format!("{what} {}", self.number(what, text))
    }

    fn token(&mut self, token: Token) -> Token {
        if token == Token::NONE {
            return token;
        }
        let number = self.number("token", &token.to_string());
        let mut bytes = *b"\0redacted\0\0\0\0\0\0\0";
        for (place, byte) in bytes.iter_mut().rev().zip((number as u32).to_le_bytes()) {
            *place = byte;
        }
        Token(bytes)
    }

    fn address(&mut self, address: Ipv4Addr) -> Ipv4Addr {
        if address.is_unspecified() || address.is_loopback() {
            return address;
        }
        let number = self.number("address", &address.to_string()) as u32;
        // Whether there is a router is worth knowing.
        let network = if address.is_link_local() {
            Ipv4Addr::new(169, 254, 0, 0)
        } else {
            Ipv4Addr::new(198, 18, 0, 0)
        };
        Ipv4Addr::from(u32::from(network) | number & 0xffff)
    }

    fn device(&mut self, mut device: Device) -> Device {
        device.identity.token = self.token(device.identity.token);
        device.identity.source = self.text("device", &device.identity.source);
        device.interface = self.address(device.interface);
        device.address =
            SocketAddrV4::new(self.address(*device.address.ip()), device.address.port());
        device
    }

    fn news(&mut self, news: Broadcast) -> Broadcast {
        match news {
            Broadcast::TrackChanged { database, track } => Broadcast::TrackChanged {
                database: self.text("library", &database),
                track,
            },
            Broadcast::Other(text) => Broadcast::Other(self.text("news", &text)),
        }
    }

    fn state(&mut self, path: StatePath, value: Value) -> UpdateKind {
        let value = match value {
            Value::Text(text) if text.is_empty() => Value::Text(text),
            Value::Text(text) => Value::Text(match &path {
                StatePath::Unit(UnitPath::Player)
                | StatePath::Deck(
                    _,
                    DeckPath::CurrentKey
                    | DeckPath::SyncMode
                    | DeckPath::SpeedState
                    | DeckPath::SpeedRange,
                ) => text,
                StatePath::Deck(_, DeckPath::SongName) => self.text("title", &text),
                StatePath::Deck(_, DeckPath::ArtistName) => self.text("artist", &text),
                StatePath::Unit(_) | StatePath::Deck(..) | StatePath::Other(_) => self.place(&text),
            }),
            Value::Other(text) => Value::Other(self.text("value", &text)),
            value @ (Value::Flag(_) | Value::Number(_) | Value::Color(_) | Value::Nothing) => value,
        };
        UpdateKind::State { path, value }
    }

    /// Keeps the form of a path: its scheme, how many folders, the ending of the file.
    fn place(&mut self, text: &str) -> String {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme @ ("net" | "streaming" | "file"), rest)) => (Some(scheme), rest),
            _ => (None, text),
        };
        let parts: Vec<String> = rest.split('/').map(|part| self.part(part)).collect();
        let parts = parts.join("/");
        scheme.map_or_else(|| parts.clone(), |scheme| format!("{scheme}://{parts}"))
    }

    fn part(&mut self, part: &str) -> String {
        if part.is_empty() || COMMON.contains(&part) {
            return part.to_owned();
        }
        if let Ok(token) = part.parse::<Token>() {
            return self.token(token).to_string();
        }
        let ending = part.rsplit_once('.').map(|(_, ending)| ending);
        let is_ending = |ending: &&str| {
            (1..=4).contains(&ending.len())
                && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let name = self.text("name", part);
        match ending.filter(is_ending) {
            Some(ending) => format!("{name}.{ending}"),
            None => name,
        }
    }
}
