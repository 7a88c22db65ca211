//! What the window has done elsewhere because it may take long: dialogs, demo music, looking at folders, copies.

use super::app::{App, Library};
use super::hearing::Wish as Hope;
use super::start::{Coming, make};
use super::waker::Waker;
use crate::cli::demo;
use crate::dialogs::{self, Answer, Choice};
use crate::notices::Notice;
use crate::panels::Sheet;
use crate::views::path_entry::{Listing, What};
use crate::views::setup::Asked;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tonearm_core::core_loop::command::{Command, Extent, RequestId};
use tonearm_core::setup::{SetupCommand, SetupView, Wish};
use tonearm_core::store::Reason;

/// Names that are offered for what is typed.
const OFFERED: usize = 60;
/// Entries of a folder that are looked at for that.
const LOOKED_AT: usize = 20_000;

/// Errands under way, one of each kind at most.
#[derive(Debug)]
pub(super) struct Errands {
    waker: Waker,
    dialog: Coming<Answer>,
    /// What the dialog is about.
    choice: Choice,
    demo: Coming<Result<PathBuf, String>>,
    /// The demo music is wanted on decks, not on its own page.
    demo_for_decks: bool,
    listing: Coming<Listing>,
    pub(super) backup: Coming<Result<PathBuf, String>>,
    /// The address of a folder to show, or a path where there is none.
    pub(super) folder: Coming<Result<String, PathBuf>>,
    /// The Python that was asked for and has not been taken.
    python: Option<PathBuf>,
    next_request: u64,
}

impl Errands {
    pub(super) fn new(waker: &Waker) -> Self {
        Self {
            waker: waker.clone(),
            dialog: Coming::Over,
            choice: Choice::Files,
            demo: Coming::Over,
            demo_for_decks: false,
            listing: Coming::Over,
            backup: Coming::Over,
            folder: Coming::Over,
            python: None,
            // Views use small numbers.
            next_request: 1 << 32,
        }
    }

    pub(super) fn request(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    pub(super) fn ask(&mut self, choice: Choice) {
        if !self.dialog.is_awaited() {
            self.choice = choice;
            self.dialog = make("dialog", &self.waker, move || dialogs::ask(choice));
        }
    }

    pub(super) fn write_demo_for_decks(&mut self, library: &Path) {
        self.write_demo(library);
        self.demo_for_decks = true;
    }

    pub(super) fn write_demo(&mut self, library: &Path) {
        self.demo_for_decks = false;
        if !self.demo.is_awaited() {
            let folder = demo_folder(library);
            self.demo = make("demo music", &self.waker, move || {
                demo::write_music(&folder)
                    .map(|_paths| folder)
                    .map_err(|error| error.to_string())
            });
        }
    }

    fn list(&mut self, text: &str, choice: Choice) {
        if !self.listing.is_awaited() {
            let text = text.to_owned();
            self.listing = make("look at folder", &self.waker, move || list(text, choice));
        }
    }
}

impl App {
    /// Takes in what the errands have brought.
    pub(super) fn take_errands(&mut self, now: f64) {
        match self.errands.dialog.take() {
            Some(Answer::Chosen(paths)) => self.chosen(paths, self.errands.choice),
            Some(Answer::NoDialog) => {
                self.panels.path_entry.instead_of_dialog = true;
                self.show_path_entry(self.errands.choice);
            }
            Some(Answer::Cancelled) | None => {}
        }
        match self.errands.demo.take() {
            Some(Ok(folder)) if self.errands.demo_for_decks => {
                let request = self.errands.request();
                self.send_import(request, vec![folder]);
            }
            Some(Ok(folder)) => self.import_wishing(vec![folder], Hope::First),
            Some(Err(error)) => {
                let text = format!("The demo music could not be written: {error}");
                self.toasts.say(Notice::trouble(text), now);
            }
            None => {}
        }
        let backed_up = self.errands.backup.take();
        // Also when the thread could not begin or came to nothing.
        self.panels.settings.backing_up = self.errands.backup.is_awaited();
        if let Some(backed_up) = backed_up {
            self.toasts.say(
                match backed_up {
                    Ok(path) => {
                        Notice::good(format!("The library was copied to {}", path.display()))
                    }
                    Err(error) => Notice::trouble(format!("The library was not copied: {error}")),
                },
                now,
            );
        }
        if let Some(listing) = self.errands.listing.take() {
            self.panels.path_entry.listing = listing;
        }
    }

