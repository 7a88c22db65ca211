//! The connection doctor: what was sent and heard on each network, and what to try, in plain words.

use super::UnitId;
use serde::{Serialize, Serializer};
use stagelinq::Discovery;
use stagelinq::doctor::{Health, Stage};

/// Everything that tells why decks appear or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NetworkView {
    pub interfaces: Vec<InterfaceView>,
    pub announcers: Vec<AnnouncerView>,
    pub connections: Vec<ConnectionView>,
    /// Heard and not used: damaged, too many in a second, too many devices.
    pub refused: RefusedView,
    /// What to try, the most likely first. Empty: all is well.
    pub advice: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RefusedView {
    pub malformed: u64,
    pub flood: u64,
    pub crowd: u64,
}

/// The networks of this machine as the system lists them: name, address, and what it is good for. An error in words
/// when decks could not be heard at all.
pub fn survey() -> Result<Vec<(String, String, Reach)>, String> {
    let listed = stagelinq::interfaces::list().map_err(|error| error.to_string())?;
    let port = Discovery::default();
    port.check()
        .map_err(|error| format!("UDP port {} cannot be shared: {error}", port.listen.port()))?;
    let networks = listed.into_iter().map(|interface| {
        let reach = if interface.address.is_loopback() {
            Reach::ThisMachine
        } else if interface.broadcast().is_none() {
            Reach::OnePeer
        } else if interface.address.is_link_local() {
            Reach::Cable
        } else {
            Reach::Network
        };
        (interface.name, interface.address.to_string(), reach)
    });
    Ok(networks.collect())
}

/// Who can be reached over an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Loopback: no player is there.
    ThisMachine,
    /// Point to point, as VPNs are: announcements reach nobody.
    OnePeer,
    /// A cable without a router: link-local addresses, as players like them.
    Cable,
    Network,
}

/// One network of this machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InterfaceView {
    pub name: String,
    pub address: String,
    pub is_up: bool,
    /// Announcements of ours.
    pub sent: u64,
    pub failed: u64,
    /// Announcements of others.
    pub heard: u64,
    /// Seconds since somebody was heard.
    pub silent_for: Option<f64>,
    /// Why nothing can be sent, while it lasts.
    pub error: Option<String>,
}

/// Somebody who announces themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AnnouncerView {
    #[serde(serialize_with = "as_text")]
    pub unit: UnitId,
    pub name: String,
    pub software: String,
    pub version: String,
    pub address: String,
    /// Why it is not called; `None` for players.
    pub ignored: Option<String>,
    /// Announcements so far, and seconds since the last.
    pub count: u64,
    pub age: f64,
    /// Another address with the same token.
    pub clash: Option<String>,
}

/// One player that is called.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ConnectionView {
    #[serde(serialize_with = "as_text")]
    pub unit: UnitId,
    pub name: String,
    pub address: String,
    /// `calling`, `waiting`, `ready`, `resting`.
    pub stage: &'static str,
    /// Seconds since it got there.
    pub since: f64,
    /// Calls since it was reached last.
    pub calls: u32,
    /// Why it was lost last.
    pub trouble: Option<String>,
    /// `StateMap`, `BeatInfo`, …
    pub services: Vec<String>,
    /// Milliseconds there and back.
    pub round_trip_ms: Option<f64>,
    pub frames_per_sec: f64,
    /// Milliseconds by which positions arrive unevenly, in the mean.
    pub jitter_ms: f64,
    /// Positions that this program was too busy to take.
    pub dropped: u64,
}

fn as_text<S: Serializer>(unit: &UnitId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(unit)
}

/// Three decimals: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

impl From<&Health> for NetworkView {
    fn from(health: &Health) -> Self {
        let ago = |at| rounded(health.now.saturating_sub(at).as_secs_f64());
        let interfaces = health
            .interfaces
            .iter()
            .map(|(address, seen)| InterfaceView {
                name: seen.name.clone(),
                address: address.to_string(),
                is_up: seen.is_up,
                sent: seen.sent,
                failed: seen.failed,
                heard: seen.heard,
                silent_for: seen.last_heard.map(ago),
                error: seen.error.clone(),
            });
        let announcers = health.sightings.iter().map(|seen| AnnouncerView {
            unit: seen.device.identity.token.into(),
            name: seen.device.identity.source.clone(),
            software: seen.device.identity.software.clone(),
            version: seen.device.identity.version.clone(),
            address: seen.device.address.to_string(),
            ignored: seen.ignored.map(|reason| reason.to_string()),
            count: seen.count,
            age: ago(seen.last),
            clash: seen.clash.map(|address| address.to_string()),
        });
        let connections = health.connections.values().map(|seen| ConnectionView {
            unit: seen.device.identity.token.into(),
            name: seen.device.identity.source.clone(),
            address: seen.device.address.to_string(),
            stage: match seen.stage {
                Stage::Calling => "calling",
                Stage::Waiting => "waiting",
                Stage::Ready => "ready",
                Stage::Resting => "resting",
            },
            since: ago(seen.since),
            calls: seen.calls,
            trouble: seen.trouble.clone(),
            services: seen.services.keys().cloned().collect(),
            round_trip_ms: seen
                .round_trip
                .map(|time| rounded(time.as_secs_f64() * 1e3)),
            frames_per_sec: rounded(seen.frames_per_sec),
            jitter_ms: rounded(seen.jitter_secs() * 1e3),
            dropped: seen.dropped,
        });
        Self {
            interfaces: interfaces.collect(),
            announcers: announcers.collect(),
            connections: connections.collect(),
            refused: RefusedView {
                malformed: health.refused.malformed,
                flood: health.refused.flood,
                crowd: health.refused.crowd,
            },
            advice: health.advice().iter().map(ToString::to_string).collect(),
        }
    }
}

impl NetworkView {
    /// Whether the two tell the same story, but for counters and times.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let stages = |view: &Self| -> Vec<_> {
            let connections = view.connections.iter();
            connections.map(|seen| (seen.unit, seen.stage)).collect()
        };
        let names = |view: &Self| -> Vec<_> {
            let announcers = view.announcers.iter();
            announcers
                .map(|seen| (seen.unit, seen.clash.is_some()))
                .collect()
        };
        self.advice == other.advice && stages(self) == stages(other) && names(self) == names(other)
    }
}
