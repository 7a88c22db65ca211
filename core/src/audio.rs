//! Sound from files: decoding, resampling, the waveform, loudness, and one pass that feeds all of them.
//!
//! Time 0 is the first sample that a listener is meant to hear. WAV, AIFF, FLAC, ALAC, Vorbis, Opus, MP3 with
//! a LAME tag, and AAC in MP4 with an edit list or an iTunes tag match their source to the sample. Two kinds of file do not say
//! how much their encoder put in front; they are presented whole, as every other player does, and lag by
//! [`TAGLESS_MP3_LAG`] and [`ADTS_LAG`].

pub mod bench;
mod damage;
mod decode;
mod error;
mod filter;
pub mod flac;
mod interleave;
mod listen;
mod meter;
mod mp4;
pub mod pcm;
mod peaks;
pub mod resample;
mod source;
pub mod stereo;
mod unfinished;

pub use damage::{Damage, End};
pub use decode::Decoder;
pub use error::AudioError;
pub use listen::{Chapter, Heard, ListenError, Wants, listen, mix_to_mono};
pub use meter::Meter;
pub use peaks::{LiveColumns, Peaks};

/// Frames of silence that an MP3 without a LAME tag has before its music, when LAME made it: 576 of the
/// encoder and 529 of any decoder.
pub const TAGLESS_MP3_LAG: u64 = 1105;

/// Frames of silence before the music of a bare AAC stream (ADTS), for an encoder of one frame's delay.
pub const ADTS_LAG: u64 = 1024;

#[cfg(test)]
mod tests;
