//! The decks of the set-up, to be read from where the DJ stands: what plays, where it is, what comes, what fits.

mod card;
mod choose;
mod doctor;
mod empty;
mod facts;
mod kept;
mod matching;
pub mod overlay;
mod stage;

pub use choose::fits;
pub use doctor::report;
pub use kept::Props;

use crate::action::Action;
use crate::outbox::Outbox;
use crate::panels::Page;
use crate::scene::Scene;
use crate::settings::Settings;
use crate::shelf::Shelf;
use crate::theme::{self, icon};
use choose::Shown;
use eframe::egui::{
    self, Align, Button, Color32, Frame, Layout, Margin, Panel, RichText, ScrollArea, Ui, UiBuilder,
};
use matching::Picking;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use tonearm_core::decks::{DecksState, DecksView, Link};

/// What may be read of decks while a frame is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Live<'a> {
    pub decks: &'a DecksView,
    /// The moment that is drawn.
    pub now: Instant,
}

/// What all parts of page and overlay share in a frame.
#[derive(Debug, Clone, Copy)]
struct Look<'a> {
    live: Live<'a>,
    shelf: &'a Shelf,
    settings: &'a Settings,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct DecksPanel {
    /// Seconds in one point of the waveforms, at their own tempo.
    pub per_point: f64,
    /// The connection doctor is open.
    pub doctor: bool,
    pub overlay: overlay::OverlayPlace,
    /// Made ready for drawing; shared with the overlay.
    #[serde(skip)]
    pub props: Props,
    #[serde(skip)]
    picking: Picking,
}

/// Bounds of [`DecksPanel::per_point`].
const CLOSEST: f64 = 0.0015;
const FURTHEST: f64 = 0.04;

impl Default for DecksPanel {
    fn default() -> Self {
        Self {
            per_point: 0.01,
            doctor: false,
            overlay: overlay::OverlayPlace::default(),
            props: Props::default(),
            picking: Picking::default(),
        }
    }
}

/// The least height of a deck, in points; where there is no room for it, the page scrolls.
const LEAST: f32 = 150.0;
const MOST: f32 = 340.0;
const GAP: f32 = 8.0;
const BAR: f32 = 44.0;

/// Fills what is left of the window.
pub fn decks_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    live: Live<'_>,
    panel: &mut DecksPanel,
    out: &mut Outbox,
) {
    let look = Look {
        live,
        shelf: scene.shelf,
        settings: scene.settings,
    };
    if panel.doctor {
        let room = ui.available_width();
        Panel::right("doctor")
            .frame(
                Frame::new()
                    .fill(theme::PANEL)
                    .inner_margin(Margin::same(12)),
            )
            .resizable(true)
            .default_size(360.0_f32.min(room * 0.5))
            .size_range(160.0_f32.min(room * 0.5)..=(room * 0.6).max(161.0))
            .show(ui, |ui| doctor::doctor_ui(ui, live.decks, out));
    }
    let whole = ui.available_rect_before_wrap();
    let margin = theme::PADDING.min(whole.width().max(0.0) / 8.0);
    let inner = whole.shrink2(egui::vec2(margin, 0.0));
    ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| {
        ui.spacing_mut().item_spacing.y = GAP;
        bar_ui(ui, &look, panel, out);
        if let Some(script) = &live.decks.simulated {
            simulation_ui(ui, script, out);
        }
        trouble_ui(ui, live.decks);
        let shown = Shown::of(live);
        if shown.decks.is_empty() {
            empty::empty_ui(ui, scene, live.decks, out);
        } else {
            cards_ui(ui, (scene, &look), &shown, panel, out);
        }
    });
    ui.expand_to_include_rect(whole);
}

/// Way back, how it stands, what else there is.
fn bar_ui(ui: &mut Ui, look: &Look<'_>, panel: &DecksPanel, out: &mut Outbox) {
    let size = egui::vec2(ui.available_width(), BAR);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        let doctor = Button::selectable(panel.doctor, "Doctor");
        if named(ui.add(doctor), Action::ToggleDoctor).clicked() {
            out.act(Action::ToggleDoctor);
        }
        let overlay = Button::selectable(panel.overlay.open, "Overlay");
        if named(ui.add(overlay), Action::ToggleOverlay).clicked() {
            out.act(Action::ToggleOverlay);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let back = Button::new(format!("{}  Library", icon::CARET_LEFT)).frame(false);
            let back = ui.add(back).on_hover_text(Action::BackToLibrary.hint());
            back.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, Action::BackToLibrary.name())
            });
            if back.clicked() {
                out.act(Action::BackToLibrary);
            }
            ui.add_space(4.0);
            ui.label(RichText::new("Decks").font(theme::strong(16.0)));
            let (colour, words) = standing(look.live.decks);
            ui.label(RichText::new(icon::CIRCLE_FILL).size(9.0).color(colour));
            ui.add(egui::Label::new(RichText::new(words).color(theme::TEXT_MUTED)).truncate());
        });
    });
}

/// A short button, called by the full name of what it does.
fn named(response: egui::Response, action: Action) -> egui::Response {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, action.name()));
    response.on_hover_text(action.hint())
}

