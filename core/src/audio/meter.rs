//! Loudness while decoding: EBU R 128 integrated loudness and range, and true peak.

#![expect(
    clippy::inline_always,
    reason = "only code inlined into the dispatched function uses the wider instructions"
)]

use crate::loudness::Loudness;
use crate::units::SampleRate;

/// Taps of the whole interpolator; ITU-R BS.1770-4 annex 2 asks for about 48 at four times the rate.
const TAPS: usize = 48;
/// Frames looked at together.
const BLOCK: usize = 1024;
/// Samples before a block that the longest phase reaches back to.
const HISTORY: usize = TAPS / 2;
const LANES: usize = 8;
/// Seconds below which a loudness range says nothing: one short-term window.
const RANGE_SECS: u64 = 3;

/// Measures a track as it is decoded.
pub struct Meter {
    ebu: ebur128::EbuR128,
    peaks: PeakMeter,
    channels: usize,
    frames: u64,
    rate: SampleRate,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter")
            .field("channels", &self.channels)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

impl Meter {
    /// `None` for a rate or number of channels that the standard does not know.
    pub fn new(rate: SampleRate, channels: u16) -> Option<Self> {
        let mode = ebur128::Mode::I | ebur128::Mode::LRA;
        let ebu = ebur128::EbuR128::new(u32::from(channels), rate.hz(), mode).ok()?;
        Some(Self {
            ebu,
            peaks: PeakMeter::new(rate, usize::from(channels)),
            channels: usize::from(channels),
            frames: 0,
            rate,
        })
    }

    /// The next interleaved samples, whole frames.
    pub fn push(&mut self, interleaved: &[f32]) {
        if self.ebu.add_frames_f32(interleaved).is_err() {
            return;
        }
        self.peaks.push(interleaved);
        self.frames += (interleaved.len() / self.channels) as u64;
    }

    pub fn finish(mut self) -> Loudness {
        self.peaks.run();
        let integrated = self
            .ebu
            .loudness_global()
            .ok()
            .filter(|lufs| lufs.is_finite());
        let long_enough = self.frames >= RANGE_SECS * u64::from(self.rate.hz());
        let range = self
            .ebu
            .loudness_range()
            .ok()
            .filter(|range| range.is_finite() && long_enough && integrated.is_some());
        let peak = f64::from(self.peaks.highest);
        Loudness {
            integrated,
            range,
            true_peak: (peak > 0.0).then(|| 20.0 * peak.log10()),
        }
    }
}

/// The highest level between the samples, found by interpolation: four times up to 96 kHz, twice up to
/// 192 kHz, and the samples alone above.
#[derive(Debug)]
struct PeakMeter {
    /// Coefficients of each interpolated phase, oldest sample first.
    phases: Vec<Vec<f32>>,
    /// One buffer a channel: history, then the block being filled.
    buffers: Vec<Vec<f32>>,
    filled: usize,
    highest: f32,
    arch: pulp::Arch,
}

impl PeakMeter {
    fn new(rate: SampleRate, channels: usize) -> Self {
        let factor = match rate.hz() {
            ..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        Self {
            phases: (1..factor).map(|phase| phase_taps(phase, factor)).collect(),
            buffers: vec![vec![0.0; HISTORY + BLOCK]; channels],
            filled: 0,
            highest: 0.0,
            arch: pulp::Arch::new(),
        }
    }

    fn push(&mut self, interleaved: &[f32]) {
        let channels = self.buffers.len();
        let mut rest = interleaved;
        while !rest.is_empty() {
            let frames = (BLOCK - self.filled).min(rest.len() / channels);
            if frames == 0 {
                return;
            }
            let (now, later) = rest.split_at(frames * channels);
            for (channel, buffer) in self.buffers.iter_mut().enumerate() {
                let room = &mut buffer[HISTORY + self.filled..];
                let samples = now.iter().skip(channel).step_by(channels);
                for (place, &sample) in room.iter_mut().zip(samples) {
                    *place = sample;
                }
            }
            self.filled += frames;
            rest = later;
            if self.filled == BLOCK {
                self.run();
            }
        }
    }

    /// Looks at what has been filled in, and makes it history.
    fn run(&mut self) {
        let end = HISTORY + self.filled;
        for buffer in &mut self.buffers {
            buffer[end..].fill(0.0);
            let job = Interpolate {
                phases: &self.phases,
                samples: buffer,
                frames: self.filled,
            };
            let peak = if matches!(self.arch, pulp::Arch::Scalar) {
                self.arch.dispatch(Dispatch::<false>(job))
            } else {
                self.arch.dispatch(Dispatch::<true>(job))
            };
            self.highest = self.highest.max(peak);
            buffer.copy_within(self.filled..end, 0);
        }
        self.filled = 0;
    }
}

/// A Hann-windowed sinc at offset `phase / factor` between two samples, oldest sample first.
fn phase_taps(phase: usize, factor: usize) -> Vec<f32> {
    let count = TAPS / factor;
    let tap = |index: usize| {
        let at = (index * factor + phase) as f64;
        let window = 0.5 * (1.0 - (std::f64::consts::TAU * at / TAPS as f64).cos());
        let angle = (at - TAPS as f64 / 2.0) * std::f64::consts::PI / factor as f64;
        (window * angle.sin() / angle) as f32
    };
    (0..count).rev().map(tap).collect()
}

struct Interpolate<'a> {
    phases: &'a [Vec<f32>],
    samples: &'a [f32],
    frames: usize,
}

impl Interpolate<'_> {
    /// The highest level of the samples and of all phases between them.
    #[inline(always)]
    fn highest<const FUSED: bool>(&self) -> f32 {
        let mut peaks = [0.0_f32; LANES];
        let mut start = 0;
        while start < self.frames {
            raise(&mut peaks, &lanes(self.samples, HISTORY + start));
            for taps in self.phases {
                let oldest = HISTORY + start + 1 - taps.len();
                let mut sums = [0.0_f32; LANES];
                for (offset, &tap) in taps.iter().enumerate() {
                    let samples = lanes(self.samples, oldest + offset);
                    for lane in 0..LANES {
                        sums[lane] = if FUSED {
                            samples[lane].mul_add(tap, sums[lane])
                        } else {
                            samples[lane] * tap + sums[lane]
                        };
                    }
                }
                raise(&mut peaks, &sums);
            }
            start += LANES;
        }
        peaks.into_iter().fold(0.0, f32::max)
    }
}

