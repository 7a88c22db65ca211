//! What the user chose about a library as a whole: it goes with the library, wherever that is opened.

use super::database::Handle;
use super::error::StoreError;
use super::records::Record as _;
use super::tables;
use serde::{Deserialize, Serialize};

/// Beside what decks are called, in the table whose keys are text.
pub(super) const KEY: &[u8] = b"choices";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// Bytes that the stems of all tracks together may take; `None`: as fits the drive.
    pub stem_bytes: Option<u64>,
    /// Beats by a model follow the drafts of every track.
    pub beats_follow: bool,
}

/// What cannot be read was not chosen.
pub(super) fn load(handle: &Handle) -> Result<Choices, StoreError> {
    handle.read(|read| {
        let table = read.open_table(tables::DECK_NAMES)?;
        let record = table.get(KEY)?;
        let Some(record) = record else {
            return Ok(Choices::default());
        };
        Ok(Choices::from_bytes(record.value()).unwrap_or_else(|error| {
            tracing::warn!(%error, "what was chosen about the library cannot be read");
            Choices::default()
        }))
    })
}
