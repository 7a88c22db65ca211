//! The library as decks look it up: by identity, by name of the file, by title, by what the user pinned.

use crate::core_loop::view::Rows;
use crate::query::fold;
use crate::row::Row;
use crate::track::{SourceId, Text, TrackId};
use crate::units::Secs;
use std::collections::HashMap;
use std::sync::Arc;

/// Entries that are looked at for one name or title: a library of thousands of `track01.mp3` must not slow a deck down.
const MOST_ALIKE: usize = 64;

/// Ready to be looked up. Made anew when rows change.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    entries: Vec<Entry>,
    by_name: HashMap<Box<str>, Vec<u32>>,
    by_title: HashMap<Box<str>, Vec<u32>>,
    rows: Rows,
}

/// One track.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) row: Arc<Row>,
    name: Box<str>,
    title: Option<Box<str>>,
    artist: Option<Box<str>>,
}

impl Catalog {
    pub(super) fn new(rows: &Rows) -> Self {
        let mut catalog = Self::default();
        for row in rows.iter() {
            catalog.take(row);
        }
        catalog.rows = rows.clone();
        catalog
    }

    fn take(&mut self, row: &Arc<Row>) {
        let at = self.entries.len() as u32;
        let entry = Entry::new(row);
        let mut file = |key: &str, map: fn(&mut Self) -> &mut HashMap<Box<str>, Vec<u32>>| {
            let places = map(self).entry(key.into()).or_default();
            if places.len() < MOST_ALIKE {
                places.push(at);
            }
        };
        file(&entry.name, |catalog| &mut catalog.by_name);
        if let Some(title) = &entry.title {
            file(title, |catalog| &mut catalog.by_title);
        }
        self.entries.push(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn at(&self, place: u32) -> Option<&Entry> {
        self.entries.get(place as usize)
    }

    pub(super) fn of_source(&self, source: &SourceId) -> Option<&Arc<Row>> {
        self.rows.with_source(source)
    }

    pub(super) fn get(&self, id: TrackId) -> Option<&Arc<Row>> {
        self.rows.get(id)
    }

    /// Files of this folded name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        let places = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.at(*place))
    }

    /// Files of this folded name or title, each once.
    pub(super) fn named_or_titled(&self, name: Option<&str>, title: Option<&str>) -> Vec<&Entry> {
        let of = |map: &HashMap<Box<str>, Vec<u32>>, key: Option<&str>| -> Vec<u32> {
            key.and_then(|key| map.get(key))
                .cloned()
                .unwrap_or_default()
        };
        let mut places = of(&self.by_name, name);
        places.extend(of(&self.by_title, title));
        places.sort_unstable();
        places.dedup();
        places.iter().filter_map(|place| self.at(*place)).collect()
    }
}

impl Entry {
    fn new(row: &Arc<Row>) -> Self {
        let path = row.track.path.as_path();
        let name = path.file_name().map(|name| fold(&name.to_string_lossy()));
        let folded = |text: &Option<Text>| {
            let text = text.as_deref().map(fold)?;
            (!text.is_empty()).then(|| text.into_boxed_str())
        };
        Self {
            name: name.unwrap_or_default().into(),
            title: folded(&row.track.tags.title),
            artist: folded(&row.track.tags.artist),
            row: Arc::clone(row),
        }
    }

    pub(super) fn id(&self) -> TrackId {
        self.row.track.id
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    pub(super) fn artist(&self) -> Option<&str> {
        self.artist.as_deref()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.row.track.stamp.bytes
    }

    pub(super) fn duration(&self) -> Option<Secs> {
        Some(self.row.track.format.as_ref()?.duration)
    }

    /// Folded names of its folders, the nearest first.
    pub(super) fn folders(&self) -> impl Iterator<Item = String> {
        let folders = self.row.track.path.as_path().parent().into_iter();
        folders.flat_map(|folder| {
            folder
                .components()
                .rev()
                .map(|part| fold(&part.as_os_str().to_string_lossy()))
        })
    }

    /// Whether an Engine library knows it under this very path.
    pub(super) fn is_stored_at(&self, stored: &str) -> bool {
        let sources = self.row.track.sources.iter();
        sources
            .filter_map(|source| source.stored_path.as_deref())
            .any(|path| path == stored)
    }
}
