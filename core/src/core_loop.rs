//! The running core: commands in, views and events out.

pub mod command;
pub mod event;
pub mod view;

pub(crate) mod input;

mod by_source;
mod catalog;
mod means;
mod queue;
mod reader;
mod run;
mod state;
mod writer;

pub use reader::Reader;
pub use run::{Config, Core, StartError};
