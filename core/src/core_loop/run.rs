//! The threads around the state: the loop itself, the writer, the jobs, the scans.

use crate::core_loop::command::Command;
use crate::core_loop::event::Event;
use crate::core_loop::input::{Effect, Input};
use crate::core_loop::means::{analysers, limits, models, recipes, start_pool};
use crate::core_loop::reader::Reader;
use crate::core_loop::state::State;
use crate::core_loop::view::View;
use crate::core_loop::writer::{WriteRequest, Writer, Writes};
use crate::decks::run::{Desk, Surroundings};
use crate::decks::view::{DecksView, DecksWatch};
use crate::export::document::TrackDetails;
use crate::import::session::Scans;
use crate::jobs::neural::Neural;
use crate::jobs::pool::Pool;
use crate::setup::desk::{SetupDesk, SetupWatch};
use crate::setup::{Places, SetupView};
use crate::stems::drive::Drive;
use crate::store::{BadRecord, Store, StoreError};
use crate::track::{SourceId, TrackId};
use crate::waveform::Waveform;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Messages that may wait for the loop.
const INPUTS: usize = 256;
/// A view is published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(8);
/// How often retries that have come due are looked for.
const TICK: Duration = Duration::from_secs(10);

/// How long the end waits for the next word about a change by hand: a disk that takes longer is stuck.
const LAST_DEED: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the library; created when it is not there.
    pub library: PathBuf,
    /// Take up everything that is due without being asked.
    pub eager: bool,
    /// Open it also where nothing can be written to it: whatever would change it fails then.
    pub or_read: bool,
    /// Jobs at a time; `None`: one per core.
    pub slots: Option<usize>,
    /// Where environment and models for neural analysis lie.
    pub places: Places,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
}

/// The running core. Dropping it stops the work cleanly: what was finished is on disk, what was running is due again.
#[derive(Debug)]
pub struct Core {
    inputs: SyncSender<Envelope>,
    view: Arc<ArcSwap<View>>,
    decks: Arc<ArcSwap<DecksView>>,
    setup: SetupWatch,
    store: Arc<Store>,
    writes: Arc<Writes>,
    unreadable: Vec<BadRecord>,
    thread: Option<JoinHandle<()>>,
}

enum Envelope {
    Input(Box<Input>),
    Stop,
}

impl Core {
    /// Opens the library and starts the threads.
    ///
    /// `wake` is called after each new view, also of decks, `events` with everything that is said once, in order, on the
    /// loop's thread. An `events` that blocks holds the whole core up: right for a pipe, wrong for a window.
    pub fn start(
        config: &Config,
        wake: impl Fn() + Send + Sync + 'static,
        events: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, StartError> {
        let (store, loaded) = if config.or_read {
            Store::open_or_read(&config.library)?
        } else {
            Store::open(&config.library)?
        };
        let store = Arc::new(store);
        let unreadable = loaded.unreadable.clone();
        let limits = limits(config, &loaded);
        let drive = Drive::of(config.library.clone());
        let analysers = analysers(&drive);
        let neural = Arc::new(models(config, &drive));
        let token = loaded.deck_names.token;
        let now = Timestamp::now();
        let mut state = State::new(loaded, recipes(&analysers), limits, seed(), now);
        let (inputs, waiting) = sync_channel(INPUTS);
        let view = Arc::new(ArcSwap::from_pointee(state.view()));
        let tell = sender(&inputs);
        let writer = Writer::start(Arc::clone(&store), tell.clone()).map_err(StartError::Thread)?;
        let writes = Arc::clone(writer.writes());
        let pool = start_pool(limits.slots, (&analysers, &neural), &store, tell.clone())?;
        state.apply(Input::Models(neural.refresh()), now);
        let first = config.eager.then(|| state.be_eager(now));
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        let decks = Arc::new(ArcSwap::default());
        let deck_tell = tell.clone();
        let surroundings = Surroundings {
            view: Arc::clone(&decks),
            library: Arc::clone(&view),
            reader: Reader::new(Arc::clone(&store), Arc::clone(&writes)),
            token,
            tell: Arc::new(move |news| deck_tell(Input::Decks(news))),
            wake: Arc::clone(&wake),
        };
        let setup = set_up(config, &wake, neural, tell.clone());
        let setup_watch = setup.watch();
        let mut hands = Hands {
            setup,
            desk: Desk::new(surroundings),
            writer,
            pool: Some(pool),
            scans: Scans::new(Box::new(tell), store.scratch()),
            events: Box::new(events),
        };
        let outlet = Arc::clone(&view);
        let thread = std::thread::Builder::new()
            .name("core".to_owned())
            .spawn(move || {
                hands.carry_out(first.unwrap_or_default());
                run(
                    &mut state,
                    &waiting,
                    &mut hands,
                    &Outlet { view: outlet, wake },
                );
                hands.stop(&mut state, &waiting);
            })
            .map_err(StartError::Thread)?;
        Ok(Self {
            inputs,
            view,
            decks,
            setup: setup_watch,
            store,
            writes,
            unreadable,
            thread: Some(thread),
        })
    }

    /// Asks for something. Never blocks; `false` when too much waits already, which is a bug of the caller.
    pub fn send(&self, command: Command) -> bool {
        tracing::debug!(?command, "command");
        match self
            .inputs
            .try_send(Envelope::Input(Box::new(Input::Command(command))))
        {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                tracing::error!("a command was dropped");
                false
            }
        }
    }

