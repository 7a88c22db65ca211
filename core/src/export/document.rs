//! One track as JSON: the track object of the command line, schema 1.

mod round;
mod stems;

pub use stems::StemPaths;

use crate::artifact::{Artifact, ArtifactRecord, Maker};
use crate::beats::Beats;
use crate::failure::{Failure, FailureKind};
use crate::harmony::{ChordSpan, Key, KeyFinding};
use crate::row::Row;
use crate::track::{Source, Track, TrackId};
use crate::units::Bpm;
use jiff::Timestamp;
use round::{confidence, measure, time};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use stems::StemsDocument;

/// Raised when a field is renamed or dropped, not when one is added.
const SCHEMA: u32 = 1;

/// The full results of analysis that a row has no room for. `None`: not analysed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackDetails {
    pub beats: Option<Beats>,
    pub key: Option<KeyFinding>,
    pub chords: Option<Vec<ChordSpan>>,
    /// What of it the user set by hand: `beats`, `key`.
    pub by_hand: BTreeSet<Artifact>,
}

/// Everything that is known of one track. What is unknown is `null`; what this document does not tell is absent.
///
/// Times are seconds with at most six decimals; no number is infinite or undefined.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackDocument<'a> {
    schema: u32,
    id: Id,
    path: Cow<'a, str>,
    /// The path's bytes as hex digits, where they are not UTF-8 and `path` serves only for reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    state: &'static str,
    /// Why its file cannot be used, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_reason: Option<ErrorDocument<'a>>,
    title: Option<&'a str>,
    artist: Option<&'a str>,
    album: Option<&'a str>,
    genre: Option<&'a str>,
    comment: Option<&'a str>,
    label: Option<&'a str>,
    remixer: Option<&'a str>,
    composer: Option<&'a str>,
    year: Option<i32>,
    track_number: Option<u32>,
    rating: Option<u8>,
    duration: Option<f64>,
    sample_rate: Option<u32>,
    channels: Option<u16>,
    codec: Option<&'a str>,
    bitrate_kbps: Option<u32>,
    file_bytes: u64,
    sha256: Option<String>,
    tag_bpm: Option<f64>,
    tag_key: Option<&'a str>,
    has_art: bool,
    date_added: Timestamp,
    /// Entries of other programs' libraries that are this track.
    sources: Vec<SourceDocument<'a>>,
    bpm: Option<f64>,
    #[serde(skip_serializing_if = "Told::is_left_out")]
    grid: Told<GridDocument>,
    #[serde(skip_serializing_if = "Told::is_left_out")]
    beats: Told<Vec<f64>>,
    #[serde(skip_serializing_if = "Told::is_left_out")]
    positions: Told<Vec<u8>>,
    #[serde(skip_serializing_if = "Told::is_left_out")]
    tempo_segments: Told<Vec<SegmentDocument>>,
    beats_confidence: Option<f64>,
    #[serde(skip_serializing_if = "Told::is_left_out")]
    bpm_alternatives: Told<Vec<f64>>,
    key: Option<String>,
    key_camelot: Option<String>,
    key_open: Option<String>,
    key_confidence: Option<f64>,
    #[serde(skip_serializing_if = "Told::is_left_out")]
    key_segments: Told<Vec<KeyDocument>>,
    #[serde(skip_serializing_if = "Told::is_left_out")]
    chords: Told<Vec<ChordDocument>>,
    loudness: Option<LoudnessDocument>,
    /// None are kept yet.
    cues: [(); 0],
    stems: Option<StemsDocument>,
    artifacts: Vec<ArtifactDocument<'a>>,
    /// Why a file that plays is not whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<ErrorDocument<'a>>,
    /// Other tracks with the same bytes.
    duplicates: Vec<Id>,
}

impl<'a> TrackDocument<'a> {
    /// All that is known.
    pub fn full(row: &'a Row, details: &TrackDetails) -> Self {
        let mut document = Self::listed(row, Some(details));
        let beats = details.beats.as_ref().map(beat_list);
        (document.beats, document.positions) = beats.map_or((Told::Unknown, Told::Unknown), |it| {
            (Told::Known(it.0), Told::Known(it.1))
        });
        document.chords = details.chords.as_deref().map(chord_list).into();
        document
    }

    /// Without beats and chords, as in lists; without `details` nothing that takes reading them.
    pub fn listed(row: &'a Row, details: Option<&TrackDetails>) -> Self {
        let mut document = Self::of_row(row);
        if let Some(details) = details {
            let beats = details.beats.as_ref();
            document.grid = beats.and_then(grid).into();
            document.tempo_segments = beats.map(tempo_segments).into();
            document.bpm_alternatives = beats.map(alternatives).into();
            document.key_segments = details.key.as_ref().map(key_segments).into();
        }
        document
    }

    /// With where the stems lie in `library`.
    #[must_use]
    pub fn with_stems(mut self, row: &Row, library: &Path) -> Self {
        self.stems = StemsDocument::of(row, library);
        self
    }

