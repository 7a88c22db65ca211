//! What was sent, heard and measured, and in plain words what to try when no deck appears.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::clock::UnitClock;
use crate::identity::Token;
use crate::roster::{Device, Refused, Sighting};
use crate::session::End;

/// Silence of all networks after which something is wrong: five announcements.
const QUIET: Duration = Duration::from_secs(6);

/// One network of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceHealth {
    /// The system's name.
    pub name: String,
    /// Announcements of ours.
    pub sent: u64,
    /// Announcements of others.
    pub heard: u64,
    /// Announcements of ours that could not be sent.
    pub failed: u64,
    /// Why the last one could not, while it lasts.
    pub error: Option<String>,
    /// When somebody was heard last.
    pub last_heard: Option<Duration>,
    /// Whether the network is still there.
    pub is_up: bool,
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Calling.
    #[default]
    Calling,
    /// Connected; it has not said what it offers.
    Waiting,
    /// Its decks are known.
    Ready,
    /// Over; called again later.
    Resting,
}

/// One player.
#[derive(Debug, Clone)]
pub struct ConnectionHealth {
    /// Who and where.
    pub device: Device,
    /// How far.
    pub stage: Stage,
    /// Since when.
    pub since: Duration,
    /// Calls since it was reached last.
    pub calls: u32,
    /// Why the last conversation ended, or the last call failed.
    pub trouble: Option<String>,
    /// Services that it offers, with ports.
    pub services: BTreeMap<String, u16>,
    /// There and back, last measured.
    pub round_trip: Option<Duration>,
    /// Frames of positions so far.
    pub frames: u64,
    /// Frames of positions in a second, a running mean.
    pub frames_per_sec: f64,
    /// Positions that were not delivered because the program was busy.
    pub dropped: u64,
    clock: UnitClock,
    last_frame: Option<Duration>,
}

impl ConnectionHealth {
    fn new(device: Device, now: Duration) -> Self {
        Self {
            device,
            stage: Stage::Calling,
            since: now,
            calls: 0,
            trouble: None,
            services: BTreeMap::new(),
            round_trip: None,
            frames: 0,
            frames_per_sec: 0.0,
            dropped: 0,
            clock: UnitClock::default(),
            last_frame: None,
        }
    }

    /// Deviation of the positions' arrival from the player's clock, a running mean in seconds.
    pub fn jitter_secs(&self) -> f64 {
        self.clock.jitter()
    }

    /// Now at `stage`.
    pub(crate) fn enter(&mut self, stage: Stage, now: Duration) {
        if stage == Stage::Calling {
            self.calls = self.calls.saturating_add(1);
        }
        if stage == Stage::Ready {
            (self.trouble, self.calls) = (None, 0);
        }
        (self.stage, self.since) = (stage, now);
    }

    pub(crate) fn ended(&mut self, end: &End, now: Duration) {
        self.trouble = Some(end.to_string());
        self.enter(Stage::Resting, now);
    }

    pub(crate) fn frame(&mut self, clock_ns: u64, now: Duration) {
        self.frames += 1;
        self.clock.frame(clock_ns, now);
        if let Some(last) = self.last_frame.replace(now) {
            let interval = now.saturating_sub(last).as_secs_f64().max(1e-4);
            let rate = 1.0 / interval;
            let weight = if self.frames < 16 { 0.5 } else { 1.0 / 16.0 };
            // Mean of the intervals, not of the rates: late frames come in pairs.
            let mean = 1.0 / self.frames_per_sec.max(1e-3);
            self.frames_per_sec = if self.frames_per_sec == 0.0 {
                rate
            } else {
                1.0 / (mean + weight * (interval - mean))
            };
        }
    }
}

/// Everything at one moment.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// The moment.
    pub now: Duration,
    /// How we announce ourselves.
    pub own: Token,
    /// Networks by our address.
    pub interfaces: BTreeMap<Ipv4Addr, InterfaceHealth>,
    /// Announcers, and why some are ignored.
    pub sightings: Vec<Sighting>,
    /// What was heard and not used.
    pub refused: Refused,
    /// Players by token.
    pub connections: BTreeMap<Token, ConnectionHealth>,
}

