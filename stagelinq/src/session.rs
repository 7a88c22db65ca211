//! One player's conversation as a state machine: input and time in, outputs to drain.
//!
//! The caller owns the sockets. It feeds what happens ([`Input`]), at least a [`Input::Tick`] every
//! 250 ms, and carries out what [`Session::poll`] hands out. Memory is bounded by one frame of each
//! connection and by what one input can hold.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use crate::identity::Token;
use crate::path::StatePath;
use crate::wire::beat_info::{BeatFrame, BeatInfo};
use crate::wire::broadcast::Broadcast;
use crate::wire::directory::{Directory, DirectoryStream};
use crate::wire::state_map::{StateMap, Value};
use crate::wire::{DecodeError, Frames, MAX_FRAME};

/// Between our own signs of life.
const PING: Duration = Duration::from_secs(1);
/// Unanswered signs of life before a player can be dead.
const MISSED: u32 = 3;
/// Silence on all connections after which it is: players speak every five seconds by themselves.
const SILENCE: Duration = Duration::from_secs(6);
/// Between requests for the list of services.
const ASK: Duration = Duration::from_secs(2);
/// Without the state map after this long, there is none to be had.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before a service that failed is tried again; doubles.
const RETRY: Duration = Duration::from_millis(500);
/// Tries for one service without anything heard from it.
const TRIES: u32 = 6;
/// Frames that make no sense before the player is dropped; their neighbours are still understood.
const MAX_BAD: u32 = 100;
/// Names of services remembered.
const MAX_SERVICES: usize = 32;

/// A service that a session uses itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Values of decks and player.
    StateMap,
    /// Positions.
    BeatInfo,
    /// News of the library.
    Broadcast,
}

impl Service {
    /// All, in the order of importance.
    pub const ALL: [Self; 3] = [Self::StateMap, Self::BeatInfo, Self::Broadcast];

    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StateMap => "StateMap",
            Self::BeatInfo => "BeatInfo",
            Self::Broadcast => "Broadcast",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// The main connection stands.
    Opened,
    /// Bytes of the main connection.
    Received(&'a [u8]),
    /// The main connection is closed.
    Closed,
    /// A service's connection stands; our own port of it.
    ServiceOpened(Service, u16),
    /// Bytes of a service's connection.
    ServiceReceived(Service, &'a [u8]),
    /// A service's connection is closed, or could not be made.
    ServiceClosed(Service),
    /// Time went on.
    Tick,
}

/// What to do or to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Bytes for the main connection.
    Send(Vec<u8>),
    /// Connect to a service at this port, closing an older connection to it.
    Open(Service, u16),
    /// Bytes for a service.
    SendTo(Service, Vec<u8>),
    /// Tell.
    Event(Event),
    /// Close everything. Nothing comes after it.
    End(End),
}

/// What a player told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// It offers a service; also those that a session does not use, such as `FileTransfer`.
    Offers {
        /// Name.
        service: String,
        /// TCP port.
        port: u16,
    },
    /// Its state map listens to us: values come now.
    Ready,
    /// A value.
    State {
        /// Which.
        path: StatePath,
        /// What.
        value: Value,
    },
    /// Positions of its decks.
    Beats(BeatFrame),
    /// News of its library.
    Broadcast(Broadcast),
    /// There and back.
    RoundTrip(Duration),
}

/// Why a conversation is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It cannot be called.
    Unreachable,
    /// It hung up before it offered anything: it has not heard our announcement, or dislikes our token.
    Refused,
    /// It hung up later: switched off or restarting.
    HungUp,
    /// It talks, but offers no state map.
    NoServices,
    /// Nothing heard for six seconds: power cut or cable.
    Silent,
    /// Its state map fails again and again.
    ServiceLost,
    /// It says what cannot be.
    Nonsense(DecodeError),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the player cannot be called"),
            Self::Refused => f.write_str("the player hung up at once"),
            Self::HungUp => f.write_str("the player hung up"),
            Self::NoServices => f.write_str("the player offers no state map"),
            Self::Silent => f.write_str("the player fell silent"),
            Self::ServiceLost => f.write_str("the player's state map cannot be reached"),
            Self::Nonsense(error) => write!(f, "the player is not understood: {error}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Absent,
    Opening,
    Open,
    Waiting(Duration),
    GivenUp,
}

#[derive(Debug)]
struct Channel {
    link: Link,
    tries: u32,
    frames: Frames,
}

