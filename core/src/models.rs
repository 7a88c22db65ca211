//! Models: which there are, where they come from, under which terms, and which are on this machine.

pub mod download;
pub mod manifest;
pub mod shelf;

mod check;
mod server;

pub use check::Verdict;
pub use manifest::{Check, Manifest, Model, ModelFile};
pub use shelf::{Installed, ShelfError};
