//! A file as stereo at one rate on the track's timeline, piece by piece: what players and separators take.

use super::resample::Resampler;
use super::{AudioError, Damage, Decoder};
use crate::track::AudioFormat;
use crate::units::SampleRate;
use std::path::Path;

/// An open file, from its first frame on. Frame `n` sounds at `n / rate` seconds, whatever the file's own rate.
#[derive(Debug)]
pub struct Stereo {
    decoder: Decoder,
    /// `None` when all has been given.
    converter: Option<Resampler>,
    channels: usize,
    raw: Vec<f32>,
    both: Vec<f32>,
    blocks: u64,
    /// Frames taken from the file.
    heard: u64,
}

impl Stereo {
    pub fn open(path: &Path, rate: SampleRate) -> Result<Self, AudioError> {
        let decoder = Decoder::open(path)?;
        let format = decoder.format();
        let converter = Resampler::new(format.sample_rate, rate, 2)
            .map_err(|error| AudioError::Unsupported(error.to_string()))?;
        Ok(Self {
            converter: Some(converter),
            channels: usize::from(format.channels),
            raw: Vec::new(),
            both: Vec::new(),
            blocks: 0,
            heard: 0,
            decoder,
        })
    }

    /// What is known so far; exact in length once everything has been given.
    pub fn format(&self) -> &AudioFormat {
        self.decoder.format()
    }

    /// What had to be left out so far.
    pub fn damage(&self) -> Damage {
        self.decoder.damage()
    }

    /// How much of the file has been taken, 0 to 1, as far as its length is known.
    pub fn progress(&self) -> f32 {
        let format = self.decoder.format();
        let frames = format.duration.0 * f64::from(format.sample_rate.hz());
        if frames > 0.0 {
            (self.heard as f64 / frames).min(1.0) as f32
        } else {
            0.0
        }
    }

    /// Appends the next piece, interleaved, to `out`: a few thousand frames, now and then none. `false` at the end.
    ///
    /// A file that has nothing to hear is an error at its end.
    pub fn next(&mut self, out: &mut Vec<f32>) -> Result<bool, AudioError> {
        let unsupported =
            |error: super::resample::ResampleError| AudioError::Unsupported(error.to_string());
        let Some(converter) = &mut self.converter else {
            return Ok(false);
        };
        if let Some(frames) = self.decoder.next_block(&mut self.raw)? {
            self.blocks += 1;
            self.heard += frames as u64;
            to_stereo(&self.raw, self.channels, &mut self.both);
            converter.push(&self.both, out).map_err(unsupported)?;
            return Ok(true);
        }
        let damage = self.decoder.damage();
        if self.blocks <= damage.skipped_packets {
            return Err(super::listen::nothing_heard(damage));
        }
        if let Some(converter) = self.converter.take() {
            converter.finish(out).map_err(unsupported)?;
        }
        Ok(true)
    }
}

/// Shares of the channels in left and right, in the order of WAV files: front left and right, centre, low
/// frequencies, then pairs to the left and right. Each side's shares sum to 1, so that nothing clips.
fn shares(channels: usize, channel: usize) -> (f32, f32) {
    // 3 dB down.
    const CENTRE: f32 = std::f32::consts::FRAC_1_SQRT_2;
    let (left, right) = match (channels, channel) {
        (_, 0) => (1.0, 0.0),
        (_, 1) => (0.0, 1.0),
        (3 | 5.., 2) => (CENTRE, CENTRE),
        (6.., 3) => (0.0, 0.0),
        (4, n) => {
            if n == 2 {
                (CENTRE, 0.0)
            } else {
                (0.0, CENTRE)
            }
        }
        (7, 6) => (0.5, 0.5),
        (5, n) => {
            if n == 3 {
                (CENTRE, 0.0)
            } else {
                (0.0, CENTRE)
            }
        }
        (_, n) if n.is_multiple_of(2) => (CENTRE, 0.0),
        _ => (0.0, CENTRE),
    };
    (left, right)
}

/// Replaces `out` by what two loudspeakers play of `raw`.
pub(crate) fn to_stereo(raw: &[f32], channels: usize, out: &mut Vec<f32>) {
    out.clear();
    match channels {
        0 => {}
        1 => out.extend(raw.iter().flat_map(|&sample| [sample, sample])),
        2 => out.extend_from_slice(raw),
        _ => {
            let each: Vec<(f32, f32)> = (0..channels)
                .map(|channel| shares(channels, channel))
                .collect();
            let sum = each
                .iter()
                .fold((0.0, 0.0), |sum, share| (sum.0 + share.0, sum.1 + share.1));
            out.extend(raw.chunks_exact(channels).flat_map(|frame| {
                let mut mixed = [0.0_f32; 2];
                for (sample, (left, right)) in frame.iter().zip(&each) {
                    mixed[0] += sample * left / sum.0;
                    mixed[1] += sample * right / sum.1;
                }
                mixed
            }));
        }
    }
}
