//! Carries out what the views of a frame asked for, in one place.

use super::app::{App, Library, Published};
use super::frame::Wanted;
use super::start;
use crate::action::Action;
use crate::dialogs::Choice;
use crate::notices::Notice;
use crate::outbox::Outbox;
use crate::panels::{Page, Sheet, WindowPlace};
use crate::settings::{SCALE_MAX, SCALE_MIN, SCALE_STEP, Settings};
use crate::views::imports::{Batch, failed};
use crate::views::setup;
use eframe::egui::{Context, ViewportCommand};
use std::collections::BTreeSet;
use std::path::PathBuf;
use tonearm_core::artifact::Artifact;
use tonearm_core::core_loop::command::{Command, Extent, Selection};
use tonearm_core::edits::Edit;
use tonearm_core::setup::SetupCommand;
use tonearm_core::track::TrackId;

/// Commands that may wait for the library.
const EARLY: usize = 64;

/// Actions of one frame; a page that answers an action with an action must come to an end.
const ACTIONS: usize = 64;

/// The one track whose id begins so, or why there is no such one.
fn named(beginning: &str, ids: impl Iterator<Item = TrackId>) -> Result<TrackId, String> {
    let mut fitting = ids.filter(|id| id.to_string().starts_with(beginning));
    match (fitting.next(), fitting.next()) {
        (Some(track), None) => Ok(track),
        (Some(_), Some(_)) => Err(format!(
            "More than one track has an id that begins with {beginning}"
        )),
        (None, _) => Err(format!("No track of the library has the id {beginning}")),
    }
}

/// Keeps a command for when the library is there. False when there are too many.
fn keep_early(early: &mut Vec<Command>, command: Command) -> bool {
    let has_room = early.len() < EARLY;
    if has_room {
        early.push(command);
    }
    has_room
}

impl App {
    pub(super) fn carry_out(&mut self, ctx: &Context, published: &Published, mut out: Outbox) {
        for _ in 0..ACTIONS {
            if out.actions.is_empty() {
                break;
            }
            let action = out.actions.remove(0);
            tracing::debug!(?action, "action");
            if !self.page_acts(action, published, &mut out) {
                self.perform(ctx, published, action, &mut out);
            }
        }
        let now = ctx.input(|input| input.time);
        for command in out.commands {
            match Batch::before(&self.scene(published), &command) {
                Some(batch) => self.panels.imports.batch = Some(batch),
                None => self.command(command),
            }
        }
        for command in out.agreed {
            self.command(command);
        }
        for command in out.sound {
            self.asked_of_sound(command);
        }
        for notice in out.notices {
            self.toasts.say(notice, now);
        }
        if let Some(text) = out.copied {
            ctx.copy_text(text);
        }
    }

    /// The page that is to be seen goes first. True when the action is done with that.
    fn page_acts(&mut self, action: Action, published: &Published, out: &mut Outbox) -> bool {
        // These concern the list, the page and the player together.
        if matches!(action, Action::PreviousTrack | Action::NextTrack) {
            return false;
        }
        let mut panels = std::mem::take(&mut self.panels);
        let scene = self.scene(published);
        let acted = match panels.page {
            Page::Library => panels.library.act(action, &scene, out),
            Page::Track => panels.track.act(action, &scene, out),
            Page::Decks => panels.decks.act(action),
        };
        self.panels = panels;
        acted
    }

