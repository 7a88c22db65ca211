//! Bringing music in by typing where it is, for those whose system offers no file dialog.

use crate::action::Action;
use crate::dialogs::Choice;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{self, Button, Event, Id, Key, Modifiers, RichText, ScrollArea, TextEdit, Ui};
use std::path::PathBuf;

/// What was found for what is typed; the window asks the disk for it beside the frames.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The text that it answers.
    pub text: String,
    pub what: What,
    /// Whole paths, folders with a separator at the end.
    pub entries: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum What {
    #[default]
    Nothing,
    File,
    Folder,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathEntryPanel {
    pub text: String,
    pub listing: Listing,
    /// Set when the user has decided; the window takes it.
    pub chosen: Option<PathBuf>,
    /// No dialog could be shown: say so.
    pub instead_of_dialog: bool,
    pub focused: bool,
    /// Enter was pressed on this before it was known what it is.
    waits: Option<String>,
    /// What is to be found.
    pub choice: Choice,
}

impl PathEntryPanel {
    pub fn title(&self) -> &'static str {
        match self.choice {
            Choice::Files | Choice::Folder => "Add by path",
            Choice::Models => "Take models from a folder",
            Choice::Python => "Choose a Python 3.12",
        }
    }

    /// What is to be typed.
    fn words(&self) -> &'static str {
        match self.choice {
            Choice::Models => {
                "The folder with the files of models, and with packages where there is no net. They are copied."
            }
            Choice::Python => {
                "The program itself, as /usr/bin/python3.12. The models get an environment of their own with it."
            }
            Choice::Files | Choice::Folder if self.instead_of_dialog => {
                "This system shows no file dialog. Type where your music is, or drop it onto the window."
            }
            Choice::Files | Choice::Folder => {
                "A file, a folder, a playlist or an Engine DJ library. Nothing is copied or moved."
            }
        }
    }

    /// What is typed will do.
    fn is_possible(&self) -> bool {
        let fits = match self.choice {
            Choice::Files | Choice::Folder => self.listing.what != What::Nothing,
            Choice::Models => self.listing.what == What::Folder,
            Choice::Python => self.listing.what == What::File,
        };
        self.is_answered() && fits
    }

    /// Whether Enter counts now: pressed while the disk is asked, it waits for the answer, unless something else is typed.
    fn entered(&mut self, now: bool) -> bool {
        if now && !self.is_answered() {
            self.waits = Some(self.text.clone());
            self.focused = false;
            return false;
        }
        let waited = self.waits.as_ref() == Some(&self.text);
        if !waited || self.is_answered() {
            self.waits = None;
        }
        now || (waited && self.is_answered())
    }

    fn is_answered(&self) -> bool {
        self.listing.text == self.text
    }

    /// Whether Tab has something to add, or will have when the folder was looked into.
    fn completes(&self) -> bool {
        let entry = self.listing.entries.first();
        !self.is_answered() || entry.is_some_and(|entry| *entry != self.text)
    }

    fn complete(&mut self, entry: &str) {
        entry.clone_into(&mut self.text);
        self.focused = false;
    }
}

/// In the field, Tab completes what is typed where there is something to add, and moves on where there is not.
fn complete_by_tab(ui: &Ui, panel: &mut PathEntryPanel) {
    if !panel.completes() || !ui.memory(|memory| memory.has_focus(field_id())) {
        return;
    }
    // Not with Shift, which leads back.
    let is_tab = |event: &Event| matches!(event, Event::Key { key: Key::Tab, pressed: true, modifiers, .. } if modifiers.is_none());
    if !ui.input(|input| input.events.iter().any(is_tab)) {
        return;
    }
    ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Tab));
    if panel.is_answered()
        && let Some(entry) = panel.listing.entries.first().cloned()
    {
        panel.complete(&entry);
    }
}

fn field_id() -> Id {
    Id::unique("path entry")
}

