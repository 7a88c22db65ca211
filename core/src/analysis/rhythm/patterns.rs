//! What bars of music sound like: typical places of kick, snare and hat, per metre.

/// Drums in one bar, one character a cell: `x` hit, `o` soft hit, `.` nothing.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) beats_per_bar: usize,
    pub(super) cells_per_beat: usize,
    kick: &'static str,
    snare: &'static str,
    hat: &'static str,
    /// Tempi at which musicians play it; outside, it becomes unlikely gradually.
    bpm: (f64, f64),
    /// Added to its score: clear patterns gain, rare ones lose.
    bias: f64,
}

const EIGHTHS: &str = "x.x.x.x.x.x.x.x.";

/// The patterns tried, in no order.
pub(super) static BANK: [Pattern; 12] = [
    // Four on the floor.
    quadruple("x...x...x...x...", "....x.......x...", (100.0, 160.0))
        .biased(0.12, "..x...x...x...x."),
    // Backbeats, straight and syncopated.
    quadruple("x.......x.......", "....x.......x...", (78.0, 160.0)),
    quadruple("x.........x.....", "....x.......x...", (78.0, 185.0)),
    quadruple("x..o..o.o.o.....", "....x.......x...", (78.0, 135.0)),
    // Half time: the snare on three.
    quadruple("x...............", "........x.......", (125.0, 185.0)),
    quadruple("x..o..o...o.....", "........x.......", (125.0, 185.0)),
    quadruple("x.....x.......x.", "........x.......", (125.0, 185.0)),
    // Reggaeton: four on the floor with the snare in 3-3-2.
    quadruple("x...x...x...x...", "...x..x....x..x.", (80.0, 115.0)),
    // One drop: kick and snare together on three.
    quadruple("........x.......", "........x.......", (60.0, 90.0)),
    // Breakbeat.
    quadruple("x.x.......x..x..", "....x..o.o..x..o", (95.0, 180.0)),
    // Waltz.
    Pattern {
        beats_per_bar: 3,
        cells_per_beat: 4,
        kick: "x...........",
        snare: "....o...o...",
        hat: "x.x.x.x.x.x.",
        bpm: (80.0, 200.0),
        bias: -0.02,
    },
    // Six eighths, counted in two.
    Pattern {
        beats_per_bar: 2,
        cells_per_beat: 3,
        kick: "x.....",
        snare: "...x..",
        hat: "xxxxxx",
        bpm: (40.0, 80.0),
        bias: 0.0,
    },
];

const fn quadruple(kick: &'static str, snare: &'static str, bpm: (f64, f64)) -> Pattern {
    Pattern {
        beats_per_bar: 4,
        cells_per_beat: 4,
        kick,
        snare,
        hat: EIGHTHS,
        bpm,
        bias: 0.0,
    }
}

impl Pattern {
    const fn biased(mut self, bias: f64, hat: &'static str) -> Self {
        self.bias = bias;
        self.hat = hat;
        self
    }

    /// How well an average bar (one value a cell for kick, snare and hat) fits, about -1 to 1.
    pub(super) fn likeness(&self, bar: &[Vec<f64>; 3]) -> f64 {
        const WEIGHTS: [f64; 3] = [0.47, 0.4, 0.17];
        /// Spread of a profile below which it says little, in levelled onset units.
        const CLEAR_SPREAD: f64 = 0.15;
        let drawn = [self.kick, self.snare, self.hat].map(strengths);
        let mut sum = 0.0;
        for ((heard, drawn), weight) in bar.iter().zip(&drawn).zip(WEIGHTS) {
            let spread = deviation(heard);
            sum += weight * correlation(heard, drawn) * (spread / CLEAR_SPREAD).min(1.0);
        }
        sum + self.bias
    }

    /// Log prior of the pattern being played at `bpm`, up to a constant.
    pub(super) fn tempo_prior(&self, bpm: f64) -> f64 {
        const PER_OCTAVE_OUTSIDE: f64 = 8.5;
        const USUAL_BPM: f64 = 124.0;
        let (slowest, fastest) = self.bpm;
        let outside = (slowest / bpm).log2().max((bpm / fastest).log2()).max(0.0);
        let unusual = ((bpm / USUAL_BPM).log2() / 0.9).powi(2) / 8.0;
        -PER_OCTAVE_OUTSIDE * outside - unusual
    }
}

fn strengths(drawn: &'static str) -> Vec<f64> {
    let strength = |cell| match cell {
        b'x' => 1.0,
        b'o' => 0.5,
        _ => 0.0,
    };
    drawn.bytes().map(strength).collect()
}

fn centred(values: &[f64]) -> impl Iterator<Item = f64> {
    let mean = crate::analysis::dsp::mean(values);
    values.iter().map(move |value| value - mean)
}

/// Standard deviation.
fn deviation(values: &[f64]) -> f64 {
    (centred(values).map(|v| v * v).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

/// Pearson's coefficient; 0 where one side is constant.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let covariance: f64 = centred(a).zip(centred(b)).map(|(a, b)| a * b).sum();
    let spread = deviation(a) * deviation(b) * a.len() as f64;
    if spread > 0.0 {
        covariance / spread
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_fills_its_bar_and_fits_itself_best() {
        for (index, pattern) in BANK.iter().enumerate() {
            let cells = pattern.beats_per_bar * pattern.cells_per_beat;
            let bar = [pattern.kick, pattern.snare, pattern.hat].map(strengths);
            assert!(bar.iter().all(|drum| drum.len() == cells), "{index}");
            let own = pattern.likeness(&bar) - pattern.bias;
            for (other, rival) in BANK.iter().enumerate() {
                if rival.beats_per_bar == pattern.beats_per_bar && other != index {
                    assert!(own > rival.likeness(&bar) - rival.bias, "{index} {other}");
                }
            }
        }
    }

    #[test]
    fn tempo_prior_falls_outside_the_range() {
        let floor = &BANK[0];
        assert!(floor.tempo_prior(125.0) > floor.tempo_prior(80.0) + 2.0);
        assert!(floor.tempo_prior(125.0) > floor.tempo_prior(220.0) + 2.0);
    }
}
