//! CPU time of frames: other programs and the waiting for them do not count.

#![expect(clippy::print_stdout, reason = "a bench tells its figures")]

use cpu_time::ThreadTime;

/// Set for figures in CPU time instead of divan's in wall time.
const WANTED: &str = "TONEARM_BENCH_CPU";

const FRAMES: u32 = 200;
const RUNS: u32 = 7;

pub(crate) fn is_wanted() -> bool {
    std::env::var_os(WANTED).is_some()
}

/// Prints the milliseconds of this thread that a frame takes: the least of several runs.
pub(crate) fn report(name: &str, mut frame: impl FnMut() -> usize) {
    let mut least = f64::INFINITY;
    let mut drawn = 0;
    for _run in 0..RUNS {
        let clock = ThreadTime::now();
        for _frame in 0..FRAMES {
            drawn = divan::black_box(frame());
        }
        least = least.min(clock.elapsed().as_secs_f64() * 1000.0 / f64::from(FRAMES));
    }
    println!("{name:50} {least:7.3} ms a frame, {drawn} vertices");
}
