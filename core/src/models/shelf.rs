//! The models on this machine: `models/<id>/<sha256>/<file>`, each with a note of where it came from.

use super::check::{SumError, Verdict, implausible, judge, sums};
use super::manifest::{Model, ModelFile};
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

const NOTE: &str = "model.json";
const LOCK: &str = "lock";
/// How often the lock of another program is tried.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Room that must be left beside a file.
const SPARE_BYTES: u64 = 256 << 20;
const LONGEST_NOTE: u64 = 64 << 10;
/// How far a folder of the user's is looked through for models and packages.
const DEEPEST: usize = 4;
const MOST_FILES: usize = 5_000;

/// A model that may be loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    pub path: PathBuf,
    pub note: Note,
}

impl Installed {
    /// What the file takes.
    pub fn bytes(&self) -> Option<u64> {
        Some(fs::metadata(&self.path).ok()?.len())
    }
}

/// What stands beside a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub id: String,
    pub file: String,
    pub sha256: String,
    pub bytes: u64,
    /// Whether its checksum was published and is right; else there was nothing to compare with.
    pub is_checked: bool,
    /// Its address or path.
    pub from: String,
    /// The terms that the user agreed to.
    pub accepted: Option<String>,
    pub added: Timestamp,
}

/// Why a model was not taken in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShelfError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// It comes under terms that the user has not agreed to.
    #[error("the weights of {0} come under terms of their own")]
    NotAccepted(String),
    #[error("{}", .0.message)]
    Failed(Failure),
}

impl From<io::Error> for ShelfError {
    fn from(error: io::Error) -> Self {
        let mut failure = Failure::from_io(&error);
        "Make room on the drive of the cache folder, or change its permissions"
            .clone_into(&mut failure.remedy);
        Self::Failed(failure)
    }
}

impl From<SumError> for ShelfError {
    fn from(error: SumError) -> Self {
        match error {
            SumError::Cancelled(cancelled) => cancelled.into(),
            SumError::Io(error) => error.into(),
        }
    }
}

/// The folder of a model.
pub(super) fn folder_of(cache: &Path, id: &str) -> PathBuf {
    cache.join("models").join(id)
}

/// The newest of a model that is whole.
pub fn installed(cache: &Path, model: &Model) -> Option<Installed> {
    let versions = fs::read_dir(folder_of(cache, &model.id)).ok()?;
    versions
        .flatten()
        .filter_map(|entry| read(&entry.path()))
        .filter(|it| it.note.id == model.id)
        .max_by_key(|it| it.note.added)
}

fn read(folder: &Path) -> Option<Installed> {
    let note = folder.join(NOTE);
    if fs::metadata(&note).ok()?.len() > LONGEST_NOTE {
        return None;
    }
    let note: Note = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
    let path = folder.join(Path::new(&note.file).file_name()?);
    let is_whole = fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() == note.bytes);
    is_whole.then_some(Installed { path, note })
}

/// Takes all of a model off this machine.
pub fn remove(cache: &Path, model: &Model, control: &Control) -> Result<(), ShelfError> {
    let mine = folder_of(cache, &model.id);
    if !mine.is_dir() {
        return Ok(());
    }
    let _lock = take_lock(cache, model, control)?;
    Ok(clear(&mine, None)?)
}

/// Held while anything of a model is changed: one program at a time.
pub(super) fn take_lock(
    cache: &Path,
    model: &Model,
    control: &Control,
) -> Result<File, ShelfError> {
    let folder = folder_of(cache, &model.id);
    fs::create_dir_all(&folder)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK))?;
    while let Err(TryLockError::WouldBlock) = lock.try_lock() {
        control.check()?;
        thread::sleep(LOOK_EVERY);
    }
    Ok(lock)
}

/// Removes all of a model but the lock, which is to be held, and what is `kept`: also what crashes have left.
fn clear(mine: &Path, kept: Option<&str>) -> io::Result<()> {
    let mut ended = Ok(());
    for entry in fs::read_dir(mine)?.flatten() {
        let name = entry.file_name();
        if name == LOCK || kept.is_some_and(|kept| name == kept) {
            continue;
        }
        let path = entry.path();
        let gone = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
        ended = ended.and(gone);
    }
    ended
}

