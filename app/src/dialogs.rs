//! The system's dialogs for files and folders, on a thread of their own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    #[default]
    Files,
    Folder,
    /// One that holds models or packages.
    Models,
    /// A Python 3.12.
    Python,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Chosen(Vec<PathBuf>),
    Cancelled,
    /// There is nobody who could have shown a dialog.
    NoDialog,
}

/// Nobody cancels faster: a dialog that is gone by then was never there.
const FASTEST_HAND: Duration = Duration::from_millis(350);

/// Files that a dialog offers first.
const MUSIC: &[&str] = &[
    "mp3", "m4a", "mp4", "aac", "flac", "wav", "aif", "aiff", "ogg", "oga", "opus", "m3u", "m3u8",
    "db",
];

/// Blocks until the user has chosen: never on the window's thread.
pub(crate) fn ask(choice: Choice) -> Answer {
    let asked = Instant::now();
    let chosen = match choice {
        Choice::Files => rfd::FileDialog::new()
            .set_title("Add music")
            .add_filter("Music and playlists", MUSIC)
            .add_filter("All files", &["*"])
            .pick_files(),
        Choice::Folder => rfd::FileDialog::new()
            .set_title("Add folders of music")
            .pick_folders(),
        Choice::Models => rfd::FileDialog::new()
            .set_title("A folder with models or packages")
            .pick_folder()
            .map(|folder| vec![folder]),
        Choice::Python => rfd::FileDialog::new()
            .set_title("The program of a Python 3.12")
            .pick_file()
            .map(|program| vec![program]),
    };
    answer(chosen, asked.elapsed())
}

fn answer(chosen: Option<Vec<PathBuf>>, after: Duration) -> Answer {
    match chosen {
        Some(paths) if !paths.is_empty() => Answer::Chosen(paths),
        _ if after < FASTEST_HAND => Answer::NoDialog,
        _ => Answer::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_that_nobody_showed_is_not_taken_for_a_cancelled_one() {
        let quick = Duration::from_millis(6);
        let slow = Duration::from_secs(3);
        assert_eq!(answer(None, quick), Answer::NoDialog);
        assert_eq!(answer(None, slow), Answer::Cancelled);
        let paths = vec![PathBuf::from("/music")];
        assert_eq!(answer(Some(paths.clone()), quick), Answer::Chosen(paths));
    }
}
