//! What a frame of the library costs: the whole pass of the window's toolkit at 1920 × 1080.
//!
//! `TONEARM_BENCH_CPU=1 cargo bench --profile quick --bench library` prints CPU time.

#[path = "clock/cpu.rs"]
mod cpu;
#[path = "../tests/library/rows.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod rows;

use eframe::egui::{
    self, Context, Event, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, RawInput, Rect,
    TouchPhase, Vec2, pos2, vec2,
};
use tonearm::outbox::Outbox;
use tonearm::scene::Scene;
use tonearm::settings::Settings;
use tonearm::shelf::{PREVIEW_COLUMNS, Shelf};
use tonearm::theme;
use tonearm::views::library::{LibraryPanel, library_ui};
use tonearm_core::core_loop::view::{Rows, View};
use tonearm_core::playback::PlayerView;
use tonearm_core::waveform::Column;

fn main() {
    if !cpu::is_wanted() {
        return divan::main();
    }
    for count in [500, 50_000] {
        for (name, points) in [
            ("still", 0.0),
            ("a row further", 26.0),
            ("40 new rows", 1040.0),
        ] {
            let mut window = Window::new(count);
            cpu::report(&format!("{count} rows, {name}"), || window.frame(points));
        }
    }
}

/// As many rows have a preview as the shelf keeps; the bench scrolls through no more.
const PREVIEWS: usize = 15_000;

/// Some sound, another one in each row, the same at every run.
fn column(row: usize, at: usize) -> Column {
    let level = |step: usize| (40 + (row * 31 + at) * step % 180) as u8;
    Column {
        min: -((level(7) / 2) as i8),
        max: (level(11) / 2) as i8,
        rms: level(5),
        low: level(3),
        mid: level(13),
        high: level(17),
    }
}

/// A window without a screen.
struct Window {
    ctx: Context,
    view: View,
    sound: PlayerView,
    shelf: Shelf,
    settings: Settings,
    panel: LibraryPanel,
    frames: u64,
}

impl Window {
    fn new(count: usize) -> Self {
        let mut window = Self {
            ctx: Context::default(),
            view: View {
                rows: Rows::new((0..count).map(rows::row).collect()),
                ..View::default()
            },
            sound: PlayerView::default(),
            shelf: Shelf::default(),
            settings: Settings::default(),
            panel: LibraryPanel::default(),
            frames: 0,
        };
        theme::install(&window.ctx);
        for (number, row) in window.view.rows.iter().take(PREVIEWS).enumerate() {
            let columns = (0..PREVIEW_COLUMNS).map(|at| column(number, at));
            window.shelf.put_preview(row.track.id, columns.collect());
        }
        for _warm_up in 0..5 {
            window.frame(0.0);
        }
        window
    }

    /// One frame, scrolled down by `points`; the number of vertices.
    fn frame(&mut self, points: f32) -> usize {
        self.frames += 1;
        let mut events = vec![Event::PointerMoved(pos2(900.0, 500.0))];
        if points != 0.0 {
            events.push(Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, -points),
                phase: TouchPhase::Move,
                source: MouseWheelSource::Unknown,
                modifiers: Modifiers::NONE,
            });
        }
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, Vec2::new(1920.0, 1080.0))),
            time: Some(self.frames as f64 / 60.0),
            events,
            ..RawInput::default()
        };
        let scene = Scene {
            view: &self.view,
            sound: &self.sound,
            playhead: None,
            sought: None,
            shelf: &self.shelf,
            settings: &self.settings,
            setup: &tonearm_core::setup::SetupView::default(),
            ready: true,
        };
        let panel = &mut self.panel;
        let mut out = Outbox::default();
        let output = self
            .ctx
            .run_ui(input, |ui| library_ui(ui, &scene, panel, &mut out));
        let shapes = output.shapes.clone();
        let scale = output.pixels_per_point;
        output.drop_without_applying_deltas();
        let meshes = self.ctx.tessellate(shapes, scale);
        meshes
            .iter()
            .map(|mesh| match &mesh.primitive {
                egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
                egui::epaint::Primitive::Callback(_) => 0,
            })
            .sum()
    }
}

#[divan::bench(args = [500, 50_000])]
fn nothing_moves(bencher: divan::Bencher<'_, '_>, count: usize) {
    let mut window = Window::new(count);
    bencher.bench_local(|| window.frame(0.0));
}

#[divan::bench(args = [500, 50_000])]
fn one_row_further_each_frame(bencher: divan::Bencher<'_, '_>, count: usize) {
    let mut window = Window::new(count);
    bencher.bench_local(|| window.frame(26.0));
}

#[divan::bench(args = [50_000])]
fn forty_new_rows_each_frame(bencher: divan::Bencher<'_, '_>, count: usize) {
    let mut window = Window::new(count);
    bencher.bench_local(|| window.frame(1040.0));
}
