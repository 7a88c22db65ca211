//! What a stretch of chroma says, in numbers that do not depend on loudness or arrangement.

use super::steps::Step;
use crate::analysis::chroma::Chromagram;

/// Treble chroma, then bass chroma, each from C.
pub(super) type Notes = [f32; 24];

/// Added to a norm before dividing by it, as a share of the track's median: what is much fainter
/// than the rest stays faint instead of being blown up to a full chord.
const TREBLE_FLOOR: f32 = 0.15;
const BASS_FLOOR: f32 = 0.3;

/// One step's notes and how much sounds at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Features {
    pub(super) notes: Notes,
    pub(super) presence: Presence,
}

/// Logarithms of strengths relative to the whole track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Presence {
    pub(super) treble: f32,
    pub(super) level: f32,
    pub(super) bass: f32,
}

/// Chroma ready to be averaged over any stretch of time.
pub(super) struct Listener {
    frame_rate: f64,
    /// Root-compressed treble and bass, and level.
    frames: Vec<(Notes, f32)>,
    median_treble: f32,
    median_bass: f32,
}

impl Listener {
    /// The square root keeps one loud melody note from drowning the chord below it.
    pub(super) fn new(chroma: &Chromagram) -> Self {
        let frames = chroma.treble.iter().zip(&chroma.bass).zip(&chroma.level);
        Self {
            frame_rate: chroma.frame_rate,
            frames: frames
                .map(|((treble, bass), &level)| {
                    let both =
                        std::array::from_fn(|i| if i < 12 { treble[i] } else { bass[i - 12] });
                    (both.map(|note| audible(note).sqrt()), audible(level))
                })
                .collect(),
            median_treble: 1.0,
            median_bass: 1.0,
        }
    }

    /// Seconds that the frames cover; 0 when the frame rate makes no sense.
    pub(super) fn secs(&self) -> f64 {
        if self.frame_rate.is_finite() && self.frame_rate > 0.0 {
            self.frames.len() as f64 / self.frame_rate
        } else {
            0.0
        }
    }

    /// The features of all steps; from now on, of frames on the same scale.
    pub(super) fn listen(&mut self, steps: &[Step]) -> Vec<Features> {
        let means: Vec<(Notes, f32)> = steps
            .iter()
            .map(|step| self.mean(step.start, step.end))
            .collect();
        self.median_treble = median_norm(&means, treble);
        self.median_bass = median_norm(&means, bass);
        means.iter().map(|mean| self.features(mean)).collect()
    }

    /// The features of a single frame, for finding the moment of a change.
    pub(super) fn frame_features(&self, frame: usize) -> Option<Features> {
        self.frames.get(frame).map(|frame| self.features(frame))
    }

    /// The first frame whose centre is not before `at`.
    pub(super) fn frame_at(&self, at: f64) -> usize {
        (at * self.frame_rate).ceil().max(0.0) as usize
    }

    /// The moment between a frame and the one before it.
    pub(super) fn before_frame(&self, frame: usize) -> f64 {
        (frame as f64 - 0.5) / self.frame_rate
    }

    fn mean(&self, start: f64, end: f64) -> (Notes, f32) {
        let first = (start * self.frame_rate).round() as usize;
        let last = ((end * self.frame_rate).round() as usize).max(first + 1);
        let frames = self
            .frames
            .get(first..last.min(self.frames.len()))
            .unwrap_or_default();
        let mut sum = ([0.0; 24], 0.0);
        for (notes, level) in frames {
            for (sum, note) in sum.0.iter_mut().zip(notes) {
                *sum += note;
            }
            sum.1 += level;
        }
        let count = frames.len().max(1) as f32;
        (sum.0.map(|note| note / count), sum.1 / count)
    }

    fn features(&self, (notes, level): &(Notes, f32)) -> Features {
        let (treble, bass) = (norm(treble(notes)), norm(bass(notes)));
        let treble_divisor = treble + TREBLE_FLOOR * self.median_treble;
        let bass_divisor = bass + BASS_FLOOR * self.median_bass;
        Features {
            notes: std::array::from_fn(|i| {
                notes[i] / if i < 12 { treble_divisor } else { bass_divisor }
            }),
            presence: Presence {
                treble: (treble / self.median_treble + 0.05).ln(),
                level: (level + 0.02).ln(),
                bass: (bass / self.median_bass + 0.05).ln(),
            },
        }
    }
}

/// What is not a number becomes silence; sums of squares stay finite.
fn audible(strength: f32) -> f32 {
    const STRONGEST: f32 = 1e9;
    if strength.is_nan() {
        0.0
    } else {
        strength.clamp(0.0, STRONGEST)
    }
}

pub(super) fn treble(notes: &Notes) -> &[f32] {
    &notes[..12]
}

pub(super) fn bass(notes: &Notes) -> &[f32] {
    &notes[12..]
}

pub(super) fn norm(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Median over the steps in which anything sounds; 1 when none does.
fn median_norm(means: &[(Notes, f32)], part: fn(&Notes) -> &[f32]) -> f32 {
    let mut norms: Vec<f32> = means
        .iter()
        .map(|(notes, _)| norm(part(notes)))
        .filter(|norm| *norm > 0.0)
        .collect();
    norms.sort_by(f32::total_cmp);
    norms.get(norms.len() / 2).copied().unwrap_or(1.0)
}
