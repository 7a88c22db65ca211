//! Joins the rhythms of overlapping chapters of a long mix.

use crate::beats::{Beat, Beats, ConstantGrid, TempoSegment};
use crate::units::Secs;

/// Chapters agree on a tempo when, over one of them, the grids drift apart by less than this, in beats …
const SAME_TEMPO_BEATS: f64 = 0.05;
/// … and on the phase when their beats meet within this many seconds.
const SAME_PHASE: f64 = 0.015;
/// Beats of two chapters closer than this share of a beat are one beat.
const SAME_BEAT: f64 = 0.5;

/// Joins chapters, given as start and end in the mix and what was found there (times from the chapter's
/// start). Chapters ascend and may overlap: each side keeps its half of the overlap. `None` when no
/// chapter has beats. A grid survives only where all chapters with beats agree on one.
pub fn stitch(chapters: Vec<(Secs, Secs, Option<Beats>)>) -> Option<Beats> {
    let placed: Vec<Placed> = chapters
        .into_iter()
        .filter_map(|(start, end, beats)| {
            let beats = moved(beats?, start);
            (!beats.beats.is_empty()).then_some(Placed { start, end, beats })
        })
        .collect();
    if placed.len() <= 1 {
        return placed.into_iter().next().map(|chapter| chapter.beats);
    }
    let grid = shared_grid(&placed);
    let mut joined = join(&placed);
    if joined.beats.is_empty() {
        return None;
    }
    joined.grid = grid;
    if let Some(grid) = grid {
        joined.bpm = grid.bpm;
    }
    Some(joined)
}

/// A chapter with its times on the mix's timeline.
struct Placed {
    start: Secs,
    end: Secs,
    beats: Beats,
}

fn moved(mut beats: Beats, by: Secs) -> Beats {
    for beat in &mut beats.beats {
        beat.at.0 += by.0;
    }
    for segment in &mut beats.segments {
        segment.start.0 += by.0;
    }
    if let Some(grid) = &mut beats.grid {
        grid.first_beat.0 += by.0;
        grid.first_downbeat.0 += by.0;
    }
    beats
}

/// Concatenates what lies between the middles of the overlaps.
fn join(chapters: &[Placed]) -> Beats {
    let mut beats: Vec<Beat> = Vec::new();
    let mut segments: Vec<TempoSegment> = Vec::new();
    let (mut seconds, mut confidence) = (0.0, 0.0);
    let mut from = f64::NEG_INFINITY;
    for (index, chapter) in chapters.iter().enumerate() {
        let to = chapters.get(index + 1).map_or(f64::INFINITY, |next| {
            f64::midpoint(next.start.0, chapter.end.0).max(next.start.0)
        });
        append(&chapter.beats, from..to, &mut beats, &mut segments);
        let length = (chapter.end.0 - chapter.start.0).max(1e-3);
        seconds += length;
        confidence += length * f64::from(chapter.beats.confidence);
        from = to;
    }
    let longest = chapters.iter().max_by(|a, b| {
        let length = |chapter: &Placed| chapter.beats.beats.len();
        length(a).cmp(&length(b))
    });
    Beats {
        bpm: longest.map_or(crate::units::Bpm(0.0), |chapter| chapter.beats.bpm),
        alternatives: longest.map_or_else(Vec::new, |chapter| chapter.beats.alternatives.clone()),
        confidence: (confidence / seconds) as f32,
        grid: None,
        beats,
        segments,
    }
}

/// Adds the beats of `found` inside `range`, with the tempo segments they lie in.
fn append(
    found: &Beats,
    range: std::ops::Range<f64>,
    beats: &mut Vec<Beat>,
    segments: &mut Vec<TempoSegment>,
) {
    // A beat that both chapters heard at the seam is kept once.
    let least_gap = SAME_BEAT * 60.0 / found.bpm.0.max(1.0);
    let seam = beats
        .last()
        .map_or(f64::NEG_INFINITY, |last| last.at.0 + least_gap);
    let inside = |beat: &&Beat| range.contains(&beat.at.0) && beat.at.0 > seam;
    let Some(first) = found.beats.iter().find(inside).copied() else {
        return;
    };
    beats.extend(found.beats.iter().filter(inside));
    // The segment that is under way where this chapter takes over begins anew there.
    let under_way = found
        .segments
        .iter()
        .rev()
        .find(|segment| segment.start.0 <= first.at.0);
    let under_way = under_way
        .or(found.segments.first())
        .map(|segment| TempoSegment {
            start: first.at,
            ..*segment
        });
    let later = found
        .segments
        .iter()
        .filter(|segment| segment.start.0 > first.at.0 && segment.start.0 < range.end);
    segments.extend(under_way.into_iter().chain(later.copied()));
}

/// The first chapter's grid if every other chapter has the same.
fn shared_grid(chapters: &[Placed]) -> Option<ConstantGrid> {
    let first = chapters.first()?.beats.grid?;
    let bar = chapters.first()?.beats.segments.first()?.beats_per_bar;
    let agrees = |chapter: &Placed| {
        let (Some(grid), Some(segment)) = (chapter.beats.grid, chapter.beats.segments.first())
        else {
            return false;
        };
        let minutes = (chapter.end.0 - chapter.start.0) / 60.0;
        let drift = (grid.bpm.0 - first.bpm.0).abs() * minutes;
        let bars = f64::from(bar);
        let period = first.bpm.beat_period().0;
        let beats = (grid.first_downbeat.0 - first.first_downbeat.0) / period;
        let off = (beats / bars - (beats / bars).round()) * bars * period;
        drift < SAME_TEMPO_BEATS && segment.beats_per_bar == bar && off.abs() < SAME_PHASE
    };
    chapters.iter().all(agrees).then_some(first)
}
