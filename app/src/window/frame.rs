//! What one frame shows: menu, page, line of work, and what lies above them.

use super::start::Trouble;
use crate::action::Action;
use crate::journal::Line;
use crate::outbox::Outbox;
use crate::panels::{Page, Panels, Sheet};
use crate::scene::Scene;
use crate::settings::Settings;
use crate::theme;
use crate::views::{self, settings::About};
use eframe::egui::{
    self, Align, Align2, Button, CentralPanel, Context, Frame, Id, Layout, Margin, Modal, Order,
    Panel, RichText, Stroke, Ui,
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
    pub(super) card_lost: bool,
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
    let bar = Frame::new()
        .fill(theme::PANEL)
        .inner_margin(Margin::symmetric(10, 2));
    Panel::top("menu")
        .frame(bar)
        .show(ui, |ui| views::menu::menu_ui(ui, scene, panels, out));
    banners_ui(ui, scene, around, settings);
    if around.trouble.is_none() {
        work_ui(ui, scene, panels, out);
    }
    let page = Frame::new().fill(theme::APP);
    CentralPanel::default().frame(page).show(ui, |ui| {
        if let Some(trouble) = around.trouble {
            wanted.retry = trouble_ui(ui, trouble, out);
            return;
        }
        match panels.page {
            Page::Library => views::library::library_ui(ui, scene, &mut panels.library, out),
            Page::Track => views::track::track_ui(ui, scene, &mut panels.track, out),
        }
    });
    sheet_ui(ui.ctx(), scene, around, panels, (settings, out));
    if around.hovering > 0 {
        drop_ui(ui.ctx(), around.hovering);
    }
    if let Some(secs) = around.closing {
        wanted.abandon = closing_ui(ui.ctx(), secs);
    }
    wanted
}

/// The line of work along the bottom, and the drawer above it.
fn work_ui(ui: &mut Ui, scene: &Scene<'_>, panels: &mut Panels, out: &mut Outbox) {
    Panel::bottom("work")
        .frame(Frame::new().fill(theme::PANEL))
        .resizable(false)
        .show_separator_line(false)
        .show(ui, |ui| {
            views::imports::activity_bar_ui(ui, scene, &mut panels.imports, out);
        });
    if panels.imports.open {
        let room = ui.available_height();
        Panel::bottom("drawer")
            .frame(Frame::new().fill(theme::PANEL))
            .resizable(true)
            .default_size((room * 0.4).clamp(120.0, 320.0))
            .size_range(80.0..=(room - 120.0).max(81.0))
            .show(ui, |ui| {
                views::imports::imports_ui(ui, scene, &mut panels.imports, out);
            });
    }
}

fn banners_ui(ui: &mut Ui, scene: &Scene<'_>, around: &Around<'_>, settings: &mut Settings) {
    if let Some(failure) = &scene.view.activity.storage_trouble {
        banner_ui(ui, "storage", theme::ERROR, |ui| {
            let text = format!("The library cannot be written: {}.", failure.message);
            ui.label(RichText::new(text).color(theme::TEXT));
            ui.label(RichText::new(&failure.remedy).color(theme::TEXT_MUTED));
        });
    }
    if around.card_lost {
        banner_ui(ui, "card", theme::ERROR, |ui| {
            ui.label("The graphics card was lost; restart Tonearm.");
            ui.label(
                RichText::new("Your library is safe, and what plays goes on.")
                    .color(theme::TEXT_MUTED),
            );
        });
    }
    if around.about.software && !settings.slow_drawing_known {
        let known = banner_ui(ui, "software", theme::WARN, |ui| {
            ui.label("No graphics card is used: the processor draws, 30 pictures a second.");
            ui.label(
                RichText::new("Install the driver of your graphics card for smooth waveforms.")
                    .color(theme::TEXT_MUTED),
            );
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.button("Understood").clicked()
            })
            .inner
        });
        settings.slow_drawing_known |= known;
    }
}

fn banner_ui<T>(
    ui: &mut Ui,
    name: &str,
    color: egui::Color32,
    content: impl FnOnce(&mut Ui) -> T,
) -> T {
    let frame = Frame::new()
        .fill(theme::RAISED)
        .inner_margin(Margin::symmetric(12, 5));
    Panel::top(name.to_owned())
        .frame(frame)
        .resizable(false)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new(theme::icon::WARNING).color(color).size(16.0));
                content(ui)
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
        Sheet::Log => ("Log", 900.0),
        Sheet::PathEntry => ("Add by path", 620.0),
    };
    let room = ctx.content_rect();
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

/// A closing that takes long enough to be seen. True when the user will not wait.
fn closing_ui(ctx: &Context, secs: f32) -> bool {
    if secs < 0.4 {
        return false;
    }
    Modal::new(Id::unique("closing"))
        .backdrop_color(theme::VEIL)
        .show(ctx, |ui| {
            ui.set_width(320.0);
            ui.heading("Closing");
            if secs < 3.0 {
                ui.label("What is finished is being written…");
                return false;
            }
            ui.label("A drive or a sound device does not answer. What was written is safe.");
            ui.button("Close anyway").clicked()
        })
        .inner
}

#[cfg(test)]
mod tests;
