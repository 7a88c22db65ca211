//! Python beside this program: the interpreter, the environment that we install, the workers that run in it. The only
//! place that starts processes.

pub mod device;
pub mod environment;
pub mod fingerprint;
pub mod interpreter;
pub mod machine;
pub mod protocol;
pub mod resources;
mod words;
pub mod worker;

mod child;
mod idle;
mod meter;
mod pip;
mod replies;
mod site;
mod trial;
mod trouble;
mod venv;

pub use idle::Workers;
pub use pip::Wheels;
pub(crate) use trial::holds;
pub use venv::{Build, BuildError, Building, Step, build};
pub(crate) use venv::{sizes, still};

/// How the C library keeps memory, as the window's program sets it for itself, with the mark that it did: what computes for a
/// minute does better without.
pub const NOT_HANDED_ON: [&str; 3] = [
    "TONEARM_MEMORY",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
];
