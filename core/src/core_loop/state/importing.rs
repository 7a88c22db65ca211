//! An import as the state sees it: what candidates are, what becomes of them, which tracks were not met.

mod import;

pub(super) use import::{Import, ImportWish};

use super::{State, WRITES_IN_FLIGHT, stems::Asking};
use crate::artifact::{Artifact, ArtifactRecord};
use crate::core_loop::event::{Event, Outcome};
use crate::core_loop::input::{Effect, Fate, Found, ImportNews, ImportReply, Judgement};
use crate::core_loop::queue::Wish;
use crate::failure::Failure;
use crate::findings::Knowledge;
use crate::import::dedupe::{Candidate, Decision, decide};
use crate::import::reading;
use crate::import::tags::TagsRead;
use crate::store::Change;
use crate::track::{FilePath, SourceId, TagFields, Tags, Track, TrackId};
use import::Waiting;
use jiff::Timestamp;
use std::path::PathBuf;

/// What an import says of one file, and what it changes.
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) track: Option<TrackId>,
    pub(super) failure: Option<Failure>,
    pub(super) changes: Vec<Change>,
}

/// Whose outcome it is.
pub(super) struct Met {
    pub(super) path: PathBuf,
    /// The entry of another library that led to it.
    pub(super) source: Option<SourceId>,
}

impl State {
    pub(super) fn import_news(&mut self, news: ImportNews, now: Timestamp) -> Vec<Effect> {
        let mut effects = self.take_in(news, now);
        let asked = self.import.as_mut().map(|it| std::mem::take(&mut it.asked));
        effects.extend(self.ask_for_stems(&asked.unwrap_or_default(), Asking::Anew, now));
        if let Some(import) = &mut self.import {
            let (engined, engine) = (std::mem::take(&mut import.engined), import.wish.engine);
            effects.extend(self.use_engine(&engined, engine, now));
        }
        effects
    }

    fn take_in(&mut self, news: ImportNews, now: Timestamp) -> Vec<Effect> {
        match news {
            ImportNews::Ask(candidates) => self.asked(Waiting::Files(candidates)),
            ImportNews::AskClaims(questions) => self.asked(Waiting::Claims(questions)),
            ImportNews::Settled(settled) => self.settled(settled, now),
            ImportNews::LibraryRead { database } => self.library_read(&database, now),
            ImportNews::Found { found, unreachable } => self.found(found, unreachable, now),
            ImportNews::Counted(expected) => {
                if let Some(import) = &mut self.import {
                    import.expected = Some(expected);
                }
                Vec::new()
            }
            ImportNews::Scanned { roots } => self.scanned(&roots),
            ImportNews::Gone(gone) => self.gone(gone, now),
            ImportNews::Ended { skipped } => self.import_ended(skipped),
        }
    }

    fn asked(&mut self, question: Waiting) -> Vec<Effect> {
        if let Some(import) = &mut self.import {
            import.waiting = Some(question);
        }
        self.answer_waiting_questions()
    }

    /// Answers what the scans ask, unless too much waits for the disk already: a question left open is what
    /// slows a scan down to the speed of the disk.
    pub(super) fn answer_waiting_questions(&mut self) -> Vec<Effect> {
        if self.writes_in_flight >= WRITES_IN_FLIGHT {
            return Vec::new();
        }
        if std::mem::take(&mut self.relink_waits) {
            return vec![Effect::ReplyToRelink];
        }
        let waiting = self.import.as_mut().and_then(|it| it.waiting.take());
        let reply = match waiting {
            None => return Vec::new(),
            Some(Waiting::Files(files)) => {
                ImportReply::Decisions(files.iter().map(|it| self.judge(it)).collect())
            }
            Some(Waiting::Claims(claims)) => {
                ImportReply::Claims(claims.iter().map(|it| self.judge_claim(it)).collect())
            }
        };
        vec![Effect::ReplyToImport(reply)]
    }

    fn judge(&self, candidate: &Candidate) -> Judgement {
        let track_of = |id| self.catalog.get(id).map(|row| &*row.track);
        let decision = decide(&self.catalog.index, track_of, candidate);
        let twins = match decision {
            Decision::New => self.catalog.twins(candidate.stamp.bytes),
            Decision::Unchanged(_)
            | Decision::Changed(_)
            | Decision::Returned(_)
            | Decision::Copy(_) => Vec::new(),
        };
        Judgement { decision, twins }
    }

