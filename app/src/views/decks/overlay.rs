//! The decks in a small window of their own, above all others.

use super::choose::{One, Shown};
use super::facts::{self, put, with_child};
use super::kept::{Props, Ready};
use super::{Live, Look, stage};
use crate::action::Action;
use crate::format;
use crate::settings::Settings;
use crate::shelf::Shelf;
use crate::theme::{self, icon};
use eframe::egui::{
    self, Align2, Button, Color32, CornerRadius, FontId, Id, Layout, PointerState, Rect, RichText,
    Sense, Stroke, StrokeKind, Ui, UiBuilder, ViewportCommand, WidgetInfo, pos2, vec2,
};
use serde::{Deserialize, Serialize};
use tonearm_core::decks::{DecksState, Link, Moment};

/// Where the overlay is, in points; kept between runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverlayPlace {
    pub open: bool,
    pub size: [f32; 2],
    /// Not told by every system.
    pub position: Option<[f32; 2]>,
    /// Whole points that it was made higher for at most, so that it stays as low as the user made it since.
    pub grown: u32,
}

/// Least and usual size, in points.
pub const LEAST_SIZE: [f32; 2] = [320.0, 96.0];
const USUAL_SIZE: [f32; 2] = [520.0, 178.0];
const MOST_SIZE: f32 = 8192.0;

impl Default for OverlayPlace {
    fn default() -> Self {
        Self {
            open: false,
            size: USUAL_SIZE,
            position: None,
            grown: 0,
        }
    }
}

impl OverlayPlace {
    /// Whether it is to be made higher for decks that want so many points: once for each number of them.
    pub fn grows_for(&mut self, wanted: f32) -> bool {
        let grows = wanted as u32 > self.grown;
        self.grown = self.grown.max(wanted as u32);
        grows && self.size[1] < wanted
    }

    /// Whatever stood in a file.
    #[must_use]
    pub fn within_bounds(self) -> Self {
        let [width, height] = self.size;
        let is_sound = width.is_finite() && height.is_finite();
        let size = if is_sound { self.size } else { USUAL_SIZE };
        let side = |at: usize| {
            let (side, least) = (size.get(at).copied(), LEAST_SIZE.get(at).copied());
            side.unwrap_or(0.0).clamp(least.unwrap_or(1.0), MOST_SIZE)
        };
        let on_a_screen = |at: &[f32; 2]| at.iter().all(|at| (-16_384.0..16_384.0).contains(at));
        Self {
            size: [side(0), side(1)],
            position: self.position.filter(on_a_screen),
            ..self
        }
    }
}

/// What the overlay reads in a frame.
#[derive(Debug, Clone, Copy)]
pub struct OverlayScene<'a> {
    pub live: Live<'a>,
    pub shelf: &'a Shelf,
    pub settings: &'a Settings,
    pub props: &'a Props,
    /// 0.3 to 1; less than 1 only where the window can be seen through.
    pub opacity: f32,
}

const FOOT: f32 = 22.0;
/// Of a deck that can be read well, and of one that can be read at all.
const ROW: f32 = 66.0;
const LEAST_ROW: f32 = 24.0;
/// Most and least side of a cover, and the width of a deck that has room for one.
const COVER: f32 = 62.0;
const LEAST_COVER: f32 = 36.0;
const WITH_COVER: f32 = 400.0;
const LOOKED_AT: usize = 64;
/// Seconds in a point: eight seconds in a waveform of usual width.
const PER_POINT: f64 = 0.03;

