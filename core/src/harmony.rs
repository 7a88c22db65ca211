//! Notes, keys and chords: the words of harmony.

mod spelling;

pub use spelling::Spelling;

use crate::units::Secs;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A note without its octave: 0 is C, 11 is B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct PitchClass(u8);

impl From<u8> for PitchClass {
    /// Folds: stored numbers are not to be trusted either.
    fn from(semitones: u8) -> Self {
        Self::new(semitones)
    }
}

impl From<PitchClass> for u8 {
    fn from(pitch: PitchClass) -> Self {
        pitch.0
    }
}

impl PitchClass {
    /// Semitones above C, folded into one octave.
    pub fn new(semitones: u8) -> Self {
        Self(semitones % 12)
    }

    pub fn semitones(self) -> u8 {
        self.0
    }

    /// The usual spelling among DJs where no key says another: flats but for C# and F#.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 12] = [
            "C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B",
        ];
        NAMES[usize::from(self.0)]
    }

    /// Reads `C`, `c#`, `Db`, `E♭`; the rest of the text comes back.
    pub fn parse_prefix(text: &str) -> Option<(Self, &str)> {
        let mut chars = text.chars();
        let base: u8 = match chars.next()?.to_ascii_uppercase() {
            'C' => 0,
            'D' => 2,
            'E' => 4,
            'F' => 5,
            'G' => 7,
            'A' => 9,
            'B' => 11,
            _ => return None,
        };
        let after_letter = chars.as_str();
        match chars.next() {
            Some('#' | '♯') => Some((Self::new(base + 1), chars.as_str())),
            Some('b' | '♭') => Some((Self::new(base + 11), chars.as_str())),
            _ => Some((Self::new(base), after_letter)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mode {
    Major,
    Minor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    pub tonic: PitchClass,
    pub mode: Mode,
}

impl Key {
    /// All 24: major keys from C up, then minor keys from C up.
    pub fn all() -> impl Iterator<Item = Self> {
        [Mode::Major, Mode::Minor].into_iter().flat_map(|mode| {
            (0..12).map(move |tonic| Self {
                tonic: PitchClass::new(tonic),
                mode,
            })
        })
    }

    /// The name of the tonic: the spelling with the fewest signs, and Ab minor, as DJs call it.
    pub fn tonic_name(self) -> &'static str {
        match (self.tonic.name(), self.mode) {
            ("C#", Mode::Major) => "Db",
            (name, _) => name,
        }
    }

    /// Place on the wheel of fifths, 1 to 12, in Camelot numbering (8 is C major and A minor).
    pub fn camelot_number(self) -> u8 {
        let major_tonic = match self.mode {
            Mode::Major => self.tonic.0,
            Mode::Minor => self.tonic.0 + 3,
        };
        (u32::from(major_tonic) * 7 + 7) as u8 % 12 + 1
    }

    /// `8A`, `12B`.
    pub fn camelot(self) -> String {
        let letter = match self.mode {
            Mode::Major => 'B',
            Mode::Minor => 'A',
        };
        format!("{}{letter}", self.camelot_number())
    }

    /// Open Key notation: `1m` is A minor, `1d` is C major.
    pub fn open_key(self) -> String {
        let letter = match self.mode {
            Mode::Major => 'd',
            Mode::Minor => 'm',
        };
        format!("{}{letter}", (self.camelot_number() + 4) % 12 + 1)
    }

    pub fn from_camelot(number: u8, mode: Mode) -> Option<Self> {
        Self::all().find(|key| key.mode == mode && key.camelot_number() == number)
    }

    /// Same key, its relative, and the fifths on either side: what mixes without a clash.
    pub fn is_compatible_with(self, other: Self) -> bool {
        let apart = (self.camelot_number() + 12 - other.camelot_number()) % 12;
        match apart {
            0 => true,
            1 | 11 => self.mode == other.mode,
            _ => false,
        }
    }

    /// Reads every spelling DJ programs write into tags: `8A`, `08a`, `1m`, `Am`, `A minor`,
    /// `F♯ maj`, `Dbmin`. `None` for anything else, `o` (off-key) included.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let (number, letter) = text.split_at_checked(digits)?;
            let number: u8 = number.parse().ok()?;
            return match letter {
                "A" | "a" => Self::from_camelot(number, Mode::Minor),
                "B" | "b" => Self::from_camelot(number, Mode::Major),
                "m" | "M" => Self::from_open_key(number, Mode::Minor),
                "d" | "D" => Self::from_open_key(number, Mode::Major),
                _ => None,
            };
        }
        let (tonic, rest) = PitchClass::parse_prefix(text)?;
        let rest = rest.trim();
        let mode = match rest {
            "" | "M" => Mode::Major,
            "m" => Mode::Minor,
            _ => match rest.to_lowercase().as_str() {
                "maj" | "major" => Mode::Major,
                "min" | "minor" => Mode::Minor,
                _ => return None,
            },
        };
        Some(Self { tonic, mode })
    }

    fn from_open_key(number: u8, mode: Mode) -> Option<Self> {
        Self::all().find(|key| key.mode == mode && (key.camelot_number() + 4) % 12 + 1 == number)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Major => "major",
            Mode::Minor => "minor",
        };
        write!(f, "{} {mode}", self.tonic_name())
    }
}

