//! The life of streams: each on a thread that may be left behind, at most one of them live.

use super::control::Input;
use super::feed::{Feed, Shared};
use super::output::{Backend, Opened, Refusal};
use super::view::{DeviceId, OutputState};
use super::watch::{Backoff, Watch};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Longer nobody waits for a device to open.
const OPENING: Duration = Duration::from_secs(6);
/// After a longer loss the music does not start again by itself.
const SHORT_LOSS: Duration = Duration::from_secs(2);
/// How long a lost device is looked for when nothing wants to play.
const LOOK_FOR: Duration = Duration::from_mins(1);
/// Threads that hang in a device; more are not started.
const MOST_HUNG: usize = 8;
/// Longest that the end of a stream is waited for when the program ends.
const FAREWELL: Duration = Duration::from_millis(100);

/// What a stream's thread reports.
#[derive(Debug)]
pub(super) enum Happening {
    Opened(Opened),
    Refused(Refusal),
    /// The thread has ended, the device is free.
    Gone,
}

/// What a stream is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Play,
    /// The sound has just stopped: an open one stays.
    Linger,
    Nothing,
}

/// The stream that plays or is about to.
struct Live {
    number: u64,
    /// Dropped with this, which lets the stream go.
    _hold: SyncSender<()>,
    since: Instant,
    /// Once it is open.
    watch: Option<Watch>,
}

pub(super) struct Streams {
    shared: Arc<Shared>,
    backend: Arc<dyn Backend>,
    outlet: SyncSender<Input>,
    live: Option<Live>,
    count: u64,
    /// Threads that have not said goodbye.
    threads: usize,
    state: OutputState,
    backoff: Backoff,
    retry_at: Option<Instant>,
    lost_since: Option<Instant>,
    /// It was said that the music should pause for this loss.
    told: bool,
    closed: bool,
}

impl Streams {
    pub(super) fn new(
        shared: Arc<Shared>,
        backend: Arc<dyn Backend>,
        outlet: SyncSender<Input>,
    ) -> Self {
        Self {
            shared,
            backend,
            outlet,
            live: None,
            count: 0,
            threads: 0,
            state: OutputState::Closed,
            backoff: Backoff::default(),
            retry_at: None,
            lost_since: None,
            told: false,
            closed: false,
        }
    }

    pub(super) fn state(&self) -> &OutputState {
        &self.state
    }

    /// How many streams have been tried.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.is_some()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Once after each stream.
    pub(super) fn just_closed(&mut self) -> bool {
        std::mem::take(&mut self.closed)
    }

    /// Another device was chosen: the next look opens it.
    pub(super) fn change_device(&mut self) {
        if self.live.is_some() {
            self.let_go();
            self.state = OutputState::Closed;
        }
        self.backoff = Backoff::default();
        self.retry_at = self.retry_at.map(|_| Instant::now());
    }

    pub(super) fn hear(&mut self, number: u64, happening: Happening, now: Instant) {
        if matches!(happening, Happening::Gone) {
            self.threads = self.threads.saturating_sub(1);
            return;
        }
        let Some(live) = self.live.as_mut().filter(|live| live.number == number) else {
            return;
        };
        match happening {
            Happening::Gone => {}
            Happening::Opened(opened) => {
                live.watch = Some(Watch::new(opened.period, now));
                self.state = OutputState::Open {
                    latency_ms: opened.latency.map(|latency| latency.as_millis() as u32),
                    name: opened.name,
                    rate: opened.rate,
                    channels: opened.channels,
                };
            }
            Happening::Refused(Refusal::Absent(reason)) => {
                self.lose(OutputState::Absent { reason }, now);
            }
            Happening::Refused(Refusal::Broken(reason)) => {
                self.lose(OutputState::Lost { reason }, now);
            }
        }
    }

    /// Opens, closes, loses and finds. `true`, once in each loss: the device has been away for so long that the
    /// music should pause. Whoever plays after that means it.
    pub(super) fn look(&mut self, need: Need, device: Option<&DeviceId>, now: Instant) -> bool {
        self.watch(now);
        if self.live.is_none() {
            self.look_for(need, device, now);
        } else if need == Need::Nothing && self.lost_since.is_none() {
            // One that is on its way back stays until it has answered.
            self.let_go();
            self.state = OutputState::Closed;
        }
        let is_long = self
            .lost_since
            .is_some_and(|since| now.saturating_duration_since(since) > SHORT_LOSS);
        let tell = is_long && !self.told;
        self.told = is_long;
        tell
    }

