//! What one frame shows: menu, page, line of work, and what lies above them.

use super::start::Trouble;
use crate::action::Action;
use crate::journal::Line;
use crate::outbox::Outbox;
use crate::panels::{Page, Panels, Sheet};
use crate::scene::Scene;
use crate::settings::Settings;
use crate::theme;
use crate::views::decks::Live;
use crate::views::{self, settings::About, track::strip};
use eframe::egui::{
    self, Align, Align2, Button, CentralPanel, Context, Frame, Id, Layout, Margin, Modal, Order,
    Panel, Rect, RichText, Stroke, Ui,
};

/// What is told beside the scene: of the program, not of the library.
#[derive(Debug)]
pub(super) struct Around<'a> {
    pub(super) about: &'a About,
    pub(super) trouble: Option<&'a Trouble>,
    pub(super) log: &'a [Line],
    /// Files that hover over the window.
    pub(super) hovering: usize,
    /// Seconds since the window was asked to close.
    pub(super) closing: Option<f32>,
    pub(super) live: Live<'a>,
}

/// What the frame asks for beyond the outbox.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) retry: bool,
    pub(super) abandon: bool,
}

pub(super) fn frame_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    around: &Around<'_>,
    panels: &mut Panels,
    draft: (&mut Settings, &mut Outbox),
) -> Wanted {
    let (settings, out) = draft;
    let mut wanted = Wanted::default();
    if let Some(secs) = around.closing {
        // The library is gone already; its pages would only show that.
        let empty = Frame::new().fill(theme::APP);
        CentralPanel::default().frame(empty).show(ui, |_ui| {});
        wanted.abandon = closing_ui(ui.ctx(), secs);
        return wanted;
    }
    let bar = Frame::new()
        .fill(theme::PANEL)
        .inner_margin(Margin::symmetric(10, 2));
    Panel::top("menu").frame(bar).show(ui, |ui| {
        views::menu::menu_ui(ui, scene, panels, out);
        views::decks::tab_ui(ui, around.live.decks, panels.page, out);
        views::setup::sign_ui(ui, scene.setup, panels, out);
    });
    banners_ui(ui, scene, around, settings);
    if around.trouble.is_none() {
        work_ui(ui, scene, panels, out);
        player_ui(ui, scene, panels, out);
    }
    let page = Frame::new().fill(theme::APP);
    CentralPanel::default().frame(page).show(ui, |ui| {
        if let Some(trouble) = around.trouble {
            wanted.retry = trouble_ui(ui, trouble, out);
            return;
        }
        if panels.page != Page::Library {
            panels.library.attend(ui.ctx(), scene);
        }
        match panels.page {
            Page::Library => views::library::library_ui(ui, scene, &mut panels.library, out),
            Page::Track => views::track::track_ui(ui, scene, &mut panels.track, out),
            Page::Decks => {
                views::decks::decks_ui(ui, scene, around.live, &mut panels.decks, out);
            }
        }
    });
    sheet_ui(ui.ctx(), scene, around, panels, (settings, out));
    if around.hovering > 0 {
        drop_ui(ui.ctx(), around.hovering);
    }
    wanted
}

/// What plays, on pages that do not show it themselves.
fn player_ui(ui: &mut Ui, scene: &Scene<'_>, panels: &Panels, out: &mut Outbox) {
    if shows_player(scene, panels) {
        Panel::bottom("player")
            .frame(Frame::new().fill(theme::PANEL))
            .resizable(false)
            .exact_size(strip::HEIGHT)
            .show_separator_line(false)
            .show(ui, |ui| strip::strip_ui(ui, scene, out));
    }
}

fn shows_player(scene: &Scene<'_>, panels: &Panels) -> bool {
    let shown = panels.track.track.filter(|_| panels.page == Page::Track);
    let loaded = scene.sound.loaded.as_ref().map(|loaded| loaded.track);
    shown != loaded && strip::has_strip(scene)
}

/// Points over the lower edge that notices leave free: a line of work, and what belongs to the sound.
pub(super) fn below_notices(scene: &Scene<'_>, panels: &Panels) -> f32 {
    const WORK: f32 = 36.0;
    let transport = match panels.page {
        Page::Library | Page::Decks => 0.0,
        Page::Track => theme::CONTROL + 16.0,
    };
    let player = if shows_player(scene, panels) {
        strip::HEIGHT
    } else {
        0.0
    };
    WORK + transport + player
}

