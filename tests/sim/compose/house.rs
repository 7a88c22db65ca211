//! Night Ferry: house at 124 beats a minute in A minor.

use super::drums;
use super::effects::{duck, echo, fade_out, room, sweep, thin};
use super::pattern::{Bars, chord_strokes, chords_in, melody, strokes};
use super::score::{Clock, Score, Section, Step, chord};
use super::stereo::Stereo;
use super::voices::{self, Bass, Note, Pad, Vowel};
use tonearm_core::harmony::{Key, Mode, PitchClass, Quality};

pub(crate) fn score() -> Score {
    let sections = vec![
        Section {
            name: "intro",
            bars: 4,
        },
        Section {
            name: "groove",
            bars: 8,
        },
        Section {
            name: "breakdown",
            bars: 8,
        },
        Section {
            name: "drop",
            bars: 8,
        },
        Section {
            name: "outro",
            bars: 4,
        },
    ];
    let home = chord(9, Quality::Minor7);
    let turn = |last| {
        [
            home,
            chord(5, Quality::Major7),
            chord(2, Quality::Minor7),
            last,
        ]
    };
    let mut steps = vec![Step {
        beats: 16,
        chord: None,
    }];
    for _ in 0..3 {
        for chord in turn(chord(4, Quality::Minor7))
            .into_iter()
            .chain(turn(chord(4, Quality::Dominant7)))
        {
            steps.push(Step {
                beats: 4,
                chord: Some(chord),
            });
        }
    }
    steps.push(Step {
        beats: 16,
        chord: Some(home),
    });
    Score {
        name: "night-ferry",
        title: "Night Ferry",
        genre: "House",
        key: Key {
            tonic: PitchClass::new(9),
            mode: Mode::Minor,
        },
        clock: Clock {
            bpm: 124.0,
            beats_per_bar: 4,
            first_beat_secs: 0.1,
        },
        sections,
        steps,
        tail_secs: 2.4,
    }
}

/// Times of all strokes of the bass drum.
pub(crate) fn kicks(score: &Score) -> Vec<f64> {
    let (breakdown, drop) = score.bars_of("breakdown");
    let times = |bars| strokes(score, bars, "X...X...X...X...", 0.0);
    let mut kicks = times((0, breakdown));
    kicks.extend(times((drop, score.bars())));
    kicks.into_iter().map(|(at, _)| at).collect()
}

pub(crate) fn render(score: &Score) -> Stereo {
    let kicks = kicks(score);
    let (_, drop) = score.bars_of("breakdown");
    let drop_secs = score.clock.secs(drop, 0.0);
    let build_secs = score.clock.secs(drop - 8, 0.0);

    let mut chords = stabs(score);
    chords.mix(&pads(score), 1.0);
    let echoes = echo(&chords, score.clock.beat_secs() * 0.75, 0.35);
    chords.mix(&echoes, 0.22);
    sweep(&mut chords, [build_secs, drop_secs], [900.0, 14_000.0]);
    duck(&mut chords, &kicks, 0.7, 0.3);

    let mut lead = plucks(score);
    lead.mix(&song(score), 1.0);
    let echoes = echo(&lead, score.clock.beat_secs() * 0.75, 0.45);
    lead.mix(&echoes, 0.45);
    duck(&mut lead, &kicks, 0.35, 0.25);

    let mut bass = bass(score);
    duck(&mut bass, &kicks, 0.8, 0.2);

    let drums = percussion(score);
    let mut send = score.silence();
    send.mix(&chords, 0.35);
    send.mix(&lead, 0.6);
    send.mix(&drums, 0.12);
    let mut hall = room(&send, 2.3, 5_200.0);
    thin(&mut hall, 220.0);

    let mut mix = score.silence();
    mix.mix(&drums, 2.0);
    for at in kicks {
        drums::kick(&mut mix, at, 0.62, drums::CLUB);
    }
    mix.mix(&bass, 0.42);
    mix.mix(&chords, 1.0);
    mix.mix(&lead, 1.2);
    mix.mix(&hall, 1.1);
    fade_out(&mut mix, 1.6);
    mix
}

fn percussion(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (groove, breakdown) = score.bars_of("groove");
    let (drop, outro) = score.bars_of("drop");
    let end = score.bars();
    let on = |bars: Bars, pattern: &str| strokes(score, bars, pattern, 0.12);
    for (at, gain) in [
        on((0, breakdown), ".o.o.o.o.o.o.o.o"),
        on((drop, end), "xoxoxoxoxoxoxoxo"),
    ]
    .concat()
    {
        drums::shaker(&mut out, at, gain * 0.4);
    }
    for (at, gain) in [
        on((2, breakdown), "..X...X...X...X."),
        on((drop, outro + 2), "..X...X...X...X."),
    ]
    .concat()
    {
        drums::hat(&mut out, at, gain * 0.24, 0.09);
    }
    for (at, gain) in [
        on((groove, breakdown), "x..ox..ox..ox.oo"),
        on((drop, outro), "x..ox..ox..ox.oo"),
    ]
    .concat()
    {
        drums::hat(&mut out, at, gain * 0.13, 0.022);
    }
    for (at, gain) in [
        on((groove, breakdown), "....X.......X..."),
        on((drop, end - 2), "....X.......X..."),
    ]
    .concat()
    {
        drums::clap(&mut out, at, gain * 0.34);
    }
    for (at, gain) in on((drop, outro), "...x..x....x..o.") {
        drums::rim(&mut out, at, gain * 0.22);
    }
    // The build: a roll that doubles, under rising noise.
    let roll = [
        on((drop - 2, drop - 1), "x.x.x.x.x.x.x.x."),
        on((drop - 1, drop), "xxxxxxxxxxxxX..."),
    ]
    .concat();
    for (index, (at, gain)) in roll.into_iter().enumerate() {
        drums::snare(&mut out, at, gain * (0.08 + 0.012 * index as f64), 1.1);
    }
    let rise = score.clock.beat_secs() * 15.0;
    drums::riser(&mut out, score.clock.secs(drop - 4, 0.0), rise, 0.34);
    for bar in [groove, breakdown, drop, outro] {
        drums::crash(&mut out, score.clock.secs(bar, 0.0), 0.2);
    }
    drums::boom(&mut out, score.clock.secs(breakdown, 0.0), 0.4);
    out
}

