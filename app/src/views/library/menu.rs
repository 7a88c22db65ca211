//! What can be done with the selected tracks, as a menu.

use crate::action::Action;
use crate::outbox::Outbox;
use eframe::egui::{Button, Popup, Response, Ui};

/// The menu of a row on a right click.
pub(super) fn row_menu(response: &Response, out: &mut Outbox) {
    Popup::context_menu(response).show(|ui| {
        ui.set_min_width(190.0);
        ui.spacing_mut().item_spacing.y = 0.0;
        for action in [Action::OpenTrack, Action::PlaySelected] {
            item(ui, action, out);
        }
        ui.separator();
        for action in [
            Action::AnalyzeSelected,
            Action::AnalyzeAgain,
            Action::MakeStems,
            Action::DoFirst,
            Action::RetryFailed,
        ] {
            item(ui, action, out);
        }
        ui.separator();
        for action in [Action::ShowInFolder, Action::CopyPath, Action::CopyFailures] {
            item(ui, action, out);
        }
        ui.separator();
        item(ui, Action::RemoveSelected, out);
    });
}

fn item(ui: &mut Ui, action: Action, out: &mut Outbox) {
    let mut button = Button::new(name(action));
    if let Some(shortcut) = action.entry().and_then(|entry| entry.shortcut) {
        button = button.shortcut_text(ui.ctx().format_shortcut(&shortcut));
    }
    let mut response = ui.add(button);
    if let Some(entry) = action.entry() {
        response = response.on_hover_text(entry.tooltip);
    }
    if response.clicked() {
        out.act(action);
        ui.close();
    }
}

/// The name in the table of actions.
pub(super) fn name(action: Action) -> &'static str {
    action.name()
}
