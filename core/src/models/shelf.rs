//! The models on this machine: `models/<id>/<sha256>/<file>`, each with a note of where it came from.

use super::check::{SumError, Verdict, implausible, judge, sums};
use super::manifest::{Model, ModelFile};
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const NOTE: &str = "model.json";
const LONGEST_NOTE: u64 = 64 << 10;
/// How far a folder of the user's is looked through for models.
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
pub fn remove(cache: &Path, model: &Model) -> io::Result<()> {
    match fs::remove_dir_all(folder_of(cache, &model.id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
    tidy(&mine, model, &sums.sha256);
    Ok(Installed { path, note })
}

/// Where a wrong file is put.
fn bad(mine: &Path, file: &ModelFile) -> PathBuf {
    mine.join(format!("{}.bad", file.name))
}

/// With the right file there, wrong ones and those before it are of no use.
fn tidy(mine: &Path, model: &Model, kept: &str) {
    for file in &model.files {
        drop(fs::remove_file(bad(mine, file)));
    }
    for entry in fs::read_dir(mine).into_iter().flatten().flatten() {
        if entry.file_name() != *kept && entry.path().join(NOTE).is_file() {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
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
    let mine = folder_of(cache, &model.id);
    fs::create_dir_all(&mine)?;
    let part = tempfile::Builder::new()
        .prefix(&file.name)
        .suffix(".part")
        .tempfile_in(&mine)?;
    let mut from = File::open(path)?;
    io::copy(&mut from, &mut part.as_file())?;
    part.as_file().sync_all()?;
    let part = part.into_temp_path();
    let parcel = Parcel {
        model,
        file,
        from: &path.display().to_string(),
    };
    take_in(cache, &part, parcel, control).map(Some)
}

/// Files of a folder and of those in it, within reason.
fn files_below(folder: &Path) -> Vec<PathBuf> {
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
        remove(cache.path(), &model).unwrap();
        remove(cache.path(), &model).unwrap();
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
