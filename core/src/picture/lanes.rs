//! Chords and keys beneath the waveform, as coloured blocks on its time axis.

use super::axis::Axis;
use super::canvas::{Canvas, Rect};
use super::palette::{self, BACKGROUND, NO_CHORD, Rgb, TEXT_MUTED};
use super::text::{Fonts, Ink};
use crate::harmony::{Chord, ChordSpan, KeySpan, Mode, Quality};

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
    spans: &[ChordSpan],
    lane: (Rect, Axis, f32),
) {
    let mut blocks: Vec<(Option<Chord>, Block)> = Vec::new();
    for span in spans {
        let (from, to) = (span.start.0, span.end.0);
        // Also false for times that are none.
        if !(from < to && to > lane.1.from && from < lane.1.to) {
            continue;
        }
        match blocks.last_mut() {
            Some((chord, block)) if *chord == span.chord && (from - block.to).abs() < 0.02 => {
                block.to = to;
            }
            _ => blocks.push((span.chord, chord_block(span.chord, from, to))),
        }
    }
    let blocks: Vec<Block> = blocks.into_iter().map(|(_, block)| block).collect();
    draw(canvas, fonts, &blocks, lane);
}

fn chord_block(chord: Option<Chord>, from: f64, to: f64) -> Block {
    match chord {
        Some(chord) => Block {
            from,
            to,
            rgb: palette::chord_colour(chord),
            ink: BACKGROUND,
            names: names(chord),
        },
        None => Block {
            from,
            to,
            rgb: NO_CHORD.mix(BACKGROUND, 0.45),
            ink: TEXT_MUTED,
            names: vec!["–".to_owned()],
        },
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
    let named = block.names.iter().find_map(|name| {
        if rect.w < size * 0.5 {
            return None;
        }
        let width = fonts.width(name, size);
        (width + 2.0 * margin <= rect.w).then_some((name, width))
    });
    let Some((name, width)) = named else {
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

/// Ways to write a chord, longest first: as musicians do, then only root and third.
fn names(chord: Chord) -> Vec<String> {
    let root = chord.root.name();
    let minor = match palette::third(chord.quality) {
        Mode::Major => "",
        Mode::Minor => "m",
    };
    let suffix = match chord.quality {
        Quality::Major => "",
        Quality::Minor => "m",
        Quality::Dominant7 => "7",
        Quality::Major7 => "maj7",
        Quality::Minor7 => "m7",
        Quality::Sus4 => "sus4",
        Quality::Sus2 => "sus2",
        Quality::Diminished => "dim",
        Quality::HalfDiminished7 => "m7b5",
        Quality::Augmented => "aug",
        Quality::Minor9 => "m9",
        Quality::Major9 => "maj9",
        Quality::Dominant9 => "9",
        Quality::Major6 => "6",
        Quality::Minor6 => "m6",
        Quality::Diminished7 => "dim7",
        Quality::MinorMajor7 => "mMaj7",
    };
    let mut names = vec![format!("{root}{suffix}"), format!("{root}{minor}")];
    names.dedup();
    names
}
