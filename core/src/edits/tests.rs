//! What edits make of beats and keys.

use super::*;
use crate::beats::{Beat, ConstantGrid, TempoAlternative, TempoSegment};
use crate::harmony::KeySpan;
use crate::units::Secs;
use proptest::prelude::*;

fn alternative(bpm: f64) -> TempoAlternative {
    TempoAlternative {
        bpm: Bpm(bpm),
        confidence: 0.2,
    }
}

/// Beats at a steady tempo from `first` seconds, the first of them at `position` of a bar of `bar` beats.
fn steady(bpm: f64, count: usize, position: u8, bar: u8) -> Beats {
    let beats: Vec<Beat> = (0..count)
        .map(|n| Beat {
            at: Secs(0.25 + n as f64 * 60.0 / bpm),
            position: ((usize::from(position) - 1 + n) % usize::from(bar)) as u8 + 1,
        })
        .collect();
    let downbeat = beats.iter().find(|beat| beat.position == 1);
    Beats {
        grid: downbeat.map(|downbeat| ConstantGrid {
            bpm: Bpm(bpm),
            first_beat: Secs(0.25),
            first_downbeat: downbeat.at,
        }),
        segments: vec![TempoSegment {
            start: Secs(0.0),
            bpm: Bpm(bpm),
            beats_per_bar: bar,
        }],
        beats,
        bpm: Bpm(bpm),
        confidence: 0.6,
        alternatives: vec![alternative(bpm / 2.0), alternative(bpm * 1.5)],
    }
}

/// The same, but played by hand: no two beats are equally far apart.
fn elastic(bpm: f64, count: usize, bar: u8) -> Beats {
    let mut beats = steady(bpm, count, 1, bar);
    for (n, beat) in beats.beats.iter_mut().enumerate() {
        beat.at.0 += (n as f64 * 0.7).sin() * 0.03;
    }
    beats.grid = None;
    beats
}

fn found(beats: Beats) -> Found {
    Found {
        beats: Some(beats),
        key: None,
    }
}

fn edited(found: &Found, edits: &[Edit]) -> Result<ByHand, Refusal> {
    edits
        .iter()
        .try_fold(ByHand::default(), |hand, edit| apply(*edit, found, &hand))
}

fn beats_after(found: &Found, edits: &[Edit]) -> Beats {
    edited(found, edits).unwrap().beats.unwrap()
}

fn positions(beats: &Beats) -> Vec<u8> {
    beats.beats.iter().map(|beat| beat.position).collect()
}

fn times(beats: &Beats) -> Vec<f64> {
    beats.beats.iter().map(|beat| beat.at.0).collect()
}

#[test]
fn half_the_tempo_keeps_the_downbeats_and_counts_bars_of_the_same_length() {
    let beats = beats_after(&found(steady(174.0, 16, 3, 4)), &[Edit::HalveTempo]);
    assert_eq!(positions(&beats), [4, 1, 2, 3, 4, 1, 2, 3]);
    assert_eq!(beats.bpm, Bpm(87.0));
    assert_eq!(beats.segments[0].bpm, Bpm(87.0));
    let grid = beats.grid.unwrap();
    assert_eq!(grid.bpm, Bpm(87.0));
    let period = 60.0 / 174.0;
    assert!((grid.first_downbeat.0 - (0.25 + 2.0 * period)).abs() < 1e-9);
    assert_eq!(grid.first_beat, beats.beats[0].at);
    assert_eq!(beats.confidence, 1.0);
    assert_eq!(beats.alternatives[0].bpm, Bpm(174.0), "what was replaced");
}

#[test]
fn double_the_tempo_puts_a_beat_between_each_two() {
    let beats = beats_after(&found(steady(64.0, 5, 1, 4)), &[Edit::DoubleTempo]);
    assert_eq!(positions(&beats), [1, 2, 3, 4, 1, 2, 3, 4, 1]);
    assert_eq!(beats.beats.len(), 9);
    let gap = 60.0 / 128.0;
    for pair in times(&beats).windows(2) {
        assert!((pair[1] - pair[0] - gap).abs() < 1e-9);
    }
}

#[test]
fn the_downbeat_moves_and_the_beats_stay() {
    let before = steady(120.0, 8, 1, 4);
    for (by, expected) in [
        (1, [4, 1, 2, 3, 4, 1, 2, 3]),
        (-1, [2, 3, 4, 1, 2, 3, 4, 1]),
        (5, [4, 1, 2, 3, 4, 1, 2, 3]),
        (0, [1, 2, 3, 4, 1, 2, 3, 4]),
    ] {
        let after = beats_after(&found(before.clone()), &[Edit::ShiftDownbeat(by)]);
        assert_eq!(positions(&after), expected, "{by}");
        assert_eq!(times(&after), times(&before));
        let first = after.beats.iter().find(|beat| beat.position == 1).unwrap();
        assert_eq!(after.grid.unwrap().first_downbeat, first.at);
    }
}

