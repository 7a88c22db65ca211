//! The shader's arithmetic on the processor: for windows without a graphics card, and for tests.

use super::plan::{Plan, Reach};
use crate::widgets::shape::Shape;
use tonearm_core::waveform::Column;

/// As many as the shader looks at for one pixel.
const MOST_COLUMNS: i64 = 1024;

/// What sounds under `pixel`, counted from the left edge of the view.
pub fn shape(levels: &[Vec<Column>], plan: &Plan, pixel: u32) -> Shape {
    let at = |reach: &Reach| {
        let columns = levels.get(reach.level).map_or(&[][..], Vec::as_slice);
        reduced(columns, reach, pixel)
    };
    let fine = at(&plan.fine);
    if plan.fade <= 0.0 {
        return levelled(fine);
    }
    let coarse = at(&plan.coarse);
    let mix = |a: f32, b: f32| a + (b - a) * plan.fade;
    let [low, mid, high] = fine.bands;
    let [coarse_low, coarse_mid, coarse_high] = coarse.bands;
    levelled(Shape {
        up: mix(fine.up, coarse.up),
        down: mix(fine.down, coarse.down),
        rms: mix(fine.rms, coarse.rms),
        bands: [
            mix(low, coarse_low),
            mix(mid, coarse_mid),
            mix(high, coarse_high),
        ],
    })
}

/// From the companded scale, on which levels are blended, to a level.
fn levelled(shape: Shape) -> Shape {
    Shape {
        rms: shape.rms * shape.rms,
        ..shape
    }
}

/// Bands and power as means, extremes as extremes; the power companded.
fn reduced(columns: &[Column], reach: &Reach, pixel: u32) -> Shape {
    let width = reach.per_pixel.max(1.0);
    let begin = reach.rest + (pixel as f32 + 0.5) * reach.per_pixel - 0.5 * width;
    let end = begin + width;
    let first = begin.floor() as i64;
    let last = (end.ceil() as i64).min(first + MOST_COLUMNS);
    let mut mean = Shape::default();
    let (mut up, mut down) = (0.0_f32, 0.0_f32);
    for index in first..last {
        let share = (index as f32 + 1.0).min(end) - (index as f32).max(begin);
        let column = usize::try_from(i64::from(reach.base) + index)
            .ok()
            .and_then(|index| columns.get(index));
        let Some(column) = column else { continue };
        let found = Shape::of(*column);
        let weight = share / width;
        mean.up += found.up * weight;
        mean.down += found.down * weight;
        mean.rms += found.rms * found.rms * weight;
        for (sum, band) in mean.bands.iter_mut().zip(found.bands) {
            *sum += band * weight;
        }
        let whole = (2.0 * share).min(1.0);
        up = up.max(found.up * whole);
        down = down.max(found.down * whole);
    }
    let sharp = (2.0 * reach.per_pixel - 1.0).clamp(0.0, 1.0);
    Shape {
        up: mean.up + (up - mean.up) * sharp,
        down: mean.down + (down - mean.down) * sharp,
        rms: mean.rms.max(0.0).sqrt().sqrt(),
        bands: mean.bands,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::plan::View;
    use tonearm_core::units::SampleRate;
    use tonearm_core::waveform::Waveform;

    fn waveform() -> Waveform {
        // Swells without steps: a step at the right edge of a pixel may well come into it at once.
        let swell = |index: u32, columns: f32, from: f32, by: f32| {
            from + by * (std::f32::consts::TAU * index as f32 / columns).sin()
        };
        let columns = (0..90_000_u32).map(|index| Column {
            min: -(swell(index, 700.0, 55.0, 45.0) as i8),
            max: swell(index, 1100.0, 70.0, 50.0) as i8,
            rms: 120,
            low: 200,
            mid: swell(index, 30_000.0, 150.0, 50.0) as u8,
            high: 60,
        });
        let rate = SampleRate::new(48_000).unwrap();
        Waveform::from_columns(rate, 90_000 * 160, columns.collect())
    }

    fn shapes(start: f64, per_pixel: f64) -> Vec<Shape> {
        let waveform = waveform();
        let view = View {
            start,
            per_pixel,
            pixels: 200,
        };
        let plan = Plan::new(view, waveform.levels.len(), 0, 48e3).unwrap();
        (0..200)
            .map(|pixel| shape(&waveform.levels, &plan, pixel))
            .collect()
    }

    #[test]
    fn heights_and_colours_change_little_from_one_zoom_to_the_next() {
        // From where a pixel holds less than one swell; further away one more column may hold another.
        let mut per_pixel = 0.2;
        let mut last: Option<Vec<Shape>> = None;
        while per_pixel > 1e-5 {
            let now = shapes(100.0, per_pixel);
            if let Some(last) = last {
                // At the left edge the same time stays under the pixel.
                let (a, b) = (last[0], now[0]);
                for (a, b) in [(a.up, b.up), (a.down, b.down), (a.rms, b.rms)] {
                    assert!((a - b).abs() < 0.12, "{a} {b} at {per_pixel}");
                }
                for (a, b) in a.bands.into_iter().zip(b.bands) {
                    assert!((a - b).abs() < 0.06, "{a} {b} at {per_pixel}");
                }
            }
            last = Some(now);
            per_pixel *= 0.98;
        }
    }

    #[test]
    fn a_transient_is_seen_at_its_full_height_from_afar() {
        let mut columns = vec![Column::default(); 30_000];
        columns[15_000] = Column {
            max: 127,
            min: -127,
            rms: 255,
            low: 255,
            mid: 255,
            high: 255,
        };
        let rate = SampleRate::new(48_000).unwrap();
        let waveform = Waveform::from_columns(rate, 30_000 * 160, columns);
        for per_pixel in [0.5, 0.1, 0.02, 0.004] {
            let view = View {
                start: 50.0 - 50.3 * per_pixel,
                per_pixel,
                pixels: 100,
            };
            let plan = Plan::new(view, waveform.levels.len(), 0, 48e3).unwrap();
            let tallest = (0..100)
                .map(|pixel| shape(&waveform.levels, &plan, pixel).up)
                .fold(0.0, f32::max);
            assert!(tallest > 0.99, "{tallest} at {per_pixel}");
        }
    }

    #[test]
    fn beyond_the_track_there_is_silence() {
        for shape in shapes(-500.0, 1.0).into_iter().chain(shapes(400.0, 1.0)) {
            assert_eq!(shape, Shape::default());
        }
    }
}
