//! Everything the user can do, once: its name, what it does in words, its keys. Menus, buttons, the help sheet
//! and the tests read this table.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

/// Carried out in one place, after the views of the frame have been drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    // Library
    AddFiles,
    AddFolder,
    AddByPath,
    TryDemo,
    Search,
    SearchHelp,
    OpenTrack,
    PlaySelected,
    SelectAll,
    SelectNone,
    AnalyzeSelected,
    AnalyzeAgain,
    RetryFailed,
    RemoveSelected,
    ShowInFolder,
    CopyPath,
    CopyFailures,
    ChooseColumns,
    ToggleInspector,
    ToggleImports,
    // Sound
    PlayPause,
    ToStart,
    BeatBack,
    BeatForward,
    BarBack,
    BarForward,
    SetCue,
    ToCue,
    VolumeUp,
    VolumeDown,
    PreviousTrack,
    NextTrack,
    // Track
    BackToLibrary,
    ZoomIn,
    ZoomOut,
    ZoomWhole,
    ZoomSamples,
    ToggleFollow,
    HalveTempo,
    DoubleTempo,
    NextTempo,
    DownbeatEarlier,
    DownbeatLater,
    NextKey,
    ForgetEdits,
    // Everywhere
    Undo,
    Redo,
    PauseWork,
    CancelWork,
    Help,
    Settings,
    Log,
    CopyDiagnostics,
    LargerScale,
    SmallerScale,
    NormalScale,
    FullScreen,
    Quit,
}

/// Where an action stands in menus and on the help sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    Library,
    Sound,
    Track,
    Everywhere,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub action: Action,
    pub group: Group,
    /// On buttons and in menus.
    pub name: &'static str,
    /// One sentence.
    pub tooltip: &'static str,
    pub shortcut: Option<KeyboardShortcut>,
}

/// All actions in the order in which they are shown.
pub const TABLE: &[Entry] = &[Entry {
    action: Action::PlayPause,
    group: Group::Sound,
    name: "Play or pause",
    tooltip: "Plays the loaded track, or the selected one when none is loaded.",
    shortcut: Some(KeyboardShortcut::new(Modifiers::NONE, Key::Space)),
}];

impl Action {
    /// Its line of the table.
    pub fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.action == self)
    }

    pub fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }
}
