//! What the track is: names, tempo, key, how sure they are, what else they could be, the time.

use super::lanes::{chord_at, chord_name, key_at, key_name};
use super::{Page, TrackPanel, edit, title};
use crate::action::Action;
use crate::format;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{self, Align, Button, Color32, CornerRadius, Label, Layout, RichText, Ui};
use tonearm_core::artifact::Artifact;
use tonearm_core::edits::Edit;
use tonearm_core::units::Secs;

pub(super) fn header_ui(ui: &mut Ui, page: &Page<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    let width = ui.available_width();
    ui.horizontal(|ui| {
        ui.set_min_height(44.0);
        let back =
            ui.add(Button::new("\u{2039} Library").min_size(egui::vec2(0.0, theme::CONTROL)));
        back.widget_info(|| named("Back to the library"));
        if back.on_hover_text("Back to the library").clicked() {
            out.act(Action::BackToLibrary);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            time_ui(ui, page, panel);
            ui.add_space(8.0);
            if width > 820.0 {
                key_ui(ui, page, panel, out);
                ui.add_space(8.0);
            }
            if width > 620.0 {
                tempo_ui(ui, page, panel, out);
                ui.add_space(8.0);
            }
            let left = ui.available_width().max(1.0);
            ui.allocate_ui_with_layout(
                egui::vec2(left, 44.0),
                Layout::top_down(Align::Min),
                |ui| names_ui(ui, page),
            );
        });
    });
}

fn names_ui(ui: &mut Ui, page: &Page<'_>) {
    ui.spacing_mut().item_spacing.y = 1.0;
    let title = RichText::new(title(page.row)).size(20.0).color(theme::TEXT);
    ui.add(Label::new(title.strong()).truncate());
    let tags = &page.row.track.tags;
    let words = [&tags.artist, &tags.album];
    let line: Vec<String> = words
        .into_iter()
        .flatten()
        .filter(|word| !word.trim().is_empty())
        .map(|word| format::fit(word, 120))
        .collect();
    let line = RichText::new(line.join("  \u{b7}  ")).color(theme::TEXT_MUTED);
    ui.add(Label::new(line).truncate());
}

/// A figure with what it stands for beneath it.
fn figure(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui), below: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(
        egui::vec2(width, 44.0),
        Layout::top_down(Align::Min),
        |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.set_width(width);
            ui.horizontal(|ui| {
                ui.set_height(24.0);
                add(ui);
            });
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                ui.set_height(16.0);
                below(ui);
            });
        },
    );
}

fn tempo_ui(ui: &mut Ui, page: &Page<'_>, panel: &TrackPanel, out: &mut Outbox) {
    let details = panel.kept.details.as_deref();
    let beats = details.and_then(|details| details.beats.as_ref());
    let by_hand = details.is_some_and(|details| details.by_hand.contains(&Artifact::Beats));
    let summary = &page.row.knowledge.summary;
    let bpm = beats.map(|beats| beats.bpm).or(summary.bpm);
    let sure = beats
        .map(|beats| beats.confidence)
        .or(summary.beats_confidence);
    figure(
        ui,
        196.0,
        |ui| {
            let text = bpm.map_or_else(|| "\u{2013}".to_owned(), format::tempo);
            ui.label(
                RichText::new(text)
                    .size(20.0)
                    .monospace()
                    .color(theme::TEXT),
            );
            ui.label(RichText::new("BPM").size(11.0).color(theme::TEXT_MUTED));
            if bpm.is_some() {
                confidence_ui(ui, sure, by_hand, "tempo and beats");
            }
        },
        |ui| {
            let Some(beats) = beats else { return };
            for (index, other) in beats.alternatives.iter().take(2).enumerate() {
                let hint = format!(
                    "Take {} BPM instead: {} sure",
                    format::tempo(other.bpm),
                    percent(other.confidence)
                );
                let action = (index == 0).then_some(Action::NextTempo);
                let small = small_button(ui, &format::tempo(other.bpm), action, &hint);
                // Only the best can be asked for; the next comes when asked again.
                if index == 0 && small {
                    edit(page.row, Edit::NextTempo, out);
                } else if small {
                    edit(page.row, Edit::NextTempo, out);
                    edit(page.row, Edit::NextTempo, out);
                }
            }
            let halve = Some(Action::HalveTempo);
            if small_button(
                ui,
                "\u{f7}2",
                halve,
                "Half the tempo: every second beat goes",
            ) {
                edit(page.row, Edit::HalveTempo, out);
            }
            let double = Some(Action::DoubleTempo);
            if small_button(
                ui,
                "\u{d7}2",
                double,
                "Double tempo: a beat more between each two",
            ) {
                edit(page.row, Edit::DoubleTempo, out);
            }
            let earlier = Some(Action::DownbeatEarlier);
            if small_button(ui, "\u{2039}1", earlier, "Bars begin a beat earlier") {
                edit(page.row, Edit::ShiftDownbeat(-1), out);
            }
            let later = Some(Action::DownbeatLater);
            if small_button(ui, "1\u{203a}", later, "Bars begin a beat later") {
                edit(page.row, Edit::ShiftDownbeat(1), out);
            }
            if by_hand && small_button(ui, "\u{d7}", None, "Back to the beats that analysis found")
            {
                edit(page.row, Edit::ForgetBeats, out);
            }
        },
    );
}

