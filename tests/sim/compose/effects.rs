//! What is done to a whole bus: room, echo, ducking, filter moves, and the final level.

use super::dsp::Filter;
use super::stereo::{RATE, STEP, Stereo, frame_at};
use ebur128::{EbuR128, Mode};
use std::f64::consts::{PI, TAU};

/// A room of eight delay lines that feed each other through a Hadamard matrix; only its sound,
/// without the input. `decay` is the time to fall by 60 dB, in seconds.
pub(crate) fn room(input: &Stereo, decay: f64, damping_hz: f64) -> Stereo {
    const LENGTHS: [usize; 8] = [1_423, 1_637, 1_867, 2_053, 2_309, 2_543, 2_767, 3_067];
    let mut lines = LENGTHS.map(|length| vec![0.0_f64; length]);
    let falls = LENGTHS.map(|length| 10.0_f64.powf(-3.0 * length as f64 * STEP / decay));
    let mut soft = [0.0; 8];
    let damping = 1.0 - (-TAU * damping_hz * STEP).exp();
    let pre_delay = frame_at(0.018);
    let mut out = Stereo::silent(input.0.len());
    for index in 0..out.0.len() {
        let source = index
            .checked_sub(pre_delay)
            .map_or([0.0; 2], |at| input.0[at]);
        let mut heard = [0.0; 8];
        for (line, here) in lines.iter().zip(&mut heard) {
            *here = line[index % line.len()];
        }
        let mixed = hadamard(heard);
        for (part, line) in lines.iter_mut().enumerate() {
            soft[part] += (mixed[part] - soft[part]) * damping;
            let place = index % line.len();
            line[place] = f64::from(source[part % 2]) * 0.35 + soft[part] * falls[part];
        }
        let left = heard[0] - heard[2] + heard[4] - heard[6];
        let right = heard[1] - heard[3] + heard[5] - heard[7];
        out.0[index] = [left as f32, right as f32];
    }
    out
}

/// Multiplies by the orthogonal 8 by 8 Hadamard matrix.
fn hadamard(mut values: [f64; 8]) -> [f64; 8] {
    for width in [1, 2, 4] {
        for low in (0..8).filter(|index| index & width == 0) {
            let (sum, difference) = (
                values[low] + values[low + width],
                values[low] - values[low + width],
            );
            values[low] = sum;
            values[low + width] = difference;
        }
    }
    values.map(|value| value * 0.125_f64.sqrt())
}

/// Echoes that change sides and lose brightness; only the echoes.
pub(crate) fn echo(input: &Stereo, delay_secs: f64, feedback: f64) -> Stereo {
    let delay = frame_at(delay_secs);
    let mut out = Stereo::silent(input.0.len());
    let mut filters = [Filter::default(); 2];
    for index in delay..out.0.len() {
        let (source, before) = (input.0[index - delay], out.0[index - delay]);
        let middle = 0.5 * f64::from(source[0] + source[1]);
        let left = filters[0].next(middle + f64::from(before[1]) * feedback, 3_200.0, 0.7);
        let right = filters[1].next(f64::from(before[0]) * feedback.sqrt(), 3_000.0, 0.7);
        out.0[index] = [left.low as f32, right.low as f32];
    }
    out
}

/// Ducks the bus under every kick: down by `depth` (0 to 1) at once, back within `back_secs`.
pub(crate) fn duck(bus: &mut Stereo, kicks: &[f64], depth: f64, back_secs: f64) {
    let mut next = 0;
    let mut level = 1.0;
    bus.change(|now, frame| {
        while kicks.get(next).is_some_and(|kick| *kick <= now) {
            next += 1;
        }
        let since = next
            .checked_sub(1)
            .map_or(f64::MAX, |last| now - kicks[last]);
        let way = (since / back_secs).min(1.0);
        let target = 1.0 - depth * (0.5 + 0.5 * (way * PI).cos());
        level += (target - level) * (STEP / 0.002);
        frame.map(|side| side * level)
    });
}

/// Sweeps a low-pass over the bus from one corner to another; outside the span nothing changes.
pub(crate) fn sweep(bus: &mut Stereo, span_secs: [f64; 2], corners_hz: [f64; 2]) {
    let mut filters = [Filter::default(); 2];
    let [start, end] = span_secs;
    bus.change(|now, frame| {
        if now < start || now >= end {
            return frame;
        }
        let way = (now - start) / (end - start);
        let corner = corners_hz[0] * (corners_hz[1] / corners_hz[0]).powf(way);
        let [left, right] = &mut filters;
        [
            left.next(frame[0], corner, 1.1).low,
            right.next(frame[1], corner, 1.1).low,
        ]
    });
}

