//! Files that are broken, odd, lying or no audio at all.

use super::{decode, fixture, rest};
use crate::audio::{AudioError, Decoder, Heard, ListenError, Wants, listen};
use crate::control::Control;
use crate::failure::FailureKind;
use crate::units::{Frame, Secs};
use crate::waveform::Column;
use proptest::prelude::*;
use std::path::Path;

fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

fn hear(path: &Path) -> Result<Heard, ListenError> {
    let wants = Wants {
        waveform: true,
        loudness: true,
        mono: true,
        live: None,
    };
    listen(path, &wants, &Control::default(), &mut |_chapter| {})
}

fn hear_bytes(bytes: &[u8]) -> Result<Heard, ListenError> {
    hear(written(bytes).path())
}

fn kind(result: Result<Heard, ListenError>) -> FailureKind {
    match result {
        Err(ListenError::Audio(error)) => error.failure_parts().0,
        other => panic!("{other:?}"),
    }
}

/// A WAV file of float samples.
fn float_wav(rate: u32, channels: u16, samples: &[f32]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(file.path(), spec).unwrap();
    for &sample in samples {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
    std::fs::read(file.path()).unwrap()
}

#[test]
fn what_is_no_music_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        kind(hear(&folder.path().join("gone.mp3"))),
        FailureKind::Missing
    );
    assert_eq!(kind(hear(folder.path())), FailureKind::Unsupported);
    assert_eq!(kind(hear_bytes(b"")), FailureKind::Empty);
    assert_eq!(kind(hear_bytes(b"x")), FailureKind::Unsupported);
    let text = b"Dear reader, this is a letter and no music. ".repeat(2_000);
    assert_eq!(kind(hear_bytes(&text)), FailureKind::Unsupported);
    assert_eq!(
        kind(hear_bytes(&vec![0; 300_000])),
        FailureKind::Unsupported
    );
    assert_eq!(
        kind(hear_bytes(&float_wav(44_100, 2, &[]))),
        FailureKind::Empty
    );
}

#[test]
fn every_refusal_has_words_for_the_user() {
    let io = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    for error in [
        AudioError::Missing,
        AudioError::Unreadable(io()),
        AudioError::NoBytes,
        AudioError::NoSamples,
        AudioError::NotAudio,
        AudioError::CutOff,
        AudioError::NoAudioTrack,
        AudioError::Encrypted,
        AudioError::HeAac,
        AudioError::Unsupported("Musepack".to_owned()),
        AudioError::Damaged("no frames".to_owned()),
    ] {
        let (_kind, message, remedy) = error.failure_parts();
        assert!(!message.is_empty() && !message.ends_with('.'), "{message}");
        assert!(!remedy.is_empty() && !remedy.ends_with('.'), "{remedy}");
    }
}

#[test]
fn unusual_rates_and_channel_counts_are_heard_in_full() {
    for (rate, channels) in [
        (8_000, 1),
        (11_025, 2),
        (44_100, 8),
        (192_000, 2),
        (384_000, 1),
    ] {
        let frames = rate / 4 + 7;
        let samples: Vec<f32> = (0..frames * u32::from(channels))
            .map(|index| ((index % 50) as f32 / 50.0) - 0.5)
            .collect();
        let mut mono = 0;
        let file = written(&float_wav(rate, channels, &samples));
        let wants = Wants {
            waveform: true,
            loudness: true,
            mono: true,
            live: None,
        };
        let heard = listen(file.path(), &wants, &Control::default(), &mut |chapter| {
            mono += chapter.mono.len();
        })
        .unwrap();
        assert_eq!(heard.frames, u64::from(frames));
        assert_eq!(heard.format.channels, channels);
        let columns = heard.waveform.unwrap().levels[0].len() as u64;
        assert_eq!(columns, (heard.frames * 300).div_ceil(u64::from(rate)));
        let expected = (heard.frames * 44_100).div_ceil(u64::from(rate));
        assert_eq!(mono as u64, expected, "{rate} Hz");
    }
}