fn bass(score: &Score) -> Stereo {
    const TONE: Bass = Bass {
        corner_hz: 210.0,
        opening_hz: 900.0,
        decay: 0.07,
        depth: 0.8,
    };
    let mut out = score.silence();
    let (groove, breakdown) = score.bars_of("groove");
    let (drop, _) = score.bars_of("drop");
    for bars in [(groove, breakdown), (drop, score.bars())] {
        for (at, gain, chord) in chord_strokes(score, bars, "..X..oX...X..oXo", 0.12) {
            let octave = if gain < 0.5 { 12.0 } else { 0.0 };
            let secs = score.clock.beat_secs() * if gain < 0.5 { 0.2 } else { 0.42 };
            TONE.play(
                &mut out,
                Note {
                    at,
                    secs,
                    midi: chord.root_above(28) + octave,
                    gain,
                },
            );
        }
    }
    out
}

fn stabs(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (groove, breakdown) = score.bars_of("groove");
    let (drop, outro) = score.bars_of("drop");
    for (bars, pattern) in [
        ((groove, breakdown), "x..x..x...x..o.."),
        ((drop, outro), "X..X..X..oX..X.o"),
        ((outro, outro + 2), "x..x..x...x....."),
    ] {
        for (at, gain, chord) in chord_strokes(score, bars, pattern, 0.12) {
            for midi in chord.voiced_above(57) {
                voices::stab(
                    &mut out,
                    Note {
                        at,
                        secs: 0.13,
                        midi,
                        gain: gain * 0.34,
                    },
                );
            }
        }
    }
    let end = Note {
        at: score.clock.secs(score.bars(), 0.0),
        secs: 0.5,
        midi: 57.0,
        gain: 0.3,
    };
    for midi in [57.0, 64.0, 67.0, 72.0] {
        voices::stab(&mut out, Note { midi, ..end });
    }
    out
}

fn pads(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (breakdown, drop) = score.bars_of("breakdown");
    let (_, outro) = score.bars_of("drop");
    for (bars, gain) in [
        ((breakdown, drop), 0.3),
        ((drop, outro), 0.13),
        ((outro, score.bars()), 0.1),
    ] {
        for (at, secs, chord) in chords_in(score, bars) {
            let pad = Pad {
                attack: 0.12,
                corner_hz: 2_600.0,
            };
            for midi in chord.voiced_above(55) {
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
                    midi: chord.root_above(40),
                    gain,
                },
            );
        }
    }
    out
}

fn plucks(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (breakdown, drop) = score.bars_of("breakdown");
    let (_, outro) = score.bars_of("drop");
    for (bars, level) in [((breakdown + 4, drop), 0.22), ((drop, outro), 0.3)] {
        let strokes = chord_strokes(score, bars, "X.xoX.xo.xX.xoxo", 0.12);
        for (index, (at, gain, chord)) in strokes.into_iter().enumerate() {
            let notes = chord.voiced_above(69);
            let midi = notes[(index * 3) % notes.len()];
            voices::pluck(
                &mut out,
                Note {
                    at,
                    secs: 0.2,
                    midi,
                    gain: gain * level,
                },
            );
        }
    }
    out
}

fn song(score: &Score) -> Stereo {
    use Vowel::{Ah, Eh, Oh, Oo};
    const CALL: [(f64, f64, u8, Vowel); 9] = [
        (0.0, 1.5, 76, Oh),
        (1.5, 0.5, 74, Oh),
        (2.0, 1.5, 72, Ah),
        (4.0, 1.0, 69, Oo),
        (5.0, 2.5, 72, Ah),
        (8.0, 1.5, 74, Eh),
        (9.5, 0.5, 76, Eh),
        (10.0, 1.5, 77, Ah),
        (12.0, 3.0, 76, Oh),
    ];
    const ANSWER: [(f64, f64, u8, Vowel); 8] = [
        (0.0, 1.0, 76, Ah),
        (1.0, 1.0, 79, Ah),
        (2.0, 1.5, 76, Oh),
        (4.5, 0.5, 72, Oh),
        (5.0, 2.0, 76, Ah),
        (8.0, 1.5, 77, Eh),
        (9.5, 2.0, 74, Oh),
        (12.0, 3.2, 71, Oo),
    ];
    let mut out = score.silence();
    let (breakdown, drop) = score.bars_of("breakdown");
    for (bar, gain) in [(breakdown, 0.3), (drop, 0.26)] {
        voices::sing(&mut out, &melody(score, bar, gain, &CALL));
        voices::sing(&mut out, &melody(score, bar + 4, gain, &ANSWER));
    }
    out
}
