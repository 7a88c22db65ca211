//! The one thread that writes to the library. Writes that wait together go to disk together.

use crate::core_loop::event::Event;
use crate::core_loop::input::{Input, Stored};
use crate::failure::{Failure, FailureKind};
use crate::store::{Change, Store, StoreError};
use crate::track::TrackId;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Requests that may wait; the state keeps fewer in flight.
const QUEUE: usize = 1024;
/// Changes that go into one transaction at most.
const BATCH: usize = 4096;

#[derive(Debug)]
pub(crate) enum WriteRequest {
    Put {
        changes: Vec<Change>,
        events: Vec<Event>,
    },
    /// Tell what is stored of a track.
    Read(TrackId),
    /// Forget an earlier failure and tell what is on disk.
    Reload,
}

/// Counts requests, so that readers can wait until the disk has caught up with what they have heard of.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    counts: Mutex<Counts>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct Counts {
    asked: u64,
    done: u64,
}

impl Writes {
    /// Waits until everything is done that was asked for so far, whatever came of it; not longer than `patience`.
    pub(crate) fn wait(&self, patience: Duration) {
        let counts = self.lock();
        let asked = counts.asked;
        // After a timeout the reader takes what is there.
        drop(
            self.done
                .wait_timeout_while(counts, patience, |counts| counts.done < asked),
        );
    }

    fn ask(&self) {
        self.lock().asked += 1;
    }

    fn finish(&self, requests: u64) {
        self.lock().done += requests;
        self.done.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dropping it finishes what was asked for and waits for it.
#[derive(Debug)]
pub(crate) struct Writer {
    writes: Arc<Writes>,
    requests: Option<SyncSender<WriteRequest>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        store: Arc<Store>,
        tell: impl Fn(Input) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (requests, waiting) = sync_channel(QUEUE);
        let writes = Arc::new(Writes::default());
        let count = Arc::clone(&writes);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || serve(&store, &waiting, &count, &tell))?;
        Ok(Self {
            writes,
            requests: Some(requests),
            thread: Some(thread),
        })
    }

    pub(crate) fn writes(&self) -> &Arc<Writes> {
        &self.writes
    }

    /// Blocks only while more than [`QUEUE`] requests wait, which the state rules out.
    pub(crate) fn submit(&self, request: WriteRequest) {
        self.writes.ask();
        if let Some(requests) = &self.requests
            && requests.send(request).is_err()
        {
            self.writes.finish(1);
            tracing::error!("the writer thread is gone");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }
}

fn serve(store: &Store, waiting: &Receiver<WriteRequest>, writes: &Writes, tell: &impl Fn(Input)) {
    let mut broken: Option<Failure> = None;
    while let Ok(first) = waiting.recv() {
        let mut batch = Batch::default();
        batch.take(first);
        while batch.changes.len() < BATCH && !batch.reload && batch.read.is_none() {
            let Ok(next) = waiting.try_recv() else { break };
            batch.take(next);
        }
        let requests = batch.requests;
        batch.write(store, &mut broken);
        writes.finish(requests);
        batch.tell(store, &mut broken, tell);
    }
    // Nobody can take a removal back any more.
    if let Err(error) = store.forget_removed() {
        tracing::warn!(%error, "removed tracks are let go of at the next start");
    }
}

/// Requests that go to disk together, each with the events that wait for it.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    events: Vec<Vec<Event>>,
    read: Option<TrackId>,
    reload: bool,
    requests: u64,
}

impl Batch {
    fn take(&mut self, request: WriteRequest) {
        self.requests += 1;
        match request {
            WriteRequest::Put { changes, events } => {
                self.changes.extend(changes);
                self.events.push(events);
            }
            WriteRequest::Read(track) => self.read = Some(track),
            WriteRequest::Reload => self.reload = true,
        }
    }

    fn write(&mut self, store: &Store, broken: &mut Option<Failure>) {
        let changes = std::mem::take(&mut self.changes);
        if broken.is_none()
            && !changes.is_empty()
            && let Err(error) = store.write(changes)
        {
            tracing::error!(%error, "the library could not be written");
            *broken = Some(failure_from(&error));
        }
    }

    fn tell(self, store: &Store, broken: &mut Option<Failure>, tell: &impl Fn(Input)) {
        for events in self.events {
            tell(match broken {
                None => Input::Written(events),
                Some(failure) => Input::WriteFailed(failure.clone()),
            });
        }
        if let Some(track) = self.read {
            tell(Input::Read(track, read(store, track)));
        }
        if self.reload {
            match store.load() {
                Ok(loaded) => {
                    *broken = None;
                    tell(Input::Reloaded(loaded));
                }
                Err(error) => {
                    tracing::error!(%error, "the library could not be read again");
                    tell(Input::ReloadFailed(failure_from(&error)));
                }
            }
        }
    }
}

fn read(store: &Store, track: TrackId) -> Result<Box<Stored>, Failure> {
    let stored = || {
        let (by_hand, is_damaged) = store.by_hand_as_far_as_sound(track)?;
        Ok(Box::new(Stored {
            found: store.found(track)?,
            by_hand,
            is_damaged,
        }))
    };
    stored().map_err(|error: StoreError| {
        tracing::warn!(%track, %error, "results cannot be read");
        failure_from(&error)
    })
}

fn failure_from(error: &StoreError) -> Failure {
    Failure::new(
        FailureKind::Storage,
        error.to_string(),
        "Make room on the drive that holds the library, check the drive, then try again",
    )
}
