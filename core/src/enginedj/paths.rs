//! What a database says of a path: for decks, which tell where they have a track from and not which one it is; and the
//! track's picture.

use super::error::EngineError;
use super::find::Found;
use super::{Library, Options};
use crate::control::Control;
use crate::track::SourceId;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use unicode_normalization::UnicodeNormalization as _;

/// Tracks remembered of one database, at most: some 60 MB, whoever made it.
const MOST_ROWS: u64 = 200_000;
/// Bytes of a database that are read, at most. It came over the network.
const MOST_BYTES: u64 = 1 << 30;

/// The tracks of one database by their stored paths. Paths are known by their hashes, keyed anew for each. The private
/// copy of the database stays for as long as this is held.
#[derive(Debug)]
pub struct Paths {
    library: Mutex<Library>,
    uuid: Option<String>,
    by_path: HashMap<u64, (Names, Option<i64>)>,
    hasher: RandomState,
}

/// What a track is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The pair of where it came from first: what the same track is called in every library.
    pub id: SourceId,
    /// The pair of this very database, where that is another.
    pub alias: Option<SourceId>,
}

impl Names {
    /// The surest first.
    pub fn iter(&self) -> impl Iterator<Item = &SourceId> {
        std::iter::once(&self.id).chain(&self.alias)
    }
}

impl Paths {
    /// Reads `database`, a file that was fetched from a player, from a private copy made in the folder `scratch`,
    /// which must be there. Files named like it with `-wal` or `-journal` count as its journals. Damaged rows are
    /// passed over; of tracks at the same path the first counts. Reads the disk.
    pub fn read(database: &Path, scratch: &Path, control: &Control) -> Result<Self, EngineError> {
        let options = Options {
            scratch: scratch.to_path_buf(),
            most_bytes: MOST_BYTES,
            most_rows: MOST_ROWS,
            check: false,
        };
        let library = Library::open(&Found::lone(database.to_path_buf()), &options, control)?;
        let hasher = RandomState::new();
        let mut by_path = HashMap::new();
        for track in library.tracks().flatten() {
            if let (Some(id), Some(file)) = (track.source, track.file) {
                let alias = track.aliases.into_iter().next();
                by_path
                    .entry(key(&hasher, &file.stored))
                    .or_insert((Names { id, alias }, track.art));
            }
        }
        control.check()?;
        Ok(Self {
            uuid: library.about().uuid.clone(),
            library: Mutex::new(library),
            by_path,
            hasher,
        })
    }

    /// The database's own name.
    pub fn library(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// The track at `stored`, a path from the folder `Engine Library` on: `Music/Artist/x.mp3`, `../DJ/x.flac`.
    /// Capitals and the make of accents do not count: drives lose them.
    pub fn at(&self, stored: &str) -> Option<&Names> {
        let (names, _) = self.by_path.get(&key(&self.hasher, stored))?;
        Some(names)
    }

    /// The number of the picture of the track at `stored`, for [`Self::art`].
    pub fn art_at(&self, stored: &str) -> Option<i64> {
        self.by_path.get(&key(&self.hasher, stored))?.1
    }

    /// As [`Library::art`]. Reads the disk; one question at a time.
    pub fn art(&self, number: i64) -> Result<Option<Vec<u8>>, EngineError> {
        let library = self.library.lock().unwrap_or_else(PoisonError::into_inner);
        library.art(number)
    }
}

fn key(hasher: &RandomState, stored: &str) -> u64 {
    let names = stored.split('/').filter(|name| !matches!(*name, "" | "."));
    let plain = names.collect::<Vec<_>>().join("/");
    let folded: String = plain.nfc().flat_map(char::to_lowercase).collect();
    hasher.hash_one(folded)
}
