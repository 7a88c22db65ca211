//! Streams on made-up devices, with the time made up too.

use crate::playback::block::{BLOCK_FRAMES, Block, Shelf};
use crate::playback::control::Input;
use crate::playback::feed::{Feed, Shared};
use crate::playback::mixer::{Arrival, Mixer, Order};
use crate::playback::output::{Backend, Complaint, Opened, Refusal};
use crate::playback::stream::{Need, Streams};
use crate::playback::view::{Device, DeviceId, OutputState};
use rtrb::{Producer, RingBuffer};
use std::any::Any;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A device whose callbacks the test makes.
#[derive(Default)]
pub(super) struct Fake {
    feeds: Mutex<Vec<Feed>>,
    absent: Mutex<bool>,
    /// Closing a stream waits for ever.
    hangs: Mutex<Vec<Receiver<()>>>,
}

struct Hanging(Receiver<()>);

impl Drop for Hanging {
    fn drop(&mut self) {
        let _never = self.0.recv();
    }
}

impl Backend for Fake {
    fn devices(&self) -> Result<Vec<Device>, String> {
        Ok(Vec::new())
    }

    fn open(
        &self,
        _wanted: Option<&DeviceId>,
        feed: Feed,
    ) -> Result<(Opened, Box<dyn Any>), Refusal> {
        if *self.absent.lock().unwrap() {
            return Err(Refusal::Absent("nothing there".to_owned()));
        }
        self.feeds.lock().unwrap().push(feed);
        let opened = Opened {
            name: "fake".to_owned(),
            rate: 48_000,
            channels: 2,
            latency: None,
            period: Duration::from_millis(20),
        };
        let stream: Box<dyn Any> = match self.hangs.lock().unwrap().pop() {
            Some(hang) => Box::new(Hanging(hang)),
            None => Box::new(()),
        };
        Ok((opened, stream))
    }
}

struct Rig {
    fake: Arc<Fake>,
    shared: Arc<Shared>,
    streams: Streams,
    inbox: Receiver<Input>,
    orders: Producer<Order>,
    arrivals: Producer<Arrival>,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        let (sent_orders, orders) = RingBuffer::new(4);
        let (sent_arrivals, arrivals) = RingBuffer::new(4);
        let (returns, _) = RingBuffer::new(4);
        let shared = Arc::new(Shared::new(Mixer::new(1, orders, arrivals, returns)));
        let fake = Arc::new(Fake::default());
        let (outlet, inbox) = sync_channel(64);
        let backend: Arc<dyn Backend> = Arc::<Fake>::clone(&fake);
        Self {
            streams: Streams::new(Arc::clone(&shared), backend, outlet),
            fake,
            shared,
            inbox,
            orders: sent_orders,
            arrivals: sent_arrivals,
            now: Instant::now(),
        }
    }

    /// Lets so much time pass with callbacks every 20 ms, or without.
    fn pass(&mut self, millis: u64, beats: bool) -> bool {
        let mut pause = false;
        for _ in 0..millis / 20 {
            self.now += Duration::from_millis(20);
            if beats {
                self.beat();
            }
            pause |= self.streams.look(Need::Play, None, self.now);
        }
        pause
    }

    fn beat(&self) {
        let mut feeds = self.fake.feeds.lock().unwrap();
        if let Some(feed) = feeds.last_mut() {
            feed.fill(&mut [0.0; 64], Duration::ZERO);
        }
    }

    /// Waits until a thread of a stream says something.
    fn hear(&mut self) {
        match self.inbox.recv().unwrap() {
            Input::Stream(number, happening) => self.streams.hear(number, happening, self.now),
            _ => panic!("not of a stream"),
        }
    }

    fn open(&mut self) {
        self.streams.look(Need::Play, None, self.now);
        self.hear();
        assert!(self.is_open(), "{:?}", self.streams.state());
    }

    fn is_open(&self) -> bool {
        matches!(self.streams.state(), OutputState::Open { .. })
    }

    fn is_lost(&self) -> bool {
        matches!(self.streams.state(), OutputState::Lost { .. })
    }
}

#[test]
fn a_device_that_stops_is_lost_within_a_second_and_opened_again() {
    let mut rig = Rig::new();
    rig.open();
    assert!(!rig.pass(5_000, true));
    assert!(rig.is_open());
    assert!(!rig.pass(640, false));
    assert!(rig.is_lost(), "{:?}", rig.streams.state());
    // The next try comes after a tenth of a second; the old thread says goodbye, the new one opens.
    rig.pass(120, false);
    while !rig.is_open() {
        rig.hear();
    }
    assert!(!rig.pass(1_000, true));
    assert!(rig.is_open());
}

#[test]
fn a_device_that_hangs_when_closed_is_left_behind() {
    let mut rig = Rig::new();
    let (_held, hang): (Sender<()>, _) = channel();
    rig.fake.hangs.lock().unwrap().push(hang);
    rig.open();
    rig.pass(3_000, true);
    rig.pass(640, false);
    assert!(rig.is_lost());
    rig.pass(120, false);
    rig.hear();
    assert!(rig.is_open());
    // The old one wakes up: it gets silence, and is no sign of life.
    let beats = rig.shared.beats();
    let mut feeds = rig.fake.feeds.lock().unwrap();
    feeds[0].fill(&mut [1.0; 64], Duration::ZERO);
    assert_eq!(rig.shared.beats(), beats);
}

