//! Where the columns of a track lie in its texture: level below level, rows of columns, layers of rows.

use tonearm_core::waveform::{Column, Waveform};

/// Three texels of two bytes for each column: 2046 fit into the narrowest texture that any card allows.
pub(super) const COLUMNS_PER_ROW: usize = 682;
pub(super) const TEXELS_PER_COLUMN: usize = 3;
pub(super) const ROWS_PER_LAYER: usize = 512;
/// Bytes of one layer.
pub(super) const LAYER_BYTES: usize =
    COLUMNS_PER_ROW * TEXELS_PER_COLUMN * ROWS_PER_LAYER * size_of::<u16>();

/// Room for the levels of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Levels finer than this have no room.
    pub finest: usize,
    /// For each level: the first of its rows, and for how many columns there is room.
    pub levels: Vec<(usize, usize)>,
    pub layers: usize,
}

/// A rectangle of texels to be written, and the columns that go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub layer: usize,
    pub row: usize,
    pub rows: usize,
    /// Columns across.
    pub width: usize,
    pub columns: std::ops::Range<usize>,
}

impl Layout {
    /// Room for levels of these lengths in at most `most_layers`; the finest are left out where they do not fit.
    pub(super) fn new(lengths: &[usize], most_layers: usize) -> Option<Self> {
        (0..lengths.len())
            .map(|finest| Self::from_level(lengths, finest))
            .find(|layout| layout.layers <= most_layers)
    }

    fn from_level(lengths: &[usize], finest: usize) -> Self {
        let mut rows = 0_usize;
        let mut levels: Vec<(usize, usize)> = lengths
            .iter()
            .enumerate()
            .rev()
            .map(|(level, &length)| {
                let room = if level < finest { 0 } else { length };
                let start = rows;
                rows = rows.saturating_add(room.div_ceil(COLUMNS_PER_ROW));
                (start, room)
            })
            .collect();
        levels.reverse();
        Self {
            finest,
            levels,
            // A single layer would make some drivers take it for a plain texture.
            layers: rows.div_ceil(ROWS_PER_LAYER).max(2),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.layers.saturating_mul(LAYER_BYTES)
    }

    /// Whether a waveform with these lengths still has its place here.
    pub(super) fn holds(&self, lengths: &[usize]) -> bool {
        lengths.len() == self.levels.len()
            && lengths
                .iter()
                .zip(&self.levels)
                .skip(self.finest)
                .all(|(length, (_, room))| length <= room)
    }

    /// The next block of `level` from column `from` on, within its row or as whole rows of one layer: at most
    /// `most` columns, and at least one row's.
    pub(super) fn block(&self, level: usize, from: usize, to: usize, most: usize) -> Option<Block> {
        let &(start, room) = self.levels.get(level)?;
        let to = to.min(room);
        if from >= to {
            return None;
        }
        // From the beginning of the row: what stands there already is the same.
        let first_row = from / COLUMNS_PER_ROW;
        let from = first_row * COLUMNS_PER_ROW;
        let row = start + first_row;
        let whole_rows = (to - from) / COLUMNS_PER_ROW;
        let (rows, width) = if whole_rows == 0 {
            (1, to - from)
        } else {
            let left_in_layer = ROWS_PER_LAYER - row % ROWS_PER_LAYER;
            let affordable = (most / COLUMNS_PER_ROW).max(1);
            (
                whole_rows.min(left_in_layer).min(affordable),
                COLUMNS_PER_ROW,
            )
        };
        Some(Block {
            layer: row / ROWS_PER_LAYER,
            row: row % ROWS_PER_LAYER,
            rows,
            width,
            columns: from..from + (rows - 1) * COLUMNS_PER_ROW + width,
        })
    }
}

/// Columns of each level, where `expected` columns are to come in all.
pub(super) fn lengths(waveform: &Waveform, expected: usize) -> Vec<usize> {
    let mut expected = expected;
    waveform
        .levels
        .iter()
        .map(|level| {
            let room = level.len().max(expected);
            expected = expected.div_ceil(tonearm_core::waveform::LEVEL_STEP);
            room
        })
        .collect()
}

/// Bytes of `count` columns.
pub(super) const fn column_bytes(count: usize) -> usize {
    count.saturating_mul(size_of::<Column>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_column_is_written_once_where_the_shader_looks_for_it(
            finest in 0_usize..400_000, from in 0_usize..400_000, most in 1_usize..100_000,
        ) {
            let lengths = [finest, finest.div_ceil(4), finest.div_ceil(16)];
            let layout = Layout::new(&lengths, 256).unwrap();
            for (level, &length) in lengths.iter().enumerate() {
                let mut at = from.min(length);
                while let Some(block) = layout.block(level, at, length, most) {
                    prop_assert!(block.columns.end > at);
                    prop_assert!(block.row + block.rows <= ROWS_PER_LAYER);
                    prop_assert!(block.layer < layout.layers);
                    prop_assert!(block.rows == 1 || block.width == COLUMNS_PER_ROW);
                    let first = block.columns.start;
                    let row = layout.levels[level].0 + first / COLUMNS_PER_ROW;
                    prop_assert_eq!(block.layer * ROWS_PER_LAYER + block.row, row);
                    prop_assert_eq!(first % COLUMNS_PER_ROW, 0);
                    at = block.columns.end;
                }
                prop_assert_eq!(at, length);
            }
        }
    }

    #[test]
    fn what_does_not_fit_leaves_out_the_finest_levels() {
        let day = 24 * 3600 * 300;
        let lengths = [day, day / 4, day / 16, day / 64];
        assert_eq!(Layout::new(&lengths, 256).unwrap().finest, 0);
        let small = Layout::new(&lengths, 16).unwrap();
        assert_eq!(small.finest, 2);
        assert!(small.layers <= 16);
        assert_eq!(small.block(0, 0, day, 1000), None);
        assert_eq!(Layout::new(&lengths, 1), None);
        assert_eq!(Layout::new(&[], 256), None);
    }

    #[test]
    fn three_hours_fit_a_card_with_the_least_limits() {
        let columns = 3 * 3600 * 300;
        let layout = Layout::new(&[columns, columns / 4, columns / 16], 256).unwrap();
        assert_eq!(layout.finest, 0);
        assert!(layout.bytes() < 32 << 20, "{}", layout.bytes());
    }
}