/// Refuses where the user has to agree first and has not.
pub(super) fn permit(model: &Model, is_accepted: bool) -> Result<(), ShelfError> {
    if model.is_free || is_accepted {
        Ok(())
    } else {
        Err(ShelfError::NotAccepted(model.title.clone()))
    }
}

/// Where a file comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parcel<'a> {
    pub(super) model: &'a Model,
    pub(super) file: &'a ModelFile,
    pub(super) from: &'a str,
}

/// Checks a file that lies whole in the model's folder and gives it its place. A wrong one is put aside as `.bad`.
pub(super) fn take_in(
    cache: &Path,
    part: &Path,
    parcel: Parcel<'_>,
    control: &Control,
) -> Result<Installed, ShelfError> {
    let Parcel { model, file, from } = parcel;
    let sums = sums(part, control)?;
    let verdict = judge(&file.check, &sums);
    let why_not = match &verdict {
        Verdict::Wrong { expected, found } => {
            Some(format!("its checksum is {found}, not {expected}"))
        }
        Verdict::Unknown => implausible(part, file)?,
        Verdict::Right => None,
    };
    let mine = folder_of(cache, &model.id);
    if let Some(why_not) = why_not {
        let aside = bad(&mine, file);
        fs::rename(part, &aside)?;
        return Err(ShelfError::Failed(Failure::new(
            FailureKind::Damaged,
            format!(
                "this is not the published {}: {why_not}\nFile: {}",
                file.name,
                aside.display()
            ),
            "Get it again from its makers; the file was put aside and is never loaded",
        )));
    }
    let note = Note {
        id: model.id.clone(),
        file: file.name.clone(),
        sha256: sums.sha256.clone(),
        bytes: sums.bytes,
        is_checked: verdict == Verdict::Right,
        from: from.to_owned(),
        accepted: (!model.is_free).then(|| model.weight_licence.clone()),
        added: Timestamp::now(),
    };
    let folder = mine.join(&sums.sha256);
    fs::create_dir_all(&folder)?;
    let path = folder.join(&file.name);
    fs::rename(part, &path)?;
    // The note last: without it the file counts for nothing.
    let unfinished = folder.join("model.unfinished");
    let written = File::create(&unfinished)?;
    serde_json::to_writer_pretty(&written, &note).map_err(io::Error::from)?;
    written.sync_all()?;
    fs::rename(unfinished, folder.join(NOTE))?;
    // With the right file there, wrong ones, parts and those before it are of no use.
    drop(clear(&mine, Some(&sums.sha256)));
    Ok(Installed { path, note })
}

/// Where a wrong file is put.
fn bad(mine: &Path, file: &ModelFile) -> PathBuf {
    mine.join(format!("{}.bad", file.name))
}

/// Takes a model from a folder of the user's, in whatever of its forms is there. `None`: it is not there.
pub fn import(
    cache: &Path,
    folder: &Path,
    (model, is_accepted): (&Model, bool),
    control: &Control,
) -> Result<Option<Installed>, ShelfError> {
    let files = files_below(folder);
    let found = model.files.iter().find_map(|file| {
        let names = || std::iter::once(&file.name).chain(&file.also);
        let is_it = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default();
            names().any(|known| name == known.as_str())
        };
        Some((file, files.iter().find(is_it)?))
    });
    let Some((file, path)) = found else {
        return Ok(None);
    };
    permit(model, is_accepted)?;
    let bytes = fs::metadata(path)?.len();
    if bytes > file.most_bytes || bytes == 0 {
        return Err(ShelfError::Failed(Failure::new(
            FailureKind::Damaged,
            format!(
                "this is not the published {}: it has {bytes} bytes\nFile: {}",
                file.name,
                path.display()
            ),
            "Get it again from its makers",
        )));
    }
    enough_room(cache, &file.name, bytes)?;
    let _lock = take_lock(cache, model, control)?;
    let part = folder_of(cache, &model.id).join(format!("{}.copy", file.name));
    let taken = copy(path, (&part, file.most_bytes), control).and_then(|()| {
        let parcel = Parcel {
            model,
            file,
            from: &path.display().to_string(),
        };
        take_in(cache, &part, parcel, control)
    });
    if taken.is_err() {
        drop(fs::remove_file(&part));
    }
    taken.map(Some)
}

