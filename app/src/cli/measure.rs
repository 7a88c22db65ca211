//! `bench`: how fast this machine does each stage, on the user's own files or the demo music.

mod models;

use crate::cli::{Context, demo};
use crate::exit::Exit;
use crate::format;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use tonearm_core::artifact::Artifact;
use tonearm_core::audio::bench::{Costs, measure};
use tonearm_core::backend::{Analyser as _, AnalysisJob};
use tonearm_core::control::Control;
use tonearm_core::failure::Failure;
use tonearm_core::jobs::native::Native;
use tonearm_core::track::TrackId;
use tonearm_core::units::Secs;

/// Measure the speed of each stage on this machine
///
/// Figures are processor time, the least of several runs that take turns, and ratios to decoding alone. Models are
/// measured by the clock, on the device that they run on.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tonearm bench ~/Music/track.mp3")]
pub(crate) struct Bench {
    /// Music files; without any, the demo music
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Also how long the models that are ready take for the first file, by the clock
    #[arg(long)]
    models: bool,
}

/// Processor seconds for one file.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    audio_seconds: f64,
    decode_seconds: f64,
    waveform_ratio: f64,
    loudness_ratio: f64,
    whole_seconds: f64,
    whole_ratio: f64,
    /// Seconds of music that the whole pipeline does in one second on one core.
    times_real_time: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    files: Vec<Line>,
    times_real_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Vec<models::Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<models::Chain>,
}

pub(crate) fn run(context: &Context, job: &Bench) -> Result<(), Exit> {
    let scratch = tempfile::tempdir()?;
    let files = if job.files.is_empty() {
        demo::write_music(scratch.path())?
    } else {
        job.files.clone()
    };
    context.output.aside("                                   length  decode  +waveform  +loudness  everything   x real time")?;
    let mut lines = Vec::new();
    for file in &files {
        let line = line(file, job.runs)?;
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        context.output.line(&format!(
            "{:32}  {:>7}  {:>5.0} ms  {:>8.2}x  {:>8.2}x  {:>9.1}x  {:>11.0}x",
            format::fit(&name, 32),
            format::duration(Secs(line.audio_seconds)),
            line.decode_seconds * 1000.0,
            line.waveform_ratio,
            line.loudness_ratio,
            line.whole_ratio,
            line.times_real_time,
        ))?;
        lines.push(line);
    }
    let audio: f64 = lines.iter().map(|line| line.audio_seconds).sum();
    let whole: f64 = lines.iter().map(|line| line.whole_seconds).sum();
    let times_real_time = (whole > 0.0).then(|| audio / whole);
    if let Some(times) = times_real_time {
        context
            .output
            .aside(&format!("together {times:.0} x real time on one core"))?;
    }
    let (models, chain) = match (files.first(), lines.first()) {
        (Some(file), Some(line)) if job.models => {
            let (models, chain) = models::run(context, file, Secs(line.audio_seconds))?;
            (Some(models), chain)
        }
        _ => (None, None),
    };
    let all_failed = models.as_ref().is_some_and(Vec::is_empty);
    context.output.json(&Report {
        files: lines,
        models,
        chain,
        times_real_time,
    })?;
    if all_failed {
        return Err(Exit::SomeFailed);
    }
    Ok(())
}

fn line(file: &Path, runs: u32) -> Result<Line, Exit> {
    let costs: Costs = measure(file, runs).map_err(|error| failed(file, Failure::from(&error)))?;
    let whole = (0..runs)
        .map(|_| whole(file))
        .collect::<Result<Vec<f64>, Exit>>()?
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    Ok(Line {
        path: file.to_string_lossy().into_owned(),
        audio_seconds: costs.audio_secs,
        decode_seconds: costs.decode,
        waveform_ratio: costs.waveform_ratio(),
        loudness_ratio: costs.loudness_ratio(),
        whole_seconds: whole,
        whole_ratio: whole / costs.decode,
        times_real_time: costs.audio_secs / whole,
    })
}

fn failed(file: &Path, failure: Failure) -> Exit {
    Exit::Because(Failure {
        message: format!("{}: {}", file.display(), failure.message),
        ..failure
    })
}

/// Decoding, waveform, loudness, beats, chords and key, as a library analysis does them.
fn whole(file: &Path) -> Result<f64, Exit> {
    let job = AnalysisJob {
        track: TrackId(0),
        path: file.to_path_buf(),
        wants: Artifact::ALL
            .into_iter()
            .filter(|artifact| Native.recipe(*artifact).is_some())
            .collect(),
        recipes: tonearm_core::jobs::plan::Recipes::new(),
        duration: None,
        tag_bpm: None,
        live: None,
        beats: None,
        stems: None,
    };
    let clock = cpu_time::ThreadTime::now();
    let mut failure = None;
    Native
        .run(&job, &Control::default(), &mut |made| {
            failure = failure.take().or(made.result.err());
        })
        .map_err(|cancelled| Exit::Failed(cancelled.to_string()))?;
    match failure {
        Some(failure) => Err(failed(file, failure)),
        None => Ok(clock.elapsed().as_secs_f64()),
    }
}
