//! The library in open formats.

pub mod csv;
pub mod document;
pub mod file;
pub mod json;
pub mod m3u8;

#[cfg(test)]
pub(crate) mod samples;
