//! A script's truth: where every deck is at every moment, exactly.

use std::f64::consts::TAU;

use super::script::{Act, Event, Script, TrackSpec};
use crate::wire::beat_info::DeckBeat;

/// What a deck is at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth<'a> {
    /// What is loaded, its name in the script first.
    pub track: Option<(&'a str, &'a TrackSpec)>,
    /// Seconds of music.
    pub position_secs: f64,
    /// Seconds of music per second.
    pub speed: f64,
    /// As its light shows.
    pub is_playing: bool,
    /// Position of the pitch fader: 1 is normal.
    pub pitch: f64,
    /// Start and length of the loop, seconds of music.
    pub looped: Option<(f64, f64)>,
    /// Loudness at the mixer.
    pub fader: f64,
    /// Gives the tempo.
    pub is_master: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Motion {
    Steady(f64),
    Looping { speed: f64, start: f64, length: f64 },
    Scratching { depth: f64, hz: f64 },
    Braking { speed: f64, secs: f64 },
}

/// From its moment until the next one's.
#[derive(Debug, Clone, PartialEq)]
struct Segment {
    from: f64,
    position: f64,
    motion: Motion,
    track: Option<String>,
    is_playing: bool,
    is_reversed: bool,
    pitch: f64,
    looped: Option<(f64, f64)>,
    fader: f64,
    is_master: bool,
}

impl Segment {
    fn position(&self, time: f64) -> f64 {
        let since = (time - self.from).max(0.0);
        match self.motion {
            Motion::Steady(speed) => self.position + speed * since,
            Motion::Looping {
                speed,
                start,
                length,
            } => start + (self.position - start + speed * since).rem_euclid(length),
            Motion::Scratching { depth, hz } => self.position + depth * (TAU * hz * since).sin(),
            Motion::Braking { speed, secs } => {
                let since = since.min(secs);
                self.position + speed * (since - since * since / (2.0 * secs))
            }
        }
    }

    fn speed(&self, time: f64) -> f64 {
        let since = (time - self.from).max(0.0);
        match self.motion {
            Motion::Steady(speed) | Motion::Looping { speed, .. } => speed,
            Motion::Scratching { depth, hz } => depth * TAU * hz * (TAU * hz * since).cos(),
            Motion::Braking { speed, secs } => speed * (1.0 - since / secs).max(0.0),
        }
    }

    fn settle(&mut self) {
        let way = if self.is_reversed { -1.0 } else { 1.0 };
        let speed = if self.is_playing {
            way * self.pitch
        } else {
            0.0
        };
        self.motion = match self.looped {
            Some((start, length)) if self.is_playing => Motion::Looping {
                speed,
                start,
                length,
            },
            _ => Motion::Steady(speed),
        };
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Load(name) => {
                self.track = Some(name.clone());
                (self.position, self.is_playing, self.looped) = (0.0, false, None);
            }
            Act::Unload => {
                self.track = None;
                (self.position, self.is_playing, self.looped) = (0.0, false, None);
            }
            Act::Play => self.is_playing = self.track.is_some(),
            Act::Pause => self.is_playing = false,
            Act::Seek(secs) => (self.position, self.looped) = (*secs, None),
            Act::Pitch(pitch) => self.pitch = *pitch,
            Act::Reverse(reversed) => self.is_reversed = *reversed,
            Act::Loop(secs) => self.looped = Some((self.position, *secs)),
            Act::EndLoop => self.looped = None,
            Act::Fader(value) => self.fader = *value,
            Act::Master => self.is_master = true,
            Act::Brake(_) | Act::Scratch { .. } | Act::Fault(_) => {}
        }
        self.settle();
        match act {
            Act::Brake(secs) if self.is_playing => {
                self.is_playing = false;
                self.motion = Motion::Braking {
                    speed: self.pitch,
                    secs: *secs,
                };
            }
            Act::Scratch { depth, hz, .. } => {
                let (depth, hz) = (*depth, *hz);
                self.motion = Motion::Scratching { depth, hz };
            }
            _ => {}
        }
    }
}

