//! Simulators and signal makers that the tests share.

pub mod card;
pub mod compose;
pub mod engine_library;
pub mod program;
pub mod pulse;
pub mod screen;
pub mod waves;
pub mod window;
