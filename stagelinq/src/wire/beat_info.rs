//! `BeatInfo`: position, beat and tempo of all decks, about 29 times a second.
//!
//! Each frame starts with a number of four bytes: 0 starts the stream, 1 stops it, 2 is data:
//!
//! | field | bytes |
//! |---|---|
//! | the player's clock in ns | 8 |
//! | number of decks N | 4 |
//! | N times: beat, beats in the track, beats per minute | 3 × 8, floats |
//! | N times: position in samples of the file | 8, float |

use super::{DecodeError, Reader, Writer};

/// Decks of one player at most; four exist.
pub const MAX_DECKS: usize = 16;

/// One deck in one frame. All are as the player says them, also when they make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DeckBeat {
    /// Beats along the track's grid, with fraction; negative before its first beat.
    pub beat: f64,
    /// Beats in the whole track, 0 when nothing is loaded.
    pub total_beats: f64,
    /// Beats per minute as heard, pitch included.
    pub bpm: f64,
    /// Position in samples at the file's own rate, whatever the pitch; may be negative.
    pub samples: f64,
}

/// The state of all decks at one moment of the player's clock.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BeatFrame {
    /// Nanoseconds since a start that only the player knows.
    pub clock_ns: u64,
    /// In order of the decks.
    pub decks: Vec<DeckBeat>,
}

/// One frame of `BeatInfo`.
#[derive(Debug, Clone, PartialEq)]
pub enum BeatInfo {
    /// "Send."
    Start,
    /// "Stop sending."
    Stop,
    /// Where the decks are.
    Frame(BeatFrame),
}

impl BeatInfo {
    /// The frame with its length.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.frame(|out| match self {
            Self::Start => {
                out.u32(0);
            }
            Self::Stop => {
                out.u32(1);
            }
            Self::Frame(frame) => {
                out.u32(2).u64(frame.clock_ns).u32(frame.decks.len() as u32);
                for deck in &frame.decks {
                    out.f64(deck.beat).f64(deck.total_beats).f64(deck.bpm);
                }
                for deck in &frame.decks {
                    out.f64(deck.samples);
                }
            }
        });
        out.0
    }

    /// Of a frame without its length.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(frame);
        let message = match reader.u32("kind")? {
            0 => Self::Start,
            1 => Self::Stop,
            2 => {
                let clock_ns = reader.u64("clock")?;
                let length = reader.count("decks", 32)?;
                if length > MAX_DECKS {
                    return Err(DecodeError::Long {
                        field: "decks",
                        length,
                        limit: MAX_DECKS,
                    });
                }
                let mut decks = vec![DeckBeat::default(); length];
                for deck in &mut decks {
                    deck.beat = reader.f64("beat")?;
                    deck.total_beats = reader.f64("beats in the track")?;
                    deck.bpm = reader.f64("tempo")?;
                }
                for deck in &mut decks {
                    deck.samples = reader.f64("position")?;
                }
                Self::Frame(BeatFrame { clock_ns, decks })
            }
            kind => {
                return Err(DecodeError::Unknown {
                    field: "kind",
                    value: u64::from(kind),
                });
            }
        };
        reader.end()?;
        Ok(message)
    }
}
