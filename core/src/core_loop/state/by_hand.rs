//! What the user does by hand: changes, removals, and taking them back. One after the other, each one transaction.

use super::State;
use crate::core_loop::catalog::Aside;
use crate::core_loop::event::Event;
use crate::core_loop::input::{Effect, Stored};
use crate::core_loop::queue::Wish;
use crate::edits::{self, ByHand, Edit, Refusal};
use crate::failure::Failure;
use crate::store::Change;
use crate::track::{Track, TrackId};
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Changes that can be taken back; the oldest is forgotten first.
const UNDO_DEPTH: usize = 200;
/// Deeds that may wait for their turn.
const MOST_WAITING: usize = 1 << 16;

/// Characters of a title that words of a step tell.
const TITLE_CHARS: usize = 60;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    Edit(TrackId, Edit),
    Undo,
    Redo,
    Remove(Vec<TrackId>),
}

/// Deeds that wait, and those that were done.
#[derive(Debug, Default)]
pub(super) struct Hands {
    waiting: VecDeque<Deed>,
    /// The change that waits for what is stored of its track.
    reading: Option<(TrackId, Edit)>,
    steps: Steps,
    /// The steps as they were when the last write of them was known to be on disk.
    confirmed: Steps,
    /// The steps after each write that is under way, with its number.
    unconfirmed: VecDeque<(u64, Steps)>,
}

/// What can be taken back and made again. Cloning copies one pointer per step.
#[derive(Debug, Clone, Default)]
struct Steps {
    undo: VecDeque<Arc<Step>>,
    redo: Vec<Arc<Step>>,
}

impl Hands {
    pub(super) fn undo_words(&self) -> Option<Arc<str>> {
        self.steps.undo.back().map(|step| Arc::clone(&step.words))
    }

    pub(super) fn redo_words(&self) -> Option<Arc<str>> {
        self.steps.redo.last().map(|step| Arc::clone(&step.words))
    }

    /// The steps as they are now are on disk when the write of this number is.
    fn asked(&mut self, write: u64) {
        self.unconfirmed.push_back((write, self.steps.clone()));
    }

    /// Every write up to this number is on disk.
    pub(super) fn written(&mut self, write: u64) {
        while let Some((_, steps)) = self.unconfirmed.pop_front_if(|(asked, _)| *asked <= write) {
            self.confirmed = steps;
        }
    }

    /// Nothing counts that is not on disk: what waits is dropped, what was under way was not done.
    pub(super) fn fall_back(&mut self) {
        self.waiting.clear();
        self.reading = None;
        self.unconfirmed.clear();
        self.steps = self.confirmed.clone();
    }
}

/// Something done that can be taken back.
#[derive(Debug, Clone)]
struct Step {
    words: Arc<str>,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Edited {
        track: TrackId,
        before: Arc<ByHand>,
        after: Arc<ByHand>,
    },
    Removed(Vec<Aside>),
}

impl Step {
    fn tracks(&self) -> Vec<TrackId> {
        match &self.what {
            What::Edited { track, .. } => vec![*track],
            What::Removed(asides) => asides.iter().map(|aside| aside.row.track.id).collect(),
        }
    }
}

/// What is called by its title, or by its file's name; cut to what fits into a menu.
fn title(track: &Track) -> String {
    let file = || track.path.as_path().file_stem().unwrap_or_default();
    let title = match &track.tags.title {
        Some(title) => Cow::Borrowed(title.as_str()),
        None => file().to_string_lossy(),
    };
    match title.char_indices().nth(TITLE_CHARS) {
        Some((end, _)) => title.get(..end).unwrap_or_default().trim_end().to_owned() + "…",
        None => title.into_owned(),
    }
}

impl State {
    /// Whether something done by hand is not yet handed to the disk.
    pub(crate) fn has_deeds(&self) -> bool {
        !self.reloading && (!self.hands.waiting.is_empty() || self.hands.reading.is_some())
    }

    pub(super) fn wish_deed(&mut self, deed: Deed) -> Vec<Effect> {
        if self.hands.waiting.len() < MOST_WAITING {
            self.hands.waiting.push_back(deed);
            return Vec::new();
        }
        match deed {
            Deed::Edit(track, _) => vec![Effect::Say(Event::EditRefused {
                track,
                reason: Refusal::TooMany,
            })],
            Deed::Undo | Deed::Redo | Deed::Remove(_) => Vec::new(),
        }
    }

