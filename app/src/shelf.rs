//! Heavy things that views draw and the core does not publish: waveforms, full results, cover art, samples.
//!
//! A view asks and gets at once what is there; what is not is fetched by the shelf's own threads, newest wish
//! first, and a repaint follows. Nothing here blocks a frame: the lock is held for a lookup, never for the disk.

mod cover;
mod keep;
mod loader;
mod sound;
mod source;
mod wishes;

pub use source::ShelfSource;

use keep::{Answer, ArtOf, Edition, Fetch, Kept};
use sound::Window;
use std::path::PathBuf;
use std::sync::Arc;
use tonearm_core::artifact::{Artifact, Maker};
use tonearm_core::decks::PlayerArt;
use tonearm_core::export::document::TrackDetails;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::row::Row;
use tonearm_core::stems::StemFiles;
use tonearm_core::track::TrackId;
use tonearm_core::units::{Frame, SampleRate};
use tonearm_core::waveform::{Column, Waveform};
use wishes::{Job, Lane};

/// Something that may still be on its way. An older edition is `Ready` until the newer one is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Loadable<T> {
    /// There is none, and none is coming.
    Absent,
    Pending,
    Ready(T),
    Failed(Failure),
}

impl<T> Loadable<T> {
    pub fn ready(self) -> Option<T> {
        match self {
            Self::Ready(value) => Some(value),
            Self::Absent | Self::Pending | Self::Failed(_) => None,
        }
    }
}

/// A cover, scaled down, ready for a texture: opaque RGB rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Art {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

/// How large a cover is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArtSize {
    /// At most 64 pixels a side: a row.
    Row,
    /// At most 512 pixels a side: the inspector.
    Large,
}

impl ArtSize {
    fn most_pixels(self) -> u32 {
        match self {
            Self::Row => 64,
            Self::Large => 512,
        }
    }
}

/// Some sound around a place, as it is in the file: mixed to mono.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    pub rate: SampleRate,
    /// Frame of the first sample, on the file's timeline.
    pub start: Frame,
    pub mono: Vec<f32>,
}

/// The stems of a track, as they are shown and played.
#[derive(Debug, Clone, PartialEq)]
pub struct Stems {
    pub files: Arc<StemFiles>,
    /// In the order of [`tonearm_core::stems::Stem::ALL`].
    pub waveforms: [Arc<Waveform>; 4],
    /// Made by the built-in engine: good enough to find one's way, not to listen to.
    pub is_draft: bool,
}

/// The columns of a preview in a row of the table.
pub const PREVIEW_COLUMNS: usize = 120;

/// Cloning gives another handle on the same shelf. A shelf that was not started holds what was put into it.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    kept: Arc<Kept>,
}

impl Shelf {
    /// A shelf with threads that fetch. Wishes wait until [`Shelf::open`] says where from. `wake` is called on
    /// those threads when something has come.
    pub fn start(wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let kept = Arc::new(Kept::default());
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        for lane in [Lane::Library, Lane::Files] {
            loader::spawn(lane, &kept, Arc::clone(&wake))?;
        }
        kept.with(|shelves| shelves.wishes.serve());
        Ok(Self { kept })
    }

    /// From now on things are fetched from `source`.
    pub fn open(&self, source: impl ShelfSource) {
        self.kept.open(Arc::new(source));
    }

    /// Lets the source go and stops fetching; what is there stays.
    pub fn close(&self) {
        self.kept.close();
    }

    /// The whole waveform, all levels.
    pub fn waveform(&self, row: &Row) -> Loadable<Arc<Waveform>> {
        let (id, edition) = (row.track.id, Edition::of_making(row, Artifact::Waveform));
        self.kept.with(|shelves| {
            let found = shelves.waveforms.look(&id, edition);
            shelves.answer(found, edition, || recorded_waveform(row, Job::Waveform(id)))
        })
    }

    /// The whole track in [`PREVIEW_COLUMNS`] columns.
    pub fn preview(&self, row: &Row) -> Loadable<Arc<[Column]>> {
        let (id, edition) = (row.track.id, Edition::of_making(row, Artifact::Waveform));
        self.kept.with(|shelves| {
            let found = shelves.previews.look(&id, edition);
            shelves.answer(found, edition, || recorded_waveform(row, Job::Preview(id)))
        })
    }

    /// Beats, key, chords.
    pub fn details(&self, row: &Row) -> Loadable<Arc<TrackDetails>> {
        let (id, edition) = (row.track.id, Edition::of_row(row));
        self.kept.with(|shelves| {
            let found = shelves.details.look(&id, edition);
            shelves.answer(found, edition, || recorded_details(row))
        })
    }

    /// As long as they are kept, and were made from the file as it is.
    pub fn stems(&self, row: &Row) -> Loadable<Arc<Stems>> {
        let (id, edition) = (row.track.id, Edition::of_making(row, Artifact::Stems));
        self.kept.with(|shelves| {
            let found = shelves.stems.look(&id, edition);
            shelves.answer(found, edition, || recorded_stems(row))
        })
    }

    /// The cover of the file as it is now: whoever shows an older one meanwhile has kept it.
    pub fn art(&self, row: &Row, size: ArtSize) -> Loadable<Arc<Art>> {
        let (id, edition) = (row.track.id, Edition::of_file(row));
        self.kept.with(|shelves| {
            let found = shelves.art.look(&(ArtOf::Track(id), size), edition);
            shelves.answer(found.current(), edition, || {
                of_file(row, |path| Job::Art(id, path, size))
            })
        })
    }

