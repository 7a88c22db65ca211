//! Everything the user can do, once: its name, what it does in words, its keys. Menus, buttons, the help sheet
//! and the tests read this table.

mod table;

pub use table::TABLE;

use crate::panels::Page;
use eframe::egui::{Key, KeyboardShortcut, ModifierNames, Modifiers};

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
    ShowPlaying,
    MakeStems,
    ToggleDrums,
    ToggleBass,
    ToggleOther,
    ToggleVocals,
    SoloDrums,
    SoloBass,
    SoloOther,
    SoloVocals,
    // Track
    BackToLibrary,
    LookEarlier,
    LookLater,
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
    // Decks
    ShowDecks,
    ToggleOverlay,
    ToggleDoctor,
    TryDecks,
    EndDecksTrial,
    // Everywhere
    Undo,
    Redo,
    PauseWork,
    CancelWork,
    DoFirst,
    Setup,
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
    Decks,
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
    /// The one that menus and the help sheet show.
    pub shortcut: Option<KeyboardShortcut>,
    /// Others that do the same.
    pub also: &'static [KeyboardShortcut],
    /// The page where the shortcut counts; `None`: everywhere.
    pub scope: Option<Page>,
    /// Another page where it counts.
    pub also_on: Option<Page>,
    /// Whether holding the key down goes on.
    pub repeats: bool,
}

impl Entry {
    const fn new(group: Group, action: Action, name: &'static str, tooltip: &'static str) -> Self {
        Self {
            action,
            group,
            name,
            tooltip,
            shortcut: None,
            also: &[],
            scope: None,
            also_on: None,
            repeats: false,
        }
    }

    const fn key(self, modifiers: Modifiers, key: Key) -> Self {
        Self {
            shortcut: Some(KeyboardShortcut::new(modifiers, key)),
            ..self
        }
    }

    const fn also(self, also: &'static [KeyboardShortcut]) -> Self {
        Self { also, ..self }
    }

    const fn on(self, page: Page) -> Self {
        Self {
            scope: Some(page),
            ..self
        }
    }

    const fn and_on(self, page: Page) -> Self {
        Self {
            also_on: Some(page),
            ..self
        }
    }

    const fn repeating(self) -> Self {
        Self {
            repeats: true,
            ..self
        }
    }

    /// Whether its keys count on `page`.
    pub fn counts_on(&self, page: Page) -> bool {
        self.scope.is_none_or(|scope| scope == page) || self.also_on == Some(page)
    }

    /// All keys that do it.
    pub fn shortcuts(&self) -> impl Iterator<Item = KeyboardShortcut> {
        self.shortcut.into_iter().chain(self.also.iter().copied())
    }

    /// The key as people write it: `Ctrl+O`.
    pub fn keys(&self) -> Option<String> {
        let is_mac = cfg!(target_os = "macos");
        self.shortcut.map(|shortcut| {
            let key = match shortcut.logical_key {
                Key::Questionmark => "?",
                Key::Plus => "+",
                Key::Minus => "\u{2212}",
                Key::Comma => ",",
                Key::OpenBracket => "[",
                Key::CloseBracket => "]",
                Key::ArrowLeft => "←",
                Key::ArrowRight => "→",
                Key::ArrowUp => "↑",
                Key::ArrowDown => "↓",
                Key::Escape => "Esc",
                key => key.name(),
            };
            let modifiers = ModifierNames::NAMES.format(&shortcut.modifiers, is_mac);
            if modifiers.is_empty() {
                key.to_owned()
            } else {
                format!("{modifiers}+{key}")
            }
        })
    }

    /// The tooltip, with the key.
    pub fn hint(&self) -> String {
        match self.keys() {
            Some(keys) => format!("{} ({keys})", self.tooltip),
            None => self.tooltip.to_owned(),
        }
    }
}

/// Of each stem.
pub const TOGGLE_STEM: [Action; 4] = [
    Action::ToggleDrums,
    Action::ToggleBass,
    Action::ToggleOther,
    Action::ToggleVocals,
];
pub const SOLO_STEM: [Action; 4] = [
    Action::SoloDrums,
    Action::SoloBass,
    Action::SoloOther,
    Action::SoloVocals,
];

impl Action {
    /// Its line of the table.
    pub fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.action == self)
    }

    pub fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }

    /// What it does and with which key, for a tooltip.
    pub fn hint(self) -> String {
        self.entry().map(Entry::hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// `Quit` stands last.
    const COUNT: usize = Action::Quit as usize + 1;

    #[test]
    fn every_action_has_exactly_one_entry() {
        let places: HashSet<usize> = TABLE.iter().map(|entry| entry.action as usize).collect();
        assert_eq!(places.len(), COUNT, "an action has no entry");
        assert_eq!(TABLE.len(), COUNT, "an action has two");
    }

    #[test]
    fn every_entry_says_what_it_does_in_one_sentence() {
        let names: HashSet<&str> = TABLE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), TABLE.len(), "two actions have one name");
        for entry in TABLE {
            assert!(
                !entry.name.is_empty() && !entry.name.ends_with('.'),
                "{entry:?}"
            );
            let sentence = entry.tooltip;
            assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
            assert!(
                sentence.len() > 10 && !sentence.ends_with('.'),
                "{sentence}"
            );
        }
    }

    #[test]
    fn no_key_does_two_things_on_one_page() {
        for page in [Page::Library, Page::Track, Page::Decks] {
            let mut seen = HashSet::new();
            for entry in TABLE.iter().filter(|entry| entry.counts_on(page)) {
                for key in entry.shortcuts() {
                    assert!(seen.insert(key), "{page:?}: {key:?} of {:?}", entry.action);
                }
            }
        }
    }

    #[test]
    fn keys_read_as_people_write_them() {
        let keys = |action: Action| action.entry().and_then(Entry::keys).unwrap_or_default();
        assert_eq!(keys(Action::PlayPause), "Space");
        assert_eq!(keys(Action::Help), "?");
        if !cfg!(target_os = "macos") {
            assert_eq!(keys(Action::AddFolder), "Ctrl+Shift+O");
        }
    }
}
