//! Searching and sorting a library of 50,000 tracks.

use divan::{Bencher, black_box};
use std::sync::Arc;
use tonearm_core::export::document::TrackDocument;
use tonearm_core::export::{csv, json};
use tonearm_core::findings::Knowledge;
use tonearm_core::harmony::Key;
use tonearm_core::query::{self, Sort};
use tonearm_core::row::{ArtifactState, Row, TrackState};
use tonearm_core::track::{AudioFormat, FilePath, FileStamp, Tags, Track, TrackId};
use tonearm_core::units::{Bpm, SampleRate, Secs};

const ROWS: u64 = 50_000;

fn main() {
    divan::main();
}

/// A number that looks random and is the same in every run (`SplitMix64`, Steele et al. 2014).
fn scrambled(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn pick(words: &[&str], number: u64) -> String {
    words
        .get(number as usize % words.len())
        .map_or_else(String::new, |word| (*word).to_owned())
}

fn row(number: u64) -> Arc<Row> {
    const FIRST: [&str; 8] = [
        "Night", "Velvet", "Solar", "Déjà", "Neon", "Deep", "Lost", "Glass",
    ];
    const SECOND: [&str; 8] = [
        "Drive", "Tide", "Echo", "Vu", "Garden", "Signal", "Files", "Röads",
    ];
    const GENRES: [&str; 5] = ["House", "Techno", "Drum & Bass", "Électro", "Ambient"];
    let bits = scrambled(number);
    let artist = format!("{} {}", pick(&FIRST, bits >> 8), bits % 3000);
    let title = format!(
        "{} {} (Mix {})",
        pick(&FIRST, bits >> 16),
        pick(&SECOND, bits >> 20),
        bits >> 24 & 63
    );
    let path = format!("/media/usb/Music/{artist}/{title} {number}.mp3");
    let track = Track {
        id: TrackId(bits),
        path: FilePath(path.into()),
        root: "/media/usb/Music".into(),
        stamp: FileStamp {
            bytes: 9_000_000,
            modified_ns: 0,
        },
        tags: Tags {
            title: Some(title.into()),
            artist: Some(artist.into()),
            album: Some(format!("Album {}", bits >> 30 & 4095).into()),
            genre: Some(pick(&GENRES, bits >> 40).into()),
            year: (bits & 3 != 0).then_some(1990 + (bits >> 44 & 31) as i32),
            ..Tags::default()
        },
        format: SampleRate::new(44_100).map(|sample_rate| AudioFormat {
            codec: "mp3".into(),
            sample_rate,
            channels: 2,
            bitrate_kbps: Some(320),
            duration: Secs((bits >> 50 & 511) as f64),
        }),
        hash: None,
        added: jiff::Timestamp::UNIX_EPOCH,
        missing: false,
        damage: None,
        sources: Vec::new(),
        borrowed: tonearm_core::track::TagFields::default(),
    };
    let mut knowledge = Knowledge::default();
    if bits & 7 != 0 {
        knowledge.summary.bpm = Some(Bpm(90.0 + (bits >> 12 & 8191) as f64 / 100.0));
        knowledge.summary.key = Key::all().nth((bits >> 34) as usize % 24);
    }
    let search_text = query::search_text(&track);
    Arc::new(Row {
        track: Box::new(track),
        knowledge: Box::new(knowledge),
        state: TrackState::Ready,
        artifacts: [ArtifactState::Done; 8],
        duplicates: Vec::new(),
        revision: 0,
        search_text,
    })
}

fn rows() -> Vec<Arc<Row>> {
    (0..ROWS).map(row).collect()
}

#[divan::bench(args = [
    "neon drive",
    "zzz nothing",
    "artist:velvet title:echo",
    "bpm:120-128",
    "key:8A~ bpm:~64",
    "-deep (techno or house) year:>=2010",
    "path:media/usb",
    "path:nowhere",
])]
fn search(bencher: Bencher<'_, '_>, text: &str) {
    let rows = rows();
    let Ok(query) = query::parse(text) else {
        return;
    };
    bencher.bench_local(|| query.places(black_box(&rows)).len());
}

#[divan::bench(args = ["bpm", "title", "artist,title", "-added,artist", "key,bpm", "path"])]
fn sort(bencher: Bencher<'_, '_>, text: &str) {
    let rows = rows();
    let Ok(sort) = Sort::parse(text) else {
        return;
    };
    bencher.bench_local(|| sort.order(black_box(&rows)));
}

#[divan::bench]
fn write_csv(bencher: Bencher<'_, '_>) {
    let rows = rows();
    bencher.bench_local(|| csv::write(std::io::sink(), rows.iter().map(AsRef::as_ref)));
}

#[divan::bench]
fn write_json(bencher: Bencher<'_, '_>) {
    let rows = rows();
    bencher.bench_local(|| {
        let documents = rows.iter().map(|row| TrackDocument::listed(row, None));
        json::write(std::io::sink(), documents)
    });
}
