//! `bench --models`: how long the models take for a track on this machine, once they are warm.

use crate::cli::Context;
use crate::cli::library::{interruptible, places};
use crate::cli::show::engine;
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use cpu_time::ProcessTime;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use tonearm_core::artifact::{Artifact, Maker};
use tonearm_core::backend::{Analyser as _, AnalysisJob, Stopped};
use tonearm_core::failure::Failure;
use tonearm_core::jobs::neural::{Neural, Spent, family};
use tonearm_core::setup::{DeviceView, run::survey};
use tonearm_core::stems::drive::Drive;
use tonearm_core::track::TrackId;
use tonearm_core::units::Secs;

/// The length of a usual track, in seconds: times are told for it, so that machines can be compared.
const TRACK: f64 = 210.0;

/// What one model took.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    model: Maker,
    /// What it ran on: `cpu`, `cuda:0`, `mps`.
    device: String,
    audio_seconds: f64,
    /// By the clock, from the file to the result; a model for chords begins with its stems.
    seconds: f64,
    /// At that speed, for three and a half minutes of music.
    seconds_per_track: f64,
}

/// What a track takes from its file to the last result, all models together, in CPU seconds.
#[derive(Debug, Serialize)]
pub(super) struct Chain {
    /// Decoding, and what is made of the answers: this program.
    program_cpu_seconds: f64,
    workers_cpu_seconds: f64,
    /// Of the workers', in the networks.
    networks_cpu_seconds: f64,
    /// What is taken beyond the networks, as a part of what they take.
    overhead: f64,
}

impl Chain {
    fn of(program: f64, (before, after): (Spent, Spent)) -> Option<Self> {
        let workers = after.workers - before.workers;
        let networks = after.networks - before.networks;
        (networks > 0.0).then(|| Self {
            program_cpu_seconds: program,
            workers_cpu_seconds: workers,
            networks_cpu_seconds: networks,
            overhead: (program + workers) / networks - 1.0,
        })
    }
}

/// Lets every model that is ready work on `file` twice, and counts the second time. No lines: none of them could.
pub(super) fn run(
    context: &Context,
    file: &Path,
    length: Secs,
) -> Result<(Vec<Line>, Option<Chain>), Exit> {
    let places = places()?;
    let scratch = tempfile::tempdir()?;
    let neural = Neural::new(places.clone(), Drive::of(scratch.path().to_path_buf()));
    let mut wants: BTreeSet<Artifact> = Artifact::ALL
        .into_iter()
        .filter(|artifact| neural.recipe(*artifact).is_some())
        .collect();
    if wants.contains(&Artifact::Chords) && !wants.contains(&Artifact::Stems) {
        wants.retain(|artifact| !matches!(artifact, Artifact::Chords | Artifact::Key));
        Output::note(
            "tonearm: chords and key are left out: they are read from stems, whose model is not ready",
        );
    }
    if wants.is_empty() {
        return Err(Exit::Failed(
            "no model is ready: run tonearm setup".to_owned(),
        ));
    }
    context.output.aside("warming up; stems take a while")?;
    let job = AnalysisJob {
        track: TrackId(0),
        path: file.to_path_buf(),
        wants,
        recipes: tonearm_core::jobs::plan::Recipes::new(),
        duration: Some(length),
        tag_bpm: None,
        live: None,
        beats: None,
        stems: None,
    };
    once(&neural, &job)?;
    let (clock, before) = (ProcessTime::now(), neural.spent());
    let took = once(&neural, &job)?;
    let chain = Chain::of(clock.elapsed().as_secs_f64(), (before, neural.spent()));
    let took: Vec<(Artifact, f64)> = took.into_iter().filter_map(Took::told).collect();
    let device = match survey(&places).device {
        DeviceView::Known { device, .. } => device,
        DeviceView::Unknown => String::new(),
    };
    let mut lines: Vec<Line> = Vec::new();
    for (artifact, seconds) in took {
        let Some((_, model)) = family(artifact) else {
            continue;
        };
        // One model tells chords and key, one after the other.
        if let Some(line) = lines.iter_mut().find(|line| line.model == model) {
            line.seconds += seconds;
        } else {
            lines.push(Line {
                model,
                device: device.clone(),
                audio_seconds: length.0,
                seconds,
                seconds_per_track: 0.0,
            });
        }
    }
    for line in &mut lines {
        line.seconds_per_track = line.seconds * TRACK / line.audio_seconds.max(1.0);
    }
    tell(context, (&lines, chain.as_ref()), length)?;
    Ok((lines, chain))
}

fn tell(
    context: &Context,
    (lines, chain): (&[Line], Option<&Chain>),
    length: Secs,
) -> Result<(), Exit> {
    for line in lines {
        context.output.line(&format!(
            "{:12}  on {:8}  {:>8.2} s for {}  {:>8.2} s for {}",
            engine(line.model),
            line.device,
            line.seconds,
            format::duration(length),
            line.seconds_per_track,
            format::duration(Secs(TRACK)),
        ))?;
    }
    if let Some(chain) = chain {
        context.output.line(&format!(
            "all together  {:.1} CPU s in the networks, {:.2} beyond them in workers, {:.2} in this program: {:.1} % more",
            chain.networks_cpu_seconds,
            chain.workers_cpu_seconds - chain.networks_cpu_seconds,
            chain.program_cpu_seconds,
            chain.overhead * 100.0,
        ))?;
    }
    Ok(())
}

/// What one artifact took, from the report before or the start, until it was there.
struct Took {
    artifact: Artifact,
    seconds: Result<f64, Failure>,
}

impl Took {
    /// What could not be measured is said, and the rest goes on.
    fn told(self) -> Option<(Artifact, f64)> {
        let Self { artifact, seconds } = self;
        let told = |failure: &Failure| {
            Output::note(&format!(
                "tonearm: no {artifact} to measure: {}. {}",
                failure.message, failure.remedy
            ));
        };
        seconds
            .inspect_err(told)
            .ok()
            .map(|seconds| (artifact, seconds))
    }
}

fn once(neural: &Neural, job: &AnalysisJob) -> Result<Vec<Took>, Exit> {
    let mut took = Vec::new();
    let mut before = Instant::now();
    let ran = neural.run(job, &interruptible(), &mut |made| {
        let seconds = before.elapsed().as_secs_f64();
        took.push(Took {
            artifact: made.artifact,
            seconds: made.result.map(|_found| seconds),
        });
        before = Instant::now();
    });
    ran.map_err(|stopped| match stopped {
        Stopped::Cancelled(_) => Exit::Interrupted,
        Stopped::Unready(failure) => Exit::Because(failure),
    })?;
    Ok(took)
}
