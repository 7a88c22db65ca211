//! What comes out of libraries of every schema.

use super::{Drive, split};
use std::fs;
use std::path::Path;
use tonearm_core::control::Control;
use tonearm_core::enginedj::find::{Found, find};
use tonearm_core::enginedj::locate::Locator;
use tonearm_core::enginedj::medium::{self, MediumTrack};
use tonearm_core::enginedj::paths::Paths;
use tonearm_core::enginedj::track::FlawKind;
use tonearm_core::enginedj::{EngineError, Library, Options};
use tonearm_core::harmony::Key;
use tonearm_core::import::presence::Presence;
use tonearm_core::track::SourceId;
use tonearm_core::units::Secs;
use tonearm_tests::engine_library::{
    EngineLibrary, EngineRow, OTHER_UUID, SCHEMAS, UUID, usual_row,
};

fn source(database: &str, track: u64) -> SourceId {
    SourceId {
        database: database.to_owned(),
        track,
    }
}

#[test]
fn every_schema_gives_the_same_tracks() {
    for schema in SCHEMAS {
        let drive = Drive::new();
        let made = drive.library(schema);
        made.add(&usual_row(7)).unwrap();
        made.add(&EngineRow::default()).unwrap();
        let library = drive.open().unwrap();
        let about = library.about();
        assert_eq!(about.uuid.as_deref(), Some(UUID));
        assert_eq!(
            (about.rows, about.warnings.len()),
            (Some(2), 0),
            "{about:?}"
        );
        let version = about.version.unwrap();
        assert_eq!((version.major, version.minor, version.patch), schema);
        let (tracks, lost) = split(&library);
        assert_eq!((tracks.len(), lost.len()), (2, 0));

        let track = &tracks[0];
        assert_eq!(track.flaws, []);
        assert_eq!(track.source, Some(source(UUID, 1)));
        assert_eq!(track.aliases, []);
        assert_eq!(
            track.path().unwrap(),
            drive
                .path()
                .join("House/Some Artist 0/00007 Some Title.flac")
        );
        assert_eq!(track.tags.bpm, Some(131.0), "the exact tempo counts");
        assert_eq!(track.key(), Key::parse("F#m"));
        assert_eq!((track.tags.rating, track.tags.year), (Some(1), Some(2024)));
        assert_eq!((track.tags.track_number, track.tags.has_art), (None, false));
        assert_eq!(track.duration, Some(Secs(207.0)));
        assert_eq!(track.file_bytes, Some(30_000_007));
        assert_eq!(track.added.unwrap().as_second(), 1_700_000_007);
        assert_eq!(track.file_type.as_deref(), Some("mp3"));

        let bare = &tracks[1];
        assert_eq!(
            (bare.flaws.len(), &bare.file, &bare.stream),
            (0, &None, &None)
        );
        assert_eq!((bare.tags.bpm, bare.key()), (None, None));
    }
}

#[test]
fn a_track_is_known_by_its_origin_and_by_its_number_here() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    let row = |path: &str, origin: Option<(&str, i64)>| EngineRow {
        origin: origin.map(|(uuid, track)| (uuid.to_owned(), track)),
        ..EngineRow::at(path)
    };
    made.add(&row("../own.mp3", None)).unwrap();
    made.add(&row("../copied.mp3", Some((OTHER_UUID, 77))))
        .unwrap();
    made.add(&row(
        "../shouted.mp3",
        Some((&OTHER_UUID.to_uppercase(), 78)),
    ))
    .unwrap();
    // Exported, deleted here, and brought back: its first number is gone for ever.
    made.add(&row("../back.mp3", Some((UUID, 1_000)))).unwrap();
    made.add(&row("../strange.mp3", Some(("no uuid: at all", 5))))
        .unwrap();
    made.connection
        .execute_batch(
            "INSERT INTO Track (id, path, originDatabaseUuid, originTrackId) VALUES (20, '../zero.mp3', 'x', 0);
             DROP TRIGGER own_origin;
             INSERT INTO Track (id, path, originDatabaseUuid, originTrackId) VALUES (21, '../empty.mp3', '', NULL);",
        )
        .unwrap();
    let (tracks, _) = drive.read();
    let ids: Vec<_> = tracks
        .iter()
        .map(|track| (track.source.clone().unwrap(), track.aliases.clone()))
        .collect();
    assert_eq!(
        ids,
        [
            (source(UUID, 1), vec![]),
            (source(OTHER_UUID, 77), vec![source(UUID, 2)]),
            (source(OTHER_UUID, 78), vec![source(UUID, 3)]),
            (source(UUID, 1_000), vec![source(UUID, 4)]),
            (source("no uuid: at all", 5), vec![source(UUID, 5)]),
            (source(UUID, 20), vec![]),
            (source(UUID, 21), vec![]),
        ]
    );
}

