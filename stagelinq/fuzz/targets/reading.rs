//! Fuzzes everything that reads from the network: `cargo +nightly fuzz run reading` in the folder `stagelinq`.
//!
//! The first byte says in pieces of which size the others come over a stream.
#![no_main]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use stagelinq::roster::Roster;
use stagelinq::{Identity, Token};

#[path = "../../examples/mutate/reading.rs"]
mod reading;

/// Bytes of a datagram, at least: smaller ones say nothing.
const LEAST: usize = 16;

fuzz_target!(|input: &[u8]| {
    let Some((piece, message)) = input.split_first() else {
        return;
    };
    reading::read(message, usize::from(*piece));
    let mut roster = Roster::new(&Identity {
        token: Token([1; 16]),
        source: "sc6000".to_owned(),
        software: "JP13".to_owned(),
        version: "2.3.1".to_owned(),
    });
    for (second, datagram) in message.chunks(usize::from(*piece).max(LEAST)).enumerate() {
        let from = SocketAddrV4::new(Ipv4Addr::new(169, 254, 0, second as u8), 51_337);
        let now = Duration::from_secs(second as u64);
        drop(roster.handle(datagram, from, Ipv4Addr::LOCALHOST, now));
        drop(roster.expire(now));
    }
});
