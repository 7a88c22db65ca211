//! Splits sound into three bands, eight samples a step.
//!
//! Each band is two second-order state-variable sections (trapezoidal integration: well-behaved in single precision
//! even at 200 Hz in 384 kHz). A linear system with state `x` advances eight samples at once:
//! outputs are `O x + T u`, the next state is `A⁸ x + R u`. The matrices are found by running
//! the sections on unit states and unit impulses in double precision, so they need no algebra by hand.

#![expect(
    clippy::inline_always,
    reason = "only code inlined into the dispatched function uses the wider instructions"
)]

/// Samples a step.
pub(super) const STEP: usize = 8;
/// Edges between the bands, Hz.
const LOW_EDGE: f64 = 200.0;
const HIGH_EDGE: f64 = 2_500.0;
/// States of the three bands together.
const STATES: usize = 12;
/// States below this are silence, and would soon be slow to calculate with.
const SILENT_STATE: f32 = 1e-20;

type Lanes = [f32; STEP];

#[derive(Debug, Clone, Copy)]
enum Pass {
    Low,
    High,
}

/// One second-order section in double precision. Zavalishin, "The Art of VA Filter Design", chapter 4.
#[derive(Debug, Clone, Copy)]
struct Section {
    pass: Pass,
    damping: f64,
    a1: f64,
    a2: f64,
    a3: f64,
}

impl Section {
    fn new(pass: Pass, edge_hz: f64, quality: f64, rate_hz: f64) -> Self {
        let edge = edge_hz.min(0.45 * rate_hz);
        let g = (std::f64::consts::PI * edge / rate_hz).tan();
        let damping = 1.0 / quality;
        let a1 = 1.0 / (1.0 + g * (g + damping));
        Self {
            pass,
            damping,
            a1,
            a2: g * a1,
            a3: g * g * a1,
        }
    }

    fn tick(&self, state: &mut [f64; 2], input: f64) -> f64 {
        let difference = input - state[1];
        let band = self.a1 * state[0] + self.a2 * difference;
        let low = state[1] + self.a2 * state[0] + self.a3 * difference;
        *state = [2.0 * band - state[0], 2.0 * low - state[1]];
        match self.pass {
            Pass::Low => low,
            Pass::High => input - self.damping * band - low,
        }
    }
}

/// Two sections in a row: one band.
#[derive(Debug, Clone, Copy)]
struct Band([Section; 2]);

impl Band {
    /// Low, mid, high.
    fn all(rate_hz: f64) -> [Self; 3] {
        // Qualities of a fourth-order Butterworth filter, and of a second-order one.
        let fourth = [0.541_196_100_146_197, 1.306_562_964_876_377];
        let second = std::f64::consts::FRAC_1_SQRT_2;
        let section = |pass, edge, quality| Section::new(pass, edge, quality, rate_hz);
        [
            Self(fourth.map(|quality| section(Pass::Low, LOW_EDGE, quality))),
            Self([
                section(Pass::High, LOW_EDGE, second),
                section(Pass::Low, HIGH_EDGE, second),
            ]),
            Self(fourth.map(|quality| section(Pass::High, HIGH_EDGE, quality))),
        ]
    }

    fn tick(&self, state: &mut [f64; 4], input: f64) -> f64 {
        let [mut first, mut second] = [[state[0], state[1]], [state[2], state[3]]];
        let between = self.0[0].tick(&mut first, input);
        let output = self.0[1].tick(&mut second, between);
        *state = [first[0], first[1], second[0], second[1]];
        output
    }

    /// Outputs and final state after one step from `state` with `inputs`.
    fn step(&self, mut state: [f64; 4], inputs: [f64; STEP]) -> (Lanes, [f64; 4]) {
        let outputs = inputs.map(|input| self.tick(&mut state, input) as f32);
        (outputs, state)
    }
}

