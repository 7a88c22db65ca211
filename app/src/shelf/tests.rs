//! The shelf from outside.
