//! Queries and orders against rows made by hand.

use super::*;
use crate::artifact::Artifact;
use crate::findings::Knowledge;
use crate::loudness::Loudness;
use crate::row::ArtifactState;
use crate::track::{AudioFormat, FilePath, FileStamp, Tags, Track, TrackId};
use crate::units::{Bpm, SampleRate, Secs};
use proptest::prelude::*;
use std::sync::Arc;

fn now() -> Zoned {
    "2026-11-22T15:00:00+00:00[UTC]".parse().unwrap()
}

fn query(text: &str) -> Query {
    parse_at(text, &now()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// A row with everything known; tests change what they are about.
fn full_row() -> Row {
    let text = |text: &str| Some(text.into());
    let track = Track {
        id: TrackId(0x3f2a_0000_0000_0001),
        path: FilePath("/media/Music/House/01 Thé à la menthe.mp3".into()),
        root: "/media/Music".into(),
        stamp: FileStamp {
            bytes: 1,
            modified_ns: 0,
        },
        tags: Tags {
            title: text("Thé à la menthe"),
            artist: text("Saint Germain"),
            album: text("Tourist"),
            genre: text("Deep House"),
            comment: text("warm-up (slow)"),
            label: text("Blue Note"),
            remixer: text("Moodymann"),
            composer: None,
            year: Some(2019),
            track_number: None,
            rating: Some(4),
            bpm: Some(90.0),
            key: text("Dbm"),
            has_art: false,
        },
        format: Some(AudioFormat {
            codec: "mp3".into(),
            sample_rate: SampleRate::new(44_100).unwrap(),
            channels: 2,
            bitrate_kbps: Some(320),
            duration: Secs(362.2),
        }),
        hash: None,
        added: "2026-11-20T00:00:00Z".parse().unwrap(),
        missing: false,
        damage: None,
        sources: Vec::new(),
        borrowed: crate::track::TagFields::default(),
    };
    let mut knowledge = Knowledge::default();
    knowledge.summary.bpm = Some(Bpm(127.9996));
    knowledge.summary.beats_confidence = Some(0.95);
    knowledge.summary.key = Key::parse("8A");
    knowledge.summary.key_confidence = Some(0.4);
    knowledge.summary.loudness = Some(Loudness {
        integrated: Some(-9.04),
        ..Loudness::default()
    });
    let search_text = search_text(&track);
    let mut artifacts = [ArtifactState::Due; 8];
    artifacts[Artifact::Beats as usize] = ArtifactState::Done;
    Row {
        track: Box::new(track),
        knowledge: Box::new(knowledge),
        state: TrackState::Partial,
        artifacts,
        duplicates: vec![TrackId(2)],
        revision: 0,
        search_text,
    }
}

fn bare_row() -> Row {
    let mut row = full_row();
    row.track.tags = Tags::default();
    row.track.format = None;
    *row.knowledge = Knowledge::default();
    row.duplicates.clear();
    row.search_text = search_text(&row.track);
    row
}

const TRUE_OF_IT: &[&str] = &[
    "",
    "the menthe",
    "THÉ",
    "\"a la menthe\"",
    "germ tour",
    "mp3",
    "house music",
    "moody",
    "-techno",
    "techno or menthe",
    "(techno or menthe) blue",
    "-(techno or trance)",
    "Saint - Thé",
    "artist:germain",
    "artist:=\"saint germain\"",
    "title:the label:blue",
    "path:/media/music",
    "path:menthe.mp3",
    "path:=\"/media/music/house/01 the a la menthe.mp3\"",
    "genre:\"deep house\"",
    "remixer:mood",
    "codec:mp3",
    "year:2019",
    "year:2010-2019",
    "rating:>=3",
    "duration:6:02",
    "duration:6m",
    "bpm:128",
    "bpm:=128",
    "bpm:>=128",
    "bpm:~64",
    "bpm:~256",
    "bpm:120-128",
    "key:8A",
    "key:am",
    "key:1m",
    "key:\"A minor\"",
    "key:9A~",
    "key:C~",
    "state:partial",
    "state:duplicate",
    "has:beats",
    "-has:stems",
    "has:bpm",
    "-has:art",
    "conf:<50%",
    "lufs:-9",
    "lufs:>=-9",
    "lufs:-12..-8",
    "added:7d",
    "added:2026-11",
    "id:3f2a",
    "id:3F2A",
    "BPM:128",
    "-bpm:90",
    "https://x or menthe",
    "\"unclosed phra\" or \"menthe",
    "|  | menthe",
];

const FALSE_OF_IT: &[&str] = &[
    "techno",
    "menthe techno",
    "\"menthe la\"",
    "\"menthe saint\"",
    "-menthe",
    "artist:tourist",
    "artist:=saint",
    "title:germain",
    "codec:=mp",
    "media",
    "path:media",
    "path:=menthe.mp3",
    "year:2018",
    "rating:5",
    "bpm:90",
    "bpm:64",
    "bpm:>128",
    "key:8B",
    "key:8B -key:8A~",
    "key:10A~",
    "state:ready",
    "has:stems",
    "-has:beats",
    "conf:>0.5",
    "lufs:-8",
    "added:>7d",
    "added:2025",
    "id:ff",
    "composer:x",
];

#[test]
fn a_row_is_found_by_what_is_true_of_it() {
    let row = full_row();
    for text in TRUE_OF_IT {
        assert!(query(text).matches(&row), "{text}");
    }
    for text in FALSE_OF_IT {
        assert!(!query(text).matches(&row), "{text}");
    }
}

#[test]
fn tags_answer_where_analysis_is_silent_and_the_unknown_matches_nothing() {
    let mut row = full_row();
    row.knowledge.summary.bpm = None;
    row.knowledge.summary.key = None;
    assert!(query("bpm:90 key:12A").matches(&row));
    let bare = bare_row();
    for text in [
        "bpm:>0",
        "bpm:<999",
        "key:8A~",
        "year:<3000",
        "rating:>=0",
        "duration:>0",
        "conf:<1",
        "lufs:<9",
        "artist:a",
        "codec:a",
        "has:bpm",
        "has:title",
    ] {
        assert!(!query(text).matches(&bare), "{text}");
        assert!(query(&format!("-{text}")).matches(&bare), "-{text}");
    }
    assert!(
        query("house menthe").matches(&bare),
        "the file's name is searched"
    );
    let mut odd = full_row();
    odd.knowledge.summary.bpm = Some(Bpm(f64::NAN));
    assert!(!query("bpm:>0 or bpm:<1").matches(&odd));
}

#[test]
fn a_word_does_not_reach_across_fields() {
    let row = full_row();
    assert!(!query("\"germain tourist\"").matches(&row));
    assert!(!query("\"germain\ntourist\"").matches(&row));
}

#[test]
fn mistakes_are_named_with_their_place_and_a_way_out() {
    for (text, at, says) in [
        ("house artits:x", 6, "did you mean artist?"),
        ("foo:1", 0, "there are artist, title"),
        ("bpm:fast", 4, "a tempo like 128"),
        ("bpm:", 4, "found nothing"),
        ("key:H", 4, "a key like 8A"),
        ("state:fialed", 6, "did you mean failed?"),
        ("has:wave", 4, "did you mean waveform?"),
        ("artist: x", 7, "right after the colon"),
        ("added:soon", 6, "an age like 7d"),
        ("id:xyz", 3, "0-9 and a-f"),
        ("a) b", 1, "expected a \"(\""),
    ] {
        let error = parse_at(text, &now()).unwrap_err();
        assert_eq!(error.at, at, "{text}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    for text in ["(".repeat(2000), "-".repeat(4000) + "a", "a".repeat(5000)] {
        assert!(parse_at(&text, &now()).is_err());
    }
}

#[test]
fn every_line_of_the_help_is_a_query() {
    for (syntax, _) in HELP {
        assert!(!query(syntax).is_empty(), "{syntax}");
    }
}

#[test]
fn queries_print_as_a_person_would_write_them() {
    for (typed, printed) in [
        ("  deep   house ", "deep house"),
        ("a or (b (c d)) or -(e or f)", "a or b c d or -(e or f)"),
        ("(a or b) c", "(a or b) c"),
        ("((a))", "a"),
        ("a or", "a"),
        (
            "\"or\" \"bpm:x\" \"-a\" \"12\"\" mix\"",
            "\"or\" \"bpm:x\" \"-a\" \"12\"\" mix\"",
        ),
        (
            "BPM:120-128 artist:\"daft punk\" artist:=x",
            "bpm:120-128 artist:\"daft punk\" artist:=x",
        ),
        ("- -- \"\" ()", ""),
    ] {
        assert_eq!(query(typed).to_string(), printed, "{typed}");
    }
}

/// Texts that are nearly queries.
fn query_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(" ".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("-".to_owned()),
        Just("\"".to_owned()),
        Just(" or ".to_owned()),
        Just("|".to_owned()),
        Just(":".to_owned()),
        Just("=".to_owned()),
        Just("–".to_owned()),
        Just("bpm:~128".to_owned()),
        Just("bpm:120-".to_owned()),
        Just("key:8A~".to_owned()),
        Just("artist:".to_owned()),
        Just("state:failed".to_owned()),
        Just("added:3m".to_owned()),
        "[a-zé０:]{1,3}",
        "\\PC{1,2}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in "\\PC*") {
        let _parsed_or_not = parse_at(&text, &now()).map(|query| query.matches(&full_row()));
        let _read_or_not = Sort::parse(&text);
    }

    #[test]
    fn a_piece_of_a_path_is_found_wherever_it_lies(
        above in "(/[Aé]{1,3}){0,2}",
        below in "(/[aÉ]{1,3}){0,3}",
        needle in "[aé]{0,3}/[aé]{0,3}(/[aé]{0,2})?",
    ) {
        let mut row = bare_row();
        row.track.root = FilePath(format!("{above}/e").into()).into();
        row.track.path = FilePath(format!("{above}/e{below}").into());
        row.search_text = search_text(&row.track);
        let whole = fold(&format!("{above}/e{below}"));
        let is_there = whole.contains(&fold(&needle));
        prop_assert_eq!(query(&format!("path:\"{needle}\"")).matches(&row), is_there);
        // What begins with the imported folder is a whole path too.
        let is_all = [whole, fold(&format!("e{below}"))].contains(&fold(&needle));
        prop_assert_eq!(query(&format!("path:=\"{needle}\"")).matches(&row), is_all);
    }

    #[test]
    fn a_printed_query_reads_back_as_itself(text in query_text()) {
        if let Ok(query) = parse_at(&text, &now()) {
            let printed = query.to_string();
            let again = parse_at(&printed, &now());
            prop_assert_eq!(Ok(query), again, "{} -> {}", text, printed);
        }
    }
}

proptest! {
    // Each looks at thousands of rows.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn many_rows_at_once_are_found_as_one_by_one(text in query_text()) {
        let rows: Vec<Arc<Row>> = [
            full_row(),
            bare_row(),
            Row::clone(&titled(Some("Deep House"), Some(128.0))),
            Row::clone(&titled(Some("Menthe"), None)),
        ]
        .map(Arc::new)
        .into();
        // More than one thread looks at.
        let many: Vec<&Arc<Row>> = rows.iter().cycle().take(2 * SHARE_ROWS + 3).collect();
        if let Ok(query) = parse_at(&text, &now()) {
            let one_by_one: Vec<u32> = (0..many.len())
                .filter(|place| query.written.matches(many[*place]))
                .map(|place| place as u32)
                .collect();
            prop_assert_eq!(query.places(&many), one_by_one);
        }
    }
}

fn titled(title: Option<&str>, bpm: Option<f64>) -> Arc<Row> {
    let mut row = bare_row();
    row.track.tags.title = title.map(Into::into);
    row.track.tags.bpm = bpm;
    row.search_text = search_text(&row.track);
    Arc::new(row)
}

#[test]
fn rows_sort_by_every_key_in_turn_with_the_unknown_last() {
    let rows = vec![
        titled(Some("Track 10"), Some(120.0)),
        titled(None, Some(128.0)),
        titled(Some("track 2"), None),
        titled(Some("Äther"), Some(128.0)),
        titled(Some("track 2"), Some(64.0)),
    ];
    for (sort, order) in [
        ("title", [3, 2, 4, 0, 1]),
        ("-title", [0, 2, 4, 3, 1]),
        ("bpm", [4, 0, 1, 3, 2]),
        ("-bpm", [1, 3, 0, 4, 2]),
        ("title,bpm", [3, 4, 2, 0, 1]),
        ("-bpm,title", [3, 1, 0, 4, 2]),
        ("year", [0, 1, 2, 3, 4]),
        ("", [0, 1, 2, 3, 4]),
    ] {
        let sort_by = Sort::parse(sort).unwrap();
        assert_eq!(sort_by.order(&rows), order, "{sort}");
        let mut sorted = rows.clone();
        sort_by.apply(&mut sorted);
        assert!(Arc::ptr_eq(&sorted[0], &rows[order[0] as usize]), "{sort}");
    }
}

proptest! {
    #[test]
    fn descending_is_ascending_backwards_for_known_titles(
        titles in proptest::collection::btree_set("[a-c12é]{1,10}", 1..20)
    ) {
        let rows: Vec<Arc<Row>> = titles.iter().map(|title| titled(Some(title), None)).collect();
        let up = Sort::parse("title").unwrap().order(&rows);
        let mut down = Sort::parse("-title").unwrap().order(&rows);
        down.reverse();
        prop_assert_eq!(up, down);
    }
}
