//! Positions, beats and chords of decks that are put up by hand.

use super::*;
use crate::beats::{Beat, Beats, TempoSegment};
use crate::decks::view::MatchedBy;
use crate::export::document::TrackDetails;
use crate::export::samples;
use crate::harmony::{ChordSpan, PitchClass, Quality};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static AM: LazyLock<Chord> = LazyLock::new(|| Chord {
    root: PitchClass::new(9),
    quality: Quality::Minor,
    bass: None,
});
static F: LazyLock<Chord> = LazyLock::new(|| Chord {
    root: PitchClass::new(5),
    quality: Quality::Major,
    bass: None,
});

/// 120 beats a minute from 1 s on, the first downbeat on the third beat.
fn analysis() -> Analysis {
    let beats = (0..40).map(|index| Beat {
        at: Secs(1.0 + 0.5 * f64::from(index)),
        position: ((index + 2) % 4 + 1) as u8,
    });
    let beats = Beats {
        beats: beats.collect(),
        grid: None,
        segments: vec![TempoSegment {
            start: Secs(0.0),
            bpm: Bpm(120.0),
            beats_per_bar: 4,
        }],
        bpm: Bpm(120.0),
        confidence: 1.0,
        alternatives: Vec::new(),
    };
    let span = |start, end, chord| ChordSpan {
        start: Secs(start),
        end: Secs(end),
        start_raw: Secs(start),
        end_raw: Secs(end),
        chord,
        confidence: 1.0,
    };
    let chords = vec![
        span(0.0, 2.0, None),
        span(2.0, 4.0, Some(*AM)),
        span(4.0, 5.0, Some(*AM)),
        span(5.0, 6.0, None),
        span(6.0, 8.0, Some(*F)),
    ];
    Analysis::from(TrackDetails {
        beats: Some(beats),
        chords: Some(chords),
        ..TrackDetails::default()
    })
}

#[test]
fn beats_and_bars_go_on_before_the_first_beat_and_behind_the_last() {
    let analysis = analysis();
    for (at, beat, bar, in_bar) in [
        (1.0, 0.0, 0, 3),
        (1.75, 1.5, 0, 4),
        (2.0, 2.0, 1, 1),
        (4.0, 6.0, 2, 1),
        (0.5, -1.0, 0, 2),
        (0.0, -2.0, 0, 1),
        (-0.5, -3.0, -1, 4),
        (20.5, 39.0, 10, 2),
        (21.0, 40.0, 10, 3),
        (22.25, 42.5, 11, 1),
    ] {
        let place = analysis.beat_at(Secs(at)).unwrap();
        assert!((place.beat - beat).abs() < 1e-9, "{at}: {place:?}");
        assert_eq!((place.bar, place.in_bar), (bar, in_bar), "{at}");
        assert!(place.is_from_library);
    }
}

#[test]
fn the_next_chord_is_another_one_and_comes_in_beats() {
    let analysis = analysis();
    let at = |secs| {
        let (now, next) = analysis.chords_at(Secs(secs), None);
        let next = next.map(|next| (next.chord, (next.in_beats * 1e6).round() / 1e6));
        (now, next)
    };
    assert_eq!(at(1.0), (Sounding::NoChord, Some((*AM, 2.0))));
    assert_eq!(at(3.0), (Sounding::Chord(*AM), Some((*F, 6.0))));
    assert_eq!(at(5.5), (Sounding::NoChord, Some((*F, 1.0))));
    assert_eq!(at(7.0), (Sounding::Chord(*F), None));
    assert_eq!(at(99.0), (Sounding::NoChord, None));
    let nothing = Analysis::default().chords_at(Secs(1.0), None);
    assert_eq!(nothing, (Sounding::Unknown, None));
}

#[test]
fn without_a_grid_of_ours_the_player_counts() {
    for (beat, bar, in_bar) in [
        (0.0, 1, 1),
        (26.3, 7, 3),
        (-0.5, 0, 4),
        (-4.0, 0, 1),
        (3.99, 1, 4),
    ] {
        let place = player_beat(beat).unwrap();
        assert_eq!((place.bar, place.in_bar), (bar, in_bar), "{beat}");
        assert!((0.0..1.0).contains(&place.phase) && !place.is_from_library);
    }
    for beat in [f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(player_beat(beat), None);
    }
}

#[test]
fn a_deck_tells_what_sounds_without_a_new_view() {
    let start = Instant::now();
    let place = Place {
        position: Secs(3.0),
        speed: 2.0,
        beat: Some(100.0),
        bpm: Some(Bpm(240.0)),
        is_stale: false,
    };
    let matched = Matched {
        by: MatchedBy::SourceId,
        confidence: 1.0,
        row: Arc::new(samples::bare_row()),
        analysis: Some(Arc::new(analysis())),
    };
    let deck = DeckView {
        duration: Some(Secs(10.0)),
        timing: Timing::Fixed(place, start),
        matching: super::super::view::Matching::Found(Arc::new(matched)),
        ..DeckView::default()
    };
    let moment = deck.at(start + Duration::from_millis(1500)).unwrap();
    assert_eq!(moment.position, Secs(6.0));
    assert_eq!(moment.remaining, Some(Secs(4.0)));
    assert_eq!(moment.chord, Sounding::Chord(*F));
    assert_eq!(moment.beat.unwrap().beat, 10.0);
    assert_eq!(DeckView::default().at(start), None);
}

#[test]
fn a_deck_in_a_loop_turns_back_at_its_end_without_waiting_for_the_player() {
    let start = Instant::now();
    let place = Place {
        position: Secs(9.9),
        speed: 1.0,
        beat: Some(20.0),
        bpm: Some(Bpm(120.0)),
        is_stale: false,
    };
    let deck = DeckView {
        timing: Timing::Fixed(place, start),
        looped: Some((Secs(8.0), Secs(10.0))),
        ..DeckView::default()
    };
    let at = |deck: &DeckView, millis| {
        let moment = deck.at(start + Duration::from_millis(millis)).unwrap();
        let beat = moment.beat.unwrap().beat;
        ((moment.position.0 * 1e3).round(), (beat * 1e3).round())
    };
    assert_eq!(at(&deck, 50), (9950.0, 20_100.0));
    assert_eq!(at(&deck, 150), (8050.0, 16_300.0));
    let free = DeckView {
        looped: None,
        ..deck.clone()
    };
    assert_eq!(at(&free, 150), (10_050.0, 20_300.0));
    // Far behind the loop it has left it, whatever was said of it.
    assert_eq!(at(&deck, 1000).0, 10_900.0);
}