#[test]
fn two_tracks_never_share_an_identity() {
    let drive = Drive::new();
    let made = drive.library((2, 21, 2));
    made.connection
        .execute_batch(&format!(
            "DROP TRIGGER own_origin;
             INSERT INTO Track (id, path, originDatabaseUuid, originTrackId) VALUES
                (1, 'a', '{OTHER_UUID}', 7), (2, 'b', '{}', 7), (3, 'c', '{UUID}', 9), (9, 'd', '', NULL);",
            OTHER_UUID.to_uppercase()
        ))
        .unwrap();
    let (tracks, _) = drive.read();
    let sources: Vec<_> = tracks.iter().map(|track| track.source.clone()).collect();
    assert_eq!(
        sources,
        [
            Some(source(OTHER_UUID, 7)),
            Some(source(UUID, 2)),
            Some(source(UUID, 9)),
            None,
        ]
    );
    for track in [&tracks[1], &tracks[3]] {
        assert_eq!(track.flaws[0].kind, FlawKind::Taken);
    }
}

#[test]
fn files_are_found_under_every_spelling_and_missing_ones_are_told_apart() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    let put = |path: &str| {
        let path = drive.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "four").unwrap();
    };
    put("House/a.mp3");
    // Decomposed on the drive, composed in the library.
    put("Cafe\u{301}/Ru\u{308}ckwa\u{308}rts.mp3");
    put("SHOUT/LOUD.MP3");
    put("Engine Library/Music/x/own.mp3");
    put("Moved/here.mp3");
    for path in [
        "../House/a.mp3",
        "../Caf\u{e9}/R\u{fc}ckw\u{e4}rts.mp3",
        "../Shout/loud.mp3",
        "Music/x/own.mp3",
        "../House/gone.mp3",
    ] {
        made.add(&EngineRow::at(path)).unwrap();
    }
    for (path, bytes) in [("E:/Moved/here.mp3", 4), ("F:\\Moved\\here.mp3", 5)] {
        made.add(&EngineRow {
            file_bytes: Some(bytes),
            ..EngineRow::at(path)
        })
        .unwrap();
    }
    let (tracks, _) = drive.read();
    let mut locator = Locator::new(Some(&made.folder));
    let found: Vec<_> = tracks
        .iter()
        .map(|track| {
            let located = locator.look(track).unwrap();
            assert_eq!(located.root, drive.path());
            let is_there = matches!(located.presence, Presence::There(stamp) if stamp.bytes == 4);
            let path = located.path.strip_prefix(drive.path()).unwrap();
            (path.to_str().unwrap().to_owned(), is_there)
        })
        .collect();
    let there = |path: &str| (path.to_owned(), true);
    assert_eq!(found[0], there("House/a.mp3"));
    assert_eq!(found[2], there("SHOUT/LOUD.MP3"));
    assert_eq!(found[3], there("Engine Library/Music/x/own.mp3"));
    assert_eq!(found[4], ("House/gone.mp3".to_owned(), false));
    assert!(found[1].1, "{found:?}");
    if cfg!(target_os = "linux") {
        assert_eq!(found[1].0, "Cafe\u{301}/Ru\u{308}ckwa\u{308}rts.mp3");
        assert_eq!(found[5], there("Moved/here.mp3"));
        // A guess of another size is another file.
        assert_eq!(found[6], ("Moved/here.mp3".to_owned(), false));
    }
}

