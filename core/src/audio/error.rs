//! Why a file cannot be listened to, in words a DJ can act on.

use crate::failure::{Failure, FailureKind};
use std::io;

/// Why a file's audio is not usable. The path is the caller's to add.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    #[error("The file is not there")]
    Missing,
    #[error("The file cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("The file is empty")]
    NoBytes,
    #[error("The file holds no sound")]
    NoSamples,
    #[error("This is not an audio file that we know")]
    NotAudio,
    #[error("The file is cut off: it ends before its sound begins")]
    CutOff,
    #[error("The file has no audio track")]
    NoAudioTrack,
    #[error("The file is copy-protected")]
    Encrypted,
    #[error("HE-AAC is not supported")]
    HeAac,
    #[error("{0} is not supported")]
    Unsupported(String),
    #[error("The file is damaged: {0}")]
    Damaged(String),
}

impl AudioError {
    /// What kind of failure this is, what happened, and what the user can do about it.
    pub fn failure_parts(&self) -> (FailureKind, String, String) {
        let (kind, remedy) = match self {
            Self::Missing => (FailureKind::Missing, Failure::MISSING.1),
            // In the words of whoever else reads the file.
            Self::Unreadable(error) => {
                let Failure {
                    message, remedy, ..
                } = Failure::from_io(error);
                return (FailureKind::Unreadable, message, remedy);
            }
            Self::NoBytes => (
                FailureKind::Empty,
                "Copy or download the file again: nothing is in it",
            ),
            Self::NoSamples => (
                FailureKind::Empty,
                "Replace the file: it has no music in it",
            ),
            Self::NotAudio => (
                FailureKind::Unsupported,
                "Use WAV, AIFF, FLAC, ALAC, MP3, AAC, Ogg Vorbis or Opus",
            ),
            Self::CutOff => (
                FailureKind::Damaged,
                "Copy or download the file again: what is here is only its beginning",
            ),
            Self::NoAudioTrack => (
                FailureKind::Unsupported,
                "Choose a file with sound: this one has only pictures or data",
            ),
            Self::Encrypted => (
                FailureKind::Unsupported,
                "Get a copy without protection from the shop that sold it",
            ),
            Self::HeAac => (
                FailureKind::Unsupported,
                "Convert the track to AAC-LC, FLAC or MP3",
            ),
            Self::Unsupported(_) => (
                FailureKind::Unsupported,
                "Convert the track to FLAC, WAV or MP3",
            ),
            Self::Damaged(_) => (
                FailureKind::Damaged,
                "Replace the file with a fresh copy, or re-encode it",
            ),
        };
        (kind, self.to_string(), remedy.to_owned())
    }
}

impl From<io::Error> for AudioError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else {
            Self::Unreadable(error)
        }
    }
}
