//! Pitched instruments: each adds one note, or one sung line, to a bus.

use super::dsp::{Dice, Envelope, Filter, Saw};
use super::stereo::{STEP, Stereo, hz, pan, sine};

/// One note: when, how long (both in seconds), which and how loud (0 to 1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) at: f64,
    pub(crate) secs: f64,
    pub(crate) midi: f64,
    pub(crate) gain: f64,
}

/// A bass that opens with each note: saw and square over a sine an octave down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bass {
    /// Corner of the filter at rest, and how far above it every note opens.
    pub(crate) corner_hz: f64,
    pub(crate) opening_hz: f64,
    pub(crate) decay: f64,
    /// Share of the sine.
    pub(crate) depth: f64,
}

impl Bass {
    pub(crate) fn play(self, out: &mut Stereo, note: Note) {
        const SHAPE: Envelope = Envelope {
            attack: 0.004,
            decay: 0.3,
            sustain: 0.75,
            release: 0.06,
        };
        let pitch = hz(note.midi);
        let (mut saw, mut square) = (Saw::new(0.0), Saw::new(0.25));
        let mut filter = Filter::default();
        out.play(note.at, note.secs + SHAPE.release, |t| {
            let source = 0.6 * saw.next(pitch) + 0.35 * square.next_square(pitch * 1.003);
            let corner = self.corner_hz + self.opening_hz * (-t / self.decay).exp();
            let bright = filter.next(source, corner, 1.4).low;
            let deep = sine(t * pitch) * self.depth;
            let sample = (1.3 * (bright + deep)).tanh() * SHAPE.at(t, note.secs) * note.gain;
            [sample, sample]
        });
    }
}

/// Detuned saws that beat against each other under a wandering filter, over a steady sine.
pub(crate) fn reese(out: &mut Stereo, note: Note) {
    const SHAPE: Envelope = Envelope {
        attack: 0.006,
        decay: 1.0,
        sustain: 0.9,
        release: 0.05,
    };
    const DETUNE: [f64; 3] = [0.992_5, 1.0, 1.007_5];
    let pitch = hz(note.midi);
    let mut saws = [[0.1, 0.4, 0.7], [0.5, 0.9, 0.2]].map(|phases| phases.map(Saw::new));
    let mut filters = [Filter::default(); 2];
    out.play(note.at, note.secs + SHAPE.release, |t| {
        let level = SHAPE.at(t, note.secs) * note.gain;
        let corner = 420.0 + 260.0 * sine(note.at * 0.31 + t * 1.45);
        let deep = 0.55 * sine(t * pitch);
        let mut sides = [0.0; 2];
        for ((side, voices), filter) in sides.iter_mut().zip(&mut saws).zip(&mut filters) {
            let source: f64 = voices
                .iter_mut()
                .zip(DETUNE)
                .map(|(saw, by)| saw.next(pitch * by))
                .sum();
            let bright = filter.next(source * 0.5, corner, 2.0);
            // The lowest octave stays in the middle: only what is above the filter's rest is wide.
            *side = ((1.6 * bright.low).tanh() * 0.55 + deep) * level;
        }
        sides
    });
}

/// A wide, slow cloud of saws.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pad {
    pub(crate) attack: f64,
    pub(crate) corner_hz: f64,
}

impl Pad {
    pub(crate) fn play(self, out: &mut Stereo, note: Note) {
        const DETUNE: [f64; 5] = [0.994_1, 0.997_6, 1.0, 1.002_7, 1.005_6];
        let shape = Envelope {
            attack: self.attack,
            decay: 2.0,
            sustain: 0.85,
            release: 0.5,
        };
        let pitch = hz(note.midi);
        let mut dice = Dice::new(note.at.to_bits() ^ note.midi.to_bits());
        let mut saws = DETUNE.map(|_| Saw::new(dice.roll()));
        let mut filters = [Filter::default(); 2];
        out.play(note.at, note.secs + shape.release, |t| {
            let mut sides = [0.0; 2];
            for (index, (saw, by)) in saws.iter_mut().zip(DETUNE).enumerate() {
                let side = pan(saw.next(pitch * by), index as f64 * 0.45 - 0.9);
                sides = [sides[0] + side[0], sides[1] + side[1]];
            }
            let corner = self.corner_hz * (0.75 + 0.25 * sine(t * 0.13 + note.midi * 0.1));
            let level = shape.at(t, note.secs) * note.gain * 0.3;
            let mut inputs = sides.into_iter();
            filters
                .each_mut()
                .map(|filter| filter.next(inputs.next().unwrap_or(0.0), corner, 0.8).low * level)
        });
    }
}

/// A short chord note whose filter snaps shut.
pub(crate) fn stab(out: &mut Stereo, note: Note) {
    const SHAPE: Envelope = Envelope {
        attack: 0.002,
        decay: 0.22,
        sustain: 0.25,
        release: 0.09,
    };
    let pitch = hz(note.midi);
    let mut saws = [Saw::new(0.0), Saw::new(0.37)];
    let mut square = Saw::new(0.6);
    let mut filters = [Filter::default(); 2];
    out.play(note.at, note.secs + SHAPE.release, |t| {
        let corner = 500.0 + 3_400.0 * note.gain.sqrt() * (-t / 0.11).exp();
        let level = SHAPE.at(t, note.secs) * note.gain;
        let middle = 0.4 * square.next_square(pitch);
        let mut sides = [0.0; 2];
        for (index, side) in sides.iter_mut().enumerate() {
            let saw = saws[index].next(pitch * (0.998 + 0.004 * index as f64));
            *side = filters[index].next(saw + middle, corner, 1.2).low * level * 0.55;
        }
        sides
    });
}