    /// The latest published state.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// The track that came from `id` first, else one that an imported library calls so. As the latest view has it.
    pub fn track_with_source(&self, id: &SourceId) -> Option<TrackId> {
        let view = self.view.load();
        view.rows.with_source(id).map(|row| row.track.id)
    }

    /// The latest of the decks: [`crate::core_loop::command::Command::Decks`] starts and stops them.
    pub fn decks(&self) -> Arc<DecksView> {
        self.decks.load_full()
    }

    /// The latest of the set-up: [`crate::core_loop::command::Command::Setup`] changes it.
    pub fn setup(&self) -> Arc<SetupView> {
        self.setup.view()
    }

    /// A handle on the same that does not keep the core running.
    pub fn setup_watch(&self) -> SetupWatch {
        self.setup.clone()
    }

    /// A handle on the same that does not keep the core running.
    pub fn decks_watch(&self) -> DecksWatch {
        DecksWatch(Arc::clone(&self.decks))
    }

    /// Records that could not be read at the start: the view is without them.
    pub fn unreadable(&self) -> &[BadRecord] {
        &self.unreadable
    }

    /// The full results of one track. Reads the disk.
    pub fn details(&self, track: TrackId) -> Result<TrackDetails, StoreError> {
        self.reader().details(track)
    }

    /// The waveform of one track, when it has one. Reads the disk.
    pub fn waveform(&self, track: TrackId) -> Result<Option<Waveform>, StoreError> {
        self.store.waveform(track)
    }

    /// Reads the full results and waveforms on other threads, no older than the views.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.store), Arc::clone(&self.writes))
    }

    /// The library on disk, for what is done to it as a whole: verify, backup.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // The loop reads on until it sees this; a full queue only delays it.
        let asked = self.inputs.send(Envelope::Stop).is_ok();
        if let Some(thread) = self.thread.take()
            && asked
            && thread.join().is_err()
        {
            tracing::error!("the core thread panicked");
        }
    }
}

/// Whoever makes neural analysis possible, with the way to tell of it.
fn set_up(
    config: &Config,
    wake: &Arc<dyn Fn() + Send + Sync>,
    neural: Arc<Neural>,
    tell: impl Fn(Input) + Send + Sync + 'static,
) -> SetupDesk {
    let keeper = Arc::clone(&neural);
    SetupDesk::new(
        config.places.clone(),
        Arc::clone(wake),
        Arc::new(move || tell(Input::Models(neural.refresh()))),
        Arc::new(move || keeper.let_go()),
    )
}

/// Where views go.
struct Outlet {
    view: Arc<ArcSwap<View>>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Outlet {
    fn publish(&self, state: &State) {
        self.view.store(Arc::new(state.view()));
        (self.wake)();
    }
}

fn sender(inputs: &SyncSender<Envelope>) -> impl Fn(Input) + Send + Sync + Clone + 'static {
    let inputs = inputs.clone();
    move |input| {
        if inputs.send(Envelope::Input(Box::new(input))).is_err() {
            tracing::debug!("news after the end");
        }
    }
}

