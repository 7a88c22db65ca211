//! One virtual player: its power, its ports, its announcements.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until};

use super::dial::dial;
use super::script::{Fault, PlayerSpec};
use super::serve::{Life, Offer, Order, Ports, serve};
use super::values::{Values, values};
use super::{Happened, Performance, Stage};
use crate::identity::{Identity, Token};
use crate::net::udp::Speaker;
use crate::path::{Deck, DeckPath};
use crate::wire::broadcast::Broadcast;
use crate::wire::discovery::{Action, Announcement};
use crate::wire::state_map::StateMap;

/// Connections at a time.
const MAX_CONNECTIONS: usize = 64;
/// Others that one player calls at a time.
const MAX_CALLS: usize = 16;
/// "For ever" for a timer.
const FAR: Duration = Duration::from_secs(1 << 24);

/// One machine.
#[derive(Debug)]
pub(super) struct Unit {
    /// Place in the script.
    pub(super) index: usize,
    pub(super) spec: PlayerSpec,
    pub(super) token: Token,
    pub(super) seed: u64,
    pub(super) show: Arc<Performance>,
    pub(super) stage: Arc<Stage>,
}

/// What ends a time with power.
enum Ended {
    Restart(f64),
    PowerCut(f64),
    Closed,
}

impl Unit {
    /// Until the sender of `faults` is gone: then says goodbye.
    pub(super) async fn run(self, mut faults: mpsc::Receiver<Fault>) {
        loop {
            let mut connections = JoinSet::new();
            let ended = match self.with_power(&mut faults, &mut connections).await {
                Ok(ended) => ended,
                Err(error) => {
                    tracing::warn!(%error, "a virtual player cannot listen");
                    sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            match ended {
                Ended::Closed => {
                    let mut speaker = Speaker::new(self.stage.targets());
                    for _ in 0..2 {
                        speaker.send(&self.announcement(Action::Leaving, 0)).await;
                        for index in 1..=2 {
                            speaker
                                .send(&self.analyzer(index, Action::Leaving, 0))
                                .await;
                        }
                    }
                    return;
                }
                Ended::Restart(secs) => {
                    connections.shutdown().await;
                    sleep(Duration::from_secs_f64(secs)).await;
                }
                // The connections stay as they are, dead: nobody is told.
                Ended::PowerCut(secs) => sleep(Duration::from_secs_f64(secs)).await,
            }
        }
    }

    fn announcement(&self, action: Action, port: u16) -> Vec<u8> {
        Announcement {
            identity: Identity {
                token: self.token,
                source: self.spec.name.clone(),
                software: self.spec.model.clone(),
                version: self.spec.version.clone(),
            },
            action,
            port,
        }
        .encode()
    }

    /// The two processes that every player has beside its main one.
    fn analyzer(&self, index: u8, action: Action, port: u16) -> Vec<u8> {
        let mut token = self.token;
        token.0[0] ^= index;
        Announcement {
            identity: Identity {
                token,
                source: self.spec.name.clone(),
                software: "OfflineAnalyzer".to_owned(),
                version: "1.0.0".to_owned(),
            },
            action,
            port,
        }
        .encode()
    }

    async fn open_doors(&self) -> io::Result<(Vec<(Offer, TcpListener)>, Ports)> {
        let mut doors = Vec::new();
        let mut ports = Ports::default();
        for offer in Offer::ALL {
            let door = TcpListener::bind(SocketAddrV4::new(self.stage.bind, 0)).await?;
            ports.set(offer, door.local_addr()?.port());
            doors.push((offer, door));
        }
        Ok((doors, ports))
    }

    fn life(&self, ports: Ports, values: watch::Receiver<Arc<Values>>) -> Life {
        Life {
            index: self.index,
            spec: self.spec.clone(),
            token: self.token,
            seed: self.seed,
            ports,
            booted: Instant::now(),
            show: Arc::clone(&self.show),
            stage: Arc::clone(&self.stage),
            values,
        }
    }

    async fn with_power(
        &self,
        faults: &mut mpsc::Receiver<Fault>,
        connections: &mut JoinSet<()>,
    ) -> io::Result<Ended> {
        let (doors, ports) = self.open_doors().await?;
        let (values_in, values_out) = watch::channel(Arc::new(self.values_at(self.stage.secs())));
        let (orders, _) = broadcast::channel(64);
        let life = Arc::new(self.life(ports, values_out));
        let (callers_in, mut callers) = mpsc::channel(16);
        let mut tasks = JoinSet::new();
        for (offer, door) in doors {
            tasks.spawn(accept(offer, door, callers_in.clone()));
        }
        let port = ports.main;
        self.tell(Happened::PoweredOn { port });
        let mut callees = self.stage.callees.subscribe();
        let mut calls: JoinSet<SocketAddrV4> = JoinSet::new();
        let mut called = BTreeSet::new();
        let mut second = interval(Duration::from_secs(1));
        let mut done = self.stage.secs();
        loop {
            let change = self
                .show
                .next_change(done)
                .map_or(FAR, |at| Duration::from_secs_f64(at.max(0.0)));
            let fault = self.show.next_fault(done);
            let fault_at = fault.map_or(FAR, |(at, _)| Duration::from_secs_f64(at.max(0.0)));
            tokio::select! {
                _ = second.tick() => self.announce(ports).await,
                Some((offer, stream)) = callers.recv() => {
                    while connections.try_join_next().is_some() {}
                    if connections.len() < MAX_CONNECTIONS {
                        // From now on: an order must not miss a connection that has not begun.
                        let hears = orders.subscribe();
                        connections.spawn(serve(Arc::clone(&life), offer, stream, hears));
                    }
                }
                Ok(callee) = callees.recv(), if self.spec.dials => {
                    if called.len() < MAX_CALLS && called.insert(callee) {
                        calls.spawn(dial(Arc::clone(&life), self.stage.bind, callee, orders.clone()));
                    }
                }
                Some(Ok(callee)) = calls.join_next() => {
                    called.remove(&callee);
                }
                order = faults.recv() => match order {
                    None => return Ok(Ended::Closed),
                    Some(fault) => {
                        self.tell(Happened::Broke(fault));
                        if let Some(ended) = break_it(fault, &orders) {
                            return Ok(ended);
                        }
                    }
                },
                () = sleep_until(self.stage.epoch + change.min(fault_at)) => {
                    // Timers are exact to a millisecond, the script to less.
                    let now = self.stage.secs().max(change.min(fault_at).as_secs_f64());
                    values_in.send_replace(Arc::new(self.values_at(now)));
                    self.tell_loads(done, now, &orders);
                    done = now;
                    if let Some((_, fault)) = fault.filter(|(at, _)| *at <= now) {
                        self.tell(Happened::Broke(fault));
                        if let Some(ended) = break_it(fault, &orders) {
                            return Ok(ended);
                        }
                    }
                }
            }
        }
    }

    fn tell(&self, what: Happened) {
        self.stage.tell(Some(self.index), what);
    }

    fn values_at(&self, secs: f64) -> Values {
        values(&self.spec, self.token, &self.show, secs)
    }

    async fn announce(&self, ports: Ports) {
        // A new socket each time: real players speak from another port every second.
        let mut speaker = Speaker::new(self.stage.targets());
        speaker
            .send(&self.announcement(Action::Present, ports.main))
            .await;
        for index in 1..=2 {
            speaker
                .send(&self.analyzer(index, Action::Present, ports.analyzer))
                .await;
        }
    }

    fn tell_loads(&self, from: f64, to: f64, orders: &broadcast::Sender<Order>) {
        for track in self.show.loads(from, to) {
            let title = track.title.clone();
            self.tell(Happened::Loaded { title });
            if let Some((database, track)) = track.library.clone() {
                let news = Broadcast::TrackChanged { database, track };
                order(orders, Order::News(news.encode()));
            }
        }
    }
}

/// Tells what breaks. The result is the end of the time with power.
fn break_it(fault: Fault, orders: &broadcast::Sender<Order>) -> Option<Ended> {
    let title = DeckPath::SongName.on(Deck::One).to_string();
    match fault {
        Fault::Restart { secs } => return Some(Ended::Restart(secs)),
        Fault::PowerCut { secs } => {
            order(orders, Order::Freeze);
            return Some(Ended::PowerCut(secs));
        }
        Fault::Reset => order(orders, Order::Reset),
        Fault::HalfFrame => order(orders, Order::Stall(vec![0, 0, 0, 100, b's', b'm'])),
        Fault::Oversize => order(orders, Order::Inject(vec![0x7f, 0xff, 0xff, 0xff])),
        Fault::LoneSurrogate => {
            let json = Some(r#"{"string":"A?B","type":8}"#.to_owned());
            let mut bytes = StateMap::Emit { path: title, json }.encode();
            let mark = bytes.windows(2).rposition(|pair| pair == [0, b'?']);
            if let Some(place) = mark.and_then(|at| bytes.get_mut(at..at + 2)) {
                place.copy_from_slice(&[0xd8, 0]);
            }
            order(orders, Order::Inject(bytes));
        }
        Fault::NullString => {
            let bytes = StateMap::Emit {
                path: title,
                json: None,
            }
            .encode();
            order(orders, Order::Inject(bytes));
        }
    }
    None
}

/// Nobody connected is nobody to tell.
fn order(orders: &broadcast::Sender<Order>, order: Order) {
    if orders.send(order).is_err() {
        tracing::trace!("no connection for an order");
    }
}

async fn accept(offer: Offer, door: TcpListener, callers: mpsc::Sender<(Offer, TcpStream)>) {
    loop {
        match door.accept().await {
            Ok((stream, SocketAddr::V4(_))) => {
                // Values and positions are small and urgent.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a caller is served in bigger pieces");
                }
                if callers.send((offer, stream)).await.is_err() {
                    return;
                }
            }
            Ok((_, SocketAddr::V6(_))) => {}
            Err(error) => {
                tracing::debug!(%error, "a caller is lost");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