#[test]
fn a_complaint_loses_the_device_at_once_however_often_it_comes() {
    let mut rig = Rig::new();
    rig.open();
    rig.pass(100, true);
    for _ in 0..1_000 {
        rig.shared.complain(1, Complaint::Fatal, 0);
    }
    rig.pass(20, true);
    assert!(rig.is_lost());
}

#[test]
fn a_device_that_goes_away_with_sound_in_it_is_an_underrun_and_a_silent_one_is_none() {
    let mut rig = Rig::new();
    rig.open();
    rig.beat();
    rig.shared.complain(1, Complaint::Fatal, 0);
    rig.pass(20, false);
    assert_eq!((rig.is_lost(), rig.shared.underruns()), (true, 0));
    let mut rig = Rig::new();
    for index in 0..3 {
        let mut block = Block::empty();
        (block.epoch, block.index, block.frames) = (1, index, BLOCK_FRAMES);
        let (source, shelf) = (0, Shelf::Window);
        let arrival = Arrival::Block {
            source,
            shelf,
            block,
        };
        rig.arrivals.push(arrival).unwrap();
    }
    let order = Order {
        epoch: 1,
        jump: 1,
        run: true,
        ..Order::default()
    };
    rig.orders.push(order).unwrap();
    rig.open();
    rig.beat();
    rig.shared.complain(1, Complaint::Fatal, 0);
    rig.pass(20, false);
    assert_eq!((rig.is_lost(), rig.shared.underruns()), (true, 1));
    rig.pass(1_000, false);
    assert_eq!(rig.shared.underruns(), 1);
}

#[test]
fn a_passing_complaint_loses_the_device_only_when_no_callback_follows() {
    let mut rig = Rig::new();
    rig.open();
    let millis = |at: u64| at * 1_000_000;
    for at in (1_000..1_200).chain(1_300..1_500) {
        rig.shared.complain(1, Complaint::Passing, millis(at));
        if at == 1_199 {
            rig.beat();
        }
        rig.streams.look(Need::Play, None, rig.now);
        assert!(rig.is_open(), "{at}");
    }
    rig.shared.complain(1, Complaint::Passing, millis(1_551));
    rig.streams.look(Need::Play, None, rig.now);
    assert!(rig.is_lost());
}

#[test]
fn after_two_seconds_without_a_device_the_music_pauses() {
    let mut rig = Rig::new();
    rig.open();
    rig.pass(3_000, true);
    *rig.fake.absent.lock().unwrap() = true;
    assert!(!rig.pass(1_000, false));
    assert!(rig.pass(3_000, false));
    // Found again: it stays open and says nothing of pausing.
    *rig.fake.absent.lock().unwrap() = false;
    for _ in 0..20 {
        rig.pass(400, true);
        while let Ok(Input::Stream(number, happening)) = rig.inbox.try_recv() {
            rig.streams.hear(number, happening, rig.now);
        }
    }
    while !rig.is_open() {
        rig.pass(2_000, true);
        rig.hear();
    }
    assert!(!rig.pass(1_000, true));
}

#[test]
fn a_long_loss_pauses_once_and_playing_on_is_not_undone() {
    let mut rig = Rig::new();
    rig.open();
    rig.pass(3_000, true);
    *rig.fake.absent.lock().unwrap() = true;
    assert!(rig.pass(4_000, false));
    // The user plays all the same: nobody contradicts.
    assert!(!rig.pass(3_000, false));
}

#[test]
fn a_device_that_comes_back_while_paused_is_found_by_one_try_at_a_time() {
    let mut rig = Rig::new();
    rig.open();
    rig.pass(3_000, true);
    rig.shared.complain(1, Complaint::Fatal, 0);
    rig.pass(20, false);
    assert!(rig.is_lost());
    // Nothing wants to play, and the device takes its time: it is opened once and not taken back.
    let mut opened = 0;
    for _ in 0..100 {
        rig.now += Duration::from_millis(50);
        rig.streams.look(Need::Nothing, None, rig.now);
        opened = opened.max(rig.streams.count());
        assert!(
            rig.streams
                .deadline()
                .is_none_or(|at| at + Duration::from_millis(60) > rig.now)
        );
    }
    assert_eq!(opened, 2);
    assert!(rig.streams.is_live());
}

#[test]
fn another_device_while_nothing_plays_is_not_said_to_be_opening() {
    let mut rig = Rig::new();
    rig.open();
    rig.streams.change_device();
    rig.streams.look(Need::Linger, None, rig.now);
    assert_eq!(*rig.streams.state(), OutputState::Closed);
}

#[test]
fn nothing_is_opened_without_need_and_a_still_device_is_let_go() {
    let mut rig = Rig::new();
    rig.streams.look(Need::Linger, None, rig.now);
    assert_eq!(*rig.streams.state(), OutputState::Closed);
    assert_eq!(rig.streams.deadline(), None);
    rig.open();
    rig.pass(1_000, true);
    rig.streams.look(Need::Linger, None, rig.now);
    assert!(rig.is_open());
    rig.streams.look(Need::Nothing, None, rig.now);
    assert_eq!(*rig.streams.state(), OutputState::Closed);
    assert_eq!(rig.streams.deadline(), None);
}