#[test]
fn not_a_number_is_heard_as_silence() {
    let samples = [f32::NAN, f32::INFINITY, -1e38, 1e-42].repeat(20_000);
    let heard = hear_bytes(&float_wav(44_100, 2, &samples)).unwrap();
    assert_eq!(heard.frames, 40_000);
    let loudness = heard.loudness.unwrap();
    assert_eq!((loudness.integrated, loudness.true_peak), (None, None));
    let waveform = heard.waveform.unwrap();
    assert!(
        waveform.levels[0]
            .iter()
            .all(|column| *column == Column::default())
    );
}

#[test]
fn a_truncated_file_is_heard_as_far_as_it_goes_and_says_so() {
    for name in [
        "source.wav",
        "source.flac",
        "cbr.mp3",
        "alac.m4a",
        "vorbis.ogg",
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        // The index of an MP4 file made by ffmpeg is at its end: that file is lost.
        let result = hear_bytes(&bytes[..bytes.len() * 6 / 10]);
        if name == "alac.m4a" {
            assert!(matches!(result, Err(ListenError::Audio(_))), "{name}");
            continue;
        }
        let heard = result.unwrap();
        assert!(
            heard.damage.is_cut_off() || name == "vorbis.ogg",
            "{name} {heard:?}"
        );
        assert!(
            (40_000..100_000).contains(&heard.frames),
            "{name}: {}",
            heard.frames
        );
        assert!((heard.format.duration.0 - heard.frames as f64 / 44_100.0).abs() < 1e-9);
    }
}

#[test]
fn damage_in_the_middle_is_told_with_its_place_and_not_as_a_cut_off_file() {
    let spoilt = |name: &str, with: u8| {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        let middle = bytes.len() / 2;
        let end = middle + bytes.len() / 5;
        bytes[middle..end].fill(with);
        hear_bytes(&bytes).unwrap()
    };
    for name in [
        "source.flac",
        "cbr.mp3",
        "vbr.mp3",
        "aac.m4a",
        "vorbis.ogg",
        // Opus is missing: its decoder takes zeros for sound, and nothing else tells.
    ] {
        for with in [0, 0x55] {
            let heard = spoilt(name, with);
            let failure = heard.damage.failure(heard.format.duration);
            let failure = failure.unwrap_or_else(|| panic!("{name} with {with}"));
            assert!(!heard.damage.is_cut_off(), "{name}: {heard:?}");
            assert!(failure.message.contains("damaged"), "{name}: {failure:?}");
            if let Some(Secs(first)) = heard.damage.first {
                assert!((0.5..2.0).contains(&first), "{name}: {first}");
            } else {
                // Nothing in MPEG frames says where one is missing.
                assert!(name.ends_with("mp3"), "{name}: {heard:?}");
            }
        }
    }
}

#[test]
fn a_bare_stream_is_not_measured_by_a_length_that_was_guessed() {
    // The demuxer looks at some frames and reckons the length from their size: here it finds loud ones after short ones.
    let quiet = std::fs::read(fixture("adts.aac")).unwrap();
    let frames = |bytes: &[u8]| {
        let mut at = 0;
        let mut frames = Vec::new();
        while let Some(head) = bytes.get(at..at + 6) {
            let length = usize::from(head[3] & 3) << 11
                | usize::from(head[4]) << 3
                | usize::from(head[5]) >> 5;
            frames.push(bytes[at..at + length].to_vec());
            at += length;
        }
        frames
    };
    let mut frames = frames(&quiet);
    frames.sort_by_key(Vec::len);
    let (short, long) = (frames.first().unwrap(), frames.last().unwrap());
    let mut bytes = quiet.clone();
    for _ in 0..400 {
        bytes.extend_from_slice(long);
    }
    for _ in 0..100 {
        bytes.extend_from_slice(short);
    }
    let heard = hear_bytes(&bytes).unwrap();
    assert_eq!(heard.damage.failure(heard.format.duration), None);
}

