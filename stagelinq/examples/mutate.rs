//! Throws damaged messages at everything that reads from the network, for as long as is wanted: `mutate SECONDS [SEED]`.
//!
//! Messages of all kinds are made, then bytes are changed, cut, doubled and joined. What counts is that nothing panics,
//! hangs or grows; each round of a seed is the same everywhere.
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use stagelinq::capture;
use stagelinq::roster::Roster;
use stagelinq::session::{Input, Service, Session};
use stagelinq::virtual_player::Script;
use stagelinq::wire::beat_info::{BeatFrame, BeatInfo, DeckBeat};
use stagelinq::wire::broadcast::Broadcast;
use stagelinq::wire::directory::{Directory, DirectoryStream};
use stagelinq::wire::discovery::{Action, Announcement};
use stagelinq::wire::file_transfer::{Reply, Request};
use stagelinq::wire::state_map::{StateMap, Value};
use stagelinq::wire::{Frames, MAX_FRAME};
use stagelinq::{Identity, Token};

/// Numbers that look random and are the same for the same seed (splitmix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u64>().ok());
    let secs = arguments.next().unwrap_or(10);
    let mut random = Random(arguments.next().unwrap_or(1));
    let whole = messages();
    let identity = identity();
    let mut roster = Roster::new(&identity);
    let (began, mut rounds, mut bytes) = (Instant::now(), 0_u64, 0_u64);
    while began.elapsed() < Duration::from_secs(secs) {
        for _ in 0..1000 {
            let mut message = pick(&whole, &mut random);
            damage(&mut message, &whole, &mut random);
            bytes += message.len() as u64;
            read(&message, &mut random);
            let from = SocketAddrV4::new(Ipv4Addr::from(random.next() as u32 & 0xff), 51337);
            let now = Duration::from_millis(rounds);
            drop(roster.handle(&message, from, Ipv4Addr::LOCALHOST, now));
            drop(roster.expire(now));
            rounds += 1;
        }
    }
    println!("{rounds} damaged messages, {bytes} bytes, {secs} s, no panic");
}

fn identity() -> Identity {
    Identity {
        token: Token([1; 16]),
        source: "sc6000".to_owned(),
        software: "JP13".to_owned(),
        version: "2.3.1".to_owned(),
    }
}

/// One of each kind, as bytes of the wire.
fn messages() -> Vec<Vec<u8>> {
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

fn pick(messages: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    messages
        .get(random.below(messages.len()))
        .cloned()
        .unwrap_or_default()
}

fn damage(message: &mut Vec<u8>, whole: &[Vec<u8>], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let place = random.below(message.len());
        match random.below(6) {
            0 => message.truncate(place),
            1 => message.extend(pick(whole, random)),
            2 => {
                let end = (place + 1 + random.below(64)).min(message.len());
                let doubled: Vec<u8> = message.get(place..end).unwrap_or_default().to_vec();
                message.splice(place..place, doubled);
            }
            // Lengths and counts are what readers trust wrongly.
            3 => {
                let number = [
                    0,
                    1,
                    0x7fff_ffff,
                    0xffff_ffff,
                    0x1_0000,
                    random.next() as u32,
                ];
                let number = number
                    .get(random.below(number.len()))
                    .copied()
                    .unwrap_or_default();
                for (byte, new) in message.iter_mut().skip(place).zip(number.to_be_bytes()) {
                    *byte = new;
                }
            }
            _ => {
                if let Some(byte) = message.get_mut(place) {
                    *byte = random.next() as u8;
                }
            }
        }
        message.truncate(1 << 16);
    }
}

/// As datagram, as streams in pieces, as a whole conversation, as a file.
fn read(message: &[u8], random: &mut Random) {
    drop(Announcement::decode(message));
    let mut directory = DirectoryStream::default();
    let mut frames = Frames::new(MAX_FRAME);
    let mut session = Session::new(Token([1; 16]), Vec::new());
    let now = Duration::from_secs(1);
    session.handle(Input::Opened, now);
    for service in Service::ALL {
        session.handle(Input::ServiceOpened(service, 1), now);
    }
    while session.poll().is_some() {}
    for piece in message.chunks(1 + random.below(80)) {
        directory.push(piece);
        while let Ok(Some(_)) = directory.next() {}
        frames.push(piece);
        while let Ok(Some(frame)) = frames.next() {
            drop(StateMap::decode(frame));
            drop(BeatInfo::decode(frame));
            drop(Broadcast::decode(frame));
            drop(Request::decode(frame));
            drop(Reply::decode(frame));
        }
        session.handle(Input::Received(piece), now);
        for service in Service::ALL {
            session.handle(Input::ServiceReceived(service, piece), now);
        }
        while session.poll().is_some() {}
    }
    for skipped in [0, 4] {
        let frame = message.get(skipped..).unwrap_or_default();
        drop(StateMap::decode(frame));
        drop(BeatInfo::decode(frame));
        drop(Broadcast::decode(frame));
        drop(Request::decode(frame));
        drop(Reply::decode(frame));
    }
    if let Ok(text) = std::str::from_utf8(message) {
        drop(capture::decode(text));
        drop(Script::parse(text));
        drop(Value::parse(Some(text)));
    }
}
