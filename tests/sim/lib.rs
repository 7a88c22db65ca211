//! Simulators and signal makers that the tests share.

pub mod compose;