    /// Nothing is open: opens what is needed or was lost, in its time.
    fn look_for(&mut self, need: Need, device: Option<&DeviceId>, now: Instant) {
        let away = |since: Instant| now.saturating_duration_since(since);
        let is_wanted = match self.lost_since {
            _ if need == Need::Play => true,
            Some(since) => away(since) <= LOOK_FOR,
            None => false,
        };
        if !is_wanted {
            if self.lost_since.take().is_some() {
                self.state = OutputState::Closed;
            }
            self.retry_at = None;
        } else if self.retry_at.is_none_or(|at| now >= at) {
            self.open(device, now);
        }
    }

    fn watch(&mut self, now: Instant) {
        let Some(live) = &mut self.live else {
            return;
        };
        let number = live.number;
        let reason = match &mut live.watch {
            None if now.saturating_duration_since(live.since) > OPENING => {
                "the sound device does not answer"
            }
            None => return,
            Some(watch) => {
                let silent = watch.is_lost(self.shared.beats(), now);
                if watch.has_beaten() && !silent {
                    self.lost_since = None;
                    self.retry_at = None;
                    self.backoff = Backoff::default();
                }
                if self.shared.is_broken(number) {
                    "the sound device went away"
                } else if silent {
                    "the sound device has stopped taking sound"
                } else {
                    return;
                }
            }
        };
        let reason = reason.to_owned();
        self.lose(OutputState::Lost { reason }, now);
    }

    fn lose(&mut self, state: OutputState, now: Instant) {
        tracing::debug!(stream = self.count, ?state, "no sound device");
        // What it had taken and not played yet is heard by nobody.
        if self.lost_since.is_none() && self.shared.standing().moves {
            self.shared.add_underrun();
        }
        self.let_go();
        self.state = state;
        self.lost_since.get_or_insert(now);
        self.retry_at = Some(now + self.backoff.wait());
    }

    /// The stream's thread closes it, if it can.
    fn let_go(&mut self) {
        self.shared.go_live(0);
        self.closed |= self.live.take().is_some();
    }

    fn open(&mut self, device: Option<&DeviceId>, now: Instant) {
        // A hung device keeps its thread; a working one gives it back in a moment.
        if self.threads >= MOST_HUNG {
            let reason = "the sound device hangs: choose another, or start the program again";
            return self.lose(
                OutputState::Lost {
                    reason: reason.to_owned(),
                },
                now,
            );
        }
        if !self.shared.settle() {
            self.retry_at = Some(now + self.backoff.wait());
            return;
        }
        self.count += 1;
        let number = self.count;
        let (hold, held) = sync_channel(0);
        let feed = Feed::new(Arc::clone(&self.shared), number);
        let backend = Arc::clone(&self.backend);
        let outlet = self.outlet.clone();
        let device = device.cloned();
        // Nobody hears it when the player has ended.
        let say = move |happening| drop(outlet.send(Input::Stream(number, happening)));
        let work = move || play(&*backend, device.as_ref(), feed, &held, say);
        let thread = std::thread::Builder::new().name(format!("stream {number}"));
        if let Err(error) = thread.spawn(work) {
            let reason = format!("no thread for the sound: {error}");
            return self.lose(OutputState::Lost { reason }, now);
        }
        self.retry_at = None;
        self.threads += 1;
        self.shared.go_live(number);
        if self.lost_since.is_none() {
            self.state = OutputState::Opening;
        }
        self.live = Some(Live {
            number,
            _hold: hold,
            since: now,
            watch: None,
        });
    }

    /// Closes, and waits a moment for it.
    pub(super) fn end(&mut self, inbox: &Receiver<Input>) {
        self.let_go();
        let start = Instant::now();
        while self.threads > 0
            && let Some(left) = FAREWELL.checked_sub(start.elapsed())
        {
            match inbox.recv_timeout(left) {
                Ok(Input::Stream(_, Happening::Gone)) => self.threads -= 1,
                Ok(_) => {}
                Err(_late) => return,
            }
        }
    }
}

/// The thread of one stream: opens, waits to be let go, closes. Each step may hang.
fn play(
    backend: &dyn Backend,
    device: Option<&DeviceId>,
    feed: Feed,
    held: &Receiver<()>,
    say: impl Fn(Happening),
) {
    match backend.open(device, feed) {
        Ok((opened, stream)) => {
            say(Happening::Opened(opened));
            // Nothing is ever sent: it ends when the other side is dropped.
            let _ended = held.recv();
            drop(stream);
        }
        Err(refusal) => say(Happening::Refused(refusal)),
    }
    say(Happening::Gone);
}
