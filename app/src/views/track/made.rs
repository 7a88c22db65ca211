//! Who made what is known of the track, and who is to make it: a menu in the row of the transport.

use super::Page;
use super::header::named;
use crate::action::Action;
use crate::outbox::Outbox;
use crate::theme;
use crate::views::makers;
use eframe::egui::{Popup, PopupCloseBehavior, RichText, Ui, vec2};
use tonearm_core::artifact::{Artifact, Maker};

/// What the menu names: what can be made in more than one way.
const NAMED: [(Artifact, &str); 4] = [
    (Artifact::Beats, "Beats"),
    (Artifact::Key, "Key"),
    (Artifact::Chords, "Chords"),
    (Artifact::Stems, "Stems"),
];

pub(super) fn made_ui(ui: &mut Ui, page: &Page<'_>, out: &mut Outbox) {
    let button = eframe::egui::Button::new("Made by").min_size(vec2(0.0, theme::CONTROL));
    let response = ui.add(button);
    response.widget_info(|| named("Who made this, and who is to"));
    let response = response.on_hover_text("Who made beats, key, chords and stems, and who is to");
    Popup::menu(&response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| menu_ui(ui, page, out));
}

fn menu_ui(ui: &mut Ui, page: &Page<'_>, out: &mut Outbox) {
    ui.set_min_width(260.0);
    let row = page.row;
    for (artifact, name) in NAMED {
        ui.horizontal(|ui| {
            let used = ui
                .label(RichText::new(name).color(theme::TEXT))
                .rect
                .width();
            ui.add_space((64.0 - used).max(0.0));
            let record = row.knowledge.records.get(&artifact);
            let by = match record {
                Some(record) if record.failure.is_some() => "failed".to_owned(),
                Some(record) => makers::made_by(artifact, record),
                None => "not made".to_owned(),
            };
            let of_model = record.is_some_and(|record| record.recipe.maker.is_model());
            let colour = if of_model || record.is_some_and(|it| it.recipe.maker == Maker::User) {
                theme::ACCENT
            } else {
                theme::TEXT_MUTED
            };
            ui.label(RichText::new(by).color(colour));
            let tried = row.knowledge.tried.get(&artifact);
            if let Some(failure) = tried.and_then(|record| record.failure.as_ref()) {
                let text = RichText::new("model failed").color(theme::WARN);
                let words = format!("{}. {}", failure.message, failure.remedy);
                ui.label(text)
                    .on_hover_text(crate::format::fit(&words, 400));
            } else if tried.is_some_and(|record| record.nothing_found) {
                let model = makers::model_of(artifact).unwrap_or("the model");
                ui.label(RichText::new(format!("{model} found none")).color(theme::TEXT_MUTED));
            }
        });
    }
    ui.separator();
    ui.label(RichText::new("This track is analysed by").color(theme::TEXT_MUTED));
    let engine = row.knowledge.engine;
    makers::engine_ui(ui, (page.scene.setup, Some(engine)), &[row.track.id], out);
    ui.separator();
    for action in [Action::AnalyzeAgain, Action::MakeStems, Action::Setup] {
        if ui
            .button(action.name())
            .on_hover_text(action.hint())
            .clicked()
        {
            out.act(action);
            ui.close();
        }
    }
}