/// All decks of one player.
#[derive(Debug, Clone)]
pub struct Performance {
    script: Script,
    decks: Vec<Vec<Segment>>,
    loads: Vec<(f64, String)>,
    faults: Vec<(f64, super::script::Fault)>,
}

impl Performance {
    /// Of one player of a checked script, by its place in the list.
    pub fn new(script: &Script, player: usize) -> Self {
        // A master elsewhere ends the reign of ours; it is on none of our decks.
        let elsewhere = |event: &Event| {
            let is_news = event.act == Act::Master;
            is_news.then(|| Event {
                deck: 0,
                ..event.clone()
            })
        };
        let mut events: Vec<Event> = script
            .events
            .iter()
            .filter_map(|event| {
                let is_ours = event.player == player;
                is_ours.then(|| event.clone()).or_else(|| elsewhere(event))
            })
            .collect();
        // The hand lets go: the deck is told to do what it does.
        let ends: Vec<_> = events
            .iter()
            .filter_map(|event| match event.act {
                Act::Scratch { secs, .. } => Some(Event {
                    at: event.at + secs,
                    act: Act::Scratch {
                        secs: 0.0,
                        depth: 0.0,
                        hz: 0.0,
                    },
                    ..*event
                }),
                _ => None,
            })
            .collect();
        events.extend(ends);
        events.sort_by(|a, b| a.at.total_cmp(&b.at));
        let count = script.players.get(player).map_or(0, |spec| spec.decks);
        let decks = (1..=count).map(|deck| segments(&events, deck)).collect();
        let loads = events.iter().filter_map(|event| match &event.act {
            Act::Load(name) => Some((event.at, name.clone())),
            _ => None,
        });
        let faults = events.iter().filter_map(|event| match event.act {
            Act::Fault(fault) => Some((event.at, fault)),
            _ => None,
        });
        Self {
            loads: loads.collect(),
            faults: faults.collect(),
            script: script.clone(),
            decks,
        }
    }

    /// Number of decks.
    pub fn decks(&self) -> usize {
        self.decks.len()
    }

    /// The deck with this index, from 0, at `secs` since the start. `None` for no such deck.
    pub fn at(&self, deck: usize, secs: f64) -> Option<Truth<'_>> {
        let time = self.wrapped(secs);
        let segments = self.decks.get(deck)?;
        let next = segments.partition_point(|segment| segment.from <= time);
        let segment = segments.get(next.saturating_sub(1))?;
        let track = segment.track.as_ref().and_then(|name| {
            let (name, spec) = self.script.tracks.get_key_value(name)?;
            Some((name.as_str(), spec))
        });
        Some(Truth {
            track,
            position_secs: segment.position(time),
            speed: segment.speed(time),
            is_playing: segment.is_playing,
            pitch: segment.pitch,
            looped: segment.looped,
            fader: segment.fader,
            is_master: segment.is_master,
        })
    }

    /// The deck as a frame of `BeatInfo` tells it.
    pub fn beat(&self, deck: usize, secs: f64) -> DeckBeat {
        let Some(truth) = self.at(deck, secs) else {
            return DeckBeat::default();
        };
        let Some((_, track)) = truth.track else {
            // What a real player sends for an empty deck.
            let bpm = 120.0;
            return DeckBeat {
                bpm,
                ..DeckBeat::default()
            };
        };
        let beats = |secs: f64| (secs - track.first_beat_secs) * track.bpm / 60.0;
        DeckBeat {
            beat: beats(truth.position_secs),
            total_beats: beats(track.secs),
            bpm: track.bpm * truth.pitch,
            samples: (truth.position_secs * track.sample_rate).round(),
        }
    }

    /// The next moment after `secs` at which a value changes; `None` when nothing happens any more.
    pub fn next_change(&self, secs: f64) -> Option<f64> {
        self.next_of(
            secs,
            self.decks.iter().flatten().map(|segment| segment.from),
        )
    }

    /// Names of tracks loaded after `from` until `to`, for the broadcast.
    pub fn loads(&self, from: f64, to: f64) -> impl Iterator<Item = &TrackSpec> {
        self.loads
            .iter()
            .filter(move |(at, _)| {
                self.next_of(from, std::iter::once(*at))
                    .is_some_and(|at| at <= to)
            })
            .filter_map(|(_, name)| self.script.tracks.get(name))
    }

    /// The next fault after `secs`. Faults happen in the first round only.
    pub fn next_fault(&self, secs: f64) -> Option<(f64, super::script::Fault)> {
        self.faults.iter().find(|(at, _)| *at > secs).copied()
    }

    fn wrapped(&self, secs: f64) -> f64 {
        self.script
            .repeat_secs
            .map_or(secs, |repeat| secs.rem_euclid(repeat))
    }

    fn next_of(&self, secs: f64, moments: impl Iterator<Item = f64>) -> Option<f64> {
        let time = self.wrapped(secs);
        let repeat = self.script.repeat_secs;
        moments
            .filter(|at| at.is_finite() && repeat.is_none_or(|repeat| *at < repeat))
            .filter_map(|at| {
                let later = if at > time { at } else { at + repeat? };
                Some(secs + (later - time))
            })
            .min_by(f64::total_cmp)
    }
}

