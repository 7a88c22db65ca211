//! The picture of a track's sound: columns of level and colour at 300 a second, and coarser levels of the same.

use crate::units::{SampleRate, Secs};

/// Columns a second at the finest level. An integer number of frames at 44.1, 48, 88.2 and 96 kHz.
pub const COLUMNS_PER_SECOND: u32 = 300;

/// Each level has a quarter of the columns of the one before.
pub const LEVEL_STEP: usize = 4;

/// What happens in one column. Absolute levels: tracks and bands compare.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Column {
    /// Lowest and highest sample of the mono mix, -127 to 127 for full scale.
    pub min: i8,
    pub max: i8,
    /// Square-root companded levels: 255 × √level. Full scale is 255.
    pub rms: u8,
    /// Peak below 200 Hz, from there to 2.5 kHz, above.
    pub low: u8,
    pub mid: u8,
    pub high: u8,
}

/// All levels of one track, finest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waveform {
    pub rate: SampleRate,
    /// Length of the track in frames at `rate`.
    pub frames: u64,
    /// Never empty; the last has at most a few hundred columns.
    pub levels: Vec<Vec<Column>>,
}

impl Waveform {
    /// Length in time.
    pub fn duration(&self) -> Secs {
        self.rate.secs_from_frame(crate::units::Frame(self.frames))
    }
}
