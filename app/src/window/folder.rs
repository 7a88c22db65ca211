//! Shows the folder of a track with the system's file manager, without ever starting anything that lies in it.

use super::app::{App, Published};
use super::start::make;
use crate::notices::Notice;
use eframe::egui::{Context, OpenUrl};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

impl App {
    /// Looks for the folder beside the frames: its drive may sleep or be gone.
    pub(super) fn show_in_folder(&mut self, published: &Published) {
        let folder = self
            .meant()
            .last()
            .and_then(|track| published.view.rows.get(*track))
            .and_then(|row| row.track.path.as_path().parent().map(PathBuf::from));
        if let Some(folder) = folder
            && !self.errands.folder.is_awaited()
        {
            self.errands.folder = make("show in folder", &self.waker, move || found(&folder));
        }
    }

    pub(super) fn take_folder(&mut self, ctx: &Context) {
        match self.errands.folder.take() {
            Some(Ok(url)) => ctx.open_url(OpenUrl::new_tab(url)),
            Some(Err(folder)) => {
                let text = format!("{} is not there now", folder.display());
                let now = ctx.input(|input| input.time);
                self.toasts.say(Notice::warning(text), now);
            }
            None => {}
        }
    }
}

/// The address of a folder, or the path that is none.
fn found(folder: &Path) -> Result<String, PathBuf> {
    let is_folder = folder.is_absolute() && folder.is_dir() && !is_program(folder);
    is_folder
        .then(|| address(folder))
        .ok_or_else(|| folder.to_path_buf())
}

/// Folders that some systems start when they are opened.
fn is_program(folder: &Path) -> bool {
    let ending = folder.extension().unwrap_or_default();
    cfg!(target_os = "macos") && !ending.is_empty()
}

/// A file address (RFC 8089): everything but letters, digits and `/-._~:` is written as `%XX`.
/// The slash at the end says that it is a folder.
fn address(folder: &Path) -> String {
    let bytes = folder.as_os_str().as_encoded_bytes();
    let mut url = String::from("file://");
    let drive = cfg!(windows) && !bytes.starts_with(b"\\");
    if drive {
        url.push('/');
    }
    let bytes = match bytes.strip_prefix(b"\\\\") {
        Some(share) if cfg!(windows) => share,
        _ => bytes,
    };
    for &byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => url.push('/'),
            b':' if cfg!(windows) => url.push(':'),
            b'/' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            plain if plain.is_ascii_alphanumeric() => url.push(char::from(plain)),
            other => {
                let _infallible = write!(url, "%{other:02X}");
            }
        }
    }
    if !url.ends_with('/') {
        url.push('/');
    }
    url
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn signs_with_a_meaning_in_addresses_stay_part_of_the_name() {
        let path = Path::new("/music/100% House #1?/Ünïcode & co");
        assert_eq!(
            address(path),
            "file:///music/100%25%20House%20%231%3F/%C3%9Cn%C3%AFcode%20%26%20co/"
        );
        assert_eq!(address(Path::new("/")), "file:///");
    }

    #[test]
    fn only_a_folder_that_is_there_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        assert!(found(dir.path()).is_ok());
        let file = dir.path().join("run.sh");
        std::fs::write(&file, "").unwrap();
        assert_eq!(found(&file), Err(file.clone()));
        let gone = dir.path().join("gone");
        assert_eq!(found(&gone), Err(gone.clone()));
        let relative = PathBuf::from("src");
        assert_eq!(found(&relative), Err(relative.clone()));
    }
}
