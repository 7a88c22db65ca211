//! Entries of other programs' libraries as the state sees them: which track each is, and what becomes of it.

use super::State;
use super::importing::{Met, Verdict};
use crate::core_loop::event::Outcome;
use crate::core_loop::input::{ClaimJudgement, Effect};
use crate::failure::Failure;
use crate::import::borrow;
use crate::import::claim::{self, Claim, Known, Question, Settled, Standing};
use crate::import::dedupe::Candidate;
use crate::import::tags::TagsRead;
use crate::source::put_source;
use crate::store::Change;
use crate::track::{FilePath, FileStamp, Source, Track, TrackId};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl State {
    pub(super) fn judge_claim(&self, question: &Question) -> ClaimJudgement {
        let known = self.claimed(question).and_then(|track| {
            let row = self.catalog.get(track)?;
            let holder = self.catalog.index.at_path(&question.path);
            Some(Known {
                track,
                path: row.track.path.as_path().to_path_buf(),
                root: row.track.root.as_path().to_path_buf(),
                stamp: row.track.stamp,
                hash: row.track.hash,
                holder: holder.filter(|holder| *holder != track),
            })
        });
        let twins = match (&known, question.bytes) {
            (None, Some(bytes)) => self.catalog.twins(bytes),
            _ => Vec::new(),
        };
        ClaimJudgement { known, twins }
    }

    fn claimed(&self, question: &Question) -> Option<TrackId> {
        claim::decide(
            question,
            |name| self.catalog.rows.with_source(name).map(|row| row.track.id),
            |path| self.catalog.index.at_path(path),
        )
    }

    pub(super) fn settled(&mut self, settled: Vec<Settled>, now: Timestamp) -> Vec<Effect> {
        let mut changes = Vec::new();
        let mut events = Vec::new();
        for settled in settled {
            let source = settled.claim.source.as_ref();
            if let (Some(import), Some(source)) = (&mut self.import, source) {
                import.entries.insert(source.own().track);
            }
            let met = Met {
                path: settled.claim.path.clone(),
                source: source.map(|source| source.id.clone()),
            };
            let verdict = self.settle(settled, now);
            events.extend(self.tell(&mut changes, met, verdict));
        }
        vec![self.write(changes, events)]
    }

    /// Entries that the library no longer has are marked; the tracks stay.
    pub(super) fn library_read(&mut self, database: &str, now: Timestamp) -> Vec<Effect> {
        let Some(import) = &mut self.import else {
            return Vec::new();
        };
        let entries = std::mem::take(&mut import.entries);
        let is_lost = |source: &Source| {
            let own = source.own();
            !source.is_gone && own.database == database && !entries.contains(&own.track)
        };
        let rows = self.catalog.rows.iter();
        let lost: Vec<Track> = rows
            .filter(|row| row.track.sources.iter().any(is_lost))
            .map(|row| Track::clone(&row.track))
            .collect();
        if lost.is_empty() {
            return Vec::new();
        }
        let mut changes = Vec::with_capacity(lost.len());
        for mut track in lost {
            for source in track.sources.iter_mut().filter(|source| is_lost(source)) {
                source.is_gone = true;
            }
            self.catalog.put_track(track.clone(), now);
            changes.push(Change::PutTrack(track));
        }
        vec![self.write(changes, Vec::new())]
    }

    fn settle(&mut self, settled: Settled, now: Timestamp) -> Verdict {
        let Settled {
            claim,
            known,
            standing,
        } = settled;
        let known = known.filter(|id| self.catalog.get(*id).is_some());
        // Another entry of the same library may have brought the track in meanwhile.
        let late = match known {
            None => self.claimed(&claim.question()),
            Some(_) => None,
        };
        if let Some(id) = late {
            return self.join(unchanged(id), &claim, now);
        }
        match (standing, known) {
            (Standing::Moved(id, stamp), _) if self.is_free(id, &claim) => {
                let candidate = candidate(&claim, stamp);
                let verdict = self.moved_to(id, candidate, claim.root.clone(), now);
                self.join(verdict, &claim, now)
            }
            (Standing::Moved(id, _) | Standing::Copy(id), _) => {
                self.join(unchanged(id), &claim, now)
            }
            (Standing::Held(holder), Some(id)) => self.held(id, holder, &claim, now),
            (Standing::Read(stamp, read), known) => {
                self.read_anew(known, &claim, (stamp, *read), now)
            }
            (Standing::Same | Standing::Elsewhere, Some(id)) => {
                let verdict = self.met_again(id, now);
                self.join(verdict, &claim, now)
            }
            (Standing::Absent(failure), known) => self.absent(known, &claim, failure, now),
            (Standing::Streamed, Some(id)) => self.join(unchanged(id), &claim, now),
            (Standing::Streamed, None) => self.without_file(&claim, None, now),
            // Known when it was looked at and removed since.
            (Standing::Same | Standing::Elsewhere | Standing::Held(_), None) => {
                self.absent(None, &claim, removed(), now)
            }
        }
    }

    /// Whether the file of the claim is no other track's.
    fn is_free(&self, id: TrackId, claim: &Claim) -> bool {
        let holder = self.catalog.index.at_path(&claim.path);
        holder.is_none_or(|holder| holder == id)
    }

    /// Adds to a verdict what the entry says of the track.
    fn join(&mut self, mut verdict: Verdict, claim: &Claim, now: Timestamp) -> Verdict {
        let Some(track) = verdict.track.and_then(|id| self.catalog.track(id)) else {
            return verdict;
        };
        let is_new_entry = claim
            .source
            .as_ref()
            .is_some_and(|source| !track.sources.iter().any(|it| it.own() == source.own()));
        let mut joined = track.clone();
        take_in(&mut joined, claim);
        if joined == track {
            return verdict;
        }
        if verdict.outcome == Outcome::Unchanged {
            verdict.outcome = if is_new_entry {
                Outcome::Merged
            } else {
                Outcome::Updated
            };
        }
        self.catalog.put_track(joined.clone(), now);
        verdict.changes.push(Change::PutTrack(joined));
        verdict
    }

    /// The file is the track's from now on, with the tags that were read from it.
    fn read_anew(
        &mut self,
        known: Option<TrackId>,
        claim: &Claim,
        (stamp, read): (FileStamp, Result<TagsRead, Failure>),
        now: Timestamp,
    ) -> Verdict {
        let candidate = candidate(claim, stamp);
        let Some(id) = known else {
            let mut track = self.new_track(candidate, claim.root.clone(), now);
            take_in(&mut track, claim);
            return self.describe(track, read, now);
        };
        let known = self.changed_track(id, &candidate);
        let Some(mut track) = known.filter(|_| self.is_free(id, claim)) else {
            return self.join(unchanged(id), claim, now);
        };
        let is_moved = track.path.as_path() != claim.path;
        if is_moved {
            track.path = FilePath(claim.path.clone());
            track.root = claim.root.clone().into();
        }
        take_in(&mut track, claim);
        let mut verdict = self.describe(track, read, now);
        if is_moved && verdict.outcome == Outcome::Updated {
            verdict.outcome = Outcome::Moved;
        }
        verdict
    }

    fn absent(
        &mut self,
        known: Option<TrackId>,
        claim: &Claim,
        failure: Failure,
        now: Timestamp,
    ) -> Verdict {
        let Some(id) = known else {
            return self.without_file(claim, Some(failure), now);
        };
        let changes = self.vanished(id, now);
        let verdict = Verdict {
            outcome: Outcome::Missing,
            track: Some(id),
            failure: Some(failure),
            changes,
        };
        self.join(verdict, claim, now)
    }

    /// A track of which the entry is all there is.
    fn without_file(&mut self, claim: &Claim, failure: Option<Failure>, now: Timestamp) -> Verdict {
        let stamp = FileStamp {
            bytes: claim.bytes.unwrap_or_default(),
            modified_ns: 0,
        };
        let mut track = self.new_track(candidate(claim, stamp), claim.root.clone(), now);
        track.missing = true;
        take_in(&mut track, claim);
        self.catalog.put_track(track.clone(), now);
        Verdict {
            outcome: if failure.is_some() {
                Outcome::Missing
            } else {
                Outcome::Added
            },
            track: Some(track.id),
            failure,
            changes: vec![Change::PutTrack(track)],
        }
    }

    /// The track's own file is gone, and the one that the entry tells of is another track's: two records of one
    /// track, or a file that took the other's place.
    fn held(&mut self, id: TrackId, holder: TrackId, claim: &Claim, now: Timestamp) -> Verdict {
        let (Some(ours), Some(theirs)) = (self.catalog.track(id), self.catalog.track(holder))
        else {
            return self.join(unchanged(id), claim, now);
        };
        let is_bare = |track: TrackId| {
            let found = self.catalog.found(track).unwrap_or_default();
            found.records.is_empty() && !self.catalog.is_by_hand(track)
        };
        if ours.hash.is_none() && is_bare(id) {
            let mut verdict = self.hand_over(&ours, &theirs, |_| true, now);
            self.drop_track(id, now);
            verdict.changes.push(Change::RemoveTrack(id));
            return self.join(verdict, claim, now);
        }
        let is_same = ours.hash.is_some() && ours.hash == theirs.hash;
        if is_same && theirs.sources.is_empty() && !self.catalog.is_by_hand(holder) {
            self.drop_track(holder, now);
            let mut changes = vec![Change::RemoveTrack(holder)];
            changes.extend(self.move_track(id, theirs.path, theirs.stamp, now));
            let verdict = Verdict {
                outcome: Outcome::Moved,
                track: Some(id),
                failure: None,
                changes,
            };
            return self.join(verdict, claim, now);
        }
        let own = claim.source.as_ref().map(Source::own);
        let mut verdict = self.hand_over(&ours, &theirs, |it| Some(it.own()) == own, now);
        verdict.changes.extend(self.vanished(id, now));
        self.join(verdict, claim, now)
    }

    /// Entries of one track become those of another.
    fn hand_over(
        &mut self,
        from: &Track,
        to: &Track,
        is_meant: impl Fn(&Source) -> bool,
        now: Timestamp,
    ) -> Verdict {
        let (mut from, mut to) = (from.clone(), to.clone());
        for source in from.sources.extract_if(.., |source| is_meant(source)) {
            put_source(&mut to.sources, source);
        }
        let track = Some(to.id);
        let mut changes = Vec::new();
        for track in [from, to] {
            self.catalog.put_track(track.clone(), now);
            changes.push(Change::PutTrack(track));
        }
        Verdict {
            outcome: Outcome::Merged,
            track,
            failure: None,
            changes,
        }
    }

    fn drop_track(&mut self, id: TrackId, now: Timestamp) {
        self.catalog.remove(id, now);
        self.queue.remove(&BTreeSet::from([id]));
    }
}

fn candidate(claim: &Claim, stamp: FileStamp) -> Candidate {
    Candidate {
        path: claim.path.clone(),
        stamp,
    }
}

fn unchanged(track: TrackId) -> Verdict {
    Verdict {
        outcome: Outcome::Unchanged,
        track: Some(track),
        failure: None,
        changes: Vec::new(),
    }
}

/// What the entry says: that it is one, and tags where the file has none.
fn take_in(track: &mut Track, claim: &Claim) {
    if let Some(source) = &claim.source {
        put_source(&mut track.sources, source.clone());
    }
    borrow::fill(&mut track.tags, &mut track.borrowed, &claim.tags);
}

fn removed() -> Failure {
    Failure::new(
        crate::failure::FailureKind::Missing,
        "the track was removed while its library was being read",
        "Import the library again if you want it back",
    )
}