#[test]
fn what_ends_before_its_sound_is_told_as_cut_off() {
    for (name, bytes) in [("source.flac", 60), ("aac.m4a", 3_000), ("source.wav", 30)] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let result = hear_bytes(&whole[..bytes]);
        assert!(
            matches!(result, Err(ListenError::Audio(AudioError::CutOff))),
            "{name}: {result:?}"
        );
    }
}

#[test]
fn a_header_that_claims_more_than_there_is_allocates_nothing_for_it() {
    let mut wav = std::fs::read(fixture("source.wav")).unwrap();
    let data = wav.windows(4).position(|name| name == b"data").unwrap();
    wav[data + 4..data + 8].fill(0xff);
    wav[4..8].fill(0xff);
    let heard = hear_bytes(&wav).unwrap();
    assert_eq!(heard.frames, 110_251);

    let mut flac = std::fs::read(fixture("source.flac")).unwrap();
    // 36 bits of total samples in STREAMINFO, after the magic, a block head and 13 bytes.
    flac[21] |= 0x0f;
    flac[22..26].fill(0xff);
    let heard = hear_bytes(&flac).unwrap();
    assert_eq!(heard.frames, 110_251);
    assert!(heard.damage.is_cut_off());
}

#[test]
fn music_beyond_a_false_length_is_not_lost() {
    // Two files joined end to end: the first one's tag speaks only of itself.
    let first = std::fs::read(fixture("cbr.mp3")).unwrap();
    let joined = [first.clone(), first].concat();
    let heard = hear_bytes(&joined).unwrap();
    assert!(heard.frames > 220_000, "{}", heard.frames);
}

#[test]
fn a_hole_in_a_file_does_not_move_what_follows() {
    let mut bytes = std::fs::read(fixture("cbr.mp3")).unwrap();
    let whole = decode("cbr.mp3");
    let middle = bytes.len() / 2;
    // Frame heads stay, side information does not.
    for at in middle..middle + 3_000 {
        if bytes[at] != 0xff
            && bytes[at - 1] != 0xff
            && bytes[at - 2] != 0xff
            && bytes[at - 3] != 0xff
        {
            bytes[at] = 0x55;
        }
    }
    let file = written(&bytes);
    let mut decoder = Decoder::open(file.path()).unwrap();
    let damaged = rest(&mut decoder);
    assert_eq!(damaged.len(), whole.len());
    assert_eq!(damaged[90_000..], whole[90_000..]);
    // Going back and hearing it again makes nothing worse.
    let once = decoder.damage();
    assert!(once.skipped_packets > 0);
    decoder.seek(Frame(0)).unwrap();
    assert_eq!(rest(&mut decoder).len(), whole.len());
    assert_eq!(decoder.damage(), once);
}

#[test]
fn a_protected_file_says_that_it_is() {
    let mut bytes = std::fs::read(fixture("aac.m4a")).unwrap();
    let entry = bytes.windows(4).rposition(|name| name == b"mp4a").unwrap();
    for scheme in [b"drms", b"enca"] {
        bytes[entry..entry + 4].copy_from_slice(scheme);
        let error = hear_bytes(&bytes).unwrap_err();
        assert!(
            matches!(error, ListenError::Audio(AudioError::Encrypted)),
            "{error:?}"
        );
    }
}

#[test]
fn he_aac_is_named_as_such() {
    let bytes = std::fs::read(fixture("aac.m4a")).unwrap();
    // The fixture's AudioSpecificConfig: AAC-LC, 44.1 kHz, stereo, and behind it that there is no SBR.
    let plain = [0x12, 0x10, 0x56, 0xe5, 0x00];
    let config = bytes.windows(5).rposition(|five| five == plain).unwrap();
    let with_config = |config_bytes: [u8; 5]| {
        let mut bytes = bytes.clone();
        bytes[config..config + 5].copy_from_slice(&config_bytes);
        hear_bytes(&bytes)
    };
    // Announced in front, announced behind, and half the rate that the container gives.
    for he_aac in [
        [0x2b, 0x92, 0x08, 0x00, 0x00],
        [0x13, 0x90, 0x56, 0xe5, 0xa0],
        [0x13, 0x90, 0x56, 0xe5, 0x00],
    ] {
        let result = with_config(he_aac);
        assert!(
            matches!(result, Err(ListenError::Audio(AudioError::HeAac))),
            "{he_aac:x?} {result:?}"
        );
    }
    let surround = with_config([0x12, 0x30, 0x56, 0xe5, 0x00]).unwrap_err();
    assert!(
        surround.to_string().contains("more than two channels"),
        "{surround}"
    );
}

