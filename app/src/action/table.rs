//! The table of actions: names, tooltips, keys.

use super::{Action, Entry, Group};
use crate::panels::Page;
use eframe::egui::{Key, KeyboardShortcut, Modifiers};

const COMMAND_SHIFT: Modifiers = Modifiers {
    shift: true,
    ..Modifiers::COMMAND
};

/// All actions in the order in which they are shown.
pub const TABLE: &[Entry] = &[
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
        "Makes everything anew for the selected tracks; what you changed by hand stays",
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
    Entry::new(
        Group::Sound,
        Action::PlayPause,
        "Play or pause",
        "Plays the loaded track, or the selected one when none is loaded",
    )
    .key(Modifiers::NONE, Key::Space),
    Entry::new(
        Group::Sound,
        Action::ToStart,
        "To the start",
        "Goes to the start of the track",
    )
    .key(Modifiers::NONE, Key::Home)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::BeatBack,
        "A beat back",
        "Goes one beat back",
    )
    .key(Modifiers::NONE, Key::ArrowLeft)
    .on(Page::Track)
    .repeating(),
    Entry::new(
        Group::Sound,
        Action::BeatForward,
        "A beat on",
        "Goes one beat on",
    )
    .key(Modifiers::NONE, Key::ArrowRight)
    .on(Page::Track)
    .repeating(),
    Entry::new(
        Group::Sound,
        Action::BarBack,
        "A bar back",
        "Goes one bar back",
    )
    .key(Modifiers::SHIFT, Key::ArrowLeft)
    .on(Page::Track)
    .repeating(),
    Entry::new(
        Group::Sound,
        Action::BarForward,
        "A bar on",
        "Goes one bar on",
    )
    .key(Modifiers::SHIFT, Key::ArrowRight)
    .on(Page::Track)
    .repeating(),
    Entry::new(
        Group::Sound,
        Action::SetCue,
        "Cue",
        "Sets the cue point while paused; while playing goes back to it and stops",
    )
    .key(Modifiers::NONE, Key::C),
    Entry::new(
        Group::Sound,
        Action::ToCue,
        "To the cue point",
        "Goes to the cue point and stops there",
    )
    .key(Modifiers::SHIFT, Key::C),
    Entry::new(
        Group::Sound,
        Action::VolumeUp,
        "Louder",
        "Turns the volume up",
    )
    .key(Modifiers::COMMAND, Key::ArrowUp)
    .repeating(),
    Entry::new(
        Group::Sound,
        Action::VolumeDown,
        "Quieter",
        "Turns the volume down",
    )
    .key(Modifiers::COMMAND, Key::ArrowDown)
    .repeating(),
    Entry::new(
        Group::Sound,
        Action::PreviousTrack,
        "Previous track",
        "Goes to the track before in the order of the list",
    )
    .key(Modifiers::COMMAND, Key::ArrowLeft),
    Entry::new(
        Group::Sound,
        Action::NextTrack,
        "Next track",
        "Goes to the next track in the order of the list",
    )
    .key(Modifiers::COMMAND, Key::ArrowRight),
    Entry::new(
        Group::Sound,
        Action::ShowPlaying,
        "Show the playing track",
        "Opens the page of the track that is in the player",
    )
    .key(Modifiers::COMMAND, Key::P),
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
        "Starts two virtual players on this machine that mix the demo music",
    ),
    Entry::new(
        Group::Decks,
        Action::EndDecksTrial,
        "Stop simulation",
        "Ends the virtual players and listens for real ones again",
    ),
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
