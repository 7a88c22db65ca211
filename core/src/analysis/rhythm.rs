//! Beats, bars and tempo of one stretch of sound.
//!
//! Onsets → candidate tempi → one tracked reading each → the reading that makes most sense → a constant
//! grid through its onsets if they lie on one, else elastic beats → bars. See Dixon, "Evaluation of the
//! audio beat tracking system `BeatRoot`" (JNMR 2007), for the family of methods.

mod confidence;
mod downbeats;
mod elastic;
mod evidence;
mod fine_onsets;
mod grid;
mod harmonic_change;
mod heard;
mod hypotheses;
mod line;
mod onsets;
mod patterns;
mod reading;
mod stitch;
mod tempo;
#[cfg(test)]
mod tests;
mod tracking;

pub use heard::{Heard, from_heard};
pub use stitch::stitch;

use crate::analysis::chroma::Chromagram;
use crate::beats::{Beat, Beats, ConstantGrid, TempoSegment};
use crate::control::{Cancelled, Control};
use crate::units::{Bpm, Secs};
use evidence::Evidence;
use grid::Grid;
use hypotheses::Hypothesis;
use reading::Reading;
use tracking::Search;

/// The quietest sound that is analysed, as a peak: -80 dB.
const LEAST_PEAK: f32 = 1e-4;
/// Parts more than this below the loudest, in dB, carry no beats.
const SOUNDING_RANGE_DB: f32 = 50.0;

/// What is known about the tempo before listening.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TempoHint {
    /// From the file's tags: decides nothing but close calls between octaves.
    pub tag_bpm: Option<f64>,
    /// Tempi preferred where readings are equally good, BPM.
    pub range: (f64, f64),
}

impl Default for TempoHint {
    fn default() -> Self {
        Self {
            tag_bpm: None,
            range: (60.0, 200.0),
        }
    }
}

/// Finds the beats of `mono` (44.1 kHz, no NaN). `None` where there is no rhythm: silence, single sounds.
pub fn rhythm(
    mono: &[f32],
    chroma: &Chromagram,
    hint: &TempoHint,
    control: &Control,
) -> Result<Option<Beats>, Cancelled> {
    if mono.iter().all(|sample| sample.abs() < LEAST_PEAK) {
        return Ok(None);
    }
    let evidence = Evidence::hear(mono, chroma, control)?;
    let hypotheses = hypotheses::all(&evidence, hint, control)?;
    let Some(best) = hypotheses.first() else {
        return Ok(None);
    };
    let Some(rhythm) = settle(&evidence, best, control)? else {
        return Ok(None);
    };
    let first_downbeat = downbeats::find(&evidence, chroma, &rhythm.beats, rhythm.reading);
    let confidence = confidence::of_best(&hypotheses);
    Ok(rhythm.into_beats(first_downbeat).map(|beats| Beats {
        confidence,
        alternatives: confidence::alternatives(&hypotheses, beats.bpm.0),
        ..beats
    }))
}

/// The beats decided on.
#[derive(Debug)]
struct Rhythm {
    /// Seconds.
    beats: Vec<f64>,
    reading: Reading,
    /// Where the tempo is constant.
    grid: Option<Grid>,
}

/// Constant grid or elastic beats for the chosen hypothesis.
fn settle(
    evidence: &Evidence,
    best: &Hypothesis,
    control: &Control,
) -> Result<Option<Rhythm>, Cancelled> {
    /// A freer path is worth following when it explains this much more per frame (log likelihood).
    const FREER: f64 = 0.004;
    const FREE_WIDTH: f64 = 0.27;
    const FREE_RIGIDITY: f64 = 100.0;
    let search = Search::around(best.candidate.bpm, FREE_WIDTH, FREE_RIGIDITY);
    let free = tracking::track(&evidence.heard, search, control)?;
    let gain = free.score - best.track_score;
    let (beats, reading) = if gain > FREER {
        match hypotheses::better_half(evidence, free.beats) {
            Some(freer) => freer,
            None => return Ok(None),
        }
    } else {
        (best.beats.clone(), best.reading)
    };
    control.check()?;
    let constant = constant(evidence, best, free.score, (&beats, reading));
    if constant.is_some() {
        return Ok(constant);
    }
    let beats = elastic::bridge_steps(&elastic::refine(&evidence.envelope, &beats));
    Ok(Some(Rhythm {
        reading: reading::read(evidence, &beats).unwrap_or(reading),
        beats,
        grid: None,
    }))
}

