//! The trait behind which every analyser stands: one job in; results, progress and cancellation out.

use crate::artifact::{Artifact, Recipe};
use crate::audio::LiveColumns;
use crate::beats::Beats;
use crate::control::{Cancelled, Control};
use crate::failure::Failure;
use crate::findings::Finding;
use crate::jobs::plan::Recipes;
use crate::stems::StemSet;
use crate::track::{AudioFormat, TrackId};
use crate::units::Secs;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;

/// Work on one track.
#[derive(Debug, Clone)]
pub struct AnalysisJob {
    pub track: TrackId,
    pub path: PathBuf,
    /// Never empty; all made by the same analyser.
    pub wants: BTreeSet<Artifact>,
    /// How what models make of it will be written down: results of other models than these are of no use. What is not
    /// in it is not written down, and any will do.
    pub recipes: Recipes,
    /// Length by the container, where it tells.
    pub duration: Option<Secs>,
    /// Tempo by the tags: a hint for the octave, no more.
    pub tag_bpm: Option<f64>,
    /// Where the waveform is to be seen while it grows.
    pub live: Option<LiveColumns>,
    /// Beats from an earlier run, for jobs that need them and do not make them.
    pub beats: Option<Beats>,
    /// Stems from an earlier run that a model made, likewise.
    pub stems: Option<StemSet>,
}

/// The outcome for one artifact of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub artifact: Artifact,
    /// `Ok(None)`: the work was done and there is nothing of the kind (no beats in silence).
    pub result: Result<Option<Finding>, Failure>,
    /// CPU time that this artifact took.
    pub cpu_secs: f32,
}

/// What a decode showed of the file itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// With the exact length.
    pub format: AudioFormat,
    /// Why not all of the file was heard.
    pub damage: Option<Failure>,
}

/// Why a job ended before its time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stopped {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// What the analyser works with is not there any more: says nothing of the track, and every other would fare alike.
    #[error("{}", .0.message)]
    Unready(Failure),
}

/// Makes artifacts. Runs on threads of the pool, several jobs at once.
pub trait Analyser: Send + Sync + Debug {
    /// How this analyser makes `artifact` now; `None` when it does not.
    fn recipe(&self, artifact: Artifact) -> Option<Recipe>;

    /// Memory that a job on a track of this length takes at most, in bytes.
    fn memory_bytes(&self, duration: Option<Secs>) -> u64;

    /// Does the job. `report` gets each wanted artifact at most once, as soon as it is there. What is not
    /// reported when this returns counts as failed by a bug, and is still due where it stopped.
    ///
    /// Returns what decoding showed of the file, when it came to that.
    fn run(
        &self,
        job: &AnalysisJob,
        control: &Control,
        report: &mut dyn FnMut(Made),
    ) -> Result<Option<Heard>, Stopped>;
}
