//! Chords and key from what a chord model heard: its labels in our words, snapped to beats; the key from its notes.

use super::key::{self, KeyStep};
use crate::beats::Beats;
use crate::harmony::{Chord, ChordSpan, KeyFinding, PitchClass, Quality};
use crate::units::Secs;

/// A chord with its label, as a model tells it. Spans follow one another without overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeardSpan<'a> {
    /// Seconds.
    pub start: f64,
    pub end: f64,
    /// Harte's notation; `N` for none.
    pub label: &'a str,
    /// 0 to 1.
    pub confidence: f32,
    /// How likely it is that C to B sound.
    pub notes: [f32; 12],
}

/// A chord starts on the nearest beat up to this far away, seconds: half of a slow beat.
const SNAP: f64 = 0.5;

/// Chords on beats, from 0 to `length` without gaps; neighbours differ. Without beats as they were heard.
pub fn chords(heard: &[HeardSpan<'_>], beats: Option<&Beats>, length: Secs) -> Vec<ChordSpan> {
    let mut spans: Vec<ChordSpan> = Vec::with_capacity(heard.len());
    for span in heard {
        let chord = chord_of(span);
        let start = snapped(span.start, beats).clamp(0.0, length.0);
        let raw = Secs(span.start.clamp(0.0, length.0));
        if let Some(last) = spans.last_mut() {
            // A shorter one than half a beat has no beat of its own.
            if start <= last.start.0 {
                *last = ChordSpan {
                    chord,
                    confidence: span.confidence,
                    ..*last
                };
                continue;
            }
            if last.chord == chord {
                last.confidence = f32::midpoint(last.confidence, span.confidence);
                continue;
            }
            last.end = Secs(start);
            last.end_raw = raw;
        }
        let is_first = spans.is_empty();
        spans.push(ChordSpan {
            start: if is_first { Secs(0.0) } else { Secs(start) },
            end: length,
            start_raw: if is_first { Secs(0.0) } else { raw },
            end_raw: length,
            chord,
            confidence: span.confidence,
        });
    }
    joined(spans)
}

/// What was overwritten may have become equal to the one before it.
fn joined(spans: Vec<ChordSpan>) -> Vec<ChordSpan> {
    let mut kept: Vec<ChordSpan> = Vec::with_capacity(spans.len());
    for span in spans {
        match kept.last_mut() {
            Some(last) if last.chord == span.chord => {
                last.end = span.end;
                last.end_raw = span.end_raw;
            }
            _ => kept.push(span),
        }
    }
    kept
}

fn snapped(at: f64, beats: Option<&Beats>) -> f64 {
    let Some(beats) = beats.map(|beats| &beats.beats) else {
        return at;
    };
    let after = beats.partition_point(|beat| beat.at.0 < at);
    let near = [after.checked_sub(1), Some(after)];
    let distance = |other: &f64| (other - at).abs();
    near.into_iter()
        .flatten()
        .filter_map(|index| beats.get(index))
        .map(|beat| beat.at.0)
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .filter(|nearest| distance(nearest) <= SNAP)
        .unwrap_or(at)
}

/// The key of the whole and where it changes: from the notes beat by beat, as in the built-in analysis.
pub fn key(heard: &[HeardSpan<'_>], beats: Option<&Beats>) -> Option<KeyFinding> {
    let mut steps: Vec<KeyStep> = Vec::new();
    let beats = beats
        .map(|beats| beats.beats.as_slice())
        .unwrap_or_default();
    for span in heard {
        let step = |start: f64, end: f64, starts_bar: bool| KeyStep {
            start,
            end,
            notes: span.notes,
            chord: chord_of(span),
            starts_bar,
        };
        let mut start = span.start;
        let mut starts_bar = false;
        let from = beats.partition_point(|beat| beat.at.0 <= span.start);
        if let Some(beat) = from.checked_sub(1).and_then(|before| beats.get(before)) {
            starts_bar = beat.position == 1 && span.start - beat.at.0 < 1e-3;
        }
        for beat in beats
            .iter()
            .skip(from)
            .take_while(|beat| beat.at.0 < span.end)
        {
            if beat.at.0 > start {
                steps.push(step(start, beat.at.0, starts_bar));
            }
            start = beat.at.0;
            starts_bar = beat.position == 1;
        }
        if span.end > start {
            steps.push(step(start, span.end, starts_bar));
        }
    }
    key::find(&steps)
}

/// The chord that a label means. What it says beyond our qualities is left out; where it has no third, the notes that
/// sound decide.
fn chord_of(span: &HeardSpan<'_>) -> Option<Chord> {
    let label = span.label.trim();
    if matches!(label, "N" | "X" | "") {
        return None;
    }
    let (root, rest) = PitchClass::parse_prefix(label)?;
    let (rest, bass) = rest.split_once('/').unwrap_or((rest, ""));
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (shorthand, degrees) = match rest.split_once('(') {
        Some((shorthand, degrees)) => (shorthand, degrees.trim_end_matches(')')),
        None => (rest, ""),
    };
    let named = quality_of(shorthand);
    let quality = match named {
        Some(quality) => quality,
        None => nearest(root, degrees, &span.notes),
    };
    let chord = Chord {
        root,
        quality,
        bass: None,
    };
    Some(chord.over(bass.trim()))
}

fn quality_of(shorthand: &str) -> Option<Quality> {
    Some(match shorthand {
        "maj" => Quality::Major,
        "min" => Quality::Minor,
        "7" => Quality::Dominant7,
        "maj7" => Quality::Major7,
        "min7" => Quality::Minor7,
        "sus4" => Quality::Sus4,
        "sus2" => Quality::Sus2,
        "dim" => Quality::Diminished,
        "hdim7" => Quality::HalfDiminished7,
        "aug" => Quality::Augmented,
        "min9" | "min11" | "min13" => Quality::Minor9,
        "maj9" | "maj11" | "maj13" => Quality::Major9,
        "9" | "11" | "13" => Quality::Dominant9,
        "maj6" | "6" => Quality::Major6,
        "min6" => Quality::Minor6,
        "dim7" => Quality::Diminished7,
        "minmaj7" => Quality::MinorMajor7,
        _ => return None,
    })
}

/// The triad that fits the degrees (`1,5`, `1,b3,b7`) best, with the third that sounds where none is named.
fn nearest(root: PitchClass, degrees: &str, notes: &[f32; 12]) -> Quality {
    let has = |degree: &str| degrees.split(',').any(|it| it.trim() == degree);
    let sounds = |interval: u8| {
        let pitch = (root.semitones() + interval) % 12;
        notes.get(usize::from(pitch)).copied().unwrap_or(0.0)
    };
    if has("b3") || (!has("3") && sounds(3) > sounds(4)) {
        Quality::Minor
    } else {
        Quality::Major
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beats::Beat;
    use crate::units::Bpm;

    fn span(start: f64, end: f64, label: &str) -> HeardSpan<'_> {
        HeardSpan {
            start,
            end,
            label,
            confidence: 0.8,
            notes: [0.0; 12],
        }
    }

    fn beats(count: u32) -> Beats {
        let beats = (0..count).map(|index| Beat {
            at: Secs(0.1 + 0.5 * f64::from(index)),
            position: (index % 4 + 1) as u8,
        });
        Beats {
            beats: beats.collect(),
            grid: None,
            segments: Vec::new(),
            bpm: Bpm(120.0),
            confidence: 1.0,
            alternatives: Vec::new(),
        }
    }

    #[test]
    fn labels_are_read_in_our_words() {
        let word = |label: &str| chord_of(&span(0.0, 1.0, label)).map(|chord| chord.to_string());
        for (label, expected) in [
            ("C:maj", "C:maj"),
            ("A:min/b3", "A:min/b3"),
            ("C:maj/3", "C:maj/3"),
            ("C:7/b7", "C:7/b7"),
            ("G:maj/9", "G:maj/2"),
            ("E/5", "E:maj/5"),
            ("E:min/1", "E:min"),
            ("E:min/x", "E:min"),
            ("D:min(9)/#5", "D:min/b6"),
            ("F#:min7", "F#:min7"),
            ("Db:sus4(b7)", "C#:sus4"),
            ("G:maj(9)", "G:maj"),
            ("B:13", "B:9"),
            ("C:(1,b3)", "C:min"),
            ("C:(1)", "C:maj"),
            ("E", "E:maj"),
        ] {
            assert_eq!(word(label).as_deref(), Some(expected), "{label}");
        }
        for none in ["N", "X", "", "H:maj"] {
            assert_eq!(word(none), None, "{none}");
        }
        let mut minor = span(0.0, 1.0, "C:(1,5)");
        minor.notes[3] = 0.6;
        minor.notes[4] = 0.2;
        assert_eq!(chord_of(&minor).unwrap().quality, Quality::Minor);
    }

    #[test]
    fn chords_start_on_beats_and_keep_when_they_were_heard() {
        let beats = beats(20);
        let heard = [
            span(0.0, 2.04, "C:maj"),
            span(2.04, 2.2, "F:maj"),
            span(2.2, 4.2, "G:maj"),
            span(4.2, 6.0, "G:maj"),
            span(6.0, 8.0, "N"),
        ];
        let found = chords(&heard, Some(&beats), Secs(8.0));
        let told: Vec<(f64, f64, Option<String>)> = found
            .iter()
            .map(|it| {
                (
                    it.start.0,
                    it.end.0,
                    it.chord.map(|chord| chord.to_string()),
                )
            })
            .collect();
        let expected = [
            (0.0, 2.1, Some("C:maj".to_owned())),
            (2.1, 6.1, Some("G:maj".to_owned())),
            (6.1, 8.0, None),
        ];
        assert_eq!(told, expected);
        assert_eq!((found[0].end_raw.0, found[2].start_raw.0), (2.04, 6.0));
        assert_eq!(chords(&[], Some(&beats), Secs(8.0)), []);
    }

    #[test]
    fn the_key_is_read_from_the_notes_that_sound() {
        let beats = beats(64);
        let mut at = 0.1;
        let mut heard = Vec::new();
        for _ in 0..4 {
            for (label, pitches) in [
                ("A:min", [9, 0, 4]),
                ("F:maj", [5, 9, 0]),
                ("C:maj", [0, 4, 7]),
                ("G:maj", [7, 11, 2]),
            ] {
                let mut next = span(at, at + 2.0, label);
                for pitch in pitches {
                    next.notes[pitch] = 0.9;
                }
                heard.push(next);
                at += 2.0;
            }
        }
        let found = key(&heard, Some(&beats)).unwrap();
        assert_eq!(found.key.camelot_number(), 8, "{:?}", found.key);
        assert!(found.confidence > 0.3);
        assert_eq!(key(&[], None), None);
    }
}
