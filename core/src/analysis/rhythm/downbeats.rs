//! Which beats begin bars: where harmony, bass, kick and sections change together.

use super::evidence::Evidence;
use super::harmonic_change::{dot, norm};
use super::onsets::FPS;
use super::reading::Reading;
use crate::analysis::chroma::Chromagram;
use crate::analysis::dsp;

/// Weights of the z-scored cues on would-be downbeats, tuned on synthetic pieces.
const TREBLE_WEIGHT: f64 = 0.8;
const BASS_WEIGHT: f64 = 0.6;
const KICK_WEIGHT: f64 = 0.35;
/// Backbeats carry the snare, downbeats rarely do.
const SNARE_WEIGHT: f64 = -0.35;
const SECTION_WEIGHT: f64 = 0.9;
/// What the drum pattern alone says.
const PATTERN_WEIGHT: f64 = 0.25;
/// An onset may be this many frames off its beat.
const REACH_FRAMES: usize = 2;

/// Index of the first downbeat among `beats` (seconds) read as `reading`, below the beats per bar.
pub(super) fn find(
    evidence: &Evidence,
    chroma: &Chromagram,
    beats: &[f64],
    reading: Reading,
) -> usize {
    let bar = reading.beats_per_bar;
    if beats.len() < 3 * bar {
        return reading.phase % bar;
    }
    let cues = [
        (
            TREBLE_WEIGHT,
            chord_changes(&chroma.treble, chroma, beats, 0.2),
        ),
        (BASS_WEIGHT, chord_changes(&chroma.bass, chroma, beats, 0.3)),
        (KICK_WEIGHT, strengths(&evidence.drums[0], beats)),
        (SNARE_WEIGHT, strengths(&evidence.drums[1], beats)),
        (SECTION_WEIGHT, section_starts(evidence, beats)),
    ]
    .map(|(weight, cue)| (weight, standardised(&cue)));
    let mut scores: Vec<f64> = (0..bar)
        .map(|phase| {
            let mean = |cue: &[f64]| {
                let on_phase: Vec<f64> = cue.iter().skip(phase).step_by(bar).copied().collect();
                dsp::mean(&on_phase)
            };
            cues.iter().map(|(weight, cue)| weight * mean(cue)).sum()
        })
        .collect();
    scores[reading.phase % bar] += PATTERN_WEIGHT;
    (0..bar)
        .max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
        .unwrap_or(0)
}

/// Zero mean, unit spread.
fn standardised(values: &[f64]) -> Vec<f64> {
    let mean = dsp::mean(values);
    let squares: Vec<f64> = values.iter().map(|v| (v - mean).powi(2)).collect();
    let spread = dsp::mean(&squares).sqrt() + 1e-6;
    values.iter().map(|v| (v - mean) / spread).collect()
}

/// Strongest onset near each beat.
fn strengths(onsets: &[f32], beats: &[f64]) -> Vec<f64> {
    beats
        .iter()
        .map(|beat| {
            let frame = (beat * FPS) as usize;
            let from = frame.saturating_sub(REACH_FRAMES).min(onsets.len());
            let to = (frame + REACH_FRAMES + 1).min(onsets.len());
            f64::from(onsets[from..to].iter().copied().fold(0.0, f32::max))
        })
        .collect()
}

/// Cosine distance between the two beats from each beat on and the two before it. `damping` (share
/// of the median level) keeps quiet beats from counting fully.
fn chord_changes(
    register: &[[f32; 12]],
    chroma: &Chromagram,
    beats: &[f64],
    damping: f64,
) -> Vec<f64> {
    const AUDIBLE: f64 = 0.1; // of a damped unit vector
    let sounds = by_beat(register, chroma.frame_rate, beats);
    let levels: Vec<f64> = sounds.iter().map(norm).collect();
    let floor = damping * dsp::median(&levels) + 1e-9;
    let sounds: Vec<[f64; 12]> = sounds
        .iter()
        .map(|sound| sound.map(|v| v / (norm(sound) + floor)))
        .collect();
    let pair = |first: usize| -> [f64; 12] {
        std::array::from_fn(|pitch| f64::midpoint(sounds[first][pitch], sounds[first + 1][pitch]))
    };
    (0..beats.len())
        .map(|beat| {
            if beat < 2 || beat + 1 >= beats.len() {
                return 0.0;
            }
            let (before, after) = (pair(beat - 2), pair(beat));
            let (a, b) = (norm(&before), norm(&after));
            if a <= AUDIBLE || b <= AUDIBLE {
                return 0.0;
            }
            1.0 - dot(&before, &after) / (a * b + 1e-6)
        })
        .collect()
}

