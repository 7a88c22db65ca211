//! Makes libraries as Engine DJ keeps them, of several schemas, small or large, and damages them on request.
//!
//! Tables, columns and habits are those that readers of the format describe; the statements are our own.

use rusqlite::{Connection, Result, params};
use std::path::{Path, PathBuf};

pub const UUID: &str = "5f0c2a3e-7d41-4c7b-9a55-0d6f3b1e8c21";
pub const OTHER_UUID: &str = "c7a1b2d3-1111-4222-8333-944455556666";

/// Schemas that differ in what a reader sees: the first and last of each generation.
pub const SCHEMAS: [(u32, u32, u32); 5] =
    [(2, 18, 0), (2, 20, 3), (2, 21, 2), (3, 0, 0), (3, 0, 2)];

/// A row of `Track`; what is not set is NULL, as Engine leaves it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EngineRow {
    pub path: Option<String>,
    pub title: Option<String>,
    pub artist: Option<String>,
    pub album: Option<String>,
    pub comment: Option<String>,
    pub length: Option<i64>,
    pub bpm: Option<i64>,
    pub bpm_analyzed: Option<f64>,
    pub key: Option<i64>,
    pub rating: Option<i64>,
    pub year: Option<i64>,
    pub file_bytes: Option<i64>,
    pub date_added: Option<i64>,
    pub origin: Option<(String, i64)>,
    pub streaming: Option<(String, String)>,
}

impl EngineRow {
    pub fn at(path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            title: Some(format!("Title of {path}")),
            ..Self::default()
        }
    }
}

/// An open library. The connection is there for whatever a test wants to do to it.
#[derive(Debug)]
pub struct EngineLibrary {
    /// The `Engine Library` folder.
    pub folder: PathBuf,
    pub database: PathBuf,
    pub connection: Connection,
    schema: (u32, u32, u32),
}

impl EngineLibrary {
    /// Makes `Engine Library/Database2/m.db` in `holder`.
    pub fn create(holder: &Path, schema: (u32, u32, u32)) -> Result<Self> {
        let folder = holder.join("Engine Library");
        let inner = if schema.0 < 2 {
            folder.clone()
        } else {
            folder.join("Database2")
        };
        std::fs::create_dir_all(&inner)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let database = inner.join("m.db");
        let connection = Connection::open(&database)?;
        connection.execute_batch(&statements(schema))?;
        connection.execute(
            "INSERT INTO Information (id, uuid, schemaVersionMajor, schemaVersionMinor, schemaVersionPatch)
             VALUES (1, ?1, ?2, ?3, ?4)",
            params![UUID, schema.0, schema.1, schema.2],
        )?;
        Ok(Self {
            folder,
            database,
            connection,
            schema,
        })
    }

    /// Adds a track and gives its number.
    pub fn add(&self, row: &EngineRow) -> Result<i64> {
        let file = row.path.as_deref().map(|path| path.rsplit('/').next());
        let (origin_uuid, origin_id) = row.origin.clone().unzip();
        let (service, uri) = row.streaming.clone().unzip();
        self.connection.execute(
            INSERT_TRACK,
            params![
                row.path,
                file.flatten(),
                row.title,
                row.artist,
                row.album,
                row.comment,
                row.length,
                row.bpm,
                row.bpm_analyzed,
                row.key,
                row.rating,
                row.year,
                row.file_bytes,
                row.date_added,
                origin_uuid,
                origin_id,
                service,
                uri,
            ],
        )?;
        let number = self.connection.last_insert_rowid();
        self.add_performance(number)?;
        Ok(number)
    }

    /// What Engine's analysis leaves behind, as bytes without meaning of about the usual size.
    fn add_performance(&self, number: i64) -> Result<()> {
        let blob = |bytes: usize| vec![number as u8; bytes];
        let statement = if self.schema.0 < 3 {
            "UPDATE Track SET trackData = ?2, overviewWaveFormData = ?3, beatData = ?4 WHERE id = ?1"
        } else {
            "INSERT INTO PerformanceData (trackId, trackData, overviewWaveFormData, beatData) VALUES (?1, ?2, ?3, ?4)"
        };
        self.connection
            .execute(statement, params![number, blob(44), blob(2_000), blob(150)])?;
        Ok(())
    }

    /// Adds `count` tracks with everything that a well-kept library has, all at once.
    pub fn add_many(&self, count: usize) -> Result<()> {
        self.connection.execute_batch("BEGIN")?;
        for number in 0..count {
            self.add(&usual_row(number))?;
        }
        self.connection.execute_batch("COMMIT")
    }
}

/// A row as of a library that somebody cares for.
pub fn usual_row(number: usize) -> EngineRow {
    EngineRow {
        path: Some(format!(
            "../House/Some Artist {}/{number:05} Some Title.flac",
            number / 12
        )),
        title: Some(format!("Some Title of This Track (Extended Mix) {number}")),
        artist: Some(format!("Some Artist {}, Another", number / 12)),
        album: Some("Some Album".to_owned()),
        comment: Some("Bought somewhere in 2024".to_owned()),
        length: Some(200 + number as i64 % 300),
        bpm: Some(124),
        bpm_analyzed: Some(124.0 + number as f64 % 8.0),
        key: Some(number as i64 % 24),
        rating: Some(number as i64 % 6 * 20),
        year: Some(2024),
        file_bytes: Some(30_000_000 + number as i64),
        date_added: Some(1_700_000_000 + number as i64),
        origin: None,
        streaming: None,
    }
}

