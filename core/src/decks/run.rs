//! The thread of the decks: sockets, time and the library around what is pure. It is there while decks are wanted.

use super::apply::{Heard, Table, Time};
use super::command::{DecksCommand, Listen, Recording, Source};
use super::recognise::Recogniser;
use super::scripts;
use super::tape::{Recorder, Tally, replay};
use super::view::{Databases, DecksState, DecksView};
use super::{DeckId, NetworkView, UnitId};
use crate::core_loop::Reader;
use crate::core_loop::view::{Rows, View};
use crate::failure::{Failure, FailureKind};
use crate::track::TrackId;
use arc_swap::ArcSwap;
use stagelinq::virtual_player::{VirtualConfig, VirtualPlayers};
use stagelinq::{Client, Config, Discovery, Identity, Token, Update, UpdateKind};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// Orders that may wait.
const ORDERS: usize = 64;
/// Updates taken before a view is published.
const BATCH: usize = 512;
/// A view is published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(10);
/// How often a change of the library is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long reads of the library are waited for at the end.
const LAST_READS: Duration = Duration::from_secs(1);

/// News for the core loop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DecksNews {
    /// How this program announces itself, to be kept.
    Token([u8; 16]),
    /// What is found at these places, or by these identities, is this track; `None`: whatever is found there.
    Pin {
        names: Vec<String>,
        track: Option<TrackId>,
    },
}

/// What the thread works with.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) view: Arc<ArcSwap<DecksView>>,
    pub(crate) library: Arc<ArcSwap<View>>,
    pub(crate) reader: Reader,
    /// The token that was kept, if one was.
    pub(crate) token: Option<[u8; 16]>,
    pub(crate) tell: Arc<dyn Fn(DecksNews) + Send + Sync>,
    pub(crate) wake: Arc<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// Starts and ends the thread. Dropping it ends it, with a goodbye to the players.
#[derive(Debug)]
pub(crate) struct Desk {
    surroundings: Surroundings,
    orders: Option<mpsc::Sender<DecksCommand>>,
    thread: Option<JoinHandle<()>>,
}

impl Desk {
    pub(crate) fn new(surroundings: Surroundings) -> Self {
        Self {
            surroundings,
            orders: None,
            thread: None,
        }
    }

    pub(crate) fn carry_out(&mut self, command: DecksCommand) {
        match command {
            DecksCommand::Start(listen) => {
                self.end();
                self.start(listen);
            }
            // The thread says goodbye by itself; nobody waits for it here.
            DecksCommand::Stop => self.orders = None,
            other => {
                let orders = self.orders.as_ref();
                if orders.is_none_or(|orders| orders.try_send(other).is_err()) {
                    tracing::warn!("the decks take no orders");
                }
            }
        }
    }

    /// Announced like this from the next start on.
    pub(crate) fn keep_token(&mut self, token: [u8; 16]) {
        self.surroundings.token = Some(token);
    }

    fn start(&mut self, listen: Listen) {
        let (orders, waiting) = mpsc::channel(ORDERS);
        let surroundings = self.surroundings.clone();
        let spawned = std::thread::Builder::new()
            .name("decks".to_owned())
            .spawn(move || run(&surroundings, &listen, waiting));
        match spawned {
            Ok(thread) => {
                self.thread = Some(thread);
                self.orders = Some(orders);
            }
            Err(error) => {
                let failure = Failure::from_io(&error);
                publish(&self.surroundings, failed(failure));
            }
        }
    }

    fn end(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the decks panicked");
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.end();
    }
}

fn publish(surroundings: &Surroundings, view: DecksView) {
    surroundings.view.store(Arc::new(view));
    (surroundings.wake)();
}

fn failed(failure: Failure) -> DecksView {
    DecksView {
        state: DecksState::Failed(failure),
        ..DecksView::default()
    }
}

fn run(surroundings: &Surroundings, listen: &Listen, orders: mpsc::Receiver<DecksCommand>) {
    let last = match runtime() {
        Err(failure) => failed(failure),
        Ok(runtime) => {
            let ended = runtime.block_on(async {
                match Session::start(surroundings, listen).await {
                    Err(failure) => failed(failure),
                    Ok(session) => {
                        session.run(orders).await;
                        DecksView::default()
                    }
                }
            });
            runtime.shutdown_timeout(LAST_READS);
            ended
        }
    };
    publish(surroundings, last);
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("decks")
        .max_blocking_threads(4)
        .build()
        .map_err(|error| Failure::from_io(&error))
}

/// Where updates come from, and what has to live as long.
struct Line {
    client: Option<Client>,
    players: Option<VirtualPlayers>,
    tally: Option<Arc<Tally>>,
    simulated: Option<Arc<str>>,
    updates: mpsc::Receiver<Update>,
    time: Time,
}

