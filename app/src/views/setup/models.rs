//! The row of a model: what it makes, under which terms, how it stands.

use super::parts::{self, Head, muted, row_ui, trouble_ui};
use super::{SetupPanel, standing};
use crate::format;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{Button, Checkbox, Label, OpenUrl, RichText, Role, Ui, WidgetInfo};
use tonearm_core::core_loop::command::Command;
use tonearm_core::setup::{Family, ModelState, ModelView, SetupCommand, SetupView};

pub(super) fn model_ui(
    ui: &mut Ui,
    (view, model): (&SetupView, &ModelView),
    panel: &mut SetupPanel,
    (beats_follow, out): (bool, &mut Outbox),
) {
    let size = standing::about(model.bytes);
    let (colour, state) = match &model.state {
        ModelState::Absent | ModelState::NotAccepted => {
            (theme::TEXT_FAINT, format!("Not there yet, {size}"))
        }
        ModelState::Fetching(_) => (theme::ACCENT, "Being fetched".to_owned()),
        ModelState::Ready { .. } => (theme::OK, format!("Ready, {size}")),
        ModelState::Failed(_) => (theme::WARN, "Could not be fetched".to_owned()),
    };
    let head = Head {
        colour,
        name: &format::fit(&model.title, 60),
        state: &state,
    };
    let mut asked = Asked::default();
    let mut follow_asked = None;
    let may = !view.is_busy && (model.is_free || panel.accepted.contains(&model.id));
    row_ui(
        ui,
        &head,
        |ui| asked = buttons_ui(ui, (view, model), may),
        |ui| {
            below_ui(ui, (view, model), panel);
            if model.family == Family::Beats && view.ready().contains(&Family::Beats) {
                let text = "Find the beats of every track with it, after the built-in analysis";
                let mut follow = beats_follow;
                let tick = ui
                    .checkbox(&mut follow, text)
                    .on_hover_text("In the background; takes a while for a large library");
                if tick.changed() {
                    follow_asked = Some(follow);
                }
            }
        },
    );
    if let Some(follow) = follow_asked {
        out.commands.push(Command::FollowWithBeats(follow));
    }
    if asked.get {
        let wish = panel.wish_for(&model.id);
        out.commands.push(Command::Setup(SetupCommand::Start(wish)));
    }
    if asked.remove {
        let id = model.id.clone();
        out.commands
            .push(Command::Setup(SetupCommand::RemoveModel(id)));
    }
    if asked.cancel {
        out.commands.push(Command::Setup(SetupCommand::Cancel));
    }
}

#[derive(Default)]
struct Asked {
    get: bool,
    remove: bool,
    cancel: bool,
}

fn buttons_ui(ui: &mut Ui, (view, model): (&SetupView, &ModelView), may: bool) -> Asked {
    let mut asked = Asked::default();
    let button = |ui: &mut Ui, enabled: bool, text: &str, hint: &str| {
        let response = ui.add_enabled(enabled, Button::new(text));
        let name = format!("{text} {}", model.title);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
        response
            .on_hover_text(hint)
            .on_disabled_hover_text(why_not(view))
            .clicked()
    };
    match &model.state {
        ModelState::Absent | ModelState::NotAccepted | ModelState::Failed(_) => {
            let text = match model.state {
                ModelState::Failed(_) => "Try again",
                _ => "Get",
            };
            let hint = "Gets this model alone, and the packages if they are not there";
            asked.get = button(ui, may, text, hint);
        }
        ModelState::Fetching(_) => asked.cancel = button(ui, true, "Cancel", "What came is kept"),
        ModelState::Ready { .. } => {
            let hint = "Takes its file off this machine; what it made stays";
            asked.remove = button(ui, !view.is_busy, "Remove", hint);
        }
    }
    asked
}

fn why_not(view: &SetupView) -> &'static str {
    if view.is_busy {
        "When the present one is done"
    } else {
        "Read its terms and tick the box first"
    }
}

fn below_ui(ui: &mut Ui, (view, model): (&SetupView, &ModelView), panel: &mut SetupPanel) {
    ui.horizontal_wrapped(|ui| {
        let free = if model.is_free { "" } else { " (not free)" };
        let text = format!(
            "For {} · code {}, weights {}{free}",
            format::fit(&model.is_for, 60),
            format::fit(&model.code_licence, 40),
            format::fit(&model.weight_licence, 60)
        );
        ui.label(muted(&text));
        let link = ui.link("Where it comes from");
        let name = format!("Where {} comes from", model.title);
        link.widget_info(|| WidgetInfo::labeled(Role::Link, true, &name));
        if link.on_hover_text(&model.link).clicked() {
            ui.ctx().open_url(OpenUrl::new_tab(&model.link));
        }
    });
    let stems = view.ready().contains(&Family::Stems);
    if model.family == Family::Harmony && !stems {
        let text = "It listens to stems by a model: get those too, or chords stay with the built-in analysis";
        ui.add(Label::new(muted(text)).wrap());
    }
    match &model.state {
        ModelState::Fetching(fetching) => {
            parts::progress_ui(ui, &parts::fetching(&model.title, fetching));
        }
        ModelState::Failed(failure) => trouble_ui(ui, (&failure.message, &failure.remedy)),
        ModelState::Ready {
            is_checked: false, ..
        } => {
            let text = "Its makers have published no whole checksum to compare the file with";
            ui.add(Label::new(muted(text)).wrap());
        }
        ModelState::Absent | ModelState::NotAccepted | ModelState::Ready { .. } => {}
    }
    if !model.is_free && !standing::is_ready(model) {
        terms_ui(ui, (view, model), panel);
    }
}

/// What has to be read, and the box that says so.
fn terms_ui(ui: &mut Ui, (view, model): (&SetupView, &ModelView), panel: &mut SetupPanel) {
    if let Some(notice) = &model.notice {
        let notice = RichText::new(format::fit(notice, 1_000)).color(theme::WARN);
        ui.add(Label::new(notice).wrap());
    }
    let mut agreed = panel.accepted.contains(&model.id);
    let text = "I have read this, and my use is covered";
    let tick = ui.add_enabled(!view.is_busy, Checkbox::new(&mut agreed, text));
    let name = format!("{text}: {}", model.title);
    tick.widget_info(|| WidgetInfo::selected(Role::CheckBox, !view.is_busy, agreed, &name));
    if tick.changed() {
        if agreed {
            panel.accepted.insert(model.id.clone());
        } else {
            panel.accepted.remove(&model.id);
        }
    }
}
