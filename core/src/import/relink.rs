//! Finds where missing files went. Pure: decides from sizes, names and hashes that others collect.
