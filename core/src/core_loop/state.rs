//! The one owner of truth: what the library holds and what is going on. `apply` is the only way to change it,
//! takes the time as a parameter, and does nothing itself: it says what is to be done.

mod by_hand;
mod claiming;
mod ids;
mod importing;
mod keeping;
mod memory;
mod models;
mod moving;
mod stems;
mod waiting;
mod working;

use crate::artifact::{Artifact, Engine};
use crate::control::Control;
use crate::core_loop::catalog::Catalog;
use crate::core_loop::command::{Command, RequestId, Selection};
use crate::core_loop::event::Event;
use crate::core_loop::input::{Effect, Input};
use crate::core_loop::queue::{Queue, Wish};
use crate::core_loop::state::by_hand::Deed;
use crate::core_loop::state::ids::IdSource;
use crate::core_loop::view::View;
use crate::decks::run::DecksNews;
use crate::failure::Failure;
use crate::jobs::plan::{Models, Recipes};
use crate::jobs::pool::JobId;
use crate::store::{Change, Choices, DeckNames, Loaded};
use crate::track::TrackId;
use crate::units::Secs;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// How much may go on at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Jobs at a time.
    pub(crate) slots: usize,
    /// Bytes that all running jobs together may take. One job always may run.
    pub(crate) memory_bytes: u64,
    /// Bytes that one job that makes this of a track of this length takes.
    pub(crate) job_bytes: fn(&BTreeSet<Artifact>, Option<Secs>) -> u64,
    /// Bytes of disk that the stems of all tracks together may take where the user did not say.
    pub(crate) stem_bytes: u64,
}

/// Writes that may wait for the disk before nothing new is started.
const WRITES_IN_FLIGHT: usize = 32;
/// So many tracks named at once are waited for: they go before all others. More of them are a batch.
const A_FEW: usize = 16;

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not the states of one machine"
)]
pub(crate) struct State {
    catalog: Catalog,
    recipes: Recipes,
    limits: Limits,
    /// Whether due work starts without being asked for.
    eager: bool,
    /// The user said stop: nothing is taken up again unasked.
    stopped: bool,
    /// What the last look for due work saw.
    looked: Option<Looked>,
    queue: Queue,
    /// Cancelled one by one: not taken up again unasked.
    set_aside: BTreeSet<TrackId>,
    running: BTreeMap<JobId, working::Running>,
    lost: Option<models::Lost>,
    import: Option<importing::Import>,
    imports_waiting: VecDeque<importing::ImportWish>,
    relinking: Option<RequestId>,
    /// The search waits until the disk has caught up.
    relink_waits: bool,
    relinks_waiting: VecDeque<(RequestId, Vec<PathBuf>, bool)>,
    writes_in_flight: usize,
    /// Writes so far, and those of them that have been answered; answers come in order.
    writes_asked: u64,
    writes_answered: u64,
    storage_trouble: Option<Failure>,
    /// A write failed: memory is ahead of the disk and counts for nothing until it has been read again.
    reloading: bool,
    /// That could not be read: the next tick tries it again.
    reload_failed: bool,
    /// Something was asked for while the disk was read again: what is in trouble is tried once more afterwards.
    asked_meanwhile: bool,
    paused: bool,
    finished: u64,
    failed: u64,
    said_idle: bool,
    next_job: u64,
    hands: by_hand::Hands,
    deck_names: DeckNames,
    choices: Choices,
    /// When the library was opened.
    began: Timestamp,
    stems_in_use: BTreeSet<TrackId>,
    /// Source of track ids.
    ids: IdSource,
}

