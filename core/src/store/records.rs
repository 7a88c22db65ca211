//! Records: values ↔ the bytes in the tables. Each carries its version and a checksum.
//!
//! `version (1 byte) · CRC-32 of the rest (4 bytes, little-endian) · MessagePack`. Values are maps
//! by field name, so that fields may come and go; long series (beats, chords) are columns of
//! little-endian numbers, a fifth of the size.

use crate::beats::{Beat, Beats, ConstantGrid, TempoAlternative, TempoSegment};
use crate::edits::{ByHand, ShortByHand, TempoByHand};
use crate::harmony::{Chord, ChordSpan, KeyFinding};
use crate::units::{Bpm, Secs};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// Version of every record written today.
const VERSION: u8 = 1;

/// Why bytes are not a record. Says it for the user in a few words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RecordError {
    #[error("too short")]
    Short,
    #[error("of an unknown version {0}")]
    Version(u8),
    #[error("its checksum is wrong")]
    Checksum,
    #[error("{0}")]
    Content(String),
}

/// How a value stands in its table.
pub(super) trait Record: Sized {
    /// Named in messages.
    const WHAT: &'static str;
    fn to_bytes(&self) -> Result<Vec<u8>, RecordError>;
    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError>;
}

/// Types that are stored as they are.
macro_rules! record_as_is {
    ($($type:ty: $what:literal),* $(,)?) => {
        $(impl Record for $type {
            const WHAT: &'static str = $what;
            fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
                wrap(self)
            }
            fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
                unwrap(bytes)
            }
        })*
    };
}

record_as_is! {
    crate::track::Track: "description",
    crate::findings::Knowledge: "analysis summary",
    crate::harmony::KeyFinding: "key",
    crate::loudness::Loudness: "loudness",
    WaveformFile: "waveform entry",
    HandRecord: "changes by hand",
    super::deck_names::Pin: "a track pinned to a deck",
    super::deck_names::OwnToken: "the name among decks",
    super::choices::Choices: "what was chosen about the library",
}

/// What the user set by hand; the beats themselves stand in a table of their own, which is not read at the start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HandRecord {
    pub(super) tempo: Option<TempoByHand>,
    pub(super) key: Option<KeyFinding>,
}

impl HandRecord {
    pub(super) fn of(hand: &ByHand) -> Self {
        Self {
            tempo: hand.short().tempo,
            key: hand.key.clone(),
        }
    }

    pub(super) fn short(&self) -> ShortByHand {
        ShortByHand {
            tempo: self.tempo,
            key: self.key.as_ref().map(|found| found.key),
        }
    }
}

/// Beats that the user set: the same bytes as analysed ones, under another name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BeatsByHand(pub(super) Beats);

impl Record for BeatsByHand {
    const WHAT: &'static str = "beats set by hand";

    fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        self.0.to_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Beats::from_bytes(bytes).map(Self)
    }
}

/// Says that there is a waveform file; the file vouches for its own content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WaveformFile {
    pub(super) bytes: u64,
}

fn wrap<T: Serialize>(value: &T) -> Result<Vec<u8>, RecordError> {
    let mut bytes = vec![VERSION, 0, 0, 0, 0];
    rmp_serde::encode::write_named(&mut bytes, value)
        .map_err(|error| RecordError::Content(error.to_string()))?;
    if let Some((head, payload)) = bytes.split_first_chunk_mut::<5>() {
        let sum = crc32fast::hash(payload).to_le_bytes();
        head[1..].copy_from_slice(&sum);
    }
    Ok(bytes)
}

fn unwrap<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    let Some(([version, sum @ ..], payload)) = bytes.split_first_chunk::<5>() else {
        return Err(RecordError::Short);
    };
    if *version != VERSION {
        return Err(RecordError::Version(*version));
    }
    if crc32fast::hash(payload) != u32::from_le_bytes(*sum) {
        return Err(RecordError::Checksum);
    }
    rmp_serde::from_slice(payload).map_err(|error| RecordError::Content(error.to_string()))
}

