//! What the rows of the sheet are made of.

use super::standing::{sentence, variant_name};
use crate::format;
use crate::outbox::Outbox;
use crate::theme::{self, icon};
use crate::views::imports::{pace, parts};
use eframe::egui::{
    Align, Button, Color32, Frame, Label, Layout, Margin, RichText, Role, Sense, Ui, WidgetInfo,
    vec2,
};
use std::time::Duration;
use tonearm_core::setup::{Building, Fetching, Step, Variant};

/// How far something is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Progress {
    /// 0 to 1; `None`: nobody knows.
    pub(super) part: Option<f32>,
    /// For those who do not see the line.
    pub(super) name: String,
    pub(super) words: String,
}

pub(super) fn building(building: &Building) -> Progress {
    let step = match building.step {
        Step::Waiting => "Waiting for another Tonearm that does the same",
        Step::Preparing => "Preparing",
        Step::Downloading => "Downloading",
        Step::Installing => "Installing",
        Step::Trying => "Trying it out",
    };
    let mut words = vec![step.to_owned()];
    if let Some(total) = building.total.filter(|_| building.bytes > 0) {
        words.push(bytes_of(building.bytes, total));
    }
    words.extend(building.left.map(left));
    if !building.what.is_empty() {
        words.push(format::fit(&building.what, 60));
    }
    let total = building.total.filter(|total| *total > 0);
    Progress {
        part: total.map(|total| (building.bytes as f32 / total as f32).min(1.0)),
        name: "Packages".to_owned(),
        words: words.join(" · "),
    }
}

pub(super) fn fetching(name: &str, fetching: &Fetching) -> Progress {
    let mut words = vec![bytes_of(fetching.bytes, fetching.total)];
    words.extend(fetching.left.map(left));
    let total = fetching.total;
    Progress {
        part: (total > 0).then(|| (fetching.bytes as f32 / total as f32).min(1.0)),
        name: format!("Download of {name}"),
        words: words.join(" · "),
    }
}

fn bytes_of(bytes: u64, total: u64) -> String {
    let total = total.max(bytes);
    format!("{} of {}", format::bytes(bytes), format::bytes(total))
}

fn left(left: Duration) -> String {
    pace::left_text(left.as_secs_f64())
}

pub(super) fn progress_ui(ui: &mut Ui, progress: &Progress) {
    ui.add_space(2.0);
    if let Some(part) = progress.part {
        let width = ui.available_width();
        parts::progress(ui, width, part, theme::ACCENT, &progress.name);
    }
    ui.add(Label::new(muted(&progress.words)).wrap());
}

/// A line for a terminal, to be copied.
pub(super) fn command_ui(ui: &mut Ui, command: &str, out: &mut Outbox) {
    Frame::new()
        .fill(theme::WAVE)
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::symmetric(10, 6))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let copy = ui.add(Button::new(format!("{}  Copy", icon::COPY)));
                copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Copy the command"));
                if copy.clicked() {
                    out.copied = Some(command.to_owned());
                }
                let text = RichText::new(command).monospace().color(theme::TEXT);
                ui.add(Label::new(text).wrap().selectable(true));
            });
        });
}

/// The first line of a row: how it stands, and what it is.
pub(super) struct Head<'a> {
    pub(super) colour: Color32,
    pub(super) name: &'a str,
    pub(super) state: &'a str,
}

/// Points across that names take.
const NAMES: f32 = 200.0;

/// A row: its first line with buttons at the right, and whatever stands below.
pub(super) fn row_ui(
    ui: &mut Ui,
    head: &Head<'_>,
    buttons: impl FnOnce(&mut Ui),
    below: impl FnOnce(&mut Ui),
) {
    Frame::new()
        .fill(theme::RAISED)
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::symmetric(12, 8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 3.0;
            let size = vec2(ui.available_width(), theme::CONTROL - 6.0);
            ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
                buttons(ui);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let (dot, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
                    ui.painter().circle_filled(dot.center(), 4.5, head.colour);
                    let name = RichText::new(head.name).font(theme::strong(13.0));
                    let used = ui.add(Label::new(name)).rect.width();
                    ui.add_space((NAMES - used).max(0.0));
                    let state = RichText::new(head.state).color(theme::TEXT);
                    ui.add(Label::new(state).truncate());
                });
            });
            below(ui);
        });
}

pub(super) fn muted(text: &str) -> RichText {
    RichText::new(text).color(theme::TEXT_MUTED)
}

/// What lacks, and what to do.
pub(super) fn trouble_ui(ui: &mut Ui, (reason, remedy): (&str, &str)) {
    let reason = RichText::new(sentence(reason)).color(theme::WARN);
    ui.add(Label::new(reason).wrap());
    ui.add(Label::new(muted(&sentence(remedy))).wrap());
}

/// On buttons and in lists.
pub(super) fn variant_short(variant: Variant) -> String {
    let name = variant_name(variant);
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
