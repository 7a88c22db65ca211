//! Small JSON files of the program itself: read leniently, written whole, a broken one kept aside.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// More than this is no file of ours.
const LIMIT: u64 = 4 << 20;

/// Where settings and the state of the window are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub settings: PathBuf,
    pub panels: PathBuf,
}

impl Places {
    /// The platform's folder for configuration; `None` where there is no home.
    pub fn of_user() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("org", "Tonearm", "tonearm")?;
        Some(Self::below(dirs.config_dir()))
    }

    pub fn below(folder: &Path) -> Self {
        Self {
            settings: folder.join("settings.json"),
            panels: folder.join("window.json"),
        }
    }
}

/// What a file held.
#[derive(Debug, PartialEq)]
pub struct Read<T> {
    pub value: T,
    /// Why the defaults stand in for it, in one sentence.
    pub trouble: Option<String>,
}

/// What a file holds, for a glance: nothing is moved, and the defaults stand in for what cannot be read.
pub fn glance<T: DeserializeOwned + Default>(path: &Path) -> T {
    let text = read_text(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// A file that is not there is no trouble; fields that are unknown or absent are neither.
pub fn read<T: DeserializeOwned + Default>(path: &Path) -> Read<T> {
    let broken = |reason: String| {
        let aside = path.with_extension("broken.json");
        let kept = std::fs::rename(path, &aside).is_ok();
        tracing::warn!(file = %path.display(), reason, kept, "settings could not be read");
        let place = if kept {
            format!("; the old ones are in {}", aside.display())
        } else {
            String::new()
        };
        Read {
            value: T::default(),
            trouble: Some(format!(
                "The settings could not be read and start anew{place}"
            )),
        }
    };
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Read {
                value: T::default(),
                trouble: None,
            };
        }
        Err(error) => return broken(error.to_string()),
    };
    match serde_json::from_str(&text) {
        Ok(value) => Read {
            value,
            trouble: None,
        },
        Err(error) => broken(error.to_string()),
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?
        .take(LIMIT)
        .read_to_string(&mut text)?;
    if read as u64 == LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

/// As it will stand in the file.
pub fn text_of<T: Serialize>(value: &T) -> Option<String> {
    let mut text = serde_json::to_string_pretty(value).ok()?;
    text.push('\n');
    Some(text)
}

/// Either the whole new file is there afterwards, or the whole old one.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{KeyNotation, Settings};

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/settings.json");
        let settings = Settings {
            key_notation: KeyNotation::Musical,
            scale: 1.5,
            jobs: Some(3),
            ..Settings::default()
        };
        write(&path, &text_of(&settings).unwrap()).unwrap();
        let read = read::<Settings>(&path);
        assert_eq!(read.value, settings);
        assert_eq!(read.trouble, None);
    }

    #[test]
    fn a_glance_reads_what_is_whole_and_leaves_the_rest_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.json");
        assert_eq!(glance::<Settings>(&path), Settings::default());
        let settings = Settings {
            python: Some("/opt/python3.12".into()),
            ..Settings::default()
        };
        write(&path, &text_of(&settings).unwrap()).unwrap();
        assert_eq!(glance::<Settings>(&path), settings);
        std::fs::write(&path, "{ broken").unwrap();
        assert_eq!(glance::<Settings>(&path), Settings::default());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ broken");
    }

    #[test]
    fn no_file_means_defaults_without_a_word() {
        let dir = tempfile::tempdir().unwrap();
        let read = read::<Settings>(&dir.path().join("settings.json"));
        assert_eq!(read.value, Settings::default());
        assert_eq!(read.trouble, None);
    }

    #[test]
    fn a_broken_file_is_kept_aside_and_told_of() {
        for bytes in [&b"{\"scale\": 2.0"[..], b"\xff\xfe", b"[1, 2]", b""] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("settings.json");
            std::fs::write(&path, bytes).unwrap();
            let read = read::<Settings>(&path);
            assert_eq!(read.value, Settings::default(), "{bytes:?}");
            assert!(read.trouble.is_some(), "{bytes:?}");
            let aside = dir.path().join("settings.broken.json");
            assert_eq!(std::fs::read(aside).unwrap(), bytes);
            assert!(!path.exists());
        }
    }

    #[test]
    fn fields_of_other_versions_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.json");
        std::fs::write(&path, r#"{"from_the_future": [1], "volume": 0.5}"#).unwrap();
        let read = read::<Settings>(&path);
        assert_eq!(read.value.volume, 0.5);
        assert_eq!(read.trouble, None);
    }
}