/// What the user can try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// No network but loopback.
    NoNetwork,
    /// Announcements cannot be sent on these networks.
    CannotSend(Vec<String>),
    /// Nobody at all is heard.
    NobodyHeard,
    /// Somebody is heard, but no player.
    OnlyOthers,
    /// A player hangs up or offers nothing.
    Refuses(String),
    /// A player cannot be reached.
    Unreachable(String),
    /// Two devices claim to be one.
    Clash(String),
    /// The network delays: milliseconds of jitter.
    Jitter(String, u32),
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoNetwork => f.write_str(
                "This computer has no network. Connect the player with a cable, or both to one switch",
            ),
            Self::CannotSend(names) => write!(
                f,
                "The system refuses to send on {}. Look for a firewall or a VPN",
                names.join(", ")
            ),
            Self::NobodyHeard => f.write_str(
                "No player is heard. Check the cable, that the player is on, and that the firewall lets UDP port 51337 in",
            ),
            Self::OnlyOthers => f.write_str(
                "Devices are heard, but none with decks. Mixers and programs have none; the MCX8000 speaks another protocol",
            ),
            Self::Refuses(name) => write!(
                f,
                "{name} answers and hangs up. It does not hear this computer: check that the firewall lets UDP port 51337 out, or restart the player"
            ),
            Self::Unreachable(name) => write!(
                f,
                "{name} is heard and cannot be called. Check that the firewall allows connections, and that both are on one network"
            ),
            Self::Clash(name) => write!(
                f,
                "Two devices announce themselves as {name}. Only the first is used; quit the other program"
            ),
            Self::Jitter(name, millis) => write!(
                f,
                "Positions of {name} arrive unevenly, by {millis} ms. A cable is better than wireless"
            ),
        }
    }
}

impl Health {
    pub(crate) fn connection(&mut self, device: &Device, now: Duration) -> &mut ConnectionHealth {
        self.connections
            .entry(device.identity.token)
            .or_insert_with(|| ConnectionHealth::new(device.clone(), now))
    }

    /// What to try, the most likely first; nothing when all is well.
    pub fn advice(&self) -> Vec<Advice> {
        let mut advice = Vec::new();
        let up = || self.interfaces.values().filter(|health| health.is_up);
        if up().next().is_none() && self.now > Duration::from_secs(2) {
            advice.push(Advice::NoNetwork);
        }
        let failing = up().filter(|health| health.error.is_some());
        let names: Vec<_> = failing.map(|health| health.name.clone()).collect();
        if !names.is_empty() {
            advice.push(Advice::CannotSend(names));
        }
        let others =
            |sighting: &&Sighting| sighting.ignored != Some(crate::roster::Ignored::Ourselves);
        let heard = self.sightings.iter().filter(others).count();
        if heard == 0 && self.now > QUIET && up().next().is_some() {
            advice.push(Advice::NobodyHeard);
        } else if heard > 0 && self.sightings.iter().all(|seen| seen.ignored.is_some()) {
            advice.push(Advice::OnlyOthers);
        }
        for sighting in &self.sightings {
            if sighting.clash.is_some() {
                advice.push(Advice::Clash(sighting.device.identity.source.clone()));
            }
        }
        for connection in self.connections.values() {
            let name = connection.device.identity.source.clone();
            match connection.stage {
                Stage::Ready if connection.jitter_secs() > 0.02 => {
                    let millis = (connection.jitter_secs() * 1e3) as u32;
                    advice.push(Advice::Jitter(name, millis));
                }
                Stage::Calling | Stage::Resting if connection.calls > 3 => {
                    let refuses = connection.trouble.as_deref() == Some(&End::Refused.to_string());
                    advice.push(if refuses {
                        Advice::Refuses(name)
                    } else {
                        Advice::Unreachable(name)
                    });
                }
                Stage::Calling | Stage::Waiting | Stage::Ready | Stage::Resting => {}
            }
        }
        advice
    }
}
