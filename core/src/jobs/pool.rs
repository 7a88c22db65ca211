//! The threads that work on tracks. Each takes one job at a time; a panic in a job is that job's failure, not ours.

use crate::artifact::Artifact;
use crate::audio::LiveColumns;
use crate::backend::{Analyser, AnalysisJob, Heard, Made, Stopped};
use crate::control::{Cancelled, Control};
use crate::failure::{Failure, FailureKind};
use crate::findings::Finding;
use crate::import::tags::TagsRead;
use crate::import::{hash, reading};
use crate::jobs::plan::Recipes;
use crate::stems::StemSet;
use crate::store::{Store, StoreError};
use crate::track::{ContentHash, TrackId};
use crate::units::Secs;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Names one run of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// Everything that is to be made of one track now. The file is read from disk once: hashing warms the
/// cache for decoding.
#[derive(Debug, Clone)]
pub struct TrackJob {
    pub id: JobId,
    pub track: TrackId,
    pub path: PathBuf,
    pub wants: BTreeSet<Artifact>,
    /// How models make those of them that they are to make, as it will be written down.
    pub recipes: Recipes,
    /// Stems that a model made before.
    pub stems: Option<StemSet>,
    pub duration: Option<Secs>,
    pub tag_bpm: Option<f64>,
    /// Where the waveform is to be seen while it grows.
    pub live: Option<LiveColumns>,
    pub control: Control,
}

impl TrackJob {
    /// What models are to make.
    pub fn by_models(&self) -> BTreeSet<Artifact> {
        self.recipes.keys().copied().collect()
    }
}

/// What a running job has to tell.
#[derive(Debug)]
pub enum JobNews {
    Tags(Result<TagsRead, Failure>),
    Hash {
        result: Result<ContentHash, Failure>,
        cpu_secs: f32,
    },
    /// What decoding showed of the file itself.
    Heard(Heard),
    Made(Made),
    /// The last news of a job. What was wanted and not told of has failed for this reason, was cancelled or waits.
    Ended(JobEnd),
}

#[derive(Debug, Clone, PartialEq)]
pub enum JobEnd {
    Complete,
    Cancelled,
    /// What it needs is not there any more, whichever track it is: all that is left of it is still due.
    Unready(Failure),
    /// A panic, caught; its words.
    Panicked(String),
}

/// Told of by job threads.
pub(crate) type Tell = Arc<dyn Fn(JobId, JobNews) + Send + Sync>;

/// Job threads, all idle at first. Dropping it waits for them.
pub(crate) struct Pool {
    jobs: Option<SyncSender<TrackJob>>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads.len())
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// `analysers`: the first that makes an artifact gets to make it, unless it is for `models`.
    pub(crate) fn start(
        slots: usize,
        (analysers, models): (&[Arc<dyn Analyser>], &Arc<dyn Analyser>),
        store: &Arc<Store>,
        tell: &Tell,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(slots);
        let waiting = Arc::new(Mutex::new(waiting));
        let threads = (0..slots)
            .map(|number| {
                let worker = Worker {
                    analysers: analysers.to_vec(),
                    models: Arc::clone(models),
                    store: Arc::clone(store),
                    tell: Arc::clone(tell),
                };
                let waiting = Arc::clone(&waiting);
                std::thread::Builder::new()
                    .name(format!("job-{number}"))
                    .spawn(move || {
                        stand_back();
                        worker.serve(&waiting);
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            jobs: Some(jobs),
            threads,
        })
    }

    /// Hands a job to an idle thread. `false` when there is none, which the planner rules out.
    pub(crate) fn submit(&self, job: TrackJob) -> bool {
        let jobs = self.jobs.as_ref();
        jobs.is_some_and(|jobs| jobs.try_send(job).is_ok())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a job thread panicked outside of any job");
            }
        }
    }
}

/// Gives way to whoever draws or plays: this thread gets what the others of the program leave. Elsewhere than on Linux,
/// threads are left as they are.
fn stand_back() {
    #[cfg(target_os = "linux")]
    {
        // At 15, beside a busy machine, jobs took too long to notice that they are to stop.
        const NICENESS: i32 = 10;
        let thread = rustix::thread::gettid();
        // On Linux a thread has a niceness of its own.
        if let Err(error) = rustix::process::setpriority_process(Some(thread), NICENESS) {
            tracing::debug!(%error, "a job thread keeps its priority");
        }
    }
}

struct Worker {
    analysers: Vec<Arc<dyn Analyser>>,
    models: Arc<dyn Analyser>,
    store: Arc<Store>,
    tell: Tell,
}

