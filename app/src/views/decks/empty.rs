//! The page while there are no decks: what to do.

use crate::action::Action;
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme::{self, icon};
use eframe::egui::{Button, Label, RichText, Ui, vec2};
use tonearm_core::core_loop::command::Command;
use tonearm_core::decks::{DecksCommand, DecksState, DecksView, Listen, NetworkView};

/// Networks that are named.
const NAMED: usize = 4;
const WIDTH: f32 = 520.0;

pub(super) fn empty_ui(ui: &mut Ui, scene: &Scene<'_>, decks: &DecksView, out: &mut Outbox) {
    let room = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((room * 0.16).max(8.0));
        ui.set_max_width(WIDTH.min(ui.available_width()));
        let (sign, headline, words) = words(decks);
        ui.label(RichText::new(sign).size(44.0).color(theme::TEXT_FAINT));
        ui.label(RichText::new(headline).font(theme::strong(22.0)));
        ui.add(Label::new(RichText::new(words).color(theme::TEXT_MUTED)).wrap());
        if decks.state == DecksState::Running {
            let text = RichText::new(listening(&decks.network)).color(theme::TEXT_FAINT);
            ui.add(Label::new(text).wrap());
        }
        ui.add_space(10.0);
        let size = vec2(200.0, theme::CONTROL + 4.0);
        match decks.state {
            DecksState::Off | DecksState::Failed(_) if scene.ready => {
                let again = Button::new("Listen for decks").min_size(size);
                if ui.add(again).clicked() {
                    let start = DecksCommand::Start(Listen::default());
                    out.commands.push(Command::Decks(start));
                }
            }
            _ => {}
        }
        if decks.simulated.is_none() {
            let text = RichText::new(Action::TryDecks.name()).color(theme::ON_CHIP);
            let button = Button::new(text).fill(theme::ACCENT).min_size(size);
            let button = ui.add_enabled(scene.ready, button);
            if button.on_hover_text(Action::TryDecks.hint()).clicked() {
                out.act(Action::TryDecks);
            }
        }
    });
}

fn words(decks: &DecksView) -> (&'static str, &'static str, String) {
    match &decks.state {
        DecksState::Failed(failure) => (
            icon::WARNING_CIRCLE,
            "Decks cannot be heard",
            format!(
                "{}. {}.",
                format::fit(&failure.message, 300),
                format::fit(&failure.remedy, 300)
            ),
        ),
        DecksState::Off => (
            icon::PLUGS,
            "Nobody listens for decks",
            "Tonearm speaks to players only when you ask for it.".to_owned(),
        ),
        DecksState::Running if decks.simulated.is_some() => (
            icon::PLUGS_CONNECTED,
            "The virtual players are starting",
            "They appear in a moment.".to_owned(),
        ),
        DecksState::Running => (
            icon::PLUGS,
            "No decks yet",
            "Plug the player's network cable into this computer, or both into one switch, and switch the player on. \
             It appears here by itself, within seconds."
                .to_owned(),
        ),
    }
}

fn listening(network: &NetworkView) -> String {
    let up = || {
        network
            .interfaces
            .iter()
            .filter(|interface| interface.is_up)
    };
    let names: Vec<String> = up()
        .take(NAMED)
        .map(|it| {
            format!(
                "{} ({})",
                format::fit(&it.name, 24),
                format::fit(&it.address, 40)
            )
        })
        .collect();
    match (names.is_empty(), up().count().saturating_sub(NAMED)) {
        // Not looked at yet: where there is none, the doctor says so.
        (true, _) if network.advice.is_empty() => "Looking for networks.".to_owned(),
        (true, _) => {
            "No network is up on this computer: plug the cable in, and it is found.".to_owned()
        }
        (false, 0) => format!("Listening on {}", names.join(", ")),
        (false, more) => format!("Listening on {} and {more} more", names.join(", ")),
    }
}
