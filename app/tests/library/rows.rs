//! Rows of a made-up library, the same at every run.

use std::path::PathBuf;
use tonearm_core::artifact::{Artifact, ArtifactRecord, Maker, Recipe};
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::findings::{Knowledge, Summary};
use tonearm_core::harmony::{Key, Mode};
use tonearm_core::loudness::Loudness;
use tonearm_core::query::search_text;
use tonearm_core::row::{ArtifactState, Row, TrackState};
use tonearm_core::track::{AudioFormat, FilePath, FileStamp, Tags, Track, TrackId};
use tonearm_core::units::{Bpm, SampleRate, Secs};

const FIRST: [&str; 12] = [
    "Night", "Velvet", "Copper", "Silent", "Harbour", "Paper", "Glass", "Northern", "Slow",
    "Electric", "Hollow", "Amber",
];
const SECOND: [&str; 11] = [
    "Ferry", "Tide", "Signal", "Garden", "Engine", "Letters", "Window", "Line", "Motion",
    "Weather", "Room",
];
const ARTISTS: [&str; 9] = [
    "Harbour Unit",
    "Solar Post",
    "Echo Garden",
    "Mira Vale",
    "The Long Wave",
    "Kestrel",
    "Ada Norr",
    "Low Pass",
    "Tin Roof",
];
const GENRES: [&str; 5] = ["House", "Techno", "Deep House", "Breaks", "Downtempo"];

pub(crate) fn stamp() -> FileStamp {
    FileStamp {
        bytes: 8_412_160,
        modified_ns: 1_750_000_000_000_000_000,
    }
}

pub(crate) fn record(failure: Option<Failure>) -> ArtifactRecord {
    ArtifactRecord {
        recipe: Recipe {
            maker: Maker::Native,
            version: 3,
            parameters: String::new(),
            model: None,
        }
        .into(),
        made_from: stamp(),
        cpu_secs: 0.4,
        failure: failure.map(Box::new),
        nothing_found: false,
    }
}

/// A fully analysed track with the given number.
#[expect(clippy::too_many_lines, reason = "a row has many fields")]
pub(crate) fn row(number: usize) -> Row {
    let pick = |from: &[&str], salt: usize| {
        from[(number * 7 + salt * number / 5 + salt) % from.len()].to_owned()
    };
    let title = format!("{} {}", pick(&FIRST, 3), pick(&SECOND, 1));
    let tags = Tags {
        title: Some(title.clone().into()),
        artist: Some(pick(&ARTISTS, 2).into()),
        album: Some(pick(&SECOND, 5).into()),
        genre: Some(pick(&GENRES, 1).into()),
        label: Some("Pier Nine".into()),
        year: Some(1998 + (number % 27) as i32),
        rating: (!number.is_multiple_of(3)).then_some((number % 6) as u8),
        ..Tags::default()
    };
    let track = Track {
        id: TrackId(0x5000 + number as u64),
        path: FilePath(PathBuf::from(format!(
            "music/crate {}/{number:05} {title}.mp3",
            number % 4
        ))),
        root: PathBuf::from(format!("music/crate {}", number % 4)).into(),
        stamp: stamp(),
        tags,
        format: SampleRate::new(44_100).map(|sample_rate| AudioFormat {
            codec: "mp3".into(),
            sample_rate,
            channels: 2,
            bitrate_kbps: Some(320),
            duration: Secs(180.0 + (number * 37 % 280) as f64),
        }),
        hash: None,
        added: jiff::Timestamp::from_second(1_780_308_000).unwrap_or_default(),
        missing: false,
        damage: None,
        sources: Vec::new(),
        borrowed: tonearm_core::track::TagFields::default(),
    };
    let is_major = number.is_multiple_of(3);
    let mode = if is_major { Mode::Major } else { Mode::Minor };
    let summary = Summary {
        bpm: Some(Bpm(118.0 + (number * 13 % 220) as f64 / 10.0)),
        constant_tempo: Some(true),
        beats_confidence: Some(if number % 11 == 4 { 0.31 } else { 0.93 }),
        key: Key::from_camelot((number * 5 % 12) as u8 + 1, mode),
        key_confidence: Some(if number % 13 == 6 { 0.28 } else { 0.81 }),
        loudness: Some(Loudness {
            integrated: Some(-8.3 - (number % 30) as f64 / 10.0),
            range: Some(5.2),
            true_peak: Some(-0.4),
        }),
    };
    let records = Artifact::ALL
        .into_iter()
        .filter(|artifact| *artifact != Artifact::Stems)
        .map(|artifact| (artifact, record(None)))
        .collect();
    finish(Row {
        track: Box::new(track),
        knowledge: Box::new(Knowledge {
            records,
            summary,
            ..Knowledge::default()
        }),
        state: TrackState::Ready,
        artifacts: Artifact::ALL.map(|artifact| match artifact {
            Artifact::Stems => ArtifactState::Absent,
            _ => ArtifactState::Done,
        }),
        duplicates: Vec::new(),
        revision: 1,
        search_text: String::new(),
    })
}

