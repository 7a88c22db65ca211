//! What the views ask for in one frame; carried out after the last of them is drawn.

use crate::action::Action;
use crate::notices::Notice;
use tonearm_core::core_loop::command::Command;
use tonearm_core::playback::PlayerCommand;

#[derive(Debug, Default, PartialEq)]
pub struct Outbox {
    pub actions: Vec<Action>,
    pub commands: Vec<Command>,
    /// Those that the user was asked about and agreed to.
    pub agreed: Vec<Command>,
    pub sound: Vec<PlayerCommand>,
    pub notices: Vec<Notice>,
    /// Goes to the clipboard.
    pub copied: Option<String>,
}

impl Outbox {
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
