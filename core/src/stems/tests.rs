//! Stems written and read again: whole, locked to the sample, adding up.

use super::{GAIN, RATE, SetKey, Stem, StemError, StemFiles, StemWriter, folder, named};
use crate::artifact::Maker;
use crate::audio::Decoder;
use crate::audio::stereo::Stereo;
use crate::control::Control;
use crate::failure::FailureKind;
use crate::track::TrackId;
use crate::units::SampleRate;
use crate::waveform;
use jiff::Timestamp;
use std::path::Path;

const TRACK: TrackId = TrackId(0x0123_4567_89ab_cdef);
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn rate() -> SampleRate {
    SampleRate::new(RATE).unwrap()
}

fn noise(seed: u32, samples: usize, loudness: f32) -> Vec<f32> {
    let mut seed = seed;
    let next = std::iter::repeat_with(move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * loudness
    });
    next.take(samples).collect()
}

fn sum(stems: &[Vec<f32>; 4]) -> Vec<f32> {
    let [drums, bass, other, vocals] = stems;
    let sums = drums.iter().zip(bass).zip(other).zip(vocals);
    sums.map(|(((drums, bass), other), vocals)| drums + bass + other + vocals)
        .collect()
}

fn refs(stems: &[Vec<f32>; 4], from: usize, to: usize) -> [&[f32]; 4] {
    [0, 1, 2, 3].map(|at| &stems[at][from..to])
}

/// What a player hears of each stem.
fn heard(files: &StemFiles) -> [Vec<f32>; 4] {
    [0, 1, 2, 3].map(|at| {
        let mut decoder = Decoder::open(&files.paths[at]).unwrap();
        let (mut block, mut all) = (Vec::new(), Vec::new());
        while decoder.next_block(&mut block).unwrap().is_some() {
            all.extend(block.iter().map(|sample| sample * files.gain));
        }
        assert_eq!(all.len() as u64, files.frames * 2);
        all
    })
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|it| it.unwrap().file_name().into_string().unwrap())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn four_stems_come_back_in_sixteen_bit_steps_and_add_up_better_than_each_is_rounded() {
    let library = tempfile::tempdir().unwrap();
    // Louder than full scale, each and together.
    let stems = [1, 2, 3, 4].map(|seed| noise(seed, 60_000, 1.7));
    let mix = sum(&stems);
    let mut writer = StemWriter::create(library.path(), TRACK, rate()).unwrap();
    for from in (0..60_000).step_by(7_000) {
        let to = (from + 7_000).min(60_000);
        writer
            .push(refs(&stems, from, to), Some(&mix[from..to]))
            .unwrap();
    }
    let set = writer
        .finish(Maker::Htdemucs, NOW, &Control::default())
        .unwrap();
    assert_eq!((set.frames, set.rate, set.gain), (30_000, rate(), 16.0));
    let files = set.files(library.path(), TRACK);
    let back = heard(&files);
    let step = 1.0 / 32_768.0;
    for (stem, back) in stems.iter().zip(&back) {
        let worst = stem
            .iter()
            .zip(back)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst <= 2.0 * step, "{worst}");
    }
    let added = sum(&back);
    let worst = mix
        .iter()
        .zip(&added)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(worst <= 0.53 * step, "{worst}");
    // The power of a rounding, a twelfth of a step's square, against that of four equal noises.
    let expected = 10.0 * (step * step / 12.0 / (4.0 * 1.7 * 1.7 / 3.0)).log10();
    assert!(
        (set.residual_db.unwrap() - expected).abs() < 0.1,
        "{:?} {expected}",
        set.residual_db
    );
    let on_disk: u64 = entries(files.paths[0].parent().unwrap())
        .iter()
        .map(|name| {
            std::fs::metadata(files.paths[0].with_file_name(name))
                .unwrap()
                .len()
        })
        .sum();
    assert_eq!(set.bytes, on_disk);
    for (stem, path) in Stem::ALL.into_iter().zip(&files.paths) {
        assert_eq!(
            path.file_name().unwrap().to_str().unwrap(),
            stem.file_name()
        );
        let picture = std::fs::read(set.waveform_path(library.path(), TRACK, stem)).unwrap();
        assert_eq!(waveform::decode(&picture).unwrap().frames, 30_000);
    }
}