pub fn path_entry_ui(ui: &mut Ui, panel: &mut PathEntryPanel, out: &mut Outbox) {
    ui.label(RichText::new(panel.words()).color(theme::TEXT_MUTED));
    complete_by_tab(ui, panel);
    let (hint, word) = match panel.choice {
        Choice::Files | Choice::Folder => ("/path/to/music", "Add"),
        Choice::Models => ("/path/to/models", "Take"),
        Choice::Python => ("/path/to/python3.12", "Choose"),
    };
    let completes = panel.completes();
    let edit = TextEdit::singleline(&mut panel.text)
        .id(field_id())
        .lock_focus(completes)
        .hint_text(hint)
        .font(egui::TextStyle::Monospace)
        .desired_width(f32::INFINITY)
        .margin(egui::Margin::symmetric(10, 7));
    let mut output = edit.show(ui);
    let label = ui.label(
        RichText::new("Path of a file or folder")
            .small()
            .color(theme::TEXT_FAINT),
    );
    let response = output.response.response.clone().labelled_by(label.id);
    if let Some(text) = begun_anew(&panel.text) {
        panel.text = text;
        panel.focused = false;
    }
    if !panel.focused {
        panel.focused = true;
        response.request_focus();
        let end = egui::text::CCursor::new(panel.text.chars().count());
        let range = egui::text::CCursorRange::one(end);
        output.state.cursor.set_char_range(Some(range));
        output.state.store(ui.ctx(), response.id);
    }
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let entered = panel.entered(entered);
    state_ui(ui, panel);
    listing_ui(ui, panel);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let possible = panel.is_possible();
        let add = Button::new(RichText::new(word).color(theme::ON_CHIP))
            .fill(theme::ACCENT)
            .min_size(egui::vec2(88.0, theme::CONTROL));
        let clicked = ui.add_enabled(possible, add).clicked();
        if possible && (clicked || entered) {
            panel.waits = None;
            panel.chosen = Some(PathBuf::from(panel.text.trim()));
        } else if entered {
            panel.focused = false;
        }
        let is_music = matches!(panel.choice, Choice::Files | Choice::Folder);
        if is_music && ui.button("Demo music instead").clicked() {
            out.act(Action::TryDemo);
            ui.close();
        }
    });
}

/// A whole path typed or pasted behind the folder that stood there is meant alone: `/mine//mnt/usb` is `/mnt/usb`.
/// Where paths begin otherwise, two separators are left as they are.
fn begun_anew(text: &str) -> Option<String> {
    if cfg!(windows) {
        return None;
    }
    let at = text.rfind("//").max(text.rfind("/~/"))?;
    text.get(at + 1..).map(str::to_owned)
}

/// What is typed so far, in words.
fn state_ui(ui: &mut Ui, panel: &PathEntryPanel) {
    let (text, color) = match (panel.is_answered(), panel.listing.what) {
        _ if panel.text.trim().is_empty() => ("Tab completes names", theme::TEXT_FAINT),
        (false, _) => ("Looking…", theme::TEXT_FAINT),
        (true, What::Folder) if panel.choice == Choice::Models => ("A folder", theme::OK),
        (true, What::Folder) if panel.choice == Choice::Python => {
            ("Go on typing, or choose", theme::TEXT_MUTED)
        }
        (true, What::Folder) => ("A folder: all music below it is added", theme::OK),
        (true, What::File) => ("A file", theme::OK),
        (true, What::Nothing) if !panel.listing.entries.is_empty() => {
            ("Go on typing, or choose", theme::TEXT_MUTED)
        }
        (true, What::Nothing) => ("There is no such file or folder", theme::ERROR),
    };
    ui.label(RichText::new(text).color(color));
}

fn listing_ui(ui: &mut Ui, panel: &mut PathEntryPanel) {
    let mut taken = None;
    ScrollArea::vertical().max_height(200.0).show(ui, |ui| {
        for entry in &panel.listing.entries {
            let folder = entry.ends_with(std::path::MAIN_SEPARATOR);
            let icon = if folder {
                theme::icon::FOLDER
            } else {
                theme::icon::FILE_AUDIO
            };
            let button = Button::new(format!("{icon}  {entry}"))
                .frame(false)
                .truncate();
            if ui.add(button).clicked() {
                taken = Some(entry.clone());
            }
        }
    });
    if let Some(entry) = taken {
        panel.complete(&entry);
    }
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;

    #[test]
    fn a_whole_path_behind_the_folder_that_stood_there_is_meant_alone() {
        for (typed, meant) in [
            ("/mine//mnt/usb", Some("/mnt/usb")),
            ("/mine/~/Music", Some("~/Music")),
            ("//", Some("/")),
            ("/mine/Music/", None),
            ("/mine/a~/b", None),
        ] {
            assert_eq!(begun_anew(typed).as_deref(), meant, "{typed}");
        }
    }
}