    /// Looks at what the sheets ask for.
    pub(super) fn send_errands(&mut self) {
        if self.panels.sheet == Some(Sheet::PathEntry) {
            let panel = &mut self.panels.path_entry;
            if let Some(path) = panel.chosen.take() {
                self.panels.sheet = None;
                self.chosen(vec![expanded(&path)], self.panels.path_entry.choice);
            } else if panel.listing.text != panel.text {
                self.errands.list(&panel.text, panel.choice);
            }
        }
        match std::mem::take(&mut self.panels.setup.asked) {
            Some(Asked::Folder) => self.errands.ask(Choice::Models),
            Some(Asked::Python) => self.errands.ask(Choice::Python),
            Some(Asked::AnyPython) => self.use_python(None),
            None => {}
        }
        if std::mem::take(&mut self.panels.settings.back_up)
            && let Library::Open(core) = &self.library
        {
            let core = Arc::clone(core);
            self.errands.backup = make("backup", &self.waker, move || {
                core.store()
                    .backup(Reason::ByHand)
                    .map_err(|error| error.to_string())
            });
        }
    }

    /// What was chosen is brought in, or is for the models.
    fn chosen(&mut self, paths: Vec<PathBuf>, choice: Choice) {
        match choice {
            Choice::Files | Choice::Folder => self.import(paths),
            Choice::Models => {
                let Library::Open(core) = &self.library else {
                    return;
                };
                let wish = Wish {
                    from: paths.into_iter().next(),
                    ..self.panels.setup.wish(&core.setup())
                };
                self.panels.sheet = Some(Sheet::Setup);
                self.command(Command::Setup(SetupCommand::Start(wish)));
            }
            Choice::Python => {
                self.panels.sheet = Some(Sheet::Setup);
                self.use_python(paths.into_iter().next());
            }
        }
    }

    /// From now on and in the next run, if it is one.
    fn use_python(&mut self, python: Option<PathBuf>) {
        if python.is_none() {
            self.settings.python = None;
        }
        self.errands.python.clone_from(&python);
        self.command(Command::Setup(SetupCommand::UsePython(python)));
    }

    /// Keeps the Python that was asked for, once it has been tried.
    pub(super) fn keep_python(&mut self, view: &SetupView) {
        if self.errands.python.is_some() && self.errands.python == view.python {
            self.settings.python = self.errands.python.take();
        }
    }

    pub(super) fn show_path_entry(&mut self, choice: Choice) {
        if self.panels.path_entry.choice != choice {
            // Other files are offered.
            self.panels.path_entry.listing = Listing::default();
        }
        self.panels.path_entry.choice = choice;
        self.panels.path_entry.focused = false;
        if self.panels.path_entry.text.is_empty() {
            self.panels.path_entry.text = home();
        }
        self.panels.sheet = Some(Sheet::PathEntry);
    }

    /// Brings paths in. One file alone is opened as soon as it is known.
    pub(super) fn import(&mut self, paths: Vec<PathBuf>) {
        if matches!(self.library, Library::Coming(_)) {
            // Brought in when the library is there.
            self.opening.paths.extend(paths);
            return;
        }
        if let [path] = paths.as_slice() {
            let wish = Hope::File(tonearm_core::import::named::plain(path));
            self.import_wishing(paths, wish);
        } else {
            let request = self.errands.request();
            self.send_import(request, paths);
        }
    }

