//! The track object against a file that people read.

use super::*;
use crate::artifact::ArtifactRecord;
use crate::artifact::Recipe;
use crate::beats::{Beat, ConstantGrid, TempoAlternative, TempoSegment};
use crate::export::samples;
use crate::findings::{Finding, Knowledge};
use crate::harmony::{Chord, KeySpan, PitchClass, Quality};
use crate::loudness::Loudness;
use crate::row::{ArtifactState, TrackState};
use crate::track::{AudioFormat, ContentHash, FilePath, FileStamp, Tags, Track};
use crate::units::{SampleRate, Secs};
use proptest::prelude::*;

fn beats() -> Beats {
    let at = |secs, position| Beat {
        at: Secs(secs),
        position,
    };
    Beats {
        beats: vec![
            at(0.05, 1),
            at(0.518_750_04, 2),
            at(f64::NAN, 3),
            at(0.987_5, 3),
        ],
        grid: Some(ConstantGrid {
            bpm: Bpm(128.0),
            first_beat: Secs(0.05),
            first_downbeat: Secs(0.05),
        }),
        segments: vec![TempoSegment {
            start: Secs(0.0),
            bpm: Bpm(128.0),
            beats_per_bar: 4,
        }],
        bpm: Bpm(128.0),
        confidence: 0.97,
        alternatives: vec![TempoAlternative {
            bpm: Bpm(64.0),
            confidence: 0.2,
        }],
    }
}

fn key() -> KeyFinding {
    let key = Key::parse("Am").unwrap();
    KeyFinding {
        key,
        confidence: 0.8,
        alternatives: vec![(Key::parse("C").unwrap(), 0.1)],
        segments: vec![KeySpan {
            start: Secs(0.0),
            end: Secs(60.0),
            key,
        }],
    }
}

fn chords() -> Vec<ChordSpan> {
    let span = |start: f64, end: f64, chord| ChordSpan {
        start: Secs(start),
        end: Secs(end),
        start_raw: Secs(start + 0.02),
        end_raw: Secs(end - 0.01),
        chord,
        confidence: 0.7,
    };
    let chord = Chord {
        root: PitchClass::new(9),
        quality: Quality::Minor7,
        bass: None,
    };
    vec![span(0.05, 1.925, Some(chord)), span(1.925, 3.8, None)]
}

fn details() -> TrackDetails {
    TrackDetails {
        beats: Some(beats()),
        key: Some(key()),
        by_hand: std::collections::BTreeSet::new(),
        chords: Some(chords()),
    }
}

const STAMP: FileStamp = FileStamp {
    bytes: 9_123_456,
    modified_ns: 1,
};

fn knowledge() -> Knowledge {
    let mut knowledge = Knowledge::default();
    knowledge.note(&Finding::Beats(beats()));
    knowledge.note(&Finding::Key(key()));
    knowledge.note(&Finding::Loudness(Loudness {
        integrated: Some(-9.1),
        range: Some(5.0),
        true_peak: None,
    }));
    let recipe = |maker, model| Recipe {
        maker,
        version: 3,
        parameters: String::new(),
        model,
    };
    knowledge.records.insert(
        Artifact::Beats,
        ArtifactRecord {
            recipe: recipe(Maker::BeatThis, Some("final0".to_owned())).into(),
            cpu_secs: 1.25,
            failure: None,
            made_from: STAMP,
            nothing_found: false,
        },
    );
    knowledge.records.insert(
        Artifact::Stems,
        ArtifactRecord {
            recipe: recipe(Maker::Native, None).into(),
            cpu_secs: 0.1,
            failure: Some(Box::new(Failure {
                kind: FailureKind::Storage,
                message: "the disk is full".to_owned(),
                remedy: "Make room, then try again".to_owned(),
                attempts: 2,
                retry_at: Some("2026-11-22T16:00:00Z".parse().unwrap()),
            })),
            made_from: STAMP,
            nothing_found: false,
        },
    );
    knowledge
}

fn row() -> Row {
    let text = |text: &str| Some(text.into());
    let mut artifacts = [ArtifactState::Done; 8];
    artifacts[Artifact::Stems as usize] = ArtifactState::Failed;
    Row {
        track: Box::new(Track {
            id: TrackId(0xfe),
            path: FilePath("/music/Night \"Drive\".mp3".into()),
            root: "/music".into(),
            stamp: STAMP,
            tags: Tags {
                title: text("Night Drive"),
                artist: text("Sólar"),
                year: Some(2024),
                rating: Some(5),
                bpm: Some(127.9),
                key: text("A blues"),
                has_art: true,
                ..Tags::default()
            },
            format: Some(AudioFormat {
                codec: "mp3".into(),
                sample_rate: SampleRate::new(44_100).unwrap(),
                channels: 2,
                bitrate_kbps: None,
                duration: Secs(362.123_456_789),
            }),
            hash: Some(ContentHash([0xab; 32])),
            added: "2026-11-22T15:00:00Z".parse().unwrap(),
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: crate::track::TagFields::default(),
        }),
        knowledge: Box::new(knowledge()),
        state: TrackState::Failed,
        artifacts,
        duplicates: vec![TrackId(7)],
        revision: 0,
        search_text: String::new(),
    }
}

