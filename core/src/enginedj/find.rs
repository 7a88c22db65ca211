//! From whatever the user may name to the databases of Engine DJ.

use super::error::EngineError;
use crate::import::named;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders looked into below what the user named, at most.
const MOST_FOLDERS: usize = 2_000;
/// Names looked at, at most.
const MOST_NAMES: usize = 100_000;
/// Levels below what the user named.
const MOST_DEPTH: usize = 4;
/// Libraries told of, at most.
const MOST_LIBRARIES: usize = 64;

const LIBRARY: &str = "Engine Library";
const DATABASE_FOLDER: &str = "Database2";
const DATABASE: &str = "m.db";

/// A database that may be a library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The folder that the paths of tracks start from. `None` when a file stands by itself, as one that was
    /// fetched from a player: its tracks are known, their files are not.
    pub folder: Option<PathBuf>,
    pub database: PathBuf,
}

impl Found {
    /// A database without the music that it tells of.
    pub fn lone(database: PathBuf) -> Self {
        Self {
            folder: None,
            database,
        }
    }
}

/// All libraries that `path` may mean: the `Engine Library` folder, what holds it, `Database2`, a database
/// file, or a folder or drive with libraries somewhere below. Where an old library (1.x) was upgraded, the new one.
/// Links are not followed on the way down.
pub fn find(path: &Path) -> Result<Vec<Found>, EngineError> {
    let path = named::plain(path);
    let metadata = fs::metadata(&path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            EngineError::NotFound { path: path.clone() }
        } else {
            EngineError::Unreadable {
                error,
                path: path.clone(),
            }
        }
    })?;
    let found = if metadata.is_dir() {
        in_folder(&path).map_or_else(|| below(&path), |found| vec![found])
    } else if metadata.is_file() {
        vec![of_file(&path)]
    } else {
        Vec::new()
    };
    if found.is_empty() {
        return Err(EngineError::NotFound { path });
    }
    Ok(found)
}

/// The databases of what is plugged in and of the user's own music folder.
pub fn usual_places(music: Option<&Path>) -> Vec<Found> {
    let mut found: Vec<Found> = music
        .into_iter()
        .map(Path::to_path_buf)
        .chain(volumes())
        .take(MOST_LIBRARIES)
        .filter_map(|place| in_folder(&place))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Where systems show the drives that are plugged in.
fn volumes() -> Vec<PathBuf> {
    if cfg!(windows) {
        return ('D'..='Z')
            .map(|letter| PathBuf::from(format!("{letter}:\\")))
            .collect();
    }
    let mut volumes = Vec::new();
    for parent in ["/Volumes", "/media", "/run/media", "/mnt"] {
        for volume in folders_in(Path::new(parent), &mut 256) {
            // `/media/ana/DRIVE`, but also `/media/DRIVE`.
            volumes.extend(folders_in(&volume, &mut 64));
            volumes.push(volume);
        }
    }
    volumes
}

/// A file that the user named. One of Engine's other databases stands for the library that it belongs to.
fn of_file(file: &Path) -> Found {
    let Some(holder) = file.parent() else {
        return Found::lone(file.to_path_buf());
    };
    let is_named = |path: &Path, name: &str| {
        path.file_name()
            .and_then(|found| found.to_str())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    if is_named(holder, DATABASE_FOLDER) {
        let sibling = child(holder, DATABASE).filter(|_| is_other_database(file));
        return Found {
            folder: holder.parent().map(Path::to_path_buf),
            database: sibling.unwrap_or_else(|| file.to_path_buf()),
        };
    }
    if is_named(file, DATABASE)
        && let Some(newer) =
            child(holder, DATABASE_FOLDER).and_then(|folder| child(&folder, DATABASE))
    {
        return Found {
            folder: Some(holder.to_path_buf()),
            database: newer,
        };
    }
    if is_named(holder, LIBRARY) {
        return Found {
            folder: Some(holder.to_path_buf()),
            database: file.to_path_buf(),
        };
    }
    Found::lone(file.to_path_buf())
}

/// The databases that stand beside `m.db` in `Database2`: history, and those of other programs' libraries.
fn is_other_database(file: &Path) -> bool {
    const OTHERS: [&str; 7] = [
        "hm.db", "itm.db", "rbm.db", "sm.db", "stm.db", "trm.db", "p.db",
    ];
    let name = file.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other)) || name.starts_with("m.db-")
    })
}

/// The library that this very folder is or holds.
pub fn in_folder(folder: &Path) -> Option<Found> {
    let [inner, database, library, music] =
        children(folder, [DATABASE_FOLDER, DATABASE, LIBRARY, "Music"]);
    inner
        .and_then(|inner| child(&inner, DATABASE))
        .or(database)
        .map(|database| of_file(&database))
        .or_else(|| in_library(&library?))
        .or_else(|| in_library(&child(&music?, LIBRARY)?))
}

/// A folder that is called `Engine Library`.
fn in_library(library: &Path) -> Option<Found> {
    let [inner, database] = children(library, [DATABASE_FOLDER, DATABASE]);
    let database = inner
        .and_then(|inner| child(&inner, DATABASE))
        .or(database)?;
    Some(of_file(&database))
}

/// Looks through the folders below, level by level.
fn below(folder: &Path) -> Vec<Found> {
    let mut names = MOST_NAMES;
    let mut folders = 0;
    let mut found = Vec::new();
    let mut level = vec![folder.to_path_buf()];
    for _ in 0..MOST_DEPTH {
        let mut next = Vec::new();
        for folder in level {
            folders += 1;
            if folders > MOST_FOLDERS || found.len() >= MOST_LIBRARIES {
                return found;
            }
            for inner in folders_in(&folder, &mut names) {
                match in_folder(&inner) {
                    Some(library) if !found.contains(&library) => found.push(library),
                    Some(_) => {}
                    None => next.push(inner),
                }
            }
        }
        level = next;
    }
    found
}

/// The folders in `folder` by name, but for hidden ones and links. `names` is how many more may be looked at.
fn folders_in(folder: &Path, names: &mut usize) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .take_while(|_| {
            let more = *names > 0;
            *names = names.saturating_sub(1);
            more
        })
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
}

/// What is called `name` in `folder`, in whatever case a drive has kept it.
fn child(folder: &Path, name: &str) -> Option<PathBuf> {
    let [child] = children(folder, [name]);
    child
}

/// The same for several names with one look.
fn children<const N: usize>(folder: &Path, names: [&str; N]) -> [Option<PathBuf>; N] {
    let mut found = names.map(|name| Some(folder.join(name)).filter(|exact| exact.exists()));
    if found.iter().all(Option::is_some) {
        return found;
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.take(MOST_NAMES).flatten() {
        let called = entry.file_name();
        for (name, found) in names.iter().zip(&mut found) {
            if found.is_none() && called.eq_ignore_ascii_case(name) {
                *found = Some(entry.path());
            }
        }
    }
    found
}
