//! The table of actions: names, tooltips, keys.

mod decks;
mod everywhere;
mod library;
mod sound;
mod track;

use super::Entry;
use eframe::egui::Modifiers;

const COMMAND_SHIFT: Modifiers = Modifiers {
    shift: true,
    ..Modifiers::COMMAND
};

/// In the order in which they are shown.
const GROUPS: [&[Entry]; 5] = [
    library::ENTRIES,
    sound::ENTRIES,
    track::ENTRIES,
    decks::ENTRIES,
    everywhere::ENTRIES,
];

const COUNT: usize = {
    let mut count = 0;
    let mut group = 0;
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// All actions in the order in which they are shown.
pub const TABLE: &[Entry] = &joined();

const fn joined() -> [Entry; COUNT] {
    let mut all = [GROUPS[0][0]; COUNT];
    let (mut at, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut entry = 0;
        while entry < GROUPS[group].len() {
            all[at] = GROUPS[group][entry];
            at += 1;
            entry += 1;
        }
        group += 1;
    }
    all
}
