//! Finds the tracks on decks in the library, and reads what is known of them, on threads that may wait for the disk.

use super::UnitId;
use super::apply::{Table, Unit};
use super::art::{ArtKey, Arts, PlayerArt};
use super::catalog::Catalog;
use super::fetch::{self, Databases, Medium};
use super::place::NetworkPath;
use super::resolve::{Resolution, resolve};
use super::view::{self, Analysis, Candidate, Matched, Matching};
use crate::core_loop::Reader;
use crate::core_loop::view::Rows;
use crate::failure::Failure;
use crate::query::fold;
use crate::row::Row;
use crate::track::{SourceId, TrackId};
use stagelinq::files::FilePlace;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Results that may wait to be taken.
const RESULTS: usize = 16;
/// News of a loaded track and its deck's new path come within this time of each other.
const TOGETHER: Duration = Duration::from_secs(3);

/// What was read.
enum Read {
    Catalog(Catalog),
    /// Of a track in this revision. `None`: it cannot be read.
    Analysis(TrackId, u64, Option<Arc<Analysis>>),
    Databases(UnitId, Result<Databases, Failure>),
    /// `None`: there is none that can be read.
    Art(ArtKey, Option<Arc<PlayerArt>>),
}

/// Knows the library, as far as decks need it.
pub(super) struct Recogniser {
    reader: Reader,
    catalog: Catalog,
    /// By track: of which revision; `None` while it is read, or where it cannot be.
    analyses: BTreeMap<TrackId, (u64, Option<Arc<Analysis>>)>,
    databases: BTreeMap<UnitId, Databases>,
    arts: Arts,
    /// Units whose databases came or did not: how many tracks.
    fetched: Vec<(UnitId, Result<usize, Failure>)>,
    sender: mpsc::Sender<Read>,
    results: mpsc::Receiver<Read>,
    looking: bool,
    /// The library changed while it was looked through.
    next: Option<Rows>,
}

impl Recogniser {
    pub(super) fn new(reader: Reader) -> Self {
        let (sender, results) = mpsc::channel(RESULTS);
        Self {
            reader,
            catalog: Catalog::default(),
            analyses: BTreeMap::new(),
            databases: BTreeMap::new(),
            arts: Arts::default(),
            fetched: Vec::new(),
            sender,
            results,
            looking: false,
            next: None,
        }
    }

    /// Makes the catalog anew, elsewhere.
    pub(super) fn look_through(&mut self, rows: Rows) {
        if self.looking {
            self.next = Some(rows);
            return;
        }
        self.looking = true;
        let sender = self.sender.clone();
        drop(tokio::task::spawn_blocking(move || {
            drop(sender.blocking_send(Read::Catalog(Catalog::new(&rows))));
        }));
    }

    /// Waits for something that was read. Can be dropped at any moment.
    pub(super) async fn news(&mut self) {
        match self.results.recv().await {
            Some(Read::Catalog(catalog)) => {
                self.catalog = catalog;
                self.looking = false;
                if let Some(rows) = self.next.take() {
                    self.look_through(rows);
                }
            }
            Some(Read::Analysis(id, revision, analysis)) => {
                if let Some(known) = self
                    .analyses
                    .get_mut(&id)
                    .filter(|known| known.0 == revision)
                {
                    known.1 = analysis;
                }
            }
            Some(Read::Databases(unit, read)) => {
                let tracks = read.map(|databases| {
                    let media = databases.iter();
                    let tracks = media.map(|(_, medium)| medium.paths.len()).sum();
                    self.databases.insert(unit, databases);
                    self.arts.forget(unit);
                    tracks
                });
                self.fetched.push((unit, tracks));
            }
            Some(Read::Art(key, art)) => self.arts.take(&key, art),
            // Never: a sender is ours.
            None => std::future::pending().await,
        }
    }

    /// Reads the databases of a unit's media, elsewhere.
    pub(super) fn read_databases(&self, unit: UnitId, place: FilePlace) {
        let sender = self.sender.clone();
        drop(tokio::spawn(async move {
            let read = fetch::databases(place).await;
            drop(sender.send(Read::Databases(unit, read)).await);
        }));
    }

    /// Tells units what became of their databases. The last failure.
    fn tell_fetched(&mut self, table: &mut Table) -> Option<Failure> {
        let mut trouble = None;
        for (id, tracks) in std::mem::take(&mut self.fetched) {
            let state = match tracks {
                Ok(tracks) => view::Databases::Read(tracks),
                Err(failure) => {
                    trouble = Some(failure);
                    view::Databases::Unread
                }
            };
            if let Some(unit) = table.unit_mut(id) {
                unit.databases = state;
            }
        }
        self.databases.retain(|id, _| table.unit_mut(*id).is_some());
        trouble
    }

    /// What the database of its medium calls the track at a place.
    fn named_by_database(&self, place: Option<&NetworkPath>) -> Vec<SourceId> {
        let names = || {
            let (_, medium) = self.medium(place?)?;
            let names = medium.paths.at(&place?.stored()?)?;
            Some(names.iter().cloned().collect())
        };
        names().unwrap_or_default()
    }

