//! The threads that fetch: one for the library, one for the user's files.

use super::cover;
use super::keep::{Answer, Edition, Kept};
use super::sound::Window;
use super::wishes::{Job, Lane, Place};
use super::{Art, PREVIEW_COLUMNS, ShelfSource, Stems, sound};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonearm_core::export::document::TrackDetails;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::waveform::{Column, Waveform};

/// While more is on its way, the window is woken at most this often: a few rows at a time.
const WAKE_EVERY: Duration = Duration::from_millis(33);

pub(super) type Wake = Arc<dyn Fn() + Send + Sync>;

/// Starts the thread of one lane. It ends when the shelf is closed; nobody waits for it, since a drive may hang.
pub(super) fn spawn(lane: Lane, kept: &Arc<Kept>, wake: Wake) -> std::io::Result<()> {
    let name = match lane {
        Lane::Library => "shelf",
        Lane::Files => "shelf files",
    };
    let kept = Arc::clone(kept);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || serve(lane, &kept, &wake))
        .map(drop)
}

fn serve(lane: Lane, kept: &Kept, wake: &Wake) {
    let mut woken = None::<Instant>;
    while let Some((source, job, edition)) = kept.wait(|shelves| {
        let source = Arc::clone(shelves.source.as_ref()?);
        let (job, edition) = shelves.wishes.take(lane)?;
        Some((source, job, edition))
    }) {
        let fetched = fetch(&*source, &job);
        drop(source);
        let is_last = put(kept, lane, &job, edition, fetched);
        if is_last || woken.is_none_or(|at| at.elapsed() >= WAKE_EVERY) {
            woken = Some(Instant::now());
            wake();
        }
    }
}

/// What was fetched, in the form in which it is kept.
enum Fetched {
    Waveform(Answer<Arc<Waveform>>),
    Stems(Answer<Arc<Stems>>),
    Preview(Answer<Arc<[Column]>>),
    Details(Answer<Arc<TrackDetails>>),
    Art(Answer<Arc<Art>>),
    Samples(Window),
}

fn fetch(source: &dyn ShelfSource, job: &Job) -> Fetched {
    match job {
        Job::Waveform(id) => Fetched::Waveform(guarded(|| source.waveform(*id)).map(Arc::new)),
        Job::Stems(id, set, is_draft) => {
            let stems = guarded(|| source.stems(*id, set).map(Some));
            Fetched::Stems(stems.map(|(files, waveforms)| {
                Arc::new(Stems {
                    files: Arc::new(files),
                    waveforms: waveforms.map(Arc::new),
                    is_draft: *is_draft,
                })
            }))
        }
        Job::Preview(id) => Fetched::Preview(
            guarded(|| source.waveform(*id))
                .map(|waveform| waveform.preview(PREVIEW_COLUMNS).into()),
        ),
        Job::Details(id) => Fetched::Details(guarded(|| source.details(*id)).map(Arc::new)),
        Job::Art(_, path, size) => Fetched::Art(
            guarded(|| {
                let bytes = source.cover(path)?;
                bytes.map(|bytes| cover::scaled(&bytes, *size)).transpose()
            })
            .map(Arc::new),
        ),
        Job::PlayerArt(art, size) => {
            Fetched::Art(guarded(|| cover::scaled(&art.bytes, *size).map(Some)).map(Arc::new))
        }
        Job::Samples(_, path, from, to) => {
            let (from, to) = sound::around(*from, *to);
            let samples = guarded(|| source.samples(path, from, to).map(Some)).map(Arc::new);
            Fetched::Samples(Window::new(from, to, samples))
        }
    }
}

/// Decoders of pictures and sound meet whatever files people have.
fn guarded<T>(fetch: impl FnOnce() -> Result<Option<T>, Failure>) -> Answer<T> {
    catch_unwind(AssertUnwindSafe(fetch))
        .unwrap_or_else(|panic| Err(bug(&*panic)))
        .into()
}

fn bug(panic: &(dyn Any + Send)) -> Failure {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(?said, "something could not be fetched");
    Failure::new(
        FailureKind::Bug,
        "reading it went wrong inside Tonearm",
        "Report this with the diagnostics from the log view",
    )
}

/// True when nothing more waits in the lane.
fn put(kept: &Kept, lane: Lane, job: &Job, edition: Edition, fetched: Fetched) -> bool {
    let mut gone: Box<dyn Any> = Box::new(());
    let is_last = kept.with(|shelves| {
        shelves.wishes.finish(job, edition);
        gone = match (fetched, job.place()) {
            (Fetched::Waveform(answer), Place::Waveform(id)) => {
                Box::new(shelves.waveforms.put(id, edition, answer))
            }
            (Fetched::Stems(answer), Place::Stems(id)) => {
                Box::new(shelves.stems.put(id, edition, answer))
            }
            (Fetched::Preview(answer), Place::Preview(id)) => {
                Box::new(shelves.previews.put(id, edition, answer))
            }
            (Fetched::Details(answer), Place::Details(id)) => {
                Box::new(shelves.details.put(id, edition, answer))
            }
            (Fetched::Art(answer), Place::Art(of, size)) => {
                Box::new(shelves.art.put((of, size), edition, answer))
            }
            (Fetched::Samples(window), Place::Samples(id)) => {
                Box::new(shelves.samples.put(id, edition, window))
            }
            // What is fetched is what was asked for.
            _ => Box::new(()),
        };
        shelves.wishes.is_empty(lane)
    });
    drop(gone);
    is_last
}