    #[expect(clippy::too_many_lines, reason = "only tells actions apart")]
    fn perform(&mut self, ctx: &Context, published: &Published, action: Action, out: &mut Outbox) {
        match action {
            Action::AddFiles => self.errands.ask(Choice::Files),
            Action::AddFolder => self.errands.ask(Choice::Folder),
            Action::AddByPath => {
                self.panels.path_entry.instead_of_dialog = false;
                self.show_path_entry(Choice::Files);
            }
            Action::TryDemo => {
                self.panels.sheet = None;
                self.errands.write_demo(&self.opening.library.clone());
            }
            Action::OpenTrack => {
                if let Some(track) = self.panels.library.focus() {
                    self.open_track(track);
                }
            }
            Action::ShowPlaying => {
                if let Some(track) = self.loaded() {
                    self.open_track(track);
                }
            }
            Action::AnalyzeSelected
            | Action::AnalyzeAgain
            | Action::MakeStems
            | Action::RemoveSelected
            | Action::ShowInFolder
            | Action::CopyPath
            | Action::DoFirst
                if self.meant().is_empty() =>
            {
                out.notices
                    .push(Notice::news("Select tracks in the library first"));
            }
            Action::AnalyzeSelected | Action::AnalyzeAgain => {
                let request = self.errands.request();
                out.commands.push(Command::Analyze {
                    request,
                    tracks: Selection::Tracks(self.meant()),
                    extent: Extent::Everything,
                    force: action == Action::AnalyzeAgain,
                    engine: None,
                });
            }
            Action::MakeStems => {
                let request = self.errands.request();
                out.commands.push(Command::Analyze {
                    request,
                    tracks: Selection::Tracks(self.meant()),
                    extent: Extent::Only(BTreeSet::from([Artifact::Stems])),
                    engine: None,
                    force: false,
                });
            }
            Action::RetryFailed => failed::retry(&published.view.rows, &self.meant(), out),
            Action::RemoveSelected => out.commands.push(Command::Remove(self.meant())),
            Action::ShowInFolder => self.show_in_folder(published),
            Action::CopyPath => out.copied = Some(self.paths(published).join("\n")),
            Action::CopyFailures => failed::copy(&published.view.rows, &self.meant(), out),
            Action::ToggleImports => self.panels.imports.open = !self.panels.imports.open,
            Action::PlaySelected
            | Action::PlayPause
            | Action::ToStart
            | Action::BeatBack
            | Action::BeatForward
            | Action::BarBack
            | Action::BarForward
            | Action::SetCue
            | Action::ToCue
            | Action::ToggleDrums
            | Action::ToggleBass
            | Action::ToggleOther
            | Action::ToggleVocals
            | Action::SoloDrums
            | Action::SoloBass
            | Action::SoloOther
            | Action::SoloVocals
            | Action::VolumeUp
            | Action::VolumeDown => self.play(action, published),
            Action::PreviousTrack | Action::NextTrack => self.go_on(action, published),
            Action::BackToLibrary => self.panels.page = Page::Library,
            Action::HalveTempo => self.edit(&[Edit::HalveTempo], out),
            Action::DoubleTempo => self.edit(&[Edit::DoubleTempo], out),
            Action::NextTempo => self.edit(&[Edit::NextTempo], out),
            Action::DownbeatEarlier => self.edit(&[Edit::ShiftDownbeat(-1)], out),
            Action::DownbeatLater => self.edit(&[Edit::ShiftDownbeat(1)], out),
            Action::NextKey => self.edit(&[Edit::NextKey], out),
            Action::ForgetEdits => self.edit(&[Edit::ForgetAll], out),
            Action::ShowDecks => self.show_decks(),
            Action::ToggleOverlay => self.toggle_overlay(),
            Action::ToggleDoctor => self.toggle_doctor(),
            Action::TryDecks => self.try_decks(published),
            Action::EndDecksTrial => self.end_decks_trial(published),
            Action::Undo => out.commands.push(Command::Undo),
            Action::Redo => out.commands.push(Command::Redo),
            Action::PauseWork => out.commands.push(if published.view.activity.paused {
                Command::Resume
            } else {
                Command::Pause
            }),
            Action::CancelWork => {
                out.commands.push(Command::Cancel);
                out.commands.push(Command::Withdraw(Selection::All));
            }
            Action::Help => self.toggle_sheet(Sheet::Help),
            Action::Settings => self.toggle_sheet(Sheet::Settings),
            Action::Setup => {
                self.toggle_sheet(Sheet::Setup);
                let look = if setup::should_look(&published.setup) {
                    SetupCommand::Check
                } else {
                    SetupCommand::Glance
                };
                out.commands.push(Command::Setup(look));
            }
            Action::DoFirst => out.commands.push(Command::Prioritize(self.meant())),
            Action::Log => self.toggle_sheet(Sheet::Log),
            Action::CopyDiagnostics => {
                out.copied = Some(super::diagnostics::text(
                    &self.about,
                    &self.settings,
                    published,
                ));
                out.notices
                    .push(Notice::good("Diagnostics are on the clipboard"));
            }
            Action::LargerScale => self.rescale(ctx, self.settings.scale + SCALE_STEP),
            Action::SmallerScale => self.rescale(ctx, self.settings.scale - SCALE_STEP),
            Action::NormalScale => self.rescale(ctx, 1.0),
            Action::FullScreen => {
                let full = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!full));
            }
            Action::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
            // The pages' own, when they are to be seen.
            Action::Search
            | Action::SearchHelp
            | Action::SelectAll
            | Action::SelectNone
            | Action::ChooseColumns
            | Action::ToggleInspector
            | Action::LookEarlier
            | Action::LookLater
            | Action::ZoomIn
            | Action::ZoomOut
            | Action::ZoomWhole
            | Action::ZoomSamples
            | Action::ToggleFollow => self.hand_to_library(action, published, out),
        }
    }

    /// What belongs to the list is done there, from wherever it was asked for.
    fn hand_to_library(&mut self, action: Action, published: &Published, out: &mut Outbox) {
        let lists = matches!(
            action,
            Action::Search | Action::SearchHelp | Action::ChooseColumns | Action::ToggleInspector
        );
        if lists && self.panels.page != Page::Library {
            self.panels.page = Page::Library;
            self.page_acts(action, published, out);
        }
    }

    /// Sends a command to the library, or keeps it until the library is there. The user hears of what is not done.
    pub(super) fn command(&mut self, command: Command) {
        self.waker.asked();
        let done = match &self.library {
            Library::Open(core) => core.send(command),
            Library::Coming(_) => keep_early(&mut self.early, command),
            Library::Failed(_) => false,
            Library::Closed => true,
        };
        if done {
            return;
        }
        let trouble = match &self.library {
            Library::Failed(_) => "The library is not open: this was not done.",
            _ => "There is too much to do already: this was not done. Try again in a moment.",
        };
        tracing::warn!(trouble, "command");
        self.hearing.tell(Notice::trouble(trouble));
        self.waker.wake_now();
    }

    /// The tracks that an action means: those selected that a search does not hide, or the one on its page.
    pub(super) fn meant(&self) -> Vec<TrackId> {
        match (self.panels.page, self.panels.track.track) {
            (Page::Track, Some(track)) => vec![track],
            // What is selected in the library cannot be seen there.
            (Page::Decks, _) => Vec::new(),
            (Page::Track | Page::Library, _) => self.panels.library.targets(),
        }
    }

    fn edit(&self, edits: &[Edit], out: &mut Outbox) {
        let focus = match self.panels.page {
            Page::Track => self.panels.track.track,
            Page::Library => self.panels.library.focus(),
            Page::Decks => None,
        };
        if let Some(track) = focus {
            let commands = edits.iter().map(|&edit| Command::Edit { track, edit });
            out.commands.extend(commands);
        }
    }

    fn paths(&self, published: &Published) -> Vec<String> {
        self.meant()
            .into_iter()
            .filter_map(|track| published.view.rows.get(track))
            .map(|row| row.track.path.as_path().display().to_string())
            .collect()
    }

    fn toggle_sheet(&mut self, sheet: Sheet) {
        let open = self.panels.sheet == Some(sheet);
        self.panels.sheet = (!open).then_some(sheet);
    }

    fn rescale(&mut self, ctx: &Context, scale: f32) {
        let settings = Settings {
            scale: scale.clamp(SCALE_MIN, SCALE_MAX),
            ..self.settings.clone()
        };
        self.change_settings(ctx, settings);
    }

    /// Takes settings over; what hangs on them follows.
    pub(super) fn change_settings(&mut self, ctx: &Context, settings: Settings) {
        if settings.scale != self.settings.scale {
            ctx.set_zoom_factor(settings.scale);
        }
        if settings.analyze_on_import != self.settings.analyze_on_import {
            self.command(Command::SetEager(settings.analyze_on_import));
        }
        self.settings = settings;
    }

    /// What was dropped on the window is brought in.
    pub(super) fn take_dropped(&mut self, ctx: &Context) {
        self.import(dropped(ctx));
    }

    /// What comes after the views of a frame.
    pub(super) fn after_views(&mut self, ctx: &Context, wanted: &Wanted) {
        self.send_errands();
        self.take_folder(ctx);
        if let Some(track) = self.panels.imports.wanted.take() {
            self.panels.page = Page::Library;
            self.panels.library.go_to(track);
        }
        if wanted.retry {
            let coming =
                start::open_library(&self.opening, &self.settings, &self.waker, &self.hearing);
            self.library = Library::Coming(coming);
            ctx.request_repaint();
        }
        if wanted.abandon {
            self.let_go(ctx);
        }
    }

    /// The library is there: what the command line named is brought in or opened.
    pub(super) fn begin(&mut self) {
        if let Library::Open(core) = &self.library {
            let view = core.view();
            let shown = self.panels.track.track;
            if self.panels.page == Page::Track
                && shown.is_none_or(|track| view.rows.get(track).is_none())
            {
                // It was kept from another library.
                self.panels.page = Page::Library;
            }
            let tracks = std::mem::take(&mut self.opening.tracks);
            let mut found = None;
            for beginning in tracks {
                match named(&beginning, view.rows.iter().map(|row| row.track.id)) {
                    Ok(track) => found = found.or(Some(track)),
                    Err(trouble) => self.hearing.tell(Notice::warning(trouble)),
                }
            }
            self.waker.wake_now();
            if let Some(track) = found {
                self.open_track(track);
            }
        }
        let paths = std::mem::take(&mut self.opening.paths);
        self.import(paths);
        self.begin_decks();
        if self.settings.take_beats_by_model() {
            self.command(Command::FollowWithBeats(true));
        }
        for command in std::mem::take(&mut self.early) {
            self.command(command);
        }
    }

    /// Keeps settings and panels, now and then.
    pub(super) fn keep(&mut self, ctx: &Context, now: f64) {
        if self.closing.is_none() {
            self.remember_place(ctx);
            if let Some(wait) = self.keeper.keep(&self.settings, &self.panels, now) {
                ctx.request_repaint_after_secs(wait as f32);
            }
        }
    }

    pub(super) fn remember_place(&mut self, ctx: &Context) {
        let zoom = ctx.zoom_factor();
        let place = ctx.input(|input| {
            let viewport = input.viewport();
            let size = viewport.inner_rect?.size() * zoom;
            let position = viewport.outer_rect.map(|rect| rect.min * zoom);
            let maximized = viewport.maximized.unwrap_or(false);
            let hidden =
                viewport.minimized.unwrap_or(false) || viewport.fullscreen.unwrap_or(false);
            (!hidden).then_some(WindowPlace {
                size: size.into(),
                position: position.map(|at| [at.x, at.y]),
                maximized,
            })
        });
        if let Some(place) = place.and_then(WindowPlace::plausible) {
            self.panels.place = Some(match self.panels.place {
                // The size to go back to is the one from before.
                Some(before) if place.maximized => WindowPlace {
                    maximized: true,
                    ..before
                },
                _ => place,
            });
        }
    }
}