#[derive(Serialize, Deserialize)]
struct BeatsRecord {
    at: ByteBuf,
    position: ByteBuf,
    grid: Option<ConstantGrid>,
    segments: Vec<TempoSegment>,
    bpm: Bpm,
    confidence: f32,
    alternatives: Vec<TempoAlternative>,
}

impl Record for Beats {
    const WHAT: &'static str = "beats";

    fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        wrap(&BeatsRecord {
            at: f64_column(self.beats.iter().map(|beat| beat.at.0)),
            position: self
                .beats
                .iter()
                .map(|beat| beat.position)
                .collect::<Vec<u8>>()
                .into(),
            grid: self.grid,
            segments: self.segments.clone(),
            bpm: self.bpm,
            confidence: self.confidence,
            alternatives: self.alternatives.clone(),
        })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let record: BeatsRecord = unwrap(bytes)?;
        let at = f64s(&record.at, record.position.len())?;
        Ok(Self {
            beats: at
                .zip(&*record.position)
                .map(|(at, &position)| Beat {
                    at: Secs(at),
                    position,
                })
                .collect(),
            grid: record.grid,
            segments: record.segments,
            bpm: record.bpm,
            confidence: record.confidence,
            alternatives: record.alternatives,
        })
    }
}

/// Chords name their kind by its place in `kinds`; 0 is no chord, 1 the first of them.
#[derive(Serialize, Deserialize)]
struct ChordsRecord {
    start: ByteBuf,
    end: ByteBuf,
    start_raw: ByteBuf,
    end_raw: ByteBuf,
    confidence: ByteBuf,
    kind: ByteBuf,
    kinds: Vec<Chord>,
}

impl Record for Vec<ChordSpan> {
    const WHAT: &'static str = "chords";

    fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        let mut kinds: Vec<Chord> = Vec::new();
        let mut kind = Vec::with_capacity(self.len() * 2);
        for span in self {
            let number = match span.chord {
                None => 0,
                Some(chord) => {
                    let known = kinds.iter().position(|known| *known == chord);
                    1 + known.unwrap_or_else(|| {
                        kinds.push(chord);
                        kinds.len() - 1
                    })
                }
            };
            kind.extend_from_slice(&(number as u16).to_le_bytes());
        }
        wrap(&ChordsRecord {
            start: f64_column(self.iter().map(|span| span.start.0)),
            end: f64_column(self.iter().map(|span| span.end.0)),
            start_raw: f64_column(self.iter().map(|span| span.start_raw.0)),
            end_raw: f64_column(self.iter().map(|span| span.end_raw.0)),
            confidence: ByteBuf::from(
                self.iter()
                    .flat_map(|span| span.confidence.to_le_bytes())
                    .collect::<Vec<u8>>(),
            ),
            kind: kind.into(),
            kinds,
        })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let record: ChordsRecord = unwrap(bytes)?;
        let count = record.kind.len() / 2;
        let numbers = column::<2>(&record.kind, count)?.map(u16::from_le_bytes);
        let confidences = column::<4>(&record.confidence, count)?.map(f32::from_le_bytes);
        f64s(&record.start, count)?
            .zip(f64s(&record.end, count)?)
            .zip(f64s(&record.start_raw, count)?.zip(f64s(&record.end_raw, count)?))
            .zip(numbers.zip(confidences))
            .map(
                |(((start, end), (start_raw, end_raw)), (number, confidence))| {
                    let chord = match usize::from(number).checked_sub(1) {
                        None => None,
                        Some(place) => Some(*record.kinds.get(place).ok_or_else(|| {
                            RecordError::Content("a chord of no known kind".to_owned())
                        })?),
                    };
                    Ok(ChordSpan {
                        start: Secs(start),
                        end: Secs(end),
                        start_raw: Secs(start_raw),
                        end_raw: Secs(end_raw),
                        chord,
                        confidence,
                    })
                },
            )
            .collect()
    }
}