/// One player's conversation.
#[derive(Debug)]
pub struct Session {
    own: Token,
    extra: Vec<String>,
    stream: DirectoryStream,
    offers: BTreeMap<String, u16>,
    channels: [Channel; 3],
    out: VecDeque<Output>,
    opened: Option<Duration>,
    asked: Duration,
    heard: Duration,
    pinged: Duration,
    unanswered: u32,
    bad: u32,
    over: bool,
}

impl Session {
    /// As `own`; `extra` are paths to subscribe to beside [`StatePath::wanted`].
    pub fn new(own: Token, extra: Vec<String>) -> Self {
        Self {
            own,
            extra,
            stream: DirectoryStream::default(),
            offers: BTreeMap::new(),
            channels: Service::ALL.map(|_| Channel {
                link: Link::Absent,
                tries: 0,
                frames: Frames::new(MAX_FRAME),
            }),
            out: VecDeque::new(),
            opened: None,
            asked: Duration::ZERO,
            heard: Duration::ZERO,
            pinged: Duration::ZERO,
            unanswered: 0,
            bad: 0,
            over: false,
        }
    }

    /// The next thing to do. Drain it after every [`Self::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// The port of a service that the player offers.
    pub fn port_of(&self, service: &str) -> Option<u16> {
        self.offers.get(service).copied()
    }

    /// Takes one input at `now`.
    pub fn handle(&mut self, input: Input<'_>, now: Duration) {
        if self.over {
            return;
        }
        let result = match input {
            Input::Opened => {
                self.opened(now);
                Ok(())
            }
            Input::Received(bytes) => {
                self.heard = now;
                self.directory(bytes, now)
            }
            Input::Closed => {
                self.end(match self.opened {
                    None => End::Unreachable,
                    Some(_) if self.offers.is_empty() => End::Refused,
                    Some(_) => End::HungUp,
                });
                Ok(())
            }
            Input::ServiceOpened(service, port) => {
                self.service_opened(service, port);
                Ok(())
            }
            Input::ServiceReceived(service, bytes) => {
                self.heard = now;
                self.service(service, bytes)
            }
            Input::ServiceClosed(service) => {
                self.service_closed(service, now);
                Ok(())
            }
            Input::Tick => {
                self.tick(now);
                Ok(())
            }
        };
        if let Err(error) = result {
            self.end(End::Nonsense(error));
        }
    }

    fn end(&mut self, end: End) {
        self.over = true;
        self.out.push_back(Output::End(end));
    }

    fn send(&mut self, message: &Directory) {
        self.out.push_back(Output::Send(message.encode()));
    }

    fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    /// Asks at once, without waiting for the player's own question: some ask first, some answer only.
    fn opened(&mut self, now: Duration) {
        self.opened = Some(now);
        self.heard = now;
        self.ask(now);
        self.ping(now);
    }

    fn ask(&mut self, now: Duration) {
        self.asked = now;
        self.send(&Directory::Request { token: self.own });
    }

    fn ping(&mut self, now: Duration) {
        self.pinged = now;
        self.unanswered = self.unanswered.saturating_add(1);
        self.send(&Directory::Reference {
            from: self.own,
            to: Token::NONE,
            clock: (now.as_nanos() as u64).to_be_bytes(),
        });
    }

    fn tick(&mut self, now: Duration) {
        let Some(opened) = self.opened else {
            return;
        };
        if self.unanswered >= MISSED && now.saturating_sub(self.heard) > SILENCE {
            self.end(End::Silent);
            return;
        }
        if now.saturating_sub(self.pinged) >= PING {
            self.ping(now);
        }
        if self.port_of(Service::StateMap.as_str()).is_none() {
            if now.saturating_sub(opened) >= PATIENCE {
                self.end(End::NoServices);
                return;
            }
            if now.saturating_sub(self.asked) >= ASK {
                self.ask(now);
            }
        }
        for service in Service::ALL {
            if matches!(self.channel(service).link, Link::Waiting(until) if now >= until) {
                self.open(service);
            }
        }
    }

    fn channel(&mut self, service: Service) -> &mut Channel {
        let [state_map, beat_info, broadcast] = &mut self.channels;
        match service {
            Service::StateMap => state_map,
            Service::BeatInfo => beat_info,
            Service::Broadcast => broadcast,
        }
    }