    /// The medium of a place, where its database was read, and whose it is.
    fn medium(&self, place: &NetworkPath) -> Option<(UnitId, &Arc<Medium>)> {
        let holder = place.holder?;
        let mut media = self.databases.get(&holder)?.iter();
        let (_, medium) = media.find(|(name, _)| Some(name) == place.medium.as_ref())?;
        Some((holder, medium))
    }

    /// The picture of the track at a place, or nothing yet: then it is read elsewhere.
    fn art(&mut self, place: Option<&NetworkPath>) -> Option<Arc<PlayerArt>> {
        let place = place?;
        let (holder, medium) = self.medium(place)?;
        let number = medium.paths.art_at(&place.stored()?)?;
        let medium = Arc::clone(medium);
        let key = (holder, place.medium.clone()?, number);
        let sender = &self.sender;
        self.arts.get(key, |key| {
            let sender = sender.clone();
            drop(tokio::task::spawn_blocking(move || {
                let art = medium.paths.art(number);
                let art = art.inspect_err(|error| tracing::debug!(%error, "a picture of a player"));
                let art = art
                    .ok()
                    .flatten()
                    .map(|bytes| Arc::new(PlayerArt::new(bytes)));
                drop(sender.blocking_send(Read::Art(key, art)));
            }));
        })
    }

    /// Looks every deck up. What went wrong with databases that were to be read.
    pub(super) fn recognise(
        &mut self,
        table: &mut Table,
        pins: &BTreeMap<String, TrackId>,
    ) -> Option<Failure> {
        let trouble = self.tell_fetched(table);
        let mut wanted = BTreeSet::new();
        for (_, unit) in table.units_mut() {
            self.pair(unit);
            for deck in &mut unit.decks {
                let (resolution, art) = match deck.wanted() {
                    Some(wanted) => {
                        let named = self.named_by_database(wanted.place);
                        let resolution = resolve(&wanted, &named, pins, &self.catalog);
                        (resolution, self.art(wanted.place))
                    }
                    None => (Resolution::Nothing, None),
                };
                deck.art = art;
                deck.matching = self.matching(resolution);
                if let Some(track) = deck.matching.track() {
                    wanted.insert(track.id());
                }
            }
        }
        self.analyses.retain(|id, _| wanted.contains(id));
        self.arts.keep_wanted();
        trouble
    }

    fn matching(&mut self, resolution: Resolution) -> Matching {
        match resolution {
            Resolution::Nothing => Matching::Nothing,
            Resolution::Found {
                by,
                confidence,
                row,
            } => Matching::Found(Arc::new(Matched {
                by,
                confidence,
                analysis: self.analysis(&row),
                row,
            })),
            Resolution::Unsure(candidates) => {
                let candidates = candidates
                    .into_iter()
                    .map(|(id, confidence, reason)| Candidate {
                        id,
                        confidence,
                        reason,
                    });
                Matching::Unsure(Arc::new(candidates.collect()))
            }
            Resolution::Unknown(why) => Matching::Unknown(why.into()),
        }
    }

    /// What is known, or nothing yet: then it is read elsewhere. What was known before a change stands meanwhile.
    fn analysis(&mut self, row: &Row) -> Option<Arc<Analysis>> {
        let (id, revision) = (row.track.id, row.revision);
        let known = self.analyses.get(&id);
        if let Some((_, analysis)) = known.filter(|known| known.0 == revision) {
            return analysis.clone();
        }
        let before = known.and_then(|(_, analysis)| analysis.clone());
        self.analyses.insert(id, (revision, before.clone()));
        let (sender, reader) = (self.sender.clone(), self.reader.clone());
        drop(tokio::task::spawn_blocking(move || {
            let details = reader
                .details(id)
                .inspect_err(|error| tracing::warn!(%error, "a track on a deck"));
            let analysis = details
                .ok()
                .map(|details| Arc::new(Analysis::from(details)));
            drop(sender.blocking_send(Read::Analysis(id, revision, analysis)));
        }));
        before
    }

    /// Gives tracks that a unit told to have loaded to the decks that loaded something at that time.
    fn pair(&self, unit: &mut Unit) {
        let mut left = std::mem::take(&mut unit.news);
        left.retain(|(source, at)| {
            let known = self.catalog.of_source(source);
            let mut fitting = unit.decks.iter_mut().filter(|deck| {
                let near = deck.loaded_at.abs_diff(*at) <= TOGETHER;
                let Some(wanted) = deck.wanted().filter(|_| near && deck.source.is_none()) else {
                    return false;
                };
                let name = wanted.place.and_then(|place| place.file_name());
                known.is_none_or(|row| {
                    let theirs = row.track.tags.title.as_deref();
                    let file = row
                        .track
                        .path
                        .as_path()
                        .file_name()
                        .map(std::ffi::OsStr::to_string_lossy);
                    let same = |one: Option<&str>, other: Option<&str>| {
                        one.zip(other)
                            .is_some_and(|(one, other)| fold(one) == fold(other))
                    };
                    same(wanted.title, theirs) || same(name, file.as_deref())
                })
            });
            match (fitting.next(), fitting.next()) {
                (Some(deck), None) => {
                    deck.source = Some(source.clone());
                    false
                }
                // Two that fit as well, or none yet: a later value may decide.
                _ => true,
            }
        });
        unit.news = left;
    }
}
