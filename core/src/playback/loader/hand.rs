//! A thread that carries out the tasks of one track, and is left behind with it when its drive does not answer.

use super::desk::Desk;
use super::files::{Done, Files, Task};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

/// A drive that takes longer does not answer. Disks that were asleep need up to ten seconds, which is worth a word as well.
const SLOW: Duration = Duration::from_secs(3);

pub(super) struct Hand {
    tasks: SyncSender<Task>,
    done: Receiver<Done>,
    /// Since when it has had a task that is not done.
    busy_since: Option<Instant>,
    /// There is a block with that task.
    has_block: bool,
    /// It was told that this takes long.
    told: bool,
    /// The thread is gone before its time.
    died: bool,
}

/// However the thread ends, the loader looks.
struct Bell(Arc<Desk>);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.ring();
    }
}

impl Hand {
    /// The thread holds `alive` for as long as it lives.
    pub(super) fn start(desk: &Arc<Desk>, alive: &Arc<()>) -> io::Result<Self> {
        let (tasks, given) = sync_channel::<Task>(1);
        let (bring, done) = sync_channel::<Done>(1);
        let (desk, alive) = (Arc::clone(desk), Arc::clone(alive));
        let thread = std::thread::Builder::new().name("player files".to_owned());
        // Left to itself: it may stand before a disk that does not answer.
        thread.spawn(move || {
            let bell = Bell(desk);
            // Let go of before the bell, also in a panic.
            let bring = bring;
            let mut files = Files::default();
            for task in given {
                if bring.send(files.carry_out(task)).is_err() {
                    break;
                }
                bell.0.ring();
            }
            drop(alive);
        })?;
        Ok(Self {
            tasks,
            done,
            busy_since: None,
            has_block: false,
            told: false,
            died: false,
        })
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy_since.is_some()
    }

    pub(super) fn has_block(&self) -> bool {
        self.has_block
    }

    /// For one that is not busy.
    pub(super) fn give(&mut self, task: Task) {
        self.has_block = matches!(task, Task::Read(_));
        // Its queue is empty, and it waits for more: this does not fail.
        let given = self.tasks.try_send(task);
        debug_assert!(given.is_ok(), "it had nothing to do");
        self.busy_since = Some(Instant::now());
    }

    /// What it has done, and whether it was told that this takes long.
    pub(super) fn take(&mut self) -> Option<(Done, bool)> {
        let done = match self.done.try_recv() {
            Ok(done) => done,
            Err(error) => {
                self.died = error == TryRecvError::Disconnected;
                return None;
            }
        };
        self.busy_since = None;
        self.has_block = false;
        Some((done, std::mem::take(&mut self.told)))
    }

    /// As of the last [`Hand::take`].
    pub(super) fn has_died(&self) -> bool {
        self.died
    }

    /// When it is time to tell that a task takes long.
    pub(super) fn slow_at(&self) -> Option<Instant> {
        self.busy_since
            .filter(|_| !self.told)
            .map(|since| since + SLOW)
    }

    /// `true` once, when a task takes long.
    pub(super) fn tell_slow(&mut self, now: Instant) -> bool {
        let is_slow = self.slow_at().is_some_and(|at| at <= now);
        self.told |= is_slow;
        is_slow
    }
}