    fn found(
        &mut self,
        found: Vec<Found>,
        unreachable: Vec<(PathBuf, Failure)>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut changes = Vec::new();
        let mut events = Vec::new();
        for (path, failure) in unreachable {
            let verdict = Verdict {
                outcome: Outcome::Failed,
                track: None,
                failure: Some(failure),
                changes: Vec::new(),
            };
            events.extend(self.tell(&mut changes, Met { path, source: None }, verdict));
        }
        for Found {
            candidate,
            root,
            fate,
        } in found
        {
            let path = candidate.path.clone();
            if let Fate::Unchanged(id) | Fate::Copy(id) = fate
                && self.has_met(id)
            {
                // Told of already, as an entry of a library.
                continue;
            }
            let verdict = match fate {
                Fate::New(read) => {
                    let track = self.new_track(candidate, root, now);
                    self.describe(track, read, now)
                }
                Fate::Changed(id, read) => {
                    let track = self.changed_track(id, &candidate);
                    let track = track.unwrap_or_else(|| self.new_track(candidate, root, now));
                    self.describe(track, read, now)
                }
                Fate::Moved(id) => self.moved_to(id, candidate, root, now),
                Fate::Unchanged(id) => self.met_again(id, now),
                Fate::Copy(id) => Verdict {
                    outcome: Outcome::Unchanged,
                    track: Some(id),
                    failure: None,
                    changes: Vec::new(),
                },
            };
            let source = verdict.track.and_then(|id| self.first_source(id));
            events.extend(self.tell(&mut changes, Met { path, source }, verdict));
        }
        vec![self.write(changes, events)]
    }

    fn has_met(&self, track: TrackId) -> bool {
        let import = self.import.as_ref();
        import.is_some_and(|import| import.seen.contains(&track))
    }

    fn first_source(&self, track: TrackId) -> Option<SourceId> {
        let sources = &self.catalog.get(track)?.track.sources;
        sources.first().map(|source| source.id.clone())
    }

    /// Takes up what a verdict changes, counts its outcome and makes the event that tells of it.
    pub(super) fn tell(
        &mut self,
        changes: &mut Vec<Change>,
        met: Met,
        verdict: Verdict,
    ) -> Option<Event> {
        let Verdict {
            outcome,
            track,
            failure,
            changes: made,
        } = verdict;
        changes.extend(made);
        let import = self.import.as_mut()?;
        import.tally.add(outcome);
        import.seen.extend(track);
        let request = import.wish.request;
        if let (Some(id), Some(extent), false) =
            (track, import.extent(), outcome == Outcome::Missing)
        {
            if extent.names(Artifact::Stems) {
                import.asked.push(id);
            }
            if import.wish.engine.is_some() {
                import.engined.push(id);
            }
            self.queue.push(
                id,
                Wish {
                    extent,
                    ..Wish::default()
                },
            );
        }
        Some(Event::Imported {
            request,
            outcome,
            track,
            path: met.path,
            source: met.source,
            failure,
        })
    }

    /// A track for a file that the library does not know.
    pub(super) fn new_track(
        &mut self,
        candidate: Candidate,
        root: PathBuf,
        now: Timestamp,
    ) -> Track {
        let id = self.ids.next(|id| self.catalog.get(id).is_some());
        if let Some(import) = &mut self.import {
            import.newcomers.insert(id);
        }
        Track {
            id,
            path: FilePath(candidate.path),
            root: root.into(),
            stamp: candidate.stamp,
            tags: Tags::default(),
            format: None,
            hash: None,
            added: now,
            missing: false,
            damage: None,
            sources: Vec::new(),
            borrowed: TagFields::default(),
        }
    }

    /// The known track, with its file as it is now. The hash was that of other bytes.
    pub(super) fn changed_track(&self, id: TrackId, candidate: &Candidate) -> Option<Track> {
        Some(Track {
            stamp: candidate.stamp,
            format: None,
            hash: None,
            missing: false,
            damage: None,
            ..self.catalog.track(id)?
        })
    }

