//! One decode that feeds everything: waveform, loudness, and the mono sound for beats, key and chords.

use super::error::AudioError;
use super::meter::Meter;
use super::peaks::{LiveColumns, Peaks};
use super::resample::{ResampleError, Resampler};
use super::{Damage, Decoder};
use crate::analysis;
use crate::control::{Cancelled, Control};
use crate::loudness::Loudness;
use crate::track::AudioFormat;
use crate::units::{SampleRate, Secs};
use crate::waveform::Waveform;
use std::path::Path;

/// How long tracks are cut, in samples at [`analysis::RATE`].
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// A track, or the rest of one, up to this long is not cut.
    longest: usize,
    chapter: usize,
    /// What two neighbouring chapters share.
    overlap: usize,
}

/// 12 minutes, 10 minutes, 30 seconds.
const CUT: Cut = Cut {
    longest: 12 * 60 * analysis::RATE as usize,
    chapter: 10 * 60 * analysis::RATE as usize,
    overlap: 30 * analysis::RATE as usize,
};

/// What is to be made of a track. Whatever is left out costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    pub waveform: bool,
    pub loudness: bool,
    /// Chapters of mono sound.
    pub mono: bool,
    /// Where to show the waveform while it grows.
    pub live: Option<LiveColumns>,
}

/// What one pass over a track found.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// With the exact length and the average bit rate.
    pub format: AudioFormat,
    /// Exact length at the file's own rate.
    pub frames: u64,
    pub waveform: Option<Waveform>,
    pub loudness: Option<Loudness>,
    pub damage: Damage,
}

/// A stretch of the track, mixed to mono at [`analysis::RATE`].
#[derive(Debug, Clone, PartialEq)]
pub struct Chapter {
    /// Of the first sample, on the track's timeline.
    pub start: Secs,
    pub mono: Vec<f32>,
    pub is_last: bool,
}

/// Why a track was not heard to its end.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error(transparent)]
    Audio(#[from] AudioError),
}

impl From<ResampleError> for ListenError {
    fn from(error: ResampleError) -> Self {
        Self::Audio(AudioError::Unsupported(error.to_string()))
    }
}

/// Decodes the whole file once. Chapters are handed over as they are complete, in order; consecutive ones
/// share 30 seconds. Memory is bounded by one chapter and the waveform (1.8 kB a second).
pub fn listen(
    path: &Path,
    wants: &Wants,
    control: &Control,
    on_chapter: &mut dyn FnMut(Chapter),
) -> Result<Heard, ListenError> {
    control.check()?;
    let mut decoder = Decoder::open(path)?;
    let format = decoder.format().clone();
    let mut ears = Ears::new(&format, wants)?;
    let expected = format.duration.0 * f64::from(format.sample_rate.hz());
    let mut block = Vec::new();
    while decoder.next_block(&mut block)?.is_some() {
        control.check()?;
        ears.hear(&block, on_chapter)?;
        if expected > 0.0 {
            control.set_progress((ears.frames as f64 / expected) as f32);
        }
    }
    let damage = decoder.damage();
    if ears.frames == 0 || !ears.any_good(damage) {
        return Err(nothing_heard(damage).into());
    }
    let frames = ears.frames;
    let (waveform, loudness) = ears.finish(on_chapter)?;
    control.set_progress(1.0);
    Ok(Heard {
        format: decoder.format().clone(),
        frames,
        waveform,
        loudness,
        damage,
    })
}

pub(super) fn nothing_heard(damage: Damage) -> AudioError {
    if damage == Damage::default() {
        AudioError::NoSamples
    } else {
        AudioError::Damaged("nothing in it can be decoded".to_owned())
    }
}

/// Everything that takes samples.
struct Ears {
    channels: usize,
    frames: u64,
    blocks: u64,
    mix: Vec<f32>,
    peaks: Option<Peaks>,
    meter: Option<Meter>,
    chapters: Option<Chapters>,
}

impl Ears {
    fn new(format: &AudioFormat, wants: &Wants) -> Result<Self, ListenError> {
        let rate = format.sample_rate;
        let peaks = wants.waveform.then(|| match &wants.live {
            Some(live) => Peaks::new(rate).watched_by(live.clone()),
            None => Peaks::new(rate),
        });
        let meter = if wants.loudness {
            Meter::new(rate, format.channels)
        } else {
            None
        };
        let chapters = if wants.mono {
            Some(Chapters::new(rate, CUT)?)
        } else {
            None
        };
        Ok(Self {
            channels: usize::from(format.channels),
            frames: 0,
            blocks: 0,
            mix: Vec::new(),
            peaks,
            meter,
            chapters,
        })
    }

