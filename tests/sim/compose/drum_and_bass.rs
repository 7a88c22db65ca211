//! Low Orbit: drum and bass at 174 beats a minute in F minor.

use super::drums;
use super::effects::{duck, echo, fade_out, room, sweep, thin};
use super::pattern::{Bars, chord_strokes, chords_in, melody, strokes};
use super::score::{Clock, Score, Section, Step, chord};
use super::stereo::Stereo;
use super::voices::{self, Note, Pad, Vowel};
use tonearm_core::harmony::{Key, Mode, PitchClass, Quality};

pub(crate) fn score() -> Score {
    let sections = vec![
        Section {
            name: "intro",
            bars: 8,
        },
        Section {
            name: "build",
            bars: 4,
        },
        Section {
            name: "drop",
            bars: 16,
        },
        Section {
            name: "breakdown",
            bars: 8,
        },
        Section {
            name: "return",
            bars: 8,
        },
    ];
    let turn = [
        chord(5, Quality::Minor9),
        chord(1, Quality::Major7),
        chord(10, Quality::Minor7),
        chord(0, Quality::Dominant7),
    ];
    let two_bars = |chord| Step {
        beats: 8,
        chord: Some(chord),
    };
    let mut steps: Vec<Step> = turn.map(two_bars).into();
    steps.extend([turn[1], turn[3]].map(two_bars));
    for _ in 0..4 {
        steps.extend(turn.map(two_bars));
    }
    Score {
        name: "low-orbit",
        title: "Low Orbit",
        genre: "Drum & Bass",
        key: Key {
            tonic: PitchClass::new(5),
            mode: Mode::Minor,
        },
        clock: Clock {
            bpm: 174.0,
            beats_per_bar: 4,
            first_beat_secs: 0.32,
        },
        sections,
        steps,
        tail_secs: 2.0,
    }
}

const TWO_STEP: &str = "X.........X.....";

/// Times of all strokes of the bass drum.
pub(crate) fn kicks(score: &Score) -> Vec<f64> {
    let (drop, breakdown) = score.bars_of("drop");
    let (half_time, back) = score.bars_of("breakdown");
    let mut kicks = strokes(score, (4, drop - 4), "X...............", 0.0);
    kicks.extend(strokes(score, (drop, breakdown), TWO_STEP, 0.0));
    kicks.extend(strokes(
        score,
        (half_time + 4, back),
        "X.......o.......",
        0.0,
    ));
    kicks.extend(strokes(score, (back, score.bars()), TWO_STEP, 0.0));
    kicks.into_iter().map(|(at, _)| at).collect()
}

pub(crate) fn render(score: &Score) -> Stereo {
    let kicks = kicks(score);
    let (drop, breakdown) = score.bars_of("drop");
    let beat = score.clock.beat_secs();

    let mut chords = pads(score);
    chords.mix(&keys(score), 1.0);
    sweep(
        &mut chords,
        [0.0, score.clock.secs(drop - 4, 0.0)],
        [500.0, 6_000.0],
    );
    sweep(
        &mut chords,
        [
            score.clock.secs(breakdown, 0.0),
            score.clock.secs(breakdown + 8, 0.0),
        ],
        [1_500.0, 16_000.0],
    );
    duck(&mut chords, &kicks, 0.55, 0.24);

    let mut lead = lead(score);
    let echoes = echo(&lead, beat * 1.5, 0.5);
    lead.mix(&echoes, 0.5);

    let mut bass = bass(score);
    duck(&mut bass, &kicks, 0.75, 0.16);

    let drums = percussion(score);
    let mut send = score.silence();
    send.mix(&chords, 0.45);
    send.mix(&lead, 0.7);
    send.mix(&drums, 0.14);
    let mut hall = room(&send, 2.8, 6_000.0);
    thin(&mut hall, 260.0);

    let mut mix = score.silence();
    mix.mix(&drums, 1.25);
    for at in kicks {
        drums::kick(&mut mix, at, 0.8, drums::TIGHT);
    }
    mix.mix(&bass, 0.4);
    mix.mix(&chords, 0.65);
    mix.mix(&lead, 0.75);
    mix.mix(&hall, 0.75);
    fade_out(&mut mix, 1.5);
    mix
}

fn percussion(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (drop, breakdown) = score.bars_of("drop");
    let (back, end) = score.bars_of("return");
    let on = |bars: Bars, pattern: &str| strokes(score, bars, pattern, 0.0);
    let loud: [Bars; 2] = [(drop, breakdown), (back, end)];
    for bars in loud {
        for (at, gain) in on(bars, "....X.......X...") {
            drums::snare(&mut out, at, gain * 0.72, 1.12);
        }
        for (at, gain) in on(bars, ".......o.o.....o") {
            drums::snare(&mut out, at, gain * 0.2, 1.2);
        }
        for (at, gain) in on(bars, "X.xoX.xox.xoX.xo") {
            drums::hat(&mut out, at, gain * 0.17, 0.024);
        }
    }
    for (at, gain) in [
        on((drop + 8, breakdown), "X...X...X...X..."),
        on((back, end), "X...X...X...X..."),
    ]
    .concat()
    {
        drums::ride(&mut out, at, gain * 0.13);
    }
    for (at, gain) in [
        on((0, drop), "x.o.x.o.x.o.x.oo"),
        on((breakdown, back), "x...x...x...x..."),
    ]
    .concat()
    {
        drums::hat(&mut out, at, gain * 0.14, 0.03);
    }
    for (at, gain) in on((breakdown + 4, back - 1), "........X.......") {
        drums::snare(&mut out, at, gain * 0.6, 1.0);
    }
    for into in [drop, back] {
        let roll = [
            on((into - 2, into - 1), "x...x...x...x..."),
            on((into - 1, into), "x.x.x.x.xxxxX..."),
        ]
        .concat();
        for (index, (at, gain)) in roll.into_iter().enumerate() {
            drums::snare(&mut out, at, gain * (0.16 + 0.03 * index as f64), 1.15);
        }
        drums::riser(
            &mut out,
            score.clock.secs(into - 4, 0.0),
            score.clock.beat_secs() * 15.0,
            0.36,
        );
        drums::boom(&mut out, score.clock.secs(into, 0.0), 0.3);
    }
    for bar in [4, drop, drop + 8, breakdown, back] {
        drums::crash(&mut out, score.clock.secs(bar, 0.0), 0.24);
    }
    out
}

