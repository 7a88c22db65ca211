//! A track of an Engine DJ library, decoded from its row. Pure.

use super::place::{self, Base, Candidates};
use super::schema::COLUMNS;
use super::values::{self, Cell};
use crate::harmony::Key;
use crate::track::{SourceId, Tags, Text};
use crate::units::Secs;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

/// One row of `Track`. Absent is `None`; what was there but could not be used stands in `flaws`.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineTrack {
    /// `Track.id`: the number in this very library.
    pub row: i64,
    /// Where the track came from first: the same in every library that it was copied to. `None` only where the
    /// library is damaged; then a path is all there is.
    pub source: Option<SourceId>,
    /// What else it is called: the number in this library, as a deck that plays from it says.
    pub aliases: Vec<SourceId>,
    pub file: Option<EngineFile>,
    /// Set for what a streaming service holds. There may be a file all the same.
    pub stream: Option<Stream>,
    /// Bpm and key are those of Engine's own analysis.
    pub tags: Tags,
    /// The number of its picture in the library.
    pub art: Option<i64>,
    /// Whole seconds, as Engine rounds them.
    pub duration: Option<Secs>,
    pub bitrate_kbps: Option<u32>,
    /// What Engine holds for the type of the file, in lower case: `mp3`.
    pub file_type: Option<String>,
    pub file_bytes: Option<u64>,
    pub added: Option<Timestamp>,
    pub created: Option<Timestamp>,
    pub last_played: Option<Timestamp>,
    pub is_played: bool,
    /// The user has locked the beat grid by hand.
    pub is_grid_locked: bool,
    /// The row came from a player that had read a rekordbox drive.
    pub is_from_rekordbox: bool,
    pub flaws: Vec<Flaw>,
}

/// A file as the library knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFile {
    /// As stored, damaged characters replaced. For showing, and for the paths that decks send.
    pub stored: String,
    pub candidates: Candidates,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub service: Option<String>,
    pub uri: Option<String>,
}

/// A value of a row that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// The column's name.
    pub field: &'static str,
    pub kind: FlawKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawKind {
    /// The database is damaged there, or the value is far too large.
    Unreadable,
    /// Bytes that are no text: replaced where the rest is, left out otherwise.
    NotText,
    NotNumber,
    OutOfRange,
    /// Empty, endless, or with bytes that no path has.
    NoPath,
    /// A path of another computer.
    Elsewhere,
    /// Another track has the same identity.
    Taken,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self.kind {
            FlawKind::Unreadable => "cannot be read",
            FlawKind::NotText => "is damaged text",
            FlawKind::NotNumber => "is not a number",
            FlawKind::OutOfRange => "is out of range",
            FlawKind::NoPath => "is no path",
            FlawKind::Elsewhere => "is a path of another computer",
            FlawKind::Taken => "belongs to another track too",
        };
        write!(f, "{} {said}", self.field)
    }
}

