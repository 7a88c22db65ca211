//! The `tonearm` program.

fn main() {}
