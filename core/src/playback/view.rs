//! What is to be seen of the player: immutable, published whole.

use super::StemMix;
use crate::failure::Failure;
use crate::stems::StemFiles;
use crate::track::TrackId;
use crate::units::Secs;
use std::sync::Arc;

/// Names a device across restarts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeviceId(pub String);

/// An output that could be played on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    /// As the system calls it.
    pub name: String,
    pub is_default: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    #[default]
    Empty,
    /// The first sound is being read.
    Loading,
    Paused,
    Playing,
    /// Played to the last frame.
    Ended,
}

/// The stems of the track in the player.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum StemSound {
    #[default]
    Absent,
    Ready(Arc<StemFiles>),
    /// They are there and cannot be played.
    Broken(Failure),
}

/// The track in the player.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub track: TrackId,
    /// As far as known: the container's word until the end has been read.
    pub duration: Secs,
    pub cue: Secs,
    pub stems: StemSound,
    /// Which of them are heard.
    pub mix: StemMix,
    /// Why it cannot be played on, or not to its end.
    pub trouble: Option<Failure>,
}

/// How the device is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OutputState {
    /// Nothing is to be heard.
    #[default]
    Closed,
    Opening,
    Open {
        name: String,
        rate: u32,
        channels: u16,
        /// From the render to the ear, as far as the system tells.
        latency_ms: Option<u32>,
    },
    /// It went away; it is looked for again.
    Lost {
        reason: String,
    },
    /// There is none.
    Absent {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct PlayerView {
    pub transport: Transport,
    pub loaded: Option<Loaded>,
    /// 0 to 1 and a little above: see [`super::PlayerCommand::SetVolume`].
    pub volume: f32,
    /// What the user chose.
    pub wanted_device: Option<DeviceId>,
    pub devices: Vec<Device>,
    /// Whether they were looked for.
    pub devices_known: bool,
    pub output: OutputState,
    /// Callbacks that had nothing to play although they should have, since the start.
    pub underruns: u64,
}

impl Default for PlayerView {
    fn default() -> Self {
        Self {
            transport: Transport::Empty,
            loaded: None,
            volume: 1.0,
            wanted_device: None,
            devices: Vec::new(),
            devices_known: false,
            output: OutputState::Closed,
            underruns: 0,
        }
    }
}

/// Where in the track the sound is that leaves the loudspeaker now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playhead {
    pub track: TrackId,
    pub at: Secs,
    /// Track seconds per second: 0 while paused.
    pub speed: f64,
}
