//! Messages per second: what arrives most, in both directions.

use divan::{Bencher, black_box, counter::BytesCount};
use stagelinq::path::StatePath;
use stagelinq::wire::beat_info::{BeatFrame, BeatInfo, DeckBeat};
use stagelinq::wire::discovery::{Action, Announcement};
use stagelinq::wire::state_map::{StateMap, Value};
use stagelinq::wire::{Frames, MAX_FRAME};
use stagelinq::{Identity, Token};

fn main() {
    divan::main();
}

fn beats() -> BeatInfo {
    let deck = DeckBeat {
        beat: 12.5,
        total_beats: 400.0,
        bpm: 124.0,
        samples: 1e6,
    };
    BeatInfo::Frame(BeatFrame {
        clock_ns: 35_457_982_683,
        decks: vec![deck; 4],
    })
}

fn emission() -> StateMap {
    StateMap::Emit {
        path: "/Engine/Deck1/Track/SongName".to_owned(),
        json: Some(Value::Text("A title of usual length".to_owned()).to_json(8)),
    }
}

#[divan::bench]
fn encode_positions_of_four_decks(bencher: Bencher<'_, '_>) {
    let frame = beats();
    bencher.bench_local(|| black_box(&frame).encode());
}

#[divan::bench]
fn decode_positions_of_four_decks(bencher: Bencher<'_, '_>) {
    let bytes = beats().encode();
    let frame = bytes.get(4..).unwrap_or_default();
    bencher
        .counter(BytesCount::new(frame.len()))
        .bench_local(|| BeatInfo::decode(black_box(frame)));
}

#[divan::bench]
fn decode_a_value_with_path_and_json(bencher: Bencher<'_, '_>) {
    let bytes = emission().encode();
    let frame = bytes.get(4..).unwrap_or_default();
    bencher
        .counter(BytesCount::new(frame.len()))
        .bench_local(|| match StateMap::decode(black_box(frame)) {
            Ok(StateMap::Emit { path, json }) => {
                Some((StatePath::parse(&path), Value::parse(json.as_deref())))
            }
            _ => None,
        });
}

#[divan::bench]
fn decode_an_announcement(bencher: Bencher<'_, '_>) {
    let bytes = Announcement {
        identity: Identity {
            token: Token([1; 16]),
            source: "sc6000".to_owned(),
            software: "JP13".to_owned(),
            version: "2.3.1".to_owned(),
        },
        action: Action::Present,
        port: 42_923,
    }
    .encode();
    bencher.bench_local(|| Announcement::decode(black_box(&bytes)));
}

#[divan::bench]
fn cut_a_thousand_frames_out_of_pieces(bencher: Bencher<'_, '_>) {
    let bytes = emission().encode().repeat(1000);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| {
            let mut frames = Frames::new(MAX_FRAME);
            let mut count = 0;
            for piece in bytes.chunks(1460) {
                frames.push(piece);
                while let Ok(Some(_)) = frames.next() {
                    count += 1;
                }
            }
            count
        });
}
