//! Window Seat: a swung soul groove at 96.35 beats a minute in E flat major.

use super::drums;
use super::effects::{duck, echo, fade_out, room, thin};
use super::pattern::{Bars, chord_strokes, chords_in, melody, strokes};
use super::score::{Clock, Score, Section, Step, chord};
use super::stereo::Stereo;
use super::voices::{self, Bass, Note, Pad, Vowel};
use tonearm_core::harmony::{Chord, Key, Mode, PitchClass, Quality};

/// How late every second sixteenth comes, as a share of a sixteenth.
const SWING: f64 = 0.3;

pub(crate) fn score() -> Score {
    let sections = vec![
        Section {
            name: "intro",
            bars: 2,
        },
        Section {
            name: "verse",
            bars: 8,
        },
        Section {
            name: "bridge",
            bars: 4,
        },
        Section {
            name: "chorus",
            bars: 8,
        },
        Section {
            name: "outro",
            bars: 2,
        },
    ];
    Score {
        name: "window-seat",
        title: "Window Seat",
        genre: "Soul",
        key: Key {
            tonic: PitchClass::new(3),
            mode: Mode::Major,
        },
        clock: Clock {
            bpm: 96.35,
            beats_per_bar: 4,
            first_beat_secs: 0.48,
        },
        sections,
        steps: steps(),
        tail_secs: 2.2,
    }
}

fn steps() -> Vec<Step> {
    let home = chord(3, Quality::Major7);
    let four = chord(8, Quality::Major7);
    let two = chord(5, Quality::Minor7);
    let three = chord(7, Quality::Minor7);
    let five = chord(10, Quality::Dominant7);
    let six = chord(0, Quality::Minor7);
    let halves = |chords: &[Chord]| -> Vec<Step> {
        chords
            .iter()
            .map(|chord| Step {
                beats: 2,
                chord: Some(*chord),
            })
            .collect()
    };
    let whole = |chord| Step {
        beats: 4,
        chord: Some(chord),
    };
    let verse = halves(&[home, six, two, five, three, six, four, five]);
    let mut bridge = vec![whole(four)];
    bridge.extend(halves(&[three, chord(0, Quality::Dominant7)]));
    bridge.push(whole(two));
    bridge.extend(halves(&[chord(10, Quality::Sus4), five]));
    let ending = Step {
        beats: 8,
        chord: Some(chord(3, Quality::Major9)),
    };
    [
        vec![whole(home), whole(four)],
        verse.repeat(2),
        bridge,
        verse.repeat(2),
        vec![ending],
    ]
    .concat()
}

/// Times of all strokes of the bass drum.
pub(crate) fn kicks(score: &Score) -> Vec<f64> {
    let (verse, bridge) = score.bars_of("verse");
    let (chorus, outro) = score.bars_of("chorus");
    let mut kicks = strokes(score, (verse, bridge), "X......xX.x.....", SWING);
    kicks.extend(strokes(score, (bridge, chorus), "X.........x.....", SWING));
    kicks.extend(strokes(score, (chorus, outro), "X......xX.x.....", SWING));
    kicks.extend(strokes(
        score,
        (outro, outro + 1),
        "X...............",
        SWING,
    ));
    kicks.into_iter().map(|(at, _)| at).collect()
}

pub(crate) fn render(score: &Score) -> Stereo {
    let kicks = kicks(score);
    let beat = score.clock.beat_secs();
    let mut chords = keys(score);
    chords.mix(&pads(score), 1.0);
    duck(&mut chords, &kicks, 0.3, 0.22);

    let mut lead = lead(score);
    let echoes = echo(&lead, beat * 0.75, 0.35);
    lead.mix(&echoes, 0.3);

    let mut bass = bass(score);
    duck(&mut bass, &kicks, 0.45, 0.14);

    let drums = percussion(score);
    let mut send = score.silence();
    send.mix(&chords, 0.3);
    send.mix(&lead, 0.6);
    send.mix(&drums, 0.2);
    let mut hall = room(&send, 1.6, 4_200.0);
    thin(&mut hall, 250.0);

    let mut mix = score.silence();
    mix.mix(&drums, 1.5);
    for at in kicks {
        drums::kick(&mut mix, at, 0.72, drums::WARM);
    }
    mix.mix(&bass, 0.42);
    mix.mix(&chords, 0.7);
    mix.mix(&lead, 0.8);
    mix.mix(&hall, 0.5);
    fade_out(&mut mix, 2.0);
    mix
}

fn percussion(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (verse, bridge) = score.bars_of("verse");
    let (chorus, outro) = score.bars_of("chorus");
    let on = |bars: Bars, pattern: &str| strokes(score, bars, pattern, SWING);
    for bars in [(verse, bridge), (chorus, outro)] {
        for (at, gain) in on(bars, "....X.......X...") {
            drums::snare(&mut out, at, gain * 0.5, 0.92);
        }
        for (at, gain) in on(bars, ".......o.o....o.") {
            drums::snare(&mut out, at, gain * 0.13, 1.0);
        }
        for (at, gain) in on(bars, "X.x.X.xoX.x.X.xo") {
            drums::hat(&mut out, at, gain * 0.14, 0.03);
        }
    }
    for (at, gain) in on((bridge, chorus), "....X.......X...") {
        drums::rim(&mut out, at, gain * 0.5);
    }
    for (at, gain) in on((bridge, chorus), "X.x.X.x.X.x.X.x.") {
        drums::hat(&mut out, at, gain * 0.1, 0.026);
    }
    for (at, gain) in on((chorus, outro), "o.xoo.xoo.xoo.xo") {
        drums::shaker(&mut out, at, gain * 0.3);
    }
    for (at, gain) in on((chorus - 1, chorus), "..........ooxxxX") {
        drums::snare(&mut out, at, gain * 0.36, 0.95);
    }
    for bar in [chorus, outro] {
        drums::crash(&mut out, score.clock.secs(bar, 0.0), 0.13);
    }
    drums::crackle(&mut out, 0.0, score.secs(), 0.05);
    out
}

