//! Text as a search sees it: no case, no diacritics, no width, one kind of space.

use crate::track::{RootPath, Track};
use memchr::memmem::Finder;
use std::cell::RefCell;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The lines of [`search_text`], in order. Each is there, if empty, so that a field is found by counting lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    Title,
    Artist,
    Album,
    Genre,
    Comment,
    Label,
    Remixer,
    Composer,
    /// Path below the imported folder, that folder's own name included: what lies above is the same for
    /// all tracks and would make every search for `music` find all of them.
    Place,
}

/// What a search for words looks through: title, artist, album, genre, comment, label, remixer, composer
/// and place, folded, one to a line.
pub fn search_text(track: &Track) -> String {
    let tags = &track.tags;
    let mut text = String::new();
    for field in [
        &tags.title,
        &tags.artist,
        &tags.album,
        &tags.genre,
        &tags.comment,
        &tags.label,
        &tags.remixer,
        &tags.composer,
    ] {
        fold_into(field.as_deref().unwrap_or_default(), &mut text);
        text.push('\n');
    }
    let path = track.path.as_path();
    let above = track.root.as_path().parent();
    let place = above
        .and_then(|above| path.strip_prefix(above).ok())
        .unwrap_or(path);
    fold_into(&place.to_string_lossy(), &mut text);
    text.shrink_to_fit();
    text
}

/// What lies above the imported folder of the track looked at last, which is that of the next one nearly always, and
/// room for a whole path.
#[derive(Default)]
struct PathMemory {
    root: Option<RootPath>,
    /// Bytes of `root` that lie above it.
    above: Option<usize>,
    /// What lies above, folded, with what parts it from the rest.
    folded: String,
    /// A needle, and whether it is in `folded`.
    asked: Option<(String, bool)>,
    whole: String,
}

thread_local! {
    static PATHS: RefCell<PathMemory> = RefCell::default();
}

impl PathMemory {
    /// What lies above the imported folder of `track`, folded; `None` where its path does not lie in there.
    fn above(&mut self, track: &Track) -> Option<&str> {
        let root = track.root.as_path();
        let known = self.root.as_ref().map(|known| known.as_path().as_os_str());
        if known != Some(root.as_os_str()) {
            let above = root.parent();
            self.root = Some(track.root.clone());
            self.above = above.map(|above| above.as_os_str().len());
            self.folded.clear();
            self.asked = None;
            if let Some(above) = above {
                fold_into(&above.to_string_lossy(), &mut self.folded);
            }
            if !self.folded.is_empty() && !self.folded.ends_with(std::path::MAIN_SEPARATOR) {
                self.folded.push(std::path::MAIN_SEPARATOR);
            }
        }
        // The bytes tell it as well as the components, and sooner.
        let above = root.as_os_str().as_encoded_bytes().get(..self.above?)?;
        let path = track.path.as_path().as_os_str().as_encoded_bytes();
        path.starts_with(above).then_some(&self.folded)
    }

    /// Whether `needle` lies above the imported folder.
    fn holds_above(&mut self, track: &Track, needle: &Needle) -> bool {
        if self.above(track).is_none() {
            return false;
        }
        if let Some((asked, answer)) = &self.asked
            && *asked == needle.text
        {
            return *answer;
        }
        let answer = needle.is_in(&self.folded);
        self.asked = Some((needle.text.clone(), answer));
        answer
    }

    /// Whether `needle` begins above the imported folder and reaches into `place`, which lies below.
    fn holds_seam(&mut self, track: &Track, place: &str, needle: &Needle) -> bool {
        let mut whole = std::mem::take(&mut self.whole);
        let is_there = self.above(track).is_some_and(|above| {
            // No more of the rest than the needle can reach into.
            let reach = needle.text.len().saturating_sub(1).min(place.len());
            let reach = place.ceil_char_boundary(reach);
            whole.clear();
            whole.push_str(above);
            whole.push_str(place.get(..reach).unwrap_or(place));
            needle.is_in(&whole)
        });
        self.whole = whole;
        is_there
    }
}

/// Looks at the whole path, folded; most of it is taken from a text made by [`search_text`].
pub(super) fn with_folded_path<T>(
    track: &Track,
    search_text: &str,
    look: impl FnOnce(&str) -> T,
) -> T {
    let place = line(search_text, Line::Place);
    PATHS.with_borrow_mut(|memory| {
        let mut whole = std::mem::take(&mut memory.whole);
        whole.clear();
        whole.push_str(memory.above(track).unwrap_or_default());
        whole.push_str(place);
        let seen = look(&whole);
        memory.whole = whole;
        seen
    })
}