impl EngineTrack {
    /// The likeliest path. Whether a file is there is [`super::locate::Locator`]'s to say.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref()?.candidates.first()
    }

    pub fn key(&self) -> Option<Key> {
        Key::parse(self.tags.key.as_deref()?)
    }

    /// Eight bytes that differ when what the library says of the track does: kept with a source, they tell a later
    /// import whether Engine DJ has anything new to say. Of plays nothing is in them.
    pub fn digest(&self) -> u64 {
        let mut hasher = Sha256::new();
        let mut feed = |bytes: Option<&[u8]>| {
            hasher.update(
                bytes
                    .map_or(u64::MAX, |bytes| bytes.len() as u64)
                    .to_le_bytes(),
            );
            hasher.update(bytes.unwrap_or_default());
        };
        let tags = &self.tags;
        feed(self.file.as_ref().map(|file| file.stored.as_bytes()));
        for text in [
            &tags.title,
            &tags.artist,
            &tags.album,
            &tags.genre,
            &tags.comment,
            &tags.label,
            &tags.remixer,
            &tags.composer,
            &tags.key,
        ] {
            feed(text.as_deref().map(str::as_bytes));
        }
        for number in [
            tags.year.map(f64::from),
            tags.track_number.map(f64::from),
            tags.rating.map(f64::from),
            tags.bpm,
            self.duration.map(|duration| duration.0),
            self.file_bytes.map(|bytes| bytes as f64),
        ] {
            feed(
                number
                    .map(f64::to_le_bytes)
                    .as_ref()
                    .map(<[u8; 8]>::as_slice),
            );
        }
        let digest: [u8; 32] = hasher.finalize().into();
        digest
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// What decoding needs besides the row.
#[derive(Debug)]
pub(super) struct Decoder {
    uuid: Option<String>,
    base: Option<Base>,
    /// Identities that are taken, hashed with a key that no file can know.
    taken: HashSet<u64>,
    hasher: RandomState,
}

impl Decoder {
    pub(super) fn new(uuid: Option<String>, folder: Option<&Path>) -> Self {
        Self {
            uuid,
            base: folder.map(Base::new),
            taken: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// `cell` gives the value of a column of [`COLUMNS`] by its place.
    pub(super) fn track<'a>(&mut self, row: i64, cell: &dyn Fn(usize) -> Cell<'a>) -> EngineTrack {
        let mut fields = Fields {
            cell,
            flaws: Vec::new(),
        };
        let mut tags = tags(&mut fields);
        // Row 1 is Engine's picture of no picture.
        let art = fields
            .number("albumArtId", 1..=i64::MAX)
            .filter(|art| *art > 1);
        tags.has_art = art.is_some();
        let (source, aliases) = self.identity(row, &mut fields);
        let file = self.file(&mut fields);
        let stream = stream(&mut fields);
        EngineTrack {
            row,
            source,
            aliases,
            file,
            stream,
            tags,
            art,
            duration: fields
                .number("length", 1..=10_000_000)
                .map(|secs| Secs(secs as f64)),
            bitrate_kbps: fields
                .number("bitrate", 1..=100_000)
                .map(|rate| rate as u32),
            file_type: fields.text("fileType").map(|text| text.to_lowercase()),
            file_bytes: fields
                .number("fileBytes", 1..=i64::MAX)
                .map(i64::cast_unsigned),
            added: fields.time("dateAdded"),
            created: fields.time("dateCreated"),
            last_played: fields.time("timeLastPlayed"),
            is_played: fields.switch("isPlayed"),
            is_grid_locked: fields.switch("isBeatGridLocked"),
            is_from_rekordbox: fields.switch("pdbImportKey"),
            flaws: fields.flaws,
        }
    }

    /// The origin pair, or the library's own where that is empty; and the library's own as an alias.
    fn identity(
        &mut self,
        row: i64,
        fields: &mut Fields<'_, '_>,
    ) -> (Option<SourceId>, Vec<SourceId>) {
        let own = self
            .uuid
            .clone()
            .zip(u64::try_from(row).ok().filter(|row| *row > 0))
            .map(|(database, track)| SourceId { database, track });
        let uuid = fields.get("originDatabaseUuid");
        let database = values::database_name(uuid);
        let is_blank =
            uuid == Cell::Null || matches!(uuid, Cell::Text(text) if text.trim_ascii().is_empty());
        if database.is_none() && !is_blank {
            fields.flaw("originDatabaseUuid", FlawKind::NotText);
        }
        let origin = database
            .zip(fields.number("originTrackId", 1..=i64::MAX))
            .map(|(database, track)| SourceId {
                database,
                track: track.cast_unsigned(),
            });
        let is_free = |id: &SourceId| !self.taken.contains(&self.hasher.hash_one(id));
        let source = [origin, own.clone()].into_iter().flatten().find(|id| {
            let is_free = is_free(id);
            if !is_free {
                fields.flaw("originTrackId", FlawKind::Taken);
            }
            is_free
        });
        let aliases: Vec<SourceId> = own
            .filter(|own| source.as_ref() != Some(own) && is_free(own))
            .into_iter()
            .collect();
        for id in source.iter().chain(&aliases) {
            self.taken.insert(self.hasher.hash_one(id));
        }
        (source, aliases)
    }

    fn file(&self, fields: &mut Fields<'_, '_>) -> Option<EngineFile> {
        let cell = fields.get("path");
        let stored = match cell {
            Cell::Null => return None,
            Cell::Text(bytes) | Cell::Blob(bytes) => bytes,
            Cell::Integer(_) | Cell::Real(_) => {
                fields.flaw("path", FlawKind::NoPath);
                return None;
            }
            Cell::Unreadable => {
                fields.flaw("path", FlawKind::Unreadable);
                return None;
            }
        };
        if stored.trim_ascii().is_empty() {
            return None;
        }
        if !place::is_possible(stored) {
            fields.flaw("path", FlawKind::NoPath);
            return None;
        }
        let candidates = place::candidates(stored, self.base.as_ref());
        if candidates.paths.is_empty() {
            fields.flaw("path", FlawKind::Elsewhere);
        }
        Some(EngineFile {
            stored: String::from_utf8_lossy(stored).into_owned(),
            candidates,
        })
    }
}

fn tags(fields: &mut Fields<'_, '_>) -> Tags {
    let bpm = fields.bpm("bpmAnalyzed").or_else(|| fields.bpm("bpm"));
    Tags {
        title: fields.text("title").map(Text::from),
        artist: fields.text("artist").map(Text::from),
        album: fields.text("album").map(Text::from),
        genre: fields.text("genre").map(Text::from),
        comment: fields.comment("comment").map(Text::from),
        label: fields.text("label").map(Text::from),
        remixer: fields.text("remixer").map(Text::from),
        composer: fields.text("composer").map(Text::from),
        year: fields.number("year", 1000..=2999).map(|year| year as i32),
        track_number: fields
            .number("playOrder", 1..=99_999)
            .map(|number| number as u32),
        rating: fields.number("rating", 1..=100).and_then(values::stars),
        bpm,
        key: fields.key("key").map(Text::from),
        has_art: false,
    }
}

fn stream(fields: &mut Fields<'_, '_>) -> Option<Stream> {
    let service = fields.text("streamingSource");
    let uri = fields.text("uri");
    (service.is_some() || uri.is_some()).then_some(Stream { service, uri })
}

/// The values of one row, by the names of their columns.
struct Fields<'f, 'a> {
    cell: &'f dyn Fn(usize) -> Cell<'a>,
    flaws: Vec<Flaw>,
}

impl<'a> Fields<'_, 'a> {
    fn get(&self, field: &'static str) -> Cell<'a> {
        COLUMNS
            .iter()
            .position(|column| *column == field)
            .map_or(Cell::Null, |place| (self.cell)(place))
    }

    fn flaw(&mut self, field: &'static str, kind: FlawKind) {
        self.flaws.push(Flaw { field, kind });
    }

    fn text(&mut self, field: &'static str) -> Option<String> {
        self.text_by(field, values::clean)
    }

    fn comment(&mut self, field: &'static str) -> Option<String> {
        self.text_by(field, values::clean_comment)
    }

    fn text_by(
        &mut self,
        field: &'static str,
        clean: fn(&str) -> Option<String>,
    ) -> Option<String> {
        let cell = self.get(field);
        let (text, is_whole) = values::raw_text(cell);
        if cell == Cell::Unreadable {
            self.flaw(field, FlawKind::Unreadable);
        } else if !is_whole {
            self.flaw(field, FlawKind::NotText);
        }
        clean(&text?)
    }

    /// Zero is how Engine says nothing, below it is nothing that it says.
    fn number(&mut self, field: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let number = self.any_number(field, values::integer)?;
        if range.contains(&number) {
            return Some(number);
        }
        if number != 0 {
            self.flaw(field, FlawKind::OutOfRange);
        }
        None
    }

    fn any_number<T>(&mut self, field: &'static str, read: fn(Cell<'_>) -> Option<T>) -> Option<T> {
        let cell = self.get(field);
        let is_blank = matches!(cell, Cell::Null)
            || matches!(cell, Cell::Text(text) if text.trim_ascii().is_empty());
        if is_blank {
            return None;
        }
        let number = read(cell);
        if cell == Cell::Unreadable {
            self.flaw(field, FlawKind::Unreadable);
        } else if number.is_none() {
            self.flaw(field, FlawKind::NotNumber);
        }
        number
    }

    fn bpm(&mut self, field: &'static str) -> Option<f64> {
        let bpm = self.any_number(field, values::real)?;
        if (1.0..=1000.0).contains(&bpm) {
            return Some(bpm);
        }
        if bpm != 0.0 {
            self.flaw(field, FlawKind::OutOfRange);
        }
        None
    }

    fn key(&mut self, field: &'static str) -> Option<String> {
        // Here zero is a key.
        let number = self.any_number(field, values::integer)?;
        let name = values::key_name(number);
        if name.is_none() && number != -1 {
            self.flaw(field, FlawKind::OutOfRange);
        }
        name
    }

    fn time(&mut self, field: &'static str) -> Option<Timestamp> {
        values::timestamp(self.any_number(field, values::integer)?)
    }

    fn switch(&mut self, field: &'static str) -> bool {
        self.any_number(field, values::integer)
            .is_some_and(|number| number != 0)
    }
}
