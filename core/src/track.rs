//! A track: a file that the user owns, and what we know of it without listening.

use crate::failure::Failure;
pub use crate::source::{Source, SourceId, SourceKind};
use crate::units::{SampleRate, Secs};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// Names a track for ever. Shown as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u64);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for TrackId {
    type Err = MalformedTrackId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(MalformedTrackId);
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_not_hex| MalformedTrackId)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a track id is 16 hex digits")]
pub struct MalformedTrackId;

/// SHA-256 of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentHash(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A path that survives storage whatever bytes it is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(pub PathBuf);

impl FilePath {
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

#[cfg(unix)]
mod path_bytes {
    use super::PathBuf;
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

    pub(super) fn encode(path: &std::path::Path) -> Vec<u8> {
        path.as_os_str().as_bytes().to_vec()
    }

    pub(super) fn decode(bytes: Vec<u8>) -> PathBuf {
        PathBuf::from(OsString::from_vec(bytes))
    }
}

#[cfg(windows)]
mod path_bytes {
    use super::PathBuf;
    use std::ffi::OsString;
    use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};

    pub(super) fn encode(path: &std::path::Path) -> Vec<u8> {
        path.as_os_str()
            .encode_wide()
            .flat_map(u16::to_le_bytes)
            .collect()
    }

    pub(super) fn decode(bytes: Vec<u8>) -> PathBuf {
        let wide: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        PathBuf::from(OsString::from_wide(&wide))
    }
}

impl Serialize for FilePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_bytes::serialize(&path_bytes::encode(&self.0), serializer)
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
        Ok(Self(path_bytes::decode(bytes)))
    }
}

/// The path of what was imported, as tracks hold it: thousands share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootPath(Arc<Path>);

/// Paths that are kept once each. More folders than anybody imports; who imports files one by one has each path by
/// itself.
const MOST_ROOTS: usize = 64;

impl RootPath {
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for RootPath {
    fn from(path: PathBuf) -> Self {
        static SHARED: Mutex<Vec<Arc<Path>>> = Mutex::new(Vec::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        // The very bytes: `Path` calls some paths equal that are written differently.
        let is_same = |known: &&Arc<Path>| known.as_os_str() == path.as_os_str();
        if let Some(known) = shared.iter().find(is_same) {
            return Self(Arc::clone(known));
        }
        let path: Arc<Path> = path.into();
        if shared.len() >= MOST_ROOTS {
            // Those that no track holds any more.
            shared.retain(|known| Arc::strong_count(known) > 1);
        }
        if shared.len() < MOST_ROOTS {
            shared.push(Arc::clone(&path));
        }
        Self(path)
    }
}

impl From<&str> for RootPath {
    fn from(path: &str) -> Self {
        PathBuf::from(path).into()
    }
}

impl From<FilePath> for RootPath {
    fn from(path: FilePath) -> Self {
        path.0.into()
    }
}

impl Serialize for RootPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_bytes::serialize(&path_bytes::encode(&self.0), serializer)
    }
}

impl<'de> Deserialize<'de> for RootPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FilePath::deserialize(deserializer).map(Self::from)
    }
}

/// What the file system says of a file: when neither changes, the file has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    pub bytes: u64,
    /// Nanoseconds since 1970, negative before.
    pub modified_ns: i64,
}

/// Text of a tag. Up to 24 bytes lie in the value itself: most tags are no longer, and there are many.
pub type Text = compact_str::CompactString;

/// What the tags say. Absent is `None`, never empty text or zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tags {
    pub title: Option<Text>,
    pub artist: Option<Text>,
    pub album: Option<Text>,
    pub genre: Option<Text>,
    pub comment: Option<Text>,
    pub label: Option<Text>,
    pub remixer: Option<Text>,
    pub composer: Option<Text>,
    pub year: Option<i32>,
    pub track_number: Option<u32>,
    /// Stars, 0 to 5.
    pub rating: Option<u8>,
    pub bpm: Option<f64>,
    /// As written; [`crate::harmony::Key::parse`] reads it.
    pub key: Option<Text>,
    pub has_art: bool,
}

/// What a file's audio is, as its container tells or as decoding showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioFormat {
    /// `mp3`, `aac`, `alac`, `flac`, `vorbis`, `opus`, `wav`, `aiff`.
    pub codec: Text,
    pub sample_rate: SampleRate,
    pub channels: u16,
    pub bitrate_kbps: Option<u32>,
    /// Of what a listener hears: encoder delay and padding are not part of it.
    pub duration: Secs,
}

/// One track of the library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    pub id: TrackId,
    pub path: FilePath,
    /// The imported folder (or file) through which it came: a search for a moved file starts there.
    pub root: RootPath,
    pub stamp: FileStamp,
    pub tags: Tags,
    pub format: Option<AudioFormat>,
    pub hash: Option<ContentHash>,
    pub added: Timestamp,
    /// The file was not there when we last looked.
    pub missing: bool,
    /// What decoding found broken in a file that plays all the same: its results tell of less than the whole.
    #[serde(default)]
    pub damage: Option<Box<Failure>>,
    /// The libraries of other programs that hold it too; at most [`crate::source::MOST_SOURCES`].
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Tags that such a library told, because the file is not there or does not tell them.
    #[serde(default)]
    pub borrowed: TagFields,
}

impl Track {
    /// Whether a service has it and no file was ever known.
    pub fn is_streamed(&self) -> bool {
        !self.has_path() && self.sources.iter().any(|source| source.stream.is_some())
    }

    /// Whether `path` is that of a file, there or not. Otherwise it is only a name, and no file has it.
    pub fn has_path(&self) -> bool {
        // Only an entry of another library can be without.
        self.path.as_path().is_absolute() || self.sources.is_empty()
    }

    /// What is said of it while its file is missing and nobody has just looked: message and remedy.
    pub fn missing_reason(&self) -> (&'static str, &'static str) {
        if self.is_streamed() {
            (
                "a streaming service has it, there is no file",
                "Put the file into your library and import it, to see and hear it here",
            )
        } else if !self.has_path() {
            (
                "the library that knows it does not say where its file is",
                "Import that library from the drive with the music, or relocate the track there",
            )
        } else {
            Failure::MISSING
        }
    }
}

/// A set of the fields of [`Tags`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagFields(u16);

impl TagFields {
    pub fn contains(self, field: TagField) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    pub fn set(&mut self, field: TagField, is_in: bool) {
        if is_in {
            self.0 |= 1 << field as u16;
        } else {
            self.0 &= !(1 << field as u16);
        }
    }
}

/// A field of [`Tags`] that a library of another program may fill. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagField {
    Title = 0,
    Artist = 1,
    Album = 2,
    Genre = 3,
    Comment = 4,
    Label = 5,
    Remixer = 6,
    Composer = 7,
    Year = 8,
    TrackNumber = 9,
    Rating = 10,
    Bpm = 11,
    Key = 12,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_of_one_folder_share_its_path_and_store_it_as_written() {
        let [one, other] = ["/music/crates", "/music/crates"].map(RootPath::from);
        assert!(Arc::ptr_eq(&one.0, &other.0));
        for text in [
            "/music/crates",
            "/music//crates",
            "/music/crates/",
            "a b",
            "",
        ] {
            let root = RootPath::from(text);
            let bytes = rmp_serde::to_vec(&root).unwrap();
            let path = FilePath(text.into());
            assert_eq!(bytes, rmp_serde::to_vec(&path).unwrap(), "{text}");
            let again: RootPath = rmp_serde::from_slice(&bytes).unwrap();
            assert_eq!(again.as_path().as_os_str(), text);
        }
    }
}
