//! The client: hears announcements, calls players, keeps the connections, and tells what they say.

mod run;
mod worker;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::doctor::Health;
use crate::files::FilePlace;
use crate::identity::{Identity, Token};
use crate::net::Discovery;
use crate::path::StatePath;
use crate::roster::Device;
use crate::session::End;
use crate::wire::beat_info::BeatFrame;
use crate::wire::broadcast::Broadcast;
use crate::wire::state_map::Value;

/// How to run a client.
#[derive(Debug, Clone)]
pub struct Config {
    /// How we announce ourselves. The token should be the same at every start:
    /// [`Token::random`] once, then kept.
    pub identity: Identity,
    /// Where announcements go.
    pub discovery: Discovery,
    /// Paths of the state map to subscribe to beside [`StatePath::wanted`].
    pub extra_paths: Vec<String>,
    /// Updates that can wait. When they do, players wait too, and positions are left out.
    pub queue: usize,
}

impl Config {
    /// On all networks, with nothing extra.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            discovery: Discovery::default(),
            extra_paths: Vec::new(),
            queue: 1024,
        }
    }
}

/// Something that a player did or said.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Which player.
    pub device: Token,
    /// When it arrived, since [`Client::epoch`].
    pub at: Duration,
    /// What.
    pub kind: UpdateKind,
}

/// What a player did or said.
#[derive(Debug, Clone, PartialEq)]
pub enum UpdateKind {
    /// It announces itself, for the first time or at another address.
    Appeared(Device),
    /// Its values come now, each at least once.
    Connected,
    /// A value.
    State {
        /// Which.
        path: StatePath,
        /// What.
        value: Value,
    },
    /// Positions of its decks, about 29 times a second.
    Beats(BeatFrame),
    /// News of its library.
    Broadcast(Broadcast),
    /// Nothing of what it said holds any more. After all but a goodbye it is called again.
    Lost(Lost),
    /// A second device has the same token and is not used.
    Clash([Ipv4Addr; 2]),
    /// No player accepts our token; this is the new one, to be kept.
    TokenChanged(Token),
}

/// Why a player is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// It said goodbye.
    Goodbye,
    /// It is not heard any more.
    Silence,
    /// It restarted, or was plugged in elsewhere.
    Moved,
    /// The conversation ended.
    Ended(End),
}

/// Why a client cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Not called from a tokio runtime.
    #[error("the client needs a tokio runtime around it")]
    NoRuntime,
    /// The port of the announcements cannot be shared: a program holds it for itself alone.
    #[error("announcements cannot be heard at {listen}: {error}")]
    Port {
        /// Where.
        listen: SocketAddrV4,
        /// Why.
        error: io::Error,
    },
}

/// A running client. Dropping it says goodbye and closes everything.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
    port: u16,
}

impl Client {
    /// Starts to announce and to listen, on tasks of the tokio runtime that this is called from.
    pub fn start(config: Config) -> Result<(Self, mpsc::Receiver<Update>), StartError> {
        tokio::runtime::Handle::try_current().map_err(|_outside| StartError::NoRuntime)?;
        let (updates, receiver) = mpsc::channel(config.queue.max(1));
        let shared = Arc::new(Shared {
            epoch: Instant::now(),
            health: Mutex::new(Health::default()),
            updates,
            extra_paths: config.extra_paths,
        });
        shared.health().own = config.identity.token;
        let listen = config.discovery.listen;
        let run = run::Run::new(config.identity, config.discovery, Arc::clone(&shared))
            .map_err(|error| StartError::Port { listen, error })?;
        let port = run.port();
        let (stop, stopped) = watch::channel(false);
        let client = Self {
            shared,
            stop,
            task: Some(tokio::spawn(run.run(stopped))),
            port,
        };
        Ok((client, receiver))
    }

    /// The start of all times in updates and [`Health`].
    pub fn epoch(&self) -> std::time::Instant {
        self.shared.epoch.into_std()
    }

    /// The UDP port where announcements are heard.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What was sent, heard and measured up to now.
    pub fn health(&self) -> Health {
        let mut health = self.shared.health().clone();
        health.now = self.shared.now();
        health
    }

    /// Where a connected player serves files; `None` when it does not. For
    /// [`Files::connect`](crate::files::Files::connect).
    pub fn file_place(&self, device: Token) -> Option<FilePlace> {
        let health = self.shared.health();
        let connection = health.connections.get(&device)?;
        let port = *connection.services.get("FileTransfer")?;
        Some(FilePlace {
            address: SocketAddrV4::new(*connection.device.address.ip(), port),
            interface: connection.device.interface,
            own: health.own,
        })
    }

    /// Says goodbye and waits until everything is closed.
    pub async fn close(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "the client did not end well");
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// What all tasks of a client share.
#[derive(Debug)]
struct Shared {
    epoch: Instant,
    health: Mutex<Health>,
    updates: mpsc::Sender<Update>,
    extra_paths: Vec<String>,
}

impl Shared {
    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the queue is full. An error is a receiver that is gone, which the client's
    /// owner knows best.
    async fn tell(&self, device: Token, at: Duration, kind: UpdateKind) {
        if self
            .updates
            .send(Update { device, at, kind })
            .await
            .is_err()
        {
            tracing::trace!("nobody listens to updates");
        }
    }

    /// Does not wait. False when the queue is full.
    fn tell_now(&self, device: Token, at: Duration, kind: UpdateKind) -> bool {
        self.updates.try_send(Update { device, at, kind }).is_ok()
    }
}
