//! One connection to a virtual player.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, interval_at, sleep_until, timeout};

use super::script::PlayerSpec;
use super::values::Values;
use super::{Happened, Performance, Stage, files, services};
use crate::identity::Token;
use crate::wire::directory::{Directory, DirectoryStream};
use crate::wire::{DecodeError, Frames, MAX_FRAME};

/// Between signs of life, as an SC6000 does it.
const PING: Duration = Duration::from_secs(5);
/// To say what one wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a player offers: the directory and what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    Main,
    /// The directory of an analysis process.
    Analyzer,
    StateMap,
    Broadcast,
    BeatInfo,
    FileTransfer,
}

impl Offer {
    pub(super) const ALL: [Self; 6] = [
        Self::Main,
        Self::Analyzer,
        Self::StateMap,
        Self::Broadcast,
        Self::BeatInfo,
        Self::FileTransfer,
    ];

    /// What a directory lists.
    const fn offers(self) -> &'static [Self] {
        match self {
            Self::Main => &[
                Self::StateMap,
                Self::Broadcast,
                Self::BeatInfo,
                Self::FileTransfer,
            ],
            // Files alone, and no decks.
            Self::Analyzer => &[Self::FileTransfer],
            Self::StateMap | Self::Broadcast | Self::BeatInfo | Self::FileTransfer => &[],
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Main | Self::Analyzer => "DirectoryService",
            Self::StateMap => "StateMap",
            Self::Broadcast => "Broadcast",
            Self::BeatInfo => "BeatInfo",
            Self::FileTransfer => "FileTransfer",
        }
    }
}

/// TCP ports of one time with power.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ports {
    pub(super) main: u16,
    pub(super) analyzer: u16,
    state_map: u16,
    broadcast: u16,
    beat_info: u16,
    files: u16,
}

impl Ports {
    fn place(&mut self, offer: Offer) -> &mut u16 {
        match offer {
            Offer::Main => &mut self.main,
            Offer::Analyzer => &mut self.analyzer,
            Offer::StateMap => &mut self.state_map,
            Offer::Broadcast => &mut self.broadcast,
            Offer::BeatInfo => &mut self.beat_info,
            Offer::FileTransfer => &mut self.files,
        }
    }

    pub(super) fn set(&mut self, offer: Offer, port: u16) {
        *self.place(offer) = port;
    }

    fn of(mut self, offer: Offer) -> u16 {
        *self.place(offer)
    }
}

/// To connections, from whoever breaks things.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// To state maps.
    Inject(Vec<u8>),
    /// To state maps, and nothing after it.
    Stall(Vec<u8>),
    /// To broadcasts.
    News(Vec<u8>),
    /// Reset the connection.
    Reset,
    /// Be dead, but do not tell.
    Freeze,
}

/// What all connections of one time with power share.
#[derive(Debug)]
pub(super) struct Life {
    /// Place of the player in the script.
    pub(super) index: usize,
    pub(super) spec: PlayerSpec,
    pub(super) token: Token,
    pub(super) seed: u64,
    pub(super) ports: Ports,
    pub(super) booted: Instant,
    pub(super) show: Arc<Performance>,
    pub(super) stage: Arc<Stage>,
    pub(super) values: watch::Receiver<Arc<Values>>,
}

/// What a connection hears.
pub(super) enum Heard {
    Bytes(Vec<u8>),
    Inject(Vec<u8>),
    News(Vec<u8>),
}

/// A connection with its orders.
pub(super) struct Line {
    stream: TcpStream,
    orders: broadcast::Receiver<Order>,
    split: usize,
    buffer: Vec<u8>,
    is_dead: bool,
    offer: Offer,
}

