//! When a chord change is really heard, apart from the beat it belongs to.

use super::emission::{Model, NO_CHORD, silence};
use super::features::Listener;
use super::steps::Step;

/// A change belongs to its beat as far as this, in seconds.
const REACH: f64 = 0.5;

/// For each border between two steps where the state changes, the time at which the frames before
/// speak most for the old chord and those after it for the new one. Searched within one step on
/// either side.
pub(super) fn heard_change(
    listener: &Listener,
    model: &Model,
    around: (&Step, &Step),
    states: (usize, usize),
) -> f64 {
    let (before, after) = around;
    let snapped = after.start;
    let from = listener.frame_at(before.start.max(snapped - REACH));
    let to = listener.frame_at(after.end.min(snapped + REACH));
    let mut gain = 0.0;
    let mut best = (f32::NEG_INFINITY, snapped);
    for frame in from..=to {
        // Of equal places the one next to the beat is taken.
        let at = listener.before_frame(frame);
        let value = gain - TIE_BREAK * (at - snapped).abs() as f32;
        if value > best.0 {
            best = (value, at);
        }
        let Some(preference) = preference(listener, model, frame, states) else {
            break;
        };
        gain += preference;
    }
    best.1.clamp(before.start, after.end)
}

/// Nats per second: too small to matter beside any real evidence.
const TIE_BREAK: f32 = 0.1;

/// How much more a frame speaks for the old chord than for the new one.
fn preference(
    listener: &Listener,
    model: &Model,
    frame: usize,
    (old, new): (usize, usize),
) -> Option<f32> {
    let features = listener.frame_features(frame)?;
    let score = |state: usize| {
        if state == NO_CHORD {
            silence(&features.presence)
        } else {
            model.score(state, &features.notes).unwrap_or(0.0)
        }
    };
    Some(score(old) - score(new))
}
