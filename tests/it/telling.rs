//! What the program tells people of its work, and where it leaves things alone.

use std::process::Stdio;
use tonearm_tests::program::{Program, binary, finish};

#[test]
fn the_demonstration_stays_out_of_the_library_that_the_environment_names() {
    let program = Program::new();
    let mut command = std::process::Command::new(binary());
    command
        .current_dir(program.folder())
        .env("HOME", program.folder())
        .env("TONEARM_LIBRARY", program.library())
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish(command).with_status(0);
    assert!(!program.library().join("library.redb").exists());
    assert!(program.library().join("demo/library.redb").exists());
    assert_eq!(program.list(&[]).len(), 0);
}
