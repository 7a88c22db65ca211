//! The ladder of evidence, rung by rung.

use super::*;
use crate::core_loop::view::Rows;
use crate::export::samples;
use crate::source::{Source, SourceKind};
use crate::track::{AudioFormat, ContentHash, FilePath};
use crate::units::SampleRate;
use proptest::prelude::*;

const TOKEN: &str = "8fba5ced-9381-4d5c-b334-5bf935b8e49e";

struct Known {
    id: u64,
    path: &'static str,
    title: &'static str,
    artist: &'static str,
    secs: f64,
    bytes: u64,
}

const NIGHT: Known = Known {
    id: 1,
    path: "/media/dj/Music/Tonearm/night-ferry.mp3",
    title: "Night Ferry",
    artist: "Tonearm",
    secs: 64.47,
    bytes: 1000,
};

fn row(known: &Known) -> Row {
    let mut row = samples::bare_row();
    let track = &mut row.track;
    track.id = TrackId(known.id);
    track.path = FilePath(known.path.into());
    track.tags.title = Some(known.title.into());
    track.tags.artist = Some(known.artist.into());
    track.stamp.bytes = known.bytes;
    track.format = Some(AudioFormat {
        codec: "mp3".into(),
        sample_rate: SampleRate::new(44_100).unwrap(),
        channels: 2,
        bitrate_kbps: None,
        duration: Secs(known.secs),
    });
    row
}

fn catalog(rows: Vec<Row>) -> Catalog {
    Catalog::new(&Rows::new(rows))
}

fn place(path: &str) -> NetworkPath {
    NetworkPath::parse(&format!("net://{TOKEN}/USB/{path}")).unwrap()
}

fn source(text: &str) -> SourceId {
    text.parse().unwrap()
}

/// Id and reason of what was found, or how many candidates there are.
fn outcome(resolution: &Resolution) -> Result<(u64, MatchedBy), usize> {
    match resolution {
        Resolution::Found { by, row, .. } => Ok((row.track.id.0, *by)),
        Resolution::Unsure(candidates) => Err(candidates.len()),
        Resolution::Nothing | Resolution::Unknown(_) => Err(0),
    }
}

fn find(wanted: &Wanted<'_>, catalog: &Catalog) -> Result<(u64, MatchedBy), usize> {
    outcome(&resolve(wanted, &[], &BTreeMap::new(), catalog))
}

#[test]
fn the_surest_evidence_decides() {
    let known = |mut row: Row, text: &str| {
        row.track.sources = vec![Source {
            kind: SourceKind::EngineDj,
            id: source(text),
            alias: None,
            stored_path: Some("../Elsewhere/x.mp3".to_owned()),
            file: None,
            library: None,
            stream: None,
            is_gone: false,
        }];
        row
    };
    let other = Known {
        id: 2,
        path: "/music/other.mp3",
        title: "Other",
        ..NIGHT
    };
    let third = Known {
        id: 3,
        path: "/music/third.mp3",
        title: "Third",
        ..NIGHT
    };
    let catalog = catalog(vec![
        row(&NIGHT),
        known(row(&other), "lib:7"),
        known(row(&third), "origin:9"),
    ]);
    let place = place("Engine Library/Music/Tonearm/night-ferry.mp3");
    let id = source("lib:7");
    let wanted = Wanted {
        place: Some(&place),
        source: Some(&id),
        duration: Some(Secs(64.47)),
        ..Wanted::default()
    };
    let pins = BTreeMap::from([(place.text.clone(), TrackId(3))]);
    let pinned = resolve(&wanted, &[], &pins, &catalog);
    assert_eq!(outcome(&pinned), Ok((3, MatchedBy::Manual)));
    assert_eq!(find(&wanted, &catalog), Ok((2, MatchedBy::SourceId)));
    let unnamed = Wanted {
        source: None,
        ..wanted
    };
    let database = resolve(&unnamed, &[source("origin:9")], &BTreeMap::new(), &catalog);
    assert_eq!(outcome(&database), Ok((3, MatchedBy::Database)));
    assert_eq!(find(&unnamed, &catalog), Ok((1, MatchedBy::Path)));
    let pin_of_source = BTreeMap::from([("lib:7".to_owned(), TrackId(1))]);
    let pinned = resolve(&wanted, &[], &pin_of_source, &catalog);
    assert_eq!(outcome(&pinned), Ok((1, MatchedBy::Manual)));
    let gone = BTreeMap::from([(place.text.clone(), TrackId(99))]);
    let ignored = resolve(&unnamed, &[], &gone, &catalog);
    assert_eq!(
        outcome(&ignored),
        Ok((1, MatchedBy::Path)),
        "a pin to what is gone"
    );
}

