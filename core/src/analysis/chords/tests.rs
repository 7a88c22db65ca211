//! Chords of sounds whose harmony is known.

use super::*;
use crate::analysis::RATE;
use crate::analysis::chroma::chromagram;
use crate::beats::Beat;
use crate::control::Control;
use crate::units::Bpm;
use proptest::prelude::*;
use std::f32::consts::TAU;

/// Notes above C2 and C4: a bass note, then the chord.
type Voicing = (f32, &'static [f32]);

const C: Voicing = (0.0, &[0.0, 4.0, 7.0]);
const A_MINOR: Voicing = (9.0, &[0.0, 4.0, 9.0]);
const F: Voicing = (5.0, &[0.0, 5.0, 9.0]);
const G7: Voicing = (7.0, &[-1.0, 2.0, 5.0, 7.0]);
const D_MINOR_7: Voicing = (2.0, &[0.0, 2.0, 5.0, 9.0]);
const C_MAJOR_7: Voicing = (0.0, &[0.0, 4.0, 7.0, 11.0]);

/// Frames are 0.37 s long, so the attack of a chord drowns the last moments of a decayed one.
const EARLINESS: f64 = 0.15;

/// Each chord two seconds long, as decaying tones of six partials; `shift` in semitones.
fn play(chords: &[Voicing], shift: f32) -> Vec<f32> {
    let samples = 2 * RATE as usize;
    let mut sound = Vec::with_capacity(samples * chords.len());
    for (bass, notes) in chords {
        let midi: Vec<f32> = notes
            .iter()
            .map(|note| 60.0 + note + shift)
            .chain([36.0 + bass + shift])
            .collect();
        sound.extend((0..samples).map(|i| {
            let at = i as f32 / RATE as f32;
            let partials = midi.iter().flat_map(|note| {
                let hz = 440.0 * ((note - 69.0) / 12.0).exp2();
                (1..=6_u8)
                    .map(move |k| (TAU * (hz * at * f32::from(k)).fract()).sin() / f32::from(k))
            });
            0.1 * (-at).exp() * partials.sum::<f32>()
        }));
    }
    sound
}

/// 120 BPM in four, from the start.
fn even_beats(secs: f64) -> Beats {
    let beats = (0..(secs * 2.0) as u32).map(|i| Beat {
        at: Secs(f64::from(i) / 2.0),
        position: (i % 4) as u8 + 1,
    });
    beats_of(beats.collect())
}

fn beats_of(beats: Vec<Beat>) -> Beats {
    Beats {
        beats,
        grid: None,
        segments: Vec::new(),
        bpm: Bpm(120.0),
        confidence: 1.0,
        alternatives: Vec::new(),
    }
}

fn hear(sound: &[f32]) -> Harmony {
    let secs = sound.len() as f64 / f64::from(RATE);
    let chroma = chromagram(sound, &Control::default()).unwrap();
    harmony(&chroma, Some(&even_beats(secs)), Secs(secs))
}

fn labels(harmony: &Harmony) -> Vec<String> {
    let label = |span: &ChordSpan| span.chord.map_or("N".to_owned(), |chord| chord.to_string());
    harmony.chords.iter().map(label).collect()
}

#[test]
fn triads_and_sevenths_are_named_and_start_on_their_bars() {
    let found = hear(&play(
        &[C, A_MINOR, F, G7, C_MAJOR_7, D_MINOR_7, G7, C],
        0.0,
    ));
    assert_eq!(
        labels(&found),
        [
            "C:maj", "A:min", "F:maj", "G:7", "C:maj7", "D:min7", "G:7", "C:maj"
        ]
    );
    for (index, span) in found.chords.iter().enumerate() {
        assert_eq!(span.start.0, 2.0 * index as f64);
        assert!(
            (span.start_raw.0 - span.start.0).abs() < EARLINESS,
            "{span:?}"
        );
        assert!(span.confidence > 0.5, "{span:?}");
    }
    let key = found.key.unwrap();
    assert_eq!(key.key.to_string(), "C major");
    assert_eq!(key.segments.len(), 1);
    assert!(
        key.alternatives
            .iter()
            .all(|(_, confidence)| *confidence <= key.confidence)
    );
}

#[test]
fn detuned_music_gives_the_same_chords() {
    for cents in [-30.0, 30.0] {
        let found = hear(&play(&[C, A_MINOR, F, G7, C], cents / 100.0));
        assert_eq!(
            labels(&found),
            ["C:maj", "A:min", "F:maj", "G:7", "C:maj"],
            "{cents}"
        );
    }
}

#[test]
fn transposing_the_chroma_transposes_every_chord_and_the_key() {
    let sound = play(&[A_MINOR, F, C, G7, A_MINOR, F, C, A_MINOR], 0.0);
    let chroma = chromagram(&sound, &Control::default()).unwrap();
    let original = harmony(&chroma, None, Secs(16.0));
    for shift in 1..12_u8 {
        let mut moved = chroma.clone();
        for frame in moved.treble.iter_mut().chain(&mut moved.bass) {
            frame.rotate_right(usize::from(shift));
        }
        let found = harmony(&moved, None, Secs(16.0));
        assert_eq!(found.chords.len(), original.chords.len());
        for (found, original) in found.chords.iter().zip(&original.chords) {
            let (found, original) = (found.chord.unwrap(), original.chord.unwrap());
            assert_eq!(found.quality, original.quality);
            let by = (found.root.semitones() + 12 - original.root.semitones()) % 12;
            assert_eq!(by, shift);
        }
        let (found, original) = (found.key.unwrap().key, original.key.clone().unwrap().key);
        assert_eq!(found.mode, original.mode);
        assert_eq!(
            (found.tonic.semitones() + 12 - original.tonic.semitones()) % 12,
            shift
        );
    }
}

#[test]
fn without_beats_chords_start_where_they_are_heard() {
    let sound = play(&[C, A_MINOR, F, G7, C], 0.0);
    // 0.3 s of silence first: no multiple of any step.
    let delay = vec![0.0; (0.3 * RATE as f32) as usize];
    let chroma = chromagram(&[delay, sound].concat(), &Control::default()).unwrap();
    let found = harmony(&chroma, None, Secs(10.3));
    let starts: Vec<f64> = found
        .chords
        .iter()
        .filter(|span| span.chord.is_some())
        .map(|span| span.start.0)
        .collect();
    assert_eq!(starts.len(), 5, "{:?}", labels(&found));
    for (start, expected) in starts.iter().zip([0.0, 2.3, 4.3, 6.3, 8.3]).skip(1) {
        assert!((start - expected).abs() < EARLINESS, "{start} {expected}");
    }
}

#[test]
fn silence_and_noise_have_neither_chords_nor_key() {
    let mut state = 7_u32;
    let noise: Vec<f32> = (0..10 * RATE)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        })
        .collect();
    for (name, sound) in [("silence", vec![0.0; noise.len()]), ("noise", noise)] {
        let found = hear(&sound);
        assert_eq!(found.key, None, "{name}");
        assert_eq!(labels(&found), ["N"], "{name}");
    }
}

