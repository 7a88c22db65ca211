//! Drawings of whole tracks side by side in one texture: a row on the screen is two triangles.

use crate::theme;
use crate::widgets::shape::{LAW, Shape, filling_gain};
use eframe::egui::{
    Color32, ColorImage, Context, Pos2, Rect, TextureHandle, TextureId, TextureOptions, pos2,
};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use tonearm_core::waveform::Column;

/// Pixels across: every card has room for that.
const WIDTH: usize = 2048;
const MOST_HEIGHT: usize = 2048;
/// More rows than a high display shows.
const DRAWINGS: usize = 160;
/// New ones in one frame: a page further comes in a few frames.
const A_FRAME: u32 = 16;

/// Where a drawing is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// In the texture, in shares of it.
    At(TextureId, Rect),
    /// In one of the next frames.
    Later,
    /// It is too large, or there are too many.
    Nowhere,
}

/// One drawing.
#[derive(Debug, Clone, Copy)]
struct Drawing {
    slot: usize,
    seen: u64,
}

#[derive(Default)]
pub(super) struct Atlas {
    /// Pixels of each drawing.
    size: [usize; 2],
    texture: Option<TextureHandle>,
    /// By what they show.
    drawings: HashMap<u64, Drawing>,
    pass: Option<u64>,
    left: u32,
}

impl Atlas {
    /// The drawing of `columns`, made if need be.
    pub(super) fn get(&mut self, ctx: &Context, size: [usize; 2], columns: &[Column]) -> Place {
        let [across, down] = grid(size);
        let slots = (across * down).min(DRAWINGS);
        if slots < 16 {
            return Place::Nowhere;
        }
        let pass = ctx.cumulative_pass_nr();
        if self.pass != Some(pass) {
            (self.pass, self.left) = (Some(pass), A_FRAME);
        }
        if self.size != size {
            self.size = size;
            self.texture = None;
            self.drawings.clear();
        }
        let texture = self.texture.get_or_insert_with(|| {
            let rows = slots.div_ceil(across);
            let empty = ColorImage::filled([WIDTH, rows * size[1]], Color32::TRANSPARENT);
            ctx.load_texture("previews", empty, TextureOptions::NEAREST)
        });
        let key = key(columns);
        let slot = if let Some(found) = self.drawings.get_mut(&key) {
            found.seen = pass;
            found.slot
        } else {
            if self.left == 0 {
                return Place::Later;
            }
            let Some(slot) = free(&mut self.drawings, slots, pass) else {
                return Place::Nowhere;
            };
            self.left -= 1;
            let corner = [slot % across * size[0], slot / across * size[1]];
            texture.set_partial(corner, image(size, columns), TextureOptions::NEAREST);
            self.drawings.insert(key, Drawing { slot, seen: pass });
            slot
        };
        let whole = texture.size();
        let share = |x: usize, y: usize| -> Pos2 {
            pos2(x as f32 / whole[0] as f32, y as f32 / whole[1] as f32)
        };
        let (left, top) = (slot % across * size[0], slot / across * size[1]);
        let part = Rect::from_min_max(share(left, top), share(left + size[0], top + size[1]));
        Place::At(texture.id(), part)
    }
}

/// Drawings of a size beside and below one another.
fn grid([width, height]: [usize; 2]) -> [usize; 2] {
    let fit = |whole: usize, part: usize| whole.checked_div(part).unwrap_or(0);
    [fit(WIDTH, width), fit(MOST_HEIGHT, height)]
}

/// A slot that nothing stands in, or what was not seen for longest; none of this frame.
fn free(drawings: &mut HashMap<u64, Drawing>, slots: usize, pass: u64) -> Option<usize> {
    if drawings.len() < slots {
        return Some(drawings.len());
    }
    let oldest = drawings.iter().min_by_key(|(_, drawing)| drawing.seen);
    let (key, oldest) = oldest.map(|(key, drawing)| (*key, *drawing))?;
    if oldest.seen == pass {
        return None;
    }
    drawings.remove(&key);
    Some(oldest.slot)
}

fn key(columns: &[Column]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytemuck::cast_slice::<Column, u8>(columns).hash(&mut hasher);
    hasher.finish()
}

