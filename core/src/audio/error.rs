//! Why a file cannot be listened to, in words a DJ can act on.

use crate::failure::FailureKind;
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
            Self::Missing => (
                FailureKind::Missing,
                "Reconnect its drive, or relink the track",
            ),
            Self::Unreadable(error) if error.kind() == io::ErrorKind::PermissionDenied => (
                FailureKind::Unreadable,
                "Change the permissions of the file so that you may read it",
            ),
            Self::Unreadable(_) => (
                FailureKind::Unreadable,
                "Connect its drive again; if it is connected, check the health of the drive",
            ),
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
