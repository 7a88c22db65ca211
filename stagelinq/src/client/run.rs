//! The client's first task: announcements out and in, and one worker for each player.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::worker::{self, Flags, Worker};
use super::{Lost, Shared, UpdateKind};
use crate::identity::{Identity, Token};
use crate::net::Discovery;
use crate::net::udp::{self, Speaker};
use crate::roster::{Change, Departure, Device, Roster};
use crate::session::End;
use crate::wire::discovery::{Action, Announcement};

/// Between announcements, as players do.
const ANNOUNCE: Duration = Duration::from_secs(1);
/// Networks are listed again after this many announcements.
const RESCAN: u32 = 3;
/// Players called at a time.
const MAX_WORKERS: usize = 16;
/// Conversations refused in a row, by all players, before another token is tried.
const REFUSALS: u32 = 3;
/// How long one update of ours may wait for room.
const PATIENCE: Duration = Duration::from_millis(100);

/// Everything of the first task.
#[derive(Debug)]
pub(super) struct Run {
    shared: Arc<Shared>,
    identity: Identity,
    roster: Roster,
    speaker: Speaker,
    listener: UdpSocket,
    port: u16,
    workers: BTreeMap<Token, Worker>,
    reports: (mpsc::Sender<Option<End>>, mpsc::Receiver<Option<End>>),
    refusals: u32,
    has_new_token: bool,
    rounds: u32,
}

