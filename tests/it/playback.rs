//! Playing through a real sound server, and into files.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::time::Duration;
use tonearm_tests::program::{Program, Running, skipped};
use tonearm_tests::pulse::Pulse;
use tonearm_tests::waves::tune;

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

/// What was heard, against what was rendered.
#[derive(Debug, Default)]
struct Capture {
    /// Frames that never came before the first that did.
    late: usize,
    /// Frames of silence between others.
    gaps: usize,
    /// Frames left out after the first.
    lost: usize,
    /// The first frame that was not rendered, or not after the one before it.
    foreign: Option<(usize, [f32; 2])>,
}

impl Capture {
    /// Every frame of `expected` is like no other, and silent only at its ends.
    fn compare(heard: &[[f32; 2]], expected: &[[f32; 2]]) -> Self {
        let mut capture = Self::default();
        let bits = |frame: &[f32; 2]| frame.map(f32::to_bits);
        let places: std::collections::HashMap<_, _> = expected.iter().map(bits).zip(0..).collect();
        let mut next = 0;
        let mut silent = 0;
        for (at, frame) in heard.iter().enumerate() {
            let place = if expected.get(next) == Some(frame) {
                Some(next)
            } else if *frame == [0.0; 2] {
                silent += usize::from(next > 0);
                continue;
            } else {
                places.get(&bits(frame)).copied()
            };
            match place.filter(|&place| place >= next) {
                Some(place) if next == 0 => capture.late = place,
                Some(place) => {
                    capture.lost += place - next;
                    capture.gaps += silent;
                }
                None => {
                    capture.foreign = Some((at, *frame));
                    return capture;
                }
            }
            silent = 0;
            next = place.unwrap_or(next) + 1;
        }
        capture.lost += expected.len() - next;
        capture
    }

    fn is_exact(&self) -> bool {
        self.late <= MOST_LOST && self.gaps == 0 && self.lost == 0 && self.foreign.is_none()
    }
}

#[test]
fn a_capture_tells_a_gap_from_a_loss_and_from_what_was_never_played() {
    let frame = |number: usize| [number as f32, -1.0];
    let expected: Vec<[f32; 2]> = (1..100).map(frame).collect();
    let silence = vec![[0.0; 2]; 10];
    let whole = [&silence[..], &expected[5..], &silence].concat();
    let capture = Capture::compare(&whole, &expected);
    assert!(capture.is_exact(), "{capture:?}");
    assert_eq!(capture.late, 5);
    let gap = [&expected[..50], &silence, &expected[50..]].concat();
    assert_eq!(Capture::compare(&gap, &expected).gaps, 10);
    let lost = [&expected[..50], &expected[60..]].concat();
    assert_eq!(Capture::compare(&lost, &expected).lost, 10);
    assert_eq!(Capture::compare(&expected[..90], &expected).lost, 9);
    for wrong in [frame(7), [0.5, 0.5]] {
        let foreign = [&expected[..50], &[wrong], &expected[50..]].concat();
        let capture = Capture::compare(&foreign, &expected);
        assert_eq!(capture.foreign, Some((50, wrong)));
    }
}

#[test]
fn the_sound_server_gets_the_rendered_samples_and_no_others() {
    let Some(pulse) = Pulse::start() else {
        return skipped("PulseAudio is not installed");
    };
    let is_thorough = std::env::var_os("TONEARM_SLOW").is_some();
    let (secs, wanted) = if is_thorough { (60, 5) } else { (3, 1) };
    let (program, track) = imported(secs + 2);
    let track = track.to_str().unwrap();
    let length = secs.to_string();
    let out = program.folder().join("out.wav");
    let play = ["--json", "play", track, "--from", "1", "--seconds", &length];
    program
        .run(play.iter().chain(&["--render", out.to_str().unwrap()]))
        .with_status(0);
    let expected = frames(&out);
    let mut exact = 0;
    for _ in 0..TRIES * wanted {
        let complaints = pulse.complaints();
        let mut recorder = pulse.record();
        let mut command = program.command(play);
        pulse.here(&mut command);
        let ended = Running::start(command).end().with_status(0);
        let told = ended.json();
        assert_eq!(told["frames"], expected.len(), "{told}");
        recorder.more(24_000);
        let heard = recorder.stop();
        let capture = Capture::compare(&heard, &expected);
        if capture.is_exact() {
            exact += 1;
            if exact == wanted {
                return;
            }
            continue;
        }
        // A busy machine may be late, and the mixer then fades out and in; but never without a word.
        let is_noticed = told["underruns"] != 0 || pulse.complaints() > complaints;
        assert!(is_noticed, "{capture:?}, {told}, {}", ended.stderr);
    }
    skipped("this machine is too busy to play without gaps");
}

