//! Measures a client against virtual players on this machine, over real sockets: how soon decks are known, come back,
//! and are missed; how exact positions are; what it costs. `cargo run --profile quick -p stagelinq --example figures`
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use stagelinq::clock::{DeckClock, UnitClock};
use stagelinq::path::{Deck, DeckPath, StatePath};
use stagelinq::virtual_player::{Fault, Performance, Script, VirtualConfig, VirtualPlayers};
use stagelinq::{Client, Config, Discovery, Identity, Lost, Token, Update, UpdateKind};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::Receiver;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SCRIPT: &str = r#"{
    "players": [{}, { "name": "sc6000-2", "player": 2 }],
    "tracks": { "a": { "title": "First", "bpm": 124, "secs": 600 }, "b": { "title": "Second", "bpm": 126, "secs": 600 } },
    "events": [
        { "at": 0, "act": { "load": "a" } }, { "at": 0, "deck": 2, "act": { "load": "b" } },
        { "at": 0, "player": 1, "act": { "load": "b" } }, { "at": 0, "player": 1, "deck": 2, "act": { "load": "a" } },
        { "at": 0, "act": "play" }, { "at": 0, "deck": 2, "act": "play" }, { "at": 0, "deck": 2, "act": { "pitch": 1.08 } },
        { "at": 0, "player": 1, "act": "play" }, { "at": 0, "player": 1, "deck": 2, "act": "play" },
        { "at": 0, "player": 1, "deck": 2, "act": { "pitch": 0.5 } }
    ]
}"#;

/// As measured at an SC6000: frames come up to 5.7 ms earlier or later than in the mean. Each deck jumps every few seconds.
const SHAKEN: &str = r#"{
    "players": [{ "jitter_ms": 11.4 }, { "name": "sc6000-2", "player": 2, "jitter_ms": 11.4 }],
    "tracks": { "a": { "title": "First", "bpm": 124, "secs": 600 }, "b": { "title": "Second", "bpm": 126, "secs": 600 } },
    "events": [
        { "at": 0, "act": { "load": "a" } }, { "at": 0, "deck": 2, "act": { "load": "b" } },
        { "at": 0, "player": 1, "act": { "load": "b" } }, { "at": 0, "player": 1, "deck": 2, "act": { "load": "a" } },
        { "at": 0, "act": "play" }, { "at": 0, "deck": 2, "act": "play" }, { "at": 0, "deck": 2, "act": { "pitch": 1.08 } },
        { "at": 0, "player": 1, "act": "play" }, { "at": 0, "player": 1, "deck": 2, "act": "play" },
        { "at": 0, "player": 1, "deck": 2, "act": { "pitch": 0.5 } }, JUMPS
    ]
}"#;
/// Seconds between jumps; they last as long as positions are looked at.
const BETWEEN_JUMPS: f64 = 3.7;
const JUMPS: u32 = 16;

/// When jumps happen, seconds of the script, and where each deck goes then.
fn jumps() -> impl Iterator<Item = (f64, f64)> {
    (1..=JUMPS).map(|number| {
        let number = f64::from(number);
        (number * BETWEEN_JUMPS, 20.0 + 23.0 * number)
    })
}

fn shaken() -> String {
    let events = jumps().flat_map(|(at, to)| {
        [(0, 1), (0, 2), (1, 1), (1, 2)].map(|(player, deck)| {
            format!(
                r#"{{ "at": {at}, "player": {player}, "deck": {deck}, "act": {{ "seek": {to} }} }}"#
            )
        })
    });
    SHAKEN.replace("JUMPS", &events.collect::<Vec<_>>().join(", "))
}

/// What a client must know of a deck before it is of use.
const NEEDED: [DeckPath; 8] = [
    DeckPath::TrackNetworkPath,
    DeckPath::SongLoaded,
    DeckPath::PlayState,
    DeckPath::SampleRate,
    DeckPath::TrackLength,
    DeckPath::SongName,
    DeckPath::DeckIsMaster,
    DeckPath::ExternalMixerVolume,
];

/// Each takes 12 seconds.
const POWER_CUTS: usize = 8;

