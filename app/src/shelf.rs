//! Heavy things that views draw and the core does not publish: waveforms, full results, cover art, samples.
//!
//! A view asks and gets at once what is there; what is not is fetched by the shelf's own thread, newest wish
//! first, and a repaint follows. Nothing here blocks a frame.

use std::sync::Arc;
use tonearm_core::export::document::TrackDetails;
use tonearm_core::failure::Failure;
use tonearm_core::row::Row;
use tonearm_core::units::{Frame, SampleRate};
use tonearm_core::waveform::{Column, Waveform};

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

/// Some sound around a place, as it is in the file: mixed to mono.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    pub rate: SampleRate,
    /// Frame of the first sample, on the file's timeline.
    pub start: Frame,
    pub mono: Vec<f32>,
}

/// The columns of a preview in a row of the table.
pub const PREVIEW_COLUMNS: usize = 120;

#[derive(Debug, Default)]
pub struct Shelf;

impl Shelf {
    /// The whole waveform, all levels.
    pub fn waveform(&self, row: &Row) -> Loadable<Arc<Waveform>> {
        let _: &Row = row;
        Loadable::Absent
    }

    /// The whole track in [`PREVIEW_COLUMNS`] columns.
    pub fn preview(&self, row: &Row) -> Loadable<Arc<[Column]>> {
        let _: &Row = row;
        Loadable::Absent
    }

    /// Beats, key, chords.
    pub fn details(&self, row: &Row) -> Loadable<Arc<TrackDetails>> {
        let _: &Row = row;
        Loadable::Absent
    }

    pub fn art(&self, row: &Row, size: ArtSize) -> Loadable<Arc<Art>> {
        let _: (&Row, ArtSize) = (row, size);
        Loadable::Absent
    }

    /// Samples that include `from..to`, on the file's timeline, when the stretch is short enough to be kept
    /// (5 seconds); more around it, so that scrolling finds them there.
    pub fn samples(&self, row: &Row, from: Frame, to: Frame) -> Loadable<Arc<Samples>> {
        let _: (&Row, Frame, Frame) = (row, from, to);
        Loadable::Absent
    }
}
