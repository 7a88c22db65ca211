//! Steadier notes through repetition: music says most things more than once.
//!
//! Each step is averaged with those that resemble it in what comes before and after, so that a
//! passing melody weighs less than the chord that returns under it. The idea is that of Cho &
//! Bello, "A feature smoothing method for chord recognition using recurrence plots", ISMIR 2011.

use super::features::{Notes, norm};

/// Steps before and after that must match too: 13 steps are about three bars.
const CONTEXT: usize = 6;

/// At most this many other steps are listened to.
const COMPANIONS: usize = 12;

/// Companions must be at least this similar (cosine, mean over the context).
const LEAST_SIMILARITY: f32 = 0.6;

/// A companion's weight falls to 1/e when its similarity drops by 1/8.
const SELECTIVITY: f32 = 8.0;

/// What the companions count at most beside the step itself.
const MOST_INFLUENCE: f32 = 0.7;

/// Total weight of companions at which they have half of their influence.
const HALF_INFLUENCE: f32 = 0.3;

/// In the comparison, bass counts less than treble: it often pauses.
const BASS_WEIGHT: f32 = 0.7;

/// Repetition further apart than this (half an hour at 120 BPM) is not looked for: bounds the work.
const LONGEST_LAG: usize = 4_096;

/// `steps`, each mixed with its companions.
pub(super) fn reinforce(steps: &[Notes]) -> Vec<Notes> {
    let directions: Vec<Notes> = steps.iter().map(direction).collect();
    let companions = pulp::Arch::new().dispatch(|| companions(&directions));
    steps
        .iter()
        .zip(&companions)
        .map(|(own, companions)| mix(own, steps, companions))
        .collect()
}

/// The step's notes on the unit sphere; zero for silence.
fn direction(notes: &Notes) -> Notes {
    let mut weighed = *notes;
    for bass in &mut weighed[12..] {
        *bass *= BASS_WEIGHT;
    }
    let norm = norm(&weighed) + f32::MIN_POSITIVE;
    weighed.map(|note| note / norm)
}

/// The most similar other steps, best first.
#[derive(Debug, Clone, Copy)]
struct Companions([(f32, usize); COMPANIONS]);

impl Companions {
    const NONE: Self = Self([(LEAST_SIMILARITY, usize::MAX); COMPANIONS]);

    fn offer(&mut self, similarity: f32, step: usize) {
        if similarity > self.0[COMPANIONS - 1].0 {
            let place = self.0.partition_point(|held| held.0 >= similarity);
            self.0[place..].rotate_right(1);
            self.0[place] = (similarity, step);
        }
    }
}

/// Runs along the diagonals of the similarity matrix, one lag at a time, so that the matrix itself
/// is never held.
#[expect(
    clippy::inline_always,
    reason = "only what is inlined into the dispatch is compiled for its vector registers"
)]
#[inline(always)]
fn companions(directions: &[Notes]) -> Vec<Companions> {
    let count = directions.len();
    let mut companions = vec![Companions::NONE; count];
    let mut cumulated = Vec::with_capacity(count + 1);
    for lag in 1..count.min(LONGEST_LAG) {
        let pairs = count - lag;
        cumulated.clear();
        cumulated.push(0.0_f64);
        let mut sum = 0.0;
        for (earlier, later) in directions.iter().zip(&directions[lag..]) {
            sum += f64::from(product(earlier, later));
            cumulated.push(sum);
        }
        for step in 0..pairs {
            let from = step.saturating_sub(CONTEXT);
            let to = (step + CONTEXT + 1).min(pairs);
            let similarity = ((cumulated[to] - cumulated[from]) / (to - from) as f64) as f32;
            companions[step].offer(similarity, step + lag);
            companions[step + lag].offer(similarity, step);
        }
    }
    companions
}

#[expect(
    clippy::inline_always,
    reason = "only what is inlined into the dispatch is compiled for its vector registers"
)]
#[inline(always)]
fn product(a: &Notes, b: &Notes) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

fn mix(own: &Notes, steps: &[Notes], companions: &Companions) -> Notes {
    let mut sum = [0.0_f32; 24];
    let mut total = 0.0_f32;
    for (similarity, step) in companions.0 {
        let Some(companion) = steps.get(step) else {
            continue;
        };
        let weight = (SELECTIVITY * (similarity - 1.0)).exp();
        total += weight;
        for (sum, note) in sum.iter_mut().zip(companion) {
            *sum += weight * note;
        }
    }
    if total <= 0.0 {
        return *own;
    }
    let influence = MOST_INFLUENCE * total / (total + HALF_INFLUENCE);
    std::array::from_fn(|i| (1.0 - influence) * own[i] + influence * sum[i] / total)
}
