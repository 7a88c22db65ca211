//! Which of its two names a note has in a key: Db in F minor, C# in F# minor.

use super::{Key, KeyFinding, KeySpan, Mode, PitchClass};
use crate::units::Secs;

/// Semitones above C of the white keys, from C up.
const WHITE: [u8; 7] = [0, 2, 4, 5, 7, 9, 11];
/// C up, flat, white and sharp. What reads worse than its other name (Cb, Fb, E#, B#) has none.
const NAMES: [[Option<&str>; 3]; 7] = [
    [None, Some("C"), Some("C#")],
    [Some("Db"), Some("D"), Some("D#")],
    [Some("Eb"), Some("E"), None],
    [None, Some("F"), Some("F#")],
    [Some("Gb"), Some("G"), Some("G#")],
    [Some("Ab"), Some("A"), Some("A#")],
    [Some("Bb"), Some("B"), None],
];
/// Letters up from the tonic, by semitones above it, where flats are written: the step that chords of both modes stand on.
const STEPS: [usize; 12] = [0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6];
const TRITONE: u8 = 6;

/// How notes are written: as the signature and the steps of a key have them, or as is usual where no key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spelling(Option<Key>);

impl From<Key> for Spelling {
    fn from(key: Key) -> Self {
        Self(Some(key))
    }
}

impl Spelling {
    /// That of the key at `at`; of the nearest one outside of all.
    pub fn at(spans: &[KeySpan], at: Secs) -> Self {
        let begun = spans.partition_point(|span| span.start <= at);
        Self(spans.get(begun.saturating_sub(1)).map(|span| span.key))
    }

    /// That of the key at `at`, where a key was found.
    pub fn of(found: Option<&KeyFinding>, at: Secs) -> Self {
        let Some(found) = found else {
            return Self::default();
        };
        match Self::at(&found.segments, at) {
            Self(None) => found.key.into(),
            known => known,
        }
    }

    /// The name of a chord's root.
    pub fn root(self, pitch: PitchClass) -> &'static str {
        let Some(key) = self.0 else {
            return pitch.name();
        };
        let above = (pitch.semitones() + 12 - key.tonic.semitones()) % 12;
        let steps = if above == TRITONE && !has_flats(key) {
            3
        } else {
            steps(above)
        };
        named(letter(key.tonic_name()) + steps, pitch)
    }

    /// The name of a chord's lowest note: as the step above its root that it is.
    pub fn bass(self, root: PitchClass, bass: PitchClass) -> &'static str {
        let above = (bass.semitones() + 12 - root.semitones()) % 12;
        named(letter(self.root(root)) + steps(above), bass)
    }
}

fn steps(above: u8) -> usize {
    STEPS.get(usize::from(above)).copied().unwrap_or_default()
}

/// From C up.
fn letter(name: &str) -> usize {
    "CDEFGAB"
        .chars()
        .position(|letter| name.starts_with(letter))
        .unwrap_or_default()
}

fn named(letter: usize, pitch: PitchClass) -> &'static str {
    let letter = letter % 7;
    let white = WHITE.get(letter).copied().unwrap_or_default();
    // 0 is flat, 1 the white key, 2 sharp.
    let bend = usize::from((pitch.semitones() + 13 - white) % 12);
    let name = NAMES.get(letter).and_then(|names| *names.get(bend)?);
    name.unwrap_or_else(|| pitch.name())
}

