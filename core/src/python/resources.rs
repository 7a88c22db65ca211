//! What the program carries for its workers, written out where Python can read it.

use super::fingerprint::Variant;
use crate::track::ContentHash;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

/// Name with forward slashes, content; in the order of the names.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/resources.rs"));

/// The script that a worker runs.
const WORKER: &str = "python/worker.py";
const PIP_LOCK: &str = "python/pip.txt";
const LOCKS: [&str; 2] = ["requirements.txt", "consonance-ACE/requirements.txt"];
/// Pinned NVIDIA libraries, for the variant that uses them.
const CUDA_LOCK: &str = "python/cuda.txt";
/// Scripts of another version are removed when nobody can be using them any more.
const KEEP_OTHERS: Duration = Duration::from_hours(7 * 24);

/// The file of that name.
pub fn text(name: &str) -> Option<&'static [u8]> {
    let file = FILES.iter().find(|(known, _)| *known == name)?;
    Some(file.1)
}

/// The packages that pip is to install, by name of the file; `None` where this build carries none.
pub fn locks(variant: Variant) -> Option<Vec<(&'static str, &'static [u8])>> {
    let mut locks: Vec<_> = LOCKS
        .into_iter()
        .map(|name| Some((name, text(name)?)))
        .collect::<Option<_>>()?;
    let more = match variant {
        Variant::Cuda => text(CUDA_LOCK).map(|text| (CUDA_LOCK, text)),
        Variant::Cpu | Variant::Mps => None,
    };
    locks.extend(more);
    Some(locks)
}

/// The installer, pinned.
pub(super) fn pip_lock() -> &'static [u8] {
    text(PIP_LOCK).unwrap_or_default()
}

/// The script below a folder of resources.
pub fn worker_in(resources: &Path) -> PathBuf {
    resources.join(WORKER)
}

/// Where Python finds their modules.
pub(super) fn modules_in(resources: &Path) -> PathBuf {
    resources.join("python")
}

/// Writes everything into a folder of its own below `cache`, as far as it is not there as it should be; gives that
/// folder.
pub fn write_out(cache: &Path) -> io::Result<PathBuf> {
    let all = cache.join("python").join("resources");
    let name = name_of(FILES);
    let folder = all.join(&name);
    if folder.is_dir() {
        mend(&folder)?;
        return Ok(folder);
    }
    fs::create_dir_all(&all)?;
    remove_old(&all, &name);
    let unfinished = tempfile::Builder::new()
        .prefix(&format!("{name}.unfinished-"))
        .tempdir_in(&all)?;
    for (name, content) in FILES {
        let path = unfinished.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)?;
    }
    match fs::rename(unfinished.path(), &folder) {
        // Another program was faster with the same.
        Err(_) if folder.is_dir() => Ok(folder),
        Err(error) => Err(error),
        Ok(()) => Ok(folder),
    }
}

/// It got its name when all of it was there; what was lost or changed since then is written again.
fn mend(folder: &Path) -> io::Result<()> {
    for (name, content) in FILES {
        let path = folder.join(name);
        let is_right = fs::metadata(&path).is_ok_and(|it| it.len() == content.len() as u64)
            && fs::read(&path).is_ok_and(|found| found == *content);
        if is_right {
            continue;
        }
        tracing::warn!(name, "a file of the workers is written again");
        let below = path.parent().unwrap_or(folder);
        fs::create_dir_all(below)?;
        let mut fresh = tempfile::NamedTempFile::new_in(below)?;
        fresh.write_all(content)?;
        fresh.persist(&path)?;
    }
    Ok(())
}

fn name_of(files: &[(&str, &[u8])]) -> String {
    let mut hash = Sha256::new();
    for (name, content) in files {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    let whole = ContentHash(hash.finalize().into()).to_string();
    whole.chars().take(12).collect()
}

fn remove_old(all: &Path, kept: &str) {
    let Ok(entries) = fs::read_dir(all) else {
        return;
    };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEEP_OTHERS));
        if is_old && entry.file_name() != *kept {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_or_name_is_another_folder() {
        let name = |files| name_of(files);
        let first = name(&[("a", b"1"), ("b", b"2")]);
        for other in [
            name(&[("a", b"1"), ("b", b"3")]),
            name(&[("a", b"1"), ("c", b"2")]),
            name(&[("a", b"1b2")]),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn what_was_lost_or_changed_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let worker = worker_in(&write_out(dir.path()).unwrap());
        let right = fs::read(&worker).unwrap();
        fs::remove_file(&worker).unwrap();
        write_out(dir.path()).unwrap();
        assert_eq!(fs::read(&worker).unwrap(), right);
        for wrong in [Vec::new(), vec![b'x'; right.len()]] {
            fs::write(&worker, wrong).unwrap();
            write_out(dir.path()).unwrap();
            assert_eq!(fs::read(&worker).unwrap(), right);
        }
    }

    #[test]
    fn everything_is_written_once_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let folder = write_out(dir.path()).unwrap();
        for (name, content) in FILES {
            assert_eq!(fs::read(folder.join(name)).unwrap(), *content, "{name}");
        }
        fs::write(folder.join("mark"), "").unwrap();
        assert_eq!(write_out(dir.path()).unwrap(), folder);
        assert!(folder.join("mark").is_file(), "it was written again");
        assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);
    }
}
