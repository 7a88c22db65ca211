//! Straight lines through beat times: `at = phase + period * number`, least squares with outliers dropped.

/// A beat seen at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sighting {
    /// Beat number.
    pub(super) number: f64,
    /// Seconds.
    pub(super) at: f64,
    pub(super) weight: f64,
}

/// Evenly spaced beats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// Seconds between beats.
    pub(super) period: f64,
    /// Time of beat 0, seconds.
    pub(super) phase: f64,
}

/// A line with how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    pub(super) line: Line,
    /// Standard error of the period, seconds.
    pub(super) period_error: f64,
    /// Mean number of the sightings kept: the line is best known there.
    pub(super) centre: f64,
    /// Sightings kept.
    pub(super) kept: usize,
}

impl Line {
    pub(super) fn at(&self, number: f64) -> f64 {
        self.phase + self.period * number
    }

    /// Numbers of the beats from `start` to `end` seconds.
    pub(super) fn numbers(&self, start: f64, end: f64) -> std::ops::RangeInclusive<i64> {
        let first = ((start - self.phase) / self.period - 1e-6).ceil() as i64;
        let last = ((end - self.phase) / self.period).floor() as i64;
        first..=last
    }

    /// Distance of `at` from the nearest beat, seconds, signed.
    pub(super) fn offset(&self, at: f64) -> f64 {
        let beats = (at - self.phase) / self.period;
        (beats - beats.round()) * self.period
    }
}

/// Fits a line; sightings further off than 2.5 robust standard deviations are dropped, at most 5 times.
pub(super) fn robust(sightings: &[Sighting]) -> Option<Fit> {
    const ROUNDS: usize = 6;
    const LEAST_KEPT: usize = 8;
    const LEAST_SPREAD: f64 = 3e-4; // seconds: perfect data must not drop its own rounding
    let mut kept = vec![true; sightings.len()];
    let mut fit = weighted(sightings, &kept)?;
    for _ in 1..ROUNDS {
        let residual = |s: &Sighting| (s.at - fit.line.at(s.number)).abs();
        let residuals: Vec<f64> = chosen(sightings, &kept).map(residual).collect();
        let spread = 1.4826 * crate::analysis::dsp::median(&residuals) + LEAST_SPREAD;
        let next: Vec<bool> = sightings
            .iter()
            .map(|s| residual(s) < 2.5 * spread)
            .collect();
        let count = next.iter().filter(|&&keep| keep).count();
        if count < LEAST_KEPT || next == kept {
            break;
        }
        kept = next;
        fit = weighted(sightings, &kept)?;
    }
    Some(fit)
}

/// The least-squares line through all sightings.
pub(super) fn through(sightings: &[Sighting]) -> Option<Line> {
    weighted(sightings, &vec![true; sightings.len()]).map(|fit| fit.line)
}

/// Producers like round tempi: takes the nearest half BPM where the measurement allows it and the far end of a track of
/// `length` seconds moves by less than 8 ms. Whole numbers are likelier than halves. The line turns about beat `centre`,
/// where it is known best.
pub(super) fn rounded(line: Line, period_error: f64, centre: f64, length: f64) -> Line {
    const MOST_BPM: f64 = 0.03;
    const LEAST_BPM: f64 = 0.012;
    const LEAST_BPM_WHOLE: f64 = 0.018;
    const MOST_DRIFT: f64 = 0.008;
    let bpm = 60.0 / line.period;
    let round = (bpm * 2.0).round() / 2.0;
    let bpm_error = bpm / line.period * period_error;
    let least = if round.fract() == 0.0 {
        LEAST_BPM_WHOLE
    } else {
        LEAST_BPM
    };
    let allowed = (3.0 * bpm_error).clamp(least, MOST_BPM);
    let period = 60.0 / round;
    let drift = (period - line.period).abs() * (length / line.period) / 2.0;
    if (round - bpm).abs() < allowed && drift < MOST_DRIFT {
        Line {
            period,
            phase: line.at(centre) - period * centre,
        }
    } else {
        line
    }
}

fn chosen<'a>(sightings: &'a [Sighting], kept: &'a [bool]) -> impl Iterator<Item = &'a Sighting> {
    sightings
        .iter()
        .zip(kept)
        .filter_map(|(sighting, &keep)| keep.then_some(sighting))
}

/// Weighted least squares; `None` unless two different beats are there.
fn weighted(sightings: &[Sighting], kept: &[bool]) -> Option<Fit> {
    let (mut total, mut number, mut at, mut count) = (0.0, 0.0, 0.0, 0_usize);
    for s in chosen(sightings, kept) {
        total += s.weight;
        number += s.weight * s.number;
        at += s.weight * s.at;
        count += 1;
    }
    if total <= 0.0 {
        return None;
    }
    let (number, at) = (number / total, at / total);
    let (mut variance, mut covariance) = (0.0, 0.0);
    for s in chosen(sightings, kept) {
        variance += s.weight * (s.number - number).powi(2);
        covariance += s.weight * (s.number - number) * (s.at - at);
    }
    if variance <= 0.0 {
        return None;
    }
    let period = covariance / variance;
    let line = Line {
        period,
        phase: at - period * number,
    };
    let squares: f64 = chosen(sightings, kept)
        .map(|s| s.weight * (s.at - line.at(s.number)).powi(2))
        .sum();
    let error = (squares / total / (variance / total) / count as f64).sqrt();
    Some(Fit {
        line,
        period_error: error,
        centre: number,
        kept: count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_do_not_bend_the_line() {
        let sightings: Vec<Sighting> = (0..100)
            .map(|i| Sighting {
                number: f64::from(i),
                at: 0.3 + 0.5 * f64::from(i) + if i % 7 == 0 { 0.02 } else { 0.0 },
                weight: 1.0,
            })
            .collect();
        let fit = robust(&sightings).unwrap();
        assert!((fit.line.period - 0.5).abs() < 1e-6, "{fit:?}");
        assert!((fit.line.phase - 0.3).abs() < 1e-5, "{fit:?}");
        assert!(fit.kept < 90);
        assert_eq!(fit.line.numbers(0.0, 1.9), 0..=3);
    }

    #[test]
    fn too_little_gives_no_line() {
        let one = Sighting {
            number: 1.0,
            at: 1.0,
            weight: 1.0,
        };
        assert_eq!(robust(&[]), None);
        assert_eq!(robust(&[one]), None);
        assert_eq!(robust(&[one, one]), None);
    }
}