#[test]
fn the_shortest_sounds_are_survived() {
    assert_eq!(hear(&[]).chords, []);
    for samples in [1, 100, 5_000, 20_000] {
        let sound = &play(&[C], 0.0)[..samples];
        let found = hear(sound);
        assert_eq!(found.chords.len(), 1);
        assert_eq!(found.chords[0].start, Secs(0.0));
    }
    assert_eq!(labels(&hear(&play(&[C], 0.0))), ["C:maj"]);
}

#[test]
fn chapters_join_to_what_the_whole_gives() {
    let round = [C, A_MINOR, F, G7];
    let chords: Vec<Voicing> = round.iter().copied().cycle().take(16).collect();
    let sound = play(&chords, 0.0);
    let whole = hear(&sound);
    let at = |secs: usize| secs * RATE as usize;
    let chapters = vec![
        (Secs(0.0), Secs(20.0), hear(&sound[..at(20)])),
        (Secs(16.0), Secs(32.0), hear(&sound[at(16)..])),
    ];
    let joined = stitch(chapters, Secs(32.0));
    assert_eq!(labels(&joined), labels(&whole));
    for (joined, whole) in joined.chords.iter().zip(&whole.chords) {
        assert_eq!((joined.start, joined.end), (whole.start, whole.end));
    }
    let (joined, whole) = (joined.key.unwrap(), whole.key.unwrap());
    assert_eq!(joined.key, whole.key);
    assert_eq!(joined.segments, whole.segments);
    assert!((joined.confidence - whole.confidence).abs() < 0.05);
}

fn any_time() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -5.0..40.0_f64,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -0.0]),
    ]
}

fn any_chroma() -> impl Strategy<Value = Chromagram> {
    let frames = || prop::collection::vec(prop::array::uniform12(-0.1..3.0_f32), 0..300);
    let rate = prop_oneof![
        8 => Just(21.5),
        1 => prop::sample::select(vec![0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9, 1e9]),
    ];
    (
        frames(),
        frames(),
        prop::collection::vec(0.0..2.0_f32, 0..300),
        rate,
    )
        .prop_map(|(treble, bass, level, frame_rate)| Chromagram {
            frame_rate,
            treble,
            bass,
            level,
            tuning_hz: 440.0,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_beats_and_any_chroma_give_spans_in_order(
        chroma in any_chroma(),
        beats in prop::collection::vec((any_time(), 0..=255_u8), 0..80),
        length in any_time(),
        odd in prop::sample::select(vec![1.0_f32, f32::NAN, f32::INFINITY, f32::MAX]),
    ) {
        let mut chroma = chroma;
        if let Some(frame) = chroma.treble.first_mut() {
            frame[3] = odd;
        }
        let beats = beats.into_iter().map(|(at, position)| Beat { at: Secs(at), position });
        let beats = beats_of(beats.collect());
        // A frame rate near zero claims years of sound: the bound is on frames, not on time.
        prop_assume!(chroma.frame_rate.is_nan() || chroma.frame_rate != 1e-9);
        let found = harmony(&chroma, Some(&beats), Secs(length));
        let mut end = 0.0;
        for span in &found.chords {
            prop_assert_eq!(span.start.0, end);
            prop_assert!(span.end.0 >= span.start.0);
            prop_assert!(span.end_raw.0 >= span.start_raw.0);
            prop_assert!((0.0..=1.0).contains(&span.confidence));
            end = span.end.0;
        }
        if let Some(key) = &found.key {
            prop_assert_eq!(key.segments.first().map(|span| span.start.0), Some(0.0));
            prop_assert_eq!(key.segments.last().map(|span| span.end.0), Some(end));
        }
        let twice = vec![(Secs(0.0), Secs(length), found.clone()), (Secs(length / 2.0), Secs(length), found)];
        let joined = stitch(twice, Secs(length));
        prop_assert!(joined.chords.is_sorted_by(|a, b| a.end.0 <= b.start.0));
    }
}
