//! The sound that a model is to hear, as a raw file in a folder that goes with the job.

use super::trouble::{Trouble, of_file};
use crate::audio::pcm::{PcmError, PcmFile, write_mono};
use crate::audio::stereo::Stereo;
use crate::audio::{AudioError, ListenError};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use crate::python::protocol::Family;
use crate::stems::{Stem, StemFiles};
use crate::units::{Frame, SampleRate, Secs};
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "sound.f32";

/// A raw file of 32-bit floats.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) path: PathBuf,
    pub(super) frames: u64,
    rate: SampleRate,
}

impl From<AudioError> for Trouble {
    fn from(error: AudioError) -> Self {
        Self::Failed(Failure::from(&error))
    }
}

/// A stem that is not as it was stored: no fault of the track, whose file is another.
fn unreadable(stem: &AudioError) -> Trouble {
    let Failure { message, .. } = Failure::from(stem);
    Trouble::Failed(Failure::new(
        FailureKind::Damaged,
        format!("a stored stem cannot be read: {message}"),
        "Make the stems of this track again: tonearm analyze TRACK --force --only stems",
    ))
}

fn of_pcm(error: PcmError, path: &Path) -> Trouble {
    match error {
        PcmError::Listen(ListenError::Cancelled(_)) => Trouble::Cancelled,
        PcmError::Listen(ListenError::Audio(error)) => error.into(),
        PcmError::Write(error) => of_file(&error, path),
    }
}

fn rate_of(family: Family) -> Result<SampleRate, Trouble> {
    SampleRate::new(family.shape().0).ok_or(Trouble::Cancelled)
}

impl Sound {
    pub(super) fn length(&self) -> Secs {
        self.rate.secs_from_frame(Frame(self.frames))
    }

    /// The mean of all channels, for beats.
    pub(super) fn mono(track: &Path, folder: &Path, control: &Control) -> Result<Self, Trouble> {
        let rate = rate_of(Family::Beats)?;
        let path = folder.join(NAME);
        let written =
            write_mono(track, rate, &path, control).map_err(|error| of_pcm(error, &path))?;
        Ok(Self {
            path,
            frames: written.frames,
            rate,
        })
    }

    /// Both channels, for stems.
    pub(super) fn stereo(track: &Path, folder: &Path, control: &Control) -> Result<Self, Trouble> {
        let rate = rate_of(Family::Stems)?;
        let path = folder.join(NAME);
        let unwritten = |error: io::Error| of_file(&error, &path);
        let mut file = PcmFile::create(&path).map_err(unwritten)?;
        let mut sound = Stereo::open(track, rate)?;
        let mut piece = Vec::new();
        while sound.next(&mut piece)? {
            control.check()?;
            file.push(&piece).map_err(unwritten)?;
            piece.clear();
        }
        let frames = file.finish().map_err(unwritten)? / 2;
        if frames == 0 {
            return Err(AudioError::NoSamples.into());
        }
        Ok(Self { path, frames, rate })
    }

    /// The sum of two stems as mono, for chords.
    pub(super) fn of_stems(
        stems: &StemFiles,
        which: [Stem; 2],
        folder: &Path,
        control: &Control,
    ) -> Result<Self, Trouble> {
        let rate = rate_of(Family::Harmony)?;
        let path = folder.join(NAME);
        let unwritten = |error: io::Error| of_file(&error, &path);
        let mut file = PcmFile::create(&path).map_err(unwritten)?;
        let open = |stem: Stem| {
            let index = Stem::ALL
                .iter()
                .position(|known| *known == stem)
                .unwrap_or(0);
            Stereo::open(&stems.paths[index], rate).map_err(|error| unreadable(&error))
        };
        let mut sounds = [open(which[0])?, open(which[1])?];
        let mut waiting: [Vec<f32>; 2] = Default::default();
        let mut mono = Vec::new();
        loop {
            control.check()?;
            let mut is_more = false;
            // A stem that has ended holds the other up no longer.
            let mut ready = None::<usize>;
            for (sound, waiting) in sounds.iter_mut().zip(&mut waiting) {
                if sound.next(waiting).map_err(|error| unreadable(&error))? {
                    is_more = true;
                    ready = Some(ready.map_or(waiting.len(), |least| least.min(waiting.len())));
                }
            }
            let ready = ready.unwrap_or_else(|| waiting[0].len().max(waiting[1].len()));
            mono.clear();
            mono.extend((0..ready / 2).map(|frame| {
                let both = |side: usize| {
                    let at = |stem: &Vec<f32>| stem.get(frame * 2 + side).copied().unwrap_or(0.0);
                    at(&waiting[0]) + at(&waiting[1])
                };
                (both(0) + both(1)) * 0.5 * stems.gain
            }));
            file.push(&mono).map_err(unwritten)?;
            for waiting in &mut waiting {
                waiting.drain(..ready.min(waiting.len()));
            }
            if !is_more {
                break;
            }
        }
        let frames = file.finish().map_err(unwritten)?;
        if frames == 0 {
            return Err(AudioError::NoSamples.into());
        }
        Ok(Self { path, frames, rate })
    }
}