fn segments(events: &[Event], deck: u8) -> Vec<Segment> {
    let mut now = Segment {
        from: f64::NEG_INFINITY,
        position: 0.0,
        motion: Motion::Steady(0.0),
        track: None,
        is_playing: false,
        is_reversed: false,
        pitch: 1.0,
        looped: None,
        fader: 1.0,
        is_master: false,
    };
    let mut all = vec![now.clone()];
    for event in events {
        let is_ours = event.deck == deck;
        // One deck that becomes the master ends the reign of the others.
        let ends_reign = now.is_master && event.act == Act::Master;
        if !is_ours && !ends_reign {
            continue;
        }
        if now.from.is_finite() {
            now.position = now.position(event.at);
        }
        now.from = event.at;
        match &event.act {
            _ if !is_ours => {
                now.is_master = false;
                now.settle();
            }
            Act::Scratch { secs: 0.0, .. } => now.settle(),
            act => now.act(act),
        }
        all.push(now.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn performance(events: &str) -> Performance {
        let json = format!(
            r#"{{"players":[{{}}],"tracks":{{"a":{{"bpm":120,"first_beat_secs":0.5}}}},"events":[{events}]}}"#
        );
        Performance::new(&Script::parse(&json).unwrap(), 0)
    }

    fn position(performance: &Performance, secs: f64) -> f64 {
        performance.at(0, secs).unwrap().position_secs
    }

    #[test]
    fn decks_do_what_the_script_says() {
        let deck = performance(
            r#"{"at":1,"act":{"load":"a"}}, {"at":2,"act":"play"}, {"at":4,"act":{"pitch":1.5}},
               {"at":6,"act":{"seek":100}}, {"at":7,"act":{"loop":1.0}}, {"at":10,"act":"end_loop"},
               {"at":11,"act":{"reverse":true}}, {"at":12,"act":"pause"}, {"at":13,"act":{"seek":-2}}"#,
        );
        assert_eq!(deck.at(0, 0.5).unwrap().track, None);
        for (secs, wanted) in [
            (1.5, 0.0),
            (3.0, 1.0),
            (5.0, 3.5),
            (6.0, 100.0),
            (6.5, 100.75),
            (7.5, 101.5 + 0.75),
            (8.0, 101.5 + 0.5),
            (10.0, 101.5 + 0.5),
            (11.0, 103.5),
            (12.0, 102.0),
            (12.9, 102.0),
            (14.0, -2.0),
        ] {
            assert!(
                (position(&deck, secs) - wanted).abs() < 1e-9,
                "{secs}: {}",
                position(&deck, secs)
            );
        }
        let beat = deck.beat(0, 14.0);
        assert_eq!(
            (beat.beat, beat.samples, beat.bpm),
            (-5.0, -88_200.0, 180.0)
        );
        assert_eq!(deck.at(2, 0.0), None);
    }

    #[test]
    fn scratches_return_to_where_they_began_and_brakes_end_standing() {
        let deck = performance(
            r#"{"at":0,"act":{"load":"a"}}, {"at":1,"act":"play"}, {"at":3,"act":{"scratch":{"secs":1,"depth":0.2,"hz":2}}},
               {"at":6,"act":{"brake":1}}"#,
        );
        assert!((position(&deck, 4.0) - 2.0).abs() < 1e-9);
        assert!((position(&deck, 3.125) - 2.2).abs() < 1e-9);
        assert!((position(&deck, 5.0) - 3.0).abs() < 1e-9);
        assert!((position(&deck, 9.0) - 4.5).abs() < 1e-9);
        assert_eq!(deck.at(0, 9.0).unwrap().speed, 0.0);
        assert!(!deck.at(0, 6.5).unwrap().is_playing);
    }

    #[test]
    fn a_repeated_script_starts_over_and_tells_its_changes() {
        let mut script = Script::parse(
            r#"{"players":[{}],"tracks":{"a":{}},"repeat_secs":10,
                "events":[{"at":0,"act":{"load":"a"}},{"at":2,"act":"play"},{"at":5,"act":"master"},{"at":6,"deck":2,"act":"master"}]}"#,
        )
        .unwrap();
        let deck = Performance::new(&script, 0);
        assert_eq!(position(&deck, 13.0), position(&deck, 3.0));
        assert_eq!(deck.next_change(2.5), Some(5.0));
        assert_eq!(deck.next_change(7.0), Some(10.0));
        assert_eq!(deck.loads(9.5, 10.5).count(), 1);
        assert_eq!(deck.loads(0.0, 9.0).count(), 0);
        let masters = |secs| [0, 1].map(|index| deck.at(index, secs).unwrap().is_master);
        assert_eq!(masters(5.5), [true, false]);
        assert_eq!(masters(6.5), [false, true]);
        script.repeat_secs = None;
        assert_eq!(Performance::new(&script, 0).next_change(7.0), None);
    }

    #[test]
    fn there_is_one_master_among_all_players() {
        let script = Script::parse(
            r#"{"players":[{},{}],"tracks":{"a":{}},
                "events":[{"at":1,"act":"master"},{"at":5,"player":1,"act":"master"}]}"#,
        )
        .unwrap();
        let masters = |secs| {
            [0, 1].map(|player| {
                let performance = Performance::new(&script, player);
                performance.at(0, secs).unwrap().is_master
            })
        };
        assert_eq!(masters(3.0), [true, false]);
        assert_eq!(masters(6.0), [false, true]);
    }

    #[test]
    fn scripts_that_cannot_be_performed_are_refused() {
        for json in [
            "",
            r#"{"players":[]}"#,
            r#"{"players":[{"decks":9}]}"#,
            r#"{"players":[{"token":"x"}]}"#,
            r#"{"players":[{}],"events":[{"at":-1,"act":"play"}]}"#,
            r#"{"players":[{}],"events":[{"at":1,"deck":3,"act":"play"}]}"#,
            r#"{"players":[{}],"events":[{"at":1,"player":1,"act":"play"}]}"#,
            r#"{"players":[{}],"events":[{"at":1,"act":{"load":"x"}}]}"#,
            r#"{"players":[{}],"events":[{"at":1,"act":{"pitch":0}}]}"#,
            r#"{"players":[{}],"events":[{"at":1,"act":"dance"}]}"#,
            r#"{"players":[{}],"tracks":{"a":{"bpm":0}}}"#,
            r#"{"players":[{}],"colour":1}"#,
        ] {
            assert!(Script::parse(json).is_err(), "{json}");
        }
    }
}