impl State {
    pub(crate) fn new(
        loaded: Loaded,
        recipes: Recipes,
        limits: Limits,
        seed: u64,
        now: Timestamp,
    ) -> Self {
        let (deck_names, choices) = (loaded.deck_names.clone(), loaded.choices);
        Self {
            deck_names,
            choices,
            began: now,
            catalog: Catalog::new(
                loaded,
                (recipes.clone(), Models::following(choices.beats_follow)),
                0,
                now,
            ),
            recipes,
            limits,
            eager: false,
            stopped: false,
            looked: None,
            queue: Queue::default(),
            set_aside: BTreeSet::new(),
            running: BTreeMap::new(),
            lost: None,
            import: None,
            imports_waiting: VecDeque::new(),
            relinking: None,
            relink_waits: false,
            relinks_waiting: VecDeque::new(),
            writes_in_flight: 0,
            writes_asked: 0,
            writes_answered: 0,
            storage_trouble: None,
            reloading: false,
            reload_failed: false,
            asked_meanwhile: false,
            paused: false,
            finished: 0,
            failed: 0,
            said_idle: true,
            next_job: 0,
            hands: by_hand::Hands::default(),
            stems_in_use: BTreeSet::new(),
            ids: IdSource(seed),
        }
    }

    /// Takes up everything that is due, now and whenever something becomes due.
    pub(crate) fn be_eager(&mut self, now: Timestamp) -> Vec<Effect> {
        self.eager = true;
        self.look(now);
        self.start_jobs(now)
    }

    pub(crate) fn apply(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        let mut effects = match input {
            Input::Import(_) | Input::Relink(_) | Input::Job(..) if self.reloading => {
                self.only_ends(&input)
            }
            Input::Command(Command::Decks(command)) => vec![Effect::Decks(command)],
            Input::Command(Command::Setup(command)) => vec![Effect::Setup(command)],
            Input::Command(command) => self.command(command, now),
            Input::Import(news) => self.import_news(news, now),
            Input::Relink(news) => self.relink_news(news, now),
            Input::Job(id, news) => self.job_news(id, news, now),
            Input::Decks(news) => self.decks_news(news),
            Input::Written(events) => self.written(events),
            Input::WriteFailed(failure) => self.write_failed(failure),
            Input::Reloaded(loaded) => {
                self.reloading = false;
                if std::mem::take(&mut self.asked_meanwhile) {
                    self.storage_trouble = None;
                }
                let revision = self.catalog.revision();
                self.deck_names = loaded.deck_names.clone();
                self.choices = loaded.choices;
                let how = Models {
                    beats_follow: self.choices.beats_follow,
                    ..self.catalog.models().clone()
                };
                let how = (self.recipes.clone(), how);
                self.catalog = Catalog::new(loaded, how, revision, now);
                Vec::new()
            }
            Input::ReloadFailed(failure) => {
                self.reload_failed = true;
                self.storage_trouble = Some(failure);
                Vec::new()
            }
            Input::Read(track, stored) => self.read(track, stored, now),
            Input::Models(outlook) => {
                self.models_are(outlook, now);
                Vec::new()
            }
            Input::Tick => self.tick(now),
        };
        effects.extend(self.next_deeds(now));
        effects.extend(self.start_scans());
        effects.extend(self.start_jobs(now));
        effects.extend(self.idle_now());
        effects
    }

    pub(crate) fn view(&self) -> View {
        View {
            rows: self.catalog.rows.clone(),
            activity: self.activity(),
            undo: self.hands.undo_words(),
            redo: self.hands.redo_words(),
            pins: Arc::clone(&self.deck_names.pins),
            stem_room: self.stem_room(),
            beats_follow: self.choices.beats_follow,
        }
    }

    /// What the user said of decks is kept; a token changes where players refused the one before.
    fn decks_news(&mut self, news: DecksNews) -> Vec<Effect> {
        if self.reloading {
            return Vec::new();
        }
        match news {
            DecksNews::Token(token) => {
                self.deck_names.token = Some(token);
                let write = self.write(vec![Change::PutToken(token)], Vec::new());
                vec![Effect::KeepToken(token), write]
            }
            DecksNews::Pin { names, track } => {
                let mut changes = Vec::new();
                for name in names {
                    self.deck_names.pin(&name, track);
                    changes.push(Change::PutPin(name, track));
                }
                vec![self.write(changes, Vec::new())]
            }
        }
    }

