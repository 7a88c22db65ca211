//! Drums and noises, made of sines and filtered noise. Every stroke starts on its exact frame.

use super::dsp::{Dice, Filter, Saw};
use super::stereo::{STEP, Stereo, pan, sine};

/// A bass drum: a sine that falls in pitch, with a click in front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kick {
    pub(crate) from_hz: f64,
    pub(crate) to_hz: f64,
    /// Seconds for the pitch to fall by a factor of e.
    pub(crate) sweep: f64,
    /// Seconds for the loudness to fall by a factor of e.
    pub(crate) decay: f64,
    pub(crate) click: f64,
}

/// Bass drum of club music: round and long.
pub(crate) const CLUB: Kick = Kick {
    from_hz: 320.0,
    to_hz: 49.0,
    sweep: 0.022,
    decay: 0.16,
    click: 0.35,
};

/// Bass drum of broken beats: short and hard.
pub(crate) const TIGHT: Kick = Kick {
    from_hz: 420.0,
    to_hz: 56.0,
    sweep: 0.016,
    decay: 0.09,
    click: 0.5,
};

/// Bass drum of slow grooves: soft and low.
pub(crate) const WARM: Kick = Kick {
    from_hz: 190.0,
    to_hz: 52.0,
    sweep: 0.028,
    decay: 0.13,
    click: 0.18,
};

pub(crate) fn kick(out: &mut Stereo, at: f64, gain: f64, kit: Kick) {
    let mut turns = 0.0;
    let mut dice = Dice::new(7);
    let mut filter = Filter::default();
    out.play(at, kit.decay * 5.0, |t| {
        let hz = kit.to_hz + (kit.from_hz - kit.to_hz) * (-t / kit.sweep).exp();
        turns += hz * STEP;
        let body = sine(turns) * (-t / kit.decay).exp();
        let click = filter.next(dice.roll(), 3_200.0, 0.8).band * (-t / 0.003).exp();
        let attack = (t / 0.000_3).min(1.0);
        let sample = (1.9 * (body + kit.click * click)).tanh() * attack * gain;
        [sample, sample]
    });
}

/// `tone` moves the whole drum up or down in pitch; 1 is a middle snare.
pub(crate) fn snare(out: &mut Stereo, at: f64, gain: f64, tone: f64) {
    let mut dice = Dice::new(11);
    let mut rattle = [Filter::default(); 2];
    let mut turns = [0.0; 2];
    out.play(at, 0.45, |t| {
        let bend = 1.0 + 0.45 * (-t / 0.012).exp();
        turns[0] += 186.0 * tone * bend * STEP;
        turns[1] += 331.0 * tone * bend * STEP;
        let body = sine(turns[0]) * (-t / 0.075).exp() + 0.6 * sine(turns[1]) * (-t / 0.045).exp();
        let tail = (-t / 0.085).exp() + 0.35 * (-t / 0.012).exp();
        let sides = rattle
            .each_mut()
            .map(|filter| filter.next(dice.roll(), 2_300.0 * tone, 0.7).high * tail);
        let attack = (t / 0.000_3).min(1.0);
        sides.map(|side| (1.5 * (0.62 * body + 0.42 * side)).tanh() * attack * gain)
    });
}

/// Hands: four bursts of noise close together, then a short room.
pub(crate) fn clap(out: &mut Stereo, at: f64, gain: f64) {
    let mut dice = Dice::new(13);
    let mut filters = [Filter::default(); 2];
    out.play(at, 0.4, |t| {
        let bursts: f64 = [0.0, 0.011, 0.021, 0.030]
            .into_iter()
            .filter(|start| t >= *start)
            .map(|start| (-(t - start) / 0.004).exp())
            .sum();
        let room = if t > 0.03 {
            0.5 * (-(t - 0.03) / 0.09).exp()
        } else {
            0.0
        };
        filters.each_mut().map(|filter| {
            filter.next(dice.roll(), 1_350.0, 1.3).band * (bursts + room) * gain * 1.6
        })
    });
}

/// Metal: six squares that share no harmonic, through a high filter. `decay` in seconds.
pub(crate) fn hat(out: &mut Stereo, at: f64, gain: f64, decay: f64) {
    metal(
        out,
        Metal {
            at,
            gain,
            decay,
            place: 0.25,
            corner_hz: 7_600.0,
        },
    );
}

pub(crate) fn ride(out: &mut Stereo, at: f64, gain: f64) {
    metal(
        out,
        Metal {
            at,
            gain,
            decay: 0.22,
            place: -0.3,
            corner_hz: 5_200.0,
        },
    );
}

