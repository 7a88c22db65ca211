//! Which track of the library a deck plays: a ladder of evidence, surest first. Pure.

use super::catalog::{Catalog, Entry};
use super::place::NetworkPath;
use super::twins;
use super::view::MatchedBy;
use crate::query::fold;
use crate::row::Row;
use crate::track::{SourceId, TrackId};
use crate::units::Secs;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Candidates that are shown.
const MAX_CANDIDATES: usize = 8;
/// Lengths that differ by no more are the same file: players count samples, tags may count padding.
const SAME_LENGTH: f64 = 0.12;
/// Lengths that differ by no more may be the same file.
const LIKE_LENGTH: f64 = 1.1;
/// Lengths that differ by more are different edits.
const OTHER_LENGTH: f64 = 3.0;
/// From here a likeness is a match, and from there worth showing.
const SURE: f32 = 0.6;
const WORTH_SHOWING: f32 = 0.3;
/// By so much the best must be better than the next.
const LEAD: f32 = 0.1;

/// What is known of the track on a deck.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    pub(super) source: Option<&'a SourceId>,
    pub(super) place: Option<&'a NetworkPath>,
    pub(super) bytes: Option<u64>,
    pub(super) duration: Option<Secs>,
    pub(super) title: Option<&'a str>,
    pub(super) artist: Option<&'a str>,
}

/// What became of the search.
#[derive(Debug, Clone, Default)]
pub(super) enum Resolution {
    /// Nothing to go by.
    #[default]
    Nothing,
    Found {
        by: MatchedBy,
        confidence: f32,
        row: Arc<Row>,
    },
    /// Best first: track, confidence, what speaks for it.
    Unsure(Vec<(TrackId, f32, String)>),
    /// Why, in words.
    Unknown(&'static str),
}

/// Climbs down the ladder until something holds. `from_database`: what the medium's own database says of the path.
pub(super) fn resolve(
    wanted: &Wanted<'_>,
    from_database: &[SourceId],
    pins: &BTreeMap<String, TrackId>,
    catalog: &Catalog,
) -> Resolution {
    if let Some(row) = pinned(wanted, pins, catalog) {
        return found(MatchedBy::Manual, 1.0, row);
    }
    if let Some(row) = wanted.source.and_then(|source| catalog.of_source(source)) {
        return found(MatchedBy::SourceId, 1.0, row);
    }
    if let Some(row) = from_database
        .iter()
        .find_map(|source| catalog.of_source(source))
    {
        return found(MatchedBy::Database, 1.0, row);
    }
    let by_path = by_path(wanted, catalog);
    if let [(confidence, entry)] = by_path.as_slice() {
        return found(MatchedBy::Path, *confidence, &entry.row);
    }
    by_likeness(wanted, &by_path, catalog)
}

fn found(by: MatchedBy, confidence: f32, row: &Arc<Row>) -> Resolution {
    Resolution::Found {
        by,
        confidence,
        row: Arc::clone(row),
    }
}

fn pinned<'a>(
    wanted: &Wanted<'_>,
    pins: &BTreeMap<String, TrackId>,
    catalog: &'a Catalog,
) -> Option<&'a Arc<Row>> {
    if pins.is_empty() {
        return None;
    }
    let by_source = wanted
        .source
        .and_then(|source| pins.get(&source.to_string()));
    let pinned = by_source.or_else(|| pins.get(&wanted.place?.text));
    catalog.get(*pinned?)
}

/// Tracks whose file lies at the same place below some folder. Several are equally good; all that are longer or
/// shorter are other files that were put under the same name.
fn by_path<'a>(wanted: &Wanted<'_>, catalog: &'a Catalog) -> Vec<(f32, &'a Entry)> {
    let Some(place) = wanted.place else {
        return Vec::new();
    };
    let parts: Vec<String> = place.parts().rev().map(fold).collect();
    let Some(name) = parts.first() else {
        return Vec::new();
    };
    let fits = |entry: &&Entry| !is_other_length(wanted, entry);
    let stored = place.stored();
    let mut best: Vec<(f32, usize, &Entry)> = Vec::new();
    for entry in catalog.named(name).filter(fits) {
        let is_stored = stored
            .as_ref()
            .is_some_and(|stored| entry.is_stored_at(stored));
        let theirs = entry.folders();
        let common = 1 + parts
            .iter()
            .skip(1)
            .zip(theirs)
            .take_while(|(one, other)| *one == other)
            .count();
        let whole = common == parts.len() && parts.len() > 1;
        let (confidence, rank) = match (is_stored, whole, common) {
            (true, _, _) => (0.97, usize::MAX),
            (false, true, _) => (0.95, common),
            (false, false, 2..) => (0.85, common),
            (false, false, _) => continue,
        };
        best.push((confidence, rank, entry));
    }
    let most = best.iter().map(|(_, rank, _)| *rank).max();
    best.retain(|(_, rank, _)| Some(*rank) == most);
    let mut best = twins::without(best, |(_, _, entry)| &entry.row);
    best.truncate(MAX_CANDIDATES);
    best.into_iter()
        .map(|(confidence, _, entry)| (confidence, entry))
        .collect()
}

