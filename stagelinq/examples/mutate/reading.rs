//! Gives bytes to everything that reads from the network or from files. Shared with the fuzzer in `fuzz/`.

use std::time::Duration;

use stagelinq::Token;
use stagelinq::capture;
use stagelinq::session::{Input, Service, Session};
use stagelinq::virtual_player::Script;
use stagelinq::wire::beat_info::BeatInfo;
use stagelinq::wire::broadcast::Broadcast;
use stagelinq::wire::directory::DirectoryStream;
use stagelinq::wire::discovery::Announcement;
use stagelinq::wire::file_transfer::{Reply, Request};
use stagelinq::wire::state_map::{StateMap, Value};
use stagelinq::wire::{Frames, MAX_FRAME};

/// As datagram, as streams in pieces of so many bytes, as a whole conversation, as a file.
pub(crate) fn read(message: &[u8], piece: usize) {
    drop(Announcement::decode(message));
    as_streams(message, piece.max(1));
    for skipped in [0, 4] {
        frame(message.get(skipped..).unwrap_or_default());
    }
    if let Ok(text) = std::str::from_utf8(message) {
        drop(capture::decode(text));
        drop(Script::parse(text));
        drop(Value::parse(Some(text)));
    }
}

fn as_streams(message: &[u8], piece: usize) {
    let mut directory = DirectoryStream::default();
    let mut frames = Frames::new(MAX_FRAME);
    let mut session = Session::new(Token([1; 16]), Vec::new());
    let now = Duration::from_secs(1);
    session.handle(Input::Opened, now);
    for service in Service::ALL {
        session.handle(Input::ServiceOpened(service, 1), now);
    }
    while session.poll().is_some() {}
    for piece in message.chunks(piece) {
        directory.push(piece);
        while let Ok(Some(_)) = directory.next() {}
        frames.push(piece);
        while let Ok(Some(bytes)) = frames.next() {
            frame(bytes);
        }
        session.handle(Input::Received(piece), now);
        for service in Service::ALL {
            session.handle(Input::ServiceReceived(service, piece), now);
        }
        while session.poll().is_some() {}
    }
}

/// As a frame of every service, in both directions.
fn frame(bytes: &[u8]) {
    drop(StateMap::decode(bytes));
    drop(BeatInfo::decode(bytes));
    drop(Broadcast::decode(bytes));
    drop(Request::decode(bytes));
    drop(Reply::decode(bytes));
}
