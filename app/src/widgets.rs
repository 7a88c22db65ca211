//! Drawings that several views share. They know nouns of the core, not the core.

pub mod activity;
pub mod preview;
pub mod shape;
pub mod wave;
