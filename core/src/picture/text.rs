//! Words in a picture: measured, cut to fit, drawn.

use super::canvas::{Canvas, Rect};
use super::palette::Rgb;
use ab_glyph::{Font as _, FontRef, GlyphId, PxScale, ScaleFont as _, point};
use epaint_default_fonts::{HACK_REGULAR, UBUNTU_LIGHT};
use unicode_normalization::UnicodeNormalization as _;

/// The typefaces of a picture, in the order in which a letter is looked for.
pub(super) struct Fonts<'a>(Vec<FontRef<'a>>);

/// A letter ready to be drawn; `glyph` is absent where no typeface has it.
struct Placed {
    font: usize,
    glyph: Option<GlyphId>,
    x: f32,
    advance: f32,
}

/// How a piece of text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    /// Height of a capital M and its surroundings, in pixels.
    pub size: f32,
    pub rgb: Rgb,
    pub alpha: f32,
}

/// A width that no letter of these typefaces has at size 1, for those that none has.
const BOX_ADVANCE: f32 = 0.62;

impl<'a> Fonts<'a> {
    /// The built-in typefaces, then `more`; what is no typeface is passed over.
    pub(super) fn new(more: &[&'a [u8]]) -> Self {
        let built_in = [UBUNTU_LIGHT, HACK_REGULAR];
        let all = built_in.into_iter().chain(more.iter().copied());
        Self(
            all.filter_map(|bytes| FontRef::try_from_slice(bytes).ok())
                .collect(),
        )
    }

    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let placed = self.place(text, size);
        placed.last().map_or(0.0, |last| last.x + last.advance)
    }

    /// `text` as it is if it fits, else shortened with `…`; empty if not even that fits.
    pub(super) fn fitting(&self, text: &str, size: f32, width: f32) -> String {
        // Nothing longer than this fits on the widest picture.
        let text: String = text.chars().take(2000).collect();
        if self.width(&text, size) <= width {
            return text;
        }
        let room = width - self.width("…", size);
        let fits = self
            .place(&text, size)
            .iter()
            .take_while(|letter| letter.x + letter.advance <= room)
            .count();
        let kept: String = text.nfkc().take(fits).collect();
        let kept = kept.trim_end();
        if kept.is_empty() {
            String::new()
        } else {
            format!("{kept}…")
        }
    }

    /// Draws `text` with its left end at `x` and its baseline at `y`; returns its width.
    pub(super) fn draw(&self, canvas: &mut Canvas, text: &str, at: (f32, f32), ink: Ink) -> f32 {
        let (x, y) = at;
        let placed = self.place(text, ink.size);
        for letter in &placed {
            match letter.glyph {
                Some(glyph) => {
                    self.draw_glyph(canvas, (letter.font, glyph), (x + letter.x, y), ink);
                }
                None => draw_box(canvas, (x + letter.x, y), ink),
            }
        }
        placed.last().map_or(0.0, |last| last.x + last.advance)
    }

    fn draw_glyph(
        &self,
        canvas: &mut Canvas,
        (font, glyph): (usize, GlyphId),
        at: (f32, f32),
        ink: Ink,
    ) {
        let Some(font) = self.0.get(font) else {
            return;
        };
        let scale = em_scale(font, ink.size);
        let glyph = glyph.with_scale_and_position(scale, point(at.0, at.1));
        let Some(outlined) = font.outline_glyph(glyph) else {
            return;
        };
        let bounds = outlined.px_bounds();
        let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
        outlined.draw(|x, y, coverage| {
            // Light strokes on a dark ground look thinner than they are.
            let alpha = coverage.clamp(0.0, 1.0).powf(0.8) * ink.alpha;
            if alpha > 0.0 {
                let premultiplied = ink.rgb.0.map(|channel| channel * alpha);
                canvas.blend(left + x as i32, top + y as i32, premultiplied, alpha);
            }
        });
    }

    /// Letters from left to right. Compatibility forms (full-width letters, ligatures) as plain ones.
    fn place(&self, text: &str, size: f32) -> Vec<Placed> {
        let mut placed: Vec<Placed> = Vec::new();
        let mut x = 0.0;
        for c in text.nfkc().filter(|c| !is_invisible(*c)) {
            let c = if c.is_whitespace() || c.is_control() {
                ' '
            } else {
                c
            };
            let found = self.0.iter().enumerate().find_map(|(index, font)| {
                let glyph = font.glyph_id(c);
                (glyph.0 != 0).then_some((index, glyph))
            });
            let Some((index, glyph)) = found else {
                let advance = BOX_ADVANCE * size;
                placed.push(Placed {
                    font: 0,
                    glyph: None,
                    x,
                    advance,
                });
                x += advance;
                continue;
            };
            let Some(font) = self.0.get(index) else {
                continue;
            };
            let scaled = font.as_scaled(em_scale(font, size));
            if let Some(before) = placed.last()
                && let Some(before_glyph) = before.glyph
                && before.font == index
            {
                x += scaled.kern(before_glyph, glyph);
            }
            let advance = scaled.h_advance(glyph);
            placed.push(Placed {
                font: index,
                glyph: Some(glyph),
                x,
                advance,
            });
            x += advance;
        }
        placed
    }
}

/// The scale at which one em is `size` pixels.
fn em_scale(font: &FontRef<'_>, size: f32) -> PxScale {
    let em = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(size * font.height_unscaled() / em)
}

/// A quiet box in place of a letter that no typeface has: the text keeps its length, and nobody reads noise.
fn draw_box(canvas: &mut Canvas, at: (f32, f32), ink: Ink) {
    let rect = Rect::new(
        at.0 + 0.08 * ink.size,
        at.1 - 0.66 * ink.size,
        (BOX_ADVANCE - 0.16) * ink.size,
        0.66 * ink.size,
    );
    let line = (ink.size / 18.0).max(0.8);
    canvas.stroke_rounded(rect, 0.1 * ink.size, (line, ink.rgb, 0.35 * ink.alpha));
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_its_room_and_no_shorter() {
        let fonts = Fonts::new(&[b"not a typeface"]);
        let text = "Night Drive at 4 am";
        let whole = fonts.width(text, 20.0);
        assert_eq!(fonts.fitting(text, 20.0, whole + 0.1), text);
        let cut = fonts.fitting(text, 20.0, whole / 2.0);
        assert!(cut.ends_with('…') && cut.len() > 6, "{cut}");
        assert!(fonts.width(&cut, 20.0) <= whole / 2.0 + 0.5);
        assert_eq!(fonts.fitting(text, 20.0, 3.0), "");
        assert_eq!(fonts.fitting("", 20.0, 3.0), "");
    }

    #[test]
    fn every_script_takes_room_and_full_width_letters_are_plain() {
        let fonts = Fonts::new(&[]);
        assert!(fonts.width("夜に駆ける", 20.0) > 40.0);
        assert_eq!(fonts.width("ＤＪ", 20.0), fonts.width("DJ", 20.0));
        assert_eq!(fonts.width("\u{200b}\u{feff}", 20.0), 0.0);
        assert!(fonts.width("Łódź Ελλάδα Москва − ♯", 20.0) > 100.0);
    }
}