#[test]
fn other_tempos_come_in_turn_and_after_the_last_the_first() {
    for found in [found(steady(120.0, 64, 1, 4)), found(elastic(120.0, 64, 4))] {
        let mut hand = ByHand::default();
        let mut tempos = Vec::new();
        for _ in 0..6 {
            hand = apply(Edit::NextTempo, &found, &hand).unwrap();
            let beats = hand.beats.as_ref().unwrap();
            tempos.push(beats.bpm.0);
            let rate = (beats.beats.len() - 1) as f64
                / (beats.beats.last().unwrap().at.0 - beats.beats[0].at.0);
            assert!((rate * 60.0 / beats.bpm.0 - 1.0).abs() < 0.01, "{rate}");
        }
        assert_eq!(tempos, [60.0, 180.0, 120.0, 60.0, 180.0, 120.0]);
        // Once around, nothing is lost.
        assert_eq!(
            times(&hand.beats.unwrap()),
            times(found.beats.as_ref().unwrap())
        );
    }
}

#[test]
fn another_tempo_keeps_the_downbeat_that_the_user_set() {
    let found = found(elastic(120.0, 64, 4));
    let hand = edited(&found, &[Edit::ShiftDownbeat(2), Edit::NextTempo]).unwrap();
    let beats = hand.beats.unwrap();
    let first = beats.beats.iter().find(|beat| beat.position == 1).unwrap();
    assert_eq!(first.at, found.beats.unwrap().beats[2].at);
}

#[test]
fn a_tempo_that_is_named_is_the_tempo_that_comes() {
    for found in [found(steady(128.0, 64, 1, 4)), found(elastic(128.0, 64, 4))] {
        // Offered are 64 and 192; from each of them straight to each other one, and to any at all.
        let mut hand = ByHand::default();
        for target in [64.0, 128.0, 192.0, 64.0, 101.3, 128.0, 128.4, 64.3, 128.0] {
            hand = apply(Edit::SetTempo(Bpm(target)), &found, &hand).unwrap();
            let beats = hand.beats.as_ref().unwrap();
            assert_eq!(beats.bpm, Bpm(target));
            let rate = (beats.beats.len() - 1) as f64
                / (beats.beats.last().unwrap().at.0 - beats.beats[0].at.0);
            assert!((rate * 60.0 / target - 1.0).abs() < 0.01, "{rate}");
        }
        let beats = found.beats.as_ref().unwrap();
        assert_eq!(times(&hand.beats.unwrap()), times(beats), "nothing is lost");
    }
    assert_eq!(Edit::SetTempo(Bpm(127.984)).words(), "tempo 127.98");
}

#[test]
fn a_tempo_in_no_simple_ratio_becomes_a_regular_grid() {
    let mut beats = elastic(120.0, 64, 4);
    beats.alternatives = vec![alternative(101.0)];
    let beats = beats_after(&found(beats), &[Edit::NextTempo]);
    assert_eq!(beats.grid.unwrap().bpm, Bpm(101.0));
    assert!(beats.beats.len() > 50);
    assert_eq!(beats.beats[0].position, 1);
}

#[test]
fn what_cannot_be_done_says_why() {
    let none = Found::default();
    let lonely = found(Beats {
        alternatives: Vec::new(),
        ..steady(120.0, 2, 1, 4)
    });
    for (found, edits, reason) in [
        (&none, &[Edit::HalveTempo][..], Refusal::NoBeats),
        (&none, &[Edit::NextTempo], Refusal::NoBeats),
        (&none, &[Edit::SetTempo(Bpm(90.0))], Refusal::NoBeats),
        (&none, &[Edit::ShiftDownbeat(1)], Refusal::NoBeats),
        (&none, &[Edit::NextKey], Refusal::NoKey),
        (&none, &[Edit::ForgetBeats], Refusal::BeatsAreAsFound),
        (&none, &[Edit::ForgetKey], Refusal::KeyIsAsFound),
        (&none, &[Edit::ForgetAll], Refusal::AllIsAsFound),
        (&lonely, &[Edit::NextTempo], Refusal::NoOtherTempo),
        (&lonely, &[Edit::HalveTempo], Refusal::TooFewBeats),
        (
            &lonely,
            &[Edit::DoubleTempo, Edit::DoubleTempo, Edit::DoubleTempo],
            Refusal::TooFast,
        ),
    ] {
        assert_eq!(edited(found, edits), Err(reason), "{edits:?}");
    }
    for (bpm, reason) in [
        (19.9, Refusal::TooSlow),
        (500.1, Refusal::TooFast),
        (f64::NAN, Refusal::TooSlow),
        (f64::INFINITY, Refusal::TooFast),
    ] {
        let edits = [Edit::SetTempo(Bpm(bpm))];
        assert_eq!(edited(&lonely, &edits), Err(reason), "{bpm}");
    }
    let slow = found(steady(60.0, 400, 1, 4));
    let halves = [Edit::HalveTempo, Edit::HalveTempo];
    assert_eq!(edited(&slow, &halves), Err(Refusal::TooSlow));
}

