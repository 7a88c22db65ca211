//! What is made ready once for each track on decks, for the page and the overlay together.

use crate::gpu::Source;
use crate::shelf::{Art, ArtSize, Loadable, Shelf, Stems};
use eframe::egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};
use lru::LruCache;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use tonearm_core::decks::{Analysis, DeckView, Matched, PlayerArt};
use tonearm_core::row::Row;
use tonearm_core::timeline::Grid;
use tonearm_core::track::{ContentHash, FileStamp, TrackId};
use tonearm_core::waveform::Waveform;

/// Tracks that are kept ready: those on decks, and a few that were.
const MOST: NonZeroUsize = NonZeroUsize::new(12).unwrap();
/// The track page counts its own from 1 on.
const FIRST_EDITION: u64 = 1 << 32;

/// A track, ready to be drawn.
#[derive(Debug, Clone, Default)]
pub(super) struct Ready {
    pub(super) source: Option<Source>,
    pub(super) gain: f32,
    pub(super) grid: Arc<Grid>,
    pub(super) cover: Option<TextureId>,
    /// Where stems were made.
    pub(super) stems: Option<Arc<Stems>>,
    /// The waveform is on its way.
    pub(super) is_coming: bool,
}

/// Cloning gives another handle. The lock is held for a look-up, by the one thread that draws.
#[derive(Clone, Default)]
pub struct Props(Arc<Mutex<Inner>>);

impl fmt::Debug for Props {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Props").finish_non_exhaustive()
    }
}

struct Inner {
    kept: LruCache<TrackId, Kept>,
    /// Pictures out of players' databases; `None`: it cannot be shown.
    pictures: LruCache<ContentHash, Option<TextureHandle>>,
    edition: u64,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            kept: LruCache::new(MOST),
            pictures: LruCache::new(MOST),
            edition: FIRST_EDITION,
        }
    }
}

#[derive(Default)]
struct Kept {
    wave: Option<(Source, f32)>,
    grid: Option<(Arc<Analysis>, Arc<Grid>)>,
    cover: Option<Cover>,
}

/// That there is none is remembered too.
struct Cover {
    stamp: FileStamp,
    missing: bool,
    texture: Option<TextureHandle>,
}

impl Props {
    /// What is on a deck: the library's track with its cover, and the picture on the player where there is none.
    pub(super) fn ready(&self, ctx: &Context, shelf: &Shelf, deck: &DeckView) -> Ready {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut ready, cover) = match deck.matching.track() {
            Some(matched) => inner.matched(ctx, shelf, matched),
            None => (Ready::default(), Loadable::Absent),
        };
        ready.cover = match cover {
            Loadable::Ready(texture) => Some(texture),
            // It is a moment away: no other picture in between.
            Loadable::Pending => None,
            Loadable::Absent | Loadable::Failed(_) => {
                let art = deck.art.as_ref();
                art.and_then(|art| inner.picture(ctx, shelf, art))
            }
        };
        ready
    }
}

impl Inner {
    fn matched(
        &mut self,
        ctx: &Context,
        shelf: &Shelf,
        matched: &Matched,
    ) -> (Ready, Loadable<TextureId>) {
        let Self { kept, edition, .. } = self;
        let row = &*matched.row;
        let kept = kept.get_or_insert_mut(row.track.id, Kept::default);
        let waveform = shelf.waveform(row);
        let is_coming = waveform == Loadable::Pending;
        if let Loadable::Ready(waveform) = &waveform {
            kept.take(row, waveform, edition);
        }
        let (source, gain) = match &kept.wave {
            Some((source, gain)) => (Some(source.clone()), *gain),
            None => (None, 1.0),
        };
        let ready = Ready {
            source,
            gain,
            grid: kept.grid(matched.analysis.as_ref()),
            cover: None,
            stems: shelf.stems(row).ready(),
            is_coming,
        };
        (ready, kept.cover(ctx, shelf, row))
    }

    fn picture(&mut self, ctx: &Context, shelf: &Shelf, art: &Arc<PlayerArt>) -> Option<TextureId> {
        if let Some(known) = self.pictures.get(&art.hash) {
            return known.as_ref().map(TextureHandle::id);
        }
        let texture = match shelf.player_art(art, ArtSize::Large) {
            Loadable::Pending => return None,
            Loadable::Absent | Loadable::Failed(_) => None,
            Loadable::Ready(picture) => loaded(ctx, &picture),
        };
        let id = texture.as_ref().map(TextureHandle::id);
        self.pictures.put(art.hash, texture);
        id
    }
}

fn loaded(ctx: &Context, art: &Art) -> Option<TextureHandle> {
    let bytes = art.width.saturating_mul(art.height).saturating_mul(3);
    (bytes > 0 && bytes == art.rgb.len()).then(|| {
        let image = ColorImage::from_rgb([art.width, art.height], &art.rgb);
        ctx.load_texture("deck cover", image, TextureOptions::LINEAR)
    })
}

impl Kept {
    fn take(&mut self, row: &Row, waveform: &Arc<Waveform>, edition: &mut u64) {
        let is_same = self
            .wave
            .as_ref()
            .is_some_and(|(source, _)| Arc::ptr_eq(&source.waveform, waveform));
        if is_same {
            return;
        }
        *edition += 1;
        let source = Source {
            track: row.track.id.0,
            edition: *edition,
            waveform: Arc::clone(waveform),
            expected: 0,
        };
        let gain = crate::widgets::wave::gain(&source);
        self.wave = Some((source, gain));
    }

    fn grid(&mut self, analysis: Option<&Arc<Analysis>>) -> Arc<Grid> {
        let Some(analysis) = analysis else {
            return Arc::default();
        };
        match &self.grid {
            Some((made_of, grid)) if Arc::ptr_eq(made_of, analysis) => Arc::clone(grid),
            _ => {
                let beats = analysis.details.beats.as_ref();
                let grid = Arc::new(beats.map(Grid::new).unwrap_or_default());
                self.grid = Some((Arc::clone(analysis), Arc::clone(&grid)));
                grid
            }
        }
    }

    fn cover(&mut self, ctx: &Context, shelf: &Shelf, row: &Row) -> Loadable<TextureId> {
        let (stamp, missing) = (row.track.stamp, row.track.missing);
        let is_known = |cover: &Cover| (cover.stamp, cover.missing) == (stamp, missing);
        if !self.cover.as_ref().is_some_and(is_known) {
            let texture = match shelf.art(row, ArtSize::Large) {
                Loadable::Pending => return Loadable::Pending,
                Loadable::Failed(failure) if !missing => return Loadable::Failed(failure),
                Loadable::Absent | Loadable::Failed(_) => None,
                Loadable::Ready(art) => loaded(ctx, &art),
            };
            self.cover = Some(Cover {
                stamp,
                missing,
                texture,
            });
        }
        let texture = self.cover.as_ref().and_then(|cover| cover.texture.as_ref());
        texture.map_or(Loadable::Absent, |texture| Loadable::Ready(texture.id()))
    }
}
