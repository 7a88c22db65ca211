//! Files through the reader, the loader and the mixer.

use crate::playback::block::BLOCK_FRAMES;
use crate::playback::reader::Reader;
use crate::playback::{Offline, RATE};
use crate::units::Secs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

fn noise(frame: usize, channel: usize) -> f32 {
    let bits = (frame * 8 + channel) as u64;
    let bits = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    bits as f32 / 16_777_216.0 - 0.5
}

fn wav(folder: &Path, rate: u32, channels: u16, frames: usize) -> PathBuf {
    let path = folder.join(format!("{rate}-{channels}-{frames}.wav"));
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..frames {
        for channel in 0..usize::from(channels) {
            writer.write_sample(noise(frame, channel)).unwrap();
        }
    }
    writer.finalize().unwrap();
    path
}

/// The head of a WAV of 16-bit stereo at our rate.
fn wav_header(frames: u32) -> Vec<u8> {
    let data = frames * 4;
    let mut bytes = Vec::new();
    for part in [
        &b"RIFF"[..],
        &(36 + data).to_le_bytes(),
        b"WAVEfmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &2_u16.to_le_bytes(),
        &RATE.to_le_bytes(),
        &(RATE * 4).to_le_bytes(),
        &4_u16.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ] {
        bytes.extend_from_slice(part);
    }
    bytes
}

fn read_all(path: &Path) -> Vec<f32> {
    let mut reader = Reader::open(path).unwrap();
    let mut all = Vec::new();
    let mut piece = vec![0.0; 2 * 5_000];
    loop {
        let frames = reader.fill(all.len() as u64 / 2, &mut piece).unwrap();
        all.extend_from_slice(&piece[..frames * 2]);
        if frames < 5_000 {
            return all;
        }
    }
}

#[test]
fn a_frame_is_the_same_whether_it_was_played_to_or_jumped_to() {
    let folder = tempfile::tempdir().unwrap();
    for (rate, channels) in [
        (48_000, 2),
        (44_100, 2),
        (44_100, 1),
        (96_000, 2),
        (22_050, 2),
        (44_101, 1),
        (48_000, 6),
    ] {
        let frames = rate as usize * 3 + 17;
        let path = wav(folder.path(), rate, channels, frames);
        let all = read_all(&path);
        let length = (frames as u64 * 48_000).div_ceil(u64::from(rate));
        assert_eq!(all.len() as u64 / 2, length, "{rate} Hz");
        let mut reader = Reader::open(&path).unwrap();
        let mut piece = vec![0.0; 2 * 3_000];
        for jump in 0..60_u64 {
            let to = jump * 7_919_777 % length;
            let got = reader.fill(to, &mut piece).unwrap();
            let expected = &all[to as usize * 2..];
            let expected = &expected[..expected.len().min(6_000)];
            assert_eq!(got * 2, expected.len(), "{rate} Hz, frame {to}");
            assert!(piece[..got * 2] == *expected, "{rate} Hz, frame {to}");
        }
    }
}

#[test]
fn lossy_sound_is_the_same_whether_it_was_played_to_or_jumped_to() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
    for name in ["night-ferry.mp3", "window-seat.ogg", "low-orbit.m4a"] {
        let path = demo.join(name);
        let all = read_all(&path);
        let length = all.len() as u64 / 2;
        assert!(length > 10 * u64::from(RATE), "{name}");
        let mut reader = Reader::open(&path).unwrap();
        let mut piece = vec![0.0; 2 * 3_000];
        for jump in 1..12_u64 {
            let to = jump * 7_919_777 % (length - 3_000);
            assert_eq!(reader.fill(to, &mut piece).unwrap(), 3_000, "{name}");
            let expected = &all[to as usize * 2..];
            let pairs = piece.iter().zip(expected);
            let off = pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(off <= 1e-4, "{name}, frame {to}: {off}");
        }
    }
}

