//! Small covers on the graphics card: as many as a few screens show, a few new ones a frame.

use crate::scene::Scene;
use crate::shelf::{ArtSize, Loadable};
use eframe::egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};
use lru::LruCache;
use std::fmt;
use std::num::NonZeroUsize;
use tonearm_core::row::Row;
use tonearm_core::track::TrackId;

/// 64 × 64 pixels each: 4 MB of graphics memory.
const MOST: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Uploads in one frame.
const A_FRAME: u32 = 6;

/// A texture and the state of the track that it was made for.
struct Cover {
    revision: u64,
    /// `None`: there is none.
    texture: Option<TextureHandle>,
}

pub(super) struct Covers {
    kept: LruCache<(TrackId, bool), Cover>,
    /// Uploads that this frame still has room for.
    left: u32,
}

impl Default for Covers {
    fn default() -> Self {
        Self {
            kept: LruCache::new(MOST),
            left: 0,
        }
    }
}

impl fmt::Debug for Covers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Covers")
            .field("kept", &self.kept.len())
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
        if !row.track.tags.has_art {
            return None;
        }
        let name = (row.track.id, size == ArtSize::Large);
        if let Some(cover) = self.kept.get(&name)
            && cover.revision == row.revision
        {
            return cover.texture.as_ref().map(TextureHandle::id);
        }
        if self.left == 0 {
            ctx.request_repaint();
            return self.stale(name);
        }
        let texture = match scene.shelf.art(row, size) {
            Loadable::Pending => return self.stale(name),
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
        let id = texture.as_ref().map(TextureHandle::id);
        let cover = Cover {
            revision: row.revision,
            texture,
        };
        self.kept.put(name, cover);
        id
    }

    /// What was there before the track changed.
    fn stale(&mut self, name: (TrackId, bool)) -> Option<TextureId> {
        self.kept
            .get(&name)?
            .texture
            .as_ref()
            .map(TextureHandle::id)
    }
}