fn bass(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (drop, breakdown) = score.bars_of("drop");
    let (back, end) = score.bars_of("return");
    let (build, _) = score.bars_of("build");
    for (bars, pattern, beats) in [
        ((build, drop - 2), "o...............", 3.5),
        ((drop, drop + 8), "X.....x...x.....", 1.2),
        ((drop + 8, breakdown), "X..x..X...x..x..", 0.7),
        ((back, end), "X..x..X...x..x..", 0.7),
    ] {
        for (index, (at, gain, chord)) in chord_strokes(score, bars, pattern, 0.0)
            .into_iter()
            .enumerate()
        {
            // Now and then the fifth above, for movement.
            let step = if index % 7 == 5 { 7.0 } else { 0.0 };
            let secs = beats * score.clock.beat_secs();
            voices::reese(
                &mut out,
                Note {
                    at,
                    secs,
                    midi: chord.root_above(27) + step,
                    gain,
                },
            );
        }
    }
    out
}

fn pads(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (drop, breakdown) = score.bars_of("drop");
    let (half_time, back) = score.bars_of("breakdown");
    for (bars, gain) in [
        ((0, drop), 0.3),
        ((drop, breakdown), 0.15),
        ((half_time, back), 0.3),
        ((back, score.bars()), 0.16),
    ] {
        for (at, secs, chord) in chords_in(score, bars) {
            let pad = Pad {
                attack: 0.25,
                corner_hz: 3_000.0,
            };
            for midi in chord.voiced_above(56) {
                pad.play(
                    &mut out,
                    Note {
                        at,
                        secs,
                        midi,
                        gain,
                    },
                );
            }
            pad.play(
                &mut out,
                Note {
                    at,
                    secs,
                    midi: chord.root_above(41),
                    gain: gain * 0.8,
                },
            );
        }
    }
    out
}

/// Electric piano in the breakdown, chopped chords in the drop.
fn keys(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (drop, breakdown) = score.bars_of("drop");
    let (half_time, back) = score.bars_of("breakdown");
    for (at, gain, chord) in chord_strokes(score, (half_time, back), "X.....x.....x...", 0.0) {
        for midi in chord.voiced_above(60) {
            voices::electric_piano(
                &mut out,
                Note {
                    at,
                    secs: 0.6,
                    midi,
                    gain: gain * 0.28,
                },
            );
        }
    }
    for bars in [(drop, breakdown), (back, score.bars())] {
        for (at, gain, chord) in chord_strokes(score, bars, "..x...x......x..", 0.0) {
            for midi in chord.voiced_above(60) {
                voices::stab(
                    &mut out,
                    Note {
                        at,
                        secs: 0.1,
                        midi,
                        gain: gain * 0.22,
                    },
                );
            }
        }
    }
    out
}

fn lead(score: &Score) -> Stereo {
    use Vowel::{Ah, Oh, Oo};
    const LINE: [(f64, f64, u8, Vowel); 10] = [
        (0.0, 4.0, 72, Oh),
        (4.0, 2.0, 75, Ah),
        (6.0, 1.5, 77, Ah),
        (8.0, 5.0, 77, Oh),
        (13.0, 2.5, 75, Oo),
        (16.0, 4.0, 73, Ah),
        (20.0, 2.0, 70, Oh),
        (22.0, 1.5, 73, Oh),
        (24.0, 4.0, 72, Ah),
        (28.0, 3.5, 76, Oo),
    ];
    let mut out = score.silence();
    let (drop, breakdown) = score.bars_of("drop");
    let (half_time, back) = score.bars_of("breakdown");
    for (bar, gain) in [(half_time, 0.34), (drop + 8, 0.2), (back, 0.26)] {
        voices::sing(&mut out, &melody(score, bar, gain, &LINE));
    }
    for (bars, pattern) in [
        ((drop, breakdown), "x..x..x..x..x.x."),
        ((back, score.bars()), "x..x..x..x..x.x."),
    ] {
        let strokes = chord_strokes(score, bars, pattern, 0.0);
        for (index, (at, gain, chord)) in strokes.into_iter().enumerate() {
            let notes = chord.voiced_above(72);
            let midi = notes[(index * 2) % notes.len()];
            voices::pluck(
                &mut out,
                Note {
                    at,
                    secs: 0.15,
                    midi,
                    gain: gain * 0.3,
                },
            );
        }
    }
    out
}
