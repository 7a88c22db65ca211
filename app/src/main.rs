//! The `tonearm` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tonearm::run(std::env::args_os())
}
