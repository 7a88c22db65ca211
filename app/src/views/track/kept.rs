//! What the page keeps from frame to frame: nothing of it is a fact, all of it can be made anew.

use super::growing;
use super::stems;
use super::viewport::Limits;
use crate::gpu::Source;
use crate::scene::Scene;
use crate::shelf::Loadable;
use std::sync::Arc;
use tonearm_core::audio::LiveColumns;
use tonearm_core::export::document::TrackDetails;
use tonearm_core::row::Row;
use tonearm_core::timeline::Grid;
use tonearm_core::track::TrackId;
use tonearm_core::waveform::Waveform;

#[derive(Debug, Clone, Default)]
pub struct Kept {
    track: Option<TrackId>,
    /// Seconds at the left edge of the waveform.
    pub(super) start: f64,
    pub(super) limits: Limits,
    /// The playhead that was last brought into the middle, and within which limits.
    pub(super) followed: Option<(f64, Limits)>,
    pub(super) waveform: Option<Loadable<Arc<Waveform>>>,
    pub(super) details: Option<Arc<TrackDetails>>,
    pub(super) details_pending: bool,
    pub(super) grid: Grid,
    pub(super) gain: f32,
    pub(super) stems: stems::Kept,
    source: Option<Source>,
    growing: bool,
    /// Another number for each waveform that was met.
    edition: u64,
}

impl Kept {
    /// Brings everything up to date with the scene.
    pub(super) fn meet(&mut self, scene: &Scene<'_>, row: &Row) {
        if self.track != Some(row.track.id) {
            let (limits, edition) = (self.limits, self.edition);
            let stems = self.stems.of_another_track();
            *self = Self {
                track: Some(row.track.id),
                limits,
                edition,
                stems,
                ..Self::default()
            };
        }
        self.meet_details(scene, row);
        self.meet_waveform(scene, row);
        self.stems.meet(scene.shelf.stems(row), row.track.id.0);
    }

    pub(super) fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// Whether the waveform is being made.
    pub(super) fn is_growing(&self) -> bool {
        self.growing
    }

    fn meet_details(&mut self, scene: &Scene<'_>, row: &Row) {
        let found = scene.shelf.details(row);
        self.details_pending = found == Loadable::Pending;
        let found = found.ready();
        let same = match (&self.details, &found) {
            (Some(kept), Some(found)) => Arc::ptr_eq(kept, found),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            let beats = found.as_ref().and_then(|details| details.beats.as_ref());
            self.grid = beats.map(Grid::new).unwrap_or_default();
            self.details = found;
        }
    }

    fn meet_waveform(&mut self, scene: &Scene<'_>, row: &Row) {
        let found = scene.shelf.waveform(row);
        if let Loadable::Ready(waveform) = &found {
            self.growing = false;
            self.show(row, waveform);
        } else if let Some(live) = growing::live(scene, row.track.id) {
            self.grow(row, live);
        } else {
            self.growing = false;
            if matches!(found, Loadable::Absent | Loadable::Failed(_)) {
                self.source = None;
            }
        }
        self.waveform = Some(found);
    }

    fn grow(&mut self, row: &Row, live: &LiveColumns) {
        let growing = self.source.take().filter(|_| self.growing);
        let grown =
            growing.and_then(|mut source| growing::advance(&mut source, live).then_some(source));
        self.source = grown.or_else(|| {
            self.edition += 1;
            let mut source = growing::begun(row, self.edition)?;
            growing::advance(&mut source, live);
            Some(source)
        });
        self.growing = true;
        self.gain = self.source.as_ref().map_or(1.0, crate::widgets::wave::gain);
    }

    fn show(&mut self, row: &Row, waveform: &Arc<Waveform>) {
        let same = self
            .source
            .as_ref()
            .is_some_and(|source| Arc::ptr_eq(&source.waveform, waveform));
        if same {
            return;
        }
        self.edition += 1;
        let source = Source {
            track: row.track.id.0,
            edition: self.edition,
            waveform: Arc::clone(waveform),
            expected: 0,
        };
        self.gain = crate::widgets::wave::gain(&source);
        self.source = Some(source);
    }
}