    /// Does what waits, up to the next change that has to be read for.
    pub(super) fn next_deeds(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        while !self.reloading
            && self.hands.reading.is_none()
            && let Some(deed) = self.hands.waiting.pop_front()
        {
            match deed {
                Deed::Edit(track, edit) => {
                    self.hands.reading = Some((track, edit));
                    effects.push(Effect::Read(track));
                }
                Deed::Undo => effects.extend(self.undo(now)),
                Deed::Redo => effects.extend(self.redo(now)),
                Deed::Remove(tracks) => effects.extend(self.remove(&tracks, now)),
            }
            if self.hands.reading.is_none() && self.writes_asked > self.writes_answered {
                self.hands.asked(self.writes_asked);
            }
        }
        effects
    }

    /// The change that waited for this is made.
    pub(super) fn read(
        &mut self,
        track: TrackId,
        stored: Result<Box<Stored>, Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let edit = match self.hands.reading {
            Some((wanted, edit)) if wanted == track => edit,
            // Asked for before the library was read again.
            _ => return Vec::new(),
        };
        self.hands.reading = None;
        match self.edited(track, edit, stored) {
            Ok((step, after)) => {
                self.catalog.put_by_hand(track, after.short(), now);
                let mut changes = vec![Change::PutByHand(track, after)];
                changes.extend(self.done(step));
                let effect = self.write(changes, vec![Event::Edited { track, edit }]);
                self.hands.asked(self.writes_asked);
                vec![effect]
            }
            // Said when all that was asked for before is done.
            Err(reason) => vec![self.write(Vec::new(), vec![Event::EditRefused { track, reason }])],
        }
    }

    fn edited(
        &self,
        track: TrackId,
        edit: Edit,
        stored: Result<Box<Stored>, Failure>,
    ) -> Result<(Step, Arc<ByHand>), Refusal> {
        let row = self.catalog.get(track).ok_or(Refusal::NotThere)?;
        let Stored {
            found,
            by_hand,
            is_damaged,
        } = *stored.map_err(|_unreadable| Refusal::Unreadable)?;
        let forgets = matches!(edit, Edit::ForgetBeats | Edit::ForgetKey | Edit::ForgetAll);
        let after = match (is_damaged, forgets) {
            (true, true) => Arc::default(),
            // What else stands in the damaged record must not be written over unasked.
            (true, false) => return Err(Refusal::Unreadable),
            (false, _) => Arc::new(edits::apply(edit, &found, &by_hand)?),
        };
        let step = Step {
            words: format!("{} of {}", edit.words(), title(&row.track)).into(),
            what: What::Edited {
                track,
                before: Arc::new(by_hand),
                after: Arc::clone(&after),
            },
        };
        Ok((step, after))
    }

    /// Remembers a new step: what was taken back before cannot be made again, and the oldest not be taken back.
    fn done(&mut self, step: Step) -> Vec<Change> {
        self.hands.steps.redo.clear();
        self.remember(Arc::new(step))
    }

    fn remember(&mut self, step: Arc<Step>) -> Vec<Change> {
        let undo = &mut self.hands.steps.undo;
        undo.push_back(step);
        if undo.len() <= UNDO_DEPTH {
            return Vec::new();
        }
        match undo.pop_front().as_ref().map(|oldest| &oldest.what) {
            Some(What::Removed(asides)) => asides
                .iter()
                .map(|aside| Change::RemoveTrack(aside.row.track.id))
                .collect(),
            Some(What::Edited { .. }) | None => Vec::new(),
        }
    }

    fn remove(&mut self, tracks: &[TrackId], now: Timestamp) -> Vec<Effect> {
        let (asides, changes) = self.take_out(tracks, now);
        let words = match asides.as_slice() {
            [] => {
                let refused = |track: &TrackId| Event::EditRefused {
                    track: *track,
                    reason: Refusal::NotThere,
                };
                let events = tracks.first().map(refused).into_iter().collect();
                return vec![self.write(Vec::new(), events)];
            }
            [one] => format!("removal of {}", title(&one.row.track)),
            several => format!("removal of {} tracks", several.len()),
        };
        let step = Step {
            words: words.into(),
            what: What::Removed(asides),
        };
        let tracks = step.tracks();
        let mut changes = changes;
        changes.extend(self.done(step));
        vec![self.write(changes, vec![Event::Removed { tracks }])]
    }

