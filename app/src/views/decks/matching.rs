//! Which track of the library is on a deck, why, and how to say that it is another.

use super::Look;
use super::choose::One;
use super::facts::LETTERS;
use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::theme::{self, icon};
use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{
    Button, Label, PopupCloseBehavior, RichText, ScrollArea, TextEdit, Ui, WidgetInfo,
};
use std::sync::Arc;
use tonearm_core::core_loop::command::Command;
use tonearm_core::core_loop::view::Rows;
use tonearm_core::decks::{
    Candidate, Databases, DeckId, DecksCommand, Matched, MatchedBy, Matching,
};
use tonearm_core::query;
use tonearm_core::row::Row;
use tonearm_core::track::TrackId;

/// Tracks that a search offers.
const OFFERED: usize = 8;
/// Candidates that are offered.
const CANDIDATES: usize = 6;
const WIDTH: f32 = 340.0;

/// What is typed to find a track for a deck.
#[derive(Debug, Clone, Default)]
pub(super) struct Picking {
    text: String,
    /// What was searched for, among which rows, with what came of it.
    searched: String,
    rows: Rows,
    found: Vec<Arc<Row>>,
    /// Selected in the library, by the window.
    pub(super) selected: Option<TrackId>,
}

impl Picking {
    fn search(&mut self, rows: &Rows) {
        if self.searched == self.text && self.rows.is_same(rows) {
            return;
        }
        self.searched.clone_from(&self.text);
        self.rows = rows.clone();
        let folded = query::fold(&self.text);
        let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
        let fits = |row: &&Arc<Row>| words.iter().all(|word| row.search_text.contains(word));
        self.found = if words.is_empty() {
            Vec::new()
        } else {
            rows.iter().filter(fits).take(OFFERED).cloned().collect()
        };
    }
}

impl super::DecksPanel {
    /// The track that is selected in the library can be put on a deck.
    pub fn offer(&mut self, selected: Option<TrackId>) {
        self.picking.selected = selected;
    }
}

/// One line: how it was recognised, and a menu to say otherwise.
pub(super) fn matching_ui(
    ui: &mut Ui,
    (scene, look): (&Scene<'_>, &Look<'_>),
    one: &One<'_>,
    picking: &mut Picking,
    out: &mut Outbox,
) {
    let matching = &one.deck.matching;
    let (words, colour, call) = match matching {
        Matching::Found(matched) => (found_words(matched), theme::TEXT_FAINT, icon::DOTS_THREE),
        Matching::Unsure(candidates) => {
            let words = match candidates.len() {
                1 => "Perhaps one of your tracks".to_owned(),
                count => format!("One of {count} of your tracks"),
            };
            (words, theme::WARN, "Choose…")
        }
        Matching::Unknown(reason) => (format::fit(reason, LETTERS), theme::TEXT_MUTED, "Choose…"),
        Matching::Nothing if look.live.decks.simulated.is_some() => return,
        Matching::Nothing => (
            "Looking it up…".to_owned(),
            theme::TEXT_FAINT,
            icon::DOTS_THREE,
        ),
    };
    let named = format!("Track on deck {}", format::fit(&one.deck.label, 12));
    let button = Button::new(RichText::new(call).size(13.0)).min_size([26.0, 20.0].into());
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let (response, _) = MenuButton::from_button(button).config(config).ui(ui, |ui| {
        ui.set_width(WIDTH);
        menu_ui(ui, scene, (one, &words), picking, out);
    });
    response.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Button, true, &named));
    response.on_hover_text("Choose which track of your library this is");
    let text = RichText::new(words).size(12.0).color(colour);
    ui.add(Label::new(text).truncate().selectable(false));
}

fn found_words(matched: &Matched) -> String {
    let percent = (matched.confidence.clamp(0.0, 1.0) * 100.0).round();
    match matched.by {
        MatchedBy::Manual => "Chosen by you".to_owned(),
        by => format!("Recognised {}, {percent} % sure", by.words()),
    }
}

