//! Who keeps the workers: one place for each family, emptied when nobody has asked for a while.

use super::child::Dying;
use super::protocol::{Family, shortened};
use super::worker::{Launch, Patience, Ran, Task, TaskError, Worker, perform};
use crate::control::Control;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// The workers of a program. Dropping it ends them.
#[derive(Debug)]
pub struct Workers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    patience: Patience,
    places: [Mutex<Place>; Family::ALL.len()],
    /// Those that were ended and are not gone: the next one waits for their memory, whichever place it is for.
    dying: Dying,
    /// A card that ran out of memory: as long as the program runs it is not tried again.
    short: Mutex<Option<String>>,
    /// Whether a thread looks after idle workers, and the bell that wakes it.
    keeper: Mutex<Keeper>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Place {
    worker: Option<Worker>,
    idle_since: Option<Instant>,
}

#[derive(Debug, Default)]
struct Keeper {
    is_there: bool,
    ends: bool,
}

impl Workers {
    pub fn new(patience: Patience) -> Self {
        Self(Arc::new(Shared {
            patience,
            places: Default::default(),
            dying: Dying::default(),
            short: Mutex::default(),
            keeper: Mutex::default(),
            bell: Condvar::new(),
        }))
    }

    /// Does a task with the warm worker of its family. One task of a family at a time; others wait.
    pub fn run(
        &self,
        launch: &Launch,
        task: &Task<'_>,
        control: &Control,
    ) -> Result<Ran, TaskError> {
        let mut place = self.0.place(task.family, control)?;
        place.idle_since = None;
        let short = self.short();
        let how = (launch, short.as_deref());
        let task = (task, self.0.patience);
        let with = (&self.0.dying, control);
        let ran = perform(&mut place.worker, how, task, with);
        let of_worker = place.worker.as_ref().and_then(Worker::short);
        if let Some(short) = ran.as_ref().ok().and_then(Ran::short).or(of_worker) {
            *lock(&self.0.short) = Some(shortened(short));
        }
        place.idle_since = Some(Instant::now());
        drop(place);
        self.0.look_after();
        ran
    }

    /// The card that ran out of memory since the program began.
    pub fn short(&self) -> Option<String> {
        lock(&self.0.short).clone()
    }

    /// Families that have a warm worker that nobody uses now.
    pub fn warm(&self) -> Vec<Family> {
        let is_warm = |family: &Family| {
            let place = self.0.places.get(*family as usize);
            place.is_some_and(|place| place.try_lock().is_ok_and(|place| place.worker.is_some()))
        };
        Family::ALL.into_iter().filter(is_warm).collect()
    }

    /// Ends the workers that nobody uses now: before the environment is replaced.
    pub fn cool(&self) {
        self.0.drop_idle(Duration::ZERO);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        lock(&self.0.keeper).ends = true;
        self.0.bell.notify_all();
        self.0.drop_idle(Duration::ZERO);
    }
}

impl Shared {
    fn place(&self, family: Family, control: &Control) -> Result<MutexGuard<'_, Place>, TaskError> {
        const LOOK_EVERY: Duration = Duration::from_millis(25);
        loop {
            control.check()?;
            match self.places[family as usize].try_lock() {
                Ok(place) => return Ok(place),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => thread::sleep(LOOK_EVERY),
            }
        }
    }

    /// Sees to it that somebody drops workers that stay idle.
    fn look_after(self: &Arc<Self>) {
        let mut keeper = lock(&self.keeper);
        if keeper.is_there || keeper.ends {
            return;
        }
        let shared = Arc::clone(self);
        let thread = thread::Builder::new()
            .name("idle workers".to_owned())
            .spawn(move || shared.keep());
        match thread {
            Ok(_detached) => keeper.is_there = true,
            Err(error) => tracing::warn!(%error, "idle workers stay"),
        }
    }

    /// Until no worker is left.
    fn keep(&self) {
        let mut keeper = lock(&self.keeper);
        loop {
            let wait = self.patience.idle / 4 + Duration::from_millis(1);
            let waited = self.bell.wait_timeout(keeper, wait);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            let is_any_left = self.drop_idle(self.patience.idle);
            keeper = lock(&self.keeper);
            if !is_any_left || keeper.ends {
                keeper.is_there = false;
                return;
            }
        }
    }

    /// Whether any worker is left.
    fn drop_idle(&self, longer_than: Duration) -> bool {
        let mut is_any_left = false;
        for place in &self.places {
            let Ok(mut place) = place.try_lock() else {
                is_any_left = true;
                continue;
            };
            if place
                .idle_since
                .is_some_and(|since| since.elapsed() >= longer_than)
            {
                place.worker = None;
                place.idle_since = None;
            }
            is_any_left |= place.worker.is_some();
        }
        is_any_left
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
