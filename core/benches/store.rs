//! Opening a library, and the durable transactions of analysis.
//!
//! `TONEARM_BENCH_CPU=1 cargo bench --bench store` prints the CPU time of opening 50,000 tracks.

#![expect(
    clippy::expect_used,
    reason = "a bench without its library has nothing to measure"
)]

use cpu_time::ProcessTime;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tonearm_core::artifact::{Artifact, ArtifactRecord, Maker, Recipe};
use tonearm_core::beats::{Beat, Beats, TempoSegment};
use tonearm_core::findings::{Finding, Knowledge};
use tonearm_core::store::{Change, Store};
use tonearm_core::track::{AudioFormat, ContentHash, FilePath, FileStamp, Tags, Track, TrackId};
use tonearm_core::units::{Bpm, SampleRate, Secs};

fn main() {
    if std::env::var_os("TONEARM_BENCH_CPU").is_some() {
        cpu_report();
    } else {
        divan::main();
    }
}

/// Ids are spread over all 64 bits, as those of real libraries are.
fn id(number: u64) -> TrackId {
    TrackId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn track(number: u64) -> Track {
    Track {
        id: id(number),
        path: FilePath(PathBuf::from(format!(
            "/media/music/House/Some Artist {number}/Some Album/{number:02} Some Title.flac"
        ))),
        root: PathBuf::from("/media/music").into(),
        stamp: FileStamp {
            bytes: 30_000_000 + number,
            modified_ns: 1_700_000_000_000_000_000,
        },
        tags: Tags {
            title: Some(format!("Some Title of This Track (Extended Mix) {number}").into()),
            artist: Some(format!("Some Artist {number}, Another").into()),
            album: Some("Some Album".into()),
            genre: Some("Deep House".into()),
            comment: Some("Bought somewhere in 2024".into()),
            label: Some("Label".into()),
            year: Some(2024),
            track_number: Some(3),
            bpm: Some(124.0),
            key: Some("Am".into()),
            ..Tags::default()
        },
        format: SampleRate::new(44_100).map(|sample_rate| AudioFormat {
            codec: "flac".into(),
            sample_rate,
            channels: 2,
            bitrate_kbps: Some(900),
            duration: Secs(360.0),
        }),
        // Each its own: no two tracks are of the same bytes.
        hash: Some(ContentHash(std::array::from_fn(|at| {
            (id(number).0 >> (at % 8 * 8)) as u8
        }))),
        added: jiff::Timestamp::UNIX_EPOCH,
        missing: false,
        damage: None,
        sources: Vec::new(),
        borrowed: tonearm_core::track::TagFields::default(),
    }
}

fn knowledge(number: u64) -> Knowledge {
    let record = ArtifactRecord {
        recipe: Recipe {
            maker: Maker::Native,
            version: 1,
            parameters: String::new(),
            model: None,
        }
        .into(),
        made_from: track(number).stamp,
        cpu_secs: 1.0,
        failure: None,
        nothing_found: false,
    };
    let mut knowledge = Knowledge {
        records: Artifact::ALL
            .map(|artifact| (artifact, record.clone()))
            .into(),
        ..Knowledge::default()
    };
    knowledge.note(&Finding::Beats(beats()));
    knowledge
}

fn beats() -> Beats {
    let beats = (0..740).map(|beat| Beat {
        at: Secs(f64::from(beat) * 0.483_87),
        position: (beat % 4 + 1) as u8,
    });
    Beats {
        beats: beats.collect(),
        grid: None,
        segments: vec![TempoSegment {
            start: Secs(0.0),
            bpm: Bpm(124.0),
            beats_per_bar: 4,
        }],
        bpm: Bpm(124.0),
        confidence: 0.9,
        alternatives: Vec::new(),
    }
}

/// A library without a backup that is due: its folder has had today's.
fn library(tracks: u64) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder for the bench");
    let (store, _) = Store::open(dir.path()).expect("a new library");
    let numbers: Vec<u64> = (0..tracks).collect();
    for batch in numbers.chunks(5_000) {
        let changes = batch.iter().flat_map(|&number| {
            [
                Change::PutTrack(track(number)),
                Change::PutKnowledge(id(number), knowledge(number)),
                Change::PutFinding(id(number), Finding::Beats(beats())),
            ]
        });
        store.write(changes.collect()).expect("room for the bench");
    }
    drop(store);
    drop(Store::open(dir.path()).expect("the daily backup"));
    dir
}

#[divan::bench(args = [1_000, 50_000], sample_count = 10, sample_size = 1)]
fn open(bencher: divan::Bencher<'_, '_>, tracks: u64) {
    let dir = library(tracks);
    bencher.bench_local(|| Store::open(dir.path()).expect("the library"));
}

#[divan::bench(args = [0, 50_000], sample_count = 50, sample_size = 1)]
fn one_finding(bencher: divan::Bencher<'_, '_>, tracks: u64) {
    let dir = library(tracks);
    let (store, _) = Store::open(dir.path()).expect("the library");
    bencher.bench_local(|| {
        store.write(vec![
            Change::PutFinding(id(1), Finding::Beats(beats())),
            Change::PutKnowledge(id(1), knowledge(1)),
        ])
    });
}

/// The least CPU time of several runs.
fn cpu(mut work: impl FnMut()) -> Duration {
    (0..7)
        .map(|_| {
            let start = ProcessTime::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "a report is printed")]
fn cpu_report() {
    let dir = library(50_000);
    let opening = cpu(|| drop(Store::open(dir.path()).expect("the library")));
    println!("opening 50,000 tracks: {opening:?} of CPU, all cores together");
    let (store, _) = Store::open(dir.path()).expect("the library");
    let writing = cpu(|| {
        let changes = vec![
            Change::PutFinding(id(1), Finding::Beats(beats())),
            Change::PutKnowledge(id(1), knowledge(1)),
        ];
        store.write(changes).expect("room");
    });
    println!("one finding into 50,000 tracks: {writing:?} of CPU");
}