/// The matrices of one step, by columns.
#[derive(Debug, Clone)]
struct Matrices {
    /// Output of each band to a unit in each of its four states.
    from_state: [[Lanes; 4]; 3],
    /// Output of each band to a unit impulse at each sample.
    from_input: [[Lanes; STEP]; 3],
    /// Next states (padded to two vectors) from a unit in each state.
    state_from_state: [[Lanes; 2]; STATES],
    /// Next states from a unit impulse at each sample.
    state_from_input: [[Lanes; 2]; STEP],
}

impl Matrices {
    fn new(rate_hz: f64) -> Self {
        let mut matrices = Self {
            from_state: [[[0.0; STEP]; 4]; 3],
            from_input: [[[0.0; STEP]; STEP]; 3],
            state_from_state: [[[0.0; STEP]; 2]; STATES],
            state_from_input: [[[0.0; STEP]; 2]; STEP],
        };
        for (index, band) in Band::all(rate_hz).iter().enumerate() {
            let place = index * 4;
            for unit in 0..4 {
                let mut state = [0.0; 4];
                state[unit] = 1.0;
                let (outputs, after) = band.step(state, [0.0; STEP]);
                matrices.from_state[index][unit] = outputs;
                put_states(&mut matrices.state_from_state[place + unit], place, after);
            }
            for unit in 0..STEP {
                let mut inputs = [0.0; STEP];
                inputs[unit] = 1.0;
                let (outputs, after) = band.step([0.0; 4], inputs);
                matrices.from_input[index][unit] = outputs;
                put_states(&mut matrices.state_from_input[unit], place, after);
            }
        }
        matrices
    }
}

fn put_states(column: &mut [Lanes; 2], place: usize, states: [f64; 4]) {
    for (offset, state) in states.into_iter().enumerate() {
        let at = place + offset;
        column[at / STEP][at % STEP] = state as f32;
    }
}

/// The running filter.
#[derive(Debug, Clone)]
pub(super) struct Splitter {
    matrices: Box<Matrices>,
    state: [Lanes; 2],
}

impl Splitter {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self {
            matrices: Box::new(Matrices::new(f64::from(rate_hz))),
            state: [[0.0; STEP]; 2],
        }
    }

    /// Filters `input` into the three bands. All four are of one length, a multiple of [`STEP`].
    /// `FUSED`: the processor multiplies and adds in one instruction.
    #[inline(always)]
    pub(super) fn split<const FUSED: bool>(&mut self, input: &[f32], bands: [&mut [f32]; 3]) {
        let matrices = &*self.matrices;
        let [low, mid, high] = bands;
        let steps = input
            .as_chunks::<STEP>()
            .0
            .iter()
            .zip(low.as_chunks_mut::<STEP>().0)
            .zip(mid.as_chunks_mut::<STEP>().0)
            .zip(high.as_chunks_mut::<STEP>().0);
        let mut state = self.state;
        for (((input, low), mid), high) in steps {
            let mut outputs = [[0.0; STEP]; 3];
            let mut next = [[0.0; STEP]; 2];
            for index in 0..STATES {
                let unit = state[index / STEP][index % STEP];
                let (band, own) = (index / 4, index % 4);
                add::<FUSED>(&mut outputs[band], &matrices.from_state[band][own], unit);
                let half = index / STEP;
                add::<FUSED>(
                    &mut next[half],
                    &matrices.state_from_state[index][half],
                    unit,
                );
            }
            for (index, &unit) in input.iter().enumerate() {
                for (output, columns) in outputs.iter_mut().zip(&matrices.from_input) {
                    add::<FUSED>(output, &columns[index], unit);
                }
                for (next, column) in next.iter_mut().zip(&matrices.state_from_input[index]) {
                    add::<FUSED>(next, column, unit);
                }
            }
            state = next;
            [*low, *mid, *high] = outputs;
        }
        for state in state.as_flattened_mut() {
            if state.abs() < SILENT_STATE {
                *state = 0.0;
            }
        }
        self.state = state;
    }
}

#[inline(always)]
fn add<const FUSED: bool>(sum: &mut Lanes, column: &Lanes, unit: f32) {
    for lane in 0..STEP {
        sum[lane] = if FUSED {
            column[lane].mul_add(unit, sum[lane])
        } else {
            column[lane] * unit + sum[lane]
        };
    }
}
