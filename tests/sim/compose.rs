//! The demo music: three pieces written and played by code, with the exact truth about each.

mod cover;
mod drum_and_bass;
mod drums;
mod dsp;
mod effects;
mod house;
mod pattern;
pub mod publish;
mod score;
mod soul;
mod stereo;
mod voices;

pub use score::{Clock, Score, Section};
pub use stereo::{RATE, Stereo, frame_at};

/// How loud each piece is, integrated (EBU R 128).
const LOUDNESS_LUFS: f64 = -11.0;

/// A piece of music that can be played.
#[derive(Debug, Clone)]
pub struct Piece {
    pub score: Score,
    /// What listeners hear it as: the codec of its file.
    pub codec: Codec,
    /// Colour of its cover, 0 to 1 around the circle.
    hue: f64,
    /// Times of the bass drum, in seconds.
    kicks: fn(&Score) -> Vec<f64>,
    kick: drums::Kick,
    render: fn(&Score) -> Stereo,
}

/// The three kinds of file that most collections are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    Mp3,
    Aac,
    Vorbis,
}

impl Codec {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Aac => "m4a",
            Self::Vorbis => "ogg",
        }
    }
}

impl Piece {
    pub fn all() -> [Self; 3] {
        [
            Self {
                score: house::score(),
                codec: Codec::Mp3,
                hue: 0.58,
                kicks: house::kicks,
                kick: drums::CLUB,
                render: house::render,
            },
            Self {
                score: drum_and_bass::score(),
                codec: Codec::Aac,
                hue: 0.82,
                kicks: drum_and_bass::kicks,
                kick: drums::TIGHT,
                render: drum_and_bass::render,
            },
            Self {
                score: soul::score(),
                codec: Codec::Vorbis,
                hue: 0.08,
                kicks: soul::kicks,
                kick: drums::WARM,
                render: soul::render,
            },
        ]
    }

    /// Times of the bass drum's strokes in seconds, ascending.
    pub fn kicks(&self) -> Vec<f64> {
        (self.kicks)(&self.score)
    }

    /// The bass drum alone, as it sounds in the piece.
    pub fn drums_alone(&self) -> Stereo {
        let mut out = self.score.silence();
        for at in self.kicks() {
            drums::kick(&mut out, at, 0.8, self.kick);
        }
        out
    }

    /// Plays the piece: the same samples on every run.
    pub fn play(&self) -> Stereo {
        effects::master(&(self.render)(&self.score), LOUDNESS_LUFS)
    }

    /// Its cover as a PNG file.
    pub fn cover(&self) -> Result<Vec<u8>, png::EncodingError> {
        cover::draw(self.hue)
    }
}