/// Piece by piece, so that it can be stopped; a file that grows meanwhile is cut off, and then not the right one.
fn copy(from: &Path, (to, most): (&Path, u64), control: &Control) -> Result<(), ShelfError> {
    const PIECE: u64 = 1 << 20;
    let mut from = File::open(from)?.take(most);
    let mut to = File::create(to)?;
    loop {
        control.check()?;
        if io::copy(&mut from.by_ref().take(PIECE), &mut to)? == 0 {
            break;
        }
    }
    Ok(to.sync_all()?)
}

/// Whether the drive takes so many bytes more.
pub(super) fn enough_room(cache: &Path, name: &str, bytes: u64) -> Result<(), ShelfError> {
    let needed = bytes + SPARE_BYTES;
    match crate::disk::free_bytes(cache) {
        Some(free) if free < needed => Err(ShelfError::Failed(Failure::new(
            FailureKind::Storage,
            format!(
                "{name} needs {} MB and its drive has {} MB left",
                needed / 1_000_000,
                free / 1_000_000
            ),
            "Make room, or name another cache folder with TONEARM_CACHE",
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Files of a folder and of those in it, within reason.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if files.len() >= MOST_FILES {
                return files;
            }
            let path = entry.path();
            if path.is_file() {
                files.push(path);
            } else if path.is_dir() && depth < DEEPEST {
                folders.push((path, depth + 1));
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::manifest::Check;
    use crate::python::protocol::Family;

    fn model(check: Check, is_free: bool) -> Model {
        Model {
            id: "m".to_owned(),
            family: Family::Beats,
            title: "M".to_owned(),
            is_for: "tests".to_owned(),
            code_licence: "MIT".to_owned(),
            weight_licence: "research only".to_owned(),
            is_free,
            notice: None,
            link: String::new(),
            files: vec![ModelFile {
                name: "m.ckpt".to_owned(),
                also: vec!["other.ckpt".to_owned()],
                urls: Vec::new(),
                about_bytes: 6,
                most_bytes: 10,
                check,
            }],
        }
    }

    fn take(cache: &Path, from: &Path, model: &Model) -> Result<Option<Installed>, ShelfError> {
        import(cache, from, (model, false), &Control::default())
    }

    #[test]
    fn a_model_is_taken_from_a_folder_listed_and_removed() {
        let (cache, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let model = model(
            Check::GitBlob("ce013625030ba8dba906f756967f9e9ca394464a".to_owned()),
            true,
        );
        assert_eq!(take(cache.path(), from.path(), &model), Ok(None));
        fs::create_dir(from.path().join("deep")).unwrap();
        fs::write(from.path().join("deep/other.ckpt"), "hello\n").unwrap();
        let taken = take(cache.path(), from.path(), &model).unwrap().unwrap();
        assert!(taken.note.is_checked);
        assert_eq!(fs::read(&taken.path).unwrap(), b"hello\n");
        assert_eq!(installed(cache.path(), &model), Some(taken.clone()));
        fs::write(&taken.path, "cut").unwrap();
        assert_eq!(
            installed(cache.path(), &model),
            None,
            "a file of another length"
        );
        for _ in 0..2 {
            remove(cache.path(), &model, &Control::default()).unwrap();
            assert_eq!(names(&cache.path().join("models/m")), [LOCK]);
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_crashes_have_left_goes_when_a_model_comes() {
        let (cache, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mine = cache.path().join("models/m");
        fs::create_dir_all(mine.join("half")).unwrap();
        fs::write(mine.join("half/m.ckpt"), "no note beside it").unwrap();
        for name in ["m.ckpt.part", "m.ckpt.part.json", "m.ckpt.copy"] {
            fs::write(mine.join(name), "of a crash").unwrap();
        }
        fs::write(from.path().join("m.ckpt"), "PK\x03\x04ok").unwrap();
        let model = model(Check::Unpinned, true);
        let taken = take(cache.path(), from.path(), &model).unwrap().unwrap();
        assert_eq!(names(&mine), [taken.note.sha256.as_str(), LOCK]);
    }

    #[test]
    fn a_model_is_changed_by_one_program_at_a_time() {
        let (cache, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("m.ckpt"), "PK\x03\x04ok").unwrap();
        let model = model(Check::Unpinned, true);
        let taken = take(cache.path(), from.path(), &model).unwrap();
        let other = take_lock(cache.path(), &model, &Control::default()).unwrap();
        let others = cache.path().join("models/m/m.ckpt.copy");
        fs::write(&others, "of the other").unwrap();
        // Whoever has to wait can be stopped.
        let stopped = Control::default();
        stopped.cancel();
        let imported = import(cache.path(), from.path(), (&model, true), &stopped);
        assert!(matches!(imported, Err(ShelfError::Cancelled(_))));
        assert_eq!(fs::read(&others).unwrap(), b"of the other");
        let removed = remove(cache.path(), &model, &stopped);
        assert!(matches!(removed, Err(ShelfError::Cancelled(_))));
        assert_eq!(installed(cache.path(), &model), taken);
        drop(other);
        remove(cache.path(), &model, &Control::default()).unwrap();
        assert_eq!(installed(cache.path(), &model), None);
    }

    #[test]
    fn a_copy_that_is_stopped_leaves_nothing() {
        let (cache, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("m.ckpt"), "PK\x03\x04ok").unwrap();
        let (model, stopped) = (model(Check::Unpinned, true), Control::default());
        stopped.cancel();
        let ended = import(cache.path(), from.path(), (&model, true), &stopped);
        assert!(matches!(ended, Err(ShelfError::Cancelled(_))));
        assert_eq!(names(&cache.path().join("models/m")), [LOCK]);
    }

    #[test]
    fn a_wrong_file_is_put_aside_and_never_listed() {
        let (cache, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let model = model(Check::Sha256Begins("8726e21a".to_owned()), true);
        fs::write(from.path().join("m.ckpt"), "hello\n").unwrap();
        let error = take(cache.path(), from.path(), &model).unwrap_err();
        assert!(error.to_string().contains("5891b5b5"), "{error}");
        assert!(cache.path().join("models/m/m.ckpt.bad").is_file());
        assert_eq!(installed(cache.path(), &model), None);
    }

    #[test]
    fn what_is_no_model_is_put_aside_until_one_comes() {
        let (cache, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let model = model(Check::Unpinned, true);
        fs::write(from.path().join("m.ckpt"), "<html>").unwrap();
        let error = take(cache.path(), from.path(), &model).unwrap_err();
        assert!(error.to_string().contains("does not begin"), "{error}");
        let bad = cache.path().join("models/m/m.ckpt.bad");
        assert!(bad.is_file());
        fs::write(from.path().join("m.ckpt"), "PK\x03\x04one").unwrap();
        let first = take(cache.path(), from.path(), &model).unwrap().unwrap();
        assert!(!bad.exists());
        fs::write(from.path().join("m.ckpt"), "PK\x03\x04two").unwrap();
        let second = take(cache.path(), from.path(), &model).unwrap().unwrap();
        assert_eq!(installed(cache.path(), &model), Some(second));
        assert!(!first.path.exists(), "one before it stays");
    }

    #[test]
    fn terms_come_first_and_sizes_are_bounded() {
        let (cache, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("m.ckpt"), "PK\x03\x04ok").unwrap();
        let bound = model(Check::Unpinned, false);
        let refused = take(cache.path(), from.path(), &bound);
        assert_eq!(refused, Err(ShelfError::NotAccepted("M".to_owned())));
        let taken = import(
            cache.path(),
            from.path(),
            (&bound, true),
            &Control::default(),
        );
        let note = taken.unwrap().unwrap().note;
        assert_eq!(
            (note.is_checked, note.accepted.as_deref()),
            (false, Some("research only"))
        );
        fs::write(from.path().join("m.ckpt"), "far too long").unwrap();
        assert!(take(cache.path(), from.path(), &model(Check::Unpinned, true)).is_err());
    }
}
