//! Libraries that earlier versions wrote, kept in `tests/fixtures`: they must open for ever.

use super::tests::{assert_has_all, by_hand, changes, hand, knowledge, track};
use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Two tracks with all that is known of them, and a root, which nothing reads any more. The values are those of the tests as
/// they were when format 1 was made: a field that came later is what its default says.
#[test]
fn a_library_of_format_1_opens_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture("library-v1"), dir.path());
    let (store, loaded) = Store::open(dir.path()).unwrap();
    assert_eq!(loaded.unreadable, []);
    assert_eq!(loaded.tracks, [Box::new(track(1)), Box::new(track(2))]);
    assert_eq!(loaded.by_hand.len(), 0);
    for found in &loaded.tracks {
        assert_eq!(*loaded.knowledge[&found.id], knowledge());
        assert_has_all(&store, found.id);
    }
}

#[test]
fn a_library_of_format_1_that_cannot_be_written_is_read_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture("library-v1"), dir.path());
    let file = dir.path().join(FILE);
    let before = fs::read(&file).unwrap();
    let handle = migrate::open_to_read(&file).unwrap();
    let loaded = load::load(&handle).unwrap();
    assert_eq!(loaded.unreadable, []);
    assert_eq!(loaded.tracks, [Box::new(track(1)), Box::new(track(2))]);
    assert_eq!(loaded.by_hand.len(), 0);
    assert_eq!(handle.read(migrate::format_of).unwrap(), 2, "in memory");
    drop(handle);
    assert!(fs::read(&file).unwrap() == before);
}

/// The same two, the second of them with what the user set by hand.
#[test]
fn a_library_of_format_2_opens_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture("library-v2"), dir.path());
    let (store, loaded) = Store::open(dir.path()).unwrap();
    assert_eq!(loaded.unreadable, []);
    assert_eq!(loaded.tracks, [Box::new(track(1)), Box::new(track(2))]);
    for found in &loaded.tracks {
        assert_eq!(*loaded.knowledge[&found.id], knowledge());
        assert_has_all(&store, found.id);
    }
    assert_eq!(store.by_hand(TrackId(1)).unwrap(), ByHand::default());
    assert_eq!(store.by_hand(TrackId(2)).unwrap(), hand());
}

#[test]
#[ignore = "writes the fixture of today's format: run once for a new format, never to mend an old one"]
fn write_fixture() {
    let dir = fixture(&format!("library-v{}", tables::FORMAT));
    assert!(!dir.exists(), "the fixture of a format is written once");
    let (store, _) = Store::open(&dir).unwrap();
    store.write(changes(1)).unwrap();
    store.write(changes(2)).unwrap();
    store.write(by_hand(2)).unwrap();
    drop(store);
    let mut database = database::open_file(&dir.join(FILE)).unwrap();
    while database.compact().unwrap() {}
    drop(database);
    fs::remove_file(dir.join("lock")).unwrap();
}
