//! The waveform, made while decoding: columns of level, loudness and three bands, 300 a second at any rate.
//!
//! Frame `f` belongs to column `⌊f · 300 / rate⌋`, so a time `t` is always in column `⌊300 t⌋`.

#![expect(
    clippy::inline_always,
    reason = "only code inlined into the dispatched function uses the wider instructions"
)]

use super::filter::{STEP, Splitter};
use crate::units::SampleRate;
use crate::waveform::{COLUMNS_PER_SECOND, Column, Waveform};
use std::sync::{Arc, Mutex, PoisonError};

/// Frames filtered at a time: four buffers of them stay in the first-level cache.
const BLOCK: usize = 1024;

/// Columns handed to a watcher at a time: half a second.
const PUBLISHED_AT_ONCE: usize = COLUMNS_PER_SECOND as usize / 2;

/// The columns of a waveform in the making, for whoever wants to draw them. Cloning gives another view.
#[derive(Debug, Clone, Default)]
pub struct LiveColumns(Arc<Mutex<Vec<Column>>>);

impl LiveColumns {
    /// Columns finished so far.
    pub fn len(&self) -> usize {
        self.read(<[Column]>::len)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks at the columns finished so far. Be brief: the analysis waits.
    pub fn read<T>(&self, look: impl FnOnce(&[Column]) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn append(&self, columns: &[Column]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(columns);
    }
}

/// Makes a waveform from mono samples as they come.
#[derive(Debug)]
pub struct Peaks {
    rate: SampleRate,
    engine: Box<Engine>,
    /// Samples in the engine's input that have not been looked at.
    filled: usize,
    watcher: Option<LiveColumns>,
    published: usize,
}

impl Peaks {
    pub fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            engine: Box::new(Engine::new(rate)),
            filled: 0,
            watcher: None,
            published: 0,
        }
    }

    /// Also hands finished columns to `watcher`, every half second of sound.
    #[must_use]
    pub fn watched_by(mut self, watcher: LiveColumns) -> Self {
        self.watcher = Some(watcher);
        self
    }

    /// The next samples of the mono mix.
    pub fn push(&mut self, mut mono: &[f32]) {
        while !mono.is_empty() {
            let room = BLOCK - self.filled;
            let (now, later) = mono.split_at(room.min(mono.len()));
            self.engine.input[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            mono = later;
            if self.filled == BLOCK {
                self.engine.run(BLOCK);
                self.filled = 0;
            }
        }
        self.publish(PUBLISHED_AT_ONCE);
    }

    /// Columns finished so far.
    pub fn columns(&self) -> &[Column] {
        &self.engine.columns
    }

    /// Completes the last column, and all coarser levels.
    pub fn finish(mut self) -> Waveform {
        let frames = self.engine.frames + self.filled as u64;
        if self.filled > 0 {
            self.engine.run(self.filled);
        }
        self.engine.complete_column();
        self.publish(1);
        Waveform::from_columns(self.rate, frames, std::mem::take(&mut self.engine.columns))
    }

    fn publish(&mut self, least: usize) {
        if let Some(watcher) = &self.watcher
            && self.engine.columns.len() >= self.published + least
        {
            watcher.append(&self.engine.columns[self.published..]);
            self.published = self.engine.columns.len();
        }
    }
}

/// What one column has seen so far, eight frames side by side.
#[derive(Debug, Clone, Copy)]
struct Tally {
    min: [f32; STEP],
    max: [f32; STEP],
    squares: [f32; STEP],
    bands: [[f32; STEP]; 3],
    frames: u32,
}

impl Tally {
    const EMPTY: Self = Self {
        min: [f32::MAX; STEP],
        max: [f32::MIN; STEP],
        squares: [0.0; STEP],
        bands: [[0.0; STEP]; 3],
        frames: 0,
    };

