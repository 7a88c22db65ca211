//! The menu bar, built from the table of actions.

use crate::action::{Action, Entry, Group, TABLE};
use crate::outbox::Outbox;
use crate::panels::{Page, Panels};
use crate::scene::Scene;
use crate::theme;
use eframe::egui::{Button, MenuBar, RichText, ScrollArea, Ui};
use tonearm_core::playback::{StemSound, Transport};

/// Actions of [`Group::Everywhere`] by the menu in which they stand; the rest is under View.
const EDIT: &[Action] = &[Action::Undo, Action::Redo];
const HELP: &[Action] = &[
    Action::Help,
    Action::SearchHelp,
    Action::Log,
    Action::CopyDiagnostics,
];
const PROGRAM: &[Action] = &[Action::Setup, Action::Settings, Action::Quit];
const WORK: &[Action] = &[Action::DoFirst, Action::PauseWork, Action::CancelWork];

/// Kept free below a menu that is higher than the window, in points.
const MENU_EDGE: f32 = 16.0;

/// The menus, each with its actions; `None` is a line between two.
pub fn menus() -> Vec<(&'static str, Vec<Option<Action>>)> {
    let of = |group: Group| {
        TABLE
            .iter()
            .filter(move |entry| entry.group == group)
            .map(|entry| entry.action)
            .filter(|action| !HELP.contains(action))
    };
    let some = |actions: &[Action]| actions.iter().copied().map(Some).collect::<Vec<_>>();
    let mut library: Vec<_> = of(Group::Library).map(Some).collect();
    library.push(None);
    library.extend(some(WORK));
    library.push(None);
    library.extend(some(PROGRAM));
    let mut track: Vec<_> = some(EDIT);
    track.push(None);
    track.extend(of(Group::Track).map(Some));
    let elsewhere = [EDIT, PROGRAM, WORK].concat();
    let view = of(Group::Everywhere)
        .filter(|action| !elsewhere.contains(action))
        .map(Some)
        .collect();
    vec![
        ("Library", library),
        ("Sound", of(Group::Sound).map(Some).collect()),
        ("Track", track),
        ("Decks", of(Group::Decks).map(Some).collect()),
        ("View", view),
        ("Help", some(HELP)),
    ]
}

/// Along the top of the window.
pub fn menu_ui(ui: &mut Ui, scene: &Scene<'_>, panels: &Panels, out: &mut Outbox) {
    MenuBar::new().ui(ui, |ui| {
        ui.label(
            RichText::new(theme::icon::VINYL_RECORD)
                .color(theme::ACCENT)
                .size(18.0),
        );
        for (name, actions) in menus() {
            ui.menu_button(name, |ui| {
                ui.set_min_width(260.0);
                ui.spacing_mut().item_spacing.y = 0.0;
                let room = ui.ctx().content_rect().height() - ui.next_widget_position().y;
                let room = (room - MENU_EDGE).max(60.0);
                ui.set_max_height(room);
                ScrollArea::vertical().max_height(room).show(ui, |ui| {
                    for action in actions {
                        match action.and_then(Action::entry) {
                            Some(entry) => item_ui(ui, entry, scene, panels, out),
                            None => {
                                ui.separator();
                            }
                        }
                    }
                });
            });
        }
    });
}

fn item_ui(ui: &mut Ui, entry: &Entry, scene: &Scene<'_>, panels: &Panels, out: &mut Outbox) {
    let name = match (entry.action, &scene.view.undo, &scene.view.redo) {
        (Action::Undo, Some(what), _) | (Action::Redo, _, Some(what)) => {
            format!("{}: {what}", entry.name)
        }
        (Action::PauseWork, _, _) if scene.view.activity.paused => "Resume work".to_owned(),
        _ => entry.name.to_owned(),
    };
    let mut button = Button::new(name);
    if let Some(keys) = entry.keys() {
        button = button.shortcut_text(keys);
    }
    let response = ui
        .add_enabled(is_possible(entry.action, scene, panels), button)
        .on_hover_text(entry.tooltip);
    if response.clicked() {
        out.act(entry.action);
        ui.close();
    }
}

