//! What the track is: names, tempo, key, how sure they are, what else they could be, the time.

use super::lanes::{chord_at, key_at, key_name};
use super::{Page, TrackPanel, edit, title};
use crate::action::Action;
use crate::format;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{
    self, Align, Button, Color32, CornerRadius, Label, Layout, RichText, Ui, UiBuilder,
};
use std::path::Path;
use tonearm_core::artifact::Artifact;
use tonearm_core::edits::Edit;
use tonearm_core::harmony::Spelling;
use tonearm_core::units::Secs;

/// Points: the height of the header, and what the names keep of its width.
const HEIGHT: f32 = 46.0;
const NAMES: f32 = 150.0;
const GAP: f32 = 16.0;
/// Points across that the first line of a figure takes.
const TEMPO: f32 = 160.0;
const KEY: f32 = 172.0;
const TIME: f32 = 150.0;
/// The same where there is little room: a key without its name, a time without what plays then.
const TEMPO_NARROW: f32 = 132.0;
const KEY_NARROW: f32 = 88.0;
const TIME_NARROW: f32 = 124.0;

pub(super) fn header_ui(ui: &mut Ui, page: &Page<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    let width = ui.available_width();
    ui.horizontal(|ui| {
        ui.set_min_height(HEIGHT);
        let narrow = width <= 760.0;
        let words = if narrow { "" } else { "  Library" };
        let words = format!("{}{words}", theme::icon::ARROW_LEFT);
        let back = ui.add(Button::new(words).min_size(egui::vec2(0.0, theme::CONTROL)));
        back.widget_info(|| named("Back to the library"));
        if back.on_hover_text("Back to the library").clicked() {
            out.act(Action::BackToLibrary);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            // Everything has a width of its own; what does not fit into it is left out.
            let (tempo_width, key_width, time_width) = if narrow {
                (TEMPO_NARROW, KEY_NARROW, TIME_NARROW)
            } else {
                (TEMPO, KEY, TIME)
            };
            let figures = time_width + tempo_width + key_width;
            let mut spare = ui.available_width() - NAMES - figures - 4.0 * GAP;
            if width > 250.0 {
                time_ui(ui, page, panel, time_width);
                ui.add_space(GAP);
            }
            let small = key_buttons(page, panel);
            let tempo_small = tempo_buttons(panel);
            let tempo_more = (row_width(ui, &tempo_small) - tempo_width).clamp(0.0, spare.max(0.0));
            spare -= tempo_more;
            let key_more = (row_width(ui, &small) - key_width).clamp(0.0, spare.max(0.0));
            if width > 580.0 {
                key_ui(ui, page, panel, key_width + key_more, |ui| {
                    buttons_ui(ui, page, small, out);
                });
                ui.add_space(GAP);
            }
            if width > 440.0 {
                tempo_ui(ui, page, panel, tempo_width + tempo_more, |ui| {
                    buttons_ui(ui, page, tempo_small, out);
                });
                ui.add_space(GAP);
            }
            let left = (ui.available_width() - GAP).max(1.0);
            ui.allocate_ui_with_layout(
                egui::vec2(left, HEIGHT),
                Layout::top_down(Align::Min),
                |ui| names_ui(ui, page),
            );
        });
    });
}

fn names_ui(ui: &mut Ui, page: &Page<'_>) {
    ui.spacing_mut().item_spacing.y = 1.0;
    let title = RichText::new(title(page.row))
        .font(theme::strong(20.0))
        .color(theme::TEXT);
    ui.add(Label::new(title).truncate());
    let tags = &page.row.track.tags;
    let words = [&tags.artist, &tags.album];
    let line: Vec<String> = words
        .into_iter()
        .flatten()
        .filter(|word| !word.trim().is_empty())
        .map(|word| format::fit(word, 120))
        .collect();
    // A file without tags says at least where it is from.
    let folder = page.row.track.path.as_path().parent();
    let line = if line.is_empty() {
        let folder = folder.and_then(Path::file_name).unwrap_or_default();
        format::fit(&folder.to_string_lossy(), 120)
    } else {
        line.join("  \u{b7}  ")
    };
    ui.add(Label::new(RichText::new(line).color(theme::TEXT_MUTED)).truncate());
}

