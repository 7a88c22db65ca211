//! The preview of a row until the shared drawing takes over.

use crate::theme;
use eframe::egui::{Painter, Rect, Stroke};
use tonearm_core::waveform::Column;

pub(super) fn paint(painter: &Painter, rect: Rect, columns: &[Column], _played: Option<f32>) {
    let step = rect.width() / columns.len().max(1) as f32;
    for (at, column) in columns.iter().enumerate() {
        let half = rect.height() / 2.0 * f32::from(column.rms) / 255.0;
        let (x, y) = (rect.left() + step * at as f32, rect.center().y);
        painter.vline(x, y - half..=y + half, Stroke::new(1.0, theme::TEXT_FAINT));
    }
}
