//! The panels of the window. A view reads the scene, draws, and pushes what it wants into the outbox.

pub mod decks;
pub mod help;
pub mod imports;
pub mod library;
pub mod log;
mod makers;
pub mod menu;
pub mod path_entry;
pub mod settings;
pub mod setup;
pub mod track;
