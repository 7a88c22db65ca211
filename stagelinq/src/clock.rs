//! Where a deck is right now, between the frames of `BeatInfo` and in spite of their jitter.
//!
//! A frame says "at this moment of my clock the deck was at this sample". Two things are to be
//! found: which moment of our clock that was ([`UnitClock`], one per player), and how the deck
//! moves until the next frame ([`DeckClock`], one per deck).
//!
//! The first is the smallest difference between arrival and the player's clock of the last seconds:
//! delays only add, so the smallest is the truest. The second comes from the samples alone, which
//! covers pitch, reverse, scratch and brake without trusting any value of the state map.

use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::beat_info::DeckBeat;

/// The time over which the smallest delay is looked for, seconds.
const WINDOW: f64 = 5.0;
/// Parts of the window; each keeps its smallest difference.
const PARTS: usize = 10;
/// A difference this much smaller or larger than before is another clock: the player restarted.
const RESTART: f64 = 1.0;
/// How fast a corrected clock is followed: seconds per second. More would be seen.
const SLEW: f64 = 0.05;
/// A correction beyond this is made at once, seconds.
const SNAP: f64 = 0.08;
/// A deck is believed to go on as it went for this long without a frame, seconds.
const COAST: f64 = 0.25;
/// Frames that a steady speed is measured over.
const STEADY: usize = 8;
/// Deviation up to which a frame confirms a steady movement, seconds.
const CONFIRMS: f64 = 0.001;
/// Speed at which nothing moves any more.
const STILL: f64 = 1e-3;
/// Faster than any hand; a difference beyond is a jump.
const FASTEST: f64 = 8.0;

/// Turns the clock of a player into ours.
#[derive(Debug, Clone, Default)]
pub struct UnitClock {
    /// (start of the part, smallest difference) in seconds.
    parts: VecDeque<(f64, f64)>,
    last: Option<(f64, f64)>,
    shown: f64,
    shown_at: f64,
    jitter: f64,
    spread: f64,
}

impl UnitClock {
    /// Takes the arrival `at` of a frame that was made at `clock_ns`. Returns the moment of the
    /// player's clock in seconds, or `None` for a frame from the past.
    pub fn frame(&mut self, clock_ns: u64, at: Duration) -> Option<f64> {
        let (device, now) = (clock_ns as f64 * 1e-9, at.as_secs_f64());
        let difference = now - device;
        if let Some((last_device, last_now)) = self.last {
            let jumped = (difference - (last_now - last_device)).abs() > RESTART;
            if jumped {
                *self = Self::default();
            } else if device < last_device {
                return None;
            } else {
                let off = (now - last_now) - (device - last_device);
                self.jitter += (off.abs() - self.jitter) / 16.0;
            }
        }
        let first = self.last.is_none();
        let before = self.offset(now);
        self.last = Some((device, now));
        match self.parts.back_mut() {
            Some((start, smallest)) if now - *start < WINDOW / PARTS as f64 => {
                *smallest = smallest.min(difference);
            }
            _ => self.parts.push_back((now, difference)),
        }
        while self
            .parts
            .front()
            .is_some_and(|(start, _)| now - start > WINDOW)
        {
            self.parts.pop_front();
        }
        let target = self.target();
        self.spread = difference - target;
        let snap = first || (before - target).abs() > SNAP;
        self.shown = if snap { target } else { before };
        self.shown_at = now;
        Some(device)
    }

    /// The player's clock at `now`, seconds; `None` before the first frame.
    pub fn device_time(&self, now: Duration) -> Option<f64> {
        self.last?;
        let now = now.as_secs_f64();
        Some(now - self.offset(now))
    }

    /// Deviation of the arrivals from an even rhythm, seconds, a running mean.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// How much later than the fastest of the last seconds the last frame came, seconds.
    pub fn lateness(&self) -> f64 {
        self.spread
    }

    fn target(&self) -> f64 {
        let smallest = self.parts.iter().map(|(_, smallest)| *smallest);
        smallest.fold(f64::INFINITY, f64::min)
    }

    /// The difference used at `now`: goes towards the target without being seen to jump. In the
    /// first half second, when the target is still being found, it goes faster.
    fn offset(&self, now: f64) -> f64 {
        if self.parts.is_empty() {
            return 0.0;
        }
        let young = self.parts.len() == 1;
        let rate = if young { 0.5 } else { SLEW };
        let way = rate * (now - self.shown_at).max(0.0);
        self.shown + (self.target() - self.shown).clamp(-way, way)
    }
}

/// Where a deck is and how it moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// From the first sample of the file; negative before it. Seconds of music, whatever the pitch.
    pub position_secs: f64,
    /// 1 is the file's own speed, 0 stands, negative goes backwards.
    pub speed: f64,
    /// Beats along the player's grid, with fraction.
    pub beat: f64,
    /// Beats per minute as heard, `None` when the player says nothing useful.
    pub bpm: Option<f64>,
    /// No frame came for a quarter of a second: position and beat stand since.
    pub is_stale: bool,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    device: f64,
    position: f64,
}

/// Follows one deck.
#[derive(Debug, Clone, Default)]
pub struct DeckClock {
    /// Frames of one even movement, the newest last.
    points: VecDeque<Point>,
    speed: f64,
    /// Speed that would explain the last frame if it was no jump.
    is_unsteady: bool,
    is_playing: Option<bool>,
    beat: DeckBeat,
    /// Beats per second of music.
    beats_per_sec: Option<f64>,
    /// What is shown beside the newest point, to be taken back without a visible step.
    residue: f64,
}

