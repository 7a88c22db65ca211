//! Which columns and samples lie under which pixels: levels fade into one another, so that zooming shows no seam.
//!
//! Pixels lie on a grid that is fixed to the track: scrolling by part of a pixel blends neighbours and
//! never measures anew, so that nothing shimmers. Zooming stretches the grid about the point that is zoomed at.

use crate::widgets::shape::LAW;
use tonearm_core::waveform::Waveform;

/// What part of a track is in view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Seconds at the left edge, and in one pixel of the display.
    pub start: f64,
    pub per_pixel: f64,
    /// Pixels of the display across.
    pub pixels: u32,
    /// Seconds at which a pixel of the grid begins: see [`View::zoomed_from`].
    pub anchor: f64,
}

/// Columns of one level under the pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    pub level: usize,
    /// The column at the left edge of the first pixel: whole, and the rest of it.
    pub base: i32,
    pub rest: f32,
    pub per_pixel: f32,
}

/// How a view is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    pub fine: Reach,
    pub coarse: Reach,
    /// Share of the coarse level, 0 to 1.
    pub fade: f32,
    /// Share of the next pixel, 0 to 1: the part of a pixel that the view is scrolled by.
    pub shift: f32,
    /// Exponent of heights over levels: straight where single samples are seen.
    pub law: f32,
    /// Share of single samples, 0 to 1, where they are there.
    pub samples: f32,
    pub pixels: u32,
}

/// A pixel shows this many columns of the finer of its two levels, or up to four times as many.
const LEAST_COLUMNS: f64 = 4.0;

/// Frames per pixel where samples begin to show, and where nothing else does.
const SAMPLES_FROM: f64 = 48.0;
const SAMPLES_ONLY: f64 = 12.0;

/// More frames per pixel than this need no samples at all.
pub const MOST_FRAMES_PER_PIXEL: f64 = SAMPLES_FROM;

impl View {
    /// Whether there is anything to draw, with numbers that can be counted with.
    pub fn is_sound(&self) -> bool {
        self.pixels > 0
            && self.start.is_finite()
            && self.start.abs() < 1e9
            && self.anchor.abs() < 1e9
            && self.per_pixel.is_finite()
            && self.per_pixel > 1e-9
            && self.per_pixel < 1e9
    }

    /// Seconds at the left edge of the first whole pixel, and what of a pixel lies before the view.
    pub fn grid(&self) -> (f64, f32) {
        let pixels = (self.start - self.anchor) / self.per_pixel;
        let whole = pixels.floor();
        let start = self.anchor + whole * self.per_pixel;
        (start, (pixels - whole) as f32)
    }

    /// This view with the grid of `before`, stretched about the time that both have at the same place: there,
    /// pixels keep what lies under them but for what the zoom itself brings in or leaves out.
    #[must_use]
    pub fn zoomed_from(self, before: Self) -> Self {
        if !(self.is_sound() && before.is_sound()) {
            return self;
        }
        let anchor = before.anchor;
        let grown = self.per_pixel - before.per_pixel;
        if grown.abs() <= 1e-9 * before.per_pixel {
            return Self { anchor, ..self };
        }
        let still = (before.start * self.per_pixel - self.start * before.per_pixel) / grown;
        let end = before.start + f64::from(before.pixels) * before.per_pixel;
        let still = still.clamp(before.start, end);
        let pixels = ((still - anchor) / before.per_pixel).round();
        Self {
            anchor: anchor + pixels * before.per_pixel,
            ..self
        }
    }
}

impl Plan {
    /// `levels` there are; those before `finest` are not there yet. `rate` is that of the samples.
    pub fn new(view: View, levels: usize, finest: usize, rate: f64) -> Option<Self> {
        let last = levels.checked_sub(1)?;
        if !view.is_sound() || finest > last {
            return None;
        }
        let finest_per_pixel = view.per_pixel * Waveform::columns_per_second(0);
        let steps = (finest_per_pixel / LEAST_COLUMNS).max(1.0).log2() / 2.0;
        let fine = (steps.floor() as usize).clamp(finest, last);
        let coarse = (fine + 1).min(last);
        let fade = if fine == coarse {
            0.0
        } else {
            (steps - fine as f64).clamp(0.0, 1.0) as f32
        };
        let frames = view.per_pixel * rate;
        let samples = falling(frames, SAMPLES_ONLY, SAMPLES_FROM);
        let straight = falling(frames, SAMPLES_ONLY / 4.0, SAMPLES_FROM * 4.0);
        let (start, shift) = view.grid();
        Some(Self {
            fine: Reach::new(start, view.per_pixel, fine),
            coarse: Reach::new(start, view.per_pixel, coarse),
            fade,
            shift,
            law: LAW + (1.0 - LAW) * straight,
            samples,
            pixels: view.pixels,
        })
    }
}

