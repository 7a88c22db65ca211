//! From the path that a library has stored to the absolute paths that it may mean. Looks at no file.
//!
//! Paths start from the `Engine Library` folder, with `/` between names. Engine DJ stores an absolute path where
//! the music is on another Windows drive; other tools do so anywhere, with either slash.

use crate::import::named;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Longer ones exist on no system, in bytes.
const MOST_BYTES: usize = 8 << 10;
/// Steps up that are kept ready. Beyond the root there is only the root.
const MOST_LEVELS: usize = 64;

/// The folder that stored paths start from, with those above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The folder and all above it, as the system finds them by `..`: out of a link that is another way.
    levels: Vec<PathBuf>,
    /// The same by name, where it differs.
    by_name: Option<Vec<PathBuf>>,
}

impl Base {
    /// `folder` is the `Engine Library` folder.
    pub fn new(folder: &Path) -> Self {
        let folder = named::plain(folder);
        let by_name: Vec<PathBuf> = folder
            .ancestors()
            .take(MOST_LEVELS)
            .map(Path::to_path_buf)
            .collect();
        let mut levels = vec![folder];
        while levels.len() < MOST_LEVELS {
            let Some(last) = levels.last() else { break };
            let above = named::plain(&last.join(".."));
            if above == *last {
                break;
            }
            levels.push(above);
        }
        let by_name = (by_name != levels).then_some(by_name);
        Self { levels, by_name }
    }

    /// What holds the `Engine Library` folder: a drive, or the user's music folder.
    pub fn holder(&self) -> Option<&Path> {
        self.levels.get(1).map(PathBuf::as_path)
    }

    /// Both ways of going `up` steps and then down `names`.
    fn join(&self, up: usize, names: &[OsString]) -> impl Iterator<Item = PathBuf> {
        let ways = [Some(&self.levels), self.by_name.as_ref()];
        ways.into_iter().flatten().filter_map(move |levels| {
            let mut path = levels.get(up).or_else(|| levels.last())?.clone();
            path.extend(names);
            Some(path)
        })
    }
}

/// The absolute paths that a stored one may mean, the likeliest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// What the library means. Two where a link leads to it.
    pub paths: Vec<PathBuf>,
    /// What it could mean besides: a drive that another computer knew by another name, slashes of another system.
    pub guesses: Vec<PathBuf>,
}

impl Candidates {
    pub fn first(&self) -> Option<&Path> {
        let first = self.paths.first().or(self.guesses.first());
        first.map(PathBuf::as_path)
    }
}

/// Follows `stored` from `base`, by name alone.
pub fn candidates(stored: &[u8], base: Option<&Base>) -> Candidates {
    let mut found = Candidates::default();
    if !is_possible(stored) {
        return found;
    }
    // On other systems a backslash may be part of a name: that is tried first.
    if !cfg!(windows) && !is_windows(stored) {
        resolve(&names(stored, |byte| byte == b'/'), base, &mut found);
    }
    if cfg!(windows) || stored.contains(&b'\\') || is_windows(stored) {
        let mut windows = Candidates::default();
        let is_slash = |byte| byte == b'/' || byte == b'\\';
        resolve(&names(stored, is_slash), base, &mut windows);
        if found.paths.is_empty() {
            found.paths = windows.paths;
        } else {
            found.guesses.extend(windows.paths);
        }
        found.guesses.extend(windows.guesses);
    }
    let mut met: Vec<PathBuf> = Vec::new();
    for paths in [&mut found.paths, &mut found.guesses] {
        paths.retain(|path| {
            let is_new = path.is_absolute() && !met.contains(path);
            if is_new {
                met.push(path.clone());
            }
            is_new
        });
    }
    found
}

/// Whether `stored` can be a path on any system.
pub(super) fn is_possible(stored: &[u8]) -> bool {
    !stored.is_empty() && stored.len() <= MOST_BYTES && !stored.contains(&0)
}

/// `C:\…`, `C:/…`, `\\server\…`
fn is_windows(stored: &[u8]) -> bool {
    matches!(stored, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic())
        || stored.starts_with(b"\\\\")
}

fn names(stored: &[u8], is_slash: impl Fn(u8) -> bool) -> Vec<OsString> {
    stored.split(|byte| is_slash(*byte)).map(os_name).collect()
}

