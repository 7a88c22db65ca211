//! The library as a whole: what is written is there, whatever happens in between.

use super::*;
use crate::artifact::{ArtifactRecord, Maker, Recipe};
use crate::beats::{Beat, ConstantGrid, TempoSegment};
use crate::failure::{Failure, FailureKind};
use crate::harmony::{Chord, Key, PitchClass, Quality};
use crate::track::{AudioFormat, ContentHash, FilePath, FileStamp, Tags};
use crate::units::{Bpm, SampleRate, Secs};
use crate::waveform::Column;
use redb::ReadableDatabase as _;
use tempfile::TempDir;

pub(super) fn track(number: u64) -> Track {
    Track {
        id: TrackId(number),
        path: FilePath(PathBuf::from(format!("/music/{number}.mp3"))),
        root: PathBuf::from("/music").into(),
        stamp: FileStamp {
            bytes: 1000 + number % 1000,
            modified_ns: -5,
        },
        tags: Tags {
            title: Some(format!("Title {number}").into()),
            bpm: Some(127.98),
            ..Tags::default()
        },
        format: Some(AudioFormat {
            codec: "mp3".into(),
            sample_rate: SampleRate::new(44_100).unwrap(),
            channels: 2,
            bitrate_kbps: Some(320),
            duration: Secs(240.5),
        }),
        hash: Some(ContentHash([number as u8; 32])),
        added: "2026-01-02T03:04:05Z".parse().unwrap(),
        missing: false,
        damage: None,
        sources: Vec::new(),
        borrowed: crate::track::TagFields::default(),
    }
}

pub(super) fn knowledge() -> Knowledge {
    let mut knowledge = Knowledge::default();
    for artifact in Artifact::ALL {
        let failure = (artifact == Artifact::Stems).then(|| Failure {
            kind: FailureKind::Timeout,
            message: "too long".to_owned(),
            remedy: "wait".to_owned(),
            attempts: 3,
            retry_at: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        });
        knowledge.records.insert(
            artifact,
            ArtifactRecord {
                recipe: Recipe {
                    maker: Maker::Native,
                    version: 1,
                    parameters: String::new(),
                    model: None,
                }
                .into(),
                made_from: track(1).stamp,
                cpu_secs: 1.5,
                failure: failure.map(Box::new),
                nothing_found: false,
            },
        );
    }
    for finding in findings() {
        knowledge.note(&finding);
    }
    knowledge
}

pub(super) fn findings() -> Vec<Finding> {
    let beats = (0..600).map(|beat| Beat {
        at: Secs(0.1 + f64::from(beat) * 0.468_75),
        position: (beat % 4 + 1) as u8,
    });
    let key = Key::parse("8A").unwrap();
    let chord = Chord {
        root: PitchClass::new(9),
        quality: Quality::Minor7,
        bass: None,
    };
    let span = |start: f64, chord| ChordSpan {
        start: Secs(start),
        end: Secs(start + 2.0),
        start_raw: Secs(start + 0.01),
        end_raw: Secs(start + 1.99),
        chord,
        confidence: 0.7,
    };
    vec![
        Finding::Waveform(waveform(3)),
        Finding::Beats(Beats {
            beats: beats.collect(),
            grid: Some(ConstantGrid {
                bpm: Bpm(128.0),
                first_beat: Secs(0.1),
                first_downbeat: Secs(0.1),
            }),
            segments: vec![TempoSegment {
                start: Secs(0.0),
                bpm: Bpm(128.0),
                beats_per_bar: 4,
            }],
            bpm: Bpm(128.0),
            confidence: 0.9,
            alternatives: Vec::new(),
        }),
        Finding::Key(KeyFinding {
            key,
            confidence: 0.8,
            alternatives: vec![(Key::parse("9A").unwrap(), 0.1)],
            segments: Vec::new(),
        }),
        Finding::Chords(vec![
            span(0.0, None),
            span(2.0, Some(chord)),
            span(4.0, None),
        ]),
        Finding::Loudness(Loudness {
            integrated: Some(-9.0),
            range: None,
            true_peak: Some(0.3),
        }),
    ]
}

fn waveform(level: u8) -> Waveform {
    let column = Column {
        max: 9,
        rms: level,
        ..Column::default()
    };
    let rate = SampleRate::new(44_100).unwrap();
    Waveform::from_columns(rate, 73_500, vec![column; 500])
}

/// All that is known of track `number`.
pub(super) fn changes(number: u64) -> Vec<Change> {
    let id = TrackId(number);
    let mut changes = vec![
        Change::PutTrack(track(number)),
        Change::PutKnowledge(id, knowledge()),
    ];
    changes.extend(
        findings()
            .into_iter()
            .map(|finding| Change::PutFinding(id, finding)),
    );
    changes
}

