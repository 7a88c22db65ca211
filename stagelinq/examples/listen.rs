//! Prints what players on the network say; `listen --simulate [SCRIPT.json]` plays some itself.
//!
//! `cargo run -p stagelinq --example listen`
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use stagelinq::clock::{DeckClock, UnitClock};
use stagelinq::path::{Deck, DeckPath, StatePath};
use stagelinq::virtual_player::{Script, VirtualConfig, VirtualPlayers};
use stagelinq::{Client, Config, Discovery, Identity, Token, Update, UpdateKind};

const DEMO: &str = r#"{
    "players": [{}, { "name": "sc6000-2", "player": 2 }],
    "tracks": { "a": { "title": "First", "artist": "Somebody", "bpm": 124 },
                "b": { "title": "Second", "artist": "Somebody else", "bpm": 126 } },
    "events": [
        { "at": 0, "act": { "load": "a" } }, { "at": 1, "act": "play" },
        { "at": 3, "player": 1, "act": { "load": "b" } }, { "at": 5, "player": 1, "act": "play" },
        { "at": 8, "act": { "scratch": { "secs": 2, "depth": 0.1, "hz": 3 } } },
        { "at": 12, "act": { "fault": { "restart": { "secs": 2 } } } }
    ]
}"#;

/// One deck as this example shows it.
#[derive(Default)]
struct Shown {
    title: String,
    sample_rate: Option<f64>,
    clock: DeckClock,
}

/// One player as this example shows it.
#[derive(Default)]
struct Player {
    clock: UnitClock,
    decks: BTreeMap<Deck, Shown>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let simulation = match arguments.next().as_deref() {
        Some("--simulate") => Some(simulate(arguments.next())?),
        _ => None,
    };
    let mut config = Config::new(Identity {
        // A program that stays would keep it.
        token: Token::random()?,
        source: "listen".to_owned(),
        software: "stagelinq-listen".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    if let Some(players) = &simulation {
        config.discovery = Discovery::on_this_machine(&[players.port()]);
    }
    let (client, mut updates) = Client::start(config)?;
    if let Some(players) = &simulation {
        players.announce_to(SocketAddrV4::new(Ipv4Addr::LOCALHOST, client.port()));
    }
    let mut players: BTreeMap<Token, Player> = BTreeMap::new();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut hint = tokio::time::interval(Duration::from_secs(10));
    loop {
        tokio::select! {
            Some(update) = updates.recv() => take(&mut players, update),
            _ = second.tick() => show(&players, client.epoch().elapsed()),
            _ = hint.tick() => for advice in client.health().advice() {
                println!("hint: {advice}");
            },
            else => return Ok(()),
        }
    }
}

fn simulate(path: Option<String>) -> Result<VirtualPlayers, Box<dyn Error>> {
    let json = match path {
        Some(path) => std::fs::read_to_string(path)?,
        None => DEMO.to_owned(),
    };
    Ok(VirtualPlayers::start(VirtualConfig {
        script: Script::parse(&json)?,
        discovery: Discovery::on_this_machine(&[]),
        files: BTreeMap::new(),
    })?)
}

fn take(players: &mut BTreeMap<Token, Player>, update: Update) {
    let player = players.entry(update.device).or_default();
    match update.kind {
        UpdateKind::Beats(frame) => {
            let Some(device) = player.clock.frame(frame.clock_ns, update.at) else {
                return;
            };
            for (deck, beat) in Deck::ALL.into_iter().zip(&frame.decks) {
                let deck = player.decks.entry(deck).or_default();
                if let Some(rate) = deck.sample_rate {
                    deck.clock.frame(device, beat, rate);
                }
            }
        }
        UpdateKind::State {
            path: StatePath::Deck(deck, path),
            value,
        } => {
            let deck = player.decks.entry(deck).or_default();
            match path {
                DeckPath::SongName => {
                    value
                        .as_text()
                        .unwrap_or_default()
                        .clone_into(&mut deck.title);
                }
                DeckPath::SampleRate => deck.sample_rate = value.as_number(),
                DeckPath::TrackNetworkPath => deck.clock.reset(),
                DeckPath::PlayState => {
                    if let Some(is_playing) = value.as_bool() {
                        deck.clock.set_playing(is_playing);
                    }
                }
                _ => {}
            }
        }
        UpdateKind::State { .. } => {}
        UpdateKind::Lost(why) => {
            println!("{}: lost, {why:?}", update.device);
            players.remove(&update.device);
        }
        kind => println!("{}: {kind:?}", update.device),
    }
}

fn show(players: &BTreeMap<Token, Player>, now: Duration) {
    for (token, player) in players {
        for (number, deck) in &player.decks {
            let reading = player
                .clock
                .device_time(now)
                .and_then(|device| deck.clock.at(device));
            if let (Some(reading), false) = (reading, deck.title.is_empty()) {
                println!(
                    "{token} {number:?}: {} at {:.3} s, speed {:.2}, beat {:.2}",
                    deck.title, reading.position_secs, reading.speed, reading.beat
                );
            }
        }
    }
}
