//! One line of the library: a track, what is known of it, and how far its analysis is.

use crate::artifact::{Artifact, ArtifactRecord, Engine};
use crate::failure::FailureKind;
use crate::findings::Knowledge;
use crate::stems::StemSet;
use crate::track::{Track, TrackId};

/// How far a track is. The names are those of the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrackState {
    /// Everything that the present settings ask for is there.
    Ready,
    /// Something is being worked on.
    Analyzing,
    /// Something is still due, nothing is being worked on.
    Partial,
    /// The file is damaged, or something failed that every track should have, and nothing else is due.
    Failed,
    /// The file is not there.
    Missing,
    /// A streaming service has it: no file is to be expected.
    Streaming,
}

impl TrackState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Analyzing => "analyzing",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Streaming => "streaming",
        }
    }
}

/// The state of one artifact of one track. The names are those of the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArtifactState {
    /// Nobody asked for it.
    Absent,
    /// Will be made as soon as there is room.
    Due,
    Running,
    Done,
    Failed,
    /// Needs another artifact first.
    Waiting,
}

impl ArtifactState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Due => "due",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
        }
    }
}

/// One line of the library. Immutable: a change makes a new row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// In a place of its own, which it keeps from the moment it was read: a place that is left stays empty, as hardly
    /// anything else is of its size.
    pub track: Box<Track>,
    /// As the track.
    pub knowledge: Box<Knowledge>,
    pub state: TrackState,
    /// One entry for each of [`Artifact::ALL`], in that order.
    pub artifacts: [ArtifactState; Artifact::ALL.len()],
    /// Other tracks of the library with the same bytes.
    pub duplicates: Vec<TrackId>,
    /// Another number whenever anything of the track was written: what was read for an earlier one is stale.
    pub revision: u64,
    /// What a search for words looks through: see `query::search_text`.
    pub search_text: String,
}

impl Row {
    /// Whether something is wrong that the user should find, whatever else is ready: the file is damaged, or something
    /// failed, also of what was asked for beyond the usual, as stems are, or asked of a model. A missing file is another
    /// matter.
    pub fn has_failure(&self) -> bool {
        !self.track.missing && (self.track.damage.is_some() || self.has_failed())
    }

    /// Whether something failed, whoever was to make it.
    pub fn has_failed(&self) -> bool {
        self.failed().next().is_some() || self.failed_by_models().next().is_some()
    }

    /// Where a model failed at what it is asked for, in the order of [`Artifact::ALL`]. What the built-in analysis made
    /// stands all the same.
    pub fn failed_by_models(&self) -> impl Iterator<Item = (Artifact, &ArtifactRecord)> {
        let knowledge = &self.knowledge;
        let is_asked = |artifact: Artifact| match (knowledge.engine, artifact) {
            (Engine::Native, _) => false,
            // Those that are asked for once more have not failed yet.
            (_, Artifact::Stems) if knowledge.stems_asked => false,
            (Engine::Neural, _) | (Engine::Auto, Artifact::Beats) => true,
            (Engine::Auto, Artifact::Stems) => {
                knowledge.stems.is_some() && knowledge.stems_asked_at.is_some()
            }
            (Engine::Auto, _) => false,
        };
        let states = Artifact::ALL.into_iter().zip(self.artifacts);
        states.filter_map(move |(artifact, state)| {
            let record = knowledge.tried.get(&artifact)?;
            let has_failed = record.failure.is_some() && record.made_from == self.track.stamp;
            let is_over = state != ArtifactState::Running && !self.track.missing;
            (has_failed && is_over && is_asked(artifact)).then_some((artifact, record))
        })
    }

    /// What failed, in the order of [`Artifact::ALL`].
    pub fn failed(&self) -> impl Iterator<Item = Artifact> {
        let states = Artifact::ALL.into_iter().zip(self.artifacts);
        states.filter_map(|(artifact, state)| (state == ArtifactState::Failed).then_some(artifact))
    }

    /// What failed of a track that is ready or becomes so all the same, as the state alone does not say it.
    pub fn failed_beside(&self) -> impl Iterator<Item = Artifact> {
        let says_it = match self.state {
            TrackState::Failed | TrackState::Missing | TrackState::Streaming => true,
            TrackState::Ready | TrackState::Analyzing | TrackState::Partial => false,
        };
        self.failed().filter(move |_| !says_it)
    }

    /// Whether no sound was found in the file as it is: nothing that is made of sound can be made of it.
    pub fn is_undecodable(&self) -> bool {
        let records =
            [Artifact::Waveform, Artifact::Beats].map(|it| self.knowledge.records.get(&it));
        records.into_iter().flatten().any(|record| {
            // A file that could not be read may be readable again without a change.
            let is_of_sound = record.failure.as_ref().is_some_and(|failure| {
                matches!(
                    failure.kind,
                    FailureKind::Unsupported | FailureKind::Damaged | FailureKind::Empty
                )
            });
            is_of_sound && record.made_from == self.track.stamp
        })
    }

    /// The stems that may be played in step with the file.
    pub fn stems(&self) -> Option<&StemSet> {
        self.knowledge.stems_of(self.track.stamp)
    }
}
