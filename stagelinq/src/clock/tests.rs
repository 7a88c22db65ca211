//! The clock against a truth made by arithmetic: jittered frames, late arrivals, jumps.

use super::*;

const RATE: f64 = 44_100.0;

/// Repeats itself from its seed.
struct Random(u64);

impl Random {
    /// Evenly in 0..1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

/// Seconds of music at a time.
type Position = fn(f64) -> f64;

/// What a deck does: seconds of music at each second of time; and when it jumps.
struct Script {
    position: Position,
    jumps: &'static [f64],
    secs: f64,
}

/// Errors in seconds, one per displayed frame of 60 Hz: all, and those right after jumps.
struct Errors {
    steady: Vec<f64>,
    /// In beats.
    beats: Vec<f64>,
    soon_after_jumps: Vec<f64>,
}

/// Frames every 28 to 47 ms, arriving 0.3 ms to 11.7 ms later (±5.7 ms about the mean).
fn play(script: &Script, seed: u64) -> Errors {
    let mut random = Random(seed);
    let mut arrivals = Vec::new();
    let mut made = 0.0;
    while made < script.secs {
        made += 0.028 + 0.019 * random.next();
        arrivals.push((made + 0.0003 + 0.0114 * random.next(), made));
    }
    let (mut unit, mut deck) = (UnitClock::default(), DeckClock::default());
    let (mut steady, mut beats, mut soon_after_jumps) = (Vec::new(), Vec::new(), Vec::new());
    let mut arrivals = arrivals.into_iter().peekable();
    // The player's clock and ours start at different times.
    let ours = |time: f64| Duration::from_secs_f64(time + 77.0);
    let mut now = 0.5;
    while now < script.secs {
        while let Some((at, made)) = arrivals.next_if(|(at, _)| *at <= now) {
            let clock_ns = ((made + 3.0) * 1e9) as u64;
            if let Some(device) = unit.frame(clock_ns, ours(at)) {
                let position = (script.position)(made);
                let samples = (position * RATE).round();
                let beat = DeckBeat {
                    samples,
                    beat: position * 2.0,
                    bpm: 120.0,
                    total_beats: 500.0,
                };
                deck.frame(device, &beat, RATE);
            }
        }
        if let Some(reading) = unit
            .device_time(ours(now))
            .and_then(|device| deck.at(device))
        {
            let error = (reading.position_secs - (script.position)(now)).abs();
            let since = script
                .jumps
                .iter()
                .filter(|jump| **jump <= now)
                .map(|jump| now - jump);
            let since = since.fold(f64::INFINITY, f64::min);
            if since > 0.3 {
                steady.push(error);
                beats.push((reading.beat - (script.position)(now) * 2.0).abs());
            } else if since > 0.1 {
                soon_after_jumps.push(error);
            }
        }
        now += 1.0 / 60.0;
    }
    Errors {
        steady,
        beats,
        soon_after_jumps,
    }
}

fn p99(errors: &mut [f64]) -> f64 {
    errors.sort_by(f64::total_cmp);
    errors[errors.len() * 99 / 100]
}

fn check(name: &str, script: &Script) {
    for seed in 1..=5 {
        let mut errors = play(script, seed);
        let steady = p99(&mut errors.steady);
        assert!(
            steady <= 0.005,
            "{name}, seed {seed}: p99 {:.2} ms",
            steady * 1e3
        );
        let beats = p99(&mut errors.beats);
        assert!(beats <= 0.01, "{name}, seed {seed}: p99 {beats:.4} beats");
        let worst = errors
            .soon_after_jumps
            .iter()
            .fold(0.0, |a: f64, b| a.max(*b));
        assert!(
            worst <= 0.020,
            "{name}, seed {seed}: {:.2} ms after a jump",
            worst * 1e3
        );
    }
}

#[test]
fn even_movement_is_shown_within_five_milliseconds() {
    let cases: [(&str, Position); 6] = [
        ("plays", |t| t),
        ("before the first beat", |t| t - 30.0),
        ("pitch +50 %", |t| 1.5 * t),
        ("pitch -50 %", |t| 0.5 * t),
        ("reverse", |t| 100.0 - t),
        ("stands", |_| 12.0),
    ];
    for (name, position) in cases {
        check(
            name,
            &Script {
                position,
                jumps: &[],
                secs: 60.0,
            },
        );
    }
}

#[test]
fn a_pitch_that_is_being_moved_is_followed() {
    // Up and down by 8 % every ten seconds.
    let position = |t: f64| t - 0.08 * (0.628 * t).cos() / 0.628;
    check(
        "pitch ride",
        &Script {
            position,
            jumps: &[],
            secs: 60.0,
        },
    );
}

#[test]
fn jumps_of_every_size_are_shown_within_a_tenth_of_a_second() {
    const JUMPS: &[f64] = &[10.0, 20.0, 30.0, 40.0];
    fn moved(t: f64, by: f64) -> f64 {
        t + by * JUMPS.iter().filter(|jump| **jump <= t).count() as f64
    }
    let cases: [(&str, Position); 6] = [
        ("hot cue far away", |t| moved(t, 60.0)),
        ("hot cue back", |t| moved(t, -9.0)),
        ("half a beat", |t| moved(t, 0.25)),
        ("1/16 beat", |t| moved(t, 0.031)),
        ("1/16 beat back", |t| moved(t, -0.031)),
        ("1/8 beat back", |t| moved(t, -0.0625)),
    ];
    for (name, position) in cases {
        check(
            name,
            &Script {
                position,
                jumps: JUMPS,
                secs: 50.0,
            },
        );
    }
}

#[test]
fn loops_are_followed_round_after_round() {
    const JUMPS: &[f64] = &[12.0, 14.0, 16.0, 18.0, 20.0, 22.0];
    let position = |t: f64| if t < 10.0 { t } else { 10.0 + (t - 10.0) % 2.0 };
    check(
        "loop of two seconds",
        &Script {
            position,
            jumps: JUMPS,
            secs: 23.9,
        },
    );
}

#[test]
fn start_and_stop_are_shown_within_a_tenth_of_a_second() {
    let position = |t: f64| if (t / 5.0) as i64 % 2 == 0 { t % 5.0 } else { 5.0 } + 5.0 * (t / 10.0).floor();
    check(
        "start and stop",
        &Script {
            position,
            jumps: &[5.0, 10.0, 15.0, 20.0],
            secs: 24.0,
        },
    );
}

#[test]
fn a_scratch_is_followed_to_the_frame() {
    let position = |t: f64| 10.0 + 0.1 * (9.0 * t).sin();
    let errors = play(
        &Script {
            position,
            jumps: &[],
            secs: 20.0,
        },
        3,
    )
    .steady;
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    assert!(mean < 0.012, "{mean}");
}

#[test]
fn a_deck_without_frames_coasts_a_quarter_second_and_is_stale() {
    let mut deck = DeckClock::default();
    for frame in 0..10 {
        let device = f64::from(frame) * 0.035;
        deck.frame(
            device,
            &DeckBeat {
                samples: device * RATE,
                ..DeckBeat::default()
            },
            RATE,
        );
    }
    let last = 9.0 * 0.035;
    let soon = deck.at(last + 0.2).unwrap();
    assert!((soon.position_secs - last - 0.2).abs() < 1e-6 && !soon.is_stale);
    let later = deck.at(last + 9.0).unwrap();
    assert!((later.position_secs - last - 0.25).abs() < 1e-6 && later.is_stale);
    assert_eq!(later.speed, 0.0);
}

#[test]
fn a_drifting_player_is_followed_and_a_restarted_one_starts_over() {
    let mut unit = UnitClock::default();
    for frame in 0..20_000 {
        let now = f64::from(frame) * 0.035 + 5.0;
        // 100 millionths too fast: 70 ms in the end.
        let device = now * 1.0001;
        unit.frame((device * 1e9) as u64, Duration::from_secs_f64(now))
            .unwrap();
        let shown = unit.device_time(Duration::from_secs_f64(now)).unwrap();
        assert!((shown - device).abs() < 0.002, "{now}: {}", shown - device);
    }
    let now = Duration::from_secs(2000);
    assert_eq!(unit.frame(1_000_000_000, now), Some(1.0));
    assert!((unit.device_time(now).unwrap() - 1.0).abs() < 1e-6);
}

#[test]
fn a_slow_frame_is_seen_in_lateness_and_not_in_the_position() {
    let mut unit = UnitClock::default();
    for frame in 0..200 {
        let device = f64::from(frame) * 0.035;
        unit.frame(
            (device * 1e9) as u64,
            Duration::from_secs_f64(device + 0.001),
        );
    }
    let at = 200.0 * 0.035;
    unit.frame((at * 1e9) as u64, Duration::from_secs_f64(at + 0.061));
    assert!((unit.lateness() - 0.06).abs() < 1e-6);
    let shown = unit
        .device_time(Duration::from_secs_f64(at + 0.061))
        .unwrap();
    assert!((shown - at - 0.06).abs() < 0.001);
}

proptest::proptest! {
    #[test]
    fn any_numbers_give_readings_without_panic(frames: Vec<(u64, u32, f64, f64, f64)>, rate: f64) {
        let (mut unit, mut deck) = (UnitClock::default(), DeckClock::default());
        for (clock, at, samples, beat, bpm) in frames {
            let at = Duration::from_millis(u64::from(at));
            if let Some(device) = unit.frame(clock, at) {
                deck.frame(device, &DeckBeat { beat, total_beats: 0.0, bpm, samples }, rate);
            }
            unit.device_time(at).and_then(|device| deck.at(device));
        }
    }
}
