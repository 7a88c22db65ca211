//! Columns of a waveform as columns of pixels.

use super::canvas::{Canvas, Rect};
use super::palette::{BEAT, REGIONS, Rgb};
use crate::waveform::{COLUMNS_PER_SECOND, Column, LEVEL_STEP, Waveform};

/// A pixel that covers more columns than this is averaged over columns of a coarser level.
const MOST_COLUMNS_PER_PIXEL: f64 = 16.0;

/// What is drawn where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strip {
    pub area: Rect,
    /// Seconds at the left and right edge.
    pub from: f64,
    pub to: f64,
    /// What levels are multiplied with; those above full scale are cut off.
    pub gain: f32,
    pub alpha: f32,
}

/// The gain at which a track nearly fills a strip: its loudest moments, but for the few that stand out.
/// Quiet recordings are raised by 18 dB at most, so that noise stays noise.
pub(super) fn filling_gain(waveform: &Waveform) -> f32 {
    let coarsest = waveform.levels.last().map_or(&[][..], Vec::as_slice);
    let mut peaks: Vec<f32> = coarsest
        .iter()
        .map(|column| Shape::of(*column).peak())
        .collect();
    peaks.sort_by(f32::total_cmp);
    let loud = peaks.get(peaks.len() * 9 / 10).copied().unwrap_or(0.0);
    let loudest = peaks.last().copied().unwrap_or(0.0);
    if loudest <= 0.0 {
        return 1.0;
    }
    (0.94 / loud.max(0.6 * loudest)).min(8.0)
}

/// Height of a level, both 0 to 1. A little steeper at the foot than linear: soft passages stay visible
/// beside loud ones.
fn height(level: f32) -> f32 {
    level.powf(0.8)
}

/// Weak highs (0 to 1) weaker still, so that white stands for transients and not for every cymbal's tail.
fn crushed(level: f32) -> f32 {
    0.5 - 0.5 * (std::f32::consts::PI * (level * 1.3).min(1.0)).cos()
}

/// Draws the part of `waveform` that `strip` shows.
pub(super) fn draw(canvas: &mut Canvas, waveform: &Waveform, strip: Strip) {
    let area = strip.area;
    let columns = area.w.round().max(0.0) as usize;
    let half = (area.h / 2.0).floor().max(0.0) as usize;
    if columns == 0 || half == 0 {
        return;
    }
    let left = area.x.round() as i32;
    let centre = (area.y + area.h / 2.0).floor() as i32;
    // Silence is a line, not a hole.
    let thin = (area.h / 200.0).clamp(1.0, 2.0).round();
    let line = Rect::new(area.x, centre as f32 - (thin / 2.0).floor(), area.w, thin);
    canvas.fill(line, BEAT, 0.14 * strip.alpha);
    let reach = Reach::new(waveform, strip, columns);
    let mut upper = Heights::new(half);
    let mut lower = Heights::new(half);
    for x in 0..columns {
        upper.clear();
        lower.clear();
        let mut sound = false;
        reach.for_each_in(x, |shape, weight| {
            sound |= shape.up > 0.0 || shape.down > 0.0;
            let weight = weight * strip.alpha;
            let shape = shape.raised(strip.gain);
            upper.add(&shape, shape.up, half as f32, weight);
            lower.add(&shape, shape.down, half as f32, weight);
        });
        let at = left + x as i32;
        if sound {
            upper.paint(|row, rgb, alpha| canvas.blend(at, centre - 1 - row, rgb, alpha));
            lower.paint(|row, rgb, alpha| canvas.blend(at, centre + row, rgb, alpha));
        }
    }
}

/// What sounds in one column, all heights 0 to 1 of full scale.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    up: f32,
    down: f32,
    rms: f32,
    bands: [f32; 3],
}

impl Shape {
    fn of(column: Column) -> Self {
        let level = |companded: u8| (f32::from(companded) / 255.0).powi(2);
        Self {
            up: (f32::from(column.max) / 127.0).max(0.0),
            down: (f32::from(column.min) / -127.0).max(0.0),
            rms: level(column.rms),
            bands: [level(column.low), level(column.mid), level(column.high)],
        }
    }

    fn peak(self) -> f32 {
        self.up.max(self.down)
    }

    /// Levels to heights.
    fn raised(self, gain: f32) -> Self {
        let raise = |level: f32| height((level * gain).min(1.0));
        let [low, mid, high] = self.bands;
        Self {
            up: raise(self.up),
            down: raise(self.down),
            rms: raise(self.rms),
            bands: [raise(low), raise(mid), height(crushed(high * gain))],
        }
    }

    fn between(self, next: Self, share: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * share;
        let [low, mid, high] = self.bands;
        let [next_low, next_mid, next_high] = next.bands;
        Self {
            up: mix(self.up, next.up),
            down: mix(self.down, next.down),
            rms: mix(self.rms, next.rms),
            bands: [mix(low, next_low), mix(mid, next_mid), mix(high, next_high)],
        }
    }
}

/// Finds the columns under each pixel.
struct Reach<'a> {
    columns: &'a [Column],
    /// Columns of the chosen level at the left edge, and per pixel.
    start: f64,
    per_pixel: f64,
}

