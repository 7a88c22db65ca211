//! Entries of other libraries: which track each is, told by rows and outcomes.

use super::*;
use crate::import::claim::{Claim, Place, Settled, Standing};
use crate::track::{FilePath, Source, SourceId, SourceKind, Tags};

const FILE: FileStamp = FileStamp {
    bytes: 10,
    modified_ns: 1,
};

fn id(name: &str) -> SourceId {
    name.parse().unwrap()
}

fn source(origin: &str, alias: Option<&str>, path: &str) -> Source {
    Source {
        kind: SourceKind::EngineDj,
        id: id(origin),
        alias: alias.map(id),
        stored_path: None,
        file: Some(FilePath(path.into())),
        library: None,
        stream: None,
        is_gone: false,
    }
}

fn claim(source: Source) -> Claim {
    let path = source.file.as_ref().unwrap().as_path().to_path_buf();
    Claim {
        source: Some(source),
        tags: Tags {
            title: Some("of Engine".into()),
            ..Tags::default()
        },
        path,
        root: "/drive".into(),
        bytes: Some(FILE.bytes),
        place: Place::There(FILE),
    }
}

fn read() -> Standing {
    Standing::Read(FILE, Box::new(Ok(TagsRead::default())))
}

fn missing() -> Standing {
    Standing::Absent(Failure::new(FailureKind::Missing, "gone", "look"))
}

impl Bench {
    /// Asks about the claims all at once, and settles them by what is answered.
    fn claims(
        &mut self,
        claims: Vec<Claim>,
        stand: impl Fn(usize, Option<TrackId>) -> Standing,
    ) -> Vec<Outcome> {
        let questions = claims.iter().map(Claim::question).collect();
        self.apply(Input::Import(ImportNews::AskClaims(questions)));
        let Some(ImportReply::Claims(judgements)) = self.replies.pop() else {
            panic!("no answer");
        };
        let before = self.said.len();
        let settled = claims.into_iter().zip(judgements).enumerate();
        let settled = settled
            .map(|(place, (claim, judgement))| {
                let known = judgement.known.map(|known| known.track);
                Settled {
                    claim,
                    known,
                    standing: stand(place, known),
                }
            })
            .collect();
        self.apply(Input::Import(ImportNews::Settled(settled)));
        let said = self.said[before..].iter();
        said.filter_map(|event| match event {
            Event::Imported { outcome, .. } => Some(*outcome),
            _ => None,
        })
        .collect()
    }

    fn with_source(&self, name: &str) -> Option<TrackId> {
        let row = self.state.catalog.rows.with_source(&id(name))?;
        Some(row.track.id)
    }
}

fn importing() -> Bench {
    let mut bench = Bench::new(0);
    bench.start_import(None);
    bench
}

#[test]
fn an_entry_is_found_by_origin_then_alias_then_path_and_is_new_otherwise() {
    let mut bench = importing();
    let first = claim(source("pc:1", None, "/pc/a"));
    assert_eq!(
        bench.claims(vec![first.clone()], |_, _| read()),
        [Outcome::Added]
    );
    let track = bench.with_source("pc:1").unwrap();
    // Same: nothing to say.
    let again = bench.claims(vec![first], |_, known| {
        assert_eq!(known, Some(track));
        Standing::Same
    });
    assert_eq!(again, [Outcome::Unchanged]);
    for (origin, alias, path) in [
        ("pc:1", Some("usb:7"), "/usb/a"),
        // Its origin was lost on the way, but the drive is known.
        ("other:3", Some("usb:7"), "/usb/a"),
        ("stranger:9", None, "/pc/a"),
    ] {
        let outcomes = bench.claims(vec![claim(source(origin, alias, path))], |_, known| {
            assert_eq!(known, Some(track), "{origin}");
            Standing::Elsewhere
        });
        assert_ne!(outcomes, [Outcome::Added], "{origin}");
    }
    assert_eq!(bench.state.catalog.rows.len(), 1);
    let row = bench.row(track);
    assert_eq!(row.track.path.as_path().to_str(), Some("/pc/a"));
    assert_eq!(row.track.tags.title.as_deref(), Some("of Engine"));
}

#[test]
fn two_entries_of_one_file_in_one_batch_are_one_track() {
    let mut bench = importing();
    let claims = vec![
        claim(source("pc:1", None, "/pc/a")),
        claim(source("pc:2", None, "/pc/a")),
        claim(source("pc:1", Some("pc:3"), "/pc/b")),
    ];
    let outcomes = bench.claims(claims, |_, known| {
        assert_eq!(known, None);
        read()
    });
    assert_eq!(outcomes, [Outcome::Added, Outcome::Merged, Outcome::Merged]);
    assert_eq!(bench.state.catalog.rows.len(), 1);
    assert_eq!(bench.with_source("pc:2"), bench.with_source("pc:3"));
}

