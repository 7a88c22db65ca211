//! Chords of sounds whose harmony is known.
