//! Decks from updates made by hand.

use super::deck::MAX_TITLE;
use super::*;
use crate::decks::view::Matching;
use crate::harmony::Key;
use crate::units::Secs;
use proptest::prelude::*;
use stagelinq::path::Deck as Side;
use stagelinq::path::DeckPath;
use stagelinq::session::End;
use stagelinq::wire::beat_info::DeckBeat;
use stagelinq::{Identity, Token};
use std::net::{Ipv4Addr, SocketAddrV4};

const SECOND: Duration = Duration::from_secs(1);

fn device(number: u8, model: &str) -> Device {
    Device {
        identity: Identity {
            token: Token([number; 16]),
            source: format!("unit {number}"),
            software: model.to_owned(),
            version: "2.3.1".to_owned(),
        },
        kind: Kind::from_software(model),
        address: SocketAddrV4::new(Ipv4Addr::new(169, 254, 1, number), 4000),
        interface: Ipv4Addr::new(169, 254, 1, 99),
    }
}

fn update(number: u8, at: Duration, kind: UpdateKind) -> Update {
    Update {
        device: Token([number; 16]),
        at,
        kind,
    }
}

fn state(path: StatePath, value: Value) -> UpdateKind {
    UpdateKind::State { path, value }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A unit that is connected, with its number set.
fn with_unit(table: &mut Table, number: u8, player: &str) {
    for kind in [
        UpdateKind::Appeared(device(number, "JP13")),
        UpdateKind::Connected,
        state(StatePath::Unit(UnitPath::Player), text(player)),
    ] {
        table.apply(update(number, Duration::ZERO, kind));
    }
}

fn views(table: &Table) -> Vec<Arc<UnitView>> {
    table.views(Time {
        epoch: Instant::now(),
        rate: 1.0,
    })
}

fn path(name: &str) -> Value {
    text(&format!(
        "net://8fba5ced-9381-4d5c-b334-5bf935b8e49e/USB/Engine Library/Music/{name}"
    ))
}

/// What a player says when it loads a track, in one of many orders.
fn load(name: &str) -> Vec<UpdateKind> {
    [
        (DeckPath::TrackNetworkPath, path(name)),
        (DeckPath::SongName, text(name)),
        (DeckPath::SampleRate, Value::Number(44_100.0)),
        (DeckPath::TrackLength, Value::Number(4_410_000.0)),
        (DeckPath::TrackBytes, Value::Number(1234.0)),
        (DeckPath::SongLoaded, Value::Flag(true)),
        (DeckPath::CurrentKey, text("Am")),
        (DeckPath::DeckBpm, Value::Number(124.0)),
    ]
    .into_iter()
    .map(|(path, value)| state(path.on(Side::One), value))
    .collect()
}

proptest! {
    #[test]
    fn values_make_the_same_deck_in_whatever_order_they_come(order in Just(load("a")).prop_shuffle()) {
        let mut table = Table::default();
        with_unit(&mut table, 1, "2");
        for kind in order {
            table.apply(update(1, SECOND, kind));
        }
        let units = views(&table);
        let deck = &units[0].decks[0];
        prop_assert_eq!(&*deck.label, "2A");
        prop_assert_eq!(deck.is_loaded, Some(true));
        prop_assert_eq!(deck.said_title.as_deref(), Some("a"));
        prop_assert_eq!(deck.duration, Some(Secs(100.0)));
        prop_assert_eq!(deck.said_key, Key::parse("8A"));
        prop_assert_eq!(deck.bpm, Some(Bpm(124.0)));
        let wanted = table.units[&UnitId([1; 16])].decks[0].wanted().is_some();
        prop_assert!(wanted);
    }

    #[test]
    fn whatever_players_say_stays_within_bounds(
        said in proptest::collection::vec((0..40_u8, 0..1_000_000_u64, said()), 0..200)
    ) {
        let mut table = Table::default();
        for (number, micros, kind) in said {
            let kind = match kind {
                UpdateKind::Appeared(_) => UpdateKind::Appeared(device(number, "JC11")),
                kind => kind,
            };
            table.apply(update(number, Duration::from_micros(micros), kind));
        }
        let units = views(&table);
        prop_assert!(units.len() <= MAX_UNITS);
        let now = Instant::now() + SECOND;
        for unit in &units {
            prop_assert!((1..=4).contains(&unit.decks.len()));
            for deck in &unit.decks {
                prop_assert!(deck.at(now).is_none_or(|moment| moment.position.0.is_finite()));
                prop_assert!(deck.fader.is_none_or(|fader| !fader.is_nan()));
            }
        }
    }
}

fn said() -> impl Strategy<Value = UpdateKind> {
    let number = prop_oneof![
        -1e9..1e9_f64,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0)
    ];
    let value = prop_oneof![
        "\\PC{0,30}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Flag),
        number.clone().prop_map(Value::Number),
        Just(Value::Nothing),
    ];
    let deck = (number.clone(), number.clone(), number).prop_map(|(beat, bpm, samples)| DeckBeat {
        beat,
        total_beats: 0.0,
        bpm,
        samples,
    });
    prop_oneof![
        Just(UpdateKind::Appeared(device(0, "JC11"))),
        Just(UpdateKind::Connected),
        (0..4_usize, 0..DeckPath::ALL.len(), value.clone())
            .prop_map(|(side, path, value)| state(DeckPath::ALL[path].on(Side::ALL[side]), value)),
        (0..UnitPath::ALL.len(), value)
            .prop_map(|(path, value)| state(StatePath::Unit(UnitPath::ALL[path]), value)),
        (any::<u64>(), proptest::collection::vec(deck, 0..6))
            .prop_map(|(clock_ns, decks)| UpdateKind::Beats(BeatFrame { clock_ns, decks })),
        Just(UpdateKind::Lost(Lost::Ended(End::Silent))),
        Just(UpdateKind::Lost(Lost::Goodbye)),
        ("\\PC{0,10}", "[0-9]{0,25}").prop_map(|(database, track)| UpdateKind::Broadcast(
            Broadcast::TrackChanged { database, track }
        )),
    ]
}

