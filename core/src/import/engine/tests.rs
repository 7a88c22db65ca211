//! What is said of files that are there, gone, copied or another's.

use super::*;
use crate::track::{FileStamp, Tags, TrackId};

const FILE: FileStamp = FileStamp {
    bytes: 10,
    modified_ns: 1,
};

#[test]
fn only_what_holds_a_library_is_taken_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("Engine Library/Database2");
    std::fs::create_dir_all(&inner).unwrap();
    let song = dir.path().join("a.mp3");
    for path in [&song, &inner.join("m.db"), &dir.path().join("other/m.db")] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    let kind = |path: &Path| match named(path) {
        Named::Library(found) => ("library", found.folder),
        Named::Holder(found) => ("holder", found.folder),
        Named::Other => ("other", None),
    };
    let folder = Some(dir.path().join("Engine Library"));
    for path in [
        "Engine Library",
        "Engine Library/Database2",
        "Engine Library/Database2/m.db",
    ] {
        assert_eq!(
            kind(&dir.path().join(path)),
            ("library", folder.clone()),
            "{path}"
        );
    }
    assert_eq!(kind(dir.path()), ("holder", folder));
    assert_eq!(kind(&dir.path().join("other/m.db")), ("library", None));
    for path in ["a.mp3", "other", "nowhere", "nowhere.db"] {
        assert_eq!(kind(&dir.path().join(path)), ("other", None), "{path}");
    }
}

#[test]
fn a_file_is_looked_at_before_it_is_said_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, "0123456789").unwrap();
        path
    };
    let control = Control::default();
    let (here, other) = (place("here"), place("other"));
    let bytes = hash::sha256(&here, &control, &mut |_| ()).unwrap();
    let asked = Claim {
        source: None,
        tags: Tags::default(),
        path: here.clone(),
        root: dir.path().to_path_buf(),
        bytes: None,
        place: Place::There(FILE),
    };
    let known = |path: PathBuf, hash, holder| Known {
        track: TrackId(1),
        root: dir.path().to_path_buf(),
        path,
        stamp: FILE,
        hash,
        holder,
    };
    let look = |known: &Known| format!("{:?}", settle(&control, &asked, Some(known), &[]));
    assert_eq!(look(&known(here.clone(), None, None)), "Same");
    assert_eq!(look(&known(other, Some(bytes), None)), "Elsewhere");
    let gone = dir.path().join("gone");
    let streamed = Claim {
        path: "streaming://x/1".into(),
        place: Place::Streamed,
        ..asked.clone()
    };
    for (path, expected) in [(&here, "Elsewhere"), (&gone, "Streamed")] {
        let known = known(path.clone(), None, None);
        let standing = settle(&control, &streamed, Some(&known), &[]);
        assert_eq!(format!("{standing:?}"), expected, "a track stays missing");
    }
    assert!(look(&known(gone.clone(), Some(bytes), None)).starts_with("Moved"));
    let wrong = Some(ContentHash([1; 32]));
    assert!(look(&known(gone.clone(), wrong, None)).starts_with("Read"));
    assert!(look(&known(gone, Some(bytes), Some(TrackId(2)))).starts_with("Held"));
}
