//! Live decks from the window's side: when to listen, the rehearsal without hardware, the overlay's own window.

use super::app::{App, Library, Published};
use super::keys;
use super::waker::OVERLAY;
use crate::action::Action;
use crate::panels::Page;
use crate::settings::Settings;
use crate::shelf::Shelf;
use crate::views::decks::overlay::{
    LEAST_SIZE, OverlayPlace, OverlayScene, overlay_ui, wanted_height,
};
use crate::views::decks::{Live, Props};
use eframe::egui::{Context, Event, Ui, ViewportBuilder, ViewportCommand, ViewportId};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::view::View;
use tonearm_core::decks::{DecksCommand, DecksView, DecksWatch, Listen, Source};

/// The script that is rehearsed.
const SCRIPT: &str = "mixing";
/// Keys that wait for the main window: more than anybody presses between two of its frames.
const MOST_KEYS: usize = 16;
/// Pieces of demo music.
const PIECES: usize = 3;
/// Between two pictures where the processor draws.
const SLOW: Duration = Duration::from_millis(33);
/// While nothing moves by itself, but something could be moved.
const STILL: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(super) struct LiveDecks {
    /// Somebody wanted to see decks in this run.
    asked: bool,
    overlay: Option<Overlay>,
    /// The window was made so that others can be seen through it.
    pub(super) see_through: bool,
}

/// The window of the overlay, while it is open.
#[derive(Debug)]
struct Overlay {
    builder: ViewportBuilder,
    told: Arc<Told>,
}

/// What the overlay tells the main window.
#[derive(Debug)]
struct Told {
    closed: AtomicBool,
    place: Mutex<OverlayPlace>,
    /// Keys that were pressed while the overlay had the keyboard.
    keys: Mutex<Vec<Event>>,
}

/// All that the overlay draws from; it draws alone, also while the main window is out of sight.
#[derive(Debug)]
struct Held {
    watch: DecksWatch,
    shelf: Shelf,
    settings: Settings,
    props: Props,
    opacity: f32,
    is_slow: bool,
    told: Arc<Told>,
    card_lost: Arc<AtomicBool>,
}

impl LiveDecks {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            see_through: settings.overlay_opacity < 1.0,
            ..Self::default()
        }
    }
}

impl App {
    pub(super) fn decks(&self) -> Arc<DecksView> {
        match &self.library {
            Library::Open(core) => core.decks(),
            Library::Coming(_) | Library::Failed(_) | Library::Closed => Arc::default(),
        }
    }

    /// The library is there: listens when that is wanted from the start on.
    pub(super) fn begin_decks(&mut self) {
        let is_seen = self.panels.page == Page::Decks || self.panels.decks.overlay.open;
        if self.settings.listen_for_decks || is_seen {
            self.listen_for_decks();
        }
    }

    /// The first time that decks are looked at.
    fn listen_for_decks(&mut self) {
        if !std::mem::replace(&mut self.live.asked, true) {
            self.start_decks(Source::Network);
        }
    }

    fn start_decks(&mut self, from: Source) {
        self.live.asked = true;
        let listen = Listen {
            from,
            ..Listen::default()
        };
        self.command(Command::Decks(DecksCommand::Start(listen)));
    }

    pub(super) fn show_decks(&mut self) {
        self.panels.page = Page::Decks;
        self.panels.sheet = None;
        self.listen_for_decks();
    }

    pub(super) fn toggle_doctor(&mut self) {
        let is_seen = self.panels.page == Page::Decks && self.panels.decks.doctor;
        self.panels.decks.doctor = !is_seen;
        self.show_decks();
    }

    pub(super) fn toggle_overlay(&mut self) {
        let place = &mut self.panels.decks.overlay;
        place.open = !place.open;
        if place.open {
            self.listen_for_decks();
        }
    }

    /// Virtual players, and the music that they play where it is not there yet.
    pub(super) fn try_decks(&mut self, published: &Published) {
        self.panels.page = Page::Decks;
        self.panels.sheet = None;
        let library = self.opening.library.clone();
        if !has_demo(&published.view, &library) {
            self.errands.write_demo_for_decks(&library);
        }
        self.start_decks(Source::Simulation(SCRIPT.to_owned()));
    }

    pub(super) fn end_decks_trial(&mut self, published: &Published) {
        if published.decks.simulated.is_some() {
            self.start_decks(Source::Network);
        }
    }

    /// When decks want the next frame of the main window.
    pub(super) fn plan_decks(&self, ctx: &Context, decks: &DecksView) {
        if self.panels.page != Page::Decks {
            return;
        }
        let visible = ctx.input(|input| input.viewport().visible() != Some(false));
        if visible {
            repaint(ctx, decks, self.about.software);
        } else {
            ctx.request_repaint_after(Duration::from_secs(1));
        }
    }

    /// Shows the overlay, or takes it away.
    pub(super) fn overlay(&mut self, ctx: &Context) {
        self.remember_overlay();
        let place = self.panels.decks.overlay;
        let watch = match &self.library {
            Library::Open(core) if place.open && self.closing.is_none() => core.decks_watch(),
            _ => {
                self.live.overlay = None;
                self.waker.has_overlay(false);
                return;
            }
        };
        let overlay = self.live.overlay.get_or_insert_with(|| Overlay::new(place));
        let held = Held {
            watch,
            shelf: self.shelf.clone(),
            settings: self.settings.clone(),
            props: self.panels.decks.props.clone(),
            opacity: if self.live.see_through {
                self.settings.overlay_opacity
            } else {
                1.0
            },
            is_slow: self.about.software,
            told: Arc::clone(&overlay.told),
            card_lost: Arc::clone(&self.card_lost),
        };
        self.waker.has_overlay(true);
        let builder = overlay
            .builder
            .clone()
            .with_transparent(self.live.see_through);
        ctx.show_viewport_deferred(overlay_id(), builder, move |ui, _class| held.draw(ui));
    }

