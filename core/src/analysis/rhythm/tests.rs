//! The whole analysis on synthetic drums with known beats.

use super::*;
use proptest::prelude::*;

const RATE: f64 = crate::analysis::RATE as f64;

/// No harmony: the rhythm has to do alone.
fn no_chroma() -> Chromagram {
    Chromagram {
        frame_rate: 20.0,
        treble: Vec::new(),
        bass: Vec::new(),
        level: Vec::new(),
        tuning_hz: 440.0,
    }
}

fn analyse(mono: &[f32]) -> Option<Beats> {
    let hint = TempoHint::default();
    rhythm(mono, &no_chroma(), &hint, &Control::default()).unwrap()
}

#[derive(Clone, Copy)]
enum Drum {
    Kick,
    Snare,
    Hat,
}

/// Adds a short drum sound at `at` seconds.
fn hit(mono: &mut [f32], at: f64, drum: Drum) {
    let first = (at * RATE).ceil() as usize;
    let mut noise = 12345_u32;
    for (index, sample) in mono.iter_mut().skip(first).take(8000).enumerate() {
        let t = (index + first) as f64 / RATE - at;
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hiss = f64::from(noise >> 8) / f64::from(1 << 23) - 1.0;
        *sample += match drum {
            Drum::Kick => 0.7 * (-t * 18.0).exp() * (t * 350.0 + 2.0 * (-t * 60.0).exp()).sin(),
            Drum::Snare => 0.4 * (-t * 25.0).exp() * (hiss + (t * 1200.0).sin()),
            Drum::Hat => 0.12 * (-t * 60.0).exp() * hiss,
        } as f32;
    }
}

/// Plays `pattern` (drum, beat in bar) on `beats`, starting each bar on a beat divisible by `bar`.
fn play(beats: &[f64], bar: usize, pattern: &[(Drum, f64)]) -> Vec<f32> {
    let end = beats.last().copied().unwrap_or_default() + 0.5;
    let mut mono = vec![0.0; (end * RATE) as usize];
    for (index, pair) in beats.windows(2).enumerate() {
        for &(drum, place) in pattern {
            let beat = place.floor() as usize;
            if index % bar == beat {
                hit(
                    &mut mono,
                    pair[0] + place.fract() * (pair[1] - pair[0]),
                    drum,
                );
            }
        }
    }
    mono
}

fn even(first: f64, bpm: f64, count: u32) -> Vec<f64> {
    (0..count)
        .map(|i| first + f64::from(i) * 60.0 / bpm)
        .collect()
}

const ROCK: [(Drum, f64); 12] = [
    (Drum::Kick, 0.0),
    (Drum::Snare, 1.0),
    (Drum::Kick, 2.0),
    (Drum::Snare, 3.0),
    (Drum::Hat, 0.0),
    (Drum::Hat, 0.5),
    (Drum::Hat, 1.0),
    (Drum::Hat, 1.5),
    (Drum::Hat, 2.0),
    (Drum::Hat, 2.5),
    (Drum::Hat, 3.0),
    (Drum::Hat, 3.5),
];

/// Share of `truth` that has a beat within `tolerance` seconds.
fn recall(truth: &[f64], found: &Beats, tolerance: f64) -> f64 {
    let near = |at: &&f64| {
        found
            .beats
            .iter()
            .any(|beat| (beat.at.0 - **at).abs() < tolerance)
    };
    truth.iter().filter(near).count() as f64 / truth.len() as f64
}

#[test]
fn a_constant_tempo_is_a_grid_to_the_millisecond() {
    for bpm in [92.0, 117.31, 128.0, 174.0] {
        let truth = even(0.313, bpm, 100);
        let found = analyse(&play(&truth, 4, &ROCK)).unwrap();
        let grid = found.grid.unwrap_or_else(|| panic!("{bpm}: no grid"));
        assert!((grid.bpm.0 - bpm).abs() < 0.005, "{bpm}: {:?}", grid.bpm);
        assert!(recall(&truth[..98], &found, 0.004) > 0.98, "{bpm}");
        assert_eq!(found.segments.len(), 1);
        assert_eq!(found.bpm, grid.bpm);
    }
}

