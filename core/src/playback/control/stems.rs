//! The stems of the track in the player: which set is read, which of them are heard.

use super::{State, TICK};
use crate::playback::StemMix;
use crate::playback::mixer::ORIGINAL;
use crate::playback::view::StemSound;
use crate::stems::StemFiles;
use crate::track::TrackId;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stems that the player was told of; `None`: there are none any more.
pub(super) struct Due {
    at: Instant,
    files: Option<Arc<StemFiles>>,
}

impl State {
    pub(super) fn set_stems(&mut self, track: TrackId, files: Option<Arc<StemFiles>>) {
        let Some(loaded) = self.view.loaded.as_mut().filter(|it| it.track == track) else {
            return;
        };
        loaded.stems = files.clone().map_or(StemSound::Absent, StemSound::Ready);
        // The set before, as far as it is heard, gives way to the track itself before its blocks are replaced.
        let was_heard = self.order.levels != ORIGINAL && self.streams.is_live();
        self.order.levels = ORIGINAL;
        self.place_order();
        self.stems_due = Some(Due {
            at: Instant::now() + if was_heard { TICK } else { Duration::ZERO },
            files,
        });
        self.take_due(Instant::now());
    }

    /// Has the set read that was told of, when it is time.
    pub(super) fn take_due(&mut self, now: Instant) {
        let Some(due) = self.stems_due.take_if(|due| due.at <= now) else {
            return;
        };
        self.sets += 1;
        let set = self.sets;
        self.io.desk.change(|wish| {
            wish.stems = due.files;
            wish.set = set;
        });
        self.order.set = set;
        self.take_mix();
    }

    pub(super) fn mix(&mut self, change: impl FnOnce(StemMix) -> StemMix) {
        if let Some(loaded) = &mut self.view.loaded
            && matches!(loaded.stems, StemSound::Ready(_))
        {
            loaded.mix = change(loaded.mix);
            self.take_mix();
        }
    }

    /// The mix as the mixer knows it.
    pub(super) fn take_mix(&mut self) {
        if self.stems_due.is_some() {
            return;
        }
        let loaded = self.view.loaded.as_ref();
        let ready = loaded.filter(|it| matches!(it.stems, StemSound::Ready(_)));
        self.order.levels = ready.map_or(ORIGINAL, |loaded| loaded.mix.levels());
        self.place_order();
    }
}