fn bass(score: &Score) -> Stereo {
    const TONE: Bass = Bass {
        corner_hz: 260.0,
        opening_hz: 420.0,
        decay: 0.09,
        depth: 0.95,
    };
    let mut out = score.silence();
    let (verse, _) = score.bars_of("verse");
    let (_, outro) = score.bars_of("chorus");
    for (at, gain, chord) in chord_strokes(score, (verse, outro), "X..x...oX..x..oo", SWING) {
        let step = if gain < 0.5 { 7.0 } else { 0.0 };
        let secs = score.clock.beat_secs() * if gain > 0.9 { 0.7 } else { 0.3 };
        TONE.play(
            &mut out,
            Note {
                at,
                secs,
                midi: chord.root_above(31) + step,
                gain,
            },
        );
    }
    let end = Note {
        at: score.clock.secs(outro, 0.0),
        secs: 3.0,
        midi: 39.0,
        gain: 0.8,
    };
    TONE.play(&mut out, end);
    out
}

fn keys(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (verse, bridge) = score.bars_of("verse");
    let (_, outro) = score.bars_of("chorus");
    for (bars, pattern, secs) in [
        ((0, verse), "X.....x...x.....", 0.9),
        ((verse, bridge), "X..x..o.X..x..o.", 0.34),
        ((bridge, outro), "X..x..x.X..x.xo.", 0.34),
    ] {
        for (at, gain, chord) in chord_strokes(score, bars, pattern, SWING) {
            for midi in chord.voiced_above(58) {
                voices::electric_piano(
                    &mut out,
                    Note {
                        at,
                        secs,
                        midi,
                        gain: gain * 0.34,
                    },
                );
            }
        }
    }
    // The last chord is spread upwards, a string at a time.
    let end = score.clock.secs(outro, 0.0);
    for (index, midi) in [51.0, 58.0, 62.0, 65.0, 67.0, 74.0, 79.0]
        .into_iter()
        .enumerate()
    {
        let at = end + 0.045 * index as f64;
        voices::electric_piano(
            &mut out,
            Note {
                at,
                secs: 4.5,
                midi,
                gain: 0.3,
            },
        );
    }
    out
}

fn pads(score: &Score) -> Stereo {
    let mut out = score.silence();
    let (bridge, chorus) = score.bars_of("bridge");
    for (bars, gain) in [((bridge, chorus), 0.16), ((chorus, score.bars()), 0.1)] {
        for (at, secs, chord) in chords_in(score, bars) {
            let pad = Pad {
                attack: 0.2,
                corner_hz: 1_700.0,
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
        }
    }
    out
}

fn lead(score: &Score) -> Stereo {
    use Vowel::{Ah, Eh, Oh, Oo};
    const HUM: [(f64, f64, u8, Vowel); 12] = [
        (0.0, 1.5, 67, Oo),
        (1.5, 0.5, 70, Oh),
        (2.0, 1.8, 72, Ah),
        (4.5, 0.5, 72, Ah),
        (5.0, 0.5, 70, Eh),
        (5.5, 0.5, 68, Eh),
        (6.0, 1.8, 70, Oh),
        (8.0, 1.0, 74, Ah),
        (9.0, 1.0, 72, Oh),
        (10.0, 1.7, 67, Oo),
        (12.0, 1.5, 68, Oh),
        (13.5, 2.2, 70, Oo),
    ];
    const HIGH: [(f64, f64, u8, Vowel); 7] = [
        (0.0, 3.0, 75, Oo),
        (4.0, 1.8, 74, Oh),
        (6.0, 1.8, 76, Ah),
        (8.0, 2.5, 77, Ah),
        (10.5, 1.2, 75, Eh),
        (12.0, 1.8, 75, Oh),
        (14.0, 1.8, 74, Oo),
    ];
    let mut out = score.silence();
    let (verse, _) = score.bars_of("verse");
    let (bridge, chorus) = score.bars_of("bridge");
    for (bar, gain) in [(verse + 4, 0.2), (chorus, 0.3), (chorus + 4, 0.3)] {
        voices::sing(&mut out, &melody(score, bar, gain, &HUM));
    }
    voices::sing(&mut out, &melody(score, bridge, 0.26, &HIGH));
    for (at, gain, chord) in chord_strokes(score, (chorus, chorus + 8), "......x.....xo.x", SWING) {
        let midi = chord.voiced_above(75)[0];
        voices::pluck(
            &mut out,
            Note {
                at,
                secs: 0.2,
                midi,
                gain: gain * 0.16,
            },
        );
    }
    out
}
