//! What failed, as the user means it: among the tracks that are meant, else in the whole library.

use super::trouble::{as_text, is_trouble};
use crate::notices::Notice;
use crate::outbox::Outbox;
use tonearm_core::core_loop::command::{Command, Selection};
use tonearm_core::core_loop::view::Rows;
use tonearm_core::track::TrackId;

/// Those of `meant` with a failure; none: the whole library is meant.
fn among(rows: &Rows, meant: &[TrackId]) -> Vec<TrackId> {
    let failed = |id: &TrackId| rows.get(*id).is_some_and(|row| is_trouble(row));
    meant.iter().copied().filter(failed).collect()
}

/// Puts the failures on the clipboard, or says that there are none.
pub(crate) fn copy(rows: &Rows, meant: &[TrackId], out: &mut Outbox) {
    let mut failed = among(rows, meant);
    if failed.is_empty() {
        let all = rows.iter().filter(|row| is_trouble(row));
        failed = all.map(|row| row.track.id).collect();
    }
    if failed.is_empty() {
        out.notices.push(Notice::news("Nothing failed"));
        return;
    }
    out.copied = Some(as_text(rows, &failed));
    out.notices.push(Notice::good(match failed.len() {
        1 => "What failed of one track is on the clipboard".to_owned(),
        count => format!("What failed of {count} tracks is on the clipboard"),
    }));
}

/// Tries again what failed.
pub(crate) fn retry(rows: &Rows, meant: &[TrackId], out: &mut Outbox) {
    let failed = among(rows, meant);
    out.commands.push(Command::Retry(if failed.is_empty() {
        Selection::All
    } else {
        Selection::Tracks(failed)
    }));
}
