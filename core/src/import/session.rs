//! The threads that look through folders: an import, or a search for files that moved. They ask the loop what
//! files are to the library and tell it what they found; they decide nothing.

use crate::control::{Cancelled, Control};
use crate::core_loop::command::RequestId;
use crate::core_loop::input::{Fate, Found, ImportNews, ImportReply, Input, Judgement, RelinkNews};
use crate::failure::{Failure, FailureKind};
use crate::import::dedupe::{Candidate, Decision};
use crate::import::presence::{self, Presence, RootState};
use crate::import::relinking;
use crate::import::scan::{self, Scanned};
use crate::import::tags::TagsRead;
use crate::import::{hash, named, reading};
use crate::row::Row;
use crate::track::TrackId;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Files asked about at a time: enough to keep all cores reading tags, few enough to show progress.
const BATCH: usize = 256;
/// Tag reading waits for the disk more than for the processor.
const READERS: usize = 8;

pub(crate) type Tell = Box<dyn Fn(Input) + Send + Sync>;

/// The scan threads. At most one import and one search at a time; the state sees to that.
pub(crate) struct Scans {
    tell: Arc<Tell>,
    control: Control,
    replies: Option<SyncSender<ImportReply>>,
    relink_replies: Option<SyncSender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Scans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scans")
            .field("threads", &self.threads.len())
            .finish_non_exhaustive()
    }
}

impl Scans {
    pub(crate) fn new(tell: Tell) -> Self {
        Self {
            tell: Arc::new(tell),
            control: Control::default(),
            replies: None,
            relink_replies: None,
            threads: Vec::new(),
        }
    }

    pub(crate) fn import(&mut self, _request: RequestId, paths: Vec<PathBuf>) {
        let (replies, answers) = sync_channel(1);
        self.replies = Some(replies);
        let session = Session {
            tell: Arc::clone(&self.tell),
            control: self.control.clone(),
            answers,
        };
        let work = move || {
            let paths: Vec<PathBuf> = paths.iter().map(|path| named::plain(path)).collect();
            session.run(&paths);
        };
        self.spawn(
            "import",
            work,
            Input::Import(ImportNews::Ended { skipped: 0 }),
        );
    }

    pub(crate) fn relink(
        &mut self,
        request: RequestId,
        folders: Vec<PathBuf>,
        dry_run: bool,
        rows: Vec<Arc<Row>>,
    ) {
        let tell = Arc::clone(&self.tell);
        let control = self.control.clone();
        let ended = Input::Relink(RelinkNews::Ended { request });
        let (replies, answers) = sync_channel(1);
        self.relink_replies = Some(replies);
        let work = move || {
            let folders: Vec<PathBuf> = folders.iter().map(|path| named::plain(path)).collect();
            let mut report = |found| {
                tell(Input::Relink(RelinkNews::Found { request, found }));
                // No answer: cancelled.
                answers.recv().map_err(|_gone| Cancelled)
            };
            let searched = relinking::search(&rows, &folders, dry_run, &control, &mut report);
            if let Err(Cancelled) = searched {
                tracing::debug!("the search was cancelled; what it found so far has been told");
            }
            tell(Input::Relink(RelinkNews::Ended { request }));
        };
        self.spawn("relink", work, ended);
    }

    /// Hands an answer to the waiting import.
    pub(crate) fn reply(&self, reply: ImportReply) {
        if let Some(replies) = &self.replies
            && replies.try_send(reply).is_err()
        {
            tracing::debug!("an answer for an import that has ended");
        }
    }

    /// Lets the search go on.
    pub(crate) fn reply_to_relink(&self) {
        if let Some(replies) = &self.relink_replies
            && replies.try_send(()).is_err()
        {
            tracing::debug!("an answer for a search that has ended");
        }
    }

    /// Asks running scans to end. Later ones are not concerned.
    pub(crate) fn stop(&mut self) {
        self.control.cancel();
        self.control = Control::default();
        self.replies = None;
        self.relink_replies = None;
    }

    /// Runs `work` on a thread; when it breaks down, `ended` is told in its place. Where no thread can be had,
    /// nothing runs and the process is beyond help: it says so and ends.
    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static, ended: Input) {
        self.threads.retain(|thread| !thread.is_finished());
        let tell = Arc::clone(&self.tell);
        let guarded = move || {
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
                tracing::error!("a scan broke down");
                tell(ended);
            }
        };
        match std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(guarded)
        {
            Ok(thread) => self.threads.push(thread),
            Err(error) => panic!("no thread can be had for a scan: {error}"),
        }
    }
}

impl Drop for Scans {
    fn drop(&mut self) {
        self.stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a scan thread panicked");
            }
        }
    }
}

/// One import on its thread.
struct Session {
    tell: Arc<Tell>,
    control: Control,
    answers: Receiver<ImportReply>,
}

/// A file that waits to be asked about, and the root that led to it.
type Waiting = (Candidate, PathBuf);

impl Session {
    fn run(&self, paths: &[PathBuf]) {
        let skipped = self.scan(paths).unwrap_or_default();
        self.news(ImportNews::Ended { skipped });
    }

    fn news(&self, news: ImportNews) {
        (self.tell)(Input::Import(news));
    }