#[test]
fn streams_stay_visible_and_need_no_file() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&EngineRow {
        title: Some("Streamed".to_owned()),
        streaming: Some(("TIDAL".to_owned(), "streaming://TIDAL/Track/1".to_owned())),
        ..EngineRow::default()
    })
    .unwrap();
    let (tracks, _) = drive.read();
    let stream = tracks[0].stream.as_ref().unwrap();
    assert_eq!(stream.service.as_deref(), Some("TIDAL"));
    assert_eq!((&tracks[0].file, tracks[0].path()), (&None, None));
    assert_eq!(Locator::default().look(&tracks[0]), None);
}

#[test]
fn a_library_is_found_from_wherever_the_user_points() {
    let drive = Drive::new();
    let holder = drive.path().join("home/Music");
    let made = EngineLibrary::create(&holder, (3, 0, 2)).unwrap();
    let inner = made.folder.join("Database2");
    fs::write(inner.join("hm.db"), "").unwrap();
    let expected = Found {
        folder: Some(made.folder.clone()),
        database: made.database.clone(),
    };
    for path in [
        made.database.clone(),
        inner.clone(),
        inner.join("hm.db"),
        made.folder.clone(),
        holder.clone(),
        drive.path().join("home"),
        drive.path(),
        drive.path().join("home/../home/Music/"),
    ] {
        assert_eq!(
            find(&path).unwrap(),
            std::slice::from_ref(&expected),
            "{}",
            path.display()
        );
    }
    // A copy by itself tells of tracks, not of files.
    let alone = drive.path().join("fetched.db");
    fs::copy(&made.database, &alone).unwrap();
    assert_eq!(find(&alone).unwrap(), [Found::lone(alone.clone())]);

    for nothing in ["home/Music/Engine Library/x", "nowhere"] {
        let error = find(&drive.path().join(nothing)).unwrap_err();
        assert!(matches!(error, EngineError::NotFound { .. }), "{error}");
    }
    fs::create_dir_all(drive.path().join("empty/a/b")).unwrap();
    assert!(find(&drive.path().join("empty")).is_err());
}

#[test]
fn several_libraries_below_a_folder_are_all_found() {
    let drive = Drive::new();
    for name in ["b", "a", "c/d"] {
        drop(EngineLibrary::create(&drive.path().join(name), (2, 18, 0)).unwrap());
    }
    let found = find(&drive.path()).unwrap();
    let places: Vec<_> = found
        .iter()
        .map(|found| found.folder.as_deref().unwrap())
        .map(|folder| folder.strip_prefix(drive.path()).unwrap())
        .collect();
    assert_eq!(
        places,
        ["a/Engine Library", "b/Engine Library", "c/d/Engine Library"].map(Path::new)
    );
}

#[test]
fn an_upgraded_library_is_read_in_its_new_form_and_an_old_one_is_told_of() {
    let drive = Drive::new();
    drop(drive.library((1, 18, 0)));
    let error = drive.open().unwrap_err();
    assert!(matches!(error, EngineError::TooOld { .. }), "{error}");
    assert!(error.failure().remedy.contains("Engine DJ 2.0"));
    let made = drive.library((2, 18, 0));
    made.add(&EngineRow::at("../a.mp3")).unwrap();
    assert_eq!(drive.read().0.len(), 1);
    let old = find(&drive.path().join("Engine Library/m.db")).unwrap();
    assert_eq!(
        old[0].database, made.database,
        "the new one stands for both"
    );
}

#[test]
fn schemas_to_come_are_read_with_a_warning_or_refused_by_name() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&EngineRow::at("../a.mp3")).unwrap();
    let version = |major: i64, minor: i64| {
        made.connection
            .execute(
                "UPDATE Information SET schemaVersionMajor = ?1, schemaVersionMinor = ?2",
                [major, minor],
            )
            .unwrap();
    };
    version(3, 7);
    let library = drive.open().unwrap();
    assert!(library.about().warnings[0].to_string().contains("3.7.2"));
    assert_eq!(split(&library).0.len(), 1);
    drop(library);
    version(4, 0);
    let error = drive.open().unwrap_err();
    assert!(error.to_string().contains("4.0.2"), "{error}");

    // Without a word on it, the tracks speak for themselves.
    made.connection
        .execute_batch("DELETE FROM Information")
        .unwrap();
    let library = drive.open().unwrap();
    assert_eq!(library.about().warnings.len(), 2);
    let (tracks, _) = split(&library);
    assert_eq!(tracks[0].tags.title.as_deref(), Some("Title of ../a.mp3"));
}

