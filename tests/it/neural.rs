//! Workers, models and the engine ladder, with a worker that has no model in it.

#[cfg(unix)]
mod building;
mod chain;
mod downloads;
mod real;
mod workers;

use std::path::{Path, PathBuf};

/// The worker that does what a test wants.
fn fake_worker() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_fake_worker"))
}

/// Whether a process of that number is there and no zombie (Linux; elsewhere nobody is).
fn lives(id: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}
