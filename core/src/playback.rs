//! The sound of one track: a pure mixer under one frame clock, on a device that may vanish at any moment.
//!
//! Everything here counts frames at [`RATE`]; a track's own rate is converted when it is read.

mod block;
mod clock;
mod control;
mod feed;
mod gain;
mod loader;
mod mixer;
mod offline;
mod output;
mod reader;
mod stem_mix;
mod stream;
mod view;
mod watch;

pub use offline::Offline;
pub use output::devices;
pub use stem_mix::StemMix;
pub use view::{Device, DeviceId, Loaded, OutputState, PlayerView, Playhead, StemSound, Transport};

use crate::stems::{Stem, StemFiles};
use crate::track::TrackId;
use crate::units::{SampleRate, Secs};
use arc_swap::ArcSwap;
use control::{Control, Input};
use feed::Shared;
use loader::{Desk, LANES, Loader};
use mixer::{Mixer, SOURCES};
use output::{Backend, Machine};
use rtrb::RingBuffer;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

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
    /// The stems of a track, if it is the one that is loaded; `None`: it has none (any more).
    SetStems {
        track: TrackId,
        files: Option<Arc<StemFiles>>,
    },
    /// Turns a stem on or off; while there are none, nothing happens.
    ToggleStem(Stem),
    /// Hears it alone, or again what was heard before.
    SoloStem(Stem),
    /// Linear, 0 to 1.
    SetStemVolume(Stem, f32),
    /// All at once.
    SetStemMix(StemMix),
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
    /// The sound fades out so that it ends there; `None`: it plays on. Forgotten with the next track.
    StopAt(Option<Secs>),
    /// 0 is silent, 1 is the file's own level; a DJ's fader law belongs to whoever draws the fader.
    SetVolume(f32),
    /// `None`: whatever the system says.
    SetDevice(Option<DeviceId>),
    /// Looks for devices again.
    FindDevices,
}

/// Commands and news that may wait.
const WAITING: usize = 256;
/// Orders that may wait for a callback.
const ORDERS: usize = 256;

/// The running player. Dropping it fades out and ends its threads; a device that hangs is left behind.
#[derive(Debug)]
pub struct Player {
    view: Arc<ArcSwap<PlayerView>>,
    inbox: SyncSender<Input>,
    shared: Arc<Shared>,
    control: Option<JoinHandle<()>>,
    /// The last playhead: the number of its stretch in the upper 16 bits, the frame below.
    last: AtomicU64,
}

impl Player {
    /// Starts the threads; no device is opened before something is to be heard.
    ///
    /// `wake` is called after each new view, on a thread of the player.
    pub fn start(wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        Self::start_on(Arc::new(Machine::default()), wake)
    }

    fn start_on(
        backend: Arc<dyn Backend>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let (orders, to_mixer) = RingBuffer::new(ORDERS);
        let (arrivals, arriving) = RingBuffer::new(LANES);
        let (returning, returns) = RingBuffer::new(LANES);
        let mixer = Mixer::new(SOURCES, to_mixer, arriving, returning);
        let shared = Arc::new(Shared::new(mixer));
        let desk = Arc::new(Desk::default());
        let view: Arc<ArcSwap<PlayerView>> = Arc::default();
        let (inbox, heard) = sync_channel(WAITING);
        let control = Control {
            inbox: heard,
            shared: Arc::clone(&shared),
            desk: Arc::clone(&desk),
            orders,
            published: Arc::clone(&view),
            wake: Box::new(wake),
            backend,
            outlet: inbox.clone(),
        };
        let outlet = inbox.clone();
        let loader = Loader::new(arrivals, returns);
        // Left to itself: it may stand before a disk that does not answer.
        std::thread::Builder::new()
            .name("player loader".to_owned())
            .spawn(move || {
                loader.run(&desk, |news| outlet.send(Input::Loader(news)).is_ok());
            })?;
        let control = std::thread::Builder::new()
            .name("player".to_owned())
            .spawn(move || control.run())?;
        Ok(Self {
            view,
            inbox,
            shared,
            control: Some(control),
            last: AtomicU64::new(0),
        })
    }

    /// Asks for something. Never blocks; `false` when too much waits already.
    pub fn send(&self, command: PlayerCommand) -> bool {
        self.inbox.try_send(Input::Command(command)).is_ok()
    }

    pub fn view(&self) -> Arc<PlayerView> {
        self.view.load_full()
    }

    /// What is heard at this moment, by the device's own clock. Does not go back while the track plays on.
    pub fn playhead(&self) -> Option<Playhead> {
        let view = self.view.load();
        let loaded = view.loaded.as_ref()?;
        let heard = self.shared.board.heard(self.shared.now_nanos());
        let (epoch, asked) = self.shared.shown();
        let Some(heard) = heard.filter(|heard| heard.epoch == epoch) else {
            // Still the track before, or nothing yet.
            return Some(Playhead {
                track: loaded.track,
                at: Secs(asked as f64 / f64::from(RATE)),
                speed: 0.0,
            });
        };
        let stretch = heard.stretch << 48;
        let frame = (heard.frame as u64).min((1 << 48) - 1);
        let last = self.last.load(Ordering::Relaxed);
        let mut at = heard.frame;
        if last & !((1 << 48) - 1) == stretch {
            at = at.max((last & ((1 << 48) - 1)) as f64);
        }
        self.last
            .store(stretch | frame.max(at as u64), Ordering::Relaxed);
        Some(Playhead {
            track: loaded.track,
            at: Secs(at / f64::from(RATE)),
            speed: if heard.runs { 1.0 } else { 0.0 },
        })
    }

    /// Frames played since the start, for statistics.
    pub fn frames_played(&self) -> u64 {
        self.shared.frames()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // The thread takes from its queue without ever waiting for others, so there is room soon.
        drop(self.inbox.send(Input::Quit));
        if let Some(control) = self.control.take() {
            drop(control.join());
        }
    }
}

/// The rate of the frame clock as a type.
pub fn rate() -> Option<SampleRate> {
    SampleRate::new(RATE)
}

#[cfg(test)]
mod tests;
