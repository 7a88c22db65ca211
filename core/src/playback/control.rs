//! The player's own thread: takes commands, watches the device, publishes views. It never waits for a disk or a device.

mod stems;

use super::feed::{Shared, Standing};
use super::loader::{Desk, Loaded as News, no_answer};
use super::mixer::{ORIGINAL, Order};
use super::output::Backend;
use super::stream::{Happening, Need, Streams};
use super::view::{Device, Loaded, PlayerView, StemSound, Transport};
use super::{PlayerCommand, RATE, StemMix};
use crate::failure::Failure;
use crate::track::TrackId;
use crate::units::Secs;
use arc_swap::ArcSwap;
use rtrb::Producer;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// How often the device is looked at while one is open.
const TICK: Duration = Duration::from_millis(50);
/// How long a device is kept after the sound has stopped.
const LINGER: Duration = Duration::from_secs(5);
/// How often devices are looked for while they matter.
const FIND_EVERY: Duration = Duration::from_secs(3);
/// Longer, and the sound system is asked by another thread; those that hang are left behind.
const FIND_HANGS: Duration = Duration::from_secs(4);
const MOST_FINDING: u8 = 8;
/// Twice the file's level: 6 dB.
const LOUDEST: f32 = 2.0;
/// Longest that a fade-out is waited for at the end.
const FADE_OUT: Duration = Duration::from_millis(70);

/// Everything that the thread hears.
pub(super) enum Input {
    Command(PlayerCommand),
    Loader(News),
    /// Of the stream with this number.
    Stream(u64, Happening),
    Devices(Result<Vec<Device>, String>),
    Quit,
}

pub(super) struct Control {
    pub(super) inbox: Receiver<Input>,
    pub(super) shared: Arc<Shared>,
    pub(super) desk: Arc<Desk>,
    pub(super) orders: Producer<Order>,
    pub(super) published: Arc<ArcSwap<PlayerView>>,
    pub(super) wake: Box<dyn Fn() + Send>,
    pub(super) backend: Arc<dyn Backend>,
    /// For threads that report here.
    pub(super) outlet: SyncSender<Input>,
}

/// What the thread knows.
struct State {
    io: Control,
    view: PlayerView,
    path: PathBuf,
    order: Order,
    /// The newest order has not reached the mixer.
    owed: bool,
    /// Something of the track is there.
    sounding: bool,
    /// The file could not be opened, or broke.
    broken: bool,
    /// Its drive does not answer.
    waits: Option<Waiting>,
    /// Tracks loaded so far, and sets of stems.
    epochs: u32,
    sets: u32,
    /// Stems that are to be read from a moment on.
    stems_due: Option<stems::Due>,
    streams: Streams,
    still_since: Option<Instant>,
    /// Questions that are not answered yet.
    finding: u8,
    found_at: Option<Instant>,
}

/// A drive is waited for.
struct Waiting {
    /// What was told of the track before.
    before: Option<Failure>,
}

impl Control {
    pub(super) fn run(self) {
        let streams = Streams::new(
            Arc::clone(&self.shared),
            Arc::clone(&self.backend),
            self.outlet.clone(),
        );
        let mut state = State {
            view: PlayerView::default(),
            path: PathBuf::new(),
            order: Order::default(),
            owed: false,
            sounding: false,
            broken: false,
            waits: None,
            epochs: 0,
            sets: 0,
            stems_due: None,
            streams,
            still_since: None,
            finding: 0,
            found_at: None,
            io: self,
        };
        while state.turn() {}
        state.end();
    }
}

