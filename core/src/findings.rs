//! What analysis found of one track: full results, and the short form that rows and searches use.

use crate::artifact::{Artifact, ArtifactRecord};
use crate::beats::Beats;
use crate::harmony::{ChordSpan, Key, KeyFinding};
use crate::loudness::Loudness;
use crate::units::Bpm;
use crate::waveform::Waveform;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One artifact's result, as an analyser hands it over and the store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    Waveform(Waveform),
    Beats(Beats),
    Key(KeyFinding),
    Chords(Vec<ChordSpan>),
    Loudness(Loudness),
}

impl Finding {
    pub fn artifact(&self) -> Artifact {
        match self {
            Self::Waveform(_) => Artifact::Waveform,
            Self::Beats(_) => Artifact::Beats,
            Self::Key(_) => Artifact::Key,
            Self::Chords(_) => Artifact::Chords,
            Self::Loudness(_) => Artifact::Loudness,
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
    pub records: BTreeMap<Artifact, ArtifactRecord>,
    pub summary: Summary,
}

impl Knowledge {
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
            Artifact::Tags
            | Artifact::Hash
            | Artifact::Waveform
            | Artifact::Chords
            | Artifact::Stems => {}
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
            Finding::Waveform(_) | Finding::Chords(_) => {}
        }
    }
}