/// The kinds of chord that the built-in analysis tells apart, with their Harte shorthand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Quality {
    Major,
    Minor,
    Dominant7,
    Major7,
    Minor7,
    Sus4,
    Sus2,
    Diminished,
    HalfDiminished7,
    Augmented,
    Minor9,
    Major9,
    Dominant9,
    Major6,
    Minor6,
    Diminished7,
    MinorMajor7,
}

impl Quality {
    /// Harte et al. 2005 shorthand.
    pub fn harte(self) -> &'static str {
        match self {
            Self::Major => "maj",
            Self::Minor => "min",
            Self::Dominant7 => "7",
            Self::Major7 => "maj7",
            Self::Minor7 => "min7",
            Self::Sus4 => "sus4",
            Self::Sus2 => "sus2",
            Self::Diminished => "dim",
            Self::HalfDiminished7 => "hdim7",
            Self::Augmented => "aug",
            Self::Minor9 => "min9",
            Self::Major9 => "maj9",
            Self::Dominant9 => "9",
            Self::Major6 => "maj6",
            Self::Minor6 => "min6",
            Self::Diminished7 => "dim7",
            Self::MinorMajor7 => "minmaj7",
        }
    }

    /// Semitones above the root, ascending.
    pub fn intervals(self) -> &'static [u8] {
        match self {
            Self::Major => &[0, 4, 7],
            Self::Minor => &[0, 3, 7],
            Self::Dominant7 => &[0, 4, 7, 10],
            Self::Major7 => &[0, 4, 7, 11],
            Self::Minor7 => &[0, 3, 7, 10],
            Self::Sus4 => &[0, 5, 7],
            Self::Sus2 => &[0, 2, 7],
            Self::Diminished => &[0, 3, 6],
            Self::HalfDiminished7 => &[0, 3, 6, 10],
            Self::Augmented => &[0, 4, 8],
            Self::Minor9 => &[0, 2, 3, 7, 10],
            Self::Major9 => &[0, 2, 4, 7, 11],
            Self::Dominant9 => &[0, 2, 4, 7, 10],
            Self::Major6 => &[0, 4, 7, 9],
            Self::Minor6 => &[0, 3, 7, 9],
            Self::Diminished7 => &[0, 3, 6, 9],
            Self::MinorMajor7 => &[0, 3, 7, 11],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chord {
    pub root: PitchClass,
    pub quality: Quality,
    /// The lowest note, where it is known to be another than the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bass: Option<PitchClass>,
}

/// The steps above a root, by semitones, as Harte et al. 2005 write them.
const DEGREES: [&str; 12] = [
    "1", "b2", "2", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7",
];

impl Chord {
    /// The same chord over another lowest note, which a degree like `b3` names; unchanged where it is none, or the root.
    #[must_use]
    pub fn over(self, degree: &str) -> Self {
        let number = degree.trim_start_matches(['b', '#']);
        let bend: i32 = degree
            .chars()
            .map(|sign| match sign {
                'b' => -1,
                '#' => 1,
                _ => 0,
            })
            .sum();
        let natural = match number {
            "1" | "8" => 0,
            "2" | "9" => 2,
            "3" | "10" => 4,
            "4" | "11" => 5,
            "5" | "12" => 7,
            "6" | "13" => 9,
            "7" => 11,
            _ => return self,
        };
        let above = (natural + bend).rem_euclid(12) as u8;
        let bass = PitchClass::new(self.root.semitones() + above);
        Self {
            bass: (above != 0).then_some(bass),
            ..self
        }
    }

    /// As musicians and DJs write it: `Am7`, `Bbmaj9`, `C/E`.
    pub fn short_name(self, spelling: Spelling) -> String {
        let suffix = match self.quality {
            Quality::Major => "",
            Quality::Minor => "m",
            Quality::Dominant7 => "7",
            Quality::Major7 => "maj7",
            Quality::Minor7 => "m7",
            Quality::Sus4 => "sus4",
            Quality::Sus2 => "sus2",
            Quality::Diminished => "dim",
            Quality::HalfDiminished7 => "m7b5",
            Quality::Augmented => "aug",
            Quality::Minor9 => "m9",
            Quality::Major9 => "maj9",
            Quality::Dominant9 => "9",
            Quality::Major6 => "6",
            Quality::Minor6 => "m6",
            Quality::Diminished7 => "dim7",
            Quality::MinorMajor7 => "mMaj7",
        };
        let root = spelling.root(self.root);
        match self.bass {
            None => format!("{root}{suffix}"),
            Some(bass) => format!("{root}{suffix}/{}", spelling.bass(self.root, bass)),
        }
    }

    /// Root and third only: where there is no room for more.
    pub fn shortest_name(self, spelling: Spelling) -> String {
        let minor = match self.third() {
            Mode::Major => "",
            Mode::Minor => "m",
        };
        format!("{}{minor}", spelling.root(self.root))
    }

    /// Harte notation with the root as it is written in a key: `Db:maj7` in F minor.
    pub fn harte(self, spelling: Spelling) -> String {
        let root = spelling.root(self.root);
        let Some(bass) = self.bass else {
            return format!("{root}:{}", self.quality.harte());
        };
        let above = (bass.semitones() + 12 - self.root.semitones()) % 12;
        let degree = DEGREES.get(usize::from(above)).copied();
        format!(
            "{root}:{}/{}",
            self.quality.harte(),
            degree.unwrap_or_default()
        )
    }

    /// Which third it has; one without counts as major.
    pub fn third(self) -> Mode {
        if self.quality.intervals().contains(&3) {
            Mode::Minor
        } else {
            Mode::Major
        }
    }
}

impl fmt::Display for Chord {
    /// Harte notation for machines, `A:min7`, `C:maj/3`: the same name for a chord in every key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.harte(Spelling::default()))
    }
}

