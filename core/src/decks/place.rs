//! Where a player has a track from, taken apart: `net://<token>/<medium>/<path>`.

use super::UnitId;
use stagelinq::Token;

/// Characters of a path that are kept; more is nobody's file.
const MAX_CHARS: usize = 4096;
/// The folder of Engine DJ on each medium.
const ENGINE_LIBRARY: &str = "Engine Library";

/// A track's place as a player names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkPath {
    /// As it came.
    pub text: String,
    /// The machine that holds the medium, which may be another than the one that plays.
    pub holder: Option<UnitId>,
    /// `DEMO (USB 1)`, `PRIME 4 (Internal)`.
    pub medium: Option<String>,
    /// On the medium, without leading slash.
    pub path: Option<String>,
    pub is_streaming: bool,
}

impl NetworkPath {
    /// `None` for what names nothing. Names are taken as they are: no player was seen to escape characters.
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() || text.chars().nth(MAX_CHARS).is_some() {
            return None;
        }
        let mut place = Self {
            text: text.to_owned(),
            is_streaming: text.starts_with("streaming:") || text.contains("(Unknown)"),
            ..Self::default()
        };
        if let Some(rest) = text.strip_prefix("net://") {
            let mut parts = rest.splitn(3, '/');
            let token = parts.next().and_then(|token| token.parse::<Token>().ok());
            place.holder = token.map(UnitId::from);
            place.medium = parts.next().map(str::to_owned);
            place.path = parts.next().map(str::to_owned);
        }
        place.path = place
            .path
            .filter(|path| !path.is_empty() && !place.is_streaming);
        Some(place)
    }

    /// The names of the path below the folder that Engine DJ counts from: `Music/Artist/x.mp3` within its library,
    /// `DJ/x.flac` beside it.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        let path = self.path.as_deref().unwrap_or_default();
        let within = path.strip_prefix(ENGINE_LIBRARY);
        let path = within.filter(|rest| rest.starts_with('/')).unwrap_or(path);
        path.split('/')
            .filter(|part| !matches!(*part, "" | "." | ".."))
    }

    /// As Engine DJ stores it: relative to its library's folder.
    pub fn stored(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        let within = path
            .strip_prefix(ENGINE_LIBRARY)
            .and_then(|rest| rest.strip_prefix('/'));
        Some(within.map_or_else(|| format!("../{path}"), str::to_owned))
    }

    pub fn file_name(&self) -> Option<&str> {
        self.parts().next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "8fba5ced-9381-4d5c-b334-5bf935b8e49e";

    #[test]
    fn places_are_taken_apart_at_medium_and_library() {
        let text = format!("net://{TOKEN}/2beHouse (USB 1)/Engine Library/Music/A & B/x y.mp3");
        let place = NetworkPath::parse(&text).unwrap();
        assert_eq!(place.holder.unwrap().to_string(), TOKEN);
        assert_eq!(place.medium.as_deref(), Some("2beHouse (USB 1)"));
        assert_eq!(
            place.parts().collect::<Vec<_>>(),
            ["Music", "A & B", "x y.mp3"]
        );
        assert_eq!(place.stored().as_deref(), Some("Music/A & B/x y.mp3"));
        assert_eq!(place.file_name(), Some("x y.mp3"));
        let beside = NetworkPath::parse(&format!("net://{TOKEN}/USB/DJ/100%25.flac")).unwrap();
        assert_eq!(beside.stored().as_deref(), Some("../DJ/100%25.flac"));
    }

    #[test]
    fn what_has_no_file_has_no_path() {
        for (text, streams) in [
            ("streaming://tidal/1234".to_owned(), true),
            (format!("net://{TOKEN}/TIDAL (Unknown)/1234"), true),
            (format!("net://{TOKEN}/USB"), false),
            ("something else".to_owned(), false),
        ] {
            let place = NetworkPath::parse(&text).unwrap();
            assert_eq!(
                (place.path.as_deref(), place.is_streaming),
                (None, streams),
                "{text}"
            );
            assert_eq!(place.file_name(), None, "{text}");
        }
        assert_eq!(NetworkPath::parse(" "), None);
        assert_eq!(NetworkPath::parse(&"x".repeat(5000)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_place_or_none(text in "\\PC{0,200}") {
            if let Some(place) = NetworkPath::parse(&text) {
                prop_assert_eq!(&place.text, &text);
                prop_assert!(place.file_name().is_none_or(|name| text.ends_with(name) || text.ends_with('/') || text.ends_with('.')));
            }
        }
    }
}
