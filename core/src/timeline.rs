//! What stands where on the time axis of a track, decided once for the window and for pictures: which lines are drawn
//! at a zoom, which chords are one block, which name fits.

mod grid;

pub use grid::{Grid, Line, Step};

use crate::harmony::{Chord, ChordSpan, Spelling};

/// Neighbours no further apart than this many seconds touch.
const TOUCHING: f64 = 0.02;

/// A stretch of one chord, or of none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChordBlock {
    /// Seconds.
    pub from: f64,
    pub to: f64,
    pub chord: Option<Chord>,
    /// 0 to 1, of where it begins.
    pub confidence: f32,
}

impl ChordBlock {
    /// What could be written on it, longest first.
    pub fn names(&self, spelling: Spelling) -> [String; 2] {
        match self.chord {
            Some(chord) => [chord.short_name(spelling), chord.shortest_name(spelling)],
            None => ["N.C.".to_owned(), "\u{2013}".to_owned()],
        }
    }
}

/// The chords that sound between two times, of ascending `spans`; the same chord going on is one block.
pub fn chord_blocks(
    spans: &[ChordSpan],
    from: f64,
    to: f64,
) -> impl Iterator<Item = ChordBlock> + '_ {
    let first = spans.partition_point(|span| span.end.0 <= from);
    let mut rest = spans
        .get(first..)
        .unwrap_or_default()
        .iter()
        .take_while(move |span| span.start.0 < to)
        .filter(|span| span.start.0 < span.end.0)
        .peekable();
    std::iter::from_fn(move || {
        let span = rest.next()?;
        let mut block = ChordBlock {
            from: span.start.0,
            to: span.end.0,
            chord: span.chord,
            confidence: span.confidence,
        };
        while let Some(next) = rest
            .next_if(|next| next.chord == block.chord && (next.start.0 - block.to).abs() < TOUCHING)
        {
            block.to = next.end.0;
        }
        Some(block)
    })
}

/// The first of `names` that `room` has space for, with its width; `measure` tells widths in the same unit.
pub fn fitting(names: &[String], room: f32, measure: impl Fn(&str) -> f32) -> Option<(&str, f32)> {
    names.iter().find_map(|name| {
        let width = measure(name);
        (width <= room).then_some((name.as_str(), width))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harmony::{PitchClass, Quality};
    use crate::units::Secs;

    fn span(start: f64, end: f64, root: u8) -> ChordSpan {
        ChordSpan {
            start: Secs(start),
            end: Secs(end),
            start_raw: Secs(start),
            end_raw: Secs(end),
            chord: Some(Chord {
                root: PitchClass::new(root),
                quality: Quality::Minor7,
                bass: None,
            }),
            confidence: 0.5,
        }
    }

    #[test]
    fn the_same_chord_going_on_is_one_block_and_what_is_out_of_view_is_none() {
        let spans = [
            span(0.0, 1.0, 2),
            span(1.0, 2.0, 9),
            span(2.01, 3.0, 9),
            span(3.5, 4.0, 9),
            span(4.0, 4.0, 1),
            span(4.0, 5.0, 0),
            span(f64::NAN, 6.0, 0),
        ];
        let found: Vec<(f64, f64)> = chord_blocks(&spans, 1.5, 4.5)
            .map(|block| (block.from, block.to))
            .collect();
        assert_eq!(found, [(1.0, 3.0), (3.5, 4.0), (4.0, 5.0)]);
        assert_eq!(chord_blocks(&[], 0.0, 9.0).count(), 0);
    }

    #[test]
    fn the_longest_name_that_fits_is_taken() {
        let names = span(0.0, 1.0, 10).chord.map(|chord| {
            ChordBlock {
                from: 0.0,
                to: 1.0,
                chord: Some(chord),
                confidence: 1.0,
            }
            .names(Spelling::default())
        });
        let names = names.unwrap();
        assert_eq!(names, ["Bbm7", "Bbm"]);
        let letters = |name: &str| name.len() as f32;
        assert_eq!(fitting(&names, 9.0, letters), Some(("Bbm7", 4.0)));
        assert_eq!(fitting(&names, 3.5, letters), Some(("Bbm", 3.0)));
        assert_eq!(fitting(&names, 2.0, letters), None);
    }
}
