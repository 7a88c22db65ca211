//! The files of this repository as the rules see them.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are made, not written; never looked into.
const SKIPPED: [&str; 5] = [".git", "target", ".cache", "__pycache__", "shared"];

#[derive(Debug)]
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) size: u64,
    /// `None` for a file that is not UTF-8 text.
    pub(crate) text: Option<String>,
}

impl File {
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            size: text.len() as u64,
            text: Some(text.to_owned()),
        }
    }

    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| found == extension)
    }

    /// Lines with their numbers from 1; none for a binary file.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let text = self.text.as_deref().unwrap_or_default();
        text.lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) files: Vec<File>,
}

impl Repository {
    pub(crate) fn root() -> PathBuf {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        package.parent().unwrap().to_owned()
    }

    pub(crate) fn here() -> Self {
        let root = Self::root();
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name();
                let kind = entry.file_type().unwrap();
                if SKIPPED.iter().any(|skipped| name == *skipped) {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files.push(read(&root, &entry.path()));
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    pub(crate) fn code(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.has_extension("rs"))
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.has_extension("md"))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|file| file.path == path)?
            .text
            .as_deref()
    }
}

fn read(root: &Path, path: &Path) -> File {
    let bytes = fs::read(path).unwrap();
    let parts = path.strip_prefix(root).unwrap().iter();
    let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
    File {
        path: parts.join("/"),
        size: bytes.len() as u64,
        text: String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0')),
    }
}