    #[inline(always)]
    fn add<const FUSED: bool>(&mut self, mono: &[f32], bands: [&[f32]; 3]) {
        let (steps, rest) = mono.as_chunks::<STEP>();
        for step in steps {
            self.add_mono::<FUSED>(step);
        }
        if let Some(&last) = rest.last() {
            // Padding by the last sample changes neither extreme; the squares are put right below.
            let mut step = [last; STEP];
            step[..rest.len()].copy_from_slice(rest);
            self.add_mono::<FUSED>(&step);
            self.squares[0] -= last * last * (STEP - rest.len()) as f32;
        }
        for (peaks, band) in self.bands.iter_mut().zip(bands) {
            let (steps, rest) = band.as_chunks::<STEP>();
            for step in steps {
                raise(peaks, step);
            }
            let mut step = [0.0; STEP];
            step[..rest.len()].copy_from_slice(rest);
            raise(peaks, &step);
        }
        self.frames += mono.len() as u32;
    }

    #[inline(always)]
    fn add_mono<const FUSED: bool>(&mut self, step: &[f32; STEP]) {
        for (lane, &sample) in step.iter().enumerate() {
            self.min[lane] = if sample < self.min[lane] {
                sample
            } else {
                self.min[lane]
            };
            self.max[lane] = if sample > self.max[lane] {
                sample
            } else {
                self.max[lane]
            };
            self.squares[lane] = if FUSED {
                sample.mul_add(sample, self.squares[lane])
            } else {
                sample * sample + self.squares[lane]
            };
        }
    }

    fn column(&self) -> Column {
        let highest = |lanes: &[f32; STEP]| lanes.iter().copied().fold(f32::MIN, f32::max);
        let lowest = self.min.iter().copied().fold(f32::MAX, f32::min);
        let squares = self.squares.iter().sum::<f32>().max(0.0);
        let rms = (squares / self.frames.max(1) as f32).sqrt();
        let [low, mid, high] = self.bands.map(|peaks| companded(highest(&peaks)));
        Column {
            min: signed(lowest),
            max: signed(highest(&self.max)),
            rms: companded(rms),
            low,
            mid,
            high,
        }
    }
}

#[inline(always)]
fn raise(peaks: &mut [f32; STEP], step: &[f32; STEP]) {
    for lane in 0..STEP {
        let level = step[lane].abs();
        peaks[lane] = if level > peaks[lane] {
            level
        } else {
            peaks[lane]
        };
    }
}

fn signed(sample: f32) -> i8 {
    (sample.clamp(-1.0, 1.0) * 127.0).round() as i8
}

fn companded(level: f32) -> u8 {
    (level.clamp(0.0, 1.0).sqrt() * 255.0).round() as u8
}

/// The working part, apart so that it can be run with whatever instructions the processor has.
#[derive(Debug)]
struct Engine {
    hz: u64,
    splitter: Splitter,
    input: [f32; BLOCK],
    bands: [[f32; BLOCK]; 3],
    /// Frames looked at.
    frames: u64,
    /// First frame of the next column.
    edge: u64,
    tally: Tally,
    columns: Vec<Column>,
    arch: pulp::Arch,
}

impl Engine {
    fn new(rate: SampleRate) -> Self {
        let mut engine = Self {
            hz: u64::from(rate.hz()),
            splitter: Splitter::new(rate.hz()),
            input: [0.0; BLOCK],
            bands: [[0.0; BLOCK]; 3],
            frames: 0,
            edge: 0,
            tally: Tally::EMPTY,
            columns: Vec::new(),
            arch: pulp::Arch::new(),
        };
        engine.edge = engine.column_end(0);
        engine
    }

    /// The first frame after column `index`.
    fn column_end(&self, index: usize) -> u64 {
        ((index as u64 + 1) * self.hz).div_ceil(u64::from(COLUMNS_PER_SECOND))
    }

    /// Takes in the first `count` samples of the input.
    fn run(&mut self, count: usize) {
        self.input[count..].fill(0.0);
        if matches!(self.arch, pulp::Arch::Scalar) {
            self.arch.dispatch(Run::<false>(self, count));
        } else {
            self.arch.dispatch(Run::<true>(self, count));
        }
    }

