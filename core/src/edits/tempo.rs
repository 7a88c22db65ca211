//! Other beats from the beats that are shown: faster, slower, with the downbeat elsewhere.

use super::Refusal;
use crate::beats::{Beat, Beats, ConstantGrid, TempoAlternative, TempoSegment};
use crate::units::{Bpm, Secs};

/// No tempo by hand is below or above these, in beats per minute.
const SLOWEST: f64 = 20.0;
const FASTEST: f64 = 500.0;
/// Tempos closer than this are one tempo, as a ratio.
const SAME_TEMPO: f64 = 0.005;
/// Tempos closer than this are told apart by nobody, as a ratio.
const EXACT: f64 = 1e-6;
/// A tempo this near a simple ratio of another counts its beats in that ratio.
const FITS: f64 = 0.02;
/// Simple ratios of tempos: new beats to old beats.
const RATIOS: [(u32, u32); 9] = [
    (1, 1),
    (1, 2),
    (2, 1),
    (2, 3),
    (3, 2),
    (3, 4),
    (4, 3),
    (1, 3),
    (3, 1),
];
/// Other tempos that are kept with one that was set.
const MOST_ALTERNATIVES: usize = 8;
/// More beats than the longest set has.
const MOST_BEATS: usize = 1 << 20;
/// Beats of a bar where nothing says otherwise.
const USUAL_BAR: u8 = 4;

/// Every second beat, the first downbeat among them.
pub(super) fn halve(shown: &Beats) -> Result<Beats, Refusal> {
    let beats = counted(shown, 1, 2)?;
    Ok(by_hand(beats, shown))
}

/// A beat more between each two.
pub(super) fn double(shown: &Beats) -> Result<Beats, Refusal> {
    let beats = counted(shown, 2, 1)?;
    Ok(by_hand(beats, shown))
}

/// The tempo after the shown one among those that analysis offers, its own first; around after the last.
///
/// It is made from the beats as they were found, so that going around loses nothing; the bar keeps the phase that is shown.
pub(super) fn next(shown: &Beats, found: Option<&Beats>) -> Result<Beats, Refusal> {
    let base = found.unwrap_or(shown);
    let mut offered = vec![base.bpm];
    for alternative in &base.alternatives {
        let is_new = offered
            .iter()
            .all(|known| !is_same(*known, alternative.bpm));
        if is_new && is_possible(alternative.bpm.0).is_ok() {
            offered.push(alternative.bpm);
        }
    }
    let place = offered.iter().position(|bpm| is_same(*bpm, shown.bpm));
    let next = match place {
        Some(place) => offered.get((place + 1) % offered.len()),
        None => offered.first(),
    };
    let target = next
        .copied()
        .filter(|bpm| !is_same(*bpm, shown.bpm))
        .ok_or(Refusal::NoOtherTempo)?;
    let beats = at_tempo(base, target, FITS)?;
    Ok(by_hand(with_downbeat_of(beats, shown), shown))
}

/// Beats at `target`. One that analysis offers is made as [`next`] makes it; the shown one stays as it is.
pub(super) fn set(shown: &Beats, found: Option<&Beats>, target: Bpm) -> Result<Beats, Refusal> {
    is_possible(target.0)?;
    let is_target = |bpm: Bpm| (bpm.0 / target.0 - 1.0).abs() <= EXACT;
    if is_target(shown.bpm) {
        sound(shown)?;
        return Ok(by_hand(shown.clone(), shown));
    }
    let base = found.unwrap_or(shown);
    let mut offered = base.alternatives.iter().map(|other| other.bpm);
    let near = if is_target(base.bpm) || offered.any(is_target) {
        FITS
    } else {
        EXACT
    };
    let beats = at_tempo(base, target, near)?;
    Ok(by_hand(with_downbeat_of(beats, shown), shown))
}

/// The same beats, with the first of the bar `by` beats later.
pub(super) fn shift_downbeat(shown: &Beats, by: i8) -> Result<Beats, Refusal> {
    sound(shown)?;
    Ok(by_hand(shifted(shown.clone(), i64::from(by)), shown))
}

/// Marks `beats` as set by the user; what `shown` had is offered first among the alternatives.
fn by_hand(mut beats: Beats, shown: &Beats) -> Beats {
    for beat in &mut beats.beats {
        beat.position = beat.position.max(1);
    }
    let replaced = TempoAlternative {
        bpm: shown.bpm,
        confidence: shown.confidence,
    };
    let mut alternatives: Vec<TempoAlternative> = Vec::new();
    for offered in std::iter::once(&replaced).chain(&shown.alternatives) {
        let is_new = !is_same(offered.bpm, beats.bpm)
            && alternatives
                .iter()
                .all(|known| !is_same(known.bpm, offered.bpm));
        if is_new && alternatives.len() < MOST_ALTERNATIVES {
            alternatives.push(*offered);
        }
    }
    Beats {
        confidence: 1.0,
        alternatives,
        ..beats
    }
}