impl<'a> Reach<'a> {
    fn new(waveform: &'a Waveform, strip: Strip, pixels: usize) -> Self {
        let rate = f64::from(COLUMNS_PER_SECOND);
        let mut start = strip.from * rate;
        let mut per_pixel = (strip.to - strip.from) * rate / pixels as f64;
        let mut levels = waveform.levels.iter();
        let mut columns = levels.next().map_or(&[][..], Vec::as_slice);
        for level in levels {
            if per_pixel <= MOST_COLUMNS_PER_PIXEL {
                break;
            }
            columns = level;
            start /= LEVEL_STEP as f64;
            per_pixel /= LEVEL_STEP as f64;
        }
        Self {
            columns,
            start,
            per_pixel,
        }
    }

    /// Each shape under pixel `x` with its share of the pixel. Between two columns: a blend of both.
    fn for_each_in(&self, x: usize, mut take: impl FnMut(Shape, f32)) {
        let begin = self.start + x as f64 * self.per_pixel;
        let end = begin + self.per_pixel;
        let shape = |index: i64| {
            let column = usize::try_from(index)
                .ok()
                .and_then(|index| self.columns.get(index));
            column.map_or_else(Shape::default, |column| Shape::of(*column))
        };
        if self.per_pixel <= 1.0 {
            let middle = f64::midpoint(begin, end) - 0.5;
            let before = middle.floor();
            let index = before as i64;
            let blend = shape(index).between(shape(index + 1), (middle - before) as f32);
            take(blend, 1.0);
            return;
        }
        let first = (begin.floor().max(0.0)) as usize;
        let last = (end.ceil().max(0.0) as usize).min(self.columns.len());
        let under = self.columns.get(first..last).unwrap_or_default();
        for (index, column) in under.iter().enumerate() {
            let at = (first + index) as f64;
            let overlap = (at + 1.0).min(end) - at.max(begin);
            take(Shape::of(*column), (overlap / self.per_pixel) as f32);
        }
    }
}

/// The colour of each row of half a pixel column, as steps from row to row: adding a stretch of any length
/// costs the same, and its ends may lie within a row.
struct Heights {
    steps: Vec<[f32; 4]>,
    used: usize,
}

impl Heights {
    fn new(half: usize) -> Self {
        Self {
            steps: vec![[0.0; 4]; half + 2],
            used: 0,
        }
    }

    fn clear(&mut self) {
        for step in self.steps.iter_mut().take(self.used + 2) {
            *step = [0.0; 4];
        }
        self.used = 0;
    }

    /// Adds one shape: the bands tallest first, each stretch in the colour of all that sound there, the
    /// peaks beyond them dim, and everything beyond the RMS level dimmer than within.
    fn add(&mut self, shape: &Shape, envelope: f32, tallest: f32, weight: f32) {
        let peak = shape.peak();
        if peak <= 0.0 {
            return;
        }
        // The bands know no sign; the envelope does.
        let [low, mid, high] = shape.bands.map(|band| band.min(peak));
        let mut bands = [(low, 1_usize), (mid, 2), (high, 4)];
        bands.sort_by(|a, b| a.0.total_cmp(&b.0));
        let [(small, _), (middle, middle_bit), (tall, tall_bit)] = bands;
        let rms = shape.rms * 1.3;
        let mut from = 0.0;
        for (to, region) in [
            (small, 7),
            (middle, middle_bit | tall_bit),
            (tall, tall_bit),
            (envelope, 0),
        ] {
            let body = to.min(rms);
            self.stretch(
                from * tallest,
                body * tallest,
                paint_of(region, true),
                weight,
            );
            let start = from.max(rms);
            self.stretch(
                start * tallest,
                to * tallest,
                paint_of(region, false),
                weight,
            );
            from = from.max(to);
        }
    }

    fn stretch(&mut self, from: f32, to: f32, (rgb, alpha): (Rgb, f32), weight: f32) {
        if to <= from {
            return;
        }
        let alpha = alpha * weight;
        let [r, g, b] = rgb.0;
        let colour = [r * alpha, g * alpha, b * alpha, alpha];
        self.step(from, colour, 1.0);
        self.step(to, colour, -1.0);
    }

    fn step(&mut self, at: f32, colour: [f32; 4], sign: f32) {
        let rows = self.steps.len() - 2;
        let at = at.clamp(0.0, rows as f32);
        let row = at.floor();
        let within = at - row;
        let row = row as usize;
        self.used = self.used.max(row);
        for (offset, share) in [(0, 1.0 - within), (1, within)] {
            if let Some(step) = self.steps.get_mut(row + offset) {
                for (channel, value) in step.iter_mut().zip(colour) {
                    *channel += value * share * sign;
                }
            }
        }
    }

    fn paint(&self, mut paint: impl FnMut(i32, [f32; 3], f32)) {
        let mut sum = [0.0_f32; 4];
        let rows = self.steps.len() - 2;
        for (row, step) in self.steps.iter().take(rows.min(self.used + 1)).enumerate() {
            for (channel, value) in sum.iter_mut().zip(step) {
                *channel += value;
            }
            let [r, g, b, alpha] = sum.map(|channel| channel.max(0.0));
            if alpha > 0.002 {
                paint(row as i32, [r, g, b], alpha.min(1.0));
            }
        }
    }
}

/// Colour and opacity of a region, within the RMS level or beyond it.
fn paint_of(region: usize, within_rms: bool) -> (Rgb, f32) {
    let rgb = REGIONS.get(region).copied().unwrap_or(BEAT);
    match (region, within_rms) {
        (0, _) => (rgb, 0.38),
        (_, true) => (rgb.mix(BEAT, 0.1), 1.0),
        (_, false) => (rgb, 0.82),
    }
}