fn menu_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    (one, words): (&One<'_>, &str),
    picking: &mut Picking,
    out: &mut Outbox,
) {
    let deck = one.deck.id;
    ui.add(Label::new(RichText::new(words).color(theme::TEXT_MUTED)).wrap());
    if let Matching::Found(matched) = &one.deck.matching
        && matched.by == MatchedBy::Manual
        && ui.button("Forget my choice").clicked()
    {
        pin(deck, None, out);
        ui.close();
    }
    if let Matching::Unsure(candidates) = &one.deck.matching {
        candidates_ui(ui, scene, (deck, candidates), out);
    }
    let selected = picking.selected.and_then(|id| scene.view.rows.get(id));
    if let Some(row) = selected {
        ui.label(
            RichText::new("Selected in the library")
                .size(11.0)
                .color(theme::TEXT_FAINT),
        );
        offer_ui(ui, row, deck, out);
    }
    ui.label(
        RichText::new("Another track of the library")
            .size(11.0)
            .color(theme::TEXT_FAINT),
    );
    let field = TextEdit::singleline(&mut picking.text)
        .hint_text("Title, artist…")
        .char_limit(200)
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::TextInput, true, "Find a track"));
    picking.search(&scene.view.rows);
    ScrollArea::vertical().max_height(240.0).show(ui, |ui| {
        for row in &picking.found {
            offer_ui(ui, row, deck, out);
        }
    });
    if picking.found.is_empty() && !picking.searched.trim().is_empty() {
        ui.label(RichText::new("Nothing found").color(theme::TEXT_FAINT));
    }
    databases_ui(ui, one, out);
}

/// What stands in the player's own databases tells where its tracks come from.
fn databases_ui(ui: &mut Ui, one: &One<'_>, out: &mut Outbox) {
    let words = match one.unit.databases {
        Databases::Unread => {
            let button = ui.button("Read the databases in this player");
            let hint = "Tracks are then known by their origin, and have their pictures; slow on purpose, so that the player is not disturbed";
            if button.on_hover_text(hint).clicked() {
                let read = DecksCommand::ReadDatabases(one.unit.id);
                out.commands.push(Command::Decks(read));
            }
            return;
        }
        Databases::Reading => "Reading the databases in this player…".to_owned(),
        Databases::Read(1) => "One track stands in this player's databases".to_owned(),
        Databases::Read(count) => format!("{count} tracks stand in this player's databases"),
    };
    ui.label(RichText::new(words).size(11.0).color(theme::TEXT_FAINT));
}

fn candidates_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    (deck, candidates): (DeckId, &[Candidate]),
    out: &mut Outbox,
) {
    for candidate in candidates.iter().take(CANDIDATES) {
        let Some(row) = scene.view.rows.get(candidate.id) else {
            continue;
        };
        offer_ui(ui, row, deck, out);
        let percent = (candidate.confidence.clamp(0.0, 1.0) * 100.0).round();
        let why = format!("{percent} %: {}", format::fit(&candidate.reason, LETTERS));
        ui.add(Label::new(RichText::new(why).size(11.0).color(theme::TEXT_FAINT)).truncate());
    }
}

fn offer_ui(ui: &mut Ui, row: &Row, deck: DeckId, out: &mut Outbox) {
    let text = format::fit(&format::caption(row), 90);
    let button = Button::new(text).truncate().min_size([WIDTH, 24.0].into());
    if ui
        .add(button)
        .on_hover_text("It is this track, now and whenever it is loaded again")
        .clicked()
    {
        pin(deck, Some(row.track.id), out);
        ui.close();
    }
}

fn pin(deck: DeckId, track: Option<TrackId>, out: &mut Outbox) {
    let command = DecksCommand::Pin { deck, track };
    out.commands.push(Command::Decks(command));
}
