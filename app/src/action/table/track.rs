//! The page of one track.

use super::super::{Action, Entry, Group};
use crate::panels::Page;
use eframe::egui::{Key, KeyboardShortcut, Modifiers};

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        Group::Track,
        Action::BackToLibrary,
        "Back to the library",
        "Leaves the track or the decks and shows the list",
    )
    .key(Modifiers::NONE, Key::Escape)
    .on(Page::Track)
    .and_on(Page::Decks),
    Entry::new(
        Group::Track,
        Action::ZoomIn,
        "Closer",
        "Shows less of the track, larger",
    )
    .key(Modifiers::NONE, Key::Plus)
    .also(&[
        KeyboardShortcut::new(Modifiers::NONE, Key::Equals),
        KeyboardShortcut::new(Modifiers::NONE, Key::ArrowUp),
    ])
    .on(Page::Track)
    .and_on(Page::Decks)
    .repeating(),
    Entry::new(
        Group::Track,
        Action::ZoomOut,
        "Further away",
        "Shows more of the track, smaller",
    )
    .key(Modifiers::NONE, Key::Minus)
    .also(&[KeyboardShortcut::new(Modifiers::NONE, Key::ArrowDown)])
    .on(Page::Track)
    .and_on(Page::Decks)
    .repeating(),
    Entry::new(
        Group::Track,
        Action::ZoomWhole,
        "Whole track",
        "Shows the track from start to end",
    )
    .key(Modifiers::NONE, Key::Num0)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::ZoomSamples,
        "Single samples",
        "Shows single samples around the playhead",
    )
    .key(Modifiers::NONE, Key::Num9)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::LookEarlier,
        "Look earlier",
        "Moves the picture back by most of its width, and not the sound",
    )
    .key(Modifiers::NONE, Key::PageUp)
    .on(Page::Track)
    .repeating(),
    Entry::new(
        Group::Track,
        Action::LookLater,
        "Look later",
        "Moves the picture on by most of its width, and not the sound",
    )
    .key(Modifiers::NONE, Key::PageDown)
    .on(Page::Track)
    .repeating(),
    Entry::new(
        Group::Track,
        Action::ToggleFollow,
        "Follow",
        "Keeps the playhead in sight while playing",
    )
    .key(Modifiers::NONE, Key::F)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::HalveTempo,
        "Half tempo",
        "Takes half the tempo: every second beat goes",
    )
    .key(Modifiers::NONE, Key::H)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::DoubleTempo,
        "Double tempo",
        "Takes twice the tempo: a beat more between each two",
    )
    .key(Modifiers::NONE, Key::D)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::NextTempo,
        "Next tempo",
        "Takes the next best tempo that analysis offers",
    )
    .key(Modifiers::NONE, Key::T)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::DownbeatEarlier,
        "Downbeat a beat earlier",
        "Moves the first beat of the bar one beat earlier",
    )
    .key(Modifiers::NONE, Key::OpenBracket)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::DownbeatLater,
        "Downbeat a beat later",
        "Moves the first beat of the bar one beat later",
    )
    .key(Modifiers::NONE, Key::CloseBracket)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::NextKey,
        "Next key",
        "Takes the next best key that analysis offers",
    )
    .key(Modifiers::NONE, Key::K)
    .on(Page::Track),
    Entry::new(
        Group::Track,
        Action::ForgetEdits,
        "Back to analysis",
        "Forgets what was changed by hand and shows what analysis found",
    ),
];
