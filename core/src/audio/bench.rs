//! What listening costs, in processor seconds: each step against decoding alone, on the same file.

use super::listen::mix_to_mono;
use super::{AudioError, Decoder, Meter, Peaks};
use cpu_time::ThreadTime;
use std::path::Path;
use std::time::Duration;

/// Processor seconds of each step, the least of several runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Length of the sound.
    pub audio_secs: f64,
    pub decode: f64,
    /// Decoding and the waveform.
    pub with_waveform: f64,
    /// Decoding and loudness.
    pub with_loudness: f64,
}

impl Costs {
    /// Decoding and waveform, as a multiple of decoding.
    pub fn waveform_ratio(&self) -> f64 {
        self.with_waveform / self.decode
    }

    /// Decoding and loudness, as a multiple of decoding.
    pub fn loudness_ratio(&self) -> f64 {
        self.with_loudness / self.decode
    }
}

/// Measures `path` with `runs` rounds (at least one). The steps take turns, so that whatever else the machine does
/// touches all of them.
pub fn measure(path: &Path, runs: u32) -> Result<Costs, AudioError> {
    let mut least = [Duration::MAX; 3];
    let mut audio_secs = 0.0;
    for _ in 0..runs.max(1) {
        for (step, least) in [Step::Decode, Step::Waveform, Step::Loudness]
            .into_iter()
            .zip(&mut least)
        {
            let before = ThreadTime::now();
            audio_secs = run(path, step)?;
            *least = before.elapsed().min(*least);
        }
    }
    let [decode, with_waveform, with_loudness] = least.map(|time| time.as_secs_f64());
    Ok(Costs {
        audio_secs,
        decode,
        with_waveform,
        with_loudness,
    })
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Decode,
    Waveform,
    Loudness,
}

/// Decodes `path`, does `step`, and tells how long the sound is in seconds.
fn run(path: &Path, step: Step) -> Result<f64, AudioError> {
    let mut decoder = Decoder::open(path)?;
    let format = decoder.format().clone();
    let mut peaks = matches!(step, Step::Waveform).then(|| Peaks::new(format.sample_rate));
    let mut meter = match step {
        Step::Loudness => Meter::new(format.sample_rate, format.channels),
        Step::Decode | Step::Waveform => None,
    };
    let (mut block, mut mono) = (Vec::new(), Vec::new());
    while decoder.next_block(&mut block)?.is_some() {
        if let Some(peaks) = &mut peaks {
            mix_to_mono(&block, usize::from(format.channels), &mut mono);
            peaks.push(&mono);
        }
        if let Some(meter) = &mut meter {
            meter.push(&block);
        }
    }
    std::hint::black_box((peaks.map(Peaks::finish), meter.map(Meter::finish)));
    Ok(decoder.format().duration.0)
}