    fn command(&mut self, command: Command, now: Timestamp) -> Vec<Effect> {
        self.said_idle = false;
        self.asked_meanwhile = self.reloading;
        if !self.reloading {
            self.storage_trouble = None;
        }
        self.stopped = matches!(command, Command::Cancel | Command::End)
            || self.stopped && is_beside_the_work(&command);
        match command {
            Command::Import {
                request,
                paths,
                analyze,
                engine,
            } => {
                self.imports_waiting.push_back(importing::ImportWish {
                    request,
                    paths,
                    analyze,
                    engine,
                });
            }
            Command::Analyze {
                tracks,
                extent,
                force,
                engine,
                ..
            } => {
                let named = matches!(tracks, Selection::Tracks(_));
                let wish = Wish {
                    extent,
                    force,
                    named,
                };
                return self.analyze(tracks, (&wish, engine), now);
            }
            Command::Relink {
                request,
                folders,
                dry_run,
            } => {
                self.relinks_waiting.push_back((request, folders, dry_run));
            }
            Command::SetEager(eager) if eager && !self.eager => return self.be_eager(now),
            Command::SetEager(eager) => self.eager = eager,
            Command::LimitStems(bytes) => return self.limit_stems(bytes, now),
            Command::FollowWithBeats(follow) => return self.follow_with_beats(follow, now),
            Command::Pause => self.paused = true,
            Command::Resume => self.paused = false,
            Command::Edit { track, edit } => return self.wish_deed(Deed::Edit(track, edit)),
            Command::Undo => return self.wish_deed(Deed::Undo),
            Command::Redo => return self.wish_deed(Deed::Redo),
            Command::Remove(tracks) => return self.wish_deed(Deed::Remove(tracks)),
            Command::Withdraw(tracks) => return self.withdraw_stems(tracks, now),
            Command::UseStems(tracks) => return self.use_stems(tracks, now),
            Command::Retry(tracks) => return self.retry(tracks, now),
            Command::Prioritize(tracks) => self.queue.prioritize(&tracks),
            Command::CancelTracks(tracks) => return self.cancel_tracks(tracks, now),
            Command::Cancel => return self.cancel(Control::cancel),
            Command::End => return self.cancel(Control::abandon),
            Command::Decks(_) | Command::Setup(_) => {}
        }
        Vec::new()
    }

    fn analyze(
        &mut self,
        tracks: Selection,
        (wish, engine): (&Wish, Option<Engine>),
        now: Timestamp,
    ) -> Vec<Effect> {
        // What is held for models may be asked for without them.
        self.queue.release();
        let ids = self.selected(tracks);
        for id in &ids {
            self.set_aside.remove(id);
        }
        self.take_up(&ids, (wish, engine), now)
    }

    fn take_up(
        &mut self,
        ids: &[TrackId],
        (wish, engine): (&Wish, Option<Engine>),
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = self.use_engine(ids, engine, now);
        if wish.extent.names(Artifact::Stems) {
            let asking = if wish.force {
                stems::Asking::Force
            } else {
                stems::Asking::Anew
            };
            effects.extend(self.ask_for_stems(ids, asking, now));
        }
        let hoped = self.hoped().into_owned();
        for &id in ids {
            let is_finer = || !self.finer_by(&hoped, id, (wish, now)).is_empty();
            let is_wanting = || !self.wanted(id, wish, now).is_empty() || is_finer();
            if wish.named || is_wanting() {
                self.queue.push(id, wish.clone());
            }
        }
        if wish.named {
            self.put_few_first(ids);
        }
        effects
    }

