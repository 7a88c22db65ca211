//! From one fixed rate to another, streaming, in exact length and without delay.

use crate::units::SampleRate;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _};

/// Input frames worked on at a time, about.
const CHUNK: usize = 1024;

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
            let (from, to) = (from.hz() as usize, to.hz() as usize);
            let fft = Fft::new(from, to, CHUNK, channels, FixedSync::Both);
            Some(fft.map_err(|error| ResampleError(error.to_string()))?)
        };
        let out_frames = fft.as_ref().map_or(0, |fft| fft.output_frames_max());
        Ok(Self {
            delay: fft.as_ref().map_or(0, |fft| fft.output_delay()),
            chunk_out: vec![0.0; out_frames * channels],
            fft,
            channels,
            from: u64::from(from.hz()),
            to: u64::from(to.hz()),
            waiting: Vec::new(),
            taken: 0,
            given: 0,
        })
    }

    /// Converts the next whole frames and appends what is ready to `out`.
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