#[test]
fn stems_of_a_sixteen_bit_mix_add_up_to_it_exactly() {
    let library = tempfile::tempdir().unwrap();
    let mix: Vec<f32> = noise(9, 20_000, 0.9)
        .iter()
        .map(|it| (it * 32_768.0).round() / 32_768.0)
        .collect();
    let shares = [0.31, 0.17, 0.4, 0.12_f32];
    let stems = shares.map(|share| mix.iter().map(|it| it * share).collect::<Vec<f32>>());
    let mut writer = StemWriter::create(library.path(), TRACK, rate()).unwrap();
    writer.push(refs(&stems, 0, 20_000), Some(&mix)).unwrap();
    let set = writer
        .finish(Maker::Htdemucs, NOW, &Control::default())
        .unwrap();
    assert_eq!(sum(&heard(&set.files(library.path(), TRACK))), mix);
    assert_eq!(set.residual_db, Some(-150.0));
}

#[test]
fn silence_has_no_distance_and_what_is_no_number_is_silence() {
    let library = tempfile::tempdir().unwrap();
    let bad = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        1e30,
        -1e30,
        0.25,
    ]
    .repeat(10);
    let silence = vec![0.0; bad.len()];
    for (first, expected) in [(silence.clone(), 0.0), (bad.clone(), 0.25)] {
        let mut writer = StemWriter::create(library.path(), TRACK, rate()).unwrap();
        writer
            .push([&first, &silence, &silence, &silence], Some(&silence))
            .unwrap();
        let set = writer
            .finish(Maker::Htdemucs, NOW, &Control::default())
            .unwrap();
        assert_eq!(set.residual_db, None);
        let back = heard(&set.files(library.path(), TRACK));
        assert_eq!(back[0][5], expected);
        assert!(back.iter().flatten().all(|sample| sample.abs() <= GAIN));
    }
}

#[test]
fn a_set_that_was_not_finished_leaves_nothing_and_two_sets_stand_side_by_side() {
    let library = tempfile::tempdir().unwrap();
    let shelf = library.path().join("stems/ef");
    let sound = noise(1, 9_000, 0.5);
    let mut writer = StemWriter::create(library.path(), TRACK, rate()).unwrap();
    writer.push([&sound; 4], None).unwrap();
    let names = entries(&shelf);
    assert!(
        names.len() == 1 && names[0].ends_with(".unfinished"),
        "{names:?}"
    );
    drop(writer);
    assert_eq!(entries(&shelf), Vec::<String>::new());
    let sets = [1, 2].map(|_| {
        let mut writer = StemWriter::create(library.path(), TRACK, rate()).unwrap();
        writer.push([&sound; 4], None).unwrap();
        writer
            .finish(Maker::Htdemucs, NOW, &Control::default())
            .unwrap()
    });
    assert_eq!((sets[0].residual_db, entries(&shelf).len()), (None, 2));
    let flac = |at: usize| std::fs::read(&sets[at].files(library.path(), TRACK).paths[2]).unwrap();
    assert!(flac(0) == flac(1), "the same sound gives the same bytes");
}

#[test]
fn raw_files_are_taken_whole_and_their_flaws_told() {
    let library = tempfile::tempdir().unwrap();
    let raw = |sound: &[f32]| -> Vec<u8> { sound.iter().flat_map(|it| it.to_le_bytes()).collect() };
    let stems = [1, 2, 3, 4].map(|seed| noise(seed, 100_000, 0.2));
    let bytes = [0, 1, 2, 3].map(|at| raw(&stems[at]));
    let mix = raw(&sum(&stems));
    let take = |lengths: [usize; 4], mix: Option<&[u8]>, control: &Control| {
        let mut writer = StemWriter::create(library.path(), TRACK, rate())?;
        let [mut a, mut b, mut c, mut d] = [0, 1, 2, 3].map(|at| &bytes[at][..lengths[at]]);
        let mut mix = mix;
        let mix = mix.as_mut().map(|mix| mix as &mut dyn std::io::Read);
        writer.take([&mut a, &mut b, &mut c, &mut d], mix, control)?;
        writer.finish(Maker::Htdemucs, NOW, control)
    };
    let control = Control::default();
    let set = take([400_000; 4], Some(&mix), &control).unwrap();
    assert_eq!(set.frames, 50_000);
    assert!(set.residual_db.unwrap() < -80.0);
    for lengths in [
        [400_000, 400_000, 400_000, 399_992],
        [399_999, 400_000, 400_000, 400_000],
    ] {
        let error = take(lengths, None, &control).unwrap_err();
        assert!(matches!(error, StemError::Source(_)), "{error}");
        assert_eq!(error.failure().unwrap().kind, FailureKind::Bug);
    }
    control.cancel();
    let error = take([400_000; 4], None, &control).unwrap_err();
    assert!(matches!(error, StemError::Cancelled(_)) && error.failure().is_none());
    assert_eq!(entries(&library.path().join("stems/ef")).len(), 1);
}

