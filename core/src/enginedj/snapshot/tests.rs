//! Copies taken while someone writes.
