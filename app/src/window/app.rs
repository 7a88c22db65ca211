//! One frame after the other: hear the core, run shortcuts, draw the views, carry out what they ask for.

use crate::outbox::Outbox;
use crate::panels::{Page, Panels};
use crate::scene::Scene;
use crate::settings::Settings;
use crate::shelf::Shelf;
use crate::views;
use eframe::egui;
use std::path::{Path, PathBuf};
use tonearm_core::core_loop::view::View;
use tonearm_core::playback::PlayerView;

pub(super) struct App {
    panels: Panels,
    settings: Settings,
    shelf: Shelf,
}

impl App {
    pub(super) fn new(
        creation: &eframe::CreationContext<'_>,
        library: &Path,
        paths: &[PathBuf],
    ) -> Self {
        tracing::debug!(?library, ?paths, scale = ?creation.integration_info.cpu_usage, "window");
        Self {
            panels: Panels::default(),
            settings: Settings::default(),
            shelf: Shelf::default(),
        }
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let (view, sound) = (View::default(), PlayerView::default());
        let scene = Scene {
            view: &view,
            sound: &sound,
            playhead: None,
            shelf: &self.shelf,
            settings: &self.settings,
            ready: false,
        };
        let mut out = Outbox::default();
        egui::CentralPanel::default().show(ui, |ui| match self.panels.page {
            Page::Library => {
                views::library::library_ui(ui, &scene, &mut self.panels.library, &mut out);
            }
            Page::Track => views::track::track_ui(ui, &scene, &mut self.panels.track, &mut out),
        });
    }
}
