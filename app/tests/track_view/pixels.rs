//! What the card draws is what the processor reckons.

use crate::scenes::{bare_state, music, render_state};
use eframe::egui::{self, Id, Vec2};
use eframe::egui_wgpu::RenderState;
use egui_kittest::Harness;
use egui_kittest::wgpu::WgpuTestRenderer;
use std::sync::Arc;
use tonearm::gpu::plan::{Plan, View};
use tonearm::gpu::{Source, reduce};
use tonearm::theme;
use tonearm::widgets::wave::{Drawing, paint};

const WIDTH: u32 = 300;
const HEIGHT: u32 = 160;
const GAIN: f32 = 1.2;

fn source() -> Source {
    Source {
        track: 1,
        edition: 1,
        waveform: Arc::clone(&music().1),
        expected: 0,
    }
}

/// Rows of each column, up from the centre line, that are not ground.
fn drawn(state: RenderState, start: f64, per_pixel: f64) -> Vec<u32> {
    let source = source();
    let mut harness = Harness::builder()
        .with_size(Vec2::new(WIDTH as f32, HEIGHT as f32))
        .renderer(WgpuTestRenderer::from_render_state(state))
        .build_ui(move |ui| {
            let rect = ui.ctx().viewport_rect();
            let drawing = Drawing {
                slot: Id::unique("test"),
                source: &source,
                start,
                per_point: per_pixel,
                gain: GAIN,
                samples: None,
                ground: theme::WAVE,
                bands: theme::BANDS,
            };
            let layer = egui::LayerId::new(egui::Order::Foreground, Id::unique("wave"));
            paint(&ui.ctx().layer_painter(layer), rect, &drawing);
        });
    // Whether the card can draw shows with the first picture.
    harness.run_steps(2);
    assert!(harness.render().is_ok());
    harness.run_steps(2);
    let picture = match harness.render() {
        Ok(picture) => picture,
        Err(trouble) => panic!("{trouble}"),
    };
    let [ground_red, ground_green, ground_blue, _] = theme::WAVE.to_array();
    let is_ground = |x: u32, y: u32| {
        let [red, green, blue, _] = picture.get_pixel(x, y).0;
        red.abs_diff(ground_red) < 6
            && green.abs_diff(ground_green) < 6
            && blue.abs_diff(ground_blue) < 6
    };
    (0..WIDTH)
        .map(|x| {
            let rows = (0..HEIGHT / 2).rev();
            rows.take_while(|&y| !is_ground(x, y)).count() as u32
        })
        .collect()
}

#[test]
fn card_and_processor_agree_within_a_pixel_at_every_zoom() {
    let waveform = &music().1;
    for per_pixel in [0.4_f64, 0.05, 0.01, 0.001] {
        // On the grid, so that no pixel is a blend of two.
        let start = (20.0 / per_pixel).round() * per_pixel;
        let view = View {
            start,
            per_pixel,
            pixels: WIDTH,
            anchor: 0.0,
        };
        let rate = f64::from(waveform.rate.hz());
        let plan = Plan::new(view, waveform.levels.len(), 0, rate).unwrap();
        let drawn = drawn(render_state(), start, per_pixel);
        for (pixel, rows) in drawn.into_iter().enumerate().skip(2) {
            let near = |offset: i64| {
                let pixel = (pixel as i64 + offset).max(0) as u32;
                let shape = reduce::shape(&waveform.levels, &plan, pixel);
                let heights = shape.raised(GAIN, plan.law);
                // Bands lie on both sides alike: they may reach further up than the sound itself.
                let tallest = heights.bands.into_iter().fold(heights.up, f32::max);
                tallest * HEIGHT as f32 / 2.0
            };
            // A rounding error in the start may count as one pixel of the grid.
            let low = near(0).min(near(1)) - 1.5;
            let high = near(0).max(near(1)) + 1.5;
            let rows = rows as f32;
            let thin = high <= 3.0 && rows <= 3.0;
            assert!(
                thin || (low..=high).contains(&rows),
                "{per_pixel} {pixel}: {rows} {low} {high}"
            );
        }
    }
}

#[test]
fn without_a_card_the_same_shape_is_drawn() {
    // On the grid and off it.
    for (start, per_pixel) in [(20.0, 0.4), (20.0, 0.05), (20.013, 0.01), (20.0, 0.001)] {
        let card = drawn(render_state(), start, per_pixel);
        let processor = drawn(bare_state(), start, per_pixel);
        for pixel in 1..WIDTH as usize - 1 {
            // Between two pixels of the grid the card blends, the processor steps.
            let near = &processor[pixel - 1..=pixel + 1];
            let low = near.iter().min().map_or(0, |rows| rows.saturating_sub(2));
            let high = near.iter().max().map_or(0, |rows| rows + 2);
            let rows = card[pixel];
            let at = format!("{pixel} at {per_pixel}");
            assert!((low..=high).contains(&rows), "{low} {rows} {high}: {at}");
        }
        assert!(
            processor.iter().any(|rows| *rows > 20),
            "nothing at {per_pixel}"
        );
    }
}