    fn import_wishing(&mut self, paths: Vec<PathBuf>, wish: Hope) {
        let request = self.errands.request();
        self.hearing.wish(request, wish);
        self.send_import(request, paths);
    }

    fn send_import(&mut self, request: RequestId, paths: Vec<PathBuf>) {
        if paths.is_empty() {
            return;
        }
        let analyze = self
            .settings
            .analyze_on_import
            .then_some(Extent::Everything);
        let command = Command::Import {
            request,
            paths,
            analyze,
            engine: None,
        };
        self.command(command);
    }
}

/// Where the demo music of a library is.
pub(super) fn demo_folder(library: &Path) -> PathBuf {
    library.with_file_name("demo music")
}

/// The user's home with a separator, or nothing.
fn home() -> String {
    directories::UserDirs::new().map_or(String::new(), |dirs| {
        let folder = dirs.audio_dir().unwrap_or(dirs.home_dir());
        format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR)
    })
}

/// `~` is the user's home.
fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), directories::UserDirs::new()) {
        (Ok(rest), Some(dirs)) => dirs.home_dir().join(rest),
        _ => path.to_path_buf(),
    }
}

/// What is at the path that `text` names, and what it could go on to.
fn list(text: String, choice: Choice) -> Listing {
    let path = expanded(Path::new(text.trim()));
    let what = match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() => What::Folder,
        Ok(_) => What::File,
        Err(_) => What::Nothing,
    };
    let inside = text.ends_with(std::path::MAIN_SEPARATOR);
    let (folder, beginning) = if inside {
        (path.clone(), String::new())
    } else {
        let beginning = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        (folder, beginning.to_lowercase())
    };
    let mut entries: Vec<String> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .take(LOOKED_AT)
        .filter_map(Result::ok)
        .filter_map(|entry| offer(&entry, &beginning, choice))
        .collect();
    entries.sort_by_cached_key(|entry| entry.to_lowercase());
    entries.truncate(OFFERED);
    Listing {
        text,
        what,
        entries,
    }
}

/// Folders, and files that may be what is looked for, whose names begin as typed. Hidden ones only when asked for.
fn offer(entry: &std::fs::DirEntry, beginning: &str, choice: Choice) -> Option<String> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let hidden = name.starts_with('.') && !beginning.starts_with('.');
    if hidden || !name.to_lowercase().starts_with(beginning) {
        return None;
    }
    let path = entry.path();
    let folder = path.is_dir();
    let fits = match choice {
        Choice::Files | Choice::Folder => tonearm_core::import::scan::is_sound(&path),
        Choice::Models => false,
        Choice::Python => name.starts_with("python"),
    };
    let mut text = path.display().to_string();
    if folder {
        text.push(std::path::MAIN_SEPARATOR);
    }
    (folder || fits).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_completed_with_folders_and_music() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["House", "hard techno", ".hidden", "Jazz"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        std::fs::write(dir.path().join("horn.mp3"), "").unwrap();
        std::fs::write(dir.path().join("home.txt"), "").unwrap();
        let listing = list(dir.path().join("h").display().to_string(), Choice::Files);
        assert_eq!(listing.what, What::Nothing);
        let names: Vec<&str> = listing
            .entries
            .iter()
            .map(|entry| entry.strip_prefix(&*dir.path().to_string_lossy()).unwrap())
            .collect();
        assert_eq!(names, ["/hard techno/", "/horn.mp3", "/House/"]);
        std::fs::write(dir.path().join("python3.12"), "").unwrap();
        let inside = format!("{}/p", dir.path().display());
        let offered = list(inside, Choice::Python).entries;
        assert_eq!(offered, [dir.path().join("python3.12").to_string_lossy()]);
    }

    #[test]
    fn nonsense_is_nothing() {
        for text in ["", "\0", "/no/such/folder/x"] {
            let listing = list(text.to_owned(), Choice::Files);
            assert_eq!(listing.what, What::Nothing, "{text:?}");
        }
    }
}
