//! The picture of a track's sound: columns of level and colour at 300 a second, and coarser levels of the same.

mod bytes;

pub use bytes::{WaveformBytesError, decode, encode};

use crate::units::{SampleRate, Secs};

/// Columns a second at the finest level. An integer number of frames at 44.1, 48, 88.2 and 96 kHz.
pub const COLUMNS_PER_SECOND: u32 = 300;

/// Each level has a quarter of the columns of the one before.
pub const LEVEL_STEP: usize = 4;

/// A level of at most this many columns is the last.
const COARSEST_COLUMNS: usize = 512;

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

impl Column {
    /// One column for all of `columns`: extremes of extremes, and the mean power. Silence for none.
    pub fn merged(columns: &[Self]) -> Self {
        let Some((first, rest)) = columns.split_first() else {
            return Self::default();
        };
        let mut merged = *first;
        let mut power = fourth_power(first.rms);
        for column in rest {
            merged.min = merged.min.min(column.min);
            merged.max = merged.max.max(column.max);
            merged.low = merged.low.max(column.low);
            merged.mid = merged.mid.max(column.mid);
            merged.high = merged.high.max(column.high);
            power += fourth_power(column.rms);
        }
        let mean = power as f64 / columns.len() as f64;
        merged.rms = mean.sqrt().sqrt().round() as u8;
        merged
    }
}

/// The companded level is the square root of an amplitude, so its fourth power is a power.
fn fourth_power(companded: u8) -> u64 {
    u64::from(companded).pow(4)
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
    /// Builds the coarser levels from the finest one.
    pub fn from_columns(rate: SampleRate, frames: u64, finest: Vec<Column>) -> Self {
        let mut levels = vec![finest];
        while let Some(last) = levels.last()
            && last.len() > COARSEST_COLUMNS
        {
            let coarser = last.chunks(LEVEL_STEP).map(Column::merged).collect();
            levels.push(coarser);
        }
        Self {
            rate,
            frames,
            levels,
        }
    }

    /// Length in time.
    pub fn duration(&self) -> Secs {
        self.rate.secs_from_frame(crate::units::Frame(self.frames))
    }

    /// Columns a second at `level`.
    pub fn columns_per_second(level: usize) -> f64 {
        let step = (LEVEL_STEP as f64).powi(i32::try_from(level).unwrap_or(i32::MAX));
        f64::from(COLUMNS_PER_SECOND) / step
    }

    /// Index of the column at `level` that `at` lies in; times before the start give the first.
    pub fn column_at(level: usize, at: Secs) -> usize {
        // The float-to-integer cast saturates. The nudge makes a time that is a column's start find that column.
        (at.0 * Self::columns_per_second(level) + 1e-6).floor() as usize
    }

    /// When the column `index` of `level` begins.
    pub fn column_start(level: usize, index: usize) -> Secs {
        Secs(index as f64 / Self::columns_per_second(level))
    }

    /// The coarsest level that still has at least `columns_per_second`; the finest if none has.
    pub fn level_for(&self, columns_per_second: f64) -> usize {
        (0..self.levels.len())
            .rev()
            .find(|&level| Self::columns_per_second(level) >= columns_per_second)
            .unwrap_or(0)
    }

    /// The whole track in exactly `columns` columns.
    pub fn preview(&self, columns: usize) -> Vec<Column> {
        let Some(finest) = self.levels.first() else {
            return Vec::new();
        };
        let level = self
            .levels
            .iter()
            .rev()
            .find(|level| level.len() >= columns)
            .unwrap_or(finest);
        let edge = |index: usize| {
            let place = index as u128 * level.len() as u128 / columns.max(1) as u128;
            place as usize
        };
        (0..columns)
            .map(|index| {
                let from = edge(index);
                let to = edge(index + 1).max(from + 1).min(level.len());
                Column::merged(level.get(from..to).unwrap_or_default())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(columns: usize) -> Waveform {
        let finest = (0..columns)
            .map(|index| Column {
                min: -((index % 100) as i8),
                max: (index % 127) as i8,
                rms: (index % 256) as u8,
                low: (index % 251) as u8,
                mid: 3,
                high: 0,
            })
            .collect();
        Waveform::from_columns(
            SampleRate::new(48_000).unwrap(),
            columns as u64 * 160,
            finest,
        )
    }

    #[test]
    fn each_level_covers_the_one_before() {
        let waveform = ramp(10_001);
        assert_eq!(
            waveform.levels.iter().map(Vec::len).collect::<Vec<_>>(),
            [10_001, 2_501, 626, 157]
        );
        for pair in waveform.levels.windows(2) {
            for (index, column) in pair[1].iter().enumerate() {
                let from = index * LEVEL_STEP;
                let to = (from + LEVEL_STEP).min(pair[0].len());
                assert_eq!(*column, Column::merged(&pair[0][from..to]));
            }
        }
    }

    #[test]
    fn merging_keeps_extremes_and_mean_power() {
        let loud = Column {
            min: -9,
            max: 4,
            rms: 200,
            low: 1,
            mid: 50,
            high: 2,
        };
        let quiet = Column {
            min: -1,
            max: 7,
            rms: 0,
            low: 5,
            mid: 4,
            high: 3,
        };
        let merged = Column::merged(&[loud, quiet]);
        assert_eq!((merged.min, merged.max), (-9, 7));
        assert_eq!((merged.low, merged.mid, merged.high), (5, 50, 3));
        // Half the power is the fourth root of a half in this scale: 200 · 0.8409.
        assert_eq!(merged.rms, 168);
    }

    #[test]
    fn a_preview_has_as_many_columns_as_asked_for() {
        let waveform = ramp(10_001);
        for columns in [0, 1, 10, 157, 158, 1_000, 10_001, 15_000] {
            assert_eq!(waveform.preview(columns).len(), columns);
        }
        let all = waveform.preview(1)[0];
        assert_eq!((all.min, all.max), (-99, 126));
        assert_eq!(ramp(0).preview(5), vec![Column::default(); 5]);
        assert_eq!(ramp(3).preview(6).first(), ramp(3).levels[0].first());
    }

    #[test]
    fn zooming_picks_the_level_that_is_just_fine_enough() {
        let waveform = ramp(100_000);
        for (wanted, level) in [
            (1_000.0, 0),
            (300.0, 0),
            (76.0, 0),
            (75.0, 1),
            (18.0, 2),
            (0.1, 4),
        ] {
            assert_eq!(waveform.level_for(wanted), level, "{wanted}");
        }
    }

    #[test]
    fn columns_and_times_agree_at_every_level() {
        for level in 0..5 {
            for index in [0, 1, 2, 1_000, 123_457] {
                let start = Waveform::column_start(level, index);
                assert_eq!(Waveform::column_at(level, start), index);
                let before = Secs(start.0 - 1e-4);
                assert_eq!(Waveform::column_at(level, before), index.saturating_sub(1));
            }
        }
        assert_eq!(Waveform::column_at(0, Secs(-3.0)), 0);
        assert_eq!(Waveform::column_at(0, Secs(f64::NAN)), 0);
    }
}
