//! The small player under the library: what plays, where in it, and how loud.

use super::kept::Kept;
use super::{Page, fader, title, transport};
use crate::action::Action;
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::accesskit::{self, ActionData};
use eframe::egui::{
    Align, Button, Label, Layout, Rect, Response, RichText, Sense, Ui, WidgetInfo, pos2, vec2,
};

/// Points.
pub const HEIGHT: f32 = 44.0;
/// Of the line that shows how much has been heard.
const LINE: f32 = 4.0;
/// Seconds that a screen reader steps.
const STEP: f64 = 10.0;
/// Points across that times and volume need.
const WITH_TIME: f32 = 420.0;
const WITH_VOLUME: f32 = 620.0;

/// Whether there is anything to show.
pub fn has_strip(scene: &Scene<'_>) -> bool {
    let loaded = scene.sound.loaded.as_ref();
    loaded.is_some_and(|loaded| scene.view.rows.get(loaded.track).is_some())
}

/// One line of [`HEIGHT`] points; nothing without a loaded track.
pub fn strip_ui(ui: &mut Ui, scene: &Scene<'_>, out: &mut Outbox) {
    let loaded = scene.sound.loaded.as_ref();
    let Some(row) = loaded.and_then(|loaded| scene.view.rows.get(loaded.track)) else {
        return;
    };
    let page = Page::new(scene, row, &Kept::default());
    let whole = Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), HEIGHT));
    line_ui(ui, whole.with_max_y(whole.top() + LINE), &page, out);
    ui.add_space(LINE);
    ui.allocate_ui_with_layout(
        vec2(whole.width(), HEIGHT - LINE),
        Layout::left_to_right(Align::Center),
        |ui| {
            ui.add_space(10.0);
            transport::play_ui(ui, &page, out);
            ui.add_space(6.0);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add_space(12.0);
                if whole.width() > WITH_VOLUME {
                    fader::volume_ui(ui, &page, out);
                    ui.add_space(8.0);
                }
                if whole.width() > WITH_TIME {
                    times_ui(ui, &page);
                    ui.add_space(8.0);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    name_ui(ui, &page, out);
                });
            });
        },
    );
}

/// Title and artist; a press shows the track.
fn name_ui(ui: &mut Ui, page: &Page<'_>, out: &mut Outbox) {
    if let Some(trouble) = page
        .scene
        .sound
        .loaded
        .as_ref()
        .and_then(|it| it.trouble.as_ref())
    {
        let mark = RichText::new(theme::icon::WARNING).color(theme::ERROR);
        let words = format!("{}: {}", trouble.message, trouble.remedy);
        ui.label(mark).on_hover_text(words);
    }
    let (text, color, more) = transport::output_words(&page.scene.sound.output);
    if color == theme::ERROR {
        let label = ui.label(RichText::new(text).color(color));
        label.on_hover_text(format!(
            "{more}. Another output can be chosen in the settings."
        ));
    }
    let name = RichText::new(title(page.row)).font(theme::strong(14.0));
    let button = ui.add(Button::new(name).frame(false).truncate());
    let label = format!("Show {}", title(page.row));
    button.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Button, true, &label));
    if button
        .on_hover_text(transport::hint("Show this track", Action::ShowPlaying, ui))
        .clicked()
    {
        out.act(Action::ShowPlaying);
    }
    if let Some(artist) = &page.row.track.tags.artist {
        let artist = RichText::new(format::fit(artist, 200)).color(theme::TEXT_MUTED);
        ui.add(Label::new(artist).truncate());
    }
}

fn times_ui(ui: &mut Ui, page: &Page<'_>) {
    let length = match page.duration {
        secs if secs > 0.0 => format::position(secs),
        _ => "\u{2013}".to_owned(),
    };
    let text = format!("{} / {length}", format::position(page.at));
    ui.label(RichText::new(text).monospace().size(13.0));
}

/// What a screen reader hears of the line, and may ask of it: ten seconds back or on, or a place.
fn tell(ui: &Ui, response: &Response, page: &Page<'_>, out: &mut Outbox) {
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, page.at, "Place in the track");
        let place = format::position(page.at);
        info.current_text_value = Some(format!("{place} of {}", format::position(page.duration)));
        info
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(page.duration);
        node.set_numeric_value_step(STEP);
        for action in [
            accesskit::Action::Increment,
            accesskit::Action::Decrement,
            accesskit::Action::SetValue,
        ] {
            node.add_action(action);
        }
    });
    let wanted = ui.input(|input| {
        let asks = |action| input.num_accesskit_action_requests(response.id, action) as f64;
        let steps = asks(accesskit::Action::Increment) - asks(accesskit::Action::Decrement);
        let places = input.accesskit_action_requests(response.id, accesskit::Action::SetValue);
        let place = places.filter_map(|request| match request.data {
            Some(ActionData::NumericValue(value)) if value.is_finite() => Some(value),
            _ => None,
        });
        place
            .last()
            .or((steps != 0.0).then_some(page.at + steps * STEP))
    });
    if let Some(to) = wanted {
        super::jump::seek(page, to, false, out);
    }
}

/// How much has been heard; a press goes there.
fn line_ui(ui: &Ui, rect: Rect, page: &Page<'_>, out: &mut Outbox) {
    ui.painter().rect_filled(rect, 0.0, theme::LINE);
    if page.duration <= 0.0 {
        return;
    }
    let part = (page.at / page.duration).clamp(0.0, 1.0) as f32;
    let heard = rect.with_max_x(rect.left() + rect.width() * part);
    ui.painter().rect_filled(heard, 0.0, theme::ACCENT);
    let touch = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() + 4.0));
    let response = ui.interact(touch, ui.scope_id().with("heard"), Sense::CLICK);
    tell(ui, &response, page, out);
    if let Some(pointer) = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())
    {
        let to = f64::from((pointer.x - rect.left()) / rect.width().max(1.0));
        super::jump::seek(page, to * page.duration, false, out);
    }
}
