//! Signal processing that the analyses share: short-time spectra, running means, order statistics, peaks.

use crate::control::{Cancelled, Control};
use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

/// Frames between two looks at the cancel flag: about 2 ms of work.
const FRAMES_PER_CHECK: usize = 256;

/// A short-time Fourier transform with a periodic Hann window.
#[derive(Clone)]
pub struct Stft {
    hop: usize,
    window: Vec<f32>,
    fft: Arc<dyn RealToComplex<f32>>,
}

impl fmt::Debug for Stft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stft")
            .field("size", &self.window.len())
            .field("hop", &self.hop)
            .finish_non_exhaustive()
    }
}

impl Stft {
    /// `size` samples a frame, at least 2; a new frame every `hop` samples, at least 1.
    pub fn new(size: usize, hop: usize) -> Self {
        let size = size.max(2);
        let hann = |i| 0.5 - 0.5 * (TAU * i as f64 / size as f64).cos();
        Self {
            hop: hop.max(1),
            window: (0..size).map(|i| hann(i) as f32).collect(),
            fft: RealFftPlanner::new().plan_fft_forward(size),
        }
    }

    /// Bins in one spectrum: bin `k` lies at `k * rate / size` Hz.
    pub fn bins(&self) -> usize {
        self.window.len() / 2 + 1
    }

    /// How many frames `samples` samples give: one is centred on every `hop`-th sample.
    pub fn frames(&self, samples: usize) -> usize {
        samples.div_ceil(self.hop)
    }

    /// Shows `visit` the magnitude spectrum of each frame in turn. Frame `i` is centred on sample
    /// `i * hop`; beyond both ends there is silence.
    pub fn magnitudes(
        &self,
        samples: &[f32],
        control: &Control,
        mut visit: impl FnMut(usize, &[f32]),
    ) -> Result<(), Cancelled> {
        let size = self.window.len();
        let mut frame = vec![0.0_f32; size];
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut magnitudes = vec![0.0_f32; spectrum.len()];
        for index in 0..self.frames(samples.len()) {
            if index % FRAMES_PER_CHECK == 0 {
                control.check()?;
            }
            self.cut(samples, index, &mut frame);
            let done = self
                .fft
                .process_with_scratch(&mut frame, &mut spectrum, &mut scratch);
            if done.is_err() {
                spectrum.fill(Complex32::default()); // lengths come from the plan: not reached
            }
            for (magnitude, bin) in magnitudes.iter_mut().zip(&spectrum) {
                *magnitude = (bin.re * bin.re + bin.im * bin.im).sqrt();
            }
            visit(index, &magnitudes);
        }
        Ok(())
    }

    /// The windowed samples around `index * hop`.
    fn cut(&self, samples: &[f32], index: usize, frame: &mut [f32]) {
        let half = self.window.len() / 2;
        let centre = index * self.hop;
        let start = centre.saturating_sub(half);
        let lead = half.saturating_sub(centre);
        let end = (centre + half).min(samples.len());
        let inside = samples.get(start..end).unwrap_or_default();
        frame.fill(0.0);
        let slots = frame.iter_mut().zip(&self.window).skip(lead);
        for ((slot, weight), sample) in slots.zip(inside) {
            *slot = sample * weight;
        }
    }
}

/// Mean over `width` values around each; at the ends, over those that exist.
pub fn running_mean(values: &[f32], width: usize) -> Vec<f32> {
    let sums = prefix_sums(values);
    let radius = width / 2;
    (0..values.len())
        .map(|i| {
            let (from, to) = (i.saturating_sub(radius), (i + radius + 1).min(values.len()));
            ((sums[to] - sums[from]) / (to - from) as f64) as f32
        })
        .collect()
}

/// Largest of the values at most `radius` away from each.
pub fn running_max(values: &[f32], radius: usize) -> Vec<f32> {
    (0..values.len())
        .map(|i| {
            let (from, to) = (i.saturating_sub(radius), (i + radius + 1).min(values.len()));
            values[from..to].iter().copied().fold(f32::MIN, f32::max)
        })
        .collect()
}

