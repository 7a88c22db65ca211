//! What a database says of itself: whose it is, of which schema, with which columns.

use super::error::EngineError;
use super::guard::Guard;
use super::values::{self, Cell};
use rusqlite::{OptionalExtension as _, Row};
use std::fmt;

/// The newest schema that was looked at.
const NEWEST: Version = Version {
    major: 3,
    minor: 0,
    patch: 2,
};
/// The newest of the second generation.
const NEWEST_2: Version = Version {
    major: 2,
    minor: 21,
    patch: 2,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What the library says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The library's own name, as in [`crate::track::SourceId`]: each drive has another.
    pub uuid: Option<String>,
    pub version: Option<Version>,
    /// How many tracks there are, where they can be counted.
    pub rows: Option<u64>,
    pub warnings: Vec<Warning>,
}

/// What the user should know of a library that is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Newer than what we know; columns may mean something else.
    NewerSchema(Version),
    NoVersion,
    /// Tracks that did not come from another library have no identity but their path.
    NoUuid,
    /// The first thing that is wrong, in SQLite's words.
    Damaged(String),
    /// Too large or too odd to be looked through in the time given.
    Unchecked,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerSchema(version) => {
                write!(
                    f,
                    "schema {version} is newer than what we know: look at what was read"
                )
            }
            Self::NoVersion => f.write_str("the library does not say which schema it has"),
            Self::NoUuid => f.write_str("the library has no identity of its own"),
            Self::Damaged(detail) => write!(f, "the database is damaged: {detail}"),
            Self::Unchecked => f.write_str("the database could not be looked through for damage"),
        }
    }
}

/// The columns of `Track` that are read. All but the first may be absent.
pub(super) const COLUMNS: [&str; 32] = [
    "id",
    "path",
    "filename",
    "title",
    "artist",
    "album",
    "genre",
    "comment",
    "label",
    "composer",
    "remixer",
    "year",
    "playOrder",
    "rating",
    "bpmAnalyzed",
    "bpm",
    "key",
    "length",
    "bitrate",
    "fileBytes",
    "fileType",
    "albumArtId",
    "dateAdded",
    "dateCreated",
    "timeLastPlayed",
    "isPlayed",
    "isBeatGridLocked",
    "originDatabaseUuid",
    "originTrackId",
    "streamingSource",
    "uri",
    "pdbImportKey",
];

/// Which of [`COLUMNS`] there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns([bool; COLUMNS.len()]);

impl Columns {
    /// The list of a `SELECT`: as many values as [`COLUMNS`], in its order.
    pub(super) fn list(&self) -> String {
        let names = COLUMNS.iter().zip(self.0);
        names
            .map(|(name, is_there)| if is_there { name } else { "NULL" })
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Option<&'static str>> {
        let names = COLUMNS.into_iter().zip(self.0);
        names.map(|(name, is_there)| is_there.then_some(name))
    }
}

/// Finds out what the database is, and refuses what is no library that we can read.
pub(super) fn look(guard: &Guard) -> Result<(About, Columns), EngineError> {
    let mut warnings = Vec::new();
    let information = information(guard)?;
    let version = information.version;
    match version {
        None => warnings.push(Warning::NoVersion),
        Some(version) if version.major < 2 => return Err(EngineError::TooOld { version }),
        Some(version) if version.major > NEWEST.major => {
            return Err(EngineError::TooNew { version });
        }
        Some(version) if version > NEWEST || (version.major == 2 && version > NEWEST_2) => {
            warnings.push(Warning::NewerSchema(version));
        }
        Some(_) => {}
    }
    let columns = columns(guard)?;
    if information.uuid.is_none() {
        warnings.push(Warning::NoUuid);
    }
    let rows = match guard.ask(|connection| {
        connection.query_row("SELECT count(*) FROM Track", [], |row| row.get::<_, i64>(0))
    }) {
        Ok(rows) => u64::try_from(rows).ok(),
        Err(EngineError::Cancelled) => return Err(EngineError::Cancelled),
        // It is only for showing progress; what is damaged comes out when reading.
        Err(_) => None,
    };
    let about = About {
        uuid: information.uuid,
        version,
        rows,
        warnings,
    };
    Ok((about, columns))
}

#[derive(Default)]
struct Information {
    uuid: Option<String>,
    version: Option<Version>,
}

fn information(guard: &Guard) -> Result<Information, EngineError> {
    if !is_plain_table(guard, "Information")? {
        return Err(EngineError::NotEngine {
            lacking: "it has no table Information",
        });
    }
    let number = |row: &Row<'_>, name: &str| {
        let cell = row.get_ref(name).map_or(Cell::Unreadable, Cell::from);
        values::integer(cell).and_then(|number| u32::try_from(number).ok())
    };
    let read = guard.ask(|connection| {
        connection
            .prepare("SELECT * FROM Information LIMIT 1")?
            .query_row([], |row| {
                let uuid = row.get_ref("uuid").map_or(Cell::Unreadable, Cell::from);
                let version = number(row, "schemaVersionMajor").map(|major| Version {
                    major,
                    minor: number(row, "schemaVersionMinor").unwrap_or(0),
                    patch: number(row, "schemaVersionPatch").unwrap_or(0),
                });
                Ok(Information {
                    uuid: values::database_name(uuid),
                    version,
                })
            })
            .optional()
    });
    match read {
        Ok(information) => Ok(information.unwrap_or_default()),
        // The tracks may be whole all the same.
        Err(EngineError::Damaged { .. }) => Ok(Information::default()),
        Err(error) => Err(error),
    }
}

/// Whether `name` is a table with pages of its own, and not a view or something that runs code.
pub(super) fn is_plain_table(guard: &Guard, name: &str) -> Result<bool, EngineError> {
    let kind = guard.ask(|connection| {
        connection
            .query_row(
                "SELECT rootpage > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
                [name],
                |row| row.get::<_, bool>(0),
            )
            .optional()
    })?;
    Ok(kind == Some(true))
}

fn columns(guard: &Guard) -> Result<Columns, EngineError> {
    let not_engine = |lacking| EngineError::NotEngine { lacking };
    if !is_plain_table(guard, "Track")? {
        return Err(not_engine("it has no table Track"));
    }
    let mut there = [false; COLUMNS.len()];
    let mut is_keyed = false;
    guard.ask(|connection| {
        // Hidden columns are computed by code from the file.
        let mut statement = connection.prepare(
            "SELECT name, pk = 1 AND upper(type) = 'INTEGER' FROM pragma_table_xinfo('Track', 'main') WHERE hidden = 0",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let place = COLUMNS
                .iter()
                .position(|column| column.eq_ignore_ascii_case(&name));
            if let Some(there) = place.and_then(|place| there.get_mut(place)) {
                *there = true;
            }
            is_keyed |= name.eq_ignore_ascii_case("id") && row.get::<_, bool>(1)?;
        }
        Ok(())
    })?;
    if !is_keyed {
        return Err(not_engine("its tracks have no numbers"));
    }
    if !there.get(1).is_some_and(|path| *path) {
        return Err(not_engine("its tracks have no paths"));
    }
    Ok(Columns(there))
}
