//! The native window: how it starts, what it owns, how it ends.

mod app;

use crate::exit::Exit;
use app::App;
use eframe::egui::ViewportBuilder;
use std::path::PathBuf;

/// Opens the window on the library in `library` and returns when it is closed.
pub(crate) fn open(library: PathBuf, paths: Vec<PathBuf>) -> Result<(), Exit> {
    let options = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_app_id("tonearm")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([640.0, 400.0]),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "Tonearm",
        options,
        Box::new(move |creation| Ok(Box::new(App::new(creation, &library, &paths)))),
    )
    .map_err(|error| Exit::Failed(error.to_string()))
}

/// Whether there is a screen to open a window on.
pub(crate) fn has_display() -> bool {
    cfg!(not(all(unix, not(target_os = "macos"))))
        || std::env::var_os("DISPLAY").is_some()
        || std::env::var_os("WAYLAND_DISPLAY").is_some()
}