/// Names keep their bytes where the system lets them.
#[cfg(unix)]
fn os_name(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn os_name(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn resolve(names: &[OsString], base: Option<&Base>, found: &mut Candidates) {
    let Some((first, rest)) = names.split_first() else {
        return;
    };
    let is_drive =
        matches!(first.as_encoded_bytes(), [letter, b':'] if letter.is_ascii_alphabetic());
    if is_drive {
        let (_, down) = fold(rest);
        if cfg!(windows) {
            let mut root = first.clone();
            root.push("\\");
            found
                .paths
                .push(PathBuf::from(root).join(down.iter().collect::<PathBuf>()));
        }
        moved(&down, base, found);
    } else if first.is_empty() && rest.first().is_some_and(|name| name.is_empty()) {
        // A share in a Windows network.
        if cfg!(windows) {
            let (_, down) = fold(rest);
            let mut root = OsString::from("\\\\");
            root.push(down.join(std::ffi::OsStr::new("\\")));
            found.paths.push(PathBuf::from(root));
        }
    } else if first.is_empty() {
        let (_, down) = fold(rest);
        if !cfg!(windows) {
            found
                .paths
                .push(Path::new("/").join(down.iter().collect::<PathBuf>()));
        }
        if let Some(down) = below_volume(&down) {
            moved(down, base, found);
        }
    } else if let Some(base) = base {
        let (up, down) = fold(names);
        found.paths.extend(base.join(up, &down));
        // A library of another computer, whose drive hung elsewhere.
        if up > 0
            && let Some(down) = below_volume(&down)
        {
            moved(down, Some(base), found);
        }
    }
}

/// The same names on the drive that holds the library.
fn moved(down: &[OsString], base: Option<&Base>, found: &mut Candidates) {
    if !down.is_empty()
        && let Some(base) = base
    {
        found.guesses.extend(base.join(1, down));
    }
}

/// Without `.` and `..`: how many steps up it begins with, and what then goes down.
fn fold(names: &[OsString]) -> (usize, Vec<OsString>) {
    let mut up = 0;
    let mut down: Vec<OsString> = Vec::new();
    for name in names {
        match name.as_encoded_bytes() {
            b"" | b"." => {}
            b".." => up += usize::from(down.pop().is_none()),
            _ => down.push(name.clone()),
        }
    }
    (up, down)
}

/// What comes after the name of a drive: `/Volumes/X/…`, `/media/ana/X/…`, `/run/media/ana/X/…`.
fn below_volume(down: &[OsString]) -> Option<&[OsString]> {
    let name = |place: usize| down.get(place).and_then(|name| name.to_str());
    let skipped = match (name(0)?, name(1)) {
        ("Volumes" | "mnt", _) => 2,
        ("media", _) => 3,
        ("run", Some("media")) => 4,
        _ => return None,
    };
    down.get(skipped..).filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[cfg(unix)]
    fn all(stored: &str) -> Vec<String> {
        let base = Base::new(Path::new("/media/ana/USB/Engine Library"));
        let found = candidates(stored.as_bytes(), Some(&base));
        let sure = found.paths.iter().map(|path| path.display().to_string());
        let guesses = found.guesses.iter();
        sure.chain(guesses.map(|path| format!("?{}", path.display())))
            .collect()
    }

    #[cfg(unix)]
    #[test]
    fn stored_paths_become_absolute_ones() {
        for (stored, expected) in [
            ("../House/a.mp3", &["/media/ana/USB/House/a.mp3"][..]),
            (
                "../Ünï/日本 (Mix).flac",
                &["/media/ana/USB/Ünï/日本 (Mix).flac"],
            ),
            (
                "Music/Artist/a.mp3",
                &["/media/ana/USB/Engine Library/Music/Artist/a.mp3"],
            ),
            (
                "./x/../Music//a.mp3",
                &["/media/ana/USB/Engine Library/Music/a.mp3"],
            ),
            ("../../../../../../../a.mp3", &["/a.mp3"]),
            ("../x/../../OTHER/a.mp3", &["/media/ana/OTHER/a.mp3"]),
            // Another drive by an absolute path, which may hang elsewhere today.
            ("/data/ana/a.mp3", &["/data/ana/a.mp3"]),
            (
                "/Volumes/OTHER/x/a.mp3",
                &["/Volumes/OTHER/x/a.mp3", "?/media/ana/USB/x/a.mp3"],
            ),
            (
                "/media/bob/OTHER/a.mp3",
                &["/media/bob/OTHER/a.mp3", "?/media/ana/USB/a.mp3"],
            ),
            (
                "../../../../Volumes/OTHER/a.mp3",
                &["/Volumes/OTHER/a.mp3", "?/media/ana/USB/a.mp3"],
            ),
            // Windows.
            (
                "C:/Users/Ana/Music/a.mp3",
                &["?/media/ana/USB/Users/Ana/Music/a.mp3"],
            ),
            ("E:\\Music\\x\\a.mp3", &["?/media/ana/USB/Music/x/a.mp3"]),
            ("\\\\server\\share\\a.mp3", &[]),
            (
                "..\\House\\a.mp3",
                &[
                    "/media/ana/USB/Engine Library/..\\House\\a.mp3",
                    "?/media/ana/USB/House/a.mp3",
                ],
            ),
            (
                "../AC\\DC/a.mp3",
                &["/media/ana/USB/AC\\DC/a.mp3", "?/media/ana/USB/AC/DC/a.mp3"],
            ),
            ("", &[]),
            ("a\0b.mp3", &[]),
        ] {
            assert_eq!(all(stored), expected, "{stored:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_database_without_its_folder_knows_only_absolute_paths() {
        let alone = |stored: &str| candidates(stored.as_bytes(), None).paths;
        assert_eq!(alone("../a.mp3"), Vec::<PathBuf>::new());
        assert_eq!(alone("C:/a.mp3"), Vec::<PathBuf>::new());
        assert_eq!(alone("/x/a.mp3"), [Path::new("/x/a.mp3")]);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_unicode_keep_their_bytes() {
        use std::os::unix::ffi::OsStrExt as _;
        let base = Base::new(Path::new("/m/Engine Library"));
        let found = candidates(b"../\xe9t\xe9.mp3", Some(&base));
        assert_eq!(found.paths[0].as_os_str().as_bytes(), b"/m/\xe9t\xe9.mp3");
    }

    #[cfg(unix)]
    #[test]
    fn the_way_up_out_of_a_link_is_the_system_s_first() {
        let dir = tempfile::tempdir().unwrap();
        let place = std::fs::canonicalize(dir.path()).unwrap();
        std::fs::create_dir_all(place.join("real/Engine Library")).unwrap();
        std::fs::create_dir_all(place.join("home")).unwrap();
        let link = place.join("home/Engine Library");
        std::os::unix::fs::symlink(place.join("real/Engine Library"), &link).unwrap();
        let found = candidates(b"../a.mp3", Some(&Base::new(&link)));
        assert_eq!(
            found.paths,
            [place.join("real/a.mp3"), place.join("home/a.mp3")]
        );
        assert_eq!(
            candidates(b"Music/a.mp3", Some(&Base::new(&link))).paths[0],
            link.join("Music/a.mp3")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_give_few_paths_that_are_absolute_and_plain(stored in proptest::collection::vec(
            prop_oneof![Just(b'/'), Just(b'.'), Just(b'\\'), Just(b':'), Just(b'C'), any::<u8>()], 0..80)) {
            let base = Base::new(&std::env::temp_dir().join("Engine Library"));
            let found = candidates(&stored, Some(&base));
            prop_assert!(found.paths.len() + found.guesses.len() <= 8);
            for path in found.paths.into_iter().chain(found.guesses) {
                prop_assert!(path.is_absolute());
                let has_detour = path.components().any(|part| part == std::path::Component::ParentDir);
                prop_assert!(!has_detour, "{path:?}");
            }
        }

        #[test]
        fn a_relative_path_of_plain_names_is_found_again(names in proptest::collection::vec("[a-zA-Z0-9äß_ ]{1,12}", 1..6)) {
            let base = Base::new(Path::new("/m/Engine Library"));
            let stored = format!("../{}", names.join("/"));
            let expected = Path::new("/m").join(names.join("/"));
            prop_assert_eq!(&candidates(stored.as_bytes(), Some(&base)).paths[0], &expected);
        }
    }
}
