//! The mixer over sound that a function makes.

use crate::playback::RATE;
use crate::playback::block::{BLOCK_FRAMES, Block, Shelf};
use crate::playback::loader::LANES;
use crate::playback::mixer::{Arrival, Mixer, Order, Passage, RAMP};
use proptest::prelude::*;
use rtrb::{Consumer, Producer, RingBuffer};

/// Frames of the track in most tests: not a whole number of blocks.
const LENGTH: u64 = 60_000;

struct Rig {
    mixer: Mixer,
    orders: Producer<Order>,
    arrivals: Producer<Arrival>,
    returns: Consumer<Block>,
    order: Order,
}

impl Rig {
    fn empty() -> Self {
        let (orders, to_mixer) = RingBuffer::new(64);
        let (arrivals, arriving) = RingBuffer::new(LANES);
        let (returning, returns) = RingBuffer::new(LANES);
        Self {
            mixer: Mixer::new(1, to_mixer, arriving, returning),
            orders,
            arrivals,
            returns,
            order: Order {
                epoch: 1,
                ..Order::default()
            },
        }
    }

    /// With all of a track of [`LENGTH`] frames.
    fn with(sound: impl Fn(u64) -> [f32; 2]) -> Self {
        let mut rig = Self::empty();
        for index in 0..LENGTH.div_ceil(BLOCK_FRAMES as u64) {
            rig.bring(index, &sound);
        }
        rig.bring_end(LENGTH);
        rig
    }

    fn bring(&mut self, index: u64, sound: impl Fn(u64) -> [f32; 2]) {
        let mut block = Block::empty();
        let from = index * BLOCK_FRAMES as u64;
        block.epoch = self.order.epoch;
        block.index = index;
        block.frames = LENGTH.saturating_sub(from).min(BLOCK_FRAMES as u64) as usize;
        for (frame, at) in block.samples.as_chunks_mut::<2>().0.iter_mut().zip(from..) {
            *frame = sound(at);
        }
        let arrival = Arrival::Block {
            source: 0,
            shelf: Shelf::Window,
            block,
        };
        self.arrivals.push(arrival).unwrap();
    }

    fn bring_end(&mut self, frames: u64) {
        let epoch = self.order.epoch;
        let end = Arrival::End { epoch, frames };
        self.arrivals.push(end).unwrap();
    }

    fn ask(&mut self, change: impl FnOnce(&mut Order)) {
        change(&mut self.order);
        self.orders.push(self.order).unwrap();
    }

    fn seek(&mut self, to: u64) {
        self.ask(|order| {
            order.to = to;
            order.jump += 1;
        });
    }

    fn render(&mut self, frames: usize) -> (Vec<f32>, Passage) {
        let mut out = vec![f32::NAN; frames * 2];
        let passage = self.mixer.render(&mut out);
        (out, passage)
    }
}

fn count(frame: u64) -> [f32; 2] {
    [frame as f32 + 1.0, -(frame as f32) - 1.0]
}

const HZ: f64 = 1_000.0;

fn sine(frame: u64) -> [f32; 2] {
    let at = std::f64::consts::TAU * HZ * frame as f64 / f64::from(RATE);
    [at.sin() as f32, at.cos() as f32]
}

/// The largest step from one frame to the next, against the sine's own.
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
fn between_the_ramps_the_sound_is_the_tracks_own_bit_by_bit() {
    let mut rig = Rig::with(count);
    rig.ask(|order| order.run = true);
    let (out, passage) = rig.render(20_000);
    assert_eq!((passage.from, passage.ran), (0, 20_000));
    for (frame, heard) in out.as_chunks::<2>().0.iter().enumerate().skip(RAMP) {
        assert_eq!(*heard, count(frame as u64));
    }
    let quarter = out[(RAMP / 4 - 1) * 2];
    assert!((quarter - RAMP as f32 / 16.0).abs() < 1e-3, "{quarter}");
}

#[test]
fn play_and_pause_every_50_ms_make_no_click() {
    let mut rig = Rig::with(sine);
    let mut all = Vec::new();
    for toggle in 0..20 {
        rig.ask(|order| order.run = toggle % 2 == 0);
        all.extend(rig.render(2_400).0);
    }
    let steepest = steepest(&all);
    assert!((0.95..=1.05).contains(&steepest), "{steepest}");
}

#[test]
fn seeks_while_playing_make_no_click_however_close() {
    for every in [2_400, 777, 100, 7] {
        let mut rig = Rig::with(sine);
        rig.ask(|order| order.run = true);
        let mut all = rig.render(1_000).0;
        for seek in 0..40_u64 {
            rig.seek(seek * 7_919 % 50_000);
            all.extend(rig.render(every).0);
        }
        let steepest = steepest(&all);
        // Two heads may both be at their steepest.
        assert!(steepest <= 1.05, "{steepest} at {every}");
    }
}

#[test]
fn the_volume_moves_without_a_click_and_is_linear() {
    let mut rig = Rig::with(sine);
    rig.ask(|order| order.run = true);
    let mut all = rig.render(1_000).0;
    for volume in [0.0, 1.0, 0.5, 0.25] {
        rig.ask(|order| order.volume = volume);
        all.extend(rig.render(100).0);
    }
    let steepest = steepest(&all);
    assert!(steepest <= 1.05, "{steepest}");
    let from = rig.render(RAMP).1;
    let (out, _) = rig.render(100);
    let expected = sine(from.from + RAMP as u64)[0] * 0.25;
    assert_eq!(out[0], expected);
}