    fn of_row(row: &'a Row) -> Self {
        let (track, tags, summary) = (&row.track, &row.track.tags, &row.knowledge.summary);
        let format = track.format.as_ref();
        let path = track.path.as_path();
        Self {
            schema: SCHEMA,
            id: Id(track.id),
            path: path.to_string_lossy(),
            path_bytes: path_bytes(path),
            state: row.state.name(),
            missing_reason: track.missing.then(|| missing(track)),
            title: tags.title.as_deref(),
            artist: tags.artist.as_deref(),
            album: tags.album.as_deref(),
            genre: tags.genre.as_deref(),
            comment: tags.comment.as_deref(),
            label: tags.label.as_deref(),
            remixer: tags.remixer.as_deref(),
            composer: tags.composer.as_deref(),
            year: tags.year,
            track_number: tags.track_number,
            rating: tags.rating,
            duration: format.and_then(|format| time(format.duration)),
            sample_rate: format.map(|format| format.sample_rate.hz()),
            channels: format.map(|format| format.channels),
            codec: format.map(|format| format.codec.as_str()),
            bitrate_kbps: format.and_then(|format| format.bitrate_kbps),
            file_bytes: track.stamp.bytes,
            sha256: track.hash.map(|hash| hash.to_string()),
            tag_bpm: tags.bpm.and_then(measure),
            tag_key: tags.key.as_deref(),
            has_art: tags.has_art,
            date_added: track.added,
            sources: track.sources.iter().map(source).collect(),
            bpm: summary.bpm.and_then(|Bpm(bpm)| measure(bpm)),
            grid: Told::LeftOut,
            beats: Told::LeftOut,
            positions: Told::LeftOut,
            tempo_segments: Told::LeftOut,
            beats_confidence: summary.beats_confidence.and_then(confidence),
            bpm_alternatives: Told::LeftOut,
            key: summary.key.map(|key| key.to_string()),
            key_camelot: summary.key.map(Key::camelot),
            key_open: summary.key.map(Key::open_key),
            key_confidence: summary.key_confidence.and_then(confidence),
            key_segments: Told::LeftOut,
            chords: Told::LeftOut,
            loudness: loudness(row),
            cues: [],
            stems: None,
            artifacts: artifacts(row),
            damage: track.damage.as_deref().map(error),
            duplicates: row.duplicates.iter().copied().map(Id).collect(),
        }
    }
}

/// A field that may be no part of the document at all.
#[derive(Debug, Clone, PartialEq)]
enum Told<T> {
    LeftOut,
    Unknown,
    Known(T),
}

impl<T> Told<T> {
    fn is_left_out(&self) -> bool {
        matches!(self, Self::LeftOut)
    }
}

impl<T> From<Option<T>> for Told<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }
}

