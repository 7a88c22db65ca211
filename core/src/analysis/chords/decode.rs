//! The most likely sequence of chords (Viterbi) and how sure it is (forward-backward).
//!
//! Both use the same chain: a chord stays, or changes to any other at a cost that depends on the
//! place in the bar (Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 1989).

use super::emission::{STATES, Scores};
use super::steps::Place;

/// Nats that a change of chord costs at the start of a step.
pub(super) fn change_cost(place: Place) -> f32 {
    match place {
        Place::Downbeat => 2.0,
        Place::MidBar => 4.5,
        Place::Elsewhere => 8.5,
        Place::Unknown => 5.0,
    }
}

/// The best state for every step; `costs` are those of a change at each step's start.
pub(super) fn best_path(scores: &[Scores], costs: &[f32]) -> Vec<usize> {
    let Some(first) = scores.first() else {
        return Vec::new();
    };
    let mut total = *first;
    // By step: the best state before it, and which states are better reached from there than kept.
    let mut steps_back: Vec<(usize, [bool; STATES])> = Vec::with_capacity(scores.len());
    for (scores, cost) in scores.iter().zip(costs).skip(1) {
        let best = argmax(&total);
        let moved = total[best] - cost;
        let mut changes = [false; STATES];
        for ((total, change), score) in total.iter_mut().zip(&mut changes).zip(scores) {
            *change = moved > *total;
            *total = total.max(moved) + score;
        }
        steps_back.push((best, changes));
    }
    let mut state = argmax(&total);
    let mut path = vec![state; scores.len()];
    for (index, (best, changes)) in steps_back.iter().enumerate().rev() {
        if changes[state] {
            state = *best;
        }
        path[index] = state;
    }
    path
}

fn argmax(values: &Scores) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// The probability of `path`'s state at every step, given all that is heard. `doubt` divides all
/// scores: neighbouring steps are no independent witnesses.
pub(super) fn posteriors(scores: &[Scores], costs: &[f32], path: &[usize], doubt: f32) -> Vec<f32> {
    let evidence: Vec<Scores> = scores
        .iter()
        .map(|scores| likelihoods(scores, doubt))
        .collect();
    let changes: Vec<f32> = costs.iter().map(|cost| (-cost / doubt).exp()).collect();
    // What the future says about each state, by step, from the last one back.
    let mut later = vec![[1.0 / STATES as f32; STATES]; evidence.len()];
    for index in (1..evidence.len()).rev() {
        let mut seen = later[index];
        multiply(&mut seen, &evidence[index]);
        later[index - 1] = spread(&seen, changes[index]);
    }
    let mut earlier = [1.0 / STATES as f32; STATES];
    let mut probabilities = Vec::with_capacity(path.len());
    for ((evidence, later), (&change, &state)) in
        evidence.iter().zip(&later).zip(changes.iter().zip(path))
    {
        earlier = spread(&earlier, change);
        multiply(&mut earlier, evidence);
        normalise(&mut earlier);
        let joint: f32 = earlier.iter().zip(later).map(|(a, b)| a * b).sum();
        probabilities.push(earlier[state] * later[state] / joint.max(f32::MIN_POSITIVE));
    }
    probabilities
}

/// Scores to likelihoods, the best being 1.
fn likelihoods(scores: &Scores, doubt: f32) -> Scores {
    let best = scores[argmax(scores)];
    scores.map(|score| ((score - best) / doubt).exp())
}

fn multiply(states: &mut Scores, by: &Scores) {
    for (state, by) in states.iter_mut().zip(by) {
        *state *= by;
    }
}

/// One step of the chain, in either direction; the result sums to 1.
fn spread(states: &Scores, change: f32) -> Scores {
    let sum: f32 = states.iter().sum();
    let mut spread = states.map(|state| state + change * (sum - state));
    normalise(&mut spread);
    spread
}

fn normalise(states: &mut Scores) {
    let sum: f32 = states.iter().sum();
    if sum > 0.0 {
        for state in states {
            *state /= sum;
        }
    } else {
        *states = [1.0 / STATES as f32; STATES];
    }
}
