//! Where else a track is known: the libraries of other programs that hold it too. Pure.

use crate::track::FilePath;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest name of a database, in characters.
const MOST_NAME: usize = 100;

/// A track of another program's library that is this track. Two imports with the same value are the same track.
///
/// Shown and read as `database:track`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId {
    /// One spelling for each: see [`database_name`].
    pub database: String,
    pub track: u64,
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.database, self.track)
    }
}

impl FromStr for SourceId {
    type Err = MalformedSourceId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (database, track) = text.trim().rsplit_once(':').ok_or(MalformedSourceId)?;
        let is_number = !track.is_empty() && track.bytes().all(|byte| byte.is_ascii_digit());
        let track: u64 = track.parse().map_err(|_too_large| MalformedSourceId)?;
        let database = database_name(database).ok_or(MalformedSourceId)?;
        if !is_number || track == 0 {
            return Err(MalformedSourceId);
        }
        Ok(Self { database, track })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a source is the name of a library's database, a colon and a number above zero")]
pub struct MalformedSourceId;

/// The one spelling of a database's name: a UUID in small letters and without braces; any other name as it is, when
/// it is usable at all.
pub fn database_name(text: &str) -> Option<String> {
    let name = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '}'));
    let is_usable = !name.is_empty()
        && name.chars().count() <= MOST_NAME
        && !name.chars().any(|c| c.is_control() || c == '\u{fffd}');
    let is_uuid = name.len() == 36
        && name
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_usable.then(|| {
        if is_uuid {
            name.to_ascii_lowercase()
        } else {
            name.to_owned()
        }
    })
}

/// Whose library it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    EngineDj,
}

impl SourceKind {
    /// As in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::EngineDj => "engine_dj",
        }
    }
}

/// One entry of one library that is this track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub kind: SourceKind,
    /// Where the track came from first: the same in every library that it was copied to.
    pub id: SourceId,
    /// The library's own name and its number for the track, where that is another: as a deck that plays from the
    /// library says.
    #[serde(default)]
    pub alias: Option<SourceId>,
    /// The path as the library holds it, for showing and for what decks say.
    #[serde(default)]
    pub stored_path: Option<String>,
    /// Where the library's file was when it was last imported. Need not be the file of the track: two libraries may
    /// have a copy each.
    #[serde(default)]
    pub file: Option<FilePath>,
    /// The folder of the library, where it is known.
    #[serde(default)]
    pub library: Option<FilePath>,
    /// The service that streams it.
    #[serde(default)]
    pub stream: Option<String>,
    /// The library no longer had it when it was last imported.
    #[serde(default)]
    pub is_gone: bool,
}

impl Source {
    /// The library's own pair: which entry of which library this is.
    pub fn own(&self) -> &SourceId {
        self.alias.as_ref().unwrap_or(&self.id)
    }

    /// Whether the track is called so, here or where it came from.
    pub fn is_called(&self, id: &SourceId) -> bool {
        self.id == *id || self.alias.as_ref() == Some(id)
    }

    /// All that it is called: one name or two.
    pub fn names(&self) -> impl Iterator<Item = &SourceId> {
        std::iter::once(&self.id).chain(&self.alias)
    }
}

/// Libraries told of for one track, at most.
pub const MOST_SOURCES: usize = 16;

/// Puts `source` in the place of what the same entry of the same library was, or adds it. Where there are too many,
/// the first that its library no longer has goes, else the first.
pub fn put_source(sources: &mut Vec<Source>, source: Source) {
    if let Some(known) = sources.iter_mut().find(|known| known.own() == source.own()) {
        *known = source;
        return;
    }
    if sources.len() >= MOST_SOURCES {
        let place = sources.iter().position(|known| known.is_gone).unwrap_or(0);
        sources.remove(place);
    }
    sources.push(source);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(database: &str, track: u64) -> SourceId {
        SourceId {
            database: database.to_owned(),
            track,
        }
    }

    fn source(origin: SourceId, alias: Option<SourceId>) -> Source {
        Source {
            kind: SourceKind::EngineDj,
            id: origin,
            alias,
            stored_path: None,
            file: None,
            library: None,
            stream: None,
            is_gone: false,
        }
    }

    #[test]
    fn a_source_is_read_in_whatever_spelling_a_uuid_comes() {
        let expected = id("a1b2c3d4-0000-4000-8000-0123456789ab", 7);
        for text in [
            "a1b2c3d4-0000-4000-8000-0123456789ab:7",
            " {A1B2C3D4-0000-4000-8000-0123456789AB}:007 ",
        ] {
            assert_eq!(text.parse(), Ok(expected.clone()), "{text}");
        }
        assert_eq!("a:b:7".parse(), Ok(id("a:b", 7)));
        for text in [
            "",
            ":",
            "a:",
            ":1",
            "a:0",
            "a:+1",
            "a:-1",
            "a:99999999999999999999",
        ] {
            assert_eq!(text.parse::<SourceId>(), Err(MalformedSourceId), "{text}");
        }
    }

    #[test]
    fn an_entry_of_a_library_has_one_place_and_libraries_have_room_for_sixteen() {
        let mut sources = Vec::new();
        let origin = id("u", 1);
        put_source(&mut sources, source(origin.clone(), None));
        put_source(&mut sources, source(origin.clone(), Some(id("usb", 9))));
        let mut moved = source(origin.clone(), Some(id("usb", 9)));
        moved.stored_path = Some("../x.flac".to_owned());
        moved.is_gone = true;
        put_source(&mut sources, moved.clone());
        assert_eq!(sources.len(), 2);
        assert_eq!(sources[1], moved);
        for number in 0..MOST_SOURCES as u64 {
            put_source(
                &mut sources,
                source(origin.clone(), Some(id("more", number + 1))),
            );
        }
        assert_eq!(sources.len(), MOST_SOURCES);
        assert!(!sources.contains(&moved), "what is gone makes room first");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(database in "[a-zA-Z0-9:_ü-]{1,20}", track in 1_u64..) {
            let shown = id(&database_name(&database).unwrap(), track);
            prop_assert_eq!(shown.to_string().parse(), Ok(shown));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            if let Ok(id) = text.parse::<SourceId>() {
                prop_assert_eq!(id.to_string().parse(), Ok(id));
            }
        }
    }
}
