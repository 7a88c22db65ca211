//! The shader's arithmetic on the processor: for windows without a graphics card, and for tests.

use super::plan::{Plan, Reach};
use crate::widgets::shape::Shape;
use tonearm_core::waveform::Column;

/// As many as the shader looks at for one pixel.
const MOST_COLUMNS: i64 = 1024;

/// How far beyond a pixel its extremes are looked for, as a share of its width.
const SOFT: f32 = 0.5;

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
///
/// A column counts in full for the pixel that its middle lies in, and less and less for the next one: what
/// comes into a pixel while zooming comes little by little.
fn reduced(columns: &[Column], reach: &Reach, pixel: u32) -> Shape {
    let width = reach.per_pixel.max(1.0);
    let begin = reach.rest + (pixel as f32 + 0.5) * reach.per_pixel - 0.5 * width;
    let end = begin + width;
    let soft = SOFT * width;
    let first = (begin - soft).floor() as i64;
    let last = ((end + soft).ceil() as i64).min(first + MOST_COLUMNS);
    let mut mean = Shape::default();
    let (mut up, mut down) = (0.0_f32, 0.0_f32);
    for index in first..last {
        let column = usize::try_from(i64::from(reach.base) + index)
            .ok()
            .and_then(|index| columns.get(index));
        let Some(column) = column else { continue };
        let found = Shape::of(*column);
        let left = index as f32;
        let weight = ((left + 1.0).min(end) - left.max(begin)).max(0.0) / width;
        mean.up += found.up * weight;
        mean.down += found.down * weight;
        mean.rms += found.rms * found.rms * weight;
        for (sum, band) in mean.bands.iter_mut().zip(found.bands) {
            *sum += band * weight;
        }
        let outside = (begin - left - 0.5).max(left + 0.5 - end).max(0.0);
        let near = (1.0 - outside / soft).max(0.0);
        up = up.max(found.up * near);
        down = down.max(found.down * near);
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

    /// Swells, kicks and noise: all that may come into a pixel.
    fn waveform() -> Waveform {
        let swell = |index: u32, columns: f32, from: f32, by: f32| {
            from + by * (std::f32::consts::TAU * index as f32 / columns).sin()
        };
        let columns = (0..90_000_u32).map(|index| {
            let kick = (-((index % 150) as f32) / 20.0).exp();
            let noise = (index.wrapping_mul(2_654_435_761) >> 24) as f32 / 255.0;
            let loud = (0.25 + 0.6 * kick + 0.15 * noise).min(1.0);
            Column {
                min: -(swell(index, 700.0, 80.0, 45.0) * loud) as i8,
                max: (swell(index, 1100.0, 75.0, 50.0) * loud) as i8,
                rms: (60.0 + 150.0 * kick) as u8,
                low: (250.0 * kick) as u8,
                mid: swell(index, 30_000.0, 150.0, 50.0) as u8,
                high: (40.0 + 150.0 * noise) as u8,
            }
        });
        let rate = SampleRate::new(48_000).unwrap();
        Waveform::from_columns(rate, 90_000 * 160, columns.collect())
    }

    fn shapes(start: f64, per_pixel: f64) -> Vec<Shape> {
        let view = View {
            start,
            per_pixel,
            pixels: 200,
            anchor: 0.0,
        };
        let waveform = waveform();
        (0..200).map(|pixel| seen(&waveform, view, pixel)).collect()
    }

    /// As the eye sees it: two pixels of the grid blended.
    fn seen(waveform: &Waveform, view: View, pixel: u32) -> Shape {
        let plan = Plan::new(view, waveform.levels.len(), 0, 48e3).unwrap();
        let [a, b] = [pixel, pixel + 1].map(|pixel| shape(&waveform.levels, &plan, pixel));
        let mix = |a: f32, b: f32| a + (b - a) * plan.shift;
        Shape {
            up: mix(a.up, b.up),
            down: mix(a.down, b.down),
            rms: mix(a.rms, b.rms),
            bands: std::array::from_fn(|band| mix(a.bands[band], b.bands[band])),
        }
    }

    #[test]
    fn heights_and_colours_change_little_from_one_zoom_to_the_next() {
        let waveform = waveform();
        for (still, x) in [(100.0, 0), (100.05, 57), (161.803, 199), (29.9, 120)] {
            let mut per_pixel = 1.0;
            let mut last: Option<(View, Shape)> = None;
            while per_pixel > 1e-5 {
                let view = View {
                    start: still - f64::from(x) * per_pixel,
                    per_pixel,
                    pixels: 200,
                    anchor: 0.0,
                };
                let view = last.map_or(view, |(before, _)| view.zoomed_from(before));
                let now = seen(&waveform, view, x);
                if let Some((_, last)) = last {
                    for (a, b) in [
                        (last.up, now.up),
                        (last.down, now.down),
                        (last.rms, now.rms),
                    ] {
                        assert!((a - b).abs() < 0.06, "{a} {b} at {per_pixel}, {still}");
                    }
                    for (a, b) in last.bands.into_iter().zip(now.bands) {
                        assert!((a - b).abs() < 0.04, "{a} {b} at {per_pixel}, {still}");
                    }
                }
                last = Some((view, now));
                per_pixel *= 0.98;
            }
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
                anchor: 0.0,
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
