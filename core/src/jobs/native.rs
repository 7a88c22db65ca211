//! The built-in analyser: one decode of the file feeds waveform, loudness, beats, key and chords.

use crate::analysis::chords::{self, Harmony};
use crate::analysis::chroma::chromagram;
use crate::analysis::rhythm::{self, TempoHint};
use crate::artifact::{Artifact, Maker, Recipe};
use crate::audio::{self, Chapter, ListenError, Wants};
use crate::backend::{Analyser, AnalysisJob, Heard, Made, Stopped};
use crate::beats::Beats;
use crate::control::{Cancelled, Control};
use crate::failure::Failure;
use crate::findings::Finding;
use crate::units::Secs;
use cpu_time::ThreadTime;

/// The analysis in this program itself. Needs nothing installed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

/// Raise a number whenever the same file would give another result.
fn version(artifact: Artifact) -> Option<u32> {
    match artifact {
        Artifact::Waveform | Artifact::Beats | Artifact::Chords | Artifact::Loudness => Some(1),
        Artifact::Key => Some(2),
        Artifact::Tags | Artifact::Hash | Artifact::Stems => None,
    }
}

/// What a chapter of sound and its analysis take at most, per second: mono samples (4 bytes each), their
/// spectra and pitch activations. Measured at 0.33 MB a second on the demo music, rounded up.
const BYTES_PER_SECOND: f64 = 400_000.0;
/// 300 columns of 6 bytes and their coarser levels, while they grow and are copied.
const WAVEFORM_BYTES_PER_SECOND: f64 = 8_000.0;
/// Longer tracks come in shorter chapters.
const LONGEST_CHAPTER_SECS: f64 = 720.0;
/// Decoder, filters, column buffers.
const BYTES_FIXED: f64 = 40_000_000.0;

impl Analyser for Native {
    fn recipe(&self, artifact: Artifact) -> Option<Recipe> {
        Some(Recipe {
            maker: Maker::Native,
            version: version(artifact)?,
            parameters: String::new(),
            model: None,
        })
    }

    fn memory_bytes(&self, duration: Option<Secs>) -> u64 {
        // A header may claim any length: ten hours' worth is booked at most, of which the chapter in hand is the most.
        let secs = duration.map_or(LONGEST_CHAPTER_SECS, |secs| secs.0.clamp(0.0, 36_000.0));
        let chapter = secs.min(LONGEST_CHAPTER_SECS) * BYTES_PER_SECOND;
        (BYTES_FIXED + chapter + secs * WAVEFORM_BYTES_PER_SECOND) as u64
    }

    fn run(
        &self,
        job: &AnalysisJob,
        control: &Control,
        report: &mut dyn FnMut(Made),
    ) -> Result<Option<Heard>, Stopped> {
        let started = ThreadTime::now();
        let wanted = |artifact| job.wants.contains(&artifact);
        let mut ear = Ear::new(job, control);
        let wants = Wants {
            live: job.live.clone(),
            waveform: wanted(Artifact::Waveform),
            loudness: wanted(Artifact::Loudness),
            mono: wanted(Artifact::Beats) || wanted(Artifact::Key) || wanted(Artifact::Chords),
        };
        let heard = match audio::listen(&job.path, &wants, control, &mut |chapter| {
            ear.hear(&chapter);
        }) {
            Ok(heard) => heard,
            Err(ListenError::Cancelled(cancelled)) => return Err(cancelled.into()),
            Err(ListenError::Audio(error)) => {
                report_failure(job, &Failure::from(&error), started, report);
                return Ok(None);
            }
        };
        control.check()?;
        // Decoding serves all; its cost is booked on the first thing that needs it and nothing else.
        let listening = started.elapsed().as_secs_f32() - ear.costs.total();
        let mut decode_share = Some(listening.max(0.0));
        let mut say = |artifact: Artifact, finding: Option<Finding>, own: f32| {
            if job.wants.contains(&artifact) {
                let cpu_secs = own + decode_share.take().unwrap_or(0.0);
                report(Made {
                    artifact,
                    result: Ok(finding),
                    cpu_secs,
                });
            }
        };
        say(
            Artifact::Waveform,
            heard.waveform.map(Finding::Waveform),
            0.0,
        );
        say(
            Artifact::Loudness,
            heard.loudness.map(Finding::Loudness),
            0.0,
        );
        let (beats, harmony, costs) = ear.finish(heard.format.duration);
        say(Artifact::Beats, beats.map(Finding::Beats), costs.rhythm);
        say(
            Artifact::Chords,
            Some(Finding::Chords(harmony.chords)),
            costs.harmony,
        );
        say(Artifact::Key, harmony.key.map(Finding::Key), costs.key);
        let damage = heard.damage.failure(heard.format.duration);
        Ok(Some(Heard {
            format: heard.format,
            damage,
        }))
    }
}

