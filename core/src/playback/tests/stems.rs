//! The track and its stems under one clock: what is heard while stems go and come.

use crate::playback::block::{BLOCK_FRAMES, Block, Shelf};
use crate::playback::loader::{LANES, Loader, Wish};
use crate::playback::mixer::{Arrival, Levels, Mixer, ORIGINAL, Order, Passage, RAMP, SOURCES};
use crate::playback::{Offline, RATE, StemMix};
use crate::stems::{Stem, StemFiles};
use crate::units::{SampleRate, Secs};
use proptest::prelude::*;
use rtrb::{Consumer, Producer, RingBuffer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LENGTH: u64 = 60_000;

struct Rig {
    mixer: Mixer,
    orders: Producer<Order>,
    arrivals: Producer<Arrival>,
    _returns: Consumer<Block>,
    order: Order,
    /// The set that stems are brought of.
    set: u32,
}

impl Rig {
    /// With the blocks of the first `sources` sources.
    fn with(sources: usize, sound: impl Fn(usize, u64) -> [f32; 2]) -> Self {
        let (orders, to_mixer) = RingBuffer::new(64);
        let (arrivals, arriving) = RingBuffer::new(LANES);
        let (returning, returns) = RingBuffer::new(LANES);
        let mut rig = Self {
            mixer: Mixer::new(SOURCES, to_mixer, arriving, returning),
            orders,
            arrivals,
            _returns: returns,
            order: Order {
                epoch: 1,
                set: 1,
                ..Order::default()
            },
            set: 1,
        };
        for source in 0..sources {
            rig.bring(source, 0..LENGTH.div_ceil(BLOCK_FRAMES as u64), &sound);
        }
        let end = Arrival::End {
            epoch: 1,
            frames: LENGTH,
        };
        rig.arrivals.push(end).unwrap();
        rig
    }

    fn bring(
        &mut self,
        source: usize,
        blocks: std::ops::Range<u64>,
        sound: impl Fn(usize, u64) -> [f32; 2],
    ) {
        for index in blocks {
            let mut block = Block::empty();
            let from = index * BLOCK_FRAMES as u64;
            block.epoch = if source == 0 { 1 } else { self.set };
            (block.index, block.frames) = (index, BLOCK_FRAMES);
            for (frame, at) in block.samples.as_chunks_mut::<2>().0.iter_mut().zip(from..) {
                *frame = sound(source, at);
            }
            let shelf = Shelf::Window;
            let arrival = Arrival::Block {
                source,
                shelf,
                block,
            };
            self.arrivals.push(arrival).unwrap();
        }
    }

    fn ask(&mut self, change: impl FnOnce(&mut Order)) {
        change(&mut self.order);
        self.orders.push(self.order).unwrap();
    }

    fn levels(&mut self, levels: Levels) {
        self.ask(|order| order.levels = levels);
    }

    fn render(&mut self, frames: usize) -> (Vec<f32>, Passage) {
        let mut out = vec![f32::NAN; frames * 2];
        let passage = self.mixer.render(&mut out);
        (out, passage)
    }
}

/// Each source says who and where it is: bits that do not meet when they are added.
fn signed(source: usize, frame: u64) -> [f32; 2] {
    let place = (frame % 1_000) as f32;
    let weight = [0.0, 1.0, 1_000.0, 0.0, 0.0];
    [place * weight[source], source as f32]
}

const HZ: f64 = 1_000.0;

/// The four stems together are the track.
fn sine(source: usize, frame: u64) -> [f32; 2] {
    let share = [1.0, 0.4, 0.3, 0.2, 0.1][source];
    let at = std::f64::consts::TAU * HZ * frame as f64 / f64::from(RATE);
    [(at.sin() * share) as f32, (at.cos() * share) as f32]
}

fn steepest(out: &[f32]) -> f64 {
    let own = std::f64::consts::TAU * HZ / f64::from(RATE);
    let frames = out.as_chunks::<2>().0;
    let steps = frames.windows(2).flat_map(|pair| {
        let step = |channel: usize| f64::from((pair[1][channel] - pair[0][channel]).abs());
        [step(0), step(1)]
    });
    steps.fold(0.0, f64::max) / own
}

#[test]
fn all_stems_are_read_at_the_same_frame() {
    let mut rig = Rig::with(SOURCES, signed);
    rig.levels([0.0, 1.0, 1.0, 0.0, 0.0]);
    rig.ask(|order| {
        order.run = true;
        order.to = 12_345;
        order.jump += 1;
    });
    rig.render(RAMP);
    let (out, passage) = rig.render(20_000);
    for (frame, heard) in out.as_chunks::<2>().0.iter().enumerate() {
        let place = ((passage.from + frame as u64) % 1_000) as f32;
        assert_eq!(*heard, [place * 1_001.0, 3.0], "{frame}");
    }
}

#[test]
fn stems_that_go_and_come_every_50_ms_make_no_click() {
    let mut rig = Rig::with(SOURCES, sine);
    rig.ask(|order| order.run = true);
    let mixes = [
        ORIGINAL,
        [0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 1.0],
        [0.0; SOURCES],
        [0.0, 0.5, 0.0, 1.0, 0.25],
    ];
    let mut all = Vec::new();
    for levels in mixes.into_iter().cycle().take(24) {
        rig.levels(levels);
        all.extend(rig.render(2_400).0);
    }
    let steepest = steepest(&all);
    assert!((0.95..=1.05).contains(&steepest), "{steepest}");
}

#[test]
fn the_track_and_all_its_stems_cross_over_at_one_level() {
    let mut rig = Rig::with(SOURCES, sine);
    rig.ask(|order| order.run = true);
    rig.render(1_000);
    let stems = [0.0, 1.0, 1.0, 1.0, 1.0];
    for levels in [stems, ORIGINAL, stems] {
        rig.levels(levels);
        let (out, passage) = rig.render(1_000);
        for (frame, heard) in out.as_chunks::<2>().0.iter().enumerate() {
            let expected = sine(0, passage.from + frame as u64);
            assert!((heard[0] - expected[0]).abs() < 1e-6, "{frame}");
        }
    }
}

#[test]
fn what_was_heard_goes_on_until_the_wanted_stems_are_there() {
    let mut rig = Rig::with(1, |_, _| [1.0, 1.0]);
    rig.ask(|order| order.run = true);
    rig.render(1_000);
    rig.levels([0.0, 1.0, 0.0, 0.0, 0.0]);
    let (out, passage) = rig.render(5_000);
    assert!(!passage.starved && passage.ran == 5_000);
    assert!(out.iter().all(|&sample| sample == 1.0));
    rig.bring(1, 0..8, |_, _| [0.25, 0.25]);
    let (out, passage) = rig.render(5_000);
    assert!(!passage.starved && passage.ran == 5_000);
    assert!(out[RAMP * 2..].iter().all(|&sample| sample == 0.25));
}

#[test]
fn with_all_stems_off_the_track_runs_on_in_silence() {
    let mut rig = Rig::with(SOURCES, sine);
    rig.ask(|order| order.run = true);
    rig.levels([0.0; SOURCES]);
    rig.render(RAMP);
    let (out, passage) = rig.render(2_000);
    assert_eq!((passage.ran, passage.starved), (2_000, false));
    assert!(out.iter().all(|&sample| sample == 0.0));
    rig.levels(ORIGINAL);
    rig.render(RAMP);
    let (out, passage) = rig.render(10);
    assert_eq!(out[0], sine(0, passage.from)[0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_block_sizes_give_the_same_mix(
        mixes in prop::collection::vec((prop::array::uniform5(0.0_f32..1.0), 0_usize..6_000), 1..8),
        sizes in prop::collection::vec(1_usize..3_000, 1..6),
    ) {
        let mut whole = Rig::with(SOURCES, sine);
        let mut pieces = Rig::with(SOURCES, sine);
        let mut sizes = sizes.into_iter().cycle();
        for (levels, frames) in mixes {
            for rig in [&mut whole, &mut pieces] {
                rig.ask(|order| (order.levels, order.run) = (levels, true));
            }
            let (expected, _) = whole.render(frames);
            let mut heard = Vec::new();
            while heard.len() < frames * 2 {
                let size = sizes.next().unwrap_or(1).min(frames - heard.len() / 2);
                heard.extend(pieces.render(size).0);
            }
            prop_assert!(heard == expected);
        }
    }
}

fn noise(frame: usize, seed: usize) -> f32 {
    let bits = (frame * 8 + seed) as u64;
    let bits = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    bits as f32 / 16_777_216.0 - 0.5
}

fn wav(path: PathBuf, rate: u32, frames: usize, sound: impl Fn(usize) -> f32) -> PathBuf {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..frames {
        writer.write_sample(sound(frame)).unwrap();
        writer.write_sample(-sound(frame)).unwrap();
    }
    writer.finalize().unwrap();
    path
}

/// A track of noise, and stems that are a quarter of it each at the level that `gain` undoes.
fn files(folder: &Path, frames: usize, stem_frames: usize) -> (PathBuf, Arc<StemFiles>) {
    let track = wav(folder.join("track.wav"), RATE, frames, |frame| {
        noise(frame, 0)
    });
    let paths = Stem::ALL.map(|stem| {
        wav(folder.join(stem.file_name()), RATE, stem_frames, |frame| {
            noise(frame, stem as usize + 1) / 4.0
        })
    });
    let stems = StemFiles {
        paths,
        gain: 4.0,
        frames: stem_frames as u64,
        rate: SampleRate::new(RATE).unwrap(),
    };
    (track, Arc::new(stems))
}

fn rendered(sound: &mut Offline) -> Vec<f32> {
    let mut all = Vec::new();
    let mut piece = vec![0.0; 2 * 1_000];
    for _ in 0..10_000 {
        if sound.has_ended() {
            break;
        }
        sound.supply(8);
        let ran = sound.render(&mut piece);
        all.extend_from_slice(&piece[..ran * 2]);
    }
    all
}

#[test]
fn files_of_stems_are_mixed_sample_for_sample_from_any_place_on() {
    let folder = tempfile::tempdir().unwrap();
    let frames = 100_000;
    let (track, stems) = files(folder.path(), frames, frames);
    for from in [0_usize, 30_000] {
        let start = Secs(from as f64 / f64::from(RATE));
        let mut sound = Offline::open(&track, start, None).unwrap();
        sound.set_stems(&stems, &StemMix::only(&[Stem::Drums, Stem::Vocals]));
        let heard = rendered(&mut sound);
        assert_eq!(heard.len() / 2, frames - from);
        for (frame, heard) in heard.as_chunks::<2>().0.iter().enumerate().skip(RAMP) {
            let at = frame + from;
            let expected = noise(at, 1) / 4.0 * 4.0 + noise(at, 4) / 4.0 * 4.0;
            assert_eq!(heard[0], expected, "{at}");
        }
        assert!(sound.trouble().is_none());
    }
}

#[test]
fn stems_that_are_a_little_short_end_in_silence_and_the_track_plays_on() {
    let folder = tempfile::tempdir().unwrap();
    let (track, stems) = files(folder.path(), 50_000, 49_900);
    let mut sound = Offline::open(&track, Secs(0.0), None).unwrap();
    sound.set_stems(&stems, &StemMix::only(&[Stem::Bass]));
    let heard = rendered(&mut sound);
    assert_eq!(heard.len() / 2, 50_000);
    assert_eq!(heard[49_899 * 2], noise(49_899, 2));
    assert!(heard[49_900 * 2..].iter().all(|&sample| sample == 0.0));
    assert!(sound.trouble().is_none());
}

#[test]
fn a_stem_that_is_gone_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let (track, stems) = files(folder.path(), 50_000, 50_000);
    std::fs::remove_file(&stems.paths[2]).unwrap();
    let mut sound = Offline::open(&track, Secs(0.0), None).unwrap();
    sound.set_stems(&stems, &StemMix::only(&[Stem::Bass]));
    sound.supply(32);
    assert!(sound.trouble().is_some());
}

/// Quiet mono of 8 kHz, so that a minute takes little.
fn minute(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..60 * 8_000_i32 {
        writer.write_sample((frame % 100) as i16).unwrap();
    }
    writer.finalize().unwrap();
    path
}

#[test]
fn a_track_without_stems_plays_after_one_whose_stems_were_read() {
    let folder = tempfile::tempdir().unwrap();
    let stems = StemFiles {
        paths: Stem::ALL.map(|stem| minute(folder.path(), stem.name())),
        gain: 1.0,
        frames: 60 * 8_000,
        rate: SampleRate::new(8_000).unwrap(),
    };
    let track = minute(folder.path(), "track.wav");
    let (mut orders, to_mixer) = RingBuffer::new(64);
    let (arrivals, arriving) = RingBuffer::new(LANES);
    let (returning, returns) = RingBuffer::new(LANES);
    let mut mixer = Mixer::new(SOURCES, to_mixer, arriving, returning);
    let mut loader = Loader::new(arrivals, returns);
    let mut wish = Wish {
        epoch: 1,
        path: track,
        stems: Some(Arc::new(stems)),
        set: 1,
        ..Wish::default()
    };
    let mut order = Order {
        epoch: 1,
        jump: 1,
        run: true,
        set: 1,
        ..Order::default()
    };
    let mut play = |wish: &mut Wish, order: Order| {
        orders.push(order).unwrap();
        let mut out = vec![0.0; 2 * 1_024];
        let mut ran = 0;
        for _ in 0..200 {
            while loader.step(wish, &mut |_| ()) {}
            let passage = mixer.render(&mut out);
            wish.focus = passage.from + passage.ran;
            ran += passage.ran;
        }
        ran
    };
    assert!(play(&mut wish, order) > 100_000);
    (wish.epoch, wish.stems, wish.set, wish.focus) = (2, None, 2, 0);
    (order.epoch, order.jump, order.set) = (2, 2, 2);
    assert!(play(&mut wish, order) > 100_000);
}

#[test]
fn another_set_of_stems_is_crossed_over_to_and_never_mixed_with_the_one_before() {
    let mut rig = Rig::with(SOURCES, |source, _| [source as f32, 0.0]);
    rig.ask(|order| {
        order.run = true;
        order.set = 1;
        order.levels = [0.0, 1.0, 0.0, 0.0, 0.0];
    });
    rig.render(1_000);
    // The new set is a hundred times as loud, and comes while the old one is heard.
    rig.ask(|order| order.set = 2);
    let mut all = rig.render(RAMP * 2).0;
    rig.set = 2;
    rig.bring(1, 0..8, |_, _| [100.0, 0.0]);
    all.extend(rig.render(RAMP * 2).0);
    let last = all.len() - 2;
    assert_eq!((all[0] < 1.0, all[last]), (true, 100.0));
    let steps = all.as_chunks::<2>().0.windows(2);
    let steepest = steps
        .map(|pair| (pair[1][0] - pair[0][0]).abs())
        .fold(0.0, f32::max);
    assert!(steepest <= 1.01 * 100.0 / RAMP as f32, "{steepest}");
}

#[test]
fn stems_that_are_told_of_twice_are_still_heard() {
    let folder = tempfile::tempdir().unwrap();
    let stems = Arc::new(StemFiles {
        paths: Stem::ALL.map(|stem| minute(folder.path(), stem.name())),
        gain: 1.0,
        frames: 60 * 8_000,
        rate: SampleRate::new(8_000).unwrap(),
    });
    let (mut orders, to_mixer) = RingBuffer::new(64);
    let (arrivals, arriving) = RingBuffer::new(LANES);
    let (returning, returns) = RingBuffer::new(LANES);
    let mut mixer = Mixer::new(SOURCES, to_mixer, arriving, returning);
    let mut loader = Loader::new(arrivals, returns);
    let mut heard = |set| {
        let order = Order {
            epoch: 1,
            jump: u64::from(set),
            run: true,
            set,
            levels: [0.0, 1.0, 1.0, 1.0, 1.0],
            ..Order::default()
        };
        orders.push(order).unwrap();
        let mut wish = Wish {
            epoch: 1,
            path: minute(folder.path(), "track.wav"),
            stems: Some(Arc::clone(&stems)),
            set,
            ..Wish::default()
        };
        let mut out = vec![0.0; 2 * 1_024];
        let mut ran = 0;
        for _ in 0..100 {
            while loader.step(&wish, &mut |_| ()) {}
            let passage = mixer.render(&mut out);
            wish.focus = passage.from + passage.ran;
            ran += passage.ran;
        }
        ran
    };
    assert!(heard(1) > 50_000);
    assert!(heard(2) > 50_000, "the same files, another time");
}