    /// Stores a track with what its tags say. A file that cannot be read as music is kept as a failed row.
    pub(super) fn describe(
        &mut self,
        mut track: Track,
        read: Result<TagsRead, Failure>,
        now: Timestamp,
    ) -> Verdict {
        let known = self.catalog.found(track.id);
        let outcome = if known.is_some() {
            Outcome::Updated
        } else {
            Outcome::Added
        };
        let mut knowledge = known.unwrap_or_default();
        let failure = match read {
            Ok(read) => {
                reading::describe(&mut track, read);
                None
            }
            Err(failure) => Some(failure.after(0, now)),
        };
        if let Some(recipe) = self.catalog.recipe(Artifact::Tags).cloned() {
            let record = ArtifactRecord {
                recipe: recipe.into(),
                made_from: track.stamp,
                cpu_secs: 0.0,
                failure: failure.clone().map(Box::new),
                nothing_found: false,
            };
            knowledge.records.insert(Artifact::Tags, record);
        }
        let id = track.id;
        self.catalog.put_track(track.clone(), now);
        self.catalog.put_knowledge(id, knowledge.clone(), now);
        Verdict {
            outcome: if failure.is_some() {
                Outcome::Failed
            } else {
                outcome
            },
            track: Some(id),
            failure,
            changes: vec![Change::PutTrack(track), Change::PutKnowledge(id, knowledge)],
        }
    }

    pub(super) fn moved_to(
        &mut self,
        id: TrackId,
        candidate: Candidate,
        root: PathBuf,
        now: Timestamp,
    ) -> Verdict {
        let before = self.catalog.track(id).map(|track| track.root);
        let mut changes = self.move_track(id, FilePath(candidate.path), candidate.stamp, now);
        // Out of the folder that it was imported with: from now on it belongs to the one it was found in.
        if let Some(mut track) = self.catalog.track(id)
            && Some(&track.root) != before.as_ref()
        {
            track.root = root.into();
            self.catalog.put_track(track.clone(), now);
            changes.push(Change::PutTrack(track));
        }
        Verdict {
            outcome: Outcome::Moved,
            track: Some(id),
            failure: None,
            changes,
        }
    }

    /// A known file as it was. If it had been away, it is back; what failed for a reason that may have
    /// passed is tried again now.
    pub(super) fn met_again(&mut self, id: TrackId, now: Timestamp) -> Verdict {
        let mut changes = Vec::new();
        let mut outcome = Outcome::Unchanged;
        if let Some(row) = self.catalog.get(id).cloned() {
            if row.track.missing {
                let (path, stamp) = (row.track.path.clone(), row.track.stamp);
                changes = self.move_track(id, path, stamp, now);
                outcome = Outcome::Updated;
            } else if let Some(knowledge) = self
                .catalog
                .found(id)
                .and_then(Knowledge::without_passing_failures)
            {
                self.catalog.put_knowledge(id, knowledge.clone(), now);
                changes.push(Change::PutKnowledge(id, knowledge));
            }
        }
        Verdict {
            outcome,
            track: Some(id),
            failure: None,
            changes,
        }
    }

    /// The scan is over: tracks under its roots that it did not meet are to be looked for.
    fn scanned(&self, roots: &[PathBuf]) -> Vec<Effect> {
        let Some(import) = &self.import else {
            return Vec::new();
        };
        let unseen = self
            .catalog
            .rows
            .iter()
            .map(|row| &row.track)
            .filter(|track| !import.seen.contains(&track.id))
            .filter(|track| {
                roots
                    .iter()
                    .any(|root| track.path.as_path().starts_with(root))
            })
            .map(|track| {
                let (path, root) = (track.path.as_path(), track.root.as_path());
                (track.id, path.to_path_buf(), root.to_path_buf())
            })
            .collect();
        vec![Effect::ReplyToImport(ImportReply::Unseen(unseen))]
    }

    fn gone(&mut self, gone: Vec<(TrackId, Failure)>, now: Timestamp) -> Vec<Effect> {
        let mut changes = Vec::new();
        let mut events = Vec::new();
        for (id, failure) in gone {
            let Some(mut track) = self.catalog.track(id) else {
                continue;
            };
            let (path, hash) = (track.path.as_path().to_path_buf(), track.hash);
            track.missing = true;
            self.catalog.put_track(track.clone(), now);
            changes.push(Change::PutTrack(track));
            let moved = hash.and_then(|hash| self.reconcile(&hash, None, now));
            if let Some((moves, event)) = moved {
                changes.extend(moves);
                events.push(event);
            } else {
                let source = self.first_source(id);
                let verdict = Verdict {
                    outcome: Outcome::Missing,
                    track: Some(id),
                    failure: Some(failure),
                    changes: Vec::new(),
                };
                events.extend(self.tell(&mut changes, Met { path, source }, verdict));
            }
        }
        vec![self.write(changes, events)]
    }

    fn import_ended(&mut self, skipped: u64) -> Vec<Effect> {
        let Some(mut import) = self.import.take() else {
            return Vec::new();
        };
        import.tally.skipped = skipped;
        let event = import.finished();
        vec![self.write(Vec::new(), vec![event])]
    }
}
