//! From one fixed rate to another, streaming, in exact length and without delay.

use crate::units::SampleRate;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

/// Least frames worked on at a time, on either side: long enough for a filter that leaves 20 kHz alone.
const LEAST_CHUNK: usize = 1024;

/// The converter could not be built or fed: a rate or a number of channels out of all reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot convert this sample rate: {0}")]
pub struct ResampleError(String);

/// Converts interleaved samples. Output frame `n` sounds at the time of input frame `n · from / to`;
/// the whole output has `⌈frames · to / from⌉` frames.
pub struct Resampler {
    /// `None` between equal rates.
    fft: Option<Fft<f32>>,
    channels: usize,
    from: u64,
    to: u64,
    /// Input that does not fill a chunk yet.
    waiting: Vec<f32>,
    chunk_out: Vec<f32>,
    /// Output frames still to be dropped: the converter's delay.
    delay: usize,
    taken: u64,
    given: u64,
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

impl Resampler {
    pub fn new(from: SampleRate, to: SampleRate, channels: usize) -> Result<Self, ResampleError> {
        let channels = channels.max(1);
        let fft = if from == to {
            None
        } else {
            Some(converter(from.hz() as usize, to.hz() as usize, channels)?)
        };
        let out_frames = fft.as_ref().map_or(0, Fft::output_frames_max);
        let need = fft.as_ref().map_or(0, Fft::input_frames_max);
        Ok(Self {
            delay: fft.as_ref().map_or(0, Fft::output_delay),
            chunk_out: vec![0.0; out_frames * channels],
            fft,
            channels,
            from: u64::from(from.hz()),
            to: u64::from(to.hz()),
            waiting: Vec::with_capacity(need * channels),
            taken: 0,
            given: 0,
        })
    }

    /// Frames that go in and come out together. A converter that starts at a multiple of the first gives, from its
    /// second piece on, what one that started at 0 gives there. `(1, 1)` between equal rates.
    pub fn piece(&self) -> (usize, usize) {
        self.fft.as_ref().map_or((1, 1), |fft| {
            (fft.input_frames_max(), fft.output_frames_max())
        })
    }

    /// Converts the next whole frames and appends what is ready to `out`. Asks for no memory but that of `out`.
    pub fn push(&mut self, interleaved: &[f32], out: &mut Vec<f32>) -> Result<(), ResampleError> {
        self.taken += (interleaved.len() / self.channels) as u64;
        let Some(fft) = &self.fft else {
            out.extend_from_slice(interleaved);
            return Ok(());
        };
        let need = fft.input_frames_next() * self.channels;
        let mut rest = interleaved;
        while self.waiting.len() + rest.len() >= need {
            let (now, later) = rest.split_at(need - self.waiting.len());
            self.waiting.extend_from_slice(now);
            rest = later;
            self.run(None, out)?;
        }
        self.waiting.extend_from_slice(rest);
        Ok(())
    }

    /// Appends the rest of the sound to `out`.
    pub fn finish(mut self, out: &mut Vec<f32>) -> Result<(), ResampleError> {
        if self.fft.is_none() {
            return Ok(());
        }
        let total = u128::from(self.taken) * u128::from(self.to);
        let total = total.div_ceil(u128::from(self.from)) as u64;
        while self.given < total {
            let frames = self.waiting.len() / self.channels;
            let start = out.len();
            self.run(Some(frames), out)?;
            if self.given > total {
                let extra = (self.given - total) as usize * self.channels;
                out.truncate((out.len() - extra).max(start));
            }
        }
        Ok(())
    }

