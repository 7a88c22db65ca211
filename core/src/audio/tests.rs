//! Every container and codec against its source: timeline, length, seeks, damage.

mod bad_input;

use super::Damage;
use super::resample::Resampler;
use super::{ADTS_LAG, Decoder, TAGLESS_MP3_LAG};
use crate::units::{Frame, SampleRate};
use std::path::{Path, PathBuf};

/// How a file relates to the source it was made from.
struct Case {
    file: &'static str,
    codec: &'static str,
    /// Frames by which it is late.
    lag: u64,
    /// Frames that it has after the end of the source.
    extra: u64,
    exact: bool,
}

const CASES: [Case; 11] = [
    lossless("source.wav", "wav"),
    lossless("source.aiff", "aiff"),
    lossless("source.flac", "flac"),
    lossless("alac.m4a", "alac"),
    lossy("cbr.mp3", "mp3"),
    lossy("vbr.mp3", "mp3"),
    Case {
        lag: TAGLESS_MP3_LAG,
        extra: 1493,
        ..lossy("tagless.mp3", "mp3")
    },
    lossy("aac.m4a", "aac"),
    Case {
        lag: ADTS_LAG,
        extra: 1365,
        ..lossy("adts.aac", "aac")
    },
    lossy("vorbis.ogg", "vorbis"),
    lossy("opus.opus", "opus"),
];

const fn lossless(file: &'static str, codec: &'static str) -> Case {
    Case {
        file,
        codec,
        lag: 0,
        extra: 0,
        exact: true,
    }
}

const fn lossy(file: &'static str, codec: &'static str) -> Case {
    Case {
        exact: false,
        ..lossless(file, codec)
    }
}

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/audio")
        .join(name)
}

/// The left channel of all that `decoder` still has.
fn rest(decoder: &mut Decoder) -> Vec<f32> {
    let channels = usize::from(decoder.format().channels);
    let mut block = Vec::new();
    let mut left = Vec::new();
    while let Some(frames) = decoder.next_block(&mut block).unwrap() {
        assert_eq!(block.len(), frames * channels);
        left.extend(block.iter().step_by(channels));
    }
    left
}

fn decode(name: &str) -> Vec<f32> {
    rest(&mut Decoder::open(&fixture(name)).unwrap())
}

/// The shift of `heard` against `source`, in frames, at which they agree best.
fn lag(source: &[f32], heard: &[f32]) -> i64 {
    let (from, length) = (20_000, 40_000);
    let product = |shift: i64| {
        let start = (from as i64 + shift) as usize;
        source[from..from + length]
            .iter()
            .zip(&heard[start..start + length])
            .map(|(a, b)| f64::from(a * b))
            .sum::<f64>()
    };
    (-3000..=3000)
        .max_by(|&a, &b| product(a).total_cmp(&product(b)))
        .unwrap()
}

#[test]
fn every_format_lies_on_the_timeline_of_its_source() {
    let source = decode("source.wav");
    assert_eq!(source.len(), 110_251);
    for case in CASES {
        let mut decoder = Decoder::open(&fixture(case.file)).unwrap();
        let promised = decoder.format().duration;
        let heard = rest(&mut decoder);
        let format = decoder.format().clone();
        let name = case.file;
        assert_eq!(format.codec, case.codec, "{name}");
        assert_eq!(format.channels, 2, "{name}");
        assert_eq!(decoder.damage(), Damage::default(), "{name}");
        if case.extra == 0 {
            assert!(
                (promised.0 - format.duration.0).abs() < 1e-9,
                "{name}: {promised:?}"
            );
        }
        if case.codec == "opus" {
            // Opus is always at 48 kHz: 110 251 frames become 120 001.4.
            assert_eq!(heard.len(), 120_002);
            assert_eq!(lag(&at_48_khz(&source), &heard), 0);
            continue;
        }
        assert_eq!(heard.len() as u64, 110_251 + case.extra, "{name}");
        assert_eq!(lag(&source, &heard), case.lag as i64, "{name}");
        if case.exact {
            assert!(source == heard, "{name} is not bit-exact");
        }
    }
}

fn at_48_khz(source: &[f32]) -> Vec<f32> {
    let rate = |hz| SampleRate::new(hz).unwrap();
    let mut resampler = Resampler::new(rate(44_100), rate(48_000), 1).unwrap();
    let mut out = Vec::new();
    resampler.push(source, &mut out).unwrap();
    resampler.finish(&mut out).unwrap();
    out
}

