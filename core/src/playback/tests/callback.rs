//! What a device's callback does: it asks for no memory, whatever the order and the rate.

use crate::playback::block::{BLOCK_FRAMES, Block, Shelf};
use crate::playback::feed::{Feed, Shared};
use crate::playback::loader::LANES;
use crate::playback::mixer::{Arrival, Mixer, Order};
use assert_no_alloc::assert_no_alloc;
use rtrb::RingBuffer;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_callback_asks_for_no_memory() {
    for rate in [48_000, 44_100, 96_000] {
        let (mut orders, to_mixer) = RingBuffer::new(8);
        let (mut arrivals, arriving) = RingBuffer::new(LANES);
        let (returning, returns) = RingBuffer::new(LANES);
        let mixer = Mixer::new(1, to_mixer, arriving, returning);
        let shared = Arc::new(Shared::new(mixer));
        let mut feed = Feed::new(Arc::clone(&shared), 1);
        feed.set_rate(rate).unwrap();
        shared.go_live(1);
        let mut out = vec![0.0; 2 * 3_000];
        for round in 0..60_u64 {
            let mut block = Block::empty();
            block.epoch = 1;
            // The later ones take the places of the first.
            block.index = round % 20 + round / 20 * 384;
            block.frames = BLOCK_FRAMES;
            block.samples.fill(0.25);
            let arrival = Arrival::Block {
                source: 0,
                shelf: Shelf::Window,
                block,
            };
            arrivals.push(arrival).unwrap();
            let order = Order {
                epoch: 1,
                jump: round / 7,
                to: round * 1_000,
                run: round % 5 != 0,
                volume: round as f32 / 60.0,
                ..Order::default()
            };
            orders.push(order).unwrap();
            let frames = (round as usize * 97) % 3_000;
            let out = &mut out[..frames * 2];
            assert_no_alloc(|| feed.fill(out, Duration::from_millis(40)));
        }
        assert!(shared.frames() > 5_000, "{}", shared.frames());
        assert_eq!(returns.slots(), 40);
    }
}

#[test]
fn a_stream_begins_with_silence_that_takes_nothing_from_the_sound() {
    let (mut orders, to_mixer) = RingBuffer::new(8);
    let (mut arrivals, arriving) = RingBuffer::new(LANES);
    let (returning, _returns) = RingBuffer::new(LANES);
    let shared = Arc::new(Shared::new(Mixer::new(1, to_mixer, arriving, returning)));
    let mut feed = Feed::new(Arc::clone(&shared), 1);
    feed.set_rate(48_000).unwrap();
    feed.begin_with_silence(1_000);
    shared.go_live(1);
    for index in 0..3 {
        let mut block = Block::empty();
        (block.epoch, block.index, block.frames) = (1, index, BLOCK_FRAMES);
        block.samples.fill(0.25);
        let arrival = Arrival::Block {
            source: 0,
            shelf: Shelf::Window,
            block,
        };
        arrivals.push(arrival).unwrap();
    }
    let order = Order {
        epoch: 1,
        jump: 1,
        run: true,
        ..Order::default()
    };
    orders.push(order).unwrap();
    let mut out = [1.0; 2 * 500];
    for _ in 0..2 {
        feed.fill(&mut out, Duration::ZERO);
        assert_eq!(out, [0.0; 1_000]);
    }
    assert_eq!((shared.frames(), shared.beats()), (0, 2));
    feed.fill(&mut out, Duration::ZERO);
    assert_eq!(shared.frames(), 500);
    assert_eq!(out[999], 0.25);
}
