//! Another key than the one that is shown.

use super::Refusal;
use crate::harmony::{Key, KeyFinding, KeySpan};

/// Other keys that are kept with one that was set.
const MOST_ALTERNATIVES: usize = 8;

/// `key`, set by hand: sure of itself, for the whole track. The key that was shown is offered first.
pub(super) fn set(key: Key, shown: Option<&KeyFinding>) -> KeyFinding {
    let mut alternatives: Vec<(Key, f32)> = Vec::new();
    let offered = shown.into_iter().flat_map(|shown| {
        std::iter::once((shown.key, shown.confidence)).chain(shown.alternatives.iter().copied())
    });
    for (other, confidence) in offered {
        let is_new = other != key && alternatives.iter().all(|(known, _)| *known != other);
        if is_new && alternatives.len() < MOST_ALTERNATIVES {
            alternatives.push((other, confidence));
        }
    }
    let whole = shown.and_then(|shown| {
        let first = shown.segments.first()?;
        let last = shown.segments.last()?;
        Some(KeySpan {
            start: first.start,
            end: last.end,
            key,
        })
    });
    KeyFinding {
        key,
        confidence: 1.0,
        alternatives,
        segments: whole.into_iter().collect(),
    }
}

/// The key after the shown one among those that analysis offers, its own first; around after the last.
pub(super) fn next(shown: &KeyFinding, found: Option<&KeyFinding>) -> Result<KeyFinding, Refusal> {
    let base = found.unwrap_or(shown);
    let mut offered = vec![base.key];
    for (key, _) in &base.alternatives {
        if !offered.contains(key) {
            offered.push(*key);
        }
    }
    let place = offered.iter().position(|key| *key == shown.key);
    let next = match place {
        Some(place) => offered.get((place + 1) % offered.len()),
        None => offered.first(),
    };
    match next {
        Some(key) if *key != shown.key => Ok(set(*key, Some(shown))),
        _ => Err(Refusal::NoOtherKey),
    }
}