/// An electric piano: a sine bent by another, with a bell on the attack and a slow sway.
pub(crate) fn electric_piano(out: &mut Stereo, note: Note) {
    const SHAPE: Envelope = Envelope {
        attack: 0.003,
        decay: 1.1,
        sustain: 0.08,
        release: 0.25,
    };
    let pitch = hz(note.midi);
    out.play(note.at, note.secs + SHAPE.release, |t| {
        let bend = 0.22 * note.gain.sqrt() * (-t / 0.35).exp() * sine(t * pitch);
        let bell = 0.10 * note.gain * (-t / 0.05).exp() * sine(t * pitch * 14.0);
        let warmth = 0.18 * sine(t * pitch * 2.0) * (-t / 0.5).exp();
        let sample = sine(t * pitch + bend) + bell + warmth;
        let sway = 0.4 * sine((note.at + t) * 4.6);
        pan(sample * SHAPE.at(t, note.secs) * note.gain * 0.6, sway)
    });
}

/// A plucked note, short and bright, that starts right of the middle or left of it by turns.
pub(crate) fn pluck(out: &mut Stereo, note: Note) {
    const SHAPE: Envelope = Envelope {
        attack: 0.001,
        decay: 0.16,
        sustain: 0.0,
        release: 0.05,
    };
    let pitch = hz(note.midi);
    let (mut saw, mut square) = (Saw::new(0.0), Saw::new(0.3));
    let mut filter = Filter::default();
    let place = 0.45 * sine(note.at * 0.7 + note.midi * 0.3);
    out.play(note.at, 0.6, |t| {
        let source = 0.5 * saw.next(pitch * 1.002) + 0.5 * square.next_square(pitch);
        let corner = pitch * 1.5 + 4_500.0 * (-t / 0.07).exp();
        let sample = filter.next(source, corner, 1.8).low * SHAPE.at(t, note.secs.max(0.4));
        pan(sample * note.gain, place)
    });
}

/// A vowel, by the first three resonances of the throat (rounded from Peterson and Barney, 1952).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Vowel {
    Ah,
    Oh,
    Oo,
    Eh,
}

impl Vowel {
    fn formants_hz(self) -> [f64; 3] {
        match self {
            Self::Ah => [850.0, 1_220.0, 2_810.0],
            Self::Oh => [590.0, 920.0, 2_710.0],
            Self::Oo => [370.0, 950.0, 2_670.0],
            Self::Eh => [610.0, 2_330.0, 2_990.0],
        }
    }
}

/// A sung line: one breath over all its notes, sliding between pitches and vowels.
pub(crate) fn sing(out: &mut Stereo, line: &[(Note, Vowel)]) {
    let (Some((first, _)), Some((last, _))) = (line.first(), line.last()) else {
        return;
    };
    let start = first.at;
    let secs = last.at + last.secs - start;
    let mut singer = Singer::new(line);
    out.play(start, secs + 0.3, |t| singer.next(start + t));
}

struct Singer<'a> {
    line: &'a [(Note, Vowel)],
    midi: f64,
    level: f64,
    formants_hz: [f64; 3],
    throats: [Saw; 2],
    resonators: [[Filter; 3]; 2],
    dice: Dice,
}

impl<'a> Singer<'a> {
    fn new(line: &'a [(Note, Vowel)]) -> Self {
        let first = line.first();
        Self {
            line,
            midi: first.map_or(69.0, |(note, _)| note.midi - 1.0),
            level: 0.0,
            formants_hz: first.map_or([500.0; 3], |(_, vowel)| vowel.formants_hz()),
            throats: [Saw::new(0.0), Saw::new(0.41)],
            resonators: [[Filter::default(); 3]; 2],
            dice: Dice::new(23),
        }
    }

    fn next(&mut self, now: f64) -> [f64; 2] {
        // Shares of the three resonances, strongest first, and the sharpness of each.
        const SHARES: [f64; 3] = [1.0, 0.55, 0.28];
        const SHARPNESS: [f64; 3] = [8.0, 10.0, 14.0];
        let Some((note, vowel)) = self.line.iter().rfind(|(note, _)| note.at <= now) else {
            return [0.0; 2];
        };
        let since = now - note.at;
        let target = if since < note.secs { note.gain } else { 0.0 };
        self.midi += (note.midi - self.midi) * (STEP / 0.03);
        self.level += (target - self.level) * (STEP / 0.05);
        for (here, there) in self.formants_hz.iter_mut().zip(vowel.formants_hz()) {
            *here += (there - *here) * (STEP / 0.06);
        }
        let vibrato = 0.28 * sine(now * 5.4) * ((since - 0.18) / 0.4).clamp(0.0, 1.0);
        let breath = 0.05 * self.dice.roll();
        let mut sides = [0.0; 2];
        for (index, side) in sides.iter_mut().enumerate() {
            let detune = 0.06 * index as f64 - 0.03;
            let source = self.throats[index].next(hz(self.midi + vibrato + detune)) + breath;
            for (part, formant) in self.resonators[index].iter_mut().enumerate() {
                let heard = formant.next(source, self.formants_hz[part], SHARPNESS[part]);
                *side += heard.band * SHARES[part];
            }
            *side *= self.level;
        }
        sides
    }
}