    /// A picture out of a player's database, kept among the covers.
    pub fn player_art(&self, art: &Arc<PlayerArt>, size: ArtSize) -> Loadable<Arc<Art>> {
        let of = ArtOf::Player(art.hash);
        self.kept.with(|shelves| {
            let found = shelves.art.look(&(of, size), Edition::Any);
            let job = || Fetch::Wish(Job::PlayerArt(Arc::clone(art), size));
            shelves.answer(found, Edition::Any, job)
        })
    }

    /// Samples that include `from..to`, on the file's timeline, when the stretch is short enough to be kept
    /// (5 seconds); more around it, so that scrolling finds them there. Fewer where the file ends.
    pub fn samples(&self, row: &Row, from: Frame, to: Frame) -> Loadable<Arc<Samples>> {
        let Some(rate) = row.track.format.as_ref().map(|format| format.sample_rate) else {
            return Loadable::Absent;
        };
        if to.0.saturating_sub(from.0) > sound::MOST_SECS * u64::from(rate.hz()) {
            return Loadable::Absent;
        }
        let (id, edition) = (row.track.id, Edition::of_file(row));
        let job = || of_file(row, |path| Job::Samples(id, path, from, to));
        self.kept.with(|shelves| {
            let (found, is_near_edge) = shelves.samples.look(id, edition, from, to);
            if is_near_edge && let Fetch::Wish(job) = job() {
                shelves.wishes.add(job, edition);
            }
            shelves.answer(found, edition, job)
        })
    }

    /// Puts a waveform on the shelf that counts for every edition of the track.
    #[doc(hidden)]
    pub fn put_waveform(&self, id: TrackId, waveform: Arc<Waveform>) {
        drop(self.kept.with(|shelves| {
            let answer = Answer::Is(waveform);
            shelves.waveforms.put(id, Edition::Any, answer)
        }));
    }

    #[doc(hidden)]
    pub fn put_preview(&self, id: TrackId, columns: Arc<[Column]>) {
        drop(self.kept.with(|shelves| {
            let answer = Answer::Is(columns);
            shelves.previews.put(id, Edition::Any, answer)
        }));
    }

    #[doc(hidden)]
    pub fn put_details(&self, id: TrackId, details: Arc<TrackDetails>) {
        drop(self.kept.with(|shelves| {
            let answer = Answer::Is(details);
            shelves.details.put(id, Edition::Any, answer)
        }));
    }

    #[doc(hidden)]
    pub fn put_stems(&self, id: TrackId, stems: Arc<Stems>) {
        drop(self.kept.with(|shelves| {
            let answer = Answer::Is(stems);
            shelves.stems.put(id, Edition::Any, answer)
        }));
    }

    #[doc(hidden)]
    pub fn put_art(&self, id: TrackId, size: ArtSize, art: Arc<Art>) {
        drop(self.kept.with(|shelves| {
            let answer = Answer::Is(art);
            shelves
                .art
                .put((ArtOf::Track(id), size), Edition::Any, answer)
        }));
    }

    #[doc(hidden)]
    pub fn put_player_art(&self, of: &PlayerArt, size: ArtSize, art: Arc<Art>) {
        drop(self.kept.with(|shelves| {
            let answer = Answer::Is(art);
            let of = ArtOf::Player(of.hash);
            shelves.art.put((of, size), Edition::Any, answer)
        }));
    }

    /// They count as reaching to the end of the file.
    #[doc(hidden)]
    pub fn put_samples(&self, id: TrackId, samples: Arc<Samples>) {
        drop(self.kept.with(|shelves| {
            let window = Window::to_the_end(samples);
            shelves.samples.put(id, Edition::Any, window)
        }));
    }
}

fn recorded_waveform(row: &Row, job: Job) -> Fetch {
    match row.knowledge.records.get(&Artifact::Waveform) {
        None => Fetch::Nothing,
        Some(record) => match &record.failure {
            Some(failure) => Fetch::Failed((**failure).clone()),
            None => Fetch::Wish(job),
        },
    }
}

fn recorded_stems(row: &Row) -> Fetch {
    let knowledge = &row.knowledge;
    let Some(set) = knowledge.stems_of(row.track.stamp) else {
        return Fetch::Nothing;
    };
    let record = knowledge.records.get(&Artifact::Stems);
    let is_draft = record.is_some_and(|record| record.recipe.maker == Maker::Native);
    Fetch::Wish(Job::Stems(row.track.id, Box::new(*set), is_draft))
}

fn recorded_details(row: &Row) -> Fetch {
    let is_any = [Artifact::Beats, Artifact::Key, Artifact::Chords]
        .iter()
        .any(|artifact| row.knowledge.records.contains_key(artifact));
    if is_any {
        Fetch::Wish(Job::Details(row.track.id))
    } else {
        Fetch::Nothing
    }
}

fn of_file(row: &Row, job: impl FnOnce(PathBuf) -> Job) -> Fetch {
    if row.track.missing {
        let (message, remedy) = row.track.missing_reason();
        return Fetch::Failed(Failure::new(FailureKind::Missing, message, remedy));
    }
    Fetch::Wish(job(row.track.path.as_path().to_path_buf()))
}

#[cfg(test)]
mod tests;
