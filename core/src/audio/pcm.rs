//! A track's sound as a raw file for those who cannot decode: 32-bit floats, little-endian, on the track's timeline.

use super::listen::{ListenError, mix_to_mono};
use super::resample::Resampler;
use super::{AudioError, Decoder};
use crate::control::Control;
use crate::track::AudioFormat;
use crate::units::SampleRate;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// Samples written at a time.
const BUFFER: usize = 256 << 10;

/// Why there is no such file.
#[derive(Debug, thiserror::Error)]
pub enum PcmError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl From<AudioError> for PcmError {
    fn from(error: AudioError) -> Self {
        Self::Listen(error.into())
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub frames: u64,
    pub format: AudioFormat,
}

/// Takes samples and writes them; what is no number becomes silence.
#[derive(Debug)]
pub struct PcmFile {
    file: BufWriter<File>,
    samples: u64,
}

impl PcmFile {
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(BUFFER, File::create(path)?),
            samples: 0,
        })
    }

    pub fn push(&mut self, samples: &[f32]) -> io::Result<()> {
        for sample in samples {
            let sound = if sample.is_finite() { *sample } else { 0.0 };
            self.file.write_all(&sound.to_le_bytes())?;
        }
        self.samples += samples.len() as u64;
        Ok(())
    }

    /// Gives the number of samples.
    pub fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        Ok(self.samples)
    }
}

/// Writes the mean of all channels at `rate`. Memory is that of one block, whatever the length.
pub fn write_mono(
    path: &Path,
    rate: SampleRate,
    to: &Path,
    control: &Control,
) -> Result<Written, PcmError> {
    let mut decoder = Decoder::open(path)?;
    let channels = usize::from(decoder.format().channels);
    let mut resampler =
        Resampler::new(decoder.format().sample_rate, rate, 1).map_err(ListenError::from)?;
    let mut file = PcmFile::create(to)?;
    let (mut block, mut mix, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    while decoder.next_block(&mut block)?.is_some() {
        control.check().map_err(ListenError::from)?;
        mix_to_mono(&block, channels, &mut mix);
        ready.clear();
        resampler
            .push(&mix, &mut ready)
            .map_err(ListenError::from)?;
        file.push(&ready)?;
    }
    ready.clear();
    resampler.finish(&mut ready).map_err(ListenError::from)?;
    file.push(&ready)?;
    let frames = file.finish()?;
    if frames == 0 {
        return Err(AudioError::NoSamples.into());
    }
    Ok(Written {
        frames,
        format: decoder.format().clone(),
    })
}
