//! What a device's callback calls: the mixer for those who may have it now, silence for all others.
//!
//! The mixer outlives the streams it plays on. A stream may hang and be left behind while the next one plays, so
//! the mixer stands behind a mutex that nobody ever waits for: a callback tries, and the control thread tries only
//! while no stream is live.

use super::RATE;
use super::clock::{Board, Tape};
use super::mixer::{Mixer, Passage};
use super::output::Complaint;
use crate::audio::resample::{ResampleError, Resampler};
use crate::units::SampleRate;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

/// A callback that comes so much later than the last sound was heard left a gap. Some servers do not tell of it.
const DRY_SLACK: u64 = 5_000_000;
/// A quarter of a second of complaints without a callback between them: nothing more will come.
const LONGEST_TROUBLE: u64 = 250_000_000;
/// Devices that tell of a shorter way to the ear mostly do not know it.
const TELLING: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) mixer: Mixer,
    pub(super) tape: Tape,
}

/// Between the control thread and the callbacks.
#[derive(Debug)]
pub(super) struct Shared {
    stage: Mutex<Stage>,
    pub(super) board: Board,
    /// The stream that plays; 0 for none.
    live: AtomicU64,
    /// Callbacks of the live stream, so that silence shows.
    beats: AtomicU64,
    /// The stream that is over; 0 for none.
    broken: AtomicU64,
    /// Since when the live stream has complained without asking for sound; 0 when it has not.
    troubled_since: AtomicU64,
    underruns: AtomicU64,
    frames: AtomicU64,
    report: Report,
    /// What the view shows: the epoch, and the frame that was asked for.
    shown: [AtomicU64; 2],
    start: Instant,
}

/// The bits of a jump's number that are told: more jumps than that are never on their way at once.
const JUMPS: u64 = 0xff_ffff;

/// What the mixer last told of itself.
#[derive(Debug, Default)]
struct Report {
    clock: AtomicU64,
    /// All in one word, so that no reader takes one jump's end for another's. Bit 0: played to the end; bit 1: the place
    /// is there; bit 2: it moves; bit 3: it stopped where it should; from bit 8 on the epoch; from bit 40 on the last
    /// [`JUMPS`] of the jump.
    state: AtomicU64,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not exclude each other"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Standing {
    pub(super) epoch: u32,
    /// Its last bits: see [`Standing::is_of`].
    jump: u64,
    pub(super) clock: u64,
    pub(super) ended: bool,
    pub(super) ready: bool,
    pub(super) moves: bool,
    pub(super) held: bool,
}

impl Standing {
    /// Whether the mixer has taken in this jump of this track.
    pub(super) fn is_of(&self, epoch: u32, jump: u64) -> bool {
        self.epoch == epoch && self.jump == jump & JUMPS
    }
}

impl Shared {
    pub(super) fn new(mixer: Mixer) -> Self {
        Self {
            stage: Mutex::new(Stage {
                mixer,
                tape: Tape::default(),
            }),
            board: Board::default(),
            live: AtomicU64::new(0),
            beats: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            troubled_since: AtomicU64::new(0),
            underruns: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            report: Report::default(),
            shown: Default::default(),
            start: Instant::now(),
        }
    }

