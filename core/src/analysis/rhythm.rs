//! Beats, bars and tempo of one stretch of sound.
