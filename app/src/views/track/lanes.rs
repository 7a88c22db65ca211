//! Chords and keys beneath the waveform, as coloured blocks on its time axis.

use super::viewport::Viewport;
use crate::settings::KeyNotation;
use crate::theme;
use eframe::egui::{Color32, CornerRadius, FontId, Painter, Rect, pos2};
use tonearm_core::harmony::{Chord, ChordSpan, Key, KeyFinding, KeySpan, Spelling};
use tonearm_core::timeline;
use tonearm_core::units::Secs;

/// A key as the user wants it written.
pub(in crate::views) fn key_name(key: Key, notation: KeyNotation) -> String {
    match notation {
        KeyNotation::Camelot => key.camelot(),
        KeyNotation::OpenKey => key.open_key(),
        KeyNotation::Musical => key.to_string(),
    }
}

/// The colour of the key whose tonic triad the chord stands on.
pub(in crate::views) fn chord_colour(chord: Chord) -> Color32 {
    theme::key(Key {
        tonic: chord.root,
        mode: chord.third(),
    })
}

/// The chord that sounds at `at`.
pub(super) fn chord_at(spans: &[ChordSpan], at: f64) -> Option<Chord> {
    let past = spans.partition_point(|span| span.start.0 <= at);
    let span = spans.get(past.checked_sub(1)?)?;
    span.chord.filter(|_| at < span.end.0)
}

/// The key at `at`.
pub(super) fn key_at(spans: &[KeySpan], at: f64) -> Option<Key> {
    let past = spans.partition_point(|span| span.start.0 <= at);
    Some(spans.get(past.checked_sub(1)?)?.key)
}

struct Block<'a> {
    from: f64,
    to: f64,
    fill: Color32,
    ink: Color32,
    /// Longest first.
    names: &'a [String],
}

/// Chords narrower than this are drawn as one block with their neighbours.
const LEAST: f32 = 2.0;

pub(in crate::views) fn chords(
    painter: &Painter,
    rect: Rect,
    view: &Viewport,
    (spans, key): (&[ChordSpan], Option<&KeyFinding>),
) {
    let mut drawn_to = f32::NEG_INFINITY;
    for found in timeline::chord_blocks(spans, view.start, view.time(rect.width())) {
        if view.x(found.to) - drawn_to < LEAST {
            continue;
        }
        drawn_to = view.x(found.to);
        let (fill, ink) = match found.chord {
            Some(chord) => {
                // Unsure ones are paler.
                let sure = 0.55 + 0.45 * found.confidence.clamp(0.0, 1.0);
                let fill = theme::WAVE.lerp_to_gamma(chord_colour(chord), sure);
                (fill, theme::ON_CHIP)
            }
            None => (theme::NO_CHORD.gamma_multiply(0.45), theme::TEXT_MUTED),
        };
        let block = Block {
            from: found.from,
            to: found.to,
            fill,
            ink,
            names: &found.names(Spelling::of(key, Secs(found.from))),
        };
        draw(painter, rect, view, &block);
    }
}

pub(super) fn keys(
    painter: &Painter,
    rect: Rect,
    view: &Viewport,
    spans: &[KeySpan],
    notation: KeyNotation,
) {
    let end = view.time(rect.width());
    let first = spans.partition_point(|span| span.end.0 <= view.start);
    let seen = spans.iter().skip(first).take(1000);
    for span in seen.take_while(|span| span.start.0 < end) {
        let short = key_name(span.key, notation);
        let long = match notation {
            KeyNotation::Musical => format!("{}   {}", span.key, span.key.camelot()),
            KeyNotation::Camelot | KeyNotation::OpenKey => format!("{short}   {}", span.key),
        };
        let colour = theme::key(span.key);
        let block = Block {
            from: span.start.0,
            to: span.end.0,
            fill: theme::WAVE.lerp_to_gamma(colour, 0.24),
            // The hue itself is too dark to read where it is blue.
            ink: colour.lerp_to_gamma(theme::TEXT, 0.4),
            names: &[long, short],
        };
        draw(painter, rect, view, &block);
    }
}

fn draw(painter: &Painter, lane: Rect, view: &Viewport, block: &Block<'_>) {
    let left = (lane.left() + view.x(block.from)).max(lane.left() - 8.0);
    let right = (lane.left() + view.x(block.to)).min(lane.right() + 8.0);
    if left.is_nan() || right.is_nan() || right <= left {
        return;
    }
    let gap = if right - left > 5.0 { 1.0 } else { 0.0 };
    let rect = Rect::from_min_max(
        pos2(left, lane.top() + 1.0),
        pos2(right - gap, lane.bottom() - 1.0),
    );
    let radius = CornerRadius::same((rect.width() / 4.0).clamp(0.0, 4.0) as u8);
    painter.rect_filled(rect, radius, block.fill);
    // The name stays in view as long as its block is.
    let shown = rect.intersect(lane);
    if shown.width() < 12.0 {
        return;
    }
    let font = FontId::proportional(12.0);
    let lay = |name: &str| painter.layout_no_wrap(name.to_owned(), font.clone(), block.ink);
    let measure = |name: &str| lay(name).size().x;
    let Some((name, width)) = timeline::fitting(block.names, shown.width() - 8.0, measure) else {
        return;
    };
    let galley = lay(name);
    let middle = shown.center().x - width / 2.0;
    let x = if shown.width() < 72.0 {
        middle
    } else {
        shown.left() + 7.0
    };
    let at = pos2(x, shown.center().y - galley.size().y / 2.0);
    painter.galley(at, galley, block.ink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonearm_core::harmony::{PitchClass, Quality};

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
    fn the_chord_that_sounds_is_found() {
        let spans = [span(1.0, 2.0, 9), span(2.0, 3.0, 0), span(5.0, 6.0, 7)];
        for (at, name) in [
            (0.5, None),
            (1.0, Some("Am7")),
            (2.5, Some("Cm7")),
            (4.0, None),
            (5.5, Some("Gm7")),
            (9.0, None),
        ] {
            assert_eq!(
                chord_at(&spans, at)
                    .map(|chord| chord.short_name(Spelling::default()))
                    .as_deref(),
                name,
                "{at}"
            );
        }
    }
}
