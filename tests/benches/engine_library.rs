//! CPU time of opening and reading an Engine DJ library of 50,000 tracks: the least of five runs.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench without its library has nothing to measure, and says what it measured"
)]

use cpu_time::ProcessTime;
use std::time::Duration;
use tonearm_core::control::Control;
use tonearm_core::enginedj::find::find;
use tonearm_core::enginedj::{Library, Options};
use tonearm_tests::engine_library::EngineLibrary;

const ROWS: usize = 50_000;
const RUNS: usize = 5;

fn main() {
    for schema in [(2, 21, 2), (3, 0, 2)] {
        let drive = tempfile::tempdir().expect("a folder");
        let made = EngineLibrary::create(drive.path(), schema).expect("a library");
        made.add_many(ROWS).expect("rows");
        let bytes = std::fs::metadata(&made.database).expect("a file").len();
        let found = find(drive.path()).expect("found").remove(0);
        let options = |check| Options {
            check,
            ..Options::default()
        };
        let mut least = [Duration::MAX; 3];
        for _ in 0..RUNS {
            let plain = timed(|| {
                drop(Library::open(&found, &options(false), &Control::default()).expect("opens"));
            });
            let checked = timed(|| {
                drop(Library::open(&found, &options(true), &Control::default()).expect("opens"));
            });
            let library =
                Library::open(&found, &options(false), &Control::default()).expect("opens");
            let read = timed(|| assert_eq!(library.tracks().flatten().count(), ROWS));
            for (least, run) in least.iter_mut().zip([plain, checked, read]) {
                *least = (*least).min(run);
            }
        }
        let [plain, checked, read] = least.map(|time| time.as_secs_f64());
        println!(
            "schema {schema:?}, {:.0} MB: copy and open {plain:.3} s, with check {checked:.3} s, read {read:.3} s ({:.0} rows/s)",
            bytes as f64 / 1e6,
            ROWS as f64 / read
        );
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = ProcessTime::now();
    work();
    start.elapsed()
}
