//! Tracks every candidate tempo and keeps the reading that makes most sense.

use super::TempoHint;
use super::evidence::Evidence;
use super::reading::{self, Reading};
use super::tempo::Candidate;
use super::tracking::{self, Search};
use crate::control::{Cancelled, Control};

/// Within one candidate the tempo may differ by this share, and changes by a beat cost this much.
const WIDTH: f64 = 0.1;
const RIGIDITY: f64 = 100.0;
/// What periodicity itself adds to the score of a reading.
const SUPPORT_WEIGHT: f64 = 0.22;
/// Half a beat later must read better by this much: trackers rarely lock onto the off-beat.
const SHIFT_MARGIN: f64 = 0.03;
/// Fewer beats than this are not a rhythm.
const LEAST_BEATS: usize = 8;

/// One way of counting the track.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hypothesis {
    pub(super) candidate: Candidate,
    /// Seconds.
    pub(super) beats: Vec<f64>,
    pub(super) reading: Reading,
    /// Log likelihood per frame of the tracked path.
    pub(super) track_score: f64,
    /// Reading and periodicity together.
    pub(super) score: f64,
}

/// All ways of counting, best first.
pub(super) fn all(
    evidence: &Evidence,
    hint: &TempoHint,
    control: &Control,
) -> Result<Vec<Hypothesis>, Cancelled> {
    let mut found = Vec::new();
    for &candidate in &evidence.candidates {
        let search = Search::around(candidate.bpm, WIDTH, RIGIDITY);
        let path = tracking::track(&evidence.heard, search, control)?;
        if path.beats.len() < LEAST_BEATS {
            continue;
        }
        let Some((beats, reading)) = better_half(evidence, path.beats) else {
            continue;
        };
        found.push(Hypothesis {
            candidate,
            beats,
            reading,
            track_score: path.score,
            score: reading.score + SUPPORT_WEIGHT * candidate.support + hinted(hint, candidate.bpm),
        });
        control.check()?;
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(found)
}

/// The beats or the points half way between them, whichever read better.
pub(super) fn better_half(evidence: &Evidence, beats: Vec<f64>) -> Option<(Vec<f64>, Reading)> {
    let straight = reading::read(evidence, &beats)?;
    let between = reading::half_shifted(&beats);
    match reading::read(evidence, &between) {
        Some(shifted) if shifted.score > straight.score + SHIFT_MARGIN => Some((between, shifted)),
        _ => Some((beats, straight)),
    }
}

/// What is known beforehand, as a small score.
fn hinted(hint: &TempoHint, bpm: f64) -> f64 {
    /// Enough to turn a close call, not a clear one.
    const TAG: f64 = 0.08;
    const OUTSIDE_RANGE: f64 = -0.1;
    const SAME_TEMPO: f64 = 0.04;
    let tagged = hint
        .tag_bpm
        .is_some_and(|tag| tag > 0.0 && (bpm / tag - 1.0).abs() < SAME_TEMPO);
    let (from, to) = hint.range;
    let outside = bpm < from || bpm > to;
    (if tagged { TAG } else { 0.0 }) + (if outside { OUTSIDE_RANGE } else { 0.0 })
}
