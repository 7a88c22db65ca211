//! Reading Engine DJ libraries: what they hold, while they are written to, and when they are broken.

mod hostile;
mod reading;
mod writing;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempDir;
use tonearm_core::control::Control;
use tonearm_core::enginedj::find::find;
use tonearm_core::enginedj::{EngineError, EngineTrack, Library, Lost, Options};
use tonearm_tests::engine_library::EngineLibrary;

/// A drive with a library, and a scratch folder that must be empty in the end.
struct Drive {
    place: TempDir,
    scratch: TempDir,
}

impl Drive {
    fn new() -> Self {
        Self {
            place: tempfile::tempdir().unwrap(),
            scratch: tempfile::tempdir().unwrap(),
        }
    }

    /// Without links on the way, as the reader gives paths.
    fn path(&self) -> PathBuf {
        fs::canonicalize(self.place.path()).unwrap()
    }

    fn library(&self, schema: (u32, u32, u32)) -> EngineLibrary {
        EngineLibrary::create(&self.path(), schema).unwrap()
    }

    fn options(&self) -> Options {
        Options {
            scratch: self.scratch.path().to_path_buf(),
            ..Options::default()
        }
    }

    fn open(&self) -> Result<Library, EngineError> {
        let found = find(&self.path()).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        Library::open(&found[0], &self.options(), &Control::default())
    }

    fn read(&self) -> (Vec<EngineTrack>, Vec<Lost>) {
        split(&self.open().unwrap())
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let left: Vec<_> = fs::read_dir(self.scratch.path()).unwrap().collect();
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

fn split(library: &Library) -> (Vec<EngineTrack>, Vec<Lost>) {
    let (mut tracks, mut lost) = (Vec::new(), Vec::new());
    for item in library.tracks() {
        match item {
            Ok(track) => tracks.push(track),
            Err(rows) => lost.push(rows),
        }
    }
    (tracks, lost)
}

/// Every file and folder below `folder`: bytes and time of change.
fn picture(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Option<Vec<u8>>)> {
    let mut seen = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = path.is_file().then(|| fs::read(&path).unwrap());
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            if path.is_dir() {
                folders.push(path.clone());
            }
            seen.insert(path, (changed, bytes));
        }
        seen.insert(
            folder.clone(),
            (fs::metadata(&folder).unwrap().modified().unwrap(), None),
        );
    }
    seen
}
