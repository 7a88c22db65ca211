//! The databases on the media of virtual players: what a player that plays these tracks would have there.

use super::sleeve;
use crate::decks::place::NetworkPath;
use crate::enginedj::medium::{self, MediumTrack};
use stagelinq::virtual_player::{Script, TrackSpec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Media of one script.
const MAX_MEDIA: usize = 16;

/// One database for each medium of the script, by its path there.
pub(super) fn of(script: &Script) -> Vec<(String, Arc<[u8]>)> {
    let mut media: BTreeMap<&str, Vec<&TrackSpec>> = BTreeMap::new();
    for track in script.tracks.values() {
        if media.len() < MAX_MEDIA || media.contains_key(track.source.as_str()) {
            media.entry(&track.source).or_default().push(track);
        }
    }
    let made = media
        .into_iter()
        .zip(1..)
        .filter_map(|((medium, tracks), number)| {
            let path = format!("/{medium}/Engine Library/Database2/m.db");
            let database = database(&tracks, number)
                .inspect_err(|why| tracing::warn!(medium, why, "a virtual player has no database"));
            Some((path, database.ok()?))
        });
    made.collect()
}

fn database(tracks: &[&TrackSpec], number: u8) -> Result<Arc<[u8]>, String> {
    let uuid = format!("7e0bd7c1-0a52-4c0f-a7b5-64656d6f6d{number:02x}");
    let places: Vec<_> = tracks.iter().map(|track| place(&track.path)).collect();
    let arts: Vec<_> = tracks
        .iter()
        .map(|track| sleeve::drawn(&track.title))
        .collect();
    let rows = tracks.iter().zip(places.iter().zip(&arts));
    let rows: Vec<_> = rows
        .filter_map(|(track, (place, art))| {
            let library = track.library.as_ref();
            Some(MediumTrack {
                stored: place.as_deref()?,
                title: &track.title,
                artist: &track.artist,
                secs: track.secs.round() as i64,
                bpm: track.bpm,
                bytes: track.bytes,
                origin: library
                    .and_then(|(uuid, number)| Some((uuid.as_str(), number.parse().ok()?))),
                art: art.as_deref(),
            })
        })
        .collect();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("m.db");
    medium::write(&file, &uuid, &rows).map_err(|error| error.to_string())?;
    let bytes = std::fs::read(&file).map_err(|error| error.to_string())?;
    Ok(bytes.into())
}

/// As Engine DJ stores it.
fn place(path: &str) -> Option<String> {
    let place = NetworkPath {
        path: Some(path.to_owned()),
        ..NetworkPath::default()
    };
    place.stored()
}