#[test]
fn files_of_one_name_are_told_apart_by_folder_length_and_size() {
    let first = Known {
        id: 1,
        path: "/a/One/01 Intro.mp3",
        title: "Intro",
        secs: 60.0,
        ..NIGHT
    };
    let second = Known {
        id: 2,
        path: "/a/Two/01 Intro.mp3",
        secs: 200.0,
        bytes: 2000,
        title: "Intro",
        ..NIGHT
    };
    let catalog = catalog(vec![row(&first), row(&second)]);
    let find = |path: &str, secs: Option<f64>, bytes| {
        let place = place(path);
        let wanted = Wanted {
            place: Some(&place),
            duration: secs.map(Secs),
            bytes,
            ..Wanted::default()
        };
        find(&wanted, &catalog)
    };
    let by_path = MatchedBy::Path;
    assert_eq!(
        find("Engine Library/Music/Two/01 intro.MP3", None, None),
        Ok((2, by_path))
    );
    assert_eq!(
        find("Contents/One/01 Intro.mp3", Some(60.2), None),
        Ok((1, by_path))
    );
    // The same folder, but another edit: the folder does not help, the length does.
    let by_likeness = MatchedBy::NameSizeDuration;
    assert_eq!(
        find("Contents/One/01 Intro.mp3", Some(200.0), Some(2000)),
        Ok((2, by_likeness))
    );
    assert_eq!(
        find("Three/01 Intro.mp3", Some(60.0), Some(1000)),
        Ok((1, by_likeness))
    );
    assert_eq!(
        find("Three/01 Intro.mp3", None, None),
        Err(2),
        "both may be it"
    );
    assert_eq!(find("Three/02 Outro.mp3", Some(60.0), None), Err(0));
}

#[test]
fn tracks_with_the_same_bytes_are_one_and_as_sure_as_one() {
    let twin = |id, path, hash: u8| {
        let known = Known { id, path, ..NIGHT };
        let mut row = row(&known);
        row.track.hash = Some(ContentHash([hash; 32]));
        row
    };
    let set_by_hand = |mut row: Row| {
        let hand = crate::edits::ShortByHand {
            key: crate::harmony::Key::parse("8A"),
            ..Default::default()
        };
        let stamp = row.track.stamp;
        row.knowledge = Box::new(row.knowledge.under_hand(&hand, stamp));
        row
    };
    let here = place("Engine Library/Music/Tonearm/night-ferry.mp3");
    let elsewhere = place("Music/night-ferry.mp3");
    let wanted = |place| Wanted {
        place: Some(place),
        title: Some("Night Ferry"),
        artist: Some("Tonearm"),
        duration: Some(Secs(64.47)),
        bytes: Some(1000),
        ..Wanted::default()
    };
    let found = |wanted: &Wanted<'_>, rows: Vec<Row>| match resolve(
        wanted,
        &[],
        &BTreeMap::new(),
        &catalog(rows),
    ) {
        Resolution::Found {
            by,
            confidence,
            row,
        } => Some((row.track.id.0, by, confidence)),
        _ => None,
    };
    let one = "/media/dj/Music/Tonearm/night-ferry.mp3";
    let two = "/media/old/Music/Tonearm/night-ferry.mp3";
    for (case, place, by, confidence) in [
        ("at the same place", &here, MatchedBy::Path, 0.95),
        ("by likeness", &elsewhere, MatchedBy::NameSizeDuration, 0.95),
    ] {
        let wanted = wanted(place);
        let twins = vec![twin(1, one, 5), twin(2, two, 5)];
        assert_eq!(found(&wanted, twins), Some((1, by, confidence)), "{case}");
        let edited = vec![twin(1, one, 5), set_by_hand(twin(2, two, 5))];
        assert_eq!(found(&wanted, edited), Some((2, by, confidence)), "{case}");
        let others = vec![twin(1, one, 5), twin(2, two, 6)];
        assert_eq!(found(&wanted, others), None, "{case}: other bytes");
    }
    // The twin with another name is as sure as the one whose name is the deck's.
    let renamed = set_by_hand(twin(2, "/media/old/nf.mp3", 5));
    let taken = found(&wanted(&elsewhere), vec![twin(1, one, 5), renamed]);
    assert_eq!(taken, Some((2, MatchedBy::NameSizeDuration, 0.95)));
}

#[test]
fn what_is_streamed_is_known_by_title_and_artist_and_never_taken_for_sure() {
    let catalog = catalog(vec![row(&NIGHT)]);
    let place = NetworkPath::parse(&format!("net://{TOKEN}/TIDAL (Unknown)/77")).unwrap();
    let wanted = Wanted {
        place: Some(&place),
        title: Some("NIGHT FERRY"),
        artist: Some("tonearm"),
        ..Wanted::default()
    };
    assert_eq!(find(&wanted, &catalog), Err(1));
    let unknown = Wanted {
        title: Some("Another"),
        ..wanted
    };
    let Resolution::Unknown(why) = resolve(&unknown, &[], &BTreeMap::new(), &catalog) else {
        panic!("found");
    };
    assert!(why.contains("streamed"), "{why}");
}

proptest! {
    #[test]
    fn any_words_resolve_to_something_that_is_in_the_library(
        path in "[a-z/. ()]{0,30}", title in "\\PC{0,12}", secs in proptest::option::of(-1e6..1e6_f64), bytes in proptest::option::of(any::<u64>())
    ) {
        let catalog = catalog(vec![row(&NIGHT)]);
        let place = place(&path);
        let wanted = Wanted {
            place: Some(&place),
            title: Some(&title),
            duration: secs.map(Secs),
            bytes,
            ..Wanted::default()
        };
        match resolve(&wanted, &[], &BTreeMap::new(), &catalog) {
            Resolution::Found { row, confidence, .. } => {
                prop_assert_eq!(row.track.id, TrackId(1));
                prop_assert!((0.0..=1.0).contains(&confidence));
            }
            Resolution::Unsure(candidates) => prop_assert!(candidates.iter().all(|candidate| candidate.0 == TrackId(1))),
            Resolution::Nothing | Resolution::Unknown(_) => {}
        }
    }
}
