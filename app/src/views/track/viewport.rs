//! What part of a track is in view: zoom and scroll as arithmetic.

/// The limits of looking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    /// Seconds of the track.
    pub duration: f64,
    /// Points across.
    pub width: f32,
    /// Samples a second.
    pub rate: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duration: 1.0,
            width: 1.0,
            rate: 44_100.0,
        }
    }
}

/// One sample at most this many points wide.
const POINTS_PER_SAMPLE: f64 = 24.0;

impl Limits {
    /// Seconds in a point at which the whole track is seen.
    pub(super) fn whole(&self) -> f64 {
        let width = f64::from(self.width.max(1.0));
        let duration = if self.duration.is_finite() {
            self.duration.max(0.01)
        } else {
            1.0
        };
        duration / width
    }

    /// Seconds in a point at which nothing is gained by looking closer.
    pub(super) fn closest(&self) -> f64 {
        let closest = 1.0 / (self.rate.max(1.0) * POINTS_PER_SAMPLE);
        closest.min(self.whole())
    }
}

/// Time on the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::views) struct Viewport {
    /// Seconds at the left edge, and in one point.
    pub start: f64,
    pub per_point: f64,
}

impl Viewport {
    /// The whole track.
    pub(super) fn whole(limits: &Limits) -> Self {
        Self {
            start: 0.0,
            per_point: limits.whole(),
        }
    }

    /// The nearest view within the limits.
    #[must_use]
    pub(super) fn within(self, limits: &Limits) -> Self {
        let per_point = if self.per_point.is_finite() && self.per_point > 0.0 {
            self.per_point.clamp(limits.closest(), limits.whole())
        } else {
            limits.whole()
        };
        let span = per_point * f64::from(limits.width.max(1.0));
        let last = (limits.whole() * f64::from(limits.width.max(1.0)) - span).max(0.0);
        let start = if self.start.is_finite() {
            self.start.clamp(0.0, last)
        } else {
            0.0
        };
        Self { start, per_point }
    }

    /// The time at `x` points from the left edge.
    pub(in crate::views) fn time(&self, x: f32) -> f64 {
        self.start + f64::from(x) * self.per_point
    }

    /// Points from the left edge.
    pub(in crate::views) fn x(&self, at: f64) -> f32 {
        ((at - self.start) / self.per_point) as f32
    }

    /// Closer by `factor`; what is at `x` stays there as far as the limits let it.
    #[must_use]
    pub(super) fn zoomed(self, factor: f64, x: f32, limits: &Limits) -> Self {
        if !(factor.is_finite() && factor > 0.0) {
            return self;
        }
        let anchor = self.time(x);
        let per_point = (self.per_point / factor).clamp(limits.closest(), limits.whole());
        Self {
            start: anchor - f64::from(x) * per_point,
            per_point,
        }
        .within(limits)
    }

    /// What lies `points` to the right comes to the left edge.
    #[must_use]
    pub(super) fn panned(self, points: f32, limits: &Limits) -> Self {
        Self {
            start: self.time(points),
            ..self
        }
        .within(limits)
    }

    /// `at` in the middle.
    #[must_use]
    pub(super) fn centred(self, at: f64, limits: &Limits) -> Self {
        Self {
            start: at - f64::from(limits.width) / 2.0 * self.per_point,
            ..self
        }
        .within(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn limits()(duration in 0.01..11_000.0_f64, width in 1.0..8000.0_f32, rate in 8_000.0..192_000.0_f64)
            -> Limits {
            Limits { duration, width, rate }
        }
    }

    proptest! {
        #[test]
        fn zooming_keeps_the_time_under_the_pointer(
            limits in limits(), place in 0.0..1.0_f64, zoom in 0.0..1.0_f64, x in 0.0..1.0_f32, factor in 0.1..10.0_f64,
        ) {
            let per_point = limits.closest() * (limits.whole() / limits.closest()).powf(zoom);
            let view = Viewport { start: place * limits.duration, per_point }.within(&limits);
            let x = x * limits.width;
            let zoomed = view.zoomed(factor, x, &limits);
            let held = (zoomed.time(x) - view.time(x)).abs() <= 1e-3 * zoomed.per_point + 1e-9;
            let end = zoomed.time(limits.width);
            // Only the ends of the track are stronger than the pointer.
            let at_an_end = zoomed.start <= 0.0 || end >= limits.duration.max(0.01) - 1e-6;
            prop_assert!(held || at_an_end, "{view:?} {zoomed:?}");
        }

        #[test]
        fn no_view_leaves_the_track(
            limits in limits(), start in any::<f64>(), per_point in any::<f64>(), points in any::<f32>(), factor in any::<f64>(),
        ) {
            let view = Viewport { start, per_point };
            for view in [
                view.within(&limits),
                view.within(&limits).panned(points, &limits),
                view.within(&limits).zoomed(factor, 0.5 * limits.width, &limits),
                view.within(&limits).centred(start, &limits),
            ] {
                prop_assert!(view.start >= 0.0, "{view:?}");
                let end = view.time(limits.width);
                prop_assert!(end <= limits.duration.max(0.01) * (1.0 + 1e-6) + 1e-6, "{view:?} {end}");
                prop_assert!(view.per_point >= limits.closest() && view.per_point <= limits.whole());
            }
        }

        #[test]
        fn zooming_in_and_out_again_comes_back(limits in limits(), place in 0.2..0.8_f64) {
            let start = Viewport { start: 0.0, per_point: limits.whole() / 4.0 }
                .centred(place * limits.duration, &limits);
            let middle = limits.width / 2.0;
            let back = start.zoomed(2.0, middle, &limits).zoomed(0.5, middle, &limits);
            let closest = limits.closest() > limits.whole() / 8.0;
            prop_assert!(closest || (back.start - start.start).abs() < 1e-6 * limits.duration.max(1.0));
        }
    }

    #[test]
    fn a_track_without_length_or_a_window_without_width_is_no_trouble() {
        for duration in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            for width in [0.0, -5.0, 1.0, 1e6] {
                let limits = Limits {
                    duration,
                    width,
                    rate: 48e3,
                };
                let view = Viewport::whole(&limits).zoomed(4.0, 0.0, &limits);
                assert!(view.start.is_finite() && view.per_point > 0.0, "{limits:?}");
            }
        }
    }
}