/// Files and folders that were dropped; what has no path on this machine cannot be brought in by reference.
fn dropped(ctx: &Context) -> Vec<PathBuf> {
    ctx.input(|input| {
        let files = input.raw.dropped_files.iter();
        let paths = files.map(|file| file.path().to_path_buf());
        paths.filter(|path| path.is_absolute()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{DroppedFile, RawInput};
    use std::path::Path;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Dropped(&'static str);

    impl DroppedFile for Dropped {
        fn path(&self) -> &Path {
            Path::new(self.0)
        }

        fn bytes(&self) -> Result<Vec<u8>, String> {
            Err("nobody reads it".to_owned())
        }
    }

    #[test]
    fn files_and_folders_that_are_dropped_are_brought_in() {
        let ctx = Context::default();
        let file = |path| -> Arc<dyn DroppedFile + Send + Sync> { Arc::new(Dropped(path)) };
        let input = RawInput {
            dropped_files: ["/music/Techno", "", "picture.png", "/music/a b.mp3"]
                .map(file)
                .to_vec(),
            ..RawInput::default()
        };
        let mut paths = Vec::new();
        let mut drawn = ctx.run_ui(input, |_| paths = dropped(&ctx));
        drawn.textures_delta.clear();
        let named = ["/music/Techno", "/music/a b.mp3"].map(PathBuf::from);
        assert_eq!(paths, named);
    }

    #[test]
    fn what_is_asked_for_before_the_library_is_there_waits_in_order_and_is_bounded() {
        let mut early = Vec::new();
        assert!(keep_early(&mut early, Command::Undo));
        assert!(keep_early(&mut early, Command::Redo));
        assert_eq!(early, [Command::Undo, Command::Redo]);
        let kept = (0..1_000)
            .filter(|_| keep_early(&mut early, Command::Undo))
            .count();
        assert_eq!(kept, EARLY - 2);
        assert_eq!(early.len(), EARLY);
    }

    #[test]
    fn a_track_is_opened_by_the_beginning_of_its_id_when_that_means_one() {
        let ids = [TrackId(0x11), TrackId(0x12), TrackId(u64::MAX)];
        let named = |text: &str| named(text, ids.into_iter());
        let whole = TrackId(u64::MAX).to_string();
        let first: String = whole.chars().take(1).collect();
        assert_eq!(named(&first), Ok(TrackId(u64::MAX)));
        assert_eq!(named(&whole), Ok(TrackId(u64::MAX)));
        assert!(named("").unwrap_err().starts_with("More than one"));
        assert!(named("no id").unwrap_err().starts_with("No track"));
    }
}