/// The line of work along the bottom, and the drawer above it.
fn work_ui(ui: &mut Ui, scene: &Scene<'_>, panels: &mut Panels, out: &mut Outbox) {
    if views::imports::has_activity_bar(ui, scene, &mut panels.imports) {
        Panel::bottom("work")
            .frame(Frame::new().fill(theme::PANEL))
            .resizable(false)
            .show_separator_line(false)
            .show(ui, |ui| {
                views::imports::activity_bar_ui(ui, scene, &mut panels.imports, out);
            });
    }
    if panels.imports.batch.is_some() {
        Panel::bottom("batch")
            .frame(Frame::new())
            .resizable(false)
            .show_separator_line(false)
            .show(ui, |ui| {
                views::imports::batch_ui(ui, &scene.view.rows, &mut panels.imports, out);
            });
    }
    if panels.imports.open {
        let room = ui.available_height();
        let usual = (room * 0.4).clamp(120.0, 320.0);
        let drawer = Panel::bottom("drawer")
            .frame(Frame::new().fill(theme::PANEL))
            .resizable(true)
            .default_size(panels.imports.height.unwrap_or(usual))
            .size_range(80.0..=(room - 120.0).max(81.0))
            .show(ui, |ui| {
                views::imports::imports_ui(ui, scene, &mut panels.imports, out);
            });
        panels.imports.height = Some(drawer.response.rect.height());
    }
}

fn banners_ui(ui: &mut Ui, scene: &Scene<'_>, around: &Around<'_>, settings: &mut Settings) {
    if let Some(failure) = &scene.view.activity.storage_trouble {
        let text = format!("The library cannot be written: {}.", failure.message);
        banner_ui(
            ui,
            ("storage", theme::ERROR),
            (&text, &failure.remedy),
            None,
        );
    }
    if around.about.software && !settings.slow_drawing_known {
        let text = "No graphics card is used: the processor draws, 30 pictures a second.";
        let remedy = "Install the driver of your graphics card for smooth waveforms.";
        let look = ("software", theme::WARN);
        settings.slow_drawing_known |= banner_ui(ui, look, (text, remedy), Some("Understood"));
    }
}

/// What is wrong, what to do, and a button with which that is known. True when it was pressed.
/// What finds no room on the line is cut, never the button.
fn banner_ui(
    ui: &mut Ui,
    (name, color): (&str, egui::Color32),
    (text, remedy): (&str, &str),
    button: Option<&str>,
) -> bool {
    let frame = Frame::new()
        .fill(theme::RAISED)
        .inner_margin(Margin::symmetric(12, 5));
    Panel::top(name.to_owned())
        .frame(frame)
        .resizable(false)
        .show(ui, |ui| {
            let size = egui::vec2(ui.available_width(), theme::CONTROL);
            let from_right = Layout::right_to_left(Align::Center);
            ui.allocate_ui_with_layout(size, from_right, |ui| {
                let known = button.is_some_and(|button| ui.button(button).clicked());
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.label(RichText::new(theme::icon::WARNING).color(color).size(16.0));
                    let text = RichText::new(text).color(theme::TEXT);
                    ui.add(egui::Label::new(text).truncate());
                    let remedy = RichText::new(remedy).color(theme::TEXT_MUTED);
                    ui.add(egui::Label::new(remedy).truncate());
                });
                known
            })
            .inner
        })
        .inner
}

/// In place of a library that cannot be opened. True when another try is wanted.
pub(super) fn trouble_ui(ui: &mut Ui, trouble: &Trouble, out: &mut Outbox) -> bool {
    let mut retry = false;
    let room = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((room * 0.18).max(12.0));
        ui.set_max_width(560.0);
        ui.label(
            RichText::new(theme::icon::WARNING_CIRCLE)
                .size(40.0)
                .color(theme::WARN),
        );
        ui.label(RichText::new(trouble.headline).font(theme::strong(22.0)));
        ui.add_space(8.0);
        ui.label(&trouble.remedy);
        ui.add_space(4.0);
        ui.label(
            RichText::new(&trouble.reason)
                .color(theme::TEXT_MUTED)
                .monospace(),
        );
        ui.add_space(16.0);
        let width = 3.0 * 120.0 + 2.0 * ui.spacing().item_spacing.x;
        ui.allocate_ui(egui::vec2(width, theme::CONTROL), |ui| {
            ui.horizontal(|ui| {
                let size = egui::vec2(120.0, theme::CONTROL);
                if trouble.may_pass {
                    let again = Button::new(RichText::new("Try again").color(theme::ON_CHIP))
                        .fill(theme::ACCENT)
                        .min_size(size);
                    retry = ui.add(again).clicked();
                }
                if ui.add(Button::new("Copy this").min_size(size)).clicked() {
                    out.copied = Some(format!("{}\n{}", trouble.reason, trouble.remedy));
                }
                if ui.add(Button::new("Quit").min_size(size)).clicked() {
                    out.act(Action::Quit);
                }
            });
        });
    });
    retry
}

/// Frames after which a sheet has the size that it keeps.
const FRAMES_TO_SETTLE: u8 = 6;