/// Makes what a search looks through fit the rest again.
pub(crate) fn finish(mut row: Row) -> Row {
    row.search_text = search_text(&row.track);
    row
}

fn set(row: &mut Row, artifact: Artifact, state: ArtifactState) {
    for (kind, known) in Artifact::ALL.into_iter().zip(&mut row.artifacts) {
        if kind == artifact {
            *known = state;
        }
    }
}

/// Just read, nothing analysed.
pub(crate) fn fresh(number: usize) -> Row {
    let mut row = row(number);
    *row.knowledge = Knowledge::default();
    row.state = TrackState::Partial;
    for artifact in [
        Artifact::Waveform,
        Artifact::Beats,
        Artifact::Key,
        Artifact::Chords,
        Artifact::Loudness,
    ] {
        set(&mut row, artifact, ArtifactState::Due);
    }
    row
}

/// Half done.
pub(crate) fn running(number: usize) -> Row {
    let mut row = row(number);
    row.state = TrackState::Analyzing;
    row.knowledge.summary.key = None;
    set(&mut row, Artifact::Key, ArtifactState::Running);
    set(&mut row, Artifact::Chords, ArtifactState::Waiting);
    row
}

pub(crate) fn failed(number: usize) -> Row {
    let mut row = row(number);
    row.state = TrackState::Failed;
    let failure = Failure::new(
        FailureKind::Damaged,
        "the sound breaks off after 1:12",
        "Copy the file from its source once more",
    );
    row.knowledge.summary.bpm = None;
    row.knowledge
        .records
        .insert(Artifact::Beats, record(Some(failure)));
    set(&mut row, Artifact::Beats, ArtifactState::Failed);
    row
}

pub(crate) fn missing(number: usize) -> Row {
    let mut row = row(number);
    row.state = TrackState::Missing;
    row.track.missing = true;
    row
}

/// One of each state, then ready ones.
pub(crate) fn mixed(count: usize) -> Vec<Row> {
    (0..count)
        .map(|number| match number {
            2 => fresh(number),
            4 => running(number),
            5 => failed(number),
            7 => missing(number),
            _ => row(number),
        })
        .collect()
}

/// A ready track whose title is known.
pub(crate) fn titled(number: usize, title: &str) -> Row {
    let mut row = row(number);
    row.track.tags.title = Some(title.into());
    row.track.tags.artist = Some("Harbour Unit".into());
    finish(row)
}

/// Tracks called A, B, C and so on, each a little faster than the one before.
pub(crate) fn letters(count: usize) -> Vec<Row> {
    (0..count)
        .map(|number| {
            let letter = char::from(b'A' + (number % 26) as u8);
            let mut row = titled(number, &format!("{letter}{}", number / 26));
            row.knowledge.summary.bpm = Some(Bpm(100.0 + number as f64));
            row
        })
        .collect()
}