/// Frames of `expected` before the first that was heard, when from there on each was heard after the one before it.
fn late_but_whole(heard: &[[f32; 2]], expected: &[[f32; 2]]) -> Option<usize> {
    let is_sound = |frame: &[f32; 2]| *frame != [0.0; 2];
    let from = heard.iter().position(is_sound)?;
    let heard = &heard[from..];
    (0..expected.len().min(MOST_LOST)).find(|&late| {
        let expected = &expected[late..];
        is_sound(&expected[0]) && heard.starts_with(expected)
    })
}

#[test]
fn sound_that_is_late_is_told_from_sound_with_a_fault() {
    let frame = |number: usize| [number as f32, -1.0];
    let expected: Vec<[f32; 2]> = [[0.0; 2]].into_iter().chain((1..100).map(frame)).collect();
    let heard = |frames: &[[f32; 2]]| [&[[0.0; 2]; 10][..], frames, &[[0.0; 2]; 10]].concat();
    assert_eq!(late_but_whole(&heard(&expected), &expected), Some(1));
    assert_eq!(late_but_whole(&heard(&expected[5..]), &expected), Some(5));
    let gap = [&expected[..50], &[[0.0; 2]], &expected[50..]].concat();
    let lost = [&expected[..50], &expected[51..]].concat();
    for fault in [gap, lost, expected[..99].to_vec(), Vec::new()] {
        assert_eq!(late_but_whole(&heard(&fault), &expected), None);
    }
}

#[test]
fn the_sound_server_gets_the_rendered_stems_and_nothing_else() {
    let Some(pulse) = Pulse::start() else {
        return skipped("PulseAudio is not installed");
    };
    let program = Program::new();
    let track = program.put("tune.wav", &tune(7, 6.0, 44_100, 2));
    let track = track.to_str().unwrap();
    let music = program.music();
    program
        .run(["import".as_ref(), music.as_os_str()])
        .with_status(0);
    program.run(["stems", track]).with_status(0);
    let rendered = |name: &str, stems: &str| {
        let out = program.folder().join(name);
        let render = ["--render", out.to_str().unwrap()];
        let play = ["play", track, "--from", "1", "--seconds", "3"];
        program
            .run(play.iter().chain(&["--stems", stems]).chain(&render))
            .with_status(0);
        frames(&out)
    };
    let expected = rendered("some.wav", "drums,bass");
    assert_eq!(expected.len(), 144_000);
    assert_ne!(expected, rendered("others.wav", "other,vocals"));
    let play = ["--json", "play", track, "--from", "1", "--seconds", "3"];
    for _ in 0..TRIES {
        let complaints = pulse.complaints();
        let mut recorder = pulse.record();
        let mut command = program.command(play.iter().chain(&["--stems", "drums,bass"]));
        pulse.here(&mut command);
        let ended = Running::start(command).end().with_status(0);
        let told = ended.json();
        assert_eq!(told["frames"], expected.len(), "{told}");
        recorder.more(24_000);
        let heard = recorder.stop();
        if late_but_whole(&heard, &expected).is_some() {
            return;
        }
        let is_noticed = told["underruns"] != 0 || pulse.complaints() > complaints;
        assert!(is_noticed, "{told}, {}", ended.stderr);
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
            Err(silence) => panic!("it did not say {start:?}: {silence:?}"),
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
    // One to play and one to ask for devices, however often it asks: a server refuses everyone when there are 64.
    let few = |_| {
        std::thread::sleep(Duration::from_millis(50));
        pulse.connections() <= 2
    };
    assert!((0..100).any(few), "{}", pulse.connections());
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