fn value(document: &TrackDocument<'_>) -> serde_json::Value {
    serde_json::to_value(document).unwrap()
}

#[test]
fn the_full_object_is_exactly_the_one_written_down() {
    let written = serde_json::to_string_pretty(&TrackDocument::full(&row(), &details())).unwrap();
    let golden = include_str!("../../../golden/track.json");
    assert_eq!(written.trim_end(), golden.trim_end(), "got\n{written}");
}

#[test]
fn lists_leave_out_what_is_long_and_nothing_else() {
    let row = row();
    let full = value(&TrackDocument::full(&row, &details()));
    let mut expected = full.clone();
    for field in ["beats", "positions", "chords"] {
        expected
            .as_object_mut()
            .unwrap()
            .shift_remove(field)
            .unwrap();
    }
    assert_eq!(
        value(&TrackDocument::listed(&row, Some(&details()))),
        expected
    );
    for field in ["grid", "tempo_segments", "bpm_alternatives", "key_segments"] {
        expected
            .as_object_mut()
            .unwrap()
            .shift_remove(field)
            .unwrap();
    }
    assert_eq!(value(&TrackDocument::listed(&row, None)), expected);
    assert_eq!(expected["bpm"], 128.0);
}

/// Every value of a document that is neither object nor array.
fn leaves(value: &serde_json::Value) -> Vec<&serde_json::Value> {
    match value {
        serde_json::Value::Object(fields) => fields.values().flat_map(leaves).collect(),
        serde_json::Value::Array(items) => items.iter().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

#[test]
fn the_unknown_is_null_and_never_made_up() {
    let mut row = row();
    row.track.tags = Tags::default();
    row.track.format = None;
    row.track.hash = None;
    *row.knowledge = Knowledge::default();
    row.duplicates.clear();
    let document = value(&TrackDocument::full(&row, &TrackDetails::default()));
    for field in [
        "title",
        "year",
        "rating",
        "duration",
        "sample_rate",
        "codec",
        "sha256",
        "tag_bpm",
        "tag_key",
        "bpm",
        "grid",
        "beats",
        "positions",
        "tempo_segments",
        "beats_confidence",
        "bpm_alternatives",
        "key",
        "key_camelot",
        "key_open",
        "key_segments",
        "chords",
        "loudness",
        "stems",
    ] {
        assert_eq!(
            document.get(field),
            Some(&serde_json::Value::Null),
            "{field}"
        );
    }
    for leaf in leaves(&document) {
        assert_ne!(leaf, "");
        assert_ne!(leaf.as_f64(), Some(0.0));
    }
    assert_eq!(document["artifacts"][3]["version"], serde_json::Value::Null);
}

#[cfg(unix)]
#[test]
fn a_path_of_any_bytes_can_be_told_exactly() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut row = row();
    let bytes = b"/music/\xff.mp3";
    row.track.path = FilePath(std::ffi::OsStr::from_bytes(bytes).into());
    let document = value(&TrackDocument::listed(&row, None));
    assert_eq!(document["path"], "/music/\u{fffd}.mp3");
    assert_eq!(document["path_bytes"], "2f6d757369632fff2e6d7033");
}

proptest! {
    #[test]
    fn whatever_analysis_says_the_document_is_json_with_finite_numbers(
        number in prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY)],
        small in any::<f32>(),
    ) {
        let mut details = details();
        let mut row = row();
        let beats = details.beats.as_mut().unwrap();
        beats.beats[0].at = Secs(number);
        beats.segments[0].bpm = Bpm(number);
        beats.grid.as_mut().unwrap().first_beat = Secs(number);
        beats.alternatives[0].bpm = Bpm(number);
        details.key.as_mut().unwrap().segments[0].end = Secs(number);
        let chord = &mut details.chords.as_mut().unwrap()[0];
        (chord.start, chord.end_raw, chord.confidence) = (Secs(number), Secs(number), small);
        row.knowledge.summary.bpm = Some(Bpm(number));
        row.knowledge.summary.key_confidence = Some(small);
        row.knowledge.summary.loudness = Some(Loudness { integrated: Some(number), ..Loudness::default() });
        row.track.tags.bpm = Some(number);
        row.track.format.as_mut().unwrap().duration = Secs(number);
        let written = serde_json::to_string(&TrackDocument::full(&row, &details)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        for field in ["grid", "beats", "positions", "tempo_segments", "bpm_alternatives", "key_segments", "chords"] {
            for leaf in leaves(&read[field]) {
                let may_be_null = field == "grid" || field == "chords";
                prop_assert!(may_be_null || !leaf.is_null(), "{}", field);
            }
        }
        prop_assert_eq!(read["beats"].as_array().unwrap().len(), read["positions"].as_array().unwrap().len());
    }
}

#[test]
fn a_missing_track_says_why_and_what_to_do() {
    let mut row = samples::bare_row();
    let document = serde_json::to_value(TrackDocument::listed(&row, None)).unwrap();
    assert_eq!(document.get("missing_reason"), None);
    row.track.missing = true;
    let document = serde_json::to_value(TrackDocument::listed(&row, None)).unwrap();
    let reason = &document["missing_reason"];
    assert_eq!(reason["kind"], "missing");
    for field in ["message", "remedy"] {
        assert_ne!(reason[field].as_str().unwrap(), "", "{field}");
    }
}