/// Mean chroma from each beat to the next.
fn by_beat(register: &[[f32; 12]], frame_rate: f64, beats: &[f64]) -> Vec<[f64; 12]> {
    let frame = |at: f64| ((at * frame_rate) as usize).min(register.len());
    (0..beats.len())
        .map(|beat| {
            let from = frame(beats[beat]);
            let to = beats
                .get(beat + 1)
                .map_or(register.len(), |&next| frame(next));
            let span = &register[from..to.max(from + 1).min(register.len())];
            let mut mean = [0.0; 12];
            for sound in span {
                for (mean, value) in mean.iter_mut().zip(sound) {
                    *mean += f64::from(*value) / span.len() as f64;
                }
            }
            mean
        })
        .collect()
}

/// Where the instruments change: band levels of the four beats after against the four before, kept
/// at local maxima among the strongest quarter.
fn section_starts(evidence: &Evidence, beats: &[f64]) -> Vec<f64> {
    const SIDE: usize = 4; // beats
    const REACH: usize = 3; // beats in which only the largest change counts
    let levels = band_levels(evidence, beats);
    let mean = |from: usize, band: usize| -> f64 {
        levels[from..from + SIDE]
            .iter()
            .map(|level| level[band])
            .sum::<f64>()
            / SIDE as f64
    };
    let changes: Vec<f64> = (0..beats.len())
        .map(|beat| {
            if beat < SIDE || beat + SIDE >= beats.len() {
                return 0.0;
            }
            let change = |band: usize| (mean(beat, band) - mean(beat - SIDE, band)).abs();
            (0..BANDS).map(change).sum::<f64>() / BANDS as f64
        })
        .collect();
    let single: Vec<f32> = changes.iter().map(|&change| change as f32).collect();
    let strong = f64::from(dsp::quantile(&single, 0.75));
    let mut starts = vec![0.0; changes.len()];
    for beat in dsp::peaks(&single, 1) {
        let near = &changes[beat.saturating_sub(REACH)..(beat + REACH + 1).min(changes.len())];
        let largest = near.iter().copied().fold(0.0, f64::max);
        if changes[beat] > strong && changes[beat] >= largest {
            starts[beat] = changes[beat];
        }
    }
    starts
}

const BANDS: usize = 5;

/// Log onset density of each band from beat to beat.
fn band_levels(evidence: &Evidence, beats: &[f64]) -> Vec<[f64; BANDS]> {
    let bands = &evidence.bands;
    let registers = [
        &bands.low,
        &bands.low_mid,
        &bands.mid,
        &bands.snare,
        &bands.high,
    ];
    let sums = registers.map(|band| dsp::prefix_sums(&dsp::running_mean(band, 3)));
    let frames = bands.low.len();
    let frame = |at: f64| ((at * FPS) as usize).min(frames);
    let mut levels: Vec<[f64; BANDS]> = (0..beats.len())
        .map(|beat| {
            let from = frame(beats[beat]);
            let to = beats.get(beat + 1).map_or(frames, |&next| frame(next));
            let count = to.saturating_sub(from).max(1) as f64;
            std::array::from_fn(|band| (sums[band][to.max(from)] - sums[band][from]) / count)
        })
        .collect();
    for band in 0..BANDS {
        let mean = levels.iter().map(|level| level[band]).sum::<f64>() / beats.len() as f64;
        for level in &mut levels {
            level[band] = (level[band] / (mean + 1e-9) + 0.05).ln();
        }
    }
    levels
}
