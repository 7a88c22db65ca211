//! The library in open formats.

pub mod document;
pub mod json;
