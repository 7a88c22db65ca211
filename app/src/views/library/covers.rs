//! Small covers on the graphics card: as many as a few screens show, a few new ones a frame.

use crate::scene::Scene;
use crate::shelf::{ArtSize, Loadable};
use eframe::egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};
use lru::LruCache;
use std::fmt;
use std::num::NonZeroUsize;
use tonearm_core::row::Row;
use tonearm_core::track::{FileStamp, TrackId};

/// 64 × 64 pixels each: 4 MB of graphics memory.
const MOST: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// 512 × 512 pixels each: 4 MB.
const MOST_LARGE: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Uploads in one frame.
const A_FRAME: u32 = 6;

/// A texture and the state of the file that it was made for. That there is none is remembered too.
struct Cover {
    stamp: FileStamp,
    missing: bool,
    /// `None`: there is none.
    texture: Option<TextureHandle>,
}

pub(super) struct Covers {
    kept: LruCache<TrackId, Cover>,
    large: LruCache<TrackId, Cover>,
    /// Uploads that this frame still has room for.
    left: u32,
}

impl Default for Covers {
    fn default() -> Self {
        Self {
            kept: LruCache::new(MOST),
            large: LruCache::new(MOST_LARGE),
            left: 0,
        }
    }
}

impl fmt::Debug for Covers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Covers")
            .field("kept", &self.kept.len())
            .field("large", &self.large.len())
            .finish_non_exhaustive()
    }
}

impl Covers {
    pub(super) fn begin_frame(&mut self) {
        self.left = A_FRAME;
    }

    /// The cover of a track as soon as it is there; asks for it otherwise.
    pub(super) fn get(
        &mut self,
        ctx: &Context,
        scene: &Scene<'_>,
        row: &Row,
        size: ArtSize,
    ) -> Option<TextureId> {
        // Whether the tags hold one says little: there may be one beside the file.
        let (id, stamp, missing) = (row.track.id, row.track.stamp, row.track.missing);
        if let Some(cover) = self.list(size).get(&id)
            && (cover.stamp, cover.missing) == (stamp, missing)
        {
            return cover.texture.as_ref().map(TextureHandle::id);
        }
        if self.left == 0 {
            ctx.request_repaint();
            return self.stale(id, size);
        }
        let texture = match scene.shelf.art(row, size) {
            Loadable::Pending => return self.stale(id, size),
            // It may be there with a later look: the shelf remembers for how long not to look.
            Loadable::Failed(_) if !missing => return None,
            Loadable::Absent | Loadable::Failed(_) => None,
            Loadable::Ready(art) => {
                let pixels = art.width.saturating_mul(art.height).saturating_mul(3);
                let is_whole = pixels > 0 && pixels == art.rgb.len();
                is_whole.then(|| {
                    self.left -= 1;
                    let image = ColorImage::from_rgb([art.width, art.height], &art.rgb);
                    ctx.load_texture("cover", image, TextureOptions::LINEAR)
                })
            }
        };
        let shown = texture.as_ref().map(TextureHandle::id);
        let cover = Cover {
            stamp,
            missing,
            texture,
        };
        self.list(size).put(id, cover);
        shown
    }

    /// What was there before the track changed.
    fn stale(&mut self, id: TrackId, size: ArtSize) -> Option<TextureId> {
        let cover = self.list(size).get(&id)?;
        cover.texture.as_ref().map(TextureHandle::id)
    }

    fn list(&mut self, size: ArtSize) -> &mut LruCache<TrackId, Cover> {
        match size {
            ArtSize::Row => &mut self.kept,
            ArtSize::Large => &mut self.large,
        }
    }
}