#[test]
fn columns_that_are_not_there_are_absent_values() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&usual_row(1)).unwrap();
    made.connection
        .execute_batch(
            "ALTER TABLE Track DROP COLUMN bpmAnalyzed; ALTER TABLE Track DROP COLUMN comment;
             ALTER TABLE Track ADD COLUMN novelty TEXT;",
        )
        .unwrap();
    let (tracks, lost) = drive.read();
    assert_eq!(lost, []);
    assert_eq!(
        tracks[0].tags.bpm,
        Some(124.0),
        "the rounded tempo is the second choice"
    );
    assert_eq!(tracks[0].tags.comment, None);
    assert_eq!(tracks[0].flaws, []);
}

#[test]
fn what_the_library_says_has_a_digest_that_plays_do_not_change() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&usual_row(1)).unwrap();
    let digest = || drive.read().0[0].digest();
    let before = digest();
    made.connection
        .execute_batch("UPDATE Track SET timeLastPlayed = 1700000000, isPlayed = 1")
        .unwrap();
    assert_eq!(digest(), before);
    made.connection
        .execute_batch("UPDATE Track SET artist = title, title = artist")
        .unwrap();
    assert_ne!(digest(), before);
}

#[test]
fn ten_thousand_tracks_are_all_read_in_order() {
    let drive = Drive::new();
    let made = drive.library((2, 21, 2));
    made.add_many(10_000).unwrap();
    made.connection
        .execute_batch("DELETE FROM Track WHERE id % 1000 = 17")
        .unwrap();
    let (tracks, lost) = drive.read();
    assert_eq!((tracks.len(), lost.len()), (9_990, 0));
    assert!(tracks.windows(2).all(|pair| pair[0].row < pair[1].row));
    assert!(tracks.iter().all(|track| track.flaws.is_empty()));

    let few = Options {
        most_rows: 300,
        ..drive.options()
    };
    let found = find(&drive.path()).unwrap();
    let library = Library::open(&found[0], &few, &Control::default()).unwrap();
    let (tracks, lost) = split(&library);
    assert_eq!((tracks.len(), lost.len()), (300, 1));
    assert_eq!(lost[0].last, None);
}

#[test]
fn pictures_of_tracks_come_out_as_they_were_put_in() {
    for schema in [(2, 18, 0), (3, 0, 2)] {
        let drive = Drive::new();
        let made = drive.library(schema);
        for name in ["a", "b", "c", "d", "e", "f"] {
            made.add(&EngineRow::at(&format!("Music/{name}.mp3")))
                .unwrap();
        }
        let jpeg = b"\xff\xd8\xff not quite a picture";
        let put = |number: i64, picture: &dyn rusqlite::ToSql| {
            made.connection
                .execute(
                    "INSERT INTO AlbumArt VALUES (?1, 'x', ?2)",
                    rusqlite::params![number, picture],
                )
                .unwrap();
        };
        put(2, &jpeg.as_slice());
        put(3, &rusqlite::types::Null);
        put(4, &vec![1_u8; 1_000_001]);
        put(5, &"text");
        put(6, &vec![2_u8; 1_000_000]);
        made.connection
            .execute("UPDATE Track SET albumArtId = id WHERE id > 1", [])
            .unwrap();
        let paths = Paths::read(&made.database, drive.scratch.path(), &Control::default());
        let paths = paths.unwrap();
        let picture = |name: &str| {
            let number = paths.art_at(&format!("music/{name}.MP3"))?;
            paths.art(number).unwrap()
        };
        assert_eq!(paths.art_at("Music/a.mp3"), None, "row 1 is no picture");
        assert_eq!(picture("b").as_deref(), Some(jpeg.as_slice()), "{schema:?}");
        assert_eq!(picture("c"), None, "it lies elsewhere");
        assert_eq!(picture("d"), None, "it is too large");
        assert_eq!(picture("e"), None, "it is no picture");
        assert_eq!(picture("f").map(|bytes| bytes.len()), Some(1_000_000));
        assert_eq!(paths.art(99).unwrap(), None);
        let live: i64 = made
            .connection
            .query_row("SELECT count(*) FROM AlbumArt", [], |row| row.get(0))
            .unwrap();
        assert_eq!(live, 6, "the original is as it was");
    }
}