fn is_same(one: Bpm, other: Bpm) -> bool {
    (one.0 / other.0 - 1.0).abs() <= SAME_TEMPO
}

fn is_possible(bpm: f64) -> Result<(), Refusal> {
    match bpm {
        _ if bpm > FASTEST => Err(Refusal::TooFast),
        _ if bpm >= SLOWEST => Ok(()),
        // No number is not a tempo either.
        _ => Err(Refusal::TooSlow),
    }
}

/// Refuses beats that nothing can be made of: too few, too many, or not in order.
fn sound(beats: &Beats) -> Result<(), Refusal> {
    let is_ascending = beats
        .beats
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.at.0 < b.at.0));
    let is_finite = beats.beats.iter().all(|beat| beat.at.0.is_finite());
    let is_countable = (2..=MOST_BEATS).contains(&beats.beats.len());
    if is_countable && is_ascending && is_finite && beats.bpm.0.is_normal() && beats.bpm.0 > 0.0 {
        Ok(())
    } else {
        Err(Refusal::TooFewBeats)
    }
}

/// Where the first downbeat is; the first beat where there is none.
fn first_downbeat(beats: &[Beat]) -> usize {
    let first = beats.iter().position(|beat| beat.position == 1);
    first.unwrap_or(0)
}

/// `times` new beats in the place of every `of` old ones, counted from the first downbeat on.
fn counted(beats: &Beats, times: u32, of: u32) -> Result<Beats, Refusal> {
    sound(beats)?;
    let factor = f64::from(times) / f64::from(of);
    let bpm = beats.bpm.0 * factor;
    is_possible(bpm)?;
    let (times, of) = (times as usize, of as usize);
    let anchor = first_downbeat(&beats.beats);
    let last = beats.beats.len() - 1;
    // New beat `n` lies `n * of / times` old beats from the first old beat, with `shift` moving it onto the anchor.
    let phase = anchor * times % of;
    let count = (last * times).saturating_sub(phase) / of + 1;
    if count > MOST_BEATS {
        return Err(Refusal::TooFast);
    }
    let made: Vec<Beat> = (0..count)
        .filter_map(|n| {
            let place = n * of + phase;
            let at = time_at(&beats.beats, place / times, place % times, times)?;
            let position = 1;
            Some(Beat { at, position })
        })
        .collect();
    if made.len() < 2 {
        return Err(Refusal::TooFewBeats);
    }
    let segments: Vec<TempoSegment> = beats
        .segments
        .iter()
        .map(|segment| TempoSegment {
            bpm: Bpm(segment.bpm.0 * factor),
            ..*segment
        })
        .collect();
    let downbeat = (anchor * times - phase) / of;
    let fresh = Beats {
        grid: beats.grid.map(|grid| ConstantGrid {
            bpm: Bpm(grid.bpm.0 * factor),
            ..grid
        }),
        beats: made,
        segments,
        bpm: Bpm(bpm),
        confidence: beats.confidence,
        alternatives: Vec::new(),
    };
    Ok(numbered_from(fresh, downbeat))
}

/// The time `part / parts` of the way from beat `index` to the next.
fn time_at(beats: &[Beat], index: usize, part: usize, parts: usize) -> Option<Secs> {
    let here = beats.get(index)?.at.0;
    if part == 0 {
        return Some(Secs(here));
    }
    let next = beats.get(index + 1)?.at.0;
    Some(Secs(here + (next - here) * part as f64 / parts as f64))
}

/// Beats at another tempo: in a simple ratio to the old ones where the tempos are as `near` to it, else a regular grid.
fn at_tempo(base: &Beats, target: Bpm, near: f64) -> Result<Beats, Refusal> {
    sound(base)?;
    is_possible(target.0)?;
    let ratio = target.0 / base.bpm.0;
    let fitting = RATIOS
        .into_iter()
        .find(|(times, of)| (ratio * f64::from(*of) / f64::from(*times) - 1.0).abs() <= near);
    match fitting {
        Some((1, 1)) if (ratio - 1.0).abs() <= near.min(SAME_TEMPO) => Ok(base.clone()),
        Some((times, of)) if base.grid.is_none() && (times, of) != (1, 1) => {
            counted(base, times, of)
        }
        _ => regular(base, target),
    }
}