/// One time of listening.
struct Session<'a> {
    surroundings: &'a Surroundings,
    line: Line,
    table: Table,
    recogniser: Recogniser,
    rows: Rows,
    pins: Arc<BTreeMap<String, TrackId>>,
    network: Arc<NetworkView>,
    recorder: Option<Recorder>,
    trouble: Option<Failure>,
    is_over: bool,
    heard: Heard,
    /// When a view is due.
    due: Option<Instant>,
}

impl<'a> Session<'a> {
    async fn start(surroundings: &'a Surroundings, listen: &Listen) -> Result<Self, Failure> {
        let line = open(surroundings, listen).await?;
        let mut session = Self {
            surroundings,
            line,
            table: Table::default(),
            recogniser: Recogniser::new(surroundings.reader.clone()),
            rows: Rows::default(),
            pins: Arc::default(),
            network: Arc::default(),
            recorder: None,
            trouble: None,
            is_over: false,
            heard: Heard::NEWS,
            due: None,
        };
        if let Some(recording) = &listen.record {
            session.record(recording)?;
        }
        session.publish();
        Ok(session)
    }

    /// Until nobody gives orders any more.
    async fn run(mut self, mut orders: mpsc::Receiver<DecksCommand>) {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks = 0_u32;
        loop {
            let due = self.due.unwrap_or_else(Instant::now);
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => break,
                },
                update = self.line.updates.recv(), if !self.is_over => match update {
                    Some(update) => self.take(update),
                    // The end of a replay.
                    None => self.end_of_replay(),
                },
                () = self.recogniser.news() => self.heard = self.heard.and(Heard::NEWS),
                () = sleep_until(due), if self.due.is_some() => self.show(),
                _ = tick.tick() => {
                    self.look_at_library();
                    if ticks.is_multiple_of(4) {
                        self.every_second();
                    }
                    ticks = ticks.wrapping_add(1);
                }
            }
            let is_wanted = self.heard.is_news || self.heard.has_moved || self.heard.is_identity;
            if is_wanted && self.due.is_none() {
                self.due = Some(Instant::now() + PUBLISH_EVERY);
            }
        }
        if let Some(client) = self.line.client.take() {
            client.close().await;
        }
        if let Some(players) = self.line.players.take() {
            players.close().await;
        }
    }

    fn take(&mut self, update: Update) {
        self.apply(update);
        for _ in 0..BATCH {
            match self.line.updates.try_recv() {
                Ok(update) => self.apply(update),
                Err(_) => break,
            }
        }
    }

    fn apply(&mut self, update: Update) {
        if let Some(recorder) = &mut self.recorder {
            recorder.take(&update);
        }
        if let UpdateKind::TokenChanged(Token(token)) = update.kind {
            (self.surroundings.tell)(DecksNews::Token(token));
        }
        self.heard = self.heard.and(self.table.apply(update));
    }

    fn obey(&mut self, order: DecksCommand) {
        match order {
            DecksCommand::Pin { deck, track } => self.pin(deck, track),
            DecksCommand::Record(recording) => self.trouble = self.record(&recording).err(),
            DecksCommand::StopRecording => self.recorder = None,
            DecksCommand::ReadDatabases(unit) => self.read_databases(unit),
            DecksCommand::Start(_) | DecksCommand::Stop => return,
        }
        self.heard = self.heard.and(Heard::NEWS);
    }

    fn read_databases(&mut self, id: UnitId) {
        let client = self.line.client.as_ref();
        let place = client.and_then(|client| client.file_place(id.into()));
        let unit = self.table.unit_mut(id);
        match (place, unit) {
            (Some(place), Some(unit)) if unit.databases != Databases::Reading => {
                unit.databases = Databases::Reading;
                self.recogniser.read_databases(id, place);
            }
            (None, _) => {
                self.trouble = Some(Failure::new(
                    FailureKind::Missing,
                    "the player serves no files",
                    "Try again when it is connected",
                ));
            }
            _ => {}
        }
    }

    fn record(&mut self, recording: &Recording) -> Result<(), Failure> {
        // The one before is whole before a new one begins.
        self.recorder = None;
        let mut recorder = Recorder::start(&recording.file, recording.redact)?;
        for update in self.table.history(self.now()) {
            recorder.take(&update);
        }
        self.recorder = Some(recorder);
        Ok(())
    }

    fn end_of_replay(&mut self) {
        self.is_over = true;
        self.trouble = self.line.tally.as_ref().and_then(|tally| tally.trouble());
        self.heard = self.heard.and(Heard::NEWS);
    }

    fn pin(&self, id: DeckId, track: Option<TrackId>) {
        let view = self.surroundings.view.load();
        let Some((_, deck)) = view.deck(id) else {
            return;
        };
        let place = deck.place.as_ref().map(|place| place.text.clone());
        let source = deck.source.as_ref().map(ToString::to_string);
        let names: Vec<String> = place.into_iter().chain(source).collect();
        if !names.is_empty() {
            (self.surroundings.tell)(DecksNews::Pin { names, track });
        }
    }

    fn every_second(&mut self) {
        let now = self.now();
        self.heard = self.heard.and(self.table.expire(now));
        for (_, unit) in self.table.units_mut() {
            unit.forget_news(now);
        }
        if let Some(trouble) = self.recorder.as_mut().and_then(Recorder::trouble) {
            self.recorder = None;
            self.trouble = Some(trouble);
            self.heard = self.heard.and(Heard::NEWS);
        }
        if let Some(client) = &self.line.client {
            let network = NetworkView::from(&client.health());
            self.heard.is_news |= !network.is_like(&self.network);
            self.heard.has_moved = true;
            self.network = Arc::new(network);
        }
    }

    fn look_at_library(&mut self) {
        self.heard = self.heard.and(self.table.settle(self.now()));
        let library = self.surroundings.library.load();
        if !library.rows.is_same(&self.rows) {
            self.rows = library.rows.clone();
            self.recogniser.look_through(self.rows.clone());
        }
        if !Arc::ptr_eq(&library.pins, &self.pins) {
            self.pins = Arc::clone(&library.pins);
            self.heard = self.heard.and(Heard::NEWS);
        }
    }

    /// In the time of the updates.
    fn now(&self) -> Duration {
        let Time { epoch, rate } = self.line.time;
        epoch.elapsed().mul_f64(rate)
    }

    fn show(&mut self) {
        self.due = None;
        let heard = std::mem::take(&mut self.heard);
        if heard.is_news || heard.is_identity {
            let trouble = self.recogniser.recognise(&mut self.table, &self.pins);
            self.trouble = trouble.or(self.trouble.take());
        }
        self.publish();
        if heard.is_news || heard.is_identity {
            (self.surroundings.wake)();
        }
    }

    fn publish(&self) {
        self.surroundings.view.store(Arc::new(DecksView {
            state: DecksState::Running,
            units: self.table.views(self.line.time),
            network: Arc::clone(&self.network),
            simulated: self.line.simulated.clone(),
            recording: self
                .recorder
                .as_ref()
                .map(|recorder| Arc::clone(&recorder.file)),
            is_over: self.is_over,
            trouble: self.trouble.clone(),
        }));
    }
}

