//! A waveform in a rectangle: by the graphics card, or where there is none by the processor.

use super::shape::{self, Shape};
use crate::gpu::plan::{Plan, View};
use crate::gpu::{Health, Source, Wave, reduce};
use crate::shelf::Samples;
use crate::theme;
use eframe::egui::emath::GuiRounding as _;
use eframe::egui::{Color32, Context, Id, Mesh, Painter, Rect, pos2};
use eframe::egui_wgpu::Callback;
use std::sync::Arc;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Drawing<'a> {
    /// Names the place in the window.
    pub slot: Id,
    pub source: &'a Source,
    /// Seconds at the left edge, and in one point.
    pub start: f64,
    pub per_point: f64,
    /// As of [`shape::filling_gain`].
    pub gain: f32,
    /// Samples around the view, and how much of them is to be seen, 0 to 1.
    pub samples: Option<(&'a Arc<Samples>, f32)>,
    pub ground: Color32,
    /// As of [`theme::BANDS`].
    pub bands: [Color32; 7],
}

/// Draws `drawing` into `rect`.
pub fn paint(painter: &Painter, rect: Rect, drawing: &Drawing<'_>) {
    let ctx = painter.ctx();
    let scale = ctx.pixels_per_point();
    if !(rect.is_finite() && rect.is_positive() && scale > 0.0) {
        return;
    }
    let rect = rect.round_to_pixels(scale);
    let seen = rect
        .intersect(painter.clip_rect())
        .intersect(ctx.viewport_rect());
    if !seen.is_positive() {
        return;
    }
    let seen = seen.round_to_pixels(scale);
    let hidden = f64::from(seen.left() - rect.left());
    let view = View {
        start: drawing.start + hidden * drawing.per_point,
        per_pixel: drawing.per_point / f64::from(scale),
        pixels: (seen.width() * scale).round() as u32,
        anchor: 0.0,
    };
    let view = on_grid(ctx, drawing.slot, view);
    if !view.is_sound() {
        painter.rect_filled(seen, 0.0, drawing.ground);
        return;
    }
    let health = health(ctx);
    if !health.is_good() {
        by_processor(painter, rect, seen, drawing, view);
        return;
    }
    let wave = Wave {
        slot: drawing.slot.value(),
        source: drawing.source.clone(),
        view,
        height: seen.height() * scale,
        centre: (rect.center().y - seen.top()) * scale,
        half: rect.height() * scale / 2.0,
        gain: drawing.gain,
        line: (1.25 * scale).max(1.0),
        ground: drawing.ground,
        bands: drawing.bands,
        samples: drawing
            .samples
            .map(|(samples, share)| (Arc::clone(samples), share)),
        frame: Id::unique((ctx.viewport_id(), ctx.cumulative_pass_nr())).value(),
        health,
        ctx: ctx.clone(),
    };
    painter.add(Callback::new_paint_callback(seen, wave));
}

/// The grid of pixels of the frame before, so that zooming shows no step.
fn on_grid(ctx: &Context, slot: Id, view: View) -> View {
    ctx.data_mut(|data| {
        let before = data.get_temp::<View>(slot);
        let view = before.map_or(view, |before| view.zoomed_from(before));
        data.insert_temp(slot, view);
        view
    })
}

/// Whether this window's card draws waveforms.
fn health(ctx: &Context) -> Arc<Health> {
    let id = Id::unique("health of the graphics card");
    ctx.data_mut(|data| Arc::clone(data.get_temp_mut_or_default::<Arc<Health>>(id)))
}

/// The same picture as a mesh: without soft edges, and dearer.
fn by_processor(painter: &Painter, rect: Rect, seen: Rect, drawing: &Drawing<'_>, view: View) {
    painter.rect_filled(seen, 0.0, drawing.ground);
    let waveform = &drawing.source.waveform;
    let rate = f64::from(waveform.rate.hz());
    let Some(plan) = Plan::new(view, waveform.levels.len(), 0, rate) else {
        return;
    };
    let width = seen.width() / view.pixels as f32;
    let (centre, half) = (rect.center().y, rect.height() / 2.0);
    let line = Rect::from_x_y_ranges(seen.x_range(), centre - 0.5..=centre + 0.5);
    painter.rect_filled(line, 0.0, theme::CENTRE_LINE);
    let mut mesh = Mesh::default();
    for pixel in 0..=view.pixels {
        let left = seen.left() + (pixel as f32 - plan.shift) * width;
        let across = left.max(seen.left())..=(left + width).min(seen.right());
        if across.end() <= across.start() {
            continue;
        }
        let found = reduce::shape(&waveform.levels, &plan, pixel);
        let shape = found.raised(drawing.gain, plan.law);
        let (up, down) = (shape.up * half, shape.down * half);
        let place = Rect::from_x_y_ranges(across, centre - up..=centre + down);
        add(&mut mesh, place, shape, (centre, half), &drawing.bands);
    }
    painter.with_clip_rect(seen).add(mesh);
}

fn add(
    mesh: &mut Mesh,
    envelope: Rect,
    shape: Shape,
    (centre, half): (f32, f32),
    bands: &[Color32; 7],
) {
    mesh.add_colored_rect(envelope, bands[0].gamma_multiply(0.38));
    for (height, colour) in shape.regions(bands) {
        let reach = height * half;
        if reach > 0.25 {
            let min = pos2(envelope.left(), centre - reach);
            let max = pos2(envelope.right(), centre + reach);
            mesh.add_colored_rect(Rect::from_min_max(min, max), colour.gamma_multiply(0.9));
        }
    }
}

/// The gain for the whole of a waveform.
pub fn gain(source: &Source) -> f32 {
    let coarsest = source.waveform.levels.last();
    shape::filling_gain(coarsest.map_or(&[][..], Vec::as_slice))
}
