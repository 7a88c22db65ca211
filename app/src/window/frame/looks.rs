//! Pictures of the whole window: pages, sheets, trouble.

use super::tests::{Stage, draw, line};
use super::*;
use eframe::egui::Vec2;
use eframe::egui_wgpu::RendererOptions;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};
use std::sync::Arc;
use tonearm_core::core_loop::command::Extent;
use tonearm_core::core_loop::event::{Outcome, Tally};
use tonearm_core::core_loop::view::{ImportProgress, Rows, Waiting};
use tonearm_core::row::Row;
use tonearm_core::waveform::Column;
use tracing::Level;

#[path = "../../../tests/library/rows.rs"]
#[expect(dead_code, reason = "shared with other tests, which use all of it")]
mod rows;

fn stage(panels: Panels, rows: Vec<Row>) -> Stage {
    let mut stage = Stage::default();
    stage.panels = panels;
    // Else it is told how many cores there are.
    stage.settings.jobs = Some(4);
    for (number, row) in (0..).zip(&rows) {
        let columns: Arc<[Column]> = (0..120).map(|at| column(number, at)).collect();
        stage.shelf.put_preview(row.track.id, columns);
    }
    stage.view.rows = Rows::new(rows);
    stage.about = About {
        version: "1.2.3",
        adapter: "Some card (Vulkan)".to_owned(),
        software: false,
        library: "/data/a rather long place/where music/of many years lives/tonearm".into(),
        settings: Some("/data/settings.json".into()),
    };
    stage
}

/// An intro, a drop, a break, another drop.
fn column(row: usize, at: usize) -> Column {
    let part = [30, 90, 120, 120, 40, 70, 120, 120, 100, 25][(at / 12 + row) % 10];
    let beat = (at * (7 + row) % 13) as i8;
    let level: i8 = part - beat;
    Column {
        min: -level,
        max: level,
        rms: (level as u8) + 40,
        low: (part as u8) + 70,
        mid: (100 + at % 30) as u8,
        high: (60 + at * 11 % 60) as u8,
    }
}

fn sheet(sheet: Sheet) -> Panels {
    Panels {
        sheet: Some(sheet),
        ..Panels::default()
    }
}

fn library() -> Stage {
    let mut panels = Panels::default();
    panels.library.selected = vec![rows::row(5).track.id];
    panels.library.inspector = false;
    panels.library.sidebar = false;
    stage(panels, rows::mixed(40))
}

fn imports() -> Stage {
    let mut panels = Panels::default();
    panels.imports.open = true;
    let mut stage = stage(panels, rows::mixed(40));
    let mut tally = Tally::default();
    for _file in 0..12 {
        tally.add(Outcome::Added);
    }
    stage.view.activity.import = Some(ImportProgress {
        tally,
        expected: Some(40),
    });
    stage.view.activity.finished = 12;
    stage.view.activity.queued = 28;
    let waiting = stage.view.rows.iter().take(5).map(|row| Waiting {
        track: row.track.id,
        extent: Extent::Everything,
        is_long: false,
        is_first: false,
        is_held: false,
    });
    stage.view.activity.waiting = waiting.collect();
    stage
}

fn settings() -> Stage {
    let mut stage = stage(sheet(Sheet::Settings), Vec::new());
    stage.view.stem_room.bytes = 20_000_000_000;
    stage
}

fn log() -> Stage {
    let mut stage = stage(sheet(Sheet::Log), Vec::new());
    stage.log = vec![
        line(Level::INFO, "the library is open: 40 tracks"),
        line(Level::WARN, "Old Tape.mp3: the sound breaks off after 1:12"),
        line(Level::ERROR, "the output went away: looking for it again"),
    ];
    stage
}

/// The name of a picture, what it shows, and its size in points.
type Case = (&'static str, fn() -> Stage, Vec2);

#[test]
fn every_page_and_sheet_looks_as_it_should() {
    let wide = Vec2::new(640.0, 400.0);
    let cases: [Case; 7] = [
        ("library", library, wide),
        ("library_narrow", library, Vec2::new(320.0, 400.0)),
        (
            "library_empty",
            || stage(Panels::default(), Vec::new()),
            wide,
        ),
        ("imports", imports, wide),
        ("help", || stage(sheet(Sheet::Help), Vec::new()), wide),
        ("settings", settings, wide),
        ("log", log, wide),
    ];
    let options = SnapshotOptions::new()
        // What the clock of a line reads depends on where one lives.
        .max_failed_pixels(250);
    let mut results = SnapshotResults::new();
    for (name, stage, size) in cases {
        let state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
        let mut harness = Harness::builder()
            .with_size(size)
            .with_step_dt(0.2)
            .with_context_setup(theme::install)
            .renderer(WgpuTestRenderer::from_render_state(state))
            .build_ui_state(draw, stage());
        harness.run_steps(6);
        results.add(harness.try_snapshot_options(name, &options));
    }
}
