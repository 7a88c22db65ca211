//! One whole message of each kind: what is damaged, and what a fuzzer starts from.

use stagelinq::wire::beat_info::{BeatFrame, BeatInfo, DeckBeat};
use stagelinq::wire::broadcast::Broadcast;
use stagelinq::wire::directory::Directory;
use stagelinq::wire::discovery::{Action, Announcement};
use stagelinq::wire::file_transfer::{Reply, Request};
use stagelinq::wire::state_map::{StateMap, Value};
use stagelinq::{Identity, Token};

pub(crate) fn identity() -> Identity {
    Identity {
        token: Token([1; 16]),
        source: "sc6000".to_owned(),
        software: "JP13".to_owned(),
        version: "2.3.1".to_owned(),
    }
}

/// One of each kind, as bytes of the wire; a line of a capture and a script.
pub(crate) fn whole() -> Vec<Vec<u8>> {
    let token = Token([2; 16]);
    let path = "/Engine/Deck1/Track/SongName".to_owned();
    let frame = BeatFrame {
        clock_ns: 35_457_982_683,
        decks: vec![
            DeckBeat {
                beat: 1.5,
                total_beats: 500.0,
                bpm: 121.9,
                samples: -44_100.0
            };
            4
        ],
    };
    vec![
        Announcement { identity: identity(), action: Action::Present, port: 42_923 }.encode(),
        Announcement { identity: identity(), action: Action::Leaving, port: 0 }.encode(),
        Directory::Service { token, service: "StateMap".to_owned(), port: 4000 }.encode(),
        Directory::Reference { from: token, to: Token::NONE, clock: [7; 8] }.encode(),
        Directory::Request { token }.encode(),
        StateMap::Subscribe { path: path.clone(), interval_ms: -1 }.encode(),
        StateMap::Emit { path: path.clone(), json: Some(Value::Text("A title".to_owned()).to_json(8)) }.encode(),
        StateMap::Write { path, json: None }.encode(),
        BeatInfo::Start.encode(),
        BeatInfo::Frame(frame).encode(),
        Broadcast::TrackChanged { database: "d1682bab".to_owned(), track: "44".to_owned() }.encode(),
        Request::Open("/USB/Engine Library/m.db".to_owned()).encode(3),
        Request::Read { file: 1, first: 0, last: 7 }.encode(4),
        Reply::Opened { size: 4096, file: 1 }.encode(5),
        Reply::Chunk { offset: 4096, bytes: vec![9; 300] }.encode(6),
        Reply::Names { names: vec!["USB".to_owned(), "PRIME 4 (Internal)".to_owned()], flags: [1, 1, 0] }.encode(7),
        br#"{"at":1.5,"device":"8fba5ced93814d5cb3345bf935b8e49e","state":"/Engine/Deck1/Play","value":{"state":true}}"#.to_vec(),
        br#"{"players":[{}],"tracks":{"a":{}},"events":[{"at":1,"act":{"load":"a"}}]}"#.to_vec(),
    ]
}
