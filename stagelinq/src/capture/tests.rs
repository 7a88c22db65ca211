//! Lines and updates, whole, damaged and redacted.

use super::*;
use crate::path::{Deck, DeckPath, UnitPath};
use proptest::prelude::*;

fn token() -> impl Strategy<Value = Token> {
    any::<[u8; 16]>().prop_map(Token)
}

/// With few digits: of many the last one is not kept by JSON.
fn number() -> impl Strategy<Value = f64> + Clone {
    (-80_000_000..80_000_000_i32).prop_map(|eighths| f64::from(eighths) / 8.0)
}

fn value() -> impl Strategy<Value = super::Value> {
    prop_oneof![
        "\\PC{0,40}".prop_map(super::Value::Text),
        any::<bool>().prop_map(super::Value::Flag),
        number().prop_map(super::Value::Number),
        any::<u32>().prop_map(super::Value::Color),
        "\\PC{1,20}".prop_map(super::Value::Other),
        Just(super::Value::Nothing),
    ]
}

fn path() -> impl Strategy<Value = StatePath> {
    prop_oneof![
        (0..4_usize, 0..DeckPath::ALL.len())
            .prop_map(|(deck, path)| DeckPath::ALL[path].on(Deck::ALL[deck])),
        (0..UnitPath::ALL.len()).prop_map(|path| StatePath::Unit(UnitPath::ALL[path])),
        "/[a-zA-Z/]{1,20}".prop_map(|text| StatePath::parse(&text)),
    ]
}

fn kind() -> impl Strategy<Value = UpdateKind> {
    let place = any::<u32>().prop_map(Ipv4Addr::from);
    let number = number();
    let deck = (number.clone(), number.clone(), number.clone(), number).prop_map(
        |(beat, total_beats, bpm, samples)| DeckBeat {
            beat,
            total_beats,
            bpm,
            samples,
        },
    );
    let lost = prop_oneof![
        Just(Lost::Goodbye),
        Just(Lost::Silence),
        Just(Lost::Moved),
        Just(Lost::Ended(End::Silent)),
        Just(Lost::Ended(End::Refused)),
        Just(Lost::Ended(End::HungUp)),
    ];
    prop_oneof![
        (
            "\\PC{0,20}",
            "[A-Z0-9]{0,6}",
            "[0-9.]{0,6}",
            place.clone(),
            any::<u16>()
        )
            .prop_map(|(name, software, version, place, port)| {
                let appeared = Appeared {
                    name,
                    software,
                    version,
                    address: SocketAddrV4::new(place, port),
                    interface: place,
                };
                UpdateKind::Appeared(appeared.device(Token::NONE))
            }),
        Just(UpdateKind::Connected),
        (path(), value()).prop_map(|(path, value)| UpdateKind::State { path, value }),
        (any::<u64>(), proptest::collection::vec(deck, 0..5))
            .prop_map(|(clock_ns, decks)| UpdateKind::Beats(BeatFrame { clock_ns, decks })),
        ("\\PC{0,20}", "[0-9]{1,6}").prop_map(|(database, track)| UpdateKind::Broadcast(
            Broadcast::TrackChanged { database, track }
        )),
        "\\PC{0,40}".prop_map(|text| UpdateKind::Broadcast(Broadcast::Other(text))),
        lost.prop_map(UpdateKind::Lost),
        [place.clone(), place].prop_map(UpdateKind::Clash),
        token().prop_map(UpdateKind::TokenChanged),
    ]
}

fn update() -> impl Strategy<Value = Update> {
    (token(), 0..10_000_000_000_u64, kind()).prop_map(|(device, micros, mut kind)| {
        if let UpdateKind::Appeared(appeared) = &mut kind {
            appeared.identity.token = device;
        }
        Update {
            device,
            at: Duration::from_micros(micros),
            kind,
        }
    })
}