impl Run {
    pub(super) fn new(
        identity: Identity,
        discovery: Discovery,
        shared: Arc<Shared>,
    ) -> io::Result<Self> {
        let listener = udp::shared(discovery.listen)?;
        let port = listener.local_addr()?.port();
        Ok(Self {
            shared,
            roster: Roster::new(&identity),
            identity,
            speaker: Speaker::new(discovery.targets),
            listener,
            port,
            workers: BTreeMap::new(),
            reports: mpsc::channel(64),
            refusals: 0,
            has_new_token: false,
            rounds: 0,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut second = interval(ANNOUNCE);
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut datagram = vec![0; 2048];
        loop {
            tokio::select! {
                received = self.listener.recv_from(&mut datagram) => match received {
                    Ok((length, SocketAddr::V4(from))) => {
                        let bytes = datagram.get(..length).unwrap_or_default();
                        self.heard(bytes, from).await;
                    }
                    Ok((_, SocketAddr::V6(_))) => {}
                    Err(error) => {
                        tracing::debug!(%error, "announcements cannot be read");
                        sleep(PATIENCE).await;
                    }
                },
                _ = second.tick() => self.every_second().await,
                Some(end) = self.reports.1.recv() => self.ended(end).await,
                // An error is an owner that is gone.
                _ = stopped.changed() => break,
            }
        }
        self.workers.clear();
        for _ in 0..2 {
            self.announce(Action::Leaving).await;
        }
    }

    async fn every_second(&mut self) {
        self.rounds = self.rounds.wrapping_add(1);
        if self.rounds.is_multiple_of(RESCAN) {
            self.speaker.rescan();
        }
        self.announce(Action::Present).await;
        for change in self.roster.expire(self.shared.now()) {
            self.changed(change).await;
        }
        self.report();
    }

    async fn announce(&mut self, action: Action) {
        let announcement = Announcement {
            identity: self.identity.clone(),
            action,
            // We call, nobody calls us.
            port: 0,
        };
        let sent = self.speaker.send(&announcement.encode()).await;
        let mut health = self.shared.health();
        for known in health.interfaces.values_mut() {
            known.is_up = false;
        }
        for sent in sent {
            let entry = health.interfaces.entry(sent.interface.address);
            let entry = entry.or_default();
            entry.name = sent.interface.name;
            entry.is_up = true;
            match &sent.error {
                None => entry.sent += 1,
                Some(_) => entry.failed += 1,
            }
            entry.error = sent.error.map(|error| error.to_string());
        }
        // Cables come and go, addresses change: only so many are remembered.
        while health.interfaces.len() > 64 {
            health.interfaces.pop_first();
        }
    }

    /// What the doctor sees of the roster.
    fn report(&self) {
        let mut health = self.shared.health();
        health.sightings = self.roster.sightings().cloned().collect();
        health.refused = self.roster.refused();
        let workers = &self.workers;
        health
            .connections
            .retain(|token, _| workers.contains_key(token));
    }

    async fn heard(&mut self, datagram: &[u8], from: SocketAddrV4) {
        let now = self.shared.now();
        let interface = self.speaker.facing(*from.ip());
        if !self.speaker.listens_to(interface) {
            return;
        }
        let change = match self.roster.handle(datagram, from, interface, now) {
            Ok(change) => change,
            Err(error) => {
                tracing::trace!(%from, %error, "not an announcement");
                return;
            }
        };
        if let Some(entry) = self.shared.health().interfaces.get_mut(&interface) {
            entry.heard += 1;
            entry.last_heard = Some(now);
        }
        if let Some(change) = change {
            self.changed(change).await;
            self.report();
        }
    }

    async fn changed(&mut self, change: Change) {
        tracing::debug!(?change, "roster");
        match change {
            Change::Appeared(device) => {
                let kept = self
                    .workers
                    .get(&device.identity.token)
                    .is_some_and(|worker| {
                        worker.address == device.address && !worker.task.is_finished()
                    });
                if kept {
                    // It was unheard for a while, and never gone.
                    if let Some(worker) = self.workers.get(&device.identity.token) {
                        worker.flags.is_present.store(true, Ordering::Relaxed);
                    }
                } else {
                    self.call(device).await;
                }
            }
            Change::Moved(device) => {
                self.hang_up(device.identity.token, Lost::Moved).await;
                self.call(device).await;
            }
            Change::Left(token, Departure::Goodbye) => self.hang_up(token, Lost::Goodbye).await,
            Change::Left(token, Departure::Silence) => {
                let Some(worker) = self.workers.get(&token) else {
                    return;
                };
                // Announcements may be lost while the connection is well.
                worker.flags.is_present.store(false, Ordering::Relaxed);
                if !worker.flags.is_ready.load(Ordering::Relaxed) {
                    self.hang_up(token, Lost::Silence).await;
                }
            }
            Change::Clash(token, places) => self.tell(token, UpdateKind::Clash(places)).await,
        }
    }

    /// Starts a worker. The player must have heard us before, or it hangs up.
    async fn call(&mut self, device: Device) {
        let token = device.identity.token;
        self.workers.retain(|_, worker| !worker.task.is_finished());
        if self.workers.len() >= MAX_WORKERS {
            tracing::warn!(%token, "too many players");
            return;
        }
        self.announce(Action::Present).await;
        self.tell(token, UpdateKind::Appeared(device.clone())).await;
        let flags = Arc::new(Flags::default());
        flags.is_present.store(true, Ordering::Relaxed);
        self.shared.health().connections.remove(&token);
        let worker = Worker {
            address: device.address,
            flags: Arc::clone(&flags),
            task: tokio::spawn(worker::serve(
                device,
                self.identity.token,
                Arc::clone(&self.shared),
                flags,
                self.reports.0.clone(),
            )),
        };
        self.workers.insert(token, worker);
    }

    async fn hang_up(&mut self, token: Token, why: Lost) {
        let Some(worker) = self.workers.remove(&token) else {
            return;
        };
        // The end of a conversation was told when it ended; only that the player left is news.
        if why != Lost::Moved || worker.flags.is_ready.load(Ordering::Relaxed) {
            self.tell(token, UpdateKind::Lost(why)).await;
        }
    }

    /// A conversation ended, `None` when it had gone well before.
    async fn ended(&mut self, end: Option<End>) {
        match end {
            Some(End::Refused | End::NoServices) => self.refusals += 1,
            Some(_) => {}
            None => self.refusals = 0,
        }
        let is_ready = |worker: &Worker| worker.flags.is_ready.load(Ordering::Relaxed);
        let is_no_reason = self.has_new_token || self.refusals < REFUSALS;
        if is_no_reason || self.workers.values().any(is_ready) {
            return;
        }
        self.has_new_token = true;
        let Ok(token) = Token::random() else {
            return;
        };
        tracing::info!(%token, "players refuse our token, here is another one");
        self.announce(Action::Leaving).await;
        self.identity.token = token;
        self.roster.set_own(token);
        self.shared.health().own = token;
        self.announce(Action::Present).await;
        let devices: Vec<_> = self
            .workers
            .keys()
            .filter_map(|token| self.roster.device(*token).cloned())
            .collect();
        self.tell(token, UpdateKind::TokenChanged(token)).await;
        for device in devices {
            self.hang_up(device.identity.token, Lost::Moved).await;
            self.call(device).await;
        }
    }

    /// Announcements must not stop because nobody reads updates.
    async fn tell(&self, device: Token, kind: UpdateKind) {
        let at = self.shared.now();
        if timeout(PATIENCE, self.shared.tell(device, at, kind))
            .await
            .is_err()
        {
            tracing::warn!(%device, "an update is lost, the queue is full");
        }
    }
}
