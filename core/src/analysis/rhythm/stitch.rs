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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bpm;

    /// Four-four at `bpm` whose downbeat is at `origin` of the mix, as heard by one chapter.
    fn chapter(start: f64, end: f64, bpm: f64, origin: f64) -> (Secs, Secs, Option<Beats>) {
        let period = 60.0 / bpm;
        let first = ((start - origin) / period).ceil() as i64;
        let beats: Vec<Beat> = (first..first + 100_000)
            .map(|number| (number, origin + number as f64 * period))
            .take_while(|&(_, at)| at < end)
            .map(|(number, at)| Beat {
                at: Secs(at - start),
                position: number.rem_euclid(4) as u8 + 1,
            })
            .collect();
        let downbeat = beats.iter().find(|beat| beat.position == 1).unwrap();
        let found = Beats {
            grid: Some(ConstantGrid {
                bpm: Bpm(bpm),
                first_beat: beats[0].at,
                first_downbeat: downbeat.at,
            }),
            segments: vec![TempoSegment {
                start: beats[0].at,
                bpm: Bpm(bpm),
                beats_per_bar: 4,
            }],
            bpm: Bpm(bpm),
            confidence: 0.9,
            alternatives: Vec::new(),
            beats,
        };
        (Secs(start), Secs(end), Some(found))
    }

    fn assert_even(joined: &Beats, periods: std::ops::Range<f64>) {
        for pair in joined.beats.windows(2) {
            let gap = pair[1].at.0 - pair[0].at.0;
            assert!(periods.contains(&gap), "{gap} at {:?}", pair[0].at);
        }
    }

    #[test]
    fn chapters_of_one_tempo_join_into_one_grid() {
        let joined = stitch(vec![
            chapter(0.0, 600.0, 125.0, 0.2),
            chapter(570.0, 1170.0, 125.0, 0.2),
            chapter(1140.0, 1500.0, 125.0, 0.2),
        ])
        .unwrap();
        assert_even(&joined, 0.479..0.481);
        assert_eq!(joined.beats.len(), 3125);
        let grid = joined.grid.unwrap();
        assert!((grid.first_downbeat.0 - 0.2).abs() < 1e-9);
        let positions = joined.beats.windows(2);
        assert!(
            positions
                .into_iter()
                .all(|p| p[1].position == p[0].position % 4 + 1)
        );
    }

    #[test]
    fn a_tempo_change_between_chapters_starts_a_segment_and_ends_the_grid() {
        let joined = stitch(vec![
            chapter(0.0, 600.0, 120.0, 0.2),
            chapter(570.0, 1170.0, 128.0, 570.3),
        ])
        .unwrap();
        assert_eq!(joined.grid, None);
        assert_even(&joined, 0.23..0.74);
        assert_eq!(joined.segments.len(), 2);
        assert_eq!(joined.segments[1].bpm, Bpm(128.0));
        assert!((584.0..586.0).contains(&joined.segments[1].start.0));
        let takes_over = joined.segments[1].start;
        assert!(joined.beats.iter().any(|beat| beat.at == takes_over));
    }

    #[test]
    fn silent_chapters_are_skipped_and_nothing_gives_nothing() {
        assert_eq!(stitch(Vec::new()), None);
        assert_eq!(stitch(vec![(Secs(0.0), Secs(600.0), None)]), None);
        let (start, end, found) = chapter(570.0, 900.0, 120.0, 600.0);
        let joined = stitch(vec![
            (Secs(0.0), Secs(600.0), None),
            (start, end, found.clone()),
        ])
        .unwrap();
        assert_eq!(joined.beats.len(), found.unwrap().beats.len());
        assert!((joined.beats[0].at.0 - 570.0).abs() < 0.5);
    }
}