fn is_other_length(wanted: &Wanted<'_>, entry: &Entry) -> bool {
    let lengths = wanted.duration.zip(entry.duration());
    lengths.is_some_and(|(one, other)| (one.0 - other.0).abs() > OTHER_LENGTH)
}

/// Files that are alike in name, size, length, title and artist.
fn by_likeness(wanted: &Wanted<'_>, at_path: &[(f32, &Entry)], catalog: &Catalog) -> Resolution {
    let name = wanted.place.and_then(NetworkPath::file_name).map(fold);
    let title = wanted.title.map(fold).filter(|title| !title.is_empty());
    let artist = wanted.artist.map(fold).filter(|artist| !artist.is_empty());
    let looks = Looks {
        wanted,
        name: name.as_deref(),
        title: title.as_deref(),
        artist: artist.as_deref(),
    };
    let mut scored: Vec<(f32, String, &Entry)> = Vec::new();
    let alike = catalog.named_or_titled(looks.name, looks.title);
    for entry in alike {
        let (mut score, reason) = looks.likeness(entry);
        if at_path.iter().any(|(_, other)| other.id() == entry.id()) {
            score += 0.1;
        }
        if score >= WORTH_SHOWING {
            scored.push((score.min(0.95), reason, entry));
        }
    }
    scored.sort_by(|one, other| {
        other
            .0
            .total_cmp(&one.0)
            .then(one.2.id().cmp(&other.2.id()))
    });
    let mut scored = without_twins(scored);
    scored.truncate(MAX_CANDIDATES);
    match scored.as_slice() {
        [] if wanted.place.is_some_and(|place| place.is_streaming) => {
            Resolution::Unknown("it is streamed, and no track here has its title and artist")
        }
        [] if catalog.is_empty() => Resolution::Unknown("the library is empty"),
        [] => Resolution::Unknown("no track of the library has its name or title"),
        [best, rest @ ..]
            if best.0 >= SURE && rest.first().is_none_or(|next| best.0 - next.0 >= LEAD) =>
        {
            found(MatchedBy::NameSizeDuration, best.0, &best.2.row)
        }
        several => Resolution::Unsure(
            several
                .iter()
                .map(|(score, reason, entry)| (entry.id(), *score, reason.clone()))
                .collect(),
        ),
    }
}

/// One of several files with the same bytes, as likely as the likeliest of them. `scored`: the best first.
fn without_twins(scored: Vec<(f32, String, &Entry)>) -> Vec<(f32, String, &Entry)> {
    let words: Vec<_> = scored
        .iter()
        .map(|(score, reason, entry)| (entry.row.track.hash, *score, reason.clone()))
        .collect();
    let mut left = twins::without(scored, |(.., entry)| &entry.row);
    for (score, reason, entry) in &mut left {
        let hash = entry.row.track.hash;
        let likeliest = words
            .iter()
            .find(|(other, ..)| hash.is_some() && *other == hash);
        if let Some((_, best, why)) = likeliest {
            (*score, *reason) = (*best, why.clone());
        }
    }
    left
}

/// What a deck says, folded for comparing.
struct Looks<'a> {
    wanted: &'a Wanted<'a>,
    name: Option<&'a str>,
    title: Option<&'a str>,
    artist: Option<&'a str>,
}

impl Looks<'_> {
    /// 0 to 1, and the reasons in words.
    fn likeness(&self, entry: &Entry) -> (f32, String) {
        let (mut score, mut reasons) = (0.0, Vec::new());
        let mut note = |is_alike: bool, weight: f32, words: &'static str| {
            if is_alike {
                score += weight;
                reasons.push(words);
            }
        };
        note(self.name == Some(entry.name()), 0.35, "same file name");
        let bytes = self.wanted.bytes;
        note(bytes == Some(entry.bytes()), 0.3, "same size");
        let lengths = self.wanted.duration.zip(entry.duration());
        let apart = lengths.map(|(one, other)| (one.0 - other.0).abs());
        note(
            apart.is_some_and(|apart| apart <= SAME_LENGTH),
            0.2,
            "same length",
        );
        let about = SAME_LENGTH..=LIKE_LENGTH;
        note(
            apart.is_some_and(|apart| about.contains(&apart) && apart > SAME_LENGTH),
            0.12,
            "about the same length",
        );
        note(
            self.title.is_some() && self.title == entry.title(),
            0.2,
            "same title",
        );
        note(
            self.artist.is_some() && self.artist == entry.artist(),
            0.15,
            "same artist",
        );
        if apart.is_some_and(|apart| apart > OTHER_LENGTH) {
            score -= 0.4;
            reasons.push("another length");
        }
        (score, reasons.join(", "))
    }
}

#[cfg(test)]
mod tests;
