//! The volume fader: its law, its looks, its keys.

use super::Page;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::accesskit::{Action, ActionData};
use eframe::egui::{
    Color32, EventFilter, Key, Rect, Response, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use tonearm_core::playback::PlayerCommand;

/// Points.
const WIDTH: f32 = 110.0;
const KNOB: f32 = 6.0;
/// Of the whole way, for an arrow key or a screen reader's step.
const STEP: f32 = 0.05;

pub use crate::settings::{fader_from_gain as place, gain_from_fader as gain};

/// `−18.1 dB`, or silence.
pub fn decibels(gain: f32) -> String {
    if gain < 1e-5 {
        return "silent".to_owned();
    }
    let decibels = 20.0 * gain.log10();
    if decibels.abs() < 0.05 {
        return "0 dB".to_owned();
    }
    format!("{decibels:.1} dB").replace('-', "\u{2212}")
}

pub(super) fn volume_ui(ui: &mut Ui, page: &Page<'_>, out: &mut Outbox) {
    let size = vec2(WIDTH, theme::CONTROL);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let volume = page.scene.sound.volume;
    if let Some(volume) = fader_ui(ui, rect, response, ("Volume", theme::ACCENT), volume) {
        out.sound.push(PlayerCommand::SetVolume(volume));
    }
}

/// A fader in `rect`, which `response` watches. Gives the gain that is asked for, when it is another.
pub(super) fn fader_ui(
    ui: &Ui,
    rect: Rect,
    mut response: Response,
    (name, colour): (&str, Color32),
    volume: f32,
) -> Option<f32> {
    let before = place(volume);
    let inner = rect.shrink2(vec2(KNOB + 1.0, 0.0));
    let mut place = before;
    if let Some(pointer) = response.interact_pointer_pos() {
        place = (pointer.x - inner.left()) / inner.width();
    }
    if response.double_clicked() {
        place = 1.0;
    }
    place = asked(ui, &response).unwrap_or(place) + STEP * steps(ui, &response);
    place = place.clamp(0.0, 1.0);
    let is_asked = (place - before).abs() > 1e-4;
    if is_asked {
        response.mark_changed();
    }
    tell(ui, &response, name, place);
    let painter = ui.painter();
    let knob = pos2(inner.left() + inner.width() * place, inner.center().y);
    let rail = |from: f32, to: f32| Rect::from_x_y_ranges(from..=to, knob.y - 2.0..=knob.y + 2.0);
    painter.rect_filled(rail(inner.left(), inner.right()), 2.0, theme::LINE);
    painter.rect_filled(rail(inner.left(), knob.x), 2.0, colour);
    painter.circle_filled(knob, KNOB, theme::TEXT);
    if response.has_focus() {
        painter.circle_stroke(knob, KNOB + 2.0, Stroke::new(1.5, theme::ACCENT));
    }
    response.on_hover_text(format!("{name}: {}", decibels(gain(place))));
    is_asked.then(|| gain(place))
}

/// Steps up that keys and screen readers ask for. The arrows stay with the fader: they do not move the focus.
fn steps(ui: &Ui, response: &Response) -> f32 {
    let mut keys = 0.0;
    if response.has_focus() {
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        keys = ui.input(|input| {
            let presses = |key| input.num_presses(key) as f32;
            presses(Key::ArrowUp) + presses(Key::ArrowRight)
                - presses(Key::ArrowDown)
                - presses(Key::ArrowLeft)
        });
    }
    ui.input(|input| {
        let requests = |action| input.num_accesskit_action_requests(response.id, action) as f32;
        keys + requests(Action::Increment) - requests(Action::Decrement)
    })
}

/// The place that a screen reader asks for; the last one counts.
fn asked(ui: &Ui, response: &Response) -> Option<f32> {
    ui.input(|input| {
        let requests = input.accesskit_action_requests(response.id, Action::SetValue);
        let values = requests.filter_map(|request| match request.data {
            Some(ActionData::NumericValue(value)) if value.is_finite() => Some(value as f32),
            _ => None,
        });
        values.last()
    })
}

/// What a screen reader hears of the fader, and may ask of it.
fn tell(ui: &Ui, response: &Response, name: &str, place: f32) {
    let words = decibels(gain(place));
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, f64::from(place), name);
        info.current_text_value = Some(words.clone());
        info
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(1.0);
        node.set_numeric_value_step(f64::from(STEP));
        node.add_action(Action::SetValue);
        node.add_action(Action::Increment);
        node.add_action(Action::Decrement);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fader_comes_back_to_where_it_was_put() {
        for step in 0..=20_u8 {
            let at = f32::from(step) / 20.0;
            assert!((place(gain(at)) - at).abs() < 1e-5);
        }
        assert_eq!((gain(-1.0), gain(2.0), place(1.5)), (0.0, 1.0, 1.0));
    }

    #[test]
    fn levels_read_as_engineers_write_them() {
        assert_eq!(decibels(gain(0.5)), "\u{2212}18.1 dB");
        assert_eq!(decibels(1.0), "0 dB");
        assert_eq!(decibels(0.0), "silent");
    }
}
