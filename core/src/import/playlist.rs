//! M3U and M3U8 playlists: bytes in, the files that they may mean out.
//!
//! Nobody keeps to one form: text may be UTF-8 or Latin-1, lines end in any way, paths are absolute,
//! relative or `file://` addresses, with either slash. Each entry therefore gives several candidates.

use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization as _;

/// No honest playlist is longer.
pub const MOST_BYTES: u64 = 16 << 20;
/// Entries beyond are dropped.
pub const MOST_ENTRIES: usize = 200_000;
/// Longer lines are not paths on any system.
const LONGEST_LINE: usize = 32 << 10;

/// One line of a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file, by what its path may be; never empty, most likely first.
    File(Vec<PathBuf>),
    /// An address on a network, which is no file.
    Stream(String),
}

/// Reads a playlist that lies in `folder`.
pub fn parse(bytes: &[u8], folder: &Path) -> Vec<Entry> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes
        .split(|&byte| byte == b'\n' || byte == b'\r')
        .map(<[u8]>::trim_ascii)
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with(b"#")
                && line.len() <= LONGEST_LINE
                && !line.contains(&0)
        })
        .take(MOST_ENTRIES)
        .map(|line| entry(line, folder))
        .collect()
}

fn entry(line: &[u8], folder: &Path) -> Entry {
    let text = text_of(line);
    if let Some(rest) = strip_prefix_ignoring_case(&text, "file:") {
        return Entry::File(candidates(&unescape(file_address(rest)), folder));
    }
    if is_stream(&text) {
        return Entry::Stream(text);
    }
    let mut paths = candidates(line, folder);
    for path in candidates(text.as_bytes(), folder) {
        push_new(&mut paths, path);
    }
    Entry::File(paths)
}

/// UTF-8, or else Latin-1, in which every byte means something.
fn text_of(line: &[u8]) -> String {
    std::str::from_utf8(line).map_or_else(
        |_| line.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn is_stream(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The path in what follows `file:`: `///x`, `//localhost/x`, `//server/x`, `/x`, `///C:/x`.
fn file_address(rest: &str) -> &str {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(after) => match strip_prefix_ignoring_case(after, "localhost/") {
            Some(_) => after.get("localhost".len()..).unwrap_or(after),
            None if after.starts_with('/') => after,
            // A server's name: `//server/share/x` is how its path is written.
            None => rest,
        },
    };
    match path.strip_prefix('/') {
        Some(windows) if is_drive(windows.as_bytes()) => windows,
        _ => path,
    }
}

/// `C:` and what follows.
fn is_drive(path: &[u8]) -> bool {
    matches!(path, [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Takes `%20` and its like back; what is no such escape stays.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            out.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(byte);
            rest = after;
        }
    }
    out.retain(|&byte| byte != 0);
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// As written, with the other slash, and in the other Unicode forms.
fn candidates(path: &[u8], folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut add = |bytes: &[u8]| push_new(&mut paths, folder.join(path_of(bytes)));
    add(path);
    let slashes: Vec<u8> = path
        .iter()
        .map(|&byte| if byte == b'\\' { b'/' } else { byte })
        .collect();
    add(&slashes);
    if let Ok(text) = std::str::from_utf8(&slashes)
        && !text.is_ascii()
    {
        add(text.nfc().collect::<String>().as_bytes());
        add(text.nfd().collect::<String>().as_bytes());
    }
    paths
}

fn push_new(paths: &mut Vec<PathBuf>, path: PathBuf) {
    if !paths.contains(&path) {
        paths.push(path);
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(text_of(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn first(line: &str) -> Option<PathBuf> {
        match parse(line.as_bytes(), Path::new("/music"))
            .into_iter()
            .next()?
        {
            Entry::File(paths) => paths.into_iter().next(),
            Entry::Stream(_) => None,
        }
    }

    #[cfg(unix)]
    #[test]
    fn every_way_of_writing_a_path_is_understood() {
        for (line, path) in [
            ("a.mp3", "/music/a.mp3"),
            ("  a b.mp3\t", "/music/a b.mp3"),
            ("../x/a.mp3", "/music/../x/a.mp3"),
            ("/abs/a.mp3", "/abs/a.mp3"),
            ("file:///abs/a%20b.mp3", "/abs/a b.mp3"),
            ("FILE://localhost/abs/%C3%A4.mp3", "/abs/ä.mp3"),
            ("file:/abs/100%.mp3", "/abs/100%.mp3"),
            ("file://server/share/a.mp3", "//server/share/a.mp3"),
        ] {
            assert_eq!(first(line), Some(PathBuf::from(path)), "{line}");
        }
        let Some(Entry::File(paths)) = parse(b"sub\\a.mp3", Path::new("/music")).pop() else {
            panic!("not a file");
        };
        assert!(
            paths.contains(&PathBuf::from("/music/sub/a.mp3")),
            "{paths:?}"
        );
    }

    #[test]
    fn comments_blank_lines_marks_and_line_ends_are_no_entries() {
        let bytes = b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:1,A\r\na.mp3\r\n\r\n\rb.mp3\n  \n";
        assert_eq!(parse(bytes, Path::new("/m")).len(), 2);
    }

    #[test]
    fn streams_are_told_apart_and_latin_1_is_read() {
        let entries = parse(b"http://radio/x\ncaf\xe9.mp3", Path::new("/m"));
        assert_eq!(entries[0], Entry::Stream("http://radio/x".to_owned()));
        let Entry::File(paths) = &entries[1] else {
            panic!("not a file");
        };
        assert!(paths.contains(&PathBuf::from("/m/café.mp3")), "{paths:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_give_entries_with_candidates(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for entry in parse(&bytes, Path::new("/m")) {
                if let Entry::File(paths) = entry {
                    prop_assert!(!paths.is_empty());
                }
            }
        }

        #[test]
        fn written_names_are_found_again(names in proptest::collection::vec("[a-zäöé][a-z äö.é]{0,20}[a-z]", 1..20)) {
            let text = names.join("\r\n");
            let entries = parse(text.as_bytes(), Path::new("/m"));
            prop_assert_eq!(entries.len(), names.len());
            for (entry, name) in entries.iter().zip(&names) {
                let Entry::File(paths) = entry else { panic!("not a file") };
                prop_assert!(paths.contains(&Path::new("/m").join(name)));
            }
        }
    }
}