    fn hear(
        &mut self,
        block: &[f32],
        on_chapter: &mut dyn FnMut(Chapter),
    ) -> Result<(), ListenError> {
        self.frames += (block.len() / self.channels) as u64;
        self.blocks += 1;
        if let Some(meter) = &mut self.meter {
            meter.push(block);
        }
        if self.peaks.is_none() && self.chapters.is_none() {
            return Ok(());
        }
        mix_to_mono(block, self.channels, &mut self.mix);
        if let Some(peaks) = &mut self.peaks {
            peaks.push(&self.mix);
        }
        if let Some(chapters) = &mut self.chapters {
            chapters.push(&self.mix, on_chapter)?;
        }
        Ok(())
    }

    /// Whether any block was more than silence in place of a broken packet.
    fn any_good(&self, damage: Damage) -> bool {
        self.blocks > damage.skipped_packets
    }

    fn finish(
        self,
        on_chapter: &mut dyn FnMut(Chapter),
    ) -> Result<(Option<Waveform>, Option<Loudness>), ListenError> {
        if let Some(chapters) = self.chapters {
            chapters.finish(on_chapter)?;
        }
        Ok((self.peaks.map(Peaks::finish), self.meter.map(Meter::finish)))
    }
}

/// Replaces `out` by the mean of all channels.
pub fn mix_to_mono(interleaved: &[f32], channels: usize, out: &mut Vec<f32>) {
    out.clear();
    match channels {
        1 => out.extend_from_slice(interleaved),
        2 => out.extend(
            interleaved
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[left, right]| (left + right) * 0.5),
        ),
        _ => {
            let share = 1.0 / channels.max(1) as f32;
            out.extend(
                interleaved
                    .chunks_exact(channels.max(1))
                    .map(|frame| frame.iter().sum::<f32>() * share),
            );
        }
    }
}

/// Collects mono sound into chapters.
struct Chapters {
    resampler: Resampler,
    mono: Vec<f32>,
    /// Samples at [`analysis::RATE`] before `mono`.
    before: u64,
    cut: Cut,
}

impl Chapters {
    fn new(rate: SampleRate, cut: Cut) -> Result<Self, ListenError> {
        let to = SampleRate::new(analysis::RATE).unwrap_or(rate);
        Ok(Self {
            resampler: Resampler::new(rate, to, 1)?,
            mono: Vec::new(),
            before: 0,
            cut,
        })
    }

    fn push(
        &mut self,
        mix: &[f32],
        on_chapter: &mut dyn FnMut(Chapter),
    ) -> Result<(), ListenError> {
        self.resampler.push(mix, &mut self.mono)?;
        let step = self.cut.chapter - self.cut.overlap;
        while self.mono.len() > self.cut.longest {
            let kept = self.mono.split_off(step);
            let mut mono = std::mem::replace(&mut self.mono, kept);
            mono.extend_from_slice(&self.mono[..self.cut.overlap]);
            on_chapter(Chapter {
                start: self.start(),
                mono,
                is_last: false,
            });
            self.before += step as u64;
        }
        Ok(())
    }

    fn finish(mut self, on_chapter: &mut dyn FnMut(Chapter)) -> Result<(), ListenError> {
        let start = self.start();
        self.resampler.finish(&mut self.mono)?;
        on_chapter(Chapter {
            start,
            mono: self.mono,
            is_last: true,
        });
        Ok(())
    }

    fn start(&self) -> Secs {
        Secs(self.before as f64 / f64::from(analysis::RATE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tracks_come_in_overlapping_chapters_that_cover_every_sample() {
        let cut = Cut {
            longest: 120,
            chapter: 100,
            overlap: 5,
        };
        let rate = SampleRate::new(analysis::RATE).unwrap();
        for length in [1_usize, 100, 120, 121, 215, 216, 1_000, 1_003] {
            let track: Vec<f32> = (0..length).map(|index| index as f32).collect();
            let mut chapters = Vec::new();
            let mut cutter = Chapters::new(rate, cut).unwrap();
            for piece in track.chunks(7) {
                cutter
                    .push(piece, &mut |chapter| chapters.push(chapter))
                    .unwrap();
            }
            cutter
                .finish(&mut |chapter| chapters.push(chapter))
                .unwrap();
            let last = chapters.len() - 1;
            let mut next = 0;
            for (index, chapter) in chapters.iter().enumerate() {
                let start = (chapter.start.0 * f64::from(analysis::RATE)).round() as usize;
                assert_eq!(
                    chapter.mono,
                    track[start..start + chapter.mono.len()],
                    "{length}"
                );
                assert_eq!(chapter.is_last, index == last);
                assert!(chapter.mono.len() <= cut.longest);
                let shared = if index == 0 { 0 } else { cut.overlap };
                assert_eq!(start + shared, next, "{length}");
                next = start + chapter.mono.len();
            }
            assert_eq!(next, length);
        }
    }
}