#[test]
fn keys_come_in_turn_and_the_replaced_one_is_offered() {
    let key = |text| Key::parse(text).unwrap();
    let span = |start, end| KeySpan {
        start: Secs(start),
        end: Secs(end),
        key: key("8A"),
    };
    let found = Found {
        beats: None,
        key: Some(KeyFinding {
            key: key("8A"),
            confidence: 0.6,
            alternatives: vec![(key("8B"), 0.3), (key("9A"), 0.1)],
            segments: vec![span(0.0, 60.0), span(60.0, 90.0)],
        }),
    };
    let mut hand = ByHand::default();
    for expected in ["8B", "9A", "8A", "8B"] {
        hand = apply(Edit::NextKey, &found, &hand).unwrap();
        assert_eq!(hand.key.as_ref().unwrap().key, key(expected));
    }
    let set = apply(Edit::SetKey(key("1A")), &found, &hand).unwrap();
    let shown = set.key.as_ref().unwrap();
    assert_eq!(shown.alternatives[0].0, key("8B"), "what was replaced");
    assert_eq!(shown.segments.len(), 1);
    assert_eq!(
        (shown.segments[0].start, shown.segments[0].end),
        (Secs(0.0), Secs(90.0))
    );
    // From a key that analysis does not offer, the first that it does.
    let next = apply(Edit::NextKey, &found, &set).unwrap();
    assert_eq!(next.key.unwrap().key, key("8A"));
    assert!(apply(Edit::ForgetKey, &found, &set).unwrap().is_empty());
}

fn any_beats() -> impl Strategy<Value = Beats> {
    let gaps = proptest::collection::vec(0.05f64..3.0, 0..80);
    let marks = proptest::collection::vec(0u8..9, 80);
    let tempo = prop_oneof![
        15.0f64..600.0,
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY)
    ];
    let offered = proptest::collection::vec(prop_oneof![10.0f64..700.0, Just(f64::NAN)], 0..4);
    (gaps, marks, tempo, offered, 0u8..9, any::<bool>()).prop_map(
        |(gaps, marks, bpm, offered, beats_per_bar, is_constant)| {
            let mut at = 0.0;
            let beats: Vec<Beat> = gaps
                .iter()
                .zip(marks)
                .map(|(gap, position)| {
                    at += gap;
                    let at = Secs(at);
                    Beat { at, position }
                })
                .collect();
            let first = beats.first().map_or(Secs(0.0), |beat| beat.at);
            Beats {
                grid: is_constant.then_some(ConstantGrid {
                    bpm: Bpm(bpm),
                    first_beat: first,
                    first_downbeat: first,
                }),
                segments: vec![TempoSegment {
                    start: Secs(0.0),
                    bpm: Bpm(bpm),
                    beats_per_bar,
                }],
                beats,
                bpm: Bpm(bpm),
                confidence: 0.5,
                alternatives: offered.into_iter().map(alternative).collect(),
            }
        },
    )
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::HalveTempo),
        Just(Edit::DoubleTempo),
        Just(Edit::NextTempo),
        (10.0f64..600.0).prop_map(|bpm| Edit::SetTempo(Bpm(bpm))),
        any::<i8>().prop_map(Edit::ShiftDownbeat),
        Just(Edit::ForgetBeats),
    ]
}

proptest! {
    /// Refused or sound, whatever was stored and whatever is done to it.
    #[test]
    fn edited_beats_ascend_and_count_their_bars(
        beats in any_beats(),
        edits in proptest::collection::vec(any_edit(), 1..8),
    ) {
        let found = found(beats);
        let mut hand = ByHand::default();
        for edit in edits {
            let Ok(after) = apply(edit, &found, &hand) else { continue };
            hand = after;
            let Some(beats) = &hand.beats else { continue };
            prop_assert!(beats.bpm.0.is_finite());
            for pair in times(beats).windows(2) {
                prop_assert!(pair[0].is_finite() && pair[0] < pair[1]);
            }
            let most = beats.beats.iter().map(|beat| beat.position).max().unwrap_or(0);
            prop_assert!((1..=9).contains(&most));
            prop_assert!(beats.beats.iter().all(|beat| beat.position >= 1));
            prop_assert!(beats.alternatives.len() <= 8);
            prop_assert!(beats.alternatives.iter().all(|other| other.bpm != beats.bpm));
        }
    }

    #[test]
    fn half_of_double_is_what_it_was(
        bpm in 41.0f64..240.0,
        count in 4usize..200,
        bar in 2u8..8,
    ) {
        let before = elastic(bpm, count, bar);
        let found = found(before.clone());
        let after = beats_after(&found, &[Edit::DoubleTempo, Edit::HalveTempo]);
        prop_assert_eq!(times(&after), times(&before));
        prop_assert_eq!(positions(&after), positions(&before));
        prop_assert_eq!(after.bpm, before.bpm);
    }

    #[test]
    fn a_bar_forth_and_back_is_what_it_was(by in -7i8..8, start in 1u8..5) {
        let before = steady(128.0, 32, start, 4);
        let found = found(before.clone());
        let after = beats_after(&found, &[Edit::ShiftDownbeat(by), Edit::ShiftDownbeat(-by)]);
        prop_assert_eq!(positions(&after), positions(&before));
        prop_assert_eq!(after.grid, before.grid);
    }
}