/// A figure with what stands beneath it, in just this width.
fn figure(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui), below: impl FnOnce(&mut Ui)) {
    let size = egui::vec2(width.min(ui.available_width()).max(1.0), HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let (top, bottom) = rect.split_top_bottom_at_y(rect.top() + 27.0);
    let line = |rect: egui::Rect| {
        let layout = Layout::left_to_right(Align::Center);
        UiBuilder::new().max_rect(rect).layout(layout)
    };
    ui.scope_builder(line(top), |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(top));
        ui.spacing_mut().item_spacing.x = 8.0;
        add(ui);
    });
    ui.scope_builder(line(bottom), |ui| {
        ui.spacing_mut().item_spacing.x = SMALL_GAP;
        below(ui);
    });
}

fn tempo_ui(
    ui: &mut Ui,
    page: &Page<'_>,
    panel: &TrackPanel,
    width: f32,
    below: impl FnOnce(&mut Ui),
) {
    let details = panel.kept.details.as_deref();
    let beats = details.and_then(|details| details.beats.as_ref());
    let by_hand = details.is_some_and(|details| details.by_hand.contains(&Artifact::Beats));
    let summary = &page.row.knowledge.summary;
    let bpm = beats.map(|beats| beats.bpm).or(summary.bpm);
    let sure = beats
        .map(|beats| beats.confidence)
        .or(summary.beats_confidence);
    let above = |ui: &mut Ui| {
        let text = bpm.map_or_else(|| "\u{2013}".to_owned(), format::tempo);
        let text = RichText::new(text).size(20.0).monospace();
        ui.label(text.color(theme::TEXT));
        ui.label(RichText::new("BPM").size(11.0).color(theme::TEXT_MUTED));
        if bpm.is_some() {
            confidence_ui(ui, sure, by_hand, "tempo and beats");
        }
    };
    figure(ui, width, above, below);
}

/// What the tempo could be instead, what is wanted most first.
fn tempo_buttons(panel: &TrackPanel) -> Vec<Small> {
    let Some(details) = panel.kept.details.as_deref() else {
        return Vec::new();
    };
    let Some(beats) = details.beats.as_ref() else {
        return Vec::new();
    };
    let mut others = beats.alternatives.iter().take(2).enumerate();
    let mut other = || {
        let (index, other) = others.next()?;
        let tempo = format::tempo(other.bpm);
        let sure = format::percent(other.confidence);
        Some(Small {
            hint: format!("Take {tempo} BPM instead: {sure} sure"),
            text: tempo,
            action: (index == 0).then_some(Action::NextTempo),
            edits: vec![Edit::SetTempo(other.bpm)],
        })
    };
    let forget = "Back to the beats that analysis found";
    let by_hand = details.by_hand.contains(&Artifact::Beats);
    let mut small: Vec<Small> = Vec::new();
    small.extend(by_hand.then(|| Small::new("\u{d7}", forget, None, Edit::ForgetBeats)));
    small.extend(other());
    for (text, hint, action, edit) in [
        (
            "\u{f7}2",
            "Half the tempo: every second beat goes",
            Action::HalveTempo,
            Edit::HalveTempo,
        ),
        (
            "\u{d7}2",
            "Double tempo: a beat more between each two",
            Action::DoubleTempo,
            Edit::DoubleTempo,
        ),
        (
            "\u{2039}1",
            "Bars begin a beat earlier",
            Action::DownbeatEarlier,
            Edit::ShiftDownbeat(-1),
        ),
        (
            "1\u{203a}",
            "Bars begin a beat later",
            Action::DownbeatLater,
            Edit::ShiftDownbeat(1),
        ),
    ] {
        small.push(Small::new(text, hint, Some(action), edit));
    }
    small.extend(other());
    small
}

