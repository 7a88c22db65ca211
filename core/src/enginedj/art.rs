//! Pictures that stand in a database.

use super::error::EngineError;
use super::guard::Guard;
use super::schema::is_plain_table;
use rusqlite::{OptionalExtension as _, params};

/// Bytes of a picture that is read, at most. Engine DJ keeps covers of some hundred pixels a side; a row has to be shorter
/// than the values that [`Guard`] lets through.
const MOST_BYTES: i64 = 1_000_000;

pub(super) fn read(guard: &Guard, number: i64) -> Result<Option<Vec<u8>>, EngineError> {
    if !is_plain_table(guard, "AlbumArt")? {
        return Ok(None);
    }
    let found = guard.look_up(|connection| {
        connection
            .query_row(
                "SELECT albumArt FROM AlbumArt NOT INDEXED
                 WHERE id = ?1 AND typeof(albumArt) = 'blob' AND length(albumArt) BETWEEN 1 AND ?2 LIMIT 1",
                params![number, MOST_BYTES],
                |row| Ok(row.get_ref(0)?.as_blob().map(<[u8]>::to_vec).ok()),
            )
            .optional()
    });
    // What was read stays in SQLite's own memory otherwise, for as long as the copy is open.
    guard.look_up(|connection| connection.execute_batch("PRAGMA shrink_memory"))?;
    Ok(found?.flatten())
}