#[test]
fn a_header_that_upsets_the_reader_is_damage() {
    // 128 << 8 channels: the product with the frame size does not fit.
    let mut bytes = std::fs::read(fixture("source.aiff")).unwrap();
    bytes[20] = 128;
    let refused = kind(hear_bytes(&bytes));
    assert!(matches!(
        refused,
        FailureKind::Damaged | FailureKind::Unsupported
    ));
}

#[test]
fn a_cancelled_track_stops_at_once() {
    let control = Control::default();
    control.cancel();
    let result = listen(
        &fixture("source.wav"),
        &Wants::default(),
        &control,
        &mut |_| {},
    );
    assert!(matches!(result, Err(ListenError::Cancelled(_))));
}

/// What a mutation does to a file.
#[derive(Debug, Clone)]
enum Harm {
    Set(usize, u8),
    Cut(usize),
    Drop(usize, usize),
    Repeat(usize, usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let place = 0..1_usize << 20;
    prop_oneof![
        // Headers matter most.
        6 => (0..512_usize, any::<u8>()).prop_map(|(at, byte)| Harm::Set(at, byte)),
        6 => (place.clone(), any::<u8>()).prop_map(|(at, byte)| Harm::Set(at, byte)),
        1 => place.clone().prop_map(Harm::Cut),
        2 => (place.clone(), 0..5_000_usize).prop_map(|(at, count)| Harm::Drop(at, count)),
        2 => (place, 0..5_000_usize).prop_map(|(at, count)| Harm::Repeat(at, count)),
    ]
}

fn harmed(mut bytes: Vec<u8>, harms: &[Harm]) -> Vec<u8> {
    for harm in harms {
        let length = bytes.len().max(1);
        match *harm {
            Harm::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at % length) {
                    *place = byte;
                }
            }
            Harm::Cut(at) => bytes.truncate(at % length),
            Harm::Drop(at, count) => {
                let from = at % length;
                let to = (from + count).min(bytes.len());
                bytes.drain(from.min(to)..to);
            }
            Harm::Repeat(at, count) => {
                let from = at % length;
                let piece: Vec<u8> = bytes.iter().skip(from).take(count).copied().collect();
                bytes.splice(from.min(bytes.len())..from.min(bytes.len()), piece);
            }
        }
    }
    bytes
}

const FIXTURES: [&str; 11] = [
    "source.wav",
    "source.aiff",
    "source.flac",
    "alac.m4a",
    "cbr.mp3",
    "vbr.mp3",
    "tagless.mp3",
    "aac.m4a",
    "adts.aac",
    "vorbis.ogg",
    "opus.opus",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: env_cases(), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_mutated_file_brings_us_down(
        index in 0..FIXTURES.len(),
        harms in prop::collection::vec(harm(), 1..12),
    ) {
        let bytes = harmed(std::fs::read(fixture(FIXTURES[index])).unwrap(), &harms);
        if let Ok(heard) = hear_bytes(&bytes) {
            let columns = heard.waveform.unwrap().levels[0].len() as u64;
            let rate = u64::from(heard.format.sample_rate.hz());
            prop_assert_eq!(columns, (heard.frames * 300).div_ceil(rate));
            // No codec of ours packs more than 65 536 frames into a packet of a few bytes.
            prop_assert!(heard.frames <= 8_192 * bytes.len() as u64);
        }
    }
}

/// 96 files in every test run; as many as asked for when hunting.
fn env_cases() -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(96)
}
