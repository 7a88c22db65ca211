//! What playing costs: one buffer of the mix, and a jump in a file.

#![expect(clippy::expect_used, reason = "a bench without its track is none")]

use divan::Bencher;
use tonearm_core::playback::{Offline, RATE};
use tonearm_core::units::Secs;

fn main() {
    divan::main();
}

/// A minute of stereo at `rate`, in a folder that goes with it.
fn track(rate: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("track.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).expect("a file");
    for sample in 0..rate * 120 {
        writer.write_sample((sample % 999) as i16).expect("room");
    }
    writer.finalize().expect("room");
    (folder, path)
}

#[divan::bench(args = [64, 512, 1_024, 2_048])]
fn render(bencher: Bencher<'_, '_>, frames: usize) {
    let (_folder, path) = track(RATE);
    let mut sound = Offline::open(&path, Secs(0.0), None).expect("a track");
    sound.supply(500);
    let mut out = vec![0.0; frames * 2];
    let mut played = 0;
    bencher.bench_local(|| {
        played += sound.render(&mut out);
        if played > 30 * RATE as usize {
            played = 0;
            sound.seek(Secs(0.0));
        }
    });
}

/// From the wish to the first sound of a place that is not in memory.
#[divan::bench(args = [48_000, 44_100])]
fn jump(bencher: Bencher<'_, '_>, rate: u32) {
    let (_folder, path) = track(rate);
    let mut sound = Offline::open(&path, Secs(0.0), None).expect("a track");
    let mut out = vec![0.0; 2 * 512];
    let mut to = 0.0;
    bencher.bench_local(|| {
        to = (to + 7.3) % 55.0;
        sound.seek(Secs(to));
        sound.supply(2);
        sound.render(&mut out)
    });
}