#[test]
fn a_copy_that_a_library_has_is_not_a_track_of_its_own_when_a_scan_meets_it() {
    let mut bench = importing();
    bench.claims(vec![claim(source("pc:1", None, "/pc/a"))], |_, _| read());
    let copy = claim(source("pc:1", Some("usb:7"), "/usb/a"));
    bench.claims(vec![copy], |_, _| Standing::Elsewhere);
    let track = bench.with_source("usb:7").unwrap();
    let candidate = Candidate {
        path: "/usb/a".into(),
        stamp: FILE,
    };
    bench.apply(Input::Import(ImportNews::Ask(vec![candidate])));
    let Some(ImportReply::Decisions(decisions)) = bench.replies.pop() else {
        panic!("no answer");
    };
    assert_eq!(decisions[0].decision, Decision::Copy(track));
}

#[test]
fn what_has_no_file_is_a_row_with_its_state_and_comes_to_life_with_the_file() {
    let mut bench = importing();
    let mut streamed = claim(source("pc:2", None, "/x"));
    streamed.path = "streaming://x/1".into();
    streamed.place = Place::Streamed;
    if let Some(source) = &mut streamed.source {
        source.file = None;
        source.stream = Some("x".to_owned());
    }
    let mut gone = claim(source("pc:1", None, "/pc/a"));
    gone.place = Place::Absent(Failure::new(FailureKind::Missing, "gone", "look"));
    let outcomes = bench.claims(vec![gone, streamed.clone()], |place, _| match place {
        0 => missing(),
        _ => Standing::Streamed,
    });
    assert_eq!(outcomes, [Outcome::Missing, Outcome::Added]);
    let [gone, service] = ["pc:1", "pc:2"].map(|name| bench.with_source(name).unwrap());
    assert_eq!(bench.row(gone).state, TrackState::Missing);
    assert_eq!(bench.row(service).state, TrackState::Streaming);
    let again = bench.claims(vec![streamed], |_, known| {
        assert_eq!(known, Some(service));
        Standing::Streamed
    });
    assert_eq!(again, [Outcome::Unchanged]);
    assert_eq!(bench.row(service).state, TrackState::Streaming);

    let there = claim(source("pc:1", None, "/pc/new"));
    bench.claims(vec![there], |_, _| read());
    let row = bench.row(gone);
    assert!(!row.track.missing);
    assert_eq!(row.track.path.as_path().to_str(), Some("/pc/new"));
}

#[test]
fn two_records_of_one_file_become_one_and_the_one_that_knows_more_stays() {
    for is_known in [false, true] {
        let mut bench = importing();
        let mut first = claim(source("pc:1", None, "/pc/old"));
        if is_known {
            bench.claims(vec![first], |_, _| read());
        } else {
            first.place = Place::Absent(Failure::new(FailureKind::Missing, "", ""));
            bench.claims(vec![first], |_, _| missing());
        }
        let ours = bench.with_source("pc:1").unwrap();
        let theirs = bench.meet("/pc/new", |_| Fate::New(Ok(TagsRead::default())));
        if is_known {
            for id in [ours, theirs] {
                let mut track = bench.state.catalog.track(id).unwrap();
                track.hash = Some(ContentHash([7; 32]));
                bench.state.catalog.put_track(track, Timestamp::UNIX_EPOCH);
            }
        }
        let moved = claim(source("pc:1", None, "/pc/new"));
        bench.claims(vec![moved], |_, known| {
            assert_eq!(known, Some(ours));
            Standing::Held(theirs)
        });
        let stays = if is_known { ours } else { theirs };
        assert_eq!(bench.state.catalog.rows.len(), 1);
        assert_eq!(bench.with_source("pc:1"), Some(stays));
        assert_eq!(
            bench.row(stays).track.path.as_path().to_str(),
            Some("/pc/new")
        );
        let other = if is_known { theirs } else { ours };
        assert!(bench.changes.contains(&Change::RemoveTrack(other)));
    }
}

#[test]
fn entries_that_are_gone_are_marked_in_the_library_that_was_read_and_in_no_other() {
    let mut bench = importing();
    let all = vec![
        claim(source("pc:1", None, "/pc/a")),
        claim(source("pc:2", None, "/pc/b")),
        claim(source("usb:2", None, "/usb/b")),
    ];
    bench.claims(all, |_, _| read());
    let read_whole = |bench: &mut Bench| {
        let database = "pc".to_owned();
        bench.apply(Input::Import(ImportNews::LibraryRead { database }));
        ["pc:1", "pc:2", "usb:2"].map(|name| {
            let row = bench.state.catalog.rows.with_source(&id(name)).unwrap();
            row.track.sources[0].is_gone
        })
    };
    assert_eq!(read_whole(&mut bench), [false; 3]);
    bench.claims(vec![claim(source("pc:1", None, "/pc/a"))], |_, _| {
        Standing::Same
    });
    assert_eq!(read_whole(&mut bench), [false, true, false]);
    let back = claim(source("pc:2", None, "/pc/b"));
    assert_eq!(
        bench.claims(vec![back], |_, _| Standing::Same),
        [Outcome::Updated]
    );
    bench.claims(vec![claim(source("pc:1", None, "/pc/a"))], |_, _| {
        Standing::Same
    });
    assert_eq!(read_whole(&mut bench), [false; 3]);
}