/// Eight samples from `at` on; silence where there are not as many.
#[inline(always)]
fn lanes(samples: &[f32], at: usize) -> [f32; LANES] {
    samples
        .get(at..)
        .and_then(|samples| samples.first_chunk::<LANES>())
        .copied()
        .unwrap_or([0.0; LANES])
}

#[inline(always)]
fn raise(peaks: &mut [f32; LANES], levels: &[f32; LANES]) {
    for lane in 0..LANES {
        let level = levels[lane].abs();
        peaks[lane] = if level > peaks[lane] {
            level
        } else {
            peaks[lane]
        };
    }
}

struct Dispatch<'a, const FUSED: bool>(Interpolate<'a>);

impl<const FUSED: bool> pulp::WithSimd for Dispatch<'_, FUSED> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) -> f32 {
        self.0.highest::<FUSED>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tone and noise that fade in, with peaks between the samples.
    fn music(frames: usize, channels: usize) -> Vec<f32> {
        let mut seed = 1_u32;
        (0..frames * channels)
            .map(|index| {
                let frame = (index / channels) as f32;
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (seed >> 8) as f32 / 16_777_216.0 - 0.5;
                let tone = (frame * 0.7841 + 0.39).sin();
                (0.55 * tone + 0.2 * noise) * (frame / frames as f32)
            })
            .collect()
    }

    #[test]
    fn peaks_between_samples_are_those_of_the_reference() {
        for (hz, channels) in [
            (44_100, 2),
            (48_000, 1),
            (96_000, 2),
            (192_000, 2),
            (44_100, 6),
        ] {
            let sound = music(20_001, channels);
            let mode = ebur128::Mode::TRUE_PEAK;
            let mut reference = ebur128::EbuR128::new(channels as u32, hz, mode).unwrap();
            reference.add_frames_f32(&sound).unwrap();
            let expected = (0..channels as u32)
                .map(|channel| reference.true_peak(channel).unwrap())
                .fold(0.0, f64::max);
            let rate = SampleRate::new(hz).unwrap();
            let mut meter = Meter::new(rate, channels as u16).unwrap();
            for piece in sound.chunks(channels * 613) {
                meter.push(piece);
            }
            let peak = meter.finish().true_peak.unwrap();
            let difference = peak - 20.0 * expected.log10();
            assert!(difference.abs() < 1e-4, "{hz} Hz, {channels}: {difference}");
        }
    }

    #[test]
    fn a_full_scale_tone_has_the_loudness_of_the_standard() {
        // ITU-R BS.1770-4: a 997 Hz tone at full scale in one of two channels reads -3.01 LUFS.
        let sound: Vec<f32> = (0..48_000 * 5)
            .flat_map(|frame| {
                let angle = std::f64::consts::TAU * 997.0 * f64::from(frame) / 48_000.0;
                [angle.sin() as f32, 0.0]
            })
            .collect();
        let mut meter = Meter::new(SampleRate::new(48_000).unwrap(), 2).unwrap();
        meter.push(&sound);
        let loudness = meter.finish();
        assert!(
            (loudness.integrated.unwrap() + 3.01).abs() < 0.05,
            "{loudness:?}"
        );
        assert!(loudness.range.unwrap() < 0.1, "{loudness:?}");
        assert!(loudness.true_peak.unwrap().abs() < 0.05, "{loudness:?}");
    }

    #[test]
    fn silence_and_scraps_have_no_loudness() {
        let rate = SampleRate::new(44_100).unwrap();
        let mut meter = Meter::new(rate, 1).unwrap();
        meter.push(&vec![0.0; 44_100 * 5]);
        assert_eq!(meter.finish(), Loudness::default());
        let mut meter = Meter::new(rate, 1).unwrap();
        meter.push(&[0.5; 100]);
        let loudness = meter.finish();
        assert_eq!((loudness.integrated, loudness.range), (None, None));
        assert!(loudness.true_peak.is_some());
    }
}