async fn open(surroundings: &Surroundings, listen: &Listen) -> Result<Line, Failure> {
    if let Source::Replay { file, rate } = &listen.from {
        let replay = replay(file, *rate).await?;
        return Ok(Line {
            client: None,
            players: None,
            tally: Some(replay.tally),
            simulated: None,
            updates: replay.updates,
            time: Time {
                epoch: Instant::now().into_std(),
                rate: *rate,
            },
        });
    }
    let mut config = Config::new(Identity {
        token: own_token(surroundings)?,
        source: "tonearm".to_owned(),
        software: "Tonearm".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    let (players, simulated) = match &listen.from {
        Source::Network | Source::Replay { .. } => {
            if let Some(interface) = listen.interface {
                config.discovery = config.discovery.only_on(interface);
            }
            (None, None)
        }
        Source::Simulation(name) => {
            let players = simulate(name)?;
            config.discovery = Discovery::on_this_machine(&[players.port()]);
            (Some(players), Some(Arc::from(name.as_str())))
        }
    };
    let (client, updates) = Client::start(config).map_err(|error| {
        Failure::new(
            FailureKind::Unreadable,
            error.to_string(),
            "Close other programs that listen to players, such as Engine DJ or SoundSwitch, and start again",
        )
    })?;
    if let Some(players) = &players {
        players.announce_to(SocketAddrV4::new(Ipv4Addr::LOCALHOST, client.port()));
    }
    Ok(Line {
        time: Time {
            epoch: client.epoch(),
            rate: 1.0,
        },
        client: Some(client),
        players,
        tally: None,
        simulated,
        updates,
    })
}

/// The one that was kept, or a new one to be kept.
fn own_token(surroundings: &Surroundings) -> Result<Token, Failure> {
    let kept = surroundings.token.map(Token);
    if let Some(token) = kept.filter(|token| token.suits_client()) {
        return Ok(token);
    }
    let token = Token::random()
        .map_err(|error| Failure::new(FailureKind::Bug, error.to_string(), "Try again"))?;
    (surroundings.tell)(DecksNews::Token(token.0));
    Ok(token)
}

/// Starts virtual players on this machine.
fn simulate(name: &str) -> Result<VirtualPlayers, Failure> {
    let script = scripts::load(name)?;
    VirtualPlayers::start(VirtualConfig {
        files: scripts::media(name, &script),
        script,
        discovery: Discovery::on_this_machine(&[]),
    })
    .map_err(|error| scripts::refused(error.to_string()))
}
