//! One frame after the other: hear the core, run shortcuts, draw the views, carry out what they ask for.

use super::Opening;
use super::again::Next;
use super::closing::Closing;
use super::decks::LiveDecks;
use super::errands::Errands;
use super::frame::{Around, Wanted, below_notices, frame_ui};
use super::hearing::Hearing;
use super::keeper::Keeper;
use super::keys::{self, Focus, Place};
use super::setup;
use super::sound::{self, Cues, Sought};
use super::start::{self, Coming, Trouble};
use super::waker::Waker;
use crate::gpu;
use crate::journal::{Line, journal};
use crate::notices::{Notice, Toasts, toasts_ui};
use crate::outbox::Outbox;
use crate::panels::{Page, Panels, Sheet};
use crate::scene::Scene;
use crate::settings::Settings;
use crate::shelf::{Shelf, Stems};
use crate::theme;
use crate::views::decks::Live;
use crate::views::settings::About;
use eframe::egui::{self, Context};
use eframe::wgpu::DeviceLostReason;
use std::cell::{Cell, RefCell};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::view::View;
use tonearm_core::core_loop::{Core, StartError};
use tonearm_core::decks::DecksView;
use tonearm_core::playback::{Player, PlayerView};
use tonearm_core::setup::{SetupCommand, SetupView};
use tonearm_core::track::TrackId;

/// A frame that takes longer is seen as a hitch; the log tells of it.
const SLOW: Duration = Duration::from_millis(33);

/// The library, from the window's side.
#[derive(Debug)]
pub(super) enum Library {
    Coming(Coming<Result<Core, StartError>>),
    Open(Arc<Core>),
    Failed(Trouble),
    /// Given to whoever closes it.
    Closed,
}

pub(super) struct App {
    pub(super) library: Library,
    pub(super) player: Option<Player>,
    pub(super) coming_player: Coming<io::Result<Player>>,
    pub(super) shelf: Shelf,
    pub(super) panels: Panels,
    pub(super) settings: Settings,
    pub(super) toasts: Toasts,
    pub(super) about: About,
    pub(super) waker: Waker,
    pub(super) hearing: Hearing,
    pub(super) errands: Errands,
    pub(super) keeper: Keeper,
    pub(super) closing: Option<Closing>,
    pub(super) live: LiveDecks,
    setup_watch: setup::Watch,
    /// Set for ever when the graphics card goes away; nothing but a new start brings it back.
    pub(super) card_lost: Arc<AtomicBool>,
    /// What follows when the window has closed for want of a card.
    pub(super) after: Option<Next>,
    /// What is asked of the library before it is there.
    pub(super) early: Vec<Command>,
    typing: keys::Typing,
    /// Whether Escape had something to leave when the last frame ended.
    left_by_escape: bool,
    /// Where the track in the player was when it was put there.
    pub(super) loaded_path: Option<PathBuf>,
    /// The file that the library was last told to look for, and whether it took it for missing then.
    pub(super) looked_for: Option<(PathBuf, bool)>,
    /// Where the sound was last sent to.
    pub(super) sought: Cell<Option<Sought>>,
    pub(super) cues: RefCell<Cues>,
    /// The stems that the player was last told of.
    pub(super) offered: Option<(TrackId, Option<Arc<Stems>>)>,
    /// What the command line named, until the library is there.
    pub(super) opening: Opening,
    /// Seconds since the window began, at this frame.
    pub(super) now: f64,
    log: Arc<[Line]>,
    log_seen: u64,
    /// For the log, once.
    first_frame: bool,
}

/// What is published at this moment, held for one frame.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) view: Arc<View>,
    pub(super) sound: Arc<PlayerView>,
    pub(super) decks: Arc<DecksView>,
    pub(super) setup: Arc<SetupView>,
    /// The moment that is drawn.
    pub(super) moment: Instant,
}