#[test]
fn mono_is_heard_on_both_sides_and_surround_does_not_clip() {
    let folder = tempfile::tempdir().unwrap();
    let mono = read_all(&wav(folder.path(), 48_000, 1, 5_000));
    assert_eq!(mono.len(), 10_000);
    for (frame, heard) in mono.as_chunks::<2>().0.iter().enumerate() {
        assert_eq!(*heard, [noise(frame, 0); 2]);
    }
    for channels in 3..=8 {
        let folded = read_all(&wav(folder.path(), 48_000, channels, 2_000));
        assert_eq!(folded.len(), 4_000);
        let loudest = folded.iter().fold(0.0_f32, |most, s| most.max(s.abs()));
        assert!((0.1..=0.5).contains(&loudest), "{channels}: {loudest}");
    }
}

fn render_all(sound: &mut Offline, piece: usize) -> Vec<f32> {
    let mut all = Vec::new();
    let mut out = vec![0.0; piece * 2];
    while !sound.has_ended() {
        sound.supply(4);
        let ran = sound.render(&mut out);
        all.extend_from_slice(&out[..ran * 2]);
        assert!(all.len() < 100_000_000, "no end");
    }
    all
}

#[test]
fn what_is_rendered_is_the_file_between_its_first_and_its_last_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = wav(folder.path(), 48_000, 2, 100_001);
    let mut sound = Offline::open(&path, Secs(0.5), None).unwrap();
    let all = render_all(&mut sound, 1_000);
    assert_eq!(all.len() / 2, 100_001 - 24_000);
    for (frame, heard) in all.as_chunks::<2>().0.iter().enumerate().skip(240) {
        let frame = frame + 24_000;
        assert_eq!(*heard, [noise(frame, 0), noise(frame, 1)]);
    }
    assert_eq!(sound.trouble(), None);
}

#[test]
fn three_hours_take_no_more_memory_than_three_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let frames = RATE * 3 * 3_600;
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&wav_header(frames)).unwrap();
    // A file of zeros that takes no room.
    file.set_len(44 + u64::from(frames) * 4).unwrap();
    file.seek(SeekFrom::Start(44 + 4 * u64::from(frames - 1)))
        .unwrap();
    file.write_all(&[0, 64, 0, 64]).unwrap();
    let mut sound = Offline::open(&path, Secs(0.0), None).unwrap();
    let mut out = vec![0.0; 2 * 4_096];
    for hop in 0..50 {
        sound.seek(Secs(f64::from(hop) * 211.7));
        sound.supply(1_000);
        assert_eq!(sound.render(&mut out), 4_096, "hop {hop}");
    }
    let most = sound.blocks() * BLOCK_FRAMES * 8;
    assert!(most <= 32 << 20, "{most} bytes");
    sound.seek(Secs(10_799.5));
    let rest = render_all(&mut sound, 1_024);
    assert_eq!(rest.len() / 2, 24_000);
    assert_eq!(rest.last(), Some(&0.5));
}

#[test]
fn a_file_cut_off_while_it_plays_is_played_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = wav(folder.path(), 48_000, 2, 48_000 * 20);
    let mut sound = Offline::open(&path, Secs(0.0), None).unwrap();
    let mut out = vec![0.0; 2 * 4_096];
    sound.supply(2);
    assert_eq!(sound.render(&mut out), 4_096);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(48_000 * 8 * 10).unwrap();
    let rest = render_all(&mut sound, 4_096);
    assert!(rest.len() / 2 > 9 * 48_000, "{}", rest.len() / 2);
    assert!(rest.len() / 2 < 10 * 48_000);
    let trouble = sound.trouble().unwrap();
    assert!(trouble.message.contains("cut off"), "{}", trouble.message);
    assert!(!trouble.remedy.is_empty());
}

#[test]
fn a_file_that_goes_away_while_it_plays_ends_and_says_so_or_plays_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = wav(folder.path(), 48_000, 2, 48_000 * 20);
    let mut sound = Offline::open(&path, Secs(0.0), None).unwrap();
    std::fs::remove_file(&path).unwrap();
    // Where systems keep open files alive, all of it is heard.
    let all = render_all(&mut sound, 4_096);
    assert!(all.len() / 2 == 48_000 * 20 || sound.trouble().is_some());
}