fn key_ui(
    ui: &mut Ui,
    page: &Page<'_>,
    panel: &TrackPanel,
    width: f32,
    below: impl FnOnce(&mut Ui),
) {
    let details = panel.kept.details.as_deref();
    let found = details.and_then(|details| details.key.as_ref());
    let by_hand = details.is_some_and(|details| details.by_hand.contains(&Artifact::Key));
    let summary = &page.row.knowledge.summary;
    let key = found.map(|found| found.key).or(summary.key);
    let sure = found
        .map(|found| found.confidence)
        .or(summary.key_confidence);
    let notation = page.scene.settings.key_notation;
    let above = |ui: &mut Ui| {
        let muted = |text: String| RichText::new(text).size(11.0).color(theme::TEXT_MUTED);
        let Some(key) = key else {
            ui.label(RichText::new("\u{2013}").size(20.0).color(theme::TEXT));
            ui.label(muted("key".to_owned()));
            return;
        };
        chip(ui, &key_name(key, notation), theme::key(key));
        if width >= KEY {
            ui.label(muted(key.to_string()));
        }
        confidence_ui(ui, sure, by_hand, "the key");
    };
    figure(ui, width, above, below);
}

/// What the key could be instead.
fn key_buttons(page: &Page<'_>, panel: &TrackPanel) -> Vec<Small> {
    let Some(details) = panel.kept.details.as_deref() else {
        return Vec::new();
    };
    let Some(found) = details.key.as_ref() else {
        return Vec::new();
    };
    let forget = "Back to the key that analysis found";
    let by_hand = details.by_hand.contains(&Artifact::Key);
    let mut small: Vec<Small> = Vec::new();
    small.extend(by_hand.then(|| Small::new("\u{d7}", forget, None, Edit::ForgetKey)));
    let others = found.alternatives.iter().take(3).enumerate();
    small.extend(others.map(|(index, (other, share))| {
        let name = key_name(*other, page.scene.settings.key_notation);
        let hint = format!("Take {other} instead: {} sure", format::percent(*share));
        // Its key takes the first.
        let action = (index == 0).then_some(Action::NextKey);
        Small::new(&name, &hint, action, Edit::SetKey(*other))
    }));
    small
}

fn time_ui(ui: &mut Ui, page: &Page<'_>, panel: &mut TrackPanel, width: f32) {
    let details = panel.kept.details.clone();
    figure(
        ui,
        width,
        |ui| {
            let (at, label) = if panel.remaining {
                let left = (page.duration - page.at).max(0.0);
                (format!("\u{2212}{}", clock(left)), "Time left")
            } else {
                (clock(page.at), "Time")
            };
            let text = RichText::new(&at).size(20.0).monospace().color(theme::TEXT);
            let button = ui.add(Button::new(text).frame(false));
            button.widget_info(|| named(&format!("{label} {at}")));
            if button.on_hover_text("Time played or time left").clicked() {
                panel.remaining = !panel.remaining;
            }
        },
        |ui| {
            let whole = format::duration(Secs(page.duration));
            let mut text = format!("of {whole}");
            let bar = panel.kept.grid.bar_at(page.at);
            if bar > 0 {
                text = format!("{text}  \u{b7}  bar {bar}");
            }
            let chords = details.as_ref().and_then(|it| it.chords.as_deref());
            let found = details.as_ref().and_then(|it| it.key.as_ref());
            let spelling = Spelling::of(found, Secs(page.at));
            if let Some(chord) = chords.and_then(|chords| chord_at(chords, page.at)) {
                text = format!("{text}  \u{b7}  {}", chord.short_name(spelling));
            }
            let keys = found.map_or(&[][..], |found| found.segments.as_slice());
            if keys.len() > 1
                && let Some(key) = key_at(keys, page.at)
            {
                let key = key_name(key, page.scene.settings.key_notation);
                text = format!("{text}  \u{b7}  {key}");
            }
            let text = RichText::new(text).size(11.0).color(theme::TEXT_MUTED);
            ui.add(Label::new(text).truncate());
        },
    );
}

/// `0:42.318`.
fn clock(secs: f64) -> String {
    let thousandths = (secs.max(0.0) * 1000.0).floor() as u64;
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    let (hours, minutes, secs) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}.{rest:03}")
    }
}