/// What is there before the window is.
#[derive(Debug)]
pub(super) struct Beginnings {
    pub(super) library: Coming<Result<Core, StartError>>,
    pub(super) player: Coming<io::Result<Player>>,
    pub(super) waker: Waker,
    pub(super) hearing: Hearing,
    pub(super) keeper: Keeper,
    pub(super) settings: Settings,
    pub(super) panels: Panels,
    pub(super) notices: Vec<Notice>,
}

impl App {
    pub(super) fn new(
        creation: &eframe::CreationContext<'_>,
        opening: Opening,
        beginnings: Beginnings,
    ) -> Self {
        let ctx = &creation.egui_ctx;
        theme::install(ctx);
        ctx.set_zoom_factor(beginnings.settings.scale);
        beginnings.waker.attach(ctx);
        let (adapter, software) = adapter(creation);
        let card_lost = watch_card(creation, &beginnings.waker);
        let shelf = start_shelf(&beginnings.waker);
        tracing::info!(adapter, software, "window");
        let mut toasts = Toasts::default();
        for notice in beginnings.notices {
            toasts.say(notice, 0.0);
        }
        Self {
            about: About {
                version: env!("CARGO_PKG_VERSION"),
                adapter,
                software,
                library: opening.library.clone(),
                settings: beginnings.keeper.folder(),
            },
            live: LiveDecks::new(&beginnings.settings),
            library: Library::Coming(beginnings.library),
            setup_watch: setup::Watch::default(),
            player: None,
            coming_player: beginnings.player,
            shelf,
            panels: beginnings.panels,
            settings: seen(beginnings.settings, software),
            toasts,
            errands: Errands::new(&beginnings.waker),
            waker: beginnings.waker,
            hearing: beginnings.hearing,
            keeper: beginnings.keeper,
            closing: None,
            card_lost,
            after: None,
            early: Vec::new(),
            typing: keys::Typing::default(),
            left_by_escape: false,
            loaded_path: None,
            looked_for: None,
            sought: Cell::default(),
            cues: RefCell::default(),
            offered: None,
            opening,
            now: 0.0,
            log: Arc::default(),
            log_seen: 0,
            first_frame: true,
        }
    }

    /// What the core and the player have published.
    pub(super) fn published(&self) -> Published {
        Published {
            view: match &self.library {
                Library::Open(core) => core.view(),
                Library::Coming(_) | Library::Failed(_) | Library::Closed => Arc::default(),
            },
            sound: self.player.as_ref().map(Player::view).unwrap_or_default(),
            decks: self.decks(),
            setup: match &self.library {
                Library::Open(core) => core.setup(),
                Library::Coming(_) | Library::Failed(_) | Library::Closed => Arc::default(),
            },
            moment: Instant::now(),
        }
    }

    pub(super) fn scene<'a>(&'a self, published: &'a Published) -> Scene<'a> {
        let playhead = self.player.as_ref().and_then(Player::playhead);
        Scene {
            view: &published.view,
            sound: &published.sound,
            playhead,
            sought: sound::sought(self.sought.get(), playhead, published.moment),
            shelf: &self.shelf,
            settings: &self.settings,
            setup: &published.setup,
            ready: matches!(self.library, Library::Open(_)),
        }
    }

    /// Takes in what has come from other threads.
    fn listen(&mut self, now: f64) {
        self.take_library(now);
        self.take_player(now);
        let news = self.hearing.take();
        for notice in news.notices {
            self.toasts.say(notice, now);
        }
        if news.dropped > 0 {
            tracing::debug!(dropped = news.dropped, "notices that nobody saw");
        }
        if let Some(tally) = news.imported {
            self.panels.imports.ended(tally);
        }
        if let Some(track) = news.opened {
            self.open_track(track);
        }
        self.take_errands(now);
    }

