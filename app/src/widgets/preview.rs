//! A whole track in the height of a table row: drawn once into a texture that all rows share. Where that has no
//! room, one mesh.

mod atlas;

use super::shape::{LAW, Shape, filling_gain};
use crate::theme;
use atlas::{Atlas, Place as Kept};
use eframe::egui::emath::GuiRounding as _;
use eframe::egui::mutex::Mutex;
use eframe::egui::{Color32, Id, Mesh, Painter, Pos2, Rect, pos2};
use std::sync::Arc;
use tonearm_core::waveform::Column;

/// The drawings of this window, as wide and high as they were last asked for.
fn kept(painter: &Painter, rect: Rect, columns: &[Column]) -> Kept {
    let ctx = painter.ctx();
    let id = Id::unique("drawings of previews");
    let atlas =
        ctx.data_mut(|data| Arc::clone(data.get_temp_mut_or_default::<Arc<Mutex<Atlas>>>(id)));
    let scale = ctx.pixels_per_point();
    let side = |points: f32| (points * scale).round().clamp(0.0, 65_535.0) as usize;
    let mut atlas = atlas.lock();
    atlas.get(ctx, [side(rect.width()), side(rect.height())], columns)
}

/// Draws the track into `rect`; what lies before `played` (0 to 1) is dim, and a line stands there.
pub fn paint(painter: &Painter, rect: Rect, columns: &[Column], played: Option<f32>) {
    if !painter.clip_rect().intersects(rect) || columns.is_empty() {
        return;
    }
    let rect = rect.round_to_pixels(painter.ctx().pixels_per_point());
    match kept(painter, rect, columns) {
        Kept::Nowhere => {
            painter.add(mesh(rect, columns, played));
        }
        Kept::Later => painter.ctx().request_repaint(),
        Kept::At(texture, part) => {
            let heard = played.filter(|share| share.is_finite());
            let heard = rect.left() + rect.width() * heard.unwrap_or(0.0).clamp(0.0, 1.0);
            let middle = part.left() + part.width() * (heard - rect.left()) / rect.width();
            let dim = Color32::WHITE.gamma_multiply(0.35);
            let halves = [
                (rect.with_max_x(heard), part.with_max_x(middle), dim),
                (
                    rect.with_min_x(heard),
                    part.with_min_x(middle),
                    Color32::WHITE,
                ),
            ];
            for (place, part, tint) in halves {
                if place.width() > 0.0 {
                    painter.image(texture, place, part, tint);
                }
            }
            if played.is_some() {
                let line = Rect::from_x_y_ranges(heard - 0.5..=heard + 0.5, rect.y_range());
                painter.rect_filled(line, 0.0, theme::PLAYHEAD);
            }
        }
    }
}

/// The drawing itself, for whoever keeps it. Empty for a rectangle without area.
pub fn mesh(rect: Rect, columns: &[Column], played: Option<f32>) -> Mesh {
    let mut mesh = Mesh::default();
    if !(rect.is_finite() && rect.is_positive()) || columns.is_empty() {
        return mesh;
    }
    let columns = columns.get(..columns.len().min(4096)).unwrap_or_default();
    mesh.reserve_triangles(columns.len() * 6);
    mesh.reserve_vertices(columns.len() * 12);
    let gain = filling_gain(columns);
    let half = rect.height() / 2.0;
    let width = rect.width() / columns.len() as f32;
    let played = played.filter(|share| share.is_finite());
    for (index, column) in columns.iter().enumerate() {
        let from = rect.left() + width * index as f32;
        let middle = (index as f32 + 0.5) / columns.len() as f32;
        let dim = played.is_some_and(|played| middle < played);
        let place = Place {
            from,
            to: from + width,
            centre: rect.center().y,
            half,
        };
        add(&mut mesh, *column, gain, place, dim);
    }
    if let Some(played) = played {
        let at = rect.left() + rect.width() * played.clamp(0.0, 1.0);
        let (top, bottom) = (pos2(at - 0.5, rect.top()), pos2(at + 0.5, rect.bottom()));
        quad(&mut mesh, top, bottom, theme::PLAYHEAD);
    }
    mesh
}

#[derive(Clone, Copy)]
struct Place {
    from: f32,
    to: f32,
    centre: f32,
    half: f32,
}

/// Stretches thinner than this, in points, are not worth a quad.
const LEAST: f32 = 0.4;

fn add(mesh: &mut Mesh, column: Column, gain: f32, place: Place, dim: bool) {
    let shape = Shape::of(column).raised(gain, LAW);
    let share = if dim { 0.35 } else { 1.0 };
    let regions = shape.regions(&theme::BANDS);
    let envelope = (shape.peak(), theme::BANDS[0].gamma_multiply(0.38));
    let [tall, middle, small] = regions.map(|(height, colour)| (height, colour));
    let stack = [envelope, tall, middle, small];
    for (index, (height, colour)) in stack.into_iter().enumerate() {
        let covered_to = stack.get(index + 1).map_or(0.0, |inner| inner.0);
        let tall_enough = (height - covered_to) * place.half >= LEAST;
        if tall_enough {
            let reach = height * place.half;
            quad(
                mesh,
                pos2(place.from, place.centre - reach),
                pos2(place.to, place.centre + reach),
                colour.gamma_multiply(share),
            );
        }
    }
}

fn quad(mesh: &mut Mesh, min: Pos2, max: Pos2, colour: Color32) {
    mesh.add_colored_rect(Rect::from_min_max(min, max), colour);
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::vec2;

    fn columns() -> Vec<Column> {
        (0..120_u8)
            .map(|index| Column {
                min: -(index as i8),
                max: index as i8,
                rms: index,
                low: 2 * index,
                mid: index,
                high: index / 2,
            })
            .collect()
    }

    fn row() -> Rect {
        Rect::from_min_size(pos2(10.0, 20.0), vec2(180.0, 22.0))
    }

    #[test]
    fn a_row_stays_within_its_rectangle_and_costs_at_most_four_quads_a_column() {
        let mesh = mesh(row(), &columns(), None);
        assert!(mesh.is_valid());
        assert!(mesh.indices.len() <= 120 * 4 * 6);
        let reach = row().expand(1e-3);
        assert!(mesh.vertices.iter().all(|at| reach.contains(at.pos)));
    }

    #[test]
    fn what_was_played_is_dimmer_than_what_is_to_come() {
        let fresh = mesh(row(), &columns(), None);
        let half = mesh(row(), &columns(), Some(0.5));
        let light = |mesh: &Mesh, from: f32| -> u32 {
            let vertices = mesh.vertices.iter();
            vertices
                .filter(|at| at.pos.x > from && at.pos.x < from + 20.0)
                .map(|at| u32::from(at.color.a()))
                .sum()
        };
        assert!(light(&half, 60.0) * 2 < light(&fresh, 60.0));
        assert_eq!(light(&half, 150.0), light(&fresh, 150.0));
    }

    #[test]
    fn nothing_to_draw_is_no_trouble() {
        assert!(mesh(row(), &[], Some(0.5)).is_empty());
        assert!(mesh(Rect::NOTHING, &columns(), None).is_empty());
        assert!(mesh(Rect::NAN, &columns(), None).is_empty());
        assert!(mesh(row(), &columns(), Some(f32::NAN)).is_valid());
        assert!(mesh(row().with_max_x(10.0), &columns(), None).is_empty());
    }
}