/// Four small bars, as many lit as it is sure; in words for those who rest on it.
fn confidence_ui(ui: &mut Ui, sure: Option<f32>, by_hand: bool, what: &str) {
    if by_hand {
        let text = RichText::new("by hand").size(11.0).color(theme::ACCENT);
        ui.label(text)
            .on_hover_text(format!("You set {what} yourself"));
        return;
    }
    let Some(sure) = sure.filter(|sure| sure.is_finite()) else {
        return;
    };
    let (rect, response) = ui.allocate_exact_size(egui::vec2(19.0, 14.0), egui::Sense::hover());
    let lit = (sure.clamp(0.0, 1.0) * 4.0).round().max(1.0) as u8;
    let colour = match lit {
        4 | 3 => theme::OK,
        2 => theme::WARN,
        _ => theme::ERROR,
    };
    for bar in 0..4_u8 {
        let height = 5.0 + 3.0 * f32::from(bar);
        let left = rect.left() + 5.0 * f32::from(bar);
        let place = egui::Rect::from_min_max(
            egui::pos2(left, rect.bottom() - height),
            egui::pos2(left + 3.0, rect.bottom()),
        );
        let fill = if bar < lit { colour } else { theme::LINE };
        ui.painter().rect_filled(place, 1.0, fill);
    }
    let text = format!("{} sure of {what}", format::percent(sure));
    let label = text.clone();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &label));
    response.on_hover_text(text);
}

fn chip(ui: &mut Ui, text: &str, fill: Color32) {
    let font = egui::FontId::proportional(15.0);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, theme::ON_CHIP);
    let size = galley.size() + egui::vec2(14.0, 6.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
    let place = rect.center() - galley.size() / 2.0;
    ui.painter().galley(place, galley, theme::ON_CHIP);
    let label = format!("Key {text}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &label));
}

/// A small button beneath a figure, and what it asks for.
struct Small {
    text: String,
    hint: String,
    action: Option<Action>,
    edits: Vec<Edit>,
}

/// Points between small buttons, and between the edge of one and its text.
const SMALL_GAP: f32 = 4.0;
const SMALL_PADDING: f32 = 6.0;

impl Small {
    fn new(text: &str, hint: &str, action: Option<Action>, edit: Edit) -> Self {
        Self {
            text: text.to_owned(),
            hint: hint.to_owned(),
            action,
            edits: vec![edit],
        }
    }

    /// Points across.
    fn width(&self, ui: &Ui) -> f32 {
        let font = egui::FontId::proportional(11.0);
        let text = self.text.clone();
        let galley = ui.painter().layout_no_wrap(text, font, theme::TEXT_MUTED);
        (galley.size().x + 2.0 * SMALL_PADDING).ceil()
    }

    /// Whether it was clicked.
    fn show(&self, ui: &mut Ui) -> bool {
        let shortcut = self.action.and_then(|action| action.entry()?.shortcut);
        let hint = match shortcut.map(|keys| ui.ctx().format_shortcut(&keys)) {
            Some(keys) => format!("{} ({keys})", self.hint),
            None => self.hint.clone(),
        };
        let text = RichText::new(&self.text).size(11.0);
        let button = Button::new(text.color(theme::TEXT_MUTED))
            .small()
            .fill(theme::RAISED)
            .corner_radius(4.0)
            .min_size(egui::vec2(self.width(ui), 18.0));
        let response = ui.add(button);
        response.widget_info(|| named(&hint));
        response.on_hover_text(hint.clone()).clicked()
    }
}

/// Points across that all of `small` take.
fn row_width(ui: &Ui, small: &[Small]) -> f32 {
    small.iter().map(|it| it.width(ui) + SMALL_GAP).sum()
}

/// As many as there is room for.
fn buttons_ui(ui: &mut Ui, page: &Page<'_>, small: Vec<Small>, out: &mut Outbox) {
    ui.spacing_mut().button_padding.x = SMALL_PADDING;
    for it in small {
        if it.width(ui) > ui.available_width() {
            return;
        }
        if it.show(ui) {
            for wanted in it.edits {
                edit(page.row, wanted, out);
            }
        }
    }
}

/// For buttons whose face does not say what they do.
pub(super) fn named(name: &str) -> egui::WidgetInfo {
    egui::WidgetInfo::labeled(egui::Role::Button, true, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_thousandths_until_an_hour_is_full() {
        for (secs, text) in [
            (0.0, "0:00.000"),
            (42.3181, "0:42.318"),
            (3599.9999, "59:59.999"),
            (3725.5, "1:02:05"),
            (-3.0, "0:00.000"),
            (f64::NAN, "0:00.000"),
        ] {
            assert_eq!(clock(secs), text);
        }
    }
}
