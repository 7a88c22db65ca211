//! What views wait for: bounded, the newest first.

use super::ArtSize;
use super::keep::{ArtOf, Edition};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use tonearm_core::decks::PlayerArt;
use tonearm_core::stems::StemSet;
use tonearm_core::track::TrackId;
use tonearm_core::units::Frame;

/// Wishes that may wait in each lane. The oldest is forgotten: who still wants it asks again in the next frame.
const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// Whose turn a wish waits for: a drive that hangs must not hold up what is in the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// The library on disk.
    Library,
    /// The user's files.
    Files,
}

/// What is to be fetched, with all that it takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Job {
    Waveform(TrackId),
    /// And whether they are a draft.
    Stems(TrackId, Box<StemSet>, bool),
    Preview(TrackId),
    Details(TrackId),
    Art(TrackId, PathBuf, ArtSize),
    PlayerArt(Arc<PlayerArt>, ArtSize),
    Samples(TrackId, PathBuf, Frame, Frame),
}

/// Two wishes for the same place are one: the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Waveform(TrackId),
    Stems(TrackId),
    Preview(TrackId),
    Details(TrackId),
    Art(ArtOf, ArtSize),
    Samples(TrackId),
}

impl Job {
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Waveform(id) => Place::Waveform(*id),
            Self::Stems(id, ..) => Place::Stems(*id),
            Self::Preview(id) => Place::Preview(*id),
            Self::Details(id) => Place::Details(*id),
            Self::Art(id, _, size) => Place::Art(ArtOf::Track(*id), *size),
            Self::PlayerArt(art, size) => Place::Art(ArtOf::Player(art.hash), *size),
            Self::Samples(id, ..) => Place::Samples(*id),
        }
    }

    fn lane(&self) -> Lane {
        match self {
            // A picture in memory waits for no drive.
            Self::Waveform(_)
            | Self::Stems(..)
            | Self::Preview(_)
            | Self::Details(_)
            | Self::PlayerArt(..) => Lane::Library,
            Self::Art(..) | Self::Samples(..) => Lane::Files,
        }
    }
}

#[derive(Debug)]
pub(super) struct Wishes {
    library: LruCache<Place, (Job, Edition)>,
    files: LruCache<Place, (Job, Edition)>,
    /// What is being fetched now, one of each lane at most.
    under_way: Vec<(Job, Edition)>,
    are_served: bool,
    is_news: bool,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            library: LruCache::new(MOST),
            files: LruCache::new(MOST),
            under_way: Vec::new(),
            are_served: false,
            is_news: false,
        }
    }
}

impl Wishes {
    /// Somebody fetches from now on.
    pub(super) fn serve(&mut self) {
        self.are_served = true;
    }

    /// Forgets all wishes and takes no more.
    pub(super) fn stop(&mut self) {
        self.are_served = false;
        self.library.clear();
        self.files.clear();
    }

    /// False when nobody serves wishes.
    pub(super) fn add(&mut self, job: Job, edition: Edition) -> bool {
        if !self.are_served {
            return false;
        }
        let is_under_way = self
            .under_way
            .iter()
            .any(|(running, of)| *running == job && *of == edition);
        if !is_under_way {
            let list = self.list(job.lane());
            let is_new = list.put(job.place(), (job, edition)).is_none();
            self.is_news |= is_new;
        }
        true
    }

    /// The newest wish; it is under way until [`Wishes::finish`].
    pub(super) fn take(&mut self, lane: Lane) -> Option<(Job, Edition)> {
        let (_, wish) = self.list(lane).pop_mru()?;
        self.under_way.push(wish.clone());
        Some(wish)
    }

    pub(super) fn finish(&mut self, job: &Job, edition: Edition) {
        self.under_way
            .retain(|(running, of)| running != job || *of != edition);
    }

    pub(super) fn is_empty(&mut self, lane: Lane) -> bool {
        self.list(lane).is_empty()
    }

    /// Whether there are wishes that nobody has been woken for.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.is_news)
    }

    fn list(&mut self, lane: Lane) -> &mut LruCache<Place, (Job, Edition)> {
        match lane {
            Lane::Library => &mut self.library,
            Lane::Files => &mut self.files,
        }
    }
}
