//! Rows made by hand for the tests of every format.

use crate::harmony::Key;
use crate::loudness::Loudness;
use crate::row::{ArtifactState, Row, TrackState};
use crate::track::{AudioFormat, FilePath, FileStamp, Tags, Track, TrackId};
use crate::units::{Bpm, SampleRate, Secs};

/// A file of which nothing is known but that it is there.
pub(crate) fn bare_row() -> Row {
    Row {
        track: Box::new(Track {
            id: TrackId(0xff),
            path: FilePath("/elsewhere/lost.wav".into()),
            root: "/elsewhere".into(),
            stamp: FileStamp {
                bytes: 44,
                modified_ns: 0,
            },
            tags: Tags::default(),
            format: None,
            hash: None,
            added: "2026-11-22T15:00:00Z".parse().unwrap(),
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: crate::track::TagFields::default(),
        }),
        knowledge: Box::default(),
        state: TrackState::Partial,
        artifacts: [ArtifactState::Due; 8],
        duplicates: Vec::new(),
        revision: 0,
        search_text: String::new(),
    }
}

/// A track with tags and analysis, and a title that tries every format.
pub(super) fn full_row() -> Row {
    let mut row = bare_row();
    row.track.id = TrackId(0xfe);
    row.track.path = FilePath("/music/House/Night Drive.mp3".into());
    row.track.root = "/music".into();
    row.track.tags.title = Some("Night, \"Drive\"\nagain".into());
    row.track.tags.artist = Some("Sólar".into());
    row.track.tags.year = Some(2024);
    row.track.tags.bpm = Some(64.0);
    row.track.format = Some(AudioFormat {
        codec: "mp3".into(),
        sample_rate: SampleRate::new(44_100).unwrap(),
        channels: 2,
        bitrate_kbps: Some(320),
        duration: Secs(362.2),
    });
    row.knowledge.summary.bpm = Some(Bpm(127.999));
    row.knowledge.summary.key = Key::parse("8A");
    row.knowledge.summary.loudness = Some(Loudness {
        integrated: Some(-9.1),
        ..Loudness::default()
    });
    row.state = TrackState::Ready;
    row
}
