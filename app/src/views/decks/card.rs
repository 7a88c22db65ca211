//! One deck on the page: what plays in large letters, its waveform, and how it was recognised.

use super::choose::{One, Shown};
use super::facts::{self, put, with_child};
use super::kept::Ready;
use super::{DecksPanel, Look, matching, stage};
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{
    self, Align, Align2, CornerRadius, FontId, Id, Label, Layout, Rect, RichText, Ui, UiBuilder,
    pos2, vec2,
};
use tonearm_core::decks::Link;

/// Height of the facts above the waveform, and of the line of progress.
const HEAD: f32 = 74.0;
const PROGRESS: f32 = 3.0;
const STRIPE: f32 = 4.0;
const COVER: f32 = 58.0;

/// What stands at the right of a deck, its width, and what the title needs beside it; those that come first stay when
/// there is little room.
const COLUMNS: [(Column, f32, f32); 5] = [
    (Column::Time, 104.0, 90.0),
    (Column::Tempo, 96.0, 90.0),
    (Column::Key, 92.0, 120.0),
    (Column::Phase, 112.0, 170.0),
    (Column::Chord, 130.0, 190.0),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Time,
    Tempo,
    Key,
    Phase,
    Chord,
}

pub(super) fn card_ui(
    ui: &mut Ui,
    rect: Rect,
    (scene, look): (&Scene<'_>, &Look<'_>),
    (one, shown): (&One<'_>, &Shown<'_>),
    (panel, out): (&mut DecksPanel, &mut Outbox),
) {
    let builder = UiBuilder::new()
        .id_salt(("deck", one.deck.id))
        .max_rect(rect);
    let ui = &mut ui.new_child(builder);
    ui.set_clip_rect(ui.clip_rect().intersect(rect));
    let radius = CornerRadius::same(8);
    ui.painter().rect_filled(rect, radius, theme::PANEL);
    let stripe = rect.with_max_x(rect.left() + STRIPE);
    let left = CornerRadius {
        ne: 0,
        se: 0,
        ..radius
    };
    ui.painter().rect_filled(stripe, left, facts::colour(one));
    let ready = panel.props.ready(ui.ctx(), look.shelf, one.deck);
    let inner = rect.with_min_x(stripe.right());
    let head = inner.with_max_y(rect.top() + HEAD);
    head_ui(ui, head, (scene, look), (one, shown, &ready), (panel, out));
    let wave = inner
        .with_min_y(head.bottom())
        .with_max_y(rect.bottom() - PROGRESS);
    let slot = Id::unique(("deck waveform", one.deck.id));
    stage::stage_ui(ui, wave, one, &ready, (slot, panel.per_point()));
    progress(ui, inner.with_min_y(wave.bottom()), one);
}

fn head_ui(
    ui: &mut Ui,
    rect: Rect,
    (scene, look): (&Scene<'_>, &Look<'_>),
    (one, shown, ready): (&One<'_>, &Shown<'_>, &Ready),
    (panel, out): (&mut DecksPanel, &mut Outbox),
) {
    let rect = rect.shrink2(vec2(10.0, 6.0));
    let badge = rect.with_max_x(rect.left() + 40.0);
    badge_ui(ui, badge, one);
    let cover = Rect::from_min_size(
        pos2(badge.right() + 8.0, rect.center().y - COVER / 2.0),
        vec2(COVER, COVER),
    );
    facts::cover(ui, cover, ready.cover);
    let mut edge = rect.right();
    let start = cover.right() + 12.0;
    for (column, width, least) in COLUMNS {
        if edge - width - start < least || (one.is_empty() && column != Column::Time) {
            break;
        }
        let place = Rect::from_min_max(pos2(edge - width, rect.top()), pos2(edge, rect.bottom()));
        column_ui(ui, place, column, look, (one, shown));
        edge -= width + 8.0;
    }
    let title = Rect::from_min_max(pos2(start, rect.top()), pos2(edge, rect.bottom()));
    if title.width() > 20.0 {
        title_ui(ui, title, (scene, look), one, (panel, out));
    }
}

/// The deck's name and whether it plays.
fn badge_ui(ui: &Ui, rect: Rect, one: &One<'_>) {
    let (upper, lower) = rect.split_top_bottom_at_fraction(0.58);
    let label = format::fit(&one.deck.label, 4);
    let colour = facts::colour(one);
    let size = if label.chars().count() > 2 {
        17.0
    } else {
        24.0
    };
    let painter = ui.painter_at(rect);
    painter.text(
        upper.center(),
        Align2::CENTER_CENTER,
        &label,
        theme::strong(size),
        colour,
    );
    let (sign, words, ink) = facts::play_state(one);
    let font = FontId::proportional(16.0);
    painter.text(lower.center(), Align2::CENTER_CENTER, sign, font, ink);
    let words = format!("Deck {label}: {words}");
    facts::told(ui, rect, "badge", &words).on_hover_text(of_unit(one));
}

fn of_unit(one: &One<'_>) -> String {
    let unit = one.unit;
    let product = unit.product.unwrap_or(&unit.model);
    format!(
        "{} “{}” at {}",
        format::fit(product, 40),
        format::fit(&unit.name, 40),
        format::fit(&unit.address, 60)
    )
}