/// A regular grid through the first downbeat, as long as the old beats reach.
fn regular(base: &Beats, target: Bpm) -> Result<Beats, Refusal> {
    let (Some(first), Some(last)) = (base.beats.first(), base.beats.last()) else {
        return Err(Refusal::TooFewBeats);
    };
    let period = 60.0 / target.0;
    let anchor = base
        .beats
        .get(first_downbeat(&base.beats))
        .unwrap_or(first)
        .at
        .0;
    let slack = period * 1e-3;
    let before = ((anchor - first.at.0 + slack) / period).floor().max(0.0);
    let after = ((last.at.0 - anchor + slack) / period).floor().max(0.0);
    if before + after >= MOST_BEATS as f64 {
        return Err(Refusal::TooFast);
    }
    let (before, after) = (before as usize, after as usize);
    if before + after < 1 {
        return Err(Refusal::TooFewBeats);
    }
    let beats: Vec<Beat> = (0..=before + after)
        .map(|n| Beat {
            at: Secs(anchor + (n as f64 - before as f64) * period),
            position: 1,
        })
        .collect();
    let start = base.segments.first().map_or(0.0, |segment| segment.start.0);
    let beats_per_bar = bar_at(base, Secs(anchor));
    let grid = ConstantGrid {
        bpm: target,
        first_beat: Secs(anchor),
        first_downbeat: Secs(anchor),
    };
    let fresh = Beats {
        beats,
        grid: Some(grid),
        segments: vec![TempoSegment {
            start: Secs(start),
            bpm: target,
            beats_per_bar,
        }],
        bpm: target,
        confidence: base.confidence,
        alternatives: Vec::new(),
    };
    Ok(numbered_from(fresh, before))
}

/// Beats of a bar at a time.
fn bar_at(beats: &Beats, at: Secs) -> u8 {
    let segment = beats
        .segments
        .iter()
        .rev()
        .find(|segment| segment.start.0 <= at.0);
    segment
        .or(beats.segments.first())
        .map(|segment| segment.beats_per_bar)
        .filter(|count| *count > 0)
        .unwrap_or(USUAL_BAR)
}

/// Counts bars from the beat at `downbeat`, both ways, and moves the grid's downbeat with it.
fn numbered_from(mut beats: Beats, downbeat: usize) -> Beats {
    let bars: Vec<u8> = beats
        .beats
        .iter()
        .map(|beat| bar_at(&beats, beat.at))
        .collect();
    let mut position = 1;
    for (n, (beat, bar)) in beats.beats.iter_mut().zip(&bars).enumerate().skip(downbeat) {
        position = if n == downbeat || position >= *bar {
            1
        } else {
            position + 1
        };
        beat.position = position;
    }
    let mut position = 1;
    let earlier = beats.beats.iter_mut().zip(&bars).take(downbeat);
    for (beat, bar) in earlier.rev() {
        position = if position == 1 || position > *bar {
            *bar
        } else {
            position - 1
        };
        beat.position = position;
    }
    with_grid(beats)
}

/// The grid begins where the beats begin, its bars where their bars do.
fn with_grid(mut beats: Beats) -> Beats {
    let first = beats.beats.first().map(|beat| beat.at);
    let downbeat = beats.beats.get(first_downbeat(&beats.beats));
    if let (Some(grid), Some(first), Some(downbeat)) = (&mut beats.grid, first, downbeat) {
        grid.first_beat = first;
        grid.first_downbeat = downbeat.at;
    }
    beats
}

/// Every place in the bar `by` beats later than it was.
fn shifted(mut beats: Beats, by: i64) -> Beats {
    let bars: Vec<u8> = beats
        .beats
        .iter()
        .map(|beat| bar_at(&beats, beat.at).max(beat.position))
        .collect();
    for (beat, bar) in beats.beats.iter_mut().zip(bars) {
        let place = i64::from(beat.position.max(1)) - 1 - by;
        beat.position = place.rem_euclid(i64::from(bar)) as u8 + 1;
    }
    with_grid(beats)
}

/// `beats` with a downbeat where `shown` has its first, as near as there is a beat.
fn with_downbeat_of(beats: Beats, shown: &Beats) -> Beats {
    let Some(wanted) = shown.beats.get(first_downbeat(&shown.beats)) else {
        return beats;
    };
    let distance = |beat: &Beat| (beat.at.0 - wanted.at.0).abs();
    let nearest = beats
        .beats
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    match nearest {
        Some((_, beat)) if beat.position > 1 => {
            let by = i64::from(beat.position) - 1;
            shifted(beats, by)
        }
        _ => beats,
    }
}
