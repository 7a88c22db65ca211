//! The program around the core: the command line and the window.

pub mod action;
mod cli;
mod dialogs;
mod exit;
mod format;
pub mod gpu;
pub mod journal;
pub mod notices;
pub mod outbox;
mod output;
pub mod panels;
mod progress;
pub mod scene;
pub mod settings;
pub mod shelf;
pub mod theme;
pub mod views;
pub mod widgets;
mod window;

pub use cli::run;
