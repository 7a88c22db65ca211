//! What analysis found of one track: full results, and the short form that rows and searches use.

pub mod records;

use crate::artifact::{Artifact, ArtifactRecord, Engine, Maker, Recipe};
use crate::beats::Beats;
use crate::edits::ShortByHand;
use crate::harmony::{ChordSpan, Key, KeyFinding};
use crate::loudness::Loudness;
use crate::stems::StemSet;
use crate::track::FileStamp;
use crate::units::Bpm;
use crate::waveform::Waveform;
use jiff::Timestamp;
use records::Records;
use serde::{Deserialize, Serialize};

/// One artifact's result, as an analyser hands it over and the store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    Waveform(Waveform),
    Beats(Beats),
    Key(KeyFinding),
    Chords(Vec<ChordSpan>),
    Loudness(Loudness),
    /// Their files are on the disk already.
    Stems(StemSet),
}

impl Finding {
    pub fn artifact(&self) -> Artifact {
        match self {
            Self::Waveform(_) => Artifact::Waveform,
            Self::Beats(_) => Artifact::Beats,
            Self::Key(_) => Artifact::Key,
            Self::Chords(_) => Artifact::Chords,
            Self::Loudness(_) => Artifact::Loudness,
            Self::Stems(_) => Artifact::Stems,
        }
    }
}

/// The facts of analysis that fit into a row of the library.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    pub bpm: Option<Bpm>,
    pub constant_tempo: Option<bool>,
    pub beats_confidence: Option<f32>,
    pub key: Option<Key>,
    pub key_confidence: Option<f32>,
    pub loudness: Option<Loudness>,
}

/// Everything stored about the analysis of one track, but for the full results.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Knowledge {
    /// No entry: never tried.
    pub records: Records,
    pub summary: Summary,
    /// Who is to analyse this track: as the user said.
    #[serde(skip_serializing_if = "Engine::is_auto")]
    pub engine: Engine,
    /// Where a model failed, or found nothing, at what stands in `records` all the same: the last try of each.
    #[serde(skip_serializing_if = "Records::is_empty")]
    pub tried: Records,
    /// The user asked for stems, and they have neither been made nor failed since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stems_asked: bool,
    /// When the user asked for the stems that are wanted or failed: nothing that was made or used since goes for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stems_asked_at: Option<Timestamp>,
    /// The stems that lie beside the library; see [`Self::stems_of`] before they are played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stems: Option<Box<StemSet>>,
}

impl Knowledge {
    /// What is shown of a track: what was found, and above it what the user set by hand, which counts as made from
    /// any file there is (`stamp`).
    #[must_use]
    pub fn under_hand(mut self, hand: &ShortByHand, stamp: FileStamp) -> Self {
        if let Some(tempo) = hand.tempo {
            self.summary.bpm = Some(tempo.bpm);
            self.summary.constant_tempo = Some(tempo.is_constant);
            self.summary.beats_confidence = Some(1.0);
        }
        if let Some(key) = hand.key {
            self.summary.key = Some(key);
            self.summary.key_confidence = Some(1.0);
        }
        for artifact in hand.artifacts() {
            let record = ArtifactRecord {
                recipe: Recipe {
                    maker: Maker::User,
                    version: 1,
                    parameters: String::new(),
                    model: None,
                }
                .into(),
                made_from: stamp,
                cpu_secs: 0.0,
                failure: None,
                nothing_found: false,
            };
            self.records.insert(artifact, record);
        }
        self
    }

    /// Whether the user set this by hand.
    pub fn is_by_hand(&self, artifact: Artifact) -> bool {
        let record = self.records.get(&artifact);
        record.is_some_and(|record| record.recipe.maker == Maker::User)
    }

    /// All outcomes: what stands or failed, and what models tried beside that.
    pub fn outcomes(&self) -> impl Iterator<Item = (Artifact, &ArtifactRecord)> {
        let all = self.records.iter().chain(&self.tried);
        all.map(|(artifact, record)| (*artifact, record))
    }

    /// What is known without the failures that are to be tried again some time; `None` when there are none.
    pub fn without_passing_failures(mut self) -> Option<Self> {
        let is_passing = |record: &ArtifactRecord| {
            let failure = record.failure.as_ref();
            failure.is_some_and(|failure| failure.retry_at.is_some())
        };
        if !self.outcomes().any(|(_, record)| is_passing(record)) {
            return None;
        }
        for records in [&mut self.records, &mut self.tried] {
            records.retain(|_, record| !is_passing(record));
        }
        Some(self)
    }

    /// The stems, as long as they were made from the file as it is: others are not in step with it.
    pub fn stems_of(&self, stamp: FileStamp) -> Option<&StemSet> {
        let record = self.records.get(&Artifact::Stems)?;
        self.stems.as_deref().filter(|_| record.made_from == stamp)
    }

    /// Drops the short form of an artifact.
    pub fn forget(&mut self, artifact: Artifact) {
        let summary = &mut self.summary;
        match artifact {
            Artifact::Beats => {
                summary.bpm = None;
                summary.constant_tempo = None;
                summary.beats_confidence = None;
            }
            Artifact::Key => {
                summary.key = None;
                summary.key_confidence = None;
            }
            Artifact::Loudness => summary.loudness = None,
            Artifact::Stems => self.stems = None,
            Artifact::Tags | Artifact::Hash | Artifact::Waveform | Artifact::Chords => {}
        }
    }

    /// Takes the short form of `finding` into the summary.
    pub fn note(&mut self, finding: &Finding) {
        let summary = &mut self.summary;
        match finding {
            Finding::Beats(beats) => {
                summary.bpm = Some(beats.bpm);
                summary.constant_tempo = Some(beats.grid.is_some());
                summary.beats_confidence = Some(beats.confidence);
            }
            Finding::Key(found) => {
                summary.key = Some(found.key);
                summary.key_confidence = Some(found.confidence);
            }
            Finding::Loudness(loudness) => summary.loudness = Some(*loudness),
            Finding::Stems(set) => self.stems = Some(Box::new(*set)),
            Finding::Waveform(_) | Finding::Chords(_) => {}
        }
    }
}
