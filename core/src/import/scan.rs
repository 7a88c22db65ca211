//! Finds the files in what the user named: files, folders, playlists.

use super::playlist::{self, Entry};
use super::presence;
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use crate::track::FileStamp;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Extensions that we have a decoder for.
pub const AUDIO: [&str; 21] = [
    "aac", "aif", "aifc", "aiff", "flac", "m4a", "m4b", "m4p", "m4r", "mp1", "mp2", "mp3", "mp4",
    "mpga", "oga", "ogg", "opus", "wav", "wave", "bwf", "alac",
];

/// Sound that we cannot decode: worth a word to the user.
const OTHER_AUDIO: [&str; 16] = [
    "wma", "ape", "wv", "mpc", "dsf", "dff", "tak", "tta", "mka", "ac3", "dts", "caf", "ra", "amr",
    "spx", "au",
];

/// Folders that systems and programs keep for themselves.
const SYSTEM_FOLDERS: [&str; 7] = [
    "$recycle.bin",
    "system volume information",
    "__macosx",
    "@eadir",
    "lost+found",
    "#recycle",
    "recycler",
];

/// One file that may be a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute, as reached from the root: links in it are kept.
    pub path: PathBuf,
    /// What the user named, made absolute. For an entry of a playlist, its own path.
    pub root: PathBuf,
    pub stamp: FileStamp,
}

/// What a walk meets. Files come in the order of their names, folder by folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    File(Found),
    /// Named but not there, or there but not to be read, or sound in a format that we cannot decode.
    Unreadable {
        path: PathBuf,
        failure: Failure,
    },
    /// A playlist was read: its entries come as files too. Paths in its order, streams left out.
    Playlist {
        path: PathBuf,
        files: Vec<PathBuf>,
    },
}

/// What a walk passed over, and what it found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub files: usize,
    pub folders: usize,
    pub unreadable: usize,
    /// Hidden files and folders, and those of the system.
    pub hidden: usize,
    /// Files that are no sound.
    pub other: usize,
    /// Files and folders met before under another name.
    pub repeated: usize,
    /// Addresses of streams in playlists.
    pub streams: usize,
}

/// Walks all of `roots` and hands what it meets to `sink`.
pub fn walk(
    roots: &[PathBuf],
    control: &Control,
    sink: &mut dyn FnMut(Scanned),
) -> Result<Counts, Cancelled> {
    let mut walk = Walk {
        control,
        sink,
        counts: Counts::default(),
        met: HashSet::new(),
    };
    for root in roots {
        walk.root(root)?;
    }
    Ok(walk.counts)
}

struct Walk<'a> {
    control: &'a Control,
    sink: &'a mut dyn FnMut(Scanned),
    counts: Counts,
    /// Files and folders by their one real path.
    met: HashSet<PathBuf>,
}

/// A folder still to be read: by its path as reached, and its real one.
struct Folder {
    path: PathBuf,
    real: PathBuf,
}

