//! Joins the results of the overlapping chapters of a long mix.

use super::super::key::{self, KeyStep};
use super::Harmony;
use crate::harmony::ChordSpan;
use crate::units::Secs;

/// Joins chapters, given as start and end in the mix and what was found there (times from the
/// chapter's start). Chapters ascend and may overlap: each side keeps its half of the overlap. The
/// key is found anew from all that is kept. Nothing reaches beyond `duration`.
pub fn stitch(chapters: Vec<(Secs, Secs, Harmony)>, duration: Secs) -> Harmony {
    let cuts: Vec<f64> = chapters
        .windows(2)
        .map(|pair| f64::midpoint(pair[0].1.0, pair[1].0.0))
        .chain([duration.0])
        .collect();
    let mut chords: Vec<ChordSpan> = Vec::new();
    let mut steps: Vec<KeyStep> = Vec::new();
    let mut from = 0.0;
    for ((start, _, chapter), cut_at) in chapters.into_iter().zip(cuts) {
        // Chapters out of order must not turn time around.
        let to = cut_at.min(duration.0).max(from);
        let spans = chapter.chords.iter().map(|span| shifted(span, start.0));
        for span in spans.filter_map(|span| cut(&span, from, to)) {
            append(&mut chords, span);
        }
        let moved = chapter.steps.iter();
        steps.extend(moved.filter_map(|step| cut_step(step, start.0, from, to)));
        from = to;
    }
    Harmony {
        chords,
        key: key::find(&steps),
        steps,
    }
}

fn shifted(span: &ChordSpan, by: f64) -> ChordSpan {
    ChordSpan {
        start: Secs(span.start.0 + by),
        end: Secs(span.end.0 + by),
        start_raw: Secs(span.start_raw.0 + by),
        end_raw: Secs(span.end_raw.0 + by),
        ..*span
    }
}

/// What of `span` lies between `from` and `to`; `None` when nothing does.
fn cut(span: &ChordSpan, from: f64, to: f64) -> Option<ChordSpan> {
    let inside = span.end.0 > from && span.start.0 < to;
    inside.then(|| ChordSpan {
        start: Secs(span.start.0.max(from)),
        end: Secs(span.end.0.min(to)),
        start_raw: Secs(span.start_raw.0.clamp(from, to)),
        end_raw: Secs(span.end_raw.0.clamp(from, to)),
        ..*span
    })
}

/// Adds a span at the end; the same chord on both sides of the cut becomes one.
fn append(chords: &mut Vec<ChordSpan>, span: ChordSpan) {
    match chords.last_mut() {
        Some(last) if last.chord == span.chord => {
            let (before, after) = (
                (last.end.0 - last.start.0) as f32,
                (span.end.0 - span.start.0) as f32,
            );
            last.confidence = (before * last.confidence + after * span.confidence)
                / (before + after).max(f32::MIN_POSITIVE);
            last.end = span.end;
            last.end_raw = span.end_raw;
        }
        _ => chords.push(span),
    }
}

fn cut_step(step: &KeyStep, by: f64, from: f64, to: f64) -> Option<KeyStep> {
    let (start, end) = (step.start + by, step.end + by);
    let inside = end > from && start < to;
    inside.then(|| KeyStep {
        start: start.max(from),
        end: end.min(to),
        // A bar line that was cut off is none.
        starts_bar: step.starts_bar && start >= from,
        ..*step
    })
}