impl Worker {
    fn serve(&self, waiting: &Mutex<Receiver<TrackJob>>) {
        loop {
            let next = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
            let Ok(job) = next else { return };
            let id = job.id;
            let end = match catch_unwind(AssertUnwindSafe(|| self.work(&job))) {
                Ok(Ok(())) => JobEnd::Complete,
                Ok(Err(Stopped::Cancelled(Cancelled))) => JobEnd::Cancelled,
                Ok(Err(Stopped::Unready(failure))) => JobEnd::Unready(failure),
                Err(panic) => JobEnd::Panicked(panic_text(panic.as_ref())),
            };
            (self.tell)(id, JobNews::Ended(end));
        }
    }

    fn work(&self, job: &TrackJob) -> Result<(), Stopped> {
        let tell = |news| (self.tell)(job.id, news);
        job.control.check()?;
        if let Err(failure) = reachable(&job.path) {
            for artifact in &job.wants {
                let result = Err(failure.clone());
                tell(JobNews::Made(Made {
                    artifact: *artifact,
                    result,
                    cpu_secs: 0.0,
                }));
            }
            return Ok(());
        }
        if job.wants.contains(&Artifact::Tags) {
            tell(JobNews::Tags(reading::read(&job.path)));
        }
        if job.wants.contains(&Artifact::Hash) {
            let clock = cpu_time::ThreadTime::now();
            let result = hash::sha256(&job.path, &job.control, &mut |_bytes| ());
            job.control.check()?;
            tell(JobNews::Hash {
                result,
                cpu_secs: clock.elapsed().as_secs_f32(),
            });
        }
        self.analyse(job)
    }

    /// Gives models and analysers their parts of the wanted artifacts.
    fn analyse(&self, job: &TrackJob) -> Result<(), Stopped> {
        let mut fresh = None;
        let by_models = job.by_models();
        let mut left = &job.wants - &by_models;
        if !by_models.is_empty() {
            self.part(job, (&self.models, by_models), &mut fresh)?;
        }
        for analyser in &self.analysers {
            let mine: BTreeSet<Artifact> = left
                .iter()
                .filter(|artifact| analyser.recipe(**artifact).is_some())
                .copied()
                .collect();
            left.retain(|artifact| !mine.contains(artifact));
            if !mine.is_empty() {
                self.part(job, (analyser, mine), &mut fresh)?;
            }
        }
        Ok(())
    }

    /// One analyser's part. `fresh`: beats that this job has made, which may not be on the disk yet.
    fn part(
        &self,
        job: &TrackJob,
        (analyser, wants): (&Arc<dyn Analyser>, BTreeSet<Artifact>),
        fresh: &mut Option<crate::beats::Beats>,
    ) -> Result<(), Stopped> {
        let part = AnalysisJob {
            track: job.track,
            path: job.path.clone(),
            beats: fresh.clone().or_else(|| self.beats_for(job, &wants)),
            stems: job.stems,
            wants,
            recipes: job.recipes.clone(),
            duration: job.duration,
            tag_bpm: job.tag_bpm,
            live: job.live.clone(),
        };
        let heard = analyser.run(&part, &job.control, &mut |made| {
            if let Ok(Some(Finding::Beats(beats))) = &made.result {
                *fresh = Some(beats.clone());
            }
            (self.tell)(job.id, JobNews::Made(made));
        })?;
        if let Some(heard) = heard {
            (self.tell)(job.id, JobNews::Heard(heard));
        }
        Ok(())
    }

    /// Stored beats for a part that needs them, also where it may find better ones: the user's, where there are such.
    fn beats_for(&self, job: &TrackJob, part: &BTreeSet<Artifact>) -> Option<crate::beats::Beats> {
        let needed = part
            .iter()
            .any(|artifact| crate::jobs::plan::needs(*artifact).contains(&Artifact::Beats));
        if !needed {
            return None;
        }
        let shown = || match self.store.by_hand_as_far_as_sound(job.track)?.0.beats {
            Some(beats) => Ok(Some(beats)),
            None => self.store.beats(job.track),
        };
        shown().unwrap_or_else(|error: StoreError| {
            tracing::warn!(track = %job.track, %error, "stored beats cannot be read");
            None
        })
    }
}

/// Whether the file is there and is a file, before anything is tried on it.
fn reachable(path: &std::path::Path) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(Failure::new(
            FailureKind::Unsupported,
            "this is not a regular file",
            "Import the music file itself",
        )),
        Err(error) => Err(Failure::from_io(&error)),
    }
}

/// The words of a caught panic.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}
