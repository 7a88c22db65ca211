//! Prediction: what of a channel's block is told by what came before it.

use super::bits::Bits;
use super::linear::{self, Factors};
use super::rice::Parts;

/// The highest order of the polynomials that the format knows.
const ORDERS: usize = 5;

/// Finds the cheapest way to write a channel. Keeps what it works in.
#[derive(Debug, Default)]
pub(super) struct Predictor {
    rest: Vec<i32>,
}

/// How one channel of a block is written.
#[derive(Debug)]
pub(super) enum Subframe {
    /// All samples are alike.
    Constant,
    /// As it is.
    Verbatim,
    /// The rest of a polynomial through the `order` samples before.
    Polynomial {
        order: usize,
        rest: Vec<i32>,
        parts: Parts,
    },
    /// The rest of a linear prediction from the samples before.
    Linear {
        factors: Factors,
        rest: Vec<i32>,
        parts: Parts,
    },
}

/// Sums of what polynomials of each order leave.
fn leftovers(plane: &[i32]) -> [u64; ORDERS] {
    let mut sums = [0_u64; ORDERS];
    let mut last = [0_i32; ORDERS - 1];
    for (place, &sample) in plane.iter().enumerate() {
        let mut rest = sample;
        for (order, sum) in sums.iter_mut().enumerate() {
            if place >= ORDERS - 1 {
                *sum += u64::from(rest.unsigned_abs());
            }
            if let Some(last) = last.get_mut(order) {
                let next = rest - *last;
                *last = rest;
                rest = next;
            }
        }
    }
    sums
}

/// What the polynomial of this order leaves of all samples after the first `order`.
fn differences(plane: &[i32], order: usize, rest: &mut Vec<i32>) {
    rest.clear();
    let of = |factors: &[i32], window: &[i32]| -> i32 {
        factors
            .iter()
            .zip(window)
            .map(|(factor, sample)| factor * sample)
            .sum()
    };
    let factors: &[i32] = match order {
        0 => &[1],
        1 => &[-1, 1],
        2 => &[1, -2, 1],
        3 => &[-1, 3, -3, 1],
        _ => &[1, -4, 6, -4, 1],
    };
    rest.extend(
        plane
            .windows(factors.len())
            .map(|window| of(factors, window)),
    );
}

/// About how many bits the channel takes: enough to choose between channels.
pub(super) fn estimate(plane: &[i32], depth: u32) -> u64 {
    let least = leftovers(plane).into_iter().min().unwrap_or(0);
    let count = plane.len().max(1) as u64;
    // A rest of mean m, folded to twice that, takes about log₂ 2m + 2 bits.
    let parameter = (2 * least / count + 1).ilog2();
    let bits = u64::from(parameter) * count + 2 * ((2 * least) >> parameter);
    bits.min(count * u64::from(depth))
}

impl Predictor {
    pub(super) fn best(&mut self, plane: &[i32], depth: u32) -> Subframe {
        let is_constant = plane.iter().all(|sample| Some(sample) == plane.first());
        if is_constant {
            return Subframe::Constant;
        }
        let order = leftovers(plane)
            .into_iter()
            .enumerate()
            .min_by_key(|(_, sum)| *sum)
            .map_or(0, |(order, _)| order);
        if plane.len() <= ORDERS {
            return Subframe::Verbatim;
        }
        differences(plane, order, &mut self.rest);
        let parts = Parts::of(&self.rest, order);
        let cost = parts.cost + order as u64 * u64::from(depth);
        let polynomial = Subframe::Polynomial {
            order,
            rest: self.rest.clone(),
            parts,
        };
        let (cost, best) = match self.linear(plane, depth) {
            Some((less, linear)) if less < cost => (less, linear),
            _ => (cost, polynomial),
        };
        if cost >= plane.len() as u64 * u64::from(depth) {
            return Subframe::Verbatim;
        }
        best
    }

    /// A linear prediction, with the bits that it takes.
    fn linear(&mut self, plane: &[i32], depth: u32) -> Option<(u64, Subframe)> {
        let factors = Factors::of(plane)?;
        if !factors.rest(plane, &mut self.rest) {
            return None;
        }
        let parts = Parts::of(&self.rest, linear::ORDER);
        let cost = parts.cost + Factors::cost() + linear::ORDER as u64 * u64::from(depth);
        let rest = self.rest.clone();
        let linear = Subframe::Linear {
            factors,
            rest,
            parts,
        };
        Some((cost, linear))
    }
}

impl Subframe {
    pub(super) fn put(&self, plane: &[i32], depth: u32, bits: &mut Bits) {
        // Kinds stand in six bits between two that are 0.
        match self {
            Self::Constant => {
                bits.put(0, 8);
                bits.put_signed(plane.first().copied().unwrap_or(0), depth);
            }
            Self::Verbatim => {
                bits.put(1 << 1, 8);
                for &sample in plane {
                    bits.put_signed(sample, depth);
                }
            }
            Self::Polynomial { order, rest, parts } => {
                bits.put((8 + *order as u64) << 1, 8);
                for &sample in plane.iter().take(*order) {
                    bits.put_signed(sample, depth);
                }
                parts.put(rest, *order, bits);
            }
            Self::Linear {
                factors,
                rest,
                parts,
            } => {
                bits.put((32 + linear::ORDER as u64 - 1) << 1, 8);
                for &sample in plane.iter().take(linear::ORDER) {
                    bits.put_signed(sample, depth);
                }
                factors.put(bits);
                parts.put(rest, linear::ORDER, bits);
            }
        }
    }
}