    fn take_library(&mut self, now: f64) {
        let Library::Coming(coming) = &mut self.library else {
            return;
        };
        let came = coming.take();
        let awaited = coming.is_awaited();
        match came {
            Some(Ok(core)) => {
                let unreadable = core.unreadable().len();
                if unreadable > 0 {
                    let text = format!(
                        "{unreadable} records of the library cannot be read: see tonearm doctor"
                    );
                    self.toasts.say(Notice::warning(text), now);
                }
                self.shelf.open(core.reader());
                self.library = Library::Open(Arc::new(core));
                self.begin();
                self.load_shown();
                self.resume_sound();
            }
            Some(Err(error)) => {
                let trouble = start::trouble(&error, &self.opening.library);
                tracing::warn!(%error, "the library did not open");
                self.library = Library::Failed(trouble);
            }
            None if awaited => {}
            None => {
                self.library = Library::Failed(Trouble {
                    headline: "The library cannot be opened",
                    reason: "opening it broke down".to_owned(),
                    remedy: "This is a bug of Tonearm. Please report it, with the log.".to_owned(),
                    may_pass: true,
                });
            }
        }
    }

    fn take_player(&mut self, now: f64) {
        match self.coming_player.take() {
            Some(Ok(player)) => {
                self.player = Some(player);
                self.tune();
                self.resume_sound();
            }
            Some(Err(error)) => {
                let text = format!("Nothing can be played: {error}");
                self.toasts.say(Notice::trouble(text), now);
            }
            None => {}
        }
    }

    /// Asks for the next frame: at once while something moves, else when somebody wakes us.
    fn plan_repaint(&self, ctx: &Context, published: &Published) {
        if !published.view.activity.running.is_empty() {
            // Jobs tell how far they are, but wake nobody for it.
            ctx.request_repaint_after(Duration::from_millis(250));
        }
        let playhead = self.player.as_ref().and_then(Player::playhead);
        let moving = playhead.is_some_and(|playhead| playhead.speed != 0.0);
        if !moving {
            return;
        }
        let visible = ctx.input(|input| input.viewport().visible() != Some(false));
        let slow = self.about.software || self.panels.page != Page::Track;
        match (visible, slow) {
            (false, _) => ctx.request_repaint_after(Duration::from_secs(1)),
            (true, true) => ctx.request_repaint_after(Duration::from_millis(33)),
            (true, false) => ctx.request_repaint(),
        }
        tracing::trace!(transport = ?published.sound.transport, "moving");
    }

    fn draw(&mut self, ui: &mut egui::Ui, published: &Published, out: &mut Outbox) -> Wanted {
        let mut settings = self.settings.clone();
        let mut panels = std::mem::take(&mut self.panels);
        if panels.sheet.is_some()
            && let Some((seen, lines)) = journal().since(self.log_seen)
        {
            (self.log_seen, self.log) = (seen, lines);
        }
        let around = Around {
            about: &self.about,
            trouble: match &self.library {
                Library::Failed(trouble) => Some(trouble),
                Library::Coming(_) | Library::Open(_) | Library::Closed => None,
            },
            log: &self.log,
            hovering: ui.input(|input| input.raw.hovered_files.len()),
            closing: self.closing.as_ref().map(Closing::secs),
            live: Live {
                decks: &published.decks,
                now: published.moment,
            },
        };
        panels.decks.offer(panels.library.focus());
        let scene = self.scene(published);
        let wanted = frame_ui(ui, &scene, &around, &mut panels, (&mut settings, out));
        if let Some(track) = panels.imports.wanted.take() {
            panels.page = Page::Library;
            panels.library.go_to(track);
        }
        self.panels = panels;
        self.change_settings(ui.ctx(), settings);
        wanted
    }
}

/// Without a graphics card, windows that can be seen through have not been seen at all: not again at the next start.
fn seen(settings: Settings, software: bool) -> Settings {
    Settings {
        overlay_opacity: if software {
            1.0
        } else {
            settings.overlay_opacity
        },
        ..settings
    }
}