/// What the user set for every track of these tests.
pub(super) fn hand() -> ByHand {
    let mut hand = ByHand::default();
    for finding in findings() {
        match finding {
            Finding::Beats(beats) => {
                hand.beats = Some(Beats {
                    bpm: Bpm(64.0),
                    ..beats
                });
            }
            Finding::Key(key) => {
                hand.key = Some(KeyFinding {
                    key: Key::parse("1B").unwrap(),
                    ..key
                });
            }
            _ => {}
        }
    }
    hand
}

pub(super) fn by_hand(number: u64) -> Vec<Change> {
    vec![Change::PutByHand(TrackId(number), Arc::new(hand()))]
}

fn open(dir: &TempDir) -> (Store, Loaded) {
    Store::open(dir.path()).unwrap()
}

fn library(dir: &TempDir) -> PathBuf {
    dir.path().join(FILE)
}

pub(super) fn assert_has_all(store: &Store, id: TrackId) {
    for finding in findings() {
        let same = match finding {
            Finding::Waveform(waveform) => store.waveform(id).unwrap() == Some(waveform),
            Finding::Beats(beats) => store.beats(id).unwrap() == Some(beats),
            Finding::Key(key) => store.key(id).unwrap() == Some(key),
            Finding::Chords(chords) => store.chords(id).unwrap() == Some(chords),
            Finding::Loudness(loudness) => store.loudness(id).unwrap() == Some(loudness),
            // Nothing of them stands in a table of its own.
            Finding::Stems(_) => true,
        };
        assert!(same);
    }
}

#[test]
fn what_was_written_is_there_when_the_library_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let (store, loaded) = open(&dir);
    assert!(loaded.tracks.is_empty());
    for number in [7, u64::MAX, 0, 1 << 63] {
        store.write(changes(number)).unwrap();
    }
    drop(store);

    let (store, loaded) = open(&dir);
    let ids: Vec<u64> = loaded.tracks.iter().map(|track| track.id.0).collect();
    assert_eq!(ids, [0, 7, 1 << 63, u64::MAX]);
    assert_eq!(*loaded.tracks[1], track(7));
    assert_eq!(loaded.knowledge.len(), 4);
    assert_eq!(*loaded.knowledge[&TrackId(7)], knowledge());
    assert_eq!(loaded.unreadable, []);
    assert_has_all(&store, TrackId(u64::MAX));
    assert_eq!(store.beats(TrackId(5)).unwrap(), None);
    assert_eq!(store.waveform(TrackId(5)).unwrap(), None);
}

#[test]
fn a_removed_track_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    store.write(changes(8)).unwrap();
    store.write(vec![Change::RemoveTrack(TrackId(7))]).unwrap();
    assert_eq!(store.beats(TrackId(7)).unwrap(), None);
    assert!(!waveforms::path(dir.path(), TrackId(7)).exists());
    assert_has_all(&store, TrackId(8));
    store
        .write(vec![Change::DropFinding(TrackId(8), Artifact::Waveform)])
        .unwrap();
    assert!(!waveforms::path(dir.path(), TrackId(8)).exists());
    assert_eq!(store.waveform(TrackId(8)).unwrap(), None);
}

#[test]
fn what_cannot_be_read_is_known_to_whoever_opens_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    store.write(changes(8)).unwrap();
    let damaged = b"damaged".as_slice();
    let damage = |write: &WriteTransaction| {
        write.open_table(tables::TRACKS)?.insert(7, damaged)?;
        Ok(())
    };
    store.handle.write(damage).unwrap();
    drop(store);
    let config = crate::core_loop::Config {
        library: dir.path().to_path_buf(),
        eager: false,
        or_read: false,
        slots: Some(1),
        places: crate::setup::Places::default(),
    };
    let core = crate::core_loop::Core::start(&config, || (), |_| ()).unwrap();
    let bad: Vec<_> = core
        .unreadable()
        .iter()
        .map(|bad| (bad.track, bad.what))
        .collect();
    assert_eq!(bad, [(Some(TrackId(7)), "description")]);
    assert_eq!(core.view().rows.len(), 1);
}

#[test]
fn a_new_waveform_replaces_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    let change = Change::PutFinding(TrackId(7), Finding::Waveform(waveform(9)));
    store
        .write(vec![Change::RemoveTrack(TrackId(7)), change])
        .unwrap();
    assert_eq!(store.waveform(TrackId(7)).unwrap(), Some(waveform(9)));
}

