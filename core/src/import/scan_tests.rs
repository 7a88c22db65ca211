//! Walks over folders of every kind.

use super::*;
use std::fs::{create_dir_all, write};
use tempfile::TempDir;

fn tree(names: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        let path = dir.path().join(name);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(path, name).unwrap();
    }
    dir
}

fn scan(roots: &[PathBuf]) -> (Vec<Scanned>, Counts) {
    let mut met = Vec::new();
    let counts = walk(roots, &Control::default(), &mut |scanned| met.push(scanned)).unwrap();
    (met, counts)
}

/// Paths of found files below `dir`, in their order.
fn files(met: &[Scanned], dir: &TempDir) -> Vec<String> {
    met.iter()
        .filter_map(|scanned| match scanned {
            Scanned::File(found) => Some(found.path.strip_prefix(dir.path()).unwrap()),
            _ => None,
        })
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_folder_gives_its_music_in_order_and_nothing_else() {
    let dir = tree(&[
        "b/2.MP3",
        "b/1.flac",
        "a.wav",
        "a/x/deep.m4a",
        ".hidden.mp3",
        ".git/x.mp3",
        "__MACOSX/x.mp3",
        "System Volume Information/x.mp3",
        "cover.jpg",
        "list.m3u",
        "noextension",
        "old.wma",
    ]);
    let (met, counts) = scan(&[dir.path().to_path_buf()]);
    assert_eq!(
        files(&met, &dir),
        ["a.wav", "a/x/deep.m4a", "b/1.flac", "b/2.MP3"]
    );
    assert_eq!((counts.files, counts.hidden, counts.other), (4, 4, 3));
    assert_eq!(counts.unreadable, 1, "a format without a decoder is told");
    assert_eq!(
        scan(&[dir.path().to_path_buf()]).0,
        met,
        "the order is stable"
    );
}

#[test]
fn what_is_named_is_taken_whatever_it_is_called() {
    let dir = tree(&["strange.xyz", ".hidden/a.mp3"]);
    let named = [dir.path().join("strange.xyz"), dir.path().join(".hidden")];
    let (met, _) = scan(&named);
    assert_eq!(files(&met, &dir), ["strange.xyz", ".hidden/a.mp3"]);
    let Scanned::File(found) = &met[0] else {
        panic!("not a file")
    };
    assert_eq!(found.root, found.path);
    assert_eq!(found.stamp.bytes, 11);

    let (met, counts) = scan(&[dir.path().join("absent.mp3")]);
    assert!(
        matches!(&met[..], [Scanned::Unreadable { failure, .. }] if failure.kind == FailureKind::Missing)
    );
    assert_eq!(counts.unreadable, 1);
}

#[test]
fn everything_is_met_once() {
    let dir = tree(&["a/1.mp3", "a/2.mp3", "b/3.mp3"]);
    let root = dir.path().to_path_buf();
    let (met, counts) = scan(&[
        root.join("a/1.mp3"),
        root.join("a"),
        root.join("b/../a"),
        root.clone(),
        root,
    ]);
    assert_eq!(files(&met, &dir), ["a/1.mp3", "a/2.mp3", "b/3.mp3"]);
    assert_eq!(counts.files, 3);
}

#[cfg(unix)]
#[test]
fn links_in_circles_end_and_links_to_nowhere_are_told() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["a/1.mp3", "a/b/2.mp3"]);
    symlink(dir.path(), dir.path().join("a/b/up")).unwrap();
    symlink("self", dir.path().join("a/self")).unwrap();
    symlink(dir.path().join("a/1.mp3"), dir.path().join("again.mp3")).unwrap();
    symlink("nowhere.mp3", dir.path().join("z.mp3")).unwrap();
    let (met, counts) = scan(&[dir.path().to_path_buf()]);
    // The link comes first by name, and is the name that the file goes by.
    assert_eq!(files(&met, &dir), ["again.mp3", "a/b/2.mp3"]);
    assert_eq!(counts.repeated, 2);
    assert_eq!(counts.unreadable, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn names_of_any_bytes_are_found() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tree(&[]);
    let name = OsStr::from_bytes(b"\xff\xfe \n.mp3");
    write(dir.path().join(name), "x").unwrap();
    let (met, _) = scan(&[dir.path().to_path_buf()]);
    assert!(matches!(&met[..], [Scanned::File(found)] if found.path.file_name() == Some(name)));
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_told_and_the_rest_goes_on() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tree(&["a/1.mp3", "b/2.mp3"]);
    let closed = dir.path().join("a");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    // Permissions do not bind the superuser.
    if fs::read_dir(&closed).is_err() {
        let (met, counts) = scan(&[dir.path().to_path_buf()]);
        assert_eq!(files(&met, &dir), ["b/2.mp3"]);
        assert_eq!(counts.unreadable, 1);
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_playlist_is_a_list_of_files() {
    let dir = tree(&["music/a b.mp3", "music/c.mp3", "lists/x"]);
    let list = dir.path().join("lists/set.m3u8");
    write(
        &list,
        "\u{feff}#EXTM3U\r\n../music/a b.mp3\r\n..\\music\\c.mp3\r\ngone.mp3\r\nhttp://radio\r\n",
    )
    .unwrap();
    let (met, counts) = scan(std::slice::from_ref(&list));
    let real = fs::canonicalize(dir.path()).unwrap();
    let paths: Vec<&PathBuf> = met
        .iter()
        .filter_map(|scanned| match scanned {
            Scanned::File(found) => Some(&found.path),
            _ => None,
        })
        .collect();
    assert_eq!(
        paths,
        [&real.join("music/a b.mp3"), &real.join("music/c.mp3")]
    );
    assert_eq!((counts.unreadable, counts.streams), (1, 1));
    assert!(matches!(met.last(), Some(Scanned::Playlist { files, .. }) if files.len() == 3));
}

#[test]
fn ten_thousand_files_are_found_and_a_walk_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    for folder in 0..100 {
        let folder = dir.path().join(folder.to_string());
        create_dir_all(&folder).unwrap();
        for file in 0..100 {
            write(folder.join(format!("{file}.mp3")), "").unwrap();
        }
    }
    let roots = [dir.path().to_path_buf()];
    assert_eq!(scan(&roots).1.files, 10_000);

    let control = Control::default();
    let mut met = 0;
    let result = walk(&roots, &control, &mut |_| {
        met += 1;
        control.cancel();
    });
    assert_eq!(result, Err(Cancelled));
    assert_eq!(met, 1);
}

#[test]
fn a_path_deeper_than_any_stack_is_walked() {
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().to_path_buf();
    for _ in 0..200 {
        path.push("d");
    }
    create_dir_all(&path).unwrap();
    write(path.join("x.mp3"), "").unwrap();
    assert_eq!(scan(&[dir.path().to_path_buf()]).1.files, 1);
}
