//! Tracks as a playlist that players and DJ programs read.

use crate::row::Row;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// Writes the tracks in order; tells how many.
///
/// Tracks below `folder`, where the playlist will lie, are named relative to it, others absolutely. A path
/// that a line of text cannot hold (line breaks, no UTF-8) is written as a `file://` address.
pub fn write<'a>(
    mut out: impl Write,
    folder: &Path,
    rows: impl IntoIterator<Item = &'a Row>,
) -> io::Result<u64> {
    out.write_all(b"#EXTM3U\n")?;
    let mut written = 0;
    for row in rows {
        let duration = row.track.format.as_ref().map(|format| format.duration.0);
        // -1 is how a playlist says that it does not know.
        let secs = duration
            .filter(|secs| secs.is_finite())
            .map_or(-1, |secs| secs.round() as i64);
        writeln!(out, "#EXTINF:{secs},{}", caption(row))?;
        writeln!(out, "{}", location(row.track.path.as_path(), folder))?;
        written += 1;
    }
    out.flush()?;
    Ok(written)
}

/// `Artist - Title` on one line; the file's name where there is no title.
fn caption(row: &Row) -> String {
    let tags = &row.track.tags;
    let name = || row.track.path.as_path().file_stem().unwrap_or_default();
    let title = match &tags.title {
        Some(title) => Cow::Borrowed(title.as_str()),
        None => name().to_string_lossy(),
    };
    let caption = match &tags.artist {
        Some(artist) => Cow::Owned(format!("{artist} - {title}")),
        None => title,
    };
    caption
        .split(char::is_control)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn location(path: &Path, folder: &Path) -> String {
    // An empty folder would make every relative path relative to nowhere.
    let below = path
        .strip_prefix(folder)
        .ok()
        .filter(|_| folder.is_absolute());
    let shown = below.unwrap_or(path);
    let Some(text) = shown.to_str() else {
        return address(path);
    };
    let fits_a_line = !text.contains(char::is_control) && text.trim_end() == text;
    if !fits_a_line {
        return address(path);
    }
    // Neither a comment nor an address nor an indented name.
    let misread = text.starts_with('#') || text.trim_start() != text || text.contains("://");
    if below.is_some() && misread {
        format!(".{}{text}", std::path::MAIN_SEPARATOR)
    } else {
        text.to_owned()
    }
}

/// RFC 8089 address of a file.
fn address(path: &Path) -> String {
    let mut address = "file://".to_owned();
    let bytes = path.as_os_str().as_encoded_bytes();
    if cfg!(windows) {
        address.push('/');
    }
    for &byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => address.push('/'),
            b':' if cfg!(windows) => address.push(':'),
            b'/' | b'-' | b'.' | b'_' | b'~' => address.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => address.push(char::from(byte)),
            _ => {
                // Writing to a string cannot fail.
                let _always_ok = write!(address, "%{byte:02X}");
            }
        }
    }
    address
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;
    use crate::track::FilePath;
    use proptest::prelude::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::PathBuf;

    /// What a player makes of a playlist in `folder`: seconds, caption, path.
    fn read(text: &str, folder: &Path) -> Vec<(i64, String, PathBuf)> {
        let mut lines = text.split('\n');
        assert_eq!(lines.next(), Some("#EXTM3U"));
        let mut tracks = Vec::new();
        while let (Some(info), Some(place)) = (lines.next(), lines.next()) {
            let info = info.strip_prefix("#EXTINF:").unwrap();
            let (secs, caption) = info.split_once(',').unwrap();
            assert!(!place.starts_with('#'), "{place}");
            let path = match place.strip_prefix("file://") {
                Some(address) => PathBuf::from(OsStr::from_bytes(&unescaped(address))),
                None => folder.join(place.trim()).components().collect(),
            };
            tracks.push((secs.parse().unwrap(), caption.to_owned(), path));
        }
        tracks
    }

    fn unescaped(address: &str) -> Vec<u8> {
        let mut bytes = address.bytes();
        let mut out = Vec::new();
        while let Some(byte) = bytes.next() {
            out.push(if byte == b'%' {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            } else {
                byte
            });
        }
        out
    }

    fn written(rows: &[Row], folder: &str) -> String {
        let mut bytes = Vec::new();
        assert_eq!(
            write(&mut bytes, Path::new(folder), rows).unwrap(),
            rows.len() as u64
        );
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_playlist_names_tracks_below_it_relatively_and_others_absolutely() {
        let rows = [samples::full_row(), samples::bare_row()];
        assert_eq!(
            written(&rows, "/music"),
            "#EXTM3U\n#EXTINF:362,Sólar - Night, \"Drive\" again\nHouse/Night Drive.mp3\n\
             #EXTINF:-1,lost\n/elsewhere/lost.wav\n"
        );
    }

    #[test]
    fn a_relative_folder_makes_no_relative_names() {
        assert!(written(&[samples::full_row()], "").contains("\n/music/House/"));
    }

    proptest! {
        #[test]
        fn any_name_is_read_back_as_the_same_file(
            name in prop_oneof![
                proptest::collection::vec(any::<u8>().prop_filter("a file name", |b| !matches!(b, 0 | b'/')), 1..12),
                "[#: .%\n\ré-]{1,8}".prop_map(String::into_bytes),
            ],
            below in any::<bool>(),
        ) {
            prop_assume!(name != b"." && name != b"..");
            let folder = if below { "/sets/a" } else { "/elsewhere" };
            let path = Path::new("/sets/a").join(OsStr::from_bytes(&name));
            let mut row = samples::bare_row();
            row.track.path = FilePath(path.clone());
            row.track.tags.title = Some(String::from_utf8_lossy(&name).into());
            let text = written(&[row], folder);
            let tracks = read(&text, Path::new(folder));
            prop_assert_eq!(tracks.len(), 1, "{:?}", text);
            prop_assert_eq!(&tracks[0].2, &path, "{:?}", text);
        }
    }
}