/// Takes everything waiting, applies it, publishes at most every 8 ms; sleeps when nothing happens.
fn run(state: &mut State, waiting: &Receiver<Envelope>, hands: &mut Hands, outlet: &Outlet) {
    let mut published = Instant::now();
    let mut stale = true;
    loop {
        let wait = if stale {
            PUBLISH_EVERY.saturating_sub(published.elapsed())
        } else {
            TICK
        };
        let mut quiet = false;
        match waiting.recv_timeout(wait) {
            Ok(Envelope::Input(input)) => {
                let (writes, effects): (Vec<_>, Vec<_>) = state
                    .apply(*input, Timestamp::now())
                    .into_iter()
                    .partition(|effect| matches!(effect, Effect::Write { .. }));
                // Asked for before the view is out, so that readers who have seen it wait for them.
                hands.carry_out(writes);
                // What an event tells of must be seen in the view by whoever hears it.
                if effects
                    .iter()
                    .any(|effect| matches!(effect, Effect::Say(_)))
                {
                    outlet.publish(state);
                    published = Instant::now();
                }
                hands.carry_out(effects);
                stale = true;
            }
            Ok(Envelope::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => quiet = true,
        }
        if stale && published.elapsed() >= PUBLISH_EVERY {
            outlet.publish(state);
            published = Instant::now();
            stale = false;
        } else if quiet {
            let effects = state.apply(Input::Tick, Timestamp::now());
            stale = !effects.is_empty();
            hands.carry_out(effects);
        }
    }
}

/// Everything that effects are carried out with.
struct Hands {
    desk: Desk,
    setup: SetupDesk,
    writer: Writer,
    pool: Option<Pool>,
    scans: Scans,
    events: Box<dyn FnMut(Event) + Send>,
}

impl Hands {
    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Write { changes, events } => {
                    self.writer.submit(WriteRequest::Put { changes, events });
                }
                Effect::Read(track) => self.writer.submit(WriteRequest::Read(track)),
                Effect::Reload => self.writer.submit(WriteRequest::Reload),
                Effect::Say(event) => (self.events)(event),
                Effect::StartJob(job) => {
                    let id = job.id;
                    if !self.pool.as_ref().is_some_and(|pool| pool.submit(job)) {
                        tracing::error!(?id, "no idle thread for a job that was started");
                    }
                }
                Effect::StartImport { request, paths } => self.scans.import(request, paths),
                Effect::StartRelink {
                    request,
                    folders,
                    dry_run,
                    rows,
                } => {
                    self.scans.relink(request, folders, dry_run, rows);
                }
                Effect::ReplyToImport(reply) => self.scans.reply(reply),
                Effect::ReplyToRelink => self.scans.reply_to_relink(),
                Effect::StopScans => self.scans.stop(),
                Effect::Decks(command) => self.desk.carry_out(command),
                Effect::Setup(command) => self.setup.carry_out(command),
                Effect::KeepToken(token) => self.desk.keep_token(token),
            }
        }
    }

    /// Ends all work: jobs and scans are cancelled, their last news and all writes are taken in.
    ///
    /// Whoever still wants to tell something is read until it has ended, so that nobody blocks: first the
    /// threads that work, then the writer with all that they left to write.
    fn stop(self, state: &mut State, waiting: &Receiver<Envelope>) {
        let Self {
            desk,
            setup,
            writer,
            pool,
            mut scans,
            mut events,
        } = self;
        scans.stop();
        let end = Input::Command(Command::End);
        let mut last = |input, writer: Option<&Writer>| {
            for effect in state.apply(input, Timestamp::now()) {
                match (effect, writer) {
                    (Effect::Write { changes, events }, Some(writer)) => {
                        writer.submit(WriteRequest::Put { changes, events });
                    }
                    (Effect::Read(track), Some(writer)) => {
                        writer.submit(WriteRequest::Read(track));
                    }
                    (Effect::Say(event), _) => events(event),
                    _ => {}
                }
            }
            state.has_deeds()
        };
        let mut has_deeds = last(end, Some(&writer));
        // What the user asked for by hand just before the end is done.
        while has_deeds {
            match waiting.recv_timeout(LAST_DEED) {
                Ok(Envelope::Input(input)) => has_deeds = last(*input, Some(&writer)),
                Ok(Envelope::Stop) => {}
                Err(_) => break,
            }
        }
        read_until_ended((pool, scans, desk, setup), waiting, &mut |input| {
            last(input, Some(&writer));
        });
        read_until_ended(writer, waiting, &mut |input| {
            last(input, None);
        });
    }
}

/// Drops `ending` on another thread and takes in what is told meanwhile, to the last word.
fn read_until_ended<T: Send>(ending: T, waiting: &Receiver<Envelope>, hear: &mut dyn FnMut(Input)) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || drop(ending));
        loop {
            let ended = thread.is_finished();
            match waiting.recv_timeout(Duration::from_millis(5)) {
                Ok(Envelope::Input(input)) => hear(*input),
                // Ended before the wait began: nothing can come any more.
                Err(_) if ended => return,
                Ok(Envelope::Stop) | Err(_) => {}
            }
        }
    });
}

/// Randomness for track ids; the clock where the system has none to give.
fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_none| Timestamp::now().as_nanosecond() as u64)
}