#[test]
fn a_waltz_has_three_beats_a_bar() {
    let waltz = [
        (Drum::Kick, 0.0),
        (Drum::Snare, 1.0),
        (Drum::Snare, 2.0),
        (Drum::Hat, 0.0),
        (Drum::Hat, 1.0),
        (Drum::Hat, 2.0),
        (Drum::Hat, 2.5),
    ];
    let truth = even(0.5, 140.0, 120);
    let found = analyse(&play(&truth, 3, &waltz)).unwrap();
    assert_eq!(found.segments[0].beats_per_bar, 3);
    assert!((found.bpm.0 - 140.0).abs() < 0.01, "{:?}", found.bpm);
    let downbeat = found.beats.iter().find(|beat| beat.position == 1).unwrap();
    let bars = (downbeat.at.0 - 0.5) / (3.0 * 60.0 / 140.0);
    assert!((bars - bars.round()).abs() < 0.02, "{downbeat:?}");
}

#[test]
fn offbeat_hats_do_not_pull_the_beat_half_way() {
    let house = [
        (Drum::Kick, 0.0),
        (Drum::Kick, 1.0),
        (Drum::Kick, 2.0),
        (Drum::Kick, 3.0),
        (Drum::Snare, 1.0),
        (Drum::Snare, 3.0),
        (Drum::Hat, 0.5),
        (Drum::Hat, 1.5),
        (Drum::Hat, 2.5),
        (Drum::Hat, 3.5),
    ];
    let truth = even(0.2, 126.0, 120);
    let found = analyse(&play(&truth, 4, &house)).unwrap();
    assert!(recall(&truth[..118], &found, 0.005) > 0.98);
}

#[test]
fn a_step_in_tempo_makes_segments() {
    let mut truth = even(0.3, 110.0, 80);
    let step = truth[79];
    truth.extend(even(step + 60.0 / 130.0, 130.0, 80));
    let found = analyse(&play(&truth, 4, &ROCK)).unwrap();
    assert_eq!(found.grid, None);
    assert!(recall(&truth[..158], &found, 0.03) > 0.95);
    let tempo_at = |at: f64| {
        let under_way = found.segments.iter().rev().find(|s| s.start.0 <= at);
        under_way.map(|segment| segment.bpm.0).unwrap()
    };
    assert!((tempo_at(20.0) - 110.0).abs() < 0.5, "{}", tempo_at(20.0));
    assert!((tempo_at(65.0) - 130.0).abs() < 0.5, "{}", tempo_at(65.0));
}

#[test]
fn what_has_no_rhythm_has_no_beats() {
    let second = 44_100;
    let mut click = vec![0.0; 10 * second];
    click[second] = 1.0;
    for (name, mono) in [
        ("nothing", Vec::new()),
        ("a sample", vec![0.5]),
        ("silence", vec![0.0; 30 * second]),
        ("a tenth of a second", vec![0.3; second / 10]),
        ("direct current", vec![0.5; 20 * second]),
        ("one click", click),
    ] {
        assert_eq!(analyse(&mono), None, "{name}");
    }
}

#[test]
fn a_cancelled_analysis_stops() {
    let control = Control::default();
    control.cancel();
    let mono = play(&even(0.1, 120.0, 20), 4, &ROCK);
    let found = rhythm(&mono, &no_chroma(), &TempoHint::default(), &control);
    assert_eq!(found, Err(Cancelled));
}

fn assert_sound(found: &Beats, length: f64) {
    assert!(found.beats.len() >= 2);
    assert!(found.beats.is_sorted_by(|a, b| a.at.0 < b.at.0));
    assert!(
        found
            .beats
            .iter()
            .all(|beat| (0.0..=length).contains(&beat.at.0))
    );
    assert!(found.beats.iter().all(|beat| beat.position >= 1));
    assert!(found.segments[0].start.0 <= found.beats[0].at.0);
    assert!(found.segments.is_sorted_by(|a, b| a.start.0 < b.start.0));
    assert!(
        found
            .segments
            .iter()
            .all(|s| s.bpm.0.is_finite() && s.bpm.0 > 0.0)
    );
    assert!((0.0..=1.0).contains(&found.confidence));
    assert!(found.bpm.0.is_finite() && found.bpm.0 > 20.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn noise_of_any_length_never_panics(
        length in 0_usize..400_000,
        seed in 1_u32..,
        gate in 1_u32..40,
    ) {
        let mut state = seed;
        let mono: Vec<f32> = (0..length)
            .map(|index| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let open = (index as u32 / 4000).is_multiple_of(gate);
                if open { (state >> 8) as f32 / 8_388_608.0 - 1.0 } else { 0.0 }
            })
            .collect();
        if let Some(found) = analyse(&mono) {
            assert_sound(&found, length as f64 / RATE);
        }
    }
}