fn main() -> Result<()> {
    let mut first = Vec::new();
    for _ in 0..10 {
        let mut bench = Bench::start(SCRIPT)?;
        first.push(bench.until_complete()?);
    }
    report(
        "first announcement heard to all four decks known, ms",
        &first,
        500.0,
    );

    let mut bench = Bench::start(SCRIPT)?;
    bench.until_complete()?;
    let mut back = Vec::new();
    for _ in 0..5 {
        let away = Duration::from_secs(1);
        let broken = bench.break_it(Fault::Restart { secs: 1.0 })?;
        bench.until(|update| update.kind == UpdateKind::Connected)?;
        bench.until_beats()?;
        back.push((broken.elapsed().saturating_sub(away)).as_secs_f64() * 1e3);
    }
    report(
        "power on again, at another port, to positions, ms",
        &back,
        3000.0,
    );

    let mut missed = Vec::new();
    for _ in 0..POWER_CUTS {
        let broken = bench.break_it(Fault::PowerCut { secs: 12.0 })?;
        bench.until(|update| matches!(update.kind, UpdateKind::Lost(Lost::Ended(_))))?;
        missed.push(broken.elapsed().as_secs_f64() * 1e3);
        bench.until(|update| update.kind == UpdateKind::Connected)?;
    }
    report("power cut to loss, ms", &missed, 8000.0);
    println!("without delays:");
    positions(SCRIPT, Errors::default())?;
    println!("28 to 47 ms between frames, ±5.7 ms on the way, jumps every {BETWEEN_JUMPS} s:");
    let jumps = jumps().map(|(at, _)| at).collect();
    positions(
        &shaken(),
        Errors {
            jumps,
            ..Errors::default()
        },
    )
}

fn report(what: &str, millis: &[f64], limit: f64) {
    let worst = millis.iter().copied().fold(0.0, f64::max);
    let mean = millis.iter().sum::<f64>() / millis.len() as f64;
    println!(
        "{what}: worst {worst:.1}, mean {mean:.1} of {} (to reach: {limit})",
        millis.len()
    );
}

/// A client here, players on a thread of their own.
struct Bench {
    runtime: Runtime,
    client: Option<Client>,
    updates: Receiver<Update>,
    orders: tokio::sync::mpsc::Sender<Fault>,
    epoch: Instant,
}

impl Bench {
    fn start(script: &str) -> Result<Self> {
        let script = Script::parse(script)?;
        let (ready, started) = mpsc::channel();
        let (orders, mut faults) = tokio::sync::mpsc::channel(4);
        let (targets, mut target) = tokio::sync::mpsc::channel::<u16>(1);
        std::thread::Builder::new()
            .name("players".to_owned())
            .spawn(move || -> Result<()> {
                Builder::new_current_thread()
                    .enable_all()
                    .build()?
                    .block_on(async {
                        let players = VirtualPlayers::start(VirtualConfig {
                            script,
                            discovery: Discovery::on_this_machine(&[]),
                            files: BTreeMap::new(),
                        })?;
                        ready.send((players.port(), players.epoch()))?;
                        if let Some(port) = target.recv().await {
                            players.announce_to(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
                        }
                        while let Some(fault) = faults.recv().await {
                            players.break_now(0, fault).await;
                        }
                        Ok(())
                    })
            })?;
        let (port, epoch) = started.recv()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (client, updates) = runtime.block_on(async {
            let mut config = Config::new(Identity {
                token: Token::random()?,
                source: "figures".to_owned(),
                software: "figures".to_owned(),
                version: "1".to_owned(),
            });
            config.discovery = Discovery::on_this_machine(&[port]);
            Result::Ok(Client::start(config)?)
        })?;
        targets.blocking_send(client.port())?;
        Ok(Self {
            runtime,
            client: Some(client),
            updates,
            orders,
            epoch,
        })
    }

    fn next(&mut self) -> Result<Update> {
        let next = self.runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(30), self.updates.recv()).await
        })?;
        next.ok_or_else(|| "no updates any more".into())
    }

    fn until(&mut self, wanted: impl Fn(&Update) -> bool) -> Result<Update> {
        loop {
            let update = self.next()?;
            if wanted(&update) {
                return Ok(update);
            }
        }
    }

    fn until_beats(&mut self) -> Result<()> {
        self.until(|update| matches!(update.kind, UpdateKind::Beats(_)))
            .map(drop)
    }

    /// Milliseconds.
    fn until_complete(&mut self) -> Result<f64> {
        let mut known: BTreeMap<(Token, Deck), usize> = BTreeMap::new();
        let mut moving: BTreeMap<Token, bool> = BTreeMap::new();
        let mut first = None;
        loop {
            let update = self.next()?;
            match update.kind {
                UpdateKind::Appeared(_) => {
                    first.get_or_insert(update.at);
                }
                UpdateKind::Beats(_) => {
                    moving.insert(update.device, true);
                }
                UpdateKind::State {
                    path: StatePath::Deck(deck, path),
                    ..
                } if NEEDED.contains(&path) => {
                    *known.entry((update.device, deck)).or_default() += 1;
                }
                _ => {}
            }
            let whole = known
                .values()
                .filter(|count| **count >= NEEDED.len())
                .count();
            if whole == 4 && moving.len() == 2 {
                let took = update.at.saturating_sub(first.unwrap_or_default());
                return Ok(took.as_secs_f64() * 1e3);
            }
        }
    }

    fn break_it(&self, fault: Fault) -> Result<Instant> {
        self.orders.blocking_send(fault)?;
        Ok(Instant::now())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.runtime.block_on(client.close());
        }
    }
}

