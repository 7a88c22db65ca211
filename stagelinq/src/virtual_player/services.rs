//! What a virtual player says over each of its services.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Happened;
use super::serve::{Heard, Life, Line, nonsense};
use crate::wire::Frames;
use crate::wire::beat_info::{BeatFrame, BeatInfo};
use crate::wire::state_map::StateMap;

/// Subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 4096;

pub(super) async fn news(mut line: Line) -> io::Result<()> {
    loop {
        if let Heard::News(bytes) = line.hear().await? {
            line.write(&bytes).await?;
        }
    }
}

pub(super) async fn state_map(life: &Life, mut line: Line, mut frames: Frames) -> io::Result<()> {
    let mut values = life.values.clone();
    // In the order of subscriptions, as real players tell values.
    let mut told: Vec<(String, Option<String>)> = Vec::new();
    let mut reported = 0;
    if life.spec.subscribes {
        for path in [
            "NumberOfChannels",
            "ChannelAssignment1",
            "ChannelAssignment2",
            "ChannelAssignment3",
            "ChannelAssignment4",
        ] {
            let path = format!("/Mixer/{path}");
            line.write(
                &StateMap::Subscribe {
                    path,
                    interval_ms: -1,
                }
                .encode(),
            )
            .await?;
        }
    }
    loop {
        while let Some(frame) = frames.next().map_err(nonsense)? {
            match StateMap::decode(frame).map_err(nonsense)? {
                StateMap::Subscribe { path, .. } => {
                    life.stage.count(|counts| counts.subscriptions += 1);
                    if told.len() < MAX_SUBSCRIPTIONS {
                        told.push((path, None));
                    }
                }
                StateMap::Write { path, .. } => {
                    life.stage.count(|counts| counts.writes += 1);
                    life.tell(Happened::Wrote { path });
                }
                StateMap::Emit { .. } => {}
            }
        }
        if told.len() > reported {
            reported = told.len();
            let values = reported;
            life.tell(Happened::Subscribed { values });
        }
        let current = Arc::clone(&values.borrow_and_update());
        let mut news = Vec::new();
        for (path, last) in &mut told {
            let value = current.get(path);
            if value.is_some() && value != last.as_ref() {
                *last = value.cloned();
                let (path, json) = (path.clone(), last.clone());
                news.extend(StateMap::Emit { path, json }.encode());
            }
        }
        line.write(&news).await?;
        tokio::select! {
            heard = line.hear() => match heard? {
                Heard::Bytes(bytes) => frames.push(&bytes),
                Heard::Inject(bytes) => line.write(&bytes).await?,
                Heard::News(_) => {}
            },
            changed = values.changed() => if changed.is_err() {
                // Whoever made values lost power; the order that says how is on its way.
                loop {
                    line.hear().await?;
                }
            },
        }
    }
}

pub(super) async fn beat_info(life: &Life, mut line: Line, mut frames: Frames) -> io::Result<()> {
    let mut is_sending = false;
    let mut random = Random(life.seed);
    let mut next = Instant::now();
    // A frame on its way, and when it gets there.
    let mut held: Option<(Instant, Vec<u8>)> = None;
    loop {
        while let Some(frame) = frames.next().map_err(nonsense)? {
            match BeatInfo::decode(frame).map_err(nonsense)? {
                BeatInfo::Start => (is_sending, next) = (true, Instant::now()),
                BeatInfo::Stop => is_sending = false,
                BeatInfo::Frame(_) => {}
            }
        }
        let due = held.as_ref().map_or(next, |(due, _)| *due);
        tokio::select! {
            heard = line.hear() => if let Heard::Bytes(bytes) = heard? {
                frames.push(&bytes);
            },
            () = sleep_until(due), if held.is_some() => if let Some((_, frame)) = held.take() {
                line.write(&frame).await?;
            },
            () = sleep_until(next), if is_sending && held.is_none() => {
                let secs = life.stage.secs();
                let frame = BeatFrame {
                    clock_ns: life.booted.elapsed().as_nanos() as u64,
                    decks: (0..life.show.decks()).map(|deck| life.show.beat(deck, secs)).collect(),
                };
                let frame = BeatInfo::Frame(frame).encode();
                if life.spec.jitter_ms > 0.0 {
                    let late = life.spec.jitter_ms * 1e-3 * random.next();
                    held = Some((Instant::now() + Duration::from_secs_f64(late), frame));
                } else {
                    line.write(&frame).await?;
                }
                // 28 to 47 ms, as measured at an SC6000.
                next += Duration::from_secs_f64(0.028 + 0.019 * random.next());
            }
        }
    }
}

/// Numbers from 0 to 1 that look random and are the same for the same seed (Knuth's linear congruence, MMIX).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}
