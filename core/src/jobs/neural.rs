//! The analyser behind which the models stand: beats, then stems, then chords and key from what the stems hold.

mod sound;
mod trouble;

pub(crate) use trouble::gone;

use crate::analysis::heard::{self, HeardSpan};
use crate::analysis::rhythm;
use crate::artifact::{Artifact, Maker, Recipe};
use crate::audio::Decoder;
use crate::backend::{Analyser, AnalysisJob, Heard, Made, Stopped};
use crate::beats::Beats;
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use crate::findings::Finding;
use crate::jobs::plan::{Outlook, Recipes};
use crate::python::Workers;
use crate::python::device::{self, KnownDevice};
use crate::python::environment::{self, Environment};
use crate::python::protocol::{Family, HeardBeats, HeardHarmony, Malformed, SplitStems};
use crate::python::worker::{Patience, Ran, Task};
use crate::setup::Places;
use crate::stems::drive::{Booking, Drive};
use crate::stems::{self, Stem, StemFiles, StemSet, StemWriter, room};
use crate::units::{SampleRate, Secs};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use sound::Sound;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use trouble::{Trouble, not_whole, of_file, replaced};

/// Raised whenever the same model would give another result.
fn version(artifact: Artifact) -> u32 {
    match artifact {
        // Since 2 with their lowest notes. Key 2 and chords 3: the spectrum differs a little at the ends of chunks.
        Artifact::Chords => 3,
        Artifact::Key => 2,
        _ => 1,
    }
}

/// What a worker takes with its model and one piece of sound, in bytes; measured, rounded up.
const BYTES: [(Family, u64); 3] = [
    (Family::Beats, 1_000_000_000),
    (Family::Stems, 1_700_000_000),
    (Family::Harmony, 1_000_000_000),
];
/// CPU seconds for each second of sound on one thread, and before the first; measured on an old processor.
const COSTS: [(Family, f64); 3] = [
    (Family::Beats, 0.1),
    (Family::Stems, 0.9),
    (Family::Harmony, 0.05),
];
const FIXED_SECS: f64 = 20.0;

/// Which family makes what, and in whose name.
pub fn family(artifact: Artifact) -> Option<(Family, Maker)> {
    match artifact {
        Artifact::Beats => Some((Family::Beats, Maker::BeatThis)),
        Artifact::Stems => Some((Family::Stems, Maker::Htdemucs)),
        Artifact::Key | Artifact::Chords => Some((Family::Harmony, Maker::Ace)),
        Artifact::Tags | Artifact::Hash | Artifact::Waveform | Artifact::Loudness => None,
    }
}

/// The models of this machine as an analyser.
#[derive(Debug)]
pub struct Neural {
    places: Places,
    /// That of the library.
    drive: Arc<Drive>,
    threads: usize,
    workers: Workers,
    /// What can be made now, and how.
    recipes: ArcSwap<Recipes>,
    spent: Mutex<Spent>,
}

/// CPU seconds that workers have taken for all tracks together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spent {
    pub workers: f64,
    /// Of those, in the networks.
    pub networks: f64,
}

impl Neural {
    pub fn new(places: Places, drive: Arc<Drive>) -> Self {
        let neural = Self {
            places,
            drive,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            workers: Workers::new(Patience::default()),
            recipes: ArcSwap::default(),
            spent: Mutex::default(),
        };
        neural.refresh();
        neural
    }

    /// Looks again what can be made. Reads small files and starts nothing.
    pub fn refresh(&self) -> Outlook {
        let environment = match &self.places.worker {
            Some(_) => None,
            None => Some(environment::check(&self.places.cache)),
        };
        let broken = match environment {
            Some(Environment::Absent) => {
                self.recipes.store(Arc::default());
                return Outlook::default();
            }
            Some(Environment::Broken { reason }) => Some(not_whole(&reason)),
            Some(Environment::Ready(_)) | None => None,
        };
        let recipes: Recipes = Artifact::ALL
            .into_iter()
            .filter_map(|artifact| {
                let (family, maker) = family(artifact)?;
                let (_, sha256) = self.places.setting(family, self.threads)?;
                let recipe = Recipe {
                    maker,
                    version: version(artifact),
                    parameters: String::new(),
                    model: Some(sha256),
                };
                Some((artifact, recipe))
            })
            .collect();
        let ready = broken
            .as_ref()
            .map_or_else(|| recipes.clone(), |_| Recipes::new());
        self.recipes.store(Arc::new(ready));
        Outlook { recipes, broken }
    }