impl DeckClock {
    /// What the state map says of playing. It comes earlier or later than the frames that show it.
    pub fn set_playing(&mut self, is_playing: bool) {
        self.is_playing = Some(is_playing);
    }

    /// Forgets everything: another track was loaded.
    pub fn reset(&mut self) {
        *self = Self {
            is_playing: self.is_playing,
            ..Self::default()
        };
    }

    /// Takes the deck's part of a frame made at `device` seconds of the player's clock
    /// ([`UnitClock::frame`]), of a file with `sample_rate` Hz. Numbers that cannot be are skipped.
    pub fn frame(&mut self, device: f64, deck: &DeckBeat, sample_rate: f64) {
        let position = deck.samples / sample_rate;
        if !(position.is_finite() && device.is_finite() && sample_rate > 0.0) {
            return;
        }
        let point = Point { device, position };
        let shown = self.position(device);
        if let Some(last) = self.points.back().copied() {
            if device <= last.device {
                return;
            }
            self.learn_beats(last, point, deck);
            self.follow(last, point);
        } else {
            self.speed = if self.is_playing == Some(true) {
                1.0
            } else {
                0.0
            };
        }
        self.beat = *deck;
        self.points.push_back(point);
        if self.points.len() > STEADY {
            self.points.pop_front();
        }
        self.measure();
        self.residue = shown
            .map(|shown| shown - position)
            .filter(|residue| residue.abs() <= 5.0 * CONFIRMS)
            .unwrap_or_default();
    }

    /// Where the deck is at `device` seconds of the player's clock ([`UnitClock::device_time`]).
    /// `None` before the first frame.
    pub fn at(&self, device: f64) -> Option<Reading> {
        let last = self.points.back()?;
        let is_stale = device - last.device > COAST;
        let position_secs = self.position(device)?;
        let bpm = Some(self.beat.bpm).filter(|bpm| bpm.is_finite() && *bpm > 0.0);
        let rate = self.beats_per_sec.or(bpm.map(|bpm| {
            let speed = self.speed.abs();
            bpm / 60.0 / if speed > 0.1 { speed } else { 1.0 }
        }));
        let start = if self.beat.beat.is_finite() {
            self.beat.beat
        } else {
            0.0
        };
        Some(Reading {
            position_secs,
            speed: if is_stale { 0.0 } else { self.speed },
            beat: start + (position_secs - last.position) * rate.unwrap_or_default(),
            bpm,
            is_stale,
        })
    }

    fn position(&self, device: f64) -> Option<f64> {
        let last = self.points.back()?;
        let since = device - last.device;
        let taken_back = SLEW * since.max(0.0);
        let residue = self.residue.signum() * (self.residue.abs() - taken_back).max(0.0);
        Some(last.position + self.speed * since.clamp(-COAST, COAST) + residue)
    }

    /// Decides what the way from `last` to `point` means: going on, another speed, or a jump.
    fn follow(&mut self, last: Point, point: Point) {
        let elapsed = point.device - last.device;
        let way = point.position - last.position;
        let implied = way / elapsed;
        if (way - self.speed * elapsed).abs() <= CONFIRMS {
            self.is_unsteady = false;
            return;
        }
        // What came before says nothing about the movement from here on.
        self.points.clear();
        if implied.abs() < STILL {
            self.speed = 0.0;
        } else if self.is_jump(implied) {
            self.is_unsteady = true;
        } else {
            self.points.push_back(last);
            self.speed = implied;
        }
    }

    /// Whether a deck at its present speed would rather have jumped than gone at `implied`. Right
    /// after a frame that was taken for a jump, anything that a hand can do is a speed: a scratch.
    fn is_jump(&self, implied: f64) -> bool {
        if implied.abs() > FASTEST {
            return true;
        }
        if self.is_unsteady {
            return false;
        }
        let rolls = self.is_playing != Some(false) && self.speed > 0.3;
        let (low, high) = if rolls {
            (0.5 * self.speed, 1.5 * self.speed)
        } else {
            (self.speed.min(0.0) - 0.5, self.speed.max(1.0) + 0.5)
        };
        !(low..=high).contains(&implied)
    }

    /// Speed as the slope of the best line through the points, by least squares.
    fn measure(&mut self) {
        let Some(newest) = self.points.back().copied() else {
            return;
        };
        if self.points.len() < 2 {
            return;
        }
        let count = self.points.len() as f64;
        let relative = || {
            let points = self.points.iter();
            points.map(|p| (p.device - newest.device, p.position - newest.position))
        };
        let (sum_t, sum_p) = relative().fold((0.0, 0.0), |(t, p), (dt, dp)| (t + dt, p + dp));
        let (mean_t, mean_p) = (sum_t / count, sum_p / count);
        let (cross, square) = relative().fold((0.0, 0.0), |(cross, square), (t, p)| {
            (
                cross + (t - mean_t) * (p - mean_p),
                square + (t - mean_t) * (t - mean_t),
            )
        });
        let slope = cross / square;
        if slope.is_finite() {
            self.speed = if slope.abs() < STILL { 0.0 } else { slope };
        }
    }

    fn learn_beats(&mut self, last: Point, point: Point, deck: &DeckBeat) {
        let way = point.position - last.position;
        let rate = (deck.beat - self.beat.beat) / way;
        if way.abs() > 0.005 && way.abs() < 1.0 && rate.is_finite() && (0.1..20.0).contains(&rate) {
            self.beats_per_sec = Some(rate);
        }
    }
}

#[cfg(test)]
mod tests;
