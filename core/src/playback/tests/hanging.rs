//! A drive that does not answer: a pipe that nobody writes into.

use super::streaming::Fake;
use crate::playback::{Player, PlayerCommand, PlayerView, Transport};
use crate::track::TrackId;
use crate::units::Secs;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// More than anything here takes.
const LONG: Duration = Duration::from_mins(1);

struct Rig {
    player: Player,
    woken: Receiver<()>,
    folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let (wake, woken) = channel();
        let wake = move || {
            let _gone = wake.send(());
        };
        Self {
            player: Player::start_on(Arc::new(Fake::default()), wake).unwrap(),
            woken,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn hung(&self) -> PathBuf {
        let path = self.folder.path().join("hung.wav");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }

    fn sound(&self) -> PathBuf {
        let path = self.folder.path().join("sound.wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(&path, spec).unwrap();
        (0..16_000).for_each(|_| file.write_sample(1_000_i16).unwrap());
        file.finalize().unwrap();
        path
    }

    fn load(&self, track: u64, path: &Path) {
        assert!(self.player.send(PlayerCommand::Load {
            track: TrackId(track),
            path: path.to_owned(),
            from: Secs(0.0),
            play: false,
        }));
    }

    fn until(&self, what: impl Fn(&PlayerView) -> bool) -> Arc<PlayerView> {
        loop {
            let view = self.player.view();
            if what(&view) {
                return view;
            }
            let woken = self.woken.recv_timeout(LONG);
            woken.unwrap_or_else(|_| panic!("{:?}", self.player.view()));
        }
    }
}

/// Whether there is a thread that reads a track.
fn is_being_read() -> bool {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let mut names =
        threads.filter_map(|thread| std::fs::read(thread.ok()?.path().join("comm")).ok());
    names.any(|name| name == b"player files\n")
}

fn trouble(view: &PlayerView) -> Option<&str> {
    let loaded = view.loaded.as_ref()?;
    Some(loaded.trouble.as_ref()?.message.as_str())
}

#[test]
fn a_track_is_there_while_another_one_waits_for_its_drive() {
    let rig = Rig::new();
    rig.load(1, &rig.hung());
    rig.until(|view| view.transport == Transport::Loading);
    while !is_being_read() {
        std::thread::yield_now();
    }
    rig.load(2, &rig.sound());
    let view = rig.until(|view| view.transport == Transport::Paused);
    let loaded = view.loaded.as_ref().unwrap();
    assert_eq!((loaded.track, loaded.duration), (TrackId(2), Secs(2.0)));
}

#[test]
fn a_drive_that_does_not_answer_is_told_of_until_it_does() {
    let rig = Rig::new();
    let hung = rig.hung();
    rig.load(1, &hung);
    rig.until(|view| trouble(view) == Some("the drive does not answer"));
    assert_eq!(rig.player.view().transport, Transport::Loading);
    // It answers: there is nothing in the file.
    drop(std::fs::OpenOptions::new().write(true).open(&hung).unwrap());
    rig.until(|view| trouble(view).is_some_and(|it| it != "the drive does not answer"));
}
