//! Virtual players: machines on the network that do what a [`Script`] says, for tests, for
//! rehearsal without hardware, and for trying clients.
//!
//! Each announces itself with its two analysis processes, answers the directory, serves state
//! map, positions, broadcast and files, and breaks in the ways that real ones do.

mod dial;
mod files;
mod happening;
mod motion;
mod script;
mod serve;
mod services;
mod unit;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

pub use happening::{Happened, Happening};
pub use motion::{Performance, Truth};
pub use script::{Act, Event, Fault, MAX_PLAYERS, PlayerSpec, Script, ScriptError, TrackSpec};

use crate::identity::Token;
use crate::net::{Discovery, Targets, udp};
use crate::wire::discovery::{Action, Announcement};

/// Callers remembered, by address.
const MAX_HEARD: usize = 256;
/// Failures in a row after which nobody is heard any more.
const MAX_FAILURES: u32 = 1000;

/// How to run virtual players.
#[derive(Debug, Clone)]
pub struct VirtualConfig {
    /// What they do.
    pub script: Script,
    /// Where they announce themselves and hear others. On this machine alone, services are
    /// reached there alone too.
    pub discovery: Discovery,
    /// Files by path: `/DEMO (USB 1)/Engine Library/Database2/m.db`.
    pub files: BTreeMap<String, Arc<[u8]>>,
}

/// Why virtual players cannot start.
#[derive(Debug, thiserror::Error)]
pub enum VirtualError {
    /// Not called from a tokio runtime.
    #[error("virtual players need a tokio runtime around them")]
    NoRuntime,
    /// The script cannot be performed.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The port of the announcements cannot be shared.
    #[error("announcements cannot be heard: {0}")]
    Port(io::Error),
}

/// What clients did, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls to directories.
    pub calls: u64,
    /// Calls turned away, because the caller was not heard before.
    pub refused: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Values that a client tried to write.
    pub writes: u64,
    /// Signs of life that clients sent.
    pub references: u64,
}

/// What all tasks share.
#[derive(Debug)]
struct Stage {
    epoch: Instant,
    bind: Ipv4Addr,
    targets: Mutex<Targets>,
    heard: Mutex<BTreeSet<Ipv4Addr>>,
    happenings: Option<mpsc::Sender<Happening>>,
    /// Directories that others announce.
    callees: broadcast::Sender<SocketAddrV4>,
    tokens: Vec<Token>,
    counts: Mutex<Counts>,
    files: BTreeMap<String, Arc<[u8]>>,
}

impl Stage {
    fn secs(&self) -> f64 {
        self.epoch.elapsed().as_secs_f64()
    }

    fn targets(&self) -> Targets {
        self.targets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Tells whoever listens; what cannot be taken at once is left out.
    fn tell(&self, player: Option<usize>, what: Happened) {
        if let Some(happenings) = &self.happenings {
            let at = self.epoch.elapsed();
            if happenings.try_send(Happening { at, player, what }).is_err() {
                tracing::trace!("a happening that nobody takes");
            }
        }
    }

    /// Remembers an address. Whether it is a new one.
    fn hear(&self, address: Ipv4Addr) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.len() < MAX_HEARD && heard.insert(address)
    }

    /// Whether one of the players has this token, or one of their analysis processes.
    fn is_ours(&self, token: Token) -> bool {
        let is_like = |own: &Token| own.0[1..] == token.0[1..] && own.0[0] ^ token.0[0] < 3;
        self.tokens.iter().any(is_like)
    }

    fn has_heard(&self, address: Ipv4Addr) -> bool {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&address)
    }
}

/// Running virtual players. Dropping them cuts their power; [`Self::close`] says goodbye first.
#[derive(Debug)]
pub struct VirtualPlayers {
    stage: Arc<Stage>,
    shows: Vec<Arc<Performance>>,
    tokens: Vec<Token>,
    faults: Vec<mpsc::Sender<Fault>>,
    tasks: Vec<JoinHandle<()>>,
    listener: JoinHandle<()>,
    port: u16,
}

impl VirtualPlayers {
    /// Starts all players of a script, on tasks of the tokio runtime that this is called from.
    pub fn start(config: VirtualConfig) -> Result<Self, VirtualError> {
        Self::start_told(config, None)
    }