/// Whether an action would do anything now.
#[expect(clippy::too_many_lines, reason = "only tells actions apart")]
pub fn is_possible(action: Action, scene: &Scene<'_>, panels: &Panels) -> bool {
    let activity = &scene.view.activity;
    let waiting = activity.queued + activity.held;
    let busy = activity.import.is_some() || !activity.running.is_empty() || waiting > 0;
    let selected = !panels.library.selected.is_empty() && panels.page != Page::Decks;
    let on_track = panels.page == Page::Track && panels.track.track.is_some();
    match action {
        Action::Undo => scene.view.undo.is_some(),
        Action::Redo => scene.view.redo.is_some(),
        Action::PauseWork => busy || activity.paused,
        Action::CancelWork => busy,
        Action::DoFirst => busy && (selected || on_track),
        Action::TryDecks
        | Action::AddFiles
        | Action::AddFolder
        | Action::AddByPath
        | Action::TryDemo
        | Action::RetryFailed => scene.ready,
        Action::SelectAll => panels.page == Page::Library,
        Action::SelectNone => selected && panels.page == Page::Library,
        Action::OpenTrack | Action::PlaySelected => panels.library.focus().is_some(),
        Action::PreviousTrack | Action::NextTrack => !scene.view.rows.is_empty(),
        Action::AnalyzeSelected
        | Action::AnalyzeAgain
        | Action::MakeStems
        | Action::RemoveSelected
        | Action::ShowInFolder
        | Action::CopyPath => selected || on_track,
        Action::ToStart
        | Action::BeatBack
        | Action::BeatForward
        | Action::BarBack
        | Action::BarForward
        | Action::SetCue
        | Action::ToCue
        | Action::ShowPlaying => scene.sound.transport != Transport::Empty,
        Action::PlayPause => scene.sound.transport != Transport::Empty || selected || on_track,
        Action::ToggleDrums
        | Action::ToggleBass
        | Action::ToggleOther
        | Action::ToggleVocals
        | Action::SoloDrums
        | Action::SoloBass
        | Action::SoloOther
        | Action::SoloVocals => {
            let loaded = scene.sound.loaded.as_ref();
            loaded.is_some_and(|loaded| matches!(loaded.stems, StemSound::Ready(_)))
        }
        Action::BackToLibrary => panels.page != Page::Library,
        Action::ZoomIn | Action::ZoomOut => on_track || panels.page == Page::Decks,
        Action::ZoomWhole
        | Action::LookEarlier
        | Action::LookLater
        | Action::ZoomSamples
        | Action::ToggleFollow
        | Action::HalveTempo
        | Action::DoubleTempo
        | Action::NextTempo
        | Action::DownbeatEarlier
        | Action::DownbeatLater
        | Action::NextKey
        | Action::ForgetEdits => on_track,
        Action::Search
        | Action::SearchHelp
        | Action::CopyFailures
        | Action::ChooseColumns
        | Action::ToggleInspector
        | Action::ToggleImports
        | Action::VolumeUp
        | Action::VolumeDown
        | Action::ShowDecks
        | Action::ToggleOverlay
        | Action::ToggleDoctor
        | Action::EndDecksTrial
        | Action::Setup
        | Action::Help
        | Action::Settings
        | Action::Log
        | Action::CopyDiagnostics
        | Action::LargerScale
        | Action::SmallerScale
        | Action::NormalScale
        | Action::FullScreen
        | Action::Quit => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_stands_in_exactly_one_menu() {
        let all: Vec<Action> = menus()
            .into_iter()
            .flat_map(|(_, actions)| actions.into_iter().flatten())
            .collect();
        for entry in TABLE {
            let times = all.iter().filter(|action| **action == entry.action).count();
            assert_eq!(times, 1, "{:?}", entry.action);
        }
    }
}
