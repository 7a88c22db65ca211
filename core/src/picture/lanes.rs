//! Chords and keys beneath the waveform, as coloured blocks on its time axis.

use super::axis::Axis;
use super::canvas::{Canvas, Rect};
use super::palette::{self, BACKGROUND, NO_CHORD, Rgb, TEXT_MUTED};
use super::text::{Fonts, Ink};
use crate::harmony::{ChordSpan, KeySpan, Spelling};
use crate::timeline::{self, ChordBlock};
use crate::units::Secs;

/// A stretch of one colour with what could be written on it, longest first.
struct Block {
    from: f64,
    to: f64,
    rgb: Rgb,
    ink: Rgb,
    names: Vec<String>,
}

pub(super) fn draw_chords(
    canvas: &mut Canvas,
    fonts: &Fonts<'_>,
    (spans, keys): (&[ChordSpan], &[KeySpan]),
    lane: (Rect, Axis, f32),
) {
    let blocks: Vec<Block> = timeline::chord_blocks(spans, lane.1.from, lane.1.to)
        .map(|block| chord_block(block, Spelling::at(keys, Secs(block.from))))
        .collect();
    draw(canvas, fonts, &blocks, lane);
}

fn chord_block(block: ChordBlock, spelling: Spelling) -> Block {
    let (rgb, ink) = match block.chord {
        Some(chord) => (palette::chord_colour(chord), BACKGROUND),
        None => (NO_CHORD.mix(BACKGROUND, 0.45), TEXT_MUTED),
    };
    Block {
        from: block.from,
        to: block.to,
        rgb,
        ink,
        names: block.names(spelling).into(),
    }
}

pub(super) fn draw_keys(
    canvas: &mut Canvas,
    fonts: &Fonts<'_>,
    spans: &[KeySpan],
    lane: (Rect, Axis, f32),
) {
    let visible = spans
        .iter()
        .filter(|span| span.start.0 < span.end.0)
        .filter(|span| span.end.0 > lane.1.from && span.start.0 < lane.1.to);
    let blocks: Vec<Block> = visible
        .map(|span| {
            let camelot = span.key.camelot();
            Block {
                from: span.start.0,
                to: span.end.0,
                rgb: palette::key_colour(span.key).mix(BACKGROUND, 0.72),
                ink: palette::key_text_colour(span.key),
                names: vec![format!("{camelot}   {}", span.key), camelot],
            }
        })
        .collect();
    draw(canvas, fonts, &blocks, lane);
}

fn draw(canvas: &mut Canvas, fonts: &Fonts<'_>, blocks: &[Block], lane: (Rect, Axis, f32)) {
    let (area, axis, scale) = lane;
    let gap = scale.round().max(1.0);
    let placed: Vec<(&Block, Rect)> = blocks
        .iter()
        .filter_map(|block| {
            let left = axis.x(block.from).max(area.x);
            let right = axis.x(block.to).min(area.right());
            let (left, right) = if right - left >= 6.0 * scale {
                (left.round(), right.round() - gap)
            } else {
                (left, right)
            };
            let rect = Rect::new(left, area.y + gap, right - left, area.h - 2.0 * gap);
            (rect.w > 0.0).then_some((block, rect))
        })
        .collect();
    let lettering = lettering(fonts, &placed, (area.h * 0.54).min(13.5 * scale), scale);
    for (block, rect) in placed {
        let radius = (3.0 * scale).min(rect.w * 0.15);
        canvas.fill_rounded(rect, radius, block.rgb, 1.0);
        if let Some(lettering) = lettering {
            write_name(canvas, fonts, block, (rect, lettering));
        }
    }
}

/// How the names of a lane are written: all alike.
#[derive(Clone, Copy)]
struct Lettering {
    size: f32,
    /// Pixels to keep free on either side.
    margin: f32,
    centred: bool,
}

/// The largest letters in which nearly all names fit; `None` where a name here and there would be all. Centred
/// where blocks are short, else at the left, where the eye looks for the change.
fn lettering(
    fonts: &Fonts<'_>,
    placed: &[(&Block, Rect)],
    largest: f32,
    scale: f32,
) -> Option<Lettering> {
    let mut widths: Vec<f32> = placed.iter().map(|(_, rect)| rect.w).collect();
    widths.sort_by(f32::total_cmp);
    let typical = widths.get(widths.len() / 2).copied().unwrap_or(0.0);
    let margin = 2.0 * scale;
    let share_that_fits = |size: f32| {
        let fitting = placed.iter().filter(|(block, rect)| {
            let shortest = block.names.last().map_or("", String::as_str);
            // Most blocks of a whole mix are settled without measuring letters.
            rect.w >= size && fonts.width(shortest, size) + 2.0 * margin <= rect.w
        });
        fitting.count() as f32 / placed.len().max(1) as f32
    };
    let sizes = [(1.0, 0.8), (0.9, 0.8), (0.8, 0.8), (0.7, 0.5)];
    let size = sizes
        .into_iter()
        .map(|(size, enough)| (size * largest, enough))
        .find(|(size, enough)| share_that_fits(*size) >= *enough);
    size.map(|(size, _)| Lettering {
        size,
        margin,
        centred: typical < 90.0 * scale,
    })
}

/// The longest name that fits.
fn write_name(
    canvas: &mut Canvas,
    fonts: &Fonts<'_>,
    block: &Block,
    (rect, lettering): (Rect, Lettering),
) {
    let Lettering {
        size,
        margin,
        centred,
    } = lettering;
    let room = rect.w - 2.0 * margin;
    let measure = |name: &str| fonts.width(name, size);
    let Some((name, width)) = timeline::fitting(&block.names, room, measure) else {
        return;
    };
    let ink = Ink {
        size,
        rgb: block.ink,
        alpha: 1.0,
    };
    let centre = rect.x + (rect.w - width) / 2.0;
    let x = if centred {
        centre
    } else {
        centre.min(rect.x + 3.5 * margin)
    };
    let baseline = (rect.y + rect.h / 2.0 + size * 0.35).round();
    fonts.draw(canvas, name, (x, baseline), ink);
}