/// Colours over heights, mirrored about the middle; where an edge lies within a pixel, it is a share of it.
fn image([width, height]: [usize; 2], columns: &[Column]) -> ColorImage {
    let gain = filling_gain(columns);
    let raised = |column: &Column| Shape::of(*column).raised(gain, LAW);
    let shapes: Vec<Shape> = columns.iter().map(raised).collect();
    let mut image = ColorImage::filled([width, height], Color32::TRANSPARENT);
    let half = height as f32 / 2.0;
    for x in 0..width {
        let Some(shape) = shapes.get(x * shapes.len() / width) else {
            continue;
        };
        let [tall, middle, small] = shape.regions(&theme::BANDS);
        let envelope = (shape.peak(), theme::BANDS[0].gamma_multiply(0.38));
        for (level, colour) in [envelope, tall, middle, small] {
            let reach = level * half;
            let first = (half - reach).floor().max(0.0) as usize;
            for y in first..height.div_ceil(2) {
                let covered = (reach - half + y as f32 + 1.0).clamp(0.0, 1.0);
                let opposite = height - 1 - y;
                // All further in is covered as well.
                let (rows, is_last) = if covered >= 1.0 {
                    (y..=opposite, true)
                } else {
                    put(&mut image, [x, y], colour.gamma_multiply(covered));
                    (opposite.max(y + 1)..=opposite, false)
                };
                for y in rows {
                    put(&mut image, [x, y], colour.gamma_multiply(covered));
                }
                if is_last {
                    break;
                }
            }
        }
    }
    image
}

/// Lays `colour` over a pixel.
fn put(image: &mut ColorImage, [x, y]: [usize; 2], colour: Color32) {
    let width = image.size[0];
    if let Some(pixel) = image.pixels.get_mut(y * width + x) {
        *pixel = if colour.is_opaque() {
            colour
        } else {
            pixel.blend(colour)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::RawInput;

    fn columns(number: u8) -> Vec<Column> {
        (0..120_u8)
            .map(|index| Column {
                min: -(index as i8),
                max: index as i8,
                rms: number,
                low: 2 * index,
                mid: index,
                high: index / 2,
            })
            .collect()
    }

    #[test]
    fn a_drawing_grows_with_the_sound_and_is_the_same_above_and_below() {
        let image = image([240, 20], &columns(1));
        let lit = |x: usize| {
            (0..20)
                .filter(|y| image.pixels[y * 240 + x].a() > 0)
                .count()
        };
        assert!(lit(2) <= 2 && lit(120) > 5 && lit(239) >= 18);
        for x in 0..240 {
            for y in 0..10 {
                assert_eq!(image.pixels[y * 240 + x], image.pixels[(19 - y) * 240 + x]);
            }
        }
    }

    #[test]
    fn a_few_come_each_frame_and_what_is_in_view_stays() {
        let ctx = Context::default();
        let mut atlas = Atlas::default();
        let mut frame = |numbers: std::ops::Range<u8>| -> Vec<Place> {
            let mut places = Vec::new();
            ctx.run_ui(RawInput::default(), |ui| {
                let get = |number| atlas.get(ui.ctx(), [140, 20], &columns(number));
                places = numbers.clone().map(get).collect();
            })
            .drop_without_applying_deltas();
            places
        };
        let is_there = |place: &&Place| matches!(place, Place::At(..));
        assert_eq!(frame(0..40).iter().filter(is_there).count(), 16);
        frame(0..40);
        let all = frame(0..40);
        assert_eq!(all.iter().filter(is_there).count(), 40);
        for (index, place) in all.iter().enumerate() {
            assert!(!all[..index].contains(place), "two in one place");
        }
        // Long lists push out what is not in view.
        for _frame in 0..20 {
            frame(0..250);
        }
        let many = frame(0..250);
        assert_eq!(many.iter().filter(is_there).count(), DRAWINGS.min(14 * 102));
        for _frame in 0..4 {
            frame(200..240);
        }
        assert_eq!(frame(200..240).iter().filter(is_there).count(), 40);
    }

    #[test]
    fn what_is_too_large_or_nothing_has_no_place() {
        let ctx = Context::default();
        let mut atlas = Atlas::default();
        for size in [[0, 0], [0, 20], [3000, 20], [1500, 900], [140, 0]] {
            assert_eq!(atlas.get(&ctx, size, &columns(1)), Place::Nowhere);
        }
    }
}
