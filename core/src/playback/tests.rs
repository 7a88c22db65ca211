//! The player without a device: the mixer alone, the loader with files, streams with made-up devices.

use assert_no_alloc::AllocDisabler;

/// Ends the test when a callback asks for memory; elsewhere it does nothing.
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

mod callback;
mod files;
#[cfg(target_os = "linux")]
mod hanging;
mod mixing;
mod stems;
mod streaming;