fn has_flats(key: Key) -> bool {
    let name = key.tonic_name();
    name.ends_with('b')
        || match key.mode {
            Mode::Major => name == "F",
            Mode::Minor => matches!(name, "C" | "D" | "F" | "G"),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harmony::{Chord, Quality};

    /// The twelve roots from C up, as they are named in a key.
    fn roots(key: &str) -> String {
        let spelling = Key::parse(key).map_or_else(Spelling::default, Spelling::from);
        let names: Vec<&str> = (0..12)
            .map(|pitch| spelling.root(PitchClass::new(pitch)))
            .collect();
        names.join(" ")
    }

    #[test]
    fn flat_keys_have_flats_sharp_keys_sharps_and_raised_steps_stay_raised() {
        for (key, names) in [
            ("", "C C# D Eb E F F# G Ab A Bb B"),
            ("C", "C Db D Eb E F F# G Ab A Bb B"),
            ("Am", "C C# D D# E F F# G G# A Bb B"),
            ("Fm", "C Db D Eb E F Gb G Ab A Bb B"),
            ("Bbm", "C Db D Eb E F Gb G Ab A Bb B"),
            ("Ebm", "C Db D Eb E F Gb G Ab A Bb B"),
            ("Abm", "C Db D Eb E F Gb G Ab A Bb B"),
            // The diminished chord beneath the tonic: C#dim7 goes to Dm.
            ("Dm", "C C# D Eb E F F# G Ab A Bb B"),
            ("Gm", "C Db D Eb E F F# G Ab A Bb B"),
            ("Db", "C Db D Eb E F Gb G Ab A Bb B"),
            ("Eb", "C Db D Eb E F Gb G Ab A Bb B"),
            ("F", "C Db D Eb E F Gb G Ab A Bb B"),
            ("F#m", "C C# D D# E F F# G G# A A# B"),
            ("C#m", "C C# D D# E F F# G G# A A# B"),
            ("E", "C C# D D# E F F# G G# A A# B"),
            ("B", "C C# D D# E F F# G G# A A# B"),
            ("F#", "C C# D D# E F F# G G# A A# B"),
            // Borrowed from the minor: Bb and Eb in G major.
            ("G", "C C# D Eb E F F# G Ab A Bb B"),
            ("Em", "C C# D D# E F F# G G# A A# B"),
        ] {
            assert_eq!(roots(key), names, "{key}");
        }
    }

    #[test]
    fn the_lowest_note_is_named_as_the_step_of_its_chord() {
        let named = |key: &str, root, quality, degree: &str| {
            let spelling = Key::parse(key).map_or_else(Spelling::default, Spelling::from);
            let chord = Chord {
                root: PitchClass::new(root),
                quality,
                bass: None,
            };
            chord.over(degree).short_name(spelling)
        };
        for (key, root, degree, name) in [
            ("Am", 4, "3", "E/G#"),
            ("C", 4, "3", "E/G#"),
            ("", 4, "3", "E/G#"),
            ("Fm", 1, "3", "Db/F"),
            ("Fm", 8, "5", "Ab/Eb"),
            ("Fm", 1, "b7", "Db/B"),
            ("E", 1, "3", "C#/F"),
            ("E", 11, "3", "B/D#"),
            ("Gm", 2, "3", "D/F#"),
        ] {
            assert_eq!(named(key, root, Quality::Major, degree), name, "{key}");
        }
        assert_eq!(named("Fm", 1, Quality::Major7, "1"), "Dbmaj7");
    }

    #[test]
    fn where_the_key_changes_so_does_the_spelling() {
        let span = |start, end, key| KeySpan {
            start: Secs(start),
            end: Secs(end),
            key: Key::parse(key).unwrap(),
        };
        let mut found = KeyFinding {
            key: Key::parse("E").unwrap(),
            confidence: 1.0,
            alternatives: Vec::new(),
            segments: vec![span(1.0, 60.0, "Fm"), span(60.0, 90.0, "F#m")],
        };
        let at =
            |found: &KeyFinding, at| Spelling::of(Some(found), Secs(at)).root(PitchClass::new(1));
        let names = [0.0, 1.0, 59.9, 60.0, 95.0].map(|time| at(&found, time));
        assert_eq!(names, ["Db", "Db", "Db", "C#", "C#"]);
        found.segments.clear();
        assert_eq!(at(&found, 5.0), "C#");
        assert_eq!(Spelling::of(None, Secs(5.0)), Spelling::default());
    }
}
