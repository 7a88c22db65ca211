//! Linear prediction: the factors that tell a channel's block best from its last samples.

use super::bits::Bits;

/// Samples that are looked back on: more gain little on music and cost much.
pub(super) const ORDER: usize = 8;
/// Bits of a factor, its sign included.
const PRECISION: u32 = 14;
/// Shifts that the format has room for.
const MOST_SHIFT: i32 = 15;
/// A rest beyond this would not be coded well, nor safely.
const MOST_REST: i64 = 1 << 28;

/// Factors of the last samples, the latest first, as whole numbers: their sum is shifted down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Factors {
    factors: [i32; ORDER],
    shift: u32,
}

impl Factors {
    /// The best of [`ORDER`] for this block; `None` where there are none to speak of.
    pub(super) fn of(plane: &[i32]) -> Option<Self> {
        if plane.len() <= 4 * ORDER {
            return None;
        }
        let factors = solved(&likeness(plane))?;
        let most = factors.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
        if most == 0.0 {
            return None;
        }
        // The largest factor fills the precision.
        let shift = (PRECISION as i32 - 1 - most.log2().floor() as i32 - 1).min(MOST_SHIFT);
        let shift = u32::try_from(shift).ok()?;
        let top = (1 << (PRECISION - 1)) - 1;
        let mut carried = 0.0;
        let factors = factors.map(|factor| {
            // What rounding leaves goes on to the next.
            let exact = factor * f64::from(1_u32 << shift) + carried;
            let rounded = exact.round().clamp(-f64::from(top) - 1.0, f64::from(top));
            carried = exact - rounded;
            rounded as i32
        });
        Some(Self { factors, shift })
    }

    /// What is left of all samples after the first [`ORDER`]; `false` when that is out of bounds.
    pub(super) fn rest(&self, plane: &[i32], rest: &mut Vec<i32>) -> bool {
        rest.clear();
        let mut is_sound = true;
        rest.extend(plane.windows(ORDER + 1).map(|window| {
            let (sample, before) = (window[ORDER], &window[..ORDER]);
            let latest_first = before.iter().rev().zip(&self.factors);
            let sum: i64 = latest_first
                .map(|(sample, factor)| i64::from(*sample) * i64::from(*factor))
                .sum();
            let rest = i64::from(sample) - (sum >> self.shift);
            is_sound &= rest.abs() < MOST_REST;
            rest as i32
        }));
        is_sound
    }

    /// Bits beside the rest and the first samples.
    pub(super) fn cost() -> u64 {
        9 + ORDER as u64 * u64::from(PRECISION)
    }

    pub(super) fn put(&self, bits: &mut Bits) {
        bits.put(u64::from(PRECISION - 1), 4);
        bits.put(u64::from(self.shift), 5);
        for &factor in &self.factors {
            bits.put_signed(factor, PRECISION);
        }
    }
}

/// How like itself the block is, so many samples later. It fades in and out as Welch has it.
fn likeness(plane: &[i32]) -> [f64; ORDER + 1] {
    let middle = (plane.len() as f64 - 1.0) / 2.0;
    let faded: Vec<f64> = plane
        .iter()
        .enumerate()
        .map(|(at, &sample)| {
            let place = (at as f64 - middle) / (middle + 1.0);
            f64::from(sample) * (1.0 - place * place)
        })
        .collect();
    let mut likeness = [0.0; ORDER + 1];
    for (lag, sum) in likeness.iter_mut().enumerate() {
        let later = faded.get(lag..).unwrap_or_default();
        *sum = faded
            .iter()
            .zip(later)
            .map(|(one, other)| one * other)
            .sum();
    }
    likeness
}

/// Levinson's recursion.
fn solved(likeness: &[f64; ORDER + 1]) -> Option<[f64; ORDER]> {
    let mut factors = [0.0; ORDER];
    let mut error = likeness[0];
    for order in 0..ORDER {
        if error <= 0.0 || !error.is_finite() {
            return None;
        }
        let known: f64 = (0..order)
            .map(|at| factors[at] * likeness[order - at])
            .sum();
        let reflected = (likeness[order + 1] - known) / error;
        let before = factors;
        factors[order] = reflected;
        for at in 0..order {
            factors[at] = before[at] - reflected * before[order - 1 - at];
        }
        error *= 1.0 - reflected * reflected;
    }
    factors.iter().all(|it| it.is_finite()).then_some(factors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_told_by_two_factors_and_hardly_leaves_a_rest() {
        // A sine obeys x[n] = 2 cos(w) x[n-1] - x[n-2].
        let plane: Vec<i32> = (0..4_096)
            .map(|at| ((f64::from(at) * 0.3).sin() * 20_000.0) as i32)
            .collect();
        let factors = Factors::of(&plane).unwrap();
        let mut rest = Vec::new();
        assert!(factors.rest(&plane, &mut rest));
        assert_eq!(rest.len(), 4_096 - ORDER);
        let most = rest.iter().map(|rest| rest.abs()).max().unwrap();
        assert!(most < 200, "{most}");
        assert_eq!(Factors::of(&[0; 4_096]), None);
        assert_eq!(Factors::of(&[1; 10]), None);
        let mut click = vec![0; 4_096];
        click[2_000] = 30_000;
        assert_eq!(Factors::of(&click), None, "nothing before tells of it");
    }
}