const INSERT_TRACK: &str = "INSERT INTO Track (path, filename, title, artist, album, comment, length, bpm,
    bpmAnalyzed, key, rating, year, fileBytes, dateAdded, originDatabaseUuid, originTrackId, streamingSource, uri,
    albumArtId, fileType, isAvailable, genre, playOrder)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 1, 'mp3', 1, 'House', 0)";

/// All tables, views and triggers of a schema.
fn statements(schema: (u32, u32, u32)) -> String {
    if schema.0 < 2 {
        return FIRST_GENERATION.to_owned();
    }
    let blobs =
        "trackData BLOB, overviewWaveFormData BLOB, beatData BLOB, quickCues BLOB, loops BLOB";
    let inside = if schema.0 == 2 {
        format!(", {blobs}")
    } else {
        String::new()
    };
    let edited = if schema >= (2, 20, 3) {
        ", lastEditTime DATETIME"
    } else {
        ""
    };
    let performance = if schema.0 == 2 {
        "CREATE VIEW PerformanceData AS SELECT id AS trackId, isAnalyzed, trackData, overviewWaveFormData, beatData,
            quickCues, loops FROM Track;"
            .to_owned()
    } else {
        format!("CREATE TABLE PerformanceData (trackId INTEGER PRIMARY KEY, {blobs});")
    };
    format!("{COMMON} CREATE TABLE Track ({TRACK}{inside}, thirdPartySourceId INTEGER, streamingFlags INTEGER,
        explicitLyrics BOOLEAN{edited}, UNIQUE (originDatabaseUuid, originTrackId), UNIQUE (path)); {performance} {ORIGIN}")
}

const TRACK: &str = "id INTEGER PRIMARY KEY AUTOINCREMENT, playOrder INTEGER, length INTEGER, bpm INTEGER, year INTEGER,
    path TEXT, filename TEXT, bitrate INTEGER, bpmAnalyzed REAL, albumArtId INTEGER, fileBytes INTEGER, title TEXT,
    artist TEXT, album TEXT, genre TEXT, comment TEXT, label TEXT, composer TEXT, remixer TEXT, key INTEGER,
    rating INTEGER, albumArt TEXT, timeLastPlayed DATETIME, isPlayed BOOLEAN, fileType TEXT, isAnalyzed BOOLEAN,
    dateCreated DATETIME, dateAdded DATETIME, isAvailable BOOLEAN, isMetadataImported BOOLEAN, pdbImportKey INTEGER,
    streamingSource TEXT, uri TEXT, isBeatGridLocked BOOLEAN, originDatabaseUuid TEXT, originTrackId INTEGER";

const COMMON: &str = "CREATE TABLE Information (id INTEGER PRIMARY KEY, uuid TEXT, schemaVersionMajor INTEGER,
        schemaVersionMinor INTEGER, schemaVersionPatch INTEGER, currentPlayedIndiciator INTEGER,
        lastRekordBoxLibraryImportReadCounter INTEGER);
    CREATE TABLE AlbumArt (id INTEGER PRIMARY KEY, hash TEXT, albumArt BLOB);
    INSERT INTO AlbumArt VALUES (1, '', NULL);
    CREATE TABLE Playlist (id INTEGER PRIMARY KEY, title TEXT, parentListId INTEGER, isPersisted BOOLEAN,
        nextListId INTEGER, lastEditTime TEXT, isExplicitlyExported BOOLEAN);
    CREATE VIEW PlaylistPath AS WITH RECURSIVE above(id, parent) AS (
        SELECT id, parentListId FROM Playlist UNION ALL
        SELECT above.id, Playlist.parentListId FROM above JOIN Playlist ON Playlist.id = above.parent)
        SELECT * FROM above;
    INSERT INTO Playlist VALUES (1, 'A', 2, 1, 0, '', 0), (2, 'B', 1, 1, 0, '', 0);";

/// Engine fills an empty origin with the library's own pair.
const ORIGIN: &str = "CREATE TRIGGER own_origin AFTER INSERT ON Track
    WHEN NEW.originDatabaseUuid IS NULL OR NEW.originDatabaseUuid = ''
    BEGIN UPDATE Track SET originDatabaseUuid = (SELECT uuid FROM Information), originTrackId = NEW.id
        WHERE id = NEW.id; END;";

const FIRST_GENERATION: &str = "CREATE TABLE Information (id INTEGER PRIMARY KEY, uuid TEXT,
        schemaVersionMajor INTEGER, schemaVersionMinor INTEGER, schemaVersionPatch INTEGER);
    CREATE TABLE Track (id INTEGER PRIMARY KEY, path TEXT, filename TEXT, length INTEGER, bpm INTEGER,
        isExternalTrack BOOLEAN, uuidOfExternalDatabase TEXT, idTrackInExternalDatabase INTEGER);
    CREATE TABLE MetaData (id INTEGER, type INTEGER, text TEXT);";
