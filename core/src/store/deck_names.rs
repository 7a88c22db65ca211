//! What decks are called: tracks that the user pinned to what a deck says, and the name of this program among decks.
//!
//! The key `token` holds how this program announces itself; `pin:` and the network path of a track or its identity in an
//! Engine library (`database:track`) hold the track of this library that it is.

use super::database::Handle;
use super::error::StoreError;
use super::records::Record as _;
use super::tables;
use crate::track::TrackId;
use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const TOKEN_KEY: &[u8] = b"token";
const PIN: &str = "pin:";
/// Pins that are read; nobody makes more by hand.
const MOST_PINS: usize = 100_000;

/// Pins and token as they are kept. Cloning copies a pointer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeckNames {
    /// By network path, or identity in an Engine library.
    pub pins: Arc<BTreeMap<String, TrackId>>,
    /// 16 bytes by which players know this program.
    pub token: Option<[u8; 16]>,
}

impl DeckNames {
    /// Takes in a pin, or takes it out.
    pub fn pin(&mut self, name: &str, track: Option<TrackId>) {
        let pins = Arc::make_mut(&mut self.pins);
        match track {
            Some(track) if pins.len() < MOST_PINS => {
                pins.insert(name.to_owned(), track);
            }
            Some(_) => {}
            None => {
                pins.remove(name);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Pin(pub(super) TrackId);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct OwnToken(pub(super) [u8; 16]);

pub(super) fn pin_key(name: &str) -> Vec<u8> {
    format!("{PIN}{name}").into_bytes()
}

/// What cannot be read is left out: it is told anew, or chosen anew.
pub(super) fn load(handle: &Handle) -> Result<DeckNames, StoreError> {
    handle.read(|read| {
        let mut names = DeckNames::default();
        for entry in read.open_table(tables::DECK_NAMES)?.iter()? {
            let (key, record) = entry?;
            if key.value() == TOKEN_KEY {
                let token = OwnToken::from_bytes(record.value());
                names.token = token.ok().map(|token| token.0);
            } else if let Some(name) = std::str::from_utf8(key.value())
                .ok()
                .and_then(|key| key.strip_prefix(PIN))
                && let Ok(pin) = Pin::from_bytes(record.value())
            {
                names.pin(name, Some(pin.0));
            }
        }
        Ok(names)
    })
}
