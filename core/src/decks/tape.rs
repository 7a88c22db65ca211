//! Sessions written into files and read from them, on threads that may wait for the disk.

use crate::failure::{Failure, FailureKind};
use stagelinq::capture::{self, MAX_LINE, Redactor};
use stagelinq::{Update, UpdateKind};
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Updates that may wait for the disk; those beyond are left out and counted.
const WAITING: usize = 8192;
/// A recording ends at this size, bytes: some days of four decks.
const MAX_BYTES: u64 = 4 << 30;
/// What was recorded is in the file after this time, however much more comes.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Updates of a replay that are read ahead.
const AHEAD: usize = 256;

/// Writes a session down. Dropping it ends the file.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) file: Arc<PathBuf>,
    updates: Option<SyncSender<Update>>,
    lost: u64,
    trouble: Receiver<Failure>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Nothing is written over.
    pub(super) fn start(file: &Path, redact: bool) -> Result<Self, Failure> {
        let out = File::create_new(file).map_err(|error| cannot_write(file, &error))?;
        let (updates, waiting) = sync_channel(WAITING);
        let (tell, trouble) = sync_channel(1);
        let path = file.to_path_buf();
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                let redactor = redact.then(Redactor::default);
                if let Err(error) = write(&mut BufWriter::new(out), redactor, &waiting) {
                    drop(tell.try_send(cannot_write(&path, &error)));
                }
            })
            .map_err(|error| Failure::from_io(&error))?;
        Ok(Self {
            file: Arc::new(file.to_path_buf()),
            updates: Some(updates),
            lost: 0,
            trouble,
            thread: Some(thread),
        })
    }

    /// Does not wait: what finds no room is left out and counted.
    pub(super) fn take(&mut self, update: &Update) {
        if let Some(updates) = &self.updates
            && updates.try_send(update.clone()).is_err()
        {
            self.lost += 1;
        }
    }

    /// What went wrong since it was asked last.
    pub(super) fn trouble(&mut self) -> Option<Failure> {
        self.trouble.try_recv().ok()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.updates = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the recorder panicked");
        }
        if self.lost > 0 {
            tracing::warn!(lost = self.lost, "the disk was too slow for the recording");
        }
    }
}

fn cannot_write(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Storage,
        format!(
            "the recording cannot be written: {}\nFile: {}",
            Failure::words_of_writing(error),
            file.display()
        ),
        "Record into another file",
    )
}

fn write(
    out: &mut BufWriter<File>,
    mut redactor: Option<Redactor>,
    waiting: &Receiver<Update>,
) -> std::io::Result<()> {
    let mut written = 0_u64;
    let mut flushed = std::time::Instant::now();
    loop {
        if flushed.elapsed() >= FLUSH_EVERY {
            out.flush()?;
            flushed = std::time::Instant::now();
        }
        match waiting.recv_timeout(FLUSH_EVERY) {
            Ok(update) => {
                let update = match &mut redactor {
                    Some(redactor) => redactor.redact(update),
                    None => update,
                };
                let line = capture::encode(&update);
                written += line.len() as u64 + 1;
                if written > MAX_BYTES {
                    return Err(std::io::Error::other("it is larger than 4 GiB"));
                }
                writeln!(out, "{line}")?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return out.flush(),
        }
    }
}

/// Lines of a recording that could not be used.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lines: AtomicU64,
    damaged: AtomicU64,
}

impl Tally {
    /// What to say at the end.
    pub(super) fn trouble(&self) -> Option<Failure> {
        let damaged = self.damaged.load(Ordering::Relaxed);
        let lines = self.lines.load(Ordering::Relaxed);
        (damaged > 0).then(|| {
            if damaged >= lines {
                return Failure::new(
                    FailureKind::Unsupported,
                    "this is no recording of decks",
                    "Name a file that tonearm decks --record has written",
                );
            }
            Failure::new(
                FailureKind::Damaged,
                format!("{damaged} of {lines} lines of the recording are not understood and were left out"),
                "Record again; the rest is shown as it was",
            )
        })
    }
}

/// A session that is heard again.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) updates: mpsc::Receiver<Update>,
    pub(super) tally: Arc<Tally>,
}

/// Plays a recording at `rate` times its speed from now on. Its first update is now, as time 0.
pub(super) async fn replay(file: &Path, rate: f64) -> Result<Replay, Failure> {
    let opened = File::open(file).and_then(|opened| {
        if opened.metadata()?.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        Ok(opened)
    });
    let opened = opened.map_err(|error| Failure {
        remedy: "Name a file that tonearm decks --record has written".to_owned(),
        ..Failure::of_named(&error)
    })?;
    let tally = Arc::new(Tally::default());
    let (read, mut ready) = mpsc::channel(AHEAD);
    let reader_tally = Arc::clone(&tally);
    drop(tokio::task::spawn_blocking(move || {
        if let Err(error) = read_lines(BufReader::new(opened), &reader_tally, &read) {
            tracing::warn!(%error, "a recording ends early");
            reader_tally.damaged.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let (play, updates) = mpsc::channel(AHEAD);
    let began = Instant::now();
    drop(tokio::spawn(async move {
        let mut first = None;
        while let Some(update) = ready.recv().await {
            let update: Update = update;
            let at = update.at.saturating_sub(*first.get_or_insert(update.at));
            sleep_until(began + at.div_f64(rate)).await;
            if play.send(Update { at, ..update }).await.is_err() {
                return;
            }
        }
    }));
    Ok(Replay { updates, tally })
}

/// Until the end, or nobody listens.
fn read_lines(
    mut source: BufReader<File>,
    tally: &Tally,
    updates: &mpsc::Sender<Update>,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = MAX_LINE as u64 + 1;
        if source.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        tally.lines.fetch_add(1, Ordering::Relaxed);
        let is_cut = line.len() as u64 == limit && line.last() != Some(&b'\n');
        if is_cut {
            source.skip_until(b'\n')?;
        }
        let text = std::str::from_utf8(&line).ok().filter(|_| !is_cut);
        match text.map(capture::decode) {
            Some(Ok(None)) => {}
            Some(Ok(Some(update))) => {
                // What is said of our own token concerns whoever recorded it.
                let is_own = matches!(update.kind, UpdateKind::TokenChanged(_));
                if !is_own && updates.blocking_send(update).is_err() {
                    return Ok(());
                }
            }
            Some(Err(_)) | None => {
                tally.damaged.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