    /// Whoever names a few tracks is waiting for them.
    fn put_few_first(&mut self, named: &[TrackId]) {
        if named.len() <= A_FEW {
            self.queue.prioritize(named);
        }
    }

    fn selected(&self, tracks: Selection) -> Vec<TrackId> {
        match tracks {
            Selection::All => self.catalog.rows.iter().map(|row| row.track.id).collect(),
            Selection::Tracks(ids) => ids,
        }
    }

    /// Takes up all that is due, and keeps in mind when there can be more of it.
    fn look(&mut self, now: Timestamp) {
        let mut ids = self.selected(Selection::All);
        ids.retain(|id| !self.set_aside.contains(id));
        // Whatever is due names nothing: there is nothing to write.
        drop(self.take_up(&ids, (&Wish::default(), None), now));
        let rows = self.catalog.rows.iter();
        let retry_at = rows
            .flat_map(|row| row.knowledge.outcomes())
            .filter_map(|(_, record)| record.failure.as_ref()?.retry_at)
            .filter(|at| *at > now)
            .min();
        self.looked = Some(Looked {
            revision: self.catalog.revision(),
            retry_at,
        });
    }

    fn start_scans(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.reloading {
            return effects;
        }
        if self.import.is_none()
            && self.relinking.is_none()
            && let Some(wish) = self.imports_waiting.pop_front()
        {
            let effect = Effect::StartImport {
                request: wish.request,
                paths: wish.paths.clone(),
            };
            self.import = Some(importing::Import::new(wish));
            effects.push(effect);
        }
        if self.relinking.is_none()
            && self.import.is_none()
            && let Some((request, folders, dry_run)) = self.relinks_waiting.pop_front()
        {
            self.relinking = Some(request);
            let rows = self.catalog.rows.iter().cloned().collect();
            effects.push(Effect::StartRelink {
                request,
                folders,
                dry_run,
                rows,
            });
        }
        effects
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        if std::mem::take(&mut self.reload_failed) {
            return vec![Effect::Reload];
        }
        if self.eager && !self.stopped && self.queue.is_empty() && self.running.is_empty() {
            let nothing_new = self
                .looked
                .is_some_and(|looked| looked.still_holds(self.catalog.revision(), now));
            if !nothing_new {
                self.look(now);
            }
        }
        self.look_for_models().into_iter().collect()
    }

    fn idle_now(&mut self) -> Vec<Effect> {
        let idle = self.import.is_none()
            && self.imports_waiting.is_empty()
            && self.relinking.is_none()
            && self.relinks_waiting.is_empty()
            && !self.reloading
            && !self.has_deeds()
            && self.running.is_empty()
            && (self.queue.is_empty() || self.paused || self.storage_trouble.is_some())
            && self.writes_in_flight == 0;
        if !idle || self.said_idle {
            return Vec::new();
        }
        self.said_idle = true;
        self.finished = 0;
        self.failed = 0;
        vec![Effect::Say(Event::Idle)]
    }
}

/// Whether work that the user stopped stays stopped after this.
fn is_beside_the_work(command: &Command) -> bool {
    matches!(
        command,
        Command::Edit { .. }
            | Command::Withdraw(_)
            | Command::UseStems(_)
            | Command::LimitStems(_)
            | Command::FollowWithBeats(_)
            | Command::Prioritize(_)
            | Command::CancelTracks(_)
            | Command::Undo
            | Command::Redo
            | Command::Remove(_)
            | Command::Import { analyze: None, .. }
    )
}

/// When due work was looked for.
#[derive(Debug, Clone, Copy)]
struct Looked {
    /// Of the catalog.
    revision: u64,
    /// The earliest time at which what failed is due again.
    retry_at: Option<Timestamp>,
}

impl Looked {
    /// Whether another look would see the same.
    fn still_holds(self, revision: u64, now: Timestamp) -> bool {
        self.revision == revision && self.retry_at.is_none_or(|at| now < at)
    }
}

#[cfg(test)]
mod tests;