    #[inline(always)]
    fn run_with<const FUSED: bool>(&mut self, count: usize) {
        let [low, mid, high] = &mut self.bands;
        self.splitter.split::<FUSED>(&self.input, [low, mid, high]);
        let mut from = 0;
        while from < count {
            let left = usize::try_from(self.edge - self.frames).unwrap_or(usize::MAX);
            let to = count.min(from.saturating_add(left));
            let [low, mid, high] = &self.bands;
            self.tally.add::<FUSED>(
                &self.input[from..to],
                [&low[from..to], &mid[from..to], &high[from..to]],
            );
            self.frames += (to - from) as u64;
            from = to;
            if self.frames == self.edge {
                self.complete_column();
            }
        }
    }

    fn complete_column(&mut self) {
        if self.tally.frames > 0 {
            self.columns.push(self.tally.column());
            self.tally = Tally::EMPTY;
        }
        self.edge = self.column_end(self.columns.len());
    }
}

/// A run over one block, with or without fused multiply-add.
struct Run<'a, const FUSED: bool>(&'a mut Engine, usize);

impl<const FUSED: bool> pulp::WithSimd for Run<'_, FUSED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        self.0.run_with::<FUSED>(self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(hz: u32) -> SampleRate {
        SampleRate::new(hz).unwrap()
    }

    fn finest(hz: u32, mono: &[f32]) -> Vec<Column> {
        let mut peaks = Peaks::new(rate(hz));
        for piece in mono.chunks(1_152) {
            peaks.push(piece);
        }
        peaks.finish().levels.swap_remove(0)
    }

    fn noise(frames: usize) -> Vec<f32> {
        let mut seed = 7_u32;
        (0..frames)
            .map(|frame| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (seed >> 8) as f32 / 8_388_608.0 - 1.0;
                noise * 0.7 * (0.5 + 0.5 * (frame as f32 * 1e-3).sin())
            })
            .collect()
    }

    /// Two bilinear-transform sections in double precision, sample by sample.
    fn reference_band(mono: &[f32], hz: f64, sections: [(bool, f64, f64); 2]) -> Vec<f64> {
        let mut sound: Vec<f64> = mono.iter().map(|&sample| f64::from(sample)).collect();
        for (is_low, edge, quality) in sections {
            let angle = std::f64::consts::TAU * edge / hz;
            let (sine, cosine) = angle.sin_cos();
            let alpha = sine / (2.0 * quality);
            let outer = if is_low {
                (1.0 - cosine) / 2.0
            } else {
                f64::midpoint(1.0, cosine)
            };
            let inner = if is_low { 1.0 - cosine } else { -1.0 - cosine };
            let scale = 1.0 + alpha;
            let (b0, b1) = (outer / scale, inner / scale);
            let (a1, a2) = (-2.0 * cosine / scale, (1.0 - alpha) / scale);
            let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
            for sample in &mut sound {
                let x = *sample;
                let y = b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2;
                (x2, x1, y2, y1) = (x1, x, y1, y);
                *sample = y;
            }
        }
        sound
    }

    /// The plain way, one sample at a time.
    fn reference(hz: u32, mono: &[f32]) -> Vec<Column> {
        let wide = f64::from(hz);
        let (sharp, soft) = (1.306_562_964_876_377, 0.541_196_100_146_197);
        let flat = std::f64::consts::FRAC_1_SQRT_2;
        let bands = [
            reference_band(mono, wide, [(true, 200.0, sharp), (true, 200.0, soft)]),
            reference_band(mono, wide, [(false, 200.0, flat), (true, 2_500.0, flat)]),
            reference_band(
                mono,
                wide,
                [(false, 2_500.0, sharp), (false, 2_500.0, soft)],
            ),
        ];
        let count = (mono.len() as u64 * 300).div_ceil(u64::from(hz));
        let frame_column = |frame: usize| frame as u64 * 300 / u64::from(hz);
        (0..count)
            .map(|column| {
                let own: Vec<usize> = (0..mono.len())
                    .filter(|&frame| frame_column(frame) == column)
                    .collect();
                let peak = |band: &[f64]| {
                    own.iter()
                        .map(|&frame| band[frame].abs())
                        .fold(0.0, f64::max) as f32
                };
                let power = own
                    .iter()
                    .map(|&frame| mono[frame] * mono[frame])
                    .sum::<f32>();
                let samples = || own.iter().map(|&frame| mono[frame]);
                Column {
                    min: signed(samples().fold(f32::MAX, f32::min)),
                    max: signed(samples().fold(f32::MIN, f32::max)),
                    rms: companded((power / own.len() as f32).sqrt()),
                    low: companded(peak(&bands[0])),
                    mid: companded(peak(&bands[1])),
                    high: companded(peak(&bands[2])),
                }
            })
            .collect()
    }

    #[test]
    fn the_fast_way_gives_what_the_plain_way_gives() {
        for hz in [8_000, 44_100, 44_101, 48_000, 384_000] {
            let mono = noise(5_003);
            let (fast, plain) = (finest(hz, &mono), reference(hz, &mono));
            assert_eq!(fast.len(), plain.len(), "{hz} Hz");
            for (index, (fast, plain)) in fast.iter().zip(&plain).enumerate() {
                let near = |a: u8, b: u8| a.abs_diff(b) <= 1;
                let alike = fast.min == plain.min
                    && fast.max == plain.max
                    && near(fast.rms, plain.rms)
                    && near(fast.low, plain.low)
                    && near(fast.mid, plain.mid)
                    && near(fast.high, plain.high);
                assert!(alike, "{hz} Hz, column {index}: {fast:?} {plain:?}");
            }
        }
    }

    #[test]
    fn a_click_is_in_the_column_of_its_time() {
        for hz in [8_000_u32, 22_050, 44_100, 48_000, 96_000, 11_111] {
            for frame in [0_usize, 1, 146, 147, 3_000, 4_567] {
                let mut mono = vec![0.0; 5_000];
                mono[frame] = 1.0;
                let columns = finest(hz, &mono);
                let expected = frame * 300 / hz as usize;
                for (index, column) in columns.iter().enumerate() {
                    assert_eq!(
                        column.max == 127,
                        index == expected,
                        "{hz} Hz, frame {frame}"
                    );
                }
                let at = rate(hz).secs_from_frame(crate::units::Frame(frame as u64));
                assert_eq!(Waveform::column_at(0, at), expected);
            }
        }
    }

    #[test]
    fn bands_hold_what_sounds_in_them() {
        let tone = |hz: f32| -> Vec<f32> {
            (0..20_000)
                .map(|frame| (frame as f32 * std::f32::consts::TAU * hz / 44_100.0).sin())
                .collect()
        };
        for (hz, band) in [(50.0, 0), (700.0, 1), (8_000.0, 2)] {
            let columns = finest(44_100, &tone(hz));
            let column = columns[columns.len() / 2];
            let levels = [column.low, column.mid, column.high];
            for (index, level) in levels.into_iter().enumerate() {
                if index == band {
                    assert!(level > 235, "{hz} Hz: {levels:?}");
                } else {
                    assert!(level < 120, "{hz} Hz: {levels:?}");
                }
            }
        }
    }

    #[test]
    fn columns_can_be_watched_while_they_grow() {
        let live = LiveColumns::default();
        let mut peaks = Peaks::new(rate(44_100)).watched_by(live.clone());
        let mono = noise(44_100);
        peaks.push(&mono);
        assert!(live.len() >= 140);
        peaks.push(&mono[..10_000]);
        let done = peaks.finish();
        live.read(|columns| assert_eq!(columns, done.levels[0]));
    }

    #[test]
    fn blocks_of_any_size_give_the_same_picture() {
        let mono = noise(9_999);
        let whole = finest(44_100, &mono);
        for size in [1, 7, 1_024, 5_000] {
            let mut peaks = Peaks::new(rate(44_100));
            for piece in mono.chunks(size) {
                peaks.push(piece);
            }
            assert_eq!(peaks.finish().levels[0], whole, "{size}");
        }
    }
}
