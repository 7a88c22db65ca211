//! Removes percussion: a drum is a ridge across frequency, a note is a ridge along time.
//!
//! Fitzgerald 2010: each bin is compared with the median of its neighbours in time (what a note
//! leaves standing) and in frequency (what a drum leaves standing).

use super::log_spectrum::{BINS, LogSpectrum};
use crate::analysis::dsp::RunningMedian;
use crate::control::{Cancelled, Control};

/// Frames on either side: 17 frames are 0.8 s, longer than any drum rings.
const TIME_REACH: usize = 8;

/// Bins on either side: 13 bins are four semitones, wider than any partial.
const PITCH_REACH: usize = 6;

/// Room for the longer of the two windows while one value enters before another leaves.
const CAPACITY: usize = 2 * TIME_REACH + 2;

type Window = RunningMedian<CAPACITY>;

/// Weighs every bin by the share of harmonic power in it (a Wiener mask).
pub(super) fn remove(spectrum: &mut LogSpectrum, control: &Control) -> Result<(), Cancelled> {
    let mut over_time = vec![Window::default(); BINS];
    for frame in (0..TIME_REACH).map_while(|frame| spectrum.frame(frame)) {
        enter(&mut over_time, frame);
    }
    // Frames are overwritten as the windows move on: what leaves a window must be kept.
    let mut originals = vec![[0.0; BINS]; TIME_REACH + 1];
    for index in 0..spectrum.len() {
        control.check()?;
        if let Some(coming) = spectrum.frame(index + TIME_REACH) {
            enter(&mut over_time, coming);
        }
        let slot = index % originals.len();
        if index > TIME_REACH {
            leave(&mut over_time, &originals[slot]);
        }
        if let Some(frame) = spectrum.frame_mut(index) {
            originals[slot].copy_from_slice(frame);
            mask(frame, &over_time);
        }
    }
    Ok(())
}

fn enter(windows: &mut [Window], frame: &[f32]) {
    for (window, &value) in windows.iter_mut().zip(frame) {
        window.insert(value);
    }
}

fn leave(windows: &mut [Window], frame: &[f32]) {
    for (window, &value) in windows.iter_mut().zip(frame) {
        window.remove(value);
    }
}

fn mask(frame: &mut [f32], over_time: &[Window]) {
    let mut percussive = [0.0; BINS];
    medians_over_pitch(frame, &mut percussive);
    for ((value, over_time), percussive) in frame.iter_mut().zip(over_time).zip(percussive) {
        let harmonic = over_time.median().powi(2);
        *value *= harmonic / (harmonic + percussive * percussive + f32::MIN_POSITIVE);
    }
}

fn medians_over_pitch(frame: &[f32], medians: &mut [f32]) {
    let mut window = Window::default();
    for &value in frame.iter().take(PITCH_REACH) {
        window.insert(value);
    }
    for (bin, median) in medians.iter_mut().enumerate() {
        if let Some(&coming) = frame.get(bin + PITCH_REACH) {
            window.insert(coming);
        }
        if bin > PITCH_REACH {
            window.remove(frame[bin - PITCH_REACH - 1]);
        }
        *median = window.median();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_median_equals_sorting_every_window() {
        let values: Vec<f32> = (0..200_u32).map(|i| (i * 7919 % 13) as f32).collect();
        let mut frame = [0.0; BINS];
        frame[..200].copy_from_slice(&values);
        let mut medians = [0.0; BINS];
        medians_over_pitch(&frame, &mut medians);
        for (bin, median) in medians.iter().enumerate() {
            let mut window =
                frame[bin.saturating_sub(PITCH_REACH)..(bin + PITCH_REACH + 1).min(BINS)].to_vec();
            window.sort_by(f32::total_cmp);
            assert_eq!(*median, window[window.len() / 2], "bin {bin}");
        }
    }
}