/// What is centred is placed by the size that it had in the frame before, and what is in it takes some frames to find its
/// own: drawn until it rests.
fn settle_in(ctx: &Context, room: Rect) {
    let known = Id::unique("room of the sheet");
    let left = ctx.data_mut(|data| {
        let (before, left) = data.get_temp_mut_or(known, (room, 0_u8));
        *left = if *before == room {
            left.saturating_sub(1)
        } else {
            FRAMES_TO_SETTLE
        };
        *before = room;
        *left
    });
    if left > 0 {
        ctx.request_repaint();
    }
}

fn sheet_ui(
    ctx: &Context,
    scene: &Scene<'_>,
    around: &Around<'_>,
    panels: &mut Panels,
    draft: (&mut Settings, &mut Outbox),
) {
    let Some(sheet) = panels.sheet else { return };
    let (title, width) = match sheet {
        Sheet::Help => ("Keys and help", 760.0_f32),
        Sheet::Settings => ("Settings", 620.0),
        Sheet::Setup => ("Models", 760.0),
        Sheet::Log => ("Log", 900.0),
        Sheet::PathEntry => (panels.path_entry.title(), 620.0),
    };
    let room = ctx.content_rect();
    settle_in(ctx, room);
    let (settings, out) = draft;
    let frame = Frame::popup(&ctx.global_style())
        .fill(theme::PANEL)
        .corner_radius(10)
        .inner_margin(Margin::same(20));
    let mut close = false;
    let shown = Modal::new(Id::unique(("sheet", title)))
        .frame(frame)
        .backdrop_color(theme::VEIL)
        .show(ctx, |ui| {
            ui.set_width(width.min(room.width() - 60.0).max(120.0));
            ui.set_max_height((room.height() - 120.0).max(80.0));
            close = title_ui(ui, title);
            match sheet {
                Sheet::Help => views::help::help_ui(ui),
                Sheet::Settings => {
                    let panel = &mut panels.settings;
                    views::settings::settings_ui(ui, scene, around.about, panel, (settings, out));
                }
                Sheet::Setup => {
                    let panel = &mut panels.setup;
                    let follow = scene.view.beats_follow;
                    views::setup::setup_ui(ui, scene.setup, panel, (follow, out));
                }
                Sheet::Log => views::log::log_ui(ui, around.log, &mut panels.log, out),
                Sheet::PathEntry => {
                    views::path_entry::path_entry_ui(ui, &mut panels.path_entry, out);
                }
            }
        });
    if close || shown.should_close() {
        panels.sheet = None;
    }
}

/// True when the sheet is to be closed.
fn title_ui(ui: &mut Ui, title: &str) -> bool {
    ui.horizontal(|ui| {
        ui.heading(title);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close = ui.add(Button::new(theme::icon::X).frame(false));
            close.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Close"));
            close.on_hover_text("Close (Esc)").clicked()
        })
        .inner
    })
    .inner
}

/// While files hover over the window.
fn drop_ui(ctx: &Context, count: usize) {
    let room = ctx.content_rect();
    egui::Area::new(Id::unique("drop"))
        .order(Order::Tooltip)
        .fixed_pos(room.min)
        .interactable(false)
        .show(ctx, |ui| {
            let painter = ui.painter();
            painter.rect_filled(room, 0.0, theme::VEIL);
            let inner = room.shrink(16.0);
            let stroke = Stroke::new(2.0, theme::ACCENT);
            painter.rect_stroke(inner, 12.0, stroke, egui::StrokeKind::Inside);
            let center = room.center();
            let icon = theme::icon::MUSIC_NOTES;
            let font = egui::FontId::proportional(48.0);
            painter.text(center, Align2::CENTER_BOTTOM, icon, font, theme::ACCENT);
            let text = match count {
                1 => "Drop to add".to_owned(),
                _ => format!("Drop to add {count} things"),
            };
            let below = center + egui::vec2(0.0, 12.0);
            painter.text(
                below,
                Align2::CENTER_TOP,
                text,
                theme::strong(22.0),
                theme::TEXT,
            );
        });
}

/// Seconds for which a closing window stays out of sight.
pub(super) const PATIENT: f32 = 3.0;

/// A closing that takes long enough to be told of. True when the user will not wait.
fn closing_ui(ctx: &Context, secs: f32) -> bool {
    if secs < PATIENT {
        return false;
    }
    Modal::new(Id::unique("closing"))
        .backdrop_color(theme::VEIL)
        .show(ctx, |ui| {
            ui.set_width(320.0);
            ui.heading("Closing");
            ui.label("A copy of the library is being made, or a drive or a sound device does not answer. What was written is safe.");
            ui.button("Close anyway").clicked()
        })
        .inner
}

#[cfg(test)]
mod looks;
#[cfg(test)]
mod tests;
