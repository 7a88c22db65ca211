//! Workers, models and the engine ladder, with a worker that has no model in it.

#[cfg(unix)]
mod building;
mod chain;
mod downloads;
mod exchange;
mod real;
mod workers;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The worker that does what a test wants.
fn fake_worker() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_fake_worker"))
}

/// Whether a process of that number is there and no zombie (Linux; elsewhere nobody is).
fn lives(id: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Whether it has ended, or does in a moment: the system takes its time on a busy machine.
fn ends(id: &str) -> bool {
    let began = Instant::now();
    while lives(id) && began.elapsed() < Duration::from_secs(20) {
        std::thread::yield_now();
    }
    !lives(id)
}

/// A list with a model for each family, as `(id, family, file)`. That for stems is not free.
fn models(all: &[(&str, &str, &str)]) -> String {
    let models: Vec<Value> = all
        .iter()
        .map(|(id, family, file)| {
            json!({"id": id, "family": family, "title": id, "is_for": "tests", "code_licence": "MIT",
                "weight_licence": "MIT", "is_free": *family != "stems", "notice": null, "link": "",
                "files": [{"name": file, "also": [], "urls": [], "about_bytes": 4,
                    "most_bytes": 10_000_000, "check": "unpinned"}]})
        })
        .collect();
    json!({"models": models}).to_string()
}
