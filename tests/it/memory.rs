//! Long sound is analysed in bounded memory.

use std::time::Duration;
use tonearm_tests::program::{Program, skipped};
use tonearm_tests::waves::{honest, tune_at};

const RATE: u32 = 8_000;
const MINUTES: u32 = 30;
/// What one chapter takes (220 MB when this was written), with room. The whole piece at once would take twice that.
const MOST_BYTES: u64 = 340 << 20;

#[test]
fn half_an_hour_takes_no_more_memory_than_a_chapter() {
    let program = Program::new();
    let bar: Vec<i16> = (0..RATE * 2)
        .map(|frame| (tune_at(3, f64::from(frame) / f64::from(RATE)) * 20_000.0) as i16)
        .collect();
    let samples = bar.repeat(MINUTES as usize * 30);
    let path = program.put("long.wav", &honest(RATE, 1, &samples));
    drop(samples);
    let mut running = program.start(["--json", "import", path.to_str().unwrap()]);
    let mut peak = None;
    // The figure only grows: the last one seen is the one that counts.
    while !matches!(running.poll_line(Duration::from_millis(20)), Ok(None)) {
        peak = running.peak_memory_bytes().or(peak);
    }
    drop(running.end().with_status(0));
    let track = program.show(&path);
    assert_eq!(track["duration"], f64::from(MINUTES) * 60.0);
    let bpm = track["bpm"].as_f64().unwrap();
    assert!(
        (bpm - 120.0).abs() < 0.05,
        "{bpm}: the chapters do not meet"
    );
    let beats = track["beats"].as_array().unwrap().len();
    assert!(beats.abs_diff(3_600) < 20, "{beats} beats");
    let Some(peak) = peak else {
        skipped("this system does not tell how much memory a process has");
        return;
    };
    assert!(peak < MOST_BYTES, "{} MB", peak >> 20);
}
