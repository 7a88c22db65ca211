//! The head of the picture: what the track is, and its figures.

use super::PictureRequest;
use super::canvas::{Canvas, Rect};
use super::palette::{self, Rgb, TEXT, TEXT_FAINT, TEXT_MUTED};
use super::text::{Fonts, Ink};

/// One figure with what it is.
struct Figure {
    value: String,
    caption: String,
    rgb: Rgb,
}

pub(super) fn draw(
    canvas: &mut Canvas,
    fonts: &Fonts<'_>,
    request: &PictureRequest<'_>,
    place: (Rect, f32),
) {
    let (area, scale) = place;
    let mut right = area.right();
    for figure in figures(request).iter().rev() {
        let value_size = 17.0 * scale;
        let caption_size = 10.5 * scale;
        let value_width = fonts.width(&figure.value, value_size);
        let caption_width = fonts.width(&figure.caption, caption_size);
        let width = value_width.max(caption_width);
        // Half the room belongs to the title.
        if right - width < area.x + area.w * 0.5 {
            break;
        }
        let ink = |size, rgb| Ink {
            size,
            rgb,
            alpha: 1.0,
        };
        let value_at = (right - value_width, area.y + 20.0 * scale);
        fonts.draw(canvas, &figure.value, value_at, ink(value_size, figure.rgb));
        let caption_at = (right - caption_width, area.y + 37.0 * scale);
        fonts.draw(
            canvas,
            &figure.caption,
            caption_at,
            ink(caption_size, TEXT_FAINT.mix(TEXT_MUTED, 0.5)),
        );
        right -= width + 26.0 * scale;
    }
    let room = right - area.x;
    let first = request.title.or(request.artist).unwrap_or_default();
    let second = request.title.and(request.artist).unwrap_or_default();
    let lines = [
        (
            first,
            20.0,
            TEXT,
            if second.is_empty() { 27.0 } else { 20.0 },
        ),
        (second, 12.5, TEXT_MUTED, 37.5),
    ];
    for (text, size, rgb, baseline) in lines {
        let size = size * scale;
        let text = fonts.fitting(text, size, room);
        let ink = Ink {
            size,
            rgb,
            alpha: 1.0,
        };
        fonts.draw(canvas, &text, (area.x, area.y + baseline * scale), ink);
    }
}

/// Figures from left to right; the last ones stay where room is short.
fn figures(request: &PictureRequest<'_>) -> Vec<Figure> {
    let mut figures = Vec::new();
    let lufs = request.loudness.and_then(|loudness| loudness.integrated);
    if let Some(lufs) = lufs.filter(|lufs| lufs.is_finite()) {
        figures.push(Figure {
            value: format!("{lufs:.1}").replace('-', "−"),
            caption: "LUFS".to_owned(),
            rgb: TEXT_MUTED,
        });
    }
    if let Some(length) = crate::export::csv::clock(request.waveform.duration().0) {
        figures.push(Figure {
            value: length,
            caption: "length".to_owned(),
            rgb: TEXT_MUTED,
        });
    }
    if let Some(key) = request.key {
        figures.push(Figure {
            value: key.camelot(),
            caption: key.to_string(),
            rgb: palette::key_text_colour(key),
        });
    }
    if let Some(bpm) = request.bpm.filter(|bpm| bpm.0.is_finite()) {
        figures.push(Figure {
            value: format!("{:.2}", bpm.0),
            caption: "BPM".to_owned(),
            rgb: TEXT,
        });
    }
    figures
}
