//! Who gives way to whom on a machine that is busy.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use tonearm_tests::program::Program;
use tonearm_tests::waves::tune;

/// How nice each thread of a process is, by its name.
fn niceness(process: u32) -> BTreeMap<String, i32> {
    let folder = format!("/proc/{process}/task");
    let threads = fs::read_dir(folder).unwrap().filter_map(|entry| {
        let stat = fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        // `id (name) state …`: the niceness is the 19th of all fields, the 17th behind the name.
        let (before, after) = stat.rsplit_once(") ")?;
        let (_, name) = before.split_once('(')?;
        let nice = after.split(' ').nth(16)?.parse().ok()?;
        Some((name.to_owned(), nice))
    });
    threads.collect()
}

#[test]
fn jobs_give_way_to_the_rest_of_the_program() {
    let program = Program::new();
    for seed in 0..20 {
        program.put(format!("{seed}.wav"), &tune(seed, 20.0, 44_100, 2));
    }
    let music = program.music();
    let mut running = program.start(["--json", "import", music.to_str().unwrap()]);
    // The first result: its thread is at work.
    while !running.next_line().unwrap().contains("\"artifact\"") {}
    let found = niceness(running.id());
    let own = found["tonearm"];
    let jobs: Vec<i32> = found
        .iter()
        .filter(|(name, _)| name.starts_with("job-"))
        .map(|(_, nice)| *nice)
        .collect();
    assert!(!jobs.is_empty(), "{found:?}");
    assert!(jobs.iter().all(|nice| *nice == 10), "{found:?}");
    assert_eq!(found["core"], own, "the core is as quick as the program");
    assert!(own < 10, "{found:?}");
    running.kill();
}