/// Fills the window. True when it is to be closed.
pub fn overlay_ui(ui: &mut Ui, scene: &OverlayScene<'_>) -> bool {
    let whole = ui.max_rect();
    let look = Look {
        live: scene.live,
        shelf: scene.shelf,
        settings: scene.settings,
    };
    let opacity = scene.opacity.clamp(0.3, 1.0);
    ui.painter().rect_filled(
        whole,
        CornerRadius::ZERO,
        theme::APP.gamma_multiply(opacity),
    );
    let frame = Stroke::new(1.0, theme::LINE);
    ui.painter()
        .rect_stroke(whole, CornerRadius::ZERO, frame, StrokeKind::Inside);
    // Whatever is not a button moves the window.
    let ground = ui.interact(whole, Id::unique("overlay ground"), Sense::drag());
    ground.widget_info(|| WidgetInfo::labeled(egui::Role::Pane, true, "Deck overlay"));
    if ground.drag_started() {
        hand_over(ui, ViewportCommand::StartDrag);
    }
    let inner = whole.shrink2(vec2(8.0, 6.0));
    let foot = inner.with_min_y(inner.bottom() - FOOT);
    let decks = inner.with_max_y(foot.top() - 2.0);
    let most = (decks.height() / LEAST_ROW).max(1.0) as usize;
    let shown = Shown::at_most(scene.live, most);
    if shown.decks.is_empty() {
        let (_, words) = super::standing(scene.live.decks);
        let words = match scene.live.decks.state {
            DecksState::Running => "Waiting for decks".to_owned(),
            _ => words,
        };
        let text = RichText::new(words).color(theme::TEXT_MUTED);
        let middle = Layout::centered_and_justified(egui::Direction::LeftToRight);
        put(ui, decks, middle, text);
    }
    let count = shown.decks.len().max(1) as f32;
    let height = (decks.height() / count).min(140.0);
    for (place, one) in shown.decks.iter().enumerate() {
        let top = decks.top() + height * place as f32;
        let row = Rect::from_min_size(pos2(decks.left(), top), vec2(decks.width(), height));
        let builder = UiBuilder::new()
            .id_salt(("overlay", one.deck.id))
            .max_rect(row);
        let row = row.shrink2(vec2(0.0, 2.0));
        with_child(ui, builder, |ui| {
            row_ui(ui, row, (&look, scene.props), (one, &shown));
        });
    }
    foot_ui(ui, foot, scene)
}

