//! Read back by the decoder that plays users' files.

use super::{BLOCK, Depth, FlacWriter};
use crate::audio::Decoder;
use crate::units::{Frame, SampleRate};
use std::fs::File;
use std::path::Path;

fn noise(seed: u32) -> impl Iterator<Item = f32> {
    let mut seed = seed;
    std::iter::repeat_with(move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / 8_388_608.0 - 1.0
    })
}

fn write(path: &Path, depth: Depth, frames: &[[i32; 2]], piece: usize) {
    let rate = SampleRate::new(44_100).unwrap();
    let mut flac = FlacWriter::new(File::create(path).unwrap(), rate, depth).unwrap();
    for piece in frames.chunks(piece.max(1)) {
        flac.push(piece).unwrap();
    }
    flac.finish().unwrap();
}

fn read(path: &Path, depth: Depth) -> Vec<[i32; 2]> {
    let mut decoder = Decoder::open(path).unwrap();
    let scale = (1_i32 << (depth.bits() - 1)) as f32;
    let (mut block, mut all) = (Vec::new(), Vec::new());
    while decoder.next_block(&mut block).unwrap().is_some() {
        all.extend(
            block
                .as_chunks::<2>()
                .0
                .iter()
                .map(|frame| frame.map(|it| (it * scale) as i32)),
        );
    }
    assert_eq!(decoder.damage(), crate::audio::Damage::default());
    all
}

/// Every way to write a block: silence, level, slopes, tones, noise, extremes, in step and apart.
fn sounds(top: f32) -> Vec<(&'static str, Vec<[i32; 2]>)> {
    let tone = |at: usize, hz: f32| (at as f32 * hz * std::f32::consts::TAU / 44_100.0).sin();
    let of = |length: usize, frame: &dyn Fn(usize) -> [f32; 2]| -> Vec<[i32; 2]> {
        (0..length)
            .map(|at| frame(at).map(|it| (it * top) as i32))
            .collect()
    };
    let hiss: Vec<f32> = noise(7).take(3 * BLOCK).collect();
    vec![
        ("nothing", Vec::new()),
        ("one frame", vec![[5, -7]]),
        (
            "five frames",
            vec![[1, 2], [3, 4], [5, 6], [7, -8], [9, 10]],
        ),
        ("silence", vec![[0, 0]; BLOCK + 1]),
        (
            "a click",
            of(2 * BLOCK, &|at| {
                if at == 2_000 { [1.0, 0.5] } else { [0.0; 2] }
            }),
        ),
        ("level", vec![[123, -321]; 2 * BLOCK]),
        ("slope", (0..5_000).map(|at| [at, -at]).collect()),
        (
            "tones",
            of(3 * BLOCK + 17, &|at| {
                [tone(at, 50.0), tone(at, 9_000.0) * 0.3]
            }),
        ),
        ("in step", of(2 * BLOCK, &|at| [tone(at, 440.0); 2])),
        (
            "opposed",
            of(2 * BLOCK, &|at| [tone(at, 440.0), -tone(at, 440.0)]),
        ),
        (
            "noise",
            of(3 * BLOCK, &|at| [hiss[at], hiss[(at * 7) % hiss.len()]]),
        ),
        ("quiet noise", of(3 * BLOCK, &|at| [hiss[at] * 1e-4, 0.0])),
        (
            "extremes",
            of(BLOCK + 3, &|at| {
                if at % 2 == 0 {
                    [1.0, -1.0]
                } else {
                    [-1.0, 1.0]
                }
            }),
        ),
        (
            "bursts",
            of(3 * BLOCK, &|at| {
                if at % 1_000 < 20 {
                    [hiss[at]; 2]
                } else {
                    [0.0; 2]
                }
            }),
        ),
    ]
}

#[test]
fn what_is_written_is_read_to_the_bit_whatever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for depth in [Depth::Bits16, Depth::Bits20] {
        let top = ((1_i32 << (depth.bits() - 1)) - 1) as f32;
        for (name, frames) in sounds(top) {
            let path = folder.path().join("sound.flac");
            write(&path, depth, &frames, 999);
            if frames.is_empty() {
                assert_eq!(std::fs::metadata(&path).unwrap().len(), 42, "{name}");
                continue;
            }
            let back = read(&path, depth);
            assert_eq!(back.len(), frames.len(), "{name} {depth:?}");
            assert!(back == frames, "{name} {depth:?}");
        }
    }
}

#[test]
fn pieces_of_any_size_give_the_same_bytes_and_any_frame_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let frames: Vec<[i32; 2]> = noise(3)
        .take(300_000)
        .enumerate()
        .map(|(at, it)| [(it * 900.0) as i32, (at % 5_000) as i32])
        .collect();
    let [one, other] = ["one.flac", "other.flac"].map(|name| folder.path().join(name));
    write(&one, Depth::Bits20, &frames, 1);
    write(&other, Depth::Bits20, &frames, usize::MAX);
    assert!(std::fs::read(&one).unwrap() == std::fs::read(&other).unwrap());
    let mut decoder = Decoder::open(&one).unwrap();
    let mut block = Vec::new();
    for at in [250_000_u64, 0, 4_096, 299_999, 123_457] {
        decoder.seek(Frame(at)).unwrap();
        decoder.next_block(&mut block).unwrap();
        let first = [block[0], block[1]].map(|it| (it * 524_288.0) as i32);
        assert_eq!(first, frames[at as usize], "{at}");
    }
}

#[test]
fn what_does_not_fit_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loud.flac");
    write(&path, Depth::Bits16, &[[40_000, -40_000]; 20], 7);
    assert_eq!(read(&path, Depth::Bits16), [[32_767, -32_768]; 20]);
}

#[test]
fn another_program_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.flac");
    for (name, frames) in sounds(300_000.0).into_iter().skip(1) {
        write(&path, Depth::Bits20, &frames, 5_000);
        let decoded = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-xerror", "-i"])
            .arg(&path)
            .args(["-f", "s32le", "-"])
            .output();
        let Ok(decoded) = decoded else { return };
        let words = String::from_utf8_lossy(&decoded.stderr).into_owned();
        assert!(
            decoded.status.success() && words.is_empty(),
            "{name}: {words}"
        );
        let back: Vec<i32> = decoded
            .stdout
            .as_chunks::<4>()
            .0
            .iter()
            .map(|sample| i32::from_le_bytes(*sample) >> 12)
            .collect();
        assert!(back == frames.as_flattened(), "{name}");
    }
}