    /// Takes tracks out of what is shown, and ends the work on them.
    fn take_out(&mut self, tracks: &[TrackId], now: Timestamp) -> (Vec<Aside>, Vec<Change>) {
        let asides = self.catalog.remove_all(tracks, now);
        let gone: BTreeSet<TrackId> = asides.iter().map(|aside| aside.row.track.id).collect();
        for job in self.running.values() {
            if gone.contains(&job.track) {
                job.control.cancel();
            }
        }
        self.queue.remove(&gone);
        let changes = gone.iter().map(|id| Change::SetAside(*id)).collect();
        (asides, changes)
    }

    /// Puts tracks back, but for those whose file came into the library again meanwhile.
    fn put_back(
        &mut self,
        asides: &[Aside],
        now: Timestamp,
    ) -> (Vec<Aside>, Vec<Change>, Vec<Event>) {
        let mut back = Vec::new();
        let mut changes = Vec::new();
        let mut events = Vec::new();
        for aside in asides {
            let track = aside.row.track.id;
            let is_taken = self
                .catalog
                .index
                .at_path(aside.row.track.path.as_path())
                .is_some();
            if is_taken {
                let reason = Refusal::BackAlready;
                events.push(Event::EditRefused { track, reason });
                changes.push(Change::RemoveTrack(track));
                continue;
            }
            self.catalog.put_back(aside.clone(), now);
            changes.push(Change::PutBack(track));
            if self.eager {
                self.queue.push(track, Wish::default());
            }
            back.push(aside.clone());
        }
        (back, changes, events)
    }

    fn undo(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some(step) = self.hands.steps.undo.pop_back() else {
            return Vec::new();
        };
        let tracks = step.tracks();
        let words = Arc::clone(&step.words);
        let said = Event::Undone { words, tracks };
        match &step.what {
            What::Edited { track, before, .. } => {
                let (track, before) = (*track, Arc::clone(before));
                let effects = self.set_by_hand(track, before, said, now);
                if self.catalog.get(track).is_some() {
                    self.hands.steps.redo.push(step);
                }
                effects
            }
            What::Removed(asides) => {
                let (back, changes, mut events) = self.put_back(asides, now);
                if !back.is_empty() {
                    events.push(said);
                    let (words, what) = (Arc::clone(&step.words), What::Removed(back));
                    self.hands.steps.redo.push(Arc::new(Step { words, what }));
                }
                vec![self.write(changes, events)]
            }
        }
    }

    fn redo(&mut self, now: Timestamp) -> Vec<Effect> {
        let Some(step) = self.hands.steps.redo.pop() else {
            return Vec::new();
        };
        let tracks = step.tracks();
        let words = Arc::clone(&step.words);
        let said = Event::Redone { words, tracks };
        match &step.what {
            What::Edited { track, after, .. } => {
                let (track, after) = (*track, Arc::clone(after));
                let effects = self.set_by_hand(track, after, said, now);
                if self.catalog.get(track).is_some() {
                    self.remember(step);
                }
                effects
            }
            What::Removed(_) => {
                let (asides, mut changes) = self.take_out(&step.tracks(), now);
                let (words, what) = (Arc::clone(&step.words), What::Removed(asides));
                changes.extend(self.remember(Arc::new(Step { words, what })));
                vec![self.write(changes, vec![said])]
            }
        }
    }

    /// Puts what the user set to an earlier or later state. A track that is gone says so.
    fn set_by_hand(
        &mut self,
        track: TrackId,
        hand: Arc<ByHand>,
        said: Event,
        now: Timestamp,
    ) -> Vec<Effect> {
        if self.catalog.get(track).is_none() {
            let reason = Refusal::NotThere;
            return vec![self.write(Vec::new(), vec![Event::EditRefused { track, reason }])];
        }
        self.catalog.put_by_hand(track, hand.short(), now);
        vec![self.write(vec![Change::PutByHand(track, hand)], vec![said])]
    }
}
