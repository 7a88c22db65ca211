//! The waveform of a deck under a playhead that stands still, with beats, loop and chords.

use super::choose::One;
use super::facts;
use super::kept::Ready;
use crate::format;
use crate::shelf::Stems;
use crate::theme;
use crate::views::track::lanes;
use crate::views::track::viewport::Viewport;
use crate::widgets::activity;
use crate::widgets::wave::{self, Drawing};
use eframe::egui::{
    self, Align2, CornerRadius, FontId, Id, Painter, Rect, Stroke, StrokeKind, Ui, pos2,
};
use tonearm_core::units::Secs;

const LANE: f32 = 22.0;
/// Four lines.
const ACTIVITY: f32 = 16.0;
/// Below this height a waveform goes without chords and numbers.
const ROOM: f32 = 64.0;

/// Where the playhead stands, as a share of the width: more is to be seen of what comes.
const PLAYHEAD: f32 = 0.4;

/// Beats of the player's own that are drawn at most.
const MOST_BEATS: i64 = 400;

pub(super) fn stage_ui(
    ui: &Ui,
    rect: Rect,
    one: &One<'_>,
    ready: &Ready,
    (slot, per_point): (Id, f64),
) {
    let words = format!("Waveform of deck {}", format::fit(&one.deck.label, 12));
    let response = facts::told(ui, rect, "wave", &words);
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::Image, true, &words);
        info.current_text_value = Some(value(one));
        info
    });
    if !rect.is_positive() {
        return;
    }
    let painter = ui.painter_at(rect);
    let place = one.moment.map(|moment| moment.position.0);
    let Some(at) = place.filter(|at| at.is_finite()) else {
        painter.rect_filled(rect, CornerRadius::ZERO, theme::WAVE);
        return word(&painter, rect.center(), nothing(one));
    };
    let chords = one.deck.matching.track().and_then(|track| {
        let details = &track.analysis.as_ref()?.details;
        let chords = details.chords.as_deref()?;
        let found = (chords, details.key.as_ref());
        (!chords.is_empty() && rect.height() > ROOM).then_some(found)
    });
    let wave = match chords {
        Some(_) => rect.with_max_y(rect.bottom() - LANE),
        None => rect,
    };
    let lines = match rect.height() {
        height if height > ROOM => ACTIVITY,
        height if height > ROOM / 2.0 => ACTIVITY / 2.0,
        _ => 0.0,
    };
    let stems = ready.stems.as_ref().filter(|_| lines > 0.0);
    let (wave, activity) = match stems {
        Some(_) => wave.split_top_bottom_at_y(wave.bottom() - lines),
        None => (wave, Rect::NOTHING),
    };
    let head = rect.left() + (rect.width() * PLAYHEAD).round();
    // Decks that are matched show beats equally far apart, whatever their tracks' own tempo.
    let per_point = per_point * pitch(one);
    let view = Viewport {
        start: at - f64::from(head - rect.left()) * per_point,
        per_point,
    };
    picture(&painter, wave, &view, (slot, ready));
    looped(&painter, wave, &view, one);
    if ready.grid.is_empty() {
        player_beats(&painter, wave, &view, one, at);
    } else {
        grid(&painter, wave, &view, ready);
    }
    if let Some(stems) = stems {
        activity_ui(ui, activity, &view, (stems, at));
    }
    if ready.source.is_none() {
        let words = if ready.is_coming {
            "Loading the waveform…"
        } else {
            nothing(one)
        };
        let middle = pos2(wave.left() + wave.width() * 0.7, wave.center().y);
        word(&painter, middle, words);
    }
    if let Some(chords) = chords {
        let lane = rect.with_min_y(rect.bottom() - LANE);
        painter.rect_filled(lane, CornerRadius::ZERO, theme::APP);
        lanes::chords(&ui.painter_at(lane), lane, &view, chords);
    }
    if one.is_stale() {
        painter.rect_filled(rect, CornerRadius::ZERO, theme::VEIL);
    }
    playhead(&painter, rect, head, one);
}

/// Which stems sound when, and in words which sound now.
fn activity_ui(ui: &Ui, rect: Rect, view: &Viewport, (stems, at): (&Stems, f64)) {
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::ZERO, theme::WAVE);
    activity::paint(&painter, rect, (view.start, view.per_point), stems);
    let words = facts::stems_in_words(stems, at);
    facts::told(ui, rect, "stems", &words).on_hover_text(&words);
}

fn pitch(one: &One<'_>) -> f64 {
    let usable = |pitch: &f64| (0.1..=4.0).contains(pitch);
    one.deck.pitch.filter(usable).unwrap_or(1.0)
}