/// A minute of four decks: the error of what is shown every three milliseconds, and the processor's time.
fn positions(script: &str, mut errors: Errors) -> Result<()> {
    const SECS: u64 = 60;
    let mut bench = Bench::start(script)?;
    let script = Script::parse(script)?;
    let shows = [0, 1].map(|player| Performance::new(&script, player));
    let epoch = bench.client.as_ref().ok_or("no client")?.epoch();
    let mut units: Vec<(Token, UnitClock, [DeckClock; 2])> = Vec::new();
    let began = Instant::now();
    let cpu = ThreadTime::now();
    let mut sample = began + Duration::from_secs(2);
    while began.elapsed() < Duration::from_secs(SECS) {
        let updates = &mut bench.updates;
        let update = bench
            .runtime
            .block_on(async { tokio::time::timeout_at(sample.into(), updates.recv()).await });
        match update {
            Ok(Some(Update {
                device,
                at,
                kind: UpdateKind::Beats(frame),
            })) => {
                if units.iter().all(|(token, ..)| *token != device) {
                    units.push((device, UnitClock::default(), Default::default()));
                    units.sort_by_key(|(token, ..)| *token);
                }
                for (token, clock, decks) in &mut units {
                    if *token == device
                        && let Some(now) = clock.frame(frame.clock_ns, at)
                    {
                        for (deck, beat) in decks.iter_mut().zip(&frame.decks) {
                            deck.set_playing(true);
                            deck.frame(now, beat, 44_100.0);
                        }
                    }
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return Err("no updates any more".into()),
            Err(_elapsed) => {
                sample += Duration::from_millis(3);
                let now = Instant::now();
                for ((_, clock, decks), show) in units.iter().zip(&shows) {
                    let Some(device) = clock.device_time(now.saturating_duration_since(epoch))
                    else {
                        continue;
                    };
                    let script = now.saturating_duration_since(bench.epoch).as_secs_f64();
                    for (index, deck) in decks.iter().enumerate() {
                        if let (Some(shown), Some(truth)) =
                            (deck.at(device), show.at(index, script))
                        {
                            let error = (shown.position_secs - truth.position_secs).abs() * 1e3;
                            errors.take(error, script);
                        }
                    }
                }
            }
        }
    }
    errors.tell();
    println!(
        "a client with four decks on two players, looked at 333 times a second: {:.2} % of one core (to reach: 2)",
        cpu.elapsed().as_secs_f64() / SECS as f64 * 100.0
    );
    Ok(())
}

/// Errors of positions, milliseconds.
#[derive(Default)]
struct Errors {
    /// When decks jump, seconds of the script.
    jumps: Vec<f64>,
    /// But for the first 100 ms after a jump, when nobody can know of it.
    calm: Vec<f64>,
    /// From 100 to 200 ms after a jump.
    after_jumps: Vec<f64>,
}

impl Errors {
    fn take(&mut self, error: f64, script_secs: f64) {
        let since = self.jumps.iter().map(|at| script_secs - at);
        let since_jump = since
            .filter(|since| *since >= 0.0)
            .fold(f64::INFINITY, f64::min);
        if since_jump >= 0.1 {
            self.calm.push(error);
        }
        if (0.1..0.2).contains(&since_jump) {
            self.after_jumps.push(error);
        }
    }

    fn tell(&mut self) {
        let errors = &mut self.calm;
        errors.sort_by(f64::total_cmp);
        let part = |part: f64| {
            let place = (errors.len() as f64 * part) as usize;
            errors.get(place).copied().unwrap_or(f64::NAN)
        };
        println!(
            "position shown against the script's, ms: median {:.2}, p99 {:.2}, p99.9 {:.2}, worst {:.2} of {} (to reach: p99 5)",
            part(0.5),
            part(0.99),
            part(0.999),
            errors.last().copied().unwrap_or(f64::NAN),
            errors.len()
        );
        if !self.after_jumps.is_empty() {
            let worst = self.after_jumps.iter().copied().fold(0.0, f64::max);
            println!(
                "100 to 200 ms after a jump, ms: worst {worst:.2} of {} (to reach: 20)",
                self.after_jumps.len()
            );
        }
    }
}
