//! The player without a device: the mixer alone, the loader with files, streams with made-up devices.

mod files;
mod mixing;
mod streaming;
