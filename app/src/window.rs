//! The native window: how it starts, what it owns, how it ends.

mod again;
mod app;
mod closing;
mod decks;
mod diagnostics;
mod errands;
mod folder;
mod frame;
mod heap;
mod hearing;
mod keeper;
mod keys;
mod perform;
mod setup;
mod sound;
mod start;
mod waker;

use crate::exit::Exit;
use crate::notices::Notice;
use crate::panels::{Page, Panels, WindowPlace};
use crate::settings::file::Places;
pub(crate) use again::Again;
use app::{App, Beginnings};
use eframe::egui::{IconData, ViewportBuilder};
use eframe::egui_wgpu::{WgpuSetup, WgpuSetupCreateNew};
use eframe::wgpu;
pub(crate) use heap::settle as settle_heap;
use hearing::Hearing;
use keeper::Keeper;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use waker::Waker;

/// What the window is to show first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Opening {
    pub(crate) library: PathBuf,
    /// Where environments and models lie.
    pub(crate) places: tonearm_core::setup::Places,
    /// Files and folders to bring in.
    pub(crate) paths: Vec<PathBuf>,
    /// Beginnings of ids of tracks to open.
    pub(crate) tracks: Vec<String>,
    /// With which the program would start again: as it was started, but for the paths and tracks.
    pub(crate) words: Vec<OsString>,
    /// The program before this one lost the graphics card.
    pub(crate) again: Option<Again>,
}

/// Called first of all, so that the log can tell how long a start took.
pub(crate) fn mark_start() {
    since_start();
}

fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Opens the window and returns when it is closed.
pub(crate) fn open(opening: Opening) -> Result<(), Exit> {
    let (keeper, kept) = Keeper::open(Places::of_user());
    let (waker, hearing) = (Waker::default(), Hearing::default());
    // Beside the window and the graphics card, which take as long.
    let library = start::open_library(&opening, &kept.settings, &waker, &hearing);
    let player = start::start_player(&waker);
    // Decided once: a window cannot become transparent later.
    let see_through = kept.settings.overlay_opacity < 1.0;
    let viewport = viewport(&kept.panels).with_transparent(see_through);
    let named = !opening.paths.is_empty() || !opening.tracks.is_empty();
    let mut panels = kept.panels;
    let lacks_track = panels.page == Page::Track && panels.track.track.is_none();
    if named || lacks_track {
        panels.page = Page::Library;
    }
    let beginnings = Beginnings {
        library,
        player,
        waker,
        hearing,
        keeper,
        settings: kept.settings,
        panels,
        notices: first_notices(kept.troubles, opening.again.as_ref()),
    };
    let mut options = eframe::NativeOptions {
        viewport,
        ..eframe::NativeOptions::default()
    };
    if let WgpuSetup::CreateNew(new) = &mut options.wgpu_options.wgpu_setup {
        new.native_adapter_selector = opening.again.as_ref().and_then(Again::adapter);
        be_thrifty(new);
    }
    eframe::run_native(
        "Tonearm",
        options,
        Box::new(move |creation| Ok(Box::new(App::new(creation, opening, beginnings)))),
    )
    .map_err(|error| Exit::Failed(excuse(&error)))
}

/// Takes memory for the card in small blocks: of the usual 64 MB, which fill up within the hour, a tenth is needed.
fn be_thrifty(setup: &mut WgpuSetupCreateNew) {
    let usual = Arc::clone(&setup.device_descriptor);
    setup.device_descriptor = Arc::new(move |adapter| wgpu::DeviceDescriptor {
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        ..usual(adapter)
    });
}

/// What is to be said as soon as there is a window.
fn first_notices(troubles: Vec<String>, again: Option<&Again>) -> Vec<Notice> {
    let troubles = troubles.into_iter().map(Notice::warning);
    troubles.chain(again.map(Again::notice)).collect()
}

fn viewport(panels: &Panels) -> ViewportBuilder {
    let builder = ViewportBuilder::default()
        .with_app_id("tonearm")
        .with_title("Tonearm")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([640.0, 400.0])
        .with_drag_and_drop(true);
    let builder = match icon() {
        Some(icon) => builder.with_icon(Arc::new(icon)),
        None => builder,
    };
    match panels.place.and_then(WindowPlace::plausible) {
        Some(place) => {
            let builder = builder
                .with_inner_size(place.size)
                .with_maximized(place.maximized);
            match place.position {
                Some(position) => builder.with_position(position),
                None => builder,
            }
        }
        None => builder,
    }
}

fn icon() -> Option<IconData> {
    let png = include_bytes!("../../assets/icons/tonearm.png");
    let image = image::load_from_memory(png).ok()?.into_rgba8();
    Some(IconData {
        width: image.width(),
        height: image.height(),
        rgba: image.into_raw(),
    })
}

/// Why there is no window, for people.
fn excuse(error: &eframe::Error) -> String {
    let reason = match error {
        eframe::Error::Wgpu(error) => {
            format!(
                "no graphics adapter can draw the window ({error}); install a Vulkan or OpenGL driver"
            )
        }
        eframe::Error::AppCreation(error) => format!("the window could not be made: {error}"),
        error => format!("no window can be opened here: {error}"),
    };
    format!("{reason}\nThe command line works without a window: see tonearm --help")
}

/// Whether there is a screen to open a window on.
pub(crate) fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(all(unix, not(target_os = "macos")))) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
