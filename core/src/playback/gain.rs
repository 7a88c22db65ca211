//! A gain that moves in straight lines, so that no change of it is heard as a click.

use super::mixer::RAMP;

/// A linear gain. Changes take [`RAMP`] frames from wherever it is.
#[derive(Debug)]
pub(super) struct Gain {
    from: f32,
    to: f32,
    /// Steps taken from one to the other.
    step: usize,
}

impl Gain {
    pub(super) fn steady(level: f32) -> Self {
        Self {
            from: level,
            to: level,
            step: RAMP,
        }
    }

    /// After so many more frames.
    fn after(&self, frames: usize) -> f32 {
        let step = self.step.saturating_add(frames);
        if step >= RAMP {
            return self.to;
        }
        self.from + (self.to - self.from) * (step as f32 / RAMP as f32)
    }

    /// Where it goes.
    pub(super) fn aim(&self) -> f32 {
        self.to
    }

    pub(super) fn aim_at(&mut self, to: f32) {
        if to != self.to {
            self.from = self.after(0);
            self.to = to;
            self.step = 0;
        }
    }

    /// Is at once where it goes.
    pub(super) fn arrive(&mut self) {
        self.step = RAMP;
    }

    pub(super) fn advance(&mut self, frames: usize) {
        self.step = self.step.saturating_add(frames).min(RAMP);
    }

    /// Is silent, and stays so.
    pub(super) fn is_silent(&self) -> bool {
        self.to == 0.0 && self.step >= RAMP
    }

    /// Adds `from` to `out`, which lies `skip` frames ahead. At a steady 1 it is added bit by bit.
    pub(super) fn add(&self, skip: usize, out: &mut [[f32; 2]], from: &[[f32; 2]]) {
        let moving = RAMP
            .saturating_sub(self.step.saturating_add(skip))
            .min(out.len());
        for (at, (out, from)) in out.iter_mut().zip(from).enumerate() {
            let level = if at < moving {
                self.after(skip + at + 1)
            } else {
                self.to
            };
            out[0] += from[0] * level;
            out[1] += from[1] * level;
        }
    }

    /// Scales `out` and moves on.
    pub(super) fn apply(&mut self, out: &mut [[f32; 2]]) {
        let moving = (RAMP - self.step).min(out.len());
        let (ramp, steady) = out.split_at_mut(moving);
        for frame in ramp {
            self.step += 1;
            let level = self.after(0);
            frame[0] *= level;
            frame[1] *= level;
        }
        // The sound's own level, bit by bit.
        if self.to != 1.0 {
            for frame in steady {
                frame[0] *= self.to;
                frame[1] *= self.to;
            }
        }
    }
}
