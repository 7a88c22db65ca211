//! The fields a query can name, and what a row has to say about each.

use super::fold::Line;
use crate::artifact::Artifact;
use crate::harmony::Key;
use crate::row::{ArtifactState, Row};

/// One name before a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Artist,
    Title,
    Album,
    Genre,
    Label,
    Comment,
    Remixer,
    Composer,
    Path,
    Codec,
    /// Libraries of other programs that hold the track.
    Source,
    Year,
    Rating,
    Added,
    Duration,
    Bpm,
    Key,
    State,
    Has,
    Conf,
    Lufs,
    Id,
}

impl Field {
    pub const ALL: [Self; 22] = [
        Self::Artist,
        Self::Title,
        Self::Album,
        Self::Genre,
        Self::Label,
        Self::Comment,
        Self::Remixer,
        Self::Composer,
        Self::Path,
        Self::Codec,
        Self::Source,
        Self::Year,
        Self::Rating,
        Self::Added,
        Self::Duration,
        Self::Bpm,
        Self::Key,
        Self::State,
        Self::Has,
        Self::Conf,
        Self::Lufs,
        Self::Id,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Artist => "artist",
            Self::Title => "title",
            Self::Album => "album",
            Self::Genre => "genre",
            Self::Label => "label",
            Self::Comment => "comment",
            Self::Remixer => "remixer",
            Self::Composer => "composer",
            Self::Path => "path",
            Self::Codec => "codec",
            Self::Source => "source",
            Self::Year => "year",
            Self::Rating => "rating",
            Self::Added => "added",
            Self::Duration => "duration",
            Self::Bpm => "bpm",
            Self::Key => "key",
            Self::State => "state",
            Self::Has => "has",
            Self::Conf => "conf",
            Self::Lufs => "lufs",
            Self::Id => "id",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|field| field.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn names() -> Vec<&'static str> {
        Self::ALL.into_iter().map(Self::name).collect()
    }

    /// The line of the search text that holds a field of words.
    pub(super) fn line(self) -> Option<Line> {
        match self {
            Self::Artist => Some(Line::Artist),
            Self::Title => Some(Line::Title),
            Self::Album => Some(Line::Album),
            Self::Genre => Some(Line::Genre),
            Self::Label => Some(Line::Label),
            Self::Comment => Some(Line::Comment),
            Self::Remixer => Some(Line::Remixer),
            Self::Composer => Some(Line::Composer),
            Self::Path
            | Self::Codec
            | Self::Source
            | Self::Year
            | Self::Rating
            | Self::Added
            | Self::Duration
            | Self::Bpm
            | Self::Key
            | Self::State
            | Self::Has
            | Self::Conf
            | Self::Lufs
            | Self::Id => None,
        }
    }

    /// The figure behind a field of numbers, as precise as it is shown. `None`: unknown, or no number.
    pub(super) fn number(self, row: &Row) -> Option<f64> {
        let tags = &row.track.tags;
        match self {
            Self::Year => tags.year.map(f64::from),
            Self::Rating => tags.rating.map(f64::from),
            Self::Duration => row.track.format.as_ref().map(|format| format.duration.0),
            Self::Bpm => bpm(row).map(|bpm| (bpm * 100.0).round() / 100.0),
            Self::Conf => confidence(row).map(f64::from),
            Self::Lufs => {
                let loudness = row.knowledge.summary.loudness?;
                loudness.integrated.map(|lufs| (lufs * 10.0).round() / 10.0)
            }
            Self::Artist
            | Self::Title
            | Self::Album
            | Self::Genre
            | Self::Label
            | Self::Comment
            | Self::Remixer
            | Self::Composer
            | Self::Path
            | Self::Codec
            | Self::Source
            | Self::Added
            | Self::Key
            | Self::State
            | Self::Has
            | Self::Id => None,
        }
        .filter(|number| number.is_finite())
    }
}

/// Tempo by analysis, else by the tag.
pub(crate) fn bpm(row: &Row) -> Option<f64> {
    let analysed = row.knowledge.summary.bpm.map(|bpm| bpm.0);
    analysed.or(row.track.tags.bpm)
}

