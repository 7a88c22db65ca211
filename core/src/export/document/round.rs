//! Numbers as they are told: finite, and no more digits than they are worth.

use crate::units::Secs;

/// Seconds to the microsecond; `None` for what is no time.
pub(super) fn time(at: Secs) -> Option<f64> {
    rounded(at.0, 1e6)
}

/// Tempo, LUFS and the like.
pub(super) fn measure(value: f64) -> Option<f64> {
    rounded(value, 1e6)
}

/// Single-precision values: four decimals, else `0.8` becomes `0.800000011920929`.
pub(super) fn confidence(value: f32) -> Option<f64> {
    rounded(f64::from(value), 1e4)
}

fn rounded(value: f64, steps: f64) -> Option<f64> {
    let scaled = (value * steps).round();
    // Beyond 2^53 steps there is nothing to round away. Adding zero makes `-0.0` plain.
    let rounded = if scaled.abs() < 9e15 {
        scaled / steps
    } else {
        value
    };
    rounded.is_finite().then_some(rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_noise_and_keep_sense() {
        assert_eq!(time(Secs(0.1 + 0.2)), Some(0.3));
        assert_eq!(confidence(0.8), Some(0.8));
        assert_eq!(measure(-0.000_000_01).map(f64::to_bits), Some(0));
        assert_eq!(measure(1e300), Some(1e300));
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(measure(broken), None);
        }
    }
}