fn row_ui(
    ui: &mut Ui,
    rect: Rect,
    (look, props): (&Look<'_>, &Props),
    (one, shown): (&One<'_>, &Shown<'_>),
) {
    ui.set_clip_rect(ui.clip_rect().intersect(rect));
    let stripe = rect.with_max_x(rect.left() + 3.0);
    ui.painter()
        .rect_filled(stripe, CornerRadius::same(1), facts::colour(one));
    let mut rect = rect.with_min_x(rect.left() + 9.0);
    let ready = props.ready(ui.ctx(), look.shelf, one.deck);
    let side = rect.height().min(COVER);
    if side >= LEAST_COVER && rect.width() >= WITH_COVER && !one.is_empty() {
        let cover = Rect::from_min_size(rect.min, vec2(side, side));
        facts::cover(ui, cover, ready.cover);
        rect.min.x = cover.right() + 6.0;
    }
    let first = rect.with_max_y((rect.top() + 22.0).min(rect.bottom()));
    let second = rect.with_min_y(first.bottom() + 2.0);
    first_ui(ui, first, look, (one, shown));
    if second.height() >= 14.0 && !one.is_empty() {
        second_ui(ui, second, &ready, one);
    }
}

/// Takes `width` from the right of `rest`, if that leaves enough.
fn take(rest: &mut Rect, width: f32) -> Option<Rect> {
    (rest.width() - width > 110.0).then(|| {
        let taken = rest.with_min_x(rest.right() - width);
        rest.max.x = taken.left() - 6.0;
        taken
    })
}

/// Who plays what, how fast, in which key.
fn first_ui(ui: &mut Ui, rect: Rect, look: &Look<'_>, (one, shown): (&One<'_>, &Shown<'_>)) {
    let painter = ui.painter_at(rect);
    let label = format::fit(&one.deck.label, 4);
    let badge = rect.with_max_x(rect.left() + 26.0);
    painter.text(
        badge.center(),
        Align2::CENTER_CENTER,
        &label,
        theme::strong(15.0),
        facts::colour(one),
    );
    let (sign, words, ink) = facts::play_state(one);
    let state = Rect::from_min_size(
        pos2(badge.right() + 2.0, rect.top()),
        vec2(16.0, rect.height()),
    );
    painter.text(
        state.center(),
        Align2::CENTER_CENTER,
        sign,
        FontId::proportional(12.0),
        ink,
    );
    facts::told(
        ui,
        badge.union(state),
        "badge",
        &format!("Deck {label}: {words}"),
    );
    let mut rest = rect.with_min_x(state.right() + 4.0);
    if let Some(place) = take(&mut rest, 38.0) {
        let chip = Rect::from_center_size(place.center(), vec2(36.0, 18.0));
        facts::key_chip(ui, chip, one.sounding_key(), look.settings.key_notation);
        if let Some((colour, words)) = facts::relation_words(&one.relations(shown)) {
            let stroke = Stroke::new(2.0, colour);
            let below = chip
                .with_min_y(chip.bottom() + 1.0)
                .with_max_y(chip.bottom() + 2.0);
            ui.painter().hline(below.x_range(), below.bottom(), stroke);
            facts::told(ui, below, "relation", &words);
        }
    }
    let text = |text: String, ink: Color32| RichText::new(text).size(13.0).color(ink);
    let has_room_for_both = rest.width() > 230.0;
    if has_room_for_both && let Some(place) = take(&mut rest, 52.0) {
        put(
            ui,
            place,
            facts::right(),
            text(facts::pitch(one), theme::TEXT_MUTED),
        );
    }
    if let Some(place) = take(&mut rest, 52.0) {
        let tempo = RichText::new(facts::tempo(one))
            .font(theme::strong(14.0))
            .color(facts::ink(one));
        put(ui, place, facts::right(), tempo);
    }
    let (title, artist) = (facts::title(one), facts::artist(one));
    let words = if artist.is_empty() {
        title
    } else {
        format!("{title} – {artist}")
    };
    put(ui, rest, facts::left(), text(words, facts::ink(one)));
}

/// The waveform, the chords, the time, the beats.
fn second_ui(ui: &mut Ui, rect: Rect, ready: &Ready, one: &One<'_>) {
    let mut rest = rect;
    if let Some(place) = take(&mut rest, 92.0) {
        let middle = place.center().y;
        let (above, below) = if place.height() > 32.0 {
            (
                Rect::from_x_y_ranges(place.x_range(), middle - 18.0..=middle),
                Some(Rect::from_x_y_ranges(
                    place.x_range(),
                    middle + 4.0..=middle + 13.0,
                )),
            )
        } else {
            (place, None)
        };
        let (since, left) = facts::times(one);
        let time = if left.is_empty() { since } else { left };
        let text = RichText::new(time)
            .font(theme::strong(14.0))
            .color(facts::ink(one));
        put(ui, above, facts::right(), text).on_hover_text("What is left of the track");
        if one.deck.is_master == Some(true) {
            let text = RichText::new("MASTER").size(10.0).color(theme::ACCENT);
            put(ui, above, facts::left(), text);
        }
        if let Some(below) = below {
            facts::phase_meter(ui, below, one);
        }
    }
    // Without the library there are no chords.
    if let Some(moment) = one.moment
        && one.deck.matching.track().is_some()
        && let Some(place) = take(&mut rest, 84.0)
    {
        chords_ui(ui, place, one, &moment);
    }
    let slot = Id::unique(("overlay waveform", one.deck.id));
    stage::stage_ui(ui, rest, one, ready, (slot, PER_POINT));
}

/// The chord that sounds, and the one that comes.
fn chords_ui(ui: &mut Ui, rect: Rect, one: &One<'_>, moment: &Moment) {
    let name = facts::chord_name(moment);
    let next = moment.next_chord.as_ref();
    let coming = next.map(|next| {
        let beats = next.in_beats.ceil().clamp(0.0, 999.0) as u32;
        let name = next.chord.short_name(next.spelling);
        (
            format!("{} {name} in {beats}", icon::CARET_RIGHT),
            facts::coming(next),
        )
    });
    let (above, below) = if rect.height() >= 30.0 {
        rect.split_top_bottom_at_fraction(0.5)
    } else {
        // Where there is room for one line, it is what comes that cannot be heard yet.
        (rect, rect)
    };
    if above != below || coming.is_none() {
        let text = RichText::new(name)
            .font(theme::strong(14.0))
            .color(facts::ink(one));
        put(ui, above, facts::left(), text);
    }
    if let Some((words, more)) = coming {
        let text = RichText::new(words).size(12.0).color(theme::TEXT_MUTED);
        put(ui, below, facts::left(), text).on_hover_text(more);
    }
}

/// How high the window has to be so that all decks can be read, in points; 0 without decks.
pub fn wanted_height(live: Live<'_>) -> f32 {
    let decks = live.decks.decks().take(LOOKED_AT);
    let loaded = decks.filter(|(_, deck)| deck.title().is_some()).count();
    match loaded.min(4) {
        0 => 0.0,
        count => count as f32 * ROW + FOOT + 16.0,
    }
}

/// How it stands, and the way out.
fn foot_ui(ui: &mut Ui, rect: Rect, scene: &OverlayScene<'_>) -> bool {
    let (colour, mut words) = super::standing(scene.live.decks);
    let lost = scene
        .live
        .decks
        .units
        .iter()
        .find_map(|unit| match &unit.link {
            Link::Lost(reason) => Some(format!("{}: {reason}", format::fit(&unit.name, 24))),
            Link::Heard | Link::Live => None,
        });
    if let Some(lost) = lost {
        words = format::fit(&lost, 120);
    }
    if scene.live.decks.simulated.is_some() {
        words = format!("Simulation · {words}");
    }
    // The corner by which the window is made larger.
    let grip = Rect::from_min_max(pos2(rect.right() - 14.0, rect.bottom() - 14.0), rect.max);
    let close = Rect::from_min_size(
        pos2(grip.left() - 26.0, rect.top()),
        vec2(22.0, rect.height()),
    );
    let text = rect.with_max_x(close.left() - 6.0);
    let dot = pos2(text.left() + 5.0, text.center().y);
    ui.painter().circle_filled(dot, 3.5, colour);
    let small = RichText::new(words).size(11.0).color(theme::TEXT_FAINT);
    put(
        ui,
        text.with_min_x(text.left() + 14.0),
        facts::left(),
        small,
    );
    grip_ui(ui, grip);
    let builder = UiBuilder::new().max_rect(close).layout(facts::right());
    with_child(ui, builder, |ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        ui.spacing_mut().button_padding = vec2(4.0, 2.0);
        // Senses drags, so that they do not go to the ground below, which would take the pointer and with it the click.
        let button = Button::new(RichText::new(icon::X).size(12.0)).frame(false);
        let button = ui.add(button.sense(Sense::click_and_drag()));
        button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Close overlay"));
        button.on_hover_text(Action::ToggleOverlay.hint()).clicked()
    })
}

