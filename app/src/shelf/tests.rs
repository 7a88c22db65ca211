//! The shelf from outside: what views see while things are on their way.

use super::*;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use tonearm_core::artifact::{ArtifactRecord, Maker, Recipe};
use tonearm_core::findings::Knowledge;
use tonearm_core::row::{ArtifactState, TrackState};
use tonearm_core::stems::{StemFiles, StemSet};
use tonearm_core::track::{AudioFormat, FilePath, FileStamp, Tags, Track};
use tonearm_core::units::Secs;

const LONG: Duration = Duration::from_mins(1);

fn row(id: u64, revision: u64) -> Row {
    let path = FilePath(format!("/music/{id}.flac").into());
    let stamp = FileStamp {
        bytes: 1,
        modified_ns: 1,
    };
    let record = ArtifactRecord {
        recipe: Recipe {
            maker: Maker::Native,
            version: 1,
            parameters: String::new(),
            model: None,
        }
        .into(),
        made_from: stamp,
        cpu_secs: 0.0,
        failure: None,
        nothing_found: false,
    };
    let records = [Artifact::Waveform, Artifact::Beats].map(|artifact| (artifact, record.clone()));
    Row {
        track: Box::new(Track {
            id: TrackId(id),
            path: path.clone(),
            root: path.into(),
            stamp,
            tags: Tags::default(),
            format: Some(AudioFormat {
                codec: "flac".into(),
                sample_rate: SampleRate::new(1_000).unwrap(),
                channels: 1,
                bitrate_kbps: None,
                duration: Secs(60.0),
            }),
            hash: None,
            added: "2026-01-02T03:04:05Z".parse().unwrap(),
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: tonearm_core::track::TagFields::default(),
        }),
        knowledge: Box::new(Knowledge {
            records: records.into(),
            ..Knowledge::default()
        }),
        state: TrackState::Ready,
        artifacts: [ArtifactState::Done; Artifact::ALL.len()],
        duplicates: Vec::new(),
        revision,
        search_text: String::new(),
    }
}

fn waveform(columns: usize) -> Waveform {
    let rate = SampleRate::new(1_000).unwrap();
    Waveform::from_columns(rate, columns as u64, vec![Column::default(); columns])
}

type Given = Box<dyn Fn(&Path) -> Result<Option<Vec<u8>>, Failure> + Send + Sync>;

/// A library whose answers are told one by one. The waveform of track `n` has `n` columns.
struct Slow {
    asked: Mutex<Sender<String>>,
    allowed: Arc<(Mutex<usize>, Condvar)>,
    cover: Given,
}

impl std::fmt::Debug for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slow")
    }
}

impl Slow {
    fn wait(&self, what: String) {
        self.asked.lock().unwrap().send(what).unwrap();
        let (allowed, bell) = &*self.allowed;
        let mut allowed = bell
            .wait_while(allowed.lock().unwrap(), |allowed| *allowed == 0)
            .unwrap();
        *allowed -= 1;
    }
}

impl ShelfSource for Slow {
    fn waveform(&self, id: TrackId) -> Result<Option<Waveform>, Failure> {
        self.wait(format!("waveform {}", id.0));
        match id.0 {
            0 => Ok(None),
            13 => Err(Failure::new(FailureKind::Storage, "broken", "mend it")),
            66 => panic!("a reader that panics"),
            columns => Ok(Some(waveform(columns as usize))),
        }
    }

    fn details(&self, id: TrackId) -> Result<Option<TrackDetails>, Failure> {
        self.wait(format!("details {}", id.0));
        Ok(Some(TrackDetails::default()))
    }

    fn stems(&self, id: TrackId, set: &StemSet) -> Result<(StemFiles, [Waveform; 4]), Failure> {
        self.wait(format!("stems {}", id.0));
        Ok((
            set.files(Path::new("/library"), id),
            [1, 2, 3, 4].map(waveform),
        ))
    }

    fn cover(&self, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
        self.wait("cover".to_owned());
        (self.cover)(path)
    }