/// Removes what lies below `corner_hz`.
pub(crate) fn thin(bus: &mut Stereo, corner_hz: f64) {
    let mut filters = [Filter::default(); 2];
    bus.change(|_, frame| {
        let [left, right] = &mut filters;
        [
            left.next(frame[0], corner_hz, 0.7).high,
            right.next(frame[1], corner_hz, 0.7).high,
        ]
    });
}

/// Fades the last seconds to silence.
pub(crate) fn fade_out(bus: &mut Stereo, secs: f64) {
    let end = bus.secs();
    bus.change(|now, frame| {
        let left = ((end - now) / secs).clamp(0.0, 1.0);
        frame.map(|side| side * left.powf(1.5))
    });
}

/// Brings the mix to `target_lufs` under a limiter. The gain is found by trying: the limiter takes
/// some loudness away each time.
pub(crate) fn master(mix: &Stereo, target_lufs: f64) -> Stereo {
    let mut gain_db = 0.0;
    let mut out = mix.clone();
    for _ in 0..5 {
        out = mix.clone();
        let gain = 10.0_f64.powf(gain_db / 20.0);
        out.change(|_, frame| frame.map(|side| side * gain));
        limit(&mut out);
        let Some(loudness) = loudness_lufs(&out) else {
            return out;
        };
        gain_db += target_lufs - loudness;
    }
    out
}

/// Integrated loudness; `None` for silence.
fn loudness_lufs(sound: &Stereo) -> Option<f64> {
    let mut meter = EbuR128::new(2, RATE, Mode::I).ok()?;
    meter.add_frames_f32(sound.0.as_flattened()).ok()?;
    meter.loudness_global().ok().filter(|lufs| lufs.is_finite())
}

/// Holds every sample under the ceiling by turning down a little before each peak. Peaks between
/// samples are taken into account, and room is left for what lossy codecs add.
fn limit(sound: &mut Stereo) {
    const CEILING: f64 = 0.81; // -1.8 dBFS
    const AHEAD: usize = 110; // 2.5 ms
    let release = 1.0 - (-STEP / 0.06).exp();
    let between = Between::new();
    let wanted: Vec<f64> = (0..sound.0.len())
        .map(|index| (CEILING / between.peak(sound, index)).min(1.0))
        .collect();
    // The least gain wanted within reach ahead, let go slowly, then smoothed over that reach.
    let mut held = vec![1.0; wanted.len()];
    let mut level = 1.0;
    for (index, gain) in held.iter_mut().enumerate() {
        let end = (index + AHEAD).min(wanted.len());
        let least = wanted[index..end].iter().copied().fold(1.0, f64::min);
        level = if least < level {
            least
        } else {
            level + (least - level) * release
        };
        *gain = level;
    }
    let mut sum = AHEAD as f64;
    for index in 0..held.len() {
        let leaving = index.checked_sub(AHEAD).map_or(1.0, |at| held[at]);
        sum += held[index] - leaving;
        let gain = sum / AHEAD as f64;
        sound.0[index] = sound.0[index].map(|side| (f64::from(side) * gain) as f32);
    }
}

/// Finds peaks between samples, by interpolation at three points with a windowed sinc.
struct Between {
    taps: [[f64; Self::TAPS]; 3],
}

impl Between {
    const TAPS: usize = 16;

    fn new() -> Self {
        let tap = |part: usize, index: usize| {
            let x = index as f64 - (Self::TAPS / 2 - 1) as f64 - 0.25 * (part + 1) as f64;
            let window = (PI * x / Self::TAPS as f64).cos().powi(2);
            (PI * x).sin() / (PI * x) * window
        };
        Self {
            taps: std::array::from_fn(|part| std::array::from_fn(|index| tap(part, index))),
        }
    }

    /// The highest level from this sample to the next, never 0.
    fn peak(&self, sound: &Stereo, index: usize) -> f64 {
        let mut peak = 1e-9_f64;
        for side in 0..2 {
            peak = peak.max(f64::from(sound.0[index][side]).abs());
            let start = (index + 1).checked_sub(Self::TAPS / 2);
            let Some(near) = start.and_then(|start| sound.0.get(start..start + Self::TAPS)) else {
                continue;
            };
            for taps in &self.taps {
                let level: f64 = near
                    .iter()
                    .zip(taps)
                    .map(|(frame, tap)| f64::from(frame[side]) * tap)
                    .sum();
                peak = peak.max(level.abs());
            }
        }
        peak
    }
}