fn grip_ui(ui: &Ui, rect: Rect) {
    let grip = ui.interact(rect, Id::unique("overlay grip"), Sense::drag());
    grip.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Resize overlay"));
    let ink = if grip.hovered() {
        theme::TEXT_MUTED
    } else {
        theme::TEXT_FAINT
    };
    for step in [4.0, 8.0, 12.0] {
        let (from, to) = (
            pos2(rect.right() - step, rect.bottom() - 1.0),
            pos2(rect.right() - 1.0, rect.bottom() - step),
        );
        ui.painter().line_segment([from, to], Stroke::new(1.0, ink));
    }
    if grip.hovered() {
        ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeNwSe);
    }
    if grip.drag_started() {
        let corner = egui::ResizeDirection::SouthEast;
        hand_over(ui, ViewportCommand::BeginResize(corner));
    }
}

/// From here on the system has the pointer, and keeps it that the button was let go: nothing here is dragged or pressed
/// any more, or the next press would not count.
fn hand_over(ui: &Ui, command: ViewportCommand) {
    let ctx = ui.ctx();
    ctx.send_viewport_cmd(command);
    ctx.stop_dragging();
    ctx.input_mut(|input| input.pointer = PointerState::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_for_more_decks_and_not_again_for_as_many() {
        let mut place = OverlayPlace {
            size: [400.0, 100.0],
            ..OverlayPlace::default()
        };
        assert!(!place.grows_for(0.0), "nobody is there");
        assert!(place.grows_for(170.0));
        place.size[1] = 170.0;
        // The user makes it low; decks go, come back, and another start finds it so.
        place.size[1] = 96.0;
        assert!(!place.grows_for(0.0) && !place.grows_for(170.0));
        let text = serde_json::to_string(&place).unwrap();
        let mut kept: OverlayPlace = serde_json::from_str(&text).unwrap();
        assert!(!kept.grows_for(170.0));
        assert!(kept.grows_for(302.0), "more decks than ever");
        kept.size[1] = 500.0;
        assert!(!kept.grows_for(400.0), "there is room");
    }

    #[test]
    fn a_place_from_a_file_is_on_a_screen_and_large_enough() {
        let kept = OverlayPlace {
            open: true,
            size: [1.0, 1e9],
            position: Some([-1e9, 0.0]),
            grown: 0,
        };
        let place = kept.within_bounds();
        assert_eq!(place.size, [LEAST_SIZE[0], MOST_SIZE]);
        assert_eq!((place.open, place.position), (true, None));
        let kept = OverlayPlace {
            size: [f32::NAN, 100.0],
            position: Some([10.0, -20.0]),
            ..kept
        };
        let place = kept.within_bounds();
        assert_eq!((place.size, place.position), (USUAL_SIZE, kept.position));
    }
}