#[test]
fn the_track_plays_to_its_last_frame_and_ends() {
    let mut rig = Rig::with(count);
    rig.ask(|order| order.run = true);
    rig.seek(LENGTH - 1_000);
    let (out, passage) = rig.render(1_500);
    assert_eq!(passage.ran, 1_000);
    assert!(passage.ended && !passage.starved);
    assert_eq!(out[999 * 2], count(LENGTH - 1)[0]);
    assert!(out[1_000 * 2..].iter().all(|&sample| sample == 0.0));
    // And is played again from elsewhere.
    rig.seek(0);
    assert_eq!(rig.render(100).1.ran, 100);
}

#[test]
fn a_place_beyond_the_end_is_the_end() {
    let mut rig = Rig::with(count);
    rig.ask(|order| order.run = true);
    rig.seek(LENGTH + 5_000);
    let (out, passage) = rig.render(100);
    assert!(passage.ended && passage.ran == 0);
    assert!(out.iter().all(|&sample| sample == 0.0));
}

#[test]
fn it_stops_faded_out_where_it_should() {
    let mut rig = Rig::with(count);
    rig.ask(|order| {
        order.run = true;
        order.until = 5_000;
    });
    let (out, passage) = rig.render(6_000);
    assert_eq!(passage.ran, 5_000);
    assert!(passage.held && !passage.starved);
    assert_eq!(
        out[(5_000 - RAMP - 1) * 2],
        count(5_000 - RAMP as u64 - 1)[0]
    );
    assert!(out[5_000 * 2..].iter().all(|&sample| sample == 0.0));
}

#[test]
fn what_does_not_arrive_fades_out_is_told_and_is_played_when_it_does() {
    let mut rig = Rig::empty();
    for block in 0..3 {
        rig.bring(block, sine);
    }
    rig.ask(|order| order.run = true);
    let there = 3 * BLOCK_FRAMES;
    let (mut all, passage) = rig.render(there + 500);
    assert_eq!(passage.ran, there as u64);
    assert!(passage.starved);
    assert!(rig.render(64).1.starved);
    all.extend([0.0; 64 * 2]);
    for block in 3..6 {
        rig.bring(block, sine);
    }
    let (more, passage) = rig.render(1_000);
    assert_eq!((passage.from, passage.ran), (there as u64, 1_000));
    all.extend(more);
    let steepest = steepest(&all);
    assert!(steepest <= 1.05, "{steepest}");
}

#[test]
fn waiting_for_the_first_sound_is_no_underrun() {
    let mut rig = Rig::empty();
    rig.ask(|order| order.run = true);
    let passage = rig.render(1_000).1;
    assert!(!passage.starved && !passage.ready && passage.ran == 0);
}

#[test]
fn sound_starts_with_a_third_of_a_second_in_hand_or_the_whole_rest() {
    let mut rig = Rig::empty();
    rig.ask(|order| order.run = true);
    for block in 0..2 {
        rig.bring(block, count);
        assert_eq!(rig.render(100).1.ran, 0);
    }
    rig.bring(2, count);
    assert_eq!(rig.render(100).1.ran, 100);
    // The last 1000 frames stand alone.
    rig.seek(LENGTH - 1_000);
    rig.bring(LENGTH / BLOCK_FRAMES as u64, count);
    assert_eq!(rig.render(100).1.ran, 0);
    rig.bring_end(LENGTH);
    assert_eq!(rig.render(100).1.ran, 100);
}

#[test]
fn the_track_before_is_never_heard_in_the_next_one() {
    let mut rig = Rig::with(|_| [1.0, 1.0]);
    rig.ask(|order| order.run = true);
    rig.render(1_000);
    rig.ask(|order| {
        order.epoch = 2;
        order.jump += 1;
        order.to = 0;
    });
    let (out, passage) = rig.render(2_000);
    assert_eq!(passage.ran, 0);
    assert!(out[RAMP * 2..].iter().all(|&sample| sample == 0.0));
    // Its blocks come back once nothing is to be heard.
    rig.mixer.settle();
    assert_eq!(
        rig.returns.slots(),
        LENGTH.div_ceil(BLOCK_FRAMES as u64) as usize
    );
}

#[derive(Debug, Clone)]
enum Wish {
    Run(bool),
    Seek(u64),
    Volume(f32),
    Until(u64),
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        any::<bool>().prop_map(Wish::Run),
        (0..LENGTH + 1_000).prop_map(Wish::Seek),
        (0.0_f32..2.0).prop_map(Wish::Volume),
        (0..LENGTH + 1_000).prop_map(Wish::Until),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_block_sizes_give_the_same_sound(
        wishes in prop::collection::vec((wish(), 0_usize..9_000), 1..12),
        sizes in prop::collection::vec(1_usize..3_000, 1..6),
    ) {
        let noise = |frame: u64| {
            let bits = frame.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            [bits as f32 / 16_777_216.0, -(bits as f32) / 16_777_216.0]
        };
        let mut whole = Rig::with(noise);
        let mut pieces = Rig::with(noise);
        let mut sizes = sizes.into_iter().cycle();
        for (wish, frames) in wishes {
            for rig in [&mut whole, &mut pieces] {
                match wish {
                    Wish::Run(run) => rig.ask(|order| order.run = run),
                    Wish::Seek(to) => rig.seek(to),
                    Wish::Volume(volume) => rig.ask(|order| order.volume = volume),
                    Wish::Until(until) => rig.ask(|order| order.until = until),
                }
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
