//! What waits, in its order: who is next, what for, and taking it back.

use super::{ImportsPanel, parts};
use crate::action::Action;
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme;
use crate::views::makers;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Sense, Ui, UiBuilder, vec2};
use tonearm_core::artifact::Artifact;
use tonearm_core::core_loop::command::{Command, Extent};
use tonearm_core::core_loop::view::{Activity, Waiting};
use tonearm_core::row::Row;

/// Points: caption and what for.
const LINE: f32 = 30.0;
/// Characters of a text that are looked at: no line is longer.
const MOST_CHARS: usize = 200;

pub(super) fn waiting_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &ImportsPanel, out: &mut Outbox) {
    let activity = &scene.view.activity;
    if let Some(batch) = &panel.state.stems_left.words() {
        ui.add(Label::new(parts::muted(batch)).wrap());
    }
    held_ui(ui, activity, out);
    if activity.waiting.is_empty() {
        ui.label(parts::muted("Nothing waits"));
        return;
    }
    let shown = activity.waiting.len();
    let more = (activity.queued + activity.held).saturating_sub(shown);
    let lines = shown + usize::from(more > 0);
    ui.spacing_mut().item_spacing.y = 2.0;
    ScrollArea::vertical()
        .id_salt("waiting")
        .auto_shrink([false, false])
        .show_rows(ui, LINE, lines, |ui, range| {
            for place in range {
                let Some(waiting) = activity.waiting.get(place) else {
                    let text = format!("and {} more", crate::format::count(more as u64));
                    ui.label(parts::muted(text));
                    continue;
                };
                ui.push_id(place, |ui| line_ui(ui, scene, (place, waiting), out));
            }
        });
}

/// Why tracks wait for models, and the way to help.
fn held_ui(ui: &mut Ui, activity: &Activity, out: &mut Outbox) {
    let Some(lost) = activity.lost_models.as_ref().filter(|_| activity.held > 0) else {
        return;
    };
    let tracks = parts::counted(activity.held as u64, "track", "tracks");
    let wait = if activity.held == 1 { "waits" } else { "wait" };
    let told = format!("{tracks} {wait} for models: {}", lost.message);
    let told = RichText::new(format::fit(&told, MOST_CHARS)).color(theme::WARN);
    ui.add(Label::new(told).wrap())
        .on_hover_text(format::fit(&lost.remedy, MOST_CHARS));
    if ui.button(Action::Setup.name()).clicked() {
        out.act(Action::Setup);
    }
}

fn line_ui(ui: &mut Ui, scene: &Scene<'_>, (place, waiting): (usize, &Waiting), out: &mut Outbox) {
    let Some(row) = scene.view.rows.get(waiting.track) else {
        ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
        return;
    };
    let caption = format::fit(&format::caption(row), MOST_CHARS);
    let width = ui.available_width();
    let (rect, _) = ui.allocate_exact_size(vec2(width, LINE), Sense::hover());
    ui.painter().rect_filled(rect, 4.0, theme::RAISED);
    let builder = UiBuilder::new()
        .max_rect(rect.shrink2(vec2(8.0, 2.0)))
        .layout(Layout::right_to_left(Align::Center));
    ui.scope_builder(builder, |ui| {
        let name = format!("Cancel {caption}");
        if parts::small_button(ui, "Cancel", &name)
            .on_hover_text("It is not made unless you ask for it again")
            .clicked()
        {
            out.commands
                .push(Command::CancelTracks(vec![waiting.track]));
        }
        if place > 0 && !waiting.is_held {
            let name = format!("Do {caption} next");
            if parts::small_button(ui, "Next", &name)
                .on_hover_text("Takes it up before all others")
                .clicked()
            {
                out.commands.push(Command::Prioritize(vec![waiting.track]));
            }
        }
        ui.label(parts::muted(what_for(scene, row, waiting)).size(11.0));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let number = RichText::new((place + 1).to_string()).size(11.0);
            ui.label(number.color(theme::TEXT_FAINT));
            let title = RichText::new(&caption).color(theme::TEXT);
            ui.add(Label::new(title).truncate());
        });
    });
}

/// `stems by HT Demucs`, `analysis`.
fn what_for(scene: &Scene<'_>, row: &Row, waiting: &Waiting) -> String {
    let Extent::Only(artifacts) = &waiting.extent else {
        return if waiting.is_long {
            "models".to_owned()
        } else {
            "analysis".to_owned()
        };
    };
    if waiting.is_held {
        return format!("{} once models work again", makers::list(artifacts));
    }
    if artifacts.len() == 1 && artifacts.contains(&Artifact::Stems) {
        return if makers::has_better_stems(scene.setup, row) {
            let by = makers::model_of(Artifact::Stems).unwrap_or_default();
            format!("stems by {by}")
        } else {
            "draft stems".to_owned()
        };
    }
    let what = makers::list(artifacts);
    if waiting.is_long {
        format!("{what} by models")
    } else {
        what
    }
}