    fn directory(&mut self, bytes: &[u8], now: Duration) -> Result<(), DecodeError> {
        self.stream.push(bytes);
        while let Some(message) = self.stream.next()? {
            match message {
                // It asks what we offer, which is nothing; that it does tells that it listens.
                Directory::Request { .. } => {}
                Directory::Service { service, port, .. } => self.offered(service, port),
                Directory::Reference { from, to, clock } if from == self.own => {
                    if to != Token::NONE {
                        self.unanswered = 0;
                        let sent = Duration::from_nanos(u64::from_be_bytes(clock));
                        if let Some(time) = now.checked_sub(sent).filter(|time| *time < SILENCE) {
                            self.tell(Event::RoundTrip(time));
                        }
                    }
                }
                Directory::Reference { from, to, clock } => {
                    // One that already names us is an echo of an echo.
                    if to != self.own {
                        let to = self.own;
                        self.send(&Directory::Reference { from, to, clock });
                    }
                }
            }
        }
        Ok(())
    }

    fn offered(&mut self, name: String, port: u16) {
        if port == 0 || (self.offers.len() >= MAX_SERVICES && !self.offers.contains_key(&name)) {
            return;
        }
        if self.offers.insert(name.clone(), port) == Some(port) {
            return;
        }
        let ours = Service::ALL
            .into_iter()
            .find(|service| service.as_str() == name);
        self.tell(Event::Offers {
            service: name,
            port,
        });
        let Some(service) = ours else {
            return;
        };
        // One that is open stays; a new port counts when it fails.
        if !matches!(self.channel(service).link, Link::Open) {
            self.channel(service).tries = 0;
            self.open(service);
        }
    }

    fn open(&mut self, service: Service) {
        let Some(port) = self.port_of(service.as_str()) else {
            return;
        };
        let channel = self.channel(service);
        channel.link = Link::Opening;
        channel.frames = Frames::new(MAX_FRAME);
        self.out.push_back(Output::Open(service, port));
    }

    fn service_opened(&mut self, service: Service, port: u16) {
        self.channel(service).link = Link::Open;
        let mut bytes = Directory::Service {
            token: self.own,
            service: service.as_str().to_owned(),
            port,
        }
        .encode();
        match service {
            Service::StateMap => {
                let wanted = StatePath::wanted().map(|path| path.to_string());
                for path in wanted.chain(self.extra.iter().cloned()) {
                    let interval_ms = 0;
                    bytes.extend(StateMap::Subscribe { path, interval_ms }.encode());
                }
                self.tell(Event::Ready);
            }
            Service::BeatInfo => bytes.extend(BeatInfo::Start.encode()),
            Service::Broadcast => {}
        }
        self.out.push_back(Output::SendTo(service, bytes));
    }

    fn service(&mut self, service: Service, bytes: &[u8]) -> Result<(), DecodeError> {
        let channel = self.channel(service);
        if channel.link != Link::Open {
            return Ok(());
        }
        channel.tries = 0;
        // Taken out, so that the frames can borrow from it while events are queued.
        let mut frames = std::mem::replace(&mut channel.frames, Frames::new(MAX_FRAME));
        frames.push(bytes);
        while let Some(frame) = frames.next()? {
            match event(service, frame) {
                Ok(event) => self.out.extend(event.map(Output::Event)),
                Err(_) if self.bad < MAX_BAD => self.bad += 1,
                Err(error) => return Err(error),
            }
        }
        self.channel(service).frames = frames;
        Ok(())
    }

    fn service_closed(&mut self, service: Service, now: Duration) {
        let channel = self.channel(service);
        if matches!(
            channel.link,
            Link::Waiting(_) | Link::GivenUp | Link::Absent
        ) {
            return;
        }
        channel.tries += 1;
        if channel.tries < TRIES {
            channel.link = Link::Waiting(now + RETRY * (1 << (channel.tries - 1).min(3)));
        } else if service == Service::StateMap {
            self.end(End::ServiceLost);
        } else {
            channel.link = Link::GivenUp;
        }
    }
}

fn event(service: Service, frame: &[u8]) -> Result<Option<Event>, DecodeError> {
    Ok(match service {
        Service::StateMap => match StateMap::decode(frame)? {
            StateMap::Emit { path, json } => Some(Event::State {
                path: StatePath::parse(&path),
                value: Value::parse(json.as_deref()),
            }),
            // Players subscribe to values of ours and mixers write some: we have none.
            StateMap::Subscribe { .. } | StateMap::Write { .. } => None,
        },
        Service::BeatInfo => match BeatInfo::decode(frame)? {
            BeatInfo::Frame(frame) => Some(Event::Beats(frame)),
            BeatInfo::Start | BeatInfo::Stop => None,
        },
        Service::Broadcast => Some(Event::Broadcast(Broadcast::decode(frame)?)),
    })
}

#[cfg(test)]
mod tests;