    fn scan(&self, paths: &[PathBuf]) -> Result<u64, Cancelled> {
        let mut batch: Vec<Waiting> = Vec::with_capacity(BATCH);
        let mut unreachable = Vec::new();
        let mut stopped = Ok(());
        let counts = scan::walk(paths, &self.control, &mut |scanned| {
            match scanned {
                Scanned::File(found) => {
                    let candidate = Candidate {
                        path: found.path,
                        stamp: found.stamp,
                    };
                    batch.push((candidate, found.root));
                }
                Scanned::Unreadable { path, failure } => unreachable.push((path, failure)),
                Scanned::Playlist { path, files } => {
                    let entries = files.len();
                    tracing::info!(path = %path.display(), entries, "playlist read");
                }
            }
            if batch.len() + unreachable.len() >= BATCH && stopped.is_ok() {
                let (batch, unreachable) =
                    (std::mem::take(&mut batch), std::mem::take(&mut unreachable));
                stopped = self.look_into(batch, unreachable);
            }
        })?;
        stopped?;
        self.look_into(batch, unreachable)?;
        self.sweep(paths)?;
        Ok(counts.other as u64)
    }

    fn look_into(
        &self,
        batch: Vec<Waiting>,
        unreachable: Vec<(PathBuf, Failure)>,
    ) -> Result<(), Cancelled> {
        self.control.check()?;
        if batch.is_empty() && unreachable.is_empty() {
            return Ok(());
        }
        self.news(ImportNews::Ask(
            batch
                .iter()
                .map(|(candidate, _)| candidate.clone())
                .collect(),
        ));
        let Ok(ImportReply::Decisions(judgements)) = self.answers.recv() else {
            return Err(Cancelled);
        };
        let work: Vec<(Waiting, Judgement)> = batch.into_iter().zip(judgements).collect();
        let readers = std::thread::available_parallelism()
            .map_or(1, NonZeroUsize::get)
            .min(READERS);
        let share = work.len().div_ceil(readers).max(1);
        let control = &self.control;
        let found = std::thread::scope(|scope| {
            let threads: Vec<_> = work
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || part.iter().map(|item| look(control, item)).collect())
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| -> Vec<Found> {
                    thread
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect()
        });
        self.control.check()?;
        self.news(ImportNews::Found {
            found: each_moved_once(found),
            unreachable,
        });
        Ok(())
    }

    /// Looks for the tracks below the scanned folders that the scan did not meet.
    fn sweep(&self, paths: &[PathBuf]) -> Result<(), Cancelled> {
        let roots = paths.to_vec();
        self.news(ImportNews::Scanned { roots });
        let Ok(ImportReply::Unseen(unseen)) = self.answers.recv() else {
            return Err(Cancelled);
        };
        let mut roots = HashMap::new();
        let mut gone = Vec::new();
        for (id, path, root) in unseen {
            self.control.check()?;
            let state = roots
                .entry(root)
                .or_insert_with_key(|root| presence::look_at_root(root));
            if let Presence::Missing(failure) = presence::look(&path, state) {
                gone.push((id, failure));
            }
        }
        self.news(ImportNews::Gone(gone));
        Ok(())
    }
}

/// Reads what the decision asks for of one file.
fn look(control: &Control, ((candidate, root), judgement): &(Waiting, Judgement)) -> Found {
    let fate = match judgement.decision {
        Decision::Unchanged(id) | Decision::Returned(id) => Fate::Unchanged(id),
        Decision::Changed(id) => Fate::Changed(id, read(&candidate.path)),
        Decision::New => match moved_from(control, &candidate.path, judgement) {
            Some(id) => Fate::Moved(id),
            None => Fate::New(read(&candidate.path)),
        },
    };
    Found {
        candidate: candidate.clone(),
        root: root.clone(),
        fate,
    }
}

/// Reads one file; should the reader break down on it, that is this file's failure and no other's.
fn read(path: &Path) -> Result<TagsRead, Failure> {
    std::panic::catch_unwind(|| reading::read(path)).unwrap_or_else(|_panic| {
        Err(Failure::new(
            FailureKind::Bug,
            "reading this file broke down",
            "Please report it with the file, if you may",
        ))
    })
}

/// Where a file was moved and copied, the first one found is the file; the others are copies.
fn each_moved_once(mut found: Vec<Found>) -> Vec<Found> {
    let mut moved = HashSet::new();
    for file in &mut found {
        if let Fate::Moved(id) = file.fate
            && !moved.insert(id)
        {
            file.fate = Fate::New(read(&file.candidate.path));
        }
    }
    found
}

/// The track whose file is gone and whose bytes this file has. A file whose drive is away is not gone:
/// this one is another copy.
fn moved_from(control: &Control, path: &Path, judgement: &Judgement) -> Option<TrackId> {
    let gone: Vec<_> = judgement
        .twins
        .iter()
        .filter(|twin| {
            let root = presence::look_at_root(&twin.root);
            root == RootState::There
                && matches!(presence::look(&twin.path, &root), Presence::Missing(_))
        })
        .collect();
    if gone.is_empty() {
        return None;
    }
    let found = hash::sha256(path, control, &mut |_bytes| ()).ok()?;
    gone.into_iter()
        .find(|twin| twin.hash == found)
        .map(|twin| twin.track)
}
