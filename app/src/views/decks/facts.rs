//! The facts of a deck as they are drawn on cards and in the overlay: keys, tempo, time, beats, chords.

use super::choose::One;
use crate::format;
use crate::settings::KeyNotation;
use crate::shelf::Stems;
use crate::theme::{self, icon};
use crate::views::track::lanes::key_name;
use crate::widgets::activity;
use eframe::egui::{
    self, Align, Align2, Color32, CornerRadius, FontId, Label, Layout, Rect, Response, RichText,
    Sense, Stroke, StrokeKind, TextureId, Ui, UiBuilder, WidgetInfo, vec2,
};
use tonearm_core::decks::{Moment, NextChord, Sounding};
use tonearm_core::harmony::Key;
use tonearm_core::stems::Stem;
use tonearm_core::units::Secs;

/// Letters of a text that could be seen at most; what a network says may be endless.
pub(super) const LETTERS: usize = 200;

/// Text in a rectangle of its own, cut where it ends.
pub(super) fn put(ui: &mut Ui, rect: Rect, layout: Layout, text: RichText) -> Response {
    let builder = UiBuilder::new().max_rect(rect).layout(layout);
    with_child(ui, builder, |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(rect.expand(1.0)));
        ui.add(Label::new(text).truncate().selectable(false))
    })
}

/// Draws somewhere without moving what comes after.
pub(super) fn with_child<T>(
    ui: &mut Ui,
    builder: UiBuilder,
    content: impl FnOnce(&mut Ui) -> T,
) -> T {
    content(&mut ui.new_child(builder))
}

pub(super) fn left() -> Layout {
    Layout::left_to_right(Align::Center)
}

pub(super) fn right() -> Layout {
    Layout::right_to_left(Align::Center)
}

/// Something painted, with a name for those who cannot see it.
pub(super) fn told(
    ui: &Ui,
    rect: Rect,
    id: impl std::hash::Hash + std::fmt::Debug,
    words: &str,
) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, words));
    response
}

/// Which stems sound at `at`.
pub(super) fn stems_in_words(stems: &Stems, at: f64) -> String {
    let names: Vec<&str> = activity::sounding(stems, at).map(Stem::name).collect();
    if names.is_empty() {
        "No stem sounds".to_owned()
    } else {
        format!("Sounding: {}", names.join(", "))
    }
}

/// The deck's colour, paler when what it shows holds no longer.
pub(super) fn colour(one: &One<'_>) -> Color32 {
    let colour = theme::DECKS
        .get(one.number % theme::DECKS.len())
        .copied()
        .unwrap_or(theme::ACCENT);
    if one.is_stale() {
        colour.gamma_multiply(0.45)
    } else {
        colour
    }
}

pub(super) fn ink(one: &One<'_>) -> Color32 {
    if one.is_stale() {
        theme::TEXT_FAINT
    } else {
        theme::TEXT
    }
}

pub(super) fn title(one: &One<'_>) -> String {
    let named = one.deck.title().filter(|title| !title.trim().is_empty());
    match named {
        Some(title) => format::fit(title, LETTERS),
        None if one.is_empty() => "Nothing loaded".to_owned(),
        None => "A track without a name".to_owned(),
    }
}

pub(super) fn artist(one: &One<'_>) -> String {
    format::fit(one.deck.artist().unwrap_or_default(), LETTERS)
}

/// `124.00`, what is heard.
pub(super) fn tempo(one: &One<'_>) -> String {
    let heard = one.moment.and_then(|moment| moment.bpm).or(one.deck.bpm);
    match heard.filter(|bpm| bpm.0.is_finite() && (0.1..10_000.0).contains(&bpm.0)) {
        Some(bpm) => format::tempo(bpm),
        None => "–".to_owned(),
    }
}

/// `+0.4 %`.
pub(super) fn pitch(one: &One<'_>) -> String {
    match one.deck.pitch.filter(|pitch| pitch.is_finite()) {
        Some(pitch) => {
            let percent = (pitch - 1.0) * 100.0;
            if percent.abs() < 0.05 {
                "±0.0 %".to_owned()
            } else if percent < 0.0 {
                format!("−{:.1} %", -percent)
            } else {
                format!("+{percent:.1} %")
            }
        }
        None => String::new(),
    }
}

/// Since the start, and what is left.
pub(super) fn times(one: &One<'_>) -> (String, String) {
    let Some(moment) = one.moment else {
        return ("–:––".to_owned(), String::new());
    };
    let left = match moment.remaining {
        Some(left) if left.0.is_finite() => format!("−{}", format::duration(Secs(left.0.max(0.0)))),
        _ => String::new(),
    };
    (format::position(moment.position.0), left)
}

/// The cover, or the sign of a record. Only a picture is told to those who cannot see it.
pub(super) fn cover(ui: &Ui, rect: Rect, texture: Option<TextureId>) {
    let radius = CornerRadius::same(4);
    let Some(texture) = texture else {
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, radius, theme::RAISED);
        let font = FontId::proportional(rect.height() * 0.42);
        let sign = icon::VINYL_RECORD;
        let (middle, ink) = (rect.center(), theme::TEXT_FAINT);
        painter.text(middle, Align2::CENTER_CENTER, sign, font, ink);
        return;
    };
    egui::Image::new((texture, rect.size()))
        .corner_radius(radius)
        .paint_at(ui, rect);
    told(ui, rect, "cover", "Cover");
}

