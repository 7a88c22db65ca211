//! What is written, what of it reached the disk, and what happens when it did not.

use super::State;
use crate::control::Control;
use crate::core_loop::event::Event;
use crate::core_loop::input::{Effect, ImportNews, Input, RelinkNews};
use crate::failure::Failure;
use crate::jobs::pool::JobNews;
use crate::store::Change;

impl State {
    /// One transaction, counted until it is on disk.
    pub(super) fn write(&mut self, changes: Vec<Change>, events: Vec<Event>) -> Effect {
        self.writes_in_flight += 1;
        self.writes_asked += 1;
        Effect::Write { changes, events }
    }

    pub(super) fn written(&mut self, events: Vec<Event>) -> Vec<Effect> {
        self.writes_in_flight = self.writes_in_flight.saturating_sub(1);
        self.writes_answered += 1;
        self.hands.written(self.writes_answered);
        let mut effects: Vec<Effect> = events.into_iter().map(Effect::Say).collect();
        effects.extend(self.answer_waiting_questions());
        effects
    }

    /// News of work that began before the library was read again: only that it has ended counts.
    pub(super) fn only_ends(&mut self, input: &Input) -> Vec<Effect> {
        match input {
            Input::Job(id, JobNews::Ended(_)) => {
                self.running.remove(id);
            }
            Input::Import(ImportNews::Ended { .. }) => {
                if let Some(import) = self.import.take() {
                    return vec![Effect::Say(import.finished())];
                }
            }
            Input::Relink(RelinkNews::Ended { request }) => {
                self.relinking = None;
                return vec![Effect::Say(Event::RelinkFinished { request: *request })];
            }
            _ => {}
        }
        Vec::new()
    }

    /// Nothing is started any more; the state goes back to what is on disk.
    pub(super) fn write_failed(&mut self, failure: Failure) -> Vec<Effect> {
        self.writes_in_flight = self.writes_in_flight.saturating_sub(1);
        self.writes_answered += 1;
        if self.reloading {
            return Vec::new();
        }
        self.storage_trouble = Some(failure.clone());
        self.reloading = true;
        self.hands.fall_back();
        let mut effects = self.cancel(Control::cancel);
        effects.push(Effect::Reload);
        effects.push(Effect::Say(Event::StorageFailed(failure)));
        effects
    }
}