fn title_ui(
    ui: &mut Ui,
    rect: Rect,
    (scene, look): (&Scene<'_>, &Look<'_>),
    one: &One<'_>,
    (panel, out): (&mut DecksPanel, &mut Outbox),
) {
    let line = |from: f32, to: f32| {
        Rect::from_min_max(
            pos2(rect.left(), rect.top() + from),
            pos2(rect.right(), rect.top() + to),
        )
    };
    let ink = if one.is_empty() {
        theme::TEXT_FAINT
    } else {
        facts::ink(one)
    };
    let title = facts::title(one);
    let text = RichText::new(title).font(theme::strong(19.0)).color(ink);
    put(ui, line(-1.0, 23.0), facts::left(), text);
    let artist = facts::artist(one);
    if !artist.is_empty() {
        let text = RichText::new(artist).size(13.0).color(theme::TEXT_MUTED);
        put(ui, line(23.0, 40.0), facts::left(), text);
    }
    let builder = UiBuilder::new()
        .max_rect(line(41.0, 62.0))
        .layout(facts::left());
    with_child(ui, builder, |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(rect));
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.spacing_mut().interact_size.y = 20.0;
        ui.spacing_mut().button_padding = vec2(6.0, 1.0);
        badges_ui(ui, one);
        if !one.is_empty() {
            matching::matching_ui(ui, (scene, look), one, &mut panel.picking, out);
        }
    });
}

/// What is not as usual.
fn badges_ui(ui: &mut Ui, one: &One<'_>) {
    if let Link::Lost(reason) = &one.unit.link {
        let reason = format::fit(reason, 200);
        facts::badge(ui, "SIGNAL LOST", theme::WARN).on_hover_text(reason);
    } else if one.is_stale() {
        facts::badge(ui, "NO NEWS", theme::WARN)
            .on_hover_text("Nothing was heard of its position for a quarter of a second");
    }
    if one.unit.has_twin {
        let words = format!(
            "Two players have this number; this one is {}. Set another number on one of them.",
            of_unit(one)
        );
        let name = format!("SAME NUMBER: {}", format::fit(&one.unit.name, 16));
        facts::badge(ui, &name, theme::WARN).on_hover_text(words);
    }
    if one.deck.is_master == Some(true) {
        facts::badge(ui, "MASTER", theme::ACCENT);
    }
    if one.deck.looped.is_some() {
        facts::badge(ui, "LOOP", theme::OK);
    }
    if one.deck.is_playing == Some(true) && one.deck.is_audible == Some(false) {
        facts::badge(ui, "FADER DOWN", theme::TEXT_MUTED);
    }
}

fn column_ui(
    ui: &mut Ui,
    rect: Rect,
    column: Column,
    look: &Look<'_>,
    (one, shown): (&One<'_>, &Shown<'_>),
) {
    let upper = rect.with_max_y(rect.top() + 34.0);
    let lower = rect
        .with_min_y(rect.top() + 38.0)
        .with_max_y(rect.top() + 58.0);
    let ink = facts::ink(one);
    let large = |text: String| RichText::new(text).font(theme::strong(25.0)).color(ink);
    let small = |text: String| RichText::new(text).size(14.0).color(theme::TEXT_MUTED);
    match column {
        Column::Time => {
            let (since, left) = facts::times(one);
            put(ui, upper, facts::right(), large(since));
            if !left.is_empty() {
                put(ui, lower, facts::right(), small(left));
            }
        }
        Column::Tempo => {
            put(ui, upper, facts::right(), large(facts::tempo(one)));
            let pitch = facts::pitch(one);
            if !pitch.is_empty() {
                put(ui, lower, facts::right(), small(pitch));
            }
        }
        Column::Key => {
            let chip = Rect::from_center_size(upper.center(), vec2(52.0, 26.0));
            facts::key_chip(ui, chip, one.sounding_key(), look.settings.key_notation);
            if let Some((colour, words)) = facts::relation_words(&one.relations(shown)) {
                let text = RichText::new(words).size(12.0).color(colour);
                let centred = Layout::centered_and_justified(egui::Direction::LeftToRight);
                put(ui, lower, centred, text);
            }
        }
        Column::Phase => {
            let meter = upper.shrink2(vec2(4.0, 9.0));
            facts::phase_meter(ui, meter, one);
            let bar = facts::bar(one);
            if !bar.is_empty() {
                let centred = Layout::centered_and_justified(egui::Direction::LeftToRight);
                put(ui, lower, centred, small(bar));
            }
        }
        Column::Chord => chord_ui(ui, (upper, lower), one),
    }
}

/// The chord that sounds, and the one that comes.
fn chord_ui(ui: &mut Ui, (upper, lower): (Rect, Rect), one: &One<'_>) {
    let Some(moment) = one.moment else { return };
    let name = facts::chord_name(&moment);
    if !name.is_empty() {
        let colour = match moment.chord.chord() {
            Some(chord) if !one.is_stale() => {
                crate::views::track::lanes::chord_colour(chord).lerp_to_gamma(theme::TEXT, 0.25)
            }
            _ => theme::TEXT_FAINT,
        };
        let builder = UiBuilder::new().max_rect(upper).layout(facts::right());
        with_child(ui, builder, |ui| {
            let text = RichText::new(name).font(theme::strong(22.0)).color(colour);
            ui.add(Label::new(text).truncate().selectable(false))
                .on_hover_text("The chord that sounds");
        });
    }
    if let Some(next) = &moment.next_chord {
        let text = RichText::new(facts::coming(next))
            .size(13.0)
            .color(theme::TEXT_MUTED);
        put(ui, lower, Layout::right_to_left(Align::Center), text);
    }
}

/// How much of the track is over.
fn progress(ui: &Ui, rect: Rect, one: &One<'_>) {
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::ZERO, theme::HOVER);
    let (Some(moment), Some(duration)) = (one.moment, one.deck.duration) else {
        return;
    };
    let share = (moment.position.0 / duration.0) as f32;
    if share.is_finite() {
        let over = rect.with_max_x(rect.left() + rect.width() * share.clamp(0.0, 1.0));
        painter.rect_filled(over, CornerRadius::ZERO, facts::colour(one));
    }
}
