//! Chords and key from chroma and beats.