    /// As [`Self::start`]; what happens is told to `happenings` as far as it has room.
    pub fn start_told(
        config: VirtualConfig,
        happenings: Option<mpsc::Sender<Happening>>,
    ) -> Result<Self, VirtualError> {
        tokio::runtime::Handle::try_current().map_err(|_outside| VirtualError::NoRuntime)?;
        config.script.check()?;
        let listener = udp::shared(config.discovery.listen).map_err(VirtualError::Port)?;
        let port = listener.local_addr().map_err(VirtualError::Port)?.port();
        let bind = match config.discovery.targets {
            Targets::Everybody { .. } => Ipv4Addr::UNSPECIFIED,
            Targets::On { interface, .. } => interface,
            Targets::Only(_) => *config.discovery.listen.ip(),
        };
        let specs = config.script.players.iter().enumerate();
        let tokens: Vec<_> = specs.map(|(index, spec)| token_of(spec, index)).collect();
        let stage = Arc::new(Stage {
            epoch: Instant::now(),
            bind,
            targets: Mutex::new(config.discovery.targets),
            heard: Mutex::default(),
            happenings,
            callees: broadcast::channel(64).0,
            tokens: tokens.clone(),
            counts: Mutex::default(),
            files: config.files,
        });
        let mut players = Self {
            listener: tokio::spawn(listen(listener, Arc::clone(&stage))),
            stage,
            shows: Vec::new(),
            tokens,
            faults: Vec::new(),
            tasks: Vec::new(),
            port,
        };
        for (index, spec) in config.script.players.iter().enumerate() {
            let token = token_of(spec, index);
            let show = Arc::new(Performance::new(&config.script, index));
            let (faults, orders) = mpsc::channel(16);
            let unit = unit::Unit {
                index,
                spec: spec.clone(),
                token,
                seed: config.script.seed.wrapping_add(index as u64),
                show: Arc::clone(&show),
                stage: Arc::clone(&players.stage),
            };
            players.tasks.push(tokio::spawn(unit.run(orders)));
            players.shows.push(show);
            players.faults.push(faults);
        }
        Ok(players)
    }

    /// The UDP port where they hear announcements.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Announce to this address as well, when not to everybody.
    pub fn announce_to(&self, target: SocketAddrV4) {
        let mut targets = self
            .stage
            .targets
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Targets::Only(list) = &mut *targets
            && !list.contains(&target)
        {
            list.push(target);
        }
    }

    /// Who a player is, by its place in the script.
    pub fn token(&self, player: usize) -> Option<Token> {
        self.tokens.get(player).copied()
    }

    /// Time since the start of the script.
    pub fn elapsed(&self) -> Duration {
        self.stage.epoch.elapsed()
    }

    /// When the script started.
    pub fn epoch(&self) -> std::time::Instant {
        self.stage.epoch.into_std()
    }

    /// The truth about a player's decks.
    pub fn show(&self, player: usize) -> Option<&Performance> {
        self.shows.get(player).map(AsRef::as_ref)
    }

    /// What clients did.
    pub fn counts(&self) -> Counts {
        *self
            .stage
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks something now. False when there is no such player.
    pub async fn break_now(&self, player: usize, fault: Fault) -> bool {
        match self.faults.get(player) {
            Some(sender) => sender.send(fault).await.is_ok(),
            None => false,
        }
    }

    /// Says goodbye for all, and closes.
    pub async fn close(mut self) {
        self.faults.clear();
        for task in &mut self.tasks {
            // One in the middle of a power cut is not waited for.
            if timeout(Duration::from_secs(2), &mut *task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for VirtualPlayers {
    fn drop(&mut self) {
        self.listener.abort();
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn token_of(spec: &PlayerSpec, index: usize) -> Token {
    let parsed = spec.token.as_ref().and_then(|text| text.parse().ok());
    parsed.unwrap_or_else(|| {
        let mut bytes = *b"\x8f\xba\x5c\xed\x93\x81\x4d\x5c\xb3\x34virtu\0";
        if let Some(last) = bytes.last_mut() {
            *last = index as u8;
        }
        Token(bytes)
    })
}

/// Remembers who announced themselves.
async fn listen(socket: UdpSocket, stage: Arc<Stage>) {
    let mut datagram = vec![0; 2048];
    let mut failures = 0;
    while failures < MAX_FAILURES {
        let Ok((length, SocketAddr::V4(from))) = socket.recv_from(&mut datagram).await else {
            failures += 1;
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        failures = 0;
        let bytes = datagram.get(..length).unwrap_or_default();
        let Ok(announcement) = Announcement::decode(bytes) else {
            continue;
        };
        let identity = announcement.identity;
        let is_ours = stage.is_ours(identity.token);
        match announcement.action {
            Action::Present => {
                let callee = SocketAddrV4::new(*from.ip(), announcement.port);
                if !is_ours && callee.port() != 0 && stage.callees.send(callee).is_err() {
                    tracing::trace!("no player dials");
                }
                if stage.hear(*from.ip()) && !is_ours {
                    let address = *from.ip();
                    stage.tell(None, Happened::Heard { identity, address });
                }
            }
            Action::Leaving if is_ours => {}
            Action::Leaving => {
                let address = *from.ip();
                stage.tell(None, Happened::Goodbye { identity, address });
            }
        }
    }
}

#[cfg(test)]
mod tests;
