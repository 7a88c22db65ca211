//! The list of tracks, and bringing music in.

use super::super::{Action, Entry, Group};
use super::COMMAND_SHIFT;
use crate::panels::Page;
use eframe::egui::{Key, KeyboardShortcut, Modifiers};

pub(super) const ENTRIES: &[Entry] = &[
    Entry::new(
        Group::Library,
        Action::AddFiles,
        "Add files…",
        "Chooses music files to bring in; they stay where they are",
    )
    .key(Modifiers::COMMAND, Key::O),
    Entry::new(
        Group::Library,
        Action::AddFolder,
        "Add folder…",
        "Brings in all music below a folder; nothing is copied or moved",
    )
    .key(COMMAND_SHIFT, Key::O),
    Entry::new(
        Group::Library,
        Action::AddByPath,
        "Add by path…",
        "Brings in a file or folder by typing where it is",
    )
    .key(Modifiers::COMMAND, Key::L),
    Entry::new(
        Group::Library,
        Action::TryDemo,
        "Try with demo music",
        "Brings in three short pieces that come with the program",
    ),
    Entry::new(
        Group::Library,
        Action::Search,
        "Search",
        "Finds tracks by words, tempo, key and more",
    )
    .key(Modifiers::COMMAND, Key::F)
    .also(&[KeyboardShortcut::new(Modifiers::NONE, Key::Slash)]),
    Entry::new(
        Group::Library,
        Action::SearchHelp,
        "Search help",
        "Shows what can be searched for",
    )
    .key(Modifiers::SHIFT, Key::F1),
    Entry::new(
        Group::Library,
        Action::OpenTrack,
        "Open track",
        "Shows the selected track large and puts it into the player",
    )
    .key(Modifiers::NONE, Key::Enter)
    .on(Page::Library),
    Entry::new(
        Group::Library,
        Action::PlaySelected,
        "Play selected",
        "Plays the selected track from its start",
    )
    .key(Modifiers::COMMAND, Key::Enter)
    .on(Page::Library),
    Entry::new(
        Group::Library,
        Action::SelectAll,
        "Select all",
        "Selects every track of the list",
    )
    .key(Modifiers::COMMAND, Key::A)
    .on(Page::Library),
    Entry::new(
        Group::Library,
        Action::SelectNone,
        "Select none",
        "Takes the selection away",
    )
    .key(COMMAND_SHIFT, Key::A)
    .on(Page::Library),
    Entry::new(
        Group::Library,
        Action::AnalyzeSelected,
        "Analyse",
        "Makes what is missing or out of date for the selected tracks",
    )
    .key(Modifiers::COMMAND, Key::R),
    Entry::new(
        Group::Library,
        Action::AnalyzeAgain,
        "Analyse again",
        "Makes everything anew for the selected tracks; what you changed by hand stays, and what a model made until a model makes it again",
    )
    .key(COMMAND_SHIFT, Key::R),
    Entry::new(
        Group::Library,
        Action::RetryFailed,
        "Try failed again",
        "Tries once more what failed",
    ),
    Entry::new(
        Group::Library,
        Action::RemoveSelected,
        "Remove from library",
        "Takes the selected tracks out of the library; their files stay",
    )
    .key(Modifiers::NONE, Key::Delete)
    .on(Page::Library),
    Entry::new(
        Group::Library,
        Action::ShowInFolder,
        "Show in folder",
        "Opens the folder of the selected track",
    ),
    Entry::new(
        Group::Library,
        Action::CopyPath,
        "Copy path",
        "Copies where the selected files are",
    )
    .key(COMMAND_SHIFT, Key::C),
    Entry::new(
        Group::Library,
        Action::CopyFailures,
        "Copy failures",
        "Copies the list of what failed and why",
    ),
    Entry::new(
        Group::Library,
        Action::ChooseColumns,
        "Columns…",
        "Chooses which columns the list shows",
    ),
    Entry::new(
        Group::Library,
        Action::ToggleInspector,
        "Inspector",
        "Shows or hides what is known of the selected track",
    )
    .key(Modifiers::NONE, Key::I)
    .on(Page::Library),
    Entry::new(
        Group::Library,
        Action::ToggleImports,
        "Background work",
        "Shows or hides imports, analysis and failures",
    )
    .key(Modifiers::COMMAND, Key::J),
];