    /// What was taken until now.
    pub fn spent(&self) -> Spent {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends idle workers: before the environment is replaced.
    pub fn let_go(&self) {
        self.workers.cool();
    }

    /// A folder for the sound of one job, which goes with it. A full drive would stop the whole library, so that room
    /// for `bytes` is kept first, as long as the job lasts.
    fn scratch(&self, bytes: u64) -> Result<(TempDir, Booking), Trouble> {
        let booking = self.drive.book(bytes).map_err(Trouble::Failed)?;
        let scratch = self.drive.library().join("scratch");
        let folder = std::fs::create_dir_all(&scratch)
            .and_then(|()| {
                let mut mine = tempfile::Builder::new();
                mine.prefix("sound-").tempdir_in(&scratch)
            })
            .map_err(|error| of_file(&error, &scratch))?;
        Ok((folder, booking))
    }

    /// Lets the model of a family work on a sound.
    fn ask(
        &self,
        (family, recipes): (Family, &Recipes),
        (sound, out): (&Sound, &Path),
        control: &Control,
    ) -> Result<Ran, Trouble> {
        let not_whole = || {
            let broken = self.refresh().broken;
            Trouble::Unready(broken.unwrap_or_else(|| not_whole("it is not there")))
        };
        let gone = || Trouble::Unready(gone(family));
        let launch = self.places.launch(self.threads)?.ok_or_else(not_whole)?;
        let (setting, sha256) = self.places.setting(family, self.threads).ok_or_else(gone)?;
        if !is_meant(recipes, family, &sha256) {
            return Err(Trouble::Unready(replaced(family)));
        }
        let task = Task {
            family,
            setting: &setting,
            pcm: &sound.path,
            frames: sound.frames,
            out,
            expected: expected(family, sound.length()),
        };
        let ran = self.workers.run(&launch, &task, control)?;
        self.note_device(&ran);
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.workers += ran.done.cpu_seconds;
        spent.networks += ran.done.inference_cpu_seconds;
        drop(spent);
        tracing::info!(
            %family,
            device = %ran.device(),
            secs = sound.length().0,
            cpu = ran.done.cpu_seconds,
            inference = ran.done.inference_seconds,
            rss = ran.done.rss_bytes,
            "a model has worked"
        );
        Ok(ran)
    }

    fn note_device(&self, ran: &Ran) {
        let now = KnownDevice {
            device: ran.device().to_owned(),
            devices: ran.loaded.devices.clone(),
            short: self.workers.short(),
        };
        // Others write there as well.
        if device::known(&self.places.cache).as_ref() != Some(&now) {
            device::keep(&self.places.cache, &now);
        }
    }

    fn beats(&self, job: &AnalysisJob, control: &Control) -> Result<(Option<Beats>, f64), Trouble> {
        let (folder, _booking) = self.scratch(raw_bytes(job.duration, MONO))?;
        let sound = Sound::mono(&job.path, folder.path(), control)?;
        let ran = self.ask(
            (Family::Beats, &job.recipes),
            (&sound, folder.path()),
            control,
        )?;
        let heard = HeardBeats::read(ran.done.result, sound.length())?;
        let heard = rhythm::Heard {
            beats: &heard.beats,
            downbeats: &heard.downbeats,
            scores: &heard.beat_scores,
        };
        let beats = rhythm::from_heard(heard, sound.length(), job.tag_bpm);
        Ok((beats, ran.done.cpu_seconds))
    }

    fn separate(&self, job: &AnalysisJob, control: &Control) -> Result<(StemSet, f64), Trouble> {
        // Before any room is asked for: a file that cannot be read needs none.
        drop(Decoder::open(&job.path)?);
        let expected = room::expected_bytes(job.duration);
        // The mix, four stems, and the set that is made of them.
        let raw = raw_bytes(job.duration, STEREO);
        let all = raw.saturating_mul(5).saturating_add(expected);
        let (folder, mut booking) = self.scratch(all)?;
        let sound = Sound::stereo(&job.path, folder.path(), control)?;
        booking.shrink_to(all.saturating_sub(raw));
        let out = folder.path().join("out");
        std::fs::create_dir(&out).map_err(|error| of_file(&error, &out))?;
        let ran = self.ask((Family::Stems, &job.recipes), (&sound, &out), control)?;
        booking.shrink_to(expected);
        let split = SplitStems::read(ran.done.result)?;
        if split.frames != sound.frames {
            return Err(Malformed(format!(
                "stems of {} frames for {}",
                split.frames, sound.frames
            ))
            .into());
        }
        let open = |stem: Stem| -> Result<BufReader<File>, Trouble> {
            let name = split.files.get(stem.name());
            let name = name.ok_or_else(|| Malformed(format!("no {stem} among the stems")))?;
            let file = File::open(out.join(name)).map_err(|error| {
                Malformed(format!("the file of {stem} cannot be read: {error}"))
            })?;
            Ok(BufReader::with_capacity(1 << 18, file))
        };
        let (mut drums, mut bass) = (open(Stem::Drums)?, open(Stem::Bass)?);
        let (mut other, mut vocals) = (open(Stem::Other)?, open(Stem::Vocals)?);
        let mix = File::open(&sound.path).map_err(|error| of_file(&error, &sound.path))?;
        let mut mix = BufReader::with_capacity(1 << 18, mix);
        let rate = SampleRate::new(stems::RATE).ok_or(Cancelled)?;
        let mut writer = StemWriter::create(self.drive.library(), job.track, rate)?;
        let four: [&mut dyn Read; 4] = [&mut drums, &mut bass, &mut other, &mut vocals];
        writer.take(four, Some(&mut mix), control)?;
        control.check()?;
        let set = writer.finish(Maker::Htdemucs, Timestamp::now(), control)?;
        Ok((set, ran.done.cpu_seconds))
    }

    fn harmony(
        &self,
        (stems, recipes): (&StemFiles, &Recipes),
        control: &Control,
    ) -> Result<(HeardHarmony, Secs, f64), Trouble> {
        let (folder, _booking) = self.scratch(raw_bytes(Some(stems.duration()), MONO))?;
        let sound = Sound::of_stems(stems, [Stem::Bass, Stem::Other], folder.path(), control)?;
        let ran = self.ask((Family::Harmony, recipes), (&sound, folder.path()), control)?;
        let heard = HeardHarmony::read(ran.done.result, sound.length())?;
        Ok((heard, sound.length(), ran.done.cpu_seconds))
    }
}

/// Whether this is the model that the results of a job are written down for.
fn is_meant(recipes: &Recipes, family: Family, sha256: &str) -> bool {
    let mut mine = recipes
        .iter()
        .filter(|(artifact, _)| self::family(**artifact).is_some_and(|it| it.0 == family));
    mine.all(|(_, recipe)| recipe.model.as_deref() == Some(sha256))
}

fn expected(family: Family, length: Secs) -> Duration {
    let costs = COSTS.into_iter().find(|(known, _)| *known == family);
    let per_sec = costs.map_or(1.0, |(_, cost)| cost);
    Duration::from_secs_f64(FIXED_SECS + per_sec * length.0.clamp(0.0, 100_000.0))
}

/// Memory that the models for these artifacts take at most, in bytes: one after the other, each warm for a while.
pub fn memory_bytes(wants: impl IntoIterator<Item = Artifact>) -> u64 {
    let families: std::collections::BTreeSet<Family> = wants
        .into_iter()
        .filter_map(|artifact| Some(family(artifact)?.0))
        .collect();
    let bytes = BYTES
        .into_iter()
        .filter(|(family, _)| families.contains(family));
    bytes.map(|(_, bytes)| bytes).sum()
}

impl Analyser for Neural {
    fn recipe(&self, artifact: Artifact) -> Option<Recipe> {
        self.recipes.load().get(&artifact).cloned()
    }

