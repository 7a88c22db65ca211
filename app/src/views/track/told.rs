//! What is painted on the time axis, for those who listen to the page: chords, keys and the cue point in view.

use super::Page;
use super::lanes::key_name;
use super::viewport::Viewport;
use crate::format;
use crate::settings::KeyNotation;
use eframe::egui::{Id, Rect, Role, Sense, Ui, WidgetInfo};
use tonearm_core::harmony::{ChordSpan, KeyFinding, KeySpan, Spelling};
use tonearm_core::timeline;
use tonearm_core::units::Secs;

/// Of one lane, in one view. Who looks at the whole of a track hears of its first chords.
const MOST: usize = 64;
/// Points: what is narrower cannot be told apart by eye either.
const LEAST: f32 = 6.0;

pub(super) fn chords(
    ui: &Ui,
    lane: Rect,
    view: &Viewport,
    (spans, key): (&[ChordSpan], Option<&KeyFinding>),
) {
    let blocks = timeline::chord_blocks(spans, view.start, view.time(lane.width()));
    let wide = blocks.filter(|block| (block.to - block.from) / view.per_point >= f64::from(LEAST));
    for (index, block) in wide.take(MOST).enumerate() {
        let sure = format!("{:.0} %", block.confidence.clamp(0.0, 1.0) * 100.0);
        let times = times(block.from, block.to);
        let [name, _] = block.names(Spelling::of(key, Secs(block.from)));
        let words = match block.chord {
            Some(_) => format!("Chord {name}, {times}, {sure} sure"),
            None => format!("No chord, {times}"),
        };
        tell(
            ui,
            (lane, view),
            (block.from, block.to),
            ("chord", index),
            &words,
        );
    }
}

pub(super) fn keys(ui: &Ui, lane: Rect, view: &Viewport, spans: &[KeySpan], notation: KeyNotation) {
    let end = view.time(lane.width());
    let first = spans.partition_point(|span| span.end.0 <= view.start);
    let seen = spans
        .iter()
        .skip(first)
        .take_while(|span| span.start.0 < end);
    for (index, span) in seen.take(MOST).enumerate() {
        let (from, to) = (span.start.0, span.end.0);
        let short = key_name(span.key, notation);
        let words = if notation == KeyNotation::Musical {
            format!("Key {short}, {}", times(from, to))
        } else {
            format!("Key {short}, {}, {}", span.key, times(from, to))
        };
        tell(ui, (lane, view), (from, to), ("key", index), &words);
    }
}

pub(super) fn cue(ui: &Ui, wave: Rect, view: &Viewport, page: &Page<'_>) {
    let loaded = page.scene.sound.loaded.as_ref().filter(|_| page.loaded);
    let Some(cue) = loaded.map(|loaded| loaded.cue.0).filter(|cue| *cue > 0.0) else {
        return;
    };
    let half = 3.0 * view.per_point;
    let words = format!("Cue point at {}", format::duration(Secs(cue)));
    tell(
        ui,
        (wave, view),
        (cue - half, cue + half),
        ("cue", 0),
        &words,
    );
}

fn times(from: f64, to: f64) -> String {
    let [from, to] = [from, to].map(|at| format::duration(Secs(at)));
    format!("{from} to {to}")
}

/// A named place, and a tip for the pointer. It takes neither clicks nor the focus.
fn tell(
    ui: &Ui,
    (lane, view): (Rect, &Viewport),
    (from, to): (f64, f64),
    (what, index): (&str, usize),
    words: &str,
) {
    let [left, right] = [from, to].map(|at| lane.left() + view.x(at));
    let place = Rect::from_x_y_ranges(left..=right, lane.y_range()).intersect(lane);
    if !place.is_positive() {
        return;
    }
    let id: Id = ui.scope_id().with((what, index));
    let response = ui.interact(place, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
    response.on_hover_ui_at_pointer(|ui| {
        ui.label(words);
    });
}