    /// Converts what waits: a full chunk, or `partial` frames and silence.
    fn run(&mut self, partial: Option<usize>, out: &mut Vec<f32>) -> Result<(), ResampleError> {
        let Some(fft) = &mut self.fft else {
            return Ok(());
        };
        let refused = |detail: String| ResampleError(detail);
        let need = fft.input_frames_next();
        self.waiting.resize(need * self.channels, 0.0);
        let input = InterleavedSlice::new(&self.waiting, self.channels, need)
            .map_err(|error| refused(error.to_string()))?;
        let room = self.chunk_out.len() / self.channels;
        let mut output = InterleavedSlice::new_mut(&mut self.chunk_out, self.channels, room)
            .map_err(|error| refused(error.to_string()))?;
        let indexing = partial.map(|frames| Indexing {
            input_offset: 0,
            output_offset: 0,
            partial_len: Some(frames),
            active_channels_mask: None,
        });
        let (_taken, made) = fft
            .process_into_buffer(&input, &mut output, indexing.as_ref())
            .map_err(|error| refused(error.to_string()))?;
        self.waiting.clear();
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        self.given += (made - dropped) as u64;
        out.extend_from_slice(&self.chunk_out[dropped * self.channels..made * self.channels]);
        Ok(())
    }
}

/// The converter's filter is centred on a sample only if its block is even; else everything would come out
/// half a sample early.
fn converter(from: usize, to: usize, channels: usize) -> Result<Fft<f32>, ResampleError> {
    let common = common_divisor(from, to);
    let (unit_in, unit_out) = (from / common, to / common);
    let units = LEAST_CHUNK.div_ceil(unit_in.min(unit_out)).max(1);
    let units = units.next_multiple_of(2);
    let window = WindowFunction::BlackmanHarris2;
    Fft::new_custom(
        from,
        to,
        unit_in * units,
        1,
        channels,
        window,
        FixedSync::Both,
    )
    .map_err(|error| ResampleError(error.to_string()))
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resampled(input: &[f32], from: u32, to: u32, channels: usize, piece: usize) -> Vec<f32> {
        let rate = |hz| SampleRate::new(hz).unwrap();
        let mut resampler = Resampler::new(rate(from), rate(to), channels).unwrap();
        let mut out = Vec::new();
        for piece in input.chunks(piece * channels) {
            resampler.push(piece, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    }

    fn tone(hz: f64, rate: f64, frames: usize) -> Vec<f32> {
        let level = 10_f64.powf(-1.0 / 20.0);
        (0..frames)
            .map(|frame| (level * (std::f64::consts::TAU * hz * frame as f64 / rate).sin()) as f32)
            .collect()
    }

    /// What is left of `sound` after the best-fitting tone is taken out, in dB below it (THD+N), and that tone's
    /// gain and delay in frames against the one that went in.
    fn against_tone(sound: &[f32], hz: f64, rate: f64) -> (f64, f64, f64) {
        let step = std::f64::consts::TAU * hz / rate;
        let middle = 2_000..sound.len() - 2_000;
        // A whole number of periods is long enough here for sine and cosine to count as orthogonal, but not to
        // 120 dB: solve the two equations.
        let mut sums = [0.0_f64; 5];
        for frame in middle.clone() {
            let (sine, cosine) = (step * frame as f64).sin_cos();
            let sample = f64::from(sound[frame]);
            for (sum, product) in sums.iter_mut().zip([
                sine * sine,
                sine * cosine,
                cosine * cosine,
                sample * sine,
                sample * cosine,
            ]) {
                *sum += product;
            }
        }
        let [ss, sc, cc, xs, xc] = sums;
        let determinant = ss * cc - sc * sc;
        let in_phase = (xs * cc - xc * sc) / determinant;
        let across = (xc * ss - xs * sc) / determinant;
        let (mut error, mut power) = (0.0, 0.0);
        for frame in middle {
            let (sine, cosine) = (step * frame as f64).sin_cos();
            let fitted = in_phase * sine + across * cosine;
            error += (f64::from(sound[frame]) - fitted).powi(2);
            power += fitted.powi(2);
        }
        let level = in_phase.hypot(across) / 10_f64.powf(-1.0 / 20.0);
        let delay = -across.atan2(in_phase) / step;
        (10.0 * (error / power).log10(), level, delay)
    }

    #[test]
    fn tones_survive_with_120_db_and_at_their_place() {
        for hz in [997.0, 5_000.0, 10_000.0, 15_000.0, 18_000.0, 20_000.0] {
            let out = resampled(&tone(hz, 44_100.0, 44_100), 44_100, 48_000, 1, 1_152);
            let (residue, level, delay) = against_tone(&out, hz, 48_000.0);
            assert!(residue <= -120.0, "{hz} Hz: {residue:.1} dB");
            assert!((level - 1.0).abs() < 1e-4, "{hz} Hz: {level}");
            assert!(delay.abs() < 1e-4, "{hz} Hz: {delay} frames late");
        }
    }

    #[test]
    fn every_rate_gives_the_exact_length_at_any_block_size() {
        for from in [
            8_000, 11_025, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000, 384_000,
        ] {
            for frames in [0_usize, 1, 1_000, 30_011] {
                let input = tone(440.0, f64::from(from), frames);
                let whole = resampled(&input, from, 44_100, 1, 30_011);
                let expected = (frames as u64 * 44_100).div_ceil(u64::from(from));
                assert_eq!(whole.len() as u64, expected, "{from} Hz, {frames}");
                assert_eq!(resampled(&input, from, 44_100, 1, 77), whole, "{from} Hz");
            }
        }
    }

    #[test]
    fn channels_stay_apart() {
        let left = tone(997.0, 44_100.0, 20_000);
        let stereo: Vec<f32> = left.iter().flat_map(|&sample| [sample, 0.0]).collect();
        let out = resampled(&stereo, 44_100, 48_000, 2, 500);
        let alone = resampled(&left, 44_100, 48_000, 1, 500);
        let heard_left: Vec<f32> = out.iter().step_by(2).copied().collect();
        assert_eq!(heard_left, alone);
        assert!(out.iter().skip(1).step_by(2).all(|&sample| sample == 0.0));
    }
}
