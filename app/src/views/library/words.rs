//! Facts of a track as short text that is safe to draw.

use crate::settings::KeyNotation;
use crate::views::makers;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use tonearm_core::artifact::{Artifact, Maker};
use tonearm_core::harmony::{Key, Mode};
use tonearm_core::row::{Row, TrackState};
use tonearm_core::units::Secs;

/// What stands for the unknown.
pub(super) const UNKNOWN: &str = "—";

/// Analysis that is less sure than this is shown as doubtful.
pub(super) const DOUBT: f32 = 0.5;

/// Control characters, and those that turn the direction of text round: they would spoil what follows.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// At most `most` characters of `text`, in one line. The cost does not depend on the length of `text`.
pub(super) fn line(text: &str, most: usize) -> Cow<'_, str> {
    let cut = text.char_indices().nth(most).map(|(at, _)| at);
    let kept = match cut {
        Some(at) => text.get(..at).unwrap_or_default(),
        None => text,
    };
    if cut.is_none() && !kept.chars().any(is_harmful) {
        return Cow::Borrowed(kept);
    }
    let clean = kept.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if is_harmful(c) => None,
        c => Some(c),
    });
    Cow::Owned(clean.chain(cut.map(|_| '…')).collect())
}

/// The same with a capital at its start.
pub(super) fn sentence(text: &str, most: usize) -> String {
    crate::format::capitalised(&line(text, most))
}

/// What the title says, else the file's name.
pub(super) fn title(row: &Row) -> Cow<'_, str> {
    match row.track.tags.title.as_deref() {
        Some(title) if !title.trim().is_empty() => Cow::Borrowed(title),
        _ => row
            .track
            .path
            .as_path()
            .file_name()
            .map_or(Cow::Borrowed(UNKNOWN), |name| name.to_string_lossy()),
    }
}

/// The last part of a path, or all of it where there is none.
pub(super) fn folder_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    line(&name.to_string_lossy(), 80).into_owned()
}

/// `21 h 4 m`, `4 m 10 s`, `3 d 2 h`.
pub(super) fn total(secs: f64) -> String {
    let total = secs.max(0.0).round() as u64;
    let (days, hours, minutes) = (total / 86_400, total / 3600 % 24, total / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} m {} s", total % 60),
        (0, _) => format!("{hours} h {minutes} m"),
        _ => format!("{days} d {hours} h"),
    }
}

/// `1 track`, `50,000 tracks`.
pub(super) fn tracks(number: usize) -> String {
    let noun = if number == 1 { "track" } else { "tracks" };
    format!("{} {noun}", crate::format::count(number as u64))
}

/// `3:45`; hours only where there are some.
pub(super) fn length(row: &Row) -> Option<String> {
    let format = row.track.format.as_ref()?;
    format
        .duration
        .0
        .is_finite()
        .then(|| crate::format::duration(Secs(format.duration.0)))
}

/// In the notation the user chose: `8A`, `1m`, `Am`.
pub(super) fn key(key: Key, notation: KeyNotation) -> String {
    match notation {
        KeyNotation::Camelot => key.camelot(),
        KeyNotation::OpenKey => key.open_key(),
        KeyNotation::Musical => {
            let minor = match key.mode {
                Mode::Major => "",
                Mode::Minor => "m",
            };
            format!("{}{minor}", key.tonic_name())
        }
    }
}

/// A fact of analysis or of the tags, with how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fact<T> {
    pub(super) value: T,
    /// 0 to 1; `None`: nobody said.
    pub(super) confidence: Option<f32>,
    pub(super) from: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Analysis,
    Tag,
    Hand,
}

impl<T> Fact<T> {
    pub(super) fn is_doubtful(&self) -> bool {
        self.from == Source::Analysis
            && self.confidence.is_some_and(|confidence| confidence < DOUBT)
    }
}

pub(super) fn is_by_hand(row: &Row, artifact: Artifact) -> bool {
    let record = row.knowledge.records.get(&artifact);
    record.is_some_and(|record| record.recipe.maker == Maker::User)
}

/// Tempo by analysis or hand, else by the tag.
pub(super) fn tempo(row: &Row) -> Option<Fact<f64>> {
    let summary = &row.knowledge.summary;
    let fact = match summary.bpm {
        Some(bpm) => Fact {
            value: bpm.0,
            confidence: summary.beats_confidence,
            from: source(row, Artifact::Beats),
        },
        None => Fact {
            value: row.track.tags.bpm?,
            confidence: None,
            from: Source::Tag,
        },
    };
    fact.value.is_finite().then_some(fact)
}

/// Key by analysis or hand, else by the tag as far as it can be read.
pub(super) fn key_of(row: &Row) -> Option<Fact<Key>> {
    let summary = &row.knowledge.summary;
    Some(match summary.key {
        Some(key) => Fact {
            value: key,
            confidence: summary.key_confidence,
            from: source(row, Artifact::Key),
        },
        None => Fact {
            value: Key::parse(row.track.tags.key.as_deref()?)?,
            confidence: None,
            from: Source::Tag,
        },
    })
}

fn source(row: &Row, artifact: Artifact) -> Source {
    if is_by_hand(row, artifact) {
        Source::Hand
    } else {
        Source::Analysis
    }
}

/// A row in one sentence, for those who do not see it.
pub(super) fn spoken(row: &Row, notation: KeyNotation) -> String {
    let mut text = line(&title(row), 200).into_owned();
    if let Some(artist) = row.track.tags.artist.as_deref() {
        text.push_str(" by ");
        text.push_str(&line(artist, 200));
    }
    if let Some(tempo) = tempo(row) {
        let _infallible = write!(text, ", {:.0} BPM", tempo.value);
    }
    if let Some(fact) = key_of(row) {
        text.push_str(", ");
        text.push_str(&key(fact.value, notation));
    }
    text.push_str(", ");
    text.push_str(state(row.state));
    for artifact in row.failed_beside() {
        let _infallible = write!(text, ", {} failed", artifact.name());
    }
    for (artifact, _) in row.failed_by_models() {
        let model = makers::model_of(artifact).unwrap_or("a model");
        let _infallible = write!(text, ", {} by {model} failed", artifact.name());
    }
    text
}

pub(super) fn state(state: TrackState) -> &'static str {
    match state {
        TrackState::Ready => "ready",
        TrackState::Analyzing => "being analysed",
        TrackState::Partial => "waiting for analysis",
        TrackState::Failed => "analysis failed",
        TrackState::Missing => "file missing",
        TrackState::Streaming => "streamed, no file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_harmful_text_becomes_one_short_line() {
        assert_eq!(line("Night Ferry", 40), "Night Ferry");
        assert_eq!(line("a\nb\u{7}c\u{202E}d", 40), "a bcd");
        assert_eq!(line("abcdef", 3), "abc…");
        assert_eq!(line("日本語の題名", 2), "日本…");
        let long = "x".repeat(100_000);
        assert_eq!(line(&long, 30).chars().count(), 31);
    }

    #[test]
    fn counts_and_lengths_read_well() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(crate::format::count(number), text);
        }
        for (secs, text) in [
            (10.0, "0 m 10 s"),
            (75_840.0, "21 h 4 m"),
            (266_400.0, "3 d 2 h"),
        ] {
            assert_eq!(total(secs), text);
        }
        assert_eq!(tracks(1), "1 track");
    }
}
