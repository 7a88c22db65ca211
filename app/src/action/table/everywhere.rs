//! The program as a whole.

use super::super::{Action, Entry, Group};
use super::COMMAND_SHIFT;
use eframe::egui::{Key, KeyboardShortcut, Modifiers};

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        Group::Everywhere,
        Action::Undo,
        "Undo",
        "Takes back the last change by hand or removal",
    )
    .key(Modifiers::COMMAND, Key::Z),
    Entry::new(
        Group::Everywhere,
        Action::Redo,
        "Redo",
        "Makes again what was taken back",
    )
    .key(COMMAND_SHIFT, Key::Z)
    .also(&[KeyboardShortcut::new(Modifiers::COMMAND, Key::Y)]),
    Entry::new(
        Group::Everywhere,
        Action::PauseWork,
        "Pause work",
        "Starts no new imports and analyses until resumed",
    )
    .key(COMMAND_SHIFT, Key::P),
    Entry::new(
        Group::Everywhere,
        Action::CancelWork,
        "Cancel work",
        "Stops imports and analyses; what was finished is kept",
    ),
    Entry::new(
        Group::Everywhere,
        Action::DoFirst,
        "Do first",
        "Takes up the selected tracks before all others that wait",
    )
    .key(COMMAND_SHIFT, Key::F),
    Entry::new(
        Group::Everywhere,
        Action::Setup,
        "Set up models…",
        "Gets what better stems, beats and chords need, and shows how it stands",
    )
    .key(COMMAND_SHIFT, Key::M),
    Entry::new(
        Group::Everywhere,
        Action::Help,
        "Keys and help",
        "Shows everything that can be done, with its key",
    )
    .key(Modifiers::NONE, Key::Questionmark)
    .also(&[KeyboardShortcut::new(Modifiers::NONE, Key::F1)]),
    Entry::new(
        Group::Everywhere,
        Action::Settings,
        "Settings…",
        "Changes how the program looks, sounds and works",
    )
    .key(Modifiers::COMMAND, Key::Comma),
    Entry::new(
        Group::Everywhere,
        Action::Log,
        "Log",
        "Shows what the program has noted of its own work",
    )
    .key(COMMAND_SHIFT, Key::L),
    Entry::new(
        Group::Everywhere,
        Action::CopyDiagnostics,
        "Copy diagnostics",
        "Copies version, platform and the last log lines, for a report",
    ),
    Entry::new(
        Group::Everywhere,
        Action::LargerScale,
        "Larger",
        "Makes everything in the window larger",
    )
    .key(Modifiers::COMMAND, Key::Plus)
    .also(&[KeyboardShortcut::new(Modifiers::COMMAND, Key::Equals)])
    .repeating(),
    Entry::new(
        Group::Everywhere,
        Action::SmallerScale,
        "Smaller",
        "Makes everything in the window smaller",
    )
    .key(Modifiers::COMMAND, Key::Minus)
    .repeating(),
    Entry::new(
        Group::Everywhere,
        Action::NormalScale,
        "Normal size",
        "Shows everything at the size of the display",
    )
    .key(Modifiers::COMMAND, Key::Num0),
    Entry::new(
        Group::Everywhere,
        Action::FullScreen,
        "Full screen",
        "Fills the screen with the window, or goes back",
    )
    .key(Modifiers::NONE, Key::F11),
    Entry::new(
        Group::Everywhere,
        Action::Quit,
        "Quit",
        "Ends the program; what was finished is kept",
    )
    .key(Modifiers::COMMAND, Key::Q),
];