/// Key by analysis, else by the tag as far as it can be read.
pub(crate) fn key(row: &Row) -> Option<Key> {
    row.knowledge
        .summary
        .key
        .or_else(|| Key::parse(row.track.tags.key.as_deref()?))
}

/// The weakest of what analysis says of its own certainty.
fn confidence(row: &Row) -> Option<f32> {
    let summary = &row.knowledge.summary;
    match (summary.beats_confidence, summary.key_confidence) {
        (Some(beats), Some(key)) => Some(beats.min(key)),
        (one, other) => one.or(other),
    }
}

/// What `has:` can ask for: an artifact that is made, or a tag that is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Possession {
    Made(Artifact),
    Art,
    Bpm,
    Title,
    Artist,
    Album,
    Genre,
    Comment,
    Label,
    Year,
    Rating,
}

impl Possession {
    const FILLED: [(&'static str, Self); 10] = [
        ("art", Self::Art),
        ("bpm", Self::Bpm),
        ("title", Self::Title),
        ("artist", Self::Artist),
        ("album", Self::Album),
        ("genre", Self::Genre),
        ("comment", Self::Comment),
        ("label", Self::Label),
        ("year", Self::Year),
        ("rating", Self::Rating),
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Artifact::from_name(name).map(Self::Made).or_else(|| {
            let (_, filled) = Self::FILLED.into_iter().find(|(known, _)| *known == name)?;
            Some(filled)
        })
    }

    pub(super) fn names() -> Vec<&'static str> {
        let made = Artifact::ALL.into_iter().map(Artifact::name);
        made.chain(Self::FILLED.into_iter().map(|(name, _)| name))
            .collect()
    }

    pub(super) fn of(self, row: &Row) -> bool {
        let tags = &row.track.tags;
        match self {
            Self::Made(artifact) => Artifact::ALL
                .into_iter()
                .zip(row.artifacts)
                .any(|(kind, state)| kind == artifact && state == ArtifactState::Done),
            Self::Art => tags.has_art,
            Self::Bpm => bpm(row).is_some(),
            Self::Title => tags.title.is_some(),
            Self::Artist => tags.artist.is_some(),
            Self::Album => tags.album.is_some(),
            Self::Genre => tags.genre.is_some(),
            Self::Comment => tags.comment.is_some(),
            Self::Label => tags.label.is_some(),
            Self::Year => tags.year.is_some(),
            Self::Rating => tags.rating.is_some(),
        }
    }
}

/// The choice that was probably meant by `typed`: it begins so, or it is at most a third of its letters away.
pub(super) fn nearest(typed: &str, choices: &[&'static str]) -> Option<&'static str> {
    let typed: String = typed.chars().take(32).collect::<String>().to_lowercase();
    if typed.is_empty() {
        return None;
    }
    let begun = choices.iter().find(|choice| choice.starts_with(&typed));
    begun.copied().or_else(|| {
        let (distance, choice) = choices
            .iter()
            .map(|choice| (edits(&typed, choice), *choice))
            .min()?;
        (distance <= choice.len().div_ceil(3)).then_some(choice)
    })
}

/// Letters to insert, drop, change or swap with their neighbour to get from one word to the other
/// (Damerau 1964, in the restricted form that touches no letter twice).
fn edits(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 0..from.len() {
        let mut row = vec![i + 1];
        for j in 0..to.len() {
            let changed = rows[i][j] + usize::from(from[i] != to[j]);
            let mut fewest = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j] {
                fewest = fewest.min(rows[i - 1][j - 1] + 1);
            }
            row.push(fewest);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_nonsense_is_not() {
        let names = Field::names();
        for (typed, meant) in [
            ("artits", Some("artist")),
            ("ar", Some("artist")),
            ("BMP", Some("bpm")),
            ("tittle", Some("title")),
            ("keys", Some("key")),
            ("length", None),
            ("q", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &names), meant, "{typed:?}");
        }
    }
}