proptest! {
    #[test]
    fn every_update_comes_back_from_its_line(update in update()) {
        let line = encode(&update);
        prop_assert!(!line.contains('\n'));
        let back = decode(&line).unwrap().unwrap();
        prop_assert_eq!(back.device, update.device);
        prop_assert!(back.at.abs_diff(update.at) <= Duration::from_micros(1));
        prop_assert_eq!(back.kind, update.kind);
    }

    #[test]
    fn a_damaged_line_is_told_and_never_breaks_anything(update in update(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut line = encode(&update).into_bytes();
        let place = place.index(line.len());
        line[place] = byte;
        if let Ok(text) = std::str::from_utf8(&line) {
            drop(decode(text));
        }
        let cut = encode(&update);
        if let Some(cut) = cut.get(..place) && place > 0 {
            prop_assert!(decode(cut).is_err());
        }
    }

    #[test]
    fn redacted_sessions_keep_no_text_and_stay_alike(texts in proptest::collection::vec("[a-z]{6,12} [a-z]{6,12}", 1..6)) {
        let mut redactor = Redactor::default();
        let titled = |text: &String| Update {
            device: Token([9; 16]),
            at: Duration::ZERO,
            kind: UpdateKind::State {
                path: DeckPath::SongName.on(Deck::One),
                value: super::Value::Text(text.clone()),
            },
        };
        let once: Vec<_> = texts.iter().map(|text| redactor.redact(titled(text))).collect();
        for (text, redacted) in texts.iter().zip(&once) {
            prop_assert!(!encode(redacted).contains(text.as_str()));
            prop_assert_eq!(&redactor.redact(titled(text)), redacted);
        }
        let different = |updates: &[Update]| {
            let lines: std::collections::BTreeSet<_> = updates.iter().map(encode).collect();
            lines.len()
        };
        let given: std::collections::BTreeSet<_> = texts.iter().collect();
        prop_assert_eq!(different(&once), given.len());
    }
}

#[test]
fn places_keep_their_form_when_their_names_go() {
    let mut redactor = Redactor::default();
    let token = "8fba5ced-9381-4d5c-b334-5bf935b8e49e";
    let mut state = |text: String| {
        let kind = UpdateKind::State {
            path: DeckPath::TrackNetworkPath.on(Deck::Two),
            value: super::Value::Text(text),
        };
        let update = Update {
            device: token.parse().unwrap(),
            at: Duration::ZERO,
            kind,
        };
        let redacted = redactor.redact(update);
        let UpdateKind::State { value, .. } = redacted.kind else {
            panic!("another kind");
        };
        (redacted.device, value.as_text().unwrap().to_owned())
    };
    let (device, one) = state(format!(
        "net://{token}/MY STICK (USB 1)/Engine Library/Music/Me/My song.mp3"
    ));
    assert_eq!(
        one,
        format!("net://{device}/name 1/Engine Library/Music/name 2/name 3.mp3")
    );
    let (_, other) = state(format!(
        "net://{token}/MY STICK (USB 1)/Engine Library/Music/Me/Another.flac"
    ));
    assert_eq!(
        other,
        format!("net://{device}/name 1/Engine Library/Music/name 2/name 4.flac")
    );
}

#[test]
fn lines_that_cannot_be_are_refused_and_empty_ones_passed_over() {
    let token = Token::NONE.to_string();
    for line in [
        "{".to_owned(),
        "[]".to_owned(),
        format!(r#"{{"at":-1,"device":"{token}","connected":true}}"#),
        format!(r#"{{"at":1e99,"device":"{token}","connected":true}}"#),
        r#"{"at":1,"device":"me","connected":true}"#.to_owned(),
        format!(
            r#"{{"at":1,"device":"{token}","beats":[1,[{}]]}}"#,
            ["[0,0,0,0]"; 17].join(",")
        ),
        format!(r#"{{"at":1,"device":"{token}","appeared":{{"name":"x"}}}}"#),
        " ".repeat(MAX_LINE + 1),
    ] {
        assert!(decode(&line).is_err(), "{line}");
    }
    for line in [
        String::new(),
        "  ".to_owned(),
        format!(r#"{{"at":1,"device":"{token}","dance":1}}"#),
    ] {
        assert_eq!(decode(&line).unwrap(), None, "{line}");
    }
}
