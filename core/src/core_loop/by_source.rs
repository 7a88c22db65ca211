//! Finds the track that another library knows by a name. Shared between views in parts, as rows are.

use crate::track::{Source, SourceId, TrackId};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

/// A name that comes in costs a copy of one part, not of all.
const PARTS: usize = 1024;

/// One key for the whole program: what files hold cannot be made to collide.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Hashes of names and the tracks that may be called so. Whoever asks looks at the track itself. Cloning copies one
/// pointer.
#[derive(Debug, Clone, Default)]
pub(crate) struct BySource {
    /// Empty while no track has a source.
    parts: Arc<Vec<Arc<Part>>>,
}

/// Ascending.
type Part = Vec<(u64, TrackId)>;

impl BySource {
    /// Tracks that may be called `id`.
    pub(crate) fn named(&self, id: &SourceId) -> impl Iterator<Item = TrackId> {
        let hash = HASHER.hash_one(id);
        let part = self.parts.get(part_of(hash)).map(|part| part.as_slice());
        let part = part.unwrap_or_default();
        let start = part.partition_point(|(known, _)| *known < hash);
        let rest = part.get(start..).unwrap_or_default();
        rest.iter()
            .take_while(move |(known, _)| *known == hash)
            .map(|(_, track)| *track)
    }

    pub(crate) fn put(&mut self, track: TrackId, sources: &[Source]) {
        if sources.is_empty() {
            return;
        }
        if self.parts.is_empty() {
            self.parts = Arc::new(vec![Arc::default(); PARTS]);
        }
        for name in sources.iter().flat_map(Source::names) {
            let entry = (HASHER.hash_one(name), track);
            if let Some(part) = self.part_mut(entry.0)
                && let Err(place) = part.binary_search(&entry)
            {
                part.insert(place, entry);
            }
        }
    }

    pub(crate) fn remove(&mut self, track: TrackId, sources: &[Source]) {
        for name in sources.iter().flat_map(Source::names) {
            let entry = (HASHER.hash_one(name), track);
            if let Some(part) = self.part_mut(entry.0)
                && let Ok(place) = part.binary_search(&entry)
            {
                part.remove(place);
            }
        }
    }

    fn part_mut(&mut self, hash: u64) -> Option<&mut Part> {
        Arc::make_mut(&mut self.parts)
            .get_mut(part_of(hash))
            .map(Arc::make_mut)
    }
}

fn part_of(hash: u64) -> usize {
    (hash % PARTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_loop::view::Rows;
    use crate::export::samples::bare_row;
    use crate::row::Row;
    use crate::track::SourceKind;

    fn id(name: &str) -> SourceId {
        name.parse().unwrap()
    }

    fn row(track: u64, names: &[(&str, Option<&str>)]) -> Row {
        let mut row = bare_row();
        row.track.id = TrackId(track);
        row.track.sources = names
            .iter()
            .map(|(origin, alias)| Source {
                kind: SourceKind::EngineDj,
                id: id(origin),
                alias: alias.map(id),
                stored_path: None,
                file: None,
                library: None,
                stream: None,
                is_gone: false,
            })
            .collect();
        row
    }

    #[test]
    fn tracks_are_found_by_every_name_and_first_by_where_they_came_from() {
        let mut rows = Rows::new(vec![
            row(1, &[("pc:5", Some("usb:7")), ("pc:5", Some("sd:1"))]),
            row(2, &[]),
        ]);
        let before = rows.clone();
        let found = |rows: &Rows, name: &str| rows.with_source(&id(name)).map(|row| row.track.id.0);
        for name in ["pc:5", "usb:7", "sd:1"] {
            assert_eq!(found(&rows, name), Some(1), "{name}");
        }
        assert_eq!(found(&rows, "pc:7"), None);

        rows.put(row(3, &[("usb:7", None)]));
        assert_eq!(found(&rows, "usb:7"), Some(3));
        rows.put(row(1, &[("pc:5", None)]));
        assert_eq!(found(&rows, "sd:1"), None);
        rows.remove_all(&[TrackId(3)].into());
        assert_eq!(found(&rows, "usb:7"), None);
        assert_eq!(found(&rows, "pc:5"), Some(1));
        assert_eq!(
            found(&before, "usb:7"),
            Some(1),
            "an earlier view stays as it was"
        );
    }
}
