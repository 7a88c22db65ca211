//! What plays, and its stems.

use super::super::{Action, Entry, Group};
use crate::panels::Page;
use eframe::egui::{Key, Modifiers};

pub(super) const ENTRIES: &[Entry] = &[
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
        Group::Sound,
        Action::MakeStems,
        "Make stems",
        "Takes the selected tracks apart into drums, bass, vocals and the rest",
    )
    .key(Modifiers::COMMAND, Key::M),
    Entry::new(
        Group::Sound,
        Action::ToggleDrums,
        "Drums on or off",
        "Takes the drums out of what is heard, or brings them back",
    )
    .key(Modifiers::NONE, Key::Num1)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::ToggleBass,
        "Bass on or off",
        "Takes the bass out of what is heard, or brings it back",
    )
    .key(Modifiers::NONE, Key::Num2)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::ToggleOther,
        "Other on or off",
        "Takes the other instruments out of what is heard, or brings them back",
    )
    .key(Modifiers::NONE, Key::Num3)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::ToggleVocals,
        "Vocals on or off",
        "Takes the vocals out of what is heard, or brings them back",
    )
    .key(Modifiers::NONE, Key::Num4)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::SoloDrums,
        "Drums alone",
        "Hears nothing but the drums, or again what was heard before",
    )
    .key(Modifiers::SHIFT, Key::Num1)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::SoloBass,
        "Bass alone",
        "Hears nothing but the bass, or again what was heard before",
    )
    .key(Modifiers::SHIFT, Key::Num2)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::SoloOther,
        "Other alone",
        "Hears nothing but the other instruments, or again what was heard before",
    )
    .key(Modifiers::SHIFT, Key::Num3)
    .on(Page::Track),
    Entry::new(
        Group::Sound,
        Action::SoloVocals,
        "Vocals alone",
        "Hears nothing but the vocals, or again what was heard before",
    )
    .key(Modifiers::SHIFT, Key::Num4)
    .on(Page::Track),
];
