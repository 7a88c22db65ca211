//! Keys of chord sequences whose key is known.
