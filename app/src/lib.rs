//! The program around the core: the command line, and later the window.

mod cli;
mod exit;
mod format;
mod output;
mod progress;

pub use cli::run;