    fn memory_bytes(&self, _duration: Option<Secs>) -> u64 {
        memory_bytes(Artifact::ALL)
    }

    fn run(
        &self,
        job: &AnalysisJob,
        control: &Control,
        report: &mut dyn FnMut(Made),
    ) -> Result<Option<Heard>, Stopped> {
        let mut beats = job.beats.clone();
        if job.wants.contains(&Artifact::Beats) {
            let result = self.beats(job, control);
            if let Ok((Some(found), _)) = &result {
                beats = Some(found.clone());
            }
            tell(Artifact::Beats, result, Finding::Beats, report)?;
        }
        let files = job
            .stems
            .map(|set| set.files(self.drive.library(), job.track));
        let mut files = files;
        let mut broken = None;
        if job.wants.contains(&Artifact::Stems) {
            let result = self
                .separate(job, control)
                .map(|(set, cpu)| (Some(set), cpu));
            match &result {
                Ok((Some(set), _)) => files = Some(set.files(self.drive.library(), job.track)),
                Ok((None, _)) | Err(Trouble::Cancelled | Trouble::Unready(_)) => {}
                Err(Trouble::Failed(failure)) => broken = Some(failure.clone()),
            }
            tell(Artifact::Stems, result, Finding::Stems, report)?;
        }
        let harmonic = [Artifact::Chords, Artifact::Key];
        if !harmonic.iter().any(|it| job.wants.contains(it)) {
            return Ok(None);
        }
        let heard = match (files, broken) {
            (Some(files), None) => self.harmony((&files, &job.recipes), control),
            (_, Some(failure)) => Err(Trouble::Failed(Failure {
                message: format!("chords are read from the stems: {}", failure.message),
                ..failure
            })),
            (None, None) => Err(Trouble::Failed(Failure::new(
                FailureKind::Empty,
                "chords are read from the stems, and there are none",
                "Let stems be made first: tonearm stems",
            ))),
        };
        let heard =
            heard.map(|(heard, length, cpu)| (of_harmony(&heard, beats.as_ref(), length), cpu));
        for artifact in harmonic.into_iter().filter(|it| job.wants.contains(it)) {
            let result = match &heard {
                Ok((findings, cpu)) => {
                    let finding = findings
                        .iter()
                        .find(|it| it.artifact() == artifact)
                        .cloned();
                    // The model ran once for both.
                    let share = if artifact == Artifact::Chords {
                        *cpu
                    } else {
                        0.0
                    };
                    Ok((finding, share))
                }
                Err(Trouble::Cancelled) => return Err(Cancelled.into()),
                Err(Trouble::Unready(failure)) => return Err(Stopped::Unready(failure.clone())),
                Err(Trouble::Failed(failure)) => Err(Trouble::Failed(failure.clone())),
            };
            tell(artifact, result, |finding| finding, report)?;
        }
        Ok(None)
    }
}

fn tell<T>(
    artifact: Artifact,
    result: Result<(Option<T>, f64), Trouble>,
    as_finding: impl Fn(T) -> Finding,
    report: &mut dyn FnMut(Made),
) -> Result<(), Stopped> {
    let (result, cpu_secs) = match result {
        Ok((found, cpu)) => (Ok(found.map(as_finding)), cpu),
        Err(Trouble::Cancelled) => return Err(Cancelled.into()),
        Err(Trouble::Unready(failure)) => return Err(Stopped::Unready(failure)),
        Err(Trouble::Failed(failure)) => (Err(failure), 0.0),
    };
    report(Made {
        artifact,
        result,
        cpu_secs: cpu_secs as f32,
    });
    Ok(())
}

fn of_harmony(heard: &HeardHarmony, beats: Option<&Beats>, length: Secs) -> Vec<Finding> {
    let spans: Vec<HeardSpan<'_>> = heard
        .spans
        .iter()
        .map(|span| HeardSpan {
            start: span.start,
            end: span.end,
            label: &span.label,
            confidence: span.confidence,
            notes: span.notes,
        })
        .collect();
    let chords = Finding::Chords(heard::chords(&spans, beats, length));
    let key = heard::key(&spans, beats).map(Finding::Key);
    key.into_iter().chain([chords]).collect()
}
/// Bytes of a second of sound as models read it: floats at 22.05 kHz, and stereo at 44.1 kHz.
const MONO: u64 = 22_050 * 4;
const STEREO: u64 = 44_100 * 2 * 4;
/// A track whose length nobody knows yet, seconds.
const USUAL_SECS: f64 = 600.0;

fn raw_bytes(length: Option<Secs>, per_second: u64) -> u64 {
    let secs = length.map_or(USUAL_SECS, |length| length.0);
    let secs = if secs.is_finite() {
        secs.max(0.0)
    } else {
        USUAL_SECS
    };
    (secs * per_second as f64) as u64
}
