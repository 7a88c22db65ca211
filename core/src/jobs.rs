//! Work in the background: what may start, the threads that do it, and the built-in analyser.

pub mod native;
pub mod neural;
pub mod plan;
pub mod pool;
pub mod stems;
