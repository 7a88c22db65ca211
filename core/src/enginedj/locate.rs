//! Where the file of a track is today.
//!
//! Drives and systems disagree on how names are spelled: composed or decomposed accents, capitals or not. Where the
//! path as stored leads nowhere, it is followed name by name under all spellings.

use super::track::EngineTrack;
use crate::failure::{Failure, FailureKind};
use crate::import::presence::{self, Presence, RootState};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};
use unicode_normalization::UnicodeNormalization as _;

/// Folders whose names are kept, at most, and names in all of them.
const MOST_FOLDERS: usize = 4_096;
const MOST_NAMES: usize = 500_000;

/// What became of a track's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Where it is, or where it should be.
    pub path: PathBuf,
    /// To be looked below when the file moves: what holds the `Engine Library` folder, or the file's own folder.
    pub root: PathBuf,
    pub presence: Presence,
}

/// Looks for files and remembers what it saw of folders. For one import; files that come later are not seen.
#[derive(Debug, Default)]
pub struct Locator {
    holder: Option<PathBuf>,
    folders: HashMap<PathBuf, Folder>,
    names: usize,
    roots: HashMap<PathBuf, RootState>,
}

/// The names in a folder by their folded spelling. `None`: there is no such folder.
type Folder = Option<HashMap<String, Vec<OsString>>>;

impl Locator {
    /// `folder` is the `Engine Library` folder, where it is known.
    pub fn new(folder: Option<&Path>) -> Self {
        Self {
            holder: folder.and_then(|folder| {
                super::place::Base::new(folder)
                    .holder()
                    .map(Path::to_path_buf)
            }),
            ..Self::default()
        }
    }

    /// `None` for a track without a path that this computer could follow.
    pub fn look(&mut self, track: &EngineTrack) -> Option<Located> {
        let candidates = &track.file.as_ref()?.candidates;
        let is_it = |presence: &Presence, is_guess: bool| {
            !is_guess || is_same_size(presence, track.file_bytes)
        };
        let paths = candidates.paths.iter().map(|path| (path, false));
        let guesses = candidates.guesses.iter().map(|path| (path, true));
        for (path, is_guess) in paths.chain(guesses) {
            if let Some((path, presence)) = self.find(path)
                && is_it(&presence, is_guess)
            {
                return Some(Located {
                    root: self.root_of(&path),
                    path,
                    presence,
                });
            }
        }
        let path = candidates.first()?;
        let root = self.root_of(path);
        let presence = if candidates.paths.is_empty() {
            Presence::Missing(Failure::new(
                FailureKind::Missing,
                "the library knows the file by the path of another computer",
                "Run relink on the folder where the file is now",
            ))
        } else {
            let state = self
                .roots
                .entry(root.clone())
                .or_insert_with_key(|root| presence::look_at_root(root));
            presence::look(path, state)
        };
        Some(Located {
            path: path.to_path_buf(),
            root,
            presence,
        })
    }

    fn root_of(&self, path: &Path) -> PathBuf {
        match &self.holder {
            // The root of a whole system holds everything and says nothing.
            Some(holder) if path.starts_with(holder) && holder.parent().is_some() => holder.clone(),
            _ => path.parent().unwrap_or(path).to_path_buf(),
        }
    }

    fn find(&mut self, path: &Path) -> Option<(PathBuf, Presence)> {
        let look = |path: &Path| match presence::look(path, &RootState::There) {
            Presence::Missing(_) => None,
            presence => Some(presence),
        };
        if let Some(presence) = look(path) {
            return Some((path.to_path_buf(), presence));
        }
        let respelled = self.respelled(path)?;
        let presence = look(&respelled)?;
        Some((respelled, presence))
    }

    /// The path with each name as its folder spells it.
    fn respelled(&mut self, path: &Path) -> Option<PathBuf> {
        let mut reached = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => {
                    let spelled = self.spelled(&reached, name)?;
                    reached.push(spelled);
                }
                Component::Prefix(_) | Component::RootDir => reached.push(part),
                Component::CurDir | Component::ParentDir => return None,
            }
        }
        (reached != path).then_some(reached)
    }

    fn spelled(&mut self, folder: &Path, name: &OsStr) -> Option<OsString> {
        if !self.folders.contains_key(folder) {
            if self.folders.len() >= MOST_FOLDERS || self.names >= MOST_NAMES {
                self.folders.clear();
                self.names = 0;
            }
            let names = names_in(folder);
            self.names += names
                .as_ref()
                .map_or(0, |names| names.values().map(Vec::len).sum());
            self.folders.insert(folder.to_path_buf(), names);
        }
        let Some(names) = self.folders.get(folder)? else {
            // A folder that may be entered but not listed, as those above a drive often are.
            let path = folder.join(name);
            return path.is_dir().then(|| name.to_owned());
        };
        let text = name.to_str()?;
        let spellings = names.get(&folded(text))?;
        let composed: String = text.nfc().collect();
        // As stored, else the same but for accents, else the first by name.
        spellings
            .iter()
            .find(|spelling| *spelling == name)
            .or_else(|| {
                spellings.iter().find(|spelling| {
                    spelling
                        .to_str()
                        .is_some_and(|spelling| spelling.nfc().eq(composed.chars()))
                })
            })
            .or_else(|| spellings.first())
            .cloned()
    }
}

/// A guess is only good for the very file: its size is known to the library.
fn is_same_size(presence: &Presence, bytes: Option<u64>) -> bool {
    match (presence, bytes) {
        (Presence::There(stamp), Some(bytes)) => stamp.bytes == bytes,
        (Presence::There(_), None) => true,
        (Presence::Missing(_) | Presence::Unreachable(_), _) => false,
    }
}

fn names_in(folder: &Path) -> Folder {
    let entries = fs::read_dir(folder).ok()?;
    let mut names: HashMap<String, Vec<OsString>> = HashMap::new();
    for entry in entries.take(MOST_NAMES).flatten() {
        let name = entry.file_name();
        if let Some(text) = name.to_str() {
            let same = names.entry(folded(text)).or_default();
            same.push(name);
            same.sort();
        }
    }
    Some(names)
}

fn folded(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).collect()
}