#[test]
fn bit_rates_are_those_of_the_stream_and_not_of_the_file() {
    let mut decoder = Decoder::open(&fixture("cbr.mp3")).unwrap();
    rest(&mut decoder);
    assert_eq!(decoder.format().bitrate_kbps, Some(320));
    let mut decoder = Decoder::open(&fixture("source.wav")).unwrap();
    rest(&mut decoder);
    assert_eq!(decoder.format().bitrate_kbps, Some(1411));
}

#[test]
fn a_name_says_nothing_about_the_content() {
    let folder = tempfile::tempdir().unwrap();
    for (file, alias) in [
        ("cbr.mp3", "a.flac"),
        ("source.flac", "b.mp3"),
        ("aac.m4a", "c"),
    ] {
        let renamed = folder.path().join(alias);
        std::fs::copy(fixture(file), &renamed).unwrap();
        let heard = rest(&mut Decoder::open(&renamed).unwrap());
        assert_eq!(heard, decode(file), "{file}");
    }
}

/// Numbers that look random and are the same every time.
fn scatter(count: u64, below: u64) -> impl Iterator<Item = u64> {
    (1..=count).map(move |index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15) % below)
}

#[test]
fn a_seek_gives_what_linear_decoding_gives() {
    for case in CASES {
        let name = case.file;
        let linear = decode(name);
        let mut decoder = Decoder::open(&fixture(name)).unwrap();
        let mut block = Vec::new();
        for target in scatter(40, linear.len() as u64 - 1).chain([0, 1, linear.len() as u64 - 1]) {
            decoder.seek(Frame(target)).unwrap();
            assert_eq!(decoder.position(), Frame(target), "{name}");
            let mut left: Vec<f32> = Vec::new();
            while left.len() < 3_000 && decoder.next_block(&mut block).unwrap().is_some() {
                left.extend(block.iter().step_by(2));
            }
            let expected = &linear[target as usize..];
            assert!(
                left.len() >= 3_000.min(expected.len()),
                "{name} at {target}"
            );
            if name == "adts.aac" {
                assert_alike(&left, expected);
            } else {
                let same = left.iter().zip(expected).all(|(a, b)| a == b);
                assert!(same, "{name} at {target}");
            }
        }
        // From the end back into the middle.
        rest(&mut decoder);
        decoder.seek(Frame(60_000)).unwrap();
        assert_eq!(rest(&mut decoder).len(), linear.len() - 60_000, "{name}");
        decoder.seek(Frame(u64::MAX)).unwrap();
        assert_eq!(decoder.next_block(&mut block).unwrap(), None, "{name}");
        decoder.seek(Frame(0)).unwrap();
        assert_eq!(rest(&mut decoder).len(), linear.len(), "{name}");
    }
}

/// AAC may replace noise by other noise each time, and this fixture does: the music must be the same and at its
/// place.
fn assert_alike(heard: &[f32], expected: &[f32]) {
    let count = heard.len().min(expected.len());
    let difference: f32 = (0..count)
        .map(|at| (heard[at] - expected[at]).powi(2))
        .sum();
    let power: f32 = expected[..count].iter().map(|sample| sample.powi(2)).sum();
    assert!(difference <= 0.15 * power, "{difference} of {power}");
}

/// Decodes with ffmpeg; `None` where it is not installed.
fn ffmpeg(name: &str) -> Option<Vec<f32>> {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(fixture(name))
        .args(["-af", "pan=mono|c0=c0", "-f", "f32le", "-"])
        .output()
        .ok()?;
    let samples = output.stdout.chunks_exact(4);
    Some(
        samples
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect(),
    )
}

#[test]
fn ffmpeg_hears_the_same() {
    for case in CASES {
        let Some(theirs) = ffmpeg(case.file) else {
            // Not every machine has it: the other tests stand without it.
            return;
        };
        let ours = decode(case.file);
        let count = ours.len().min(theirs.len());
        assert!(ours.len().abs_diff(theirs.len()) <= 2_048, "{}", case.file);
        let difference = ours[..count]
            .iter()
            .zip(&theirs)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(difference < 1e-3, "{}: {difference}", case.file);
    }
}