    pub(super) fn now_nanos(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn stage(&self) -> Option<MutexGuard<'_, Stage>> {
        match self.stage.try_lock() {
            Ok(stage) => Some(stage),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Makes stream `number` the one that plays; 0 makes it none.
    pub(super) fn go_live(&self, number: u64) {
        self.beats.store(0, Ordering::Relaxed);
        self.troubled_since.store(0, Ordering::Relaxed);
        self.live.store(number, Ordering::Release);
    }

    /// Lets the mixer take in what waits while nothing plays. `false` while a last callback still runs.
    pub(super) fn settle(&self) -> bool {
        let Some(mut stage) = self.stage() else {
            return false;
        };
        let passage = stage.mixer.settle();
        stage.tape.stand(&passage);
        stage.tape.publish(&self.board);
        self.tell(&passage);
        true
    }

    pub(super) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    pub(super) fn underruns(&self) -> u64 {
        self.underruns.load(Ordering::Relaxed)
    }

    /// Frames that were played, at the rate of the frame clock.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// A few stores: some hosts complain a million times a second.
    pub(super) fn complain(&self, stream: u64, complaint: Complaint, now_nanos: u64) {
        let is_over = match complaint {
            Complaint::Harmless => false,
            Complaint::Fatal => true,
            Complaint::Passing => {
                let start = now_nanos.max(1);
                let since = self.troubled_since.compare_exchange(
                    0,
                    start,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                since.is_err_and(|since| start.saturating_sub(since) > LONGEST_TROUBLE)
            }
        };
        if is_over {
            self.broken.store(stream, Ordering::Relaxed);
        }
    }

    /// Whether `stream` said that it is over.
    pub(super) fn is_broken(&self, stream: u64) -> bool {
        self.broken.load(Ordering::Relaxed) == stream
    }

    pub(super) fn add_underrun(&self) {
        self.underruns.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn standing(&self) -> Standing {
        let state = self.report.state.load(Ordering::Acquire);
        Standing {
            epoch: (state >> 8) as u32,
            jump: state >> 40,
            clock: self.report.clock.load(Ordering::Relaxed),
            ended: state & 1 != 0,
            ready: state & 2 != 0,
            moves: state & 4 != 0,
            held: state & 8 != 0,
        }
    }

    pub(super) fn show(&self, epoch: u32, frame: u64) {
        let [of, at] = &self.shown;
        of.store(u64::from(epoch), Ordering::Relaxed);
        at.store(frame, Ordering::Relaxed);
    }

    pub(super) fn shown(&self) -> (u32, u64) {
        let [of, at] = &self.shown;
        (
            of.load(Ordering::Relaxed) as u32,
            at.load(Ordering::Relaxed),
        )
    }

    fn tell(&self, passage: &Passage) {
        let report = &self.report;
        let clock = passage.from + passage.ran;
        report.clock.store(clock, Ordering::Relaxed);
        let state = (passage.jump & JUMPS) << 40
            | u64::from(passage.epoch) << 8
            | u64::from(passage.ended)
            | u64::from(passage.ready) << 1
            | u64::from(passage.ran > 0) << 2
            | u64::from(passage.held) << 3;
        report.state.store(state, Ordering::Release);
    }
}

/// One stream's way to the mixer.
#[derive(Debug)]
pub(super) struct Feed {
    shared: Arc<Shared>,
    number: u64,
    converter: Option<Converter>,
    rate: u32,
    /// When all that was rendered has been heard; 0 when the device does not tell.
    dry_nanos: u64,
    /// Frames of silence still to come before anything else.
    silence: usize,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>, number: u64) -> Self {
        Self {
            shared,
            number,
            converter: None,
            rate: RATE,
            dry_nanos: 0,
            silence: 0,
        }
    }

    /// Begins with so many frames of silence: devices and servers that wake up lose the first they get.
    pub(super) fn begin_with_silence(&mut self, frames: u32) {
        self.silence = frames as usize;
    }

    /// The device plays so many frames a second; to be said before the first [`Feed::fill`].
    pub(super) fn set_rate(&mut self, rate: u32) -> Result<(), ResampleError> {
        self.rate = rate.max(1);
        self.converter = match (super::rate(), SampleRate::new(rate)) {
            (Some(ours), Some(theirs)) if ours != theirs => Some(Converter::new(ours, theirs)?),
            _ => None,
        };
        Ok(())
    }

    pub(super) fn complainer(&self) -> impl Fn(Complaint) + Send + 'static {
        let shared = Arc::clone(&self.shared);
        let number = self.number;
        move |complaint| {
            if shared.live.load(Ordering::Relaxed) == number {
                shared.complain(number, complaint, shared.now_nanos());
            }
        }
    }

    pub(super) fn note_underrun(&self) -> impl Fn() + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.add_underrun()
    }

    /// Fills `out` (interleaved stereo at the device's rate, any length), whose first frame will be at the ear
    /// after `delay`. Waits for nothing and asks for no memory.
    pub(super) fn fill(&mut self, out: &mut [f32], delay: Duration) {
        let shared = Arc::clone(&self.shared);
        if shared.live.load(Ordering::Acquire) != self.number {
            out.fill(0.0);
            return;
        }
        if self.silence > 0 {
            self.silence = self.silence.saturating_sub(out.len() / 2);
            out.fill(0.0);
            shared.troubled_since.store(0, Ordering::Relaxed);
            shared.beats.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let Some(mut stage) = shared.stage() else {
            out.fill(0.0);
            shared.add_underrun();
            return;
        };
        let now = shared.now_nanos();
        let mut ear = now.saturating_add(delay.as_nanos() as u64);
        let ran_dry = self.dry_nanos != 0 && now > self.dry_nanos.saturating_add(DRY_SLACK);
        let mut starved = false;
        let mut moved = false;
        let mut render = |out: &mut [f32]| {
            let passage = stage.mixer.render(out);
            let frames = out.len() as u64 / 2;
            stage.tape.add(&passage, frames, ear);
            ear = ear.saturating_add(frames * 1_000_000_000 / u64::from(RATE));
            starved |= passage.starved;
            moved |= passage.ran > 0;
            shared.frames.fetch_add(passage.ran, Ordering::Relaxed);
            shared.tell(&passage);
        };
        match &mut self.converter {
            None => render(out),
            Some(converter) => converter.fill(out, &mut render),
        }
        stage.tape.publish(&shared.board);
        self.dry_nanos = if delay >= TELLING { ear } else { 0 };
        if starved || ran_dry && moved {
            shared.add_underrun();
        }
        shared.troubled_since.store(0, Ordering::Relaxed);
        shared.beats.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn device_rate(&self) -> u32 {
        self.rate
    }
}

/// The whole mix at another rate, for devices that cannot do ours.
#[derive(Debug)]
struct Converter {
    resampler: Resampler,
    mixed: Vec<f32>,
    ready: Vec<f32>,
    taken: usize,
}

impl Converter {
    fn new(ours: SampleRate, theirs: SampleRate) -> Result<Self, ResampleError> {
        let resampler = Resampler::new(ours, theirs, 2)?;
        let (piece_in, piece_out) = resampler.piece();
        Ok(Self {
            resampler,
            mixed: vec![0.0; piece_in * 2],
            ready: Vec::with_capacity(piece_out * 2),
            taken: 0,
        })
    }

    fn fill(&mut self, out: &mut [f32], render: &mut dyn FnMut(&mut [f32])) {
        let mut out = out;
        while !out.is_empty() {
            if self.taken == self.ready.len() {
                self.ready.clear();
                self.taken = 0;
                render(&mut self.mixed);
                if self.resampler.push(&self.mixed, &mut self.ready).is_err() {
                    out.fill(0.0);
                    return;
                }
            }
            let rest = self.ready.get(self.taken..).unwrap_or_default();
            let (now, later) = out.split_at_mut(rest.len().min(out.len()));
            for (to, from) in now.iter_mut().zip(rest) {
                *to = *from;
            }
            self.taken += now.len();
            out = later;
        }
    }
}