#[test]
fn two_units_with_one_number_are_both_shown_and_marked() {
    let mut table = Table::default();
    with_unit(&mut table, 1, "1");
    with_unit(&mut table, 2, "1");
    with_unit(&mut table, 3, "2");
    for (number, name) in [(1, "a"), (2, "b")] {
        for kind in load(name) {
            table.apply(update(number, SECOND, kind));
        }
    }
    let units = views(&table);
    let seen: Vec<_> = units
        .iter()
        .map(|unit| {
            (
                &*unit.name,
                unit.has_twin,
                unit.decks[0].said_title.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("unit 1", true, Some("a")),
            ("unit 2", true, Some("b")),
            ("unit 3", false, None)
        ]
    );
}

#[test]
fn a_loudness_of_nothing_is_believed_only_where_there_is_a_mixer() {
    let mut table = Table::default();
    with_unit(&mut table, 1, "1");
    let mut say = |path: DeckPath, value| {
        table.apply(update(1, SECOND, state(path.on(Side::One), value)));
        let deck = Arc::clone(&views(&table)[0].decks[0]);
        (deck.fader, deck.is_audible)
    };
    assert_eq!(
        say(DeckPath::ExternalMixerVolume, Value::Number(0.0)),
        (None, None)
    );
    assert_eq!(say(DeckPath::PlayState, Value::Flag(true)), (None, None));
    assert_eq!(
        say(DeckPath::ExternalMixerVolume, Value::Number(0.5)),
        (Some(0.5), Some(true))
    );
    assert_eq!(
        say(DeckPath::ExternalMixerVolume, Value::Number(0.0)),
        (Some(0.0), Some(false))
    );
    assert_eq!(
        say(DeckPath::PlayState, Value::Flag(false)),
        (Some(0.0), Some(false))
    );
}

#[test]
fn what_a_lost_unit_said_last_stays_for_a_while_and_a_restart_begins_afresh() {
    let mut table = Table::default();
    with_unit(&mut table, 1, "1");
    for kind in load("a") {
        table.apply(update(1, SECOND, kind));
    }
    table.apply(update(
        1,
        2 * SECOND,
        UpdateKind::Lost(Lost::Ended(End::Silent)),
    ));
    let unit = Arc::clone(&views(&table)[0]);
    assert!(matches!(unit.link, Link::Lost(_)));
    assert_eq!(unit.decks[0].said_title.as_deref(), Some("a"));
    assert_eq!(table.expire(30 * SECOND), Heard::default());
    with_unit(&mut table, 1, "1");
    let unit = Arc::clone(&views(&table)[0]);
    assert_eq!((unit.link.clone(), unit.sessions), (Link::Live, 2));
    assert_eq!(unit.decks[0].said_title, None);
    table.apply(update(1, 40 * SECOND, UpdateKind::Lost(Lost::Silence)));
    assert_eq!(table.expire(120 * SECOND), Heard::NEWS);
    assert!(views(&table).is_empty());
    with_unit(&mut table, 1, "1");
    table.apply(update(1, 130 * SECOND, UpdateKind::Lost(Lost::Goodbye)));
    assert!(views(&table).is_empty());
}

#[test]
fn another_track_takes_the_position_and_the_match_of_the_one_before() {
    let mut table = Table::default();
    with_unit(&mut table, 1, "1");
    for kind in load("a") {
        table.apply(update(1, SECOND, kind));
    }
    let beats = |clock_ns, samples| {
        let deck = DeckBeat {
            samples,
            ..DeckBeat::default()
        };
        UpdateKind::Beats(BeatFrame {
            clock_ns,
            decks: vec![deck; 2],
        })
    };
    let heard = table.apply(update(1, SECOND, beats(1_000_000_000, 441_000.0)));
    assert!(heard.has_moved);
    let epoch = Instant::now();
    let time = Time { epoch, rate: 1.0 };
    let moment = |table: &Table| {
        let units = table.views(time);
        units[0].decks[0].at(epoch + SECOND)
    };
    assert_eq!(moment(&table).unwrap().position, Secs(10.0));
    let empty = views(&table)[0].decks[1].at(epoch + SECOND);
    assert_eq!(empty, None, "no rate, no position");
    table.units_mut().for_each(|(_, unit)| {
        unit.decks[0].matching = Matching::Unknown("of before".into());
    });
    let heard = table.apply(update(
        1,
        SECOND,
        state(DeckPath::TrackNetworkPath.on(Side::One), path("b")),
    ));
    assert!(heard.is_identity);
    assert_eq!(moment(&table), None);
    assert!(matches!(
        views(&table)[0].decks[0].matching,
        Matching::Nothing
    ));
}

#[test]
fn text_that_would_control_a_terminal_is_disarmed_and_long_text_cut() {
    let mut table = Table::default();
    with_unit(&mut table, 1, "1");
    let nasty = format!("\u{1b}[2J{}", "x".repeat(5000));
    table.apply(update(
        1,
        SECOND,
        state(DeckPath::SongName.on(Side::One), text(&nasty)),
    ));
    let units = views(&table);
    let title = units[0].decks[0].said_title.clone().unwrap();
    assert!(title.starts_with(" [2Jxxx"), "{title}");
    assert_eq!(title.chars().count(), MAX_TITLE);
}

#[test]
fn machines_that_are_alone_number_their_decks() {
    let mut table = Table::default();
    for kind in [
        UpdateKind::Appeared(device(7, "JC11")),
        UpdateKind::Connected,
        state(StatePath::Unit(UnitPath::Player), text("1")),
    ] {
        table.apply(update(7, SECOND, kind));
    }
    let units = views(&table);
    let labels: Vec<_> = units[0].decks.iter().map(|deck| &*deck.label).collect();
    assert_eq!(labels, ["1", "2", "3", "4"]);
    assert_eq!(units[0].product, Some("Prime 4"));
}