/// A stretch of one chord, or of none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChordSpan {
    /// Snapped to beats.
    pub start: Secs,
    pub end: Secs,
    /// As found, before snapping.
    pub start_raw: Secs,
    pub end_raw: Secs,
    /// `None` where no chord sounds (Harte `N`).
    pub chord: Option<Chord>,
    /// 0 to 1.
    pub confidence: f32,
}

/// A stretch in one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KeySpan {
    pub start: Secs,
    pub end: Secs,
    pub key: Key,
}

/// The key of a track and how it moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyFinding {
    pub key: Key,
    /// 0 to 1.
    pub confidence: f32,
    /// The next best keys, best first, with confidence.
    pub alternatives: Vec<(Key, f32)>,
    /// Covers the track without gaps.
    pub segments: Vec<KeySpan>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_and_write_in_every_notation() {
        for (text, camelot, open, name) in [
            ("Am", "8A", "1m", "A minor"),
            ("c", "8B", "1d", "C major"),
            ("F#m", "11A", "4m", "F# minor"),
            ("Gb minor", "11A", "4m", "F# minor"),
            ("08a", "8A", "1m", "A minor"),
            ("1d", "8B", "1d", "C major"),
            ("6M", "1A", "6m", "Ab minor"),
            ("E♭ maj", "5B", "10d", "Eb major"),
            ("Bbmin", "3A", "8m", "Bb minor"),
            ("12B", "12B", "5d", "E major"),
            ("C# major", "3B", "8d", "Db major"),
        ] {
            let key = Key::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(key.camelot(), camelot, "{text}");
            assert_eq!(key.open_key(), open, "{text}");
            assert_eq!(key.to_string(), name, "{text}");
        }
        for text in ["", "o", "H", "13A", "0A", "8C", "A blues", "8", "Ammm"] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }

    #[test]
    fn compatible_keys_are_the_neighbours_on_the_wheel() {
        let compatible: Vec<String> = Key::all()
            .filter(|key| key.is_compatible_with(Key::parse("8A").unwrap()))
            .map(Key::camelot)
            .collect();
        assert_eq!(compatible.len(), 4);
        for name in ["8A", "8B", "7A", "9A"] {
            assert!(compatible.iter().any(|key| key == name), "{name}");
        }
    }

    #[test]
    fn a_chord_over_another_note_is_written_as_musicians_and_as_harte_write_it() {
        let chord = |root, quality| Chord {
            root: PitchClass::new(root),
            quality,
            bass: None,
        };
        for (chord, short, harte, shortest) in [
            (chord(0, Quality::Major).over("3"), "C/E", "C:maj/3", "C"),
            (
                chord(9, Quality::Minor).over("b3"),
                "Am/C",
                "A:min/b3",
                "Am",
            ),
            (
                chord(7, Quality::Dominant7).over("b7"),
                "G7/F",
                "G:7/b7",
                "G",
            ),
            (
                chord(11, Quality::Minor7).over("5"),
                "Bm7/F#",
                "B:min7/5",
                "Bm",
            ),
            (chord(0, Quality::Major).over("1"), "C", "C:maj", "C"),
            (chord(0, Quality::Major).over(""), "C", "C:maj", "C"),
            (chord(0, Quality::Major).over("b1"), "C/B", "C:maj/7", "C"),
            (chord(0, Quality::Major).over("99"), "C", "C:maj", "C"),
        ] {
            assert_eq!(chord.short_name(Spelling::default()), short);
            assert_eq!(chord.to_string(), harte);
            assert_eq!(chord.shortest_name(Spelling::default()), shortest);
        }
    }
}