/// The constant grid, if the track lies on one.
fn constant(
    evidence: &Evidence,
    best: &Hypothesis,
    free_score: f64,
    (beats, reading): (&[f64], Reading),
) -> Option<Rhythm> {
    const LEAST_SIGHTINGS: usize = 20;
    /// Even beats must be about as likely (log likelihood per frame) as the best free path: tempo
    /// changes and live players cost .05 to .13.
    const MOST_DEFICIT: f64 = 0.03;
    /// Share of the track's parts whose onsets lie on the grid.
    const LEAST_AGREEMENT: f64 = 0.4;
    let freest = best.track_score.max(free_score);
    let expected = 60.0 / best.candidate.bpm;
    let tracked = reading::median_interval(beats)?;
    let period = if (tracked / expected - 1.0).abs() < 0.1 {
        tracked
    } else {
        expected
    };
    let grid = grid::fit(evidence, beats, period, reading.cells_per_beat)?;
    let deficit = freest - grid.score;
    if grid.sightings <= LEAST_SIGHTINGS
        || deficit > MOST_DEFICIT
        || grid.agreement.parts < LEAST_AGREEMENT
    {
        return None;
    }
    let grid = best_shift(evidence, grid);
    let grid = grid.snapped(evidence.length);
    let beats = grid.beats(evidence.envelope.sounding(SOUNDING_RANGE_DB)?);
    let reading = reading::read(evidence, &beats)?;
    Some(Rhythm {
        beats,
        reading,
        grid: Some(grid),
    })
}

/// The grid itself or a fraction of a beat later, where that reads clearly better: a tracker may lock
/// onto the off-beat or, under a running bass, onto a sixteenth.
fn best_shift(evidence: &Evidence, grid: Grid) -> Grid {
    const SHIFTS: [(f64, f64); 4] = [(0.0, 0.0), (0.5, 0.05), (0.25, 0.12), (0.75, 0.12)];
    let everywhere = (0.0, evidence.length);
    let mut best = (f64::NEG_INFINITY, grid);
    for (share, margin) in SHIFTS {
        let shifted = grid.shifted(share);
        let reading = reading::read(evidence, &shifted.beats(everywhere));
        let score = reading.map_or(f64::NEG_INFINITY, |reading| reading.score - margin);
        if score > best.0 {
            best = (score, shifted);
        }
    }
    best.1
}

impl Rhythm {
    /// `None` for less than two beats.
    fn into_beats(self, phase: usize) -> Option<Beats> {
        let bar = self.reading.beats_per_bar;
        let position = |index: usize| ((index + bar - phase) % bar + 1) as u8;
        let beats: Vec<Beat> = (0..)
            .zip(&self.beats)
            .map(|(index, &at)| Beat {
                at: Secs(at),
                position: position(index),
            })
            .collect();
        let first = beats.first()?.at;
        let first_downbeat = beats.iter().find(|beat| beat.position == 1)?.at;
        let segment = |start: Secs, bpm: f64| TempoSegment {
            start,
            bpm: Bpm(bpm),
            beats_per_bar: bar as u8,
        };
        let (bpm, grid, segments) = if let Some(grid) = self.grid {
            let bpm = grid.bpm();
            let constant = ConstantGrid {
                bpm: Bpm(bpm),
                first_beat: first,
                first_downbeat,
            };
            (bpm, Some(constant), vec![segment(first, bpm)])
        } else {
            let bpm = 60.0 / reading::median_interval(&self.beats)?;
            let segments = elastic::segments(&self.beats);
            let segments = segments
                .into_iter()
                .map(|(index, bpm)| segment(beats[index].at, bpm));
            (bpm, None, segments.collect())
        };
        Some(Beats {
            beats,
            grid,
            segments,
            bpm: Bpm(bpm),
            confidence: 0.0,
            alternatives: Vec::new(),
        })
    }
}