impl Reach {
    fn new(start: f64, per_pixel: f64, level: usize) -> Self {
        let rate = Waveform::columns_per_second(level);
        let column = start * rate;
        let base = column.floor();
        Self {
            level,
            base: base as i32,
            rest: (column - base) as f32,
            per_pixel: (per_pixel * rate) as f32,
        }
    }
}

/// 1 up to `low`, 0 from `high` on, smooth in between on a logarithmic scale.
fn falling(value: f64, low: f64, high: f64) -> f32 {
    let share = ((high / value).log2() / (high / low).log2()).clamp(0.0, 1.0);
    (share * share * (3.0 - 2.0 * share)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(start: f64, per_pixel: f64) -> View {
        View {
            start,
            per_pixel,
            pixels: 800,
            anchor: 0.0,
        }
    }

    #[test]
    fn levels_hand_over_without_a_jump() {
        // Where the finer level has faded out, the next one begins alone.
        for (seconds, fine) in [(16.0 / 300.0, 0), (64.0 / 300.0, 1), (256.0 / 300.0, 2)] {
            let before = Plan::new(view(0.0, seconds * 0.999), 6, 0, 48e3).unwrap();
            let after = Plan::new(view(0.0, seconds * 1.001), 6, 0, 48e3).unwrap();
            assert_eq!((before.fine.level, before.coarse.level), (fine, fine + 1));
            assert!(before.fade > 0.998, "{before:?}");
            assert_eq!(after.fine.level, fine + 1);
            assert!(after.fade < 0.002, "{after:?}");
        }
    }

    #[test]
    fn samples_fade_in_while_zooming_and_heights_straighten() {
        let samples = |frames: f64| {
            let plan = Plan::new(view(1.0, frames / 48e3), 6, 0, 48e3).unwrap();
            (plan.samples, plan.law)
        };
        assert_eq!(samples(500.0), (0.0, LAW));
        assert_eq!(samples(48.0).0, 0.0);
        assert!(samples(24.0).0 > 0.3 && samples(24.0).0 < 0.7);
        assert_eq!(samples(1.0), (1.0, 1.0));
    }

    #[test]
    fn the_grid_stays_where_it_is_zoomed_at() {
        let before = view(10.003, 0.01);
        for x in [0.0, 333.0, 799.0] {
            let still = before.start + x * before.per_pixel;
            let mut view = before;
            for _ in 0..200 {
                let per_pixel = view.per_pixel * 0.97;
                let next = View {
                    start: still - x * per_pixel,
                    per_pixel,
                    ..view
                };
                let next = next.zoomed_from(view);
                let (old, new) = (view.grid().1, next.grid().1);
                let moved = f64::from((old - new).abs());
                // Half a pixel from the point, 3 % of it; a grid has no beginning and no end.
                assert!(moved.min(1.0 - moved) < 0.02, "{old} {new} at {per_pixel}");
                view = next;
            }
        }
        let scrolled = View {
            start: 10.5,
            ..before
        };
        assert_eq!(scrolled.zoomed_from(before).anchor, before.anchor);
    }

    #[test]
    fn nothing_is_planned_for_views_that_are_none() {
        for (start, per_pixel) in [
            (f64::NAN, 1.0),
            (0.0, 0.0),
            (0.0, f64::INFINITY),
            (1e300, 1.0),
        ] {
            assert_eq!(Plan::new(view(start, per_pixel), 6, 0, 48e3), None);
        }
        let empty = View {
            pixels: 0,
            ..view(0.0, 1.0)
        };
        assert_eq!(Plan::new(empty, 6, 0, 48e3), None);
        assert_eq!(Plan::new(view(0.0, 1.0), 0, 0, 48e3), None);
        assert_eq!(Plan::new(view(0.0, 1.0), 6, 6, 48e3), None);
    }

    proptest! {
        #[test]
        fn the_grid_stands_still_while_the_view_scrolls(
            start in 0.0..10_000.0_f64, zoom in -14.0..3.0_f64, moved in 0.0..3.0_f64,
        ) {
            let per_pixel = zoom.exp2();
            let place = |view: View| {
                let plan = Plan::new(view, 8, 0, 48e3).unwrap();
                f64::from(plan.fine.base) + f64::from(plan.fine.rest)
            };
            let before = view(start, per_pixel);
            let after = view(start + moved * per_pixel, per_pixel);
            let plan = Plan::new(before, 8, 0, 48e3).unwrap();
            let pixels = (place(after) - place(before)) / f64::from(plan.fine.per_pixel);
            // By whole pixels only; the rest is in the shift.
            prop_assert!((pixels - pixels.round()).abs() < 1e-3, "{pixels}");
            prop_assert!((0.0..=1.0).contains(&plan.shift));
            prop_assert!((0.0..=1.0).contains(&plan.fade));
        }
    }
}