impl State {
    /// Hears one thing or lets time pass. `false` at the end.
    fn turn(&mut self) -> bool {
        let heard = match self.next_deadline() {
            None => self
                .io
                .inbox
                .recv()
                .map_err(|_gone| RecvTimeoutError::Disconnected),
            Some(at) => {
                let wait = at.saturating_duration_since(Instant::now());
                self.io.inbox.recv_timeout(wait)
            }
        };
        let now = Instant::now();
        match heard {
            Ok(Input::Quit) | Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Input::Command(command)) => self.command(command),
            Ok(Input::Loader(news)) => self.news(news),
            Ok(Input::Stream(number, happening)) => self.streams.hear(number, happening, now),
            Ok(Input::Devices(found)) => {
                self.finding = self.finding.saturating_sub(1);
                if let Ok(devices) = found {
                    self.view.devices = devices;
                    self.view.devices_known = true;
                }
            }
        }
        self.look(now);
        self.publish();
        true
    }

    /// `None`: nothing happens by itself.
    fn next_deadline(&self) -> Option<Instant> {
        let now = Instant::now();
        if self.streams.is_live() || self.owed {
            return Some(now + TICK);
        }
        self.streams.deadline()
    }

    fn command(&mut self, command: PlayerCommand) {
        match command {
            PlayerCommand::Load {
                track,
                path,
                from,
                play,
            } => self.load(track, path, from, play),
            PlayerCommand::SetStems { track, files } => self.set_stems(track, files),
            PlayerCommand::ToggleStem(stem) => self.mix(|mix| mix.toggled(stem)),
            PlayerCommand::SoloStem(stem) => self.mix(|mix| mix.solo_toggled(stem)),
            PlayerCommand::SetStemVolume(stem, volume) => {
                self.mix(|mix| mix.with_volume(stem, volume));
            }
            PlayerCommand::SetStemMix(wanted) => self.mix(|_| wanted),
            PlayerCommand::Unload => {
                self.view.loaded = None;
                self.start_epoch(PathBuf::new(), 0, false);
            }
            PlayerCommand::Play => self.play(true),
            PlayerCommand::Pause => self.play(false),
            PlayerCommand::Toggle => self.play(!self.order.run),
            PlayerCommand::Seek(to) => {
                let run = self.order.run;
                self.jump(to, run);
            }
            PlayerCommand::SetCue(at) => {
                let frame = self.frame(at);
                if let Some(loaded) = &mut self.view.loaded {
                    loaded.cue = secs(frame);
                    self.io.desk.change(|wish| wish.cue = frame);
                }
            }
            PlayerCommand::ToCue => {
                if let Some(cue) = self.view.loaded.as_ref().map(|loaded| loaded.cue) {
                    self.jump(cue, false);
                }
            }
            PlayerCommand::StopAt(at) => {
                self.order.until = at.map_or(u64::MAX, |at| self.frame(at));
                self.place_order();
            }
            PlayerCommand::SetVolume(volume) if volume.is_finite() => {
                self.view.volume = volume.clamp(0.0, LOUDEST);
                self.order.volume = self.view.volume;
                self.place_order();
            }
            PlayerCommand::SetVolume(_) => {}
            PlayerCommand::SetDevice(device) => {
                if self.view.wanted_device != device {
                    self.view.wanted_device = device;
                    self.streams.change_device();
                }
            }
            PlayerCommand::FindDevices => self.find_devices(),
        }
    }

    fn load(&mut self, track: TrackId, path: PathBuf, from: Secs, play: bool) {
        let same = !self.broken
            && self.path == path
            && self
                .view
                .loaded
                .as_ref()
                .is_some_and(|loaded| loaded.track == track);
        if same {
            self.jump(from, play);
            return;
        }
        self.view.loaded = Some(Loaded {
            track,
            duration: Secs(0.0),
            cue: Secs(0.0),
            stems: StemSound::Absent,
            mix: StemMix::default(),
            trouble: None,
        });
        let frame = self.frame(from);
        self.start_epoch(path, frame, play);
    }

    fn start_epoch(&mut self, path: PathBuf, frame: u64, play: bool) {
        self.path = path;
        self.sounding = false;
        self.broken = false;
        self.waits = None;
        self.epochs += 1;
        let epoch = self.epochs;
        self.order = Order {
            epoch,
            jump: self.order.jump + 1,
            to: frame,
            run: play,
            until: u64::MAX,
            volume: self.view.volume,
            levels: ORIGINAL,
            set: self.order.set,
        };
        self.stems_due = None;
        self.place_order();
        let path = self.path.clone();
        let epoch = if path == Path::new("") { 0 } else { epoch };
        self.io.desk.change(|wish| {
            wish.epoch = epoch;
            wish.path = path;
            wish.stems = None;
            wish.focus = frame;
            wish.cue = 0;
        });
    }

    fn play(&mut self, run: bool) {
        if self.view.loaded.is_none() || self.broken && !self.sounding {
            return;
        }
        if run && self.view.transport == Transport::Ended {
            self.jump(Secs(0.0), true);
            return;
        }
        self.order.run = run;
        self.place_order();
    }

    fn jump(&mut self, to: Secs, run: bool) {
        if self.view.loaded.is_none() {
            return;
        }
        let frame = self.frame(to);
        self.order = Order {
            jump: self.order.jump + 1,
            to: frame,
            run,
            ..self.order
        };
        self.place_order();
        self.io.desk.change(|wish| wish.focus = frame);
    }

    /// Within the track, as far as its length is known.
    fn frame(&self, at: Secs) -> u64 {
        let known = self.view.loaded.as_ref().map(|loaded| loaded.duration.0);
        let most = known
            .filter(|secs| *secs > 0.0)
            .unwrap_or(f64::from(u32::MAX));
        let secs = if at.0.is_finite() {
            at.0.clamp(0.0, most)
        } else {
            0.0
        };
        (secs * f64::from(RATE)).round() as u64
    }

    fn place_order(&mut self) {
        self.owed = self.io.orders.push(self.order).is_err();
        if !self.streams.is_live() {
            self.settle();
        }
    }

    /// Nothing plays: the mixer takes in what waits at once.
    fn settle(&mut self) {
        if !self.io.shared.settle() {
            self.owed = true;
            return;
        }
        if self.owed {
            self.owed = self.io.orders.push(self.order).is_err() || !self.io.shared.settle();
        }
        self.io.desk.change(|_| ());
    }

    fn news(&mut self, news: News) {
        let epoch = match &news {
            News::Opened { epoch, .. }
            | News::Progress { epoch }
            | News::Waits { epoch }
            | News::Answers { epoch }
            | News::End { epoch, .. }
            | News::Trouble { epoch, .. }
            | News::StemTrouble { epoch, .. } => *epoch,
        };
        if !self.streams.is_live() {
            self.settle();
        }
        let Some(loaded) = self
            .view
            .loaded
            .as_mut()
            .filter(|_| epoch == self.order.epoch)
        else {
            return;
        };
        if let Some(Waiting { before }) = self.waits.take() {
            loaded.trouble = before;
        }
        match news {
            News::Opened { duration, .. } => loaded.duration = duration,
            News::Waits { .. } => {
                let before = loaded.trouble.replace(no_answer());
                self.waits = Some(Waiting { before });
            }
            News::Answers { .. } => {}
            News::Progress { .. } => self.sounding = true,
            News::End { frames, .. } => loaded.duration = secs(frames),
            News::StemTrouble { failure, .. } => {
                loaded.stems = StemSound::Broken(failure);
                self.take_mix();
            }
            News::Trouble { failure, .. } => {
                self.broken = true;
                self.take_trouble(failure);
            }
        }
    }

    fn take_trouble(&mut self, failure: Failure) {
        if let Some(loaded) = &mut self.view.loaded {
            loaded.trouble = Some(failure);
        }
        if !self.sounding {
            self.order.run = false;
            self.place_order();
        }
    }

    /// What follows from the time and from what the mixer says.
    fn look(&mut self, now: Instant) {
        self.take_due(now);
        let standing = self.io.shared.standing();
        let current = standing.is_of(self.order.epoch, self.order.jump);
        if current && self.order.run && (standing.ended || standing.held) {
            self.order.run = false;
            self.place_order();
        }
        if self.owed {
            self.place_order();
        }
        if current {
            self.io.desk.change(|wish| wish.focus = standing.clock);
        }
        let wants = self.order.run && self.view.loaded.is_some();
        let moves = wants || (self.streams.is_live() && standing.moves);
        if moves {
            self.still_since = None;
        } else if self.still_since.is_none() {
            self.still_since = Some(now);
        }
        let rests = |since| now.saturating_duration_since(since) >= LINGER;
        let need = if wants {
            Need::Play
        } else if self.still_since.is_some_and(rests) {
            Need::Nothing
        } else {
            Need::Linger
        };
        let device = self.view.wanted_device.as_ref();
        let pause = self.streams.look(need, device, now);
        if pause && self.order.run {
            self.order.run = false;
            self.place_order();
        }
        if self.streams.just_closed() {
            self.settle();
        }
        let due = self
            .found_at
            .is_none_or(|at| now.saturating_duration_since(at) >= FIND_EVERY);
        if wants && due {
            self.find_devices();
        }
        self.view.transport = self.transport(current.then_some(standing));
        self.view.output = self.streams.state().clone();
        self.view.underruns = self.io.shared.underruns();
    }

    fn transport(&self, standing: Option<Standing>) -> Transport {
        if self.view.loaded.is_none() {
            return Transport::Empty;
        }
        match standing {
            Some(standing) if standing.ended => Transport::Ended,
            _ if !self.sounding && !self.broken => Transport::Loading,
            _ if self.order.run => Transport::Playing,
            _ => Transport::Paused,
        }
    }

    fn find_devices(&mut self) {
        let asked = self.found_at.map_or(Duration::MAX, |at| at.elapsed());
        let is_hung = asked >= FIND_HANGS && self.finding < MOST_FINDING;
        if self.finding > 0 && !is_hung {
            return;
        }
        let backend = Arc::clone(&self.io.backend);
        let outlet = self.io.outlet.clone();
        let work = move || {
            let sent = outlet.send(Input::Devices(backend.devices()));
            drop(sent);
        };
        let thread = std::thread::Builder::new().name("devices".to_owned());
        self.finding += u8::from(thread.spawn(work).is_ok());
        self.found_at = Some(Instant::now());
    }

    fn publish(&self) {
        self.io.shared.show(self.order.epoch, self.order.to);
        if **self.io.published.load() != self.view {
            self.io.published.store(Arc::new(self.view.clone()));
            (self.io.wake)();
        }
    }

    /// Fades out, and lets go of everything without waiting for what hangs.
    fn end(&mut self) {
        self.io.desk.change(|wish| wish.quit = true);
        self.order.run = false;
        self.place_order();
        let start = Instant::now();
        while self.streams.is_live()
            && self.io.shared.standing().moves
            && start.elapsed() < FADE_OUT
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.streams.end(&self.io.inbox);
    }
}

fn secs(frames: u64) -> Secs {
    Secs(frames as f64 / f64::from(RATE))
}
