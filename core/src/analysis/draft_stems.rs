//! A draft of the four stems without any model: drums are ridges across frequency, bass is what holds a tone below, vocals
//! are tones in the middle that do not repeat, and other is the rest.
//!
//! Short spectra of 4096 samples are weighed bin by bin with shares that sum to 1. The other stem is what the mix has
//! left when the three are taken from it, so that the four always add up. Memory is bounded whatever the length.

mod shares;
mod spectra;

use shares::Shares;
use spectra::{Frame, HOP, Spectra, Voices};
use std::collections::VecDeque;

/// Frames that are looked at after the one in hand: half of the longest window.
const AHEAD: usize = shares::REACH;

/// Takes a mix piece by piece and gives it back in four parts, some hundred thousandths of a second later.
#[derive(Debug)]
pub struct Draft {
    spectra: Spectra,
    shares: Shares,
    voices: Voices,
    /// Interleaved samples that do not fill a hop yet.
    waiting: Vec<f32>,
    /// Hops of the mix whose stems are not complete yet, oldest first.
    mixes: VecDeque<Vec<f32>>,
    frames: VecDeque<Frame>,
    /// Frames that were weighed.
    weighed: usize,
    samples: u64,
    given: u64,
    stems: [Vec<f32>; 4],
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            spectra: Spectra::default(),
            shares: Shares::default(),
            voices: Voices::default(),
            waiting: Vec::with_capacity(2 * HOP),
            mixes: VecDeque::new(),
            frames: VecDeque::new(),
            weighed: 0,
            samples: 0,
            given: 0,
            stems: Default::default(),
        }
    }
}

/// Gets the mix and its drums, bass, other and vocals, equally long, interleaved.
pub type Sink<'a, E> = &'a mut dyn FnMut(&[f32], [&[f32]; 4]) -> Result<(), E>;

impl Draft {
    /// The next whole frames of the mix, interleaved stereo at 44.1 kHz.
    pub fn push<E>(&mut self, mix: &[f32], sink: Sink<'_, E>) -> Result<(), E> {
        self.samples += mix.len() as u64;
        let mut rest = mix;
        while !rest.is_empty() {
            let (now, later) = rest.split_at((2 * HOP - self.waiting.len()).min(rest.len()));
            self.waiting.extend_from_slice(now);
            rest = later;
            if self.waiting.len() == 2 * HOP {
                self.take_hop(sink)?;
            }
        }
        Ok(())
    }

    /// Gives what is left.
    pub fn finish<E>(mut self, sink: Sink<'_, E>) -> Result<(), E> {
        while self.given < self.samples {
            self.waiting.resize(2 * HOP, 0.0);
            self.take_hop(sink)?;
        }
        Ok(())
    }

    fn take_hop<E>(&mut self, sink: Sink<'_, E>) -> Result<(), E> {
        for sample in &mut self.waiting {
            // One sample that is no number would silence 4096 of them.
            if !sample.is_finite() {
                *sample = 0.0;
            }
        }
        let frame = self.spectra.next(&self.waiting);
        self.shares.hear(&frame);
        self.frames.push_back(frame);
        self.mixes.push_back(std::mem::take(&mut self.waiting));
        if self.frames.len() > AHEAD {
            self.weigh(sink)?;
        }
        Ok(())
    }

    fn weigh<E>(&mut self, sink: Sink<'_, E>) -> Result<(), E> {
        let Some(frame) = self.frames.pop_front() else {
            return Ok(());
        };
        let shares = self.shares.of(&frame);
        self.spectra.voices(&frame, shares, &mut self.voices);
        self.spectra.recycle(frame);
        self.weighed += 1;
        // A hop is complete when all four frames that reach it have been added.
        if self.weighed < spectra::OVERLAP {
            self.voices.step();
            return Ok(());
        }
        let Some(mut mix) = self.mixes.pop_front() else {
            return Ok(());
        };
        let wanted = (self.samples - self.given).min(mix.len() as u64) as usize;
        let [drums, bass, other, vocals] = &mut self.stems;
        self.voices.take([drums, bass, vocals]);
        other.clear();
        let parts = mix.iter().zip(&*drums).zip(&*bass).zip(&*vocals);
        other.extend(parts.map(|(((mix, drums), bass), vocals)| mix - drums - bass - vocals));
        let stems = [
            &drums[..wanted],
            &bass[..wanted],
            &other[..wanted],
            &vocals[..wanted],
        ];
        sink(&mix[..wanted], stems)?;
        self.given += wanted as u64;
        mix.clear();
        self.waiting = mix;
        Ok(())
    }
}

/// Weights of drums, bass and vocals, bin by bin; their sum is at most 1.
type Weights = [Vec<f32>; 3];

#[cfg(test)]
mod tests;