/// `sums[i]` is the sum of the first `i` values.
pub fn prefix_sums(values: &[f32]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push(0.0);
    for &value in values {
        sum += f64::from(value);
        sums.push(sum);
    }
    sums
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Root of the mean square.
pub fn rms(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    (sum / values.len().max(1) as f64).sqrt() as f32
}

/// The value that a share `q` (0 to 1) of the values stay below; 0 for none.
pub fn quantile(values: &[f32], q: f64) -> f32 {
    let mut copy = values.to_vec();
    let rank = (q * copy.len().saturating_sub(1) as f64).round() as usize;
    if rank >= copy.len() {
        return 0.0;
    }
    *copy.select_nth_unstable_by(rank, f32::total_cmp).1
}

/// The middle value; the mean of the two middle ones of an even number; 0 for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// Value between samples by straight lines; the end values beyond the ends, 0 for no values.
pub fn interpolate(values: &[f32], position: f64) -> f32 {
    let Some(&last) = values.last() else {
        return 0.0;
    };
    let floor = position.max(0.0).floor();
    let index = floor as usize;
    match (values.get(index), values.get(index + 1)) {
        (Some(a), Some(b)) => a + (b - a) * (position.max(0.0) - floor) as f32,
        _ => last,
    }
}

/// Unbiased autocorrelation of the mean-free values for lags `0..lags`, 1 at lag 0.
/// Wiener-Khinchin: the inverse transform of the power spectrum.
pub fn autocorrelation(values: &[f32], lags: usize) -> Vec<f32> {
    let count = values.len();
    let lags_known = lags.min(count);
    let mut planner = RealFftPlanner::<f32>::new();
    let size = (2 * count).next_power_of_two().max(2);
    let (forward, inverse) = (
        planner.plan_fft_forward(size),
        planner.plan_fft_inverse(size),
    );
    let average = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count.max(1) as f64;
    let mut signal = vec![0.0_f32; size];
    for (slot, value) in signal.iter_mut().zip(values) {
        *slot = value - average as f32;
    }
    let mut spectrum = forward.make_output_vec();
    let mut correlated = vec![0.0; lags];
    if forward.process(&mut signal, &mut spectrum).is_err() {
        return correlated;
    }
    for bin in &mut spectrum {
        *bin = Complex32::new(bin.norm_sqr(), 0.0);
    }
    if inverse.process(&mut spectrum, &mut signal).is_err() || signal[0] <= 0.0 {
        return correlated;
    }
    for (lag, out) in correlated.iter_mut().enumerate().take(lags_known) {
        *out = signal[lag] / signal[0] * count as f32 / (count - lag) as f32;
    }
    correlated
}

/// Indices larger than both neighbours and than everything less than `distance` away that is a
/// larger peak; ascending.
pub fn peaks(values: &[f32], distance: usize) -> Vec<usize> {
    let mut found: Vec<usize> = (1..values.len().saturating_sub(1))
        .filter(|&i| values[i] > values[i - 1] && values[i] >= values[i + 1])
        .collect();
    found.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let mut blocked = vec![false; values.len()];
    found.retain(|&i| {
        if blocked[i] {
            return false;
        }
        let from = (i + 1).saturating_sub(distance);
        let to = (i + distance).min(blocked.len());
        blocked[from..to].fill(true);
        true
    });
    found.sort_unstable();
    found
}

/// Where the parabola through a peak and its neighbours culminates, as a fractional index.
pub fn refine_peak(values: &[f32], index: usize) -> f64 {
    let three = index
        .checked_sub(1)
        .and_then(|from| values.get(from..index + 2));
    if let Some(&[a, b, c]) = three {
        let curvature = f64::from(a) - 2.0 * f64::from(b) + f64::from(c);
        if curvature < 0.0 {
            return index as f64 + 0.5 * f64::from(a - c) / curvature;
        }
    }
    index as f64
}

/// The values of a window in ascending order, `CAPACITY` at most. Windows are so short that moving half of them
/// beats any tree or heap.
#[derive(Clone, Debug)]
pub struct RunningMedian<const CAPACITY: usize> {
    sorted: [f32; CAPACITY],
    len: usize,
}

impl<const CAPACITY: usize> Default for RunningMedian<CAPACITY> {
    fn default() -> Self {
        Self {
            sorted: [f32::INFINITY; CAPACITY],
            len: 0,
        }
    }
}

impl<const CAPACITY: usize> RunningMedian<CAPACITY> {
    /// What does not fit any more is left out.
    pub fn insert(&mut self, value: f32) {
        if self.len == CAPACITY {
            return;
        }
        let place = self.rank(value);
        self.sorted.copy_within(place..self.len, place + 1);
        self.sorted[place] = value;
        self.len += 1;
    }

    /// `value` must have been inserted before.
    pub fn remove(&mut self, value: f32) {
        let place = self.rank(value);
        if place < self.len {
            self.sorted.copy_within(place + 1..self.len, place);
            self.len -= 1;
            self.sorted[self.len] = f32::INFINITY;
        }
    }

    /// How many values are smaller. Counting all is branchless and runs in vector registers.
    fn rank(&self, value: f32) -> usize {
        self.sorted
            .iter()
            .map(|&held| usize::from(held < value))
            .sum()
    }

    /// The value that this share of all, 0 to 1, lies below; 0 when empty.
    pub fn quantile(&self, share: f32) -> f32 {
        let last = self.len.saturating_sub(1);
        let place = (share * last as f32).round() as usize;
        if self.len == 0 {
            0.0
        } else {
            self.sorted[place.min(last)]
        }
    }

    /// The upper one of the middle two when the count is even; 0 when empty.
    pub fn median(&self) -> f32 {
        if self.len == 0 {
            0.0
        } else {
            self.sorted[self.len / 2]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_peaks_in_its_own_bin() {
        let stft = Stft::new(2048, 441);
        let hz = 100.0 * 44_100.0 / 2048.0;
        let sine: Vec<f32> = (0..44_100)
            .map(|i| (TAU * hz * f64::from(i) / 44_100.0).sin() as f32)
            .collect();
        let mut count = 0;
        stft.magnitudes(&sine, &Control::default(), |index, spectrum| {
            count += 1;
            if (5..90).contains(&index) {
                let loudest = (0..spectrum.len())
                    .max_by(|&a, &b| spectrum[a].total_cmp(&spectrum[b]))
                    .unwrap();
                assert_eq!(loudest, 100);
                assert!((spectrum[100] - 512.0).abs() < 1.0, "{}", spectrum[100]);
            }
        })
        .unwrap();
        assert_eq!(count, stft.frames(sine.len()));
    }

    #[test]
    fn a_frame_is_centred_on_its_hop() {
        let stft = Stft::new(64, 16);
        let mut click = vec![0.0; 400];
        click[160] = 1.0;
        let mut energy = Vec::new();
        stft.magnitudes(&click, &Control::default(), |_, spectrum| {
            energy.push(spectrum.iter().sum::<f32>());
        })
        .unwrap();
        let loudest = (0..energy.len())
            .max_by(|&a, &b| energy[a].total_cmp(&energy[b]))
            .unwrap();
        assert_eq!(loudest, 10);
    }

    #[test]
    fn short_input_is_no_trouble() {
        let stft = Stft::new(2048, 441);
        for length in [0, 1, 440, 441, 442, 1024, 3000] {
            let mut count = 0;
            stft.magnitudes(&vec![0.5; length], &Control::default(), |_, _| count += 1)
                .unwrap();
            assert_eq!(count, stft.frames(length), "{length}");
        }
        assert!(autocorrelation(&[], 3).iter().all(|&v| v == 0.0));
        assert!(peaks(&[], 3).is_empty());
        assert_eq!(quantile(&[], 0.5), 0.0);
        assert_eq!(interpolate(&[], 1.0), 0.0);
    }

    #[test]
    fn a_cancelled_transform_stops() {
        let control = Control::default();
        control.cancel();
        let stopped = Stft::new(64, 16).magnitudes(&[0.0; 999], &control, |_, _| {});
        assert_eq!(stopped, Err(Cancelled));
    }

    #[test]
    fn autocorrelation_of_a_period_is_one_at_the_period() {
        let train: Vec<f32> = (0..1000)
            .map(|i| if i % 25 == 0 { 1.0 } else { 0.0 })
            .collect();
        let correlated = autocorrelation(&train, 60);
        assert!((correlated[0] - 1.0).abs() < 1e-3);
        assert!((correlated[25] - 1.0).abs() < 0.05, "{}", correlated[25]);
        assert!(correlated[12].abs() < 0.1);
    }

    #[test]
    fn peaks_keep_their_distance() {
        let values = [0.0, 1.0, 0.0, 3.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        assert_eq!(peaks(&values, 1), [1, 3, 5, 9]);
        assert_eq!(peaks(&values, 3), [3, 9]);
        assert_eq!(refine_peak(&[0.0, 1.0, 1.0, 0.0], 1), 1.5);
    }

    #[test]
    fn running_statistics_shrink_at_the_ends() {
        assert_eq!(running_mean(&[1.0, 2.0, 3.0], 3), [1.5, 2.0, 2.5]);
        assert_eq!(running_max(&[1.0, 2.0, 0.0], 1), [2.0, 2.0, 2.0]);
        assert_eq!(median(&[3.0, 1.0]), 2.0);
        assert_eq!(quantile(&[5.0, 1.0, 3.0], 0.5), 3.0);
        assert_eq!(interpolate(&[1.0, 3.0], 0.5), 2.0);
    }
}