impl<T: Serialize> Serialize for Told<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => serializer.serialize_some(value),
            Self::Unknown | Self::LeftOut => serializer.serialize_none(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Id(TrackId);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct SourceDocument<'a> {
    source_id: String,
    kind: &'static str,
    library_uuid: &'a str,
    track_id: u64,
    origin_uuid: &'a str,
    origin_id: u64,
    path_as_stored: Option<&'a str>,
    /// Where that library's file was.
    file: Option<Cow<'a, str>>,
    /// The library's folder.
    library: Option<Cow<'a, str>>,
    streaming: Option<&'a str>,
    /// The library no longer has it.
    gone: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct GridDocument {
    bpm: f64,
    first_beat: f64,
    first_downbeat: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct SegmentDocument {
    start: f64,
    bpm: f64,
    beats_per_bar: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct KeyDocument {
    start: f64,
    end: f64,
    key: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ChordDocument {
    start: f64,
    end: f64,
    label: String,
    confidence: Option<f64>,
    start_raw: Option<f64>,
    end_raw: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LoudnessDocument {
    integrated_lufs: Option<f64>,
    range_lu: Option<f64>,
    true_peak_dbtp: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ArtifactDocument<'a> {
    artifact: Artifact,
    state: &'static str,
    engine: Option<Maker>,
    version: Option<u32>,
    model: Option<&'a str>,
    cpu_seconds: Option<f64>,
    /// Made, and there was nothing of the kind in the sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    nothing_found: Option<bool>,
    error: Option<ErrorDocument<'a>>,
    /// Where a model failed at this, or found nothing: what is told above stands all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    tried: Option<TryDocument<'a>>,
}

/// The last try of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct TryDocument<'a> {
    engine: Maker,
    version: u32,
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nothing_found: Option<bool>,
    error: Option<ErrorDocument<'a>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ErrorDocument<'a> {
    kind: FailureKind,
    message: &'a str,
    remedy: &'a str,
    attempts: u32,
    retry_at: Option<Timestamp>,
}

/// Beats whose time cannot be told have no place in a list of times, nor has their position.
fn beat_list(beats: &Beats) -> (Vec<f64>, Vec<u8>) {
    let told = beats.beats.iter();
    told.filter_map(|beat| Some((time(beat.at)?, beat.position)))
        .unzip()
}

fn grid(beats: &Beats) -> Option<GridDocument> {
    let grid = beats.grid?;
    Some(GridDocument {
        bpm: measure(grid.bpm.0)?,
        first_beat: time(grid.first_beat)?,
        first_downbeat: time(grid.first_downbeat)?,
    })
}

fn tempo_segments(beats: &Beats) -> Vec<SegmentDocument> {
    let segments = beats.segments.iter().filter_map(|segment| {
        Some(SegmentDocument {
            start: time(segment.start)?,
            bpm: measure(segment.bpm.0)?,
            beats_per_bar: segment.beats_per_bar,
        })
    });
    segments.collect()
}

fn alternatives(beats: &Beats) -> Vec<f64> {
    let alternatives = beats.alternatives.iter();
    alternatives
        .filter_map(|alternative| measure(alternative.bpm.0))
        .collect()
}

fn key_segments(found: &KeyFinding) -> Vec<KeyDocument> {
    let segments = found.segments.iter().filter_map(|span| {
        Some(KeyDocument {
            start: time(span.start)?,
            end: time(span.end)?,
            key: span.key.to_string(),
        })
    });
    segments.collect()
}

fn chord_list(spans: &[ChordSpan]) -> Vec<ChordDocument> {
    let chords = spans.iter().filter_map(|span| {
        Some(ChordDocument {
            start: time(span.start)?,
            end: time(span.end)?,
            label: span
                .chord
                .map_or_else(|| "N".to_owned(), |chord| chord.to_string()),
            confidence: confidence(span.confidence),
            start_raw: time(span.start_raw),
            end_raw: time(span.end_raw),
        })
    });
    chords.collect()
}

fn loudness(row: &Row) -> Option<LoudnessDocument> {
    let loudness = row.knowledge.summary.loudness?;
    Some(LoudnessDocument {
        integrated_lufs: loudness.integrated.and_then(measure),
        range_lu: loudness.range.and_then(measure),
        true_peak_dbtp: loudness.true_peak.and_then(measure),
    })
}

fn artifacts(row: &Row) -> Vec<ArtifactDocument<'_>> {
    let kinds = Artifact::ALL.into_iter().zip(row.artifacts);
    kinds
        .map(|(artifact, state)| {
            let record = row.knowledge.records.get(&artifact);
            let recipe = record.map(|record| &record.recipe);
            ArtifactDocument {
                artifact,
                state: state.name(),
                engine: recipe.map(|recipe| recipe.maker),
                version: recipe.map(|recipe| recipe.version),
                model: recipe.and_then(|recipe| recipe.model.as_deref()),
                cpu_seconds: record.and_then(|record| confidence(record.cpu_secs)),
                nothing_found: record.filter(|record| record.nothing_found).map(|_| true),
                error: record
                    .and_then(|record| record.failure.as_deref())
                    .map(error),
                tried: row.knowledge.tried.get(&artifact).map(tried),
            }
        })
        .collect()
}

fn tried(record: &ArtifactRecord) -> TryDocument<'_> {
    let recipe = &record.recipe;
    TryDocument {
        engine: recipe.maker,
        version: recipe.version,
        model: recipe.model.as_deref(),
        nothing_found: record.nothing_found.then_some(true),
        error: record.failure.as_deref().map(error),
    }
}

fn error(failure: &Failure) -> ErrorDocument<'_> {
    ErrorDocument {
        kind: failure.kind,
        message: &failure.message,
        remedy: &failure.remedy,
        attempts: failure.attempts,
        retry_at: failure.retry_at,
    }
}

fn source(source: &Source) -> SourceDocument<'_> {
    let own = source.own();
    SourceDocument {
        source_id: source.id.to_string(),
        kind: source.kind.name(),
        library_uuid: &own.database,
        track_id: own.track,
        origin_uuid: &source.id.database,
        origin_id: source.id.track,
        path_as_stored: source.stored_path.as_deref(),
        file: source
            .file
            .as_ref()
            .map(|file| file.as_path().to_string_lossy()),
        library: source
            .library
            .as_ref()
            .map(|it| it.as_path().to_string_lossy()),
        streaming: source.stream.as_deref(),
        gone: source.is_gone,
    }
}

fn missing(track: &Track) -> ErrorDocument<'static> {
    let (message, remedy) = track.missing_reason();
    ErrorDocument {
        kind: FailureKind::Missing,
        message,
        remedy,
        attempts: 1,
        retry_at: None,
    }
}

fn path_bytes(path: &Path) -> Option<String> {
    if path.to_str().is_some() {
        return None;
    }
    let mut hex = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        write!(hex, "{byte:02x}").ok()?;
    }
    Some(hex)
}

#[cfg(test)]
mod tests;
