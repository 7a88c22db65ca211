//! A file as stereo at the rate of the frame clock, from any frame on, always the same frames.

use super::RATE;
use crate::audio::resample::{ResampleError, Resampler};
use crate::audio::stereo::to_stereo;
use crate::audio::{AudioError, Decoder};
use crate::failure::{Failure, FailureKind};
use crate::units::{Frame, SampleRate, Secs};
use std::path::Path;

/// A stream may lack so much of what its container promises without being called cut off, in seconds.
const SLACK_SECS: f64 = 1.0;

pub(super) struct Reader {
    decoder: Decoder,
    rate: SampleRate,
    channels: usize,
    converter: Option<Resampler>,
    /// Frames that come next, interleaved stereo, from `taken` on.
    ready: Vec<f32>,
    taken: usize,
    /// The frame that comes next.
    at: u64,
    /// Frames still to be dropped: where a converter starts it is not right yet.
    skip: u64,
    raw: Vec<f32>,
    stereo: Vec<f32>,
    ended: bool,
    promised: Option<Secs>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let decoder = Decoder::open(path).map_err(|error| Failure::from(&error))?;
        let format = decoder.format();
        let rate = format.sample_rate;
        let promised = decoder.promised();
        let mut reader = Self {
            rate,
            channels: usize::from(format.channels).max(1),
            converter: None,
            ready: Vec::new(),
            taken: 0,
            at: 0,
            skip: 0,
            raw: Vec::new(),
            stereo: Vec::new(),
            ended: false,
            promised: promised.map(|frames| rate.secs_from_frame(Frame(frames))),
            decoder,
        };
        reader.converter = Some(reader.new_converter()?);
        Ok(reader)
    }

    /// The container's word.
    pub(super) fn duration(&self) -> Secs {
        self.decoder.format().duration
    }

    /// Fills `out` (interleaved stereo) with the frames from `from` on; fewer only at the end.
    pub(super) fn fill(&mut self, from: u64, out: &mut [f32]) -> Result<usize, Failure> {
        if from != self.at {
            self.seek(from)?;
        }
        let mut filled = 0;
        while filled < out.len() {
            let rest = self.ready.get(self.taken..).unwrap_or_default();
            if rest.is_empty() {
                if self.ended {
                    break;
                }
                self.more()?;
                continue;
            }
            let room = out.get_mut(filled..).unwrap_or_default();
            let count = rest.len().min(room.len());
            for (to, from) in room.iter_mut().zip(rest) {
                *to = *from;
            }
            filled += count;
            self.taken += count;
        }
        self.at += filled as u64 / 2;
        Ok(filled / 2)
    }

    /// What the user should know of a file that ended at frame `end`.
    pub(super) fn trouble(&self, end: u64) -> Option<Failure> {
        let heard = end as f64 / f64::from(RATE);
        if let Some(failure) = self.decoder.damage().failure(Secs(heard)) {
            return Some(failure);
        }
        let promised = self.promised?;
        if heard + SLACK_SECS >= promised.0 {
            return None;
        }
        let damage = self.decoder.damage_of_end(Secs(heard), promised);
        damage.failure(Secs(heard))
    }

    fn new_converter(&self) -> Result<Resampler, Failure> {
        let to = SampleRate::new(RATE).unwrap_or(self.rate);
        Resampler::new(self.rate, to, 2).map_err(|error| refused(&error))
    }

    fn seek(&mut self, to: u64) -> Result<(), Failure> {
        let converter = self.new_converter()?;
        let (piece_in, piece_out) = converter.piece();
        let (piece_in, piece_out) = (piece_in as u64, piece_out as u64);
        // Its first piece lacks what was before; two pieces ahead it is whole.
        let pieces = if piece_out == 1 {
            to
        } else {
            (to / piece_out).saturating_sub(1)
        };
        self.decoder
            .seek(Frame(pieces.saturating_mul(piece_in)))
            .map_err(|error| Failure::from(&error))?;
        self.converter = Some(converter);
        self.skip = to - pieces * piece_out;
        self.at = to;
        self.ready.clear();
        self.taken = 0;
        self.ended = false;
        Ok(())
    }

    /// Decodes one more block into `ready`, which is empty.
    fn more(&mut self) -> Result<(), Failure> {
        self.ready.clear();
        self.taken = 0;
        let decoded = self.decoder.next_block(&mut self.raw);
        let decoded = decoded.map_err(|error: AudioError| Failure::from(&error))?;
        if decoded.is_some() {
            to_stereo(&self.raw, self.channels, &mut self.stereo);
            if let Some(converter) = &mut self.converter {
                converter
                    .push(&self.stereo, &mut self.ready)
                    .map_err(|error| refused(&error))?;
            }
        } else {
            self.ended = true;
            if let Some(converter) = self.converter.take() {
                converter
                    .finish(&mut self.ready)
                    .map_err(|error| refused(&error))?;
            }
        }
        let skipped = self.skip.min(self.ready.len() as u64 / 2);
        self.skip -= skipped;
        self.taken = skipped as usize * 2;
        Ok(())
    }
}

fn refused(error: &ResampleError) -> Failure {
    Failure::new(
        FailureKind::Unsupported,
        error.to_string(),
        "Convert the track to 44.1 or 48 kHz",
    )
}
