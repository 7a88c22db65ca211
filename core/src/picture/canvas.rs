//! Pixels to draw on: shapes by tiny-skia, text glyph by glyph.

use super::palette::Rgb;
use tiny_skia::{
    Color, FillRule, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Rect as SkiaRect, Stroke,
    Transform,
};

/// Pixels; `x` and `y` are the left upper corner.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rect {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl Rect {
    pub(super) fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    pub(super) fn right(self) -> f32 {
        self.x + self.w
    }

    pub(super) fn bottom(self) -> f32 {
        self.y + self.h
    }

    /// Smaller by the same margins on both sides.
    pub(super) fn inset(self, across: f32, down: f32) -> Self {
        Self {
            x: self.x + across,
            y: self.y + down,
            w: (self.w - 2.0 * across).max(0.0),
            h: (self.h - 2.0 * down).max(0.0),
        }
    }
}

/// An opaque picture: every pixel keeps full alpha.
pub(super) struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// `None` when there is not enough memory in the address space for the size.
    pub(super) fn new(width: u32, height: u32, background: Rgb) -> Option<Self> {
        let mut pixmap = Pixmap::new(width, height)?;
        pixmap.fill(colour(background, 1.0));
        Some(Self { pixmap })
    }

    pub(super) fn width(&self) -> u32 {
        self.pixmap.width()
    }

    pub(super) fn height(&self) -> u32 {
        self.pixmap.height()
    }

    pub(super) fn fill(&mut self, rect: Rect, rgb: Rgb, alpha: f32) {
        if let Some(area) = SkiaRect::from_xywh(rect.x, rect.y, rect.w, rect.h) {
            let paint = paint(rgb, alpha);
            self.pixmap
                .fill_rect(area, &paint, Transform::identity(), None);
        }
    }

    pub(super) fn fill_rounded(&mut self, rect: Rect, radius: f32, rgb: Rgb, alpha: f32) {
        if let Some(path) = rounded(rect, radius) {
            let paint = paint(rgb, alpha);
            self.pixmap.fill_path(
                &path,
                &paint,
                FillRule::Winding,
                Transform::identity(),
                None,
            );
        }
    }

    pub(super) fn stroke_rounded(&mut self, rect: Rect, radius: f32, line: (f32, Rgb, f32)) {
        let (width, rgb, alpha) = line;
        if let Some(path) = rounded(rect, radius) {
            let stroke = Stroke {
                width,
                ..Stroke::default()
            };
            self.pixmap.stroke_path(
                &path,
                &paint(rgb, alpha),
                &stroke,
                Transform::identity(),
                None,
            );
        }
    }

    /// Lays a colour (0 to 255, already multiplied by its alpha) over one pixel; outside the picture: nothing.
    pub(super) fn blend(&mut self, x: i32, y: i32, premultiplied: [f32; 3], alpha: f32) {
        let (width, height) = (self.width(), self.height());
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if x >= width || y >= height {
            return;
        }
        let place = y as usize * width as usize + x as usize;
        if let Some(pixel) = self.pixmap.pixels_mut().get_mut(place) {
            let [r, g, b] = premultiplied;
            let keep = 1.0 - alpha;
            let over = |new: f32, old: u8| (new + f32::from(old) * keep + 0.5) as u8;
            let red = over(r, pixel.red());
            let green = over(g, pixel.green());
            let blue = over(b, pixel.blue());
            if let Some(opaque) = PremultipliedColorU8::from_rgba(red, green, blue, 255) {
                *pixel = opaque;
            }
        }
    }

    /// Rows of red, green and blue bytes from top to bottom.
    pub(super) fn rgb_rows(&self) -> impl Iterator<Item = Vec<u8>> {
        let width = self.width() as usize;
        self.pixmap.pixels().chunks(width).map(|row| {
            row.iter()
                .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
                .collect()
        })
    }
}

fn colour(rgb: Rgb, alpha: f32) -> Color {
    let [r, g, b] = rgb.0.map(|channel| (channel / 255.0).clamp(0.0, 1.0));
    Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)).unwrap_or(Color::TRANSPARENT)
}

fn paint<'a>(rgb: Rgb, alpha: f32) -> Paint<'a> {
    let mut paint = Paint::default();
    paint.set_color(colour(rgb, alpha));
    paint
}

fn rounded(rect: Rect, radius: f32) -> Option<tiny_skia::Path> {
    // A quarter circle as a cubic curve.
    const ROUND: f32 = 0.552_285;
    let radius = radius.min(rect.w / 2.0).min(rect.h / 2.0);
    if radius <= 0.1 {
        return SkiaRect::from_xywh(rect.x, rect.y, rect.w, rect.h).map(PathBuilder::from_rect);
    }
    let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
    let bend = radius * (1.0 - ROUND);
    let mut path = PathBuilder::new();
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.cubic_to(right - bend, top, right, top + bend, right, top + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(
        right,
        bottom - bend,
        right - bend,
        bottom,
        right - radius,
        bottom,
    );
    path.line_to(left + radius, bottom);
    path.cubic_to(
        left + bend,
        bottom,
        left,
        bottom - bend,
        left,
        bottom - radius,
    );
    path.line_to(left, top + radius);
    path.cubic_to(left, top + bend, left + bend, top, left + radius, top);
    path.close();
    path.finish()
}