    /// What keys ask for that were pressed on the overlay.
    pub(super) fn pressed_on_overlay(&self, place: keys::Place) -> Vec<Action> {
        let Some(overlay) = &self.live.overlay else {
            return Vec::new();
        };
        let mut pressed = overlay
            .told
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let place = keys::Place {
            focus: keys::Focus::Nothing,
            left_by_escape: false,
            ..place
        };
        keys::actions(&std::mem::take(&mut *pressed), place)
    }

    /// Leaves the overlay's window as it is, empty: what a lost card has drawn in it cannot be taken down.
    pub(super) fn keep_overlay(&self, ctx: &Context) {
        if let Some(overlay) = &self.live.overlay {
            let builder = overlay.builder.clone();
            let builder = builder.with_transparent(self.live.see_through);
            ctx.show_viewport_deferred(overlay_id(), builder, |_ui, _class| {});
        }
    }

    fn remember_overlay(&mut self) {
        let Some(overlay) = &self.live.overlay else {
            return;
        };
        let is_closed = overlay.told.closed.load(Ordering::Relaxed);
        let place = *overlay
            .told
            .place
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let open = self.panels.decks.overlay.open && !is_closed;
        self.panels.decks.overlay = OverlayPlace { open, ..place };
    }
}

fn overlay_id() -> ViewportId {
    ViewportId::from_hash_of(OVERLAY)
}

/// Whether the demo music is in the library.
fn has_demo(view: &View, library: &Path) -> bool {
    let folder = super::errands::demo_folder(library);
    let pieces = view
        .rows
        .iter()
        .filter(|row| !row.track.missing && row.track.path.as_path().starts_with(&folder));
    pieces.take(PIECES).count() == PIECES
}

/// Asks for the next picture of decks: at the display's rate while they move.
fn repaint(ctx: &Context, decks: &DecksView, is_slow: bool) {
    match (decks.is_moving(), is_slow) {
        (true, false) => ctx.request_repaint(),
        (true, true) => ctx.request_repaint_after(SLOW),
        (false, _) if decks.units.is_empty() => ctx.request_repaint_after(STILL * 4),
        (false, _) => ctx.request_repaint_after(STILL),
    }
}

impl Overlay {
    fn new(place: OverlayPlace) -> Self {
        let place = place.within_bounds();
        let builder = ViewportBuilder::default()
            .with_title("Tonearm decks")
            .with_app_id("tonearm")
            .with_decorations(false)
            .with_resizable(true)
            .with_always_on_top()
            .with_active(false)
            .with_inner_size(place.size)
            .with_min_inner_size(LEAST_SIZE);
        let builder = match place.position {
            Some(position) => builder.with_position(position),
            None => builder,
        };
        Self {
            builder,
            told: Arc::new(Told {
                closed: AtomicBool::new(false),
                place: Mutex::new(place),
                keys: Mutex::default(),
            }),
        }
    }
}

impl Held {
    fn draw(&self, ui: &mut Ui) {
        if self.card_lost.load(Ordering::Relaxed) {
            // As in the main window, which will close.
            return;
        }
        let ctx = ui.ctx().clone();
        let decks = self.watch.now();
        let scene = OverlayScene {
            live: Live {
                decks: &decks,
                now: Instant::now(),
            },
            shelf: &self.shelf,
            settings: &self.settings,
            props: &self.props,
            opacity: self.opacity,
        };
        let asked = ctx.input(|input| input.viewport().close_requested());
        if overlay_ui(ui, &scene) || asked {
            self.told.closed.store(true, Ordering::Relaxed);
            // At once, whenever the main window gets to it.
            ctx.send_viewport_cmd(ViewportCommand::Visible(false));
            ctx.request_repaint_of(ViewportId::ROOT);
            return;
        }
        self.hand_over_keys(&ctx);
        self.remember(&ctx);
        self.grow(&ctx, wanted_height(scene.live));
        repaint(&ctx, &decks, self.is_slow);
    }

    /// The overlay has no keys of its own: all of them are for the main window.
    fn hand_over_keys(&self, ctx: &Context) {
        let pressed = ctx.input(|input| {
            let keys = input.events.iter();
            let keys = keys.filter(|event| matches!(event, Event::Key { pressed: true, .. }));
            keys.take(MOST_KEYS).cloned().collect::<Vec<Event>>()
        });
        if pressed.is_empty() {
            return;
        }
        let mut keys = self
            .told
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        keys.extend(pressed);
        keys.truncate(MOST_KEYS);
        ctx.request_repaint_of(ViewportId::ROOT);
    }

    /// Makes room for decks that have come.
    fn grow(&self, ctx: &Context, wanted: f32) {
        let Some(inner) = ctx.input(|input| input.viewport().inner_rect) else {
            return;
        };
        let mut place = self
            .told
            .place
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if place.grows_for(wanted * ctx.zoom_factor()) {
            let size = eframe::egui::vec2(inner.width(), wanted);
            ctx.send_viewport_cmd(ViewportCommand::InnerSize(size));
        }
    }

    /// Where the window is, for the next time.
    fn remember(&self, ctx: &Context) {
        let zoom = ctx.zoom_factor();
        let seen = ctx.input(|input| {
            let viewport = input.viewport();
            let size = viewport.inner_rect?.size() * zoom;
            let position = viewport.outer_rect.map(|rect| rect.min * zoom);
            Some((size, position))
        });
        if let Some((size, position)) = seen {
            let mut place = self
                .told
                .place
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            place.size = size.into();
            place.position = position.map(|at| [at.x, at.y]);
        }
    }
}
