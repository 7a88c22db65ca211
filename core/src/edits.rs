//! What the user changed by hand: kept apart from what analysis found, and above it for ever.

mod keys;
mod tempo;

use crate::artifact::Artifact;
use crate::beats::Beats;
use crate::harmony::{Key, KeyFinding};
use crate::units::Bpm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One change by hand to one track. It is made to what is shown now, and stays whatever later analysis finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edit {
    /// Every second beat goes.
    HalveTempo,
    /// A beat more between each two.
    DoubleTempo,
    /// The best other tempo that analysis offers; asked again, the next, and after the last the first.
    NextTempo,
    /// Beats at exactly this tempo, 20 to 500 a minute; a tempo that analysis offers is made as [`Self::NextTempo`] makes it.
    SetTempo(Bpm),
    /// The downbeat moves by this many beats, later for positive numbers.
    ShiftDownbeat(i8),
    /// The best other key that analysis offers; asked again, the next, and after the last the first.
    NextKey,
    SetKey(Key),
    /// Back to what analysis finds, for beats.
    ForgetBeats,
    /// Back to what analysis finds, for the key.
    ForgetKey,
    /// Back to what analysis finds, for all of it.
    ForgetAll,
}

impl Edit {
    /// What was done, in words that go before "of" and the track's title.
    pub fn words(self) -> String {
        match self {
            Self::HalveTempo => "half tempo".to_owned(),
            Self::DoubleTempo => "double tempo".to_owned(),
            Self::NextTempo => "other tempo".to_owned(),
            Self::SetTempo(bpm) => format!("tempo {}", (bpm.0 * 100.0).round() / 100.0),
            Self::ShiftDownbeat(_) => "moved downbeat".to_owned(),
            Self::NextKey => "other key".to_owned(),
            Self::SetKey(key) => format!("key {}", key.camelot()),
            Self::ForgetBeats => "analysed beats".to_owned(),
            Self::ForgetKey => "analysed key".to_owned(),
            Self::ForgetAll => "analysed beats and key".to_owned(),
        }
    }
}

/// Why a change by hand cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it has no beats yet")]
    NoBeats,
    #[error("its beats are too few to change")]
    TooFewBeats,
    #[error("its tempo is as low as it can be")]
    TooSlow,
    #[error("its tempo is as high as it can be")]
    TooFast,
    #[error("analysis offers no other tempo")]
    NoOtherTempo,
    #[error("it has no key yet")]
    NoKey,
    #[error("analysis offers no other key")]
    NoOtherKey,
    #[error("its beats are as analysis found them")]
    BeatsAreAsFound,
    #[error("its key is as analysis found it")]
    KeyIsAsFound,
    #[error("its beats and its key are as analysis found them")]
    AllIsAsFound,
    #[error("it is no longer in the library")]
    NotThere,
    #[error("its file came back into the library by itself")]
    BackAlready,
    #[error("too many changes wait")]
    TooMany,
    #[error("what is stored of it cannot be read")]
    Unreadable,
}

/// All that the user set by hand for one track: whole results, which no later analysis changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ByHand {
    pub beats: Option<Beats>,
    pub key: Option<KeyFinding>,
}

impl ByHand {
    pub fn is_empty(&self) -> bool {
        self.beats.is_none() && self.key.is_none()
    }

    /// What of it is set: `beats`, `key`.
    pub fn artifacts(&self) -> BTreeSet<Artifact> {
        self.short().artifacts()
    }

    /// What rows show of it.
    pub fn short(&self) -> ShortByHand {
        ShortByHand {
            tempo: self.beats.as_ref().map(|beats| TempoByHand {
                bpm: beats.bpm,
                is_constant: beats.grid.is_some(),
            }),
            key: self.key.as_ref().map(|found| found.key),
        }
    }
}

/// The short form of [`ByHand`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ShortByHand {
    pub tempo: Option<TempoByHand>,
    pub key: Option<Key>,
}

impl ShortByHand {
    pub fn is_empty(&self) -> bool {
        self.tempo.is_none() && self.key.is_none()
    }

    /// What of it is set: `beats`, `key`.
    pub fn artifacts(&self) -> BTreeSet<Artifact> {
        let beats = self.tempo.map(|_| Artifact::Beats);
        let key = self.key.map(|_| Artifact::Key);
        beats.into_iter().chain(key).collect()
    }
}

/// The tempo of beats that were set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TempoByHand {
    pub bpm: Bpm,
    pub is_constant: bool,
}

/// What analysis found of a track, as far as it can be changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub beats: Option<Beats>,
    pub key: Option<KeyFinding>,
}

/// What is set by hand after `edit`, when `hand` was before and analysis found `found`.
pub fn apply(edit: Edit, found: &Found, hand: &ByHand) -> Result<ByHand, Refusal> {
    let shown = hand.beats.as_ref().or(found.beats.as_ref());
    let shown_key = hand.key.as_ref().or(found.key.as_ref());
    let with_beats = |beats| ByHand {
        beats: Some(beats),
        key: hand.key.clone(),
    };
    let with_key = |key| ByHand {
        beats: hand.beats.clone(),
        key: Some(key),
    };
    match edit {
        Edit::HalveTempo => tempo::halve(shown.ok_or(Refusal::NoBeats)?).map(with_beats),
        Edit::DoubleTempo => tempo::double(shown.ok_or(Refusal::NoBeats)?).map(with_beats),
        Edit::NextTempo => {
            let shown = shown.ok_or(Refusal::NoBeats)?;
            tempo::next(shown, found.beats.as_ref()).map(with_beats)
        }
        Edit::SetTempo(target) => {
            let shown = shown.ok_or(Refusal::NoBeats)?;
            tempo::set(shown, found.beats.as_ref(), target).map(with_beats)
        }
        Edit::ShiftDownbeat(by) => {
            tempo::shift_downbeat(shown.ok_or(Refusal::NoBeats)?, by).map(with_beats)
        }
        Edit::NextKey => {
            let shown = shown_key.ok_or(Refusal::NoKey)?;
            keys::next(shown, found.key.as_ref()).map(with_key)
        }
        Edit::SetKey(key) => Ok(with_key(keys::set(key, shown_key))),
        Edit::ForgetBeats if hand.beats.is_none() => Err(Refusal::BeatsAreAsFound),
        Edit::ForgetBeats => Ok(ByHand {
            beats: None,
            key: hand.key.clone(),
        }),
        Edit::ForgetKey if hand.key.is_none() => Err(Refusal::KeyIsAsFound),
        Edit::ForgetKey => Ok(ByHand {
            beats: hand.beats.clone(),
            key: None,
        }),
        Edit::ForgetAll if hand.is_empty() => Err(Refusal::AllIsAsFound),
        Edit::ForgetAll => Ok(ByHand::default()),
    }
}

#[cfg(test)]
mod tests;
