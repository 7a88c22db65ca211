//! What is told, and when.

use super::*;
use crate::decks::clock::{Place, Timing};
use crate::units::{Bpm, Secs};

fn unit(sessions: u32, link: Link, deck: DeckView) -> Arc<UnitView> {
    Arc::new(UnitView {
        name: "sc6000".into(),
        model: "JP13".into(),
        player: Some(1),
        sessions,
        link,
        decks: vec![Arc::new(deck)],
        ..UnitView::default()
    })
}

fn deck(start: Instant, speed: f64) -> DeckView {
    DeckView {
        id: DeckId {
            deck: 1,
            ..DeckId::default()
        },
        is_loaded: Some(true),
        is_playing: Some(speed != 0.0),
        is_moving: speed != 0.0,
        said_title: Some("A".into()),
        duration: Some(Secs(100.0)),
        timing: Timing::Fixed(
            Place {
                position: Secs(12.0),
                speed,
                beat: Some(26.3),
                bpm: Some(Bpm(128.0)),
                is_stale: false,
            },
            start,
        ),
        ..DeckView::default()
    }
}

fn view(units: Vec<Arc<UnitView>>) -> DecksView {
    DecksView {
        units,
        ..DecksView::default()
    }
}

#[test]
fn each_thing_is_told_once_and_what_moves_every_second() {
    let start = Instant::now();
    let at = Timestamp::UNIX_EPOCH;
    let mut teller = Teller::default();
    let mut tell = |view: &DecksView, millis| -> Vec<Kind> {
        let now = start + Duration::from_millis(millis);
        let lines = teller.tell(view, now, at);
        lines.iter().map(|line| line.kind).collect()
    };
    let standing = view(vec![unit(1, Link::Live, deck(start, 0.0))]);
    assert_eq!(
        tell(&standing, 0),
        [Kind::Appeared, Kind::Connected, Kind::Deck]
    );
    assert_eq!(tell(&standing, 5000), []);
    let moving = view(vec![unit(1, Link::Live, deck(start, 1.0))]);
    assert_eq!(tell(&moving, 5010), [Kind::Deck]);
    assert_eq!(tell(&moving, 5500), []);
    assert_eq!(tell(&moving, 6020), [Kind::Deck]);
    let again = view(vec![unit(2, Link::Live, deck(start, 1.0))]);
    assert_eq!(
        tell(&again, 6030),
        [Kind::Lost, Kind::Connected, Kind::Deck]
    );
    let lost = view(vec![unit(2, Link::Lost("silent".into()), deck(start, 0.0))]);
    assert_eq!(tell(&lost, 6040), [Kind::Lost, Kind::Deck]);
    assert_eq!(tell(&view(Vec::new()), 6050), [], "its loss was told");
    assert_eq!(tell(&moving, 6060)[0], Kind::Appeared);
    assert_eq!(tell(&view(Vec::new()), 6070), [Kind::Lost], "a goodbye");
}

#[test]
fn a_deck_line_has_the_fields_of_the_contract() {
    let start = Instant::now();
    let mut teller = Teller::default();
    let lines = teller.tell(
        &view(vec![unit(1, Link::Live, deck(start, 1.0))]),
        start,
        Timestamp::UNIX_EPOCH,
    );
    let json = serde_json::to_value(lines.last().unwrap()).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["kind"], "deck");
    assert_eq!(json["device"]["name"], "sc6000");
    let deck = json["deck"].as_object().unwrap();
    for field in [
        "player",
        "deck",
        "title",
        "artist",
        "loaded",
        "playing",
        "position",
        "duration",
        "speed",
        "bpm",
        "beat",
        "beat_in_bar",
        "bar",
        "key",
        "master",
        "fader",
        "audible",
        "stale",
        "track",
        "match",
        "chord",
        "next_chord",
    ] {
        assert!(deck.contains_key(field), "{field}");
    }
    assert_eq!(deck["position"], 12.0);
    assert_eq!((&deck["bar"], &deck["beat_in_bar"]), (&7.into(), &3.into()));
    assert!(deck["artist"].is_null() && deck["match"].is_null() && deck["fader"].is_null());
}