/// The file could not be listened to: every wanted artifact fails for the same reason.
fn report_failure(
    job: &AnalysisJob,
    failure: &Failure,
    started: ThreadTime,
    report: &mut dyn FnMut(Made),
) {
    let share = started.elapsed().as_secs_f32() / job.wants.len().max(1) as f32;
    for artifact in &job.wants {
        report(Made {
            artifact: *artifact,
            result: Err(failure.clone()),
            cpu_secs: share,
        });
    }
}

/// CPU seconds spent on each kind of analysis.
#[derive(Debug, Clone, Copy, Default)]
struct Costs {
    rhythm: f32,
    /// Chroma included: chords need it first.
    harmony: f32,
    key: f32,
}

impl Costs {
    fn total(self) -> f32 {
        self.rhythm + self.harmony + self.key
    }
}

/// Listens to chapter after chapter and keeps what it made of each.
struct Ear<'a> {
    job: &'a AnalysisJob,
    control: &'a Control,
    rhythms: Vec<(Secs, Secs, Option<Beats>)>,
    harmonies: Vec<(Secs, Secs, Harmony)>,
    costs: Costs,
}

impl<'a> Ear<'a> {
    fn new(job: &'a AnalysisJob, control: &'a Control) -> Self {
        Self {
            job,
            control,
            rhythms: Vec::new(),
            harmonies: Vec::new(),
            costs: Costs::default(),
        }
    }

    /// A cancelled chapter leaves no trace: the caller asks `control` again before it uses anything.
    fn hear(&mut self, chapter: &Chapter) {
        if let Err(Cancelled) = self.analyse(chapter) {
            self.rhythms.clear();
            self.harmonies.clear();
        }
    }

    fn analyse(&mut self, chapter: &Chapter) -> Result<(), Cancelled> {
        let length = Secs(chapter.mono.len() as f64 / f64::from(crate::analysis::RATE));
        let end = Secs(chapter.start.0 + length.0);
        let clock = ThreadTime::now();
        let chroma = chromagram(&chapter.mono, self.control)?;
        self.costs.harmony += clock.elapsed().as_secs_f32();

        let clock = ThreadTime::now();
        let beats = if self.job.wants.contains(&Artifact::Beats) {
            let hint = TempoHint {
                tag_bpm: self.job.tag_bpm,
                ..TempoHint::default()
            };
            rhythm::rhythm(&chapter.mono, &chroma, &hint, self.control)?
        } else {
            self.job
                .beats
                .as_ref()
                .map(|beats| beats.between(chapter.start, end))
        };
        self.costs.rhythm += clock.elapsed().as_secs_f32();

        let clock = ThreadTime::now();
        let harmony = chords::harmony(&chroma, beats.as_ref(), length);
        self.costs.harmony += clock.elapsed().as_secs_f32();
        self.rhythms.push((chapter.start, end, beats));
        self.harmonies.push((chapter.start, end, harmony));
        self.control.check()
    }

    fn finish(self, duration: Secs) -> (Option<Beats>, Harmony, Costs) {
        let beats = rhythm::stitch(self.rhythms);
        let harmony = chords::stitch(self.harmonies, duration);
        (beats, harmony, self.costs)
    }
}