#[test]
fn a_library_whose_pictures_are_no_table_has_none() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&EngineRow::at("Music/a.mp3")).unwrap();
    made.connection
        .execute_batch(
            "UPDATE Track SET albumArtId = 2; DROP TABLE AlbumArt;
             CREATE VIEW AlbumArt AS SELECT 2 AS id, x'ffd8' AS albumArt;",
        )
        .unwrap();
    let paths = Paths::read(&made.database, drive.scratch.path(), &Control::default()).unwrap();
    assert_eq!(paths.art_at("Music/a.mp3"), Some(2));
    assert_eq!(paths.art(2).unwrap(), None);
}

#[test]
fn the_database_of_a_virtual_player_is_read_like_any() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.db");
    let track = MediumTrack {
        stored: "Music/Tonearm/a.mp3",
        title: "First",
        artist: "Somebody",
        secs: 180,
        bpm: 124.5,
        bytes: 1234,
        origin: Some((OTHER_UUID, 7)),
        art: Some(b"picture"),
    };
    let plain = MediumTrack {
        stored: "../b.mp3",
        origin: None,
        art: None,
        ..track
    };
    medium::write(&file, UUID, &[track, plain]).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let paths = Paths::read(&file, scratch.path(), &Control::default()).unwrap();
    let names = paths.at("Music/Tonearm/a.mp3").unwrap();
    assert_eq!(names.id, source(OTHER_UUID, 7));
    assert_eq!(names.alias, Some(source(UUID, 1)));
    let art = paths.art_at("Music/Tonearm/a.mp3").unwrap();
    assert_eq!(
        paths.art(art).unwrap().as_deref(),
        Some(b"picture".as_slice())
    );
    assert_eq!(paths.art_at("../b.mp3"), None);
    let found = Found::lone(file);
    let library = Library::open(&found, &Options::default(), &Control::default()).unwrap();
    assert_eq!(library.about().warnings, []);
    let rows: Vec<_> = library.tracks().map(Result::unwrap).collect();
    assert_eq!(rows[0].tags.title.as_deref(), Some("First"));
    assert_eq!(
        (rows[0].tags.bpm, rows[0].file_bytes),
        (Some(124.5), Some(1234))
    );
    assert!(rows[0].tags.has_art && !rows[1].tags.has_art);
}

#[test]
fn a_database_of_a_player_tells_which_track_lies_at_a_path() {
    let drive = Drive::new();
    let made = drive.library((3, 0, 2));
    made.add(&EngineRow::at("../DJ/Señor/x.mp3")).unwrap();
    let mut exported = EngineRow::at("Music/Artist/y.mp3");
    exported.origin = Some((OTHER_UUID.to_owned(), 77));
    made.add(&exported).unwrap();
    made.add(&EngineRow::default()).unwrap();
    // As it comes over the network: the file alone, under any name.
    let fetched = tempfile::tempdir().unwrap();
    let file = fetched.path().join("of player 1");
    fs::copy(&made.database, &file).unwrap();
    let read = |file: &Path| Paths::read(file, drive.scratch.path(), &Control::default());
    let paths = read(&file).unwrap();
    assert_eq!((paths.library(), paths.len()), (Some(UUID), 2));
    let names = |stored: &str| -> Vec<SourceId> {
        let names = paths
            .at(stored)
            .map(|names| names.iter().cloned().collect());
        names.unwrap_or_default()
    };
    let both = [source(OTHER_UUID, 77), source(UUID, 2)];
    for stored in ["Music/Artist/y.mp3", "./music/artist//Y.MP3"] {
        assert_eq!(names(stored), both, "{stored}");
    }
    for stored in ["../DJ/Señor/x.mp3", "../dj/Sen\u{303}or/x.mp3"] {
        assert_eq!(names(stored), [source(UUID, 1)], "{stored}");
    }
    assert_eq!(names("../DJ/y.mp3"), []);
    fs::write(&file, "no database").unwrap();
    let error = read(&file).unwrap_err();
    assert!(matches!(error, EngineError::NotDatabase), "{error}");
    assert_eq!(fs::read_dir(fetched.path()).unwrap().count(), 1);
}
