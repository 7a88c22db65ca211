//! Keys of chord sequences whose key is known.

use super::*;
use crate::harmony::PitchClass;
use crate::units::Secs;

/// Two-second bars of four steps, one chord a bar; chords as root above C and quality.
fn bars(chords: &[(u8, Quality)]) -> Vec<KeyStep> {
    let steps = chords
        .iter()
        .enumerate()
        .flat_map(|(bar, &(root, quality))| {
            let mut notes = [0.0; 12];
            for interval in quality.intervals() {
                notes[usize::from(root + interval) % 12] += 1.0;
            }
            notes[usize::from(root) % 12] += 0.5;
            (0..4_u8).map(move |beat| {
                let start = 2.0 * bar as f64 + 0.5 * f64::from(beat);
                KeyStep {
                    start,
                    end: start + 0.5,
                    notes,
                    chord: Some(Chord {
                        root: PitchClass::new(root),
                        quality,
                        bass: None,
                    }),
                    starts_bar: beat == 0,
                }
            })
        });
    steps.collect()
}

const POP: [(u8, Quality); 4] = [
    (0, Quality::Major),
    (9, Quality::Minor),
    (5, Quality::Major),
    (7, Quality::Major),
];

fn transposed(chords: &[(u8, Quality)], by: u8, rounds: usize) -> Vec<(u8, Quality)> {
    let round = chords
        .iter()
        .map(|&(root, quality)| ((root + by) % 12, quality));
    round.cycle().take(chords.len() * rounds).collect()
}

fn name(found: Option<KeyFinding>) -> String {
    found.map_or("none".to_owned(), |found| found.key.to_string())
}

#[test]
fn phrases_tell_relative_keys_apart() {
    let from_minor = [POP[1], POP[2], POP[0], POP[3]];
    assert_eq!(name(find(&bars(&transposed(&POP, 0, 4)))), "C major");
    assert_eq!(name(find(&bars(&transposed(&from_minor, 0, 4)))), "A minor");
    let harmonic = [
        (0, Quality::Minor),
        (5, Quality::Minor),
        (8, Quality::Major),
        (7, Quality::Dominant7),
    ];
    assert_eq!(name(find(&bars(&transposed(&harmonic, 3, 4)))), "Eb minor");
}

#[test]
fn a_modulation_of_eight_bars_is_told_and_a_turn_of_two_is_not() {
    let mut song = transposed(&POP, 0, 6);
    song.extend(transposed(&POP, 2, 2));
    let found = find(&bars(&song)).unwrap();
    assert_eq!(found.key.to_string(), "C major");
    let keys: Vec<String> = found
        .segments
        .iter()
        .map(|span| span.key.to_string())
        .collect();
    assert_eq!(keys, ["C major", "D major"]);
    assert!(
        (found.segments[1].start.0 - 48.0).abs() <= 4.0,
        "{:?}",
        found.segments
    );
    assert_eq!(found.segments[0].end, found.segments[1].start);
    assert_eq!(found.segments[1].end, Secs(64.0));

    let mut song = transposed(&POP, 0, 6);
    song.extend([(10, Quality::Major), (3, Quality::Major)]);
    song.extend(transposed(&POP, 0, 2));
    assert_eq!(find(&bars(&song)).unwrap().segments.len(), 1);
}

#[test]
fn no_chords_and_no_steps_have_no_key() {
    assert_eq!(find(&[]), None);
    let mut steps = bars(&POP);
    for step in &mut steps {
        step.chord = None;
    }
    assert_eq!(find(&steps), None);
}

#[test]
fn a_lone_tone_has_no_key_and_without_a_third_no_mode_is_sure() {
    // What the chord analysis makes of a sine: a chord with it as fifth, and faint notes that are not there.
    let sine = |step: KeyStep| KeyStep {
        notes: [
            0.01, 0.0, 0.23, 0.06, 0.0, 0.2, 0.03, 0.0, 0.03, 1.0, 0.02, 0.05,
        ],
        ..step
    };
    let drone = bars(&transposed(&[(2, Quality::Minor)], 0, 16));
    let tone: Vec<KeyStep> = drone.iter().copied().map(sine).collect();
    assert_eq!(find(&tone), None);

    let with = |notes: &[usize]| {
        let notes = std::array::from_fn(|pitch| if notes.contains(&pitch) { 1.0 } else { 0.05 });
        let steps: Vec<KeyStep> = drone
            .iter()
            .map(|step| KeyStep { notes, ..*step })
            .collect();
        find(&steps).unwrap()
    };
    let fifth = with(&[2, 9]);
    assert!(fifth.confidence < 0.5, "{fifth:?}");
    let parallel = |(key, _): &(Key, f32)| key.to_string() == "D major";
    let other = fifth.alternatives.iter().find(|it| parallel(it)).unwrap();
    assert!(fifth.confidence - other.1 < 0.1, "{fifth:?}");
    // A scale with its third leaves no such doubt.
    assert!(with(&[2, 4, 5, 7, 9, 0]).confidence > 0.8);
    assert!(with(&[2, 4, 7, 9, 0]).confidence < 0.6, "no third");
}

#[test]
fn confidence_grows_with_evidence() {
    let clear = find(&bars(&transposed(&POP, 0, 8))).unwrap().confidence;
    let drone = find(&bars(&[(0, Quality::Sus4), (0, Quality::Sus2)]))
        .unwrap()
        .confidence;
    assert!(clear > drone, "{clear} {drone}");
}