/// How it stands with all of it, in a colour and a few words.
pub fn standing(decks: &DecksView) -> (Color32, String) {
    match &decks.state {
        DecksState::Off => return (theme::TEXT_FAINT, "Not listening".to_owned()),
        DecksState::Failed(_) => return (theme::ERROR, "Cannot listen".to_owned()),
        DecksState::Running => {}
    }
    let lost = |unit: &&std::sync::Arc<_>| {
        let unit: &tonearm_core::decks::UnitView = unit;
        matches!(unit.link, Link::Lost(_))
    };
    let gone = decks.units.iter().filter(lost).count();
    let there = decks.units.len() - gone;
    let playing = decks
        .decks()
        .filter(|(_, deck)| deck.is_playing == Some(true));
    let players = match there {
        0 => "No players".to_owned(),
        1 => "1 player".to_owned(),
        count => format!("{count} players"),
    };
    let playing = match playing.count() {
        0 => String::new(),
        1 => ", 1 deck plays".to_owned(),
        count => format!(", {count} decks play"),
    };
    let lost = match gone {
        0 => String::new(),
        1 => ", 1 lost".to_owned(),
        count => format!(", {count} lost"),
    };
    let colour = match (there, gone) {
        (_, 1..) => theme::WARN,
        (0, 0) => theme::TEXT_FAINT,
        (_, 0) => theme::OK,
    };
    (colour, format!("{players}{playing}{lost}"))
}

/// At the right end of the menu bar: the way to the decks, and how it stands with them.
pub fn tab_ui(ui: &mut Ui, decks: &DecksView, page: Page, out: &mut Outbox) {
    let bar = ui.min_rect();
    let place = bar.with_min_x((bar.right() - 104.0).max(bar.left()));
    if ui.available_width() < 1.0 && place.width() < 60.0 {
        return;
    }
    let builder = UiBuilder::new()
        .max_rect(place)
        .layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(builder, |ui| {
        let (colour, words) = standing(decks);
        let text = format!("{}  Decks", icon::BROADCAST);
        let button = Button::selectable(page == Page::Decks, text);
        let button = named(ui.add(button), Action::ShowDecks);
        if decks.state != DecksState::Off {
            ui.label(RichText::new(icon::CIRCLE_FILL).size(8.0).color(colour))
                .on_hover_text(words);
        }
        if button.clicked() {
            out.act(Action::ShowDecks);
        }
    });
}

fn simulation_ui(ui: &mut Ui, script: &str, out: &mut Outbox) {
    Frame::new()
        .fill(theme::ACCENT_BACK)
        .corner_radius(8)
        .inner_margin(Margin::symmetric(12, 4))
        .show(ui, |ui| {
            let size = egui::vec2(ui.available_width(), theme::CONTROL);
            ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
                let stop = ui.button(Action::EndDecksTrial.name());
                if stop.on_hover_text(Action::EndDecksTrial.hint()).clicked() {
                    out.act(Action::EndDecksTrial);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let text = match script {
                        "mixing" => "A simulation: two virtual players mix the demo music, over and over. No hardware is involved.".to_owned(),
                        other => format!("A simulation: virtual players perform {}. No hardware is involved.", crate::format::fit(other, 80)),
                    };
                    ui.label(RichText::new(icon::INFO).color(theme::ACCENT).size(16.0));
                    ui.add(egui::Label::new(text).truncate());
                });
            });
        });
}

fn trouble_ui(ui: &mut Ui, decks: &DecksView) {
    if let Some(trouble) = &decks.trouble {
        let text = format!("{}. {}", trouble.message, trouble.remedy);
        ui.horizontal(|ui| {
            ui.label(RichText::new(icon::WARNING).color(theme::WARN));
            ui.add(egui::Label::new(crate::format::fit(&text, 400)).truncate());
        });
    }
}

fn cards_ui(
    ui: &mut Ui,
    (scene, look): (&Scene<'_>, &Look<'_>),
    shown: &Shown<'_>,
    panel: &mut DecksPanel,
    out: &mut Outbox,
) {
    let room = ui.available_size();
    let below = if shown.left_out.is_empty() { 8.0 } else { 34.0 };
    let count = shown.decks.len() as f32;
    let height = ((room.y - below) / count - GAP).clamp(LEAST, MOST);
    let fits = (height + GAP) * count + below <= room.y + 1.0;
    if fits {
        zoom_by_wheel(ui, panel);
    }
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .scroll_bar_visibility(if fits {
            egui::scroll_area::ScrollBarVisibility::AlwaysHidden
        } else {
            egui::scroll_area::ScrollBarVisibility::VisibleWhenNeeded
        })
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = GAP;
            for one in &shown.decks {
                let size = egui::vec2(ui.available_width(), height);
                let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
                if ui.is_rect_visible(rect) {
                    card::card_ui(ui, rect, (scene, look), (one, shown), (panel, out));
                }
            }
            if !shown.left_out.is_empty() {
                let text = RichText::new(&shown.left_out).color(theme::TEXT_FAINT);
                ui.add(egui::Label::new(text).truncate());
            }
        });
}

/// Wheels and pinches zoom all waveforms alike.
fn zoom_by_wheel(ui: &Ui, panel: &mut DecksPanel) {
    if !ui.rect_contains_pointer(ui.available_rect_before_wrap()) {
        return;
    }
    let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta().y));
    let factor = f64::from(zoom) * (f64::from(scroll) / 180.0).exp();
    if (factor - 1.0).abs() > 1e-6 {
        panel.zoom(factor);
    }
}

impl DecksPanel {
    /// Carries out an action that belongs to this page; `false` if it is not one of them.
    pub fn act(&mut self, action: Action) -> bool {
        match action {
            Action::ZoomIn => self.zoom(2.0_f64.sqrt()),
            Action::ZoomOut => self.zoom(0.5_f64.sqrt()),
            Action::ToggleDoctor => self.doctor = !self.doctor,
            _ => return false,
        }
        true
    }

    fn zoom(&mut self, factor: f64) {
        self.per_point = (self.per_point() / factor).clamp(CLOSEST, FURTHEST);
    }

    /// Whatever stood in a file.
    fn per_point(&self) -> f64 {
        if self.per_point.is_finite() {
            self.per_point.clamp(CLOSEST, FURTHEST)
        } else {
            0.01
        }
    }
}