impl Line {
    fn new(
        life: &Life,
        offer: Offer,
        stream: TcpStream,
        orders: broadcast::Receiver<Order>,
    ) -> Self {
        Self {
            orders,
            split: life.spec.split,
            buffer: vec![0; 16 << 10],
            is_dead: false,
            offer,
            stream,
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let size = if self.split == 0 {
            bytes.len().max(1)
        } else {
            self.split
        };
        if self.is_dead {
            std::future::pending::<()>().await;
        }
        for piece in bytes.chunks(size) {
            timeout(PATIENCE, self.stream.write_all(piece))
                .await
                .map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??;
        }
        Ok(())
    }

    /// Can be dropped at any moment without losing anything.
    pub(super) async fn hear(&mut self) -> io::Result<Heard> {
        loop {
            if self.is_dead {
                std::future::pending::<()>().await;
            }
            tokio::select! {
                length = self.stream.read(&mut self.buffer) => {
                    let length = length?;
                    if length == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    return Ok(Heard::Bytes(self.buffer.get(..length).unwrap_or_default().to_vec()));
                }
                order = self.orders.recv() => match order {
                    Ok(Order::Inject(bytes)) => return Ok(Heard::Inject(bytes)),
                    Ok(Order::News(bytes)) => return Ok(Heard::News(bytes)),
                    Ok(Order::Stall(_)) if self.offer != Offer::StateMap => {}
                    Ok(Order::Stall(bytes)) => {
                        self.write(&bytes).await?;
                        self.is_dead = true;
                    }
                    Ok(Order::Reset) => {
                        self.set_reset()?;
                        return Err(io::ErrorKind::ConnectionReset.into());
                    }
                    Ok(Order::Freeze) => {
                        // When power returns, the peer learns of it by a reset.
                        self.set_reset()?;
                        self.is_dead = true;
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => std::future::pending::<()>().await,
                }
            }
        }
    }

    fn set_reset(&self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }
}

pub(super) fn nonsense(error: DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl Life {
    pub(super) fn tell(&self, what: Happened) {
        self.stage.tell(Some(self.index), what);
    }
}

/// Serves one connection until it ends.
pub(super) async fn serve(
    life: Arc<Life>,
    offer: Offer,
    stream: TcpStream,
    orders: broadcast::Receiver<Order>,
) {
    let line = Line::new(&life, offer, stream, orders);
    let service = offer.as_str();
    if let Ok(SocketAddr::V4(peer)) = line.stream.peer_addr() {
        let address = *peer.ip();
        life.tell(Happened::Called { service, address });
    }
    let result = match offer {
        Offer::Main | Offer::Analyzer => main(&life, line).await,
        _ => serve_one(&life, offer, line).await,
    };
    if let Err(error) = result {
        tracing::debug!(service, %error, "a connection to a virtual player ends");
        let reason = error.to_string();
        life.tell(Happened::Ended { service, reason });
    }
}

async fn main(life: &Life, mut line: Line) -> io::Result<()> {
    if let SocketAddr::V4(peer) = line.stream.peer_addr()?
        && life.spec.strict
        && !life.stage.has_heard(*peer.ip())
    {
        life.stage.count(|counts| counts.refused += 1);
        let address = *peer.ip();
        life.tell(Happened::Refused { address });
        return Ok(());
    }
    life.stage.count(|counts| counts.calls += 1);
    let token = life.token;
    line.write(&Directory::Request { token }.encode()).await?;
    let mut stream = DirectoryStream::default();
    let mut ping = interval_at(Instant::now() + PING, PING);
    loop {
        let heard = tokio::select! {
            heard = line.hear() => heard?,
            _ = ping.tick() => {
                line.write(&reference(life)).await?;
                continue;
            }
        };
        let Heard::Bytes(bytes) = heard else {
            continue;
        };
        stream.push(&bytes);
        while let Some(message) = stream.next().map_err(nonsense)? {
            match message {
                Directory::Request { .. } => {
                    let mut answer = Vec::new();
                    for offer in line.offer.offers().iter().copied() {
                        let service = offer.as_str().to_owned();
                        let port = life.ports.of(offer);
                        answer.extend(
                            Directory::Service {
                                token,
                                service,
                                port,
                            }
                            .encode(),
                        );
                    }
                    // Several clients wait for the first reference before they use the list.
                    answer.extend(reference(life));
                    line.write(&answer).await?;
                }
                Directory::Reference { from, clock, .. } if from != token => {
                    life.stage.count(|counts| counts.references += 1);
                    line.write(
                        &Directory::Reference {
                            from,
                            to: token,
                            clock,
                        }
                        .encode(),
                    )
                    .await?;
                }
                Directory::Reference { .. } | Directory::Service { .. } => {}
            }
        }
    }
}

pub(super) fn reference(life: &Life) -> Vec<u8> {
    let clock = (life.booted.elapsed().as_nanos() as u64).to_be_bytes();
    Directory::Reference {
        from: life.token,
        to: Token::NONE,
        clock,
    }
    .encode()
}

/// Waits for the caller's first message, which names the service.
async fn serve_one(life: &Life, offer: Offer, mut line: Line) -> io::Result<()> {
    let mut stream = DirectoryStream::default();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let heard = tokio::select! {
            heard = line.hear() => heard?,
            () = sleep_until(deadline) => return Err(io::ErrorKind::TimedOut.into()),
        };
        if let Heard::Bytes(bytes) = heard {
            stream.push(&bytes);
        }
        match stream.next().map_err(nonsense)? {
            None => {}
            Some(Directory::Service { service, .. }) if service == offer.as_str() => break,
            Some(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a wrong greeting",
                ));
            }
        }
    }
    let mut frames = Frames::new(MAX_FRAME);
    frames.push(&stream.into_rest());
    talk(life, offer, line, frames).await
}

/// Serves a connection that the player made itself: the greeting was its own.
pub(super) async fn serve_called(
    life: Arc<Life>,
    offer: Offer,
    stream: TcpStream,
    orders: broadcast::Receiver<Order>,
) {
    let line = Line::new(&life, offer, stream, orders);
    if let Err(error) = talk(&life, offer, line, Frames::new(MAX_FRAME)).await {
        tracing::debug!(service = offer.as_str(), %error, "a connection of a virtual player ends");
    }
}

async fn talk(life: &Life, offer: Offer, line: Line, frames: Frames) -> io::Result<()> {
    match offer {
        Offer::StateMap => services::state_map(life, line, frames).await,
        Offer::BeatInfo => services::beat_info(life, line, frames).await,
        Offer::FileTransfer => {
            files::serve(&life.stage.files, life.spec.chunk as usize, line, frames).await
        }
        Offer::Broadcast | Offer::Main | Offer::Analyzer => services::news(line).await,
    }
}