fn key_ui(ui: &mut Ui, page: &Page<'_>, panel: &TrackPanel, out: &mut Outbox) {
    let details = panel.kept.details.as_deref();
    let found = details.and_then(|details| details.key.as_ref());
    let by_hand = details.is_some_and(|details| details.by_hand.contains(&Artifact::Key));
    let summary = &page.row.knowledge.summary;
    let key = found.map(|found| found.key).or(summary.key);
    let sure = found
        .map(|found| found.confidence)
        .or(summary.key_confidence);
    let notation = page.scene.settings.key_notation;
    figure(
        ui,
        168.0,
        |ui| {
            let Some(key) = key else {
                ui.label(RichText::new("\u{2013}").size(20.0).color(theme::TEXT));
                ui.label(RichText::new("key").size(11.0).color(theme::TEXT_MUTED));
                return;
            };
            chip(ui, &key_name(key, notation), theme::key(key));
            ui.label(
                RichText::new(key.to_string())
                    .size(11.0)
                    .color(theme::TEXT_MUTED),
            );
            confidence_ui(ui, sure, by_hand, "the key");
        },
        |ui| {
            let Some(found) = found else { return };
            let others = found.alternatives.iter().take(3);
            for (other, share) in others {
                let name = key_name(*other, notation);
                let hint = format!("Take {other} instead: {} sure", percent(*share));
                if small_button(ui, &name, Some(Action::NextKey), &hint) {
                    edit(page.row, Edit::SetKey(*other), out);
                }
            }
            if by_hand && small_button(ui, "\u{d7}", None, "Back to the key that analysis found") {
                edit(page.row, Edit::ForgetKey, out);
            }
        },
    );
}

fn time_ui(ui: &mut Ui, page: &Page<'_>, panel: &mut TrackPanel) {
    let details = panel.kept.details.clone();
    figure(
        ui,
        150.0,
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
            if let Some(chord) = chords.and_then(|chords| chord_at(chords, page.at)) {
                text = format!("{text}  \u{b7}  {}", chord_name(chord));
            }
            let keys = details.as_ref().and_then(|it| it.key.as_ref());
            let keys = keys.map_or(&[][..], |found| found.segments.as_slice());
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

fn percent(share: f32) -> String {
    format!("{:.0} %", share.clamp(0.0, 1.0) * 100.0)
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
    let text = format!("{} sure of {what}", percent(sure));
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

fn small_button(ui: &mut Ui, text: &str, action: Option<Action>, hint: &str) -> bool {
    let keys = action.and_then(|action| action.entry()?.shortcut);
    let keys = keys.map(|keys| ui.ctx().format_shortcut(&keys));
    let hint = match keys {
        Some(keys) => format!("{hint} ({keys})"),
        None => hint.to_owned(),
    };
    let button = Button::new(RichText::new(text).size(11.0).color(theme::TEXT_MUTED))
        .small()
        .fill(theme::RAISED)
        .corner_radius(4.0);
    let response = ui.add(button);
    response.widget_info(|| named(&hint));
    response.on_hover_text(hint.clone()).clicked()
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