    fn samples(&self, _: &Path, from: Frame, to: Frame) -> Result<Samples, Failure> {
        self.wait(format!("samples {} {}", from.0, to.0));
        // The file has 60,000 frames.
        let count = to.0.min(60_000).saturating_sub(from.0);
        Ok(Samples {
            rate: SampleRate::new(1_000).unwrap(),
            start: from,
            mono: vec![0.5; count as usize],
        })
    }
}

/// A shelf on a slow library, with both ends of it.
struct Bench {
    shelf: Shelf,
    asked: Receiver<String>,
    woken: Receiver<()>,
    allowed: Arc<(Mutex<usize>, Condvar)>,
    source: Option<Slow>,
}

impl Bench {
    fn new() -> Self {
        Self::with_cover(Box::new(|_| Ok(None)))
    }

    fn with_cover(cover: Given) -> Self {
        let (ask, asked) = channel();
        let (wake, woken) = channel();
        let allowed = Arc::new((Mutex::new(0), Condvar::new()));
        let wake = Mutex::new(wake);
        let shelf = Shelf::start(move || {
            // The test may be over.
            let _gone = wake.lock().unwrap().send(());
        })
        .unwrap();
        let source = Some(Slow {
            asked: Mutex::new(ask),
            allowed: Arc::clone(&allowed),
            cover,
        });
        Self {
            shelf,
            asked,
            woken,
            allowed,
            source,
        }
    }

    fn opened() -> Self {
        let mut bench = Self::new();
        bench.open();
        bench
    }

    fn open(&mut self) {
        self.shelf.open(self.source.take().unwrap());
    }

    /// Lets `count` answers through.
    fn allow(&self, count: usize) {
        *self.allowed.0.lock().unwrap() += count;
        self.allowed.1.notify_all();
    }

    fn next_asked(&self) -> String {
        self.asked.recv_timeout(LONG).unwrap()
    }

    /// Lets one answer through and waits until the window would be drawn again.
    fn answer(&self) {
        self.allow(1);
        self.woken.recv_timeout(LONG).unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.shelf.close();
        self.allow(1_000_000);
    }
}

#[test]
fn a_shelf_that_nobody_fetches_for_has_what_was_put_there_and_no_more() {
    let shelf = Shelf::default();
    assert_eq!(shelf.waveform(&row(1, 1)), Loadable::Absent);
    assert_eq!(shelf.details(&row(1, 1)), Loadable::Absent);
    assert_eq!(shelf.art(&row(1, 1), ArtSize::Row), Loadable::Absent);
    let waveform = Arc::new(waveform(5));
    shelf.put_waveform(TrackId(1), Arc::clone(&waveform));
    for revision in [1, 2] {
        let found = shelf.waveform(&row(1, revision));
        assert_eq!(found, Loadable::Ready(Arc::clone(&waveform)));
    }
}

#[test]
fn what_is_asked_for_before_the_library_is_open_comes_when_it_is() {
    let mut bench = Bench::new();
    assert_eq!(bench.shelf.waveform(&row(7, 1)), Loadable::Pending);
    bench.open();
    bench.answer();
    let found = bench.shelf.waveform(&row(7, 1)).ready().unwrap();
    assert_eq!(found.levels[0].len(), 7);
}

#[test]
fn the_older_edition_is_shown_until_the_newer_is_there() {
    let bench = Bench::opened();
    assert_eq!(bench.shelf.details(&row(1, 1)), Loadable::Pending);
    bench.answer();
    assert!(matches!(
        bench.shelf.details(&row(1, 1)),
        Loadable::Ready(_)
    ));
    assert_eq!(bench.next_asked(), "details 1");
    assert!(matches!(
        bench.shelf.details(&row(1, 2)),
        Loadable::Ready(_)
    ));
    assert_eq!(bench.next_asked(), "details 1");
}

#[test]
fn the_newest_wish_comes_first_and_each_is_fetched_once() {
    let bench = Bench::opened();
    assert_eq!(bench.shelf.preview(&row(1, 1)), Loadable::Pending);
    assert_eq!(bench.next_asked(), "waveform 1");
    for _frame in 0..3 {
        for id in 1..4 {
            assert_eq!(bench.shelf.preview(&row(id, 1)), Loadable::Pending);
        }
    }
    bench.allow(3);
    assert_eq!(bench.next_asked(), "waveform 3");
    assert_eq!(bench.next_asked(), "waveform 2");
    bench.woken.recv_timeout(LONG).unwrap();
    assert!(bench.asked.try_recv().is_err());
}

