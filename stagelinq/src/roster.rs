//! Who is on the network, from announcements: sightings, goodbyes, expiry, and whom we ignore and why.
//!
//! Times are durations since a start that the caller chooses, here and in the modules beside this.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use crate::identity::{Identity, Kind, Token};
use crate::wire::DecodeError;
use crate::wire::discovery::{Action, Announcement};

/// Announcers remembered at a time.
pub const MAX_SIGHTINGS: usize = 64;
/// Announcers behind one address: a player has three.
const MAX_PER_ADDRESS: usize = 12;
/// Announcements that one address may make in a second; a player makes three.
const MAX_PER_SECOND: u32 = 60;
/// Addresses whose announcements are counted.
const MAX_COUNTED: usize = 128;
/// Characters kept of a name.
const MAX_NAME: usize = 128;
/// Silence after which an announcer is gone: five announcements.
pub const EXPIRY: Duration = Duration::from_secs(5);
/// An announcer seen elsewhere more recently than this is at two places at once.
const FRESH: Duration = Duration::from_millis(2500);

/// Why no connection is made to an announcer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// It is ourselves.
    Ourselves,
    /// Another copy of the same program.
    SameProgram,
    /// The analysis process of a player, which has no decks.
    Analyzer,
    /// A mixer: refuses calls, and what it knows is in the players as well.
    Mixer,
    /// A controller without a player of its own.
    Controller,
    /// Lighting software.
    Lighting,
    /// Video software.
    Video,
    /// A program that listens like us.
    Listener,
    /// It says that it takes no calls.
    NoPort,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ourselves => "this program itself",
            Self::SameProgram => "another copy of this program",
            Self::Analyzer => "a player's analysis process, without decks",
            Self::Mixer => "a mixer: it takes no calls, its faders are known through the players",
            Self::Controller => "a controller without decks of its own",
            Self::Lighting => "lighting software",
            Self::Video => "video software",
            Self::Listener => "a program that listens to players",
            Self::NoPort => "takes no calls",
        })
    }
}

/// A player that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it says of itself.
    pub identity: Identity,
    /// What it is.
    pub kind: Kind,
    /// Its directory.
    pub address: SocketAddrV4,
    /// Our own address on its network.
    pub interface: Ipv4Addr,
}

/// Everything known of one announcer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Who and where.
    pub device: Device,
    /// Why it is not called, `None` for players.
    pub ignored: Option<Ignored>,
    /// Heard first.
    pub first: Duration,
    /// Heard last.
    pub last: Duration,
    /// How many announcements.
    pub count: u64,
    /// Another address that announces the same token: two programs that share one, badly.
    pub clash: Option<Ipv4Addr>,
}

/// Why a device is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It said so.
    Goodbye,
    /// Nothing was heard for [`EXPIRY`].
    Silence,
}

/// What an announcement, or time, changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A player is there.
    Appeared(Device),
    /// A player is there as before at another address or port: it restarted, or was moved.
    Moved(Device),
    /// A player is gone.
    Left(Token, Departure),
    /// Two announcers share a token; the second is not called.
    Clash(Token, [Ipv4Addr; 2]),
}

/// What was received and not used, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// Datagrams that are no announcements.
    pub malformed: u64,
    /// Announcements beyond what one address may make in a second.
    pub flood: u64,
    /// Announcers beyond what is remembered.
    pub crowd: u64,
}

/// The list of announcers.
#[derive(Debug)]
pub struct Roster {
    own: Token,
    software: String,
    seen: BTreeMap<Token, Sighting>,
    rates: BTreeMap<Ipv4Addr, (Duration, u32)>,
    refused: Refused,
}

impl Roster {
    /// `own` is how we announce ourselves.
    pub fn new(own: &Identity) -> Self {
        Self {
            own: own.token,
            software: own.software.clone(),
            seen: BTreeMap::new(),
            rates: BTreeMap::new(),
            refused: Refused::default(),
        }
    }

    /// We announce ourselves differently from now on.
    pub fn set_own(&mut self, token: Token) {
        self.own = token;
    }