pub(crate) fn crash(out: &mut Stereo, at: f64, gain: f64) {
    metal(
        out,
        Metal {
            at,
            gain: gain * 0.8,
            decay: 0.75,
            place: -0.35,
            corner_hz: 4_300.0,
        },
    );
    metal(
        out,
        Metal {
            at,
            gain: gain * 0.8,
            decay: 0.7,
            place: 0.4,
            corner_hz: 4_900.0,
        },
    );
}

#[derive(Debug, Clone, Copy)]
struct Metal {
    at: f64,
    gain: f64,
    decay: f64,
    place: f64,
    corner_hz: f64,
}

fn metal(out: &mut Stereo, stroke: Metal) {
    const PARTIALS_HZ: [f64; 6] = [317.0, 465.1, 554.3, 811.7, 1_228.9, 1_713.3];
    let mut dice = Dice::new(stroke.at.to_bits());
    let mut squares = PARTIALS_HZ.map(|_| Saw::new(0.5 + 0.5 * dice.roll()));
    let mut filters = [Filter::default(); 2];
    out.play(stroke.at, stroke.decay * 5.5, |t| {
        let ring: f64 = squares
            .iter_mut()
            .zip(PARTIALS_HZ)
            .map(|(square, hz)| square.next_square(hz * 2.7))
            .sum();
        let source = 0.11 * ring + 0.5 * dice.roll();
        let mut sample = source;
        for filter in &mut filters {
            sample = filter.next(sample, stroke.corner_hz, 0.8).high;
        }
        let level = (-t / stroke.decay).exp() * (t / 0.000_4).min(1.0);
        pan(sample * level * stroke.gain, stroke.place)
    });
}

/// A soft grain of noise that swells and falls.
pub(crate) fn shaker(out: &mut Stereo, at: f64, gain: f64) {
    let mut dice = Dice::new(at.to_bits());
    let mut filter = Filter::default();
    out.play(at, 0.11, |t| {
        let level = (t / 0.018).min(1.0) * (-t / 0.03).exp();
        pan(
            filter.next(dice.roll(), 6_300.0, 1.1).band * level * gain,
            -0.45,
        )
    });
}

/// The rim of a snare: two short high sines.
pub(crate) fn rim(out: &mut Stereo, at: f64, gain: f64) {
    out.play(at, 0.06, |t| {
        let sample = (sine(t * 1_720.0) + 0.8 * sine(t * 2_430.0)) * (-t / 0.009).exp();
        pan(sample * gain * 0.5, 0.35)
    });
}

/// Noise that rises in pitch and loudness for `secs`, into the moment `at + secs`.
pub(crate) fn riser(out: &mut Stereo, at: f64, secs: f64, gain: f64) {
    let mut dice = Dice::new(17);
    let mut filters = [Filter::default(); 2];
    out.play(at, secs, |t| {
        let way = t / secs;
        let corner = 350.0 * (way * 4.4).exp();
        let flutter = 1.0 - 0.35 * way * (0.5 + 0.5 * sine(t * (4.0 + 10.0 * way)));
        filters
            .each_mut()
            .map(|filter| filter.next(dice.roll(), corner, 2.2).band * way.powi(2) * flutter * gain)
    });
}

/// A low boom under the first beat of a section.
pub(crate) fn boom(out: &mut Stereo, at: f64, gain: f64) {
    let mut turns = 0.0;
    out.play(at, 2.2, |t| {
        turns += (34.0 + 40.0 * (-t / 0.25).exp()) * STEP;
        let sample = sine(turns) * (t / 0.004).min(1.0) * (-t / 0.55).exp() * gain;
        [sample, sample]
    });
}

/// The crackle and hum of a worn record.
pub(crate) fn crackle(out: &mut Stereo, at: f64, secs: f64, gain: f64) {
    let mut dice = Dice::new(19);
    let mut filters = [Filter::default(); 2];
    let mut ticks = [0.0; 2];
    out.play(at, secs, |_| {
        let mut sides = [0.0; 2];
        for ((side, filter), tick) in sides.iter_mut().zip(&mut filters).zip(&mut ticks) {
            if dice.roll() > 0.999_5 {
                *tick = dice.roll() * 3.0;
            }
            *tick *= 0.72;
            *side = filter.next(*tick + 0.012 * dice.roll(), 2_600.0, 0.6).band * gain;
        }
        sides
    });
}