#[test]
fn a_second_opening_is_refused_and_names_the_holder() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    let pid = std::process::id().to_string();
    assert!(error.to_string().contains(&pid), "{error}");
    assert!(matches!(error, StoreError::Locked { stays: false, .. }));
    // A window says that it stays open.
    store.stays_open();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(
        matches!(&error, StoreError::Locked { stays: true, holder } if holder.contains(&pid)),
        "{error}"
    );
    drop(store);
    // The file that is left says something of a process; nobody holds it.
    assert!(dir.path().join("lock").exists());
    open(&dir);
}

#[test]
fn paths_of_any_bytes_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    let mut odd = track(1);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;
        odd.path = FilePath(std::ffi::OsString::from_vec(vec![b'/', 0xff, b'\n', 0x80]).into());
        odd.root = odd.path.clone().into();
    }
    store.write(vec![Change::PutTrack(odd.clone())]).unwrap();
    drop(store);
    let (_store, loaded) = open(&dir);
    assert_eq!(loaded.tracks, [Box::new(odd)]);
}

#[test]
fn a_newer_library_is_left_as_it_is_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store
        .handle
        .write(|write| {
            write
                .open_table(tables::META)?
                .insert(tables::META_FORMAT, 99)?;
            Ok(())
        })
        .unwrap();
    drop(store);
    let before = fs::read(library(&dir)).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Newer {
                found: 99,
                known: 2
            }
        ),
        "{error}"
    );
    assert!(fs::read(library(&dir)).unwrap() == before);
}

#[test]
fn a_damaged_library_names_the_backup_that_brings_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    let backup = store.backup(Reason::ByHand).unwrap();
    drop(store);
    let whole = fs::read(library(&dir)).unwrap();
    for damage in 0..4 {
        let mut bytes = whole.clone();
        match damage {
            0 => bytes.truncate(100),
            1 => bytes.truncate(0),
            2 => bytes[..4096].fill(0x55),
            _ => bytes = b"not a database".to_vec(),
        }
        fs::write(library(&dir), &bytes).unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{damage}: {error}"
        );
        let name = backup.display().to_string();
        assert!(error.to_string().contains(&name), "{damage}: {error}");
    }
    let restored = Store::restore(dir.path(), &backup).unwrap();
    assert_eq!(restored.tracks, 1);
    assert_eq!(restored.waveforms_gone, []);
    let (store, _) = open(&dir);
    assert_has_all(&store, TrackId(7));
}

#[test]
fn damage_anywhere_is_an_error_and_never_the_end_of_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    drop(store);
    let whole = fs::read(library(&dir)).unwrap();
    for page in 0..whole.len() / 4096 {
        let mut bytes = whole.clone();
        for byte in bytes.iter_mut().skip(page * 4096 + 8).step_by(7).take(60) {
            *byte ^= 0xa5;
        }
        fs::write(library(&dir), &bytes).unwrap();
        // Whatever can still be read is read; what cannot says so.
        if let Ok((store, _)) = Store::open(dir.path()) {
            drop(store.beats(TrackId(7)));
            drop(store.verify(&Control::default()));
        }
    }
}

#[test]
fn restoring_keeps_what_it_replaces_and_can_be_undone() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    let backup = store.backup(Reason::ByHand).unwrap();
    store.write(changes(8)).unwrap();
    store.write(vec![Change::RemoveTrack(TrackId(7))]).unwrap();
    assert!(matches!(
        Store::restore(dir.path(), &backup),
        Err(StoreError::Locked { .. })
    ));
    drop(store);

    let restored = Store::restore(dir.path(), &backup).unwrap();
    // Its picture went with the track; the rest is back.
    assert_eq!(restored.waveforms_gone, [TrackId(7)]);
    let (store, loaded) = open(&dir);
    assert_eq!(loaded.tracks, [Box::new(track(7))]);
    assert_eq!(store.waveform(TrackId(7)).unwrap(), None);
    let records = &loaded.knowledge[&TrackId(7)].records;
    assert!(
        !records.contains_key(&Artifact::Waveform),
        "a lost waveform that counts as done is never made again"
    );
    assert_eq!(records.len(), Artifact::ALL.len() - 1);
    drop(store);

    Store::restore(dir.path(), &restored.replaced.unwrap()).unwrap();
    let (_store, loaded) = open(&dir);
    assert_eq!(loaded.tracks, [Box::new(track(8))]);
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    drop(store);
    let other = dir.path().join("other");
    let before = fs::read(library(&dir)).unwrap();
    let mut broken = before.clone();
    let middle = broken.len() / 2;
    broken.truncate(middle);
    for bytes in [Vec::new(), b"text".to_vec(), broken] {
        fs::write(&other, bytes).unwrap();
        let error = Store::restore(dir.path(), &other).unwrap_err();
        assert!(matches!(error, StoreError::BadBackup { .. }), "{error}");
        assert!(fs::read(library(&dir)).unwrap() == before);
    }
    assert!(Store::restore(dir.path(), &dir.path().join("absent")).is_err());
    open(&dir);
}

