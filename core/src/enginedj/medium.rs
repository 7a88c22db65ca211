//! A small database as it lies on a player's medium: what virtual players have on theirs.

use super::error::EngineError;
use rusqlite::{Connection, params};
use std::path::Path;

/// A track on the medium.
#[derive(Debug, Clone, Copy)]
pub struct MediumTrack<'a> {
    /// From the folder `Engine Library` on: `Music/Artist/x.mp3`, `../DJ/x.flac`.
    pub stored: &'a str,
    pub title: &'a str,
    pub artist: &'a str,
    /// Whole seconds.
    pub secs: i64,
    pub bpm: f64,
    pub bytes: u64,
    /// The library that it came from and its number there; `None`: it came into being here.
    pub origin: Option<(&'a str, i64)>,
    /// Its picture, PNG or JPEG.
    pub art: Option<&'a [u8]>,
}

/// The tables that readers look into, with the columns that stand here; the statements are our own.
const TABLES: &str = "CREATE TABLE Information (id INTEGER PRIMARY KEY, uuid TEXT, schemaVersionMajor INTEGER,
        schemaVersionMinor INTEGER, schemaVersionPatch INTEGER);
    CREATE TABLE AlbumArt (id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT, albumArt BLOB);
    INSERT INTO AlbumArt VALUES (1, '', NULL);
    CREATE TABLE Track (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT UNIQUE, filename TEXT, title TEXT, artist TEXT,
        length INTEGER, bpmAnalyzed REAL, fileBytes INTEGER, fileType TEXT, albumArtId INTEGER DEFAULT 1,
        isAvailable BOOLEAN DEFAULT 1, originDatabaseUuid TEXT, originTrackId INTEGER);";

/// Writes the database of the medium `uuid` into a new file, schema 3.0.2.
pub fn write(file: &Path, uuid: &str, tracks: &[MediumTrack<'_>]) -> Result<(), EngineError> {
    fill(file, uuid, tracks).map_err(|error| EngineError::of_sqlite(&error))
}

fn fill(file: &Path, uuid: &str, tracks: &[MediumTrack<'_>]) -> rusqlite::Result<()> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch(TABLES)?;
    let all = connection.transaction()?;
    all.execute(
        "INSERT INTO Information VALUES (1, ?1, 3, 0, 2)",
        params![uuid],
    )?;
    for track in tracks {
        let art = match track.art {
            Some(art) => {
                all.execute(
                    "INSERT INTO AlbumArt (hash, albumArt) VALUES (?1, ?2)",
                    params![track.stored, art],
                )?;
                all.last_insert_rowid()
            }
            None => 1,
        };
        let name = track.stored.rsplit('/').next().unwrap_or_default();
        let kind = name.rsplit_once('.').map(|(_, kind)| kind);
        let (from, number) = track.origin.unzip();
        all.execute(
            "INSERT OR IGNORE INTO Track (path, filename, title, artist, length, bpmAnalyzed, fileBytes, fileType,
                 albumArtId, originDatabaseUuid, originTrackId)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                track.stored,
                name,
                track.title,
                track.artist,
                track.secs,
                track.bpm,
                i64::try_from(track.bytes).unwrap_or(i64::MAX),
                kind,
                art,
                from,
                number
            ],
        )?;
    }
    all.commit()
}
