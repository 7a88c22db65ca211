//! Bringing music in: find files, read their tags, hash them, and decide what they are.
//!
//! Order of work: [`scan::walk`] → [`dedupe::decide`] → [`tags::read`] → stored → [`hash::sha256`].
//! [`presence`] and [`relink`] deal with files that are no longer where they were.

pub(crate) mod borrow;
pub(crate) mod claim;
pub mod cover;
pub mod dedupe;
mod engine;
pub mod hash;
pub mod named;
pub mod playlist;
pub mod presence;
pub mod reading;
pub mod relink;
mod relinking;
pub mod scan;
pub(crate) mod session;
pub mod tags;
mod tags_fields;
pub(crate) mod tags_values;
