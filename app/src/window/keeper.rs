//! Keeps settings and panels on the disk, a moment after they changed, without holding up a frame.

use crate::panels::Panels;
use crate::settings::Settings;
use crate::settings::file::{self, Places};
use std::path::PathBuf;
use std::thread::JoinHandle;

/// Seconds between two looks at what changed.
const EVERY: f64 = 2.0;
/// Seconds until what could not be written is tried again.
const RETRY: f64 = 60.0;

#[derive(Debug, Default)]
pub(super) struct Keeper {
    places: Option<Places>,
    /// As they stand on the disk, or will when the writer is done.
    settings: String,
    panels: String,
    looked: f64,
    /// Tells whether all of it was written.
    writer: Option<JoinHandle<bool>>,
}

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) settings: Settings,
    pub(super) panels: Panels,
    pub(super) troubles: Vec<String>,
}

impl Keeper {
    pub(super) fn open(places: Option<Places>) -> (Self, Kept) {
        let mut kept = Kept::default();
        if let Some(places) = &places {
            let settings = file::read::<Settings>(&places.settings);
            let panels = file::read::<Panels>(&places.panels);
            kept.settings = settings.value.within_bounds();
            kept.panels = panels.value;
            kept.troubles.extend(settings.trouble);
            kept.troubles.extend(panels.trouble);
        }
        let keeper = Self {
            settings: file::text_of(&kept.settings).unwrap_or_default(),
            panels: file::text_of(&kept.panels).unwrap_or_default(),
            places,
            looked: 0.0,
            writer: None,
        };
        (keeper, kept)
    }

    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.places.as_ref().map(|places| places.settings.clone())
    }

    /// Writes what changed, on a thread, at most every [`EVERY`] seconds. Tells in how many seconds to come again
    /// when it did not look: another frame may never be drawn for any other reason.
    pub(super) fn keep(&mut self, settings: &Settings, panels: &Panels, now: f64) -> Option<f64> {
        let busy = self
            .writer
            .as_ref()
            .is_some_and(|writer| !writer.is_finished());
        if !busy {
            self.hear_writer();
        }
        let rest = self.looked + EVERY - now;
        if busy || rest > 0.0 {
            return Some(rest.max(0.1));
        }
        self.looked = now;
        let changes = self.changes(settings, panels);
        if changes.is_empty() {
            return None;
        }
        let writer = std::thread::Builder::new()
            .name("settings".to_owned())
            .spawn(move || write(changes));
        match writer {
            Ok(writer) => self.writer = Some(writer),
            Err(error) => tracing::warn!(%error, "settings were not kept"),
        }
        None
    }

    /// Writes what changed before it returns.
    pub(super) fn keep_now(&mut self, settings: &Settings, panels: &Panels) {
        self.hear_writer();
        write(self.changes(settings, panels));
    }

    /// What was not written counts as changed: it is tried again with the next change, and at the end.
    fn hear_writer(&mut self) {
        let Some(writer) = self.writer.take() else {
            return;
        };
        if !writer.join().unwrap_or_default() {
            self.settings.clear();
            self.panels.clear();
            // Not over and over while nothing else is to be drawn.
            self.looked += RETRY - EVERY;
        }
    }

    fn changes(&mut self, settings: &Settings, panels: &Panels) -> Vec<(PathBuf, String)> {
        let Some(places) = &self.places else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        for (kept, text, path) in [
            (
                &mut self.settings,
                file::text_of(settings),
                &places.settings,
            ),
            (&mut self.panels, file::text_of(panels), &places.panels),
        ] {
            if let Some(text) = text
                && *kept != text
            {
                kept.clone_from(&text);
                changes.push((path.clone(), text));
            }
        }
        changes
    }
}

/// Whether all of them were.
fn write(changes: Vec<(PathBuf, String)>) -> bool {
    let mut all = true;
    for (path, text) in changes {
        if let Err(error) = file::write(&path, &text) {
            tracing::warn!(%error, file = %path.display(), "not kept");
            all = false;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::Page;

    #[test]
    fn what_changed_is_there_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let places = || Some(Places::below(dir.path()));
        let (mut keeper, mut kept) = Keeper::open(places());
        keeper.keep_now(&kept.settings, &kept.panels);
        assert_eq!(dir.path().read_dir().unwrap().count(), 0, "nothing changed");
        kept.settings.scale = 2.0;
        kept.panels.page = Page::Track;
        keeper.keep_now(&kept.settings, &kept.panels);
        let (_, kept) = Keeper::open(places());
        assert_eq!(kept.settings.scale, 2.0);
        assert_eq!(kept.panels.page, Page::Track);
        assert!(kept.troubles.is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_written_when_it_can_be() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::below(dir.path());
        let (mut keeper, mut kept) = Keeper::open(Some(places.clone()));
        // In the way of the file.
        std::fs::create_dir_all(places.settings.join("full")).unwrap();
        kept.settings.scale = 2.0;
        assert_eq!(keeper.keep(&kept.settings, &kept.panels, 10.0), None);
        while keeper
            .writer
            .as_ref()
            .is_some_and(|writer| !writer.is_finished())
        {
            std::thread::yield_now();
        }
        let wait = keeper.keep(&kept.settings, &kept.panels, 13.0);
        assert_eq!(wait, Some(57.0));
        std::fs::remove_dir_all(&places.settings).unwrap();
        keeper.keep_now(&kept.settings, &kept.panels);
        let (_, kept) = Keeper::open(Some(places));
        assert_eq!(kept.settings.scale, 2.0);
    }

    #[test]
    fn without_a_home_nothing_is_kept_and_nothing_breaks() {
        let (mut keeper, kept) = Keeper::open(None);
        let settings = Settings {
            scale: 2.0,
            ..kept.settings
        };
        keeper.keep_now(&settings, &kept.panels);
    }

    #[test]
    fn a_change_soon_after_a_look_is_come_back_for_once() {
        let dir = tempfile::tempdir().unwrap();
        let (mut keeper, mut kept) = Keeper::open(Some(Places::below(dir.path())));
        assert_eq!(keeper.keep(&kept.settings, &kept.panels, 10.0), None);
        kept.settings.scale = 2.0;
        let wait = keeper.keep(&kept.settings, &kept.panels, 10.5);
        assert_eq!(wait, Some(1.5));
        assert_eq!(keeper.keep(&kept.settings, &kept.panels, 12.0), None);
        keeper.keep_now(&kept.settings, &kept.panels);
        let (_, kept) = Keeper::open(Some(Places::below(dir.path())));
        assert_eq!(kept.settings.scale, 2.0);
    }
}
