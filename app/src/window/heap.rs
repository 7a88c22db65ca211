//! What analysis needs for seconds goes back to the system when it is let go.
//!
//! The C library of most Linux systems gives a large block of memory a mapping of its own, and takes that for large which
//! is larger than anything so far that was let go, up to 32 MB. After one analysis its blocks lie among those of the
//! library, and stay with the process: 437 MB in place of 276, measured with 50,000 tracks after two analyses of one of 21
//! minutes. Fixed sizes can be had without unsafe code only from the environment that a program starts with: the window's
//! program starts itself once more, in its own place, before anything is open.

/// A mark of ours, which no system takes out of the environment; then in bytes: what gets a mapping of its own; what is given back at
/// the end of a heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const VALUES: [&str; 3] = ["1", "262144", "1048576"];

/// Returns when the sizes are set, or cannot be: then it is only memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn settle() {
    use std::os::unix::process::CommandExt as _;
    let names = tonearm_core::python::NOT_HANDED_ON;
    if names.iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    let mut words = std::env::args_os();
    let (Some(name), Ok(program)) = (words.next(), std::env::current_exe()) else {
        return;
    };
    // What was started through a loader is not found again this way.
    if std::path::Path::new(&name).file_name() != program.file_name() {
        return;
    }
    let mut command = std::process::Command::new(program);
    let error = command
        .arg0(name)
        .args(words)
        .envs(names.into_iter().zip(VALUES))
        .exec();
    tracing::debug!(%error, "memory is not given back early");
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn settle() {}
