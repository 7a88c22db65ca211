//! One player: calls it, carries bytes between its sockets and its session, calls again.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::{Lost, Shared, UpdateKind};
use crate::doctor::{ConnectionHealth, Stage};
use crate::identity::Token;
use crate::net::tcp;
use crate::roster::Device;
use crate::session::{End, Event, Input, Output, Service, Session};

/// To connect, and to get rid of bytes.
const LIMIT: Duration = Duration::from_secs(5);
/// Between ticks of a session.
const TICK: Duration = Duration::from_millis(100);
/// Before the next call after one that failed; doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause between calls.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Bytes read at once.
const PIECE: usize = 16 << 10;

/// What the first task and a worker tell each other.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// The player announces itself.
    pub(super) is_present: AtomicBool,
    /// Its values are known.
    pub(super) is_ready: AtomicBool,
}

/// A running worker; dropping it closes the connections.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) address: SocketAddrV4,
    pub(super) flags: Arc<Flags>,
    pub(super) task: JoinHandle<()>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Calls until the player is gone. Tells `reports` of every end, `None` after a good conversation.
pub(super) async fn serve(
    device: Device,
    own: Token,
    shared: Arc<Shared>,
    flags: Arc<Flags>,
    reports: mpsc::Sender<Option<End>>,
) {
    let token = device.identity.token;
    let mut pause = FIRST_PAUSE;
    loop {
        let mut call = Call::new(&device, own, &shared, &flags);
        let end = call.converse().await;
        drop(call);
        let was_ready = flags.is_ready.swap(false, Ordering::Relaxed);
        let now = shared.now();
        shared.health().connection(&device, now).ended(&end, now);
        tracing::debug!(player = %device.identity.source, %end, "conversation over");
        if was_ready {
            pause = FIRST_PAUSE;
            shared
                .tell(token, now, UpdateKind::Lost(Lost::Ended(end.clone())))
                .await;
        }
        if reports.send((!was_ready).then_some(end)).await.is_err() {
            return;
        }
        if !flags.is_present.load(Ordering::Relaxed) {
            return;
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Main connection first, then services.
type Link = Option<Service>;

#[derive(Debug)]
enum News {
    Opened(OwnedWriteHalf, u16),
    Bytes(Vec<u8>),
    Closed,
}

#[derive(Debug)]
struct Incoming {
    link: Link,
    /// Counts connections, so that the end of an old one is not taken for that of its successor.
    number: u64,
    at: Duration,
    news: News,
}

#[derive(Debug)]
struct Socket {
    number: u64,
    writer: Option<OwnedWriteHalf>,
    task: AbortHandle,
}

/// One conversation.
struct Call<'a> {
    device: &'a Device,
    shared: &'a Arc<Shared>,
    flags: &'a Flags,
    session: Session,
    sockets: BTreeMap<Link, Socket>,
    tasks: JoinSet<()>,
    numbers: u64,
    sender: mpsc::Sender<Incoming>,
    receiver: mpsc::Receiver<Incoming>,
    at: Duration,
}

impl<'a> Call<'a> {
    fn new(device: &'a Device, own: Token, shared: &'a Arc<Shared>, flags: &'a Flags) -> Self {
        let (sender, receiver) = mpsc::channel(32);
        Self {
            device,
            shared,
            flags,
            session: Session::new(own, shared.extra_paths.clone()),
            sockets: BTreeMap::new(),
            tasks: JoinSet::new(),
            numbers: 0,
            sender,
            receiver,
            at: shared.now(),
        }
    }

    fn health(&self, change: impl FnOnce(&mut ConnectionHealth, Duration)) {
        let now = self.shared.now();
        change(self.shared.health().connection(self.device, now), now);
    }

    async fn converse(&mut self) -> End {
        self.health(|health, now| health.enter(Stage::Calling, now));
        self.connect(None, self.device.address.port());
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(incoming) = self.receiver.recv() => self.take(incoming),
                _ = tick.tick() => {
                    self.at = self.shared.now();
                    self.session.handle(Input::Tick, self.at);
                }
                Some(ended) = self.tasks.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!(%error, "a connection's task");
                    }
                }
            }
            if let Some(end) = self.drain().await {
                return end;
            }
        }
    }

    fn connect(&mut self, link: Link, port: u16) {
        self.numbers += 1;
        let number = self.numbers;
        let peer = SocketAddrV4::new(*self.device.address.ip(), port);
        let (from, shared, sender) = (
            self.device.interface,
            Arc::clone(self.shared),
            self.sender.clone(),
        );
        let task = self.tasks.spawn(async move {
            let tell = async |news| {
                let at = shared.now();
                sender
                    .send(Incoming {
                        link,
                        number,
                        at,
                        news,
                    })
                    .await
                    .is_ok()
            };
            match tcp::connect(from, peer, LIMIT).await {
                Err(error) => tracing::debug!(%peer, %error, "cannot connect"),
                Ok(stream) => {
                    let port = stream.local_addr().map_or(0, |address| address.port());
                    let (mut reader, writer) = stream.into_split();
                    let mut heard = tell(News::Opened(writer, port)).await;
                    let mut buffer = vec![0; PIECE];
                    while heard && let Ok(length @ 1..) = reader.read(&mut buffer).await {
                        let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                        heard = tell(News::Bytes(bytes)).await;
                    }
                }
            }
            tell(News::Closed).await;
        });
        let socket = Socket {
            number,
            writer: None,
            task,
        };
        if let Some(older) = self.sockets.insert(link, socket) {
            older.task.abort();
        }
    }

    fn take(&mut self, incoming: Incoming) {
        let Some(socket) = self.sockets.get_mut(&incoming.link) else {
            return;
        };
        if socket.number != incoming.number {
            return;
        }
        self.at = incoming.at;
        let input = match (&incoming.news, incoming.link) {
            (News::Opened(_, port), Some(service)) => Input::ServiceOpened(service, *port),
            (News::Opened(..), None) => Input::Opened,
            (News::Bytes(bytes), Some(service)) => Input::ServiceReceived(service, bytes),
            (News::Bytes(bytes), None) => Input::Received(bytes),
            (News::Closed, Some(service)) => Input::ServiceClosed(service),
            (News::Closed, None) => Input::Closed,
        };
        self.session.handle(input, self.at);
        match incoming.news {
            News::Opened(writer, _) => {
                socket.writer = Some(writer);
                if incoming.link.is_none() {
                    self.health(|health, now| health.enter(Stage::Waiting, now));
                }
            }
            News::Bytes(_) => {}
            News::Closed => socket.writer = None,
        }
    }

    async fn drain(&mut self) -> Option<End> {
        while let Some(output) = self.session.poll() {
            match output {
                Output::Send(bytes) => {
                    if !self.write(None, &bytes).await {
                        self.session.handle(Input::Closed, self.at);
                    }
                }
                Output::SendTo(service, bytes) => {
                    if !self.write(Some(service), &bytes).await {
                        self.session.handle(Input::ServiceClosed(service), self.at);
                    }
                }
                Output::Open(service, port) => self.connect(Some(service), port),
                Output::Event(event) => self.tell(event).await,
                Output::End(end) => return Some(end),
            }
        }
        None
    }

    async fn write(&mut self, link: Link, bytes: &[u8]) -> bool {
        let socket = self.sockets.get_mut(&link);
        let Some(writer) = socket.and_then(|socket| socket.writer.as_mut()) else {
            return false;
        };
        matches!(timeout(LIMIT, writer.write_all(bytes)).await, Ok(Ok(())))
    }

    async fn tell(&self, event: Event) {
        let token = self.device.identity.token;
        let kind = match event {
            Event::Offers { service, port } => {
                self.health(|health, _| {
                    health.services.insert(service, port);
                });
                return;
            }
            Event::RoundTrip(time) => {
                self.health(|health, _| health.round_trip = Some(time));
                return;
            }
            Event::Ready => {
                self.flags.is_ready.store(true, Ordering::Relaxed);
                self.health(|health, now| health.enter(Stage::Ready, now));
                UpdateKind::Connected
            }
            Event::Beats(frame) => {
                let clock_ns = frame.clock_ns;
                // The next one comes soon and says more.
                let told = self
                    .shared
                    .tell_now(token, self.at, UpdateKind::Beats(frame));
                self.health(|health, _| {
                    health.frame(clock_ns, self.at);
                    health.dropped += u64::from(!told);
                });
                return;
            }
            Event::State { path, value } => UpdateKind::State { path, value },
            Event::Broadcast(news) => UpdateKind::Broadcast(news),
        };
        self.shared.tell(token, self.at, kind).await;
    }
}