/// A key in its colour.
pub(super) fn key_chip(ui: &Ui, rect: Rect, key: Option<Key>, notation: KeyNotation) {
    let painter = ui.painter_at(rect);
    let Some(key) = key else {
        painter.text(
            rect.center(),
            Align2::CENTER_CENTER,
            "–",
            theme::strong(14.0),
            theme::TEXT_FAINT,
        );
        return;
    };
    let name = key_name(key, notation);
    painter.rect_filled(rect, CornerRadius::same(5), theme::key(key));
    let size = if name.len() > 4 {
        11.0
    } else {
        (rect.height() * 0.62).clamp(11.0, 16.0)
    };
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        &name,
        theme::strong(size),
        theme::ON_CHIP,
    );
    let words = format!("Key {}, {key}", key.camelot());
    told(ui, rect, "key", &words).on_hover_text(words);
}

/// Whether the key goes with those of the other decks that are heard.
pub(super) fn relation_words(relations: &[(String, bool)]) -> Option<(Color32, String)> {
    let names = |fitting: bool| {
        let names = relations
            .iter()
            .filter(|it| it.1 == fitting)
            .map(|it| it.0.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let (good, bad) = (names(true), names(false));
    match (good.is_empty(), bad.is_empty()) {
        (true, true) => None,
        (_, false) => Some((theme::WARN, format!("clashes with {bad}"))),
        (false, true) => Some((theme::OK, format!("fits {good}"))),
    }
}

/// A cell for each beat of the bar; the one that sounds fills up.
pub(super) fn phase_meter(ui: &Ui, rect: Rect, one: &One<'_>) {
    let place = one.moment.and_then(|moment| moment.beat);
    let beats = place.map_or(4, |place| beats_in_bar(one, place.in_bar));
    let painter = ui.painter_at(rect);
    let gap = 3.0_f32.min(rect.width() / f32::from(beats) / 4.0);
    let width = (rect.width() + gap) / f32::from(beats) - gap;
    let colour = colour(one);
    let mut at = rect.left();
    for beat in 1..=beats {
        let cell = Rect::from_min_size(egui::pos2(at, rect.top()), vec2(width, rect.height()));
        at += width + gap;
        let radius = CornerRadius::same(2);
        painter.rect_filled(cell, radius, theme::HOVER);
        let Some(place) = place else { continue };
        if beat < place.in_bar {
            painter.rect_filled(cell, radius, colour.gamma_multiply(0.4));
        } else if beat == place.in_bar {
            let filled = width * (place.phase as f32).clamp(0.12, 1.0);
            let strong = if beat == 1 {
                theme::TEXT.lerp_to_gamma(colour, 0.35)
            } else {
                colour
            };
            let strong = if one.is_stale() { colour } else { strong };
            painter.rect_filled(cell.with_max_x(cell.left() + filled), radius, strong);
        }
        if beat == 1 {
            painter.rect_stroke(
                cell,
                radius,
                Stroke::new(1.0, colour.gamma_multiply(0.7)),
                StrokeKind::Inside,
            );
        }
    }
    let words = match place {
        Some(place) => format!("Beat {} of {beats}", place.in_bar),
        None => "Beat unknown".to_owned(),
    };
    told(ui, rect, "phase", &words);
}

fn beats_in_bar(one: &One<'_>, in_bar: u8) -> u8 {
    let beats = || {
        let analysis = one.deck.matching.track()?.analysis.as_ref()?;
        let beats = analysis.details.beats.as_ref()?;
        let at = one.moment?.position;
        let begun = beats
            .segments
            .partition_point(|segment| segment.start <= at);
        Some(beats.segments.get(begun.saturating_sub(1))?.beats_per_bar)
    };
    beats().unwrap_or(4).max(in_bar).clamp(1, 16)
}

/// `bar 17`.
pub(super) fn bar(one: &One<'_>) -> String {
    match one.moment.and_then(|moment| moment.beat) {
        Some(place) => format!("bar {}", place.bar),
        None => String::new(),
    }
}

pub(super) fn chord_name(moment: &Moment) -> String {
    match moment.chord {
        Sounding::Unknown => String::new(),
        Sounding::NoChord => "N.C.".to_owned(),
        Sounding::Chord(chord) => chord.short_name(moment.spelling),
    }
}

/// `F in 3 beats`.
pub(super) fn coming(next: &NextChord) -> String {
    let beats = next.in_beats.ceil().clamp(0.0, 9999.0) as u32;
    let name = next.chord.short_name(next.spelling);
    match beats {
        0 | 1 => format!("{name} in 1 beat"),
        _ => format!("{name} in {beats} beats"),
    }
}

/// Short words in a frame.
pub(super) fn badge(ui: &mut Ui, text: &str, colour: Color32) -> Response {
    let shown = egui::Frame::new()
        .fill(colour.gamma_multiply(0.18))
        .stroke(Stroke::new(1.0, colour.gamma_multiply(0.6)))
        .corner_radius(4)
        .inner_margin(egui::Margin::symmetric(5, 0))
        .show(ui, |ui| {
            let text = RichText::new(text).size(11.0).color(colour);
            ui.add(Label::new(text).selectable(false));
        });
    shown.response
}

pub(super) fn play_state(one: &One<'_>) -> (&'static str, &'static str, Color32) {
    match one.deck.is_playing {
        Some(true) => (icon::PLAY_FILL, "Playing", colour(one)),
        Some(false) => (icon::PAUSE_FILL, "Paused", theme::TEXT_FAINT),
        None => (icon::CIRCLE_DASHED, "Unknown", theme::TEXT_FAINT),
    }
}
