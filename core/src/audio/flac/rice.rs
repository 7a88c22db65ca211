//! Rice codes: how the rest that prediction leaves is written, in parts with a parameter each.

use super::bits::Bits;

/// Parts are halved at most so often.
const MOST_HALVINGS: u32 = 6;
/// The highest parameter of four bits; the one above it says something else.
const MOST_SHORT: u32 = 14;
/// The highest of five bits.
const MOST_LONG: u32 = 30;

/// How a rest is cut into parts, and the parameter of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    halvings: u32,
    parameters: Vec<u32>,
    /// Bits of all of it, as far as sums tell.
    pub(super) cost: u64,
}

/// A rest as it is coded: small numbers whatever their sign.
fn folded(rest: i32) -> u32 {
    (rest << 1 ^ rest >> 31) as u32
}

/// The parameter that suits `count` numbers with this sum best, and what they take with it.
fn parameter(sum: u64, count: u64) -> (u32, u64) {
    let cost = |parameter: u32| count * u64::from(parameter + 1) + (sum >> parameter);
    let guess = (sum / count.max(1))
        .checked_ilog2()
        .unwrap_or(0)
        .min(MOST_LONG);
    [guess.saturating_sub(1), guess, (guess + 1).min(MOST_LONG)]
        .map(|parameter| (parameter, cost(parameter)))
        .into_iter()
        .min_by_key(|(_, cost)| *cost)
        .unwrap_or((0, cost(0)))
}

impl Parts {
    /// The cheapest cut of `rest`, which follows `order` samples that are written as they are.
    pub(super) fn of(rest: &[i32], order: usize) -> Self {
        let block = rest.len() + order;
        let halvings = (0..=MOST_HALVINGS)
            .rev()
            .find(|&halvings| block.is_multiple_of(1 << halvings) && block >> halvings > order)
            .unwrap_or(0);
        let length = block >> halvings;
        let (first, later) = rest.split_at((length - order).min(rest.len()));
        let sum = |part: &[i32]| {
            part.iter()
                .map(|&rest| u64::from(folded(rest)))
                .sum::<u64>()
        };
        let mut sums = vec![sum(first)];
        sums.extend(later.chunks(length).map(sum));
        let mut best = Self::with(&sums, halvings, block, order);
        for halvings in (0..halvings).rev() {
            sums = sums.chunks(2).map(|pair| pair.iter().sum()).collect();
            let parts = Self::with(&sums, halvings, block, order);
            if parts.cost < best.cost {
                best = parts;
            }
        }
        best
    }

    fn with(sums: &[u64], halvings: u32, block: usize, order: usize) -> Self {
        let length = (block >> halvings) as u64;
        let mut cost = 6;
        let parameters: Vec<u32> = sums
            .iter()
            .enumerate()
            .map(|(place, &sum)| {
                let count = if place == 0 {
                    length - order as u64
                } else {
                    length
                };
                let (parameter, bits) = parameter(sum, count);
                cost += bits + 5;
                parameter
            })
            .collect();
        Self {
            halvings,
            parameters,
            cost,
        }
    }

    pub(super) fn put(&self, rest: &[i32], order: usize, bits: &mut Bits) {
        let is_long = self.parameters.iter().any(|&it| it > MOST_SHORT);
        let width = if is_long { 5 } else { 4 };
        bits.put(u64::from(is_long), 2);
        bits.put(u64::from(self.halvings), 4);
        let length = (rest.len() + order) >> self.halvings;
        let mut left = rest;
        for (place, &parameter) in self.parameters.iter().enumerate() {
            let count = if place == 0 { length - order } else { length };
            let (part, later) = left.split_at(count.min(left.len()));
            left = later;
            bits.put(u64::from(parameter), width);
            for &rest in part {
                let folded = folded(rest);
                bits.put_unary(folded >> parameter);
                bits.put(u64::from(folded), parameter);
            }
        }
    }
}
