//! Playing through a real sound server, and into files.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::time::Duration;
use tonearm_tests::program::{Program, Running, skipped};
use tonearm_tests::pulse::Pulse;

/// Runs in which the machine was too slow to play prove nothing and are made again.
const TRIES: usize = 5;
/// A stream's first frames may be lost before the server listens.
const MOST_LOST: usize = 2_400;
const PATIENCE: Duration = Duration::from_secs(20);

/// A track whose every frame is like no other: its number in two samples.
fn counting(program: &Program, secs: u32) -> PathBuf {
    let path = program.music().join("count.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..secs * 48_000 {
        for part in [frame & 0x7fff, frame >> 15] {
            writer
                .write_sample((part as f32 - 16_384.0) / 32_768.0)
                .unwrap();
        }
    }
    writer.finalize().unwrap();
    path
}

fn imported(secs: u32) -> (Program, PathBuf) {
    let program = Program::new();
    let track = counting(&program, secs);
    let music = program.music();
    let import = [
        "import".as_ref(),
        "--no-analyze".as_ref(),
        music.as_os_str(),
    ];
    program.run(import).with_status(0);
    (program, track)
}

fn frames(path: &Path) -> Vec<[f32; 2]> {
    let reader = hound::WavReader::open(path).unwrap();
    assert_eq!(reader.spec().sample_rate, 48_000);
    let samples: Vec<f32> = reader.into_samples().map(Result::unwrap).collect();
    samples.as_chunks::<2>().0.to_vec()
}

#[test]
fn a_rendered_file_is_the_track_between_ramps_and_is_never_written_over() {
    let (program, track) = imported(4);
    let track = track.to_str().unwrap();
    let out = program.folder().join("out.wav");
    let out_text = out.to_str().unwrap();
    let arguments = [
        "--json",
        "play",
        track,
        "--from",
        "1",
        "--seconds",
        "2",
        "--render",
        out_text,
    ];
    let told = program.run(arguments).with_status(0).json();
    assert_eq!(
        told,
        serde_json::json!({ "frames": 96_000, "underruns": 0 })
    );
    let rendered = frames(&out);
    let source = frames(Path::new(track));
    assert_eq!(rendered.len(), 96_000);
    assert_eq!(rendered[240..95_760], source[48_240..143_760]);
    assert_eq!(rendered[119], source[48_119].map(|sample| sample * 0.5));
    assert_eq!(rendered[95_999], [0.0, 0.0]);
    program.run(arguments).with_status(1);
    assert_eq!(frames(&out), rendered);
}

#[test]
fn the_sound_server_gets_the_rendered_samples_and_no_others() {
    let Some(pulse) = Pulse::start() else {
        return skipped("PulseAudio is not installed");
    };
    let secs = if std::env::var_os("TONEARM_SLOW").is_some() {
        60
    } else {
        3
    };
    let (program, track) = imported(secs + 2);
    let track = track.to_str().unwrap();
    let length = secs.to_string();
    let out = program.folder().join("out.wav");
    let play = ["--json", "play", track, "--from", "1", "--seconds", &length];
    program
        .run(play.iter().chain(&["--render", out.to_str().unwrap()]))
        .with_status(0);
    let expected = frames(&out);
    for _ in 0..TRIES {
        let mut recorder = pulse.record();
        let mut command = program.command(play);
        pulse.here(&mut command);
        let told = Running::start(command).end().with_status(0).json();
        assert_eq!(told["frames"], expected.len(), "{told}");
        recorder.more(24_000);
        let heard = recorder.stop();
        let at = heard.iter().position(|frame| *frame == expected[10_000]);
        let lost = at.map_or(usize::MAX, |at| 10_000_usize.saturating_sub(at));
        let first = at.map_or(0, |at| at.saturating_sub(10_000));
        let heard = heard.get(first..).unwrap_or_default();
        let exact = lost <= MOST_LOST && heard.starts_with(&expected[lost.min(expected.len())..]);
        if exact {
            return;
        }
        assert_ne!(
            told["underruns"], 0,
            "{lost} frames lost at the start, others differ"
        );
    }
    skipped("this machine is too busy to play without gaps");
}

/// Waits for a line that begins so.
fn line_that_begins(running: &mut Running, start: &str) -> String {
    loop {
        match running.poll_line(PATIENCE) {
            Ok(Some(line)) if line.starts_with(start) => return line,
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended before it said {start:?}"),
            Err(_silence) => panic!("it did not say {start:?}"),
        }
    }
}

#[test]
fn a_device_that_is_pulled_out_is_lost_and_plays_on_when_it_is_back() {
    let Some(pulse) = Pulse::start() else {
        return skipped("PulseAudio is not installed");
    };
    let (program, track) = imported(9);
    let mut command = program.command(["play".as_ref(), track.as_os_str()]);
    pulse.here(&mut command);
    let mut running = Running::start(command);
    line_that_begins(&mut running, "on ");
    pulse.unload_sink();
    line_that_begins(&mut running, "interrupted: ");
    pulse.load_sink();
    line_that_begins(&mut running, "on ");
    running.end().with_status(0);
}

#[test]
fn a_server_that_dies_ends_the_music_and_not_the_program() {
    let Some(mut pulse) = Pulse::start() else {
        return skipped("PulseAudio is not installed");
    };
    let (program, track) = imported(20);
    let mut command = program.command(["play".as_ref(), track.as_os_str()]);
    pulse.here(&mut command);
    let mut running = Running::start(command);
    line_that_begins(&mut running, "on ");
    pulse.kill();
    line_that_begins(&mut running, "interrupted: ");
    // Nothing comes back: it says why and ends by itself.
    let ended = running.end().with_status(1);
    assert!(ended.stderr.contains("sound"), "{}", ended.stderr);
}

#[test]
fn without_any_device_it_says_what_to_do() {
    let (program, track) = imported(2);
    let mut command = program.command(["play".as_ref(), track.as_os_str()]);
    command
        .env("PULSE_SERVER", "unix:nowhere")
        .env("XDG_RUNTIME_DIR", program.folder())
        .env("ALSA_CONFIG_PATH", "nowhere");
    let ended = Running::start(command).end().with_status(1);
    assert!(ended.stderr.contains("sound"), "{}", ended.stderr);
}
