//! The built-in separation as an analyser: a draft of the four stems, into the library.

use crate::analysis::draft_stems::Draft;
use crate::artifact::{Artifact, Maker, Recipe};
use crate::audio::AudioError;
use crate::audio::stereo::Stereo;
use crate::backend::{Analyser, AnalysisJob, Heard, Made, Stopped};
use crate::control::{Cancelled, Control};
use crate::failure::Failure;
use crate::findings::Finding;
use crate::stems::drive::Drive;
use crate::stems::{self, StemError, StemSet, StemWriter, room};
use crate::units::{SampleRate, Secs};
use cpu_time::ThreadTime;
use jiff::Timestamp;
use std::sync::Arc;

/// Raised whenever the same file would give other stems.
const VERSION: u32 = 1;
/// What decoder, separation and encoders hold, whatever the length.
const BYTES_FIXED: f64 = 120_000_000.0;
/// Waveforms of four stems, 300 columns of 6 bytes a second each, while they grow and are copied.
const BYTES_PER_SECOND: f64 = 32_000.0;

/// Makes draft stems where nothing better is installed.
#[derive(Debug, Clone)]
pub struct DraftStems {
    /// That of the library that they go to.
    pub drive: Arc<Drive>,
}

/// Why there are no stems.
enum Trouble {
    Cancelled(Cancelled),
    Failed(Failure),
}

impl From<Cancelled> for Trouble {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

impl From<AudioError> for Trouble {
    fn from(error: AudioError) -> Self {
        Self::Failed(Failure::from(&error))
    }
}

impl From<StemError> for Trouble {
    fn from(error: StemError) -> Self {
        match error.failure() {
            Some(failure) => Self::Failed(failure),
            None => Self::Cancelled(Cancelled),
        }
    }
}

impl Analyser for DraftStems {
    fn recipe(&self, artifact: Artifact) -> Option<Recipe> {
        (artifact == Artifact::Stems).then(|| Recipe {
            maker: Maker::Native,
            version: VERSION,
            parameters: String::new(),
            model: None,
        })
    }

    fn memory_bytes(&self, duration: Option<Secs>) -> u64 {
        memory_bytes(duration)
    }

    fn run(
        &self,
        job: &AnalysisJob,
        control: &Control,
        report: &mut dyn FnMut(Made),
    ) -> Result<Option<Heard>, Stopped> {
        let clock = ThreadTime::now();
        let (result, heard) = match self.separate(job, control) {
            Ok((set, heard)) => (Ok(Some(Finding::Stems(set))), Some(heard)),
            Err(Trouble::Failed(failure)) => (Err(failure), None),
            Err(Trouble::Cancelled(cancelled)) => return Err(cancelled.into()),
        };
        report(Made {
            artifact: Artifact::Stems,
            result,
            cpu_secs: clock.elapsed().as_secs_f32(),
        });
        Ok(heard)
    }
}

/// Memory that separating a track of this length takes at most, in bytes.
pub(crate) fn memory_bytes(duration: Option<Secs>) -> u64 {
    // Ten hours' worth is booked at most, whatever a header claims.
    let secs = duration.map_or(0.0, |secs| secs.0.clamp(0.0, 36_000.0));
    (BYTES_FIXED + secs * BYTES_PER_SECOND) as u64
}

impl DraftStems {
    fn separate(&self, job: &AnalysisJob, control: &Control) -> Result<(StemSet, Heard), Trouble> {
        let rate = SampleRate::new(stems::RATE).ok_or(Cancelled)?;
        // Before any room is asked for: a file that cannot be read needs none.
        let mut sound = Stereo::open(&job.path, rate)?;
        let expected = room::expected_bytes(job.duration);
        let mut booking = self.drive.book(expected).map_err(Trouble::Failed)?;
        let mut writer = StemWriter::create(self.drive.library(), job.track, rate)?;
        let mut draft = Draft::default();
        let mut piece = Vec::new();
        while sound.next(&mut piece)? {
            control.check()?;
            // A thread that gives way to others is asked after every few milliseconds of work.
            draft.push(&piece, &mut |mix, stems| {
                control.check()?;
                writer.push(stems, Some(mix))
            })?;
            piece.clear();
            control.set_progress(sound.progress());
            let left = 1.0 - f64::from(sound.progress().clamp(0.0, 1.0));
            booking.shrink_to((expected as f64 * left) as u64);
        }
        draft.finish(&mut |mix, stems| writer.push(stems, Some(mix)))?;
        control.check()?;
        let set = writer.finish(Maker::Native, Timestamp::now(), control)?;
        control.set_progress(1.0);
        let format = sound.format().clone();
        let damage = sound.damage().failure(format.duration);
        Ok((set, Heard { format, damage }))
    }
}