#[test]
fn too_many_wishes_push_the_oldest_out() {
    let mut bench = Bench::new();
    for id in 1..=300 {
        assert_eq!(bench.shelf.preview(&row(id, 1)), Loadable::Pending);
    }
    bench.allow(300);
    bench.open();
    let asked: Vec<String> = (0..256).map(|_| bench.next_asked()).collect();
    assert_eq!(asked[0], "waveform 300");
    assert_eq!(asked[255], "waveform 45");
    assert_eq!(bench.shelf.details(&row(1, 1)), Loadable::Pending);
    assert_eq!(bench.next_asked(), "details 1");
}

#[test]
fn a_failure_and_a_panic_are_told_and_not_tried_again_in_each_frame() {
    let bench = Bench::opened();
    for (id, kind) in [(13, FailureKind::Storage), (66, FailureKind::Bug)] {
        assert_eq!(bench.shelf.waveform(&row(id, 1)), Loadable::Pending);
        bench.answer();
        for _frame in 0..3 {
            let found = bench.shelf.waveform(&row(id, 1));
            assert!(matches!(&found, Loadable::Failed(failure) if failure.kind == kind));
        }
        assert_eq!(bench.next_asked(), format!("waveform {id}"));
    }
    assert_eq!(bench.shelf.waveform(&row(0, 1)), Loadable::Pending);
    bench.answer();
    assert_eq!(bench.shelf.waveform(&row(0, 1)), Loadable::Absent);
    assert_eq!(bench.next_asked(), "waveform 0");
    assert!(bench.asked.try_recv().is_err());
    let again = made_again(row(0, 2));
    assert_eq!(bench.shelf.waveform(&again), Loadable::Pending);
}

/// The waveform of a track, made once more from the same file.
fn made_again(mut row: Row) -> Row {
    let mut record = row.knowledge.records[&Artifact::Waveform].clone();
    record.cpu_secs += 1.0;
    row.knowledge.records.insert(Artifact::Waveform, record);
    row
}

#[test]
fn a_waveform_stays_when_anything_else_of_the_track_changes() {
    let bench = Bench::opened();
    let look = |row: &Row| (bench.shelf.waveform(row), bench.shelf.preview(row));
    assert_eq!(look(&row(5, 1)), (Loadable::Pending, Loadable::Pending));
    bench.allow(2);
    for _ in 0..2 {
        assert_eq!(bench.next_asked(), "waveform 5");
    }
    while look(&row(5, 1)).0.ready().is_none() || look(&row(5, 1)).1.ready().is_none() {
        bench.woken.recv_timeout(LONG).unwrap();
    }
    let (first, _) = look(&row(5, 1));
    let (later, _) = look(&row(5, 2));
    assert!(Arc::ptr_eq(
        &first.ready().unwrap(),
        &later.ready().unwrap()
    ));
    assert!(bench.asked.try_recv().is_err(), "nothing is read again");
    assert!(look(&made_again(row(5, 3))).0.ready().is_some());
    assert_eq!(bench.next_asked(), "waveform 5");
}

#[test]
fn what_was_never_made_is_not_looked_for() {
    let bench = Bench::opened();
    let mut bare = row(1, 1);
    bare.knowledge.records.clear();
    assert_eq!(bench.shelf.waveform(&bare), Loadable::Absent);
    assert_eq!(bench.shelf.details(&bare), Loadable::Absent);
    let mut gone = row(2, 1);
    gone.track.missing = true;
    assert!(matches!(
        bench.shelf.art(&gone, ArtSize::Row),
        Loadable::Failed(_)
    ));
    assert!(bench.asked.try_recv().is_err());
}

#[test]
fn a_drive_that_hangs_does_not_hold_up_the_library() {
    let bench = Bench::opened();
    assert_eq!(bench.shelf.art(&row(1, 1), ArtSize::Row), Loadable::Pending);
    assert_eq!(bench.next_asked(), "cover");
    assert_eq!(bench.shelf.waveform(&row(9, 1)), Loadable::Pending);
    assert_eq!(bench.next_asked(), "waveform 9");
}

