//! The threads that look through folders: an import, or a search for files that moved. They ask the loop what
//! files are to the library and tell it what they found; they decide nothing.

use crate::control::{Cancelled, Control};
use crate::core_loop::command::RequestId;
use crate::core_loop::input::{
    ClaimJudgement, Fate, Found, ImportNews, ImportReply, Input, Judgement, RelinkNews,
};
use crate::enginedj::find::Found as FoundLibrary;
use crate::enginedj::locate::Locator;
use crate::enginedj::{EngineError, Library, Options};
use crate::failure::{Failure, FailureKind};
use crate::import::claim::{Claim, Settled};
use crate::import::dedupe::{Candidate, Decision};
use crate::import::engine::{self, Named};
use crate::import::presence::{self, Presence, RootState};
use crate::import::relinking;
use crate::import::scan::{self, Scanned};
use crate::import::tags::TagsRead;
use crate::import::{hash, named, reading};
use crate::row::Row;
use crate::track::TrackId;
use std::cell::Cell;
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
    /// Where copies of other programs' libraries are made.
    scratch: PathBuf,
}

impl std::fmt::Debug for Scans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scans")
            .field("threads", &self.threads.len())
            .finish_non_exhaustive()
    }
}

impl Scans {
    pub(crate) fn new(tell: Tell, scratch: PathBuf) -> Self {
        Self {
            scratch,
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
            scratch: self.scratch.clone(),
            entries: Cell::default(),
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
    scratch: PathBuf,
    /// Entries of libraries that were told of.
    entries: Cell<u64>,
}

/// A file that waits to be asked about, and the root that led to it.
type Waiting = (Candidate, PathBuf);

impl Session {
    fn run(&self, paths: &[PathBuf]) {
        let skipped = self.bring_in(paths).unwrap_or_default();
        self.news(ImportNews::Ended { skipped });
    }

    /// Libraries first: whoever scans the music beside one finds it known, with all that the library tells.
    fn bring_in(&self, paths: &[PathBuf]) -> Result<u64, Cancelled> {
        let mut folders = Vec::with_capacity(paths.len());
        for path in paths {
            match engine::named(path) {
                Named::Library(found) => self.library(&found)?,
                Named::Holder(found) => {
                    self.library(&found)?;
                    folders.push(path.clone());
                }
                Named::Other => folders.push(path.clone()),
            }
        }
        if folders.is_empty() {
            return Ok(0);
        }
        // Counted beside the work, which meets the same folders just after: the system still has them in memory.
        let (before, tell, until) = (self.entries.get(), &self.tell, Control::default());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                if let Ok(files) = count(&folders, &until) {
                    tell(Input::Import(ImportNews::Counted(before + files)));
                }
            });
            let scanned = self.scan(&folders);
            // Nobody needs the number any more.
            until.cancel();
            scanned
        })
    }

    /// All entries of one library of Engine DJ, from a private copy.
    fn library(&self, found: &FoundLibrary) -> Result<(), Cancelled> {
        let opened = std::fs::create_dir_all(&self.scratch)
            .map_err(|error| EngineError::Scratch {
                error,
                path: self.scratch.clone(),
            })
            .and_then(|()| {
                let options = Options {
                    scratch: self.scratch.clone(),
                    ..Options::default()
                };
                Library::open(found, &options, &self.control)
            });
        let library = match opened {
            Ok(library) => library,
            Err(EngineError::Cancelled) => return Err(Cancelled),
            Err(error) => {
                tracing::warn!(%error, "an Engine DJ library was not read");
                let unreachable = vec![(found.database.clone(), error.failure())];
                return self.look_into(Vec::new(), unreachable);
            }
        };
        for warning in &library.about().warnings {
            tracing::warn!(%warning, database = %found.database.display(), "an Engine DJ library");
        }
        let mut locator = Locator::new(library.folder());
        let mut claims = Vec::with_capacity(BATCH);
        let mut lost = Vec::new();
        let mut is_whole = true;
        for item in library.tracks() {
            match item {
                Ok(track) => claims.push(engine::claim(track, library.folder(), &mut locator)),
                Err(rows) => {
                    is_whole = false;
                    lost.push((found.database.clone(), engine::lost(&rows)));
                }
            }
            if claims.len() + lost.len() >= BATCH {
                self.settle(std::mem::take(&mut claims), std::mem::take(&mut lost))?;
            }
        }
        self.settle(claims, lost)?;
        self.control.check()?;
        if let (true, Some(database)) = (is_whole, library.about().uuid.clone()) {
            self.news(ImportNews::LibraryRead { database });
        }
        Ok(())
    }

    fn settle(
        &self,
        claims: Vec<Claim>,
        unreachable: Vec<(PathBuf, Failure)>,
    ) -> Result<(), Cancelled> {
        let told = self.entries.get() + (claims.len() + unreachable.len()) as u64;
        self.entries.set(told);
        self.look_into(Vec::new(), unreachable)?;
        if claims.is_empty() {
            return self.control.check();
        }
        self.control.check()?;
        self.news(ImportNews::AskClaims(
            claims.iter().map(Claim::question).collect(),
        ));
        let Ok(ImportReply::Claims(judgements)) = self.answers.recv() else {
            return Err(Cancelled);
        };
        let work: Vec<(Claim, ClaimJudgement)> = claims.into_iter().zip(judgements).collect();
        let control = &self.control;
        let standings = in_parallel(&work, |(claim, judgement)| {
            engine::settle(control, claim, judgement.known.as_ref(), &judgement.twins)
        });
        self.control.check()?;
        let settled = work
            .into_iter()
            .zip(standings)
            .map(|((claim, judgement), standing)| Settled {
                claim,
                known: judgement.known.map(|known| known.track),
                standing,
            })
            .collect();
        self.news(ImportNews::Settled(settled));
        Ok(())
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
        let control = &self.control;
        let found = in_parallel(&work, |item| look(control, item));
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

/// What a scan of `paths` will meet.
fn count(paths: &[PathBuf], control: &Control) -> Result<u64, Cancelled> {
    let mut met = 0;
    scan::walk(paths, control, &mut |scanned| match scanned {
        Scanned::File(_) | Scanned::Unreadable { .. } => met += 1,
        Scanned::Playlist { .. } => {}
    })?;
    Ok(met)
}

/// Does the work for each item on a few threads. In the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let readers = std::thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(READERS);
    let share = items.len().div_ceil(readers).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// Reads what the decision asks for of one file.
fn look(control: &Control, ((candidate, root), judgement): &(Waiting, Judgement)) -> Found {
    let fate = match judgement.decision {
        Decision::Unchanged(id) | Decision::Returned(id) => Fate::Unchanged(id),
        Decision::Copy(id) => Fate::Copy(id),
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
pub(super) fn read(path: &Path) -> Result<TagsRead, Failure> {
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
