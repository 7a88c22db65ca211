//! Stretches of sound at full resolution, for the closest zoom.

use super::Samples;
use super::keep::{Answer, Edition, Found};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tonearm_core::audio::{AudioError, Decoder, mix_to_mono};
use tonearm_core::failure::Failure;
use tonearm_core::track::TrackId;
use tonearm_core::units::{Frame, SampleRate};

/// Longer stretches are drawn from the waveform.
pub(super) const MOST_SECS: u64 = 5;
/// Six windows at 48 kHz.
const MOST_BYTES: usize = 12 << 20;
/// Frames before and after even the shortest view: two seconds at 48 kHz.
const LEAST_MORE: u64 = 96_000;
/// Of windows that hold nothing, too.
const MOST_WINDOWS: usize = 32;

/// A stretch that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    from: Frame,
    /// [`u64::MAX`] when the file ends in it.
    to: Frame,
    samples: Answer<Arc<Samples>>,
    until: Option<Instant>,
}

impl Window {
    pub(super) fn to_the_end(samples: Arc<Samples>) -> Self {
        Self {
            from: samples.start,
            to: Frame(u64::MAX),
            samples: Answer::Is(samples),
            until: None,
        }
    }

    /// What came of reading `from..to`: fewer samples than asked for mean that the file ends there.
    pub(super) fn new(from: Frame, to: Frame, samples: Answer<Arc<Samples>>) -> Self {
        let is_whole = match &samples {
            Answer::Is(samples) => samples.mono.len() as u64 >= to.0.saturating_sub(from.0),
            Answer::Nothing | Answer::Failed(_) => true,
        };
        let to = if is_whole { to } else { Frame(u64::MAX) };
        let until = samples.counts_until(Instant::now());
        Self {
            from,
            to,
            samples,
            until,
        }
    }

    fn bytes(&self) -> usize {
        match &self.samples {
            Answer::Is(samples) => size_of_val(samples.mono.as_slice()),
            Answer::Nothing | Answer::Failed(_) => 0,
        }
    }

    fn covers(&self, from: Frame, to: Frame) -> bool {
        let counts = self.until.is_none_or(|until| Instant::now() < until);
        counts && self.from <= from && to <= self.to
    }

    /// Whether scrolling on will soon leave it.
    fn is_near_edge(&self, from: Frame, to: Frame) -> bool {
        let Answer::Is(samples) = &self.samples else {
            return false;
        };
        let margin = samples.mono.len() as u64 / 10;
        let starts_later = self.from.0 > 0 && from.0.saturating_sub(self.from.0) < margin;
        let ends_earlier = self.to.0 < u64::MAX && self.to.0.saturating_sub(to.0) < margin;
        starts_later || ends_earlier
    }
}

/// The windows on the shelf, newest first.
#[derive(Debug, Default)]
pub(super) struct Windows(VecDeque<(TrackId, Edition, Window)>);

impl Windows {
    /// What is there of `from..to`, and whether more around it should be fetched.
    pub(super) fn look(
        &self,
        id: TrackId,
        wanted: Edition,
        from: Frame,
        to: Frame,
    ) -> (Found<Arc<Samples>>, bool) {
        let window = self.0.iter().find(|(of, edition, window)| {
            *of == id && edition.serves(wanted) && window.covers(from, to)
        });
        match window {
            None => (Found::Nothing, false),
            Some((_, _, window)) => (
                Found::Current(window.samples.clone()),
                window.is_near_edge(from, to),
            ),
        }
    }

    /// Gives back what had to go.
    #[must_use]
    pub(super) fn put(&mut self, id: TrackId, edition: Edition, window: Window) -> Vec<Window> {
        self.0.push_front((id, edition, window));
        let mut gone = Vec::new();
        while self.0.len() > 1
            && (self.bytes() > MOST_BYTES || self.0.len() > MOST_WINDOWS)
            && let Some((_, _, oldest)) = self.0.pop_back()
        {
            gone.push(oldest);
        }
        gone
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|(_, _, window)| window.bytes()).sum()
    }
}

/// The window to read for a view of `from..to`: as much again before and after, within reason.
pub(super) fn around(from: Frame, to: Frame) -> (Frame, Frame) {
    let length = to.0.saturating_sub(from.0);
    let more = (length / 2).max(LEAST_MORE);
    (
        Frame(from.0.saturating_sub(more)),
        Frame(to.0.saturating_add(more)),
    )
}

/// What [`around`] may ask for: the longest view, and as much as it adds.
fn most_frames(rate: SampleRate) -> u64 {
    let view = MOST_SECS * u64::from(rate.hz());
    view + view.max(2 * LEAST_MORE)
}

/// Reads `from..to` of the file, less where it ends.
pub(super) fn read(path: &Path, from: Frame, to: Frame) -> Result<Samples, Failure> {
    let failed = |error: AudioError| Failure::from(&error);
    let mut decoder = Decoder::open(path).map_err(failed)?;
    if from.0 > 0 {
        decoder.seek(from).map_err(failed)?;
    }
    let format = decoder.format();
    let (rate, channels) = (format.sample_rate, usize::from(format.channels));
    let wanted = usize::try_from(to.0.saturating_sub(from.0)).unwrap_or(usize::MAX);
    let wanted = wanted.min(most_frames(rate) as usize);
    let (mut block, mut mix, mut mono) = (Vec::new(), Vec::new(), Vec::new());
    while mono.len() < wanted && decoder.next_block(&mut block).map_err(failed)?.is_some() {
        mix_to_mono(&block, channels, &mut mix);
        let room = wanted - mono.len();
        mono.extend_from_slice(mix.get(..room).unwrap_or(&mix));
    }
    Ok(Samples {
        rate,
        start: from,
        mono,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_is_cut_short_whatever_the_rate() {
        for hz in [8_000, 22_050, 48_000, 192_000] {
            let rate = SampleRate::new(hz).unwrap();
            for length in [1, 4_096, MOST_SECS * u64::from(hz)] {
                let from = Frame(10_000_000);
                let (start, end) = around(from, Frame(from.0 + length));
                assert!(end.0 - start.0 <= most_frames(rate), "{hz} Hz, {length}");
            }
        }
    }
}