fn picture(painter: &Painter, rect: Rect, view: &Viewport, (slot, ready): (Id, &Ready)) {
    let Some(source) = &ready.source else {
        painter.rect_filled(rect, CornerRadius::ZERO, theme::WAVE);
        return;
    };
    let drawing = Drawing {
        slot,
        source,
        start: view.start,
        per_point: view.per_point,
        gain: ready.gain,
        samples: None,
        ground: theme::WAVE,
        bands: theme::BANDS,
    };
    wave::paint(painter, rect, &drawing);
}

/// Where it is, in words.
fn value(one: &One<'_>) -> String {
    let Some(moment) = one.moment else {
        return "place unknown".to_owned();
    };
    let mut value = format::duration(moment.position);
    if let Some(duration) = one.deck.duration {
        value = format!("{value} of {}", format::duration(duration));
    }
    match moment.beat {
        Some(beat) => format!("{value}, bar {}", beat.bar),
        None => value,
    }
}

fn nothing(one: &One<'_>) -> &'static str {
    use tonearm_core::decks::Matching;
    match &one.deck.matching {
        Matching::Found(_) => "No waveform yet",
        Matching::Unsure(_) => "Not sure which track this is",
        Matching::Unknown(_) => "Not in your library",
        Matching::Nothing => "",
    }
}

fn word(painter: &Painter, at: egui::Pos2, text: &str) {
    let font = FontId::proportional(13.0);
    painter.text(at, Align2::CENTER_CENTER, text, font, theme::TEXT_FAINT);
}

fn looped(painter: &Painter, rect: Rect, view: &Viewport, one: &One<'_>) {
    let Some((Secs(from), Secs(to))) = one.deck.looped else {
        return;
    };
    let (left, right) = (rect.left() + view.x(from), rect.left() + view.x(to));
    if !(left.is_finite() && right.is_finite()) {
        return;
    }
    let left = left.max(rect.left() - 4.0);
    let right = right.min(rect.right() + 4.0);
    if right > left {
        let band = Rect::from_x_y_ranges(left..=right, rect.y_range());
        painter.rect_filled(band, CornerRadius::ZERO, theme::OK.gamma_multiply(0.16));
        let stroke = Stroke::new(1.0, theme::OK.gamma_multiply(0.8));
        painter.rect_stroke(band, CornerRadius::ZERO, stroke, StrokeKind::Inside);
    }
}

fn grid(painter: &Painter, rect: Rect, view: &Viewport, ready: &Ready) {
    let (from, to) = (view.time(-1.0), view.time(rect.width() + 1.0));
    let font = FontId::proportional(10.0);
    for line in ready.grid.lines(from, to, view.per_point) {
        let x = rect.left() + view.x(line.at);
        let stroke = match line.bar {
            Some(_) => Stroke::new(1.0, theme::DOWNBEAT.gamma_multiply(0.7)),
            None => Stroke::new(1.0, theme::TEXT.gamma_multiply(0.22)),
        };
        painter.vline(x, rect.y_range(), stroke);
        if let Some(number) = line.bar
            && line.labelled
            && rect.height() > ROOM
        {
            let at = pos2(x + 3.0, rect.top() + 1.0);
            let ink = theme::TEXT_MUTED;
            painter.text(at, Align2::LEFT_TOP, number, font.clone(), ink);
        }
    }
}

/// Where nothing better is known, the player's own count.
fn player_beats(painter: &Painter, rect: Rect, view: &Viewport, one: &One<'_>, at: f64) {
    let Some(moment) = one.moment else { return };
    let (Some(beat), Some(bpm)) = (moment.beat, moment.bpm) else {
        return;
    };
    // Seconds of the file in a beat.
    let length = 60.0 * pitch(one) / bpm.0;
    if !(0.05..=10.0).contains(&length) || length / view.per_point < 5.0 {
        return;
    }
    let first = (beat.beat + (view.start - at) / length).ceil() as i64;
    for number in first..first.saturating_add(MOST_BEATS) {
        let time = at + (number as f64 - beat.beat) * length;
        let x = rect.left() + view.x(time);
        if x > rect.right() {
            break;
        }
        let ink = if number.rem_euclid(4) == 0 {
            theme::DOWNBEAT.gamma_multiply(0.5)
        } else {
            theme::TEXT.gamma_multiply(0.16)
        };
        painter.vline(x, rect.y_range(), Stroke::new(1.0, ink));
    }
}

fn playhead(painter: &Painter, rect: Rect, x: f32, one: &One<'_>) {
    let ink = if one.is_stale() {
        theme::TEXT_FAINT
    } else {
        theme::PLAYHEAD
    };
    painter.vline(x, rect.y_range(), Stroke::new(2.0, ink));
    let top = rect.top();
    let corners = vec![pos2(x - 5.0, top), pos2(x + 5.0, top), pos2(x, top + 6.0)];
    painter.add(egui::Shape::convex_polygon(corners, ink, Stroke::NONE));
}