impl Walk<'_> {
    /// Something that the user named: taken whatever it is called.
    fn root(&mut self, named: &Path) -> Result<(), Cancelled> {
        let path = std::path::absolute(named).unwrap_or_else(|_| named.to_path_buf());
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.failed(path, Failure::of_named(&error));
                return Ok(());
            }
        };
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if metadata.is_dir() {
            self.tree(&path, real)
        } else if has_extension(&path, &["m3u", "m3u8"]) {
            self.playlist(&path, &metadata)
        } else if metadata.is_file() {
            self.file(path.clone(), path, real, &metadata);
            Ok(())
        } else {
            self.failed(path, unsupported("this is neither a file nor a folder"));
            Ok(())
        }
    }

    /// A folder and all below it. No recursion: depth costs no stack.
    fn tree(&mut self, root: &Path, real: PathBuf) -> Result<(), Cancelled> {
        let mut folders = vec![Folder {
            path: root.to_path_buf(),
            real,
        }];
        while let Some(folder) = folders.pop() {
            self.control.check()?;
            if !self.met.insert(folder.real.clone()) {
                self.counts.repeated += 1;
                continue;
            }
            self.counts.folders += 1;
            let entries = match sorted_entries(&folder.path) {
                Ok(entries) => entries,
                Err(error) => {
                    self.failed(folder.path, presence::failure_of(&error));
                    continue;
                }
            };
            let mut below = Vec::new();
            for entry in entries {
                self.control.check()?;
                below.extend(self.entry(root, &folder, &entry));
            }
            // The last pushed is read first.
            folders.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// One name in a folder. A folder comes back, to be read later.
    fn entry(&mut self, root: &Path, folder: &Folder, entry: &DirEntry) -> Option<Folder> {
        let name = entry.file_name();
        let path = folder.path.join(&name);
        if is_hidden(&name, entry) {
            self.counts.hidden += 1;
            return None;
        }
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder && !is_link && !is_audio(&path) {
            self.other(path);
            return None;
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                // A link to nowhere, or a file deleted since.
                self.failed(path, presence::failure_of(&error));
                return None;
            }
        };
        let real = if is_link {
            fs::canonicalize(&path).unwrap_or_else(|_| path.clone())
        } else {
            folder.real.join(&name)
        };
        if metadata.is_dir() {
            return Some(Folder { path, real });
        }
        if metadata.is_file() && is_audio(&path) {
            self.file(path, root.to_path_buf(), real, &metadata);
        } else {
            self.other(path);
        }
        None
    }

    fn playlist(&mut self, path: &Path, metadata: &Metadata) -> Result<(), Cancelled> {
        if metadata.len() > playlist::MOST_BYTES {
            self.failed(path.to_path_buf(), unsupported("the playlist is too long"));
            return Ok(());
        }
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.failed(path.to_path_buf(), presence::failure_of(&error));
                return Ok(());
            }
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut files = Vec::new();
        for entry in playlist::parse(&bytes, folder) {
            self.control.check()?;
            match entry {
                Entry::Stream(_) => self.counts.streams += 1,
                Entry::File(candidates) => files.extend(self.member(candidates)),
            }
        }
        (self.sink)(Scanned::Playlist {
            path: path.to_path_buf(),
            files,
        });
        Ok(())
    }

    /// A file that a playlist names: the first of its candidates that is there.
    fn member(&mut self, candidates: Vec<PathBuf>) -> Option<PathBuf> {
        let found = candidates
            .iter()
            .find_map(|path| Some((path, fs::metadata(path).ok()?)));
        let Some((path, metadata)) = found else {
            let path = candidates.into_iter().next()?;
            let error = io::Error::from(io::ErrorKind::NotFound);
            self.failed(path.clone(), presence::failure_of(&error));
            return Some(path);
        };
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        // `..` in entries would make two paths of one file.
        let path = if path
            .components()
            .any(|part| part == std::path::Component::ParentDir)
        {
            real.clone()
        } else {
            path.clone()
        };
        if metadata.is_file() {
            self.file(path.clone(), path.clone(), real, &metadata);
        } else {
            self.failed(
                path.clone(),
                unsupported("the playlist names what is not a file"),
            );
        }
        Some(path)
    }

    fn file(&mut self, path: PathBuf, root: PathBuf, real: PathBuf, metadata: &Metadata) {
        if !self.met.insert(real) {
            self.counts.repeated += 1;
            return;
        }
        self.counts.files += 1;
        (self.sink)(Scanned::File(Found {
            path,
            root,
            stamp: presence::stamp(metadata),
        }));
    }

    fn other(&mut self, path: PathBuf) {
        if has_extension(&path, &OTHER_AUDIO) {
            self.failed(path, unsupported("no decoder for this kind of sound"));
        } else {
            self.counts.other += 1;
        }
    }

    fn failed(&mut self, path: PathBuf, failure: Failure) {
        self.counts.unreadable += 1;
        (self.sink)(Scanned::Unreadable { path, failure });
    }
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    // An entry that fails by itself (a drive going away) fails the folder: it is told, not lost.
    let mut entries: Vec<DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_cached_key(DirEntry::file_name);
    Ok(entries)
}

/// Whether the name is one of a file that we have a decoder for.
pub fn is_audio(path: &Path) -> bool {
    has_extension(path, &AUDIO)
}

/// Whether the name is one of sound, whether or not we can decode it.
pub fn is_sound(path: &Path) -> bool {
    is_audio(path) || has_extension(path, &OTHER_AUDIO)
}

/// Whether the file's name ends in one of `extensions`, which are lower case.
fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|found| {
            extensions
                .iter()
                .any(|known| found.eq_ignore_ascii_case(known))
        })
}

fn is_hidden(name: &OsStr, entry: &DirEntry) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b".")
        || SYSTEM_FOLDERS
            .iter()
            .any(|system| bytes.eq_ignore_ascii_case(system.as_bytes()))
        || has_hidden_attribute(entry)
}

#[cfg(windows)]
fn has_hidden_attribute(entry: &DirEntry) -> bool {
    use std::os::windows::fs::MetadataExt as _;
    const HIDDEN_OR_SYSTEM: u32 = 0x2 | 0x4;
    entry
        .metadata()
        .is_ok_and(|metadata| metadata.file_attributes() & HIDDEN_OR_SYSTEM != 0)
}

#[cfg(not(windows))]
fn has_hidden_attribute(_: &DirEntry) -> bool {
    false
}

fn unsupported(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Unsupported,
        message: message.to_owned(),
        remedy: "Convert it to FLAC, WAV or MP3 and import that".to_owned(),
        attempts: 1,
        retry_at: None,
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
