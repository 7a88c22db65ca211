//! The library as a user meets it: clicks, keys, searches, and what is asked for in return.

#[path = "library/rows.rs"]
mod rows;

use eframe::egui::{Key, Modifiers, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tonearm::action::Action;
use tonearm::outbox::Outbox;
use tonearm::scene::Scene;
use tonearm::settings::Settings;
use tonearm::shelf::Shelf;
use tonearm::views::library::{LibraryPanel, library_ui};
use tonearm_core::core_loop::command::{Command, Selection};
use tonearm_core::core_loop::view::{Rows, View};
use tonearm_core::playback::PlayerView;
use tonearm_core::row::Row;
use tonearm_core::track::TrackId;

/// A window with nothing but the library.
struct World {
    view: View,
    sound: PlayerView,
    shelf: Shelf,
    settings: Settings,
    panel: LibraryPanel,
    out: Outbox,
    ready: bool,
}

impl World {
    fn of(rows: Vec<Row>) -> Self {
        Self {
            view: View {
                rows: Rows::new(rows),
                ..View::default()
            },
            sound: PlayerView::default(),
            shelf: Shelf::default(),
            settings: Settings::default(),
            panel: LibraryPanel::default(),
            out: Outbox::default(),
            ready: true,
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            view: &self.view,
            sound: &self.sound,
            playhead: None,
            shelf: &self.shelf,
            settings: &self.settings,
            ready: self.ready,
        }
    }

    /// Carries an action out as the window would.
    fn act(&mut self, action: Action) -> bool {
        let scene = Scene {
            view: &self.view,
            sound: &self.sound,
            playhead: None,
            shelf: &self.shelf,
            settings: &self.settings,
            ready: self.ready,
        };
        self.panel.act(action, &scene, &mut self.out)
    }
}

fn window(world: World) -> Harness<'static, World> {
    sized(world, Vec2::new(1280.0, 720.0))
}

fn sized(world: World, size: Vec2) -> Harness<'static, World> {
    builder(size).build_ui_state(draw, world)
}

fn builder<S>(size: Vec2) -> egui_kittest::HarnessBuilder<S> {
    Harness::builder()
        .with_size(size)
        .with_context_setup(|ctx| ctx.set_theme(eframe::egui::Theme::Dark))
}

fn draw(ui: &mut eframe::egui::Ui, world: &mut World) {
    let scene = Scene {
        view: &world.view,
        sound: &world.sound,
        playhead: None,
        shelf: &world.shelf,
        settings: &world.settings,
        ready: world.ready,
    };
    library_ui(ui, &scene, &mut world.panel, &mut world.out);
}

#[test]
fn look() {
    let Ok(folder) = std::env::var("LOOK") else {
        return;
    };
    for (name, scale, size) in [
        ("wide", 1.0, Vec2::new(1600.0, 900.0)),
        ("usual", 1.0, Vec2::new(1280.0, 720.0)),
        ("double", 2.0, Vec2::new(1280.0, 720.0)),
    ] {
        let mut world = World::of(rows::mixed(300));
        world.panel.selected = vec![TrackId(0x5000 + 5)];
        let mut h = builder(size)
            .with_pixels_per_point(scale)
            .build_ui_state(draw, world);
        h.run();
        h.render()
            .unwrap()
            .save(format!("{folder}/{name}.png"))
            .unwrap();
    }
    let mut h = window(World::of(Vec::new()));
    h.run();
    h.render()
        .unwrap()
        .save(format!("{folder}/empty.png"))
        .unwrap();
}