fn f64_column(values: impl Iterator<Item = f64>) -> ByteBuf {
    values
        .flat_map(f64::to_le_bytes)
        .collect::<Vec<u8>>()
        .into()
}

/// The `count` numbers of `N` bytes that `bytes` must consist of.
fn column<const N: usize>(
    bytes: &[u8],
    count: usize,
) -> Result<impl Iterator<Item = [u8; N]>, RecordError> {
    let (numbers, rest) = bytes.as_chunks::<N>();
    if numbers.len() == count && rest.is_empty() {
        Ok(numbers.iter().copied())
    } else {
        Err(RecordError::Content(
            "its columns differ in length".to_owned(),
        ))
    }
}

fn f64s(bytes: &[u8], count: usize) -> Result<impl Iterator<Item = f64>, RecordError> {
    Ok(column::<8>(bytes, count)?.map(f64::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{findings, knowledge, track};
    use super::*;
    use crate::findings::{Finding, Knowledge};
    use crate::harmony::KeyFinding;
    use crate::track::Track;
    use proptest::prelude::*;

    fn all() -> Vec<Vec<u8>> {
        let mut records = vec![
            track(1).to_bytes().unwrap(),
            knowledge().to_bytes().unwrap(),
        ];
        for finding in findings() {
            records.push(match finding {
                Finding::Beats(beats) => beats.to_bytes().unwrap(),
                Finding::Key(key) => key.to_bytes().unwrap(),
                Finding::Chords(chords) => chords.to_bytes().unwrap(),
                Finding::Loudness(loudness) => loudness.to_bytes().unwrap(),
                Finding::Waveform(_) => WaveformFile { bytes: 5 }.to_bytes().unwrap(),
                Finding::Stems(_) => continue,
            });
        }
        records
    }

    /// Tries every reader on `bytes`; how many took them.
    fn readers(bytes: &[u8]) -> usize {
        [
            Track::from_bytes(bytes).is_ok(),
            Knowledge::from_bytes(bytes).is_ok(),
            Beats::from_bytes(bytes).is_ok(),
            KeyFinding::from_bytes(bytes).is_ok(),
            Vec::<ChordSpan>::from_bytes(bytes).is_ok(),
            WaveformFile::from_bytes(bytes).is_ok(),
        ]
        .into_iter()
        .filter(|read| *read)
        .count()
    }

    #[test]
    fn a_record_of_another_version_is_refused() {
        let mut bytes = track(1).to_bytes().unwrap();
        bytes[0] = 2;
        assert_eq!(Track::from_bytes(&bytes), Err(RecordError::Version(2)));
        assert_eq!(Track::from_bytes(&bytes[..4]), Err(RecordError::Short));
    }

    #[test]
    fn records_are_small() {
        let sizes: Vec<usize> = all().iter().map(Vec::len).collect();
        // Description and summary are read for every track at the start.
        assert!(sizes[0] + sizes[1] < 2_000, "{sizes:?}");
        // 600 beats of 9 bytes.
        assert!(sizes[3] < 5_400 + 300, "{sizes:?}");
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_noticed(which in 0usize..7, at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = all().swap_remove(which);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_eq!(readers(&bytes), 0);
        }

        /// Also behind a right checksum nothing is believed.
        #[test]
        fn any_content_is_read_or_refused(
            which in 0usize..7,
            hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = all().swap_remove(which);
            for (at, value) in hits {
                let at = 5 + at.index(bytes.len() - 5);
                bytes[at] = value;
            }
            bytes.truncate(5 + cut.index(bytes.len() - 4));
            let sum = crc32fast::hash(&bytes[5..]).to_le_bytes();
            bytes[1..5].copy_from_slice(&sum);
            readers(&bytes);
        }
    }
}