    /// Everybody, players and others.
    pub fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        self.seen.values()
    }

    /// What was not used.
    pub fn refused(&self) -> Refused {
        self.refused
    }

    /// The player with this token.
    pub fn device(&self, token: Token) -> Option<&Device> {
        let sighting = self.seen.get(&token)?;
        sighting.ignored.is_none().then_some(&sighting.device)
    }

    /// Takes one datagram from `from`, received on the network where our address is `interface`.
    pub fn handle(
        &mut self,
        datagram: &[u8],
        from: SocketAddrV4,
        interface: Ipv4Addr,
        now: Duration,
    ) -> Result<Option<Change>, DecodeError> {
        if !self.within_rate(*from.ip(), now) {
            self.refused.flood += 1;
            return Ok(None);
        }
        let announcement = Announcement::decode(datagram)
            .inspect_err(|_| self.refused.malformed = self.refused.malformed.saturating_add(1))?;
        let token = announcement.identity.token;
        Ok(match announcement.action {
            Action::Leaving => self.goodbye(token, *from.ip()),
            Action::Present => {
                let device = Device {
                    kind: Kind::from_software(&announcement.identity.software),
                    identity: shortened(announcement.identity),
                    address: SocketAddrV4::new(*from.ip(), announcement.port),
                    interface,
                };
                if self.seen.contains_key(&token) {
                    self.again(device, now)
                } else {
                    self.first(device, now)
                }
            }
        })
    }

    /// Forgets who was not heard for [`EXPIRY`]. Call it about once a second.
    pub fn expire(&mut self, now: Duration) -> Vec<Change> {
        self.rates
            .retain(|_, (since, _)| now.saturating_sub(*since) < EXPIRY);
        let silent = |sighting: &Sighting| now.saturating_sub(sighting.last) > EXPIRY;
        let gone = self.seen.values().filter(|sighting| silent(sighting));
        let changes = gone
            .filter(|sighting| sighting.ignored.is_none())
            .map(|sighting| Change::Left(sighting.device.identity.token, Departure::Silence))
            .collect();
        self.seen.retain(|_, sighting| !silent(sighting));
        changes
    }

    fn within_rate(&mut self, address: Ipv4Addr, now: Duration) -> bool {
        if !self.rates.contains_key(&address) && self.rates.len() >= MAX_COUNTED {
            return false;
        }
        let (since, count) = self.rates.entry(address).or_insert((now, 0));
        if now.saturating_sub(*since) >= Duration::from_secs(1) {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= MAX_PER_SECOND
    }

    fn goodbye(&mut self, token: Token, from: Ipv4Addr) -> Option<Change> {
        // Only the announcer itself can say goodbye.
        if *self.seen.get(&token)?.device.address.ip() != from {
            return None;
        }
        let sighting = self.seen.remove(&token)?;
        (sighting.ignored.is_none()).then_some(Change::Left(token, Departure::Goodbye))
    }

    fn first(&mut self, device: Device, now: Duration) -> Option<Change> {
        let neighbours = self
            .seen
            .values()
            .filter(|sighting| sighting.device.address.ip() == device.address.ip());
        if self.seen.len() >= MAX_SIGHTINGS || neighbours.count() >= MAX_PER_ADDRESS {
            self.refused.crowd += 1;
            return None;
        }
        let ignored = self.reason(&device);
        let sighting = Sighting {
            device: device.clone(),
            ignored,
            first: now,
            last: now,
            count: 1,
            clash: None,
        };
        self.seen.insert(device.identity.token, sighting);
        ignored.is_none().then_some(Change::Appeared(device))
    }

    fn again(&mut self, device: Device, now: Duration) -> Option<Change> {
        let ignored = self.reason(&device);
        let sighting = self.seen.get_mut(&device.identity.token)?;
        let elsewhere = sighting.device.address.ip() != device.address.ip();
        if elsewhere && now.saturating_sub(sighting.last) < FRESH {
            // A machine with two cables is heard on two interfaces, which is fine; on one
            // interface two addresses are two machines.
            let news = sighting.device.interface == device.interface
                && sighting.clash.replace(*device.address.ip()).is_none()
                && sighting.ignored.is_none();
            let places = [*sighting.device.address.ip(), *device.address.ip()];
            return news.then_some(Change::Clash(device.identity.token, places));
        }
        sighting.last = now;
        sighting.count += 1;
        let was_ignored = sighting.ignored;
        let moved = sighting.device.address != device.address;
        sighting.ignored = ignored;
        sighting.device = device.clone();
        match (was_ignored, ignored) {
            (None, None) => moved.then_some(Change::Moved(device)),
            (Some(_), None) => Some(Change::Appeared(device)),
            (None, Some(_)) => Some(Change::Left(device.identity.token, Departure::Goodbye)),
            (Some(_), Some(_)) => None,
        }
    }

    fn reason(&self, device: &Device) -> Option<Ignored> {
        if device.identity.token == self.own {
            return Some(Ignored::Ourselves);
        }
        if device.identity.software == self.software {
            return Some(Ignored::SameProgram);
        }
        match device.kind {
            Kind::Analyzer => Some(Ignored::Analyzer),
            Kind::Mixer(_) => Some(Ignored::Mixer),
            Kind::Controller(_) => Some(Ignored::Controller),
            Kind::Lighting => Some(Ignored::Lighting),
            Kind::Video => Some(Ignored::Video),
            Kind::Listener => Some(Ignored::Listener),
            Kind::Player { .. } => (device.address.port() == 0).then_some(Ignored::NoPort),
        }
    }
}

fn shortened(mut identity: Identity) -> Identity {
    for text in [
        &mut identity.source,
        &mut identity.software,
        &mut identity.version,
    ] {
        if let Some((end, _)) = text.char_indices().nth(MAX_NAME) {
            text.truncate(end);
        }
    }
    identity
}

#[cfg(test)]
mod tests;
