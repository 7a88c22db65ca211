//! The tables of the library file. `STORE.md` says what stands in each.

use redb::TableDefinition;

/// Layout of the whole file. Raised when an older program could not read what this one writes;
/// every raise brings a step in [`super::migrate`].
pub(super) const FORMAT: u32 = 2;

/// By name: small numbers about the file itself.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// The [`FORMAT`] the file was last written with.
pub(super) const META_FORMAT: &str = "format";
/// How many transactions changed the library: two backups with the same count are the same.
pub(super) const META_CHANGES: &str = "changes";

/// By track id: one record. See [`super::records`].
pub(super) type ByTrack = TableDefinition<'static, u64, &'static [u8]>;

pub(super) const TRACKS: ByTrack = TableDefinition::new("tracks");
pub(super) const KNOWLEDGE: ByTrack = TableDefinition::new("knowledge");
pub(super) const BEATS: ByTrack = TableDefinition::new("beats");
pub(super) const KEYS: ByTrack = TableDefinition::new("keys");
pub(super) const CHORDS: ByTrack = TableDefinition::new("chords");
pub(super) const LOUDNESS: ByTrack = TableDefinition::new("loudness");
/// Which waveform files there are; the pictures themselves are side files.
pub(super) const WAVEFORMS: ByTrack = TableDefinition::new("waveforms");

/// What the user set by hand, but for the beats themselves. Since format 2.
pub(super) const BY_HAND: ByTrack = TableDefinition::new("by_hand");
/// Since format 2.
pub(super) const BEATS_BY_HAND: ByTrack = TableDefinition::new("beats_by_hand");
/// Descriptions of tracks that were taken out and may be put back while the program runs; their other records stay
/// where they are as long. Since format 2.
pub(super) const REMOVED: ByTrack = TableDefinition::new("removed");

/// All that is keyed by track; a track that is gone for good leaves every one.
pub(super) const BY_TRACK: [ByTrack; 10] = [
    TRACKS,
    KNOWLEDGE,
    BEATS,
    KEYS,
    CHORDS,
    LOUDNESS,
    WAVEFORMS,
    BY_HAND,
    BEATS_BY_HAND,
    REMOVED,
];

/// What decks are called, by the key that [`super::DeckNames`] documents, and what was chosen about the library: one
/// record each. Named for something that it never was used for, and part of every format.
pub(super) const DECK_NAMES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("roots");
