//! Live decks.

use super::super::{Action, Entry, Group};
use super::COMMAND_SHIFT;
use crate::panels::Page;
use eframe::egui::{Key, Modifiers};

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        Group::Decks,
        Action::ShowDecks,
        "Live decks",
        "Shows what plays on the players of your set-up",
    )
    .key(Modifiers::COMMAND, Key::D),
    Entry::new(
        Group::Decks,
        Action::ToggleOverlay,
        "Deck overlay",
        "Shows or hides a small window with the decks that stays above all others",
    )
    .key(COMMAND_SHIFT, Key::D),
    Entry::new(
        Group::Decks,
        Action::ToggleDoctor,
        "Connection doctor",
        "Shows or hides what is heard of players on each network, and what to try",
    )
    .key(Modifiers::NONE, Key::I)
    .on(Page::Decks),
    Entry::new(
        Group::Decks,
        Action::TryDecks,
        "Try it without hardware",
        "Starts two virtual players on this machine that mix the demo music, which comes into the library",
    ),
    Entry::new(
        Group::Decks,
        Action::EndDecksTrial,
        "Stop simulation",
        "Ends the virtual players and listens for real ones again",
    ),
];