#[test]
fn the_first_opening_of_a_changed_library_on_a_day_makes_a_backup() {
    let dir = tempfile::tempdir().unwrap();
    let count = || fs::read_dir(dir.path().join("backups")).map_or(0, Iterator::count);
    drop(open(&dir));
    assert_eq!(count(), 0, "nothing to keep");
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    drop(store);
    for _ in 0..3 {
        drop(open(&dir));
        assert_eq!(count(), 1);
    }
}

#[test]
fn a_sound_library_passes_the_full_check() {
    let dir = tempfile::tempdir().unwrap();
    let music = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    let mut real = track(7);
    real.path = FilePath(music.path().join("a.mp3"));
    real.root = music.path().to_path_buf().into();
    fs::write(&real.path.0, b"sound").unwrap();
    real.stamp = crate::import::presence::stamp(&fs::metadata(&real.path.0).unwrap());
    store.write(changes(7)).unwrap();
    store.write(vec![Change::PutTrack(real.clone())]).unwrap();
    let report = store.verify(&Control::default()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.tracks, report.records), (1, 7));

    fs::write(&real.path.0, b"other sound").unwrap();
    let report = store.verify(&Control::default()).unwrap();
    assert!(
        matches!(report.files[..], [FileTrouble::Changed { .. }]),
        "{report:?}"
    );
    fs::remove_file(&real.path.0).unwrap();
    let report = store.verify(&Control::default()).unwrap();
    assert!(
        matches!(report.files[..], [FileTrouble::Unreachable { .. }]),
        "{report:?}"
    );
    assert!(report.library_is_sound());
}

#[test]
fn the_full_check_finds_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    for number in 1..=4 {
        store.write(changes(number)).unwrap();
    }
    let mut twin = track(5);
    twin.path = track(4).path;
    store.write(vec![Change::PutTrack(twin)]).unwrap();
    store
        .write(vec![Change::DropFinding(TrackId(1), Artifact::Key)])
        .unwrap();
    let stray = Change::PutFinding(TrackId(99), Finding::Loudness(Loudness::default()));
    store.write(vec![stray]).unwrap();
    store
        .handle
        .write(|write| {
            write
                .open_table(tables::BEATS)?
                .insert(2, b"xxxxxxxx".as_slice())?;
            Ok(())
        })
        .unwrap();
    let picture = waveforms::path(dir.path(), TrackId(3));
    let mut bytes = fs::read(&picture).unwrap();
    bytes[40] ^= 1;
    fs::write(&picture, bytes).unwrap();
    let orphan = dir.path().join("waveforms/00/0000000000000100.wave");
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, b"x").unwrap();

    assert!(matches!(
        store.waveform(TrackId(3)),
        Err(StoreError::Record { .. })
    ));
    assert!(matches!(
        store.beats(TrackId(2)),
        Err(StoreError::Record { .. })
    ));
    let report = store.verify(&Control::default()).unwrap();
    assert_eq!(
        report.redo,
        [
            (TrackId(1), Artifact::Key),
            (TrackId(2), Artifact::Beats),
            (TrackId(3), Artifact::Waveform),
        ]
    );
    assert_eq!(report.orphan_files, [orphan]);
    assert_eq!(
        report.orphan_records,
        [(TrackId(99), "loudness".to_owned())]
    );
    assert_eq!(report.same_path, [vec![TrackId(4), TrackId(5)]]);
    assert_eq!(report.files.len(), 5, "none of the files is there");
}

#[test]
fn unreadable_records_are_told_and_the_rest_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    store.write(changes(7)).unwrap();
    store.write(changes(8)).unwrap();
    store
        .handle
        .write(|write| {
            let mut table = write.open_table(tables::TRACKS)?;
            let mut bytes = Track::to_bytes(&track(8)).unwrap();
            bytes[20] ^= 1;
            table.insert(8, bytes.as_slice())?;
            Ok(())
        })
        .unwrap();
    drop(store);
    let (_store, loaded) = open(&dir);
    assert_eq!(loaded.tracks, [Box::new(track(7))]);
    assert_eq!(loaded.unreadable.len(), 1);
    assert_eq!(loaded.unreadable[0].track, Some(TrackId(8)));
}

