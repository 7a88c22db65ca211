//! The panels of the window. A view reads the scene, draws, and pushes what it wants into the outbox.

pub mod imports;
pub mod library;
pub mod track;
