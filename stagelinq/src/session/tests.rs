//! Conversations with players of different habits, cut and broken in many ways.

use super::*;
use crate::path::{Deck, DeckPath};

const OWN: Token = Token([1; 16]);
const PEER: Token = Token([0x8f; 16]);

fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

fn offer(service: &str, port: u16) -> Vec<u8> {
    Directory::Service {
        token: PEER,
        service: service.into(),
        port,
    }
    .encode()
}

fn drain(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll()).collect()
}

fn step(session: &mut Session, input: Input<'_>, at: f64) -> Vec<Output> {
    session.handle(input, secs(at));
    drain(session)
}

fn opened() -> Session {
    let mut session = Session::new(OWN, Vec::new());
    let out = step(&mut session, Input::Opened, 0.0);
    assert_eq!(
        out[0],
        Output::Send(Directory::Request { token: OWN }.encode())
    );
    session
}

#[test]
fn services_are_opened_as_they_are_offered_whatever_comes_around_them() {
    let mut session = opened();
    let reference = Directory::Reference {
        from: PEER,
        to: Token::NONE,
        clock: [7; 8],
    };
    let bytes = [
        Directory::Request { token: PEER }.encode(),
        reference.encode(),
        offer("Syncing", 5),
        offer("StateMap", 10),
        offer("BeatInfo", 11),
        offer("StateMap", 10),
    ]
    .concat();
    let mut out = Vec::new();
    for byte in bytes.chunks(1) {
        out.extend(step(&mut session, Input::Received(byte), 0.1));
    }
    let echo = Directory::Reference {
        from: PEER,
        to: OWN,
        clock: [7; 8],
    };
    let offers = |service: &str, port| {
        Output::Event(Event::Offers {
            service: service.into(),
            port,
        })
    };
    assert_eq!(
        out,
        [
            Output::Send(echo.encode()),
            offers("Syncing", 5),
            offers("StateMap", 10),
            Output::Open(Service::StateMap, 10),
            offers("BeatInfo", 11),
            Output::Open(Service::BeatInfo, 11),
        ]
    );
    assert_eq!(session.port_of("Syncing"), Some(5));
}

