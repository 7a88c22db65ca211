//! What decoding, the waveform, loudness and resampling cost.
//!
//! First a table of processor time on whole files, each step against decoding alone in the same run: the fixtures, or the files in
//! `TONEARM_BENCH_AUDIO` (separated as in PATH). Then the parts by themselves on generated sound.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints its result, and stops where it cannot measure"
)]

use std::path::{Path, PathBuf};
use tonearm_core::audio::resample::Resampler;
use tonearm_core::audio::{Decoder, Meter, Peaks, bench};
use tonearm_core::units::SampleRate;

const RUNS: u32 = 7;
const SECONDS: usize = 30;

fn main() {
    println!("file, seconds: decode ms; with waveform ms (ratio); with loudness ms (ratio)");
    for path in files() {
        match bench::measure(&path, RUNS) {
            Ok(costs) => println!(
                "{}, {:.1}: {:.2}; {:.2} ({:.3}); {:.2} ({:.3})",
                path.display(),
                costs.audio_secs,
                costs.decode * 1e3,
                costs.with_waveform * 1e3,
                costs.waveform_ratio(),
                costs.with_loudness * 1e3,
                costs.loudness_ratio(),
            ),
            Err(error) => println!("{}: {error}", path.display()),
        }
    }
    divan::main();
}

fn files() -> Vec<PathBuf> {
    if let Some(list) = std::env::var_os("TONEARM_BENCH_AUDIO") {
        return std::env::split_paths(&list).collect();
    }
    FIXTURES.iter().map(|name| fixture(name)).collect()
}

const FIXTURES: [&str; 7] = [
    "cbr.mp3",
    "source.flac",
    "aac.m4a",
    "alac.m4a",
    "vorbis.ogg",
    "opus.opus",
    "source.wav",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/audio")
        .join(name)
}

fn rate(hz: u32) -> SampleRate {
    SampleRate::new(hz).expect("a rate above zero")
}

fn sound(channels: usize) -> Vec<f32> {
    (0..44_100 * SECONDS * channels)
        .map(|index| (index as f32 * 0.031).sin() * 0.6 + (index as f32 * 1.7).sin() * 0.2)
        .collect()
}

#[divan::bench(args = FIXTURES)]
fn decode(name: &str) -> u64 {
    let mut decoder = Decoder::open(&fixture(name)).expect("a fixture opens");
    let mut block = Vec::new();
    let mut frames = 0;
    while let Some(count) = decoder.next_block(&mut block).expect("a fixture decodes") {
        frames += count as u64;
    }
    frames
}

/// 30 seconds.
#[divan::bench]
fn waveform_alone(bencher: divan::Bencher<'_, '_>) {
    let mono = sound(1);
    bencher.bench(|| {
        let mut peaks = Peaks::new(rate(44_100));
        for piece in mono.chunks(1_152) {
            peaks.push(piece);
        }
        peaks.finish()
    });
}

/// 30 seconds of stereo.
#[divan::bench]
fn loudness_alone(bencher: divan::Bencher<'_, '_>) {
    let stereo = sound(2);
    bencher.bench(|| {
        let mut meter = Meter::new(rate(44_100), 2).expect("a common format");
        for piece in stereo.chunks(2_304) {
            meter.push(piece);
        }
        meter.finish()
    });
}

/// 30 seconds: mono from 48 kHz for analysis, stereo to 48 kHz for playing.
#[divan::bench(args = [(48_000, 44_100, 1), (44_100, 48_000, 2), (96_000, 44_100, 1)])]
fn resample(bencher: divan::Bencher<'_, '_>, (from, to, channels): (u32, u32, usize)) {
    let input = sound(channels);
    bencher.bench(|| {
        let mut resampler = Resampler::new(rate(from), rate(to), channels).expect("common rates");
        let mut out = Vec::new();
        for piece in input.chunks(1_152 * channels) {
            resampler.push(piece, &mut out).expect("whole frames");
        }
        resampler.finish(&mut out).expect("whole frames");
        out
    });
}