/// Whether `needle` is in the folded path. What lies above the imported folder is the same for many tracks: it is
/// looked at first, and once.
pub(super) fn is_in_path(track: &Track, search_text: &str, needle: &Needle) -> bool {
    PATHS.with_borrow_mut(|memory| {
        if memory.holds_above(track, needle) {
            return true;
        }
        let place = line(search_text, Line::Place);
        needle.is_in(place) || memory.holds_seam(track, place, needle)
    })
}

/// Folded text to look for, prepared for many looks.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    text: String,
    /// Boxed: it carries tables.
    finder: Box<Finder<'static>>,
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        let text = fold(text);
        let finder = Box::new(Finder::new(&text).into_owned());
        Self { text, finder }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_in(&self, folded: &str) -> bool {
        self.finder.find(folded.as_bytes()).is_some()
    }
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// One line of a text made by [`search_text`]; empty where the track has no such tag.
pub(crate) fn line(search_text: &str, line: Line) -> &str {
    let bytes = search_text.as_bytes();
    if line == Line::Place {
        let start = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        return search_text.get(start..).unwrap_or("");
    }
    let mut ends = memchr::memchr_iter(b'\n', bytes);
    let start = match (line as usize).checked_sub(1) {
        None => Some(0),
        Some(before) => ends.nth(before).map(|end| end + 1),
    };
    let end = ends.next().unwrap_or(bytes.len());
    start
        .and_then(|start| search_text.get(start..end))
        .unwrap_or("")
}

/// Folds `text`: compatibility decomposition (NFKD) without combining marks, lower case, letters with a
/// stroke or ligature as their plain ones, typographic quotes and dashes as typed ones, every run of
/// white space or control characters as one space, none at the ends.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

fn fold_into(text: &str, out: &mut String) {
    let start = out.len();
    if text.is_ascii() {
        for byte in text.bytes() {
            match byte {
                b'!'..=b'~' if byte != b'`' => out.push(char::from(byte.to_ascii_lowercase())),
                _ => push_folded(char::from(byte), start, out),
            }
        }
    } else {
        for decomposed in text.nfkd().filter(|c| !is_combining_mark(*c)) {
            // Lower case may bring marks of its own (İ becomes i with a dot above).
            for lower in decomposed.to_lowercase().nfkd() {
                if !is_combining_mark(lower) {
                    push_folded(lower, start, out);
                }
            }
        }
    }
    if out.len() > start && out.ends_with(' ') {
        out.pop();
    }
}

fn push_folded(c: char, start: usize, out: &mut String) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
        return;
    }
    if c.is_whitespace() || c.is_control() {
        if out.len() > start && !out.ends_with(' ') {
            out.push(' ');
        }
        return;
    }
    match c {
        'ß' => out.push_str("ss"),
        'æ' => out.push_str("ae"),
        'œ' => out.push_str("oe"),
        'þ' => out.push_str("th"),
        'ø' => out.push('o'),
        'đ' | 'ð' => out.push('d'),
        'ł' => out.push('l'),
        'ħ' => out.push('h'),
        'ı' => out.push('i'),
        'ς' => out.push('σ'),
        '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => out.push('\''),
        '“' | '”' | '„' | '‟' | '″' => out.push('"'),
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => out.push('-'),
        // Invisible: joiners, direction marks, the byte order mark, soft hyphens.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folding_forgets_case_marks_width_and_typography() {
        for (text, folded) in [
            ("Motörhead", "motorhead"),
            ("BJÖRK", "bjork"),
            ("Røyksopp", "royksopp"),
            ("ＤＪ　ＫＲＵＳＨ", "dj krush"),
            ("ﾄﾞﾗｲﾌﾞ", "トライフ"),
            ("ドライブ", "トライフ"),
            ("Straße İstanbul ΣΑΣ", "strasse istanbul σασ"),
            ("  Don’t\t\nStop – “Now” ", "don't stop - \"now\""),
            ("Cafe\u{301}", "cafe"),
            ("Łódź ﬁn ½", "lodz fin 1⁄2"),
            ("\u{feff}\u{200b}", ""),
            ("", ""),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in ".*") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert!(!once.contains('\n'));
        }
    }
}