#[test]
fn the_state_map_gets_a_greeting_and_all_subscriptions_and_never_a_write() {
    let mut session = opened();
    step(&mut session, Input::Received(&offer("StateMap", 10)), 0.1);
    let out = step(
        &mut session,
        Input::ServiceOpened(Service::StateMap, 777),
        0.2,
    );
    let Some(Output::SendTo(Service::StateMap, bytes)) = out.last() else {
        panic!("{out:?}");
    };
    let (hello, rest) = Directory::decode(bytes).unwrap();
    assert_eq!(
        hello,
        Directory::Service {
            token: OWN,
            service: "StateMap".into(),
            port: 777
        }
    );
    let mut frames = Frames::new(MAX_FRAME);
    frames.push(rest);
    let mut paths = Vec::new();
    while let Some(frame) = frames.next().unwrap() {
        match StateMap::decode(frame).unwrap() {
            StateMap::Subscribe {
                path,
                interval_ms: 0,
            } => paths.push(path),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(paths.len(), 142);
    assert_eq!(paths[0], "/Client/Preferences/Player");
}

fn with_state_map() -> Session {
    let mut session = opened();
    step(&mut session, Input::Received(&offer("StateMap", 10)), 0.1);
    step(
        &mut session,
        Input::ServiceOpened(Service::StateMap, 777),
        0.2,
    );
    session
}

#[test]
fn values_are_told_and_a_players_own_subscriptions_and_writes_are_not_values() {
    let mut session = with_state_map();
    let path = DeckPath::PlayState.on(Deck::Two);
    let json = Some(r#"{"state":true,"type":1}"#.to_owned());
    let bytes = [
        StateMap::Subscribe {
            path: "/Mixer/NumberOfChannels".into(),
            interval_ms: -1,
        }
        .encode(),
        StateMap::Write {
            path: path.to_string(),
            json: json.clone(),
        }
        .encode(),
        StateMap::Emit {
            path: path.to_string(),
            json,
        }
        .encode(),
    ]
    .concat();
    let out = step(
        &mut session,
        Input::ServiceReceived(Service::StateMap, &bytes),
        0.3,
    );
    assert_eq!(
        out,
        [Output::Event(Event::State {
            path,
            value: Value::Flag(true)
        })]
    );
}

#[test]
fn the_round_trip_is_measured_by_our_own_references() {
    let mut session = opened();
    let out = step(&mut session, Input::Tick, 1.0);
    let [Output::Send(ping)] = &out[..] else {
        panic!("{out:?}");
    };
    let Ok((Directory::Reference { from, clock, .. }, _)) = Directory::decode(ping) else {
        panic!("not a reference");
    };
    assert_eq!(from, OWN);
    let echo = Directory::Reference {
        from,
        to: PEER,
        clock,
    }
    .encode();
    let out = step(&mut session, Input::Received(&echo), 1.003);
    assert_eq!(
        out,
        [Output::Event(Event::RoundTrip(Duration::from_millis(3)))]
    );
    // A clock from the future says nothing.
    let odd = Directory::Reference {
        from,
        to: PEER,
        clock: [0xff; 8],
    }
    .encode();
    assert_eq!(step(&mut session, Input::Received(&odd), 1.1), []);
}

#[test]
fn a_power_cut_is_noticed_after_six_seconds_of_silence_but_beats_are_life() {
    let mut session = with_state_map();
    step(&mut session, Input::Received(&offer("BeatInfo", 11)), 0.2);
    step(
        &mut session,
        Input::ServiceOpened(Service::BeatInfo, 778),
        0.2,
    );
    let mut ended = None;
    for tick in 1..200 {
        let now = f64::from(tick) / 10.0;
        if now < 10.0 {
            let beat = BeatInfo::Frame(BeatFrame::default()).encode();
            let out = step(
                &mut session,
                Input::ServiceReceived(Service::BeatInfo, &beat),
                now,
            );
            assert!(matches!(&out[..], [Output::Event(Event::Beats(_))]));
        }
        let out = step(&mut session, Input::Tick, now);
        if out.contains(&Output::End(End::Silent)) {
            ended = Some(now);
            break;
        }
    }
    let ended = ended.expect("noticed");
    assert!((15.9..16.2).contains(&ended), "{ended}");
    assert_eq!(
        step(&mut session, Input::Opened, 20.0),
        [],
        "nothing after the end"
    );
}

#[test]
fn the_question_for_services_is_repeated_and_given_up() {
    let mut session = opened();
    let ask = Output::Send(Directory::Request { token: OWN }.encode());
    let mut asked = 0;
    for tick in 1..200 {
        let now = f64::from(tick) / 10.0;
        // Alive, but silent about services.
        let life = Directory::Reference {
            from: PEER,
            to: Token::NONE,
            clock: [0; 8],
        }
        .encode();
        step(&mut session, Input::Received(&life), now);
        let out = step(&mut session, Input::Tick, now);
        asked += out.iter().filter(|out| **out == ask).count();
        if out.last() == Some(&Output::End(End::NoServices)) {
            assert!((9.9..10.2).contains(&now), "{now}");
            assert_eq!(asked, 4);
            return;
        }
    }
    panic!("never given up");
}

#[test]
fn hanging_up_means_refusal_only_before_the_first_offer() {
    let mut session = opened();
    assert_eq!(
        step(&mut session, Input::Closed, 0.1),
        [Output::End(End::Refused)]
    );
    let mut session = Session::new(OWN, Vec::new());
    assert_eq!(
        step(&mut session, Input::Closed, 0.1),
        [Output::End(End::Unreachable)]
    );
    let mut session = with_state_map();
    assert_eq!(
        step(&mut session, Input::Closed, 0.3),
        [Output::End(End::HungUp)]
    );
}

#[test]
fn a_service_that_fails_is_tried_again_later_and_not_for_ever() {
    let mut session = opened();
    let alive = |session: &mut Session, now: f64| {
        let life = Directory::Reference {
            from: PEER,
            to: OWN,
            clock: [0; 8],
        }
        .encode();
        step(session, Input::Received(&life), now);
    };
    step(&mut session, Input::Received(&offer("StateMap", 10)), 0.0);
    let out = step(&mut session, Input::ServiceClosed(Service::StateMap), 0.1);
    assert_eq!(out, []);
    assert!(!step(&mut session, Input::Tick, 0.5).contains(&Output::Open(Service::StateMap, 10)));
    assert!(step(&mut session, Input::Tick, 0.7).contains(&Output::Open(Service::StateMap, 10)));
    // The player says that it moved.
    let out = step(&mut session, Input::Received(&offer("StateMap", 12)), 0.8);
    assert!(out.contains(&Output::Open(Service::StateMap, 12)));
    let mut now = 1.0;
    for _ in 0..100 {
        now += 5.0;
        alive(&mut session, now);
        if step(&mut session, Input::ServiceClosed(Service::StateMap), now).last()
            == Some(&Output::End(End::ServiceLost))
        {
            return;
        }
        alive(&mut session, now + 4.9);
        step(&mut session, Input::Tick, now + 4.9);
    }
    panic!("tried for ever");
}

#[test]
fn nonsense_ends_the_conversation_with_its_reason() {
    let mut session = opened();
    let out = step(&mut session, Input::Received(&[0, 0, 0, 9]), 0.1);
    assert!(matches!(
        out[..],
        [Output::End(End::Nonsense(DecodeError::Unknown { .. }))]
    ));
    let mut session = with_state_map();
    let out = step(
        &mut session,
        Input::ServiceReceived(Service::StateMap, &[0x7f; 8]),
        0.3,
    );
    assert!(matches!(
        out[..],
        [Output::End(End::Nonsense(DecodeError::Long { .. }))]
    ));
}

#[test]
fn a_frame_that_makes_no_sense_does_not_hide_its_neighbours() {
    let mut session = with_state_map();
    let path = DeckPath::Play.on(Deck::One);
    let emit = StateMap::Emit {
        path: path.to_string(),
        json: None,
    }
    .encode();
    let bytes = [vec![0, 0, 0, 3, 1, 2, 3], emit].concat();
    let out = step(
        &mut session,
        Input::ServiceReceived(Service::StateMap, &bytes),
        0.3,
    );
    assert_eq!(
        out,
        [Output::Event(Event::State {
            path,
            value: Value::Nothing
        })]
    );
    let noise = [0, 0, 0, 0].repeat(200);
    let out = step(
        &mut session,
        Input::ServiceReceived(Service::StateMap, &noise),
        0.3,
    );
    assert!(matches!(out[..], [Output::End(End::Nonsense(_))]));
}

proptest::proptest! {
    #[test]
    fn noise_on_any_connection_never_panics(pieces: Vec<(u8, Vec<u8>)>) {
        let mut session = with_state_map();
        for (at, (kind, bytes)) in pieces.iter().enumerate() {
            let input = match kind % 6 {
                0 => Input::Received(bytes),
                1 => Input::ServiceReceived(Service::StateMap, bytes),
                2 => Input::ServiceReceived(Service::BeatInfo, bytes),
                3 => Input::ServiceClosed(Service::StateMap),
                4 => Input::ServiceOpened(Service::Broadcast, 0),
                _ => Input::Tick,
            };
            step(&mut session, input, at as f64);
        }
    }
}