#[test]
fn a_library_and_its_backup_hold_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    for number in 1..20 {
        store.write(changes(number)).unwrap();
        store.write(by_hand(number)).unwrap();
    }
    store.write(vec![Change::SetAside(TrackId(3))]).unwrap();
    let backup = store.backup(Reason::ByHand).unwrap();
    let copy = redb::ReadOnlyDatabase::open(&backup).unwrap();
    let copy = copy.begin_read().unwrap();
    for table in BY_TRACK {
        let dump = |read: &redb::ReadTransaction| -> Vec<(u64, Vec<u8>)> {
            read.open_table(table)
                .unwrap()
                .iter()
                .unwrap()
                .map(|entry| {
                    let (id, bytes) = entry.unwrap();
                    (id.value(), bytes.value().to_vec())
                })
                .collect()
        };
        let original = store.handle.read(|read| Ok(dump(read))).unwrap();
        let rows = match table.name() {
            "removed" => 1,
            "tracks" => 18,
            _ => 19,
        };
        assert_eq!(original.len(), rows, "{}", table.name());
        assert!(original == dump(&copy));
    }
}

#[test]
fn what_the_user_set_is_kept_apart_from_what_was_found() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    let id = TrackId(7);
    store.write(changes(7)).unwrap();
    store.write(by_hand(7)).unwrap();
    store.write(changes(7)).unwrap();
    drop(store);
    let (store, loaded) = open(&dir);
    assert_eq!(loaded.by_hand[&id], hand().short());
    assert_eq!(*loaded.knowledge[&id], knowledge());
    assert_eq!(store.by_hand(id).unwrap(), hand());
    assert_has_all(&store, id);
    assert!(
        store
            .verify(&Control::default())
            .unwrap()
            .library_is_sound()
    );
    // The beats are forgotten, then all of it.
    let only_key = ByHand {
        beats: None,
        ..hand()
    };
    for left in [only_key, ByHand::default()] {
        let change = Change::PutByHand(id, Arc::new(left.clone()));
        store.write(vec![change]).unwrap();
        assert_eq!(store.by_hand(id).unwrap(), left);
        assert_has_all(&store, id);
    }
    assert_eq!(store.load().unwrap().by_hand.len(), 0);
}

#[test]
fn a_removed_track_can_be_put_back_until_the_library_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    for number in [7, 8] {
        store.write(changes(number)).unwrap();
        store.write(by_hand(number)).unwrap();
    }
    let id = TrackId(7);
    let picture = waveforms::path(dir.path(), id);
    store.write(vec![Change::SetAside(id)]).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.tracks, [Box::new(track(8))]);
    assert!(
        store
            .verify(&Control::default())
            .unwrap()
            .library_is_sound()
    );
    store.write(vec![Change::PutBack(id)]).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.tracks, [Box::new(track(7)), Box::new(track(8))]);
    assert_has_all(&store, id);
    assert_eq!(store.by_hand(id).unwrap(), hand());

    store.write(vec![Change::SetAside(id)]).unwrap();
    assert!(picture.exists());
    drop(store);
    let (store, loaded) = open(&dir);
    assert_eq!(loaded.tracks, [Box::new(track(8))]);
    assert!(!picture.exists());
    assert_eq!(loaded.knowledge.len(), 1);
    assert_eq!(loaded.by_hand.len(), 1);
    assert_has_all(&store, TrackId(8));
    let report = store.verify(&Control::default()).unwrap();
    assert!(report.library_is_sound(), "{report:?}");
    assert_eq!(report.orphan_files, Vec::<PathBuf>::new());
    // There is nothing to put back any more.
    store.write(vec![Change::PutBack(id)]).unwrap();
    assert_eq!(store.load().unwrap().tracks, [Box::new(track(8))]);
}

#[test]
fn what_was_chosen_about_the_library_goes_with_it_and_with_its_backups() {
    let dir = tempfile::tempdir().unwrap();
    let (store, loaded) = Store::open(dir.path()).unwrap();
    assert_eq!(loaded.choices, Choices::default());
    let choices = Choices {
        stem_bytes: Some(5_000_000_000),
        beats_follow: true,
    };
    store.write(vec![Change::PutChoices(choices)]).unwrap();
    let backup = store.backup(Reason::ByHand).unwrap();
    store
        .write(vec![Change::PutChoices(Choices::default())])
        .unwrap();
    drop(store);
    Store::restore(dir.path(), &backup).unwrap();
    let (_store, loaded) = Store::open(dir.path()).unwrap();
    assert_eq!(loaded.choices, choices);
}
