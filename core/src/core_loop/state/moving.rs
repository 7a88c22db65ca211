//! Files that are no longer where they were: gone, moved, found again.

use super::State;
use super::importing::Import;
use crate::core_loop::catalog::moved;
use crate::core_loop::command::Extent;
use crate::core_loop::event::{Event, RelinkOutcome};
use crate::core_loop::input::{Effect, RelinkFound, RelinkNews};
use crate::core_loop::queue::Wish;
use crate::findings::Knowledge;
use crate::jobs::plan;
use crate::store::Change;
use crate::track::{ContentHash, FilePath, FileStamp, TrackId};
use jiff::Timestamp;
use std::path::Path;

impl State {
    /// Where a file only moved within an imported folder, keeps the older track and lets go of the newer.
    ///
    /// The newer one is `newcomer`, or else one that the import under way brought in.
    pub(super) fn reconcile(
        &mut self,
        hash: &ContentHash,
        newcomer: Option<TrackId>,
        now: Timestamp,
    ) -> Option<(Vec<Change>, Event)> {
        let import = self.import.as_ref();
        let is_newcomer =
            |id| Some(id) == newcomer || import.is_some_and(|import| import.brought_in(id));
        let (gone, here) = self.catalog.moved_pair(hash, is_newcomer)?;
        let extent = import.and_then(Import::extent);
        let wish = self.catalog.found(here.id).unwrap_or_default();
        self.catalog.remove(here.id, now);
        let event = Event::Relinked {
            request: None,
            track: gone.id,
            from: gone.path.as_path().to_path_buf(),
            to: RelinkOutcome::Moved(here.path.as_path().to_path_buf()),
        };
        let mut changes = vec![Change::RemoveTrack(here.id)];
        changes.extend(self.move_track(gone.id, here.path, here.stamp, now));
        changes.extend(self.inherit(gone.id, &wish, now));
        if let Some(extent) = extent.or(self.eager.then_some(Extent::Everything)) {
            self.queue.push(
                gone.id,
                Wish {
                    extent,
                    ..Wish::default()
                },
            );
        }
        Some((changes, event))
    }

    /// What the user wished of the newer entry is wished of the older one: stems that it has not, and who analyses it.
    fn inherit(&mut self, id: TrackId, wish: &Knowledge, now: Timestamp) -> Option<Change> {
        let row = self.catalog.get(id)?;
        let mut knowledge = self.catalog.found(id)?;
        if wish.stems_asked && plan::is_wanting(&row.track, &row.knowledge, &self.recipes) {
            knowledge.stems_asked = true;
            knowledge.stems_asked_at = wish.stems_asked_at;
        }
        if !wish.engine.is_auto() {
            knowledge.engine = wish.engine;
        }
        self.catalog.put_knowledge(id, knowledge.clone(), now);
        Some(Change::PutKnowledge(id, knowledge))
    }

    /// The track now lives at `to`; its analysis stays.
    pub(super) fn move_track(
        &mut self,
        id: TrackId,
        to: FilePath,
        stamp: FileStamp,
        now: Timestamp,
    ) -> Vec<Change> {
        let (Some(track), Some(found)) = (self.catalog.track(id), self.catalog.found(id)) else {
            return Vec::new();
        };
        let (track, knowledge) = moved(&track, &found, to, stamp);
        self.catalog.put_track(track.clone(), now);
        self.catalog.put_knowledge(id, knowledge.clone(), now);
        vec![Change::PutTrack(track), Change::PutKnowledge(id, knowledge)]
    }

    pub(super) fn relink_news(&mut self, news: RelinkNews, now: Timestamp) -> Vec<Effect> {
        match news {
            RelinkNews::Ended { request } => {
                self.relinking = None;
                vec![self.write(Vec::new(), vec![Event::RelinkFinished { request }])]
            }
            RelinkNews::Found { request, found } => {
                let mut changes = Vec::new();
                let mut events = Vec::new();
                for RelinkFound {
                    track,
                    from,
                    to,
                    stamp,
                } in found
                {
                    let to = match (to, stamp) {
                        (RelinkOutcome::Moved(path), Some(stamp)) => {
                            if self.may_move(track, &from, &path) {
                                let to = FilePath(path.clone());
                                changes.extend(self.move_track(track, to, stamp, now));
                                RelinkOutcome::Moved(path)
                            } else {
                                RelinkOutcome::NotFound
                            }
                        }
                        (other, _) => other,
                    };
                    let request = Some(request);
                    events.push(Event::Relinked {
                        request,
                        track,
                        from,
                        to,
                    });
                }
                self.relink_waits = true;
                let mut effects = vec![self.write(changes, events)];
                effects.extend(self.answer_waiting_questions());
                effects
            }
        }
    }

    /// Whether the track still is where the search saw it, and no other has taken the place.
    fn may_move(&self, track: TrackId, from: &Path, to: &Path) -> bool {
        let is_there = self
            .catalog
            .get(track)
            .is_some_and(|row| row.track.path.as_path() == from);
        is_there
            && self
                .catalog
                .index
                .at_path(to)
                .is_none_or(|other| other == track)
    }

    /// The file is not there: the track is missing, which says more than that its analysis failed.
    pub(super) fn vanished(&mut self, id: TrackId, now: Timestamp) -> Vec<Change> {
        match self.catalog.track(id) {
            Some(mut track) if !track.missing => {
                track.missing = true;
                self.catalog.put_track(track.clone(), now);
                vec![Change::PutTrack(track)]
            }
            _ => Vec::new(),
        }
    }
}