/// Readies the graphics adapter for waveforms; tells its name, and whether it is the processor.
fn adapter(creation: &eframe::CreationContext<'_>) -> (String, bool) {
    let Some(state) = &creation.wgpu_render_state else {
        return ("unknown".to_owned(), false);
    };
    let adapter = gpu::install(state);
    let name = format!("{} ({}, {})", adapter.name, adapter.backend, adapter.driver);
    (name, adapter.is_software)
}

/// Watches for the loss of the graphics card: a crash of its driver, a card that was unplugged.
fn watch_card(creation: &eframe::CreationContext<'_>, waker: &Waker) -> Arc<AtomicBool> {
    let lost = Arc::new(AtomicBool::new(false));
    if let Some(state) = &creation.wgpu_render_state {
        let (flag, waker) = (Arc::clone(&lost), waker.clone());
        state
            .device
            .set_device_lost_callback(move |reason, message| {
                // At the end of the program it is given back.
                if reason != DeviceLostReason::Destroyed && !flag.swap(true, Ordering::Relaxed) {
                    tracing::error!(message, "the graphics card was lost");
                    waker.wake_now();
                }
            });
    }
    lost
}

fn start_shelf(waker: &Waker) -> Shelf {
    let wakes = waker.clone();
    Shelf::start(move || wakes.wake()).unwrap_or_else(|error| {
        tracing::error!(%error, "waveforms and covers will not be shown");
        Shelf::default()
    })
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        let now = ctx.input(|input| input.time);
        self.now = now;
        self.listen(now);
        self.leave_when_blind(ctx);
        self.close_if_asked(ctx);
        self.keep(ctx, now);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        if self.is_blind() {
            // The toolkit panics where it cannot hand shapes to a lost card: there are none any more.
            self.keep_overlay(ui.ctx());
            return;
        }
        let start = Instant::now();
        let ctx = ui.ctx().clone();
        if std::mem::take(&mut self.first_frame) {
            tracing::info!(ms = super::since_start().as_millis() as u64, "first frame");
        }
        let published = self.published();
        let mut out = Outbox::default();
        let watched = self.panels.sheet == Some(Sheet::Setup);
        out.notices
            .extend(self.setup_watch.see(&published.setup, watched));
        if self.setup_watch.is_back(ctx.input(|input| input.focused)) {
            out.commands.push(Command::Setup(SetupCommand::Glance));
        }
        let place = Place {
            page: self.panels.page,
            covered: self.panels.sheet.is_some(),
            focus: Focus::of(&ctx, self.panels.library.table()),
            left_by_escape: self.left_by_escape,
        };
        out.actions = self.typing.pressed(&ctx, place);
        out.actions.extend(self.pressed_on_overlay(place));
        self.take_dropped(&ctx);
        let wanted = self.draw(ui, &published, &mut out);
        self.carry_out(&ctx, &published, out);
        self.look_for_lost(&published);
        self.unload_removed(&published);
        self.keep_python(&published.setup);
        self.offer_stems(&published);
        self.after_views(&ctx, &wanted);
        let free = below_notices(&self.scene(&published), &self.panels);
        toasts_ui(&ctx, &mut self.toasts, free);
        self.plan_repaint(&ctx, &published);
        self.plan_decks(&ctx, &published.decks);
        self.overlay(&ctx);
        self.left_by_escape = keys::is_left_by_escape(&ctx, self.panels.library.table());
        let took = start.elapsed();
        if took > SLOW {
            tracing::debug!(ms = took.as_millis() as u64, "slow frame");
        }
    }

    fn on_exit(&mut self) {
        self.keeper.keep_now(&self.settings, &self.panels);
        if self.is_blind() {
            self.end_blind();
        }
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        if self.live.see_through {
            // Panels cover all of the main window.
            egui::Color32::TRANSPARENT.to_normalized_gamma_f32()
        } else {
            theme::APP.to_normalized_gamma_f32()
        }
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