#[test]
fn a_place_that_takes_no_files_is_told_with_a_remedy() {
    let library = tempfile::tempdir().unwrap();
    std::fs::write(library.path().join("stems"), b"not a folder").unwrap();
    let error = StemWriter::create(library.path(), TRACK, rate()).unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!(failure.kind, FailureKind::Storage);
    assert!(
        failure.message.contains("stems cannot be written"),
        "{}",
        failure.message
    );
}

#[test]
fn folders_are_named_for_one_set_of_one_track() {
    let folder = folder(Path::new("L"), TRACK, SetKey(0xab));
    assert_eq!(folder, Path::new("L/stems/ef/0123456789abcdef.000000ab"));
    assert_eq!(
        named("0123456789abcdef.000000ab"),
        Some((TRACK, SetKey(0xab)))
    );
    for name in [
        "",
        "x",
        "0123456789abcdef",
        "0123456789abcdef.ab",
        "0123456789abcdef.000000AB",
        "0123456789abcdef.000000ab.unfinished",
        "0123456789ABCDEF.000000ab",
        "0123456789abcdef.+00000ab",
    ] {
        assert_eq!(named(name), None, "{name}");
    }
}

/// Clicks a tenth of a second apart, each followed by a tone, at a rate of its own.
fn clicks(hz: u32, seconds: f64) -> Vec<f32> {
    let frames = (seconds * f64::from(hz)) as usize;
    (0..frames)
        .flat_map(|frame| {
            let at = frame as f64 / f64::from(hz);
            let tone = (at * 700.0 * std::f64::consts::TAU).sin() * (-20.0 * (at % 0.1)).exp();
            let right = (at * 2_100.0 * std::f64::consts::TAU).cos() * 0.3;
            [(tone * 0.6) as f32, right as f32]
        })
        .collect()
}

#[test]
fn stems_start_where_the_track_starts_at_any_rate_and_in_any_codec() {
    let folder = tempfile::tempdir().unwrap();
    let wav = |hz: u32| {
        let path = folder.path().join(format!("{hz}.wav"));
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: hz,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for sample in clicks(hz, 1.5) {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        path
    };
    let mut tracks = vec![
        (wav(44_100), -60.0),
        (wav(48_000), -60.0),
        (wav(96_000), -60.0),
        (wav(22_050), -60.0),
    ];
    for (from, codec) in [
        (44_100, "mp3"),
        (48_000, "mp3"),
        (44_100, "m4a"),
        (48_000, "opus"),
    ] {
        let path = folder.path().join(format!("{from}.{codec}"));
        let made = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-i"])
            .arg(folder.path().join(format!("{from}.wav")))
            .args(["-b:a", "256k"])
            .arg(&path)
            .status();
        if made.is_ok_and(|status| status.success()) {
            tracks.push((path, -20.0));
        }
    }
    let reference = clicks(RATE, 1.5);
    for (path, most) in tracks {
        let mut stereo = Stereo::open(&path, rate()).unwrap();
        let mut sound = Vec::new();
        while stereo.next(&mut sound).unwrap() {}
        assert!(!stereo.next(&mut sound).unwrap());
        // Encoders blur the very start; what a shift by one frame would do is far more than they do elsewhere.
        let inner = 8_820..reference.len().min(sound.len()) - 8_820;
        let power = |samples: &mut dyn Iterator<Item = f32>| {
            samples.map(|it| f64::from(it * it)).sum::<f64>()
        };
        let of = |shift: usize| {
            let rest = &mut sound[inner.clone()]
                .iter()
                .zip(&reference[inner.start + 2 * shift..])
                .map(|(a, b)| a - b);
            10.0 * (power(rest) / power(&mut reference[inner.clone()].iter().copied())).log10()
        };
        let here = of(0);
        assert!(
            here < most && here < of(1) - 3.0,
            "{} {here} {}",
            path.display(),
            of(1)
        );
        assert!(
            sound.len().abs_diff(reference.len()) <= 2 * 60,
            "{} {}",
            path.display(),
            sound.len()
        );
    }
}

#[test]
fn stopped_at_the_very_end_nothing_is_left() {
    let library = tempfile::tempdir().unwrap();
    let sound = noise(1, 9_000, 0.5);
    let mut writer = StemWriter::create(library.path(), TRACK, rate()).unwrap();
    writer.push([&sound; 4], None).unwrap();
    let control = Control::default();
    control.cancel();
    let stopped = writer.finish(Maker::Htdemucs, NOW, &control);
    assert!(matches!(stopped, Err(StemError::Cancelled(_))));
    assert_eq!(
        entries(&library.path().join("stems/ef")),
        Vec::<String>::new()
    );
}