#[test]
fn samples_reach_beyond_the_view_and_scrolling_fetches_more_in_time() {
    let bench = Bench::opened();
    let view = |from: u64| {
        bench
            .shelf
            .samples(&row(1, 1), Frame(from), Frame(from + 4_000))
    };
    assert_eq!(view(200_000), Loadable::Pending);
    assert_eq!(bench.next_asked(), "samples 104000 300000");
    let far = bench.shelf.samples(&row(1, 1), Frame(0), Frame(5_001));
    assert_eq!(far, Loadable::Absent);
}

#[test]
fn the_end_of_the_file_is_the_end_of_the_window() {
    let bench = Bench::opened();
    let view = |from: u64| {
        bench
            .shelf
            .samples(&row(1, 1), Frame(from), Frame(from + 4_000))
    };
    assert_eq!(view(58_000), Loadable::Pending);
    bench.answer();
    let found = view(58_000).ready().unwrap();
    assert_eq!((found.start.0, found.mono.len()), (0, 60_000));
    assert!(view(59_900).ready().is_some());
    assert!(view(0).ready().is_some());
    assert_eq!(bench.next_asked(), "samples 0 158000");
    assert!(bench.asked.try_recv().is_err());
}

#[test]
fn the_cover_is_scaled_to_the_size_asked_for() {
    let picture = png(300, 100);
    let bench = Bench::with_cover(Box::new(move |_| Ok(Some(picture.clone()))));
    let mut bench = bench;
    bench.open();
    for (size, wanted) in [(ArtSize::Row, (64, 21)), (ArtSize::Large, (300, 100))] {
        assert_eq!(bench.shelf.art(&row(1, 1), size), Loadable::Pending);
        bench.answer();
        let art = bench.shelf.art(&row(1, 1), size).ready().unwrap();
        assert_eq!((art.width, art.height), wanted);
        assert_eq!(art.rgb.len(), art.width * art.height * 3);
    }
}

#[test]
fn a_picture_of_a_player_is_undone_within_limits_while_the_drive_hangs() {
    let bench = Bench::opened();
    assert_eq!(bench.shelf.art(&row(1, 1), ArtSize::Row), Loadable::Pending);
    assert_eq!(bench.next_asked(), "cover");
    let sound = Arc::new(PlayerArt::new(png(300, 100)));
    let damaged = Arc::new(PlayerArt::new(b"no picture at all".to_vec()));
    let huge = Arc::new(PlayerArt::new(png(4_100, 1)));
    for art in [&sound, &damaged, &huge] {
        let coming = bench.shelf.player_art(art, ArtSize::Large);
        assert_eq!(coming, Loadable::Pending);
        bench.woken.recv_timeout(LONG).unwrap();
    }
    let art = bench.shelf.player_art(&sound, ArtSize::Large).ready();
    let art = art.unwrap();
    assert_eq!((art.width, art.height, art.rgb[0]), (300, 100, 255));
    let message = |art| match bench.shelf.player_art(art, ArtSize::Large) {
        Loadable::Failed(failure) => failure.message,
        other => format!("{other:?}"),
    };
    assert_eq!(
        message(&damaged),
        "the cover is a picture of a kind that we cannot show"
    );
    assert_eq!(message(&huge), "the cover is too large to be shown");
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbaImage::from_pixel(width, height, image::Rgba([255, 0, 0, 255]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[test]
fn a_cover_of_the_file_before_it_changed_is_not_given_for_the_one_of_now() {
    let picture = png(3, 3);
    let mut bench = Bench::with_cover(Box::new(move |_| Ok(Some(picture.clone()))));
    bench.open();
    let mut row = row(1, 1);
    assert_eq!(bench.shelf.art(&row, ArtSize::Row), Loadable::Pending);
    bench.answer();
    let first = bench.shelf.art(&row, ArtSize::Row);
    assert!(matches!(first, Loadable::Ready(_)), "{first:?}");
    row.track.stamp.bytes += 1;
    assert_eq!(bench.shelf.art(&row, ArtSize::Row), Loadable::Pending);
    bench.answer();
    assert_eq!(bench.shelf.art(&row, ArtSize::Row), first);
}
